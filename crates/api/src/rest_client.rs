//! `/api/rest`, `/servers/rest`: a call on this instance that runs inside of it, as whoever asks, and is kept in his
//! history: `/rest_client_history/…`.
//!
//! MISP opens a connection to itself, or to any address where it is told so. Here the call goes through the same
//! table of routes without one: a path of this instance, the caller's own permissions, no other key.

use crate::answer::{Answer, Body, Sink, Stop};
use crate::failure::Failure;
use crate::path::Path;
use crate::reply::{document, flag_member, list, member, number, number_member, saved};
use crate::request::{Request, flag, text};
use crate::routes::{self, Need};
use crate::serve::wants_xml;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use pisax_service::rest_history as service;
use pisax_store::rest_history::RestCall;
use pisax_wire::JsonWriter;
use serde_json::Value;
use std::sync::Arc;

/// The longest answer that is passed on.
const ANSWER: usize = 8 << 20;
/// The longest body that is kept, as in MISP.
const KEPT_BODY: usize = 65_535;
const LONGEST_URL: usize = 2048;
const LONGEST_HEADERS: usize = 8192;
const LONGEST_NAME: usize = 255;
/// What stands in the history for a secret.
const KEY: &str = "YOUR_API_KEY";
const SECRET: &str = "*****";
/// Headers that name a person, and those that belong to a connection: none of them is passed on.
const OWN: [&str; 8] = [
    "authorization",
    "x-misp-auth",
    "cookie",
    "proxy-authorization",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
];
/// Members of bodies that nobody should read later.
const SECRETS: [&str; 8] = [
    "password",
    "confirm_password",
    "current_password",
    "authkey",
    "api_key",
    "apikey",
    "cert_file",
    "client_cert_file",
];

/// What is to be called.
struct Asked {
    method: Method,
    /// From the first slash on.
    target: String,
    headers: HeaderMap,
    body: String,
    show_result: bool,
    /// As it is kept; the outcome is still to come.
    kept: RestCall,
}

fn refuse(field: &str, message: &str) -> Failure {
    Failure::Unreadable { field: field.into(), message: message.into() }
}

/// POST /api/rest, /servers/rest `{url, method, header, body, show_result, bookmark, name}`
pub(crate) fn run(request: &Request) -> Result<Answer, Failure> {
    let mut asked = read(request)?;
    if asked.kept.bookmark {
        service::may_mark(&request.service, &request.actor)?;
    }
    let began = std::time::Instant::now();
    let answer = call(request, &asked)
        .unwrap_or_else(|failure| failure.answer(&asked.target, &request.service.policy.base_url));
    let took = began.elapsed();
    asked.kept.outcome = answer.status.as_u16().into();
    service::add(&request.service, &request.actor, &asked.kept)?;
    let url = format!("{}{}", request.service.policy.base_url, asked.target);
    Ok(document(|w| {
        w.begin_object();
        member(w, "duration", &format!("{:.2} ms", took.as_secs_f64() * 1000.0));
        member(w, "url", &url);
        w.key("code");
        w.int(answer.status.as_u16().into());
        w.key("headers");
        w.begin_object();
        for (name, value) in &answer.headers {
            member(w, name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
        }
        w.end_object();
        w.key("data");
        match (&answer.body, asked.show_result, answer.status.is_success()) {
            (Body::Whole(bytes), true, _) => write_text(w, bytes),
            (_, _, true) => w.str("Success."),
            (_, _, false) => w.str("Something went wrong."),
        }
        member(w, "curl", &curl(&asked, &url));
        member(w, "python", &python(&asked, &request.service.policy.base_url));
        w.end_object();
    }))
}

fn write_text(w: &mut JsonWriter<'_>, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => w.str(text),
        Err(_) => w.str(&format!("{} bytes that are no text", bytes.len())),
    }
}

