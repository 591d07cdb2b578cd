//! Correlations against the obvious definition: every pair compared with every other.

use crate::{Trial, attribute, event, on_each_engine};
use pisax_model::attribute::NewAttribute;
use pisax_model::correlation::Net;
use pisax_model::event::Event;
use pisax_model::fold::fold;
use pisax_model::ids::Ref;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;

/// Values that meet often: names in several spellings, addresses and networks of a small space.
fn value() -> impl Strategy<Value = (&'static str, String)> {
    let v4 = (0..4u8, 0..8u8, 22..=32u8)
        .prop_map(|(a, b, len)| ("ip-dst", cidr(format!("192.0.{a}.{b}"), len, 32)));
    let wide = (0..3u8).prop_map(|len| ("ip-src", format!("192.0.0.0/{}", len * 8)));
    let v6 = (0..4u8, 0..4u8, 120..=128u8)
        .prop_map(|(a, b, len)| ("ip-dst", cidr(format!("2001:db8::{a}:{b}"), len, 128)));
    let port = (0..4u8, 0..2u16).prop_map(|(a, port)| ("ip-dst|port", format!("192.0.0.{a}|{}", 80 + port)));
    let pair = (0..2u8, 0..4u8).prop_map(|(n, a)| ("domain|ip", format!("Host{n}.example|192.0.1.{a}")));
    let name = (0..3u8, any::<bool>()).prop_map(|(n, upper)| {
        let name = format!("host{n}.example");
        ("text", if upper { name.to_uppercase() } else { name })
    });
    let never = (0..2u8).prop_map(|n| ("comment", format!("host{n}.example")));
    prop_oneof![4 => v4, 1 => wide, 2 => v6, 2 => port, 2 => pair, 3 => name, 1 => never]
}

fn cidr(address: String, len: u8, whole: u8) -> String {
    if len == whole { address } else { format!("{address}/{len}") }
}

/// What somebody let correlate no more: some of these.
const EXCLUSIONS: [&str; 6] =
    ["HOST0.example", "%1.example", "host2%", "192.0.0.1", "192.0.0.0/8", "2001:db8::1:0/120"];

fn excluded(half: &str, exclusions: &[&str]) -> bool {
    let half = half.to_owned();
    exclusions.iter().any(|exclusion| match exclusion.strip_prefix('%') {
        Some(end) => fold(&half).ends_with(end),
        None => match exclusion.strip_suffix('%') {
            Some(start) => fold(&half).starts_with(start),
            None => canonical(&half) == canonical(exclusion),
        },
    })
}

/// The definition: halves that compare equal, and networks that contain one another, unless excluded.
fn pairs(ours: &(&str, String), theirs: &(&str, String), exclusions: &[&str]) -> i64 {
    if ours.0 == "comment" || theirs.0 == "comment" {
        return 0;
    }
    let equal = halves(ours, exclusions).iter().filter(|h| halves(theirs, exclusions).contains(h)).count();
    let inside = match (net(ours, exclusions), net(theirs, exclusions)) {
        (Some(a), Some(b)) if a != b => i64::from(a.contains(&b) || b.contains(&a)),
        _ => 0,
    };
    equal as i64 + inside
}

fn canonical(half: &str) -> String {
    match Net::parse(half) {
        Some(net) => format!("{net:?}"),
        None => fold(half).into_owned(),
    }
}

/// The halves that correlate, as they compare.
fn halves(value: &(&str, String), exclusions: &[&str]) -> Vec<String> {
    all_halves(value).into_iter().filter(|h| !excluded(h, exclusions)).map(|h| canonical(&h)).collect()
}

fn all_halves((kind, value): &(&str, String)) -> Vec<String> {
    let canonical = str::to_owned;
    match (*kind, value.split_once('|')) {
        ("ip-dst|port", Some((ip, _))) => vec![canonical(ip)],
        (_, Some((one, two))) => vec![canonical(one), canonical(two)],
        _ => vec![canonical(value)],
    }
}

