//! Which addresses may be called when not the operator but a user typed them: none inside the own network.
//!
//! Names are looked up once and the connection goes to what was found, so that no name leads elsewhere between the
//! check and the call (DNS rebinding); redirects are not followed anyway.

use crate::Client;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// The same client, to whom nothing inside the own network can be reached.
pub(crate) fn public(client: &Client) -> Client {
    let config = client.0.config().clone();
    Client(ureq::Agent::with_parts(config, DefaultConnector::default(), Public(DefaultResolver::default())))
}

/// Finds public addresses only.
#[derive(Debug)]
struct Public(DefaultResolver);

impl Resolver for Public {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let all = self.0.resolve(uri, config, timeout)?;
        let mut public = self.empty();
        all.iter().filter(|address| is_public(address.ip())).for_each(|address| public.push(*address));
        if public.is_empty() {
            return Err(ureq::Error::Other("the address is inside the own network".into()));
        }
        Ok(public)
    }
}

/// Whether an address is one of the internet's (IANA's registries of special-purpose addresses).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a == 10
        || a == 127
        || a >= 224
        || (a, b) == (169, 254)
        || (a, b) == (192, 168)
        || (a == 172 && (16..32).contains(&b))
        // Shared by carriers (RFC 6598), benchmarks (RFC 2544), protocol assignments and documentation.
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (b == 18 || b == 19))
        || [(192, 0, 0), (192, 0, 2), (198, 51, 100), (203, 0, 113)].contains(&(a, b, c)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // Mapped and compatible, NAT64 (RFC 6052, RFC 8215) and 6to4 lead to an IPv4 address.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x64, 0xff9b, ..] => false,
        [0x2002, high, low, ..] => embedded(high, low),
        // Teredo, documentation.
        [0x2001, 0 | 0xdb8, ..] | [0x3fff, ..] => false,
        // Only this eighth is given out for use on the internet.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, Method};
    use std::net::TcpListener;
    use std::time::Duration;

    #[test]
    fn the_own_network_is_not_public() {
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in
            ["9.9.9.9", "172.32.0.1", "100.128.0.1", "2620:fe::9", "64:ff9b::909:909", "::ffff:9.9.9.9"]
        {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn who_is_inside_is_not_called_by_whatever_name() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        for host in ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433"] {
            let url = format!("http://{host}:{port}/");
            let timeout = Duration::from_secs(10);
            let call = Call { method: Method::Get, url: &url, headers: &[], body: b"", timeout, limit: 10 };
            assert!(Client::public().send(&call).is_err(), "{host}");
        }
        assert!(listener.accept().is_err(), "nobody came");
    }
}
