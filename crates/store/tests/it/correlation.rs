//! Correlations against the obvious definition: every pair compared with every other.

use crate::{Trial, attribute, event, on_each_engine};
use pisax_model::correlation::Net;
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

/// The definition: halves that compare equal, and networks that contain one another.
fn pairs(ours: &(&str, String), theirs: &(&str, String)) -> i64 {
    if ours.0 == "comment" || theirs.0 == "comment" {
        return 0;
    }
    let equal = halves(ours).iter().filter(|half| halves(theirs).contains(half)).count() as i64;
    let inside = match (net(ours), net(theirs)) {
        (Some(a), Some(b)) if a != b => i64::from(a.contains(&b) || b.contains(&a)),
        _ => 0,
    };
    equal + inside
}

/// The halves that correlate, as they compare.
fn halves((kind, value): &(&str, String)) -> Vec<String> {
    let canonical = |half: &str| match Net::parse(half) {
        Some(net) => format!("{net:?}"),
        None => fold(half).into_owned(),
    };
    match (*kind, value.split_once('|')) {
        ("ip-dst|port", Some((ip, _))) => vec![canonical(ip)],
        (_, Some((one, two))) => vec![canonical(one), canonical(two)],
        _ => vec![canonical(value)],
    }
}

fn net((kind, value): &(&str, String)) -> Option<Net> {
    match (*kind, value.split_once('|')) {
        ("ip-dst|port", Some((ip, _))) => Net::parse(ip),
        ("domain|ip", Some((_, ip))) => Net::parse(ip),
        ("ip-src" | "ip-dst", _) => Net::parse(value),
        _ => None,
    }
}

type Events = Vec<Vec<(&'static str, String)>>;

fn check(trial: &Trial, events: &Events) -> Result<(), TestCaseError> {
    trial.tamper("delete from postings; delete from addresses; delete from networks; delete from attributes; delete from events;");
    let ids: Vec<i64> = trial.write(|w| {
        events
            .iter()
            .map(|values| {
                let id = w.insert_event(&event(1, 3, 0))?;
                let attributes: Vec<_> = values.iter().map(|(kind, value)| attribute(kind, value)).collect();
                let rows: Vec<_> = attributes.iter().map(|a| (0, a)).collect();
                w.insert_attributes(id, &rows)?;
                Ok(id)
            })
            .collect()
    });
    for (n, id) in ids.iter().enumerate() {
        let mut expected = BTreeMap::new();
        for (m, other) in ids.iter().enumerate().filter(|(m, _)| *m != n) {
            let count: i64 = events[n].iter().flat_map(|a| events[m].iter().map(move |b| pairs(a, b))).sum();
            if count > 0 {
                expected.insert(*other, count);
            }
        }
        let (related, summed) = trial.read(|r| {
            let event = r.event(Ref::Id(*id))?.unwrap();
            let related: BTreeMap<i64, i64> =
                r.related_events(&event)?.iter().map(|e| (e.event_id, e.count)).collect();
            let living = pisax_store::attributes::Wanted { living: true, deleted: false };
            let batch = r.event_attributes(&event, living, 0, 1000)?;
            let counts: i64 = r.correlation_counts(&event, &batch)?.values().sum();
            Ok((related, counts))
        });
        prop_assert_eq!(&related, &expected);
        prop_assert_eq!(summed, expected.values().sum::<i64>());
    }
    Ok(())
}

#[test]
fn related_events_are_counted_exactly() {
    let attributes = proptest::collection::vec(value(), 1..8);
    let events = proptest::collection::vec(attributes, 2..5);
    on_each_engine("correlation", |trial| {
        let cases = if matches!(trial.address, pisax_store::Address::Sqlite(_)) { 200 } else { 60 };
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        runner.run(&events, |events| check(trial, &events)).unwrap();
    });
}

#[test]
fn what_is_switched_off_does_not_correlate() {
    on_each_engine("switched", |t| {
        let (one, two) = t.write(|w| {
            let (one, _) = crate::filled_event(w, &event(1, 3, 0), &[("domain", "evil.example")])?;
            let silent = pisax_model::event::Event { disable_correlation: true, ..event(1, 3, 0) };
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
