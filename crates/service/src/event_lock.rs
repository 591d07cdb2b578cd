//! Who works on an event, told to those who may change it. A note ends by itself after a quarter of an hour, and
//! keeps nobody from anything.

use crate::{Error, Result, Service};
use pisax_access::{Actor, edit};
use pisax_model::event::Event;
use pisax_model::ids::Ref;
pub use pisax_store::event_locks::{EventLock, Hand};

/// Seconds a note counts, as in MISP.
const TTL: i64 = 900;
/// Notes of one user's tools at a time.
const MOST: i64 = 1000;

/// Notes that the actor works on an event that he may change.
pub fn add(service: &Service, actor: &Actor, reference: Ref, hand: Hand) -> Result<i64> {
    let expired = service.now() - TTL;
    service.write(actor, |w| {
        let event = w.event_for_edit(reference, edit::may_edit)?;
        if hand == Hand::Api && w.own_event_locks(hand, expired)? >= MOST {
            return Err(Error::Refused("There are too many locks: remove some first.".into()));
        }
        Ok(w.lock_event(event.id, hand, expired)?)
    })
}

/// Forgets what a tool of the actor's noted; whether there was such a note.
pub fn remove(service: &Service, actor: &Actor, event: &Event, id: i64) -> Result<bool> {
    service.write(actor, |w| Ok(w.unlock_event(event.id, id)?))
}

/// The event with who works on it; nothing where it is hidden or not the actor's to change.
pub fn check(service: &Service, actor: &Actor, reference: Ref) -> Result<Option<(Event, Vec<EventLock>)>> {
    let after = service.now() - TTL;
    service.read(actor, |r| {
        let Some(event) = r.event(reference)? else { return Ok(None) };
        let owner = edit::EventOwner { orgc_id: event.orgc_id, user_id: event.user_id, locked: event.locked };
        if !edit::may_edit(actor, owner) {
            return Ok(None);
        }
        let locks = r.event_locks(event.id, after)?;
        Ok(Some((event, locks)))
    })
}
