//! Events on their way between two installations: carried from one, received by the other.

use crate::*;
use pisax_model::Uuid;
use pisax_model::attribute::AttributeDraft;
use pisax_model::content::Content;
use pisax_model::cryptographic_key::CryptographicKeyDraft;
use pisax_model::event::Event;
use pisax_model::object::{ObjectDraft, ReferenceDraft};
use pisax_model::org::OrgRef;
use pisax_model::report::ReportDraft;
use pisax_model::sharing::{MemberDraft, ServerDraft, SharingGroup, SharingGroupDraft};
use pisax_model::tag::TagDraft;
use pisax_model::transit::{Guard, Incoming, Outgoing, Rules, incoming, outgoing};
use pisax_service::event::{Carried, Received, Source, carry, receive};
use pisax_service::{attribute, blocklist, object, report, sharing_group};

const SYSTEM: &str = "a pull";

fn uuid(n: u128) -> Option<Uuid> {
    Some(Uuid::from_u128(n))
}

fn tag(name: &str) -> TagDraft {
    TagDraft { name: name.into(), ..TagDraft::default() }
}

fn value(n: u128, value: &str) -> AttributeDraft {
    AttributeDraft {
        uuid: uuid(n),
        kind: Some("domain".into()),
        value: Some(value.into()),
        timestamp: Some(NOW - 100),
        ..AttributeDraft::default()
    }
}

fn maker() -> OrgRef {
    OrgRef { uuid: uuid(0xa0), name: Some("Far CERT".into()), id: None }
}

/// As it comes from elsewhere.
fn foreign(n: u128) -> EventDraft {
    EventDraft {
        uuid: uuid(n),
        info: Some("From elsewhere".into()),
        distribution: Some(3),
        timestamp: Some(NOW - 100),
        published: Some(true),
        locked: Some(true),
        orgc: Some(maker()),
        attributes: vec![value(n + 1, &format!("v{n}.example"))],
        ..EventDraft::default()
    }
}

fn newer(draft: EventDraft, by: i64) -> EventDraft {
    EventDraft { timestamp: draft.timestamp.map(|t| t + by), ..draft }
}

fn group(n: u128, members: Vec<OrgRef>) -> SharingGroupDraft {
    let member = |org_ref| MemberDraft { org_ref, ..MemberDraft::default() };
    SharingGroupDraft {
        uuid: uuid(n),
        name: Some(format!("Group {n}")),
        releasability: Some("them".into()),
        modified: Some(NOW - 1000),
        organisation: Some(maker()),
        orgs: Some(members.into_iter().map(member).collect()),
        servers: Some(Vec::new()),
        ..SharingGroupDraft::default()
    }
}

fn shared(draft: EventDraft, group: SharingGroupDraft) -> EventDraft {
    EventDraft {
        distribution: Some(4),
        sharing_group: group.uuid.map(Ref::Uuid),
        sharing_group_draft: Some(group),
        ..draft
    }
}

impl Here {
    /// A link with somebody who is known here.
    fn link(&self) -> Source {
        let host = self.service.policy.host_org_id;
        let remote = self.service.read(&self.admin(), |r| Ok(r.org_by_name("The peer")?)).unwrap();
        Source {
            server_id: Some(1),
            org_id: host,
            remote_org_id: remote.map_or_else(|| self.org("The peer"), |org| org.id),
            internal: false,
            remove_missing_tags: false,
            publish_without_email: true,
            may_create_groups: true,
        }
    }

    fn pulled(&self, draft: EventDraft) -> Received {
        receive(&self.service, &Actor::system(SYSTEM), draft, &self.link()).unwrap()
    }

    fn stored(&self, n: u128) -> Event {
        self.service.read(&self.admin(), |r| Ok(r.event(Ref::Uuid(Uuid::from_u128(n)))?.unwrap())).unwrap()
    }

    fn whole(&self, n: u128) -> EventDraft {
        let reference = Ref::Uuid(Uuid::from_u128(n));
        carry(&self.service, &Actor::system(SYSTEM), reference, Carried::WHOLE).unwrap().unwrap().draft
    }

