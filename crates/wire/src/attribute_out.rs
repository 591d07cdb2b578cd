//! Attributes in MISP's four shapes: inside an event, as a row of a search, just saved, viewed.

use crate::json::{JsonWriter, k};
use crate::tag_out::{write_attribute_tag_member, write_context_tags, write_search_tags, write_tag_member};
use pisax_model::Uuid;
use pisax_model::attribute::AttributeView;
use pisax_model::event::Event;
use pisax_model::org::Org;
use pisax_model::sighting::Sighting;
use pisax_model::tag::Attached;

/// An organisation as records refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrgSummary<'a> {
    pub id: i64,
    pub name: &'a str,
    pub uuid: Uuid,
    pub local: bool,
}

impl<'a> From<&'a Org> for OrgSummary<'a> {
    fn from(org: &'a Org) -> Self {
        Self { id: org.id, name: &org.name, uuid: org.uuid, local: org.local }
    }
}

impl OrgSummary<'_> {
    /// `{id, name, uuid}`.
    pub(crate) fn write_short(&self, w: &mut JsonWriter<'_>) {
        w.begin_object();
        self.columns(w);
        w.end_object();
    }

    /// `{id, name, uuid, local}`.
    pub(crate) fn write_full(&self, w: &mut JsonWriter<'_>) {
        w.begin_object();
        self.columns(w);
        w.flag(k!("local"), self.local);
        w.end_object();
    }

    fn columns(&self, w: &mut JsonWriter<'_>) {
        w.num(k!("id"), self.id);
        w.text(k!("name"), self.name);
        w.id(k!("uuid"), self.uuid);
    }
}

/// The event of a row of an attribute search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventSummary<'a> {
    pub id: i64,
    pub org_id: i64,
    pub distribution: i64,
    pub info: &'a str,
    pub orgc_id: i64,
    pub uuid: Uuid,
    pub publish_timestamp: i64,
}

impl<'a> From<&'a Event> for EventSummary<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            id: event.id,
            org_id: event.org_id,
            distribution: event.distribution,
            info: &event.info,
            orgc_id: event.orgc_id,
            uuid: event.uuid,
            publish_timestamp: event.publish_timestamp,
        }
    }
}

/// The event of a row of an attribute search with `includeContext`.
#[derive(Debug, Clone, Copy)]
pub struct EventContext<'a> {
    pub event: &'a Event,
    pub orgc: OrgSummary<'a>,
    pub tags: &'a [Attached],
}

/// The object of a row of an attribute search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectSummary {
    pub id: i64,
    pub distribution: i64,
    pub sharing_group_id: i64,
}

/// An attribute of another event with the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelatedAttribute<'a> {
    pub id: i64,
    pub event_id: i64,
    pub info: &'a str,
    pub org_id: i64,
    pub date: &'a str,
    pub value: &'a str,
}

/// A whole attribute of another event with the same value, as a search row shows it.
#[derive(Debug, Clone, Copy)]
pub struct RelatedRow<'a> {
    pub attribute: AttributeView<'a>,
    pub event: EventSummary<'a>,
}

/// Attached bytes, as they are or as text that stands for them.
#[derive(Debug, Clone, Copy)]
pub enum Data<'a> {
    Bytes(&'a [u8]),
    Base64(&'a str),
}

/// What stands around an attribute. All of it may be missing. Raw parts are JSON written elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct AttributeContext<'a> {
    pub tags: &'a [Attached],
    /// Search: tags of the event (`includeEventTags`).
    pub inherited_tags: &'a [Attached],
    pub event: Option<EventSummary<'a>>,
    /// Search with `includeContext`; replaces `event`.
    pub event_context: Option<EventContext<'a>>,
    pub object: Option<ObjectSummary>,
    pub event_uuid: Option<Uuid>,
    pub data: Option<Data<'a>>,
    pub sightings: &'a [Sighting],
    /// Inside an event (`includeGranularCorrelations`).
    pub related: &'a [RelatedAttribute<'a>],
    /// In a search row (`includeCorrelations`).
    pub related_rows: &'a [RelatedRow<'a>],
    /// The object of `"SharingGroup":…`, where the attribute has its own.
    pub sharing_group: Option<&'a [u8]>,
    /// The list of `"Galaxy":…`; empty for none.
    pub galaxies: &'a [u8],
    /// Members (`"Note":[…]`) that stand after the galaxies.
    pub analyst_data: &'a [u8],
    /// The list of `"ShadowAttribute":…`; empty for none.
    pub proposals: &'a [u8],
    /// Members (`"warnings":[…]`, `"decay_score":[…]`) that stand last.
    pub more: &'a [u8],
}

