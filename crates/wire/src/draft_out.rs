//! Drafts as one server sends them to another: the form in which a MISP pushes an event, without row numbers.
//!
//! What a draft does not say is not written, so that [`crate::read_event`] gives the same draft back. Not written
//! are what means nothing elsewhere (row numbers, `bad_uuid`, a signature, what an attribute asks of its receiver)
//! and what has calls of its own (sightings, analyst data); bytes that are kept outside have to be fetched before.

use crate::json::{JsonWriter, k};
use pisax_model::Uuid;
use pisax_model::attribute::AttributeDraft;
use pisax_model::content::Content;
use pisax_model::cryptographic_key::CryptographicKeyDraft;
use pisax_model::event::EventDraft;
use pisax_model::ids::Ref;
use pisax_model::object::{ObjectDraft, ReferenceDraft};
use pisax_model::org::OrgRef;
use pisax_model::report::ReportDraft;
use pisax_model::sharing::SharingGroupDraft;
use pisax_model::tag::TagDraft;

/// One entry of a feed's manifest (semantics 7.10).
pub(crate) fn manifest_entry(w: &mut JsonWriter<'_>, event: &EventDraft) {
    let number = |w: &mut JsonWriter<'_>, name: &'static str, number: Option<i64>| {
        w.name(name);
        w.int(number.unwrap_or(0));
    };
    w.begin_object();
    if let Some(orgc) = &event.orgc {
        w.name(k!("Orgc"));
        org(w, orgc);
    }
    w.name(k!("Tag"));
    list(w, &event.tags, tag);
    text(w, k!("info"), event.info.as_deref());
    text(w, k!("date"), event.date.as_deref());
    number(w, k!("analysis"), event.analysis);
    number(w, k!("threat_level_id"), event.threat_level_id);
    number(w, k!("timestamp"), event.timestamp);
    number(w, k!("publish_timestamp"), event.publish_timestamp);
    w.end_object();
}

/// `{"Event":{…}}`.
pub fn write_event_draft(w: &mut JsonWriter<'_>, event: &EventDraft) {
    w.begin_object();
    w.name(k!("Event"));
    w.begin_object();
    text(w, k!("date"), event.date.as_deref());
    number(w, k!("threat_level_id"), event.threat_level_id);
    text(w, k!("info"), event.info.as_deref());
    flag(w, k!("published"), event.published);
    id(w, k!("uuid"), event.uuid);
    number(w, k!("analysis"), event.analysis);
    number(w, k!("timestamp"), event.timestamp);
    number(w, k!("distribution"), event.distribution);
    flag(w, k!("locked"), event.locked);
    number(w, k!("publish_timestamp"), event.publish_timestamp);
    flag(w, k!("disable_correlation"), event.disable_correlation);
    text(w, k!("extends_uuid"), event.extends_uuid.as_deref());
    flag(w, k!("protected"), event.protected);
    if let Some(orgc) = &event.orgc {
        w.name(k!("Orgc"));
        org(w, orgc);
    }
    if let Some(group) = &event.sharing_group_draft {
        w.name(k!("SharingGroup"));
        sharing_group(w, group);
    }
    w.name(k!("Attribute"));
    list(w, &event.attributes, attribute);
    w.name(k!("Object"));
    list(w, &event.objects, object);
    w.name(k!("EventReport"));
    list(w, &event.reports, report);
    w.name(k!("CryptographicKey"));
    list(w, &event.keys, key);
    w.name(k!("Tag"));
    list(w, &event.tags, tag);
    w.end_object();
    w.end_object();
}

pub(crate) fn list<T>(w: &mut JsonWriter<'_>, items: &[T], write: impl Fn(&mut JsonWriter<'_>, &T)) {
    w.begin_array();
    for item in items {
        write(w, item);
    }
    w.end_array();
}

fn attribute(w: &mut JsonWriter<'_>, attribute: &AttributeDraft) {
    w.begin_object();
    id(w, k!("uuid"), attribute.uuid);
    text(w, k!("type"), attribute.kind.as_deref());
    text(w, k!("category"), attribute.category.as_deref());
    text(w, k!("value"), attribute.value.as_deref());
    text(w, k!("value1"), attribute.value1.as_deref());
    text(w, k!("value2"), attribute.value2.as_deref());
    flag(w, k!("to_ids"), attribute.to_ids);
    number(w, k!("timestamp"), attribute.timestamp);
    number(w, k!("distribution"), attribute.distribution);
    group(w, attribute.sharing_group_draft.as_deref());
    text(w, k!("comment"), attribute.comment.as_deref());
    flag(w, k!("deleted"), attribute.deleted);
    flag(w, k!("disable_correlation"), attribute.disable_correlation);
    text(w, k!("object_relation"), attribute.object_relation.as_deref());
    moment(w, k!("first_seen"), attribute.first_seen.as_ref());
    moment(w, k!("last_seen"), attribute.last_seen.as_ref());
    if let Some(bytes) = attribute.data.as_ref().and_then(Content::bytes) {
        w.name(k!("data"));
        w.base64(bytes);
    }
    if !attribute.tags.is_empty() {
        w.name(k!("Tag"));
        list(w, &attribute.tags, tag);
    }
    w.end_object();
}