    fn group(&self, n: u128) -> Option<SharingGroup> {
        let reference = Ref::Uuid(Uuid::from_u128(n));
        self.service.read(&self.admin(), |r| Ok(r.sharing_group(reference)?)).unwrap()
    }

    fn org_ref(&self, id: i64) -> OrgRef {
        let org = self.service.read(&self.admin(), |r| Ok(r.org(Ref::Id(id))?.unwrap())).unwrap();
        OrgRef { id: None, uuid: Some(org.uuid), name: Some(org.name) }
    }
}

fn refusal(received: Received) -> String {
    match received {
        Received::Refused(reason) => reason,
        other => panic!("{other:?}"),
    }
}

fn send(draft: EventDraft) -> EventDraft {
    let (rules, guard) = (Rules::default(), Guard::default());
    let link = Outgoing {
        internal: false,
        rules: &rules,
        guard: &guard,
        admits: &|_| true,
        with_reports: true,
        unpublish: false,
    };
    let passed = outgoing(draft, &link).unwrap();
    assert_eq!(passed.dropped, []);
    passed.event
}

fn take(draft: EventDraft) -> EventDraft {
    let link = Incoming { internal: false, rules: &Rules::default(), unpublish: false };
    incoming(draft, &link).unwrap().event
}

/// Something of everything.
fn rich() -> EventDraft {
    let picture = AttributeDraft {
        kind: Some("attachment".into()),
        value: Some("shot.png".into()),
        data: Some(Content::Bytes(b"\x89PNG\r\n\x1a\nrest".to_vec())),
        ..value(12, "")
    };
    let object = ObjectDraft {
        uuid: uuid(20),
        name: Some("domain-ip".into()),
        meta_category: Some("network".into()),
        description: Some("a host".into()),
        template_uuid: Some("43b3b146-77eb-4931-b4cc-b66c60f28734".into()),
        template_version: Some("11".into()),
        distribution: Some(3),
        timestamp: Some(NOW - 100),
        has_attributes: true,
        attributes: vec![AttributeDraft {
            object_relation: Some("domain".into()),
            ..value(21, "in.example")
        }],
        references: vec![ReferenceDraft {
            uuid: uuid(22),
            referenced: Some(Ref::Uuid(Uuid::from_u128(11))),
            relationship_type: Some("related-to".into()),
            timestamp: Some(NOW - 100),
            ..ReferenceDraft::default()
        }],
        ..ObjectDraft::default()
    };
    EventDraft {
        distribution: Some(2),
        locked: Some(false),
        attributes: vec![
            AttributeDraft {
                tags: vec![tag("seen:often"), TagDraft { local: Some(true), ..tag("here:only") }],
                first_seen: Some(Some("2025-12-01T00:00:00.000000+00:00".into())),
                comment: Some("c".into()),
                ..value(11, "one.example")
            },
            picture,
            AttributeDraft {
                kind: Some("domain|ip".into()),
                value: Some("two.example|203.0.113.7".into()),
                ..value(13, "")
            },
        ],
        objects: vec![object],
        reports: vec![ReportDraft {
            uuid: uuid(30),
            name: Some("What happened".into()),
            content: Some("# Nothing".into()),
            timestamp: Some(NOW - 100),
            ..ReportDraft::default()
        }],
        tags: vec![tag("tlp:green"), TagDraft { local: Some(true), ..tag("here:only") }],
        ..foreign(10)
    }
}

#[test]
fn an_event_arrives_as_it_was_sent_one_community_further() {
    let (there, here) = (crate::here(), crate::here());
    event::add(&there.service, &there.admin(), rich()).unwrap();
    let carried = there.whole(10);
    assert_eq!(carried.attributes.len(), 3);
    let sent = send(carried);
    assert!(matches!(here.pulled(take(sent.clone())), Received::Added { dropped, .. } if dropped.is_empty()));
    let arrived = here.stored(10);
    assert_eq!((arrived.distribution, arrived.locked, arrived.published), (0, true, true));
    assert_eq!(arrived.org_id, here.service.policy.host_org_id);
    let orgc = here.service.read(&here.admin(), |r| Ok(r.org(Ref::Id(arrived.orgc_id))?.unwrap())).unwrap();
    assert_eq!((orgc.name.as_str(), orgc.local), ("Far CERT", false));
    // What is there now is what was sent, but for what the two rules change and what each side notes for itself.
    let bare = |mut draft: EventDraft| {
        draft.distribution = None;
        draft.publish_timestamp = None;
        draft
    };
    assert_eq!(bare(send_again(here.whole(10))), bare(sent));
    assert!(matches!(here.pulled(take(send(there.whole(10)))), Received::Older { .. }));
}

