//! The host in a value: of a URL, before a path, or the value itself.

use pisax_model::correlation::Net;

/// A name has at most 127 labels (RFC 1035, 2.3.4); what is longer is no host name.
const MAX_LABELS: usize = 127;

/// The host part, without user, port, brackets and closing dot.
pub(super) fn of(value: &str) -> &str {
    let host = match value.split_once("//") {
        Some((_, rest)) => {
            let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
            authority.rsplit_once('@').map_or(authority, |(_, host)| host)
        }
        None => value.split('/').next().unwrap_or_default(),
    };
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    let host = match host.split_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    host.trim_end_matches('.')
}

/// The address or network a value is, or the address its host part is.
pub(super) fn net(value: &str) -> Option<Net> {
    Net::parse(value).or_else(|| Net::parse(of(value)))
}

/// The domains above a host name and the name itself, shortest first: `com`, `example.com`, …
pub(super) fn domains(host: &str) -> impl Iterator<Item = &str> {
    let dots = host.bytes().filter(|b| *b == b'.').count();
    let host = if dots < MAX_LABELS { host } else { "" };
    let cuts = host.rmatch_indices('.').map(|(dot, _)| dot + 1);
    cuts.chain((!host.is_empty()).then_some(0)).map(|start| &host[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_value() {
        for (value, host) in [
            ("https://www.example.com/a?b#c", "www.example.com"),
            ("https://user:pass@example.com:8443/x", "example.com"),
            ("http://example.com?x=//y", "example.com"),
            ("http://[2001:db8::1]:80/x", "2001:db8::1"),
            ("//example.com", "example.com"),
            ("example.com/path", "example.com"),
            ("example.com:443", "example.com"),
            ("example.com.", "example.com"),
            ("2001:db8::1", "2001:db8::1"),
            ("someone@example.com", "someone@example.com"),
            ("", ""),
        ] {
            assert_eq!(of(value), host, "{value}");
        }
    }

    #[test]
    fn the_domains_above_a_name_come_shortest_first() {
        let all: Vec<_> = domains("a.b.example").collect();
        assert_eq!(all, ["example", "b.example", "a.b.example"]);
        assert_eq!(domains("").count(), 0);
        assert_eq!(domains(&"a.".repeat(5_000)).count(), 0);
    }

    #[test]
    fn addresses_are_found_in_urls_too() {
        assert_eq!(net("http://192.0.2.1:8080/x"), Net::parse("192.0.2.1"));
        assert_eq!(net("192.0.2.0/25"), Net::parse("192.0.2.0/25"));
        assert_eq!(net("https://[2001:db8::1]/"), Net::parse("2001:db8::1"));
        assert_eq!(net("example.com"), None);
    }
}
