//! Event reports and analyst data: who sees them, and what goes with what they are about.

use crate::visibility::{ORGS, Reach, Stored, build, group_of, reach, readers, rules, wipe, world};
use crate::{NOW, NOW_MS, Trial, attribute, event, member, on_each_engine, org, system};
use pisax_access::{Actor, AnalystFacts, ObjectFacts, Visibility};
use pisax_model::Uuid;
use pisax_model::analyst::{AnalystData, AnalystKind, DEEPEST, TargetKind};
use pisax_model::event::Event;
use pisax_model::filter::Tri;
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::report::EventReport;
use pisax_store::Writer;
use pisax_store::analyst::AnalystQuery;
use pisax_store::reports::ReportQuery;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::{BTreeMap, BTreeSet};

/// What a note is about: nothing here, or the n-th of something that was made before it.
#[derive(Debug, Clone, Copy)]
enum About {
    Nowhere,
    Event(usize),
    Attribute(usize),
    Report(usize),
    Note(usize),
}

#[derive(Debug, Clone)]
struct NotePlan {
    about: About,
    reach: Reach,
    org: usize,
    orgc: usize,
}

fn notes() -> impl Strategy<Value = Vec<NotePlan>> {
    let about = prop_oneof![
        1 => Just(About::Nowhere),
        2 => (0..6usize).prop_map(About::Event),
        2 => (0..9usize).prop_map(About::Attribute),
        2 => (0..5usize).prop_map(About::Report),
        4 => (0..8usize).prop_map(About::Note),
    ];
    let plan = (about, reach(5), 0..ORGS, 0..ORGS);
    proptest::collection::vec(
        plan.prop_map(|(about, reach, org, orgc)| NotePlan { about, reach, org, orgc }),
        0..10,
    )
}

struct StoredNote {
    /// The kind of target and which one it is by row number; `None` for nowhere.
    about: Option<(TargetKind, i64)>,
    facts: AnalystFacts,
    uuid: Uuid,
    depth: usize,
    event: i64,
}

#[derive(Default)]
struct Shelf {
    reports: BTreeMap<i64, (i64, ObjectFacts, Uuid)>,
    notes: BTreeMap<i64, StoredNote>,
}

fn report(event_id: i64, facts: ObjectFacts) -> EventReport {
    EventReport {
        id: 0,
        uuid: new_uuid(NOW_MS),
        event_id,
        name: "a report".into(),
        content: "# Title".into(),
        distribution: facts.distribution,
        sharing_group_id: facts.sharing_group_id,
        timestamp: NOW,
        deleted: false,
    }
}

fn note(about: (Uuid, TargetKind), event_id: i64, facts: AnalystFacts) -> AnalystData {
    AnalystData {
        id: 0,
        uuid: new_uuid(NOW_MS),
        kind: AnalystKind::Note,
        object_uuid: about.0,
        object_type: about.1,
        event_id,
        authors: "somebody".into(),
        org_id: facts.org_id,
        orgc_id: facts.orgc_id,
        created: NOW,
        modified: NOW,
        distribution: facts.distribution,
        sharing_group_id: facts.sharing_group_id,
        locked: false,
        words: "a note".into(),
        language: None,
        opinion: None,
        relationship_type: String::new(),
        related_uuid: None,
        related_type: None,
    }
}

fn shelve(
    w: &mut Writer<'_>,
    stored: &Stored,
    reports: &[(usize, Reach)],
    notes: &[NotePlan],
) -> pisax_store::Result<Shelf> {
    let mut shelf = Shelf::default();
    let events: Vec<i64> = stored.events.keys().copied().collect();
    let attributes: Vec<i64> = stored.attributes.keys().copied().collect();
    for (event, reach) in reports {
        let event = events[event % events.len()];
        let facts = ObjectFacts { distribution: reach.0, sharing_group_id: group_of(stored, *reach) };
        let report = report(event, facts);
        shelf.reports.insert(w.insert_report(&report)?, (event, facts, report.uuid));
    }
    for plan in notes {
        let facts = AnalystFacts {
            org_id: stored.orgs[plan.org],
            orgc_id: stored.orgs[plan.orgc],
            distribution: plan.reach.0,
            sharing_group_id: group_of(stored, plan.reach),
        };
        let nth = |list: &[i64], n: usize| (!list.is_empty()).then(|| list[n % list.len()]);
        let reports: Vec<i64> = shelf.reports.keys().copied().collect();
        let earlier: Vec<i64> = shelf.notes.keys().copied().collect();
        let about = match plan.about {
            About::Nowhere => None,
            About::Event(n) => nth(&events, n).map(|id| (TargetKind::Event, id)),
            About::Attribute(n) => nth(&attributes, n).map(|id| (TargetKind::Attribute, id)),
            About::Report(n) => nth(&reports, n).map(|id| (TargetKind::EventReport, id)),
            About::Note(n) => nth(&earlier, n).map(|id| (TargetKind::Note, id)),
        };
        let (uuid, event, depth) = match about {
            None => (new_uuid(NOW_MS), 0, 1),
            Some((TargetKind::Event, id)) => (w.event(Ref::Id(id))?.unwrap().uuid, id, 1),
            Some((TargetKind::Attribute, id)) => {
                (w.attributes_by_ids(&[id])?.get(0).uuid, stored.attributes[&id].event, 1)
            }
            Some((TargetKind::EventReport, id)) => (shelf.reports[&id].2, shelf.reports[&id].0, 1),
            Some((_, id)) => {
                let above = &shelf.notes[&id];
                (above.uuid, above.event, above.depth + 1)
            }
        };
        if depth > DEEPEST {
            continue;
        }
        assert_eq!(w.analyst_depth(uuid)?, depth);
        let kind = about.map_or(TargetKind::Event, |(kind, _)| kind);
        let data = note((uuid, kind), event, facts);
        let id = w.insert_analyst_data(&data)?;
        shelf.notes.insert(id, StoredNote { about, facts, uuid: data.uuid, depth, event });
    }
    Ok(shelf)
}

