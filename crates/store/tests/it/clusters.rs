//! Custom clusters, relations, tag collections; who sees them, and how searches use them.

use crate::{NOW_MS, Trial, event, filled_event, member, on_each_engine, org, system, uuid};
use pisax_access::{Actor, ClusterFacts, Permission, Permissions, Visibility};
use pisax_model::filter::{ClusterFilter, Filter, OrgFact, Scope, Terms, Tri};
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::org::OrgDraft;
use pisax_model::sharing::SharingGroup;
use pisax_model::tag::TagDraft;
use pisax_model::{Uuid, knowledge};
use pisax_store::attributes::Wanted;
use pisax_store::changes::Action;
use pisax_store::cluster_relations::NewRelation;
use pisax_store::clusters::{ClusterRow, Owned};
use pisax_store::knowledge::{GalaxyRow, Library};
use pisax_store::tags::NewAttachment;
use pisax_store::{Error, Reader, Result, Writer};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::{BTreeMap, BTreeSet};

fn galaxy(w: &mut Writer<'_>) -> Result<i64> {
    let row = GalaxyRow {
        id: 0,
        uuid: uuid(1),
        name: "Tool".into(),
        kind: "tool".into(),
        description: String::new(),
        version: 1,
        icon: "gear".into(),
        namespace: "misp".into(),
        enabled: true,
        local_only: false,
        kill_chain_order: String::new(),
    };
    Ok(w.put_galaxy(&row)?.id)
}

fn row(galaxy_id: i64, value: &str, meta: &str) -> ClusterRow {
    let uuid = new_uuid(NOW_MS);
    ClusterRow {
        id: 0,
        uuid,
        galaxy_id,
        collection_uuid: Uuid::nil(),
        tag_name: knowledge::custom_cluster_tag("tool", uuid),
        value: value.into(),
        description: String::new(),
        source: String::new(),
        authors: "[]".into(),
        version: 1,
        meta: meta.into(),
        related: "[]".into(),
        owned: None,
    }
}

fn owned(org_id: i64, distribution: i64) -> Owned {
    Owned { distribution, org_id, orgc_id: org_id, ..Owned::default() }
}

pub(crate) fn attached(w: &mut Writer<'_>, name: &str) -> Result<NewAttachment> {
    let draft = TagDraft { name: name.into(), ..TagDraft::default() };
    let tag = w.resolve_tags(&[&draft], true)?.into_values().next().ok_or(Error::NotFound("tag"))?;
    Ok(NewAttachment { tag_id: tag.id, local: false, relationship_type: None })
}