fn object(w: &mut JsonWriter<'_>, object: &ObjectDraft) {
    w.begin_object();
    id(w, k!("uuid"), object.uuid);
    text(w, k!("name"), object.name.as_deref());
    text(w, k!("meta-category"), object.meta_category.as_deref());
    text(w, k!("description"), object.description.as_deref());
    text(w, k!("template_uuid"), object.template_uuid.as_deref());
    text(w, k!("template_version"), object.template_version.as_deref());
    number(w, k!("timestamp"), object.timestamp);
    number(w, k!("distribution"), object.distribution);
    group(w, object.sharing_group_draft.as_deref());
    text(w, k!("comment"), object.comment.as_deref());
    flag(w, k!("deleted"), object.deleted);
    moment(w, k!("first_seen"), object.first_seen.as_ref());
    moment(w, k!("last_seen"), object.last_seen.as_ref());
    w.name(k!("ObjectReference"));
    list(w, &object.references, reference);
    if object.has_attributes || !object.attributes.is_empty() {
        w.name(k!("Attribute"));
        list(w, &object.attributes, attribute);
    }
    w.end_object();
}

fn reference(w: &mut JsonWriter<'_>, reference: &ReferenceDraft) {
    w.begin_object();
    id(w, k!("uuid"), reference.uuid);
    number(w, k!("timestamp"), reference.timestamp);
    id(w, k!("object_uuid"), uuid_of(reference.source));
    id(w, k!("referenced_uuid"), uuid_of(reference.referenced));
    text(w, k!("relationship_type"), reference.relationship_type.as_deref());
    text(w, k!("comment"), reference.comment.as_deref());
    flag(w, k!("deleted"), reference.deleted);
    w.end_object();
}

fn report(w: &mut JsonWriter<'_>, report: &ReportDraft) {
    w.begin_object();
    id(w, k!("uuid"), report.uuid);
    text(w, k!("name"), report.name.as_deref());
    text(w, k!("content"), report.content.as_deref());
    number(w, k!("distribution"), report.distribution);
    group(w, report.sharing_group_draft.as_deref());
    number(w, k!("timestamp"), report.timestamp);
    flag(w, k!("deleted"), report.deleted);
    w.end_object();
}

fn key(w: &mut JsonWriter<'_>, key: &CryptographicKeyDraft) {
    w.begin_object();
    id(w, k!("uuid"), key.uuid);
    text(w, k!("type"), key.kind.as_deref());
    text(w, k!("key_data"), key.key_data.as_deref());
    w.flag(k!("revoked"), key.revoked);
    w.end_object();
}

fn tag(w: &mut JsonWriter<'_>, tag: &TagDraft) {
    w.begin_object();
    w.text(k!("name"), &tag.name);
    text(w, k!("colour"), tag.colour.as_deref());
    flag(w, k!("exportable"), tag.exportable);
    flag(w, k!("local"), tag.local);
    text(w, k!("relationship_type"), tag.relationship_type.as_deref());
    flag(w, k!("deleted"), tag.deleted);
    w.end_object();
}

fn group(w: &mut JsonWriter<'_>, group: Option<&SharingGroupDraft>) {
    if let Some(group) = group {
        w.name(k!("SharingGroup"));
        sharing_group(w, group);
    }
}

pub(crate) fn sharing_group(w: &mut JsonWriter<'_>, group: &SharingGroupDraft) {
    w.begin_object();
    text(w, k!("name"), group.name.as_deref());
    text(w, k!("releasability"), group.releasability.as_deref());
    text(w, k!("description"), group.description.as_deref());
    id(w, k!("uuid"), group.uuid);
    id(w, k!("organisation_uuid"), group.organisation_uuid);
    flag(w, k!("active"), group.active);
    if let Some(modified) = group.modified {
        w.datetime(k!("modified"), modified);
    }
    flag(w, k!("roaming"), group.roaming);
    if let Some(owner) = &group.organisation {
        w.name(k!("Organisation"));
        org(w, owner);
    }
    if let Some(members) = &group.orgs {
        w.name(k!("SharingGroupOrg"));
        list(w, members, |w, member| {
            w.begin_object();
            w.flag(k!("extend"), member.extend);
            w.name(k!("Organisation"));
            org(w, &member.org_ref);
            w.end_object();
        });
    }
    if let Some(servers) = &group.servers {
        w.name(k!("SharingGroupServer"));
        list(w, servers, |w, server| {
            w.begin_object();
            w.flag(k!("all_orgs"), server.all_orgs);
            if server.url.is_some() || server.name.is_some() {
                w.name(k!("Server"));
                w.begin_object();
                text(w, k!("url"), server.url.as_deref());
                text(w, k!("name"), server.name.as_deref());
                w.end_object();
            }
            w.end_object();
        });
    }
    w.end_object();
}

pub(crate) fn org(w: &mut JsonWriter<'_>, org: &OrgRef) {
    w.begin_object();
    text(w, k!("name"), org.name.as_deref());
    id(w, k!("uuid"), org.uuid);
    w.end_object();
}

// ---- Members that are there or not -----------------------------------------------------------------

pub(crate) fn text(w: &mut JsonWriter<'_>, name: &'static str, text: Option<&str>) {
    if let Some(text) = text {
        w.text(name, text);
    }
}

pub(crate) fn number(w: &mut JsonWriter<'_>, name: &'static str, number: Option<i64>) {
    if let Some(number) = number {
        w.num(name, number);
    }
}

pub(crate) fn flag(w: &mut JsonWriter<'_>, name: &'static str, flag: Option<bool>) {
    if let Some(flag) = flag {
        w.flag(name, flag);
    }
}

pub(crate) fn id(w: &mut JsonWriter<'_>, name: &'static str, uuid: Option<Uuid>) {
    if let Some(uuid) = uuid {
        w.id(name, uuid);
    }
}

fn moment(w: &mut JsonWriter<'_>, name: &'static str, moment: Option<&Option<String>>) {
    if let Some(moment) = moment {
        w.text_or_null(name, moment.as_deref());
    }
}

pub(crate) fn uuid_of(reference: Option<Ref>) -> Option<Uuid> {
    match reference {
        Some(Ref::Uuid(uuid)) => Some(uuid),
        _ => None,
    }
}
