//! Comparisons as attributes and objects.

use super::Stix;
use crate::stix2::pattern::{Alternatives, Comparison};
use crate::stix2::seen::hash_kind;
use crate::stix2::{Version, derived};
use base64::Engine;
use pisax_model::Uuid;
use pisax_model::attribute::AttributeDraft;
use pisax_model::event::EventDraft;
use pisax_model::object::ObjectDraft;
use pisax_model::sighting::SightingDraft;
use pisax_model::tag::TagDraft;
use pisax_model::{AttributeType, time};
use serde_json::Value;

pub(super) fn text<'a>(object: &'a Stix, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

pub(super) fn list<'a>(object: &'a Stix, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let items = object.get(name).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str)
}

/// Unix seconds of a time.
pub(super) fn seconds(object: &Stix, name: &str) -> Option<i64> {
    Some(time::parse_micros(text(object, name)?)?.div_euclid(1_000_000))
}

pub(super) fn bytes(base64: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(base64.trim()).ok()
}

/// What MISP's writers say in labels.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels<'a> {
    pub kind: Option<&'a str>,
    pub category: Option<&'a str>,
    pub name: Option<&'a str>,
    pub meta_category: Option<&'a str>,
    pub to_ids: bool,
}

impl<'a> Labels<'a> {
    pub(super) fn of(object: &'a Stix) -> Self {
        let mut labels = Self::default();
        for label in list(object, "labels") {
            let Some((key, value)) = label.strip_prefix("misp:").and_then(|rest| rest.split_once('=')) else {
                continue;
            };
            let value = value.trim_matches('"');
            match key {
                "type" => labels.kind = Some(value),
                "category" => labels.category = Some(value),
                "name" => labels.name = Some(value),
                "meta-category" => labels.meta_category = Some(value),
                "to_ids" => labels.to_ids = value.eq_ignore_ascii_case("true"),
                _ => {}
            }
        }
        labels
    }

    pub(super) fn is_misp(&self) -> bool {
        self.kind.is_some() || self.name.is_some()
    }
}

/// What is said of all that comes of one indicator or observation.
#[derive(Debug, Clone, Default)]
pub(super) struct About<'a> {
    pub uuid: Option<Uuid>,
    pub to_ids: bool,
    pub labels: Labels<'a>,
    pub timestamp: Option<i64>,
    pub comment: Option<String>,
    pub first_seen: Option<String>,
    pub last_seen: Option<String>,
    pub tags: Vec<TagDraft>,
    pub sightings: Vec<SightingDraft>,
}

impl About<'_> {
    /// The uuid of the n-th thing that comes of it.
    fn uuid(&self, n: usize) -> Option<Uuid> {
        match n {
            0 => self.uuid,
            n => self.uuid.map(|uuid| derived(&format!("{uuid} {n}"), Version::V21)),
        }
    }

    fn attribute(&self, n: usize, kind: &str, value: String) -> AttributeDraft {
        let category = self.labels.category.filter(|_| self.labels.kind == Some(kind));
        AttributeDraft {
            uuid: self.uuid(n),
            kind: Some(kind.to_owned()),
            category: category.map(str::to_owned),
            value: Some(value),
            to_ids: Some(self.to_ids),
            comment: self.comment.clone(),
            timestamp: self.timestamp,
            first_seen: self.first_seen.clone().map(Some),
            last_seen: self.last_seen.clone().map(Some),
            tags: self.tags.clone(),
            sightings: if n == 0 { self.sightings.clone() } else { Vec::new() },
            ..AttributeDraft::default()
        }
    }

    fn object(&self, n: usize, name: &str, facts: Vec<Fact>) -> ObjectDraft {
        let uuid = self.uuid(n);
        let mut attributes: Vec<AttributeDraft> = facts
            .into_iter()
            .enumerate()
            .map(|(place, fact)| AttributeDraft {
                uuid: uuid.map(|uuid| derived(&format!("{uuid} {} {place}", fact.relation), Version::V21)),
                kind: Some(fact.kind.to_owned()),
                object_relation: Some(fact.relation.to_owned()),
                value: Some(fact.value),
                to_ids: Some(
                    self.to_ids && AttributeType::parse(fact.kind).is_some_and(|k| k.default_to_ids()),
                ),
                timestamp: self.timestamp,
                tags: self.tags.clone(),
                ..AttributeDraft::default()
            })
            .collect();
        if let Some(first) = attributes.first_mut() {
            first.sightings = self.sightings.clone();
        }
        let meta = self.labels.meta_category.unwrap_or(match name {
            "file" | "registry-key" => "file",
            "process" | "user-account" => "misc",
            _ => "network",
        });
        ObjectDraft {
            uuid,
            name: Some(name.to_owned()),
            meta_category: Some(meta.to_owned()),
            comment: self.comment.clone(),
            timestamp: self.timestamp,
            distribution: Some(5),
            first_seen: self.first_seen.clone().map(Some),
            last_seen: self.last_seen.clone().map(Some),
            attributes,
            has_attributes: true,
            ..ObjectDraft::default()
        }
    }
}

