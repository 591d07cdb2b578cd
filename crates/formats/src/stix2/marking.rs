//! The Traffic Light Protocol as data markings.

use super::Version;
use serde_json::{Value, json};

/// The marking a TLP tag stands for: TLP 1 where STIX defines it, TLP 2.0 for what is new in it.
pub(super) fn marking(tag: &str, version: Version) -> Option<(String, Value)> {
    let level = tag.strip_prefix("tlp:")?;
    let old = |uuid: &str, name: &str| {
        let own = format!("marking-definition--{uuid}");
        let mut object = json!({"type": "marking-definition"});
        if version == Version::V21 {
            object["spec_version"] = "2.1".into();
        }
        object["id"] = own.as_str().into();
        object["created"] = "2017-01-20T00:00:00.000Z".into();
        object["definition_type"] = "tlp".into();
        if version == Version::V21 {
            object["name"] = format!("TLP:{}", name.to_ascii_uppercase()).into();
        }
        object["definition"] = json!({"tlp": name});
        Some((own, object))
    };
    let new = |uuid: &str| {
        if version == Version::V20 {
            return None;
        }
        let own = format!("marking-definition--{uuid}");
        let object = json!({
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": own,
            "created": "2022-10-01T00:00:00.000Z",
            "name": format!("TLP:{}", level.to_ascii_uppercase()),
            "extensions": {
                "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
                    "extension_type": "property-extension",
                    "tlp_2_0": level,
                },
            },
        });
        Some((own, object))
    };
    match level {
        "white" => old("613f2e26-407d-48c7-9eca-b8e91df99dc9", "white"),
        "green" => old("34098fce-860f-48ae-8e50-ebd3cc5e41da", "green"),
        "amber" => old("f88d31f6-486f-44da-b317-01333bde0b82", "amber"),
        "red" => old("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "red"),
        "clear" => new("94868c89-83c2-464b-929b-a1a8aa3c8487"),
        "amber+strict" => new("939a9414-2ddd-4d32-a0cd-375ea402b003"),
        _ => None,
    }
}

/// The tag a marking stands for.
pub(super) fn marking_tag(own: &str) -> Option<&'static str> {
    Some(match own.strip_prefix("marking-definition--")? {
        "613f2e26-407d-48c7-9eca-b8e91df99dc9" => "tlp:white",
        "34098fce-860f-48ae-8e50-ebd3cc5e41da" | "bab4a63c-aed9-4cf5-a766-dfca5abac2bb" => "tlp:green",
        "f88d31f6-486f-44da-b317-01333bde0b82" | "55d920b0-5e8b-4f79-9ee9-91f868d9b421" => "tlp:amber",
        "5e57c739-391a-4eb3-b6be-7d15ca92d5ed" | "e828b379-4e03-4974-9ac4-e53a884c97c1" => "tlp:red",
        "94868c89-83c2-464b-929b-a1a8aa3c8487" => "tlp:clear",
        "939a9414-2ddd-4d32-a0cd-375ea402b003" => "tlp:amber+strict",
        _ => return None,
    })
}
