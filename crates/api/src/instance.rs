//! `/servers/…`: what this instance is, its settings, and what can be called.

use crate::answer::Answer;
use crate::compat::{MISP_VERSION, PYMISP_VERSION};
use crate::failure::{Failure, Saving};
use crate::reply::{document, flag_member, member, number_member, saved};
use crate::request::{Request, text};
use crate::routes::{self, Route};
use pisax_access::{Actor, Permission};
use pisax_model::user::Role;
use pisax_service::setting::{self, Setting, Value};
use pisax_service::{Error, Service};
use pisax_wire::JsonWriter;

/// GET /servers/getVersion
pub(crate) fn version(request: &Request) -> Result<Answer, Failure> {
    let actor = &request.actor;
    Ok(document(|w| {
        w.begin_object();
        member(w, "version", MISP_VERSION);
        member(w, "pymisp_recommended_version", PYMISP_VERSION);
        for permission in
            [Permission::Sync, Permission::Sighting, Permission::GalaxyEditor, Permission::AnalystData]
        {
            flag_member(w, permission.name(), actor.has(permission));
        }
        w.key("uuid");
        w.uuid(request.service.policy.instance_uuid);
        w.key("request_encoding");
        w.begin_array();
        w.str("gzip");
        w.end_array();
        flag_member(w, "filter_sightings", true);
        w.end_object();
    }))
}

/// GET /servers/getPyMISPVersion.json
pub(crate) fn pymisp_version(_: &Request) -> Result<Answer, Failure> {
    Ok(document(|w| {
        w.begin_object();
        member(w, "version", PYMISP_VERSION);
        w.end_object();
    }))
}

/// POST /servers/update: MISP updates its own checkout; PISAX is replaced as a whole by whoever runs it.
pub(crate) fn update(_: &Request) -> Result<Answer, Failure> {
    Ok(Answer::json(br#"{"results":[]}"#.to_vec()))
}

// ---- Settings -----------------------------------------------------------------------------------------

fn write_value(w: &mut JsonWriter<'_>, value: &Value) {
    match value {
        Value::Flag(flag) => w.bool(*flag),
        Value::Number(number) => w.int(*number),
        Value::Text(text) => w.str(text),
    }
}

fn write_setting(w: &mut JsonWriter<'_>, setting: &Setting, name: &str, service: &Service) {
    let value = setting.value(service);
    let (kind, test) = match value {
        Value::Flag(_) => ("boolean", "testBool"),
        Value::Number(_) => ("numeric", "testForNumeric"),
        Value::Text(_) => ("string", "testForEmpty"),
    };
    w.begin_object();
    w.key("level");
    w.int(setting.level as i64);
    member(w, "description", setting.description);
    w.key("value");
    write_value(w, &value);
    member(w, "test", test);
    member(w, "type", kind);
    flag_member(w, "null", true);
    member(w, name, setting.name);
    w.end_object();
}

/// GET /servers/getSetting/{name}
pub(crate) fn get_setting(request: &Request) -> Result<Answer, Failure> {
    let name = request.path.arg(0).unwrap_or_default();
    if let Some(answer) = crate::enrichment::get_setting(request, name)? {
        return Ok(answer);
    }
    let setting = setting::find(name).map_err(|_| Failure::NotFound("Setting is invalid."))?;
    Ok(document(|w| write_setting(w, setting, "name", &request.service)))
}

/// GET /servers/serverSettings: the settings that exist, without MISP's diagnostics of its own parts.
pub(crate) fn settings(request: &Request) -> Result<Answer, Failure> {
    let plugin = pisax_service::enrichment::Plugin::load(&request.service)?;
    Ok(document(|w| {
        w.begin_object();
        member(w, "version", MISP_VERSION);
        w.key("finalSettings");
        w.begin_array();
        setting::REGISTRY.iter().for_each(|s| write_setting(w, s, "setting", &request.service));
        crate::enrichment::write_settings(w, &plugin);
        w.end_array();
        w.key("workers");
        w.raw(b"{}");
        w.end_object();
    }))
}

/// POST /servers/serverSettingsEdit/{name} `{"value":…}`
pub(crate) fn edit_setting(request: &Request) -> Result<Answer, Failure> {
    let name = request.path.arg(0).unwrap_or_default();
    let sent = request.unwrapped("Server")?;
    let value = text(&sent, "value").or_else(|| request.path.arg(1).map(str::to_owned)).unwrap_or_default();
    match setting::edit(&request.service, &request.actor, name, &value) {
        Err(Error::NotFound(_)) => Err(Failure::NotSaved {
            action: "serverSettingsEdit",
            model: "Server",
            reason: format!("Setting {name} is invalid."),
            id: None,
        }),
        other => {
            other.saving("serverSettingsEdit", "Server")?;
            Ok(saved(request, "Field updated"))
        }
    }
}

// ---- What can be called -------------------------------------------------------------------------------

fn function(route: &Route) -> String {
    let prefix = if route.admin { "admin_" } else { "" };
    format!("{prefix}{}", route.action)
}

/// GET /events/queryACL/{printAllFunctionNames|findMissingFunctionNames|printRoleAccess}
pub(crate) fn query_acl(request: &Request) -> Result<Answer, Failure> {
    match request.path.arg(0).unwrap_or("findMissingFunctionNames") {
        "printAllFunctionNames" => Ok(document(write_functions)),
        // A route without a permission does not compile.
        "findMissingFunctionNames" => Ok(Answer::json(b"[]".to_vec())),
        "printRoleAccess" => {
            let roles = request.service.read(&request.actor, |r| Ok(r.roles()?))?;
            Ok(document(|w| write_role_access(w, &roles)))
        }
        _ => Err(Failure::NotFound("Invalid function requested.")),
    }
}

/// `{"events":["index",…],…}`
fn write_functions(w: &mut JsonWriter<'_>) {
    let mut controllers: Vec<&str> = routes::all().map(|route| route.controller).collect();
    controllers.sort_unstable();
    controllers.dedup();
    w.begin_object();
    for controller in controllers {
        let mut functions: Vec<String> =
            routes::all().filter(|route| route.controller == controller).map(function).collect();
        functions.sort_unstable();
        functions.dedup();
        w.key(controller);
        w.begin_array();
        functions.iter().for_each(|name| w.str(name));
        w.end_array();
    }
    w.end_object();
}

/// `[{"Role":{"id":…,"name":…},"urls":["/events/index",…]},…]`
fn write_role_access(w: &mut JsonWriter<'_>, roles: &[Role]) {
    w.begin_array();
    for role in roles {
        let actor = Actor {
            user_id: 0,
            org_id: 0,
            permissions: role.permissions,
            host_org: false,
            reason: None,
            origin: Default::default(),
        };
        let mut urls: Vec<String> = routes::all()
            .filter(|route| route.need.met(&actor, false))
            .map(|route| {
                format!("{}/{}/{}", if route.admin { "/admin" } else { "" }, route.controller, route.action)
            })
            .collect();
        urls.sort_unstable();
        urls.dedup();
        w.begin_object();
        w.key("Role");
        w.begin_object();
        number_member(w, "id", role.id);
        member(w, "name", &role.name);
        w.end_object();
        w.key("urls");
        w.begin_array();
        urls.iter().for_each(|url| w.str(url));
        w.end_array();
        w.end_object();
    }
    w.end_array();
}