fn read(request: &Request) -> Result<Asked, Failure> {
    let sent = request.unwrapped("Server")?;
    let told = |name: &str| text(&sent, name).unwrap_or_default();
    let url = told("url").trim().to_owned();
    if url.is_empty() {
        return Err(refuse("url", "URL not set."));
    }
    if url.len() > LONGEST_URL || url.chars().any(|c| c.is_control() || c == ' ') {
        return Err(refuse("url", "Expected an address of at most 2048 letters, spaces written as %20."));
    }
    let method = match told("method").trim().to_ascii_uppercase().as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "DELETE" => Method::DELETE,
        _ => return Err(refuse("method", "Expected GET, POST, PUT or DELETE.")),
    };
    let body = match sent.get("body") {
        Some(body @ (Value::Object(_) | Value::Array(_))) => body.to_string(),
        _ => told("body"),
    };
    let lines = told("header");
    if lines.len() > LONGEST_HEADERS {
        return Err(refuse("header", "There are too many headers."));
    }
    let name = told("name");
    if name.len() > LONGEST_NAME {
        return Err(refuse("name", "The name is longer than 255 bytes."));
    }
    let yes = |name: &str| flag(&sent, name).unwrap_or(false);
    let target = target(&url, &request.service.policy.base_url);
    let kept = RestCall {
        headers: without_keys(&lines),
        body: without_secrets(&body, &target),
        url: url.clone(),
        http_method: method.to_string(),
        timestamp: request.now(),
        use_full_path: yes("use_full_path"),
        show_result: yes("show_result"),
        skip_ssl: yes("skip_ssl_validation"),
        bookmark: yes("bookmark"),
        bookmark_name: name,
        ..RestCall::default()
    };
    Ok(Asked { method, target, headers: headers(&lines)?, body, show_result: kept.show_result, kept })
}

/// The path of a URL, wherever its host was: nothing but this instance is called.
fn target(url: &str, base: &str) -> String {
    let bare = url.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let path = match (bare, url.split_once("://")) {
        (Some(rest), _) => rest,
        (None, Some((_, rest))) => rest.find(['/', '?']).map_or("", |at| &rest[at..]),
        (None, None) => url,
    };
    let path = path.split('#').next().unwrap_or_default();
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

/// The lines `Name: value`, with what MISP adds where they do not say.
fn headers(lines: &str) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in [("accept", "application/json"), ("content-type", "application/json")] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(http::header::USER_AGENT, HeaderValue::from_static("MISP REST Client"));
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let pair = line.split_once(':').and_then(|(name, value)| {
            let name: HeaderName = name.trim().parse().ok()?;
            Some((name, HeaderValue::from_str(value.trim()).ok()?))
        });
        let (name, value) =
            pair.ok_or_else(|| refuse("header", "Expected lines of the form Name: value."))?;
        if !OWN.contains(&name.as_str()) {
            headers.insert(name, value);
        }
    }
    Ok(headers)
}

/// Runs the call as the caller, and takes the whole of its answer.
fn call(request: &Request, asked: &Asked) -> Result<Answer, Failure> {
    let (raw, query) = match asked.target.split_once('?') {
        Some((raw, query)) => (raw, Some(query)),
        None => (asked.target.as_str(), None),
    };
    let path = Path::parse(raw, query, &asked.method);
    let route = routes::find(&path, &asked.method)?;
    if route.action == "rest" {
        return Err(Failure::NotAllowed("The REST client does not call itself.".into()));
    }
    if matches!(route.need, Need::Public) {
        return Err(Failure::NotAllowed("This is for those without a key: call it without one.".into()));
    }
    if !route.need.met(&request.actor, request.owner.key.read_only) {
        return Err(Failure::NoPermission);
    }
    let quota = request.quotas.take(&path, &request.owner, request.now())?;
    let xml = wants_xml(&path, &asked.headers);
    let inner = Request {
        service: Arc::clone(&request.service),
        actor: request.actor.clone(),
        owner: request.owner.clone(),
        method: asked.method.clone(),
        path,
        headers: asked.headers.clone(),
        body: Bytes::from(asked.body.clone()),
        quotas: Arc::clone(&request.quotas),
    };
    let mut answer = (route.run)(&inner)?;
    if let Body::Waiting(make) = answer.body {
        let mut made = make()?;
        made.headers.extend(answer.headers);
        answer = made;
    }
    let Answer { status, headers, body } = answer;
    let bytes = match body {
        Body::Whole(bytes) => bytes,
        Body::Live(_) => return Err(Failure::NotAllowed("A stream has no end to wait for.".into())),
        Body::Waiting(_) => return Err(Failure::Internal("an answer waits twice".into())),
        Body::Streamed(produce) => {
            let mut sink = Sink::memory_up_to(ANSWER);
            match produce(&mut sink).and_then(|()| sink.fits()).and_then(|()| sink.into_bytes()) {
                Ok(bytes) => bytes,
                Err(Stop::Broken(failure)) => return Err(failure),
                Err(Stop::Gone) => return Err(Failure::Internal("memory has no client to lose".into())),
            }
        }
    };
    let answer = Answer { status, headers, body: Body::Whole(bytes) };
    let answer = if xml { answer.into_xml() } else { answer };
    Ok(match quota {
        Some(quota) => quota.tell(answer),
        None => answer,
    })
}

