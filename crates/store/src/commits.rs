//! "Something was committed": what readers of the change log wait for instead of looking again and again.
//!
//! It fires after each commit that appended changes. On PostgreSQL other processes may write too: a commit tells
//! them with NOTIFY, and a connection of its own listens ([`crate::Store::hear_others`]). SQLite's other processes
//! (commands of the same program) tell nobody, so whoever waits sets a time after which he looks all the same.

use event_listener::{Event, Listener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The signal; clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Commits(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    count: AtomicU64,
    fired: Event,
}

/// A moment between two commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(u64);

impl Commits {
    pub fn fire(&self) {
        self.0.count.fetch_add(1, Ordering::SeqCst);
        self.0.fired.notify(usize::MAX);
    }

    /// Now. Taken before the log is read, nothing is missed: what is committed while it is read is after it.
    pub fn mark(&self) -> Mark {
        Mark(self.0.count.load(Ordering::SeqCst))
    }

    /// Returns once something was committed after `mark`.
    pub async fn after(&self, mark: Mark) {
        while self.mark() == mark {
            let listener = self.0.fired.listen();
            // It may have fired before somebody listened.
            if self.mark() != mark {
                return;
            }
            listener.await;
        }
    }

    /// The same for a thread, for at most so long; returns whether something was committed.
    pub fn wait(&self, mark: Mark, at_most: Duration) -> bool {
        let end = std::time::Instant::now() + at_most;
        while self.mark() == mark {
            let listener = self.0.fired.listen();
            if self.mark() == mark && listener.wait_deadline(end).is_none() {
                return self.mark() != mark;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn what_is_committed_before_one_waits_is_not_missed() {
        let commits = Commits::default();
        let mark = commits.mark();
        assert!(!commits.wait(mark, Duration::ZERO));
        commits.fire();
        assert!(commits.wait(mark, LONG));
        assert!(!commits.wait(commits.mark(), Duration::ZERO));
    }

    #[test]
    fn everybody_who_waits_is_woken() {
        let commits = Commits::default();
        let mark = commits.mark();
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let commits = commits.clone();
                std::thread::spawn(move || commits.wait(mark, LONG))
            })
            .collect();
        commits.fire();
        assert!(waiting.into_iter().all(|thread| thread.join().unwrap()));
    }
}
