//! The egress guard of a link, in and out. It has no form in MISP: its JSON is this product's, and strict, as a
//! guard with a typing error would let pass what it was to hold.

use crate::ReadError;
use crate::json::{JsonWriter, k};
use crate::record::parse_uuid;
use pisax_model::transit::{Compartments, Guard, Tlp};
use pisax_model::{AttributeType, Category, Distribution, Uuid};
use serde_json::{Map, Value};

/// Most items in one list of a guard.
const MOST: usize = 1000;

/// Reads a guard; nothing is one that restricts nothing but compartments. A member nobody knows is refused.
pub fn read_guard(text: &str) -> Result<Guard, ReadError> {
    if text.trim().is_empty() {
        return Ok(Guard::default());
    }
    let value = serde_json::from_str(text).map_err(|e| ReadError::NotJson(e.to_string()))?;
    let mut guard = Guard::default();
    for (name, value) in &members("guard", value)? {
        match name.as_str() {
            "required_tags" => guard.required_tags = texts(name, value)?,
            "blocked_tags" => guard.blocked_tags = texts(name, value)?,
            "tlp_ceiling" => guard.ceiling = if value.is_null() { None } else { Some(tlp(name, value)?) },
            "untagged_tlp" => guard.untagged = tlp(name, value)?,
            "blocked_distributions" => guard.blocked_distributions = each(name, value, distribution)?,
            "allowed_sharing_groups" => {
                guard.allowed_groups = if value.is_null() { None } else { Some(each(name, value, uuid)?) };
            }
            "blocked_sharing_groups" => guard.blocked_groups = each(name, value, uuid)?,
            "blocked_types" => guard.blocked_types = each(name, value, kind)?,
            "blocked_categories" => guard.blocked_categories = each(name, value, category)?,
            "blocked_objects" => guard.blocked_objects = texts(name, value)?,
            "compartments" => guard.compartments = compartments(name, value)?,
            other => return Err(field(other, "There is no such member of a guard.")),
        }
    }
    Ok(guard)
}

/// Writes what [`read_guard`] reads.
pub fn write_guard(w: &mut JsonWriter<'_>, guard: &Guard) {
    w.begin_object();
    strings(w, k!("required_tags"), guard.required_tags.iter().map(String::as_str));
    strings(w, k!("blocked_tags"), guard.blocked_tags.iter().map(String::as_str));
    w.text_or_null(k!("tlp_ceiling"), guard.ceiling.map(Tlp::name));
    w.text(k!("untagged_tlp"), guard.untagged.name());
    w.name(k!("blocked_distributions"));
    w.begin_array();
    guard.blocked_distributions.iter().for_each(|level| w.int(level.code()));
    w.end_array();
    match &guard.allowed_groups {
        Some(groups) => uuids(w, k!("allowed_sharing_groups"), groups),
        None => w.text_or_null(k!("allowed_sharing_groups"), None),
    }
    uuids(w, k!("blocked_sharing_groups"), &guard.blocked_groups);
    strings(w, k!("blocked_types"), guard.blocked_types.iter().map(|kind| kind.name()));
    strings(w, k!("blocked_categories"), guard.blocked_categories.iter().map(|category| category.name()));
    strings(w, k!("blocked_objects"), guard.blocked_objects.iter().map(String::as_str));
    w.name(k!("compartments"));
    w.begin_object();
    strings(w, k!("taxonomies"), guard.compartments.taxonomies.iter().map(String::as_str));
    strings(w, k!("allowed"), guard.compartments.allowed.iter().map(String::as_str));
    w.end_object();
    w.end_object();
}

fn strings<'t>(w: &mut JsonWriter<'_>, name: &'static str, texts: impl Iterator<Item = &'t str>) {
    w.name(name);
    w.begin_array();
    texts.for_each(|text| w.str(text));
    w.end_array();
}

fn uuids(w: &mut JsonWriter<'_>, name: &'static str, uuids: &[Uuid]) {
    w.name(name);
    w.begin_array();
    uuids.iter().for_each(|uuid| w.uuid(*uuid));
    w.end_array();
}

fn compartments(name: &str, value: &Value) -> Result<Compartments, ReadError> {
    let mut compartments = Compartments::default();
    for (inner, value) in &members(name, value.clone())? {
        let place = format!("{name}.{inner}");
        match inner.as_str() {
            "taxonomies" => compartments.taxonomies = texts(&place, value)?,
            "allowed" => compartments.allowed = texts(&place, value)?,
            _ => return Err(field(&place, "There is no such member of a guard.")),
        }
    }
    Ok(compartments)
}

fn members(name: &str, value: Value) -> Result<Map<String, Value>, ReadError> {
    match value {
        Value::Object(map) => Ok(map),
        Value::Array(list) if list.is_empty() => Ok(Map::new()),
        _ => Err(field(name, "Expected an object.")),
    }
}

fn each<T>(
    name: &str,
    value: &Value,
    read: impl Fn(&Value) -> Result<T, String>,
) -> Result<Vec<T>, ReadError> {
    let Value::Array(list) = value else { return Err(field(name, "Expected a list.")) };
    if list.len() > MOST {
        return Err(field(name, "At most 1000 items."));
    }
    list.iter().map(|item| read(item).map_err(|message| field(name, &message))).collect()
}

