//! Deleting an event for good.

use crate::{Result, Service};
use pisax_access::{Actor, edit};
use pisax_model::ids::Ref;

/// Removes an event with everything in it and blocklists its uuid, so that a peer cannot bring it back
/// (MISP.enableEventBlocklisting, on by default).
pub fn remove(service: &Service, actor: &Actor, reference: Ref) -> Result<i64> {
    let blocklist = service.settings().event_blocklist;
    service.write(actor, |w| {
        let event = w.event_for_edit(reference, edit::may_edit)?;
        if blocklist {
            let orgc = w.org(Ref::Id(event.orgc_id))?.map(|o| o.name).unwrap_or_default();
            let why = "Automatically blocked because the event was deleted.";
            w.block_event(event.uuid, &event.info, &orgc, why)?;
        }
        w.remove_event(&event)?;
        Ok(event.id)
    })
}
