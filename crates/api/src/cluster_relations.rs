//! `/galaxy_cluster_relations/…`: arrows that were made here. Those of libraries stand in their clusters.

use crate::answer::Answer;
use crate::cluster_out::{relation_columns, relation_tags};
use crate::failure::Failure;
use crate::reply::{document, list, number, saved, spaced};
use crate::request::{Request, text};
use pisax_service::{Error, cluster::relation as service};
use pisax_store::cluster_relations::RelationRow;
use pisax_wire::JsonWriter;

const NO_RELATION: &str = "Invalid cluster relation";
/// Relations in one answer, unless fewer are asked for.
const MOST: i64 = 10_000;

fn failed(action: &'static str) -> impl Fn(Error) -> Failure {
    move |error| match error {
        Error::Refused(reason) => {
            Failure::NotSaved { action, model: "GalaxyClusterRelation", reason, id: None }
        }
        Error::Invalid(errors) => {
            Failure::Invalid { action, model: "GalaxyClusterRelation", errors, id: None }
        }
        Error::NotFound("relation") => Failure::NotFound(NO_RELATION),
        other => crate::clusters::refused(action)(other),
    }
}

fn write(w: &mut JsonWriter<'_>, relation: &RelationRow) {
    w.begin_object();
    w.key("GalaxyClusterRelation");
    w.begin_object();
    relation_columns(w, relation);
    w.end_object();
    relation_tags(w, &relation.tags);
    w.end_object();
}

/// GET /galaxy_cluster_relations/index[/searchall:…/limit:…/page:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("GalaxyClusterRelation")?;
    let said = |name: &str| request.path.named(name).map(spaced).or_else(|| text(&sent, name));
    let number = |name: &str| said(name).and_then(|n| n.parse::<i64>().ok()).filter(|n| *n > 0);
    let limit = number("limit").unwrap_or(MOST).min(MOST);
    let skip = (number("page").unwrap_or(1) - 1).saturating_mul(limit);
    if said("context").as_deref() == Some("default") {
        return Ok(list(&[], write));
    }
    let search = said("searchall").filter(|s| !s.trim().is_empty());
    let found = request
        .service
        .read(&request.actor, |r| Ok(r.cluster_relations(search.as_deref(), limit, skip)?))?;
    Ok(list(&found, write))
}

/// GET /galaxy_cluster_relations/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    viewed(request, number(request, 0, NO_RELATION)?)
}

fn viewed(request: &Request, id: i64) -> Result<Answer, Failure> {
    let found = request.service.read(&request.actor, |r| Ok(r.cluster_relation(id)?))?;
    let relation = found.ok_or(Failure::NotFound(NO_RELATION))?;
    Ok(document(|w| write(w, &relation)))
}

/// POST /galaxy_cluster_relations/add
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let draft = pisax_wire::read_relation(&request.body)?;
    service::add(&request.service, &request.actor, &draft).map_err(failed("add"))?;
    Ok(saved(request, "Relationship added."))
}

/// POST /galaxy_cluster_relations/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, NO_RELATION)?;
    let draft = pisax_wire::read_relation(&request.body)?;
    service::edit(&request.service, &request.actor, id, &draft).map_err(failed("edit"))?;
    Ok(saved(request, "Relationship added."))
}

/// POST /galaxy_cluster_relations/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, "Relation not found.")?;
    service::remove(&request.service, &request.actor, id).map_err(failed("delete"))?;
    Ok(saved(request, "GalaxyClusterRelation deleted"))
}
