//! One attribute, or a whole event, taken out of correlation, or back in.
//!
//! Nothing else changes: neither timestamp nor publication, so that peers do not see a new version.

use crate::{Error, Result, Service, attribute};
use pisax_access::{Actor, Permission, edit as rule};
use pisax_model::attribute::AttributeDraft;
use pisax_model::ids::Ref;
use pisax_store::changes::Action;

/// Where it is not wanted, members cannot hide what their events share with those of others.
fn permitted(service: &Service, actor: &Actor) -> Result<()> {
    if actor.has(Permission::SiteAdmin) || service.settings().disabling_correlation {
        return Ok(());
    }
    Err(Error::Refused("Disabling the correlation is not permitted on this instance.".into()))
}

/// Whether the attribute correlates from now on.
pub fn toggle_attribute(service: &Service, actor: &Actor, reference: Ref) -> Result<bool> {
    permitted(service, actor)?;
    service.write(actor, |w| {
        let (event, batch) = attribute::for_edit(w, reference)?;
        let old = batch.get(0);
        let off = !old.disable_correlation;
        let draft = AttributeDraft {
            disable_correlation: Some(off),
            timestamp: Some(old.timestamp),
            ..AttributeDraft::default()
        };
        attribute::update(w, &event, &old, draft)?;
        Ok(!off)
    })
}

/// Whether the event correlates from now on.
pub fn toggle_event(service: &Service, actor: &Actor, reference: Ref) -> Result<bool> {
    permitted(service, actor)?;
    service.write(actor, |w| {
        let mut event = w.event_for_edit(reference, rule::may_edit)?;
        event.disable_correlation = !event.disable_correlation;
        w.update_event(&event, Action::Edit)?;
        Ok(!event.disable_correlation)
    })
}
