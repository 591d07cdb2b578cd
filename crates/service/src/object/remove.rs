//! Deleting objects.

use crate::{Result, Service};
use pisax_access::Actor;
use pisax_model::ids::Ref;
use pisax_store::attributes::Wanted;

/// Tombstones an object with its attributes, or removes them for good; returns the event's row number.
pub fn remove(service: &Service, actor: &Actor, reference: Ref, hard: bool) -> Result<i64> {
    service.write(actor, |w| {
        let (event, mut object) = super::for_edit(w, reference)?;
        let inside = w.object_attributes(&event, Wanted { living: true, deleted: hard }, &[object.id])?;
        for attribute in inside.iter() {
            if hard {
                w.remove_attribute(&attribute)?;
            } else {
                w.set_attribute_deleted(&attribute, true)?;
            }
        }
        let now = w.now();
        if hard {
            w.remove_object(&object)?;
        } else {
            w.tombstone_references_to(&object.uuid)?;
            object.deleted = true;
            object.timestamp = now;
            w.update_object(&object)?;
        }
        w.touch_event(event.id, now)?;
        Ok(event.id)
    })
}
