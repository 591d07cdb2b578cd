//! `/servers/…` as far as content goes to and comes from other servers, and what other servers ask for that
//! (semantics 7).

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, flag_member, list, member, number, number_member, saved, wrapped};
use crate::request::{Request, number as number_of, text};
use pisax_access::Actor;
use pisax_model::ids::Ref;
use pisax_model::job::Task;
use pisax_model::peer::{Direction, Entry, Outcome, Subject};
use pisax_model::server::Server;
use pisax_model::{FieldError, Uuid};
use pisax_service::peer::{self as service, state};
use pisax_service::{Error, Service, job};
use pisax_share::{Fault, look};
use pisax_store::peers::LedgerFilter;
use pisax_wire::{JsonWriter, MISP_VERSION};
use serde_json::{Map, Value};
use std::sync::Arc;

const INVALID: &str = "Invalid server";

pub(crate) fn server(request: &Request) -> Result<Server, Failure> {
    let id = number(request, 0, INVALID)?;
    service::server(&request.service, &request.actor, id).map_err(|e| match e {
        Error::NotFound(_) => Failure::NotFound(INVALID),
        other => other.into(),
    })
}

/// The server named in the path or, as MISP takes it, by `id` in the body.
fn named(request: &Request, sent: &Value) -> Result<i64, Failure> {
    match request.path.arg(0) {
        Some(_) => number(request, 0, INVALID),
        None => number_of(sent, "id").ok_or(Failure::NotFound(INVALID)),
    }
}

fn queued(request: &Request, task: Task, what: &'static str, technique: &str) -> Result<Answer, Failure> {
    let id = named(request, &request.unwrapped("Server")?)?;
    match service::queue(&request.service, &request.actor, task, id, technique) {
        Ok(job) => {
            let word = if task == Task::Pull { "Pull" } else { "Push" };
            Ok(saved(request, &format!("{word} queued for background execution. Job ID: {job}")))
        }
        Err(Error::NotFound(_)) => Err(Failure::NotFound(INVALID)),
        Err(Error::Refused(reason)) => {
            Err(Failure::NotSaved { action: what, model: "Servers", reason, id: Some(id) })
        }
        Err(other) => Err(other.into()),
    }
}

/// GET|POST /servers/pull/{id}[/{full|update|pull_relevant_clusters|event}]
pub(crate) fn pull(request: &Request) -> Result<Answer, Failure> {
    queued(request, Task::Pull, "pull", request.path.arg(1).unwrap_or("full"))
}

/// GET|POST /servers/push/{id}[/{full|incremental|event}]
pub(crate) fn push(request: &Request) -> Result<Answer, Failure> {
    let sent = text(&request.unwrapped("Server")?, "technique");
    let technique = sent.or_else(|| request.path.arg(1).map(str::to_owned));
    queued(request, Task::Push, "push", technique.as_deref().unwrap_or("incremental"))
}

/// GET|POST /servers/cache[/{all|id}]
pub(crate) fn cache(request: &Request) -> Result<Answer, Failure> {
    let scope = request.path.arg(0).unwrap_or("all");
    match service::queue_caching(&request.service, &request.actor, scope) {
        Ok(_) => Ok(saved(request, "Server caching job initiated.")),
        Err(Error::NotFound(_)) => Err(Failure::NotFound(INVALID)),
        Err(other) => Err(other.into()),
    }
}

/// GET|POST /servers/testConnection/{id}
pub(crate) fn test_connection(request: &Request) -> Result<Answer, Failure> {
    ask(request, |service, server| Ok(tested(&look::test(service, server))))
}

/// Answers with what a server says; no connection of the database is held while it is waited for.
fn ask(
    request: &Request,
    answer: impl FnOnce(&Service, Server) -> Result<Answer, Failure> + Send + 'static,
) -> Result<Answer, Failure> {
    let (service, server) = (Arc::clone(&request.service), server(request)?);
    Ok(Answer::waiting(move || answer(&service, server)))
}

