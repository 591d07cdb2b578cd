//! What a user called from the REST client: his newest calls, and those he marked.

use crate::{Error, Result, Service};
use pisax_access::Actor;
use pisax_store::rest_history::RestCall;

/// Calls kept of those that are not marked, as MISP keeps them.
const NEWEST: i64 = 10;
/// Marked calls of one user.
const MARKED: i64 = 200;

pub fn list(service: &Service, actor: &Actor) -> Result<Vec<RestCall>> {
    service.read(actor, |r| Ok(r.rest_calls()?))
}

/// Whether the user may mark one more; asked before the call is made.
pub fn may_mark(service: &Service, actor: &Actor) -> Result<()> {
    match service.read(actor, |r| Ok(r.marked_rest_calls()?))? {
        marked if marked < MARKED => Ok(()),
        _ => Err(Error::Refused("There are too many bookmarked calls: delete some first.".into())),
    }
}

/// Keeps a call; the secrets in it were taken out by whoever made it.
pub fn add(service: &Service, actor: &Actor, call: &RestCall) -> Result<i64> {
    service.write(actor, |w| Ok(w.add_rest_call(call, NEWEST)?))
}

pub fn delete(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    let gone = service.write(actor, |w| Ok(w.delete_rest_call(id)?))?;
    if gone { Ok(()) } else { Err(Error::NotFound("rest call")) }
}
