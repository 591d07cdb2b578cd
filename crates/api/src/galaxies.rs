//! Galaxy tags expanded into the clusters they stand for, and the columns of both.

use crate::answer::Stop;
use pisax_model::tag::Attached;
use pisax_store::Reader;
use pisax_store::clusters::{ClusterRow, Owned};
use pisax_store::knowledge::GalaxyRow;
use pisax_wire::JsonWriter;
use rustc_hash::FxHashMap;

/// The clusters that tags stand for, with their galaxies, read by set.
#[derive(Default)]
pub(crate) struct Expanded {
    clusters: FxHashMap<String, ClusterRow>,
    galaxies: FxHashMap<i64, GalaxyRow>,
}

impl Expanded {
    /// Reads what these tags stand for, as far as the actor sees it.
    pub(crate) fn load<'t>(
        r: &mut Reader<'_>,
        tags: impl Iterator<Item = &'t Attached>,
    ) -> Result<Self, pisax_store::Error> {
        let names: Vec<String> = tags.filter(|t| t.tag.is_galaxy).map(|t| t.tag.name.clone()).collect();
        if names.is_empty() {
            return Ok(Self::default());
        }
        let clusters = r.cluster_by_tag_names(&names)?;
        let ids: Vec<i64> = clusters.values().map(|c| c.galaxy_id).collect();
        Ok(Self { galaxies: r.galaxies_by_ids(&ids)?, clusters })
    }

    /// The items of a `"Galaxy":[…]` list: one per galaxy, with the clusters that these tags name. A tag whose
    /// cluster is not known here, or not to the reader, stays a plain tag.
    pub(crate) fn items(&self, tags: &[Attached]) -> Vec<u8> {
        let mut groups: Vec<(&GalaxyRow, Vec<(&Attached, &ClusterRow)>)> = Vec::new();
        for tag in tags.iter().filter(|t| t.tag.is_galaxy) {
            let Some(cluster) = self.clusters.get(&pisax_store::tags::folded(&tag.tag.name)) else {
                continue;
            };
            let Some(galaxy) = self.galaxies.get(&cluster.galaxy_id) else { continue };
            match groups.iter_mut().find(|(g, _)| g.id == galaxy.id) {
                Some((_, list)) => list.push((tag, cluster)),
                None => groups.push((galaxy, vec![(tag, cluster)])),
            }
        }
        let mut out = Vec::new();
        for (n, (galaxy, list)) in groups.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            let mut w = JsonWriter::new(&mut out);
            w.begin_object();
            galaxy_columns(&mut w, galaxy);
            w.key("GalaxyCluster");
            w.begin_array();
            list.iter().for_each(|(tag, cluster)| attached_cluster(&mut w, tag, cluster, &galaxy.kind));
            w.end_array();
            w.end_object();
        }
        out
    }
}

impl Expanded {
    /// The clusters that these tags name, each with its galaxy.
    pub(crate) fn found(&self, tags: &[Attached]) -> impl Iterator<Item = (&GalaxyRow, &ClusterRow)> {
        tags.iter().filter(|attached| attached.tag.is_galaxy).filter_map(|attached| {
            let cluster = self.clusters.get(&pisax_store::tags::folded(&attached.tag.name))?;
            Some((self.galaxies.get(&cluster.galaxy_id)?, cluster))
        })
    }

    /// `"GalaxyCluster":[…]` of a row of the event index, each with its galaxy; nothing where there is none.
    pub(crate) fn index_member(&self, tags: &[Attached]) -> Vec<u8> {
        let mut out = Vec::new();
        for tag in tags.iter().filter(|t| t.tag.is_galaxy) {
            let Some(cluster) = self.clusters.get(&pisax_store::tags::folded(&tag.tag.name)) else {
                continue;
            };
            let Some(galaxy) = self.galaxies.get(&cluster.galaxy_id) else { continue };
            let before: &[u8] = if out.is_empty() { b"\"GalaxyCluster\":[" } else { b"," };
            out.extend_from_slice(before);
            let mut w = JsonWriter::new(&mut out);
            w.begin_object();
            attached_members(&mut w, tag, cluster, &galaxy.kind);
            w.key("Galaxy");
            w.begin_object();
            galaxy_columns(&mut w, galaxy);
            w.end_object();
            w.end_object();
        }
        if !out.is_empty() {
            out.push(b']');
        }
        out
    }
}

