//! Custom clusters as one server pushes them to another (semantics 7.6): what [`crate::read_clusters`] reads back.

use crate::draft_out::{flag, id, list, number, org, sharing_group, text, uuid_of};
use crate::json::{JsonWriter, k};
use pisax_model::cluster::{CarriedCluster, ClusterDraft, GalaxyDraft, RelationDraft};
use pisax_model::knowledge::custom_cluster_tag;
use pisax_model::sharing::SharingGroupDraft;

/// The body of `galaxies/pushCluster`: `[{"GalaxyCluster":{…}}]`.
pub fn write_pushed_clusters(w: &mut JsonWriter<'_>, clusters: &[CarriedCluster]) {
    list(w, clusters, |w, carried| {
        w.begin_object();
        w.name(k!("GalaxyCluster"));
        cluster(w, carried);
        w.end_object();
    });
}

fn cluster(w: &mut JsonWriter<'_>, carried: &CarriedCluster) {
    let draft = &carried.draft;
    w.begin_object();
    id(w, k!("uuid"), draft.uuid);
    id(w, k!("collection_uuid"), draft.collection_uuid);
    text(w, k!("type"), draft.kind.as_deref());
    text(w, k!("value"), draft.value.as_deref());
    if let (Some(kind), Some(uuid)) = (&draft.kind, draft.uuid) {
        w.text(k!("tag_name"), &custom_cluster_tag(kind, uuid));
    }
    text(w, k!("description"), draft.description.as_deref());
    text(w, k!("source"), draft.source.as_deref());
    if let Some(authors) = &draft.authors {
        w.name(k!("authors"));
        list(w, authors, |w, author| w.str(author));
    }
    number(w, k!("version"), draft.version);
    number(w, k!("distribution"), draft.distribution);
    w.flag(k!("default"), draft.default);
    // Where it arrives it came from elsewhere.
    w.flag(k!("locked"), true);
    id(w, k!("extends_uuid"), draft.extends_uuid);
    number(w, k!("extends_version"), draft.extends_version);
    flag(w, k!("published"), draft.published);
    flag(w, k!("deleted"), draft.deleted);
    if let Some(brought) = &draft.galaxy {
        w.name(k!("Galaxy"));
        galaxy(w, brought);
    }
    group(w, carried.group.as_ref());
    elements(w, draft);
    w.name(k!("GalaxyClusterRelation"));
    w.begin_array();
    for (at, draft) in draft.relations.iter().enumerate() {
        relation(w, draft, carried.relation_groups.get(at).and_then(Option::as_ref));
    }
    w.end_array();
    if let Some(orgc) = &draft.orgc {
        w.name(k!("Orgc"));
        org(w, orgc);
    }
    w.end_object();
}

fn elements(w: &mut JsonWriter<'_>, draft: &ClusterDraft) {
    w.name(k!("GalaxyElement"));
    list(w, &draft.elements, |w, (key, value)| {
        w.begin_object();
        w.text(k!("key"), key);
        w.text(k!("value"), value);
        w.end_object();
    });
}

fn relation(w: &mut JsonWriter<'_>, relation: &RelationDraft, shared: Option<&SharingGroupDraft>) {
    w.begin_object();
    id(w, k!("galaxy_cluster_uuid"), uuid_of(relation.cluster));
    id(w, k!("referenced_galaxy_cluster_uuid"), uuid_of(relation.referenced));
    text(w, k!("referenced_galaxy_cluster_type"), relation.kind.as_deref());
    number(w, k!("distribution"), relation.distribution);
    group(w, shared);
    if let Some(tags) = &relation.tags {
        w.name(k!("Tag"));
        list(w, tags, |w, name| {
            w.begin_object();
            w.text(k!("name"), name);
            w.end_object();
        });
    }
    w.end_object();
}

fn galaxy(w: &mut JsonWriter<'_>, galaxy: &GalaxyDraft) {
    w.begin_object();
    id(w, k!("uuid"), galaxy.uuid);
    w.text(k!("name"), &galaxy.name);
    w.text(k!("type"), &galaxy.kind);
    w.text(k!("description"), &galaxy.description);
    w.num(k!("version"), galaxy.version);
    w.text(k!("icon"), &galaxy.icon);
    w.text(k!("namespace"), &galaxy.namespace);
    if !galaxy.kill_chain_order.is_empty() {
        w.name(k!("kill_chain_order"));
        w.begin_object();
        for (tab, phases) in &galaxy.kill_chain_order {
            w.key(tab);
            list(w, phases, |w, phase| w.str(phase));
        }
        w.end_object();
    }
    w.end_object();
}

