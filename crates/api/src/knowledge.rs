//! `/galaxies/…` and `/objectTemplates/…`: what is known, to be looked up.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::galaxies::{cluster_columns, galaxy_columns};
use crate::reply::{document, flag_member, list, member, number_member, saved, spaced};
use crate::request::{Request, text};
use pisax_formats::knowledge::{Package, stored};
use pisax_model::ids::Ref;
use pisax_model::knowledge::{ObjectTemplate, TemplateElement};
use pisax_store::clusters::ClusterRow;
use pisax_store::knowledge::{GalaxyRow, TemplateRow};
use pisax_wire::JsonWriter;

const NO_GALAXY: &str = "Invalid galaxy";
const NO_TEMPLATE: &str = "Invalid object template";

/// What MISP does here is take in the libraries its own checkout came with. Ours come in by
/// `pisax knowledge import`; until then there is nothing that could be up to date.
pub(crate) fn known(request: &Request, package: Package) -> Result<(), Failure> {
    let counts = request.service.read(&request.actor, |r| Ok(r.knowledge_counts()?))?;
    let count = match package {
        Package::Taxonomies => counts.taxonomies,
        Package::Galaxies => counts.galaxies,
        Package::ObjectTemplates => counts.object_templates,
        Package::Warninglists => counts.warninglists,
    };
    if count > 0 {
        return Ok(());
    }
    let (name, package) = (package.name(), package.pypi());
    let reason =
        format!("No {name} are here yet. Load them with: pisax knowledge import (package {package})");
    Err(Failure::NotSaved { action: "update", model: "Library", reason, id: None })
}

// ---- Galaxies -----------------------------------------------------------------------------------------

fn write_galaxy(w: &mut JsonWriter<'_>, galaxy: &GalaxyRow) {
    w.begin_object();
    w.key("Galaxy");
    w.begin_object();
    galaxy_columns(w, galaxy);
    w.end_object();
    w.end_object();
}

/// GET /galaxies/index, POST /galaxies `{"value":…}`: all of them, or those whose name, namespace,
/// description or uuid says it.
pub(crate) fn galaxies(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Galaxy")?;
    let named = ["value", "searchall"].iter().find_map(|name| request.path.named(name)).map(spaced);
    let wanted = named.or_else(|| text(&sent, "value")).filter(|value| !value.trim().is_empty());
    let galaxies = request.service.read(&request.actor, |r| {
        Ok(match &wanted {
            Some(value) => r.galaxies_containing(value.trim())?,
            None => r.galaxies()?,
        })
    })?;
    Ok(list(&galaxies, write_galaxy))
}

/// GET /galaxies/view/{id|uuid}
pub(crate) fn galaxy(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, NO_GALAXY)?;
    let found = request.service.read(&request.actor, |r| {
        let Some(galaxy) = r.galaxy(reference)? else { return Ok(None) };
        let clusters = r.clusters(galaxy.id)?;
        Ok(Some((galaxy, clusters)))
    })?;
    let (galaxy, clusters) = found.ok_or(Failure::NotFound(NO_GALAXY))?;
    Ok(document(|w| {
        w.begin_object();
        w.key("Galaxy");
        w.begin_object();
        galaxy_columns(w, &galaxy);
        w.end_object();
        w.key("GalaxyCluster");
        w.begin_array();
        let mut element = 0;
        clusters.iter().for_each(|cluster| write_cluster(w, cluster, &galaxy.kind, &mut element));
        w.end_array();
        w.end_object();
    }))
}

/// A cluster with its elements, which are numbered through the answer: they are no rows here.
fn write_cluster(w: &mut JsonWriter<'_>, cluster: &ClusterRow, kind: &str, element: &mut i64) {
    w.begin_object();
    cluster_columns(w, cluster, kind);
    write_elements(w, cluster, element);
    w.end_object();
}

/// `"GalaxyElement":[…]`
pub(crate) fn write_elements(w: &mut JsonWriter<'_>, cluster: &ClusterRow, element: &mut i64) {
    w.key("GalaxyElement");
    w.begin_array();
    for (key, values) in stored::read_meta(&cluster.meta) {
        for value in values {
            *element += 1;
            w.begin_object();
            number_member(w, "id", *element);
            number_member(w, "galaxy_cluster_id", cluster.id);
            member(w, "key", &key);
            member(w, "value", &value);
            w.end_object();
        }
    }
    w.end_array();
}

