//! Galaxy tags expanded into the clusters they stand for.

use crate::answer::Stop;
use pisax_model::ids::Ref;
use pisax_model::tag::Attached;
use pisax_store::Reader;
use pisax_store::knowledge::{ClusterRow, GalaxyRow};
use pisax_wire::JsonWriter;

/// The items of a `"Galaxy":[…]` list: one per galaxy, with the clusters that these tags name. A tag whose
/// cluster is not known here stays a plain tag.
pub(crate) fn expand(r: &mut Reader<'_>, tags: &[Attached]) -> Result<Vec<u8>, Stop> {
    let names: Vec<String> = tags.iter().filter(|t| t.tag.is_galaxy).map(|t| t.tag.name.clone()).collect();
    let mut out = Vec::new();
    if names.is_empty() {
        return Ok(out);
    }
    let clusters = r.cluster_by_tag_names(&names)?;
    let mut galaxies: Vec<(GalaxyRow, Vec<(&Attached, &ClusterRow)>)> = Vec::new();
    for tag in tags {
        let Some(cluster) = clusters.get(&pisax_store::tags::folded(&tag.tag.name)) else { continue };
        match galaxies.iter_mut().find(|(g, _)| g.id == cluster.galaxy_id) {
            Some((_, list)) => list.push((tag, cluster)),
            None => {
                if let Some(galaxy) = r.galaxy(Ref::Id(cluster.galaxy_id))? {
                    galaxies.push((galaxy, vec![(tag, cluster)]));
                }
            }
        }
    }
    for (n, (galaxy, list)) in galaxies.iter().enumerate() {
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
    Ok(out)
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
    w.bool(false);
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
    w.uuid(cluster.collection_uuid);
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
    w.key("distribution");
    w.str_num(3);
    w.key("sharing_group_id");
    w.null();
    for key in ["org_id", "orgc_id"] {
        w.key(key);
        w.str_num(0);
    }
    w.key("default");
    w.bool(true);
    w.key("locked");
    w.bool(false);
    w.key("extends_uuid");
    w.str("");
    w.key("extends_version");
    w.str_num(0);
    w.key("published");
    w.bool(false);
    w.key("deleted");
    w.bool(false);
}

fn attached_cluster(w: &mut JsonWriter<'_>, tag: &Attached, cluster: &ClusterRow, kind: &str) {
    w.begin_object();
    cluster_columns(w, cluster, kind);
    w.key("meta");
    w.raw(if cluster.meta.is_empty() { b"{}" } else { cluster.meta.as_bytes() });
    w.key("tag_id");
    w.str_num(tag.tag.id);
    w.key("local");
    w.bool(tag.local);
    w.key("relationship_type");
    w.str(tag.relationship_type.as_deref().unwrap_or_default());
    w.end_object();
}
