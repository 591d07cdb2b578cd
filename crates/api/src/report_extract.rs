//! `/eventReports/…`: what the text of a report points at, and what is found in it.

use crate::answer::{Answer, Sink};
use crate::event_walk::{Draw, Held, Leaves, walk};
use crate::failure::{Failure, Saving};
use crate::reply::{document, member, number_member, wrapped};
use crate::reports::{INVALID, shelf, unauthorised};
use crate::request::{Request, flag, text};
use pisax_model::AttributeType;
use pisax_model::attribute::AttributeView;
use pisax_model::freetext;
use pisax_model::ids::Ref;
use pisax_model::report::{MAX_SEARCHED_BYTES, without_references};
use pisax_model::tag::Attached;
use pisax_service::Error;
use pisax_service::report::{self as service, Extraction};
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;
use pisax_wire::attribute_out::{AttributeContext, write_event_attribute};
use pisax_wire::object_out::write_object_head;
use std::collections::BTreeMap;
use std::sync::Arc;

/// POST /eventReports/extractAllFromReport/{id} `{tag_event}`
pub(crate) fn extract_all(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let sent = request.unwrapped("EventReport")?;
    let how = Extraction { tag_event: flag(&sent, "tag_event").unwrap_or(false) };
    let id = service::extract(&request.service, &request.actor, reference, how).map_err(|e| match e {
        Error::Invalid(errors) => {
            Failure::Invalid { action: "applySuggestions", model: "EventReport", errors, id: None }
        }
        Error::Stale(_) => Failure::NotSaved {
            action: "applySuggestions",
            model: "EventReport",
            reason: "The report was changed meanwhile: try again.".into(),
            id: None,
        },
        other => unauthorised(request)(other),
    })?;
    let shelf = shelf(request, Ref::Id(id))?;
    Ok(wrapped("report", |w| shelf.write_first(w)))
}

/// GET /eventReports/extractFromReport/{id}: what would be found; nothing is changed
pub(crate) fn preview(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let found = request.service.read(&request.actor, |r| Ok(r.report(reference)?))?;
    let report = found.ok_or(Failure::NotFound(INVALID))?;
    if report.content.len() > MAX_SEARCHED_BYTES {
        return Err(Failure::BadRequest("The report is longer than 1 MiB, which is too long.".into()));
    }
    let candidates = freetext::parse(&without_references(&report.content));
    let mut categories: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for kind in candidates.iter().flat_map(|c| &c.types) {
        categories.entry(kind.name()).or_insert_with(|| names(*kind));
    }
    Ok(document(|w| {
        w.begin_object();
        w.key("complexTypeToolResult");
        w.begin_array();
        candidates.iter().for_each(|candidate| write_candidate(w, candidate));
        w.end_array();
        w.key("typeToCategoryMapping");
        w.begin_object();
        for (kind, categories) in &categories {
            w.key(kind);
            w.begin_array();
            categories.iter().for_each(|category| w.str(category));
            w.end_array();
        }
        w.end_object();
        w.key("replacementValues");
        w.raw(b"[]");
        w.key("replacementContext");
        w.raw(b"[]");
        w.end_object();
    }))
}

fn names(kind: AttributeType) -> Vec<&'static str> {
    kind.categories().map(|category| category.name()).collect()
}

fn write_candidate(w: &mut JsonWriter<'_>, candidate: &freetext::Candidate) {
    w.begin_object();
    member(w, "value", &candidate.value);
    member(w, "original_value", &candidate.original_value);
    member(w, "default_type", candidate.default_type.name());
    w.key("types");
    w.begin_array();
    candidate.types.iter().for_each(|kind| w.str(kind.name()));
    w.end_array();
    member(w, "default_category", candidate.default_type.default_category().name());
    w.key("to_ids");
    w.bool(candidate.default_type.default_to_ids());
    w.end_object();
}

/// POST /eventReports/importReportFromUrl/{event} `{url}`: the page as a new report
pub(crate) fn import_from_url(request: &Request) -> Result<Answer, Failure> {
    let event = request.reference(0, body::INVALID_EVENT)?;
    let sent = request.unwrapped("EventReport")?;
    let url = text(&sent, "url").filter(|url| !url.trim().is_empty());
    let url = url.ok_or_else(|| Failure::NotAllowed("A URL must be provided".into()))?;
    let added = service::import_from_url(&request.service, &request.actor, event, &url);
    let shelf = shelf(request, Ref::Id(added.saving("addFromURL", "EventReport")?))?;
    Ok(document(|w| shelf.write_first(w)))
}

