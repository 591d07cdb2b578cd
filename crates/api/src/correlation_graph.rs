//! POST /events/updateGraph: what an event has in common with others, as nodes and links; the drawing that is sent
//! grows by what was asked for.

use crate::answer::Answer;
use crate::event_writer::org_summary;
use crate::failure::Failure;
use crate::galaxies::Expanded;
use crate::request::Request;
use pisax_formats::knowledge::stored;
use pisax_model::attribute::AttributeView;
use pisax_model::event::Event;
use pisax_model::filter::{Filter, Order, Scope, SortKey, Terms};
use pisax_model::ids::Ref;
use pisax_model::tag::{Attached, Tag};
use pisax_store::Reader;
use pisax_store::attributes::{Batch, Wanted};
use pisax_store::clusters::ClusterRow;
use pisax_store::knowledge::GalaxyRow;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value, json};

/// A drawing grows no further than this, and a larger one is not read.
const MOST_NODES: usize = 5000;
const MOST_LINKS: usize = 20_000;
/// Events that a tag or cluster is joined with, the newest.
const EVENTS: i64 = 500;
/// Attributes or objects read at a time.
const BATCH: i64 = 500;
const LIVING: Wanted = Wanted { living: true, deleted: false };
/// How long links are drawn.
const NEAR: i64 = 50;
const USUAL: i64 = 100;
const FAR: i64 = 150;

/// POST /events/updateGraph/{id}[/{event|galaxy|tag}] `{nodes, links}`
pub(crate) fn update(request: &Request) -> Result<Answer, Failure> {
    let reference = request.path.arg(0).and_then(Ref::parse).ok_or(Failure::NotFound("Invalid event"))?;
    let mut graph = Graph::read(request.value()?)?;
    let most = request.shown_correlations();
    let kind = request.path.arg(1).unwrap_or("event");
    if !matches!(kind, "event" | "galaxy" | "tag") {
        return Err(Failure::NotAllowed("Invalid type.".into()));
    }
    request.service.read(&request.actor, |r| {
        match kind {
            "galaxy" => graph.cluster(r, reference)?,
            "tag" => graph.tag(r, reference)?,
            _ => graph.event(r, reference, most)?,
        }
        Ok(())
    })?;
    Ok(Answer::json(graph.into_value().to_string().into_bytes()))
}

type Stored<T> = Result<T, pisax_store::Error>;

#[derive(Default)]
struct Graph {
    nodes: Vec<Value>,
    links: Vec<(usize, usize, i64)>,
    /// Where a node stands, by its `unique_id`; attributes stand once for each value.
    places: FxHashMap<String, usize>,
    joined: FxHashSet<(usize, usize)>,
}

fn key(node: &Value) -> Option<String> {
    let text = |name: &str| node.get(name).and_then(Value::as_str);
    match text("type")? {
        "attribute" => Some(format!("attribute={}", text("name")?)),
        _ => text("unique_id").map(str::to_owned),
    }
}

