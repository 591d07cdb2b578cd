//! Galaxy clusters, their relations and tag collections, as MISP's clients and peers send them.

use crate::ReadError;
use crate::terms::{is_empty, items, truthy};
use pisax_model::Uuid;
use pisax_model::cluster::{ClusterDraft, CollectionDraft, GalaxyDraft, RelationDraft};
use pisax_model::ids::Ref;
use pisax_model::org::OrgRef;
use serde_json::Value;

fn parse(body: &[u8]) -> Result<Value, ReadError> {
    if body.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|e| ReadError::NotJson(e.to_string()))
}

/// The value without `{"request":…}` and its model's name around it.
fn unwrapped(mut value: Value, model: &str) -> Value {
    for envelope in ["request", model] {
        if let Some(inner) = value.get_mut(envelope)
            && !inner.is_null()
        {
            value = inner.take();
        }
    }
    value
}

fn text(value: &Value, name: &str) -> Option<String> {
    match value.get(name)? {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(value: &Value, name: &str) -> Option<i64> {
    text(value, name)?.parse().ok()
}

fn flag(value: &Value, name: &str) -> Option<bool> {
    value.get(name).filter(|v| !v.is_null()).map(truthy)
}

fn reference(value: &Value, name: &str) -> Option<Ref> {
    Ref::parse(&text(value, name)?)
}

/// A uuid, and whether there was something that is none.
fn uuid(value: &Value, name: &str) -> (Option<Uuid>, bool) {
    match text(value, name).filter(|t| !t.is_empty()) {
        None => (None, false),
        Some(text) => {
            let read = Uuid::try_parse(&text).ok().filter(|_| text.len() == 36);
            (read, read.is_none())
        }
    }
}

/// The items of a list, or the one thing that stands in its place.
fn list(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(Value::Object(map)) if map.keys().all(|k| k.bytes().all(|b| b.is_ascii_digit())) => {
            map.values().collect()
        }
        Some(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    }
}

/// Reads what `galaxy_clusters/add` and `edit` are sent.
pub fn read_cluster(body: &[u8]) -> Result<ClusterDraft, ReadError> {
    Ok(cluster(&unwrapped(parse(body)?, "GalaxyCluster")))
}

/// Reads what `galaxies/import` and `galaxies/pushCluster` are sent: a list of clusters, each with its galaxy.
pub fn read_clusters(body: &[u8]) -> Result<Vec<ClusterDraft>, ReadError> {
    let value = unwrapped(parse(body)?, "Galaxy");
    // The page's form sends the list as a text.
    let value = match value.get("json").and_then(Value::as_str) {
        Some(text) => parse(text.as_bytes())?,
        None => value,
    };
    Ok(list(Some(&value))
        .into_iter()
        .map(|item| cluster(item.get("GalaxyCluster").unwrap_or(item)))
        .collect())
}

fn cluster(value: &Value) -> ClusterDraft {
    let (own, bad_uuid) = uuid(value, "uuid");
    let (elements, bad_elements) = elements(value);
    ClusterDraft {
        uuid: own,
        bad_uuid,
        collection_uuid: uuid(value, "collection_uuid").0,
        kind: text(value, "type"),
        value: text(value, "value"),
        description: text(value, "description"),
        source: text(value, "source"),
        authors: value.get("authors").filter(|v| !v.is_null()).map(authors),
        version: number(value, "version"),
        distribution: number(value, "distribution"),
        sharing_group: group(value),
        orgc: value.get("Orgc").filter(|v| v.is_object()).map(org),
        default: flag(value, "default").unwrap_or(false),
        published: flag(value, "published"),
        deleted: flag(value, "deleted"),
        extends_uuid: uuid(value, "extends_uuid").0,
        extends_version: number(value, "extends_version"),
        elements,
        bad_elements,
        relations: list(value.get("GalaxyClusterRelation")).into_iter().map(relation).collect(),
        galaxy: value.get("Galaxy").filter(|v| v.is_object()).map(galaxy),
    }
}

/// The group by the uuid of what was sent with it, else by its number.
fn group(value: &Value) -> Option<Ref> {
    let sent = value.get("SharingGroup").and_then(|group| uuid(group, "uuid").0);
    sent.map(Ref::Uuid).or_else(|| reference(value, "sharing_group_id"))
}

fn org(value: &Value) -> OrgRef {
    OrgRef { id: None, uuid: uuid(value, "uuid").0, name: text(value, "name").filter(|n| !n.is_empty()) }
}

/// A list of authors, as JSON or with commas.
fn authors(value: &Value) -> Vec<String> {
    let given = match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(list @ Value::Array(_)) => items(&list),
            _ => text.split(',').map(|a| a.trim().to_owned()).collect(),
        },
        other => items(other),
    };
    given.into_iter().filter(|a| !a.is_empty()).collect()
}