fn tested(tested: &look::Tested) -> Answer {
    document(|w| {
        w.begin_object();
        w.key("status");
        w.int(tested.status);
        if tested.status == 1 {
            let (mismatch, newer) = differs(MISP_VERSION, &tested.version.version);
            member(w, "local_version", MISP_VERSION);
            member(w, "version", &tested.version.version);
            text_or_false(w, "mismatch", mismatch);
            text_or_false(w, "newer", newer);
            w.key("post");
            w.int(tested.post);
            w.key("response_encoding");
            match &tested.encoding {
                Some(encoding) => w.str(encoding),
                None => w.null(),
            }
            w.key("request_encoding");
            w.begin_array();
            tested.version.request_encoding.iter().for_each(|encoding| w.str(encoding));
            w.end_array();
            w.key("uuid");
            match tested.version.uuid {
                Some(uuid) => w.uuid(uuid),
                None => w.str("?"),
            }
        }
        w.key("client_certificate");
        w.null();
        if !tested.why.is_empty() {
            member(w, "reason", &tested.why);
        }
        w.end_object();
    })
}

fn text_or_false(w: &mut JsonWriter<'_>, name: &str, text: Option<&str>) {
    match text {
        Some(text) => member(w, name, text),
        None => flag_member(w, name, false),
    }
}

/// Which part of two versions differs, and whose is newer.
fn differs(local: &str, remote: &str) -> (Option<&'static str>, Option<&'static str>) {
    let parts = |text: &str| text.split('.').map(|part| part.parse::<u32>().unwrap_or(0)).collect::<Vec<_>>();
    let (ours, theirs) = (parts(local), parts(remote));
    for (place, name) in ["major", "minor", "hotfix"].into_iter().enumerate() {
        let (our, their) = (ours.get(place).unwrap_or(&0), theirs.get(place).unwrap_or(&0));
        if our != their {
            return (Some(name), Some(if their > our { "remote" } else { "local" }));
        }
    }
    (None, None)
}

/// What a peer's failure is to who asked for it: the peer's, not this server's.
pub(crate) fn failed(fault: Fault) -> Failure {
    match fault {
        Fault::Here(error) => error.into(),
        Fault::Status { status: 404, .. } => Failure::NotFound("Event not found on the other server."),
        other => Failure::Gateway(other.to_string()),
    }
}

fn json(value: &Value) -> Answer {
    Answer::json(value.to_string().into_bytes())
}

/// GET /servers/getRemoteUser/{id}
pub(crate) fn remote_user(request: &Request) -> Result<Answer, Failure> {
    ask(request, |service, server| {
        Ok(match look::remote_user(service, server) {
            Ok(user) => json(&user),
            Err(Fault::Status { status, .. }) => json(&serde_json::json!({"error": status})),
            Err(fault) => json(&serde_json::json!({"error": fault.to_string()})),
        })
    })
}

