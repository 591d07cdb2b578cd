//! Switching the protection of an event on and off.

use crate::{Result, Service};
use pisax_access::{Actor, edit};
use pisax_model::ids::Ref;
use pisax_store::changes::Action;

/// From now on only what its keys signed changes the event from another server; `on` off: whatever its
/// distribution lets in. Returns its row number.
pub fn protect(service: &Service, actor: &Actor, reference: Ref, on: bool) -> Result<i64> {
    service.write(actor, |w| {
        let mut event = w.event_for_edit(reference, edit::may_edit)?;
        event.protected = Some(on);
        event.timestamp = w.now();
        event.published = false;
        w.update_event(&event, Action::Edit)?;
        Ok(event.id)
    })
}
