//! `/events/getEventGraph…`: an event as nodes and edges, for who draws it. Shapes as MISP's graph takes them.

use crate::answer::{Answer, Sink};
use crate::event_walk::{Draw, Held, Leaves, walk};
use crate::events::find;
use crate::failure::Failure;
use crate::reply::{document, member, number_member};
use crate::request::{Request, text};
use pisax_model::attribute::AttributeView;
use pisax_model::ids::Ref;
use pisax_model::tag::Tag;
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;
use pisax_wire::attribute_out::{AttributeContext, write_event_attribute};
use pisax_wire::object_out::write_reference;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What nodes are joined by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Edges {
    References,
    Tags,
    /// The value of one of [`KEYS`].
    Key(&'static str),
}

/// Columns of an attribute that a graph can be drawn around.
const KEYS: [&str; 10] =
    ["event_id", "distribution", "category", "type", "value", "comment", "uuid", "to_ids", "timestamp", "id"];

/// GET|POST /events/getEventGraphReferences/{id}
pub(crate) fn references(request: &Request) -> Result<Answer, Failure> {
    draw(request, Edges::References)
}

/// GET|POST /events/getEventGraphTags/{id}
pub(crate) fn tags(request: &Request) -> Result<Answer, Failure> {
    draw(request, Edges::Tags)
}

/// POST /events/getEventGraphGeneric/{id} `{keyType}`
pub(crate) fn generic(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Event")?;
    let named = request.path.named("keyType").map(str::to_owned).or_else(|| text(&sent, "keyType"));
    let key = KEYS.iter().find(|key| named.as_deref() == Some(**key));
    draw(request, Edges::Key(key.copied().unwrap_or("type")))
}

/// GET /events/getReferenceData/{uuid}: one reference between records
pub(crate) fn reference_data(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, "Invalid object reference")?;
    let found = request.service.read(&request.actor, |r| {
        let found = match reference {
            Ref::Uuid(_) => r.reference(reference)?,
            Ref::Id(_) => None,
        };
        let Some(found) = found else { return Ok(None) };
        // Of one whose target he does not see the reader is not told, as in the event.
        let target = [found.referenced_id];
        let seen = match found.to_object {
            true => !r.objects_by_ids(&target)?.is_empty(),
            false => !r.attributes_by_ids(&target)?.is_empty(),
        };
        Ok(seen.then_some(found))
    })?;
    Ok(document(|w| {
        w.begin_object();
        w.key("items");
        w.begin_array();
        if let Some(reference) = &found {
            w.begin_object();
            w.key("ObjectReference");
            write_reference(w, reference, None);
            w.end_object();
        }
        w.end_array();
        w.end_object();
    }))
}

fn draw(request: &Request, edges: Edges) -> Result<Answer, Failure> {
    let event = find(request, request.reference(0, body::INVALID_EVENT)?)?;
    let (service, actor) = (Arc::clone(&request.service), request.actor.clone());
    Ok(Answer::stream(move |sink: &mut Sink| {
        let mut graph = Graph::new(edges);
        sink.buffer().extend_from_slice(b"{\"items\":[");
        walk(&service, &actor, &event, &mut graph, sink)?;
        graph.finish(sink);
        Ok(())
    }))
}

struct Graph {
    edges: Edges,
    first: bool,
    /// The edges so far, as JSON with commas between.
    relations: Vec<u8>,
    drawn: usize,
    tags: BTreeMap<String, Tag>,
    keys: BTreeMap<String, ()>,
    object_relations: BTreeMap<String, ()>,
}

/// An edge between two nodes, named by their ids.
struct Edge<'e> {
    id: &'e str,
    uuid: Option<pisax_model::Uuid>,
    from: &'e str,
    to: &'e str,
    kind: &'e str,
    comment: &'e str,
}

impl Graph {
    fn new(edges: Edges) -> Self {
        Self {
            edges,
            first: true,
            relations: Vec::new(),
            drawn: 0,
            tags: BTreeMap::new(),
            keys: BTreeMap::new(),
            object_relations: BTreeMap::new(),
        }
    }

