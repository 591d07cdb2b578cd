//! `rpz`: a response policy zone, which a resolver loads to answer otherwise for what is named in it
//! (draft-vixie-dnsop-dns-rpz). Addresses are written as they come; names are kept (20 bytes each) until
//! the end, since they have sections of their own.

use super::unique::Unique;
use super::{AttributeFormat, ExportOptions, ExportRow, is_host_name};
use pisax_model::correlation::Net;
use pisax_model::knowledge::Entries;
use pisax_model::time;
use std::net::Ipv6Addr;

/// What a client may say of the zone; the instance's settings fill what is missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RpzOptions {
    /// Name or number of the policy: `DROP`, `NXDOMAIN`, `NODATA`, `Local-Data`, `PASSTHRU`, `TCP-only`.
    pub policy: Option<String>,
    /// Where `Local-Data` leads; `127.0.0.1` when absent.
    pub walled_garden: Option<String>,
    pub ns: Option<String>,
    pub ns_alt: Option<String>,
    pub email: Option<String>,
    /// `$date` and `$time` stand for the day (`YYYYMMDD`) and the unix time.
    pub serial: Option<String>,
    pub refresh: Option<String>,
    pub retry: Option<String>,
    pub expiry: Option<String>,
    pub minimum_ttl: Option<String>,
    pub ttl: Option<String>,
}

pub(super) struct Rpz {
    policy: Policy,
    action: String,
    head: String,
    addresses: Unique,
    any_address: bool,
    names: Unique,
    domains: Entries,
    hosts: Entries,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Policy {
    Drop,
    NxDomain,
    NoData,
    LocalData,
    PassThru,
    TcpOnly,
}

impl Policy {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "0" | "drop" => Self::Drop,
            "1" | "nxdomain" => Self::NxDomain,
            "2" | "nodata" => Self::NoData,
            "3" | "local-data" => Self::LocalData,
            "4" | "passthru" => Self::PassThru,
            "5" | "tcp-only" => Self::TcpOnly,
            _ => return None,
        })
    }

    fn effect(self) -> &'static str {
        match self {
            Self::Drop => "get no answer",
            Self::NxDomain => "are answered with NXDOMAIN (no such name)",
            Self::NoData => "are answered with NODATA (the name exists, without records)",
            Self::LocalData => "are answered with the walled garden",
            Self::PassThru => "are answered as usual, whatever other policies say",
            Self::TcpOnly => "must be asked again over TCP",
        }
    }
}

impl Rpz {
    pub(super) fn new(options: &ExportOptions) -> Self {
        let rpz = &options.rpz;
        let word = |given: &Option<String>, default: &str| match given.as_deref().map(str::trim) {
            Some(text) if is_zone_word(text) => text.to_owned(),
            _ => default.to_owned(),
        };
        let policy = rpz.policy.as_deref().and_then(|text| Policy::parse(text.trim()));
        let policy = policy.unwrap_or(Policy::NxDomain);
        let action = match policy {
            Policy::Drop => "CNAME rpz-drop.".to_owned(),
            Policy::NxDomain => "CNAME .".to_owned(),
            Policy::NoData => "CNAME *.".to_owned(),
            Policy::LocalData => local_data(word(&rpz.walled_garden, "127.0.0.1")),
            Policy::PassThru => "CNAME rpz-passthru.".to_owned(),
            Policy::TcpOnly => "CNAME rpz-tcp-only.".to_owned(),
        };
        let day = time::format_date(options.now).replace('-', "");
        let serial =
            word(&rpz.serial, "$date00").replace("$date", &day).replace("$time", &options.now.to_string());
        let ns = word(&rpz.ns, "localhost.");
        let mut head = format!(
            "$TTL {};\n@               SOA {ns} {} ({serial} {} {} {} {})\n                NS {ns}\n",
            word(&rpz.ttl, "1w"),
            word(&rpz.email, "root.localhost").replace('@', "."),
            word(&rpz.refresh, "2h"),
            word(&rpz.retry, "30m"),
            word(&rpz.expiry, "30d"),
            word(&rpz.minimum_ttl, "1h"),
        );
        let other = word(&rpz.ns_alt, "");
        if !other.is_empty() {
            head.push_str(&format!("                NS {other}\n"));
        }
        head.push('\n');
        Self {
            policy,
            action,
            head,
            addresses: Unique::default(),
            any_address: false,
            names: Unique::default(),
            domains: Entries::default(),
            hosts: Entries::default(),
        }
    }

