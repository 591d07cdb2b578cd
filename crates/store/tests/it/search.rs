//! Searches with as much in them as clients send.

use crate::{Trial, event, filled_event, on_each_engine, org, system, uuid};
use pisax_model::filter::{Filter, Scope, Terms};
use pisax_model::ids::Ref;
use pisax_model::tag::TagDraft;
use pisax_store::tags::NewAttachment;
use pisax_store::{Error, Result};

const MANY: usize = 5_000;

fn terms(or: impl Iterator<Item = String>) -> Terms {
    Terms { or: or.collect(), ..Terms::default() }
}

fn find(t: &Trial, scope: Scope, filter: &Filter) -> Result<Vec<i64>> {
    t.store.read(&system(), |r| r.find(scope, filter))
}

/// Thousands that exist nowhere, and the wanted ones among them.
fn hidden(wanted: &[&str], other: impl Fn(usize) -> String) -> Terms {
    let others = (0..MANY).map(other);
    terms(others.chain(wanted.iter().map(|w| (*w).to_owned())))
}

#[test]
fn thousands_of_terms_are_one_set() {
    on_each_engine("many", |t| {
        let values =
            [("domain", "evil.example"), ("domain|ip", "bad.example|192.0.2.7"), ("domain", "fine.example")];
        let (id, ids, tag) = t.write(|w| {
            let owner = org(w, "CERT \"Examplia\" \\ \u{1}É")?;
            let (id, ids) = filled_event(w, &event(owner, 3, 0), &values)?;
            filled_event(w, &event(77, 3, 0), &[("domain", "other.example")])?;
            let draft = TagDraft { name: "a:tag=\"x\"".into(), ..TagDraft::default() };
            let tag_id = w.resolve_tags(&[&draft], true)?.into_values().next().unwrap().id;
            w.attach_attribute_tags(
                id,
                &[(ids[1], NewAttachment { tag_id, local: false, relationship_type: None })],
            )?;
            Ok((id, ids, tag_id))
        });
        let batch = t.read(|r| r.attributes_by_ids(&ids));
        let event_uuid = t.read(|r| r.event(Ref::Id(id))).unwrap().uuid.to_string();
        let new = Filter::new;
        let value = |n| format!("host{n}.example");
        let own_uuid = batch.get(2).uuid.to_string();
        let cases = [
            (Filter { value: hidden(&["EVIL.example"], value), ..new() }, vec![ids[0]]),
            (
                Filter { value: hidden(&["evil.example"], |n| format!("host{n}|192.0.2.1")), ..new() },
                vec![ids[0]],
            ),
            (
                Filter { value: hidden(&["bad.example|192.0.2.7"], |n| format!("a{n}|b{n}")), ..new() },
                vec![ids[1]],
            ),
            (Filter { value: hidden(&["bad.example|192.0.2.8"], |n| format!("a{n}|b{n}")), ..new() }, vec![]),
            (Filter { value1: hidden(&["fine.example", "192.0.2.7"], value), ..new() }, vec![ids[2]]),
            (Filter { value2: hidden(&["fine.example", "192.0.2.7"], value), ..new() }, vec![ids[1]]),
            (Filter { tags: hidden(&["a:tag=\"x\""], |n| format!("b:tag=\"{n}\"")), ..new() }, vec![ids[1]]),
            (
                Filter { tags: hidden(&[&tag.to_string()], |n| (n + 1_000_000).to_string()), ..new() },
                vec![ids[1]],
            ),
            (Filter { uuid: hidden(&[&own_uuid], |n| uuid(n as u128).to_string()), ..new() }, vec![ids[2]]),
            (Filter { uuid: hidden(&[&event_uuid], |n| uuid(n as u128).to_string()), ..new() }, ids.clone()),
            (
                Filter { event_uuid: hidden(&[&event_uuid], |n| uuid(n as u128).to_string()), ..new() },
                ids.clone(),
            ),
            (
                Filter { eventid: hidden(&[&id.to_string()], |n| (n + 1_000_000).to_string()), ..new() },
                ids.clone(),
            ),
            (
                Filter { org: hidden(&["CERT \"Examplia\" \\ \u{1}É"], |n| format!("\u{0}\n{n}")), ..new() },
                ids.clone(),
            ),
            (
                Filter {
                    eventinfo: hidden(&["PHISHING wave"], |n| format!("wave {n}")),
                    org: Terms::one("CERT%"),
                    ..new()
                },
                ids.clone(),
            ),
            (Filter { kind: hidden(&["domain|ip"], |n| format!("kind {n}")), ..new() }, vec![ids[1]]),
        ];
        for (n, (filter, expected)) in cases.iter().enumerate() {
            assert_eq!(&find(t, Scope::Attributes, filter).unwrap(), expected, "case {n}");
            let events = if expected.is_empty() { vec![] } else { vec![id] };
            assert_eq!(find(t, Scope::Events, filter).unwrap(), events, "case {n}");
            find(t, Scope::Objects, filter).unwrap();
        }
        let not = |terms: Terms| Terms { not: terms.or, ..Terms::default() };
        let without = Filter {
            tags: not(cases[6].0.tags.clone()),
            value: not(cases[0].0.value.clone()),
            org: Terms::one("CERT%"),
            ..new()
        };
        assert_eq!(find(t, Scope::Attributes, &without).unwrap(), [ids[2]]);
        let emails = Filter { creator_email: hidden(&[], |n| format!("{n}@example.org")), ..new() };
        assert_eq!(find(t, Scope::Events, &emails).unwrap(), Vec::<i64>::new());
        assert_eq!(t.read(|r| r.trim(&without)).without_tags, [tag]);
    });
}

#[test]
fn patterns_are_bounded() {
    on_each_engine("patterns", |t| {
        t.write(|w| filled_event(w, &event(1, 3, 0), &[("domain", "evil.example"), ("text", "50%\\")]));
        let patterns = |count| terms((0..count).map(|n| format!("%x{n}%")).chain(["evil%".into()]));
        let all = |terms: &Terms| Filter {
            value: terms.clone(),
            comment: Terms { not: terms.or.clone(), ..Terms::default() },
            ..Filter::new()
        };
        assert_eq!(find(t, Scope::Attributes, &all(&patterns(199))).unwrap().len(), 1);
        let and = |count| Filter {
            value: Terms { and: vec!["evil%".to_owned(); count], ..Terms::default() },
            event_tags: Terms { and: vec!["a%".to_owned(); count], ..Terms::default() },
            tags: Terms { and: vec!["a%".to_owned(); count], ..Terms::default() },
            eventinfo: Terms { and: vec!["p%".to_owned(); count], ..Terms::default() },
            ..Filter::new()
        };
        find(t, Scope::Attributes, &and(200)).unwrap();
        let long = format!("{}%", "x".repeat(10_000));
        for filter in [
            all(&patterns(200)),
            and(201),
            Filter { value: Terms::one(long.clone()), ..Filter::new() },
            Filter { tags: Terms { not: vec![long.clone()], ..Terms::default() }, ..Filter::new() },
            Filter { searchall: Some(long), ..Filter::new() },
        ] {
            let outcome = find(t, Scope::Attributes, &filter);
            assert!(matches!(outcome, Err(Error::TooMuch(_))), "{outcome:?}");
        }
        // A backslash at the end escapes nothing.
        let open = Filter { value: Terms::one("%\\"), ..Filter::new() };
        assert_eq!(find(t, Scope::Attributes, &open).unwrap().len(), 1);
    });
}
