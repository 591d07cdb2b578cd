//! `/organisations/…` and `/admin/organisations/…`

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{document, list, saved, spaced};
use crate::request::{Request, text};
use pisax_model::ids::Ref;
use pisax_model::org::Org;
use pisax_service::org as service;
use pisax_store::Reader;
use pisax_wire::admin_out::{OrgFacts, write_org, write_viewed_org};

const INVALID: &str = "Invalid organisation";

/// The organisation a path names by number, uuid or name.
fn find(request: &Request) -> Result<Org, Failure> {
    let name = spaced(request.path.arg(0).unwrap_or_default());
    let found = request.service.read(&request.actor, |r| service::find(r, &name))?;
    found.ok_or(Failure::NotFound(INVALID))
}

/// Who made an organisation is for site admins.
fn maker(r: &mut Reader<'_>, org: &Org) -> Result<Option<String>, pisax_service::Error> {
    if !r.actor().sees_all() {
        return Ok(None);
    }
    Ok(r.user(org.created_by)?.map(|user| user.email))
}

/// GET /organisations/index[/scope:{local|external|all}][/searchall:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let sent = request.value()?;
    let named = |name: &str| request.path.named(name).map(spaced).or_else(|| text(&sent, name));
    let local = match named("scope").as_deref() {
        Some("all") => None,
        Some("external") => Some(false),
        _ => Some(true),
    };
    let search = named("searchall").or_else(|| named("quickFilter"));
    let (orgs, counts, makers) = request.service.read(&request.actor, |r| {
        let makers = if request.actor.sees_all() { r.users(None, None)? } else { Vec::new() };
        Ok((r.orgs(local, search.as_deref())?, r.org_user_counts()?, makers))
    })?;
    Ok(list(&orgs, |w, org| {
        let facts = OrgFacts {
            user_count: counts.get(&org.id).copied().unwrap_or(0),
            created_by_email: makers.iter().find(|user| user.id == org.created_by).map(|u| u.email.as_str()),
        };
        write_org(w, org, Some(facts));
    }))
}

/// GET|HEAD /organisations/view/{id|uuid|name}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let org = find(request)?;
    if request.is_head() {
        return Ok(Answer::exists());
    }
    let (user_count, maker) =
        request.service.read(&request.actor, |r| Ok((r.org_user_count(org.id)?, maker(r, &org)?)))?;
    let facts = OrgFacts { user_count, created_by_email: maker.as_deref() };
    Ok(document(|w| write_viewed_org(w, &org, facts)))
}

/// POST /admin/organisations/add
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let draft = pisax_wire::read_org(&request.body)?;
    let org = service::add(&request.service, &request.actor, draft).saving("add", "Organisation")?;
    Ok(document(|w| write_org(w, &org, None)))
}

/// POST /admin/organisations/edit/{id|uuid}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let draft = pisax_wire::read_org(&request.body)?;
    let org =
        service::edit(&request.service, &request.actor, reference, draft).saving("edit", "Organisation")?;
    Ok(document(|w| write_org(w, &org, None)))
}

/// POST /admin/organisations/delete/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    service::delete(&request.service, &request.actor, reference).saving("delete", "Organisation")?;
    Ok(saved(request, "Organisation deleted"))
}

/// GET /organisations/getUUIDs: of the local ones, for those who synchronise.
pub(crate) fn uuids(request: &Request) -> Result<Answer, Failure> {
    let orgs = request.service.read(&request.actor, |r| Ok(r.orgs(Some(true), None)?))?;
    Ok(list(&orgs, |w, org| w.uuid(org.uuid)))
}

/// POST /admin/organisations/merge/{id|uuid}[/{into}] `{targetId}`, or as MISP's form says it
/// `{targetType, orgsLocal, orgsExternal}`.
pub(crate) fn merge(request: &Request) -> Result<Answer, Failure> {
    let from = request.reference(0, INVALID)?;
    let sent = request.unwrapped("Organisation")?;
    let by_type = match text(&sent, "targetType").as_deref() {
        Some("1" | "external") => text(&sent, "orgsExternal"),
        Some(_) => text(&sent, "orgsLocal"),
        None => None,
    };
    let named = by_type
        .or_else(|| text(&sent, "targetId"))
        .or_else(|| text(&sent, "target_id"))
        .or_else(|| request.path.arg(1).map(str::to_owned));
    let into = named.as_deref().and_then(Ref::parse).ok_or(Failure::NotFound(INVALID))?;
    service::merge(&request.service, &request.actor, from, into)?;
    Ok(saved(request, "The organisation has been successfully merged."))
}
