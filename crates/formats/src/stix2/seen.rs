//! What a MISP value is in STIX: observables, and the comparisons an indicator is made of.

use super::pattern::{Clause, Literal};
use super::{Version, id};
use pisax_model::Uuid;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// One observable. Members that end in `_ref` or `_refs` hold places in the list of observables until they
/// are written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Observable {
    pub kind: &'static str,
    pub uuid: Uuid,
    pub members: Map<String, Value>,
}

/// Observables and comparisons of one attribute or object.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Seen {
    pub observables: Vec<Observable>,
    pub clauses: Vec<Clause>,
}

impl Seen {
    /// Adds an observable and gives its place.
    pub(super) fn observe(&mut self, kind: &'static str, uuid: Uuid, members: Value) -> usize {
        let members = match members {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        self.observables.push(Observable { kind, uuid, members });
        self.observables.len() - 1
    }

    pub(super) fn compare(&mut self, path: impl Into<Cow<'static, str>>, value: impl Into<Literal>) {
        self.clauses.push(Clause(vec![(path.into(), value.into())]));
    }

    /// One observable whose one member is compared.
    pub(super) fn simple(kind: &'static str, member: &str, uuid: Uuid, value: &str) -> Self {
        let mut seen = Self::default();
        seen.observe(kind, uuid, json!({member: value}));
        seen.compare(format!("{kind}:{member}"), value);
        seen
    }

    /// A comparison that nothing observable stands for.
    pub(super) fn only(path: &'static str, value: impl Into<Literal>) -> Self {
        let mut seen = Self::default();
        seen.compare(path, value);
        seen
    }

    /// Ids of the observables, as `object_refs` names them in 2.1.
    pub(super) fn ids(&self) -> Vec<String> {
        self.observables.iter().map(|o| id(o.kind, o.uuid)).collect()
    }

    /// The observables as objects of a 2.1 bundle.
    pub(super) fn objects(&self) -> impl Iterator<Item = (String, Value)> {
        let ids = self.ids();
        self.observables.iter().map(move |observable| {
            let own = id(observable.kind, observable.uuid);
            let mut map = Map::new();
            map.insert("type".into(), observable.kind.into());
            map.insert("spec_version".into(), Version::V21.name().into());
            map.insert("id".into(), own.clone().into());
            map.extend(named(&observable.members, |place| ids.get(place).cloned().unwrap_or_default()));
            (own, Value::Object(map))
        })
    }

    /// The observables as the `objects` of a 2.0 observed-data.
    pub(super) fn nested(&self) -> Value {
        let objects = self.observables.iter().enumerate().map(|(place, observable)| {
            let mut map = Map::new();
            map.insert("type".into(), observable.kind.into());
            map.extend(named(&observable.members, |place| place.to_string()));
            (place.to_string(), Value::Object(map))
        });
        Value::Object(objects.collect())
    }
}

/// Members with the places in `…_ref` and `…_refs` named, at any depth.
fn named(members: &Map<String, Value>, name: impl Fn(usize) -> String + Copy) -> Map<String, Value> {
    let place = |value: &Value| name(value.as_u64().map_or(usize::MAX, |place| place as usize));
    let convert = |(key, value): (&String, &Value)| {
        let value = match value {
            Value::Number(_) if key.ends_with("_ref") => place(value).into(),
            Value::Array(items) if key.ends_with("_refs") => items.iter().map(place).collect(),
            Value::Array(items) => items
                .iter()
                .map(|item| match item {
                    Value::Object(map) => Value::Object(named(map, name)),
                    other => other.clone(),
                })
                .collect(),
            other => other.clone(),
        };
        (key.clone(), value)
    };
    members.iter().map(convert).collect()
}

/// `ipv4-addr` or `ipv6-addr`, for addresses and networks.
pub(super) fn address_kind(text: &str) -> &'static str {
    if text.contains(':') { "ipv6-addr" } else { "ipv4-addr" }
}

/// How STIX names a hash, by MISP's type.
pub(super) fn hash_name(kind: &str, version: Version) -> Option<Cow<'static, str>> {
    Some(match kind {
        "md5" | "x509-fingerprint-md5" => "MD5".into(),
        "sha1" | "x509-fingerprint-sha1" => "SHA-1".into(),
        "sha224" => "SHA-224".into(),
        "sha256" | "x509-fingerprint-sha256" => "SHA-256".into(),
        "sha384" => "SHA-384".into(),
        "sha512" => "SHA-512".into(),
        "ssdeep" if version == Version::V20 => "ssdeep".into(),
        "sha3-224" | "sha3-256" | "sha3-384" | "sha3-512" | "ssdeep" | "tlsh" | "imphash" | "pehash"
        | "authentihash" | "vhash" | "impfuzzy" | "cdhash" | "telfhash" => kind.to_ascii_uppercase().into(),
        "sha512/224" | "sha512/256" => kind.to_ascii_uppercase().replace('/', "-").into(),
        _ => return None,
    })
}

/// MISP's type of a hash, by STIX's name in any of its spellings.
pub(super) fn hash_kind(name: &str) -> Option<&'static str> {
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    Some(match plain.to_ascii_uppercase().as_str() {
        "MD5" => "md5",
        "SHA1" => "sha1",
        "SHA224" => "sha224",
        "SHA256" => "sha256",
        "SHA384" => "sha384",
        "SHA512" => "sha512",
        "SHA3224" => "sha3-224",
        "SHA3256" => "sha3-256",
        "SHA3384" => "sha3-384",
        "SHA3512" => "sha3-512",
        "SHA512224" => "sha512/224",
        "SHA512256" => "sha512/256",
        "SSDEEP" => "ssdeep",
        "TLSH" => "tlsh",
        "IMPHASH" => "imphash",
        "PEHASH" => "pehash",
        "AUTHENTIHASH" => "authentihash",
        "VHASH" => "vhash",
        "IMPFUZZY" => "impfuzzy",
        "CDHASH" => "cdhash",
        "TELFHASH" => "telfhash",
        _ => return None,
    })
}
