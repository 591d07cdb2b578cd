//! Custom clusters on their way to another server: read whole, into the form in which they travel.

use crate::sharing_group::{org_ref, whole};
use crate::{Result, Service};
use pisax_access::Actor;
use pisax_formats::knowledge::stored;
use pisax_model::Uuid;
use pisax_model::cluster::{CarriedCluster, ClusterDraft, GalaxyDraft, RelationDraft};
use pisax_model::ids::Ref;
use pisax_model::sharing::SharingGroupDraft;
use pisax_store::Reader;
use pisax_store::cluster_relations::RelationRow;
use pisax_store::clusters::{ClusterRow, Owned};
use pisax_store::knowledge::GalaxyRow;
use pisax_store::orgs::OrgName;
use rustc_hash::FxHashMap;

/// Reads those of these clusters that the actor sees, in one snapshot. What is shared with a group that he does not
/// see has no group, and goes nowhere. Clusters of libraries travel with their libraries.
pub fn carry(service: &Service, actor: &Actor, ids: &[i64]) -> Result<Vec<CarriedCluster>> {
    service.read(actor, |r| {
        let rows = r.clusters_by_ids(ids)?;
        let around = Around::load(r, &rows, &service.policy.base_url)?;
        Ok(rows.into_iter().filter_map(|row| around.carried(row)).collect())
    })
}

/// What belongs to the clusters, read by set.
struct Around {
    galaxies: FxHashMap<i64, GalaxyRow>,
    orgs: FxHashMap<i64, OrgName>,
    groups: FxHashMap<i64, SharingGroupDraft>,
    /// By the cluster they start at.
    relations: FxHashMap<i64, Vec<RelationRow>>,
}

impl Around {
    fn load(r: &mut Reader<'_>, rows: &[ClusterRow], base_url: &str) -> Result<Self> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let mut relations: FxHashMap<i64, Vec<RelationRow>> = FxHashMap::default();
        for relation in r.relations_around(&ids, &[])? {
            relations.entry(relation.cluster_id).or_default().push(relation);
        }
        let owned = || rows.iter().filter_map(|row| row.owned.as_ref());
        let mut groups: Vec<i64> =
            owned().map(|o| (o.distribution, o.sharing_group_id)).filter_map(group_id).collect();
        let theirs = relations.values().flatten().map(|x| (x.distribution, x.sharing_group_id));
        groups.extend(theirs.filter_map(group_id));
        let makers: Vec<i64> = owned().map(|o| o.orgc_id).collect();
        let galaxies: Vec<i64> = rows.iter().map(|row| row.galaxy_id).collect();
        Ok(Self {
            galaxies: r.galaxies_by_ids(&galaxies)?,
            orgs: r.org_names(&makers)?,
            groups: whole(r, &groups, base_url)?,
            relations,
        })
    }

    fn group(&self, level: i64, id: i64) -> Option<SharingGroupDraft> {
        self.groups.get(&group_id((level, id))?).cloned()
    }

    fn carried(&self, row: ClusterRow) -> Option<CarriedCluster> {
        let owned = row.owned.clone()?;
        let galaxy = self.galaxies.get(&row.galaxy_id)?;
        let relations = self.relations.get(&row.id).map_or(&[][..], Vec::as_slice);
        Some(CarriedCluster {
            group: self.group(owned.distribution, owned.sharing_group_id),
            relation_groups: relations
                .iter()
                .map(|relation| self.group(relation.distribution, relation.sharing_group_id))
                .collect(),
            draft: ClusterDraft {
                orgc: self.orgs.get(&owned.orgc_id).cloned().map(org_ref),
                relations: relations.iter().map(relation_draft).collect(),
                ..cluster_draft(row, &owned, galaxy)
            },
        })
    }
}

fn group_id((level, id): (i64, i64)) -> Option<i64> {
    (level == 4 && id > 0).then_some(id)
}

fn cluster_draft(row: ClusterRow, owned: &Owned, galaxy: &GalaxyRow) -> ClusterDraft {
    let elements = stored::read_meta(&row.meta)
        .into_iter()
        .flat_map(|(key, values)| values.into_iter().map(move |value| (key.clone(), value)));
    ClusterDraft {
        uuid: Some(row.uuid),
        collection_uuid: (!row.collection_uuid.is_nil()).then_some(row.collection_uuid),
        kind: Some(galaxy.kind.clone()),
        value: Some(row.value),
        description: Some(row.description),
        source: Some(row.source),
        authors: Some(stored::read_texts(&row.authors)),
        version: Some(row.version),
        distribution: Some(owned.distribution),
        published: Some(owned.published),
        deleted: Some(owned.deleted),
        extends_uuid: owned.extends_uuid,
        extends_version: owned.extends_uuid.map(|_| owned.extends_version),
        elements: elements.collect(),
        galaxy: Some(galaxy_draft(galaxy)),
        ..ClusterDraft::default()
    }
}

fn galaxy_draft(galaxy: &GalaxyRow) -> GalaxyDraft {
    GalaxyDraft {
        uuid: Some(galaxy.uuid),
        name: galaxy.name.clone(),
        kind: galaxy.kind.clone(),
        description: galaxy.description.clone(),
        version: galaxy.version,
        icon: galaxy.icon.clone(),
        namespace: galaxy.namespace.clone(),
        kill_chain_order: stored::read_meta(&galaxy.kill_chain_order),
    }
}

/// Tags that are not exportable stay here.
fn relation_draft(relation: &RelationRow) -> RelationDraft {
    let tags = relation.tags.iter().filter(|tag| tag.exportable).map(|tag| tag.name.clone());
    let uuid = |uuid: Uuid| Some(Ref::Uuid(uuid));
    RelationDraft {
        cluster: uuid(relation.cluster_uuid),
        referenced: uuid(relation.referenced_uuid),
        kind: Some(relation.kind.clone()),
        distribution: Some(relation.distribution),
        sharing_group: None,
        tags: Some(tags.collect()),
    }
}
