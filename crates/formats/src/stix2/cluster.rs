//! Galaxy clusters as the domain objects of STIX.

use super::{Version, id};
use pisax_model::Uuid;
use serde_json::{Map, Value, json};

/// A cluster that a tag names.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    pub uuid: Uuid,
    pub galaxy_name: String,
    /// The galaxy's type: `mitre-attack-pattern`.
    pub kind: String,
    pub value: String,
    pub tag_name: String,
    pub description: String,
    /// Keys and lists of values.
    pub meta: Map<String, Value>,
}

impl Cluster {
    /// The domain object that stands for it.
    fn stix_kind(&self, version: Version) -> &'static str {
        let kind = self.kind.as_str();
        match kind {
            "branded-vulnerability" => "vulnerability",
            "sector" => "identity",
            "country" if version == Version::V21 => "location",
            _ if kind.ends_with("attack-pattern") => "attack-pattern",
            _ if kind.ends_with("course-of-action") => "course-of-action",
            _ if kind.ends_with("intrusion-set") => "intrusion-set",
            "threat-actor" | "microsoft-activity-group" => "threat-actor",
            "tool" | "botnet" | "exploit-kit" | "rat" | "tds" => "tool",
            _ if kind.ends_with("-tool") => "tool",
            "android" | "backdoor" | "banker" | "cryptominers" | "malpedia" | "ransomware" | "stealer" => {
                "malware"
            }
            _ if kind.ends_with("-malware") => "malware",
            _ => "x-misp-galaxy-cluster",
        }
    }

    pub(super) fn id(&self, version: Version) -> String {
        id(self.stix_kind(version), self.uuid)
    }

    fn list(&self, key: &str) -> Vec<&str> {
        match self.meta.get(key) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one],
            _ => Vec::new(),
        }
    }

    /// The domain object; `created` is when the event that names it was made.
    pub(super) fn object(&self, version: Version, created: &str) -> Value {
        let kind = self.stix_kind(version);
        let mut out = json!({"type": kind});
        if version == Version::V21 {
            out["spec_version"] = version.name().into();
        }
        out["id"] = self.id(version).into();
        out["created"] = created.into();
        out["modified"] = created.into();
        let labels = json!([
            format!("misp:galaxy-name=\"{}\"", self.galaxy_name),
            format!("misp:galaxy-type=\"{}\"", self.kind),
            self.tag_name,
        ]);
        if kind == "x-misp-galaxy-cluster" {
            out["labels"] = labels;
            out["x_misp_name"] = self.galaxy_name.as_str().into();
            out["x_misp_type"] = self.kind.as_str().into();
            out["x_misp_value"] = self.value.as_str().into();
            out["x_misp_description"] = self.description.as_str().into();
            out["x_misp_meta"] = Value::Object(self.meta.clone());
            return out;
        }
        let external = self.list("external_id");
        // MITRE's clusters carry their number behind the name.
        let name = match external.first() {
            Some(number) => self.value.strip_suffix(&format!(" - {number}")).unwrap_or(&self.value),
            None => &self.value,
        };
        out["name"] = name.into();
        if !self.description.is_empty() {
            out["description"] = self.description.as_str().into();
        }
        match kind {
            "malware" if version == Version::V21 => out["is_family"] = true.into(),
            "identity" => out["identity_class"] = "class".into(),
            "location" => {
                let code = self.list("ISO").first().map_or_else(|| self.value.clone(), |c| (*c).to_owned());
                out["country"] = code.into();
            }
            _ => {}
        }
        let synonyms = self.list("synonyms");
        let aliases = matches!(kind, "intrusion-set" | "threat-actor")
            || version == Version::V21 && matches!(kind, "attack-pattern" | "malware" | "tool");
        if aliases && !synonyms.is_empty() {
            out["aliases"] = json!(synonyms);
        }
        let phases: Vec<Value> = self
            .list("kill_chain")
            .iter()
            .filter_map(|phase| {
                let mut parts = phase.split(':');
                let (chain, phase) = (parts.next()?, parts.next_back()?);
                Some(json!({"kill_chain_name": chain, "phase_name": phase}))
            })
            .collect();
        if matches!(kind, "attack-pattern" | "malware" | "tool") && !phases.is_empty() {
            out["kill_chain_phases"] = phases.into();
        }
        out["labels"] = labels;
        let numbers = external.iter().map(|number| match number.strip_prefix("CAPEC-") {
            Some(_) => json!({"source_name": "capec", "external_id": number}),
            None => json!({"source_name": "mitre-attack", "external_id": number}),
        });
        let links = self.list("refs");
        let links = links.iter().map(|link| json!({"source_name": "url", "url": link}));
        let references: Vec<Value> = numbers.chain(links).collect();
        if !references.is_empty() {
            out["external_references"] = references.into();
        }
        out
    }
}
