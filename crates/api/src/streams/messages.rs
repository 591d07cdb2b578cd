//! What changed, as messages in MISP's shapes (semantics 9.1), as one reader may see it.
//!
//! Every stream takes its messages from here. A message holds what its reader sees of the record at the moment it is
//! written. One that is gone is told by its uuid, to those who saw it (`store/streams.rs`); one that the reader does
//! not see is not told at all.

use crate::answer::{Sink, Stop};
use crate::event_writer::{Shape, write_event};
use crate::failure::Failure;
use crate::logs::write_audit;
use crate::warninglists;
use pisax_access::{Actor, Permission};
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::stream::{Kind, Kinds};
use pisax_service::Service;
use pisax_store::Reader;
use pisax_store::audit::EntryQuery;
use pisax_store::changes::{Action, Logged, Noun};
use pisax_store::streams::Place;
use pisax_wire::JsonWriter;
use pisax_wire::admin_out::{UserShape, write_org_columns, write_published_sighting, write_user};
use pisax_wire::attribute_out::{AttributeContext, write_viewed_attribute};
use pisax_wire::object_out::{write_object_head, write_reference};
use pisax_wire::tag_out::write_tag_columns;

/// Changes read at a time.
pub(crate) const CHANGES: i64 = 200;
/// Bytes of messages after which no further change is read: what is held for a slow reader.
pub(crate) const HELD: usize = 4 << 20;

/// A message: what a change means to one reader.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    /// The change, and which of its messages this is: the same whatever else a reader asked for.
    pub(crate) place: Place,
    /// 0 when it is not about an event.
    pub(crate) event_id: i64,
    /// Who created it, where the event itself is gone.
    pub(crate) gone_creator: Option<i64>,
    pub(crate) json: Vec<u8>,
}

/// What a reader asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) kinds: Kinds,
    /// Published events carry their attachments.
    pub(crate) attachments: bool,
    /// Events that somebody pushes by hand are told too.
    pub(crate) pushed: bool,
}

/// What was read, where to go on, and whether there may be more at once.
pub(crate) struct Read {
    pub(crate) messages: Vec<Message>,
    pub(crate) place: Place,
    pub(crate) more: bool,
}

/// Right after the newest change.
pub(crate) fn newest(service: &Service) -> Result<Place, Failure> {
    let actor = Actor::system("find the end of the change log");
    Ok(Place::after(service.read(&actor, |r| Ok(r.newest_change()?))?))
}

/// The next changes after a place.
pub(crate) fn changes(service: &Service, from: Place) -> Result<Vec<Logged>, Failure> {
    let actor = Actor::system("follow the change log");
    // Some of the messages about the change itself may be still to come.
    Ok(service.read(&actor, |r| Ok(r.changes_after(from.seq - 1, CHANGES)?))?)
}

/// The messages for `reader` about what changed after a place. No snapshot is held from one message to the next.
pub(crate) fn after(service: &Service, reader: &Actor, from: Place, wanted: Wanted) -> Result<Read, Failure> {
    let changes = changes(service, from)?;
    let mut read = Read { messages: Vec::new(), place: from, more: changes.len() as i64 == CHANGES };
    let mut held = 0;
    for change in &changes {
        if held > HELD {
            read.more = true;
            break;
        }
        for message in about(service, reader, change, wanted) {
            if message.place > from {
                held += message.json.len();
                read.messages.push(message);
            }
        }
        read.place = read.place.max(Place::after(change.seq));
    }
    Ok(read)
}

/// The messages about one change. What cannot be written is logged: the rest is told all the same.
pub(crate) fn about(service: &Service, reader: &Actor, change: &Logged, wanted: Wanted) -> Vec<Message> {
    let about = About { service, actor: reader, change, wanted };
    about.messages().unwrap_or_else(|error| {
        tracing::error!(?error, seq = change.seq, "a change was not told");
        Vec::new()
    })
}

struct About<'a> {
    service: &'a Service,
    actor: &'a Actor,
    change: &'a Logged,
    wanted: Wanted,
}

/// Whether the record of a change could be read, and is in the message.
type There = pisax_service::Result<bool>;

