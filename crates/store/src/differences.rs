//! What an edit of the core records changed, field by field, for the audit log.

use crate::changes::Change;
use pisax_access::ObjectFacts;
use pisax_model::attribute::{AttributeView, NewAttribute, joined};
use pisax_model::event::Event;
use pisax_model::object::{Object, Reference};
use pisax_model::time;

fn or_nothing<T: ToString>(value: Option<T>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}

fn seen(micros: Option<i64>) -> String {
    micros.map(time::format_micros).unwrap_or_default()
}

/// The fields of an event that was `old` (none: it is new).
pub(crate) fn event(change: &mut Change, old: Option<&Event>, new: &Event) {
    let was = |read: fn(&Event) -> String| old.map(read).unwrap_or_default();
    change.of(new.id, &new.info);
    for (name, read) in [
        ("info", (|e| e.info.clone()) as fn(&Event) -> String),
        ("date", |e| e.date.clone()),
        ("threat_level_id", |e| e.threat_level_id.to_string()),
        ("analysis", |e| e.analysis.to_string()),
        ("distribution", |e| e.distribution.to_string()),
        ("sharing_group_id", |e| e.sharing_group_id.to_string()),
        ("published", |e| i64::from(e.published).to_string()),
        ("orgc_id", |e| e.orgc_id.to_string()),
        ("org_id", |e| e.org_id.to_string()),
        ("disable_correlation", |e| i64::from(e.disable_correlation).to_string()),
        ("locked", |e| i64::from(e.locked).to_string()),
        ("extends_uuid", |e| or_nothing(e.extends_uuid)),
        ("protected", |e| i64::from(e.protected == Some(true)).to_string()),
    ] {
        change.field(name, was(read), read(new));
    }
}

/// What an attribute is called: type and value.
pub(crate) fn attribute_title(old: &AttributeView<'_>) -> String {
    format!("{} {}", old.kind.name(), old.value())
}

/// The fields of a new attribute.
pub(crate) fn added_attribute(change: &mut Change, id: i64, new: &NewAttribute) {
    let value = joined(new.kind, &new.value1, &new.value2);
    change
        .of(id, &format!("{} {value}", new.kind.name()))
        .field("value", "", &value)
        .field("type", "", new.kind.name())
        .field("category", "", new.category.name())
        .field("to_ids", "", i64::from(new.to_ids))
        .field("distribution", "", new.distribution.code())
        .field("comment", "", &new.comment);
}

/// The fields of an attribute that were changed.
pub(crate) fn attribute(change: &mut Change, old: &AttributeView<'_>, new: &NewAttribute) {
    change
        .of(old.id, &attribute_title(old))
        .field("value", old.value(), joined(new.kind, &new.value1, &new.value2))
        .field("type", old.kind.name(), new.kind.name())
        .field("category", old.category.name(), new.category.name())
        .field("to_ids", i64::from(old.to_ids), i64::from(new.to_ids))
        .field("distribution", old.distribution, new.distribution.code())
        .field("sharing_group_id", old.sharing_group_id, new.sharing_group_id)
        .field("comment", old.comment, &new.comment)
        .field("deleted", i64::from(old.deleted), i64::from(new.deleted))
        .field("disable_correlation", i64::from(old.disable_correlation), i64::from(new.disable_correlation))
        .field(
            "object_relation",
            old.object_relation.unwrap_or_default(),
            or_nothing(new.object_relation.as_ref()),
        )
        .field("first_seen", seen(old.first_seen), seen(new.first_seen))
        .field("last_seen", seen(old.last_seen), seen(new.last_seen));
}

/// An attribute that is gone: what it was.
pub(crate) fn removed_attribute(change: &mut Change, old: &AttributeView<'_>, object: Option<ObjectFacts>) {
    change
        .of(old.id, &attribute_title(old))
        .field("value", old.value(), "")
        .field("type", old.kind.name(), "")
        .field("category", old.category.name(), "")
        .field("comment", old.comment, "")
        // Who saw it may be told that it is gone (`streams.rs`).
        .field("distribution", old.distribution, "")
        .field("sharing_group_id", old.sharing_group_id, "");
    if let Some(object) = object {
        change.field("object_distribution", object.distribution, "").field(
            "object_sharing_group_id",
            object.sharing_group_id,
            "",
        );
    }
}

/// The fields of an object that was `old` (none: it is new).
pub(crate) fn object(change: &mut Change, old: Option<&Object>, new: &Object) {
    let was = |read: fn(&Object) -> String| old.map(read).unwrap_or_default();
    change.of(new.id, &new.name);
    for (name, read) in [
        ("name", (|o| o.name.clone()) as fn(&Object) -> String),
        ("meta-category", |o| o.meta_category.clone()),
        ("description", |o| o.description.clone()),
        ("template_uuid", |o| o.template_uuid.clone()),
        ("template_version", |o| o.template_version.clone()),
        ("distribution", |o| o.distribution.to_string()),
        ("sharing_group_id", |o| o.sharing_group_id.to_string()),
        ("comment", |o| o.comment.clone()),
        ("deleted", |o| i64::from(o.deleted).to_string()),
        ("first_seen", |o| seen(o.first_seen)),
        ("last_seen", |o| seen(o.last_seen)),
    ] {
        change.field(name, was(read), read(new));
    }
}

/// A reference between records, added or gone.
pub(crate) fn reference(change: &mut Change, reference: &Reference) {
    let title =
        format!("{} {} {}", reference.source_uuid, reference.relationship_type, reference.referenced_uuid);
    change.of(reference.id, &title);
}
