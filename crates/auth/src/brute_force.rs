//! The brake on guessing passwords: five wrong ones from one place for one account, then a pause.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;

/// Wrong passwords until the pause: MISP's `SecureAuth.amount`.
pub const FAILURES: usize = 5;
/// Seconds a wrong password counts: MISP's `SecureAuth.expire`.
pub const WINDOW_SECS: i64 = 300;
/// Pairs of place and account remembered; 72 bytes each, so at most about a megabyte.
const MOST: usize = 10_000;

/// Counts attempts to sign in, in memory: a restart forgets, which costs an attacker more than it gives.
#[derive(Debug, Default)]
pub struct Limiter {
    attempts: Mutex<HashMap<[u8; 16], Attempts>>,
}

/// The times of the last attempts, newest last.
#[derive(Debug, Default)]
struct Attempts {
    times: [i64; FAILURES],
    count: usize,
}

/// Too many wrong passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Seconds until the next attempt counts.
    pub retry_after: i64,
}

impl Limiter {
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for one attempt and counts it as wrong until [`Limiter::succeeded`] says otherwise. Counting
    /// before the password is checked is what keeps a hundred parallel requests to five guesses.
    pub fn attempt(&self, ip: IpAddr, email: &str, now_secs: i64) -> Result<(), Refused> {
        let mut attempts = self.attempts.lock();
        let place = place(ip, email);
        if attempts.len() >= MOST && !attempts.contains_key(&place) {
            make_room(&mut attempts, now_secs);
        }
        attempts.entry(place).or_default().add(now_secs)
    }

    /// The password was right: forgets the attempts.
    pub fn succeeded(&self, ip: IpAddr, email: &str) {
        self.attempts.lock().remove(&place(ip, email));
    }
}

impl Attempts {
    fn add(&mut self, now: i64) -> Result<(), Refused> {
        let stale = self.times[..self.count].iter().filter(|time| **time <= now - WINDOW_SECS).count();
        self.times.rotate_left(stale);
        self.count -= stale;
        if self.count == FAILURES {
            return Err(Refused { retry_after: self.times[0] + WINDOW_SECS - now });
        }
        self.times[self.count] = now;
        self.count += 1;
        Ok(())
    }

    fn newest(&self) -> i64 {
        self.times[self.count.saturating_sub(1)]
    }
}

/// Forgets what has expired; if that was nothing, the half that was quiet longest, so that a flood of
/// invented accounts pays for this scan once in thousands of attempts.
fn make_room(attempts: &mut HashMap<[u8; 16], Attempts>, now: i64) {
    attempts.retain(|_, a| a.newest() > now - WINDOW_SECS);
    if attempts.len() < MOST {
        return;
    }
    let mut newest: Vec<i64> = attempts.values().map(Attempts::newest).collect();
    let (_, middle, _) = newest.select_nth_unstable(MOST / 2);
    let middle = *middle;
    let later = newest.iter().filter(|time| **time > middle).count();
    let mut ties = (MOST / 2).saturating_sub(later);
    attempts.retain(|_, a| {
        let tie = a.newest() == middle && ties > 0;
        ties -= usize::from(tie);
        tie || a.newest() > middle
    });
}

/// Where an attempt comes from and whom it is for, as a hash: texts of any length take the same room. A
/// network of IPv6 /64 is one place, since it is what one subscriber is given.
fn place(ip: IpAddr, email: &str) -> [u8; 16] {
    let network = match ip.to_canonical() {
        IpAddr::V4(four) => four.to_ipv6_mapped().to_bits(),
        IpAddr::V6(six) => six.to_bits() & (u128::MAX << 64),
    };
    let mut hasher = blake3::Hasher::new();
    hasher.update(&network.to_be_bytes());
    hasher.update(email.trim().to_lowercase().as_bytes());
    let mut place = [0u8; 16];
    hasher.finalize_xof().fill(&mut place);
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_sixth_attempt_waits_until_the_first_is_forgotten() {
        let limiter = Limiter::new();
        for second in 0..5 {
            assert_eq!(limiter.attempt(ip("192.0.2.1"), "noc@ixp.example", 1_000 + second), Ok(()));
        }
        let refused = limiter.attempt(ip("192.0.2.1"), "noc@ixp.example", 1_010);
        assert_eq!(refused, Err(Refused { retry_after: 290 }));
        assert!(limiter.attempt(ip("192.0.2.1"), "noc@ixp.example", 1_299).is_err());
        assert_eq!(limiter.attempt(ip("192.0.2.1"), "noc@ixp.example", 1_300), Ok(()));
        assert!(limiter.attempt(ip("192.0.2.1"), "noc@ixp.example", 1_300).is_err());
    }

    #[test]
    fn another_place_or_account_is_counted_apart() {
        let limiter = Limiter::new();
        for _ in 0..5 {
            assert!(limiter.attempt(ip("192.0.2.1"), "noc@ixp.example", 0).is_ok());
        }
        assert!(limiter.attempt(ip("192.0.2.2"), "noc@ixp.example", 0).is_ok());
        assert!(limiter.attempt(ip("192.0.2.1"), "peering@ixp.example", 0).is_ok());
    }

    #[test]
    fn case_mapped_addresses_and_neighbours_in_a_64_are_the_same_place() {
        let limiter = Limiter::new();
        for email in ["noc@ixp.example", "NOC@ixp.example", " Noc@IXP.example "] {
            assert!(limiter.attempt(ip("192.0.2.1"), email, 0).is_ok());
        }
        for _ in 0..2 {
            assert!(limiter.attempt(ip("::ffff:192.0.2.1"), "noc@ixp.example", 0).is_ok());
        }
        assert!(limiter.attempt(ip("192.0.2.1"), "noc@ixp.example", 0).is_err());

        for last in 0..5 {
            assert!(limiter.attempt(ip(&format!("2001:db8::{last}")), "noc@ixp.example", 0).is_ok());
        }
        assert!(limiter.attempt(ip("2001:db8::ffff"), "noc@ixp.example", 0).is_err());
        assert!(limiter.attempt(ip("2001:db8:0:1::1"), "noc@ixp.example", 0).is_ok());
    }

    #[test]
    fn a_right_password_clears_the_count() {
        let limiter = Limiter::new();
        for _ in 0..20 {
            assert!(limiter.attempt(ip("192.0.2.1"), "noc@ixp.example", 0).is_ok());
            limiter.succeeded(ip("192.0.2.1"), "NOC@ixp.example");
        }
    }

    #[test]
    fn a_flood_of_accounts_stays_within_bounds_and_the_latest_are_remembered() {
        let limiter = Limiter::new();
        for n in 0..30_000i64 {
            assert!(limiter.attempt(ip("192.0.2.1"), &format!("{n}@ixp.example"), n / 1_000).is_ok());
        }
        assert!(limiter.attempts.lock().len() <= MOST);
        for _ in 0..4 {
            assert!(limiter.attempt(ip("192.0.2.1"), "29999@ixp.example", 30).is_ok());
        }
        assert!(limiter.attempt(ip("192.0.2.1"), "29999@ixp.example", 30).is_err());
    }

    #[test]
    fn a_flood_within_one_second_stays_within_bounds() {
        let limiter = Limiter::new();
        for n in 0..25_000 {
            assert!(limiter.attempt(ip("192.0.2.1"), &format!("{n}@ixp.example"), 0).is_ok());
        }
        assert!(limiter.attempts.lock().len() <= MOST);
    }
}
