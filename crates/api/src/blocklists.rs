//! `/eventBlocklists/…`

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, list, member, number_member, saved};
use crate::request::{Request, text, texts};
use pisax_model::{Uuid, time};
use pisax_service::blocklist::{self as service, Note};
use pisax_store::blocklist::BlockedEvent;
use pisax_wire::JsonWriter;

const INVALID: &str = "Invalid blocklist entry";

fn note(sent: &serde_json::Value) -> Note {
    Note {
        event_info: text(sent, "event_info"),
        event_orgc: text(sent, "event_orgc"),
        comment: text(sent, "comment"),
    }
}

fn write(w: &mut JsonWriter<'_>, entry: &BlockedEvent) {
    w.begin_object();
    w.key("EventBlocklist");
    w.begin_object();
    number_member(w, "id", entry.id);
    w.key("event_uuid");
    w.uuid(entry.event_uuid);
    member(w, "created", &time::format_datetime(entry.created));
    member(w, "event_info", &entry.event_info);
    member(w, "comment", &entry.comment);
    member(w, "event_orgc", &entry.event_orgc);
    w.end_object();
    w.end_object();
}

/// GET /eventBlocklists/index
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    Ok(list(&service::list(&request.service, &request.actor)?, write))
}

/// POST /eventBlocklists/add `{uuids, event_info, event_orgc, comment}`
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("EventBlocklist")?;
    let given = texts(&sent, "uuids").or_else(|| texts(&sent, "event_uuid")).unwrap_or_default();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for text in given.iter().map(|t| t.trim()).filter(|t| !t.is_empty()) {
        match Uuid::try_parse(text) {
            Ok(uuid) => good.push(uuid),
            Err(_) => bad.push(text),
        }
    }
    service::add(&request.service, &request.actor, &good, &note(&sent))?;
    Ok(document(|w| {
        w.begin_object();
        w.key("result");
        w.begin_object();
        w.key("successes");
        w.begin_array();
        good.iter().for_each(|uuid| w.uuid(*uuid));
        w.end_array();
        w.key("fails");
        w.begin_array();
        bad.iter().for_each(|text| w.str(text));
        w.end_array();
        w.end_object();
        w.end_object();
    }))
}

/// POST /eventBlocklists/edit/{id|uuid}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let sent = request.unwrapped("EventBlocklist")?;
    let entry = service::edit(&request.service, &request.actor, reference, note(&sent))?;
    Ok(document(|w| write(w, &entry)))
}

/// POST /eventBlocklists/delete/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::remove(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(saved(request, "Blocklist item removed."))
}
