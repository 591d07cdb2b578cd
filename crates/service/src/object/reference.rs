//! References from an object to an attribute or object of the same event.

use super::add::NewObject;
use crate::{Error, Result, Service};
use pisax_access::{Actor, edit};
use pisax_model::FieldError;
use pisax_model::ids::{self, Ref};
use pisax_model::object::{Object, Reference, ReferenceDraft};
use pisax_store::Writer;

/// What a reference points to.
struct Found {
    id: i64,
    uuid: pisax_model::Uuid,
    event_id: i64,
    to_object: bool,
}

fn target(w: &mut Writer<'_>, reference: Option<Ref>) -> Result<Option<Found>> {
    let Some(reference) = reference else { return Ok(None) };
    if let Some(batch) = w.attribute(reference)? {
        let a = batch.get(0);
        return Ok(Some(Found { id: a.id, uuid: a.uuid, event_id: a.event_id, to_object: false }));
    }
    Ok(w.object(reference)?.map(|o| Found { id: o.id, uuid: o.uuid, event_id: o.event_id, to_object: true }))
}

fn relationship(draft: &ReferenceDraft) -> Result<String, FieldError> {
    let text = draft.relationship_type.as_deref().map(str::trim).unwrap_or_default();
    if text.is_empty() {
        return Err(FieldError::new("relationship_type", "The reference needs a relationship_type."));
    }
    Ok(text.to_owned())
}

/// Adds a reference; returns its row number. As in MISP it always gets a uuid of its own.
pub fn add(service: &Service, actor: &Actor, draft: ReferenceDraft) -> Result<i64> {
    service.write(actor, |w| {
        let (event, object) = super::for_edit(w, draft.source.ok_or(Error::NotFound("object"))?)?;
        let relationship_type = relationship(&draft)?;
        let found = target(w, draft.referenced)?.filter(|t| t.event_id == event.id);
        let found = found.ok_or(Error::NotFound("target"))?;
        let uuid = ids::new_uuid(w.now_ms);
        let now = w.now();
        let id = w.insert_reference(&build(&object, &found, uuid, relationship_type, &draft, now))?;
        w.touch_event(event.id, now)?;
        Ok(id)
    })
}

fn build(
    object: &Object,
    found: &Found,
    uuid: pisax_model::Uuid,
    relationship_type: String,
    draft: &ReferenceDraft,
    now: i64,
) -> Reference {
    Reference {
        id: 0,
        uuid,
        timestamp: draft.timestamp.filter(|t| *t > 0).unwrap_or(now),
        object_id: object.id,
        event_id: object.event_id,
        source_uuid: object.uuid,
        referenced_uuid: found.uuid,
        referenced_id: found.id,
        to_object: found.to_object,
        relationship_type,
        comment: draft.comment.clone().unwrap_or_default(),
        deleted: draft.deleted.unwrap_or(false),
    }
}

/// References that came with the objects of a new event, after all of them are there.
pub(crate) fn insert(w: &mut Writer<'_>, _event_id: i64, objects: &[NewObject]) -> Result<()> {
    for new in objects {
        merge(w, &new.object, &new.references)?;
    }
    Ok(())
}

/// References that came with an object: unknown ones are added, known ones follow the newer timestamp. One
/// whose target is not in the event is left out.
pub(crate) fn merge(w: &mut Writer<'_>, object: &Object, drafts: &[ReferenceDraft]) -> Result<()> {
    let (now, now_ms) = (w.now(), w.now_ms);
    for draft in drafts {
        let known = match &draft.uuid {
            Some(uuid) => w.known_reference(uuid)?,
            None => None,
        };
        match known {
            Some(mut stored) if stored.event_id == object.event_id => {
                if draft.timestamp.is_some_and(|t| t > stored.timestamp) {
                    stored.timestamp = draft.timestamp.unwrap_or(now);
                    stored.relationship_type = relationship(draft)?;
                    stored.comment = draft.comment.clone().unwrap_or(stored.comment);
                    stored.deleted = draft.deleted.unwrap_or(stored.deleted);
                    w.update_reference(&stored)?;
                }
            }
            Some(_) => {} // in another event: not ours to touch
            None => {
                let Some(found) = target(w, draft.referenced)?.filter(|t| t.event_id == object.event_id)
                else {
                    continue;
                };
                let Ok(relationship_type) = relationship(draft) else { continue };
                let uuid = draft.uuid.unwrap_or_else(|| ids::new_uuid(now_ms));
                w.insert_reference(&build(object, &found, uuid, relationship_type, draft, now))?;
            }
        }
    }
    Ok(())
}

/// Tombstones a reference, or removes it for good.
pub fn remove(service: &Service, actor: &Actor, reference: Ref, hard: bool) -> Result<()> {
    service.write(actor, |w| {
        let missing = || Error::NotFound("reference");
        let seen = w.reference(reference)?.ok_or_else(missing)?.event_id;
        let event = w.event_for_edit(Ref::Id(seen), edit::may_edit)?;
        // As it is behind the lock.
        let mut stored = w.reference(reference)?.ok_or_else(missing)?;
        let now = w.now();
        if hard {
            w.remove_reference(&stored)?;
        } else {
            stored.deleted = true;
            stored.timestamp = now;
            w.update_reference(&stored)?;
        }
        Ok(w.touch_event(event.id, now)?)
    })
}
