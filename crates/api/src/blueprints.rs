//! `/sharing_group_blueprints/…`

use crate::answer::Answer;
use crate::event_writer::org_summary;
use crate::failure::{Failure, Saving};
use crate::reply::{document, list, member, number_member, saved};
use crate::request::{Request, text};
use pisax_model::ids::Ref;
use pisax_service::blueprint as service;
use pisax_store::blueprints::Blueprint;
use pisax_wire::JsonWriter;
use pisax_wire::admin_out::write_org;
use serde_json::Value;

const INVALID: &str = "Invalid Sharing Group Blueprint";

fn write_columns(w: &mut JsonWriter<'_>, blueprint: &Blueprint) {
    w.begin_object();
    number_member(w, "id", blueprint.id);
    w.key("uuid");
    w.uuid(blueprint.uuid);
    member(w, "name", &blueprint.name);
    number_member(w, "timestamp", blueprint.timestamp);
    number_member(w, "user_id", blueprint.user_id);
    number_member(w, "org_id", blueprint.org_id);
    number_member(w, "sharing_group_id", blueprint.sharing_group_id);
    member(w, "rules", &blueprint.rules);
    w.end_object();
}

fn write(w: &mut JsonWriter<'_>, blueprint: &Blueprint) {
    w.begin_object();
    w.key("SharingGroupBlueprint");
    write_columns(w, blueprint);
    w.end_object();
}

/// The rules: JSON, or a text that holds it.
fn rules(sent: &Value) -> Option<String> {
    match sent.get("rules")? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        rules => Some(rules.to_string()),
    }
}

/// GET /sharing_group_blueprints/index
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    Ok(list(&service::list(&request.service, &request.actor)?, write))
}

/// GET /sharing_group_blueprints/view/{id|uuid}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let blueprint = service::view(&request.service, &request.actor, reference)?;
    let (names, group) = request.service.read(&request.actor, |r| {
        Ok((r.org_names(&[blueprint.org_id])?, r.sharing_group(Ref::Id(blueprint.sharing_group_id))?))
    })?;
    Ok(document(|w| {
        w.begin_object();
        w.key("SharingGroupBlueprint");
        write_columns(w, &blueprint);
        let org = org_summary(&names, blueprint.org_id);
        w.key("Organisation");
        w.begin_object();
        number_member(w, "id", org.id);
        member(w, "name", org.name);
        w.key("uuid");
        w.uuid(org.uuid);
        w.end_object();
        w.key("SharingGroup");
        w.begin_object();
        if let Some(group) = &group {
            number_member(w, "id", group.id);
            member(w, "name", &group.name);
        }
        w.end_object();
        w.end_object();
    }))
}

/// POST /sharing_group_blueprints/add `{name, rules}`
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("SharingGroupBlueprint")?;
    let (name, rules) = (text(&sent, "name").unwrap_or_default(), rules(&sent).unwrap_or_default());
    let added = service::add(&request.service, &request.actor, &name, &rules);
    let blueprint = added.saving("add", "SharingGroupBlueprint")?;
    Ok(document(|w| write(w, &blueprint)))
}

/// POST /sharing_group_blueprints/edit/{id|uuid}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let sent = request.unwrapped("SharingGroupBlueprint")?;
    let (name, rules) = (text(&sent, "name"), rules(&sent));
    let edited =
        service::edit(&request.service, &request.actor, reference, name.as_deref(), rules.as_deref());
    let blueprint = edited.saving("edit", "SharingGroupBlueprint")?;
    Ok(document(|w| write(w, &blueprint)))
}

/// POST /sharing_group_blueprints/delete/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(saved(request, "SharingGroupBlueprint deleted."))
}

/// POST /sharing_group_blueprints/detach/{id|uuid}
pub(crate) fn detach(request: &Request) -> Result<Answer, Failure> {
    service::detach(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(saved(request, "Sharing group detached."))
}

/// GET /sharing_group_blueprints/viewOrgs/{id|uuid}
pub(crate) fn view_orgs(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let orgs = service::orgs(&request.service, &request.actor, reference)?;
    Ok(list(&orgs, |w, org| write_org(w, org, None)))
}

/// GET /sharing_group_blueprints/generateUuidList/{id|uuid}
pub(crate) fn uuids(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let orgs = service::orgs(&request.service, &request.actor, reference)?;
    Ok(list(&orgs, |w, org| w.uuid(org.uuid)))
}

/// POST /sharing_group_blueprints/execute[/{id|uuid}]
pub(crate) fn execute(request: &Request) -> Result<Answer, Failure> {
    let reference = match request.path.arg(0) {
        None => None,
        Some(text) => Some(Ref::parse(text).ok_or(Failure::NotFound("No valid blueprints found."))?),
    };
    let done = service::execute(&request.service, &request.actor, reference)?;
    let words = format!(
        "Done, {} sharing group blueprint(s) matched. Sharing group changes: Created: {}. Updated: {}. \
         Failed to create: {}.",
        done.matched, done.created, done.changed, done.failed
    );
    if done.created + done.changed > 0 {
        return Ok(saved(request, &words));
    }
    let (action, model) = ("execute", "SharingGroupBlueprints");
    Err(Failure::NotSaved { action, model, reason: words, id: None })
}