/// What would be sent if it were for everybody.
fn send_again(draft: EventDraft) -> EventDraft {
    send(EventDraft { distribution: Some(3), ..draft })
}

#[test]
fn an_event_is_carried_as_its_reader_sees_it() {
    let here = here();
    let owner = here.member(here.org("Own"), ORG_ADMIN);
    let stranger = here.member(here.org("Other"), SYNC);
    let mut draft = EventDraft { orgc: None, ..rich() };
    draft.attributes[0].distribution = Some(0);
    draft.reports[0].distribution = Some(0);
    draft.objects[0].distribution = Some(0);
    event::add(&here.service, &owner, draft).unwrap();
    let reference = Ref::Uuid(Uuid::from_u128(10));
    let seen = |actor: &Actor, what| carry(&here.service, actor, reference, what).unwrap().unwrap().draft;
    let (all, some) = (seen(&owner, Carried::WHOLE), seen(&stranger, Carried::WHOLE));
    assert_eq!((all.attributes.len(), all.objects.len(), all.reports.len()), (3, 1, 1));
    assert_eq!((some.attributes.len(), some.objects.len(), some.reports.len()), (2, 0, 0));
    assert!(all.attributes[1].data.is_some());
    let bare = seen(&owner, Carried { attachments: false, tombstones: false });
    assert!(bare.attributes.iter().all(|a| a.data.is_none()));
    let hidden =
        event::add(&here.service, &owner, EventDraft { distribution: Some(0), orgc: None, ..foreign(40) });
    let hidden = Ref::Id(hidden.unwrap().id);
    assert_eq!(carry(&here.service, &stranger, hidden, Carried::WHOLE).unwrap(), None);
}

#[test]
fn deletions_travel() {
    let (there, here) = (crate::here(), crate::here());
    event::add(&there.service, &there.admin(), EventDraft { distribution: Some(3), ..rich() }).unwrap();
    here.pulled(take(send(there.whole(10))));
    let (admin, by) = (there.admin(), |n| Ref::Uuid(Uuid::from_u128(n)));
    attribute::remove(&there.service, &admin, by(13), false).unwrap();
    object::remove(&there.service, &admin, by(20), false).unwrap();
    report::remove(&there.service, &admin, by(30), report::Removal::Soft).unwrap();
    let sent = send(there.whole(10));
    assert!(matches!(here.pulled(take(sent)), Received::Updated { .. }));
    let arrived = here.whole(10);
    let dead: Vec<_> =
        arrived.attributes.iter().filter(|a| a.deleted == Some(true)).map(|a| a.uuid).collect();
    assert_eq!(dead, [uuid(13)]);
    assert_eq!(arrived.objects[0].deleted, Some(true));
    assert!(arrived.objects[0].attributes.iter().all(|a| a.deleted == Some(true)));
    assert!(arrived.objects[0].references.iter().all(|r| r.deleted == Some(true)));
    assert_eq!(arrived.reports[0].deleted, Some(true));
    let without =
        carry(&here.service, &here.admin(), by(10), Carried { attachments: false, tombstones: false });
    let without = without.unwrap().unwrap().draft;
    assert_eq!((without.attributes.len(), without.objects.len(), without.reports.len()), (2, 0, 0));
}

