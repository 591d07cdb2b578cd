//! What a workflow is told: records in MISP's core format, as the system sees them.

use crate::Result;
use pisax_model::attribute::{AttributeView, NewAttribute, joined};
use pisax_model::event::{Event, EventDraft};
use pisax_model::ids::Ref;
use pisax_model::object::Object;
use pisax_model::proposal::Proposal;
use pisax_model::tag::{Attached, TagDraft};
use pisax_model::time;
use pisax_model::user::UserDraft;
use pisax_model::workflow::Data;
use pisax_model::{AttributeType, Category};
use pisax_store::Reader;
use pisax_store::attributes::Wanted;
use rustc_hash::FxHashMap;

/// Attributes and objects of an event that a workflow is told of. `Event.attribute_count` tells of all.
const MAX_ATTRIBUTES: i64 = 5000;
const MAX_OBJECTS: i64 = 2000;

const LIVING: Wanted = Wanted { living: true, deleted: false };

/// What of an event a workflow is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// One attribute, by its number.
    Attribute(i64),
    Object(i64),
    /// Nothing in it.
    Head,
}

/// An event with what is in it, or with the part that matters.
pub(super) fn event(r: &mut Reader<'_>, id: i64, part: Part) -> Result<Option<Data>> {
    let Some(event) = r.event(Ref::Id(id))? else { return Ok(None) };
    let tags = r.event_tags(&[id])?.remove(&id).unwrap_or_default();
    let tags: Vec<Data> = tags.iter().map(tag).collect();
    let (mut batch, objects) = match part {
        Part::All => (r.event_attributes(&event, LIVING, 0, MAX_ATTRIBUTES)?.ids(), {
            r.event_objects(&event, LIVING, 0, MAX_OBJECTS)?
        }),
        Part::Attribute(attribute) => (vec![attribute], Vec::new()),
        Part::Object(object) => (Vec::new(), r.objects_by_ids(&[object])?),
        Part::Head => (Vec::new(), Vec::new()),
    };
    let object_ids: Vec<i64> = objects.iter().map(|object| object.id).collect();
    if !object_ids.is_empty() {
        batch.extend(r.object_attributes(&event, LIVING, &object_ids)?.ids());
        batch.truncate(MAX_ATTRIBUTES as usize);
    }
    let attributes = r.attributes_by_ids(&batch)?;
    let attached = r.attribute_tags(&attributes.ids())?;
    let mut own = Vec::new();
    let mut inside: FxHashMap<i64, Vec<Data>> = FxHashMap::default();
    let mut flat = Vec::new();
    for view in attributes.iter() {
        let written = attribute(&view, attached.get(&view.id).map_or(&[], Vec::as_slice), &tags);
        flat.push(written.clone());
        // One that is told alone stands with its event, whatever object it is in.
        match objects.iter().any(|object| object.id == view.object_id) {
            true => inside.entry(view.object_id).or_default().push(written),
            false => own.push(written),
        }
    }
    let objects = objects.iter().map(|o| object(o, inside.remove(&o.id).unwrap_or_default())).collect();
    let mut written = head(&event);
    let names = r.org_names(&[event.org_id, event.orgc_id])?;
    for (key, id) in [("Org", event.org_id), ("Orgc", event.orgc_id)] {
        if let Some(org) = names.get(&id) {
            let (id, uuid) = (org.id.into(), org.uuid.to_string().into());
            let org = Data::map([
                ("id", id),
                ("name", org.name.clone().into()),
                ("uuid", uuid),
                ("local", org.local.into()),
            ]);
            written.put(key, org);
        }
    }
    written.put("Tag", Data::List(tags));
    written.put("Attribute", Data::List(own));
    written.put("Object", Data::List(objects));
    written.put("_AttributeFlattened", Data::List(flat));
    Ok(Some(Data::map([("Event", written)])))
}

fn head(event: &Event) -> Data {
    Data::map([
        ("id", event.id.into()),
        ("uuid", event.uuid.to_string().into()),
        ("org_id", event.org_id.into()),
        ("orgc_id", event.orgc_id.into()),
        ("date", event.date.clone().into()),
        ("info", event.info.clone().into()),
        ("threat_level_id", event.threat_level_id.into()),
        ("analysis", event.analysis.into()),
        ("published", event.published.into()),
        ("publish_timestamp", event.publish_timestamp.into()),
        ("timestamp", event.timestamp.into()),
        ("attribute_count", event.attribute_count.into()),
        ("distribution", event.distribution.into()),
        ("sharing_group_id", event.sharing_group_id.into()),
        ("locked", event.locked.into()),
        ("disable_correlation", event.disable_correlation.into()),
        ("extends_uuid", event.extends_uuid.map(|uuid| uuid.to_string()).unwrap_or_default().into()),
    ])
}

