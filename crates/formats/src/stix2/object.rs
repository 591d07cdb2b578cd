//! Objects as observables and comparisons: one main observable per object, others it refers to.

use super::Version;
use super::attribute::{hash_path, port, reference};
use super::seen::{Seen, address_kind, hash_name};
use pisax_model::Uuid;
use pisax_model::attribute::AttributeView;
use serde_json::{Map, Value, json};

/// Names of objects that have observables.
pub(super) const NAMES: &[&str] = &[
    "asn",
    "domain-ip",
    "email",
    "file",
    "ip-port",
    "network-connection",
    "process",
    "registry-key",
    "url",
    "user-account",
    "x509",
];

/// What an object is in STIX; nothing when STIX has no word for it, or not for what is in this one.
pub(super) fn seen(name: &str, uuid: Uuid, attributes: &[AttributeView<'_>], version: Version) -> Seen {
    if !NAMES.contains(&name) {
        return Seen::default();
    }
    let mut parts = Parts { version, seen: Seen::default(), rest: Map::new() };
    // Its place is the first; what it refers to comes behind.
    let main = parts.seen.observe(main_kind(name), uuid, Value::Null);
    let mut members = json!({});
    for attribute in attributes {
        let relation = attribute.object_relation.unwrap_or_default();
        if !parts.put(name, relation, attribute, &mut members) {
            parts.other(relation, &attribute.value());
        }
    }
    if !complete(name, &mut members, version) {
        return Seen::default();
    }
    let mut seen = parts.seen;
    let main = &mut seen.observables[main];
    if let Value::Object(members) = members {
        main.members.extend(members);
    }
    main.members.extend(parts.rest);
    seen
}

fn main_kind(name: &str) -> &'static str {
    match name {
        "asn" => "autonomous-system",
        "domain-ip" => "domain-name",
        "email" => "email-message",
        "ip-port" | "network-connection" => "network-traffic",
        "process" => "process",
        "registry-key" => "windows-registry-key",
        "url" => "url",
        "user-account" => "user-account",
        "x509" => "x509-certificate",
        _ => "file",
    }
}

/// Whether the members STIX demands are there; adds those that are always the same.
fn complete(name: &str, members: &mut Value, version: Version) -> bool {
    let has = |members: &Value, key: &str| members.get(key).is_some();
    match name {
        "asn" => has(members, "number"),
        "domain-ip" | "url" => has(members, "value"),
        "file" => has(members, "name") || has(members, "hashes"),
        "registry-key" => has(members, "key"),
        "user-account" => has(members, "user_id") || version == Version::V21 && has(members, "account_login"),
        "x509" | "process" => members.as_object().is_some_and(|m| !m.is_empty()),
        "email" => {
            members["is_multipart"] = has(members, "body_multipart").into();
            true
        }
        _ => {
            if !has(members, "protocols") {
                members["protocols"] = json!(["tcp"]);
            }
            has(members, "src_ref") || has(members, "dst_ref")
        }
    }
}

struct Parts {
    version: Version,
    seen: Seen,
    /// Relations without a member in STIX.
    rest: Map<String, Value>,
}

impl Parts {
    fn other(&mut self, relation: &str, value: &str) {
        let key = format!("x_misp_{}", relation.replace(['-', '.', ' '], "_").to_ascii_lowercase());
        match self.rest.get_mut(&key) {
            None => {
                self.rest.insert(key, value.into());
            }
            Some(Value::Array(list)) => list.push(value.into()),
            Some(one) => *one = json!([one.take(), value]),
        }
    }

    /// A text member that is compared as it stands. A second value of it has no place.
    fn text(&mut self, members: &mut Value, key: &str, value: &str) -> bool {
        if members.get(key).is_some() {
            return false;
        }
        members[key] = value.into();
        self.seen.compare(format!("{}:{key}", self.seen.observables[0].kind), value);
        true
    }

    fn number(&mut self, members: &mut Value, key: &str, value: &str) -> bool {
        let digits = if key == "number" { value.trim_start_matches(['A', 'S', 'a', 's']) } else { value };
        let Ok(number) = digits.parse::<u32>() else { return false };
        if members.get(key).is_some() {
            return false;
        }
        members[key] = number.into();
        self.seen.compare(format!("{}:{key}", self.seen.observables[0].kind), i64::from(number));
        true
    }

    fn hash(&mut self, members: &mut Value, kind: &str, value: &str) -> bool {
        let Some(name) = hash_name(kind, self.version) else { return false };
        if members.get("hashes").and_then(|hashes| hashes.get(name.as_ref())).is_some() {
            return false;
        }
        members["hashes"][name.as_ref()] = value.into();
        self.seen.compare(hash_path(self.seen.observables[0].kind, &name), value);
        true
    }

    /// A list of references; the first of a kind makes the list.
    fn refer(&mut self, members: &mut Value, key: &str, kind: &'static str, at: &AttributeView<'_>) -> usize {
        let place = self.seen.observe(kind, at.uuid, json!({"value": at.value1}));
        match &mut members[key] {
            Value::Array(list) => list.push(place.into()),
            other => *other = json!([place]),
        }
        place
    }

