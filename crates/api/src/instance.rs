//! `/servers/…`: what this instance is, and what can be called.

use crate::answer::Answer;
use crate::compat::{MISP_VERSION, PYMISP_VERSION};
use crate::failure::Failure;
use crate::reply::{document, flag_member, member, number_member};
use crate::request::Request;
use crate::routes::{self, Route};
use pisax_access::{Actor, Permission};
use pisax_model::user::Role;
use pisax_share::peer::{NATIVE, NATIVE_VERSION};
use pisax_wire::JsonWriter;

/// GET /servers/getVersion
pub(crate) fn version(request: &Request) -> Result<Answer, Failure> {
    let actor = &request.actor;
    let answer = document(|w| {
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
        w.str("br");
        w.end_array();
        flag_member(w, "filter_sightings", true);
        w.end_object();
    });
    // A MISP's answer has these members and no others; another PISAX looks at the header.
    Ok(if actor.has(Permission::Sync) && request.service.settings().native_sync {
        answer.header(NATIVE, NATIVE_VERSION)
    } else {
        answer
    })
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
        let mut urls: Vec<String> =
            routes::all().filter(|route| route.need.met(&actor, false)).map(Route::url).collect();
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