impl Shelf {
    fn sees_report(&self, stored: &Stored, sight: &Visibility, id: i64) -> bool {
        let (event, facts, _) = &self.reports[&id];
        sight.report(stored.events[event], *facts)
    }

    fn sees_note(&self, stored: &Stored, sight: &Visibility, id: i64) -> bool {
        let note = &self.notes[&id];
        let target = note.about.map(|(kind, id)| match kind {
            TargetKind::Event => sight.event(stored.events[&id]),
            TargetKind::Attribute => stored.sees(sight, &stored.attributes[&id]),
            TargetKind::EventReport => self.sees_report(stored, sight, id),
            _ => self.sees_note(stored, sight, id),
        });
        sight.analyst_data(note.facts, target)
    }

    fn expected(&self, stored: &Stored, sight: &Visibility) -> (BTreeSet<i64>, BTreeSet<i64>) {
        let reports = self.reports.keys().copied().filter(|id| self.sees_report(stored, sight, *id));
        let notes = self.notes.keys().copied().filter(|id| self.sees_note(stored, sight, *id));
        (reports.collect(), notes.collect())
    }

    /// The same asked of the store, by every door there is; they have to agree.
    fn looked_up(&self, trial: &Trial, actor: &Actor) -> (BTreeSet<i64>, BTreeSet<i64>) {
        let seen = trial.store.read::<_, pisax_store::Error>(actor, |r| {
            let reports: BTreeSet<i64> = r.find_reports(&every_report())?.iter().map(|r| r.id).collect();
            let notes: BTreeSet<i64> =
                r.find_analyst_data(&AnalystQuery::default())?.iter().map(|d| d.id).collect();
            for id in self.reports.keys() {
                assert_eq!(r.report(Ref::Id(*id))?.is_some(), reports.contains(id));
            }
            let about: Vec<Uuid> = self.notes.values().map(|n| n.uuid).collect();
            let targets = r.analyst_targets(&about)?;
            let mut times = BTreeSet::new();
            r.analyst_data_times(&[], &[], |_, uuid, _| {
                times.insert(uuid);
                Ok(())
            })?;
            for (id, note) in &self.notes {
                let found = r.analyst_data(Some(AnalystKind::Note), Ref::Uuid(note.uuid))?.is_some();
                assert_eq!(found, notes.contains(id));
                assert_eq!(targets[&note.uuid].visible, found);
                assert_eq!(times.contains(&note.uuid), found);
            }
            Ok((reports, notes))
        });
        seen.unwrap()
    }
}

fn every_report() -> ReportQuery {
    ReportQuery { event_id: None, deleted: Tri::Any, text: None, limit: 1000, page: 1, after: 0 }
}

#[test]
fn every_report_and_note_is_shown_to_whom_the_oracle_shows_it() {
    on_each_engine("reports_visibility", |trial| {
        let cases = if matches!(trial.address, pisax_store::Address::Sqlite(_)) { 48 } else { 16 };
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let plans = (world(), proptest::collection::vec((0..6usize, reach(5)), 0..6), notes());
        let outcome = runner.run(&plans, |(world, reports, notes)| {
            trial.tamper("delete from analyst_data; delete from event_reports;");
            wipe(trial);
            let stored = trial.write(|w| build(w, &world));
            let shelf = trial.write(|w| shelve(w, &stored, &reports, &notes));
            trial.store.set_rules(rules(&world, &stored));
            for (actor, sight) in readers(&world, &stored) {
                prop_assert_eq!(
                    shelf.looked_up(trial, &actor),
                    shelf.expected(&stored, &sight),
                    "as {:?}",
                    actor
                );
            }
            Ok(())
        });
        outcome.unwrap();
    });
}