    fn put(&mut self, name: &str, relation: &str, at: &AttributeView<'_>, members: &mut Value) -> bool {
        let value = at.value1;
        match (name, relation) {
            ("asn", "asn") => self.number(members, "number", value),
            ("asn", "description") => self.text(members, "name", value),
            ("domain-ip", "domain") => self.text(members, "value", value),
            ("domain-ip", "ip") => {
                self.refer(members, "resolves_to_refs", address_kind(value), at);
                self.seen.compare("domain-name:resolves_to_refs[*].value", value);
                true
            }
            ("file", "filename") => self.text(members, "name", value),
            ("file", "size-in-bytes") => self.number(members, "size", value),
            ("file", "mimetype") => self.text(members, "mime_type", value),
            ("file", "path") => {
                if members.get("parent_directory_ref").is_some() {
                    return false;
                }
                let place = self.seen.observe("directory", at.uuid, json!({"path": value}));
                members["parent_directory_ref"] = place.into();
                self.seen.compare("file:parent_directory_ref.path", value);
                true
            }
            ("file", kind) => self.hash(members, kind, value),
            ("x509", kind) if kind.starts_with("x509-fingerprint-") => self.hash(members, kind, value),
            ("x509", "issuer" | "subject" | "version") => self.text(members, relation, value),
            ("x509", "serial-number") => self.text(members, "serial_number", value),
            ("url", "url") => self.text(members, "value", value),
            ("registry-key", "key") => self.text(members, "key", value),
            ("registry-key", "name" | "data" | "data-type") => {
                let key = relation.replace('-', "_");
                if members.pointer(&format!("/values/0/{key}")).is_some() {
                    return false;
                }
                if members.get("values").is_none() {
                    members["values"] = json!([{}]);
                }
                members["values"][0][&key] = value.into();
                self.seen.compare(format!("windows-registry-key:values[*].{key}"), value);
                true
            }
            ("process", "pid") => self.number(members, "pid", value),
            ("process", "command-line") => self.text(members, "command_line", value),
            ("user-account", "username") => self.text(members, "account_login", value),
            ("user-account", "user-id") => self.text(members, "user_id", value),
            ("user-account", "account-type") => self.text(members, "account_type", value),
            ("user-account", "display-name") => self.text(members, "display_name", value),
            ("email", _) => self.email(relation, at, members),
            ("ip-port" | "network-connection", _) => self.traffic(relation, at, members),
            _ => false,
        }
    }

    fn traffic(&mut self, relation: &str, at: &AttributeView<'_>, members: &mut Value) -> bool {
        let value = at.value1;
        match relation {
            "ip-src" => self.end(members, "src", address_kind(value), at),
            "ip-dst" | "ip" => self.end(members, "dst", address_kind(value), at),
            "hostname-src" => self.end(members, "src", "domain-name", at),
            "hostname-dst" => self.end(members, "dst", "domain-name", at),
            "src-port" if members.get("src_port").is_none() => {
                port(&mut self.seen, members, "src", value);
                members.get("src_port").is_some()
            }
            "dst-port" if members.get("dst_port").is_none() => {
                port(&mut self.seen, members, "dst", value);
                members.get("dst_port").is_some()
            }
            "layer3-protocol" | "layer4-protocol" | "layer7-protocol" | "protocol" => {
                let protocol = value.to_ascii_lowercase();
                match &mut members["protocols"] {
                    Value::Array(list) => list.push(protocol.clone().into()),
                    other => *other = json!([protocol]),
                }
                // One list of protocols: each is another comparison, not an alternative.
                let place = members["protocols"].as_array().map_or(0, |list| list.len() - 1);
                self.seen.compare(format!("network-traffic:protocols[{place}]"), protocol.as_str());
                true
            }
            _ => false,
        }
    }

    fn end(
        &mut self,
        members: &mut Value,
        side: &'static str,
        kind: &'static str,
        at: &AttributeView<'_>,
    ) -> bool {
        let key = format!("{side}_ref");
        if members.get(&key).is_some() {
            return false;
        }
        members[key] = self.seen.observe(kind, at.uuid, json!({"value": at.value1})).into();
        self.seen.clauses.push(reference(side, kind, at.value1));
        true
    }

    fn email(&mut self, relation: &str, at: &AttributeView<'_>, members: &mut Value) -> bool {
        let value = at.value1;
        match relation {
            "from" if members.get("from_ref").is_none() => {
                members["from_ref"] =
                    self.seen.observe("email-addr", at.uuid, json!({"value": value})).into();
                self.seen.compare("email-message:from_ref.value", value);
                true
            }
            "to" | "cc" | "bcc" => {
                self.refer(members, &format!("{relation}_refs"), "email-addr", at);
                self.seen.compare(format!("email-message:{relation}_refs[*].value"), value);
                true
            }
            "subject" => self.text(members, "subject", value),
            "email-body" => self.text(members, "body", value),
            "message-id" if self.version == Version::V21 => self.text(members, "message_id", value),
            "reply-to" | "x-mailer" => {
                let header = if relation == "reply-to" { "Reply-To" } else { "X-Mailer" };
                if members.get("additional_header_fields").and_then(|h| h.get(header)).is_some() {
                    return false;
                }
                members["additional_header_fields"][header] = value.into();
                self.seen.compare(format!("email-message:additional_header_fields.'{header}'"), value);
                true
            }
            "attachment" => {
                let place = self.seen.observe("file", at.uuid, json!({"name": value}));
                let part = json!({
                    "body_raw_ref": place,
                    "content_disposition": format!("attachment; filename='{value}'"),
                });
                match &mut members["body_multipart"] {
                    Value::Array(list) => list.push(part),
                    other => *other = json!([part]),
                }
                self.seen.compare("email-message:body_multipart[*].body_raw_ref.name", value);
                true
            }
            _ => false,
        }
    }
}
