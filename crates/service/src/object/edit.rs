//! Changing objects: `objects/edit` tombstones the attributes it leaves out, an event edit keeps them.

use super::add::{check_object, insert_one};
use crate::analyst;
use crate::attribute::update;
use crate::context::{Checked, Groups, check};
use crate::error::uuid_taken;
use crate::files::Files;
use crate::{Error, Result, Service};
use pisax_access::Actor;
use pisax_model::attribute::{AttributeDraft, AttributeView, seen};
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::object::{Object, ObjectDraft, ReferenceDraft};
use pisax_model::{Distribution, FieldError, Uuid};
use pisax_store::Writer;
use pisax_store::attributes::{Known, Wanted};
use rustc_hash::FxHashSet;

/// Edits one object; returns its row number.
pub fn edit(service: &Service, actor: &Actor, reference: Ref, mut draft: ObjectDraft) -> Result<i64> {
    let mut files = Files::new(service);
    for attribute in &mut draft.attributes {
        files.keep_draft(attribute)?;
    }
    let id = service.write(actor, |w| {
        let (event, object) = super::for_edit(w, reference)?;
        draft.uuid = Some(object.uuid);
        let said = analyst::gather_object(&mut draft, w.now_ms);
        if draft.timestamp.is_some_and(|t| t > 0 && t <= object.timestamp) {
            return Err(Error::Stale("object"));
        }
        let id = object.id;
        let merged = apply(w, &event, object, draft, Absent::Tombstone, &mut Vec::new())?;
        super::reference::merge(w, &merged.object, &merged.references)?;
        analyst::capture_inside(w, said)?;
        let now = w.now();
        w.touch_event(event.id, now)?;
        Ok(id)
    });
    files.after(id)
}

/// An object with the references that came with it: they are merged when all objects of the edit are there.
struct Merged {
    object: Object,
    references: Vec<ReferenceDraft>,
}

/// What happens to attributes that the edit does not mention.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    Keep,
    Tombstone,
}

fn apply(
    w: &mut Writer<'_>,
    event: &Event,
    mut object: Object,
    draft: ObjectDraft,
    absent: Absent,
    refused: &mut Vec<FieldError>,
) -> Result<Merged> {
    for (field, sent) in [
        (&mut object.comment, draft.comment),
        (&mut object.template_version, draft.template_version.filter(|v| !v.is_empty())),
        (&mut object.template_uuid, draft.template_uuid.filter(|v| !v.is_empty())),
        (&mut object.description, draft.description),
    ] {
        if let Some(sent) = sent {
            *field = sent;
        }
    }
    if let Some(distribution) = draft.distribution {
        Distribution::from_code(distribution)
            .ok_or_else(|| FieldError::new("distribution", "Options: 0, 1, 2, 3, 4, 5."))?;
        let kept = object.distribution == 4
            && draft.sharing_group.is_none_or(|g| g == Ref::Id(object.sharing_group_id));
        object.sharing_group_id = match distribution {
            4 if kept => object.sharing_group_id,
            4 => Groups::default().usable(w, draft.sharing_group)?,
            _ => 0,
        };
        object.distribution = distribution;
    }
    if let Some(text) = draft.first_seen {
        object.first_seen = seen("first_seen", text)?;
    }
    if let Some(text) = draft.last_seen {
        object.last_seen = seen("last_seen", text)?;
    }
    let was_deleted = object.deleted;
    object.deleted = draft.deleted.unwrap_or(object.deleted);
    object.timestamp = draft.timestamp.filter(|t| *t > 0).unwrap_or(w.now());
    w.update_object(&object)?;
    if object.deleted && !was_deleted {
        tombstone_all(w, event, &object)?;
        return Ok(Merged { object, references: Vec::new() });
    }
    let absent = if draft.has_attributes { absent } else { Absent::Keep };
    merge_attributes(w, event, &object, draft.attributes, absent, refused)?;
    Ok(Merged { object, references: draft.references })
}

fn tombstone_all(w: &mut Writer<'_>, event: &Event, object: &Object) -> Result<()> {
    let batch = w.object_attributes(event, Wanted { living: true, deleted: false }, &[object.id])?;
    for attribute in batch.iter() {
        w.set_attribute_deleted(&attribute, true)?;
    }
    Ok(w.tombstone_references_to(&object.uuid)?)
}

