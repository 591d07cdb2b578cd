//! `/analystDataBlocklists/…`

use crate::answer::Answer;
use crate::blocklists::{several, uuids, write_result};
use crate::failure::Failure;
use crate::reply::{document, list, member, number_member, saved};
use crate::request::{Request, text};
use pisax_model::analyst::BlockedAnalystData;
use pisax_model::time;
use pisax_service::analyst::blocklist::{self as service, Note};
use pisax_wire::JsonWriter;

const MODEL: &str = "AnalystDataBlocklist";
const INVALID: &str = "Invalid blocklist entry";

fn note(sent: &serde_json::Value) -> Note {
    Note {
        info: text(sent, "analyst_data_info"),
        orgc: text(sent, "analyst_data_orgc"),
        comment: text(sent, "comment"),
    }
}

fn write(w: &mut JsonWriter<'_>, entry: &BlockedAnalystData) {
    w.begin_object();
    w.key(MODEL);
    w.begin_object();
    number_member(w, "id", entry.id);
    w.key("analyst_data_uuid");
    w.uuid(entry.uuid);
    member(w, "created", &time::format_datetime(entry.created));
    member(w, "analyst_data_info", &entry.info);
    member(w, "comment", &entry.comment);
    member(w, "analyst_data_orgc", &entry.orgc);
    w.end_object();
    w.end_object();
}

/// GET /analystDataBlocklists/index
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    Ok(list(&service::list(&request.service, &request.actor)?, write))
}

/// POST /analystDataBlocklists/add `{uuids, analyst_data_info, analyst_data_orgc, comment}`
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped(MODEL)?;
    let (good, bad) = uuids(&sent, "analyst_data_uuid");
    service::add(&request.service, &request.actor, &good, &note(&sent))?;
    let message = format!(
        "Done. Added {} new entries to the blocklist. {} entries could not be saved.",
        good.len(),
        bad.len()
    );
    Ok(document(|w| {
        w.begin_object();
        w.key("result");
        write_result(w, &good, &bad);
        member(w, "message", &message);
        w.end_object();
    }))
}

/// POST /analystDataBlocklists/edit/{id|uuid}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let sent = request.unwrapped(MODEL)?;
    let entry = service::edit(&request.service, &request.actor, reference, note(&sent))?;
    Ok(document(|w| write(w, &entry)))
}

/// POST /analystDataBlocklists/delete/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::remove(&request.service, &request.actor, &[request.reference(0, INVALID)?])?;
    Ok(saved(request, "Blocklist item removed."))
}

/// POST /analystDataBlocklists/massDelete `{ids}`
pub(crate) fn delete_many(request: &Request) -> Result<Answer, Failure> {
    service::remove(&request.service, &request.actor, &several(request, MODEL)?)?;
    Ok(saved(request, "Blocklist items removed."))
}