    fn node<'s>(&mut self, sink: &'s mut Sink) -> JsonWriter<'s> {
        if !std::mem::take(&mut self.first) {
            sink.buffer().push(b',');
        }
        JsonWriter::new(sink.buffer())
    }

    fn leaf(&mut self, attribute: &AttributeView<'_>, sink: &mut Sink) {
        let mut w = self.node(sink);
        w.begin_object();
        number_member(&mut w, "id", attribute.id);
        w.key("uuid");
        w.uuid(attribute.uuid);
        member(&mut w, "type", attribute.kind.name());
        member(&mut w, "label", &attribute.value());
        number_member(&mut w, "event_id", attribute.event_id);
        member(&mut w, "node_type", "attribute");
        member(&mut w, "comment", attribute.comment);
        w.end_object();
    }

    fn edge(&mut self, edge: &Edge<'_>) {
        if !self.relations.is_empty() {
            self.relations.push(b',');
        }
        self.drawn += 1;
        let mut w = JsonWriter::new(&mut self.relations);
        w.begin_object();
        member(&mut w, "id", edge.id);
        if let Some(uuid) = edge.uuid {
            w.key("uuid");
            w.uuid(uuid);
        }
        member(&mut w, "from", edge.from);
        member(&mut w, "to", edge.to);
        member(&mut w, "type", edge.kind);
        member(&mut w, "comment", edge.comment);
        w.end_object();
    }

    /// An edge of this drawing's own making.
    fn join(&mut self, from: &str, to: &str, kind: &str) {
        let id = format!("edge_id_{}", self.drawn);
        self.edge(&Edge { id: &id, uuid: None, from, to, kind, comment: "" });
    }

    fn join_tags(&mut self, attribute: &AttributeView<'_>, leaves: &Leaves) {
        for attached in leaves.tags_of(attribute.id) {
            let kind = attached.relationship_type.as_deref().unwrap_or_default();
            self.join(&attribute.id.to_string(), &attached.tag.name, kind);
            self.tags.entry(attached.tag.name.clone()).or_insert_with(|| attached.tag.clone());
        }
    }

    fn join_key(&mut self, from: &str, attribute: &AttributeView<'_>, key: &'static str) {
        let value = key_value(attribute, key);
        self.join(from, &format!("keyType_{value}"), "");
        self.keys.insert(value, ());
    }

    fn finish(mut self, sink: &mut Sink) {
        for (name, tag) in std::mem::take(&mut self.tags) {
            let mut w = self.node(sink);
            w.begin_object();
            member(&mut w, "id", &name);
            number_member(&mut w, "uuid", tag.id);
            for (key, value) in [("type", "tag"), ("label", name.as_str()), ("node_type", "tag")] {
                member(&mut w, key, value);
            }
            w.key("tagContent");
            w.begin_object();
            number_member(&mut w, "id", tag.id);
            member(&mut w, "name", &tag.name);
            member(&mut w, "colour", &tag.colour);
            w.end_object();
            w.end_object();
        }
        for (value, ()) in std::mem::take(&mut self.keys) {
            let mut w = self.node(sink);
            w.begin_object();
            member(&mut w, "id", &format!("keyType_{value}"));
            for (key, text) in [("type", "keyType"), ("label", value.as_str()), ("node_type", "keyType")] {
                member(&mut w, key, text);
            }
            w.end_object();
        }
        sink.buffer().extend_from_slice(b"],\"relations\":[");
        sink.buffer().extend_from_slice(&self.relations);
        sink.buffer().push(b']');
        let mut w = JsonWriter::after_member(sink.buffer());
        w.key("available_pivot_key");
        w.begin_array();
        KEYS.iter().for_each(|key| w.str(key));
        w.end_array();
        w.key("existing_object_relation");
        w.begin_object();
        for relation in self.object_relations.keys() {
            w.key(relation);
            w.int(0);
        }
        w.end_object();
        w.end_object();
    }
}

/// The value of a column as the label of its node.
fn key_value(attribute: &AttributeView<'_>, key: &'static str) -> String {
    match key {
        "event_id" => attribute.event_id.to_string(),
        "distribution" => attribute.distribution.to_string(),
        "category" => attribute.category.name().to_owned(),
        "value" => attribute.value().into_owned(),
        "comment" => attribute.comment.to_owned(),
        "uuid" => attribute.uuid.to_string(),
        "to_ids" => attribute.to_ids.to_string(),
        "timestamp" => attribute.timestamp.to_string(),
        "id" => attribute.id.to_string(),
        _ => attribute.kind.name().to_owned(),
    }
}

impl Draw for Graph {
    fn attribute(&mut self, attribute: &AttributeView<'_>, leaves: &Leaves, sink: &mut Sink) {
        self.leaf(attribute, sink);
        match self.edges.clone() {
            Edges::References => {}
            Edges::Tags => self.join_tags(attribute, leaves),
            Edges::Key(key) => self.join_key(&attribute.id.to_string(), attribute, key),
        }
    }

    fn object(&mut self, held: &Held<'_>, sink: &mut Sink) {
        let object = held.object;
        let own = format!("o-{}", object.id);
        let mut w = self.node(sink);
        w.begin_object();
        member(&mut w, "id", &own);
        w.key("uuid");
        w.uuid(object.uuid);
        member(&mut w, "type", &object.name);
        member(&mut w, "label", "");
        w.key("Attribute");
        w.begin_array();
        for attribute in held.attributes() {
            let tags = held.leaves.tags_of(attribute.id);
            let context = AttributeContext { tags, ..AttributeContext::default() };
            write_event_attribute(&mut w, &attribute, &context);
        }
        w.end_array();
        member(&mut w, "node_type", "object");
        member(&mut w, "meta-category", &object.meta_category);
        member(&mut w, "template_uuid", &object.template_uuid);
        number_member(&mut w, "event_id", object.event_id);
        member(&mut w, "comment", &object.comment);
        w.end_object();
        for attribute in held.attributes() {
            self.object_relations.insert(attribute.object_relation.unwrap_or_default().to_owned(), ());
            match self.edges.clone() {
                Edges::Tags if !held.leaves.tags_of(attribute.id).is_empty() => {
                    self.leaf(&attribute, sink);
                    self.join(&own, &attribute.id.to_string(), "");
                    self.join_tags(&attribute, held.leaves);
                }
                Edges::Key(key) => self.join_key(&own, &attribute, key),
                Edges::Tags | Edges::References => {}
            }
        }
        if self.edges == Edges::References {
            for reference in held.references.seen(object.id) {
                let to = match reference.to_object {
                    true => format!("o-{}", reference.referenced_id),
                    false => reference.referenced_id.to_string(),
                };
                self.edge(&Edge {
                    id: &reference.id.to_string(),
                    uuid: Some(reference.uuid),
                    from: &own,
                    to: &to,
                    kind: &reference.relationship_type,
                    comment: &reference.comment,
                });
            }
        }
    }
}