/// A comparison in MISP's words.
#[derive(Debug, Clone)]
struct Fact {
    /// Type of an attribute.
    kind: &'static str,
    /// The object it can be part of, and as what; empty when it stands alone.
    object: &'static str,
    relation: &'static str,
    value: String,
}

/// Comparisons that say how, not what.
fn says_nothing(comparison: &Comparison) -> bool {
    let last = comparison.path.rsplit('.').next().unwrap_or_default();
    matches!(
        last,
        "type"
            | "is_multipart"
            | "protocols"
            | "account_type"
            | "content_disposition"
            | "content_type"
            | "payload_bin"
            | "encryption_algorithm"
            | "decryption_key"
    ) || last.starts_with("x_misp_")
        || comparison.path.starts_with("content_ref.")
}

/// STIX's paths, the type and the object and relation they become.
const PATHS: &[(&str, &str, &str, &str, &str)] = &[
    ("autonomous-system", "number", "AS", "asn", "asn"),
    ("autonomous-system", "name", "text", "asn", "description"),
    ("domain-name", "value", "domain", "domain-ip", "domain"),
    ("domain-name", "resolves_to_refs.value", "ip-dst", "domain-ip", "ip"),
    ("email-addr", "value", "email", "", ""),
    ("email-addr", "display_name", "email-dst-display-name", "", ""),
    ("email-message", "from_ref.value", "email-src", "email", "from"),
    ("email-message", "sender_ref.value", "email-src", "email", "from"),
    ("email-message", "to_refs.value", "email-dst", "email", "to"),
    ("email-message", "cc_refs.value", "email-dst", "email", "cc"),
    ("email-message", "bcc_refs.value", "email-dst", "email", "bcc"),
    ("email-message", "subject", "email-subject", "email", "subject"),
    ("email-message", "body", "email-body", "email", "email-body"),
    ("email-message", "message_id", "email-message-id", "email", "message-id"),
    ("email-message", "received_lines", "email-header", "email", "header"),
    ("email-message", "additional_header_fields.reply_to", "email-reply-to", "email", "reply-to"),
    ("email-message", "additional_header_fields.x_mailer", "email-x-mailer", "email", "x-mailer"),
    ("email-message", "body_multipart.body_raw_ref.name", "email-attachment", "email", "attachment"),
    ("file", "name", "filename", "file", "filename"),
    ("file", "size", "size-in-bytes", "file", "size-in-bytes"),
    ("file", "mime_type", "mime-type", "file", "mimetype"),
    ("file", "parent_directory_ref.path", "text", "file", "path"),
    ("ipv4-addr", "value", "ip-dst", "", ""),
    ("ipv6-addr", "value", "ip-dst", "", ""),
    ("mac-addr", "value", "mac-address", "", ""),
    ("mutex", "name", "mutex", "", ""),
    ("network-traffic", "src_ref.value", "ip-src", "network-connection", "ip-src"),
    ("network-traffic", "dst_ref.value", "ip-dst", "network-connection", "ip-dst"),
    ("network-traffic", "src_port", "port", "network-connection", "src-port"),
    ("network-traffic", "dst_port", "port", "network-connection", "dst-port"),
    ("network-traffic", "extensions.http-request-ext.request_header.user_agent", "user-agent", "", ""),
    ("network-traffic", "extensions.http-request-ext.request_method", "http-method", "", ""),
    ("network-traffic", "extensions.http-request-ext.request_value", "uri", "", ""),
    ("process", "pid", "text", "process", "pid"),
    ("process", "command_line", "text", "process", "command-line"),
    ("url", "value", "url", "url", "url"),
    ("user-account", "account_login", "text", "user-account", "username"),
    ("user-account", "user_id", "text", "user-account", "user-id"),
    ("user-account", "display_name", "text", "user-account", "display-name"),
    ("windows-registry-key", "key", "regkey", "registry-key", "key"),
    ("windows-registry-key", "values.name", "text", "registry-key", "name"),
    ("windows-registry-key", "values.data", "text", "registry-key", "data"),
    ("windows-registry-key", "values.data_type", "text", "registry-key", "data-type"),
    ("x509-certificate", "issuer", "text", "x509", "issuer"),
    ("x509-certificate", "subject", "text", "x509", "subject"),
    ("x509-certificate", "serial_number", "text", "x509", "serial-number"),
    ("x509-certificate", "version", "text", "x509", "version"),
];