impl About<'_> {
    fn is(&self, noun: Noun) -> bool {
        self.change.noun == noun as i64
    }

    fn did(&self, action: Action) -> bool {
        self.change.action == action as i64
    }

    fn messages(&self) -> Result<Vec<Message>, Failure> {
        let kinds = self.wanted.kinds;
        let mut messages = Vec::new();
        let mut add = |kind: Kind, part: i64, json: Option<Vec<u8>>| {
            let place = Place { seq: self.change.seq, part };
            let event_id = self.change.event_id;
            let noted = self.change.fields.iter().find(|f| f.name == "orgc_id");
            let gone_creator = noted.and_then(|f| f.old.parse().ok());
            messages.extend(json.map(|json| Message { kind, place, event_id, gone_creator, json }));
        };
        let pushed = self.did(Action::Send) && self.wanted.pushed;
        if self.is(Noun::Event) && (self.did(Action::Publish) || pushed) && kinds.has(Kind::Publish) {
            add(Kind::Publish, 0, self.whole_event()?);
        }
        if let Some(kind) = self.kind().filter(|kind| kinds.has(*kind)) {
            add(kind, 1, self.record(kind)?);
        }
        if kinds.has(Kind::Audit) && self.actor.sees_all() {
            add(Kind::Audit, 2, self.audit()?);
        }
        Ok(messages)
    }

    /// The kind of what changed; none: nobody is told of it but by the audit log.
    fn kind(&self) -> Option<Kind> {
        let one = |noun: Noun| self.is(noun);
        Some(match () {
            // What is handed out again did not change.
            () if one(Noun::Event) && self.did(Action::Send) => return None,
            () if one(Noun::Event) || self.is_many() => Kind::Event,
            () if one(Noun::Attribute) => Kind::Attribute,
            () if one(Noun::Object) => Kind::Object,
            () if one(Noun::Reference) => Kind::Reference,
            () if self.is_attachment() => Kind::Tag,
            () if one(Noun::Sighting) && !self.did(Action::Publish) => Kind::Sighting,
            () if one(Noun::Org) => Kind::Organisation,
            () if one(Noun::User) => Kind::User,
            () if one(Noun::Warninglist) => Kind::Warninglist,
            () => return None,
        })
    }

    fn record(&self, kind: Kind) -> Result<Option<Vec<u8>>, Failure> {
        match kind {
            Kind::Event => self.summary("Event", |_, _| Ok(false)),
            Kind::Attribute => self.summary("Attribute", |r, out| self.attribute(r, out)),
            Kind::Object => self.summary("Object", |r, out| self.object(r, out)),
            Kind::Reference => self.summary("ObjectReference", |r, out| self.reference(r, out)),
            Kind::Sighting => self.summary("Sighting", |r, out| self.sighting(r, out)),
            Kind::Tag => self.tag(),
            Kind::Organisation => self.summary("Organisation", |r, out| self.org(r, out)),
            Kind::User => self.summary("User", |r, out| self.user(r, out)),
            Kind::Warninglist => self.summary("Warninglist", |r, out| self.warninglist(r, out)),
            Kind::Publish | Kind::Audit => Ok(None),
        }
    }

    fn is_attachment(&self) -> bool {
        self.is(Noun::EventTag) || self.is(Noun::AttributeTag)
    }

    /// Many tags at once are noted as one change of the event.
    fn is_many(&self) -> bool {
        self.is_attachment() && self.change.record_id == 0
    }

    /// The tag with what it was attached to or detached from.
    fn tag(&self) -> Result<Option<Vec<u8>>, Failure> {
        let change = self.change;
        let attribute =
            change.fields.iter().find(|f| f.name == "attribute_id").and_then(|f| f.new.parse().ok());
        let tag = self.service.read(self.actor, |r| Ok(r.tag(change.record_id)?))?;
        let Some(tag) = tag else { return Ok(None) };
        self.summary("Tag", |r, out| {
            let mut w = JsonWriter::new(out);
            write_tag_columns(&mut w, &tag);
            let Some(id) = attribute else { return Ok(true) };
            let Some(batch) = r.attribute(Ref::Id(id))? else { return Ok(self.actor.sees_all()) };
            w.key("Attribute");
            write_viewed_attribute(&mut w, &batch.get(0), &AttributeContext::default());
            Ok(true)
        })
    }

    fn org(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> There {
        let Some(org) = r.org(Ref::Uuid(self.change.uuid))? else { return Ok(false) };
        write_org_columns(&mut JsonWriter::new(out), &org);
        Ok(true)
    }

    /// MISP's word for what happened.
    fn action(&self) -> &'static str {
        match self.change.action {
            _ if self.is_many() => "edit",
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
        view.include.with_attachments = self.wanted.attachments;
        Ok(Some(self.event_json(&event, Shape::new(view))?))
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

    /// `{"Model":{…},"Event":{…},"action":…}`; a record that is gone is told by its uuid. Nothing, if the reader is
    /// not to know.
    fn summary(
        &self,
        model: &str,
        record: impl FnOnce(&mut Reader<'_>, &mut Vec<u8>) -> There,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let change = self.change;
        let is_event = model == "Event";
        let found = self.service.read(self.actor, |r| {
            let mut own = Vec::new();
            let mut there = record(r, &mut own)?;
            let event = r.event(Ref::Id(change.event_id))?;
            if is_event {
                there = event.is_some();
            }
            if !self.actor.sees_all() {
                let outside = change.event_id == 0 || event.is_some();
                // What is there and hidden is not told of either: it is judged by the same facts.
                if !(there && outside || r.could_see_deleted(change)?) {
                    return Ok(None);
                }
            }
            Ok(Some((event, own, there)))
        })?;
        let Some((event, own, there)) = found else { return Ok(None) };
        let mut message = b"{".to_vec();
        let event = match event {
            Some(event) => {
                let mut view = pisax_wire::read_event_view(b"", &[])?;
                view.include.metadata = true;
                view.include.include_event_correlations = false;
                Some(self.event_json(&event, Shape::new(view))?)
            }
            None => None,
        };
        if !(is_event && event.is_some()) {
            let mut w = JsonWriter::new(&mut message);
            w.key(model);
            if there {
                w.raw(&own);
            } else {
                w.begin_object();
                if !change.uuid.is_nil() {
                    w.key("uuid");
                    w.uuid(change.uuid);
                }
                if is_event || change.uuid.is_nil() {
                    w.key("id");
                    w.str_num(if is_event { change.event_id } else { change.record_id });
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
        Ok(Some(message))
    }

    fn attribute(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> There {
        let Some(batch) = r.attribute(Ref::Uuid(self.change.uuid))? else { return Ok(false) };
        let attribute = batch.get(0);
        let tags = r.attribute_tags(&batch.ids())?.remove(&attribute.id).unwrap_or_default();
        let context = AttributeContext { tags: &tags, ..AttributeContext::default() };
        write_viewed_attribute(&mut JsonWriter::new(out), &attribute, &context);
        Ok(true)
    }

    fn object(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> There {
        let Some(object) = r.object(Ref::Uuid(self.change.uuid))? else { return Ok(false) };
        write_object_head(&mut JsonWriter::new(out), &object);
        out.push(b'}');
        Ok(true)
    }

    fn sighting(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> There {
        let Some(sighting) = r.sighting(Ref::Uuid(self.change.uuid))? else { return Ok(false) };
        write_published_sighting(&mut JsonWriter::new(out), &sighting);
        Ok(true)
    }

    fn reference(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> There {
        let Some(reference) = r.reference(Ref::Uuid(self.change.uuid))? else { return Ok(false) };
        write_reference(&mut JsonWriter::new(out), &reference, None);
        Ok(true)
    }

    /// A user, for site admins and for the admins of his organisation.
    fn user(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> There {
        let Some(user) = r.user(self.change.record_id)? else { return Ok(false) };
        let own = self.actor.has(Permission::Admin) && user.org_id == self.actor.org_id;
        if self.actor.sees_all() || own {
            write_user(&mut JsonWriter::new(out), &user, UserShape::Listed);
            return Ok(true);
        }
        Ok(false)
    }

    fn warninglist(&self, r: &mut Reader<'_>, out: &mut Vec<u8>) -> There {
        let Some(list) = r.warninglist(self.change.record_id)? else { return Ok(false) };
        let mut w = JsonWriter::new(out);
        w.begin_object();
        warninglists::columns(&mut w, &list);
        w.end_object();
        Ok(true)
    }

    /// The row of the audit log.
    fn audit(&self) -> Result<Option<Vec<u8>>, Failure> {
        let query = EntryQuery { seq: Some(self.change.seq), limit: 1, ..EntryQuery::default() };
        let (entry, orgs) = self.service.read(self.actor, |r| {
            let mut found = None;
            r.audit(&query, &mut |entry| {
                found = Some(entry);
                Ok(())
            })?;
            Ok((found, r.org_names(&[self.change.org_id])?))
        })?;
        let Some(entry) = entry else { return Ok(None) };
        let mut json = Vec::new();
        write_audit(&mut JsonWriter::new(&mut json), &entry, &orgs, true);
        json.truncate(json.len().saturating_sub(1));
        let mut w = JsonWriter::after_member(&mut json);
        w.key("action");
        w.str("log");
        json.push(b'}');
        Ok(Some(json))
    }
}