const OWN: ObjectFacts = ObjectFacts { distribution: 5, sharing_group_id: 0 };

fn facts(org_id: i64, distribution: i64) -> AnalystFacts {
    AnalystFacts { org_id, orgc_id: org_id, distribution, sharing_group_id: 0 }
}

fn stored(w: &mut Writer<'_>, event: Event) -> pisax_store::Result<Event> {
    Ok(Event { id: w.insert_event(&event)?, ..event })
}

#[test]
fn what_was_said_about_an_event_goes_with_it_and_never_shows_afterwards() {
    on_each_engine("reports_gone", |trial| {
        let org = trial.write(|w| org(w, "Owner"));
        let stranger = member(trial.write(|w| crate::org(w, "Stranger")));
        let event = trial.write(|w| stored(w, event(org, 0, 0)));
        let attribute = attribute("text", "x");
        trial.write(|w| {
            w.insert_attributes(event.id, &[(0, &attribute)])?;
            w.recount_event(event.id)?;
            let report = report(event.id, OWN);
            w.insert_report(&report)?;
            for (uuid, kind) in [
                (event.uuid, TargetKind::Event),
                (attribute.uuid, TargetKind::Attribute),
                (report.uuid, TargetKind::EventReport),
            ] {
                let first = note((uuid, kind), event.id, facts(org, 3));
                w.insert_analyst_data(&first)?;
                // Said before the event came: nobody knew what it was in.
                w.insert_analyst_data(&note((uuid, kind), 0, facts(org, 3)))?;
                w.insert_analyst_data(&note((first.uuid, TargetKind::Note), event.id, facts(org, 3)))?;
            }
            Ok(())
        });
        let seen = |actor: &Actor| {
            let read = trial
                .store
                .read::<_, pisax_store::Error>(actor, |r| r.find_analyst_data(&AnalystQuery::default()));
            read.unwrap().len()
        };
        assert_eq!((seen(&member(org)), seen(&stranger)), (9, 0));
        assert_eq!(trial.store.check().unwrap(), Vec::<String>::new());
        trial.write(|w| w.remove_event(&event));
        assert_eq!((seen(&system()), seen(&stranger)), (0, 0));
        assert_eq!(trial.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_note_that_goes_alone_leaves_what_was_said_about_it() {
    on_each_engine("reports_alone", |trial| {
        let org = trial.write(|w| org(w, "Owner"));
        trial.write(|w| {
            let first = note((new_uuid(NOW_MS), TargetKind::Event), 0, facts(org, 1));
            let id = w.insert_analyst_data(&first)?;
            w.insert_analyst_data(&note((first.uuid, TargetKind::Note), 0, facts(org, 1)))?;
            w.remove_analyst_data(&AnalystData { id, ..first })
        });
        let left = trial
            .store
            .read::<_, pisax_store::Error>(&system(), |r| r.find_analyst_data(&AnalystQuery::default()));
        assert_eq!(left.unwrap().len(), 1);
    });
}

#[test]
fn reports_are_found_by_event_state_and_words_page_by_page() {
    on_each_engine("reports_found", |trial| {
        let org = trial.write(|w| org(w, "Owner"));
        let one = trial.write(|w| stored(w, event(org, 3, 0)));
        let two = trial.write(|w| stored(w, event(org, 3, 0)));
        trial.write(|w| {
            for (event, name, deleted) in
                [(&one, "Ärger 50%", false), (&one, "gone", true), (&two, "b", false)]
            {
                w.insert_report(&EventReport { name: name.into(), deleted, ..report(event.id, OWN) })?;
            }
            Ok(())
        });
        let found = |actor: &Actor, query: ReportQuery| -> Vec<String> {
            let read = trial.store.read::<_, pisax_store::Error>(actor, |r| r.find_reports(&query));
            read.unwrap().into_iter().map(|r| r.name).collect()
        };
        let owner = member(org);
        let all = every_report;
        assert_eq!(found(&owner, all()), ["Ärger 50%", "gone", "b"]);
        let living = ReportQuery { deleted: Tri::Only(false), event_id: Some(one.id), ..all() };
        assert_eq!(found(&owner, living), ["Ärger 50%"]);
        assert_eq!(found(&owner, ReportQuery { text: Some("arger 50%".into()), ..all() }), ["Ärger 50%"]);
        assert_eq!(found(&owner, ReportQuery { text: Some("50_".into()), ..all() }), Vec::<String>::new());
        assert_eq!(found(&owner, ReportQuery { limit: 1, page: 3, ..all() }), ["b"]);
        // A tombstone is not for strangers.
        assert_eq!(found(&member(org + 1), all()), ["Ärger 50%", "b"]);
    });
}
