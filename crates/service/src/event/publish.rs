//! Publishing says: this is ready for others.

use crate::{Result, Service};
use pisax_access::{Actor, edit};
use pisax_model::ids::Ref;
use pisax_store::changes::Action;

/// Publishes an event; returns its row number.
pub fn publish(service: &Service, actor: &Actor, reference: Ref) -> Result<i64> {
    service.write(actor, |w| {
        let mut event = w.event_for_edit(reference, edit::may_publish)?;
        event.published = true;
        event.publish_timestamp = w.now();
        w.update_event(&event, Action::Publish)?;
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
