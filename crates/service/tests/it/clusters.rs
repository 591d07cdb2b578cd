//! Custom clusters, collections and the rules of taxonomies.

use crate::*;
use pisax_model::Uuid;
use pisax_model::cluster::{ClusterDraft, CollectionDraft, GalaxyDraft, RelationDraft};
use pisax_model::org::OrgRef;
use pisax_model::permission::Permission;
use pisax_model::tag::Tag;
use pisax_service::attribute::{self, Target};
use pisax_service::knowledge::{self, Library};
use pisax_service::{cluster, tag, tag_collection};

const GALAXY: Uuid = Uuid::from_u128(0x5f9a_2b1c_0000_4000_8000_0000_0000_00aa);

fn pushed(number: u128, value: &str, version: i64) -> ClusterDraft {
    ClusterDraft {
        uuid: Some(Uuid::from_u128(0x5f9a_2b1c_0000_4000_8000_0000_0000_1000 + number)),
        value: Some(value.into()),
        version: Some(version),
        distribution: Some(3),
        galaxy: Some(GalaxyDraft {
            uuid: Some(GALAXY),
            name: "Actors".into(),
            kind: "actor".into(),
            ..GalaxyDraft::default()
        }),
        ..ClusterDraft::default()
    }
}

/// An actor of the organisation with these rights beside.
fn with(here: &Here, org_id: i64, rights: &[Permission]) -> Actor {
    let mut actor = here.member(org_id, USER);
    for right in rights {
        actor.permissions = actor.permissions.with(*right);
    }
    actor
}

fn named(value: &str) -> ClusterDraft {
    ClusterDraft { value: Some(value.into()), ..ClusterDraft::default() }
}

#[test]
fn what_was_made_here_is_not_replaced_by_what_a_peer_sends() {
    let here = here();
    let peer = with(&here, here.org("Peer"), &[Permission::Sync, Permission::GalaxyEditor]);
    let import = |draft| cluster::import(&here.service, &peer, vec![draft]).unwrap();
    assert_eq!(import(pushed(1, "First", 5)).imported, 1);
    let own = cluster::add(&here.service, &here.admin(), Ref::Uuid(GALAXY), named("Mine"), None).unwrap();
    let row = here.service.read(&here.admin(), |r| Ok(r.cluster(Ref::Id(own))?)).unwrap().unwrap();
    let theirs = ClusterDraft { uuid: Some(row.uuid), ..pushed(9, "Theirs", i64::MAX) };
    let outcome = import(theirs);
    assert_eq!((outcome.imported, outcome.failed), (0, 1));
    let after = here.service.read(&here.admin(), |r| Ok(r.cluster(Ref::Id(own))?)).unwrap().unwrap();
    assert_eq!(after, row);
}

#[test]
fn a_push_is_newer_or_ignored_and_blocked_ones_stay_away() {
    let here = here();
    let peer = with(&here, here.org("Peer"), &[Permission::Sync, Permission::GalaxyEditor]);
    let import = |draft| {
        let outcome = cluster::import(&here.service, &peer, vec![draft]).unwrap();
        (outcome.imported, outcome.ignored, outcome.failed)
    };
    assert_eq!(import(pushed(1, "A", 5)), (1, 0, 0));
    assert_eq!(import(pushed(1, "B", 5)), (0, 1, 0));
    assert_eq!(import(pushed(1, "B", 6)), (1, 0, 0));
    assert_eq!(import(ClusterDraft { default: true, ..pushed(2, "C", 1) }), (0, 0, 1));
    assert_eq!(import(ClusterDraft { uuid: None, ..pushed(2, "C", 1) }), (0, 0, 1));
    let uuid = pushed(1, "", 0).uuid.unwrap();
    cluster::remove(&here.service, &here.admin(), Ref::Uuid(uuid), true).unwrap();
    assert_eq!(import(pushed(1, "D", 9)), (0, 1, 0));
}

#[test]
fn a_cluster_comes_in_without_the_relations_that_cannot_be_kept() {
    let here = here();
    let admin = here.admin();
    let relation = |kind: &str, distribution| RelationDraft {
        referenced: Some(Ref::Uuid(Uuid::from_u128(7))),
        kind: Some(kind.into()),
        distribution: Some(distribution),
        ..RelationDraft::default()
    };
    let relations =
        vec![relation("uses", 3), relation("bad", 9), relation("group", 4), relation(&"x".repeat(999), 3)];
    let odd = ClusterDraft { relations, ..pushed(1, "Odd", 1) };
    let outcome = cluster::import(&here.service, &admin, vec![odd, pushed(2, "Even", 1)]).unwrap();
    assert_eq!((outcome.imported, outcome.failed), (2, 0));
    let kept = here.service.read(&admin, |r| Ok(r.cluster_relations(None, 10, 0)?)).unwrap();
    assert_eq!(kept.iter().map(|x| x.kind.as_str()).collect::<Vec<_>>(), ["uses"]);
}

