//! Browser sessions: the secret in the cookie, the hash of it in the store, the CSRF token made from it.

use crate::{key, random};

/// Seconds without a request after which a session ends: MISP's `Session.timeout` of 600 minutes.
pub const IDLE_SECS: i64 = 36_000;
/// Seconds after sign-in when a session ends whatever happens: MISP's cookie lives a week.
pub const LONGEST_SECS: i64 = 604_800;
/// Seconds between two writes of `last_seen`, so that reading pages does not write to the store each time.
pub const TOUCH_SECS: i64 = 60;

/// The secret of one browser: 32 random bytes, hex in the cookie. It is never stored; the store keeps
/// [`Secret::hash`]. A sign-in page, before there is a session, uses one for its CSRF token alone.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// A new secret.
    pub fn generate() -> Self {
        let mut bytes = [0u8; 32];
        random::fill(&mut bytes);
        Self(bytes)
    }

    /// Reads the cookie's value; `None` for anything that is not 64 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|bytes| Self(bytes.into()))
    }

    /// The cookie's value.
    pub fn to_hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }

    /// What the store keeps and looks a session up by: whoever reads the table cannot sign in with it.
    pub fn hash(&self) -> [u8; 32] {
        *blake3::hash(&self.0).as_bytes()
    }

    /// Whether it is the secret behind a stored hash, in constant time.
    pub fn has_hash(&self, stored: &[u8]) -> bool {
        let Ok(stored) = <[u8; 32]>::try_from(stored) else { return false };
        blake3::Hash::from_bytes(self.hash()) == blake3::Hash::from_bytes(stored)
    }

    /// The token every form of this browser carries in its field `csrf`.
    pub fn csrf(&self) -> String {
        blake3::keyed_hash(&self.0, b"pisax csrf token").to_hex().to_string()
    }

    /// Whether a form's `csrf` field is that of this browser, in constant time.
    pub fn csrf_is(&self, sent: &str) -> bool {
        let expected = blake3::keyed_hash(&self.0, b"pisax csrf token");
        blake3::Hash::from_hex(sent).is_ok_and(|sent| key::same(sent.as_bytes(), expected.as_bytes()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A stored session. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// [`Secret::hash`].
    pub hash: [u8; 32],
    pub user_id: i64,
    pub created: i64,
    pub last_seen: i64,
    /// The end whatever happens; [`IDLE_SECS`] without a request ends it earlier.
    pub expires: i64,
}

impl Session {
    /// A session that begins now.
    pub fn begin(secret: &Secret, user_id: i64, now_secs: i64) -> Self {
        Self {
            hash: secret.hash(),
            user_id,
            created: now_secs,
            last_seen: now_secs,
            expires: now_secs + LONGEST_SECS,
        }
    }

    /// Whether it is still good.
    pub fn alive(&self, now_secs: i64) -> bool {
        now_secs < self.expires && now_secs < self.last_seen + IDLE_SECS
    }

    /// Notes a request; true when `last_seen` should be written to the store.
    pub fn touch(&mut self, now_secs: i64) -> bool {
        let due = now_secs >= self.last_seen + TOUCH_SECS;
        if due {
            self.last_seen = now_secs;
        }
        due
    }

    /// Seconds the cookie may live (`Max-Age`).
    pub fn max_age(&self, now_secs: i64) -> i64 {
        (self.expires - now_secs).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_the_cookie() {
        let secret = Secret::generate();
        let cookie = secret.to_hex();
        assert_eq!(cookie.len(), 64);
        let read = Secret::parse(&cookie).unwrap();
        assert_eq!(read.hash(), secret.hash());
        assert_ne!(secret.hash(), Secret::generate().hash());
        assert_ne!(blake3::Hash::from_bytes(secret.hash()).to_hex().as_str(), cookie);
        assert!(!format!("{secret:?}").contains(&cookie));
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let long = "a".repeat(65);
        let odd = "g".repeat(64);
        for text in ["", "abc", &long, &odd, "ä"] {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_csrf_token_belongs_to_one_browser() {
        let (mine, theirs) = (Secret::generate(), Secret::generate());
        assert!(mine.csrf_is(&mine.csrf()));
        assert!(!mine.csrf_is(&theirs.csrf()));
        assert!(!mine.csrf_is(""));
        assert!(!mine.csrf_is(&mine.to_hex()), "the token is not the secret");
    }

    #[test]
    fn a_session_ends_when_idle_and_at_its_longest() {
        let mut session = Session::begin(&Secret::generate(), 7, 1_000);
        assert!(session.alive(1_000));
        assert!(session.alive(1_000 + IDLE_SECS - 1));
        assert!(!session.alive(1_000 + IDLE_SECS));
        session.last_seen = 1_000 + LONGEST_SECS - 1;
        assert!(session.alive(1_000 + LONGEST_SECS - 1));
        assert!(!session.alive(1_000 + LONGEST_SECS));
        assert_eq!(session.max_age(1_000), LONGEST_SECS);
        assert_eq!(session.max_age(1_000 + LONGEST_SECS + 5), 0);
    }

    #[test]
    fn reading_pages_writes_once_a_minute() {
        let mut session = Session::begin(&Secret::generate(), 7, 1_000);
        assert!(!session.touch(1_059));
        assert_eq!(session.last_seen, 1_000);
        assert!(session.touch(1_060));
        assert_eq!(session.last_seen, 1_060);
    }
}
