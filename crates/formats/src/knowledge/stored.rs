//! The text in which the store keeps what is structured inside an item of knowledge: JSON in the shape the
//! libraries publish, so that answers can pass it on as it is.

use super::json::Bad;
use super::{taxonomy, template};
use pisax_model::knowledge::{Cluster, ClusterRelation, Galaxy, ObjectTemplate, Taxonomy, TaxonomyEntry};
use serde_json::{Map, Value, json};

/// A taxonomy as a `machinetag.json`.
pub fn taxonomy_text(taxonomy: &Taxonomy) -> String {
    let predicates: Vec<Value> = taxonomy
        .predicates
        .iter()
        .map(|p| {
            pruned(json!({
                "value": p.value, "expanded": p.expanded, "description": p.description, "colour": p.colour,
                "exclusive": p.exclusive, "numerical_value": p.numerical_value,
            }))
        })
        .collect();
    let entry = |e: &TaxonomyEntry| {
        pruned(json!({
            "value": e.value, "expanded": e.expanded, "description": e.description, "colour": e.colour,
            "numerical_value": e.numerical_value,
        }))
    };
    let values: Vec<Value> = taxonomy
        .predicates
        .iter()
        .filter(|p| !p.entries.is_empty())
        .map(|p| json!({ "predicate": p.value, "entry": p.entries.iter().map(entry).collect::<Vec<_>>() }))
        .collect();
    json!({
        "namespace": taxonomy.namespace, "description": taxonomy.description, "version": taxonomy.version,
        "expanded": taxonomy.expanded, "exclusive": taxonomy.exclusive, "predicates": predicates, "values": values,
    })
    .to_string()
}

/// Reads what [`taxonomy_text`] wrote.
pub fn read_taxonomy(text: &str) -> Result<Taxonomy, String> {
    taxonomy::read(text.as_bytes()).map_err(words)
}

/// Reads the definition of an object template as it was published.
pub fn read_template(raw: &str) -> Result<ObjectTemplate, String> {
    template::read(raw.as_bytes()).map_err(words)
}

/// `{"tab":["phase",…]}`; empty for a galaxy without a matrix.
pub fn kill_chain_text(galaxy: &Galaxy) -> String {
    if galaxy.kill_chain_order.is_empty() { String::new() } else { map_text(&galaxy.kill_chain_order) }
}

/// `{"key":["value",…]}`.
pub fn meta_text(cluster: &Cluster) -> String {
    map_text(&cluster.meta)
}

/// Reads what [`meta_text`] wrote; what is no such text has nothing in it.
pub fn read_meta(text: &str) -> Vec<(String, Vec<String>)> {
    let map: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    map.into_iter().map(|(key, values)| (key, strings(&values))).collect()
}

/// `[{"dest-uuid":…,"type":…,"tags":[…]}]`.
pub fn related_text(cluster: &Cluster) -> String {
    let related: Vec<Value> = cluster
        .related
        .iter()
        .map(|r| json!({ "dest-uuid": r.dest_uuid.to_string(), "type": r.kind, "tags": r.tags }))
        .collect();
    Value::Array(related).to_string()
}

/// Reads what [`related_text`] wrote; what cannot be read is left out.
pub fn read_related(text: &str) -> Vec<ClusterRelation> {
    let list: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    let read = |item: &Value| {
        Some(ClusterRelation {
            dest_uuid: pisax_model::Uuid::try_parse(item["dest-uuid"].as_str()?).ok()?,
            kind: item["type"].as_str().unwrap_or_default().to_owned(),
            tags: strings(&item["tags"]),
        })
    };
    list.iter().filter_map(read).collect()
}

/// `{"key":["value",…]}` of a cluster that was made here, or of the tabs of a galaxy.
pub fn pairs_text(pairs: &[(String, Vec<String>)]) -> String {
    map_text(pairs)
}

/// `["text",…]`: authors, attribute types.
pub fn texts_text(texts: &[String]) -> String {
    Value::from(texts.to_vec()).to_string()
}

/// Reads what [`texts_text`] wrote.
pub fn read_texts(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

fn map_text(pairs: &[(String, Vec<String>)]) -> String {
    // NUL is a legal character of JSON, but PostgreSQL reads none.
    let clean = |text: &String| text.replace('\0', "");
    let values = |list: &[String]| list.iter().map(clean).collect::<Vec<String>>();
    let map: Map<String, Value> =
        pairs.iter().map(|(key, list)| (clean(key), Value::from(values(list)))).collect();
    Value::Object(map).to_string()
}

fn strings(value: &Value) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Without the members that say nothing: most of them do.
fn pruned(value: Value) -> Value {
    let Value::Object(mut map) = value else { return value };
    map.retain(|_, v| !(v.is_null() || v == "" || v == &Value::Bool(false)));
    Value::Object(map)
}

fn words(bad: Bad) -> String {
    if bad.field.is_empty() { bad.message } else { format!("{}: {}", bad.field, bad.message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::knowledge::Predicate;

    #[test]
    fn a_taxonomy_comes_back_as_it_was_kept() {
        let taxonomy = Taxonomy {
            namespace: "adm".into(),
            description: "d".into(),
            version: 3,
            expanded: "Adm".into(),
            exclusive: true,
            predicates: vec![
                Predicate { value: "bare".into(), colour: Some("#ff0000".into()), ..Predicate::default() },
                Predicate {
                    value: "scale".into(),
                    exclusive: true,
                    entries: vec![TaxonomyEntry {
                        value: "a \"b\"".into(),
                        expanded: "A".into(),
                        numerical_value: Some(0),
                        ..TaxonomyEntry::default()
                    }],
                    ..Predicate::default()
                },
            ],
        };
        assert_eq!(read_taxonomy(&taxonomy_text(&taxonomy)), Ok(taxonomy));
        assert!(read_taxonomy("[]").is_err());
    }

    #[test]
    fn relations_come_back_without_those_that_lead_nowhere() {
        let text = r#"[{"dest-uuid":"5f9a2b1c-0000-4000-8000-000000000001","type":"uses","tags":["a:b"]},{"dest-uuid":"x"}]"#;
        let read = read_related(text);
        assert_eq!(
            (read.len(), read[0].kind.as_str(), &read[0].tags[..]),
            (1, "uses", &["a:b".to_owned()][..])
        );
        assert_eq!(read_related("nonsense"), []);
    }

    #[test]
    fn meta_and_lists_come_back_in_order() {
        let meta =
            vec![("z".to_owned(), vec!["1".to_owned(), "é\"".to_owned()]), ("a".to_owned(), Vec::new())];
        assert_eq!(read_meta(&map_text(&meta)), meta);
        assert_eq!(read_meta("nonsense"), []);
        let texts = vec!["ip-src".to_owned(), "url".to_owned()];
        assert_eq!(texts_text(&texts), r#"["ip-src","url"]"#);
        assert_eq!(read_texts(&texts_text(&texts)), texts);
    }
}