/// GET /eventReports/getProxyMISPElements/{id}: the attributes and objects of the report's event by uuid, its
/// tags by name.
pub(crate) fn proxy_elements(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let found = request.service.read(&request.actor, |r| match r.report(reference)? {
        Some(report) => Ok(r.event(Ref::Id(report.event_id))?),
        None => Ok(None),
    })?;
    let event = found.ok_or(Failure::NotFound(INVALID))?;
    let (service, actor) = (Arc::clone(&request.service), request.actor.clone());
    Ok(Answer::stream(move |sink: &mut Sink| {
        let own = service.read(&actor, |r| Ok(r.event_tags(&[event.id])?))?;
        let mut elements = Elements { part: Part::Attributes, tags: BTreeMap::new(), first: true };
        elements.keep(own.into_values().flatten().filter(|t| t.tag.exportable));
        sink.buffer().extend_from_slice(b"{\"attribute\":{");
        walk(&service, &actor, &event, &mut elements, sink)?;
        sink.buffer().extend_from_slice(b"},\"object\":{");
        (elements.part, elements.first) = (Part::Objects, true);
        walk(&service, &actor, &event, &mut elements, sink)?;
        sink.buffer().extend_from_slice(b"},\"objectTemplates\":[],\"galaxymatrix\":[],\"tagname\":{");
        elements.write_tags(sink);
        sink.buffer().extend_from_slice(b"}}");
        Ok(())
    }))
}

/// What is being written: every attribute, those in objects among them, or every object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Attributes,
    Objects,
}

struct Elements {
    part: Part,
    tags: BTreeMap<String, Attached>,
    first: bool,
}

impl Elements {
    fn keep(&mut self, tags: impl Iterator<Item = Attached>) {
        for attached in tags {
            self.tags.entry(attached.tag.name.clone()).or_insert(attached);
        }
    }

    fn key(&mut self, uuid: pisax_model::Uuid, sink: &mut Sink) {
        if !std::mem::take(&mut self.first) {
            sink.buffer().push(b',');
        }
        sink.buffer().extend_from_slice(format!("\"{uuid}\":").as_bytes());
    }

    fn write_tags(&self, sink: &mut Sink) {
        let mut w = JsonWriter::new(sink.buffer());
        for (name, attached) in &self.tags {
            let tag = &attached.tag;
            w.key(name);
            w.begin_object();
            number_member(&mut w, "id", tag.id);
            member(&mut w, "name", &tag.name);
            member(&mut w, "colour", &tag.colour);
            w.key("is_galaxy");
            w.bool(tag.is_galaxy);
            w.end_object();
        }
    }
}

impl Draw for Elements {
    fn attribute(&mut self, attribute: &AttributeView<'_>, leaves: &Leaves, sink: &mut Sink) {
        if self.part == Part::Attributes {
            self.key(attribute.uuid, sink);
            let tags = leaves.tags_of(attribute.id);
            let context = AttributeContext { tags, ..AttributeContext::default() };
            write_event_attribute(&mut JsonWriter::new(sink.buffer()), attribute, &context);
            self.keep(tags.iter().cloned());
        }
    }

    fn object(&mut self, held: &Held<'_>, sink: &mut Sink) {
        if self.part == Part::Attributes {
            for attribute in held.attributes() {
                self.attribute(&attribute, held.leaves, sink);
            }
            return;
        }
        self.key(held.object.uuid, sink);
        write_object_head(&mut JsonWriter::new(sink.buffer()), held.object);
        sink.buffer().extend_from_slice(b",\"ObjectReference\":[");
        held.references.write(held.object.id, sink);
        sink.buffer().extend_from_slice(b"],\"Attribute\":[");
        for (i, attribute) in held.attributes().enumerate() {
            if i > 0 {
                sink.buffer().push(b',');
            }
            let tags = held.leaves.tags_of(attribute.id);
            let context = AttributeContext { tags, ..AttributeContext::default() };
            write_event_attribute(&mut JsonWriter::new(sink.buffer()), &attribute, &context);
        }
        sink.buffer().extend_from_slice(b"]}");
    }
}
