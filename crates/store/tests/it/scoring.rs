//! Decaying models, noticelists, own warninglists, exclusions and occurrences.

use crate::{NOW, Trial, event, filled_event, member, on_each_engine, org, system, uuid};
use pisax_access::Actor;
use pisax_model::decay::{DecayingModel, Formula, Parameters, Sighted};
use pisax_model::ids::Ref;
use pisax_model::notice::Noticelist;
use pisax_model::sighting::SightingKind;
use pisax_store::Error;
use pisax_store::decaying::Coding;
use pisax_store::knowledge::WarninglistRow;
use pisax_store::sightings::NewSighting;
use pisax_store::warninglists::WarninglistLines;

/// The caller's coding: here the lifetime alone.
pub const CODING: Coding = Coding {
    read: |text| Some(Parameters { lifetime: text.parse().ok()?, ..Parameters::default() }),
    write: |parameters| parameters.lifetime.to_string(),
};

pub fn model(name: &str, org_id: i64, all_orgs: bool) -> DecayingModel {
    DecayingModel {
        id: 0,
        uuid: None,
        name: name.into(),
        description: "d".into(),
        parameters: Parameters { lifetime: 2.5, ..Parameters::default() },
        formula: Formula::PolynomialExtended,
        types: vec!["ip-src".into(), "url".into()],
        org_id,
        enabled: false,
        all_orgs,
        references: Vec::new(),
        version: 1,
        default: false,
    }
}

fn names(t: &Trial, actor: &Actor) -> Vec<String> {
    let models = t.store.read(actor, |r| r.decaying_models(CODING)).unwrap();
    models.into_iter().map(|m| m.name).collect()
}

#[test]
fn a_decaying_model_is_its_organisations_unless_it_is_for_all() {
    on_each_engine("decaying", |t| {
        let (own, other) = t.write(|w| Ok((org(w, "own")?, org(w, "other")?)));
        let id = t.write(|w| {
            w.put_decaying_model(None, &model("for all", own, true), CODING)?;
            w.put_decaying_model(None, &model("private", own, false), CODING)
        });
        assert_eq!(names(t, &member(own)), ["for all", "private"]);
        assert_eq!(names(t, &member(other)), ["for all"]);
        assert_eq!(names(t, &system()), ["for all", "private"]);
        let seen = |actor: &Actor| t.store.read(actor, |r| r.decaying_model(id, CODING)).unwrap();
        assert_eq!(seen(&member(other)), None, "as if it were not there");
        let stored = seen(&member(own)).unwrap();
        assert_eq!(stored, DecayingModel { id, ..model("private", own, false) });
        let edited = DecayingModel { enabled: true, types: vec!["md5".into()], ..stored.clone() };
        t.write(|w| w.put_decaying_model(Some(&stored), &edited, CODING));
        assert_eq!(seen(&system()), Some(edited.clone()));
        t.write(|w| w.delete_decaying_model(&edited));
        assert_eq!(names(t, &system()), ["for all"]);
    });
}

#[test]
fn what_was_seen_is_told_by_set_and_to_those_who_may_know() {
    on_each_engine("sighted", |t| {
        let (owner, other) = t.write(|w| Ok((org(w, "owner")?, org(w, "other")?)));
        let (event_id, ids) = t.write(|w| {
            filled_event(w, &event(owner, 3, 0), &[("domain", "a.example"), ("domain", "b.example")])
        });
        let rows: Vec<NewSighting> = [
            (1, owner, SightingKind::Seen, NOW + 5),
            (2, other, SightingKind::Seen, NOW + 9),
            (3, owner, SightingKind::FalsePositive, NOW + 50),
        ]
        .into_iter()
        .map(|(number, org_id, kind, date_sighting)| NewSighting {
            uuid: uuid(number),
            attribute_id: ids[0],
            event_id,
            org_id,
            date_sighting,
            source: String::new(),
            kind,
        })
        .collect();
        t.write(|w| w.add_sightings(&rows).map(drop));
        let seen = |actor: &Actor| t.store.read(actor, |r| r.sighted(&ids)).unwrap();
        let all = seen(&member(owner));
        assert_eq!(all.get(&ids[0]), Some(&Sighted { last: Some(NOW + 9), total: 3, positive: 2 }));
        assert_eq!(all.get(&ids[1]), None);
        assert_eq!(
            seen(&member(other)).get(&ids[0]),
            Some(&Sighted { last: Some(NOW + 9), total: 1, positive: 1 })
        );
    });
}

