//! Commits are heard of, by other processes too, and a deletion is told to whom it may be told.

use crate::{NOW_MS, Trial, attribute, event, filled_event, member, on_each_engine, org, system};
use pisax_model::ids::Ref;
use pisax_store::changes::{Action, Logged, Noun};
use pisax_store::streams::Place;
use pisax_store::{Error, Store};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(120);

#[test]
fn a_commit_is_heard_and_a_write_that_changes_nothing_is_not() {
    on_each_engine("commits", |t| {
        let commits = t.store.commits();
        let before = commits.mark();
        t.write(|w| w.set_stream_cursor("test", Place { seq: 1, part: 0 }));
        let failed: Result<(), Error> = t.store.write(&system(), NOW_MS, |w| {
            org(w, "undone")?;
            Err(Error::Damaged("on purpose"))
        });
        assert!(failed.is_err());
        assert_eq!(commits.mark(), before);
        t.write(|w| org(w, "done"));
        assert!(commits.wait(before, Duration::ZERO));
        assert_eq!(t.read(|r| r.stream_cursor("test")), Some(Place { seq: 1, part: 0 }));
    });
}

#[test]
fn another_process_hears_of_a_commit() {
    let Some(trial) = Trial::on_postgres("others") else { return };
    let other: Store = trial.reopened();
    let began = other.commits().mark();
    other.hear_others().unwrap();
    assert!(other.commits().wait(began, LONG), "it fires once it listens");
    let mark = other.commits().mark();
    trial.write(|w| org(w, "from elsewhere"));
    assert!(other.commits().wait(mark, LONG));
    assert!(other.read::<_, Error>(&system(), |r| Ok(r.org_by_name("from elsewhere")?.is_some())).unwrap());
}

fn last(t: &Trial, noun: Noun, action: Action) -> Logged {
    let all = t.read(|r| r.changes_after(0, 10_000));
    all.into_iter().rfind(|c| c.noun == noun as i64 && c.action == action as i64).unwrap()
}

/// Who of owner and stranger may be told of a change.
fn told(t: &Trial, orgs: [i64; 2], change: &Logged) -> [bool; 2] {
    orgs.map(|id| t.store.read(&member(id), |r| r.could_see_deleted(change)).unwrap())
}

#[test]
fn that_a_record_is_gone_is_told_to_who_saw_it() {
    on_each_engine("gone", |t| {
        let orgs = t.write(|w| Ok([org(w, "owner")?, org(w, "stranger")?]));
        for (distribution, expected) in [(0, [true, false]), (1, [true, true])] {
            let shared = event(orgs[0], distribution, 0);
            let (id, _) = t.write(|w| filled_event(w, &shared, &[]));
            t.write(|w| {
                let event = w.event(Ref::Id(id))?.unwrap();
                w.remove_event(&event)
            });
            assert_eq!(told(t, orgs, &last(t, Noun::Event, Action::Delete)), expected, "{distribution}");
        }
        for (distribution, expected) in [(0, [true, false]), (5, [true, true])] {
            let shared = event(orgs[0], 3, 0);
            let (id, ids) = t.write(|w| {
                let id = w.insert_event(&shared)?;
                let mut draft = attribute("domain", "gone.example");
                draft.distribution = pisax_model::Distribution::from_code(distribution).unwrap();
                let ids = w.insert_attributes(id, &[(0, &draft)])?;
                Ok((id, ids))
            });
            for (deletes, action) in [(false, Action::SoftDelete), (true, Action::Delete)] {
                t.write(|w| {
                    let batch = w.attribute(Ref::Id(ids[0]))?.unwrap();
                    match deletes {
                        false => w.set_attribute_deleted(&batch.get(0), true),
                        true => w.remove_attribute(&batch.get(0)),
                    }
                });
                let change = last(t, Noun::Attribute, action);
                assert_eq!(told(t, orgs, &change), expected, "{distribution} {deletes}");
            }
            let change = last(t, Noun::Attribute, Action::Delete);
            t.write(|w| {
                let event = w.event(Ref::Id(id))?.unwrap();
                w.remove_event(&event)
            });
            assert_eq!(told(t, orgs, &change), expected, "its event is gone too");
            let added = t.read(|r| r.changes_after(0, 10_000)).into_iter().find(|c| c.uuid == shared.uuid);
            assert_eq!(told(t, orgs, &added.unwrap()), [true, true], "that it was added may be told late");
        }
    });
}
