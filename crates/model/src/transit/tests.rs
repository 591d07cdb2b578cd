use super::sharing::{Remote, admits};
use super::*;
use crate::content::Content;
use crate::ids::Ref;
use crate::object::ReferenceDraft;
use crate::sharing::{MemberDraft, ServerDraft, SharingGroupDraft};
use crate::tag::TagDraft;
use proptest::prelude::*;

const LEVELS: std::ops::RangeInclusive<i64> = 0..=5;

pub(super) fn uuid(n: u128) -> Option<Uuid> {
    Some(Uuid::from_u128(n))
}

pub(super) fn tag(name: &str) -> TagDraft {
    TagDraft { name: name.into(), exportable: Some(true), ..TagDraft::default() }
}

pub(super) fn attribute(n: u128, level: i64) -> AttributeDraft {
    AttributeDraft {
        id: Some(n as i64),
        uuid: uuid(n),
        kind: Some("ip-dst".into()),
        category: Some("Network activity".into()),
        value: Some(format!("198.51.100.{n}")),
        distribution: Some(level),
        ..AttributeDraft::default()
    }
}

pub(super) fn object(n: u128, level: i64, attributes: Vec<AttributeDraft>) -> ObjectDraft {
    ObjectDraft {
        uuid: uuid(n),
        name: Some("domain-ip".into()),
        template_uuid: Some("43b3b146-77eb-4931-b4cc-b66c60f28734".into()),
        distribution: Some(level),
        has_attributes: true,
        attributes,
        ..ObjectDraft::default()
    }
}

pub(super) fn report(n: u128, level: i64) -> ReportDraft {
    ReportDraft { uuid: uuid(n), name: Some("r".into()), distribution: Some(level), ..ReportDraft::default() }
}

pub(super) fn event(level: i64) -> EventDraft {
    EventDraft {
        uuid: uuid(1),
        info: Some("x".into()),
        distribution: Some(level),
        orgc: Some(OrgRef { id: Some(4), uuid: uuid(2), name: Some("Maker".into()) }),
        attributes: vec![attribute(10, 5)],
        ..EventDraft::default()
    }
}

pub(super) fn group(n: u128) -> SharingGroupDraft {
    SharingGroupDraft { uuid: uuid(n), name: Some("g".into()), ..SharingGroupDraft::default() }
}

