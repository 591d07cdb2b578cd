//! Tags in MISP's shapes: attached to an event or attribute, in search rows, in the index, alone.

use crate::json::{JsonWriter, k};
use pisax_model::tag::{Attached, Tag};

/// A tag of an event, or of an attribute inside one (036).
pub fn write_tag(w: &mut JsonWriter<'_>, attached: &Attached) {
    let tag = &attached.tag;
    w.begin_object();
    w.num(k!("id"), tag.id);
    w.text(k!("name"), &tag.name);
    w.text(k!("colour"), &tag.colour);
    w.flag(k!("exportable"), tag.exportable);
    w.num(k!("user_id"), tag.user_id);
    w.flag(k!("hide_tag"), tag.hide_tag);
    w.num_or_null(k!("numerical_value"), tag.numerical_value);
    w.flag(k!("is_galaxy"), tag.is_galaxy);
    w.flag(k!("is_custom_galaxy"), tag.is_custom_galaxy);
    w.flag(k!("local_only"), tag.local_only);
    w.flag(k!("local"), attached.local);
    w.text_or_null(k!("relationship_type"), attached.relationship_type.as_deref().filter(|t| !t.is_empty()));
    w.end_object();
}

/// `"Tag":[…]` where there are any: MISP leaves the member out otherwise.
pub fn write_tag_member(w: &mut JsonWriter<'_>, tags: &[Attached]) {
    if tags.is_empty() {
        return;
    }
    w.name(k!("Tag"));
    w.begin_array();
    tags.iter().for_each(|tag| write_tag(w, tag));
    w.end_array();
}

/// `"Tag":[…]` of a row of an attribute search, the event's tags marked as inherited (140).
pub(crate) fn write_search_tags(w: &mut JsonWriter<'_>, own: &[Attached], inherited: &[Attached]) {
    if own.is_empty() && inherited.is_empty() {
        return;
    }
    w.name(k!("Tag"));
    w.begin_array();
    for attached in own {
        let tag = &attached.tag;
        w.begin_object();
        short_tag(w, tag);
        w.flag(k!("is_galaxy"), tag.is_galaxy);
        w.flag(k!("local"), attached.local);
        w.end_object();
    }
    for attached in inherited {
        w.begin_object();
        short_tag(w, &attached.tag);
        w.name(k!("inherited"));
        w.int(1);
        w.end_object();
    }
    w.end_array();
}

/// `"Tag":[…]` of the event inside a row of an attribute search: `local` comes first (140).
pub(crate) fn write_context_tags(w: &mut JsonWriter<'_>, tags: &[Attached]) {
    if tags.is_empty() {
        return;
    }
    w.name(k!("Tag"));
    w.begin_array();
    for attached in tags {
        w.begin_object();
        w.flag(k!("local"), attached.local);
        short_tag(w, &attached.tag);
        w.end_object();
    }
    w.end_array();
}

fn short_tag(w: &mut JsonWriter<'_>, tag: &Tag) {
    w.num(k!("id"), tag.id);
    w.text(k!("name"), &tag.name);
    w.text(k!("colour"), &tag.colour);
    w.num_or_null(k!("numerical_value"), tag.numerical_value);
}

/// `"EventTag":[…]` of a row of the event index (165).
pub(crate) fn write_event_tags(w: &mut JsonWriter<'_>, event_id: i64, tags: &[Attached]) {
    w.name(k!("EventTag"));
    w.begin_array();
    for attached in tags {
        let tag = &attached.tag;
        w.begin_object();
        w.num(k!("id"), attached.id);
        w.num(k!("event_id"), event_id);
        w.num(k!("tag_id"), tag.id);
        w.flag(k!("local"), attached.local);
        w.text(k!("relationship_type"), attached.relationship_type.as_deref().unwrap_or_default());
        w.name(k!("Tag"));
        w.begin_object();
        w.num(k!("id"), tag.id);
        w.text(k!("name"), &tag.name);
        w.text(k!("colour"), &tag.colour);
        w.flag(k!("is_galaxy"), tag.is_galaxy);
        w.end_object();
        w.end_object();
    }
    w.end_array();
}

/// `"AttributeTag":[…]` of an attribute that was just saved (065) or that is viewed with its object (086).
pub fn write_attribute_tag_member(
    w: &mut JsonWriter<'_>,
    attribute_id: i64,
    event_id: i64,
    tags: &[Attached],
) {
    w.name(k!("AttributeTag"));
    w.begin_array();
    for attached in tags {
        w.begin_object();
        w.num(k!("id"), attached.id);
        w.num(k!("attribute_id"), attribute_id);
        w.num(k!("event_id"), event_id);
        w.num(k!("tag_id"), attached.tag.id);
        w.flag(k!("local"), attached.local);
        w.text(k!("relationship_type"), attached.relationship_type.as_deref().unwrap_or_default());
        w.name(k!("Tag"));
        w.begin_object();
        tag_columns(w, &attached.tag);
        w.end_object();
        w.end_object();
    }
    w.end_array();
}

fn tag_columns(w: &mut JsonWriter<'_>, tag: &Tag) {
    w.num(k!("id"), tag.id);
    w.text(k!("name"), &tag.name);
    w.text(k!("colour"), &tag.colour);
    w.flag(k!("exportable"), tag.exportable);
    w.num(k!("org_id"), tag.org_id);
    w.num(k!("user_id"), tag.user_id);
    w.flag(k!("hide_tag"), tag.hide_tag);
    w.num_or_null(k!("numerical_value"), tag.numerical_value);
    w.flag(k!("is_galaxy"), tag.is_galaxy);
    w.flag(k!("is_custom_galaxy"), tag.is_custom_galaxy);
    w.flag(k!("local_only"), tag.local_only);
}

/// A tag alone, with all its columns: on the relation of a cluster.
pub fn write_bare_tag(w: &mut JsonWriter<'_>, tag: &Tag) {
    w.begin_object();
    tag_columns(w, tag);
    w.end_object();
}

/// A tag of a collection: what a picker needs.
pub fn write_short_tag(w: &mut JsonWriter<'_>, tag: &Tag) {
    w.begin_object();
    w.num(k!("id"), tag.id);
    w.text(k!("name"), &tag.name);
    w.text(k!("colour"), &tag.colour);
    w.end_object();
}

/// How often a tag is attached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TagUse {
    pub events: i64,
    pub attributes: i64,
    pub favourite: bool,
}

/// One tag of `tags/index`; the caller puts them into `{"Tag":[…]}`. `tags/view` answers the same, flat.
pub fn write_counted_tag(w: &mut JsonWriter<'_>, tag: &Tag, used: TagUse) {
    w.begin_object();
    tag_columns(w, tag);
    w.name(k!("count"));
    w.int(used.events);
    w.name(k!("attribute_count"));
    w.int(used.attributes);
    w.flag(k!("favourite"), used.favourite);
    w.end_object();
}

/// `{"Tag":{…}}`, the answer of `tags/add`, `tags/edit` and an item of `tags/search`.
pub fn write_saved_tag(w: &mut JsonWriter<'_>, tag: &Tag) {
    w.begin_object();
    w.name(k!("Tag"));
    w.begin_object();
    tag_columns(w, tag);
    w.end_object();
    w.end_object();
}