/// Headers as the history has them: whoever reads it finds no key.
fn without_keys(lines: &str) -> String {
    let told = |line: &str| {
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        let keys = ["authorization", "x-misp-auth", "cookie", "proxy-authorization"];
        match keys.contains(&name.as_str()) {
            true => format!("{}: {KEY}", line.split(':').next().unwrap_or_default().trim()),
            false => line.to_owned(),
        }
    };
    lines.lines().map(told).collect::<Vec<_>>().join("\n")
}

/// The body as the history has it: without passwords and keys; one that is too long is left out.
fn without_secrets(body: &str, target: &str) -> String {
    if body.len() > KEPT_BODY {
        return String::new();
    }
    let Ok(mut value) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    let setting = target.replace('_', "").to_ascii_lowercase().contains("/serversettingsedit");
    if hide(&mut value, setting) { value.to_string() } else { body.to_owned() }
}

/// Hides what is secret in a body; whether anything was. The value of a setting may be.
fn hide(value: &mut Value, setting: bool) -> bool {
    match value {
        Value::Object(members) => members.iter_mut().fold(false, |hidden, (name, value)| {
            let lower = name.to_ascii_lowercase();
            if SECRETS.contains(&lower.as_str()) || setting && lower == "value" {
                *value = SECRET.into();
                return true;
            }
            hide(value, setting) | hidden
        }),
        Value::Array(items) => items.iter_mut().fold(false, |hidden, item| hide(item, setting) | hidden),
        _ => false,
    }
}

/// The call for a shell, each argument in quotes that nothing in it can end.
fn curl(asked: &Asked, url: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut parts =
        vec![format!("curl -X {}", asked.method), format!("-H {}", quoted(&format!("Authorization: {KEY}")))];
    for name in ["accept", "content-type"] {
        if let Some(value) = asked.headers.get(name).and_then(|value| value.to_str().ok()) {
            parts.push(format!("-H {}", quoted(&format!("{name}: {value}"))));
        }
    }
    if !asked.body.is_empty() && asked.method != Method::GET {
        parts.push(format!("-d {}", quoted(&asked.body)));
    }
    parts.push(quoted(url));
    parts.join(" \\\n  ")
}

/// The call for PyMISP; a JSON text is a text of Python as well.
fn python(asked: &Asked, base: &str) -> String {
    let text = |text: &str| Value::from(text).to_string();
    let body = match asked.method == Method::GET || asked.body.is_empty() {
        true => String::new(),
        false => format!(", json.loads({})", text(&asked.body)),
    };
    format!(
        "import json\nfrom pymisp import PyMISP\n\nmisp = PyMISP({}, {}, ssl=True)\nprint(misp.direct_call({}{body}))\n",
        text(base),
        text(KEY),
        text(asked.target.trim_start_matches('/')),
    )
}

