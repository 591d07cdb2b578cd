use super::tests::{attribute, event, group, object, report, tag, uuid};
use super::*;
use crate::tag::TagDraft;
use crate::{AttributeType, Category};

fn guarded(event: EventDraft, guard: Guard) -> Result<Passed, Refusal> {
    let rules = Rules::default();
    let link = Outgoing {
        internal: false,
        rules: &rules,
        guard: &guard,
        admits: &|_| true,
        with_reports: true,
        unpublish: false,
    };
    outgoing(event, &link)
}

#[test]
fn markings_are_known_in_every_writing() {
    for (name, level) in [
        ("tlp:white", Some(Tlp::Clear)),
        ("TLP:CLEAR", Some(Tlp::Clear)),
        ("tlp:green", Some(Tlp::Green)),
        (" tlp: amber ", Some(Tlp::Amber)),
        ("tlp:amber+strict", Some(Tlp::AmberStrict)),
        ("TLP:AMBER + STRICT", Some(Tlp::AmberStrict)),
        ("tlp:red", Some(Tlp::Red)),
        ("tlp:rde", Some(Tlp::Red)),
        ("tlp:", Some(Tlp::Red)),
        ("tlp", None),
        ("tlpx:red", None),
        ("misp:tlp:red", None),
    ] {
        assert_eq!(Tlp::of_tag(name), level, "{name}");
    }
    assert!(Tlp::ALL.is_sorted());
    for level in Tlp::ALL {
        assert_eq!(Tlp::of_tag(level.tag()), Some(level));
    }
}

#[test]
fn nothing_above_the_ceiling_leaves() {
    let ceiling = |ceiling| Guard { ceiling: Some(ceiling), ..Guard::default() };
    let marked = |names: &[&str]| EventDraft { tags: names.iter().map(|n| tag(n)).collect(), ..event(3) };
    assert!(guarded(marked(&["tlp:green"]), ceiling(Tlp::Green)).is_ok());
    assert_eq!(
        guarded(marked(&["tlp:green", "tlp:amber"]), ceiling(Tlp::Green)),
        Err(Refusal::Tlp { level: Tlp::Amber, ceiling: Tlp::Green }),
        "the narrowest marking counts"
    );
    assert!(guarded(marked(&[]), ceiling(Tlp::Green)).is_err(), "unmarked counts as amber");
    assert!(guarded(marked(&[]), ceiling(Tlp::Amber)).is_ok());
    assert!(guarded(marked(&[]), Guard { untagged: Tlp::Clear, ..ceiling(Tlp::Clear) }).is_ok());
    let mut mixed = marked(&["tlp:green"]);
    let red =
        AttributeDraft { tags: vec![TagDraft { local: Some(true), ..tag("tlp:red") }], ..attribute(11, 5) };
    mixed.attributes.push(red.clone());
    mixed.objects.push(object(20, 5, vec![attribute(21, 5), AttributeDraft { uuid: uuid(22), ..red }]));
    let passed = guarded(mixed, ceiling(Tlp::Amber)).unwrap();
    assert_eq!(passed.event.attributes.len(), 1, "a local marking counts as well");
    assert_eq!(passed.event.objects[0].attributes.len(), 1);
    assert_eq!(passed.dropped.len(), 2);
    assert!(passed.dropped[0].reason.by_guard());
    assert_eq!(
        passed.dropped[0].to_string(),
        "attribute 00000000-0000-0000-0000-00000000000b: the guard lets nothing above tlp:amber leave, this is tlp:red"
    );
}

#[test]
fn tags_are_required_and_blocked() {
    let guard = || Guard {
        required_tags: vec!["exchange:share".into()],
        blocked_tags: vec!["internal:Only".into()],
        ..Guard::default()
    };
    assert_eq!(guarded(event(3), guard()), Err(Refusal::TagRequired("exchange:share".into())));
    let mut good = EventDraft { tags: vec![tag("Exchange:share")], ..event(3) };
    good.attributes.push(AttributeDraft { tags: vec![tag("internal:only")], ..attribute(11, 5) });
    let passed = guarded(good.clone(), guard()).unwrap();
    assert_eq!(passed.event.attributes.len(), 1);
    assert_eq!(passed.dropped[0].reason, Refusal::TagBlocked("internal:only".into()));
    good.tags.push(TagDraft { exportable: Some(false), ..tag("internal:only") });
    assert_eq!(guarded(good, guard()), Err(Refusal::TagBlocked("internal:only".into())));
}