fn merge_attributes(
    w: &mut Writer<'_>,
    event: &Event,
    object: &Object,
    drafts: Vec<AttributeDraft>,
    absent: Absent,
    refused: &mut Vec<FieldError>,
) -> Result<()> {
    let stored = w.object_attributes(event, Wanted { living: true, deleted: true }, &[object.id])?;
    let find = |draft: &AttributeDraft| -> Option<AttributeView<'_>> {
        stored.iter().find(|a| draft.uuid.map_or(draft.id == Some(a.id), |u| u == a.uuid))
    };
    let sent: Vec<Uuid> = drafts.iter().filter_map(|d| find(d).map(|a| a.uuid)).collect();
    let now_ms = w.now_ms;
    let mut met = FxHashSet::default();
    let mut groups = Groups::default();
    let mut new = Vec::new();
    for draft in drafts {
        let found = find(&draft);
        if let Some(uuid) = found.map(|a| a.uuid).or(draft.uuid)
            && !met.insert(uuid)
        {
            single(absent, Err(uuid_taken().into()), refused)?;
            continue;
        }
        match found {
            Some(old) => {
                if draft.timestamp.is_none_or(|t| t > old.timestamp) {
                    single(absent, update(w, event, &old, draft), refused)?;
                }
            }
            None => match checked(w, &mut groups, draft, now_ms) {
                Ok(checked) => new.push(checked),
                Err(e) => single(absent, Err(e), refused)?,
            },
        }
    }
    let known = w.known_attributes(&new.iter().map(|c| c.attribute.uuid).collect::<Vec<_>>())?;
    new.retain(|c| !known.contains_key(&c.attribute.uuid));
    let placed: Vec<_> = new.iter().map(|c| (object.id, &c.attribute)).collect();
    let ids = w.insert_attributes(event.id, &placed)?;
    let rows: Vec<_> = placed.iter().zip(&ids).map(|((_, a), id)| (*id, *a)).collect();
    crate::attribute::attach_all(w, event.id, &rows)?;
    if absent == Absent::Tombstone {
        for old in stored.iter().filter(|a| !a.deleted && !sent.contains(&a.uuid)) {
            w.set_attribute_deleted(&old, true)?;
        }
    }
    Ok(())
}

fn checked(w: &mut Writer<'_>, groups: &mut Groups, draft: AttributeDraft, now_ms: i64) -> Result<Checked> {
    let mut checked = check(draft, true, now_ms)?;
    groups.settle(w, &mut checked)?;
    Ok(checked)
}

/// In an event edit one refused attribute stays behind alone; `objects/edit` is refused whole.
fn single(absent: Absent, result: Result<()>, refused: &mut Vec<FieldError>) -> Result<()> {
    if absent == Absent::Keep { crate::attribute::tolerate(result, refused) } else { result }
}

/// The objects of an event edit: known ones are changed when newer, unknown ones added, absent ones kept.
/// Gives what was refused.
pub(crate) fn merge_objects(
    w: &mut Writer<'_>,
    event: &Event,
    drafts: Vec<ObjectDraft>,
) -> Result<Vec<FieldError>> {
    let mut refused = Vec::new();
    let known = w.known_objects(&drafts.iter().filter_map(|d| d.uuid).collect::<Vec<_>>())?;
    let now_ms = w.now_ms;
    let mut merged = Vec::new();
    for draft in drafts {
        let result = match draft.uuid.and_then(|u| known.get(&u)).copied() {
            Some(stored) if stored.event_id == event.id => merge_known(w, event, stored, draft, &mut refused),
            Some(_) => Ok(None), // in another event: not ours to touch
            None => add_unknown(w, event, draft, now_ms),
        };
        match result {
            Ok(one) => merged.extend(one),
            Err(Error::Invalid(fields)) => {
                tracing::info!(?fields, "an object of an event edit was refused");
                refused.extend(fields);
            }
            Err(e) => return Err(e),
        }
    }
    for one in &merged {
        super::reference::merge(w, &one.object, &one.references)?;
    }
    Ok(refused)
}

fn merge_known(
    w: &mut Writer<'_>,
    event: &Event,
    stored: Known,
    draft: ObjectDraft,
    refused: &mut Vec<FieldError>,
) -> Result<Option<Merged>> {
    let Some(object) = w.object(Ref::Id(stored.id))? else { return Ok(None) };
    if draft.timestamp.is_none_or(|t| t > stored.timestamp) {
        return apply(w, event, object, draft, Absent::Keep, refused).map(Some);
    }
    // The object did not change, one of its attributes may have.
    merge_attributes(w, event, &object, draft.attributes, Absent::Keep, refused)?;
    Ok(Some(Merged { object, references: draft.references }))
}

fn add_unknown(
    w: &mut Writer<'_>,
    event: &Event,
    mut draft: ObjectDraft,
    now_ms: i64,
) -> Result<Option<Merged>> {
    let references = std::mem::take(&mut draft.references);
    let id = insert_one(w, event, check_object(draft, now_ms)?)?;
    Ok(w.object(Ref::Id(id))?.map(|object| Merged { object, references }))
}
