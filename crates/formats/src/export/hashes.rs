//! `hashes`: the hash of every attribute that is one or has one, each once, one a line.

use super::unique::Unique;
use super::{AttributeFormat, ExportRow};

/// Hashes of files. Fingerprints of keys, certificates and handshakes are none.
const TYPES: &[&str] = &[
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha512/224",
    "sha512/256",
    "sha3-224",
    "sha3-256",
    "sha3-384",
    "sha3-512",
    "authentihash",
    "cdhash",
    "impfuzzy",
    "imphash",
    "pehash",
    "ssdeep",
    "telfhash",
    "tlsh",
    "vhash",
    "filename|md5",
    "filename|sha1",
    "filename|sha224",
    "filename|sha256",
    "filename|sha384",
    "filename|sha512",
    "filename|sha512/224",
    "filename|sha512/256",
    "filename|sha3-224",
    "filename|sha3-256",
    "filename|sha3-384",
    "filename|sha3-512",
    "filename|authentihash",
    "filename|impfuzzy",
    "filename|imphash",
    "filename|pehash",
    "filename|ssdeep",
    "filename|tlsh",
    "filename|vhash",
    "malware-sample",
];

#[derive(Default)]
pub(super) struct Hashes {
    seen: Unique,
}

impl AttributeFormat for Hashes {
    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let attribute = &row.attribute;
        if !TYPES.contains(&attribute.kind.name()) {
            return;
        }
        let hash = if attribute.kind.is_composite() { attribute.value2 } else { attribute.value1 };
        if !hash.is_empty() && self.seen.is_new(hash) {
            out.extend_from_slice(hash.as_bytes());
            out.push(b'\n');
        }
    }

    fn restrictive(&self) -> bool {
        true
    }

    fn types(&self) -> Option<&'static [&'static str]> {
        Some(TYPES)
    }
}
