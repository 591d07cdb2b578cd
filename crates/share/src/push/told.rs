//! What the peer says it wants.

use super::link::Link;
use crate::Fault;
use crate::peer::{LARGE, LONG};
use pisax_model::Uuid;
use pisax_model::event::Event;
use pisax_wire::JsonWriter;
use pisax_wire::sync_out::write_offered_events;
use rustc_hash::FxHashSet;

/// POST events/filterEventIdsForPush: which of the events it wants.
pub(crate) fn wanted(link: &Link, events: &[Event]) -> Result<FxHashSet<Uuid>, Fault> {
    let mut body = Vec::new();
    let offered = events.iter().map(|event| (event.uuid, event.timestamp));
    write_offered_events(&mut JsonWriter::new(&mut body), offered);
    let answer = link.peer.post("events/filterEventIdsForPush", &body, (LONG, LARGE))?;
    let strange = |e: pisax_wire::ReadError| Fault::Strange(format!("the list of what it wants: {e}"));
    Ok(pisax_wire::read_uuids(&answer.body).map_err(strange)?.into_iter().collect())
}
