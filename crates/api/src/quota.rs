//! How many searches a role may make: `enforce_rate_limit` and `rate_limit_count`, counted as MISP's
//! `RateLimitComponent` does, for each user from his first search on. Counted in memory: a restart begins anew.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::path::Path;
use parking_lot::Mutex;
use pisax_store::keys::KeyOwner;
use rustc_hash::FxHashMap;

/// Seconds for which a role's number of searches is meant.
const WINDOW: i64 = 900;
/// Users remembered before those whose window has passed are forgotten.
const USERS: usize = 10_000;

/// What a user has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub limit: i64,
    pub remaining: i64,
    /// Seconds until it is whole again.
    pub reset: i64,
}

impl Quota {
    /// Tells it in MISP's headers.
    pub(crate) fn tell(self, answer: Answer) -> Answer {
        answer
            .header("x-rate-limit-limit", self.limit)
            .header("x-rate-limit-remaining", self.remaining)
            .header("x-rate-limit-reset", self.reset)
    }
}

/// Searches of each user: since when, how many.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<FxHashMap<i64, (i64, i64)>>);

impl Quotas {
    /// Counts a search of whoever has a limit; nothing for others, and for what is no search.
    pub(crate) fn take(&self, path: &Path, owner: &KeyOwner, now: i64) -> Result<Option<Quota>, Failure> {
        let limited = path.action == "restsearch" && matches!(&*path.controller, "events" | "attributes");
        if !limited || !owner.role.enforce_rate_limit {
            return Ok(None);
        }
        let limit = owner.role.rate_limit_count;
        if limit <= 0 {
            return Err(Failure::NotAllowed("API searches are not allowed for this user role.".into()));
        }
        self.count(owner.user.id, limit, now).map(Some)
    }

    fn count(&self, user: i64, limit: i64, now: i64) -> Result<Quota, Failure> {
        let mut users = self.0.lock();
        if users.len() >= USERS {
            users.retain(|_, (since, _)| now - *since < WINDOW);
        }
        let (since, count) = users.entry(user).or_insert((now, 0));
        if now - *since >= WINDOW {
            (*since, *count) = (now, 0);
        }
        let reset = WINDOW - (now - *since);
        if *count >= limit {
            return Err(Failure::TooOften(Quota { limit, remaining: 0, reset }));
        }
        *count += 1;
        Ok(Quota { limit, remaining: limit - *count, reset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_whole_again_after_its_window_and_each_users_own() {
        let quotas = Quotas::default();
        let left = |user, now| match quotas.count(user, 2, now) {
            Ok(quota) => Ok((quota.remaining, quota.reset)),
            Err(Failure::TooOften(quota)) => Err(quota.reset),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(left(1, 1000), Ok((1, 900)));
        assert_eq!(left(1, 1010), Ok((0, 890)));
        assert_eq!(left(1, 1899), Err(1));
        assert_eq!(left(2, 1899), Ok((1, 900)));
        assert_eq!(left(1, 1900), Ok((1, 900)));
    }
}
