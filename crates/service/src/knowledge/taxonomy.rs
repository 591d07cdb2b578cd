//! The tags of a taxonomy: made all at once, or hidden.

use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
use pisax_formats::knowledge::stored;
use pisax_model::knowledge::Taxonomy;
use pisax_model::tag::{Tag, colour_of};
use pisax_store::tags::folded;
use pisax_store::{Error as StoreError, Writer};

/// Says whether every published event must carry a tag of the taxonomy.
pub fn require(service: &Service, actor: &Actor, id: i64, required: bool) -> Result<()> {
    rules::site_admin(actor)?;
    let known = service.write(actor, |w| Ok(w.require_taxonomy(id, required)?))?;
    if known { Ok(()) } else { Err(Error::NotFound("taxonomy")) }
}

/// Makes the taxonomy's tags (those of these names, or all), in its colours, and shows hidden ones again.
pub fn add_tags(service: &Service, actor: &Actor, id: i64, names: &[String]) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let (enabled, taxonomy) = taxonomy(w, id)?;
        if !enabled {
            return Err(Error::Refused(format!("The taxonomy {} is not enabled.", taxonomy.namespace)));
        }
        let known = w.tags_named(
            wanted(&taxonomy, names).map(|t| t.name.clone()).collect::<Vec<_>>().iter().map(String::as_str),
        )?;
        for tag in wanted(&taxonomy, names) {
            match known.get(&folded(&tag.name)) {
                Some(known) if known.hide_tag => w.edit_tag(&Tag { hide_tag: false, ..known.clone() })?,
                Some(_) => {}
                None => {
                    w.add_tag(&new_tag(&tag))?;
                }
            }
        }
        Ok(())
    })
}

/// Hides the taxonomy's tags (those of these names, or all) from pickers; they stay where they are attached.
pub fn hide_tags(service: &Service, actor: &Actor, id: i64, names: &[String]) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let (_, taxonomy) = taxonomy(w, id)?;
        let names: Vec<String> = wanted(&taxonomy, names).map(|t| t.name).collect();
        for tag in w.tags_named(names.iter().map(String::as_str))?.into_values() {
            w.edit_tag(&Tag { hide_tag: true, ..tag })?;
        }
        Ok(())
    })
}

type TaxonomyTag<'a> = pisax_model::knowledge::TaxonomyTag<'a>;

fn wanted<'a>(taxonomy: &'a Taxonomy, names: &'a [String]) -> impl Iterator<Item = TaxonomyTag<'a>> {
    taxonomy
        .tags()
        .filter(|tag| names.is_empty() || names.iter().any(|name| folded(name) == folded(&tag.name)))
}

fn new_tag(tag: &TaxonomyTag<'_>) -> Tag {
    Tag {
        id: 0,
        name: tag.name.clone(),
        colour: tag.colour.map_or_else(|| colour_of(&tag.name), str::to_owned),
        exportable: true,
        org_id: 0,
        user_id: 0,
        hide_tag: false,
        numerical_value: tag.numerical_value,
        is_galaxy: false,
        is_custom_galaxy: false,
        local_only: false,
    }
}

fn taxonomy(w: &mut Writer<'_>, id: i64) -> Result<(bool, Taxonomy)> {
    let row = w.taxonomy(id)?.ok_or(Error::NotFound("taxonomy"))?;
    let taxonomy = stored::read_taxonomy(&row.body).map_err(|_| StoreError::Damaged("a taxonomy"))?;
    Ok((row.enabled, taxonomy))
}
