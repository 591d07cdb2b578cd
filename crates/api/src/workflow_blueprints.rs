//! `/workflowBlueprints/…`

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{document, flag_member, list, member, number_member, saved};
use crate::request::{Request, text};
use crate::workflows::{chosen_uuid, imported, json_text};
use pisax_service::workflow::blueprint::{self as service, BlueprintDraft};
use pisax_store::workflows::WorkflowBlueprint;
use pisax_wire::JsonWriter;
use serde_json::Value;

const MODEL: &str = "WorkflowBlueprint";
const INVALID: &str = "Invalid workflow blueprint";

fn draft(sent: &Value, action: &'static str) -> Result<BlueprintDraft, Failure> {
    Ok(BlueprintDraft {
        uuid: chosen_uuid(sent, action, MODEL)?,
        name: text(sent, "name"),
        description: text(sent, "description"),
        data: json_text(sent, "data"),
    })
}

fn write(w: &mut JsonWriter<'_>, blueprint: &WorkflowBlueprint) {
    w.begin_object();
    w.key(MODEL);
    w.begin_object();
    number_member(w, "id", blueprint.id);
    w.key("uuid");
    w.uuid(blueprint.uuid);
    member(w, "name", &blueprint.name);
    member(w, "description", &blueprint.description);
    number_member(w, "timestamp", blueprint.timestamp);
    flag_member(w, "default", blueprint.is_default);
    w.key("data");
    w.raw(blueprint.data.as_bytes());
    w.end_object();
    w.end_object();
}

fn one(blueprint: &WorkflowBlueprint) -> Answer {
    document(|w| write(w, blueprint))
}

/// GET /workflowBlueprints/index
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    Ok(list(&service::list(&request.service, &request.actor)?, write))
}

/// GET /workflowBlueprints/view/{id|uuid}, and `export`, which `import` takes.
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    Ok(one(&service::view(&request.service, &request.actor, request.reference(0, INVALID)?)?))
}

/// POST /workflowBlueprints/add `{name, description, data}`
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let draft = draft(&request.unwrapped(MODEL)?, "add")?;
    Ok(one(&service::add(&request.service, &request.actor, draft).saving("add", MODEL)?))
}

/// POST /workflowBlueprints/import `{"WorkflowBlueprint": {"json": …}}`, or what `export` gave.
pub(crate) fn import(request: &Request) -> Result<Answer, Failure> {
    let sent = imported(request, MODEL)?;
    let draft = draft(&sent, "import")?;
    Ok(one(&service::add(&request.service, &request.actor, draft).saving("import", MODEL)?))
}

/// POST /workflowBlueprints/edit/{id|uuid}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let draft = BlueprintDraft { uuid: None, ..draft(&request.unwrapped(MODEL)?, "edit")? };
    Ok(one(&service::edit(&request.service, &request.actor, reference, draft).saving("edit", MODEL)?))
}

/// POST /workflowBlueprints/delete/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(saved(request, "WorkflowBlueprint deleted."))
}

/// POST /workflowBlueprints/update: there is no library of blueprints here, as in a MISP without its submodule.
pub(crate) fn update(_: &Request) -> Result<Answer, Failure> {
    Err(Failure::NotFound("Default blueprints could not be loaded: there is no library of them here."))
}
