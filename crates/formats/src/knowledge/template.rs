//! `objects/<name>/definition.json` and `relationships/definition.json`.

use super::json::{Bad, Fields, elements, object};
use pisax_model::knowledge::{ObjectTemplate, RelationshipType, TemplateElement};

pub(super) fn read(bytes: &[u8]) -> Result<ObjectTemplate, Bad> {
    let raw = std::str::from_utf8(bytes).map_err(|error| Bad::file(error.to_string()))?;
    let map = object(bytes)?;
    let fields = Fields::new(&map, "");
    let mut elements = Vec::new();
    for (relation, value) in fields.members("attributes")? {
        let place = format!("attributes.{relation}");
        let fields = Fields::of(value, &place)?;
        elements.push(TemplateElement {
            object_relation: relation.to_owned(),
            kind: fields.required("misp-attribute")?,
            ui_priority: fields.number("ui-priority")?.unwrap_or(0),
            categories: fields.texts("categories")?,
            sane_default: fields.texts("sane_default")?,
            values_list: fields.texts("values_list")?,
            description: fields.text("description")?,
            disable_correlation: fields.flag("disable_correlation")?.unwrap_or(false),
            multiple: fields.flag("multiple")?.unwrap_or(false),
            to_ids: fields.flag("to_ids")?,
            recommended: fields.flag("recommended")?,
        });
    }
    Ok(ObjectTemplate {
        uuid: fields.uuid("uuid")?,
        name: fields.required("name")?,
        meta_category: fields.text("meta-category")?,
        description: fields.text("description")?,
        version: fields.number("version")?.unwrap_or(0),
        fixed: fields.flag("fixed")?.unwrap_or(false),
        required: fields.texts("required")?,
        required_one_of: fields.texts("requiredOneOf")?,
        elements,
        raw: raw.to_owned(),
    })
}

pub(super) fn read_relationships(bytes: &[u8], take: &mut dyn FnMut(Result<RelationshipType, Bad>) -> bool) {
    let each = &mut |index, value| {
        let place = format!("values[{index}]");
        take(Fields::of(&value, &place).and_then(relationship))
    };
    if let Err(bad) = elements(bytes, "values", each) {
        take(Err(bad));
    }
}

fn relationship(fields: Fields<'_>) -> Result<RelationshipType, Bad> {
    Ok(RelationshipType {
        name: fields.required("name")?,
        description: fields.text("description")?,
        format: fields.texts("format")?,
        opposite: fields.optional("opposite")?.filter(|word| !word.is_empty()),
    })
}
