//! `/userSettings/…`

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{document, list, member, number, number_member, saved};
use crate::request::{self, Request, text};
use pisax_model::FieldError;
use pisax_service::Error;
use pisax_service::user_setting::{self as service, Whose};
use pisax_store::user_settings::{UserSetting, UserSettingQuery};
use pisax_wire::JsonWriter;
use serde_json::Value;

const INVALID: &str = "Invalid user setting.";
const NO_SETTING: &str = "Invalid setting.";

fn write_columns(w: &mut JsonWriter<'_>, setting: &UserSetting) {
    w.begin_object();
    number_member(w, "id", setting.id);
    member(w, "setting", &setting.setting);
    w.key("value");
    w.raw(setting.value.as_bytes());
    number_member(w, "user_id", setting.user_id);
    number_member(w, "timestamp", setting.timestamp);
    w.end_object();
}

fn answer(setting: &UserSetting) -> Answer {
    document(|w| {
        w.begin_object();
        w.key("UserSetting");
        write_columns(w, setting);
        w.end_object();
    })
}

/// The object of `"UserSetting":…` beside a user; nothing where there are none.
pub(crate) fn beside_user(settings: &[UserSetting]) -> Vec<u8> {
    let mut out = Vec::new();
    if settings.is_empty() {
        return out;
    }
    let mut w = JsonWriter::new(&mut out);
    w.begin_object();
    for setting in settings {
        w.key(&setting.setting);
        w.raw(setting.value.as_bytes());
    }
    w.end_object();
    out
}

/// GET|POST /userSettings/index[/setting:…][/user_id:{all|me|org|id}]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("UserSetting")?;
    let named = |name: &str| request.path.named(name).map(str::to_owned).or_else(|| text(&sent, name));
    let whose = match named("user_id").as_deref() {
        None | Some("" | "all") => Whose::All,
        Some("me") => Whose::Mine,
        Some("org") => Whose::Organisation,
        Some(id) => Whose::User(id.trim().parse().unwrap_or(0)),
    };
    let settings = service::list(&request.service, &request.actor, whose, named("setting"))?;
    Ok(list(&settings, |w, setting| {
        w.begin_object();
        w.key("UserSetting");
        write_columns(w, setting);
        w.key("User");
        w.begin_object();
        number_member(w, "id", setting.user_id);
        member(w, "email", &setting.email);
        w.end_object();
        w.end_object();
    }))
}

/// GET /userSettings/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let found = service::view(&request.service, &request.actor, id).map_err(|e| missing(e, INVALID))?;
    Ok(answer(&found))
}

fn missing(error: Error, words: &'static str) -> Failure {
    match error {
        Error::NotFound(_) | Error::Forbidden => Failure::NotFound(words),
        other => other.into(),
    }
}

/// Whose setting is meant, and which: in the path or the body.
fn meant(request: &Request, sent: &Value) -> Result<(i64, Option<String>), Failure> {
    let user = request.path.arg(0).map(str::to_owned).or_else(|| text(sent, "user_id"));
    let user = match user.as_deref().map(str::trim) {
        None | Some("" | "me") => request.actor.user_id,
        Some(id) => id.parse().map_err(|_| Failure::NotFound("Invalid user"))?,
    };
    Ok((user, request.path.arg(1).map(str::to_owned).or_else(|| text(sent, "setting"))))
}

/// GET /userSettings/getSetting/{user}/{setting}, POST /userSettings/getSetting `{setting, user_id}`
pub(crate) fn get_setting(request: &Request) -> Result<Answer, Failure> {
    let (user, setting) = meant(request, &request.unwrapped("UserSetting")?)?;
    let setting = setting.ok_or_else(|| Failure::BadRequest("No setting name provided.".into()))?;
    if !service::known(&setting) {
        return Err(Failure::NotFound(NO_SETTING));
    }
    let found =
        service::get(&request.service, &request.actor, user, &setting).map_err(|e| missing(e, NO_SETTING))?;
    Ok(document(|w| write_columns(w, &found)))
}