/// `elements` (a list, or a text that holds one) or `GalaxyElement`, and whether that text was no list.
fn elements(value: &Value) -> (Vec<(String, String)>, bool) {
    let sent = value.get("elements").filter(|v| !is_empty(v));
    let decoded;
    let given = match sent {
        Some(Value::String(text)) => {
            decoded = serde_json::from_str::<Value>(text).unwrap_or_default();
            if !decoded.is_array() {
                return (Vec::new(), true);
            }
            Some(&decoded)
        }
        Some(other) => Some(other),
        None => value.get("GalaxyElement"),
    };
    let mut found = Vec::new();
    for item in list(given) {
        let key = text(item, "key").filter(|k| !k.is_empty());
        if let (Some(key), Some(said)) = (key, item.get("value")) {
            found.extend(items(said).into_iter().map(|value| (key.clone(), value)));
        }
    }
    (found, false)
}

/// Reads what `galaxy_cluster_relations/add` and `edit` are sent.
pub fn read_relation(body: &[u8]) -> Result<RelationDraft, ReadError> {
    Ok(relation(&unwrapped(parse(body)?, "GalaxyClusterRelation")))
}

fn relation(value: &Value) -> RelationDraft {
    let named = value.get("tags").filter(|v| !v.is_null());
    let attached = ["GalaxyClusterRelationTag", "Tag"].iter().find_map(|name| value.get(*name));
    let name = |tag: &Value| match tag {
        Value::String(text) => Some(text.trim().to_owned()),
        other => text(other, "name").or_else(|| text(other.get("Tag")?, "name")),
    };
    let tags = match (named, attached) {
        (Some(Value::String(text)), _) => Some(text.split(',').map(|t| t.trim().to_owned()).collect()),
        (Some(other), _) => Some(list(Some(other)).into_iter().filter_map(name).collect()),
        (None, Some(list_of)) => Some(list(Some(list_of)).into_iter().filter_map(name).collect()),
        (None, None) => None,
    };
    RelationDraft {
        cluster: reference(value, "galaxy_cluster_uuid").or_else(|| reference(value, "galaxy_cluster_id")),
        referenced: reference(value, "referenced_galaxy_cluster_uuid")
            .or_else(|| reference(value, "referenced_galaxy_cluster_id").filter(|r| *r != Ref::Id(0))),
        kind: text(value, "referenced_galaxy_cluster_type"),
        distribution: number(value, "distribution"),
        sharing_group: group(value),
        tags: tags.map(|list: Vec<String>| list.into_iter().filter(|t| !t.is_empty()).collect()),
    }
}

fn galaxy(value: &Value) -> GalaxyDraft {
    let said = |name| text(value, name).unwrap_or_default();
    let tabs = value.get("kill_chain_order").and_then(Value::as_object);
    GalaxyDraft {
        uuid: uuid(value, "uuid").0,
        name: said("name"),
        kind: said("type"),
        description: said("description"),
        version: number(value, "version").unwrap_or(0),
        icon: said("icon"),
        namespace: said("namespace"),
        kill_chain_order: tabs
            .into_iter()
            .flatten()
            .map(|(tab, phases)| (tab.clone(), items(phases)))
            .collect(),
    }
}

/// Reads what `tag_collections/add` and `edit` are sent.
pub fn read_collection(body: &[u8]) -> Result<CollectionDraft, ReadError> {
    Ok(collection(&parse(body)?))
}

