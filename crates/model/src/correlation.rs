//! What a value is compared by: the keys of the posting list and the address ranges.

use crate::AttributeType;
use crate::fold::fold;
use std::hash::Hasher;
use std::net::IpAddr;

/// Secret of one instance; keyed, so that nobody can craft two values with one key.
#[derive(Clone, Copy)]
pub struct HashKey(pub u64, pub u64);

impl HashKey {
    /// The posting-list key of one half of a value: SipHash-1-3 of its folded text. At ten million values
    /// the odds that any two different ones share a key are about one in 370,000.
    pub fn of(&self, half: &str) -> i64 {
        let mut hasher = siphasher::sip::SipHasher13::new_with_keys(self.0, self.1);
        let half = half.trim();
        match network(half) {
            // One network written with and without host bits is one value.
            Some(net) => {
                hasher.write(&net.first);
                hasher.write_u8(net.len);
            }
            None => hasher.write(fold(half).as_bytes()),
        }
        hasher.finish() as i64
    }
}

/// The network that a value in CIDR notation stands for.
fn network(value: &str) -> Option<Net> {
    let likely = value.len() <= 43
        && value.contains('/')
        && value.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':');
    if likely { Net::parse(value) } else { None }
}

/// An address or network as 16 bytes (IPv4 mapped into `::ffff:0:0/96`) and a prefix length of 0 to 128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Net {
    /// First address of the network (host bits cleared).
    pub first: [u8; 16],
    pub len: u8,
}

impl Net {
    /// Reads `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`; host bits are cleared.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, len) = match text.split_once('/') {
            Some((address, len)) => (address, Some(len.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let (bytes, len) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(v4) => {
                let len = len.unwrap_or(32);
                (v4.to_ipv6_mapped().octets(), if len <= 32 { len + 96 } else { return None })
            }
            IpAddr::V6(v6) => (v6.octets(), len.unwrap_or(128)),
        };
        if len > 128 {
            return None;
        }
        Some(Self { first: Self::mask(bytes, len), len })
    }

    /// The network of `len` bits that holds this one; `len` must not exceed its own.
    pub fn widened(&self, len: u8) -> Self {
        Self { first: Self::mask(self.first, len), len }
    }

    /// Last address of the network.
    pub fn last(&self) -> [u8; 16] {
        let host =
            if self.len == 0 { u128::MAX } else { u128::MAX.checked_shr(u32::from(self.len)).unwrap_or(0) };
        (u128::from_be_bytes(self.first) | host).to_be_bytes()
    }

    pub fn contains(&self, other: &Self) -> bool {
        self.len <= other.len && Self::mask(other.first, self.len) == self.first
    }

    fn mask(bytes: [u8; 16], len: u8) -> [u8; 16] {
        let keep = if len == 0 { 0 } else { u128::MAX << (128 - u32::from(len)) };
        (u128::from_be_bytes(bytes) & keep).to_be_bytes()
    }
}

/// The address or network an attribute stands for, if any: addresses, the address half of `ip|port` and
/// `domain|ip`.
pub fn net_of(kind: AttributeType, value1: &str, value2: &str) -> Option<Net> {
    match kind.name() {
        "ip-src" | "ip-dst" | "ip-src|port" | "ip-dst|port" => Net::parse(value1),
        "domain|ip" => Net::parse(value2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_addresses_and_its_parts_and_nothing_else() {
        let net = |t: &str| Net::parse(t).unwrap();
        assert!(net("192.0.2.0/24").contains(&net("192.0.2.77")));
        assert!(net("192.0.2.0/24").contains(&net("192.0.2.128/25")));
        assert!(!net("192.0.2.128/25").contains(&net("192.0.2.0/24")));
        assert!(!net("192.0.2.0/24").contains(&net("192.0.3.1")));
        assert!(net("2001:db8::/32").contains(&net("2001:db8:1::1")));
        assert_eq!(net("192.0.2.0/24").last(), net("192.0.2.255").first);
        assert_eq!(Net::parse("0.0.0.0/0").unwrap().len, 96);
        assert!(Net::parse("192.0.2.0/33").is_none());
        assert!(Net::parse("evil.example").is_none());
    }

    #[test]
    fn keys_ignore_case_and_accents_as_mysql_does() {
        let key = HashKey(1, 2);
        assert_eq!(key.of("EVIL.example"), key.of("evil.EXAMPLE"));
        assert_eq!(key.of("strasse"), key.of("Straße"));
        assert_ne!(key.of("ol"), key.of("øl"));
        assert_eq!(key.of("192.0.2.77/24"), key.of("192.0.2.0/24"));
        assert_ne!(key.of("192.0.2.0/24"), key.of("192.0.2.0/25"));
    }
}
