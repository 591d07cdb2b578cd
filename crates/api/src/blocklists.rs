//! `/eventBlocklists/…` and `/orgBlocklists/…`

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, list, member, number_member, saved, wrapped};
use crate::request::{Request, text, texts};
use pisax_model::{Uuid, time};
use pisax_service::blocklist::{self as service, Note, OrgNote};
use pisax_store::blocklist::{BlockedEvent, BlockedOrg};
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

/// The uuids that were sent, and what among them is none.
fn uuids(sent: &serde_json::Value, single: &str) -> (Vec<Uuid>, Vec<String>) {
    let given = texts(sent, "uuids").or_else(|| texts(sent, single)).unwrap_or_default();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for text in given.iter().map(|t| t.trim()).filter(|t| !t.is_empty()) {
        match Uuid::try_parse(text) {
            Ok(uuid) => good.push(uuid),
            Err(_) => bad.push(text.to_owned()),
        }
    }
    (good, bad)
}

/// `{"result":{"successes":[uuid],"fails":[text]}}`
fn outcome(good: &[Uuid], bad: &[String]) -> Answer {
    wrapped("result", |w| {
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
    })
}

/// POST /eventBlocklists/add `{uuids, event_info, event_orgc, comment}`
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("EventBlocklist")?;
    let (good, bad) = uuids(&sent, "event_uuid");
    service::add(&request.service, &request.actor, &good, &note(&sent))?;
    Ok(outcome(&good, &bad))
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

// ---- Events by their tags -----------------------------------------------------------------------------

/// GET|POST /servers/eventBlockRule `{"value":"{\"tags\":[…]}"}`
pub(crate) fn event_rule(request: &Request) -> Result<Answer, Failure> {
    use pisax_service::event::{block_rule, set_block_rule};
    if request.is_read() {
        let tags = block_rule(&request.service, &request.actor)?;
        let value = serde_json::json!({ "tags": tags }).to_string();
        return Ok(wrapped("AdminSetting", |w| {
            w.begin_object();
            member(w, "setting", "eventBlockRule");
            member(w, "value", &value);
            w.end_object();
        }));
    }
    let sent = request.unwrapped("Server")?;
    let rule = match sent.get("value") {
        Some(serde_json::Value::String(text)) if text.trim().is_empty() => Some(serde_json::Value::Null),
        Some(serde_json::Value::String(text)) => serde_json::from_str(text).ok(),
        other => other.cloned(),
    };
    let invalid = || Failure::NotSaved {
        action: "eventBlockRule",
        model: "Servers",
        reason: "Could not save the settings. Invalid input.".into(),
        id: None,
    };
    let rule = rule.ok_or_else(invalid)?;
    let tags = match rule.get("tags") {
        Some(serde_json::Value::String(tag)) => vec![tag.clone()],
        Some(_) => texts(&rule, "tags").ok_or_else(invalid)?,
        None => Vec::new(),
    };
    match set_block_rule(&request.service, &request.actor, &tags) {
        Err(pisax_service::Error::Invalid(_)) => Err(invalid()),
        other => {
            other?;
            Ok(saved(request, "Settings saved"))
        }
    }
}

// ---- Organisations ------------------------------------------------------------------------------------

fn org_note(sent: &serde_json::Value) -> OrgNote {
    OrgNote { org_name: text(sent, "org_name"), comment: text(sent, "comment") }
}

fn write_org(w: &mut JsonWriter<'_>, entry: &BlockedOrg) {
    w.begin_object();
    w.key("OrgBlocklist");
    w.begin_object();
    number_member(w, "id", entry.id);
    w.key("org_uuid");
    w.uuid(entry.org_uuid);
    member(w, "created", &time::format_datetime(entry.created));
    member(w, "org_name", &entry.org_name);
    member(w, "comment", &entry.comment);
    w.end_object();
    w.end_object();
}

/// GET /orgBlocklists/index
pub(crate) fn index_orgs(request: &Request) -> Result<Answer, Failure> {
    Ok(list(&service::list_orgs(&request.service, &request.actor)?, write_org))
}

/// POST /orgBlocklists/add `{uuids, org_name, comment}`
pub(crate) fn add_orgs(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("OrgBlocklist")?;
    let (good, bad) = uuids(&sent, "org_uuid");
    service::add_orgs(&request.service, &request.actor, &good, &org_note(&sent))?;
    Ok(outcome(&good, &bad))
}

/// POST /orgBlocklists/edit/{id|uuid}
pub(crate) fn edit_org(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let sent = request.unwrapped("OrgBlocklist")?;
    let entry = service::edit_org(&request.service, &request.actor, reference, org_note(&sent))?;
    Ok(document(|w| write_org(w, &entry)))
}

/// POST /orgBlocklists/delete/{id|uuid}
pub(crate) fn delete_org(request: &Request) -> Result<Answer, Failure> {
    service::remove_org(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(saved(request, "Blocklist item removed."))
}