/// Reads what `tag_collections/import` is sent: a list of collections with their tags and galaxies, or one.
pub fn read_collections(body: &[u8]) -> Result<Vec<CollectionDraft>, ReadError> {
    let value = parse(body)?;
    let text = value.get("TagCollection").and_then(|c| c.get("json")).and_then(Value::as_str);
    let value = match text {
        Some(text) => parse(text.as_bytes())?,
        None => value,
    };
    Ok(list(Some(&value)).into_iter().map(collection).collect())
}

fn collection(sent: &Value) -> CollectionDraft {
    let sent = sent.get("request").unwrap_or(sent);
    let value = sent.get("TagCollection").unwrap_or(sent);
    let (own, bad_uuid) = uuid(value, "uuid");
    let tags = list(sent.get("TagCollectionTag"))
        .into_iter()
        .filter_map(|t| text(t.get("Tag").unwrap_or(t), "name"));
    let clusters = list(sent.get("Galaxy")).into_iter().flat_map(|g| list(g.get("GalaxyCluster")));
    CollectionDraft {
        uuid: own,
        bad_uuid,
        name: text(value, "name"),
        description: text(value, "description"),
        all_orgs: flag(value, "all_orgs"),
        tags: tags.chain(clusters.filter_map(|c| text(c, "tag_name"))).filter(|t| !t.is_empty()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_as_a_list_or_as_a_text() {
        let as_list =
            br#"{"value":"x","GalaxyElement":[{"key":"synonyms","value":"A"},{"key":"","value":"B"}]}"#;
        let as_text = br#"{"GalaxyCluster":{"elements":"[{\"key\":\"synonyms\",\"value\":\"A\"}]"}}"#;
        let expected = vec![("synonyms".to_owned(), "A".to_owned())];
        assert_eq!(read_cluster(as_list).unwrap().elements, expected);
        assert_eq!(read_cluster(as_text).unwrap().elements, expected);
        assert!(read_cluster(br#"{"elements":"{broken"}"#).unwrap().bad_elements);
    }

    #[test]
    fn authors_are_json_or_have_commas() {
        for (sent, expected) in [
            (r#"["a","b"]"#, vec!["a", "b"]),
            (r#""[\"a\", \"b\"]""#, vec!["a", "b"]),
            (r#""a, b""#, vec!["a", "b"]),
            (r#""""#, vec![]),
        ] {
            let body = format!(r#"{{"authors":{sent}}}"#);
            assert_eq!(read_cluster(body.as_bytes()).unwrap().authors.unwrap(), expected, "{sent}");
        }
    }

    #[test]
    fn tags_of_a_relation_are_names_in_any_shape() {
        for sent in [r#""tags":"a, b""#, r#""Tag":[{"name":"a"},{"name":"b"}]"#, r#""tags":["a","b"]"#] {
            let body = format!(r#"{{"GalaxyClusterRelation":{{{sent}}}}}"#);
            assert_eq!(read_relation(body.as_bytes()).unwrap().tags.unwrap(), ["a", "b"], "{sent}");
        }
        assert_eq!(read_relation(b"{}").unwrap().tags, None);
    }

    #[test]
    fn what_is_no_cluster_reads_as_an_empty_one() {
        for body in [&b""[..], b"[]", b"17", br#"{"GalaxyCluster":5}"#, br#"{"uuid":{"a":1},"Orgc":[]}"#] {
            assert_eq!(read_cluster(body).unwrap(), ClusterDraft::default());
        }
        assert!(read_cluster(b"{").is_err());
        assert!(read_cluster(br#"{"uuid":"nonsense"}"#).unwrap().bad_uuid);
    }

    #[test]
    fn a_list_of_clusters_brings_their_galaxies() {
        let body = br#"[{"GalaxyCluster":{"value":"x","Galaxy":{"name":"G","type":"g","kill_chain_order":{"t":["p"]}}}}]"#;
        let read = read_clusters(body).unwrap();
        let galaxy = read[0].galaxy.as_ref().unwrap();
        assert_eq!((galaxy.kind.as_str(), &galaxy.kill_chain_order[0].1[0]), ("g", &"p".to_owned()));
    }
}
