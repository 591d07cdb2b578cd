//! `bro`: an intelligence file of Zeek, one indicator a line.

use super::unique::Unique;
use super::{AttributeFormat, ExportOptions, ExportRow};

pub(super) struct Zeek {
    /// What is wanted: `ip`, `url`, …, or `all`.
    which: String,
    base_url: String,
    org: String,
    seen: Unique,
}

impl Zeek {
    pub(super) fn new(options: &ExportOptions) -> Self {
        Self {
            which: options.zeek_type.clone().unwrap_or_else(|| "all".into()),
            base_url: options.base_url.clone(),
            org: options.org.clone(),
            seen: Unique::default(),
        }
    }
}

/// Zeek's kind of each half of a value, and the group it belongs to.
fn kinds(kind: &str) -> [Option<(&'static str, &'static str)>; 2] {
    let hash = |kind: &str| {
        matches!(
            kind,
            "md5"
                | "sha1"
                | "sha224"
                | "sha256"
                | "sha384"
                | "sha512"
                | "sha512/224"
                | "sha512/256"
                | "ssdeep"
                | "imphash"
                | "pehash"
                | "impfuzzy"
                | "authentihash"
                | "tlsh"
                | "cdhash"
        )
    };
    const FILE: Option<(&str, &str)> = Some(("FILE_NAME", "filename"));
    const HASH: Option<(&str, &str)> = Some(("FILE_HASH", "filehash"));
    match kind {
        "ip-src" | "ip-dst" | "ip-src|port" | "ip-dst|port" => [Some(("ADDR", "ip")), None],
        "domain" | "hostname" => [Some(("DOMAIN", "domain")), None],
        "hostname|port" => [Some(("DOMAIN", "domain")), None],
        "domain|ip" => [Some(("DOMAIN", "domain")), Some(("ADDR", "ip"))],
        "url" => [Some(("URL", "url")), None],
        "email" | "email-src" | "email-dst" | "target-email" => [Some(("EMAIL", "email")), None],
        "filename" | "email-attachment" | "attachment" | "pdb" => [FILE, None],
        "malware-sample" => [FILE, HASH],
        "x509-fingerprint-sha1" => [Some(("CERT_HASH", "certhash")), None],
        "user-agent" => [Some(("SOFTWARE", "software")), None],
        "ja3-fingerprint-md5" => [Some(("JA3", "ja3-fingerprint-md5")), None],
        _ if hash(kind) => [HASH, None],
        _ => match kind.strip_prefix("filename|") {
            Some(inner) if hash(inner) => [FILE, HASH],
            _ => [None, None],
        },
    }
}

/// Nothing that ends a field or a line, and nothing that Zeek reads as another byte (`\x41`), as a comment or head
/// of the file (`#`), or as no text (`-`, `(empty)`).
fn field(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            '\\' => out.push_str("\\x5c"),
            '#' if at == 0 => out.push_str("\\x23"),
            '(' if text == "(empty)" => out.push_str("\\x28"),
            '-' if text == "-" => out.push_str("\\x2d"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    // An empty field is a dash in Zeek's files.
    if out.trim().is_empty() { "-".to_owned() } else { out }
}

impl AttributeFormat for Zeek {
    fn begin(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(
            b"#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url\tmeta.do_notice\tmeta.if_in\n",
        );
    }

    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let (attribute, event) = (&row.attribute, &row.event);
        for (value, kind) in [attribute.value1, attribute.value2].iter().zip(kinds(attribute.kind.name())) {
            let Some((zeek, group)) = kind.filter(|_| !value.is_empty()) else { continue };
            if self.which != "all" && self.which != group {
                continue;
            }
            let zeek = if zeek == "ADDR" && value.contains('/') { "SUBNET" } else { zeek };
            let value = match zeek {
                // Zeek compares addresses of pages without their scheme.
                "URL" => value.split_once("://").map_or(*value, |(_, rest)| rest),
                _ => value,
            };
            let line = format!(
                "{}\tIntel::{zeek}\t{}\t{}\t{}/events/view/{}\tT\t-\n",
                field(value),
                field(&format!("{} MISP ({}) - {}", self.org, event.uuid, event.orgc)),
                field(&format!("{}. {}", event.info, attribute.comment)),
                self.base_url,
                event.id
            );
            if self.seen.is_new(&line) {
                out.extend_from_slice(line.as_bytes());
            }
        }
    }

    fn extension(&self) -> &'static str {
        "intel"
    }

    fn restrictive(&self) -> bool {
        true
    }
}
