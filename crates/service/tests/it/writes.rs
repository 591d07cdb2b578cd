//! What is written into events: twins, tags, uuids, sharing groups.

use crate::*;
use pisax_access::Permission;
use pisax_model::Uuid;
use pisax_model::attribute::AttributeDraft;
use pisax_model::event::Event;
use pisax_model::object::ObjectDraft;
use pisax_model::tag::TagDraft;
use pisax_service::attribute::{self, Twins, is_twin};
use pisax_service::object::{self, Duplicate};
use pisax_service::role::{self, RoleDraft};
use pisax_service::tag::{self, TagChange};
use pisax_store::attributes::Wanted;

fn attribute(kind: &str, value: &str) -> AttributeDraft {
    AttributeDraft { kind: Some(kind.into()), value: Some(value.into()), ..AttributeDraft::default() }
}

fn inside(value: &str, uuid: u128) -> AttributeDraft {
    AttributeDraft {
        uuid: Some(Uuid::from_u128(uuid)),
        object_relation: Some("text".into()),
        ..attribute("text", value)
    }
}

fn tags(names: &[&str]) -> Vec<TagDraft> {
    names.iter().map(|name| TagDraft { name: (*name).into(), ..TagDraft::default() }).collect()
}

fn off(name: &str) -> Vec<TagDraft> {
    vec![TagDraft { name: name.into(), deleted: Some(true), ..TagDraft::default() }]
}

fn object(uuid: u128, attributes: Vec<AttributeDraft>) -> ObjectDraft {
    ObjectDraft {
        uuid: Some(Uuid::from_u128(uuid)),
        name: Some("note".into()),
        attributes,
        has_attributes: true,
        ..ObjectDraft::default()
    }
}

fn event_of(actor: &Actor, here: &Here, draft: EventDraft) -> i64 {
    let draft = EventDraft { info: Some("An event".into()), distribution: Some(3), ..draft };
    event::add(&here.service, actor, draft).unwrap().id
}

impl Here {
    fn event(&self, id: i64) -> Event {
        self.service.read(&self.admin(), |r| Ok(r.event(Ref::Id(id))?)).unwrap().unwrap()
    }

    /// Values of the living attributes of an event, outside of objects or inside one, with their tags.
    fn values(&self, id: i64, object: Option<i64>) -> Vec<(String, Vec<String>)> {
        let event = self.event(id);
        let wanted = Wanted { living: true, deleted: false };
        let read = self.service.read(&self.admin(), |r| {
            let batch = match object {
                Some(object) => r.object_attributes(&event, wanted, &[object])?,
                None => r.event_attributes(&event, wanted, 0, 100)?,
            };
            let tags = r.attribute_tags(&batch.ids())?;
            let names = |id| tags.get(&id).into_iter().flatten().map(|t| t.tag.name.clone()).collect();
            Ok(batch.iter().map(|a| (a.value().into_owned(), names(a.id))).collect())
        });
        read.unwrap()
    }

    fn event_tags(&self, id: i64) -> Vec<String> {
        let read = self.service.read(&self.admin(), |r| Ok(r.event_tags(&[id])?));
        read.unwrap().remove(&id).unwrap_or_default().into_iter().map(|t| t.tag.name).collect()
    }

    /// A user whose role is the stock one of users without its right to tag.
    fn without_tagger(&self, org_id: i64) -> Actor {
        let draft = RoleDraft { name: Some("Mute".into()), level: Some(2), ..RoleDraft::default() };
        let draft = RoleDraft { permissions: vec![(Permission::Auth, true)], ..draft };
        let id = role::add(&self.service, &self.admin(), draft).unwrap().id;
        self.member(org_id, id)
    }
}

#[test]
fn tags_of_an_event_edit_stay_with_the_attribute_they_came_with() {
    let here = here();
    let id = event_of(
        &here.admin(),
        &here,
        EventDraft { attributes: vec![attribute("text", "old")], ..EventDraft::default() },
    );
    let tagged = |draft| AttributeDraft { tags: tags(&["tlp:red"]), ..draft };
    let sent = vec![
        attribute("ip-dst", "1.1.1.1"),
        tagged(attribute("ip-dst", "1.1.1.1")),
        tagged(attribute("nonsense", "x")),
        attribute("domain", "x.example"),
        tagged(attribute("text", "old")),
    ];
    let draft = EventDraft { attributes: sent, ..EventDraft::default() };
    event::edit(&here.service, &here.admin(), Ref::Id(id), draft).unwrap();
    let red = vec!["tlp:red".to_owned()];
    let expected = [("old", red), ("1.1.1.1", vec![]), ("x.example", vec![])];
    assert_eq!(here.values(id, None), expected.map(|(value, tags)| (value.to_owned(), tags)));
}

