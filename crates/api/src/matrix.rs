//! How often events, or one of them, carry the techniques of a matrix.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, member, number_member};
use crate::request::Request;
use pisax_formats::knowledge::stored;
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::tag::Attached;
use pisax_store::Reader;
use pisax_store::attributes::Wanted;
use pisax_store::clusters::ClusterRow;
use pisax_store::knowledge::GalaxyRow;
use rustc_hash::FxHashMap;

/// MISP's matrix, unless another galaxy is asked for.
const KIND: &str = "mitre-attack-pattern";

/// Places of one cluster in it; custom ones can name as many as they like.
const MOST_PLACES: usize = 64;

/// Attributes or objects read at a time.
const BATCH: i64 = 500;
const LIVING: Wanted = Wanted { living: true, deleted: false };

/// Columns in order of appearance, each with its clusters.
type Columns<'c> = Vec<(String, Vec<&'c ClusterRow>)>;

/// GET /users/statistics/galaxyMatrix[/galaxy_id:…]
pub(crate) fn statistics(request: &Request) -> Result<Answer, Failure> {
    let asked = request.path.named("galaxy_id").and_then(Ref::parse);
    let (galaxy, counts) = request.service.read(&request.actor, |r| {
        let galaxy = match asked {
            Some(reference) => r.galaxy(reference)?,
            None => attack(r)?,
        };
        Ok((clusters_of(r, galaxy)?, r.tags(None)?))
    })?;
    let counts = counts.into_iter().map(|c| (c.tag.name, c.events + c.attributes)).collect();
    if asked.is_some() && galaxy.1.is_empty() {
        return Err(no_matrix());
    }
    Ok(draw(request, &galaxy, &counts))
}

/// GET /events/viewGalaxyMatrix/{id}/{galaxy|mitre-attack}[/{event|attribute|tag_collection}]
pub(crate) fn of_event(request: &Request) -> Result<Answer, Failure> {
    let id = request.path.arg(0).and_then(Ref::parse);
    let asked = request.path.arg(1).unwrap_or("mitre-attack");
    let scope = request.path.arg(2).unwrap_or("event");
    let named = request.path.named("eventid").and_then(Ref::parse);
    let not_found = || Failure::NotFound("Event not found or you are not authorised to view it.");
    let found = request.service.read(&request.actor, |r| {
        let galaxy = match Ref::parse(asked) {
            Some(reference) => r.galaxy(reference)?,
            None if asked == "mitre-attack" => attack(r)?,
            None => None,
        };
        let galaxy = clusters_of(r, galaxy)?;
        let event = match (scope, id) {
            ("event", Some(id)) => r.event(id)?,
            ("attribute", Some(id)) => match r.attribute(id)? {
                Some(batch) => r.event(Ref::Id(batch.get(0).event_id))?,
                None => None,
            },
            // Several attributes of one event.
            ("attribute", None) => match named {
                Some(id) => r.event(id)?,
                None => None,
            },
            _ => None,
        };
        let counts = match &event {
            Some(event) => tags_in(r, event)?,
            None => FxHashMap::default(),
        };
        Ok((galaxy, event.is_some(), counts))
    })?;
    let (galaxy, there, counts) = found;
    if galaxy.1.iter().all(|cluster| kill_chains(cluster).is_empty()) {
        return Err(no_matrix());
    }
    match scope {
        "event" | "attribute" if !there => Err(not_found()),
        "event" | "attribute" | "tag_collection" => Ok(draw(request, &galaxy, &counts)),
        _ => Err(Failure::NotAllowed("Invalid options.".into())),
    }
}

fn no_matrix() -> Failure {
    Failure::NotAllowed("Galaxy cannot be represented as a matrix".into())
}

/// The galaxy whose matrix is meant where none is named.
fn attack(r: &mut Reader<'_>) -> Result<Option<GalaxyRow>, pisax_store::Error> {
    Ok(r.galaxies()?.into_iter().filter(|g| g.kind == KIND).max_by_key(|g| g.version))
}

/// The kind of a galaxy with its clusters.
type Drawn = (String, Vec<ClusterRow>);

fn clusters_of(r: &mut Reader<'_>, galaxy: Option<GalaxyRow>) -> Result<Drawn, pisax_store::Error> {
    Ok(match galaxy {
        Some(galaxy) => (galaxy.kind, r.clusters(galaxy.id)?),
        None => (KIND.to_owned(), Vec::new()),
    })
}

/// How often an event and the living attributes in it that the reader sees carry each tag.
fn tags_in(r: &mut Reader<'_>, event: &Event) -> Result<FxHashMap<String, i64>, pisax_store::Error> {
    let mut counts = FxHashMap::default();
    let mut count = |tags: FxHashMap<i64, Vec<Attached>>| {
        for attached in tags.into_values().flatten().filter(|attached| attached.tag.exportable) {
            *counts.entry(attached.tag.name).or_default() += 1;
        }
    };
    count(r.event_tags(&[event.id])?);
    let mut after = 0;
    loop {
        let batch = r.event_attributes(event, LIVING, after, BATCH)?;
        let Some(last) = batch.last_id() else { break };
        after = last;
        count(r.attribute_tags(&batch.ids())?);
    }
    let mut after = 0;
    loop {
        let objects = r.event_objects(event, LIVING, after, BATCH)?;
        let Some(last) = objects.last() else { break };
        after = last.id;
        let ids: Vec<i64> = objects.iter().map(|object| object.id).collect();
        let batch = r.object_attributes(event, LIVING, &ids)?;
        count(r.attribute_tags(&batch.ids())?);
    }
    Ok(counts)
}

fn draw(request: &Request, galaxy: &Drawn, counts: &FxHashMap<String, i64>) -> Answer {
    let (kind, clusters) = galaxy;
    let score = |cluster: &ClusterRow| counts.get(&cluster.tag_name).copied().unwrap_or(0);
    let mut tabs: Vec<(String, Columns<'_>)> = Vec::new();
    for cluster in clusters {
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
    document(|w| {
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
                    member(w, "type", kind);
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
    })
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
