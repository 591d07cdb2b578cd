//! What changed, as MISP's messages: topic, space, JSON (MISP semantics 9.1).

use crate::answer::{Sink, Stop};
use crate::event_writer::{Shape, write_event};
use crate::failure::Failure;
use pisax_access::Actor;
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_service::Service;
use pisax_service::setting::ZeroMq;
use pisax_store::Reader;
use pisax_store::changes::{Action, Logged, Noun};
use pisax_wire::JsonWriter;
use pisax_wire::admin_out::{write_org_columns, write_published_sighting};
use pisax_wire::attribute_out::{AttributeContext, write_viewed_attribute};
use pisax_wire::object_out::write_object_head;
use pisax_wire::tag_out::write_tag_columns;

/// Changes read at a time.
const CHANGES: i64 = 200;

/// What was read, and the change it goes on after.
pub(super) struct Read {
    pub(super) messages: Vec<Vec<u8>>,
    pub(super) cursor: i64,
}

/// The number of the newest change.
pub(super) fn newest(service: &Service) -> Result<i64, Failure> {
    let actor = Actor::system("find the end of the change log");
    Ok(service.read(&actor, |r| Ok(r.newest_change()?))?)
}

/// The messages about what changed after `cursor`.
pub(super) fn after(service: &Service, cursor: i64, wanted: ZeroMq) -> Result<Read, Failure> {
    let actor = Actor::system("publish over ZeroMQ");
    let changes = service.read(&actor, |r| Ok(r.changes_after(cursor, CHANGES)?))?;
    let mut read = Read { messages: Vec::new(), cursor };
    for change in changes {
        read.cursor = change.seq;
        let about = About { service, actor: &actor, change: &change, wanted };
        match about.messages() {
            Ok(messages) => read.messages.extend(messages),
            // The rest is published all the same.
            Err(error) => tracing::error!(?error, seq = change.seq, "a change was not published"),
        }
    }
    Ok(read)
}

struct About<'a> {
    service: &'a Service,
    actor: &'a Actor,
    change: &'a Logged,
    wanted: ZeroMq,
}

