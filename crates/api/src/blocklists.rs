//! `/eventBlocklists/…`, `/orgBlocklists/…`, `/sightingBlocklists/…` and
//! `/galaxyClusterBlocklists/…`

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, list, member, number_member, saved, wrapped};
use crate::request::{Request, text, texts};
use pisax_model::ids::Ref;
use pisax_model::{Uuid, time};
use pisax_service::blocklist::{self as service, ClusterNote, Note, OrgNote};
use pisax_store::blocklist::{BlockedCluster, BlockedEvent, BlockedOrg, Refused};
use pisax_wire::JsonWriter;
use serde_json::Value;

const INVALID: &str = "Invalid blocklist entry";
/// Entries that are removed together at most: they are looked up one by one.
const MOST: usize = 10_000;

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
pub(crate) fn uuids(sent: &serde_json::Value, single: &str) -> (Vec<Uuid>, Vec<String>) {
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

/// `{"successes":[uuid],"fails":[text]}`
pub(crate) fn write_result(w: &mut JsonWriter<'_>, good: &[Uuid], bad: &[String]) {
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
}

fn outcome(good: &[Uuid], bad: &[String]) -> Answer {
    wrapped("result", |w| write_result(w, good, bad))
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
    service::remove(&request.service, &request.actor, &[request.reference(0, INVALID)?])?;
    Ok(saved(request, "Blocklist item removed."))
}

/// The entries of a massDelete: `{"ids": …}`, a list or, as MISP's pages send it, a list written as text.
pub(crate) fn several(request: &Request, model: &str) -> Result<Vec<Ref>, Failure> {
    let sent = request.unwrapped(model)?;
    let wrong = || Failure::BadRequest("ids: expected a list of numbers or uuids of entries.".into());
    let listed = match sent.get("ids") {
        Some(Value::String(written)) => serde_json::from_str(written).map_err(|_| wrong())?,
        other => other.cloned().unwrap_or_default(),
    };
    let Value::Array(ids) = listed else { return Err(wrong()) };
    let entry = |id: &Value| match id {
        Value::String(text) => Ref::parse(text),
        number => number.as_i64().map(Ref::Id),
    };
    let ids: Vec<Ref> = ids.iter().map(|id| entry(id).ok_or_else(wrong)).collect::<Result<_, _>>()?;
    match ids.len() {
        0 => Err(wrong()),
        1..=MOST => Ok(ids),
        _ => Err(Failure::BadRequest(format!("ids: at most {MOST} entries at once."))),
    }
}

/// POST /eventBlocklists/massDelete `{ids}`
pub(crate) fn delete_many(request: &Request) -> Result<Answer, Failure> {
    service::remove(&request.service, &request.actor, &several(request, "EventBlocklist")?)?;
    Ok(saved(request, "Blocklist items removed."))
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

// ---- Organisations: their events and their sightings --------------------------------------------------

/// MISP's name of an entry.
fn model(what: Refused) -> &'static str {
    match what {
        Refused::Events => "OrgBlocklist",
        Refused::Sightings => "SightingBlocklist",
    }
}

fn org_note(sent: &serde_json::Value) -> OrgNote {
    OrgNote { org_name: text(sent, "org_name"), comment: text(sent, "comment") }
}

fn write_org(w: &mut JsonWriter<'_>, what: Refused, entry: &BlockedOrg) {
    w.begin_object();
    w.key(model(what));
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

fn index_of(request: &Request, what: Refused) -> Result<Answer, Failure> {
    let entries = service::list_orgs(&request.service, &request.actor, what)?;
    Ok(list(&entries, |w, entry| write_org(w, what, entry)))
}

fn add_to(request: &Request, what: Refused) -> Result<Answer, Failure> {
    let sent = request.unwrapped(model(what))?;
    let (good, bad) = uuids(&sent, "org_uuid");
    service::add_orgs(&request.service, &request.actor, what, &good, &org_note(&sent))?;
    Ok(outcome(&good, &bad))
}

fn edit_in(request: &Request, what: Refused) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let sent = request.unwrapped(model(what))?;
    let entry = service::edit_org(&request.service, &request.actor, what, reference, org_note(&sent))?;
    Ok(document(|w| write_org(w, what, &entry)))
}

fn delete_from(request: &Request, what: Refused) -> Result<Answer, Failure> {
    service::remove_org(&request.service, &request.actor, what, request.reference(0, INVALID)?)?;
    Ok(saved(request, "Blocklist item removed."))
}

/// GET /orgBlocklists/index
pub(crate) fn index_orgs(request: &Request) -> Result<Answer, Failure> {
    index_of(request, Refused::Events)
}

/// POST /orgBlocklists/add `{uuids, org_name, comment}`
pub(crate) fn add_orgs(request: &Request) -> Result<Answer, Failure> {
    add_to(request, Refused::Events)
}

/// POST /orgBlocklists/edit/{id|uuid}
pub(crate) fn edit_org(request: &Request) -> Result<Answer, Failure> {
    edit_in(request, Refused::Events)
}

/// POST /orgBlocklists/delete/{id|uuid}
pub(crate) fn delete_org(request: &Request) -> Result<Answer, Failure> {
    delete_from(request, Refused::Events)
}

/// GET /sightingBlocklists/index
pub(crate) fn index_sighters(request: &Request) -> Result<Answer, Failure> {
    index_of(request, Refused::Sightings)
}

/// POST /sightingBlocklists/add `{uuids, org_name, comment}`
pub(crate) fn add_sighters(request: &Request) -> Result<Answer, Failure> {
    add_to(request, Refused::Sightings)
}

/// POST /sightingBlocklists/edit/{id|uuid}
pub(crate) fn edit_sighter(request: &Request) -> Result<Answer, Failure> {
    edit_in(request, Refused::Sightings)
}

/// POST /sightingBlocklists/delete/{id|uuid}
pub(crate) fn delete_sighter(request: &Request) -> Result<Answer, Failure> {
    delete_from(request, Refused::Sightings)
}

// ---- Galaxy clusters ----------------------------------------------------------------------------------

fn cluster_note(sent: &serde_json::Value) -> ClusterNote {
    ClusterNote {
        cluster_info: text(sent, "cluster_info"),
        cluster_orgc: text(sent, "cluster_orgc"),
        comment: text(sent, "comment"),
    }
}

fn write_cluster(w: &mut JsonWriter<'_>, entry: &BlockedCluster) {
    w.begin_object();
    w.key("GalaxyClusterBlocklist");
    w.begin_object();
    number_member(w, "id", entry.id);
    w.key("cluster_uuid");
    w.uuid(entry.cluster_uuid);
    member(w, "created", &time::format_datetime(entry.created));
    member(w, "cluster_info", &entry.cluster_info);
    member(w, "comment", &entry.comment);
    member(w, "cluster_orgc", &entry.cluster_orgc);
    w.end_object();
    w.end_object();
}

/// GET /galaxyClusterBlocklists/index
pub(crate) fn index_clusters(request: &Request) -> Result<Answer, Failure> {
    Ok(list(&service::list_clusters(&request.service, &request.actor)?, write_cluster))
}

/// POST /galaxyClusterBlocklists/add `{uuids, cluster_info, cluster_orgc, comment}`
pub(crate) fn add_clusters(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("GalaxyClusterBlocklist")?;
    let (good, bad) = uuids(&sent, "cluster_uuid");
    service::add_clusters(&request.service, &request.actor, &good, &cluster_note(&sent))?;
    Ok(outcome(&good, &bad))
}

/// POST /galaxyClusterBlocklists/edit/{id|uuid}
pub(crate) fn edit_cluster(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let sent = request.unwrapped("GalaxyClusterBlocklist")?;
    let entry = service::edit_cluster(&request.service, &request.actor, reference, cluster_note(&sent))?;
    Ok(document(|w| write_cluster(w, &entry)))
}

/// POST /galaxyClusterBlocklists/delete/{id|uuid}
pub(crate) fn delete_cluster(request: &Request) -> Result<Answer, Failure> {
    service::remove_clusters(&request.service, &request.actor, &[request.reference(0, INVALID)?])?;
    Ok(saved(request, "Blocklist item removed."))
}

/// POST /galaxyClusterBlocklists/massDelete `{ids}`
pub(crate) fn delete_clusters(request: &Request) -> Result<Answer, Failure> {
    service::remove_clusters(&request.service, &request.actor, &several(request, "GalaxyClusterBlocklist")?)?;
    Ok(saved(request, "Blocklist items removed."))
}
