//! STIX 2.0 and 2.1: bundles written from events and attributes, and read into drafts of events.
//!
//! The mapping is the one MISP's clients know (the misp-stix mapping): an attribute is an `observed-data`
//! with its observables and, when it is meant for detection, an `indicator` with a pattern; what STIX has no
//! word for is an `x-misp-attribute` or `x-misp-object`. Ids are made of MISP's uuids, so that the same event
//! is always the same STIX.

mod attribute;
mod bundle;
mod cluster;
mod import;
mod marking;
mod object;
mod pattern;
mod record;
mod seen;
#[cfg(test)]
mod tests;

pub use bundle::Bundle;
pub(crate) use bundle::TOOL;
pub use cluster::Cluster;
pub use import::{Problem, read_bundle};
pub use record::{Attribute, Event, Link, Object, Org, Target};

use pisax_model::{Uuid, time};

/// Which STIX is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V20,
    V21,
}

impl Version {
    /// The version a client names; 2.1 unless it is 2.0.
    pub fn parse(text: Option<&str>) -> Self {
        if text.is_some_and(|text| text.trim() == "2.0") { Self::V20 } else { Self::V21 }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::V20 => "2.0",
            Self::V21 => "2.1",
        }
    }
}

/// `kind--uuid`.
fn id(kind: &str, uuid: Uuid) -> String {
    format!("{kind}--{uuid}")
}

/// Unix seconds as STIX writes them.
fn moment(secs: i64) -> String {
    time::format_datetime(secs).replace(' ', "T") + ".000Z"
}

/// Microseconds as STIX writes them.
fn micros(micros: i64) -> String {
    let rest = micros.rem_euclid(1_000_000);
    let whole = time::format_datetime(micros.div_euclid(1_000_000)).replace(' ', "T");
    if rest % 1000 == 0 { format!("{whole}.{:03}Z", rest / 1000) } else { format!("{whole}.{rest:06}Z") }
}

/// A uuid that is always the same for the same text, for what MISP gives none. STIX 2.0 wants version 4
/// everywhere.
fn derived(text: &str, version: Version) -> Uuid {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | if version == Version::V20 { 0x40 } else { 0x50 };
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Uuid::from_bytes(bytes)
}

/// The same for the ids of STIX 1.
pub(crate) fn derived_id(text: &str) -> Uuid {
    derived(text, Version::V20)
}

/// How STIX names the hash of a MISP type.
pub(crate) fn hash_label(kind: &str) -> Option<String> {
    let name = seen::hash_name(kind, Version::V21)?;
    // STIX 1 writes SHA1 and SHA256 where STIX 2 has a dash.
    Some(match name.as_ref() {
        sha if sha.starts_with("SHA-") => sha.replacen('-', "", 1),
        other => other.to_owned(),
    })
}

/// MISP's type of a hash that STIX names.
pub(crate) fn hash_type(name: &str) -> Option<&'static str> {
    seen::hash_kind(name)
}