#[test]
fn compartments_are_left_by_those_in_them() {
    let tagged = |name: &str| EventDraft { tags: vec![tag(name)], ..event(3) };
    assert_eq!(
        guarded(tagged("compartment:peering"), Guard::default()),
        Err(Refusal::Compartment("compartment:peering".into())),
        "without a guard of its own a link is in no compartment"
    );
    let guard = || Guard {
        compartments: Compartments {
            taxonomies: vec!["compartment".into(), "Circle:".into()],
            allowed: vec!["compartment:peering".into(), "circle:a".into()],
        },
        ..Guard::default()
    };
    assert!(guarded(tagged("Compartment:Peering"), guard()).is_ok());
    assert!(guarded(tagged("compartments"), guard()).is_ok());
    assert!(guarded(tagged("circle:b"), guard()).is_err());
    let mut two = tagged("compartment:peering");
    two.tags.push(tag("circle:b"));
    assert!(guarded(two, guard()).is_err(), "all of them have to be the peer's");
    let mut inside = tagged("circle:a");
    inside.attributes.push(AttributeDraft { tags: vec![tag("compartment:other")], ..attribute(11, 5) });
    assert_eq!(guarded(inside, guard()).unwrap().dropped.len(), 1);
}

#[test]
fn levels_groups_types_and_templates_are_blocked() {
    let guard = || Guard {
        blocked_distributions: vec![Distribution::Connected],
        allowed_groups: Some(vec![Uuid::from_u128(98), Uuid::from_u128(99)]),
        blocked_groups: vec![Uuid::from_u128(98)],
        blocked_types: vec![AttributeType::parse("email-src").unwrap()],
        blocked_categories: vec![Category::parse("Person").unwrap()],
        blocked_objects: vec!["Person".into()],
        ..Guard::default()
    };
    assert_eq!(guarded(event(2), guard()), Err(Refusal::DistributionBlocked(2)));
    let shared = |n: Option<u128>| EventDraft { sharing_group_draft: n.map(group), ..event(4) };
    assert!(guarded(shared(Some(99)), guard()).is_ok());
    for (n, named) in [(Some(98), uuid(98)), (Some(97), uuid(97)), (None, None)] {
        assert_eq!(guarded(shared(n), guard()), Err(Refusal::GroupBlocked(named)));
    }
    let mut mixed = event(3);
    mixed.attributes = vec![
        attribute(10, 5),
        attribute(11, 2),
        AttributeDraft { kind: Some("email-src".into()), ..attribute(12, 5) },
        AttributeDraft { category: Some("Person".into()), ..attribute(13, 5) },
        AttributeDraft { sharing_group_draft: Some(Box::new(group(98))), ..attribute(14, 4) },
        AttributeDraft { sharing_group_draft: Some(Box::new(group(99))), ..attribute(15, 4) },
    ];
    mixed.objects = vec![
        ObjectDraft { name: Some("person".into()), ..object(20, 5, vec![attribute(21, 5)]) },
        object(30, 5, vec![attribute(31, 5)]),
        object(40, 2, vec![attribute(41, 5)]),
    ];
    mixed.reports = vec![report(50, 2), report(51, 3)];
    let passed = guarded(mixed, guard()).unwrap();
    let left = |list: &[AttributeDraft]| list.iter().map(|a| a.uuid).collect::<Vec<_>>();
    assert_eq!(left(&passed.event.attributes), [uuid(10), uuid(15)]);
    assert_eq!(passed.event.objects.iter().map(|o| o.uuid).collect::<Vec<_>>(), [uuid(30)]);
    assert_eq!(passed.event.reports.iter().map(|r| r.uuid).collect::<Vec<_>>(), [uuid(51)]);
    assert!(passed.dropped.iter().all(|d| d.reason.by_guard() && !d.to_string().is_empty()));
    let emptied = EventDraft { attributes: vec![attribute(11, 2)], ..event(3) };
    assert!(guarded(emptied, guard()).unwrap_err().by_guard());
}
