//! `/taxonomies/…`

use crate::answer::Answer;
use crate::failure::Failure;
use crate::knowledge::known;
use crate::reply::{document, flag_member, member, number, number_member, saved, spaced};
use crate::request::{Request, flag, texts};
use pisax_formats::knowledge::{Package, stored};
use pisax_service::knowledge::{self as service, Library};
use pisax_store::knowledge::TaxonomyRow;
use pisax_store::tags::{CountedTag, folded};
use pisax_wire::JsonWriter;
use pisax_wire::tag_out::write_saved_tag;
use rustc_hash::FxHashMap;

const INVALID: &str = "Invalid taxonomy";

fn write_row(w: &mut JsonWriter<'_>, row: &TaxonomyRow) {
    w.key("Taxonomy");
    w.begin_object();
    number_member(w, "id", row.id);
    member(w, "namespace", &row.namespace);
    member(w, "description", &row.description);
    number_member(w, "version", row.version);
    flag_member(w, "enabled", row.enabled);
    flag_member(w, "exclusive", row.exclusive);
    flag_member(w, "required", row.required);
    flag_member(w, "highlighted", row.highlighted);
    w.end_object();
}

/// GET /taxonomies/index, with how many tags each stands for and how many of them exist
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let (rows, known) = request.service.read(&request.actor, |r| {
        let mut rows: Vec<(TaxonomyRow, Vec<String>)> = Vec::new();
        r.each_taxonomy(|mut row| {
            let body = std::mem::take(&mut row.body);
            let tags = stored::read_taxonomy(&body).map(|t| t.tags().map(|tag| folded(&tag.name)).collect());
            rows.push((row, tags.unwrap_or_default()));
            Ok(())
        })?;
        let known = r.tags_named(rows.iter().flat_map(|(_, names)| names).map(String::as_str))?;
        Ok((rows, known))
    })?;
    Ok(document(|w| {
        w.begin_array();
        for (row, names) in &rows {
            w.begin_object();
            write_row(w, row);
            w.key("total_count");
            w.int(names.len() as i64);
            w.key("current_count");
            w.int(names.iter().filter(|name| known.contains_key(*name)).count() as i64);
            w.end_object();
        }
        w.end_array();
    }))
}

/// GET /taxonomies/view/{id|namespace}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    viewed(request, &spaced(request.path.arg(0).unwrap_or_default()))
}

fn viewed(request: &Request, name: &str) -> Result<Answer, Failure> {
    let found = request.service.read(&request.actor, |r| {
        let row = match name.parse() {
            Ok(id) => r.taxonomy(id)?,
            Err(_) => r.taxonomy_of(name)?,
        };
        let Some(row) = row else { return Ok(None) };
        let tags = r.tags(Some(&format!("{}:", row.namespace)))?;
        Ok(Some((row, tags)))
    })?;
    let (row, tags) = found.ok_or(Failure::NotFound(INVALID))?;
    let taxonomy = stored::read_taxonomy(&row.body).map_err(Failure::Internal)?;
    let tags: FxHashMap<String, &CountedTag> = tags.iter().map(|t| (folded(&t.tag.name), t)).collect();
    Ok(document(|w| {
        w.begin_object();
        write_row(w, &row);
        w.key("entries");
        w.begin_array();
        for entry in taxonomy.tags() {
            let known = tags.get(&folded(&entry.name));
            w.begin_object();
            member(w, "tag", &entry.name);
            member(w, "expanded", &entry.expanded);
            member(w, "description", entry.description);
            flag_member(w, "exclusive_predicate", entry.exclusive_predicate);
            if let Some(number) = entry.numerical_value {
                number_member(w, "numerical_value", number);
            }
            w.key("existing_tag");
            match known {
                Some(known) => write_saved_tag(w, &known.tag),
                None => w.bool(false),
            }
            w.key("events");
            w.int(known.map_or(0, |k| k.events));
            w.key("attributes");
            w.int(known.map_or(0, |k| k.attributes));
            w.end_object();
        }
        w.end_array();
        w.end_object();
    }))
}

