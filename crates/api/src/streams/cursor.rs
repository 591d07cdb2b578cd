//! How far a publisher has come, kept in the database: after a restart it goes on where it was.

use super::messages;
use crate::failure::Failure;
use pisax_access::Actor;
use pisax_service::Service;
use pisax_store::streams::Place;

/// Changes that are caught up with at most; what is older is passed over, which is logged.
const OLDEST: i64 = 100_000;

fn system() -> Actor {
    Actor::system("note how far a publisher has come")
}

/// Where a publisher begins, and whether it goes on after an interruption. One that was never there begins with what
/// changes from now on.
pub(crate) fn begin(service: &Service, name: &'static str) -> Result<(Place, bool), Failure> {
    let newest = messages::newest(service)?;
    let Some(place) = service.read(&system(), |r| Ok(r.stream_cursor(name)?))? else {
        set(service, name, newest)?;
        return Ok((newest, false));
    };
    let oldest = Place::after(newest.seq - OLDEST);
    if place < oldest {
        tracing::warn!(publisher = name, from = place.seq, to = oldest.seq, "too much changed meanwhile");
    }
    Ok((place.max(oldest), true))
}

pub(crate) fn set(service: &Service, name: &'static str, place: Place) -> Result<(), Failure> {
    let now = service.clock.now_ms();
    let written = service.store.write(&system(), now, |w| w.set_stream_cursor(name, place));
    written.map_err(pisax_service::Error::from).map_err(Failure::from)
}

pub(crate) fn forget(service: &Service, name: &'static str) -> Result<(), Failure> {
    let now = service.clock.now_ms();
    let written = service.store.write(&system(), now, |w| w.forget_stream_cursor(name));
    written.map_err(pisax_service::Error::from).map_err(Failure::from)
}