#[test]
fn the_last_writer_wins_and_what_was_made_here_stays() {
    let here = here();
    assert!(matches!(here.pulled(foreign(10)), Received::Added { .. }));
    assert!(matches!(here.pulled(foreign(10)), Received::Older { .. }));
    assert!(matches!(here.pulled(newer(foreign(10), -5)), Received::Older { .. }));
    let changed = EventDraft { info: Some("Changed".into()), ..newer(foreign(10), 5) };
    assert!(matches!(here.pulled(changed), Received::Updated { .. }));
    assert_eq!((here.stored(10).info.as_str(), here.stored(10).published), ("Changed", true));

    let own = EventDraft { orgc: None, locked: None, ..foreign(40) };
    event::add(&here.service, &here.admin(), own).unwrap();
    let theirs = EventDraft { info: Some("Theirs".into()), ..newer(foreign(40), 5) };
    assert!(refusal(here.pulled(theirs.clone())).starts_with("The event was made here"));
    assert_eq!(here.stored(40).info, "From elsewhere");
    let internal = Source { internal: true, ..here.link() };
    let system = Actor::system(SYSTEM);
    let received = receive(&here.service, &system, theirs, &internal).unwrap();
    assert!(matches!(received, Received::Updated { .. }));
}

#[test]
fn nobody_writes_in_the_name_of_an_organisation_that_is_here() {
    let here = here();
    let (own, other) = (here.org("Own"), here.org("Other"));
    let claims = |n, org: i64| EventDraft { orgc: Some(here.org_ref(org)), ..foreign(n) };
    assert!(refusal(here.pulled(claims(10, own))).contains("Own made it"));
    let named =
        EventDraft { orgc: Some(OrgRef { name: Some("Own".into()), ..OrgRef::default() }), ..foreign(10) };
    assert!(refusal(here.pulled(named)).contains("Own made it"), "nor by the name alone");
    let system = Actor::system(SYSTEM);
    let by = |source: Source, draft| receive(&here.service, &system, draft, &source).unwrap();
    assert!(matches!(
        by(Source { remote_org_id: own, ..here.link() }, claims(10, own)),
        Received::Added { .. }
    ));
    assert!(matches!(
        by(Source { internal: true, ..here.link() }, claims(20, other)),
        Received::Added { .. }
    ));
    assert!(matches!(by(here.link(), EventDraft { orgc: None, ..foreign(30) }), Received::Added { .. }));
    assert_eq!(here.stored(30).orgc_id, here.link().remote_org_id, "who says nothing speaks for himself");

    let sync = here.member(own, SYNC);
    let pushed = |draft| event::add(&here.service, &sync, draft).map(|added| added.id);
    assert!(
        matches!(pushed(claims(50, other)), Err(Error::Refused(reason)) if reason.contains("Other made it"))
    );
    assert!(pushed(claims(50, own)).is_ok());
    assert!(pushed(foreign(60)).is_ok());
    assert!(event::add(&here.service, &here.admin(), claims(70, other)).is_ok());
}

#[test]
fn what_cannot_be_kept_is_left_out_with_its_reason() {
    let here = here();
    let wrong = || AttributeDraft { kind: Some("no-such-type".into()), ..value(15, "x") };
    let mut draft = foreign(10);
    draft.attributes.push(wrong());
    let Received::Added { dropped, .. } = here.pulled(draft) else { panic!("it was not added") };
    assert_eq!(dropped.iter().map(|d| d.field).collect::<Vec<_>>(), ["type"]);
    let mut again = newer(foreign(10), 5);
    again.attributes.push(wrong());
    again.objects.push(ObjectDraft { uuid: uuid(16), ..ObjectDraft::default() });
    let Received::Updated { dropped, .. } = here.pulled(again) else { panic!("it was not updated") };
    assert_eq!(dropped.iter().map(|d| d.field).collect::<Vec<_>>(), ["type", "name"]);
    assert_eq!(
        refusal(here.pulled(EventDraft { attributes: Vec::new(), ..foreign(20) })),
        "The event is empty."
    );
    assert_eq!(refusal(here.pulled(EventDraft { uuid: None, ..foreign(20) })), "The event has no uuid.");
    let note = blocklist::Note::default();
    blocklist::add(&here.service, &here.admin(), &[Uuid::from_u128(30)], &note).unwrap();
    assert!(refusal(here.pulled(foreign(30))).contains("blocklist"));
}

