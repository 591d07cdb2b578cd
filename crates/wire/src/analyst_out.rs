//! Notes, opinions and relationships in MISP's shapes.

use crate::admin_out::org_columns;
use crate::json::{JsonWriter, k};
use pisax_model::analyst::{AnalystData, AnalystKind, TargetKind};
use pisax_model::event::Event;
use pisax_model::org::Org;
use pisax_model::sharing::SharingGroup;

/// Which of MISP's forms of an organisation stands in it, and what else is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnalystShape {
    /// Just saved, or on an attribute (207, 213): organisations with all their columns.
    Whole,
    /// On an event (213): organisations in short, and whether more was said than is shown.
    Short,
    /// Viewed or listed alone: organisations in short, not whether it may be edited.
    Viewed,
}

/// What stands around analyst data.
#[derive(Debug, Clone, Copy)]
pub struct AnalystContext<'a> {
    pub shape: AnalystShape,
    pub org: Option<&'a Org>,
    pub orgc: Option<&'a Org>,
    pub sharing_group: Option<&'a SharingGroup>,
    pub may_edit: bool,
    /// Members `"Note":[…]`, `"Opinion":[…]` that are about it, already written.
    pub children: &'a [u8],
    /// Whether there is more about it than `children` show.
    pub cut: bool,
    /// The value of `"related_object":…`, already written; empty for none.
    pub related: &'a [u8],
}

/// The object of one note, opinion or relationship.
pub fn write_analyst_data(w: &mut JsonWriter<'_>, data: &AnalystData, context: &AnalystContext<'_>) {
    w.begin_object();
    columns(w, data, context);
    w.name(k!("note_type"));
    w.int(data.kind as i64);
    w.text(k!("note_type_name"), data.kind.name());
    write_org(w, k!("Orgc"), context.orgc, context.shape, Side::Creator);
    write_org(w, k!("Org"), context.org, context.shape, Side::Owner);
    if let Some(group) = context.sharing_group {
        write_group(w, group);
    }
    if context.shape != AnalystShape::Viewed {
        w.flag(k!("_canEdit"), context.may_edit);
    }
    w.members(context.children);
    if data.kind == AnalystKind::Relationship {
        w.list(k!("related_object"), context.related);
    }
    if context.shape == AnalystShape::Short || context.cut {
        w.flag(k!("_max_depth_reached"), context.cut);
    }
    w.end_object();
}

fn columns(w: &mut JsonWriter<'_>, data: &AnalystData, context: &AnalystContext<'_>) {
    w.num(k!("id"), data.id);
    w.id(k!("uuid"), data.uuid);
    w.id(k!("object_uuid"), data.object_uuid);
    w.text(k!("object_type"), data.object_type.name());
    w.text(k!("authors"), &data.authors);
    for (name, org) in [(k!("org_uuid"), context.org), (k!("orgc_uuid"), context.orgc)] {
        w.id(name, org.map(|org| org.uuid).unwrap_or_default());
    }
    w.datetime(k!("created"), data.created);
    w.datetime(k!("modified"), data.modified);
    w.num(k!("distribution"), data.distribution);
    w.num_or_null(k!("sharing_group_id"), Some(data.sharing_group_id).filter(|id| *id > 0));
    w.flag(k!("locked"), data.locked);
    match data.kind {
        AnalystKind::Note => {
            w.text(k!("note"), &data.words);
            w.text_or_null(k!("language"), data.language.as_deref());
        }
        AnalystKind::Opinion => {
            w.num(k!("opinion"), data.opinion.unwrap_or_default());
            w.text(k!("comment"), &data.words);
        }
        AnalystKind::Relationship => {
            w.text(k!("relationship_type"), &data.relationship_type);
            w.id(k!("related_object_uuid"), data.related_uuid.unwrap_or_default());
            w.text(k!("related_object_type"), data.related_type.map_or("", TargetKind::name));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Creator,
    Owner,
}

fn write_org(w: &mut JsonWriter<'_>, name: &'static str, org: Option<&Org>, shape: AnalystShape, side: Side) {
    let Some(org) = org else { return };
    w.name(name);
    w.begin_object();
    if shape == AnalystShape::Whole {
        org_columns(w, org);
    } else {
        w.num(k!("id"), org.id);
        w.text(k!("name"), &org.name);
        w.id(k!("uuid"), org.uuid);
        w.text(k!("type"), &org.kind);
        if side == Side::Owner {
            w.text_or_null(k!("description"), org.description.as_deref());
        }
        w.text(k!("sector"), &org.sector);
        w.text(k!("nationality"), &org.nationality);
        w.flag(k!("local"), org.local);
    }
    w.end_object();
}

fn write_group(w: &mut JsonWriter<'_>, group: &SharingGroup) {
    w.name(k!("SharingGroup"));
    w.begin_object();
    w.num(k!("id"), group.id);
    w.text(k!("name"), &group.name);
    w.id(k!("uuid"), group.uuid);
    w.text(k!("releasability"), &group.releasability);
    w.text(k!("description"), &group.description);
    w.num(k!("org_id"), group.org_id);
    w.flag(k!("active"), group.active);
    w.flag(k!("roaming"), group.roaming);
    w.flag(k!("local"), group.local);
    w.end_object();
}

/// `{"Event":{…}}` of a related event (213).
pub fn write_related_event_object(w: &mut JsonWriter<'_>, event: &Event) {
    w.begin_object();
    w.name(k!("Event"));
    w.begin_object();
    w.num(k!("id"), event.id);
    w.num(k!("org_id"), event.org_id);
    w.text(k!("date"), &event.date);
    w.text(k!("info"), &event.info);
    w.num(k!("user_id"), event.user_id);
    w.id(k!("uuid"), event.uuid);
    crate::event_out::state(w, event);
    w.end_object();
    w.end_object();
}
