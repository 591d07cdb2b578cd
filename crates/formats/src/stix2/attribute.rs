//! Attributes as observables and comparisons.

use super::Version;
use super::pattern::Clause;
use super::seen::{Seen, address_kind, hash_name};
use pisax_model::Uuid;
use serde_json::{Value, json};

/// What an attribute is in STIX; nothing when STIX has no word for it.
pub(super) fn seen(
    kind: &str,
    value1: &str,
    value2: &str,
    uuid: Uuid,
    data: Option<&str>,
    version: Version,
) -> Seen {
    let mut seen = Seen::default();
    match kind {
        // STIX 2.0 has no message id.
        "email-message-id" if version == Version::V20 => {}
        "AS" => {
            let digits = value1.trim_start_matches(['A', 'S', 'a', 's']);
            if let Ok(number) = digits.parse::<u32>() {
                seen.observe("autonomous-system", uuid, json!({"number": number}));
                seen.compare("autonomous-system:number", i64::from(number));
            }
        }
        "domain" | "hostname" => return Seen::simple("domain-name", "value", uuid, value1),
        "domain|ip" => {
            seen.observe("domain-name", uuid, json!({"value": value1, "resolves_to_refs": [1]}));
            seen.observe(address_kind(value2), uuid, json!({"value": value2}));
            seen.compare("domain-name:value", value1);
            seen.compare("domain-name:resolves_to_refs[*].value", value2);
        }
        "hostname|port" => {
            seen.observe("domain-name", uuid, json!({"value": value1}));
            let mut traffic = json!({"dst_ref": 0, "protocols": ["tcp"]});
            seen.compare("domain-name:value", value1);
            port(&mut seen, &mut traffic, "dst", value2);
            seen.observe("network-traffic", uuid, traffic);
        }
        "ip-src" | "ip-dst" | "ip-src|port" | "ip-dst|port" => {
            let side = if kind.starts_with("ip-src") { "src" } else { "dst" };
            let mut traffic = json!({format!("{side}_ref"): 1});
            seen.clauses.push(reference(side, address_kind(value1), value1));
            if kind.ends_with("|port") {
                port(&mut seen, &mut traffic, side, value2);
            }
            traffic["protocols"] = json!(["tcp"]);
            seen.observe("network-traffic", uuid, traffic);
            seen.observe(address_kind(value1), uuid, json!({"value": value1}));
        }
        "url" | "uri" | "link" => return Seen::simple("url", "value", uuid, value1),
        "email" => return Seen::simple("email-addr", "value", uuid, value1),
        "mac-address" => return Seen::simple("mac-addr", "value", uuid, value1),
        "mutex" => return Seen::simple("mutex", "name", uuid, value1),
        "filename" => return Seen::simple("file", "name", uuid, value1),
        "regkey" => return Seen::simple("windows-registry-key", "key", uuid, value1),
        "regkey|value" => {
            let values = match version {
                Version::V20 => json!([{"name": "", "data": value2}]),
                Version::V21 => json!([{"data": value2}]),
            };
            seen.observe("windows-registry-key", uuid, json!({"key": value1, "values": values}));
            seen.compare("windows-registry-key:key", value1);
            seen.compare("windows-registry-key:values[*].data", value2);
        }
        // STIX 2.0 wants a user id, which a name is not.
        "github-username" if version == Version::V20 => {}
        "github-username" | "twitter-id" => {
            let account = kind.split('-').next().unwrap_or(kind);
            let login = if kind == "twitter-id" { "user_id" } else { "account_login" };
            seen.observe("user-account", uuid, json!({login: value1, "account_type": account}));
            seen.compare("user-account:account_type", account);
            seen.compare(format!("user-account:{login}"), value1);
        }
        "user-agent" => {
            let path = "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'";
            return Seen::only(path, value1);
        }
        "http-method" => {
            return Seen::only("network-traffic:extensions.'http-request-ext'.request_method", value1);
        }
        "port" => {
            return value1.parse::<i64>().map_or(seen, |port| Seen::only("network-traffic:dst_port", port));
        }
        "size-in-bytes" => return value1.parse::<i64>().map_or(seen, |size| Seen::only("file:size", size)),
        "attachment" | "malware-sample" => sample(&mut seen, kind, value1, value2, uuid, data),
        _ if kind.starts_with("email-") => email(&mut seen, kind, value1, uuid),
        _ if kind.starts_with("x509-fingerprint-") => {
            if let Some(name) = hash_name(kind, version) {
                hash(&mut seen, "x509-certificate", &name, value1, uuid);
            }
        }
        _ => {
            let (file, kind, value) = match kind.strip_prefix("filename|") {
                Some(kind) => (Some(value1), kind, value2),
                None => (None, kind, value1),
            };
            let Some(name) = hash_name(kind, version) else { return seen };
            if let Some(file) = file {
                seen.compare("file:name", file);
            }
            hash(&mut seen, "file", &name, value, uuid);
            if let Some(file) = file {
                seen.observables[0].members.insert("name".into(), file.into());
            }
        }
    }
    seen
}

