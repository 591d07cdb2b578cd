//! Domain objects of STIX as the tags of clusters.

use super::Stix;
use super::parts::{list, text};
use serde_json::Value;

/// The tag a domain object stands for, `None` for what is no cluster.
pub(super) fn tag(object: &Stix) -> Option<String> {
    if let Some(own) = list(object, "labels").find(|label| label.starts_with("misp-galaxy:")) {
        let cluster = !matches!(
            text(object, "type")?,
            "indicator" | "observed-data" | "x-misp-attribute" | "x-misp-object" | "report" | "grouping"
        );
        return cluster.then(|| own.to_owned());
    }
    let kind = text(object, "type")?;
    if !matches!(
        kind,
        "attack-pattern" | "course-of-action" | "intrusion-set" | "malware" | "threat-actor" | "tool"
    ) {
        return None;
    }
    let name = text(object, "name")?.replace('"', "'");
    let references = object.get("external_references").and_then(Value::as_array);
    let mitre = references.into_iter().flatten().find_map(|reference| {
        let source = reference.get("source_name")?.as_str()?;
        source.starts_with("mitre-").then(|| reference.get("external_id")?.as_str()).flatten()
    });
    Some(match mitre.filter(|_| kind != "threat-actor") {
        Some(number) => format!("misp-galaxy:mitre-{kind}=\"{name} - {number}\""),
        None if kind == "threat-actor" => format!("misp-galaxy:threat-actor=\"{name}\""),
        None => format!("misp-galaxy:stix-2.1-{kind}=\"{name}\""),
    })
}
