//! `lists/<name>/list.json`. Entries go straight into one block of text: lists of a million are usual.

use super::json::{Bad, Fields, elements, header};
use pisax_model::knowledge::{ALL_TYPES, Entries, Warninglist, WarninglistCategory, WarninglistKind};
use serde_json::Value;

pub(super) fn read(bytes: &[u8]) -> Result<Warninglist, Bad> {
    let map = header(bytes, "list")?;
    let fields = Fields::new(&map, "");
    let kind = fields.required("type")?;
    let category = fields.text("category")?;
    let mut matching_attributes = fields.texts("matching_attributes")?;
    if matching_attributes.is_empty() {
        matching_attributes.push(ALL_TYPES.to_owned());
    }
    let mut list = Entries::default();
    let mut bad = None;
    elements(bytes, "list", &mut |index, value| {
        match value {
            Value::String(entry) => list.push(&entry),
            Value::Number(number) => list.push(&number.to_string()),
            _ => bad = Some(Bad::at(format!("list[{index}]"), "is no text")),
        }
        bad.is_none()
    })?;
    if let Some(bad) = bad {
        return Err(bad);
    }
    Ok(Warninglist {
        name: fields.required("name")?,
        kind: WarninglistKind::parse(&kind)
            .ok_or_else(|| Bad::at("type", format!("no such kind of list: {kind}")))?,
        version: fields.number("version")?.unwrap_or(0),
        description: fields.text("description")?,
        category: if category.is_empty() {
            WarninglistCategory::default()
        } else {
            WarninglistCategory::parse(&category)
                .ok_or_else(|| Bad::at("category", format!("no such category: {category}")))?
        },
        matching_attributes,
        list,
    })
}
