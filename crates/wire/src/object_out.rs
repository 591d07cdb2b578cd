//! Objects and references in MISP's shapes.

use crate::json::{JsonWriter, k};
use pisax_model::Uuid;
use pisax_model::event::Event;
use pisax_model::object::{Object, Reference};

/// The columns of an object, which stays open: the caller goes on with `ObjectReference` (in events) and
/// `Attribute` and ends it (036, 085).
pub fn write_object_head(w: &mut JsonWriter<'_>, object: &Object) {
    w.begin_object();
    w.num(k!("id"), object.id);
    w.text(k!("name"), &object.name);
    w.text(k!("meta-category"), &object.meta_category);
    w.text(k!("description"), &object.description);
    w.text(k!("template_uuid"), &object.template_uuid);
    w.text(k!("template_version"), &object.template_version);
    w.num(k!("event_id"), object.event_id);
    w.id(k!("uuid"), object.uuid);
    w.num(k!("timestamp"), object.timestamp);
    w.num(k!("distribution"), object.distribution);
    w.num(k!("sharing_group_id"), object.sharing_group_id);
    w.text(k!("comment"), &object.comment);
    w.flag(k!("deleted"), object.deleted);
    w.micros(k!("first_seen"), object.first_seen);
    w.micros(k!("last_seen"), object.last_seen);
}

/// `"Event":{…}` of a viewed object (086).
pub fn write_object_event_member(w: &mut JsonWriter<'_>, event: &Event) {
    w.name(k!("Event"));
    w.begin_object();
    w.num(k!("id"), event.id);
    w.text(k!("info"), &event.info);
    w.num(k!("org_id"), event.org_id);
    w.num(k!("orgc_id"), event.orgc_id);
    w.end_object();
}

/// What a reference inside an event points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceTarget<'a> {
    Object {
        distribution: i64,
        sharing_group_id: i64,
        uuid: Uuid,
        name: &'a str,
        meta_category: &'a str,
    },
    Attribute {
        distribution: i64,
        sharing_group_id: i64,
        uuid: Uuid,
        value: &'a str,
        kind: &'a str,
        category: &'a str,
        to_ids: bool,
    },
}

/// A reference: alone (088), or inside an event with its target.
pub fn write_reference(w: &mut JsonWriter<'_>, reference: &Reference, target: Option<&ReferenceTarget<'_>>) {
    w.begin_object();
    w.num(k!("id"), reference.id);
    w.id(k!("uuid"), reference.uuid);
    w.num(k!("timestamp"), reference.timestamp);
    w.num(k!("object_id"), reference.object_id);
    w.num(k!("event_id"), reference.event_id);
    w.id(k!("source_uuid"), reference.source_uuid);
    w.id(k!("referenced_uuid"), reference.referenced_uuid);
    w.num(k!("referenced_id"), reference.referenced_id);
    w.num(k!("referenced_type"), i64::from(reference.to_object));
    w.text(k!("relationship_type"), &reference.relationship_type);
    w.text(k!("comment"), &reference.comment);
    w.flag(k!("deleted"), reference.deleted);
    w.id(k!("object_uuid"), reference.source_uuid);
    match target {
        None => {}
        Some(ReferenceTarget::Object { distribution, sharing_group_id, uuid, name, meta_category }) => {
            w.name(k!("Object"));
            w.begin_object();
            w.num(k!("distribution"), *distribution);
            w.num(k!("sharing_group_id"), *sharing_group_id);
            w.id(k!("uuid"), *uuid);
            w.text(k!("name"), name);
            w.text(k!("meta-category"), meta_category);
            w.end_object();
        }
        Some(ReferenceTarget::Attribute {
            distribution,
            sharing_group_id,
            uuid,
            value,
            kind,
            category,
            to_ids,
        }) => {
            w.name(k!("Attribute"));
            w.begin_object();
            w.num(k!("distribution"), *distribution);
            w.num(k!("sharing_group_id"), *sharing_group_id);
            w.id(k!("uuid"), *uuid);
            w.text(k!("value"), value);
            w.text(k!("type"), kind);
            w.text(k!("category"), category);
            w.flag(k!("to_ids"), *to_ids);
            w.end_object();
        }
    }
    w.end_object();
}