#[test]
fn tags_that_did_not_come_are_taken_off_where_the_link_says_so() {
    let here = here();
    let tagged = |names: &[&str], by| {
        let tags: Vec<_> = names.iter().map(|n| tag(n)).collect();
        let mut draft = newer(EventDraft { tags: tags.clone(), ..foreign(10) }, by);
        draft.attributes[0].tags = tags;
        draft.attributes[0].timestamp = draft.timestamp;
        draft
    };
    let names = |local: bool| {
        let draft = here.whole(10);
        let of = |tags: &[TagDraft]| {
            let mut names: Vec<_> =
                tags.iter().filter(|t| t.local == Some(local)).map(|t| t.name.clone()).collect();
            names.sort();
            names
        };
        (of(&draft.tags), of(&draft.attributes[0].tags))
    };
    here.pulled(tagged(&["a", "b"], 0));
    let mut noted = tagged(&[], 1);
    noted.tags.push(TagDraft { local: Some(true), ..tag("mine") });
    here.pulled(noted);
    assert_eq!(names(false), (vec!["a".into(), "b".into()], vec!["a".into(), "b".into()]));
    let strict = Source { remove_missing_tags: true, ..here.link() };
    receive(&here.service, &Actor::system(SYSTEM), tagged(&["b", "c"], 2), &strict).unwrap();
    assert_eq!(names(false), (vec!["b".into(), "c".into()], vec!["b".into(), "c".into()]));
    assert_eq!(names(true).0, ["mine"]);
}

#[test]
fn a_protected_event_comes_by_a_link_with_its_signature_alone() {
    let here = here();
    let key = pisax_auth::openpgp::SecretKey::generate("there", NOW).unwrap();
    let draft = EventDraft {
        protected: Some(true),
        keys: vec![CryptographicKeyDraft {
            kind: Some("pgp".into()),
            key_data: Some(key.public_armour().unwrap()),
            ..CryptographicKeyDraft::default()
        }],
        ..foreign(10)
    };
    assert!(refusal(here.pulled(draft)).contains("signature validation"));
}

// ---- Sharing groups --------------------------------------------------------------------------------

#[test]
fn a_group_comes_along_with_what_is_shared_with_it() {
    let here = here();
    let host = here.org_ref(here.service.policy.host_org_id);
    let far = OrgRef { uuid: uuid(0xb0), name: Some("Far member".into()), id: None };
    let mut draft = shared(foreign(10), group(99, vec![host.clone(), far.clone()]));
    let inner = AttributeDraft {
        distribution: Some(4),
        sharing_group: uuid(98).map(Ref::Uuid),
        sharing_group_draft: Some(Box::new(group(98, vec![host]))),
        ..value(15, "inner.example")
    };
    draft.attributes.push(inner);
    assert!(matches!(here.pulled(draft), Received::Added { dropped, .. } if dropped.is_empty()));
    let made = here.group(99).unwrap();
    assert_eq!((made.members.len(), made.modified, made.local), (2, NOW - 1000, false));
    assert_eq!(here.stored(10).sharing_group_id, made.id);
    let carried = here.whole(10);
    assert_eq!(carried.sharing_group_draft.as_ref().unwrap().organisation, Some(maker()));
    let inside = carried.attributes[1].sharing_group_draft.as_ref().unwrap();
    assert_eq!((inside.uuid, here.group(98).is_some()), (uuid(98), true));

    // A second group of the same name, of which we are no member by any name we know.
    let namesake = SharingGroupDraft { name: Some("Group 99".into()), ..group(97, vec![far]) };
    here.pulled(shared(foreign(20), namesake));
    let made = here.group(97).unwrap();
    assert_eq!(made.name, "Group 99_0000");
    assert!(made.members.iter().any(|m| m.org_id == here.service.policy.host_org_id));
    // A number that came from elsewhere names no group here.
    let numbered = EventDraft { distribution: Some(4), sharing_group: Some(Ref::Id(made.id)), ..foreign(30) };
    here.pulled(numbered);
    assert_eq!((here.stored(30).distribution, here.stored(30).sharing_group_id), (0, 0));
}