#[test]
fn who_may_not_tag_sends_tags_in_vain() {
    let here = here();
    let own = here.org("Own");
    let (mute, tagger) = (here.without_tagger(own), here.member(own, USER));
    let change = |name: &str| TagChange { name: Some(name.into()), ..TagChange::default() };
    tag::add(&here.service, &here.admin(), change("tlp:red")).unwrap();
    let with_tags = || EventDraft {
        tags: tags(&["tlp:red"]),
        attributes: vec![AttributeDraft { tags: tags(&["tlp:red"]), ..attribute("text", "v") }],
        ..EventDraft::default()
    };
    let id = event_of(&mute, &here, with_tags());
    assert!(here.event_tags(id).is_empty() && here.values(id, None)[0].1.is_empty());
    event::edit(&here.service, &tagger, Ref::Id(id), with_tags()).unwrap();
    assert_eq!((here.event_tags(id).len(), here.values(id, None)[0].1.len()), (1, 1));
    let detach = || EventDraft { tags: off("tlp:red"), ..EventDraft::default() };
    event::edit(&here.service, &mute, Ref::Id(id), detach()).unwrap();
    assert_eq!(here.event_tags(id).len(), 1);
    let reserved = TagChange { org_id: Some(here.admin().org_id), ..TagChange::default() };
    let known = here.service.read(&here.admin(), |r| Ok(r.tag_named("tlp:red")?)).unwrap().unwrap().id;
    tag::edit(&here.service, &here.admin(), known, reserved).unwrap();
    event::edit(&here.service, &tagger, Ref::Id(id), detach()).unwrap();
    assert_eq!(here.event_tags(id).len(), 1, "it is reserved for another organisation");
    event::edit(&here.service, &here.admin(), Ref::Id(id), detach()).unwrap();
    assert!(here.event_tags(id).is_empty());
}

#[test]
fn a_uuid_stands_in_an_object_once() {
    let here = here();
    let admin = here.admin();
    let id = event_of(&admin, &here, EventDraft::default());
    let twice = object(1, vec![inside("a", 7), inside("b", 7)]);
    let add = |draft| object::add(&here.service, &admin, Ref::Id(id), draft, Duplicate::Accept);
    assert_eq!(field(add(twice)), "uuid");
    let made = add(object(1, vec![inside("a", 7)])).unwrap();
    let edit = |uuids: [u128; 2]| {
        let attributes = vec![inside("c", uuids[0]), inside("d", uuids[1])];
        object::edit(&here.service, &admin, Ref::Id(made), object(1, attributes))
    };
    assert_eq!(field(edit([8, 8])), "uuid");
    assert_eq!(field(edit([7, 7])), "uuid");
    let draft = object(1, vec![inside("c", 8), inside("d", 8), inside("e", 7), inside("f", 7)]);
    let draft = EventDraft { objects: vec![draft], ..EventDraft::default() };
    event::edit(&here.service, &admin, Ref::Id(id), draft).unwrap();
    let values: Vec<String> = here.values(id, Some(made)).into_iter().map(|(value, _)| value).collect();
    assert_eq!(values, ["e", "c"], "the first one counts");
}

#[test]
fn an_attribute_with_an_unusable_sharing_group_is_left_out_alone() {
    let here = here();
    let admin = here.admin();
    let id = event_of(&admin, &here, EventDraft::default());
    let made =
        object::add(&here.service, &admin, Ref::Id(id), object(1, vec![inside("a", 7)]), Duplicate::Accept)
            .unwrap();
    let draft = || {
        let closed =
            AttributeDraft { distribution: Some(4), sharing_group: Some(Ref::Id(99)), ..inside("closed", 8) };
        object(1, vec![inside("b", 7), closed, inside("c", 9)])
    };
    assert_eq!(field(object::edit(&here.service, &admin, Ref::Id(made), draft())), "sharing_group_id");
    let values = || here.values(id, Some(made)).into_iter().map(|(value, _)| value).collect::<Vec<_>>();
    assert_eq!(values(), ["a"], "refused whole");
    let draft = EventDraft { objects: vec![draft()], ..EventDraft::default() };
    event::edit(&here.service, &admin, Ref::Id(id), draft).unwrap();
    assert_eq!(values(), ["b", "c"]);
}

#[test]
fn an_event_that_is_there_already_is_named_to_those_who_see_it() {
    let here = here();
    let (owner, stranger) = (here.member(here.org("Own"), USER), here.member(here.org("Other"), USER));
    let draft = || EventDraft {
        uuid: Some(Uuid::from_u128(5)),
        info: Some("Hidden".into()),
        distribution: Some(0),
        ..EventDraft::default()
    };
    let stored = event::add(&here.service, &owner, draft()).unwrap().id;
    let refused = |actor: &Actor| match event::add(&here.service, actor, draft()) {
        Err(Error::EventExists { id, .. }) => id,
        _ => panic!("it was not refused"),
    };
    assert_eq!((refused(&owner), refused(&stranger)), (Some(stored), None));
}

#[test]
fn an_event_in_which_nothing_is_new_is_not_touched() {
    let here = here();
    let admin = here.admin();
    let draft = EventDraft {
        timestamp: Some(NOW - 100),
        attributes: vec![attribute("text", "old")],
        ..EventDraft::default()
    };
    let id = event_of(&admin, &here, draft);
    let add = |value: &str, twins| {
        attribute::add(&here.service, &admin, Ref::Id(id), vec![attribute("text", value)], twins).unwrap()
    };
    assert!(is_twin(&add("old", Twins::Refuse).errors[0].1));
    assert!(add("old", Twins::Keep).ids[0].is_some());
    assert_eq!(here.event(id).timestamp, NOW - 100);
    add("old", Twins::Replace);
    assert_eq!(here.event(id).timestamp, NOW);
}