/// GET /taxonomies/export/{id|namespace}: as the library publishes it.
pub(crate) fn export(request: &Request) -> Result<Answer, Failure> {
    let name = spaced(request.path.arg(0).unwrap_or_default());
    let row = request.service.read(&request.actor, |r| {
        Ok(match name.parse() {
            Ok(id) => r.taxonomy(id)?,
            Err(_) => r.taxonomy_of(&name)?,
        })
    })?;
    Ok(Answer::json(row.ok_or(Failure::NotFound("Taxonomy not found."))?.body.into_bytes()))
}

/// POST /taxonomies/import: one taxonomy as `export` gives it.
pub(crate) fn import(request: &Request) -> Result<Answer, Failure> {
    let refused = |reason| Failure::NotSaved { action: "import", model: "Taxonomy", reason, id: None };
    let text = std::str::from_utf8(&request.body).map_err(|_| Failure::BadJson)?;
    match service::import_one(&request.service, &request.actor, text) {
        Ok(id) => viewed(request, &id.to_string()),
        Err(pisax_service::Error::Refused(reason)) => Err(refused(reason)),
        Err(e) => Err(e.into()),
    }
}

/// POST /taxonomies/toggleHighlighted/{id} `{"Taxonomy":{"highlighted":…}}`
pub(crate) fn highlight(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let highlighted = flag(&request.unwrapped("Taxonomy")?, "highlighted").unwrap_or(false);
    service::highlight(&request.service, &request.actor, id, highlighted).map_err(|e| missing(e, INVALID))?;
    Ok(saved(request, "Taxonomy toggleHighlighteded"))
}

/// POST /taxonomies/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    service::delete(&request.service, &request.actor, id).map_err(|e| missing(e, INVALID))?;
    Ok(saved(request, "Taxonomy successfully deleted."))
}

fn switch(request: &Request, on: bool) -> Result<(), Failure> {
    let id = number(request, 0, INVALID)?;
    service::enable(&request.service, &request.actor, Library::Taxonomies, id, on)
        .map_err(|e| missing(e, INVALID))
}

/// Knowledge that is not there, in MISP's words.
pub(crate) fn missing(error: pisax_service::Error, words: &'static str) -> Failure {
    match error {
        pisax_service::Error::NotFound(_) => Failure::NotFound(words),
        other => other.into(),
    }
}

/// POST /taxonomies/enable/{id}
pub(crate) fn enable(request: &Request) -> Result<Answer, Failure> {
    switch(request, true)?;
    Ok(saved(request, "Taxonomy enabled"))
}

/// POST /taxonomies/disable/{id}
pub(crate) fn disable(request: &Request) -> Result<Answer, Failure> {
    switch(request, false)?;
    Ok(saved(request, "Taxonomy disabled"))
}

/// The tags that `addTag` and `disableTag` are about; none named is all.
fn wanted(request: &Request) -> Result<Vec<String>, Failure> {
    let sent = request.unwrapped("Taxonomy")?;
    let list = sent.get("taxonomy_tags").is_some_and(serde_json::Value::is_array);
    Ok(if list { texts(&sent, "taxonomy_tags").unwrap_or_default() } else { Vec::new() })
}

/// POST /taxonomies/addTag/{id}
pub(crate) fn add_tags(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    service::add_tags(&request.service, &request.actor, id, &wanted(request)?)
        .map_err(|e| missing(e, INVALID))?;
    Ok(saved(request, "The tag(s) has been saved."))
}

/// POST /taxonomies/disableTag/{id}
pub(crate) fn hide_tags(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    service::hide_tags(&request.service, &request.actor, id, &wanted(request)?)
        .map_err(|e| missing(e, INVALID))?;
    Ok(saved(request, "The tag(s) has been hidden."))
}

/// POST /taxonomies/toggleRequired/{id} `{"Taxonomy":{"required":…}}`
pub(crate) fn require(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let required = flag(&request.unwrapped("Taxonomy")?, "required").unwrap_or(false);
    service::require(&request.service, &request.actor, id, required).map_err(|e| missing(e, INVALID))?;
    // MISP puts its past tense on every verb.
    Ok(saved(request, "Taxonomy toggleRequireded"))
}

/// POST /taxonomies/update
pub(crate) fn update(request: &Request) -> Result<Answer, Failure> {
    known(request, Package::Taxonomies)?;
    Ok(saved(request, "All taxonomy libraries are up to date already."))
}