#[test]
fn only_who_speaks_for_others_brings_their_clusters() {
    let here = here();
    let org = here.org("Maker");
    let creator = OrgRef {
        uuid: Some(Uuid::from_u128(0x5f9a_2b1c_0000_4000_8000_0000_0000_0777)),
        name: Some("Far away".into()),
        ..OrgRef::default()
    };
    let orgc = |actor: &Actor, number| {
        let draft = ClusterDraft { orgc: Some(creator.clone()), ..pushed(number, "A", 5) };
        let reference = Ref::Uuid(draft.uuid.unwrap());
        cluster::import(&here.service, actor, vec![draft]).unwrap();
        let row = here.service.read(&here.admin(), |r| Ok(r.cluster(reference)?)).unwrap().unwrap();
        row.owned.unwrap().orgc_id
    };
    assert_eq!(orgc(&with(&here, org, &[Permission::GalaxyEditor]), 1), org);
    assert_ne!(orgc(&with(&here, org, &[Permission::GalaxyEditor, Permission::Sync]), 2), org);
    let plain = here.member(org, USER);
    assert_eq!(
        plain.has(Permission::GalaxyEditor),
        cluster::import(&here.service, &plain, Vec::new()).is_ok()
    );
}

#[test]
fn a_relation_makes_its_cluster_newer_and_unpublished() {
    let here = here();
    let admin = here.admin();
    cluster::import(&here.service, &admin, vec![pushed(1, "Target", 1)]).unwrap();
    let id = cluster::add(&here.service, &admin, Ref::Uuid(GALAXY), named("Mine"), None).unwrap();
    cluster::publish(&here.service, &admin, Ref::Id(id)).unwrap();
    let before = here.service.read(&admin, |r| Ok(r.cluster(Ref::Id(id))?)).unwrap().unwrap();
    let relation = RelationDraft {
        cluster: Some(Ref::Id(id)),
        referenced: pushed(1, "", 0).uuid.map(Ref::Uuid),
        kind: Some("uses".into()),
        ..RelationDraft::default()
    };
    cluster::relation::add(&here.service, &admin, &relation).unwrap();
    let after = here.service.read(&admin, |r| Ok(r.cluster(Ref::Id(id))?)).unwrap().unwrap();
    assert!(after.version > before.version);
    assert!(before.owned.unwrap().published && !after.owned.unwrap().published);
    let again = cluster::relation::add(&here.service, &admin, &relation);
    assert!(matches!(again, Err(Error::Refused(_))));
}

#[test]
fn the_cluster_of_a_galaxy_for_local_use_is_attached_locally_only() {
    let here = here();
    let admin = here.admin();
    let id = here.service.store.write::<i64, Error>(&admin, NOW * 1000, |w| {
        let galaxy = pisax_store::knowledge::GalaxyRow {
            id: 0,
            uuid: GALAXY,
            name: "Own".into(),
            kind: "own".into(),
            description: String::new(),
            version: 1,
            icon: String::new(),
            namespace: String::new(),
            enabled: true,
            local_only: true,
            kill_chain_order: String::new(),
        };
        Ok(w.put_galaxy(&galaxy)?.id)
    });
    let made = cluster::add(&here.service, &admin, Ref::Id(id.unwrap()), named("Mine"), None).unwrap();
    let (event, _) = here.seen_by_all(&admin, "x");
    let attach = |local| {
        let target = Target::Event(Ref::Id(event));
        attribute::attach_cluster(&here.service, &admin, target, Ref::Id(made), local)
    };
    assert!(matches!(attach(false), Err(Error::Refused(reason)) if reason == attribute::LOCAL_SCOPE));
    assert!(attach(true).unwrap());
    assert!(!attach(true).unwrap(), "it is there already");
}

// ---- Taxonomies ---------------------------------------------------------------------------------------

fn taxonomy(here: &Here, namespace: &str, exclusive: bool, body: &str) -> i64 {
    let put = here.service.store.write::<_, Error>(&here.admin(), NOW * 1000, |w| {
        Ok(w.put_taxonomy(namespace, "d", 1, exclusive, body)?)
    });
    put.unwrap().id
}