fn texts(name: &str, value: &Value) -> Result<Vec<String>, ReadError> {
    each(name, value, |item| match item.as_str().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Ok(text.to_owned()),
        None => Err("Expected a list of texts.".to_owned()),
    })
}

fn tlp(name: &str, value: &Value) -> Result<Tlp, ReadError> {
    let text = value.as_str().unwrap_or_default().trim();
    let bare = text.get(..4).filter(|start| start.eq_ignore_ascii_case("tlp:")).map_or(text, |_| &text[4..]);
    Tlp::from_name(bare).ok_or_else(|| {
        let names: Vec<_> = Tlp::ALL.into_iter().map(Tlp::name).collect();
        field(name, &format!("Expected one of {}.", names.join(", ")))
    })
}

fn distribution(value: &Value) -> Result<Distribution, String> {
    let code = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    match code.and_then(Distribution::from_code) {
        Some(level) if level != Distribution::Inherit => Ok(level),
        _ => Err("Options: 0, 1, 2, 3, 4.".to_owned()),
    }
}

fn uuid(value: &Value) -> Result<Uuid, String> {
    let uuid = value.as_str().and_then(|text| parse_uuid(text.trim()));
    uuid.ok_or_else(|| "Expected the uuids of sharing groups.".to_owned())
}

fn kind(value: &Value) -> Result<AttributeType, String> {
    let name = value.as_str().unwrap_or_default().trim();
    AttributeType::parse(name).ok_or_else(|| format!("There is no attribute type {value}."))
}

fn category(value: &Value) -> Result<Category, String> {
    let name = value.as_str().unwrap_or_default().trim();
    Category::parse(name).ok_or_else(|| format!("There is no category {value}."))
}

fn field(name: &str, message: &str) -> ReadError {
    ReadError::Field { field: name.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"required_tags":["exchange:shared"],"blocked_tags":["internal:only"],"tlp_ceiling":"amber","untagged_tlp":"red","blocked_distributions":[2],"allowed_sharing_groups":["55555555-0000-4000-8000-000000000001"],"blocked_sharing_groups":["55555555-0000-4000-8000-000000000002"],"blocked_types":["email-src"],"blocked_categories":["Person"],"blocked_objects":["person"],"compartments":{"taxonomies":["compartment","circle"],"allowed":["compartment:peering"]}}"#;

    fn written(guard: &Guard) -> String {
        let mut out = Vec::new();
        write_guard(&mut JsonWriter::new(&mut out), guard);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_guard_is_read_as_it_is_written() {
        let guard = read_guard(WHOLE).unwrap();
        assert_eq!((guard.ceiling, guard.untagged), (Some(Tlp::Amber), Tlp::Red));
        assert_eq!(guard.blocked_distributions, [Distribution::Connected]);
        assert_eq!(guard.allowed_groups.as_ref().map(Vec::len), Some(1));
        assert_eq!(guard.blocked_types[0].name(), "email-src");
        assert_eq!(guard.compartments.allowed, ["compartment:peering"]);
        assert_eq!(written(&guard), WHOLE);
        for text in ["", "{}", "[]"] {
            assert_eq!(read_guard(text).unwrap(), Guard::default());
        }
        assert_eq!(read_guard(&written(&Guard::default())).unwrap(), Guard::default());
        assert_eq!(read_guard(r#"{"tlp_ceiling":"TLP:white"}"#).unwrap().ceiling, Some(Tlp::Clear));
    }

    #[test]
    fn a_mistake_in_a_guard_names_its_field() {
        for (text, name) in [
            (r#"{"tlp_celing":"green"}"#, "tlp_celing"),
            (r#"{"tlp_ceiling":"greenish"}"#, "tlp_ceiling"),
            (r#"{"untagged_tlp":null}"#, "untagged_tlp"),
            (r#"{"required_tags":"x"}"#, "required_tags"),
            (r#"{"blocked_tags":[""]}"#, "blocked_tags"),
            (r#"{"blocked_distributions":[5]}"#, "blocked_distributions"),
            (r#"{"blocked_types":["ip-dts"]}"#, "blocked_types"),
            (r#"{"blocked_categories":["Persons"]}"#, "blocked_categories"),
            (r#"{"allowed_sharing_groups":["7"]}"#, "allowed_sharing_groups"),
            (r#"{"compartments":{"allow":[]}}"#, "compartments.allow"),
            (r#"{"compartments":{"allowed":[1]}}"#, "compartments.allowed"),
            ("7", "guard"),
        ] {
            match read_guard(text) {
                Err(ReadError::Field { field, .. }) => assert_eq!(field, name, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(matches!(read_guard("{"), Err(ReadError::NotJson(_))));
        let many = format!(r#"{{"blocked_tags":[{}"x"]}}"#, "\"x\",".repeat(MOST));
        assert!(matches!(read_guard(&many), Err(ReadError::Field { .. })));
    }
}