/// An attribute inside an event or one of its objects (031, 036).
pub fn write_event_attribute(w: &mut JsonWriter<'_>, a: &AttributeView<'_>, context: &AttributeContext<'_>) {
    w.begin_object();
    w.num(k!("id"), a.id);
    w.text(k!("type"), a.kind.name());
    w.text(k!("category"), a.category.name());
    w.flag(k!("to_ids"), a.to_ids);
    w.id(k!("uuid"), a.uuid);
    w.num(k!("event_id"), a.event_id);
    w.num(k!("distribution"), a.distribution);
    w.num(k!("timestamp"), a.timestamp);
    w.text(k!("comment"), a.comment);
    w.num(k!("sharing_group_id"), a.sharing_group_id);
    w.flag(k!("deleted"), a.deleted);
    w.flag(k!("disable_correlation"), a.disable_correlation);
    w.num(k!("object_id"), a.object_id);
    w.text_or_null(k!("object_relation"), a.object_relation);
    w.micros(k!("first_seen"), a.first_seen);
    w.micros(k!("last_seen"), a.last_seen);
    w.text(k!("value"), &a.value());
    if let Some(group) = context.sharing_group {
        w.name(k!("SharingGroup"));
        w.raw(group);
    }
    w.list(k!("Galaxy"), context.galaxies);
    data(w, context);
    w.members(context.analyst_data);
    w.list(k!("ShadowAttribute"), context.proposals);
    write_tag_member(w, context.tags);
    write_sighting_member(w, context.sightings);
    related(w, context.related);
    w.members(context.more);
    w.end_object();
}

/// A row of an attribute search (119, 140).
pub fn write_search_attribute(w: &mut JsonWriter<'_>, a: &AttributeView<'_>, context: &AttributeContext<'_>) {
    w.begin_object();
    columns(w, a, Halves::Joined);
    if let Some(uuid) = context.event_uuid {
        w.id(k!("event_uuid"), uuid);
    }
    data(w, context);
    if let Some(context) = &context.event_context {
        write_event_context(w, context);
    } else if let Some(event) = &context.event {
        write_event_summary(w, event);
    }
    if let Some(object) = &context.object {
        w.name(k!("Object"));
        w.begin_object();
        w.num(k!("id"), object.id);
        w.num(k!("distribution"), object.distribution);
        w.num(k!("sharing_group_id"), object.sharing_group_id);
        w.end_object();
    }
    if let Some(group) = context.sharing_group {
        w.name(k!("SharingGroup"));
        w.raw(group);
    }
    write_search_tags(w, context.tags, context.inherited_tags);
    if !context.galaxies.is_empty() {
        w.list(k!("Galaxy"), context.galaxies);
    }
    w.members(context.analyst_data);
    if !context.proposals.is_empty() {
        w.list(k!("ShadowAttribute"), context.proposals);
    }
    write_sighting_member(w, context.sightings);
    related_rows(w, context.related_rows);
    w.members(context.more);
    w.end_object();
}

/// An attribute that was just saved, alone, in a list or in an object (065, 072, 085): with both halves of
/// its value. The caller of `attributes/add` writes `"AttributeTag":[…]` beside it
/// ([`write_attribute_tag_member`]).
pub fn write_saved_attribute(w: &mut JsonWriter<'_>, a: &AttributeView<'_>, context: &AttributeContext<'_>) {
    w.begin_object();
    columns(w, a, Halves::Apart);
    data(w, context);
    write_tag_member(w, context.tags);
    w.members(context.more);
    w.end_object();
}

/// An attribute of a viewed object (086): as saved, with its attachments of tags.
pub fn write_object_attribute(w: &mut JsonWriter<'_>, a: &AttributeView<'_>, context: &AttributeContext<'_>) {
    w.begin_object();
    columns(w, a, Halves::Apart);
    data(w, context);
    write_attribute_tag_member(w, a.id, a.event_id, context.tags);
    w.members(context.more);
    w.end_object();
}

/// An attribute that is viewed or was edited (073).
pub fn write_viewed_attribute(w: &mut JsonWriter<'_>, a: &AttributeView<'_>, context: &AttributeContext<'_>) {
    w.begin_object();
    columns(w, a, Halves::Joined);
    if let Some(uuid) = context.event_uuid {
        w.id(k!("event_uuid"), uuid);
    }
    data(w, context);
    if !context.galaxies.is_empty() {
        w.list(k!("Galaxy"), context.galaxies);
    }
    w.members(context.analyst_data);
    if !context.proposals.is_empty() {
        w.list(k!("ShadowAttribute"), context.proposals);
    }
    write_tag_member(w, context.tags);
    write_sighting_member(w, context.sightings);
    w.members(context.more);
    w.end_object();
}

/// Whether `value1` and `value2` are sent beside `value`.
#[derive(Clone, Copy, PartialEq)]
enum Halves {
    Joined,
    Apart,
}

