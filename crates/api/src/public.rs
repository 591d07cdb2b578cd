//! What is answered to anybody: no key is asked for, so little is read and from one place not much is taken.

use crate::failure::Failure;
use http::StatusCode;
use parking_lot::Mutex;
use pisax_access::{Actor, Origin, Permissions, Via};
use pisax_model::Uuid;
use pisax_model::user::{AuthKey, Role, User};
use pisax_store::keys::KeyOwner;
use pisax_store::orgs::OrgName;
use pisax_wire::answer as body;
use rustc_hash::FxHashMap;
use std::net::IpAddr;

/// Largest body of such a request.
pub(crate) const BODY: usize = 64 << 10;
/// Requests from one place within [`WINDOW`] seconds.
const MOST: u32 = 20;
const WINDOW: i64 = 600;
/// Places remembered; when there are more, all wait for the window to end.
const PLACES: usize = 10_000;

/// How much came from where.
#[derive(Debug, Default)]
pub(crate) struct Brake(Mutex<FxHashMap<u128, (i64, u32)>>);

impl Brake {
    /// Counts a request; refuses the one too many.
    pub(crate) fn allow(&self, address: IpAddr, now: i64) -> Result<(), Failure> {
        // A network of IPv6 /64 is one place: it is what one subscriber is given.
        let place = match address.to_canonical() {
            IpAddr::V4(four) => four.to_ipv6_mapped().to_bits(),
            IpAddr::V6(six) => six.to_bits() & (u128::MAX << 64),
        };
        let mut places = self.0.lock();
        if places.len() >= PLACES {
            places.retain(|_, (since, _)| now - *since < WINDOW);
        }
        if places.len() >= PLACES && !places.contains_key(&place) {
            return Err(refused());
        }
        let (since, count) = places.entry(place).or_insert((now, 0));
        if now - *since >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        if *count > MOST { Err(refused()) } else { Ok(()) }
    }
}

fn refused() -> Failure {
    let words = "Too many requests came from your address: try again later.";
    Failure::Own(StatusCode::TOO_MANY_REQUESTS, body::exception(words, "/"))
}

/// Whoever asks without a key: sees nothing, may do nothing beyond the route itself.
pub(crate) fn nobody(address: IpAddr) -> (Actor, KeyOwner) {
    let actor = Actor {
        user_id: 0,
        org_id: 0,
        permissions: Permissions::NONE,
        host_org: false,
        reason: Some("nobody is signed in"),
        origin: Origin { via: Via::Api, address: Some(address), key_id: 0 },
    };
    let key = AuthKey {
        id: 0,
        uuid: Uuid::nil(),
        start: String::new(),
        end: String::new(),
        created: 0,
        expiration: 0,
        read_only: true,
        user_id: 0,
        comment: String::new(),
        allowed_ips: Vec::new(),
        last_used: 0,
    };
    let role = Role {
        id: 0,
        name: String::new(),
        permissions: Permissions::NONE,
        permission: 0,
        default_role: false,
        memory_limit: None,
        max_execution_time: None,
        restricted_to_site_admin: false,
        enforce_rate_limit: false,
        rate_limit_count: 0,
        created: 0,
        modified: 0,
    };
    let org = OrgName { id: 0, name: String::new(), uuid: Uuid::nil(), local: false };
    (actor, KeyOwner { key, user: User::nobody(), role, org })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_does_not_take_all_there_is() {
        let brake = Brake::default();
        let from = |text: &str| text.parse::<IpAddr>().unwrap();
        for _ in 0..MOST {
            assert!(brake.allow(from("2001:db8::1"), 0).is_ok());
        }
        assert!(brake.allow(from("2001:db8::2"), 1).is_err(), "the same network");
        assert!(brake.allow(from("2001:db8:0:1::1"), 1).is_ok());
        assert!(brake.allow(from("2001:db8::1"), WINDOW).is_ok(), "it is a brake, not a wall");
    }
}
