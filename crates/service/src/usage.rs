//! Numbers about the instance that take long to count, kept for a while.

use crate::{Result, Service};
use pisax_access::Actor;

/// How long a count is good for.
const FRESH_MS: i64 = 600_000;

/// When it was counted (Unix milliseconds), and what it was.
pub(crate) type Counted = Option<(i64, i64)>;

/// Pairs of attributes that share a value, at most ten minutes old. Who asks meanwhile waits for one count.
pub fn correlation_pairs(service: &Service) -> Result<i64> {
    let mut counted = service.counted.lock();
    let now = service.clock.now_ms();
    if let Some((when, pairs)) = *counted
        && (0..FRESH_MS).contains(&(now - when))
    {
        return Ok(pairs);
    }
    let actor = Actor::system("count correlations");
    let pairs = service.read(&actor, |r| Ok(r.correlation_pairs()?))?;
    *counted = Some((now, pairs));
    Ok(pairs)
}