    fn address(&mut self, text: &str, out: &mut Vec<u8>) {
        let Some(owner) = Net::parse(text).map(owner_of) else { return };
        if self.addresses.is_new(&owner) {
            if !self.any_address {
                self.any_address = true;
                self.section("answers with these addresses", out);
            }
            self.record(&owner, out);
        }
    }

    fn name(&mut self, text: &str, below_too: bool) {
        if is_host_name(text) && self.names.is_new(text) {
            if below_too { &mut self.domains } else { &mut self.hosts }.push(text);
        }
    }

    fn section(&self, what: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("; Questions for {what} {}\n", self.policy.effect()).as_bytes());
    }

    fn record(&self, owner: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{owner} {}\n", self.action).as_bytes());
    }
}

/// What a walled garden answers: its address, or another name, which is not one below this zone.
fn local_data(garden: String) -> String {
    match garden.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(ip)) => format!("A {ip}"),
        Ok(std::net::IpAddr::V6(ip)) => format!("AAAA {ip}"),
        Err(_) if garden.ends_with('.') => format!("CNAME {garden}"),
        Err(_) => format!("CNAME {garden}."),
    }
}

/// Nothing that ends a line, a field or a record.
fn is_zone_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_$@*:".contains(c))
}

/// `32.1.2.0.192.rpz-ip`; in IPv6 groups are reversed and `zz` stands for the longest run of zeros.
fn owner_of(net: Net) -> String {
    let address = Ipv6Addr::from(net.first);
    if let Some(v4) = address.to_ipv4_mapped().filter(|_| net.len >= 96) {
        let [a, b, c, d] = v4.octets();
        return format!("{}.{d}.{c}.{b}.{a}.rpz-ip", net.len - 96);
    }
    let groups = address.segments();
    let mut longest = 0..0;
    let mut start = 0;
    for run in groups.chunk_by(|a, b| (*a == 0) == (*b == 0)) {
        if run[0] == 0 && run.len() > longest.len().max(1) {
            longest = start..start + run.len();
        }
        start += run.len();
    }
    let mut owner = net.len.to_string();
    for (at, group) in groups.iter().enumerate().rev() {
        if !longest.contains(&at) {
            owner.push_str(&format!(".{group:x}"));
        } else if at == longest.start {
            owner.push_str(".zz");
        }
    }
    owner + ".rpz-ip"
}

impl AttributeFormat for Rpz {
    fn begin(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.head.as_bytes());
    }

    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let attribute = &row.attribute;
        match attribute.kind.name() {
            "ip-src" | "ip-dst" => self.address(attribute.value1, out),
            "domain" => self.name(attribute.value1, true),
            "domain|ip" => {
                self.name(attribute.value1, true);
                self.address(attribute.value2, out);
            }
            "hostname" => self.name(attribute.value1, false),
            _ => {}
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if !self.domains.is_empty() {
            self.section("these domains and names below them", out);
            for name in self.domains.iter() {
                self.record(name, out);
                self.record(&format!("*.{name}"), out);
            }
        }
        if !self.hosts.is_empty() {
            self.section("these names", out);
            self.hosts.iter().for_each(|name| self.record(name, out));
        }
    }

    fn restrictive(&self) -> bool {
        true
    }

    fn types(&self) -> Option<&'static [&'static str]> {
        Some(&["ip-src", "ip-dst", "domain", "domain|ip", "hostname"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_backwards_with_their_length() {
        for (net, owner) in [
            ("192.0.2.1", "32.1.2.0.192.rpz-ip"),
            ("192.0.2.0/24", "24.0.2.0.192.rpz-ip"),
            ("2001:db8::1", "128.1.zz.db8.2001.rpz-ip"),
            ("2001:db8::/32", "32.zz.db8.2001.rpz-ip"),
            ("2001:db8:1:2:3:4:5:0", "128.0.5.4.3.2.1.db8.2001.rpz-ip"),
            ("2001:0:0:1::1", "128.1.zz.1.0.0.2001.rpz-ip"),
        ] {
            assert_eq!(owner_of(Net::parse(net).unwrap()), owner, "{net}");
        }
    }
}
