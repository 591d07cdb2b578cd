//! Publishing says: this is ready for others.

use crate::knowledge::missing_required;
use crate::{Error, Result, Service};
use pisax_access::{Actor, edit};
use pisax_model::ids::Ref;
use pisax_store::changes::Action;

/// Publishes an event; returns its row number.
pub fn publish(service: &Service, actor: &Actor, reference: Ref) -> Result<i64> {
    service.write(actor, |w| {
        let mut event = w.event_for_edit(reference, edit::may_publish)?;
        let tags = w.event_tags(&[event.id])?.remove(&event.id).unwrap_or_default();
        let names: Vec<&str> = tags.iter().map(|t| t.tag.name.as_str()).collect();
        let missing = missing_required(w, &names)?;
        if !missing.is_empty() {
            return Err(Error::Refused(format!(
                "Could not publish the event: it carries no tag of the required taxonomies {}.",
                missing.join(", ")
            )));
        }
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
