//! What was asked for and waits.

use crate::{Result, Service, rules};
use pisax_access::Actor;

/// Takes jobs out of the list; returns how many.
pub fn clear(service: &Service, actor: &Actor, done_only: bool) -> Result<u64> {
    rules::site_admin(actor)?;
    service.write(actor, |w| Ok(w.clear_jobs(done_only)?))
}
