//! `cache`: the hash of every value, by which other servers see that they have it too without being told
//! what it is.

use super::{AttributeFormat, ExportOptions, ExportRow};
use md5::{Digest, Md5};
use sha2::Sha256;

pub(super) struct Cache {
    hash: Hash,
    include_event_uuid: bool,
}

enum Hash {
    Md5,
    Sha256,
}

impl Cache {
    pub(super) fn new(options: &ExportOptions) -> Self {
        let hash = if options.hash_type.as_deref() == Some("sha256") { Hash::Sha256 } else { Hash::Md5 };
        Self { hash, include_event_uuid: options.include_event_uuid }
    }
}

impl AttributeFormat for Cache {
    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let value = row.attribute.value();
        match self.hash {
            Hash::Md5 => write_hex(&Md5::digest(value.as_bytes()), out),
            Hash::Sha256 => write_hex(&Sha256::digest(value.as_bytes()), out),
        }
        if self.include_event_uuid {
            out.push(b',');
            out.extend_from_slice(row.event.uuid.to_string().as_bytes());
        }
        out.push(b'\n');
    }
}

fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend(bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]));
}