/// The clause that one end of the traffic is this.
pub(super) fn reference(side: &'static str, kind: &'static str, value: &str) -> Clause {
    Clause(vec![
        (format!("network-traffic:{side}_ref.type").into(), kind.into()),
        (format!("network-traffic:{side}_ref.value").into(), value.into()),
    ])
}

pub(super) fn port(seen: &mut Seen, traffic: &mut Value, side: &'static str, text: &str) {
    if let Ok(port) = text.parse::<u16>() {
        traffic[format!("{side}_port")] = port.into();
        seen.compare(format!("network-traffic:{side}_port"), i64::from(port));
    }
}

/// `file:hashes.MD5`, quoted where STIX wants it.
pub(super) fn hash_path(kind: &str, name: &str) -> String {
    if name.contains(['-', '/']) {
        format!("{kind}:hashes.'{name}'")
    } else {
        format!("{kind}:hashes.{name}")
    }
}

fn hash(seen: &mut Seen, kind: &'static str, name: &str, value: &str, uuid: Uuid) {
    seen.observe(kind, uuid, json!({"hashes": {name: value}}));
    seen.compare(hash_path(kind, name), value);
}

fn sample(seen: &mut Seen, kind: &str, value1: &str, value2: &str, uuid: Uuid, data: Option<&str>) {
    let mut file = json!({"name": value1});
    if kind == "malware-sample" && !value2.is_empty() {
        file["hashes"] = json!({"MD5": value2});
        seen.compare("file:hashes.MD5", value2);
    }
    seen.compare("file:name", value1);
    if data.is_some() {
        file["content_ref"] = 1.into();
    }
    seen.observe("file", uuid, file);
    if let Some(data) = data {
        seen.observe("artifact", uuid, artifact(kind, data));
    }
}

fn artifact(kind: &str, data: &str) -> Value {
    if kind == "malware-sample" {
        return json!({
            "mime_type": "application/zip",
            "payload_bin": data,
            "encryption_algorithm": "mime-type-indicated",
            "decryption_key": "infected",
        });
    }
    json!({"payload_bin": data})
}

fn email(seen: &mut Seen, kind: &str, value: &str, uuid: Uuid) {
    let message = |rest: Value| {
        let mut message = json!({"is_multipart": false});
        if let (Value::Object(message), Value::Object(rest)) = (&mut message, rest) {
            message.extend(rest);
        }
        message
    };
    match kind {
        "email-src" => {
            seen.observe("email-message", uuid, message(json!({"from_ref": 1})));
            seen.observe("email-addr", uuid, json!({"value": value}));
            seen.compare("email-message:from_ref.value", value);
        }
        "email-dst" => {
            seen.observe("email-message", uuid, message(json!({"to_refs": [1]})));
            seen.observe("email-addr", uuid, json!({"value": value}));
            seen.compare("email-message:to_refs[*].value", value);
        }
        "email-subject" => {
            seen.observe("email-message", uuid, message(json!({"subject": value})));
            seen.compare("email-message:subject", value);
        }
        "email-body" => {
            seen.observe("email-message", uuid, message(json!({"body": value})));
            seen.compare("email-message:body", value);
        }
        "email-message-id" => {
            seen.observe("email-message", uuid, message(json!({"message_id": value})));
            seen.compare("email-message:message_id", value);
        }
        "email-header" => {
            seen.observe("email-message", uuid, message(json!({"received_lines": [value]})));
            seen.compare("email-message:received_lines[*]", value);
        }
        "email-reply-to" | "email-x-mailer" => {
            let header = if kind == "email-reply-to" { "Reply-To" } else { "X-Mailer" };
            let headers = json!({"additional_header_fields": {header: value}});
            seen.observe("email-message", uuid, message(headers));
            seen.compare(format!("email-message:additional_header_fields.'{header}'"), value);
        }
        "email-attachment" => {
            let part = json!({
                "body_raw_ref": 1,
                "content_disposition": format!("attachment; filename='{value}'"),
            });
            seen.observe("email-message", uuid, json!({"is_multipart": true, "body_multipart": [part]}));
            seen.observe("file", uuid, json!({"name": value}));
            seen.compare("email-message:body_multipart[*].body_raw_ref.name", value);
        }
        _ => {}
    }
}

/// Rules that are patterns of their own in STIX 2.1, by MISP's type.
pub(super) fn rule_language(kind: &str) -> Option<&'static str> {
    match kind {
        "yara" => Some("yara"),
        "snort" => Some("snort"),
        "sigma" => Some("sigma"),
        _ => None,
    }
}