/// The items of a `"Galaxy":[…]` list for the tags of one record.
pub(crate) fn expand(r: &mut Reader<'_>, tags: &[Attached]) -> Result<Vec<u8>, Stop> {
    Ok(Expanded::load(r, tags.iter())?.items(tags))
}

fn member(w: &mut JsonWriter<'_>, key: &str, text: &str) {
    w.key(key);
    w.str(text);
}

/// The columns of a galaxy, as in its index.
pub(crate) fn galaxy_columns(w: &mut JsonWriter<'_>, galaxy: &GalaxyRow) {
    w.key("id");
    w.str_num(galaxy.id);
    w.key("uuid");
    w.uuid(galaxy.uuid);
    member(w, "name", &galaxy.name);
    member(w, "type", &galaxy.kind);
    member(w, "description", &galaxy.description);
    w.key("version");
    w.str_num(galaxy.version);
    member(w, "icon", &galaxy.icon);
    member(w, "namespace", &galaxy.namespace);
    w.key("enabled");
    w.bool(galaxy.enabled);
    w.key("local_only");
    w.bool(galaxy.local_only);
    w.key("kill_chain_order");
    if galaxy.kill_chain_order.is_empty() { w.null() } else { w.raw(galaxy.kill_chain_order.as_bytes()) }
}

/// The columns of a cluster without its elements.
pub(crate) fn cluster_columns(w: &mut JsonWriter<'_>, cluster: &ClusterRow, kind: &str) {
    w.key("id");
    w.str_num(cluster.id);
    w.key("uuid");
    w.uuid(cluster.uuid);
    w.key("collection_uuid");
    if cluster.collection_uuid.is_nil() {
        w.str("")
    } else {
        w.uuid(cluster.collection_uuid)
    }
    member(w, "type", kind);
    member(w, "value", &cluster.value);
    member(w, "tag_name", &cluster.tag_name);
    member(w, "description", &cluster.description);
    w.key("galaxy_id");
    w.str_num(cluster.galaxy_id);
    member(w, "source", &cluster.source);
    w.key("authors");
    w.raw(if cluster.authors.is_empty() { b"[]" } else { cluster.authors.as_bytes() });
    w.key("version");
    w.str_num(cluster.version);
    // What came with a library is for everybody, and nobody's.
    let library = Owned { distribution: 3, ..Owned::default() };
    let owned = cluster.owned.as_ref().unwrap_or(&library);
    w.key("distribution");
    w.str_num(owned.distribution);
    w.key("sharing_group_id");
    if owned.distribution == 4 {
        w.str_num(owned.sharing_group_id)
    } else {
        w.null()
    }
    for (key, number) in [("org_id", owned.org_id), ("orgc_id", owned.orgc_id)] {
        w.key(key);
        w.str_num(number);
    }
    flag(w, "default", cluster.owned.is_none());
    flag(w, "locked", owned.locked);
    w.key("extends_uuid");
    match owned.extends_uuid {
        Some(uuid) => w.uuid(uuid),
        None => w.str(""),
    }
    w.key("extends_version");
    w.str_num(owned.extends_version);
    flag(w, "published", owned.published);
    flag(w, "deleted", owned.deleted);
}

fn flag(w: &mut JsonWriter<'_>, key: &str, on: bool) {
    w.key(key);
    w.bool(on);
}

fn attached_cluster(w: &mut JsonWriter<'_>, tag: &Attached, cluster: &ClusterRow, kind: &str) {
    w.begin_object();
    attached_members(w, tag, cluster, kind);
    w.end_object();
}

fn attached_members(w: &mut JsonWriter<'_>, tag: &Attached, cluster: &ClusterRow, kind: &str) {
    cluster_columns(w, cluster, kind);
    w.key("meta");
    w.raw(if cluster.meta.is_empty() { b"{}" } else { cluster.meta.as_bytes() });
    w.key("tag_id");
    w.str_num(tag.tag.id);
    w.key("local");
    w.bool(tag.local);
    w.key("relationship_type");
    w.str(tag.relationship_type.as_deref().unwrap_or_default());
}
