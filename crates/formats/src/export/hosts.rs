//! `hosts`: a hosts(5) file that leads every domain nowhere.

use super::unique::Unique;
use super::{AttributeFormat, ExportOptions, ExportRow, is_host_name};
use pisax_model::time;
use std::net::IpAddr;

pub(super) struct Hosts {
    generated: String,
    address: IpAddr,
    seen: Unique,
}

impl Hosts {
    pub(super) fn new(options: &ExportOptions) -> Self {
        let address = options.ip_address.as_deref().and_then(|text| text.trim().parse().ok());
        Self {
            generated: time::format_datetime(options.now),
            address: address.unwrap_or(IpAddr::from([0, 0, 0, 0])),
            seen: Unique::default(),
        }
    }
}

impl AttributeFormat for Hosts {
    fn begin(&mut self, out: &mut Vec<u8>) {
        let head = format!("# Blocklist in the HOSTS format\n# Generated: {} UTC\n", self.generated);
        out.extend_from_slice(head.as_bytes());
    }

    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let domain = row.attribute.value1;
        if row.attribute.kind.name() == "domain" && is_host_name(domain) && self.seen.is_new(domain) {
            out.extend_from_slice(format!("{} {domain}\n", self.address).as_bytes());
        }
    }

    fn restrictive(&self) -> bool {
        true
    }

    fn types(&self) -> Option<&'static [&'static str]> {
        Some(&["domain"])
    }
}