fn tag_named(here: &Here, name: &str) -> Tag {
    let change = tag::TagChange { name: Some(name.into()), ..tag::TagChange::default() };
    tag::add(&here.service, &here.admin(), change).unwrap()
}

#[test]
fn a_picked_tag_heeds_exclusive_taxonomies_and_predicates() {
    let here = here();
    let admin = here.admin();
    let predicates = r#"[{"value":"red"},{"value":"white"},{"value":"clear"}]"#;
    let body = format!(
        r#"{{"namespace":"tlp","description":"d","version":1,"exclusive":true,"predicates":{predicates}}}"#
    );
    taxonomy(&here, "tlp", true, &body);
    let body = r#"{"namespace":"Scale","description":"d","version":1,
        "predicates":[{"value":"one","exclusive":true},{"value":"many"}]}"#;
    taxonomy(&here, "Scale", false, body);
    let (event, _) = here.seen_by_all(&admin, "x");
    let pick = |name: &str, local| {
        let target = Target::Event(Ref::Id(event));
        attribute::pick(&here.service, &admin, target, &[name.into()], local, None).is_ok()
    };
    for (name, local, allowed) in [
        ("tlp:white", false, true),
        ("tlp:clear", false, true),
        ("tlp:red", false, false),
        ("tlp:red", true, true),
        ("scale:one=\"a\"", false, true),
        ("scale:one=\"b\"", false, false),
        ("scale:many=\"a\"", false, true),
        ("scale:many=\"b\"", false, true),
        ("free", false, true),
        ("unknown:a", false, true),
        ("unknown:b", false, true),
    ] {
        assert_eq!(pick(name, local), allowed, "{name} {local}");
    }
    let capture = attribute::tag(
        &here.service,
        &admin,
        Target::Event(Ref::Id(event)),
        &["tlp:green".into()],
        false,
        None,
    );
    assert!(capture.is_ok(), "what comes with data is not picked");
}

#[test]
fn a_required_taxonomy_has_to_be_on_what_is_published_once_it_is_enabled() {
    let here = here();
    let admin = here.admin();
    let id =
        taxonomy(&here, "PAP", false, r#"{"namespace":"PAP","description":"d","version":1,"predicates":[]}"#);
    let (event_id, _) = here.seen_by_all(&admin, "x");
    let publish = || event::publish(&here.service, &admin, Ref::Id(event_id));
    knowledge::require(&here.service, &admin, id, true).unwrap();
    publish().unwrap();
    knowledge::enable(&here.service, &admin, Library::Taxonomies, id, true).unwrap();
    assert!(matches!(publish(), Err(Error::Refused(reason)) if reason.contains("PAP")));
    tag_named(&here, "pap:red");
    attribute::tag(&here.service, &admin, Target::Event(Ref::Id(event_id)), &["pap:red".into()], false, None)
        .unwrap();
    publish().unwrap();
}

// ---- Collections --------------------------------------------------------------------------------------

#[test]
fn a_tag_that_is_reserved_for_others_does_not_enter_a_collection() {
    let here = here();
    let org = here.org("Maker");
    let editor = with(&here, org, &[Permission::TagEditor]);
    let draft = CollectionDraft { name: Some("Set".into()), ..CollectionDraft::default() };
    let id = tag_collection::add(&here.service, &editor, &draft).unwrap();
    let change = tag::TagChange {
        name: Some("a:reserved".into()),
        org_id: Some(here.admin().org_id),
        ..tag::TagChange::default()
    };
    tag::add(&here.service, &here.admin(), change).unwrap();
    tag_named(&here, "a:free");
    let names = ["a:reserved".to_owned(), "a:free".to_owned(), "a:unknown".to_owned()];
    let added = tag_collection::add_tags(&here.service, &editor, Ref::Id(id), &names).unwrap();
    assert_eq!(added, (1, 1));
    let plain = here.member(org, USER);
    if !plain.has(Permission::TagEditor) {
        let refused = tag_collection::delete(&here.service, &plain, Ref::Id(id));
        assert!(matches!(refused, Err(Error::Forbidden)));
    }
    let stranger = with(&here, here.org("Other"), &[Permission::TagEditor]);
    let unseen = tag_collection::delete(&here.service, &stranger, Ref::Id(id));
    assert!(matches!(unseen, Err(Error::NotFound("tag collection"))));
}