fn fact(comparison: &Comparison) -> Option<Fact> {
    let mut value = comparison.value.clone();
    let (kind, path) = (comparison.kind.as_str(), comparison.path.as_str());
    if let Some(name) = path.strip_prefix("hashes.") {
        let hash = hash_kind(name)?;
        let (kind, object) = match (kind, hash) {
            ("file" | "artifact", hash) => (hash, "file"),
            ("x509-certificate", "md5") => ("x509-fingerprint-md5", "x509"),
            ("x509-certificate", "sha1") => ("x509-fingerprint-sha1", "x509"),
            ("x509-certificate", "sha256") => ("x509-fingerprint-sha256", "x509"),
            _ => return None,
        };
        return Some(Fact { kind, object, relation: kind, value });
    }
    // Header names come in both spellings.
    let plain = match path.rsplit_once('.') {
        Some((head, last)) if last.contains(['-', 'A', 'X', 'R', 'U']) => {
            format!("{head}.{}", last.to_ascii_lowercase().replace('-', "_"))
        }
        _ => path.to_owned(),
    };
    let row = PATHS.iter().find(|row| row.0 == kind && row.1 == plain)?;
    let (_, _, mut kind, object, mut relation) = *row;
    if kind == "AS" {
        value = format!("AS{value}");
    }
    // One end of the traffic can be a name.
    if matches!(kind, "ip-src" | "ip-dst") && object == "network-connection" && !is_address(&value) {
        relation = if kind == "ip-src" { "hostname-src" } else { "hostname-dst" };
        kind = "hostname";
    }
    Some(Fact { kind, object, relation, value })
}

fn is_address(text: &str) -> bool {
    pisax_model::correlation::Net::parse(text).is_some()
}

/// The value of an attribute of which MISP's writer said the type.
fn value_of(kind: &str, comparisons: &[Comparison]) -> Option<String> {
    let find =
        |test: &dyn Fn(&Comparison) -> bool| comparisons.iter().find(|c| test(c)).map(|c| c.value.as_str());
    let ends = |end: &'static str| move |c: &Comparison| c.path.ends_with(end);
    let pair = |one: Option<&str>, two: Option<&str>| Some(format!("{}|{}", one?, two?));
    match kind {
        "domain|ip" => pair(
            find(&|c| c.kind == "domain-name" && c.path == "value"),
            find(&|c| c.path == "resolves_to_refs.value" || c.kind.starts_with("ipv")),
        ),
        "ip-src|port" | "ip-dst|port" => pair(find(&ends("_ref.value")), find(&ends("_port"))),
        "hostname|port" => {
            pair(find(&|c| c.kind == "domain-name" || c.path == "dst_ref.value"), find(&ends("_port")))
        }
        "regkey|value" => pair(find(&ends("key")), find(&ends("data"))),
        "malware-sample" => pair(find(&|c| c.path == "name"), find(&|c| c.path == "hashes.MD5"))
            .or(find(&ends("name")).map(str::to_owned)),
        "AS" => find(&ends("number")).map(|number| format!("AS{number}")),
        _ if kind.starts_with("filename|") => {
            pair(find(&|c| c.path == "name"), find(&|c| c.path.starts_with("hashes.")))
        }
        "port" => find(&ends("_port")).map(str::to_owned),
        _ => comparisons.iter().find(|c| !says_nothing(c)).map(|c| c.value.clone()),
    }
}

/// What was observed.
pub(super) fn put(observed: Vec<Vec<Comparison>>, about: &About<'_>, draft: &mut EventDraft) {
    if let Some(kind) = about.labels.kind {
        let data = observed.iter().flatten().find(|c| c.path == "content_ref.payload_bin");
        let data = data.and_then(|c| bytes(&c.value));
        let all: Vec<Comparison> = observed.into_iter().flatten().collect();
        if let Some(value) = value_of(kind, &all) {
            let mut attribute = about.attribute(0, kind, value);
            attribute.data = data.map(Into::into);
            draft.attributes.push(attribute);
        }
        return;
    }
    if let Some(name) = about.labels.name {
        let facts: Vec<Fact> = observed.iter().flatten().filter_map(fact).collect();
        draft.objects.push(about.object(0, name, facts));
        return;
    }
    for (n, one) in observed.iter().enumerate() {
        let facts: Vec<Fact> = one.iter().filter(|c| !says_nothing(c)).filter_map(fact).collect();
        put_facts(n, facts, about, draft);
    }
}