/// By a link without rules, after `change`.
fn send_by(event: EventDraft, change: impl FnOnce(&mut Outgoing<'_>)) -> Result<Passed, Refusal> {
    let (rules, guard) = (Rules::default(), Guard::default());
    let mut link = Outgoing {
        internal: false,
        rules: &rules,
        guard: &guard,
        admits: &|group| group.uuid == uuid(99),
        with_reports: true,
        unpublish: false,
    };
    change(&mut link);
    outgoing(event, &link)
}

fn send(event: EventDraft) -> Result<Passed, Refusal> {
    send_by(event, |_| {})
}

fn receive(event: EventDraft) -> Result<Passed, Refusal> {
    incoming(event, &Incoming { internal: false, rules: &Rules::default(), unpublish: false })
}

#[test]
fn connected_communities_is_one_hop_and_less_stays() {
    for (here, there) in [(2, Ok(1)), (3, Ok(3)), (0, Err(())), (1, Err(())), (7, Err(()))] {
        let sent = send(event(here)).map(|p| p.event.distribution.unwrap());
        assert_eq!(sent.clone().map_err(drop), there, "{here}");
        if let Err(reason) = sent {
            assert_eq!(reason, Refusal::Distribution(here));
        }
    }
    let none = send(EventDraft { distribution: None, ..event(3) });
    assert_eq!(none, Err(Refusal::Distribution(0)), "what says nothing stays");
    let mut mixed = event(3);
    mixed.attributes = LEVELS.map(|level| attribute(10 + level as u128, level)).collect();
    mixed.objects = LEVELS
        .map(|level| object(20 + level as u128, level, vec![attribute(50 + level as u128, 5)]))
        .collect();
    mixed.objects.push(object(30, 5, vec![attribute(31, 0), attribute(32, 2)]));
    mixed.objects.push(object(40, 5, vec![attribute(41, 1)]));
    mixed.reports = LEVELS.map(|level| report(60 + level as u128, level)).collect();
    let passed = send(mixed).unwrap();
    let levels: Vec<_> = passed.event.attributes.iter().map(|a| a.distribution.unwrap()).collect();
    assert_eq!(levels, [1, 3, 5], "a group nobody sent along keeps its attribute here");
    let levels: Vec<_> =
        passed.event.objects.iter().map(|o| (o.distribution.unwrap(), o.attributes.len())).collect();
    assert_eq!(levels, [(1, 1), (3, 1), (5, 1), (5, 1)]);
    assert_eq!(passed.event.objects[3].attributes[0].distribution, Some(1));
    let levels: Vec<_> = passed.event.reports.iter().map(|r| r.distribution.unwrap()).collect();
    assert_eq!(levels, [1, 3, 5]);
    assert!(passed.dropped.iter().any(|d| d.uuid == uuid(40) && matches!(d.reason, Refusal::Empty(Some(_)))));
}

#[test]
fn a_group_lets_out_what_the_peer_is_in() {
    let with = |n: Option<u128>| {
        let mut one = attribute(10, 4);
        one.sharing_group = Some(Ref::Id(3));
        one.sharing_group_draft = n.map(|n| Box::new(group(n)));
        one
    };
    let mut mixed = event(4);
    mixed.sharing_group_draft = Some(group(99));
    mixed.attributes = vec![with(Some(99)), with(Some(98)), with(None)];
    let passed = send(mixed.clone()).unwrap();
    assert_eq!((passed.event.attributes.len(), passed.event.distribution), (1, Some(4)));
    assert_eq!(passed.event.attributes[0].sharing_group, None, "a row number means nothing there");
    assert!(passed.dropped.iter().all(|d| d.reason == Refusal::SharingGroup));
    mixed.sharing_group_draft = Some(group(98));
    assert_eq!(send(mixed.clone()), Err(Refusal::SharingGroup));
    mixed.sharing_group_draft = None;
    assert_eq!(send(mixed), Err(Refusal::SharingGroup));
}

#[test]
fn tags_that_stay_here_do_not_travel() {
    let kinds = || {
        vec![
            tag("a"),
            TagDraft { local: Some(true), ..tag("b") },
            TagDraft { exportable: Some(false), ..tag("c") },
            TagDraft { name: "d".into(), ..TagDraft::default() },
        ]
    };
    let names = |tags: &[TagDraft]| tags.iter().map(|t| t.name.clone()).collect::<Vec<_>>();
    let mut tagged = event(3);
    tagged.tags = kinds();
    tagged.attributes[0].tags = kinds();
    tagged.objects = vec![object(20, 5, vec![AttributeDraft { tags: kinds(), ..attribute(21, 5) }])];
    let passed = send(tagged.clone()).unwrap().event;
    assert_eq!(names(&passed.tags), ["a", "d"]);
    assert_eq!(names(&passed.attributes[0].tags), ["a", "d"]);
    assert_eq!(names(&passed.objects[0].attributes[0].tags), ["a", "d"]);
    let internal = send_by(tagged.clone(), |link| link.internal = true).unwrap().event;
    assert_eq!(names(&internal.tags), ["a", "b", "d"], "local ones go to servers of one's own");
    let kept = receive(tagged.clone()).unwrap().event;
    assert_eq!(names(&kept.tags), ["a", "c", "d"]);
    assert_eq!(names(&kept.attributes[0].tags), ["a", "c", "d"]);
    let own = Incoming { internal: true, rules: &Rules::default(), unpublish: false };
    assert_eq!(names(&incoming(tagged, &own).unwrap().event.tags), ["a", "b", "c", "d"]);
}

#[test]
fn an_internal_link_keeps_every_level() {
    for level in 0..=4 {
        let mut whole = event(level);
        whole.attributes = LEVELS.map(|level| attribute(10 + level as u128, level)).collect();
        let passed = send_by(whole.clone(), |link| link.internal = true).unwrap();
        assert_eq!(passed.event.distribution, Some(level));
        assert_eq!(passed.event.attributes.len(), 6);
        let own = Incoming { internal: true, rules: &Rules::default(), unpublish: false };
        let kept = incoming(whole, &own).unwrap().event;
        assert_eq!(
            kept.attributes.iter().map(|a| a.distribution.unwrap()).collect::<Vec<_>>(),
            [0, 1, 2, 3, 4, 5]
        );
    }
}

#[test]
fn a_link_takes_the_events_its_rules_ask_for() {
    let choice = |or: &[&str], not: &[&str]| Choice {
        or: or.iter().map(|t| (*t).to_owned()).collect(),
        not: not.iter().map(|t| (*t).to_owned()).collect(),
    };
    let maker = Uuid::from_u128(2).to_string().to_uppercase();
    for (tags, orgs, expected) in [
        (choice(&[], &[]), choice(&[], &[]), Ok(())),
        (choice(&["x", "TLP:Green"], &[]), choice(&["maker"], &["other"]), Ok(())),
        (choice(&["x"], &[]), choice(&[], &[]), Err(Refusal::Rules(RuleOf::Tags))),
        (choice(&["tlp:green"], &["tlp:green"]), choice(&[], &[]), Err(Refusal::Rules(RuleOf::Tags))),
        (choice(&[], &[]), choice(&[&maker], &[]), Ok(())),
        (choice(&[], &[]), choice(&["other"], &[]), Err(Refusal::Rules(RuleOf::Organisations))),
        (choice(&[], &[]), choice(&[], &["Maker"]), Err(Refusal::Rules(RuleOf::Organisations))),
    ] {
        let rules = Rules { tags, orgs, ..Rules::default() };
        let guard = Guard::default();
        let link = Outgoing {
            internal: true,
            rules: &rules,
            guard: &guard,
            admits: &|_| true,
            with_reports: true,
            unpublish: false,
        };
        let tagged = EventDraft { tags: vec![tag("tlp:green")], ..event(3) };
        assert_eq!(outgoing(tagged, &link).map(drop), expected, "{rules:?}");
    }
}

#[test]
fn types_and_templates_stay_behind_both_ways() {
    let rules = Rules {
        refused_types: vec!["ip-src".into()],
        refused_templates: vec!["43B3B146-77eb-4931-b4cc-b66c60f28734".into()],
        ..Rules::default()
    };
    let source = || AttributeDraft { kind: Some("ip-src".into()), ..attribute(11, 5) };
    let mut mixed = event(3);
    mixed.attributes.push(source());
    mixed.objects.push(object(20, 5, vec![attribute(21, 5)]));
    mixed
        .objects
        .push(ObjectDraft { template_uuid: None, ..object(30, 5, vec![source(), attribute(31, 5)]) });
    mixed.objects[1].references = vec![
        ReferenceDraft { referenced: Some(Ref::Uuid(Uuid::from_u128(21))), ..ReferenceDraft::default() },
        ReferenceDraft { referenced: Some(Ref::Uuid(Uuid::from_u128(10))), ..ReferenceDraft::default() },
    ];
    let guard = Guard::default();
    let link = Outgoing {
        internal: false,
        rules: &rules,
        guard: &guard,
        admits: &|_| true,
        with_reports: true,
        unpublish: true,
    };
    let sent = outgoing(mixed.clone(), &link).unwrap();
    let kept = incoming(mixed, &Incoming { internal: false, rules: &rules, unpublish: true }).unwrap();
    for passed in [sent, kept] {
        assert_eq!(passed.event.attributes.len(), 1);
        assert_eq!(passed.event.objects.len(), 1);
        assert_eq!(passed.event.objects[0].attributes.len(), 1);
        assert_eq!(passed.event.objects[0].references.len(), 1, "what it points at did not go");
        assert_eq!((passed.event.published, passed.event.locked), (Some(false), Some(true)));
        assert_eq!(passed.dropped.len(), 4);
        assert_eq!(passed.event.orgc.unwrap().id, None);
    }
    let only = EventDraft { attributes: vec![source()], ..event(3) };
    let refused = outgoing(only.clone(), &link).unwrap_err();
    assert_eq!(refused, Refusal::Empty(Some(Box::new(Refusal::Type("ip-src".into())))));
    assert!(!refused.by_guard());
    assert!(incoming(only, &Incoming { internal: true, rules: &rules, unpublish: false }).is_err());
    let bare = EventDraft { attributes: Vec::new(), ..event(3) };
    assert_eq!(outgoing(bare.clone(), &link), Err(Refusal::Empty(None)));
    assert_eq!(receive(bare), Err(Refusal::Empty(None)));
}

#[test]
fn what_is_pulled_is_one_community_further() {
    for (there, here) in [(Some(0), 0), (Some(1), 0), (Some(2), 1), (Some(3), 3), (Some(4), 4), (None, 0)] {
        let pulled = receive(EventDraft { distribution: there, ..event(0) }).unwrap();
        assert_eq!(pulled.event.distribution, Some(here));
    }
    let mut whole = event(3);
    whole.attributes = LEVELS.map(|level| attribute(10 + level as u128, level)).collect();
    whole.objects = vec![object(20, 2, vec![attribute(21, 1), attribute(22, 2)])];
    whole.reports = vec![report(30, 1), report(31, 2)];
    let kept = receive(whole).unwrap().event;
    let levels = |list: &[AttributeDraft]| list.iter().map(|a| a.distribution.unwrap()).collect::<Vec<_>>();
    assert_eq!(levels(&kept.attributes), [0, 0, 1, 3, 4, 5]);
    assert_eq!((kept.objects[0].distribution, levels(&kept.objects[0].attributes)), (Some(1), vec![0, 1]));
    assert_eq!(kept.reports.iter().map(|r| r.distribution.unwrap()).collect::<Vec<_>>(), [0, 1]);
    assert!(kept.attributes.iter().all(|a| a.id.is_none()));
}

#[test]
fn a_peer_without_reports_gets_the_rest() {
    let told = EventDraft { reports: vec![report(30, 3)], ..event(3) };
    let passed = send_by(told.clone(), |link| link.with_reports = false).unwrap();
    assert_eq!((passed.event.reports.len(), passed.event.attributes.len()), (0, 1));
    let only = EventDraft { attributes: Vec::new(), ..told };
    assert!(send_by(only, |link| link.with_reports = false).is_err());
}

#[test]
fn content_is_what_is_not_deleted() {
    let dead = AttributeDraft { deleted: Some(true), ..attribute(10, 5) };
    let tombstones = EventDraft { attributes: vec![dead.clone()], ..event(3) };
    assert!(!has_content(&tombstones));
    assert!(send(tombstones.clone()).is_ok(), "a deletion travels");
    assert!(has_content(&event(3)));
    let inside =
        |object: ObjectDraft| EventDraft { attributes: Vec::new(), objects: vec![object], ..event(3) };
    assert!(has_content(&inside(object(20, 5, vec![attribute(21, 5)]))));
    assert!(!has_content(&inside(object(20, 5, vec![dead]))));
    assert!(!has_content(&inside(ObjectDraft {
        deleted: Some(true),
        ..object(20, 5, vec![attribute(21, 5)])
    })));
    assert!(has_content(&EventDraft { reports: vec![report(30, 5)], ..tombstones }));
}

// ---- Sharing groups --------------------------------------------------------------------------------

#[test]
fn a_group_admits_the_servers_it_lists() {
    let remote =
        |n: u128, internal| Remote { url: "https://Peer.example/", org: Uuid::from_u128(n), internal };
    let server = |url: Option<&str>, all_orgs| ServerDraft {
        all_orgs,
        url: url.map(str::to_owned),
        ..ServerDraft::default()
    };
    let member = |n: u128| MemberDraft {
        org_ref: OrgRef { uuid: uuid(n), ..OrgRef::default() },
        ..MemberDraft::default()
    };
    let of = |roaming, servers: Vec<ServerDraft>, members: Vec<MemberDraft>| SharingGroupDraft {
        roaming: Some(roaming),
        servers: Some(servers),
        orgs: Some(members),
        ..group(1)
    };
    let peer = || Some("https://peer.example");
    let listed = of(false, vec![server(None, true), server(peer(), false)], vec![member(5)]);
    assert!(admits(&listed, &remote(5, false)));
    assert!(!admits(&listed, &remote(6, false)), "who runs it is no member");
    assert!(admits(&listed, &remote(6, true)), "a server of one's own gets everything");
    assert!(admits(&of(false, vec![server(peer(), true)], Vec::new()), &remote(6, false)));
    let elsewhere = of(false, vec![server(Some("https://peer.example.org"), true)], vec![member(5)]);
    assert!(!admits(&elsewhere, &remote(5, false)));
    assert!(!admits(&of(false, Vec::new(), vec![member(5)]), &remote(5, false)));
    assert!(admits(&of(true, Vec::new(), vec![member(5)]), &remote(5, false)));
    assert!(
        !admits(&of(true, vec![server(peer(), true)], Vec::new()), &remote(5, false)),
        "who roams is known by members alone"
    );
    assert!(!admits(&group(1), &remote(5, false)));
    let nothing = of(false, vec![server(Some(" "), true), server(None, true)], Vec::new());
    assert!(!admits(&nothing, &Remote { url: "", ..remote(5, false) }));
}

// ---- Laws ------------------------------------------------------------------------------------------

fn tags() -> impl Strategy<Value = Vec<TagDraft>> {
    let name =
        prop::sample::select(vec!["tlp:clear", "tlp:green", "tlp:amber", "tlp:red", "compartment:a", "x"]);
    let one = (name, any::<Option<bool>>(), any::<Option<bool>>())
        .prop_map(|(name, local, exportable)| TagDraft { local, exportable, ..tag(name) });
    prop::collection::vec(one, 0..3)
}

fn any_group() -> impl Strategy<Value = Option<SharingGroupDraft>> {
    prop::option::of((98..100_u128).prop_map(group))
}

fn any_attribute() -> impl Strategy<Value = AttributeDraft> {
    let kind = prop::sample::select(vec!["ip-dst", "domain", "email-src"]);
    (1..1000_u128, -1..7_i64, kind, tags(), any_group(), any::<Option<bool>>()).prop_map(
        |(n, level, kind, tags, group, deleted)| AttributeDraft {
            kind: Some(kind.into()),
            tags,
            sharing_group_draft: group.map(Box::new),
            deleted,
            data: Some(Content::Bytes(vec![1])),
            ..attribute(n, level)
        },
    )
}

fn any_event() -> impl Strategy<Value = EventDraft> {
    let objects = (1000..2000_u128, -1..7_i64, prop::collection::vec(any_attribute(), 0..4), any_group());
    let objects = objects.prop_map(|(n, level, attributes, group)| ObjectDraft {
        sharing_group_draft: group.map(Box::new),
        ..object(n, level, attributes)
    });
    let reports = (2000..3000_u128, -1..7_i64).prop_map(|(n, level)| report(n, level));
    (
        -1..6_i64,
        prop::collection::vec(any_attribute(), 0..5),
        prop::collection::vec(objects, 0..3),
        prop::collection::vec(reports, 0..3),
        tags(),
        any_group(),
    )
        .prop_map(|(level, attributes, objects, reports, tags, group)| EventDraft {
            attributes,
            objects,
            reports,
            tags,
            sharing_group_draft: group,
            ..event(level)
        })
}

/// Everything in an event that has a distribution of its own, with tags where it has any.
fn elements(event: &EventDraft) -> Vec<(i64, Option<Uuid>, &[TagDraft])> {
    let none: &[TagDraft] = &[];
    let of = |a: &'_ Option<Box<SharingGroupDraft>>| a.as_ref().and_then(|g| g.uuid);
    let inside = event.objects.iter().flat_map(|o| &o.attributes);
    let mut all = vec![(
        event.distribution.unwrap(),
        event.sharing_group_draft.as_ref().and_then(|g| g.uuid),
        event.tags.as_slice(),
    )];
    for a in event.attributes.iter().chain(inside) {
        all.push((a.distribution.unwrap(), of(&a.sharing_group_draft), a.tags.as_slice()));
    }
    all.extend(event.objects.iter().map(|o| (o.distribution.unwrap(), of(&o.sharing_group_draft), none)));
    all.extend(event.reports.iter().map(|r| (r.distribution.unwrap(), of(&r.sharing_group_draft), none)));
    all
}

proptest! {
    #[test]
    fn nothing_leaves_that_may_not(event in any_event(), ceiling in prop::sample::select(Tlp::ALL.to_vec())) {
        let rules = Rules { refused_types: vec!["domain".into()], ..Rules::default() };
        let guard = Guard { ceiling: Some(ceiling), ..Guard::default() };
        let link = Outgoing {
            internal: false,
            rules: &rules,
            guard: &guard,
            admits: &|group| group.uuid == uuid(99),
            with_reports: true,
            unpublish: false,
        };
        let before = event.attributes.len() + event.objects.iter().map(|o| o.attributes.len() + 1).sum::<usize>() + event.reports.len();
        if let Ok(passed) = outgoing(event, &link) {
            let sent = &passed.event;
            prop_assert_eq!(sent.locked, Some(true));
            for (level, group, tags) in elements(sent) {
                prop_assert!(matches!(level, 1 | 3 | 4 | 5), "{}", level);
                prop_assert!(level != 4 || group == uuid(99));
                for tag in tags {
                    prop_assert!(tag.local != Some(true) && tag.exportable != Some(false));
                    prop_assert!(!tag.name.starts_with("compartment:"));
                    prop_assert!(Tlp::of_tag(&tag.name).is_none_or(|level| level <= ceiling));
                }
            }
            let inside = sent.objects.iter().flat_map(|o| &o.attributes);
            prop_assert!(sent.attributes.iter().chain(inside).all(|a| a.kind.as_deref() != Some("domain")));
            // Everything is either sent or accounted for.
            prop_assert_eq!(elements(sent).len() - 1 + passed.dropped.len(), before);
            // What went once goes no second time with a community as its level.
            let again = outgoing(sent.clone(), &link);
            if let Ok(again) = again {
                prop_assert!(elements(&again.event).iter().all(|(level, _, _)| *level != 1));
            }
        }
    }

    #[test]
    fn what_comes_in_is_never_wider_than_it_was(event in any_event()) {
        if let Ok(passed) = receive(event.clone()) {
            prop_assert!(passed.dropped.is_empty());
            for ((before, _, _), (after, _, tags)) in elements(&event).into_iter().zip(elements(&passed.event)) {
                let expected = match before { 1 => 0, 2 => 1, other => other };
                prop_assert_eq!(after, expected);
                prop_assert!(tags.iter().all(|tag| tag.local != Some(true)));
            }
        }
    }
}

#[test]
fn what_travels_beside_events_takes_the_same_steps() {
    let rules = Rules::default();
    let guard = Guard { blocked_distributions: vec![Distribution::All], ..Guard::default() };
    let (open, inside) = (Guard::default(), |group: &SharingGroupDraft| group.uuid == uuid(1));
    let link = |internal, guard| Outgoing {
        internal,
        rules: &rules,
        guard,
        admits: &inside,
        with_reports: true,
        unpublish: false,
    };
    let levels = |link: &Outgoing<'_>| LEVELS.map(|level| beside(level, None, link).ok()).collect::<Vec<_>>();
    assert_eq!(levels(&link(false, &open)), [None, None, Some(1), Some(3), None, Some(5)]);
    assert_eq!(levels(&link(true, &open)), LEVELS.map(Some).collect::<Vec<_>>());
    assert_eq!(levels(&link(false, &guard))[3], None);
    assert!(beside(3, None, &link(false, &guard)).unwrap_err().by_guard());
    assert_eq!(beside(4, Some(&group(1)), &link(false, &open)), Ok(4));
    assert_eq!(beside(4, Some(&group(2)), &link(false, &open)), Err(Refusal::SharingGroup));
}
