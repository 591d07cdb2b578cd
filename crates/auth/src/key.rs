//! API keys: MISP's 40 characters, kept only as a keyed hash, and the addresses they may be used from.

use std::net::{IpAddr, Ipv6Addr};

use crate::random;

/// As long as MISP's, so that clients that check the length are content.
pub const LENGTH: usize = 40;

const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A new key: 40 characters of `[a-zA-Z0-9]`, 238 bits.
pub fn generate() -> String {
    random::text(LENGTH, ALPHABET, random::fill)
}

/// Whether a text has the shape of a key. What has not is refused without asking the store.
pub fn well_formed(key: &str) -> bool {
    key.len() == LENGTH && key.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The first four characters, to recognise a key by in lists and logs.
pub fn start(key: &str) -> &str {
    key.get(..4).unwrap_or(key)
}

/// The last four characters.
pub fn end(key: &str) -> &str {
    key.len().checked_sub(4).and_then(|from| key.get(from..)).unwrap_or(key)
}

/// Hashes keys with the secret of this instance.
///
/// One blake3 block, about a microsecond, against the 64 ms of MISP's bcrypt: a slow hash protects secrets
/// that can be guessed, and nobody guesses 238 bits. The instance secret makes a stolen table worthless
/// even for testing a key one already has.
#[derive(Clone)]
pub struct KeyHasher {
    secret: [u8; 32],
}

impl KeyHasher {
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// What the store keeps and looks a key up by.
    pub fn hash(&self, key: &str) -> [u8; 32] {
        *blake3::keyed_hash(&self.secret, key.as_bytes()).as_bytes()
    }

    /// Whether `key` is the one behind `stored`, in constant time.
    pub fn verify(&self, key: &str, stored: &[u8; 32]) -> bool {
        same(&self.hash(key), stored)
    }
}

impl std::fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHasher(secret)")
    }
}

/// Compares two hashes in a time that does not depend on where they differ.
pub fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    // `blake3::Hash` promises constant-time equality.
    blake3::Hash::from_bytes(*one) == blake3::Hash::from_bytes(*other)
}

/// Whether `addr` is within one of the addresses or CIDR ranges; an empty list allows every address. An
/// entry that cannot be read allows nothing.
pub fn allowed(addr: IpAddr, allowed: &[String]) -> bool {
    allowed.is_empty() || allowed.iter().any(|entry| Range::parse(entry).is_ok_and(|r| r.contains(addr)))
}

/// Checks the entries of an address list before it is stored; the error names the first bad one and says
/// what would be right.
pub fn check_allowed(entries: &[String]) -> Result<(), String> {
    entries.iter().try_for_each(|entry| Range::parse(entry).map(drop))
}

/// A range of addresses, as IPv6 with IPv4 in its mapped form, so that one comparison serves both.
struct Range {
    first: u128,
    mask: u128,
}

impl Range {
    fn parse(entry: &str) -> Result<Self, String> {
        let bad = || format!("“{entry}” is not an address or a range such as 192.0.2.7 or 2001:db8::/32.");
        let (addr, prefix) = match entry.trim().split_once('/') {
            Some((addr, prefix)) => (addr, Some(prefix)),
            None => (entry.trim(), None),
        };
        let addr: IpAddr = addr.parse().map_err(|_| bad())?;
        let (size, offset) = if addr.is_ipv4() { (32, 96) } else { (128, 0) };
        let prefix = match prefix {
            None => size,
            // `u32::from_str` takes a leading plus.
            Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
                text.parse::<u32>().map_err(|_| bad())?
            }
            Some(_) => return Err(bad()),
        };
        if prefix > size {
            return Err(format!("“{entry}” has a prefix longer than {size} bits."));
        }
        let mask = u128::MAX.checked_shl(128 - (prefix + offset)).unwrap_or(0);
        Ok(Self { first: bits(addr) & mask, mask })
    }

    fn contains(&self, addr: IpAddr) -> bool {
        bits(addr) & self.mask == self.first
    }
}