/// What an indicator looks for.
pub(super) fn put_pattern(text: &str, alternatives: Alternatives, about: &About<'_>, draft: &mut EventDraft) {
    if let (Some(kind), [one]) = (about.labels.kind, &alternatives[..])
        && let Some(value) = value_of(kind, one)
    {
        draft.attributes.push(about.attribute(0, kind, value));
        return;
    }
    if let (Some(name), false) = (about.labels.name, alternatives.is_empty()) {
        let mut facts: Vec<Fact> = Vec::new();
        for found in alternatives.iter().flatten().filter_map(fact) {
            if !facts.iter().any(|f| f.relation == found.relation && f.value == found.value) {
                facts.push(found);
            }
        }
        draft.objects.push(about.object(0, name, facts));
        return;
    }
    let mut said = Vec::new();
    for one in &alternatives {
        let telling: Vec<&Comparison> = one.iter().filter(|c| !says_nothing(c)).collect();
        let facts: Vec<Fact> = telling.iter().filter_map(|c| fact(c)).collect();
        let apart =
            facts.len() > 1 && facts.iter().any(|f| f.object.is_empty() || f.object != facts[0].object);
        if facts.is_empty() || facts.len() < telling.len() || apart {
            // A part of it has no word in MISP, or the parts only mean something together.
            put_whole(text, about, draft);
            return;
        }
        said.push(facts);
    }
    for (n, facts) in said.into_iter().enumerate() {
        put_facts(n, facts, about, draft);
    }
}

/// A pattern that MISP cannot say otherwise.
pub(super) fn put_whole(text: &str, about: &About<'_>, draft: &mut EventDraft) {
    draft.attributes.push(about.attribute(0, "stix2-pattern", text.to_owned()));
}

/// A rule in another language than STIX's.
pub(super) fn put_rule(language: &str, text: &str, about: &About<'_>, draft: &mut EventDraft) {
    let kind = match language {
        "yara" => "yara",
        "sigma" => "sigma",
        "snort" | "suricata" => "snort",
        _ => "text",
    };
    // Some writers put a rule into brackets as if it were a pattern of STIX.
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let mut attribute = about.attribute(0, kind, bare.to_owned());
    attribute.to_ids = Some(about.to_ids && kind != "text");
    draft.attributes.push(attribute);
}

/// One thing: an attribute when one type can say it, else an object.
fn put_facts(n: usize, mut facts: Vec<Fact>, about: &About<'_>, draft: &mut EventDraft) {
    let kinds: Vec<&str> = facts.iter().map(|f| f.kind).collect();
    let joined = match kinds[..] {
        [] => return,
        [kind] if !matches!(kind, "text") => Some((kind.to_owned(), facts[0].value.clone())),
        [one, two] => {
            let kind = match (one, two) {
                ("domain", "ip-dst") if facts[1].object == "domain-ip" => Some("domain|ip".to_owned()),
                ("ip-src" | "ip-dst" | "hostname", "port")
                    if facts[0].relation.ends_with("src") == facts[1].relation.starts_with("src") =>
                {
                    Some(format!("{one}|port"))
                }
                ("filename", hash) | (hash, "filename")
                    if AttributeType::parse(&format!("filename|{hash}")).is_some() =>
                {
                    if two == "filename" {
                        facts.swap(0, 1);
                    }
                    Some(format!("filename|{hash}"))
                }
                ("regkey", _) if facts[1].relation == "data" => Some("regkey|value".to_owned()),
                _ => None,
            };
            kind.map(|kind| (kind, format!("{}|{}", facts[0].value, facts[1].value)))
        }
        _ => None,
    };
    match joined {
        Some((kind, value)) => draft.attributes.push(about.attribute(n, &kind, value)),
        None if facts.iter().all(|f| !f.object.is_empty()) => {
            let name = facts[0].object;
            draft.objects.push(about.object(n, name, facts));
        }
        None => {
            for (place, fact) in facts.into_iter().enumerate() {
                draft.attributes.push(about.attribute(n * 100 + place, fact.kind, fact.value));
            }
        }
    }
}
