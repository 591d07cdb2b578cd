//! Sightings: who sees whose, and what a value finds.

use crate::{NOW, Trial, event, filled_event, member, on_each_engine, org, system, uuid};
use pisax_access::Actor;
use pisax_model::filter::Range;
use pisax_model::ids::Ref;
use pisax_model::sighting::SightingKind;
use pisax_store::Error;
use pisax_store::sightings::{NewSighting, Sighted, SightingQuery};

struct World {
    owner: i64,
    other: i64,
    stranger: i64,
    event: i64,
    hidden: i64,
    attributes: Vec<i64>,
    secret: i64,
}

fn world(t: &Trial) -> World {
    t.write(|w| {
        let (owner, other, stranger) = (org(w, "owner")?, org(w, "other")?, org(w, "stranger")?);
        let values =
            [("domain", "Evil.Example"), ("domain|ip", "evil.example|192.0.2.7"), ("domain", "good.example")];
        let (event_id, attributes) = filled_event(w, &event(owner, 3, 0), &values)?;
        let (hidden, ids) = filled_event(w, &event(owner, 0, 0), &[("domain", "evil.example")])?;
        Ok(World { owner, other, stranger, event: event_id, hidden, attributes, secret: ids[0] })
    })
}

fn seen(number: u128, attribute_id: i64, event_id: i64, org_id: i64, kind: SightingKind) -> NewSighting {
    NewSighting {
        uuid: uuid(number),
        attribute_id,
        event_id,
        org_id,
        date_sighting: NOW + number as i64,
        source: if number.is_multiple_of(2) { "honeypot".into() } else { String::new() },
        kind,
    }
}

fn numbers(t: &Trial, actor: &Actor, query: &SightingQuery) -> Vec<i64> {
    t.store
        .read(actor, |r| r.search_sightings(query))
        .unwrap()
        .iter()
        .map(|s| s.date_sighting - NOW)
        .collect()
}

#[test]
fn the_owner_sees_all_sightings_and_others_their_own() {
    on_each_engine("sightings", |t| {
        let w = world(t);
        let a = w.attributes[0];
        use SightingKind::{FalsePositive, Seen};
        let rows = [
            seen(1, a, w.event, w.owner, Seen),
            seen(2, a, w.event, w.other, Seen),
            seen(3, w.attributes[1], w.event, w.other, FalsePositive),
            seen(4, w.secret, w.hidden, w.other, Seen),
        ];
        assert_eq!(t.write(|w| w.add_sightings(&rows)).len(), 4);
        assert_eq!(t.write(|w| w.add_sightings(&rows)).len(), 0, "a known uuid is the same sighting");
        let all = SightingQuery::default();
        assert_eq!(numbers(t, &system(), &all), [1, 2, 3, 4]);
        assert_eq!(numbers(t, &member(w.owner), &all), [1, 2, 3, 4]);
        assert_eq!(
            numbers(t, &member(w.other), &all),
            [2, 3],
            "not even its own where it cannot see the event"
        );
        assert_eq!(numbers(t, &member(w.stranger), &all), [] as [i64; 0]);
        let found = t.read(|r| r.sightings_of(Sighted::Attributes(vec![a])));
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[1].org_name.as_str(), found[1].source.as_str(), found[1].event_id),
            ("other", "honeypot", w.event)
        );
        assert_eq!(t.read(|r| r.sightings_of(Sighted::Events(vec![w.event, w.hidden]))).len(), 4);
        assert_eq!(t.store.read(&member(w.stranger), |r| r.sighting(Ref::Uuid(uuid(1)))).unwrap(), None);

        let by = |query: SightingQuery| numbers(t, &system(), &query);
        assert_eq!(by(SightingQuery { org_ids: vec![w.owner], ..all.clone() }), [1]);
        assert_eq!(by(SightingQuery { not_org_ids: vec![w.owner], ..all.clone() }), [2, 3, 4]);
        assert_eq!(by(SightingQuery { kinds: vec![1, 2], ..all.clone() }), [3]);
        assert_eq!(by(SightingQuery { sources: vec!["honeypot".into(), "x".into()], ..all.clone() }), [2, 4]);
        let date = Range { from: Some(NOW + 2), to: Some(NOW + 3) };
        assert_eq!(by(SightingQuery { date, ..all.clone() }), [2, 3]);
        let after = |after: i64| by(SightingQuery { after, limit: Some(3), ..all.clone() });
        assert_eq!(after(0), [1, 2, 3]);
        let third = t.read(|r| r.search_sightings(&all))[2].id;
        assert_eq!(after(third), [4]);
        let of = Some(Sighted::Events(vec![w.event, w.hidden]));
        let page = SightingQuery { sighted: of, after: found[0].id, limit: Some(2), ..all.clone() };
        assert_eq!(by(page), [2, 3]);

        let id = found[0].id;
        let refused = t.store.write(&member(w.other), 0, |w| w.delete_sighting(id)).unwrap_err();
        assert!(matches!(refused, Error::NotFound(_)));
        t.write(|w| w.delete_sighting(id));
        assert_eq!(numbers(t, &system(), &all), [2, 3, 4]);
    });
}

#[test]
fn an_organisation_has_one_expiration_per_attribute() {
    on_each_engine("expiration", |t| {
        let w = world(t);
        let expire = |number, org| seen(number, w.attributes[0], w.event, org, SightingKind::Expiration);
        t.write(|s| s.add_sightings(&[expire(1, w.owner), expire(2, w.other), expire(3, w.owner)]));
        assert_eq!(numbers(t, &system(), &SightingQuery::default()), [2, 3]);
        t.write(|s| s.add_sightings(&[expire(4, w.other)]));
        assert_eq!(numbers(t, &system(), &SightingQuery::default()), [3, 4]);
    });
}

#[test]
fn a_value_finds_every_visible_attribute_that_holds_it() {
    on_each_engine("value", |t| {
        let w = world(t);
        let find = |actor: &Actor, value: &str| -> Vec<i64> {
            t.store.read(actor, |r| r.attributes_with_value(value)).unwrap().iter().map(|f| f.0).collect()
        };
        assert_eq!(find(&system(), " EVIL.example "), [w.attributes[0], w.attributes[1], w.secret]);
        assert_eq!(find(&member(w.other), "evil.example"), w.attributes[..2]);
        assert_eq!(find(&member(w.other), "192.0.2.7"), [w.attributes[1]]);
        assert_eq!(find(&member(w.other), "evil.example|192.0.2.7"), [w.attributes[1]]);
        assert_eq!(find(&system(), ""), [] as [i64; 0]);
        assert_eq!(find(&system(), "evil.example|192.0.2.8"), [] as [i64; 0]);
        t.tamper(&format!("update attributes set deleted = 1 where id = {}", w.attributes[0]));
        assert_eq!(find(&member(w.other), "evil.example"), [w.attributes[1]]);
    });
}