impl About<'_> {
    fn is(&self, noun: Noun) -> bool {
        self.change.noun == noun as i64
    }

    fn did(&self, action: Action) -> bool {
        self.change.action == action as i64
    }

    fn messages(&self) -> Result<Vec<Vec<u8>>, Failure> {
        let mut messages = Vec::new();
        if self.is(Noun::Event) {
            if self.did(Action::Publish) || self.did(Action::Send) {
                messages.extend(self.whole_event()?);
            }
            if self.wanted.event && !self.did(Action::Send) {
                messages.push(self.summary("misp_json_event", "Event", |_, _| Ok(false))?);
            }
        } else if self.is(Noun::Attribute) && self.wanted.attribute {
            messages.push(self.summary("misp_json_attribute", "Attribute", |r, out| self.attribute(r, out))?);
        } else if self.is(Noun::Object) && self.wanted.object {
            messages.push(self.summary("misp_json_object", "Object", |r, out| self.object(r, out))?);
        } else if self.is(Noun::Org) && self.wanted.organisation {
            messages.push(self.summary("misp_json_organisation", "Organisation", |r, out| self.org(r, out))?);
        } else if (self.is(Noun::EventTag) || self.is(Noun::AttributeTag)) && self.wanted.tag {
            messages.extend(self.tag()?);
        } else if self.is(Noun::Sighting) && self.wanted.sighting {
            messages.push(self.summary("misp_json_sighting", "Sighting", |r, out| self.sighting(r, out))?);
        }
        Ok(messages)
    }

    fn is_attachment(&self) -> bool {
        self.is(Noun::EventTag) || self.is(Noun::AttributeTag)
    }

    /// The tag with what it was attached to or detached from; many at once are noted as a change of the event.
    fn tag(&self) -> Result<Option<Vec<u8>>, Failure> {
        let change = self.change;
        let attribute =
            change.fields.iter().find(|f| f.name == "attribute_id").and_then(|f| f.new.parse().ok());
        let tag = self.service.read(self.actor, |r| Ok(r.tag(change.record_id)?))?;
        let Some(tag) = tag else { return Ok(None) };
        self.summary("misp_json_tag", "Tag", |r, out| {
            let mut w = JsonWriter::new(out);
            write_tag_columns(&mut w, &tag);
            let Some(id) = attribute else { return Ok(true) };
            if let Some(batch) = r.attribute(Ref::Id(id))? {
                w.key("Attribute");
                write_viewed_attribute(&mut w, &batch.get(0), &AttributeContext::default());
            }
            Ok(true)
        })
        .map(Some)
    }

    fn org(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> pisax_service::Result<bool> {
        let Some(org) = r.org(Ref::Uuid(self.change.uuid))? else { return Ok(false) };
        write_org_columns(&mut JsonWriter::new(out), &org);
        Ok(true)
    }

    /// MISP's word for what happened.
    fn action(&self) -> &'static str {
        match self.change.action {
            _ if self.is_attachment() && self.did(Action::Add) => "attach",
            _ if self.is_attachment() => "detach",
            a if a == Action::Add as i64 => "add",
            a if a == Action::Delete as i64 => "delete",
            a if a == Action::SoftDelete as i64 => "soft-delete",
            a if a == Action::Publish as i64 => "publish",
            a if a == Action::Unpublish as i64 => "unpublish",
            _ => "edit",
        }
    }

    /// The event as a view shows it, if it is still there.
    fn whole_event(&self) -> Result<Option<Vec<u8>>, Failure> {
        let event = self.service.read(self.actor, |r| Ok(r.event(Ref::Id(self.change.event_id))?))?;
        let Some(event) = event else { return Ok(None) };
        let mut view = pisax_wire::read_event_view(b"", &[])?;
        view.include.with_attachments = self.wanted.include_attachments;
        let mut message = b"misp_json ".to_vec();
        message.extend(self.event_json(&event, Shape::new(view))?);
        Ok(Some(message))
    }

    fn event_json(&self, event: &Event, shape: Shape) -> Result<Vec<u8>, Failure> {
        let base = &self.service.policy.base_url;
        let mut sink = Sink::memory();
        let written = self.service.store.read(self.actor, |r| write_event(r, event, &shape, base, &mut sink));
        match written.and_then(|()| sink.into_bytes()) {
            Ok(json) => Ok(json),
            Err(Stop::Broken(failure)) => Err(failure),
            Err(Stop::Gone) => Err(Failure::Internal("a body in memory has no client to lose".into())),
        }
    }

    /// `topic {"Model":{…},"Event":{…},"action":…}`; a record that is gone is told by its uuid.
    fn summary(
        &self,
        topic: &str,
        model: &str,
        record: impl FnOnce(&mut Reader<'_>, &mut Vec<u8>) -> pisax_service::Result<bool>,
    ) -> Result<Vec<u8>, Failure> {
        let (event, own, there) = self.service.read(self.actor, |r| {
            let mut own = Vec::new();
            let there = record(r, &mut own)?;
            Ok((r.event(Ref::Id(self.change.event_id))?, own, there))
        })?;
        let mut message = format!("{topic} {{").into_bytes();
        let event = match event {
            Some(event) => {
                let mut view = pisax_wire::read_event_view(b"", &[])?;
                view.include.metadata = true;
                view.include.include_event_correlations = false;
                Some(self.event_json(&event, Shape::new(view))?)
            }
            None => None,
        };
        let is_event = model == "Event";
        if !(is_event && event.is_some()) {
            let mut w = JsonWriter::new(&mut message);
            w.key(model);
            if there {
                w.raw(&own);
            } else {
                w.begin_object();
                w.key("uuid");
                w.uuid(self.change.uuid);
                if is_event {
                    w.key("id");
                    w.str_num(self.change.event_id);
                }
                w.end_object();
            }
        }
        // `{"Event":{…}}` without its braces.
        if let Some(inner) = event.as_deref().and_then(|json| json.get(1..json.len().saturating_sub(1))) {
            if !is_event {
                message.push(b',');
            }
            message.extend_from_slice(inner);
        }
        let mut w = JsonWriter::after_member(&mut message);
        w.key("action");
        w.str(self.action());
        message.push(b'}');
        Ok(message)
    }

    fn attribute(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> pisax_service::Result<bool> {
        let Some(batch) = r.attribute(Ref::Uuid(self.change.uuid))? else { return Ok(false) };
        let attribute = batch.get(0);
        let tags = r.attribute_tags(&batch.ids())?.remove(&attribute.id).unwrap_or_default();
        let context = AttributeContext { tags: &tags, ..AttributeContext::default() };
        write_viewed_attribute(&mut JsonWriter::new(out), &attribute, &context);
        Ok(true)
    }

    fn object(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> pisax_service::Result<bool> {
        let Some(object) = r.object(Ref::Uuid(self.change.uuid))? else { return Ok(false) };
        write_object_head(&mut JsonWriter::new(out), &object);
        out.push(b'}');
        Ok(true)
    }

    fn sighting(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> pisax_service::Result<bool> {
        let Some(sighting) = r.sighting(Ref::Uuid(self.change.uuid))? else { return Ok(false) };
        write_published_sighting(&mut JsonWriter::new(out), &sighting);
        Ok(true)
    }
}