/// GET|POST /servers/previewIndex/{id}
pub(crate) fn preview_index(request: &Request) -> Result<Answer, Failure> {
    let mut sent: Map<String, Value> = match request.unwrapped("Server")? {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    for (name, value) in &request.path.named {
        sent.insert(name.clone(), Value::String(value.clone()));
    }
    ask(request, |service, server| {
        Ok(Answer::json(look::preview_index(service, server, sent).map_err(failed)?))
    })
}

/// GET /servers/previewEvent/{id}/{event}
pub(crate) fn preview_event(request: &Request) -> Result<Answer, Failure> {
    let event = request.path.arg(1).and_then(Ref::parse).ok_or(Failure::NotFound("Invalid event"))?;
    let event = match event {
        Ref::Id(id) => id.to_string(),
        Ref::Uuid(uuid) => uuid.to_string(),
    };
    ask(request, move |service, server| {
        Ok(Answer::json(look::preview_event(service, server, &event).map_err(failed)?))
    })
}

/// GET /servers/queryAvailableSyncFilteringRules/{id}
pub(crate) fn query_rules(request: &Request) -> Result<Answer, Failure> {
    ask(request, |service, server| Ok(json(&look::rules(service, server).map_err(failed)?)))
}

/// GET /servers/getAvailableSyncFilteringRules: what another server's pull rules can be made of.
pub(crate) fn available_rules(request: &Request) -> Result<Answer, Failure> {
    let (orgs, tags) = request.service.read(&request.actor, |r| Ok((r.orgs(None, None)?, r.tags(None)?)))?;
    Ok(document(|w| {
        w.begin_object();
        w.key("organisations");
        w.begin_array();
        orgs.iter().for_each(|org| w.str(&org.name));
        w.end_array();
        w.key("tags");
        w.begin_array();
        tags.iter().for_each(|counted| w.str(&counted.tag.name));
        w.end_array();
        w.end_object();
    }))
}

/// POST /events/filterEventIdsForPush: which of the offered events are wanted.
pub(crate) fn filter_events(request: &Request) -> Result<Answer, Failure> {
    let offered = pisax_wire::read_offered_events(&request.body)?;
    let wanted = pisax_service::event::wanted(&request.service, &request.actor, &offered)?;
    Ok(list(&wanted, |w, uuid| w.uuid(*uuid)))
}

/// GET|POST /servers/idTranslator[/{event}]: the numbers of an event here and on the servers this one is connected
/// with.
pub(crate) fn id_translator(request: &Request) -> Result<Answer, Failure> {
    let (sent, named) = (request.value()?, request.path.arg(0).map(str::to_owned));
    let (service, actor) = (Arc::clone(&request.service), request.actor.clone());
    Ok(Answer::waiting(move || translate(&service, &actor, &sent, named)))
}

fn translate(
    service: &Service,
    actor: &Actor,
    sent: &Value,
    named: Option<String>,
) -> Result<Answer, Failure> {
    let of = |outer: &str, name: &str| sent.get(outer).and_then(|value| text(value, name));
    let asked = named.or_else(|| of("Event", "uuid")).unwrap_or_default();
    let servers = pisax_service::server::list(service, actor, None)?;
    let missing =
        || Failure::NotFound("This event could not be found or you don't have permissions to see it.");
    let mut known = None;
    let reference = if of("Event", "local").as_deref() == Some("remote") {
        let id = of("Server", "id").and_then(|t| t.parse::<i64>().ok());
        let server = servers.iter().find(|s| Some(s.id) == id && s.pull).ok_or(Failure::NotFound(INVALID))?;
        let found = look::remote_id(service, server.clone(), &asked).map_err(failed)?;
        let (number, uuid) = found.ok_or_else(missing)?;
        known = Some((server.id, number));
        Uuid::try_parse(&uuid).ok().map(Ref::Uuid)
    } else {
        Ref::parse(&asked)
    };
    let reference = reference.ok_or_else(missing)?;
    let event = service.read(actor, |r| Ok(r.event(reference)?))?.ok_or_else(missing)?;
    let elsewhere: Vec<_> = servers
        .into_iter()
        .filter(|server| server.pull || server.push)
        .map(|server| {
            let (id, name, url) = (server.id, server.name.clone(), server.url.clone());
            let found = match &known {
                Some((there, number)) if *there == id => Ok(Some(number.clone())),
                _ => look::remote_id(service, server, &event.uuid.to_string())
                    .map(|found| found.map(|(number, _)| number)),
            };
            (id, name, url, found)
        })
        .collect();
    Ok(document(|w| {
        w.begin_object();
        w.key("local_event");
        w.begin_object();
        number_member(w, "id", event.id);
        w.key("uuid");
        w.uuid(event.uuid);
        member(w, "info", &event.info);
        w.end_object();
        w.key("remote_events");
        w.begin_array();
        for (id, name, url, found) in &elsewhere {
            w.begin_object();
            number_member(w, "server_id", *id);
            member(w, "server_name", name);
            match found {
                Ok(Some(number)) => {
                    member(w, "url", &format!("{url}/events/view/{number}"));
                    member(w, "remote_id", number);
                }
                Ok(None) | Err(_) => {
                    member(w, "url", url);
                    flag_member(w, "remote_id", false);
                }
            }
            w.key("exception");
            match found {
                Err(fault) => w.str(&fault.to_string()),
                Ok(_) => w.null(),
            }
            w.end_object();
        }
        w.end_array();
        w.end_object();
    }))
}

// ---- What MISP does not have ---------------------------------------------------------------------------

/// GET|POST /servers/ledger/{id}: what became of each record, the newest first, with how the exchange goes.
pub(crate) fn ledger(request: &Request) -> Result<Answer, Failure> {
    let server = server(request)?;
    let sent = request.unwrapped("Server")?;
    let asked = |name: &str| request.path.named(name).map(str::to_owned).or_else(|| text(&sent, name));
    let filter = ledger_filter(server.id, asked)?;
    let entries = service::ledger(&request.service, &request.actor, filter)?;
    let state = request.service.peer_state(server.id)?;
    let counts = request.service.read(&request.actor, |r| Ok(r.ledger_counts(server.id)?))?;
    Ok(document(|w| {
        w.begin_object();
        w.key("State");
        w.begin_object();
        for (name, key) in [
            ("last_success", state::LAST_GOOD),
            ("last_failure", state::LAST_BAD),
            ("failure", state::LAST_FAULT),
            ("failures_in_a_row", state::FAILURES),
        ] {
            w.key(name);
            match state.get(key).filter(|text| !text.is_empty()) {
                Some(text) => w.str(text),
                None => w.null(),
            }
        }
        w.end_object();
        w.key("Counts");
        w.begin_array();
        for (direction, outcome, count) in &counts {
            w.begin_object();
            member(w, "direction", direction.name());
            member(w, "outcome", outcome.name());
            number_member(w, "count", *count);
            w.end_object();
        }
        w.end_array();
        w.key("Entry");
        w.begin_array();
        entries.iter().for_each(|entry| write_entry(w, entry));
        w.end_array();
        w.end_object();
    }))
}

fn ledger_filter(id: i64, asked: impl Fn(&str) -> Option<String>) -> Result<LedgerFilter, Failure> {
    fn choice<T: Copy>(
        name: &'static str,
        text: Option<String>,
        all: &[T],
        word: impl Fn(T) -> &'static str,
    ) -> Result<Option<T>, Error> {
        let Some(text) = text else { return Ok(None) };
        let words: Vec<&str> = all.iter().map(|one| word(*one)).collect();
        let known = all.iter().find(|one| word(**one) == text).copied();
        known.map(Some).ok_or_else(|| FieldError::new(name, format!("Options: {}", words.join(", "))).into())
    }
    let count = |name: &'static str, default: i64| -> Result<i64, Error> {
        let Some(text) = asked(name) else { return Ok(default) };
        let number = text.parse::<i64>().ok().filter(|n| *n > 0);
        number.ok_or_else(|| FieldError::new(name, "Expected a number above 0.").into())
    };
    let limit = count("limit", 100)?.min(service::MAX_ENTRIES);
    let page = count("page", 1)?.min(1_000_000);
    let uuid = match asked("uuid") {
        Some(text) => {
            let read =
                Uuid::try_parse(&text).map_err(|_| Error::from(FieldError::new("uuid", "Expected a uuid.")));
            Some(read?)
        }
        None => None,
    };
    Ok(LedgerFilter {
        server_id: Some(id),
        direction: choice("direction", asked("direction"), &Direction::ALL, Direction::name)?,
        subject: choice("kind", asked("kind"), &Subject::ALL, Subject::name)?,
        outcome: choice("outcome", asked("outcome"), &Outcome::ALL, Outcome::name)?,
        uuid,
        limit,
        offset: limit * (page - 1),
    })
}

