//! `machinetag.json`: predicates in one list, their entries in another.

use super::json::{Bad, Fields, object};
use pisax_model::knowledge::{Predicate, Taxonomy, TaxonomyEntry};
use std::collections::HashMap;

pub(super) fn read(bytes: &[u8]) -> Result<Taxonomy, Bad> {
    let map = object(bytes)?;
    let fields = Fields::new(&map, "");
    let mut predicates = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, value) in fields.list("predicates")? {
        let fields = Fields::of(value, &place)?;
        let predicate = Predicate {
            value: fields.required("value")?,
            expanded: fields.text("expanded")?,
            description: fields.text("description")?,
            colour: colour(&fields)?,
            exclusive: fields.flag("exclusive")?.unwrap_or(false),
            numerical_value: fields.number("numerical_value")?,
            entries: Vec::new(),
        };
        places.entry(predicate.value.clone()).or_insert(predicates.len());
        predicates.push(predicate);
    }
    for (place, value) in fields.list("values")? {
        let fields = Fields::of(value, &place)?;
        let name = fields.required("predicate")?;
        let predicate = *places
            .get(&name)
            .ok_or_else(|| Bad::at(fields.place("predicate"), format!("no such predicate: {name}")))?;
        for (place, value) in fields.list("entry")? {
            let fields = Fields::of(value, &place)?;
            predicates[predicate].entries.push(TaxonomyEntry {
                value: fields.required("value")?,
                expanded: fields.text("expanded")?,
                description: fields.text("description")?,
                colour: colour(&fields)?,
                numerical_value: fields.number("numerical_value")?,
            });
        }
    }
    Ok(Taxonomy {
        namespace: fields.required("namespace")?,
        description: fields.text("description")?,
        version: fields.number("version")?.unwrap_or(0),
        expanded: fields.text("expanded")?,
        exclusive: fields.flag("exclusive")?.unwrap_or(false),
        predicates,
    })
}

/// A colour that is none is left out: the tag gets one made from its name.
fn colour(fields: &Fields<'_>) -> Result<Option<String>, Bad> {
    let colour = fields.optional("colour")?;
    Ok(colour.map(|c| c.trim().to_ascii_lowercase()).filter(|c| {
        c.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
    }))
}
