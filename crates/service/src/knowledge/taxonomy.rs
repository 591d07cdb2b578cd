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

/// Says whether the taxonomy stands out where tags are picked.
pub fn highlight(service: &Service, actor: &Actor, id: i64, highlighted: bool) -> Result<()> {
    rules::site_admin(actor)?;
    let known = service.write(actor, |w| Ok(w.highlight_taxonomy(id, highlighted)?))?;
    if known { Ok(()) } else { Err(Error::NotFound("taxonomy")) }
}

/// Takes in one taxonomy as a library publishes it (`machinetag.json`), unless what is here is as new; returns its
/// number. A new one is switched off.
pub fn import_one(service: &Service, actor: &Actor, text: &str) -> Result<i64> {
    rules::site_admin(actor)?;
    let read = stored::read_taxonomy(text).map_err(Error::Refused)?;
    if read.namespace.is_empty() || read.predicates.is_empty() {
        return Err(Error::Refused("A taxonomy has a namespace and predicates.".into()));
    }
    let body = stored::taxonomy_text(&read);
    service.write(actor, |w| {
        Ok(w.put_taxonomy(&read.namespace, &read.description, read.version, read.exclusive, &body)?.id)
    })
}

/// Removes a taxonomy; its tags stay.
pub fn delete(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    rules::site_admin(actor)?;
    let known = service.write(actor, |w| Ok(w.delete_taxonomy(id)?))?;
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

/// What a machine tag is of: namespace, predicate, and whether it has a value.
fn parts(name: &str) -> Option<(&str, &str, bool)> {
    let (namespace, rest) = name.trim().split_once(':')?;
    if namespace.is_empty() || rest.is_empty() {
        return None;
    }
    match rest.split_once('=') {
        Some((predicate, _)) => Some((namespace, predicate, true)),
        None => Some((namespace, rest, false)),
    }
}

/// What tags share that exclude each other: the predicate of those with values, the namespace of others.
fn family(name: &str) -> Option<String> {
    let (namespace, predicate, has_value) = parts(name)?;
    let family = if has_value { format!("{namespace}:{predicate}") } else { namespace.to_owned() };
    Some(family.to_lowercase())
}

/// Whether a tag may stand beside these on one element: an exclusive taxonomy, or an exclusive predicate, allows one.
/// `tlp:white` and `tlp:clear` are one meaning in two versions and may stand together.
pub(crate) fn allowed_beside(w: &mut Writer<'_>, name: &str, others: &[&str]) -> Result<bool> {
    let Some((namespace, predicate, _)) = parts(name) else { return Ok(true) };
    let own = family(name);
    let mut kin = others.iter().filter(|other| family(other) == own).peekable();
    if kin.peek().is_none() {
        return Ok(true);
    }
    let same_name =
        |row: &pisax_store::knowledge::TaxonomyRow| row.namespace.to_lowercase() == namespace.to_lowercase();
    let Some(row) = w.taxonomies()?.into_iter().find(same_name) else { return Ok(true) };
    if row.exclusive {
        let same = |a: &str| matches!(folded(a).as_str(), "tlp:white" | "tlp:clear");
        return Ok(same(name) && kin.all(|other| same(other)));
    }
    let (_, taxonomy) = taxonomy(w, row.id)?;
    let exclusive = |p: &pisax_model::knowledge::Predicate| {
        p.exclusive && p.value.to_lowercase() == predicate.to_lowercase()
    };
    Ok(!taxonomy.predicates.iter().any(exclusive))
}

/// The enabled taxonomies that every published event needs a tag of and of which none is among these.
pub(crate) fn missing_required(w: &mut Writer<'_>, tags: &[&str]) -> Result<Vec<String>> {
    let mut missing = w.taxonomies()?;
    missing.retain(|row| {
        let prefix = format!("{}:", row.namespace.to_lowercase());
        row.required && row.enabled && !tags.iter().any(|tag| folded(tag).starts_with(&prefix))
    });
    Ok(missing.into_iter().map(|row| row.namespace).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_exclude_each_other_share_predicate_or_namespace() {
        assert_eq!(family("tlp:red").as_deref(), Some("tlp"));
        assert_eq!(
            family("admiralty-scale:source-reliability=\"a\"").as_deref(),
            Some("admiralty-scale:source-reliability")
        );
        assert_eq!(family("plain"), None);
        assert_eq!(family(":x"), None);
    }
}
