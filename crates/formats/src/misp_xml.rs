//! MISP's own XML, which is its JSON in elements: read back into that JSON.

use crate::xml::{self, Element};
use serde_json::{Map, Value};

/// The JSON of an XML document as MISP exports it; what is wrong with it in words.
pub fn to_json(document: &[u8]) -> Result<Vec<u8>, String> {
    let text = std::str::from_utf8(document).map_err(|_| "The XML is not UTF-8.".to_owned())?;
    let root = xml::read(text.trim_start_matches('\u{feff}'))?;
    if !matches!(root.name.as_str(), "response" | "Event") {
        return Err("This is not a valid MISP XML file.".to_owned());
    }
    let mut whole = Map::new();
    let (name, value) = (root.name.clone(), value(root));
    whole.insert(name, value);
    serde_json::to_vec(&Value::Object(whole)).map_err(|_| "This is not a valid MISP XML file.".to_owned())
}

/// An element with others in it is a record, without it is a text; several of one name are a list.
fn value(element: Element) -> Value {
    if element.children.is_empty() {
        return Value::String(element.text);
    }
    let mut members = Map::new();
    for child in element.children {
        // A list of records that has none is an empty element.
        let record = child.name.starts_with(|c: char| c.is_ascii_uppercase());
        if record && child.children.is_empty() && child.text.trim().is_empty() {
            continue;
        }
        let (name, inner) = (child.name.clone(), value(child));
        match members.get_mut(&name) {
            None => {
                members.insert(name, inner);
            }
            Some(Value::Array(list)) => list.push(inner),
            Some(first) => {
                let list = vec![first.take(), inner];
                *first = Value::Array(list);
            }
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_become_members_and_repeated_ones_a_list() {
        let xml = "<?xml version=\"1.0\"?><response><Event><info>a &amp; b</info><Tag/><Attribute><value>1</value></Attribute>\
                   <Attribute><value>2</value></Attribute><Orgc><name>O</name></Orgc></Event></response>";
        let json = String::from_utf8(to_json(xml.as_bytes()).unwrap()).unwrap();
        assert_eq!(
            json,
            r#"{"response":{"Event":{"info":"a & b","Attribute":[{"value":"1"},{"value":"2"}],"Orgc":{"name":"O"}}}}"#
        );
    }

    #[test]
    fn what_is_no_export_is_refused() {
        for bad in [&b"<html/>"[..], b"<response>", b"", b"<!DOCTYPE a><response/>", b"\xff"] {
            assert!(to_json(bad).is_err());
        }
    }
}