/// GET /rest_client_history/index[/1]: one's calls, or those one marked
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let mut calls = service::list(&request.service, &request.actor)?;
    let named = request.path.named("bookmarked").or_else(|| request.path.arg(0));
    if named.is_some_and(|said| !matches!(said, "" | "0" | "false")) {
        calls.retain(|call| call.bookmark);
    }
    Ok(list(&calls, |w, call| {
        w.begin_object();
        w.key("RestClientHistory");
        w.begin_object();
        number_member(w, "id", call.id);
        number_member(w, "org_id", call.org_id);
        number_member(w, "user_id", call.user_id);
        member(w, "headers", &call.headers);
        member(w, "body", &call.body);
        member(w, "url", &call.url);
        member(w, "http_method", &call.http_method);
        number_member(w, "timestamp", call.timestamp);
        flag_member(w, "use_full_path", call.use_full_path);
        flag_member(w, "show_result", call.show_result);
        flag_member(w, "skip_ssl", call.skip_ssl);
        number_member(w, "outcome", call.outcome);
        flag_member(w, "bookmark", call.bookmark);
        member(w, "bookmark_name", &call.bookmark_name);
        w.end_object();
        w.end_object();
    }))
}

/// POST /rest_client_history/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, number(request, 0, "Invalid entry.")?)?;
    Ok(saved(request, "Entry removed."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_host_a_url_names_the_path_is_called_here() {
        let base = "https://misp.example/pisax";
        for (url, wanted) in [
            ("https://misp.example/pisax/events/view/1", "/events/view/1"),
            ("https://misp.example/pisax", "/"),
            ("https://evil.example/events/index?limit=1", "/events/index?limit=1"),
            ("http://169.254.169.254", "/"),
            ("/events/index#there", "/events/index"),
            ("events/index", "/events/index"),
            ("//evil.example/events", "//evil.example/events"),
        ] {
            assert_eq!(target(url, base), wanted, "{url}");
        }
    }

    #[test]
    fn the_history_has_no_secrets() {
        let lines = "Authorization: aaaa\nAccept: application/json\n X-MISP-AUTH : bbbb";
        assert_eq!(
            without_keys(lines),
            "Authorization: YOUR_API_KEY\nAccept: application/json\nX-MISP-AUTH: YOUR_API_KEY"
        );
        let body = r#"{"User":{"email":"a@b","password":"s3cret"}}"#;
        assert_eq!(
            without_secrets(body, "/admin/users/add"),
            r#"{"User":{"email":"a@b","password":"*****"}}"#
        );
        let setting = "/servers/serverSettingsEdit/Security.salt";
        assert_eq!(without_secrets(r#"{"value":"x"}"#, setting), r#"{"value":"*****"}"#);
        let plain = r#"{ "value" : "x" }"#;
        assert_eq!(without_secrets(plain, "/attributes/restSearch"), plain);
        assert_eq!(without_secrets(&"x".repeat(KEPT_BODY + 1), "/"), "");
    }

    #[test]
    fn a_body_cannot_break_out_of_the_command() {
        let asked = Asked {
            method: Method::POST,
            target: "/events/index".into(),
            headers: headers("").unwrap(),
            body: "'; rm -rf ~ #".into(),
            show_result: true,
            kept: RestCall::default(),
        };
        assert!(curl(&asked, "https://a/b").contains(r"-d ''\''; rm -rf ~ #'"));
        assert!(python(&asked, "https://a").contains("json.loads(\"'; rm -rf ~ #\")"));
    }

    #[test]
    fn a_header_of_the_connection_or_of_another_person_is_not_passed_on() {
        let read = headers("Authorization: x\nHost: y\nAccept: text/csv\nX-Other: a:b").unwrap();
        assert!(!read.contains_key("authorization") && !read.contains_key("host"));
        assert_eq!(
            (read["accept"].to_str().unwrap(), read["x-other"].to_str().unwrap()),
            ("text/csv", "a:b")
        );
        assert!(headers("no colon").is_err() && headers("bad name: x").is_err());
    }
}
