//! Sightings, tags and where they go.

use crate::*;
use pisax_model::sighting::{Sighting, SightingDraft};
use pisax_service::attribute::{self, Target};
use pisax_service::sighting::{self, Of};
use pisax_service::tag::{self, TagChange};
use pisax_store::Reader;

fn of_value(value: &str) -> SightingDraft {
    SightingDraft { values: vec![value.into()], source: Some("honeypot".into()), ..SightingDraft::default() }
}

fn listed(here: &Here, actor: &Actor, of: Of) -> Vec<Sighting> {
    let read = |r: &mut Reader<'_>| {
        let query = sighting::query(r, Some(of), None)?;
        Ok(r.search_sightings(&query)?)
    };
    here.service.read(actor, read).unwrap()
}

#[test]
fn a_sighted_value_reaches_every_attribute_that_has_it() {
    let here = here();
    let (owner, friend) = (here.member(here.org("Own"), USER), here.member(here.org("Other"), USER));
    let (_, first) = here.seen_by_all(&owner, "shared");
    let (event, second) = here.seen_by_all(&owner, "Shared");
    sighting::add(&here.service, &friend, &[of_value("shared")]).unwrap();
    for attribute in [first, second] {
        let seen = listed(&here, &owner, Of::Attribute(Ref::Id(attribute)));
        assert_eq!((seen.len(), seen[0].org_id, seen[0].date_sighting), (1, friend.org_id, NOW));
    }
    let stranger = here.member(here.org("Third"), USER);
    assert!(listed(&here, &stranger, Of::Event(Ref::Id(event))).is_empty());
    assert!(matches!(
        sighting::add(&here.service, &friend, &[of_value("unseen")]),
        Err(Error::NotFound("attribute"))
    ));
    let wrong = SightingDraft { kind: Some(9), ..of_value("shared") };
    assert!(matches!(sighting::add(&here.service, &friend, &[wrong]), Err(Error::Refused(_))));
}

#[test]
fn a_sighting_is_taken_back_by_who_made_it() {
    let here = here();
    let (owner, friend) = (here.member(here.org("Own"), USER), here.member(here.org("Other"), USER));
    here.seen_by_all(&owner, "shared");
    let made = sighting::add(&here.service, &friend, &[of_value("shared")]).unwrap();
    assert!(matches!(sighting::delete(&here.service, &owner, Ref::Id(made.id)), Err(Error::Forbidden)));
    sighting::delete(&here.service, &friend, Ref::Uuid(made.uuid)).unwrap();
    assert!(matches!(
        sighting::delete(&here.service, &friend, Ref::Id(made.id)),
        Err(Error::NotFound("sighting"))
    ));
}

#[test]
fn tags_are_made_by_editors_and_changed_by_site_admins() {
    let here = here();
    let (editor, member) = (here.member(here.org("Own"), ORG_ADMIN), here.member(here.org("Other"), USER));
    let named = |name: &str| TagChange { name: Some(name.into()), ..TagChange::default() };
    assert!(matches!(tag::add(&here.service, &member, named("a")), Err(Error::Forbidden)));
    let made = tag::add(&here.service, &editor, named(" exchange:a ")).unwrap();
    assert_eq!(made.name, "exchange:a");
    assert!(made.colour.starts_with('#') && made.exportable);
    assert_eq!(field(tag::add(&here.service, &editor, named("EXCHANGE:A"))), "name");
    assert_eq!(
        field(tag::add(&here.service, &editor, TagChange { org_id: Some(99), ..named("b") })),
        "org_id"
    );
    let hidden = TagChange { hide_tag: Some(true), ..TagChange::default() };
    assert!(matches!(tag::edit(&here.service, &editor, made.id, hidden.clone()), Err(Error::Forbidden)));
    assert!(tag::edit(&here.service, &here.admin(), made.id, hidden).unwrap().hide_tag);
    tag::delete(&here.service, &here.admin(), made.id).unwrap();
    assert!(matches!(tag::delete(&here.service, &here.admin(), made.id), Err(Error::NotFound("tag"))));
}

#[test]
fn a_tag_attached_twice_is_attached_once_and_local_ones_are_for_the_host() {
    let here = here();
    let owner = here.member(here.org("Own"), ORG_ADMIN);
    let (event, id) = here.seen_by_all(&owner, "x");
    let uuid = here.service.read(&owner, |r| Ok(r.attribute(Ref::Id(id))?.unwrap().get(0).uuid)).unwrap();
    let target = here.service.read(&owner, |r| tag::target(r, uuid)).unwrap();
    assert_eq!(target, Target::Attribute(Ref::Uuid(uuid)));
    let attach = |name: &str, local| tag::attach(&here.service, &owner, target, &[name.into()], local, None);
    assert!(matches!(attach("a:b", true), Err(Error::Refused(_))));
    assert_eq!(attach("a:b", false).unwrap()[0].1, id);
    attach("A:B", false).unwrap();
    let tags = here.service.read(&owner, |r| Ok(r.attribute_tags(&[id])?)).unwrap();
    assert_eq!(tags[&id].len(), 1);
    let (tag, _, local) = attribute::untag(&here.service, &owner, target, &["a:b".into()]).unwrap().remove(0);
    assert_eq!((tag.name.as_str(), local), ("a:b", false));
    assert!(attribute::untag(&here.service, &owner, Target::Event(Ref::Id(event)), &["a:b".into()]).is_err());
    let nobody = here.service.read(&owner, |r| tag::target(r, pisax_model::Uuid::from_u128(1)));
    assert!(matches!(nobody, Err(Error::NotFound("target"))));
}