fn group(w: &mut JsonWriter<'_>, shared: Option<&SharingGroupDraft>) {
    if let Some(shared) = shared {
        w.name(k!("SharingGroup"));
        sharing_group(w, shared);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_clusters;
    use pisax_model::Uuid;
    use pisax_model::ids::Ref;
    use pisax_model::org::OrgRef;
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;

    fn word() -> impl Strategy<Value = String> {
        "[a-z,:=\"\\\\\u{e9}]{1,12}"
    }

    fn uuid() -> impl Strategy<Value = Uuid> {
        any::<u128>().prop_map(Uuid::from_u128)
    }

    fn shared() -> impl Strategy<Value = Option<SharingGroupDraft>> {
        of(uuid().prop_map(|uuid| SharingGroupDraft {
            uuid: Some(uuid),
            orgs: Some(Vec::new()),
            ..SharingGroupDraft::default()
        }))
    }

    prop_compose! {
        fn relation()(
            cluster in uuid(),
            referenced in uuid(),
            kind in of(word()),
            distribution in of(0..5_i64),
            tags in vec("[a-z:\"]{1,9}", 0..3),
        ) -> RelationDraft {
            let (cluster, referenced) = (Some(Ref::Uuid(cluster)), Some(Ref::Uuid(referenced)));
            RelationDraft { cluster, referenced, kind, distribution, sharing_group: None, tags: Some(tags) }
        }
    }

    prop_compose! {
        fn brought()(
            uuid in uuid(),
            name in word(),
            kind in word(),
            description in word(),
            version in 0..9_i64,
            kill_chain_order in of(vec(word(), 0..3)),
        ) -> GalaxyDraft {
            let kill_chain_order = kill_chain_order.into_iter().map(|list| ("tab".to_owned(), list)).collect();
            let (icon, namespace) = (name.clone(), kind.clone());
            GalaxyDraft { uuid: Some(uuid), name, kind, description, version, icon, namespace, kill_chain_order }
        }
    }

    prop_compose! {
        fn carried()(
            (uuid, kind, value, description) in (uuid(), of(word()), of(word()), of(word())),
            (source, authors, version) in (of(word()), of(vec(word(), 0..3)), of(1..i64::MAX)),
            (distribution, published, deleted) in (of(0..5_i64), any::<Option<bool>>(), any::<Option<bool>>()),
            (extends_uuid, extends_version) in (of(any::<u128>().prop_map(Uuid::from_u128)), of(0..9_i64)),
            elements in vec((word(), word()), 0..4),
            relations in vec((relation(), shared()), 0..3),
            galaxy in of(brought()),
            orgc in of((any::<u128>(), word())),
            group in shared(),
        ) -> CarriedCluster {
            let orgc = orgc.map(|(uuid, name)| OrgRef {
                id: None, uuid: Some(Uuid::from_u128(uuid)), name: Some(name),
            });
            let (relations, relation_groups) = relations.into_iter().unzip();
            let draft = ClusterDraft {
                uuid: Some(uuid), kind, value, description, source, authors, version, distribution, orgc, published,
                deleted, extends_uuid, extends_version, elements, relations, galaxy, ..ClusterDraft::default()
            };
            CarriedCluster { draft, group, relation_groups }
        }
    }

    /// The reader knows groups by their uuids.
    fn by_uuid(group: Option<&SharingGroupDraft>) -> Option<Ref> {
        group.and_then(|group| group.uuid).map(Ref::Uuid)
    }

    proptest! {
        #[test]
        fn what_is_pushed_is_read_there_as_it_was(clusters in vec(carried(), 0..3)) {
            let mut out = Vec::new();
            write_pushed_clusters(&mut JsonWriter::new(&mut out), &clusters);
            let expected: Vec<ClusterDraft> = clusters
                .into_iter()
                .map(|carried| {
                    let mut draft = carried.draft;
                    draft.sharing_group = by_uuid(carried.group.as_ref());
                    for (relation, group) in draft.relations.iter_mut().zip(&carried.relation_groups) {
                        relation.sharing_group = by_uuid(group.as_ref());
                    }
                    draft
                })
                .collect();
            prop_assert_eq!(read_clusters(&out).unwrap(), expected);
        }
    }
}
