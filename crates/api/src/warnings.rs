//! `"warnings":[…]`: which enabled warninglists have an attribute's value.

use crate::reply::{member, number_member};
use pisax_model::attribute::AttributeView;
use pisax_service::knowledge::{Half, Warninglists};
use pisax_wire::JsonWriter;

/// Writes the member where there are hits. As in MISP only what is meant for detection is warned of.
pub(crate) fn write_member(w: &mut JsonWriter<'_>, lists: &Warninglists, attribute: &AttributeView<'_>) {
    if !attribute.to_ids {
        return;
    }
    let hits = lists.hits(attribute.kind, attribute.value1, attribute.value2);
    if hits.is_empty() {
        return;
    }
    w.key("warnings");
    w.begin_array();
    for hit in &hits {
        let list = lists.list(hit.list_id);
        w.begin_object();
        member(w, "match", &hit.matched);
        let half = if hit.half == Half::First { attribute.value1 } else { attribute.value2 };
        member(w, "value", half);
        number_member(w, "warninglist_id", hit.list_id);
        member(w, "warninglist_name", list.map_or("", |list| list.name.as_str()));
        member(w, "warninglist_category", list.map_or("", |list| list.category.name()));
        w.end_object();
    }
    w.end_array();
}
