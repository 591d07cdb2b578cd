//! `/servers/serverSettings`, `getSetting`, `serverSettingsEdit`: what an administrator can change.

use crate::answer::Answer;
use crate::compat::MISP_VERSION;
use crate::diagnostics::{write_schema, write_sizes};
use crate::failure::{Failure, Saving};
use crate::jobs::write_workers;
use crate::reply::{document, flag_member, member, saved};
use crate::request::{Request, text};
use pisax_service::setting::{self, Setting, Value};
use pisax_service::{Error, Service};
use pisax_wire::JsonWriter;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long the publisher of this machine may take to answer.
const PROBE: Duration = Duration::from_millis(300);

fn write_value(w: &mut JsonWriter<'_>, value: &Value) {
    match value {
        Value::Flag(flag) => w.bool(*flag),
        Value::Number(number) => w.int(*number),
        Value::Text(text) => w.str(text),
    }
}

/// A setting in MISP's shape (196); `editable` is our own: MISP has no settings that are fixed at start.
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
    if setting.is_fixed() {
        flag_member(w, "editable", false);
    }
    member(w, name, setting.name);
    if name == "setting" {
        member(w, "tab", setting.tab());
        member(w, "subGroup", setting.sub_group());
    }
    w.end_object();
}

/// GET /servers/getSetting/{name}
pub(crate) fn get(request: &Request) -> Result<Answer, Failure> {
    let name = request.path.arg(0).unwrap_or_default();
    if let Some(answer) = crate::enrichment::get_setting(request, name)? {
        return Ok(answer);
    }
    let setting = setting::find(name).map_err(|_| Failure::NotFound("Setting is invalid."))?;
    Ok(document(|w| write_setting(w, setting, "name", &request.service)))
}

/// GET /servers/serverSettings[/{MISP|Security|Plugin|diagnostics|workers}]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let (schema, sizes, waiting) =
        request.service.read(&request.actor, |r| Ok((r.schema()?, r.table_sizes()?, r.waiting_jobs()?)))?;
    let tab = request.path.arg(0).filter(|tab| setting::all().any(|s| s.tab() == *tab));
    let zmq = zmq_status(&request.service);
    let modules = pisax_service::enrichment::Plugin::load(&request.service)?;
    Ok(document(|w| {
        w.begin_object();
        member(w, "version", MISP_VERSION);
        member(w, "gpgStatus", "OK");
        member(w, "proxyStatus", "not configured (so not tested)");
        w.key("zmqStatus");
        w.int(zmq);
        // MISP tells here of parts that PISAX does not consist of.
        for absent in
            ["phpSettings", "moduleStatus", "writeableDirs", "writeableFiles", "readableFiles", "extensions"]
        {
            w.key(absent);
            w.raw(b"{}");
        }
        w.key("dbDiagnostics");
        write_sizes(w, &sizes);
        w.key("dbSchemaDiagnostics");
        write_schema(w, &schema);
        w.key("dbConfiguration");
        w.raw(b"[]");
        w.key("redisInfo");
        w.begin_object();
        flag_member(w, "connection", false);
        w.end_object();
        w.key("finalSettings");
        w.begin_array();
        let shown = setting::all().filter(|s| tab.is_none_or(|tab| s.tab() == tab));
        shown.for_each(|s| write_setting(w, s, "setting", &request.service));
        if tab.is_none_or(|tab| tab == "Plugin") {
            crate::enrichment::write_settings(w, &modules);
        }
        w.end_array();
        w.key("workers");
        write_workers(w, &waiting);
        member(w, "backgroundJobsStatus", "Not configured (so not tested)");
        w.end_object();
    }))
}

/// MISP's numbers: 0 it publishes, 1 not enabled, 3 enabled and not there.
fn zmq_status(service: &Service) -> i64 {
    let zeromq = service.settings().zeromq;
    if !zeromq.enable {
        return 1;
    }
    let address = SocketAddr::new(zeromq.host, zeromq.port);
    if TcpStream::connect_timeout(&address, PROBE).is_ok() { 0 } else { 3 }
}

/// POST /servers/serverSettingsEdit/{name} `{"value":…}`
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let name = request.path.arg(0).unwrap_or_default();
    if request.is_read() {
        let setting = setting::find(name).map_err(|_| Failure::NotFound("Setting is invalid."))?;
        return Ok(document(|w| {
            w.begin_object();
            w.key(setting.name);
            write_value(w, &setting.value(&request.service));
            w.end_object();
        }));
    }
    let refused = |reason: String| Failure::NotSaved {
        action: "serverSettingsEdit",
        model: "Server",
        reason,
        id: None,
    };
    let sent = request.unwrapped("Server")?;
    if sent.get("value").is_some_and(|value| value.is_object() || value.is_array()) {
        return Err(refused(r#"Invalid input. Expected: {"value": "new_setting"}"#.into()));
    }
    let value = text(&sent, "value").or_else(|| request.path.arg(1).map(str::to_owned)).unwrap_or_default();
    match setting::edit(&request.service, &request.actor, name, &value) {
        Err(Error::NotFound(_)) => Err(refused(format!(
            "Setting {name} is invalid: nothing here heeds it. servers/serverSettings lists those that exist."
        ))),
        other => {
            other.saving("serverSettingsEdit", "Server")?;
            Ok(saved(request, "Field updated"))
        }
    }
}
