//! A reader of the change log with a cursor hears of every change, in whatever order transactions overlap.

use crate::{NOW_MS, Trial, org, system};
use pisax_store::{Options, Result, Store};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

fn store(trial: &Trial) -> Store {
    Store::open(&trial.address, Options { connections: 12, ..crate::options() }).unwrap()
}

/// Follows the log as a stream does: from the last change seen.
struct Follower {
    cursor: i64,
    seen: Vec<i64>,
}

impl Follower {
    fn at_the_end(store: &Store) -> Self {
        let mut follower = Self { cursor: 0, seen: Vec::new() };
        follower.follow(store);
        follower.seen.clear();
        follower
    }

    fn follow(&mut self, store: &Store) {
        loop {
            let found =
                store.read::<_, pisax_store::Error>(&system(), |r| r.changes_after(self.cursor, 7)).unwrap();
            let Some(last) = found.last() else { return };
            self.cursor = last.seq;
            self.seen.extend(found.iter().map(|c| c.seq));
        }
    }
}

/// Writes, says so, and commits when told to.
fn slow(store: &Store, name: &str, wrote: Sender<()>, go: Receiver<()>) {
    let outcome: Result<i64> = store.write(&system(), NOW_MS, |w| {
        let id = org(w, name)?;
        wrote.send(()).unwrap();
        go.recv().unwrap();
        Ok(id)
    });
    outcome.unwrap();
}

#[test]
fn overlapping_transactions_lose_nothing() {
    let Some(trial) = Trial::on_postgres("overlapping") else { return };
    let store = store(&trial);
    let mut follower = Follower::at_the_end(&store);
    std::thread::scope(|scope| {
        // The transactions are numbered 1, 2, 3 and commit as 3, 1, 2.
        let begin = |name: &'static str| {
            let ((wrote, has_written), (go, may_go)) = (channel(), channel());
            let store = &store;
            let thread = scope.spawn(move || slow(store, name, wrote, may_go));
            has_written.recv().unwrap();
            move || {
                go.send(()).unwrap();
                thread.join().unwrap();
            }
        };
        let (one, two, three) = (begin("One"), begin("Two"), begin("Three"));
        for (n, commit) in
            [Box::new(three) as Box<dyn FnOnce()>, Box::new(one), Box::new(two)].into_iter().enumerate()
        {
            commit();
            follower.follow(&store);
            assert_eq!(follower.seen.len(), n + 1, "a commit is heard of at once");
        }
    });
    assert!(follower.seen.is_sorted());
}

#[test]
fn a_crowd_of_writers_loses_nothing() {
    let Some(trial) = Trial::on_postgres("crowd") else { return };
    let store = store(&trial);
    let mut follower = Follower::at_the_end(&store);
    let start = follower.cursor;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|t| {
                let store = &store;
                scope.spawn(move || {
                    for n in 0..40 {
                        store.write(&system(), NOW_MS, |w| org(w, &format!("Org {t} {n}"))).unwrap();
                    }
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                follower.follow(&store);
            }
            follower.follow(&store);
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
        reader.join().unwrap();
    });
    let all = store.read::<_, pisax_store::Error>(&system(), |r| r.changes_after(start, 1_000_000)).unwrap();
    assert_eq!(all.len(), 320);
    assert_eq!(follower.seen, all.iter().map(|c| c.seq).collect::<Vec<_>>());
}
