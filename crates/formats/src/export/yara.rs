//! `yara` and `yara-json`: rules made of hashes and strings, then the rules that were shared as such.

mod shared;

use super::{AttributeFormat, ExportOptions, ExportRow};
use rustc_hash::FxHashSet;
use serde_json::json;

pub(super) struct Yara {
    json: bool,
    /// Rules made here come first, those shared after them.
    shared: bool,
    first: bool,
    base_url: String,
    /// Names of rules written so far: a file that has one twice does not load.
    names: FxHashSet<String>,
}

impl Yara {
    pub(super) fn new(json: bool, options: &ExportOptions) -> Self {
        Self {
            json,
            shared: false,
            first: true,
            base_url: options.base_url.clone(),
            names: FxHashSet::default(),
        }
    }

    fn put(&mut self, rule: &str, comment: &str, valid: bool, out: &mut Vec<u8>) {
        if self.json {
            if !std::mem::take(&mut self.first) {
                out.push(b',');
            }
            out.extend_from_slice(
                json!({"value": rule, "comment": comment, "valid": valid}).to_string().as_bytes(),
            );
            return;
        }
        if !comment.is_empty() {
            let plain: String = comment.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            out.extend_from_slice(format!("// {plain}\n").as_bytes());
        }
        if valid {
            out.extend_from_slice(rule.as_bytes());
            out.extend_from_slice(b"\n\n");
        }
    }

    /// A rule for one value; `None` for types that are no content of a file.
    fn made(&self, row: &ExportRow<'_>) -> Option<String> {
        let attribute = &row.attribute;
        let kind = attribute.kind.name();
        let (kind, value) = match kind.split_once('|') {
            Some(("filename", hash)) => (hash, attribute.value2),
            _ if kind == "malware-sample" => ("md5", attribute.value2),
            _ => (kind, attribute.value1),
        };
        let hex = !value.is_empty() && value.bytes().all(|b| b.is_ascii_hexdigit());
        let (strings, condition) = match kind {
            "md5" | "sha1" | "sha256" if hex => {
                (None, format!("hash.{kind}(0, filesize) == \"{}\"", value.to_ascii_lowercase()))
            }
            "imphash" if hex => (None, format!("pe.imphash() == \"{}\"", value.to_ascii_lowercase())),
            "domain" | "hostname" | "url" | "uri" | "ip-src" | "ip-dst" | "email" | "email-src"
            | "email-dst" | "user-agent" | "mutex" | "named pipe" | "pdb" | "regkey" | "pattern-in-file" => {
                // Shorter texts slow the scan down and say little.
                if value.len() < 4 || value.len() > 2000 {
                    return None;
                }
                let whole = matches!(kind, "domain" | "hostname" | "ip-src" | "ip-dst" | "email");
                let whole = if whole { " fullword" } else { "" };
                (Some(format!("\"{}\" ascii wide nocase{whole}", quoted(value))), "any of them".to_owned())
            }
            _ => return None,
        };
        let name = format!("MISP_{}_{}", kind.replace(['-', ' '], "_"), attribute.uuid.simple());
        let strings = strings.map(|s| format!("    strings:\n        $value = {s}\n")).unwrap_or_default();
        Some(format!(
            "rule {name}\n{{\n    meta:\n        misp_uuid = \"{}\"\n        misp_event = \"{}/events/view/{}\"\n\
             {strings}    condition:\n        {condition}\n}}",
            attribute.uuid,
            quoted(&self.base_url),
            row.event.id
        ))
    }
}

/// A text between quotes: bytes that are no plain letters in hexadecimal.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b' '..=b'~' => out.push(byte as char),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out
}

impl AttributeFormat for Yara {
    fn begin(&mut self, out: &mut Vec<u8>) {
        let head: &[u8] = match self.json {
            true => b"{\"generated\":[",
            false => {
                b"// ===================================== GENERATED ====================================\n\
                  import \"hash\"\nimport \"pe\"\n\n"
            }
        };
        out.extend_from_slice(head);
    }

    fn sections(&self) -> usize {
        2
    }

    fn begin_section(&mut self, section: usize, out: &mut Vec<u8>) {
        self.shared = section == 1;
        if !self.shared {
            return;
        }
        self.first = true;
        let head: &[u8] = match self.json {
            true => b"],\"as-is\":[",
            false => {
                b"// =====================================   AS-IS  ====================================\n"
            }
        };
        out.extend_from_slice(head);
    }

    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let attribute = &row.attribute;
        let is_rule = attribute.kind.name() == "yara";
        if is_rule != self.shared {
            return;
        }
        if !is_rule {
            if let Some(rule) = self.made(row) {
                self.put(&rule, attribute.comment, true, out);
            }
            return;
        }
        match shared::names(attribute.value1, &self.names) {
            Ok(names) => {
                self.names.extend(names);
                self.put(attribute.value1, attribute.comment, true, out);
            }
            Err(_) if self.json => self.put(attribute.value1, attribute.comment, false, out),
            Err(reason) => self.put("", &format!("Left out, {reason} ({})", attribute.uuid), false, out),
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.json {
            out.extend_from_slice(b"]}");
        }
    }

    fn content_type(&self) -> &'static str {
        if self.json { "application/json; charset=UTF-8" } else { "text/plain; charset=UTF-8" }
    }

    fn extension(&self) -> &'static str {
        if self.json { "json" } else { "yara" }
    }
}