pub(crate) fn as_actor<T>(t: &Trial, actor: &Actor, f: impl FnOnce(&mut Reader<'_>) -> Result<T>) -> T {
    t.store.read(actor, f).unwrap()
}

// ---- Visibility ---------------------------------------------------------------------------------------

const ORGS: usize = 3;
type Reach = (i64, usize);
/// Members of a group, and whether it is open to all.
type Group = ([bool; ORGS], bool);
/// Whether it is custom, its owner, its reach, the reaches of its relations.
type Plan = (bool, usize, Reach, Vec<Reach>);

fn reach() -> impl Strategy<Value = Reach> {
    (0..=4i64, 0..2usize)
}

fn world() -> impl Strategy<Value = (Vec<Group>, Vec<Plan>)> {
    let group = (any::<[bool; ORGS]>(), proptest::bool::weighted(0.2));
    let plan = (proptest::bool::weighted(0.8), 0..ORGS, reach(), proptest::collection::vec(reach(), 0..3));
    (proptest::collection::vec(group, 2), proptest::collection::vec(plan, 1..5))
}

#[derive(Default)]
struct Stored {
    orgs: Vec<i64>,
    groups: Vec<i64>,
    galaxy: i64,
    /// Cluster: facts and the event that carries its tag.
    clusters: BTreeMap<i64, (ClusterFacts, i64, String)>,
    /// Relation: cluster, distribution, group.
    relations: BTreeMap<i64, (i64, i64, i64)>,
}

fn build(w: &mut Writer<'_>, groups: &[Group], plans: &[Plan]) -> Result<Stored> {
    let mut stored = Stored { galaxy: galaxy(w)?, ..Stored::default() };
    for n in 0..ORGS {
        stored.orgs.push(org(w, &format!("Org {n}"))?);
    }
    for (n, (members, open)) in groups.iter().enumerate() {
        let group = SharingGroup {
            id: 0,
            uuid: new_uuid(NOW_MS),
            name: format!("Group {n}"),
            releasability: String::new(),
            description: String::new(),
            organisation_uuid: Uuid::nil(),
            org_id: stored.orgs[0],
            sync_user_id: 0,
            active: true,
            local: true,
            roaming: false,
            created: 0,
            modified: 0,
            members: Vec::new(),
            servers: Vec::new(),
        };
        let id = w.add_sharing_group(&group)?;
        for (org, _) in stored.orgs.iter().zip(members).filter(|(_, member)| **member) {
            w.add_sharing_group_org(id, *org, false)?;
        }
        w.add_sharing_group_server(id, 0, *open)?;
        stored.groups.push(id);
    }
    let library: Vec<ClusterRow> = plans
        .iter()
        .enumerate()
        .filter(|(_, plan)| !plan.0)
        .map(|(n, _)| row(stored.galaxy, &format!("Library {n}"), r#"{"synonyms":["Bear"]}"#))
        .collect();
    w.put_clusters(stored.galaxy, &library)?;
    for cluster in w.clusters(stored.galaxy)? {
        let facts = ClusterFacts { custom: false, org_id: 0, distribution: 3, sharing_group_id: 0 };
        note(w, &mut stored, cluster.id, &cluster.tag_name, facts)?;
    }
    for (n, (_, owner, reach, relations)) in plans.iter().enumerate().filter(|(_, plan)| plan.0) {
        let group = |reach: &Reach| if reach.0 == 4 { stored.groups[reach.1] } else { 0 };
        let org_id = stored.orgs[*owner];
        let mut owned = owned(org_id, reach.0);
        owned.sharing_group_id = group(reach);
        // The creator is somebody else: creating grants no reading.
        owned.orgc_id = stored.orgs[(*owner + 1) % ORGS];
        let new = row(stored.galaxy, &format!("Custom {n}"), r#"{"synonyms":["Bear"]}"#);
        let id = w.add_cluster(&new, &owned)?;
        for (k, reach) in relations.iter().enumerate() {
            let relation = NewRelation {
                referenced_uuid: uuid(77),
                kind: format!("kind {k}"),
                distribution: reach.0,
                sharing_group_id: group(reach),
                tags: None,
            };
            let relation_id = w.put_relation(id, new.uuid, &relation)?;
            stored.relations.insert(relation_id, (id, reach.0, relation.sharing_group_id));
        }
        let facts = ClusterFacts {
            custom: true,
            org_id,
            distribution: reach.0,
            sharing_group_id: owned.sharing_group_id,
        };
        note(w, &mut stored, id, &new.tag_name, facts)?;
    }
    Ok(stored)
}

/// An event for everybody that carries the cluster's tag.
fn note(w: &mut Writer<'_>, stored: &mut Stored, id: i64, tag: &str, facts: ClusterFacts) -> Result<()> {
    let event_id = w.insert_event(&event(stored.orgs[0], 3, 0))?;
    let attachment = attached(w, tag)?;
    w.attach_event_tags(event_id, &[attachment])?;
    stored.clusters.insert(id, (facts, event_id, tag.to_owned()));
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    clusters: BTreeSet<i64>,
    listed: BTreeSet<i64>,
    by_tag: BTreeSet<i64>,
    relations: BTreeSet<i64>,
    /// Events found by what their cluster says.
    events: BTreeSet<i64>,
}

fn looked_up(t: &Trial, actor: &Actor, stored: &Stored) -> Seen {
    let tags: Vec<String> = stored.clusters.values().map(|(_, _, tag)| tag.clone()).collect();
    let bear = Filter { galaxy: vec![("synonyms".into(), Terms::one("bear"))], ..Filter::new() };
    as_actor(t, actor, |r| {
        Ok(Seen {
            clusters: r.find_clusters(&ClusterFilter::new())?.into_iter().collect(),
            listed: r.clusters(stored.galaxy)?.iter().map(|c| c.id).collect(),
            by_tag: r.cluster_by_tag_names(&tags)?.values().map(|c| c.id).collect(),
            relations: r.cluster_relations(None, 100, 0)?.iter().map(|x| x.id).collect(),
            events: r.find(Scope::Events, &bear)?.into_iter().collect(),
        })
    })
}

fn expected(stored: &Stored, sight: &Visibility) -> Seen {
    let visible = stored.clusters.iter().filter(|(_, (facts, _, _))| sight.cluster(*facts));
    let clusters: BTreeSet<i64> = visible.clone().map(|(id, _)| *id).collect();
    let relation = |(cluster, distribution, group): &(i64, i64, i64)| {
        sight.cluster_relation(stored.clusters[cluster].0, *distribution, *group)
    };
    Seen {
        listed: clusters.clone(),
        by_tag: clusters.clone(),
        relations: stored.relations.iter().filter(|(_, x)| relation(x)).map(|(id, _)| *id).collect(),
        events: visible.map(|(_, (_, event, _))| *event).collect(),
        clusters,
    }
}

fn wipe(t: &Trial) {
    let tables = [
        "event_tags",
        "tags",
        "events",
        "cluster_relations",
        "clusters",
        "galaxies",
        "sharing_group_orgs",
        "sharing_group_servers",
        "sharing_groups",
        "orgs",
    ];
    t.tamper(&tables.map(|table| format!("delete from {table};")).join("\n"));
}

#[test]
fn a_custom_cluster_is_seen_as_far_as_it_is_distributed() {
    on_each_engine("cluster_visibility", |t| {
        let cases = if matches!(t.address, pisax_store::Address::Sqlite(_)) { 64 } else { 24 };
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&world(), |(groups, plans)| {
            wipe(t);
            let stored = t.write(|w| build(w, &groups, &plans));
            let all = Visibility { sees_all: true, ..Visibility::default() };
            prop_assert_eq!(looked_up(t, &system(), &stored), expected(&stored, &all));
            for (n, org_id) in stored.orgs.iter().enumerate() {
                let member_of =
                    |(i, (members, open)): (usize, &Group)| (members[n] || *open).then_some(stored.groups[i]);
                let sight = Visibility {
                    org_id: *org_id,
                    groups: groups.iter().enumerate().filter_map(member_of).collect(),
                    ..Visibility::default()
                };
                let mut actor = member(*org_id);
                // An editor of clusters, or a sync user, sees no more of them.
                actor.permissions = Permissions::of(&[Permission::GalaxyEditor, Permission::Sync]);
                prop_assert_eq!(looked_up(t, &actor, &stored), expected(&stored, &sight), "org {}", n);
            }
            Ok(())
        });
        outcome.unwrap();
    });
}

// ---- Keeping ------------------------------------------------------------------------------------------

#[test]
fn a_library_update_leaves_custom_clusters_alone() {
    on_each_engine("cluster_update", |t| {
        let (galaxy, id) = t.write(|w| {
            let galaxy = galaxy(w)?;
            let org = org(w, "Maker")?;
            w.put_clusters(galaxy, &[row(galaxy, "Alpha", "{}")])?;
            let mut custom = row(galaxy, "Mine", "{}");
            custom.version = 99;
            Ok((galaxy, w.add_cluster(&custom, &owned(org, 0))?))
        });
        assert_eq!(t.read(|r| r.library_version(galaxy)), Some(1), "the custom one's version is its own");
        t.write(|w| w.put_clusters(galaxy, &[row(galaxy, "Beta", "{}")]));
        let values: Vec<String> = t.read(|r| r.clusters(galaxy)).into_iter().map(|c| c.value).collect();
        assert_eq!(values, ["Beta", "Mine"]);
        assert!(t.read(|r| r.cluster(Ref::Id(id))).unwrap().owned.is_some());
    });
}

#[test]
fn a_cluster_of_a_library_is_never_got_for_a_change() {
    on_each_engine("cluster_default", |t| {
        let id = t.write(|w| {
            let galaxy = galaxy(w)?;
            w.put_clusters(galaxy, &[row(galaxy, "Alpha", "{}")])?;
            Ok(w.clusters(galaxy)?[0].id)
        });
        assert!(matches!(t.refusal(|w| w.cluster_for_edit(Ref::Id(id))), Error::Forbidden("cluster")));
        assert!(matches!(t.refusal(|w| w.cluster_for_edit(Ref::Id(id + 1))), Error::NotFound("cluster")));
    });
}

#[test]
fn a_tombstone_is_out_of_lists_and_events_until_it_is_restored() {
    on_each_engine("cluster_tombstone", |t| {
        let (galaxy, id, tag) = t.write(|w| {
            let galaxy = galaxy(w)?;
            let org = org(w, "Maker")?;
            let new = row(galaxy, "Mine", "{}");
            Ok((galaxy, w.add_cluster(&new, &owned(org, 3))?, new.tag_name))
        });
        let delete = |deleted| {
            t.write(|w| {
                let (row, owned) = w.cluster_for_edit(Ref::Id(id))?;
                w.edit_cluster(&row, &Owned { deleted, ..owned }, Action::SoftDelete)
            });
        };
        delete(true);
        assert!(t.read(|r| r.clusters(galaxy)).is_empty());
        assert!(t.read(|r| r.cluster_by_tag_names(std::slice::from_ref(&tag))).is_empty());
        assert!(t.read(|r| r.cluster(Ref::Id(id))).unwrap().owned.unwrap().deleted, "it can be looked at");
        let only = ClusterFilter { deleted: Tri::Only(true), ..ClusterFilter::new() };
        assert_eq!(t.read(|r| r.find_clusters(&only)), [id]);
        delete(false);
        assert_eq!(t.read(|r| r.clusters(galaxy)).len(), 1);
    });
}

#[test]
fn what_hangs_on_a_cluster_goes_with_it() {
    on_each_engine("cluster_removal", |t| {
        t.write(|w| {
            let galaxy = galaxy(w)?;
            let org = org(w, "Maker")?;
            for name in ["One", "Two"] {
                let new = row(galaxy, name, "{}");
                let id = w.add_cluster(&new, &owned(org, 3))?;
                let tag = attached(w, "tlp:amber")?.tag_id;
                let relation = NewRelation {
                    referenced_uuid: uuid(7),
                    kind: "uses".into(),
                    distribution: 3,
                    sharing_group_id: 0,
                    tags: Some(vec![tag]),
                };
                w.put_relation(id, new.uuid, &relation)?;
            }
            let one = w.clusters(galaxy)?.remove(0);
            w.remove_cluster(&one)
        });
        let left = t.read(|r| r.cluster_relations(None, 10, 0));
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].tags[0].name, "tlp:amber");
        let galaxy = t.read(|r| r.galaxies()).remove(0);
        t.write(|w| w.delete_galaxy(&galaxy));
        assert!(t.read(|r| r.cluster_relations(None, 10, 0)).is_empty());
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_relation_to_the_same_target_in_the_same_way_is_one() {
    on_each_engine("cluster_relation", |t| {
        let relation = |target: Uuid, kind: &str, distribution| NewRelation {
            referenced_uuid: target,
            kind: kind.into(),
            distribution,
            sharing_group_id: 0,
            tags: None,
        };
        let (target, target_id, first) = t.write(|w| {
            let galaxy = galaxy(w)?;
            let org = org(w, "Maker")?;
            let new = row(galaxy, "Mine", "{}");
            let id = w.add_cluster(&new, &owned(org, 3))?;
            let target = row(galaxy, "Target", "{}");
            let target_id = w.add_cluster(&target, &owned(org, 3))?;
            let first = w.put_relation(id, new.uuid, &relation(target.uuid, "uses", 3))?;
            assert_eq!(w.put_relation(id, new.uuid, &relation(target.uuid, "uses", 1))?, first);
            assert_ne!(w.put_relation(id, new.uuid, &relation(target.uuid, "similar", 3))?, first);
            Ok((target.uuid, target_id, first))
        });
        let stored = t.read(|r| r.cluster_relation(first)).unwrap();
        assert_eq!((stored.distribution, stored.referenced_id), (1, target_id));
        assert_eq!(t.read(|r| r.relations_around(&[], &[target])).len(), 2, "they are found from the target");
        let other = t.read(|r| r.cluster_relations(Some("similar"), 10, 0)).remove(0);
        let refusal = t.refusal(|w| w.edit_relation(&other, &relation(target, "uses", 3)));
        assert!(matches!(refusal, Error::Conflict("relation")));
    });
}

// ---- Searching ----------------------------------------------------------------------------------------

#[test]
fn events_and_attributes_are_found_by_what_their_clusters_say() {
    on_each_engine("galaxy_search", |t| {
        let (plain, tagged, inside, attribute) = t.write(|w| {
            let galaxy = galaxy(w)?;
            let org = org(w, "Maker")?;
            let meta = r#"{"synonyms":["Fancy Bear","Sofacy"],"country":["RU"]}"#;
            let bear = row(galaxy, "APT 28", meta);
            w.add_cluster(&bear, &owned(org, 3))?;
            let cat = row(galaxy, "Cat", r#"{"country":["XX"]}"#);
            w.add_cluster(&cat, &owned(org, 3))?;
            let attachments = (attached(w, &bear.tag_name)?, attached(w, &cat.tag_name)?);
            let (plain, _) = filled_event(w, &event(org, 3, 0), &[("text", "a")])?;
            let (tagged, _) = filled_event(w, &event(org, 3, 0), &[("text", "b")])?;
            w.attach_event_tags(tagged, std::slice::from_ref(&attachments.0))?;
            let (inside, ids) = filled_event(w, &event(org, 3, 0), &[("text", "c"), ("text", "d")])?;
            w.attach_attribute_tags(inside, &[(ids[0], attachments.0), (ids[1], attachments.1)])?;
            Ok((plain, tagged, inside, ids[0]))
        });
        let find = |scope, list: &[(&str, Terms)]| {
            let galaxy = list.iter().map(|(key, terms)| ((*key).to_owned(), terms.clone())).collect();
            t.read(|r| r.find(scope, &Filter { galaxy, ..Filter::new() }))
        };
        let one = |text: &str| Terms::one(text);
        assert_eq!(find(Scope::Events, &[("synonyms", one("fancy bear"))]), [tagged, inside]);
        assert_eq!(find(Scope::Events, &[("synonyms", one("sofa%"))]), [tagged, inside]);
        assert_eq!(find(Scope::Events, &[("country", one("Sofacy"))]), [], "the key counts");
        assert_eq!(find(Scope::Events, &[("value", one("apt 28"))]), [tagged, inside]);
        assert_eq!(find(Scope::Events, &[("type", one("tool"))]), [tagged, inside]);
        let both = [("country", one("RU")), ("synonyms", one("%bear"))];
        assert_eq!(find(Scope::Events, &both), [tagged, inside]);
        let attributes = find(Scope::Attributes, &[("synonyms", one("Sofacy"))]);
        assert_eq!(attributes.len(), 2, "the tagged attribute, and all of the tagged event");
        assert!(attributes.contains(&attribute));
        let not = Terms { not: vec!["RU".into()], ..Terms::default() };
        assert_eq!(
            find(Scope::Events, &[("country", not)]),
            [plain, inside],
            "a NOT is about the event itself"
        );
        assert_eq!(find(Scope::Events, &[("synonyms", one("nobody"))]), []);
    });
}

#[test]
fn what_a_search_negates_is_trimmed_from_the_events_it_finds() {
    on_each_engine("trim", |t| {
        let (event_id, ids) = t.write(|w| {
            let galaxy = galaxy(w)?;
            let org = org(w, "Maker")?;
            let bear = row(galaxy, "APT 28", r#"{"country":["RU"]}"#);
            w.add_cluster(&bear, &owned(org, 3))?;
            let values = [("ip-dst", "198.51.100.1"), ("text", "b"), ("text", "c")];
            let (event_id, ids) = filled_event(w, &event(org, 3, 0), &values)?;
            let (tag, cluster) = (attached(w, "a:noise")?, attached(w, &bear.tag_name)?);
            w.attach_attribute_tags(event_id, &[(ids[1], tag), (ids[2], cluster)])?;
            Ok((event_id, ids))
        });
        let not = |text: &str| Terms { not: vec![text.into()], ..Terms::default() };
        let left = |filter: Filter| {
            t.read(|r| {
                let trim = r.trim(&filter)?;
                let event = r.event(Ref::Id(event_id))?.ok_or(Error::NotFound("event"))?;
                let living = Wanted { living: true, deleted: false };
                Ok(r.trimmed_event_attributes(&event, living, &trim, 0, 100)?.ids())
            })
        };
        assert_eq!(left(Filter::new()), ids);
        assert_eq!(left(Filter { tags: not("a:noise"), ..Filter::new() }), [ids[0], ids[2]]);
        let galaxy = vec![("country".to_owned(), not("ru"))];
        assert_eq!(left(Filter { galaxy: galaxy.clone(), ..Filter::new() }), [ids[0], ids[1]]);
        let both = Filter { tags: not("a:noise"), galaxy, to_ids: Tri::Only(true), ..Filter::new() };
        assert_eq!(left(both), [ids[0]]);
        assert_eq!(left(Filter { to_ids: Tri::Only(false), ..Filter::new() }), [ids[1], ids[2]]);
        assert_eq!(left(Filter { tags: not("unknown:tag"), ..Filter::new() }), ids);
    });
}

#[test]
fn organisations_are_asked_for_by_what_is_known_of_them() {
    on_each_engine("org_facts", |t| {
        let (bank, other) = t.write(|w| {
            let draft = |name: &str, sector: &str, nationality: &str| OrgDraft {
                name: Some(name.into()),
                sector: Some(sector.into()),
                nationality: Some(nationality.into()),
                ..OrgDraft::default()
            };
            let bank = w.add_org(&draft("Bank", "Financial", "Belgium"), new_uuid(NOW_MS), true)?;
            let other = w.add_org(&draft("Other", "Telecoms", "France"), new_uuid(NOW_MS), false)?;
            Ok((w.insert_event(&event(bank, 3, 0))?, w.insert_event(&event(other, 3, 0))?))
        });
        let find = |fact, terms: Terms| {
            t.read(|r| r.find(Scope::Events, &Filter { org_facts: vec![(fact, terms)], ..Filter::new() }))
        };
        assert_eq!(find(OrgFact::Sector, Terms::one("financial")), [bank]);
        assert_eq!(find(OrgFact::Nationality, Terms::one("fran%")), [other]);
        assert_eq!(find(OrgFact::Local, Terms::one("1")), [bank]);
        let not = Terms { not: vec!["Telecoms".into()], ..Terms::default() };
        assert_eq!(find(OrgFact::Sector, not), [bank]);
    });
}

#[test]
fn clusters_are_found_by_elements_text_and_where_they_are_attached() {
    on_each_engine("cluster_search", |t| {
        let (one, two, event_id) = t.write(|w| {
            let galaxy = galaxy(w)?;
            let org = org(w, "Maker")?;
            let first = row(galaxy, "Alpha", r#"{"synonyms":["Grün"],"refs":["a"]}"#);
            let one = w.add_cluster(&first, &Owned { published: true, ..owned(org, 3) })?;
            let two = w.add_cluster(&row(galaxy, "Beta", ""), &owned(org, 3))?;
            let event_id = w.insert_event(&event(org, 3, 0))?;
            let attachment = attached(w, &first.tag_name)?;
            w.attach_event_tags(event_id, &[attachment])?;
            Ok((one, two, event_id))
        });
        let find = |filter: ClusterFilter| t.read(|r| r.find_clusters(&filter));
        let new = ClusterFilter::new;
        let elements = vec![("synonyms".to_owned(), Terms::one("grun"))];
        assert_eq!(find(ClusterFilter { elements, ..new() }), [one]);
        assert_eq!(find(ClusterFilter { search: Some("GRÜ".into()), ..new() }), [one]);
        assert_eq!(find(ClusterFilter { search: Some("bet".into()), ..new() }), [two]);
        assert_eq!(find(ClusterFilter { published: Tri::Only(true), ..new() }), [one]);
        assert_eq!(find(ClusterFilter { event: Terms::one(event_id.to_string()), ..new() }), [one]);
        assert_eq!(find(ClusterFilter { orgc: Terms::one("Maker"), ..new() }), [one, two]);
        assert_eq!(find(ClusterFilter { custom: Tri::Only(false), ..new() }), []);
        t.write(|w| {
            let galaxy = w.galaxies()?.remove(0);
            w.enable_knowledge(Library::Galaxies, galaxy.id, false)
        });
        assert_eq!(find(new()), [one, two], "a galaxy that is off is still to be administered");
    });
}
