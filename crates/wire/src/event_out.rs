//! Events in MISP's shapes: the view (streamed by the caller), the related event, the rows of the index.
//!
//! The members of a view, in order: the head ([`write_event_head`]), `Attribute`, `ShadowAttribute`,
//! `RelatedEvent`, `Galaxy`, `Object`, `EventReport`, `CryptographicKey`, analyst data, `Tag` (left out when
//! there is none).

use crate::attribute_out::OrgSummary;
use crate::json::{JsonWriter, k};
use crate::sharing_out::{EventGroup, write_event_group_member};
use crate::tag_out::write_event_tags;
use pisax_model::Uuid;
use pisax_model::event::Event;
use pisax_model::tag::Attached;

pub use crate::tag_out::write_tag_member;

/// The columns of an event with its organisations and sharing group (036, 113). The object stays open: the
/// caller goes on with the lists and ends it.
pub fn write_event_head(
    w: &mut JsonWriter<'_>,
    event: &Event,
    org: OrgSummary<'_>,
    orgc: OrgSummary<'_>,
    creator_email: Option<&str>,
    group: Option<&EventGroup<'_>>,
) {
    w.begin_object();
    w.num(k!("id"), event.id);
    w.num(k!("orgc_id"), event.orgc_id);
    w.num(k!("org_id"), event.org_id);
    w.text(k!("date"), &event.date);
    w.num(k!("threat_level_id"), event.threat_level_id);
    w.text(k!("info"), &event.info);
    w.flag(k!("published"), event.published);
    w.id(k!("uuid"), event.uuid);
    w.num(k!("attribute_count"), event.attribute_count);
    w.num(k!("analysis"), event.analysis);
    w.num(k!("timestamp"), event.timestamp);
    w.num(k!("distribution"), event.distribution);
    w.flag(k!("proposal_email_lock"), event.proposal_email_lock);
    w.flag(k!("locked"), event.locked);
    w.num(k!("publish_timestamp"), event.publish_timestamp);
    w.num(k!("sharing_group_id"), event.sharing_group_id);
    w.flag(k!("disable_correlation"), event.disable_correlation);
    extends(w, event);
    protected(w, event);
    if let Some(email) = creator_email {
        w.text(k!("event_creator_email"), email);
    }
    w.name(k!("Org"));
    org.write_full(w);
    w.name(k!("Orgc"));
    orgc.write_full(w);
    if let Some(group) = group {
        write_event_group_member(w, group);
    }
}

/// `"extends_uuid"`: empty when the event stands alone.
pub(crate) fn extends(w: &mut JsonWriter<'_>, event: &Event) {
    match event.extends_uuid {
        Some(uuid) => w.id(k!("extends_uuid"), uuid),
        None => w.text(k!("extends_uuid"), ""),
    }
}

fn protected(w: &mut JsonWriter<'_>, event: &Event) {
    w.name(k!("protected"));
    match event.protected {
        Some(flag) => w.bool(flag),
        None => w.null(),
    }
}

/// An event that shares a value with the one in view.
#[derive(Debug, Clone, Copy)]
pub struct RelatedEvent<'a> {
    pub id: i64,
    pub date: &'a str,
    pub threat_level_id: i64,
    pub info: &'a str,
    pub published: bool,
    pub uuid: Uuid,
    pub analysis: i64,
    pub timestamp: i64,
    pub distribution: i64,
    pub org: OrgSummary<'a>,
    pub orgc: OrgSummary<'a>,
    /// The list of `"RelationshipInbound":…`: a view has it, empty if need be (036), the answer to an edit
    /// has none (045).
    pub relationship_inbound: Option<&'a [u8]>,
}