impl Graph {
    /// A drawing as a client has it: its links name nodes by place, or are the nodes themselves.
    fn read(sent: Value) -> Result<Self, Failure> {
        let list = |name: &str| sent.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let (nodes, links) = (list("nodes"), list("links"));
        if nodes.len() > MOST_NODES || links.len() > MOST_LINKS {
            let message = format!("Expected at most {MOST_NODES} nodes and {MOST_LINKS} links.");
            return Err(Failure::Unreadable { field: "nodes".into(), message });
        }
        let mut graph = Self::default();
        for node in nodes {
            if let Some(key) = key(&node) {
                graph.places.entry(key).or_insert(graph.nodes.len());
            }
            graph.nodes.push(node);
        }
        for link in links {
            let end = |name: &str| match link.get(name)? {
                Value::Number(place) => {
                    place.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n < graph.nodes.len())
                }
                node => graph.places.get(&key(node)?).copied(),
            };
            let distance = link.get("linkDistance").and_then(Value::as_i64).unwrap_or(FAR);
            if let (Some(source), Some(target)) = (end("source"), end("target")) {
                graph.join(source, target, distance);
            }
        }
        Ok(graph)
    }

    fn into_value(self) -> Value {
        let link = |(source, target, distance): &(usize, usize, i64)| json!({ "source": source, "target": target, "linkDistance": distance });
        let links: Vec<Value> = self.links.iter().map(link).collect();
        json!({ "nodes": self.nodes, "links": links })
    }

    fn join(&mut self, from: usize, to: usize, distance: i64) {
        let ends = (from.min(to), from.max(to));
        if self.links.len() < MOST_LINKS && self.joined.insert(ends) {
            self.links.push((from, to, distance));
        }
    }

    /// The place of a node that is there, or of this new one; none once the drawing is full.
    fn place(&mut self, node: Value) -> Option<usize> {
        let key = key(&node)?;
        if let Some(place) = self.places.get(&key) {
            return Some(*place);
        }
        if self.nodes.len() >= MOST_NODES {
            return None;
        }
        self.nodes.push(node);
        self.places.insert(key, self.nodes.len() - 1);
        Some(self.nodes.len() - 1)
    }

    /// A node whose neighbours are about to be drawn.
    fn expanded(&mut self, node: Value) -> Option<usize> {
        let place = self.place(node)?;
        if let Some(Value::Object(members)) = self.nodes.get_mut(place) {
            members.insert("expanded".into(), 1.into());
        }
        Some(place)
    }

    fn event(&mut self, r: &mut Reader<'_>, reference: Ref, most: usize) -> Stored<()> {
        let Some(event) = r.event(reference)? else { return Ok(()) };
        let node = event_node(r, &event)?;
        let Some(own) = self.expanded(node) else { return Ok(()) };
        let mut tags = r.event_tags(&[event.id])?.remove(&event.id).unwrap_or_default();
        tags.retain(|attached| attached.tag.exportable);
        self.tags(r, &tags, own)?;
        let known = Expanded::load(r, tags.iter())?;
        for (galaxy, cluster) in known.found(&tags) {
            if let Some(place) = self.place(cluster_node(galaxy, cluster)) {
                self.join(own, place, FAR);
            }
        }
        let mut after = 0;
        loop {
            let objects = r.event_objects(&event, LIVING, after, BATCH)?;
            let Some(last) = objects.last() else { break };
            after = last.id;
            let ids: Vec<i64> = objects.iter().map(|object| object.id).collect();
            let batch = r.object_attributes(&event, LIVING, &ids)?;
            let related = Related::load(r, &batch, most)?;
            for object in &objects {
                let inside: Vec<_> = batch.iter().filter(|a| a.object_id == object.id).collect();
                if !inside.iter().any(|attribute| related.pairs.contains_key(&attribute.id)) {
                    continue;
                }
                let node = json!({
                    "unique_id": format!("object-{}", object.id), "name": object.name, "type": "object",
                    "id": object.id.to_string(), "uuid": object.uuid.to_string(),
                    "metacategory": object.meta_category, "description": object.description,
                    "comment": object.comment, "imgClass": "th-list",
                });
                let Some(place) = self.place(node) else { return Ok(()) };
                self.join(own, place, FAR);
                for attribute in &inside {
                    self.attribute(r, attribute, place, NEAR, &related)?;
                }
            }
        }
        let mut after = 0;
        loop {
            let batch = r.event_attributes(&event, LIVING, after, BATCH)?;
            let Some(last) = batch.last_id() else { return Ok(()) };
            after = last;
            let related = Related::load(r, &batch, most)?;
            for attribute in batch.iter().filter(|attribute| related.pairs.contains_key(&attribute.id)) {
                self.attribute(r, &attribute, own, FAR, &related)?;
            }
        }
    }

    fn attribute(
        &mut self,
        r: &mut Reader<'_>,
        attribute: &AttributeView<'_>,
        anchor: usize,
        distance: i64,
        related: &Related,
    ) -> Stored<()> {
        let node = json!({
            "unique_id": format!("attribute-{}", attribute.id), "name": attribute.value(),
            "type": "attribute", "id": attribute.id.to_string(), "uuid": attribute.uuid.to_string(),
            "att_category": attribute.category.name(), "att_type": attribute.kind.name(), "image": "",
            "att_ids": attribute.to_ids, "comment": attribute.comment,
        });
        let Some(place) = self.place(node) else { return Ok(()) };
        self.join(anchor, place, distance);
        for event in related.pairs.get(&attribute.id).into_iter().flatten() {
            let Some(event) = related.events.get(event) else { continue };
            let node = event_node(r, event)?;
            if let Some(other) = self.place(node) {
                self.join(place, other, FAR);
            }
        }
        Ok(())
    }

    /// Tags of a taxonomy or of nobody's; those of clusters are drawn as clusters.
    fn tags(&mut self, r: &mut Reader<'_>, tags: &[Attached], anchor: usize) -> Stored<()> {
        for attached in tags.iter().filter(|attached| !attached.tag.is_galaxy) {
            let node = tag_node(r, &attached.tag)?;
            if let Some(place) = self.place(node) {
                self.join(anchor, place, USUAL);
            }
        }
        Ok(())
    }

    fn tag(&mut self, r: &mut Reader<'_>, reference: Ref) -> Stored<()> {
        let tag = match reference {
            Ref::Id(id) => r.tag(id)?,
            Ref::Uuid(_) => None,
        };
        let Some(tag) = tag else { return Ok(()) };
        let node = tag_node(r, &tag)?;
        let Some(own) = self.expanded(node) else { return Ok(()) };
        self.events_with(r, &tag, own, USUAL)
    }

    fn cluster(&mut self, r: &mut Reader<'_>, reference: Ref) -> Stored<()> {
        let Some(cluster) = r.cluster(reference)? else { return Ok(()) };
        let galaxy = r.galaxies_by_ids(&[cluster.galaxy_id])?.remove(&cluster.galaxy_id);
        let Some(galaxy) = galaxy else { return Ok(()) };
        let Some(own) = self.expanded(cluster_node(&galaxy, &cluster)) else { return Ok(()) };
        match r.tag_named(&cluster.tag_name)? {
            Some(tag) => self.events_with(r, &tag, own, FAR),
            None => Ok(()),
        }
    }

    fn events_with(&mut self, r: &mut Reader<'_>, tag: &Tag, own: usize, distance: i64) -> Stored<()> {
        if !tag.exportable {
            return Ok(());
        }
        let mut filter = Filter { event_tags: Terms::one(tag.id.to_string()), ..Filter::new() };
        filter.order = vec![Order { key: SortKey::Id, descending: true }];
        filter.limit = Some(EVENTS);
        let ids = r.find(Scope::Events, &filter)?;
        let ids = crate::restsearch::page(&filter, ids);
        for event in r.events_by_ids(&ids)? {
            let node = event_node(r, &event)?;
            if let Some(place) = self.place(node) {
                self.join(own, place, distance);
            }
        }
        Ok(())
    }
}