pub(super) fn tag(attached: &Attached) -> Data {
    Data::map([
        ("id", attached.tag.id.into()),
        ("name", attached.tag.name.clone().into()),
        ("colour", attached.tag.colour.clone().into()),
        ("exportable", attached.tag.exportable.into()),
        ("numerical_value", attached.tag.numerical_value.map_or(Data::Null, Data::from)),
        ("is_galaxy", attached.tag.is_galaxy.into()),
        ("local", attached.local.into()),
        ("relationship_type", attached.relationship_type.clone().map_or(Data::Null, Data::from)),
    ])
}

fn inherited(tags: &[Data], inherited: bool) -> impl Iterator<Item = Data> {
    tags.iter().map(move |tag| {
        let mut tag = tag.clone();
        tag.put("inherited", inherited.into());
        tag
    })
}

fn attribute(view: &AttributeView<'_>, attached: &[Attached], of_event: &[Data]) -> Data {
    let seen = |moment: Option<i64>| moment.map_or(Data::Null, |m| time::format_micros(m).into());
    let own: Vec<Data> = attached.iter().map(tag).collect();
    let all = inherited(of_event, true).chain(inherited(&own, false)).collect();
    Data::map([
        ("id", view.id.into()),
        ("uuid", view.uuid.to_string().into()),
        ("event_id", view.event_id.into()),
        ("object_id", view.object_id.into()),
        ("object_relation", view.object_relation.map_or(Data::Null, Data::from)),
        ("category", view.category.name().into()),
        ("type", view.kind.name().into()),
        ("value", view.value().into_owned().into()),
        ("to_ids", view.to_ids.into()),
        ("timestamp", view.timestamp.into()),
        ("distribution", view.distribution.into()),
        ("sharing_group_id", view.sharing_group_id.into()),
        ("comment", view.comment.into()),
        ("deleted", view.deleted.into()),
        ("disable_correlation", view.disable_correlation.into()),
        ("first_seen", seen(view.first_seen)),
        ("last_seen", seen(view.last_seen)),
        ("Tag", Data::List(own)),
        ("_allTags", Data::List(all)),
    ])
}

fn object(object: &Object, attributes: Vec<Data>) -> Data {
    Data::map([
        ("id", object.id.into()),
        ("uuid", object.uuid.to_string().into()),
        ("event_id", object.event_id.into()),
        ("name", object.name.clone().into()),
        ("meta-category", object.meta_category.clone().into()),
        ("template_uuid", object.template_uuid.clone().into()),
        ("template_version", object.template_version.clone().into()),
        ("timestamp", object.timestamp.into()),
        ("distribution", object.distribution.into()),
        ("sharing_group_id", object.sharing_group_id.into()),
        ("comment", object.comment.clone().into()),
        ("deleted", object.deleted.into()),
        ("Attribute", Data::List(attributes)),
    ])
}

/// A stored proposal.
pub(super) fn proposal(p: &Proposal) -> Data {
    let mut data = proposal_draft(
        (p.event_id, p.attribute_id, p.to_delete),
        (p.kind, p.category, &joined(p.kind, &p.value1, &p.value2)),
        p.to_ids,
        &p.comment,
    );
    data.put("id", p.id.into());
    data.put("uuid", p.uuid.to_string().into());
    data.put("org_id", p.org_id.into());
    data.put("email", p.email.clone().into());
    data.put("timestamp", p.timestamp.into());
    data
}

/// What is about to be proposed.
pub(super) fn new_proposal(event_id: i64, attribute_id: i64, to_delete: bool, new: &NewAttribute) -> Data {
    let value = joined(new.kind, &new.value1, &new.value2);
    let place = (event_id, attribute_id, to_delete);
    proposal_draft(place, (new.kind, new.category, &value), new.to_ids, &new.comment)
}

fn proposal_draft(
    (event_id, attribute_id, to_delete): (i64, i64, bool),
    (kind, category, value): (AttributeType, Category, &str),
    to_ids: bool,
    comment: &str,
) -> Data {
    Data::map([
        ("old_id", attribute_id.into()),
        ("event_id", event_id.into()),
        ("type", kind.name().into()),
        ("category", category.name().into()),
        ("value", value.into()),
        ("to_ids", to_ids.into()),
        ("comment", comment.into()),
        ("proposal_to_delete", to_delete.into()),
    ])
}