fn net((kind, value): &(&str, String), exclusions: &[&str]) -> Option<Net> {
    let address = match (*kind, value.split_once('|')) {
        ("ip-dst|port", Some((ip, _))) | ("domain|ip", Some((_, ip))) => ip,
        ("ip-src" | "ip-dst", _) => value,
        _ => return None,
    };
    if excluded(address, exclusions) { None } else { Net::parse(address) }
}

/// An attribute and what may keep it from correlating.
#[derive(Debug, Clone)]
struct Plan {
    value: (&'static str, String),
    off: bool,
    deleted: bool,
}

#[derive(Debug, Clone)]
struct EventPlan {
    off: bool,
    attributes: Vec<Plan>,
}

fn plan() -> impl Strategy<Value = EventPlan> {
    let attribute = (value(), proptest::bool::weighted(0.1), proptest::bool::weighted(0.1))
        .prop_map(|(value, off, deleted)| Plan { value, off, deleted });
    (proptest::bool::weighted(0.1), proptest::collection::vec(attribute, 1..8))
        .prop_map(|(off, attributes)| EventPlan { off, attributes })
}

fn expected(ours: (&EventPlan, &Plan), theirs: (&EventPlan, &Plan), exclusions: &[&str]) -> i64 {
    let silent = |(event, plan): (&EventPlan, &Plan)| event.off || plan.off || plan.deleted;
    if silent(ours) || silent(theirs) { 0 } else { pairs(&ours.1.value, &theirs.1.value, exclusions) }
}

fn build(trial: &Trial, events: &[EventPlan]) -> Vec<(i64, Vec<i64>)> {
    trial.write(|w| {
        let build = |plan: &EventPlan| {
            let id = w.insert_event(&Event { disable_correlation: plan.off, ..event(1, 3, 0) })?;
            let attributes: Vec<NewAttribute> = plan
                .attributes
                .iter()
                .map(|a| NewAttribute {
                    disable_correlation: a.off,
                    deleted: a.deleted,
                    ..attribute(a.value.0, &a.value.1)
                })
                .collect();
            let rows: Vec<_> = attributes.iter().map(|a| (0, a)).collect();
            Ok((id, w.insert_attributes(id, &rows)?))
        };
        events.iter().map(build).collect()
    })
}

fn check(trial: &Trial, events: &[EventPlan], exclusions: &[&str]) -> Result<(), TestCaseError> {
    trial.tamper("delete from correlation_exclusions; delete from postings; delete from addresses; delete from networks; delete from attributes; delete from events;");
    let ids = build(trial, events);
    trial.write(|w| exclusions.iter().try_for_each(|e| w.add_correlation_exclusion(e, "", false).map(drop)));
    let all: Vec<i64> = ids.iter().flat_map(|(_, attributes)| attributes.clone()).collect();
    let listed = |limit| {
        let pairs = trial.read(|r| {
            let batch = r.attributes_by_ids(&all)?;
            r.correlations(&batch, limit)
        });
        let mut by_attribute: BTreeMap<i64, Vec<_>> = BTreeMap::new();
        pairs.into_iter().for_each(|pair| by_attribute.entry(pair.ours).or_default().push(pair));
        by_attribute
    };
    let (listed, few) = (listed(usize::MAX), listed(2));
    for (n, (id, attributes)) in ids.iter().enumerate() {
        let mut in_events = BTreeMap::new();
        let mut of_attributes = BTreeMap::new();
        for (m, (other, theirs)) in ids.iter().enumerate().filter(|(m, _)| *m != n) {
            for (a, ours) in attributes.iter().zip(&events[n].attributes) {
                for (b, their) in theirs.iter().zip(&events[m].attributes) {
                    let count = expected((&events[n], ours), (&events[m], their), exclusions);
                    let found = listed.get(a).map_or(0, |l| {
                        l.iter().filter(|p| p.theirs == *b && p.their_event == *other).count()
                    });
                    prop_assert_eq!(found as i64, count, "{:?} {:?}", ours, their);
                    if count > 0 {
                        *in_events.entry(*other).or_default() += count;
                        *of_attributes.entry(*a).or_default() += count;
                    }
                }
            }
        }
        let (related, counts) = trial.read(|r| {
            let event = r.event(Ref::Id(*id))?.unwrap();
            let related: BTreeMap<i64, i64> =
                r.related_events(&event)?.iter().map(|e| (e.event_id, e.count)).collect();
            let batch = r.attributes_by_ids(attributes)?;
            let counts: BTreeMap<i64, i64> = r.correlation_counts(&event, &batch)?.into_iter().collect();
            Ok((related, counts))
        });
        prop_assert_eq!(&related, &in_events);
        prop_assert_eq!(&counts, &of_attributes);
        for a in attributes {
            let all = of_attributes.get(a).copied().unwrap_or(0);
            prop_assert_eq!(few.get(a).map_or(0, Vec::len) as i64, all.min(2));
        }
    }
    Ok(())
}

#[test]
fn related_events_are_counted_exactly() {
    let events = proptest::collection::vec(plan(), 2..5);
    let none = Just(Vec::new());
    let some = proptest::sample::subsequence(EXCLUSIONS.to_vec(), 1..=EXCLUSIONS.len());
    let worlds = (events, prop_oneof![none, some]);
    on_each_engine("correlation", |trial| {
        let cases = if matches!(trial.address, pisax_store::Address::Sqlite(_)) { 200 } else { 60 };
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        runner.run(&worlds, |(events, exclusions)| check(trial, &events, &exclusions)).unwrap();
    });
}

#[test]
fn what_is_switched_off_does_not_correlate() {
    on_each_engine("switched", |t| {
        let (one, two) = t.write(|w| {
            let (one, _) = crate::filled_event(w, &event(1, 3, 0), &[("domain", "evil.example")])?;
            let silent = Event { disable_correlation: true, ..event(1, 3, 0) };
            let (two, _) = crate::filled_event(w, &silent, &[("domain", "evil.example")])?;
            let mut off = attribute("domain", "evil.example");
            off.disable_correlation = true;
            let three = w.insert_event(&event(1, 3, 0))?;
            w.insert_attributes(three, &[(0, &off)])?;
            Ok((one, two))
        });
        for id in [one, two] {
            let related = t.read(|r| {
                let event = r.event(Ref::Id(id))?.unwrap();
                r.related_events(&event)
            });
            assert!(related.is_empty(), "{related:?}");
        }
    });
}

#[test]
fn the_pairs_of_wide_networks_are_counted_and_listed_in_part() {
    on_each_engine("wide", |t| {
        let (ours, theirs) = t.write(|w| {
            let addresses: Vec<String> = (0..6000).map(|n| format!("10.0.{}.{}", n / 250, n % 250)).collect();
            let values: Vec<_> = addresses.iter().map(|a| ("ip-dst", a.as_str())).collect();
            let (theirs, _) = crate::filled_event(w, &event(1, 3, 0), &values)?;
            let wide = [("ip-dst", "10.0.0.0/8"), ("ip-src", "10.0.0.0/8"), ("ip-dst", "10.0.0.0/16")];
            Ok((crate::filled_event(w, &event(1, 3, 0), &wide)?, theirs))
        });
        let (id, attributes) = ours;
        let (related, counts, listed, few) = t.read(|r| {
            let event = r.event(Ref::Id(id))?.unwrap();
            let batch = r.attributes_by_ids(&attributes)?;
            Ok((
                r.related_events(&event)?,
                r.correlation_counts(&event, &batch)?,
                r.correlations(&batch, usize::MAX)?.len(),
                r.correlations(&batch, 20)?.len(),
            ))
        });
        assert_eq!(related, [pisax_store::correlations::Related { event_id: theirs, count: 18_000 }]);
        assert!(attributes.iter().all(|a| counts[a] == 6000), "{counts:?}");
        assert_eq!((listed, few), (10_000, 60));
    });
}