/// Events that the attributes of a batch correlate with.
struct Related {
    pairs: FxHashMap<i64, Vec<i64>>,
    events: FxHashMap<i64, Event>,
}

impl Related {
    fn load(r: &mut Reader<'_>, batch: &Batch, most: usize) -> Stored<Self> {
        let mut pairs = r.correlations(batch, most)?;
        pairs.truncate(most);
        let ids: Vec<i64> = pairs.iter().map(|pair| pair.their_event).collect();
        let events = r.events_by_ids(&ids)?.into_iter().map(|event| (event.id, event)).collect();
        let mut by_ours: FxHashMap<i64, Vec<i64>> = FxHashMap::default();
        for pair in pairs {
            by_ours.entry(pair.ours).or_default().push(pair.their_event);
        }
        Ok(Self { pairs: by_ours, events })
    }
}

fn event_node(r: &mut Reader<'_>, event: &Event) -> Stored<Value> {
    let names = r.org_names(&[event.orgc_id])?;
    let short = match event.info.char_indices().nth(31) {
        Some((end, _)) if event.info.chars().count() > 32 => format!("{}...", &event.info[..end]),
        _ => event.info.clone(),
    };
    let word = |list: &[&'static str], code: i64| {
        usize::try_from(code).ok().and_then(|at| list.get(at).copied()).unwrap_or_default()
    };
    let distributions = [
        "Your organisation only",
        "This community only",
        "Connected communities",
        "All communities",
        "Sharing group",
    ];
    Ok(json!({
        "unique_id": format!("event-{}", event.id), "name": format!("({}) {short}", event.id),
        "type": "event", "id": event.id.to_string(), "expanded": 0, "uuid": event.uuid.to_string(),
        "image": "", "info": event.info, "org": org_summary(&names, event.orgc_id).name,
        "analysis": word(&["Initial", "Ongoing", "Completed"], event.analysis),
        "distribution": word(&distributions, event.distribution), "date": event.date,
    }))
}