/// An event with what is proposed in it, at the attribute it is about.
pub(super) fn proposed(
    r: &mut Reader<'_>,
    event_id: i64,
    attribute_id: i64,
    proposal: Data,
) -> Result<Option<Data>> {
    let part = if attribute_id > 0 { Part::Attribute(attribute_id) } else { Part::Head };
    let Some(mut data) = event(r, event_id, part)? else { return Ok(None) };
    let list = Data::List(vec![proposal]);
    match attribute_id {
        0 => data.put_at("Event.ShadowAttribute", list),
        id => data.each_attribute(&|one| one == id, &mut |_, a| a.put("ShadowAttribute", list.clone())),
    }
    Ok(Some(data))
}

/// A user who is about to be saved, as far as a client sent him; no secrets.
pub(super) fn user_draft(id: i64, draft: &UserDraft) -> Data {
    let mut written = Data::map([("id", id.into())]);
    let mut put = |key: &str, value: Option<Data>| {
        if let Some(value) = value {
            written.put(key, value);
        }
    };
    put("email", draft.email.clone().map(Data::from));
    put("org_id", draft.org_id.map(Data::from));
    put("role_id", draft.role_id.map(Data::from));
    put("disabled", draft.disabled.map(Data::from));
    put("autoalert", draft.autoalert.map(Data::from));
    Data::map([("User", written)])
}

/// Who did something; none for the system.
pub(super) fn user(r: &mut Reader<'_>, id: i64) -> Result<Data> {
    let user = if id == 0 { None } else { r.user(id)? };
    Ok(user.map_or(Data::Null, |user| {
        Data::map([
            ("id", user.id.into()),
            ("email", user.email.into()),
            ("org_id", user.org_id.into()),
            ("role_id", user.role_id.into()),
            ("disabled", user.disabled.into()),
        ])
    }))
}

/// An event that is about to be saved, as far as a client sent it.
pub(super) fn draft(draft: &EventDraft, stored: Option<&Event>) -> Data {
    let mut written = stored.map_or_else(|| Data::Map(Vec::new()), head);
    let mut put = |key: &str, value: Option<Data>| {
        if let Some(value) = value {
            written.put(key, value);
        }
    };
    put("uuid", draft.uuid.map(|uuid| uuid.to_string().into()));
    put("info", draft.info.clone().map(Data::from));
    put("date", draft.date.clone().map(Data::from));
    put("threat_level_id", draft.threat_level_id.map(Data::from));
    put("analysis", draft.analysis.map(Data::from));
    put("distribution", draft.distribution.map(Data::from));
    put("published", draft.published.map(Data::from));
    put("extends_uuid", draft.extends_uuid.clone().map(Data::from));
    let tags = |drafts: &[TagDraft]| -> Vec<Data> {
        let name = |draft: &TagDraft| Data::map([("name", draft.name.clone().into())]);
        drafts.iter().filter(|draft| draft.deleted != Some(true)).map(name).collect()
    };
    let of_event = tags(&draft.tags);
    let attribute = |a: &pisax_model::attribute::AttributeDraft| {
        let text = |text: &Option<String>| text.clone().map_or(Data::Null, Data::from);
        let own = tags(&a.tags);
        let all = inherited(&of_event, true).chain(inherited(&own, false)).collect();
        Data::map([
            ("type", text(&a.kind)),
            ("category", text(&a.category)),
            ("value", text(&a.value)),
            ("comment", text(&a.comment)),
            ("object_relation", text(&a.object_relation)),
            ("to_ids", a.to_ids.map_or(Data::Null, Data::from)),
            ("distribution", a.distribution.unwrap_or(5).into()),
            ("Tag", Data::List(own)),
            ("_allTags", Data::List(all)),
        ])
    };
    let most = MAX_ATTRIBUTES as usize;
    let own: Vec<Data> = draft.attributes.iter().take(most).map(attribute).collect();
    let mut flat = own.clone();
    let mut objects = Vec::new();
    for object in draft.objects.iter().take(MAX_OBJECTS as usize) {
        let inside: Vec<Data> =
            object.attributes.iter().take(most - flat.len().min(most)).map(attribute).collect();
        flat.extend(inside.iter().cloned());
        let name = object.name.clone().map_or(Data::Null, Data::from);
        objects.push(Data::map([("name", name), ("Attribute", Data::List(inside))]));
    }
    written.put("Tag", Data::List(of_event));
    written.put("Attribute", Data::List(own));
    written.put("Object", Data::List(objects));
    written.put("_AttributeFlattened", Data::List(flat));
    Data::map([("Event", written)])
}