/// The columns in the order of the table, which all shapes but the event's have.
fn columns(w: &mut JsonWriter<'_>, a: &AttributeView<'_>, halves: Halves) {
    w.num(k!("id"), a.id);
    w.num(k!("event_id"), a.event_id);
    w.num(k!("object_id"), a.object_id);
    w.text_or_null(k!("object_relation"), a.object_relation);
    w.text(k!("category"), a.category.name());
    w.text(k!("type"), a.kind.name());
    if halves == Halves::Apart {
        w.text(k!("value1"), a.value1);
        w.text(k!("value2"), a.value2);
    }
    w.flag(k!("to_ids"), a.to_ids);
    w.id(k!("uuid"), a.uuid);
    w.num(k!("timestamp"), a.timestamp);
    w.num(k!("distribution"), a.distribution);
    w.num(k!("sharing_group_id"), a.sharing_group_id);
    w.text(k!("comment"), a.comment);
    w.flag(k!("deleted"), a.deleted);
    w.flag(k!("disable_correlation"), a.disable_correlation);
    w.micros(k!("first_seen"), a.first_seen);
    w.micros(k!("last_seen"), a.last_seen);
    w.text(k!("value"), &a.value());
}

fn data(w: &mut JsonWriter<'_>, context: &AttributeContext<'_>) {
    if let Some(data) = context.data {
        w.name(k!("data"));
        match data {
            Data::Bytes(bytes) => w.base64(bytes),
            Data::Base64(text) => w.str(text),
        }
    }
}

fn write_event_summary(w: &mut JsonWriter<'_>, event: &EventSummary<'_>) {
    w.name(k!("Event"));
    w.begin_object();
    w.num(k!("org_id"), event.org_id);
    w.num(k!("distribution"), event.distribution);
    w.num(k!("publish_timestamp"), event.publish_timestamp);
    w.num(k!("id"), event.id);
    w.text(k!("info"), event.info);
    w.num(k!("orgc_id"), event.orgc_id);
    w.id(k!("uuid"), event.uuid);
    w.end_object();
}

fn write_event_context(w: &mut JsonWriter<'_>, context: &EventContext<'_>) {
    let event = context.event;
    w.name(k!("Event"));
    w.begin_object();
    w.num(k!("id"), event.id);
    w.num(k!("orgc_id"), event.orgc_id);
    w.num(k!("org_id"), event.org_id);
    w.text(k!("date"), &event.date);
    w.num(k!("threat_level_id"), event.threat_level_id);
    w.text(k!("info"), &event.info);
    w.flag(k!("published"), event.published);
    w.id(k!("uuid"), event.uuid);
    w.num(k!("analysis"), event.analysis);
    w.num(k!("timestamp"), event.timestamp);
    w.num(k!("distribution"), event.distribution);
    w.num(k!("publish_timestamp"), event.publish_timestamp);
    w.num(k!("sharing_group_id"), event.sharing_group_id);
    crate::event_out::extends(w, event);
    write_context_tags(w, context.tags);
    w.name(k!("Orgc"));
    context.orgc.write_full(w);
    w.end_object();
}

/// `"Sighting":[…]` where there are any (157).
pub(crate) fn write_sighting_member(w: &mut JsonWriter<'_>, sightings: &[Sighting]) {
    if sightings.is_empty() {
        return;
    }
    w.name(k!("Sighting"));
    w.begin_array();
    for sighting in sightings {
        w.begin_object();
        crate::admin_out::sighting_columns(w, sighting);
        w.id(k!("attribute_uuid"), sighting.attribute_uuid);
        crate::admin_out::sighting_organisation(w, sighting);
        w.end_object();
    }
    w.end_array();
}

fn related_rows(w: &mut JsonWriter<'_>, rows: &[RelatedRow<'_>]) {
    if rows.is_empty() {
        return;
    }
    w.name(k!("RelatedAttribute"));
    w.begin_array();
    for row in rows {
        w.begin_object();
        columns(w, &row.attribute, Halves::Joined);
        write_event_summary(w, &row.event);
        w.end_object();
    }
    w.end_array();
}

fn related(w: &mut JsonWriter<'_>, related: &[RelatedAttribute<'_>]) {
    if related.is_empty() {
        return;
    }
    w.name(k!("RelatedAttribute"));
    w.begin_array();
    for other in related {
        w.begin_object();
        w.num(k!("id"), other.event_id);
        w.num(k!("attribute_id"), other.id);
        w.text(k!("value"), other.value);
        w.num(k!("org_id"), other.org_id);
        w.text(k!("info"), other.info);
        w.text(k!("date"), other.date);
        w.end_object();
    }
    w.end_array();
}