#[test]
fn a_noticelist_is_replaced_by_a_newer_one_and_keeps_its_switch() {
    on_each_engine("noticelist", |t| {
        let list = |version: i64| Noticelist {
            name: "gdpr".into(),
            expanded_name: format!("version {version}"),
            references: vec!["https://example.org/".into()],
            areas: vec!["EU".into(), "EEA".into()],
            version,
            notices: vec![r#"{"scope":["attribute"]}"#.into(); 2],
        };
        let put = |version| t.write(|w| w.put_noticelist(&list(version)));
        let id = put(2).id;
        let row = t.read(|r| r.noticelist(id)).unwrap();
        assert!(!row.enabled);
        t.write(|w| w.enable_noticelist(&row, true));
        assert!(!put(2).changed && !put(1).changed);
        assert_eq!((put(3).id, t.read(|r| r.noticelists()).len()), (id, 1));
        let row = t.read(|r| r.noticelist(id)).unwrap();
        assert_eq!((row.enabled, row.list.clone()), (true, list(3)));
        t.write(|w| w.delete_noticelist(&row));
        assert_eq!(t.read(|r| r.noticelist(id)), None);
    });
}

fn warninglist(name: &str, default: bool) -> WarninglistRow {
    WarninglistRow {
        id: 0,
        name: name.into(),
        kind: "string".into(),
        description: "ours".into(),
        version: 1,
        category: "known".into(),
        enabled: true,
        types: "[]".into(),
        entry_count: 2,
        default,
    }
}

#[test]
fn a_published_warninglist_does_not_replace_one_made_here() {
    on_each_engine("ownlist", |t| {
        let lines = WarninglistLines { entries: "a\nb".into(), notes: "\nour own".into() };
        let id = t.write(|w| w.add_warninglist(&warninglist("ours", false), &lines));
        let twice = t.refusal(|w| w.add_warninglist(&warninglist("ours", false), &lines));
        assert!(matches!(twice, Error::Conflict("name")), "{twice:?}");
        let published = WarninglistRow { version: 99, ..warninglist("ours", true) };
        assert!(!t.write(|w| w.put_warninglist(&published, "c")).changed);
        assert_eq!(t.read(|r| r.warninglist_lines(id)), Some(lines));
        let stored = t.read(|r| r.warninglist(id)).unwrap();
        assert_eq!(stored, WarninglistRow { id, ..warninglist("ours", false) });
        let edited = WarninglistRow { name: "renamed".into(), version: 2, ..stored.clone() };
        t.write(|w| w.edit_warninglist(&stored, &edited, None));
        assert_eq!(t.read(|r| r.warninglist_named("renamed")), Some(id));
        t.write(|w| w.delete_warninglist(&edited));
        assert!(t.read(|r| r.warninglists()).is_empty());
    });
}

#[test]
fn an_exclusion_counts_at_once_and_its_removal_too() {
    on_each_engine("exclusion", |t| {
        let (one, ids) = t.write(|w| {
            filled_event(w, &event(1, 3, 0), &[("domain", "Evil.example")])?;
            filled_event(w, &event(1, 3, 0), &[("domain", "evil.example"), ("domain", "good.example")])
        });
        let related = || {
            t.read(|r| {
                let event = r.event(Ref::Id(one))?.unwrap();
                let batch = r.attributes_by_ids(&ids)?;
                Ok((r.related_events(&event)?.len(), r.excluded_attributes(&batch)?.len()))
            })
        };
        assert_eq!(related(), (1, 0));
        let id = t.write(|w| w.add_correlation_exclusion("EVIL.EXAMPLE", "noise", false));
        assert_eq!(related(), (0, 1));
        let again = t.refusal(|w| w.add_correlation_exclusion("evil.example", "", false));
        assert!(matches!(again, Error::Conflict("value")), "it means the same: {again:?}");
        let entry = t.read(|r| r.correlation_exclusion(id)).unwrap();
        t.write(|w| w.edit_correlation_exclusion(&entry, "a sinkhole"));
        assert_eq!(t.read(|r| r.correlation_exclusions(Some("sinkhole"))).len(), 1);
        assert_eq!(t.read(|r| r.correlation_exclusions(Some("nothing"))).len(), 0);
        t.write(|w| w.delete_correlation_exclusion(&entry));
        assert_eq!(related(), (1, 0));
    });
}

#[test]
fn occurrences_are_true_counts_of_what_the_reader_sees() {
    on_each_engine("occurrences", |t| {
        let (owner, other) = t.write(|w| Ok((org(w, "owner")?, org(w, "other")?)));
        t.write(|w| {
            for (n, reach) in [3, 3, 0].into_iter().enumerate() {
                let address = format!("192.0.2.{n}|443");
                let values =
                    [("domain", "evil.example"), ("ip-dst|port", &address), ("md5", &"0".repeat(32))];
                filled_event(w, &event(owner, reach, 0), &values)?;
            }
            let alone = [("domain", "alone.example"), ("hostname", "alone.example")];
            filled_event(w, &event(owner, 3, 0), &alone)?;
            w.add_correlation_exclusion("%.example", "", false)
        });
        let found = |actor: &Actor, least| {
            let list = t.store.read(actor, |r| r.occurrences(least, 10, 0)).unwrap();
            list.into_iter().map(|o| (o.value, o.count, o.excluded)).collect::<Vec<_>>()
        };
        let zeros = "0".repeat(32);
        assert_eq!(
            found(&member(owner), 2),
            [(zeros.clone(), 3, false), ("evil.example".to_owned(), 3, true)],
            "what occurs in one event alone correlates with nothing"
        );
        assert_eq!(found(&member(other), 2), [(zeros, 2, false), ("evil.example".to_owned(), 2, true)]);
        assert!(found(&member(other), 3).is_empty());
    });
}