fn write_entry(w: &mut JsonWriter<'_>, entry: &Entry) {
    w.begin_object();
    member(w, "direction", entry.direction.name());
    member(w, "kind", entry.subject.name());
    w.key("uuid");
    w.uuid(entry.uuid);
    member(w, "title", &entry.title);
    number_member(w, "version", entry.version);
    member(w, "outcome", entry.outcome.name());
    member(w, "reason", &entry.reason);
    number_member(w, "attempts", entry.attempts);
    number_member(w, "at", entry.at);
    w.key("retry_at");
    match entry.retry_at {
        0 => w.null(),
        at => w.str_num(at),
    }
    w.end_object();
}

/// GET|POST /servers/guard/{id}: what never leaves to this server, whatever distribution allows.
pub(crate) fn guard(request: &Request) -> Result<Answer, Failure> {
    let server = server(request)?;
    if !request.is_read() {
        let sent = request.unwrapped("Guard")?;
        let guard = if sent.is_null() { String::new() } else { sent.to_string() };
        let read = pisax_wire::read_guard(&guard)?;
        let mut kept = Vec::new();
        pisax_wire::write_guard(&mut JsonWriter::new(&mut kept), &read);
        let kept = String::from_utf8_lossy(&kept).into_owned();
        service::set_guard(&request.service, &request.actor, &server, &kept)?;
    }
    let kept = request.service.peer_state(server.id)?.remove(state::GUARD).unwrap_or_default();
    let guard = pisax_wire::read_guard(&kept)?;
    Ok(wrapped("Guard", |w| pisax_wire::write_guard(w, &guard)))
}

/// POST /jobs/cancel/{id}
pub(crate) fn cancel_job(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, "Invalid job")?;
    job::cancel(&request.service, &request.actor, id)?;
    Ok(saved(request, "Job cancelled."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_differ_where_they_first_do() {
        assert_eq!(differs("2.5.34", "2.5.34"), (None, None));
        assert_eq!(differs("2.5.34", "2.5.1"), (Some("hotfix"), Some("local")));
        assert_eq!(differs("2.5.34", "2.6.1"), (Some("minor"), Some("remote")));
        assert_eq!(differs("2.5.34", "nonsense"), (Some("major"), Some("local")));
    }
}
