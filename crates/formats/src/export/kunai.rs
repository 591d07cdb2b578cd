//! `kunai`: indicators for the Kunai sensor, a JSON list.

use super::{AttributeFormat, ExportOptions, ExportRow};
use serde_json::json;

pub(super) struct Kunai {
    source: String,
    first: bool,
}

impl Kunai {
    pub(super) fn new(options: &ExportOptions) -> Self {
        Self { source: format!("[{} MISP] {}", options.org, options.base_url), first: true }
    }
}

const TYPES: &[&str] = &[
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "domain",
    "hostname",
    "ip-dst",
    "domain|ip",
    "filename|md5",
    "malware-sample",
    "filename|sha1",
    "filename|sha256",
    "filename|sha512",
];

impl AttributeFormat for Kunai {
    fn begin(&mut self, out: &mut Vec<u8>) {
        out.push(b'[');
    }

    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let attribute = &row.attribute;
        let kind = attribute.kind.name();
        if !TYPES.contains(&kind) {
            return;
        }
        let value = if attribute.kind.is_composite() { attribute.value2 } else { attribute.value1 };
        let severity = match kind {
            "domain" | "hostname" => 7,
            "ip-dst" | "domain|ip" => 5,
            _ => 10,
        };
        if !std::mem::take(&mut self.first) {
            out.extend_from_slice(b", ");
        }
        let entry = json!({
            "type": kind,
            "uuid": attribute.uuid.to_string(),
            "source": self.source,
            "value": value,
            "event_uuid": row.event.uuid.to_string(),
            "severity": severity,
        });
        out.extend_from_slice(entry.to_string().as_bytes());
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.push(b']');
    }

    fn content_type(&self) -> &'static str {
        "application/json; charset=UTF-8"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn restrictive(&self) -> bool {
        true
    }

    fn types(&self) -> Option<&'static [&'static str]> {
        Some(TYPES)
    }
}