fn bits(addr: IpAddr) -> u128 {
    let six: Ipv6Addr = match addr {
        IpAddr::V4(four) => four.to_ipv6_mapped(),
        IpAddr::V6(six) => six,
    };
    six.to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|e| (*e).to_owned()).collect()
    }

    #[test]
    fn a_key_has_forty_characters_and_is_new_each_time() {
        let key = generate();
        assert!(well_formed(&key), "{key}");
        assert_ne!(key, generate());
    }

    #[test]
    fn only_forty_letters_and_digits_are_well_formed() {
        assert!(well_formed("abcdefghijABCDEFGHIJ0123456789abcdefghij"));
        for key in
            ["", "abc", "abcdefghijABCDEFGHIJ0123456789abcdefghi-", "äbcdefghijABCDEFGHIJ0123456789abcdefghi"]
        {
            assert!(!well_formed(key), "{key}");
        }
        assert!(!well_formed(&"a".repeat(41)));
    }

    #[test]
    fn start_and_end_recognise_a_key_and_never_panic() {
        let key = "abcdefghijABCDEFGHIJ0123456789abcdefwxyz";
        assert_eq!((start(key), end(key)), ("abcd", "wxyz"));
        for odd in ["", "a", "äöü", "aäöü€"] {
            let _ = (start(odd), end(odd));
        }
    }

    #[test]
    fn a_hash_depends_on_key_and_secret() {
        let one = KeyHasher::new([1; 32]);
        let two = KeyHasher::new([2; 32]);
        let key = generate();
        assert_eq!(one.hash(&key), one.hash(&key));
        assert_ne!(one.hash(&key), two.hash(&key));
        assert!(one.verify(&key, &one.hash(&key)));
        assert!(!one.verify(&generate(), &one.hash(&key)));
        assert!(!format!("{one:?}").contains("1, 1"));
    }

    #[test]
    fn an_empty_list_allows_every_address() {
        assert!(allowed("198.51.100.7".parse().unwrap(), &[]));
    }

    #[test]
    fn addresses_and_ranges_of_both_families() {
        let cases: &[(&str, &str, bool)] = &[
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.8", "192.0.2.7", false),
            ("192.0.2.8", " 192.0.2.0/24 ", true),
            ("192.0.3.8", "192.0.2.0/24", false),
            ("192.0.2.8", "192.0.2.99/24", true),
            ("203.0.113.1", "0.0.0.0/0", true),
            ("2001:db8::1", "0.0.0.0/0", false),
            ("2001:db8::1", "::/0", true),
            ("2001:db8::1", "2001:db8::/32", true),
            ("2001:db9::1", "2001:db8::/32", false),
            ("2001:db8::1", "2001:db8::1/128", true),
            ("::ffff:192.0.2.8", "192.0.2.0/24", true),
            ("192.0.2.8", "::ffff:192.0.2.0/120", true),
            ("192.0.2.8", "::ffff:192.0.2.8", true),
        ];
        for (addr, entry, expected) in cases {
            assert_eq!(allowed(addr.parse().unwrap(), &list(&[entry])), *expected, "{addr} in {entry}");
        }
        assert!(allowed("192.0.2.7".parse().unwrap(), &list(&["2001:db8::/32", "192.0.2.0/28"])));
    }

    #[test]
    fn bad_entries_are_named_and_allow_nothing() {
        let bad = [
            "",
            "localhost",
            "192.0.2.300",
            "192.0.2.0/33",
            "192.0.2.0/",
            "192.0.2.0/+8",
            "2001:db8::/129",
            "/8",
        ];
        for entry in bad {
            let entries = list(&["192.0.2.1", entry]);
            let message = check_allowed(&entries).unwrap_err();
            assert!(message.contains(&format!("“{entry}”")), "{message}");
            assert!(!allowed("192.0.2.9".parse().unwrap(), &entries), "{entry}");
        }
        assert_eq!(check_allowed(&list(&["192.0.2.0/24", "::1"])), Ok(()));
    }
}
