//! `hids`: checksums of one kind for host-based detection, one a line.

use super::unique::Unique;
use super::{AttributeFormat, ExportOptions, ExportRow};

pub(super) struct Hids {
    kind: &'static str,
    seen: Unique,
}

impl Hids {
    pub(super) fn new(options: &ExportOptions) -> Self {
        let kind = match options.hash_type.as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("sha1") => "sha1",
            Some("sha256") => "sha256",
            _ => "md5",
        };
        Self { kind, seen: Unique::default() }
    }
}

impl AttributeFormat for Hids {
    fn begin(&mut self, out: &mut Vec<u8>) {
        let note = match self.kind {
            "md5" => "# Keep in mind MD5 is not collision resistant\n",
            "sha1" => "# Keep in mind SHA-1 still has a theoretical collision possibility\n",
            _ => "",
        };
        let name = self.kind.to_ascii_uppercase();
        out.extend_from_slice(
            format!("# These HIDS export contains {name} checksums.\n{note}# \n").as_bytes(),
        );
    }

    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let attribute = &row.attribute;
        let hash = match attribute.kind.name() {
            kind if kind == self.kind => attribute.value1,
            "malware-sample" if self.kind == "md5" => attribute.value2,
            kind if kind.strip_prefix("filename|") == Some(self.kind) => attribute.value2,
            _ => return,
        };
        if !hash.is_empty() && self.seen.is_new(hash) {
            out.extend_from_slice(hash.as_bytes());
            out.push(b'\n');
        }
    }

    fn restrictive(&self) -> bool {
        true
    }
}
