//! What a module found.

use crate::server::Answer;
use pisax_model::attribute::AttributeDraft;
use pisax_model::content::Content;
use pisax_model::event::EventDraft;
use pisax_model::freetext;
use pisax_model::object::ObjectDraft;
use pisax_model::tag::TagDraft;
use serde_json::Value;

/// Attributes and objects a module proposes, or why it has none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    pub attributes: Vec<AttributeDraft>,
    pub objects: Vec<ObjectDraft>,
    /// The module's own words.
    pub error: Option<String>,
}

/// Most records taken from one answer.
const MOST: usize = 10_000;

impl Findings {
    /// Reads an answer of either form; what cannot be read is left out.
    pub fn read(Answer(answer): &Answer) -> Self {
        let error = answer.get("error").map(|e| e.as_str().map_or_else(|| e.to_string(), str::to_owned));
        let mut findings = match answer.get("results") {
            Some(Value::Object(results)) => standard(results),
            Some(Value::Array(results)) => simplified(results),
            _ => Self::default(),
        };
        findings.attributes.truncate(MOST);
        findings.objects.truncate(MOST);
        Self { error, ..findings }
    }

    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty() && self.objects.is_empty()
    }
}

/// `{"Attribute": […], "Object": […]}`: as an event has them.
fn standard(results: &serde_json::Map<String, Value>) -> Findings {
    let mut findings = Findings::default();
    // Each by itself: one that cannot be read does not take the others along.
    let each = |name: &str| results.get(name).and_then(Value::as_array).into_iter().flatten();
    let read = |name: &str, one: &Value| {
        let event = serde_json::json!({ name: [one] });
        pisax_wire::read_event(event.to_string().as_bytes()).unwrap_or_default()
    };
    for one in each("Attribute") {
        findings.attributes.append(&mut read("Attribute", one).attributes);
    }
    for one in each("Object") {
        let EventDraft { mut objects, .. } = read("Object", one);
        findings.objects.append(&mut objects);
    }
    findings
}

/// `[{"types": […], "values": […], "categories": […], "comment": …}]`.
fn simplified(results: &[Value]) -> Findings {
    let mut attributes = Vec::new();
    for result in results {
        let types = texts(result.get("types").or_else(|| result.get("type")));
        let category = texts(result.get("categories")).into_iter().next();
        let comment = result.get("comment").and_then(Value::as_str).map(str::to_owned);
        let tags: Vec<TagDraft> = texts(result.get("tags"))
            .into_iter()
            .map(|name| TagDraft { name, ..TagDraft::default() })
            .collect();
        let data = result.get("data").and_then(Value::as_str).and_then(pisax_wire::read_base64);
        for value in texts(result.get("values")).into_iter().filter(|value| !value.trim().is_empty()) {
            let draft = |kind: String, value: String| AttributeDraft {
                kind: Some(kind),
                value: Some(value),
                category: category.clone(),
                comment: comment.clone(),
                to_ids: result.get("to_ids").and_then(Value::as_bool).or(Some(false)),
                tags: tags.clone(),
                ..AttributeDraft::default()
            };
            match types.iter().find(|kind| *kind != "freetext") {
                Some(kind) => {
                    let encrypt = data.is_some() && kind == "malware-sample" && !value.contains('|');
                    let data = data.clone().map(Content::Bytes);
                    attributes.push(AttributeDraft { data, encrypt, ..draft(kind.clone(), value) });
                }
                None => attributes.extend(freetext::parse(&value).into_iter().map(|candidate| {
                    let mut found = draft(candidate.default_type.name().to_owned(), candidate.value);
                    // The category was said of the text, not of what is in it.
                    found.category = None;
                    found
                })),
            }
        }
    }
    Findings { attributes, ..Findings::default() }
}

/// One text or several; numbers count as text, a list or object inside as its JSON.
fn texts(value: Option<&Value>) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Bool(_) => None,
        other => Some(other.to_string()),
    };
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(answer: Value) -> Vec<(String, String)> {
        let attributes = Findings::read(&Answer(answer.clone())).attributes;
        attributes.into_iter().map(|a| (a.kind.unwrap_or_default(), a.value.unwrap_or_default())).collect()
    }

    fn pair(kind: &str, value: &str) -> (String, String) {
        (kind.to_owned(), value.to_owned())
    }

    #[test]
    fn simplified_answers_are_read_in_every_spelling() {
        for answer in [
            json!({"results": [{"types": ["ip-src", "ip-dst"], "values": ["192.0.2.1"], "categories": ["Network activity"]}]}),
            json!({"results": [{"type": "ip-src", "values": "192.0.2.1", "categories": "Network activity"}]}),
        ] {
            assert_eq!(found(answer.clone()), [pair("ip-src", "192.0.2.1")], "{answer}");
            let draft = &Findings::read(&Answer(answer.clone())).attributes[0];
            assert_eq!(draft.category.as_deref(), Some("Network activity"));
            assert_eq!(draft.to_ids, Some(false));
        }
        let text =
            json!({"results": [{"types": ["freetext"], "values": "see 192.0.2.7 and evil.example.com"}]});
        assert_eq!(found(text), [pair("ip-dst", "192.0.2.7"), pair("hostname", "evil.example.com")]);
        let odd = json!({"results": [{"types": ["text"], "values": [{"a": 1}, 7, null, ""]}, 5, {}]});
        assert_eq!(found(odd), [pair("text", "{\"a\":1}"), pair("text", "7")]);
    }

    #[test]
    fn standard_answers_hold_attributes_and_objects() {
        let answer = json!({"results": {
            "Attribute": [{"type": "url", "value": "http://a.example"}, 7, {"type": "text", "value": "x", "data": "?"}],
            "Object": [{"name": "url", "Attribute": [{"type": "text", "object_relation": "scheme", "value": "http"}]}],
        }});
        let findings = Findings::read(&Answer(answer.clone()));
        assert_eq!(findings.attributes.len(), 1);
        assert_eq!(findings.objects[0].attributes.len(), 1);
        assert!(Findings::read(&Answer(json!({"results": {}}))).is_empty());
    }

    #[test]
    fn what_went_wrong_is_kept_in_the_modules_words() {
        let findings = Findings::read(&Answer(json!({"error": "no such host"})));
        assert_eq!((findings.error.as_deref(), findings.is_empty()), (Some("no such host"), true));
        assert_eq!(Findings::read(&Answer(json!([]))), Findings::default());
        assert_eq!(Findings::read(&Answer(json!(null))), Findings::default());
    }
}