/// An item of `RelatedEvent` (036, 045).
pub fn write_related_event(w: &mut JsonWriter<'_>, related: &RelatedEvent<'_>) {
    w.begin_object();
    w.name(k!("Event"));
    w.begin_object();
    w.num(k!("id"), related.id);
    w.text(k!("date"), related.date);
    w.num(k!("threat_level_id"), related.threat_level_id);
    w.text(k!("info"), related.info);
    w.flag(k!("published"), related.published);
    w.id(k!("uuid"), related.uuid);
    w.num(k!("analysis"), related.analysis);
    w.num(k!("timestamp"), related.timestamp);
    w.num(k!("distribution"), related.distribution);
    w.num(k!("org_id"), related.org.id);
    w.num(k!("orgc_id"), related.orgc.id);
    w.name(k!("Org"));
    related.org.write_short(w);
    w.name(k!("Orgc"));
    related.orgc.write_short(w);
    w.end_object();
    if let Some(inbound) = related.relationship_inbound {
        w.list(k!("RelationshipInbound"), inbound);
    }
    w.end_object();
}

/// The sharing group of a row of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupSummary<'a> {
    pub id: i64,
    pub name: &'a str,
    pub uuid: Uuid,
}

/// The columns that stand behind an event's uuid in lists.
pub(crate) fn state(w: &mut JsonWriter<'_>, event: &Event) {
    w.flag(k!("published"), event.published);
    w.num(k!("analysis"), event.analysis);
    w.num(k!("attribute_count"), event.attribute_count);
    w.num(k!("orgc_id"), event.orgc_id);
    w.num(k!("timestamp"), event.timestamp);
    w.num(k!("distribution"), event.distribution);
    w.num(k!("sharing_group_id"), event.sharing_group_id);
    w.flag(k!("proposal_email_lock"), event.proposal_email_lock);
    w.flag(k!("locked"), event.locked);
    w.num(k!("threat_level_id"), event.threat_level_id);
    w.num(k!("publish_timestamp"), event.publish_timestamp);
    w.num(k!("sighting_timestamp"), event.sighting_timestamp);
    w.flag(k!("disable_correlation"), event.disable_correlation);
    extends(w, event);
    protected(w, event);
}

/// A row of `events/index` (165). `more` holds further members (`"event_creator_email":…`,
/// `"GalaxyCluster":[…]`) that stand last.
pub fn write_index_row(
    w: &mut JsonWriter<'_>,
    event: &Event,
    org: OrgSummary<'_>,
    orgc: OrgSummary<'_>,
    group: Option<GroupSummary<'_>>,
    tags: &[Attached],
    more: &[u8],
) {
    w.begin_object();
    w.num(k!("id"), event.id);
    w.num(k!("org_id"), event.org_id);
    w.text(k!("date"), &event.date);
    w.text(k!("info"), &event.info);
    w.id(k!("uuid"), event.uuid);
    state(w, event);
    w.name(k!("Org"));
    org.write_short(w);
    w.name(k!("Orgc"));
    orgc.write_short(w);
    if let Some(group) = group {
        w.name(k!("SharingGroup"));
        w.begin_object();
        w.num(k!("id"), group.id);
        w.text(k!("name"), group.name);
        w.id(k!("uuid"), group.uuid);
        w.end_object();
    }
    write_event_tags(w, event.id, tags);
    w.members(more);
    w.end_object();
}

/// A row of `events/index` with `minimal` (166).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinimalEvent {
    pub id: i64,
    pub timestamp: i64,
    pub sighting_timestamp: i64,
    pub published: bool,
    pub uuid: Uuid,
    pub orgc_uuid: Uuid,
}

/// Writes a [`MinimalEvent`].
pub fn write_minimal_row(w: &mut JsonWriter<'_>, event: &MinimalEvent) {
    w.begin_object();
    w.num(k!("id"), event.id);
    w.num(k!("timestamp"), event.timestamp);
    w.num(k!("sighting_timestamp"), event.sighting_timestamp);
    w.flag(k!("published"), event.published);
    w.id(k!("uuid"), event.uuid);
    w.id(k!("orgc_uuid"), event.orgc_uuid);
    w.end_object();
}