/// The value as JSON text. A text is JSON itself: PyMISP sends one.
fn value(sent: &Value) -> Result<String, Failure> {
    match sent.get("value") {
        None | Some(Value::Null) => Ok("[]".into()),
        Some(Value::String(text)) if matches!(text.trim(), "" | "null") => Ok("[]".into()),
        Some(Value::String(text)) => {
            let read: Result<Value, _> = serde_json::from_str(text);
            let wrong = || Failure::Invalid {
                action: "add",
                model: "UserSetting",
                errors: vec![FieldError::new("value", "Invalid JSON.")],
                id: None,
            };
            Ok(read.map_err(|_| wrong())?.to_string())
        }
        Some(value) => Ok(value.to_string()),
    }
}

/// POST /userSettings/setSetting[/{user}/{setting}] `{setting, value, user_id}`
pub(crate) fn set_setting(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("UserSetting")?;
    let (user, setting) = meant(request, &sent)?;
    let setting = setting.unwrap_or_default();
    let set = service::set(&request.service, &request.actor, user, &setting, &value(&sent)?);
    Ok(answer(&refusing(set)?))
}

/// A setting that does not exist, or is not one's to set, is a wrong method to MISP.
fn refusing<T>(result: Result<T, Error>) -> Result<T, Failure> {
    match result {
        Err(Error::NotFound("setting")) => Err(Failure::NotAllowed(NO_SETTING.into())),
        Err(Error::Refused(reason)) => Err(Failure::NotAllowed(reason)),
        other => other.saving("add", "UserSetting"),
    }
}

/// POST /userSettings/delete[/{id}] `{setting, user_id}`
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("UserSetting")?;
    let which = match (request.path.arg(0), text(&sent, "setting")) {
        (Some(id), _) => {
            let id = id.parse().map_err(|_| Failure::BadRequest("Invalid ID passed.".into()))?;
            UserSettingQuery { id: Some(id), ..UserSettingQuery::default() }
        }
        (None, Some(setting)) => {
            let user = request::number(&sent, "user_id").unwrap_or(request.actor.user_id);
            service::named(user, &setting)
        }
        (None, None) => {
            return Err(Failure::BadRequest("No setting name to delete provided.".into()));
        }
    };
    let deleted = service::delete(&request.service, &request.actor, which);
    match deleted {
        Err(error @ (Error::NotFound("user setting" | "user") | Error::Forbidden)) => {
            Err(missing(error, INVALID))
        }
        other => {
            refusing(other)?;
            Ok(saved(request, "Setting deleted."))
        }
    }
}

/// POST /userSettings/setHomePage `{path}`
pub(crate) fn set_home_page(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("UserSetting")?;
    let path = text(&sent, "path").or_else(|| sent.as_str().map(str::to_owned)).unwrap_or_default();
    let local = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\n', '\r']);
    if !local {
        return Err(Failure::BadRequest("No path POSTed.".into()));
    }
    let value = serde_json::json!({ "path": path }).to_string();
    refusing(service::set(&request.service, &request.actor, request.actor.user_id, "homepage", &value))?;
    Ok(saved(request, &format!("Homepage set to {path}")))
}

/// POST /userSettings/eventIndexColumnToggle/{column}
pub(crate) fn toggle_column(request: &Request) -> Result<Answer, Failure> {
    const SETTING: &str = "event_index_hide_columns";
    let column = request.path.arg(0).ok_or(Failure::NotFound("Invalid column."))?;
    let stored = service::own(&request.service, &request.actor, SETTING)?;
    let stored = stored.and_then(|json| serde_json::from_str(&json).ok());
    let mut hidden: Vec<String> = stored.unwrap_or_default();
    match hidden.iter().position(|name| name == column) {
        Some(at) => drop(hidden.remove(at)),
        None => hidden.push(column.to_owned()),
    }
    let value = serde_json::json!(hidden).to_string();
    refusing(service::set(&request.service, &request.actor, request.actor.user_id, SETTING, &value))?;
    Ok(saved(request, "Column visibility switched"))
}