#[test]
fn who_pushes_makes_groups_he_is_in() {
    let here = here();
    let (own, other) = (here.org("Own"), here.org("Other"));
    let sync = here.member(own, SYNC);
    let push = |n, group| {
        event::add(&here.service, &sync, shared(foreign(n), group)).unwrap();
        let event = here.stored(n);
        (
            event.distribution,
            here.group(group_of(n)).map(|g| g.id).unwrap_or_default() == event.sharing_group_id,
        )
    };
    fn group_of(n: u128) -> u128 {
        n + 900
    }
    assert_eq!(push(10, group(910, vec![here.org_ref(own)])), (4, true));
    assert_eq!(push(20, group(920, vec![here.org_ref(other)])), (0, true), "nor is one made");
    assert!(here.group(920).is_none());
    let open = SharingGroupDraft {
        servers: Some(vec![ServerDraft {
            all_orgs: true,
            url: Some("https://pisax.example".into()),
            ..ServerDraft::default()
        }]),
        ..group(930, Vec::new())
    };
    assert_eq!(push(30, open), (4, true));
    // An edit does the same.
    let edited = shared(newer(foreign(30), 5), group(931, vec![here.org_ref(own)]));
    event::edit(&here.service, &sync, Ref::Uuid(Uuid::from_u128(30)), edited).unwrap();
    assert_eq!(here.stored(30).sharing_group_id, here.group(931).unwrap().id);
    assert!(here.stored(30).published, "as it was there");
    let unknown = shared(newer(foreign(30), 10), group(932, vec![here.org_ref(other)]));
    event::edit(&here.service, &sync, Ref::Uuid(Uuid::from_u128(30)), unknown).unwrap();
    assert_eq!((here.stored(30).distribution, here.stored(30).sharing_group_id), (0, 0));
}

#[test]
fn nobody_writes_himself_into_a_group() {
    let here = here();
    let (own, other) = (here.org("Own"), here.org("Other"));
    let owner = here.member(own, ORG_ADMIN);
    let list = |ids: &[i64]| ids.iter().map(|id| here.org_ref(*id)).collect::<Vec<_>>();
    let made = SharingGroupDraft { organisation: None, ..group(99, list(&[own])) };
    sharing_group::add(&here.service, &owner, SharingGroupDraft { servers: None, ..made }).unwrap();
    let claimed = || SharingGroupDraft { modified: Some(NOW + 1000), ..group(99, list(&[own, other])) };
    let stranger = here.member(other, SYNC);
    event::add(&here.service, &stranger, shared(foreign(10), claimed())).unwrap();
    assert_eq!((here.stored(10).distribution, here.group(99).unwrap().members.len()), (0, 1));
    // Nor does a link, for a group whose owner is here.
    here.pulled(shared(foreign(20), claimed()));
    assert_eq!((here.stored(20).distribution, here.group(99).unwrap().members.len()), (0, 1));
    // The owner's own server may, where it is newer.
    let sync = here.member(own, SYNC);
    let old = SharingGroupDraft { modified: Some(NOW - 5000), ..claimed() };
    event::add(&here.service, &sync, shared(foreign(30), old)).unwrap();
    assert_eq!((here.stored(30).distribution, here.group(99).unwrap().members.len()), (4, 1));
    let renamed = SharingGroupDraft { name: Some("Renamed".into()), ..claimed() };
    event::add(&here.service, &sync, shared(foreign(40), renamed)).unwrap();
    let changed = here.group(99).unwrap();
    assert_eq!((changed.name.as_str(), changed.members.len(), changed.modified), ("Renamed", 2, NOW + 1000));
    // Now that it is in the group, the other may share with it.
    event::add(&here.service, &stranger, shared(foreign(50), claimed())).unwrap();
    assert_eq!(here.stored(50).sharing_group_id, changed.id);
    let asleep = SharingGroupDraft { active: Some(false), ..SharingGroupDraft::default() };
    sharing_group::edit(&here.service, &owner, Ref::Id(changed.id), asleep).unwrap();
    event::add(&here.service, &stranger, shared(foreign(60), claimed())).unwrap();
    assert_eq!(here.stored(60).distribution, 0, "nothing new is shared with a group that is switched off");
}
