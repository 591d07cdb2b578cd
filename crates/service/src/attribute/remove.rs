//! Deleting and restoring attributes.

use crate::{Result, Service};
use pisax_access::Actor;
use pisax_model::ids::Ref;

/// Tombstones an attribute, or removes it for good; returns the event's row number.
pub fn remove(service: &Service, actor: &Actor, reference: Ref, hard: bool) -> Result<i64> {
    service.write(actor, |w| {
        let (event, batch) = super::for_edit(w, reference)?;
        let old = batch.get(0);
        w.tombstone_references_to(&old.uuid)?;
        if hard {
            w.remove_attribute(&old)?;
        } else {
            w.set_attribute_deleted(&old, true)?;
        }
        let now = w.now();
        w.touch_event(event.id, now)?;
        Ok(event.id)
    })
}

/// Takes a tombstone away.
pub fn restore(service: &Service, actor: &Actor, reference: Ref) -> Result<i64> {
    service.write(actor, |w| {
        let (event, batch) = super::for_edit(w, reference)?;
        let old = batch.get(0);
        w.set_attribute_deleted(&old, false)?;
        let now = w.now();
        w.touch_event(event.id, now)?;
        Ok(old.id)
    })
}
