//! The push and pull rules of a link as MISP keeps them (semantics 7.8).

use crate::ReadError;
use crate::json::JsonWriter;
use pisax_model::transit::{Choice, Rules};
use serde_json::{Map, Value};

/// Reads the rules of a link. Nothing, and an empty list (PHP's empty object), are rules that let everything pass.
/// Push rules name tags and organisations by row number here: the caller puts names in their place.
pub fn read_rules(text: &str) -> Result<Rules, ReadError> {
    let members = match text.trim() {
        "" => return Ok(Rules::default()),
        text => members("rules", serde_json::from_str(text).map_err(not_json)?)?,
    };
    let choice = |name: &str| -> Result<Choice, ReadError> {
        let inner = child(&members, name)?;
        Ok(Choice { or: texts(&inner, name, "OR")?, not: texts(&inner, name, "NOT")? })
    };
    let refused = |name: &str| texts(&child(&members, name)?, name, "NOT");
    Ok(Rules {
        tags: choice("tags")?,
        orgs: choice("orgs")?,
        refused_types: refused("type_attributes")?,
        refused_templates: refused("type_objects")?,
        url_params: url_params(members.get("url_params"))?,
    })
}

/// Writes what [`read_rules`] reads, in the order in which MISP writes it.
pub fn write_rules(w: &mut JsonWriter<'_>, rules: &Rules) {
    let list = |w: &mut JsonWriter<'_>, name: &str, texts: &[String]| {
        w.key(name);
        w.begin_array();
        texts.iter().for_each(|text| w.str(text));
        w.end_array();
    };
    w.begin_object();
    for (name, choice) in [("tags", &rules.tags), ("orgs", &rules.orgs)] {
        w.key(name);
        w.begin_object();
        list(w, "OR", &choice.or);
        list(w, "NOT", &choice.not);
        w.end_object();
    }
    for (name, refused) in
        [("type_attributes", &rules.refused_types), ("type_objects", &rules.refused_templates)]
    {
        w.key(name);
        w.begin_object();
        list(w, "NOT", refused);
        w.end_object();
    }
    w.key("url_params");
    w.str(&rules.url_params);
    w.end_object();
}

/// A JSON object as text; some clients send the object itself.
fn url_params(value: Option<&Value>) -> Result<String, ReadError> {
    let object = match value {
        None | Some(Value::Null) => return Ok(String::new()),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(String::new()),
        Some(Value::String(text)) => serde_json::from_str(text)
            .map_err(|e| field("url_params", &format!("Expected a JSON object as text: {e}")))?,
        Some(other) => other.clone(),
    };
    let object = members("url_params", object)?;
    Ok(if object.is_empty() { String::new() } else { Value::Object(object).to_string() })
}

fn child(members: &Map<String, Value>, name: &str) -> Result<Map<String, Value>, ReadError> {
    members.get(name).map_or_else(|| Ok(Map::new()), |value| self::members(name, value.clone()))
}

fn members(name: &str, value: Value) -> Result<Map<String, Value>, ReadError> {
    match value {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        Value::Array(list) if list.is_empty() => Ok(Map::new()),
        _ => Err(field(name, "Expected an object.")),
    }
}

/// Texts or numbers, as a list, as an object with numbered keys, or one alone.
fn texts(members: &Map<String, Value>, outer: &str, name: &str) -> Result<Vec<String>, ReadError> {
    let place = || format!("{outer}.{name}");
    let items: Vec<&Value> = match members.get(name) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list.iter().collect(),
        Some(Value::Object(map)) => map.values().collect(),
        Some(one) => vec![one],
    };
    let text = |item: &Value| match item {
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(field(&place(), "Expected a list of texts.")),
    };
    let texts = items.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
    Ok(texts.into_iter().filter(|text| !text.is_empty()).collect())
}

fn not_json(e: serde_json::Error) -> ReadError {
    ReadError::NotJson(e.to_string())
}

fn field(name: &str, message: &str) -> ReadError {
    ReadError::Field { field: name.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_that_misp_stores_are_read() {
        let rules = read_rules(
            r#"{"tags":{"OR":["tlp:green"," 7 ",8],"NOT":{"0":"x"}},"orgs":{"OR":[],"NOT":["ORGNAME"]},
                "type_attributes":{"NOT":["ip-dst"]},"type_objects":{"NOT":["43b3b146-77eb-4931-b4cc-b66c60f28734"]},
                "url_params":"{\"timestamp\":\"30d\"}"}"#,
        )
        .unwrap();
        assert_eq!(rules.tags.or, ["tlp:green", "7", "8"]);
        assert_eq!((rules.tags.not, rules.orgs.not), (vec!["x".to_owned()], vec!["ORGNAME".to_owned()]));
        assert!(rules.orgs.or.is_empty());
        assert_eq!(rules.refused_types, ["ip-dst"]);
        assert_eq!(rules.refused_templates.len(), 1);
        assert_eq!(rules.url_params, r#"{"timestamp":"30d"}"#);
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let choice = |text: &str| Choice { or: vec![format!("{text} \"1\"")], not: vec![text.into()] };
        let rules = Rules {
            tags: choice("tlp:red"),
            orgs: choice("CERT Example"),
            refused_types: vec!["ip-dst".into()],
            refused_templates: vec!["43b3b146-77eb-4931-b4cc-b66c60f28734".into()],
            url_params: r#"{"timestamp":"30d"}"#.into(),
        };
        for rules in [rules, Rules::default()] {
            let mut text = Vec::new();
            write_rules(&mut JsonWriter::new(&mut text), &rules);
            assert_eq!(read_rules(std::str::from_utf8(&text).unwrap()).unwrap(), rules);
        }
    }

    #[test]
    fn what_is_left_out_restricts_nothing() {
        for text in ["", " ", "{}", "[]", "null", r#"{"tags":[],"orgs":null,"url_params":""}"#] {
            assert_eq!(read_rules(text).unwrap(), Rules::default(), "{text}");
        }
        for server in [pisax_model::server::Server::blank(1)] {
            assert_eq!(read_rules(&server.pull_rules).unwrap(), Rules::default());
            assert_eq!(read_rules(&server.push_rules).unwrap(), Rules::default());
        }
    }

    #[test]
    fn what_cannot_be_read_names_its_field() {
        for (text, name) in [
            (r#"{"tags":"x"}"#, "tags"),
            (r#"{"orgs":{"OR":[{"a":1}]}}"#, "orgs.OR"),
            (r#"{"type_attributes":{"NOT":[true]}}"#, "type_attributes.NOT"),
            (r#"{"url_params":"30d"}"#, "url_params"),
            (r#"{"url_params":"[1]"}"#, "url_params"),
            ("3", "rules"),
        ] {
            match read_rules(text) {
                Err(ReadError::Field { field, .. }) => assert_eq!(field, name, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(matches!(read_rules("{"), Err(ReadError::NotJson(_))));
    }
}
