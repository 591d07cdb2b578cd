//! Which of the events that another server offers are wanted.

use crate::{Result, Service};
use pisax_access::Actor;
use pisax_model::Uuid;
use rustc_hash::{FxHashMap, FxHashSet};

/// The uuids of those that are not here, and of those that came from elsewhere and are older here, in the order
/// offered (semantics 7.3). Whether an event is here is told to whoever may synchronise, as a second one with its
/// uuid could not be taken; more is not told.
pub fn wanted(service: &Service, actor: &Actor, offered: &[(Uuid, i64)]) -> Result<Vec<Uuid>> {
    let uuids: Vec<Uuid> = offered.iter().map(|(uuid, _)| *uuid).collect();
    let blocklist = service.settings().event_blocklist;
    service.read(actor, |r| {
        let here: FxHashMap<Uuid, (i64, bool)> = r.event_versions(&uuids)?;
        let blocked = if blocklist { r.blocked_among(&uuids)? } else { FxHashSet::default() };
        let fits = |(uuid, timestamp): &&(Uuid, i64)| {
            !blocked.contains(uuid)
                && here.get(uuid).is_none_or(|(known, locked)| *locked && known < timestamp)
        };
        Ok(offered.iter().filter(fits).map(|(uuid, _)| *uuid).collect())
    })
}