fn tag_node(r: &mut Reader<'_>, tag: &Tag) -> Stored<Value> {
    let mut node = Map::new();
    node.insert("unique_id".into(), format!("tag-{}", tag.id).into());
    node.insert("name".into(), tag.name.clone().into());
    node.insert("type".into(), "tag".into());
    node.insert("expanded".into(), 0.into());
    node.insert("id".into(), tag.id.to_string().into());
    node.insert("colour".into(), tag.colour.clone().into());
    let namespace = tag.name.split_once(':').map(|(namespace, _)| namespace);
    let taxonomy = match namespace {
        Some(namespace) => r.taxonomy_of(namespace)?,
        None => None,
    };
    node.insert("imgClass".into(), if taxonomy.is_some() { "tags" } else { "tag" }.into());
    if let Some(row) = taxonomy {
        let read = stored::read_taxonomy(&row.body).ok();
        let expanded = read.as_ref().and_then(|taxonomy| {
            taxonomy
                .tags()
                .find(|known| known.name.eq_ignore_ascii_case(&tag.name))
                .map(|known| known.expanded)
        });
        node.insert("taxonomy".into(), row.namespace.into());
        node.insert("description".into(), expanded.unwrap_or_default().into());
        node.insert("taxonomy_description".into(), row.description.into());
    }
    Ok(Value::Object(node))
}

fn cluster_node(galaxy: &GalaxyRow, cluster: &ClusterRow) -> Value {
    let synonyms = stored::read_meta(&cluster.meta).into_iter().find(|(key, _)| key == "synonyms");
    json!({
        "unique_id": format!("galaxy-{}", cluster.id), "name": cluster.value, "galaxy": galaxy.name,
        "type": "galaxy", "expanded": 0, "id": cluster.id.to_string(), "source": cluster.source,
        "tag_name": cluster.tag_name, "description": cluster.description,
        "imgClass": if galaxy.icon.is_empty() { "globe" } else { &galaxy.icon },
        "authors": stored::read_texts(&cluster.authors).join(","),
        "synonyms": synonyms.map(|(_, words)| words.join(",")).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_is_read_whatever_its_links_name() {
        let (one, two) =
            (json!({"type": "event", "unique_id": "event-1"}), json!({"type": "tag", "unique_id": "tag-1"}));
        for links in [
            json!([{"source": 0, "target": 1, "linkDistance": 7}]),
            json!([{"source": one, "target": two, "linkDistance": 7}, {"source": 1, "target": 0}]),
            json!([{"source": 0, "target": 9}, {"source": "x", "target": null}, 3, {"source": 0, "target": 1, "linkDistance": 7}]),
        ] {
            let graph = Graph::read(json!({"nodes": [one, two], "links": links})).unwrap();
            assert_eq!(graph.into_value()["links"], json!([{"source": 0, "target": 1, "linkDistance": 7}]));
        }
        assert_eq!(Graph::read(Value::Null).unwrap().into_value(), json!({"nodes": [], "links": []}));
        let many = vec![json!({}); MOST_NODES + 1];
        assert!(Graph::read(json!({ "nodes": many })).is_err());
    }
}
