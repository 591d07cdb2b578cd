//! `netfilter`: a shell script of firewall rules. Only what is truly an address or network reaches it.

use super::unique::Unique;
use super::{AttributeFormat, ExportOptions, ExportRow};
use pisax_model::correlation::net_of;
use std::net::IpAddr;

const DEFAULT_ACTION: &str = "DROP";

pub(super) struct Netfilter {
    action: String,
    seen: Unique,
}

impl Netfilter {
    pub(super) fn new(options: &ExportOptions) -> Self {
        let asked = options.netfilter_action.as_deref().unwrap_or_default();
        // The client writes a word into a script: letters, digits, dash and underscore, not first a dash.
        let harmless = asked.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && asked.bytes().next().is_some_and(|b| b != b'-')
            && asked.len() <= 28;
        let action = if harmless { asked } else { DEFAULT_ACTION }.to_owned();
        Self { action, seen: Unique::default() }
    }
}

impl AttributeFormat for Netfilter {
    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let attribute = &row.attribute;
        if net_of(attribute.kind, attribute.value1, attribute.value2).is_none() {
            return;
        }
        let text = if attribute.kind.name() == "domain|ip" { attribute.value2 } else { attribute.value1 };
        let address = text.split('/').next().and_then(|address| address.parse::<IpAddr>().ok());
        let Some(address) = address.filter(|_| self.seen.is_new(text)) else { return };
        let program = if address.is_ipv4() { "iptables" } else { "ip6tables" };
        out.extend_from_slice(format!("{program} -A INPUT -s {text} -j {}\n", self.action).as_bytes());
    }

    fn content_type(&self) -> &'static str {
        "application/x-sh"
    }

    fn extension(&self) -> &'static str {
        "sh"
    }

    fn types(&self) -> Option<&'static [&'static str]> {
        Some(&["ip-src", "ip-dst", "ip-src|port", "ip-dst|port", "domain|ip"])
    }
}
