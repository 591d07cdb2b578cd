//! `/dashboards/…`: one's own dashboard is a setting of the user, those to choose from are kept apart.

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{document, flag_member, list, member, number_member, saved};
use crate::request::{self, Request, flag, text};
use pisax_model::fold::fold;
use pisax_model::ids::Ref;
use pisax_service::dashboard::{self as service, DashboardDraft};
use pisax_service::user_setting;
use pisax_store::dashboards::Dashboard;
use pisax_wire::JsonWriter;
use serde_json::Value;

const INVALID: &str = "Invalid dashboard template.";
const SETTING: &str = "dashboard";

/// Widgets as JSON: a list, or a text that holds one.
fn widgets(value: &Value) -> Result<String, Failure> {
    let value = match value {
        Value::String(text) => serde_json::from_str(text).map_err(|_| Failure::BadJson)?,
        value => value.clone(),
    };
    let right = value.as_array().is_some_and(|widgets| widgets.iter().all(|w| w.get("widget").is_some()));
    let wrong = "Expected a list of widgets.";
    if right { Ok(value.to_string()) } else { Err(Failure::BadRequest(wrong.into())) }
}

fn keep(request: &Request, widgets: &str) -> Result<Answer, Failure> {
    let user = request.actor.user_id;
    user_setting::set(&request.service, &request.actor, user, SETTING, widgets)
        .saving("updateSettings", "Dashboard")?;
    Ok(saved(request, "Settings updated."))
}

/// POST /dashboards/updateSettings `{"Dashboard":{"value":[…]}}`
pub(crate) fn update_settings(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Dashboard")?;
    let value = sent.get("value").ok_or_else(|| Failure::BadRequest("No setting data found.".into()))?;
    keep(request, &widgets(value)?)
}

/// GET /dashboards/export: one's dashboard.
pub(crate) fn export(request: &Request) -> Result<Answer, Failure> {
    let own = user_setting::own(&request.service, &request.actor, SETTING)?;
    Ok(document(|w| w.raw(own.as_deref().unwrap_or("[]").as_bytes())))
}

/// POST /dashboards/import: what `export` gave.
pub(crate) fn import(request: &Request) -> Result<Answer, Failure> {
    let sent = request.value()?;
    let inner = sent.pointer("/Dashboard/value").or_else(|| sent.pointer("/UserSetting/value"));
    keep(request, &widgets(inner.unwrap_or(&sent))?)
}

fn write(w: &mut JsonWriter<'_>, dashboard: &Dashboard) {
    w.begin_object();
    w.key("Dashboard");
    w.begin_object();
    number_member(w, "id", dashboard.id);
    w.key("uuid");
    w.uuid(dashboard.uuid);
    member(w, "name", &dashboard.name);
    member(w, "description", &dashboard.description);
    flag_member(w, "default", dashboard.is_default);
    flag_member(w, "selectable", dashboard.selectable);
    number_member(w, "user_id", dashboard.user_id);
    number_member(w, "restrict_to_org_id", dashboard.restrict_to_org_id);
    number_member(w, "restrict_to_role_id", dashboard.restrict_to_role_id);
    let flag = dashboard.restrict_to_permission_flag.as_str();
    member(w, "restrict_to_permission_flag", if flag.is_empty() { "0" } else { flag });
    w.key("value");
    w.raw(dashboard.value.as_bytes());
    number_member(w, "timestamp", dashboard.timestamp);
    w.end_object();
    w.end_object();
}

/// GET /dashboards/listTemplates[/value:…]
pub(crate) fn list_templates(request: &Request) -> Result<Answer, Failure> {
    let mut found = service::list(&request.service, &request.actor)?;
    if let Some(part) = request.path.named("value") {
        let part = fold(part.trim());
        found.retain(|d| {
            let texts = [fold(&d.name), fold(&d.description)];
            d.uuid.to_string() == *part || texts.iter().any(|text| text.contains(part.as_ref()))
        });
    }
    Ok(list(&found, write))
}

/// POST /dashboards/saveTemplate[/{id|uuid}] `{name, description, …}`
pub(crate) fn save_template(request: &Request) -> Result<Answer, Failure> {
    let update = match request.path.arg(0) {
        None => None,
        Some(text) => Some(Ref::parse(text).ok_or(Failure::NotFound(INVALID))?),
    };
    let sent = request.unwrapped("Dashboard")?;
    let value = match (sent.get("value"), update) {
        (Some(value), _) => Some(widgets(value)?),
        // A new one is one's own as it is.
        (None, None) => user_setting::own(&request.service, &request.actor, SETTING)?,
        (None, Some(_)) => None,
    };
    let draft = DashboardDraft {
        name: text(&sent, "name"),
        description: text(&sent, "description"),
        is_default: flag(&sent, "default"),
        selectable: flag(&sent, "selectable"),
        restrict_to_org_id: request::number(&sent, "restrict_to_org_id"),
        restrict_to_role_id: request::number(&sent, "restrict_to_role_id"),
        restrict_to_permission_flag: text(&sent, "restrict_to_permission_flag"),
        value,
    };
    service::save(&request.service, &request.actor, update, draft).saving("saveTemplate", "Dashboard")?;
    Ok(saved(request, "Dashboard template updated."))
}

/// POST /dashboards/deleteTemplate/{id|uuid}
pub(crate) fn delete_template(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(saved(request, "Dashboard template removed."))
}
