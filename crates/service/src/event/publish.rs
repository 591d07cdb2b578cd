//! Publishing says: this is ready for others.

use crate::knowledge::missing_required;
use crate::workflow::begin;
use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission, edit};
use pisax_model::ids::Ref;
use pisax_store::Writer;
use pisax_store::changes::Action;

/// Publishes an event; returns its row number.
pub fn publish(service: &Service, actor: &Actor, reference: Ref) -> Result<i64> {
    begin::before_publication(service, actor, reference)?;
    service.write(actor, |w| publish_one(w, reference))
}

pub(super) fn publish_one(w: &mut Writer<'_>, reference: Ref) -> Result<i64> {
    let mut event = w.event_for_edit(reference, edit::may_publish)?;
    carries_required_tags(w, event.id)?;
    event.published = true;
    event.publish_timestamp = w.now();
    w.update_event(&event, Action::Publish)?;
    Ok(event.id)
}

/// Publishes what came with the wish to be published; where a workflow refuses, or the actor may not, it stays as it
/// is. The refusal is in the log.
pub(super) fn or_leave(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    match publish(service, actor, reference) {
        Ok(_) => Ok(()),
        Err(Error::Refused(reason)) => {
            tracing::info!(reason, "an event was saved and not published");
            Ok(())
        }
        Err(Error::Forbidden) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Refuses to publish an event without a tag of every taxonomy that asks for one.
pub(crate) fn carries_required_tags(w: &mut Writer<'_>, event_id: i64) -> Result<()> {
    let tags = w.event_tags(&[event_id])?.remove(&event_id).unwrap_or_default();
    let names: Vec<&str> = tags.iter().map(|t| t.tag.name.as_str()).collect();
    let missing = missing_required(w, &names)?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "Could not publish the event: it carries no tag of the required taxonomies {}.",
        missing.join(", ")
    )))
}

/// Hands an event the actor sees to those who subscribe over ZeroMQ, published or not.
pub fn send(service: &Service, actor: &Actor, reference: Ref) -> Result<i64> {
    if !service.settings().zeromq.enable {
        return Err(Error::Refused("ZMQ event publishing not enabled.".into()));
    }
    if !(actor.has(Permission::PublishZmq) || actor.sees_all()) {
        return Err(Error::Forbidden);
    }
    service.write(actor, |w| {
        let event = w.event(reference)?.ok_or(Error::NotFound("event"))?;
        w.note_event(&event, Action::Send);
        Ok(event.id)
    })
}

/// Takes a publication back; what others already have stays with them.
pub fn unpublish(service: &Service, actor: &Actor, reference: Ref) -> Result<i64> {
    service.write(actor, |w| {
        let mut event = w.event_for_edit(reference, edit::may_publish)?;
        event.published = false;
        w.update_event(&event, Action::Unpublish)?;
        Ok(event.id)
    })
}
