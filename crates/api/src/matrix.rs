//! How often events carry the techniques of the attack matrix.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, member, number_member};
use crate::request::Request;
use pisax_formats::knowledge::stored;
use pisax_model::ids::Ref;
use pisax_store::knowledge::ClusterRow;
use rustc_hash::FxHashMap;

/// MISP's matrix, unless another galaxy is asked for.
const KIND: &str = "mitre-attack-pattern";

/// Places of one cluster in it; custom ones can name as many as they like.
const MOST_PLACES: usize = 64;

/// Columns in order of appearance, each with its clusters.
type Columns<'c> = Vec<(String, Vec<&'c ClusterRow>)>;

/// GET /users/statistics/galaxyMatrix[/galaxy_id:…]
pub(crate) fn statistics(request: &Request) -> Result<Answer, Failure> {
    let asked = request.path.named("galaxy_id").and_then(Ref::parse);
    let (clusters, counts) = request.service.read(&request.actor, |r| {
        let galaxy = match asked {
            Some(reference) => r.galaxy(reference)?,
            None => r.galaxies()?.into_iter().filter(|g| g.kind == KIND).max_by_key(|g| g.version),
        };
        let clusters = match galaxy {
            Some(galaxy) => r.clusters(galaxy.id)?,
            None => Vec::new(),
        };
        Ok((clusters, r.tags(None)?))
    })?;
    if asked.is_some() && clusters.is_empty() {
        return Err(Failure::NotAllowed("Galaxy cannot be represented as a matrix".into()));
    }
    let counts: FxHashMap<&str, i64> =
        counts.iter().map(|c| (c.tag.name.as_str(), c.events + c.attributes)).collect();
    let score = |cluster: &ClusterRow| counts.get(cluster.tag_name.as_str()).copied().unwrap_or(0);
    let mut tabs: Vec<(String, Columns<'_>)> = Vec::new();
    for cluster in &clusters {
        for (tab, column) in kill_chains(cluster) {
            let columns = entry(&mut tabs, &tab);
            entry(columns, &column).push(cluster);
        }
    }
    for (_, columns) in &mut tabs {
        for (_, clusters) in columns {
            clusters.sort_by(|a, b| score(b).cmp(&score(a)).then_with(|| a.value.cmp(&b.value)));
        }
    }
    let uuid = request.service.policy.instance_uuid;
    Ok(document(|w| {
        w.begin_object();
        w.key("matrix");
        w.begin_object();
        for (tab, columns) in &tabs {
            w.key(tab);
            w.begin_object();
            for (column, clusters) in columns {
                w.key(column);
                w.begin_array();
                for cluster in clusters {
                    w.begin_object();
                    number_member(w, "id", cluster.id);
                    w.key("uuid");
                    w.uuid(cluster.uuid);
                    member(w, "type", KIND);
                    member(w, "value", &cluster.value);
                    member(w, "tag_name", &cluster.tag_name);
                    member(w, "description", &cluster.description);
                    number_member(w, "galaxy_id", cluster.galaxy_id);
                    w.end_object();
                }
                w.end_array();
            }
            w.end_object();
        }
        w.end_object();
        w.key("scores");
        w.begin_object();
        for cluster in clusters.iter().filter(|cluster| score(cluster) > 0) {
            w.key(&cluster.tag_name);
            w.int(score(cluster));
        }
        w.end_object();
        w.key("instance-uuid");
        w.uuid(uuid);
        w.end_object();
    }))
}

fn entry<'l, T: Default>(list: &'l mut Vec<(String, T)>, name: &str) -> &'l mut T {
    let at = match list.iter().position(|(known, _)| known == name) {
        Some(at) => at,
        None => {
            list.push((name.to_owned(), T::default()));
            list.len() - 1
        }
    };
    &mut list[at].1
}

/// `tab:column` of each place of a cluster in the matrix.
fn kill_chains(cluster: &ClusterRow) -> Vec<(String, String)> {
    let meta = stored::read_meta(&cluster.meta);
    let places = meta.into_iter().filter(|(key, _)| key == "kill_chain").flat_map(|(_, values)| values);
    let split = |place: String| {
        let mut parts = place.split(':');
        Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
    };
    places.filter_map(split).take(MOST_PLACES).collect()
}