/// POST /galaxies/update
pub(crate) fn update_galaxies(request: &Request) -> Result<Answer, Failure> {
    known(request, Package::Galaxies)?;
    Ok(saved(request, "Galaxies updated."))
}

// ---- Object templates ---------------------------------------------------------------------------------

fn write_texts(w: &mut JsonWriter<'_>, key: &str, texts: &[String]) {
    w.key(key);
    w.begin_array();
    texts.iter().for_each(|text| w.str(text));
    w.end_array();
}

fn write_template(w: &mut JsonWriter<'_>, row: &TemplateRow, template: Option<&ObjectTemplate>) {
    w.begin_object();
    number_member(w, "id", row.id);
    number_member(w, "user_id", 0);
    number_member(w, "org_id", 0);
    w.key("uuid");
    w.uuid(row.uuid);
    member(w, "name", &row.name);
    member(w, "meta-category", &row.meta_category);
    member(w, "description", &row.description);
    number_member(w, "version", row.version);
    w.key("requirements");
    w.begin_object();
    let lists = template.map(|t| [("required", &t.required), ("requiredOneOf", &t.required_one_of)]);
    for (key, texts) in lists.into_iter().flatten().filter(|(_, texts)| !texts.is_empty()) {
        write_texts(w, key, texts);
    }
    w.end_object();
    flag_member(w, "fixed", template.is_some_and(|t| t.fixed));
    flag_member(w, "active", row.active);
    w.end_object();
}

fn write_element(w: &mut JsonWriter<'_>, number: usize, template_id: i64, element: &TemplateElement) {
    w.begin_object();
    number_member(w, "id", number as i64);
    number_member(w, "object_template_id", template_id);
    member(w, "object_relation", &element.object_relation);
    member(w, "type", &element.kind);
    number_member(w, "ui-priority", element.ui_priority);
    write_texts(w, "categories", &element.categories);
    write_texts(w, "sane_default", &element.sane_default);
    write_texts(w, "values_list", &element.values_list);
    member(w, "description", &element.description);
    flag_member(w, "disable_correlation", element.disable_correlation);
    flag_member(w, "multiple", element.multiple);
    w.end_object();
}

/// GET /objectTemplates/index
pub(crate) fn templates(request: &Request) -> Result<Answer, Failure> {
    let rows = request.service.read(&request.actor, |r| Ok(r.templates()?))?;
    Ok(list(&rows, |w, row| {
        w.begin_object();
        w.key("ObjectTemplate");
        write_template(w, row, stored::read_template(&row.raw).ok().as_ref());
        w.end_object();
    }))
}

/// The template a path names by number, uuid or name.
fn find_template(request: &Request) -> Result<TemplateRow, Failure> {
    let name = spaced(request.path.arg(0).unwrap_or_default());
    let found = request.service.read(&request.actor, |r| {
        Ok(match Ref::parse(&name) {
            Some(Ref::Id(id)) => r.template_by_id(id)?,
            Some(Ref::Uuid(uuid)) => r.template(&uuid, None)?,
            None => r.template_named(&name)?,
        })
    })?;
    found.ok_or(Failure::NotFound(NO_TEMPLATE))
}

/// GET /objectTemplates/view/{id|uuid}
pub(crate) fn template(request: &Request) -> Result<Answer, Failure> {
    let row = find_template(request)?;
    let template = stored::read_template(&row.raw).map_err(Failure::Internal)?;
    Ok(document(|w| {
        w.begin_object();
        w.key("ObjectTemplate");
        write_template(w, &row, Some(&template));
        w.key("ObjectTemplateElement");
        w.begin_array();
        for (i, element) in template.elements.iter().enumerate() {
            write_element(w, i + 1, row.id, element);
        }
        w.end_array();
        w.end_object();
    }))
}

/// GET /objectTemplates/getRaw/{uuid|name}: the definition as it was published.
pub(crate) fn raw_template(request: &Request) -> Result<Answer, Failure> {
    Ok(Answer::json(find_template(request)?.raw.into_bytes()))
}

/// POST /objectTemplates/update: MISP answers the list of what it updated, which is empty here.
pub(crate) fn update_templates(request: &Request) -> Result<Answer, Failure> {
    known(request, Package::ObjectTemplates)?;
    Ok(Answer::json(b"[]".to_vec()))
}
