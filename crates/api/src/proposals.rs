//! `/shadow_attributes/…`: proposals, under MISP's name for them, and `/events/pushProposals`.

use crate::answer::{Answer, Sink};
use crate::failure::Failure;
use crate::reply::document;
use crate::request::{Request, text};
use http::StatusCode;
use pisax_model::FieldError;
use pisax_model::filter::Tri;
use pisax_model::ids::Ref;
use pisax_model::proposal::{Asks, Proposal};
use pisax_service::Error;
use pisax_service::proposal::{self as service, Verdict};
use pisax_store::Reader;
use pisax_store::proposals::ProposalQuery;
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;
use pisax_wire::proposal_out::{
    write_inner_proposal, write_listed_proposal, write_saved_proposal, write_viewed_proposal,
};
use rustc_hash::FxHashMap;
use std::sync::Arc;

const INVALID: &str = "Invalid proposal.";
/// MISP's one refusal for what is missing, closed, or somebody else's to accept.
const NOT_ACCEPTED: &str = "Proposal not found or you are not authorised to accept it.";
/// Proposals read at a time.
const BATCH: usize = 500;

/// GET /shadow_attributes/index[/{event}][/all:0][/deleted:0][/timestamp:…][/limit:…/page:…]: closed ones as well
/// unless told otherwise, as instances that pull need them.
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("ShadowAttribute")?;
    let named = |name: &str| request.path.named(name).map(str::to_owned).or_else(|| text(&sent, name));
    let number = |name: &str| named(name).and_then(|v| v.trim().parse::<i64>().ok()).filter(|n| *n > 0);
    let event_id = match request.path.arg(0).filter(|a| !matches!(*a, "0" | "false")) {
        None => None,
        Some(_) => Some(crate::events::find(request, request.reference(0, body::INVALID_EVENT)?)?.id),
    };
    let query = ProposalQuery {
        event_id,
        deleted: wanted(request, &sent),
        own_events: named("all").is_some_and(|all| matches!(all.as_str(), "0" | "" | "false")),
        since: number("timestamp"),
        text: named("searchall").filter(|t| !t.trim().is_empty()),
        newest_first: named("direction").is_some_and(|d| d.eq_ignore_ascii_case("desc")),
    };
    let ids = request.service.read(&request.actor, |r| Ok(r.find_proposals(&query)?))?;
    let total = ids.len();
    let ids = paged(ids, number("limit"), number("page"));
    let (service, actor) = (Arc::clone(&request.service), request.actor.clone());
    let few = ids.len() <= BATCH;
    let produce = move |sink: &mut Sink| {
        sink.buffer().push(b'[');
        let mut first = true;
        for chunk in ids.chunks(BATCH) {
            for proposal in service.read(&actor, |r| Ok(r.proposals_by_ids(chunk)?))? {
                if !std::mem::take(&mut first) {
                    sink.buffer().push(b',');
                }
                write_listed_proposal(&mut JsonWriter::new(sink.buffer()), &proposal);
            }
            sink.flush_full()?;
        }
        sink.buffer().push(b']');
        Ok(())
    };
    let answer = if few { Answer::short(produce)? } else { Answer::stream(produce) };
    Ok(answer.header("x-result-count", total))
}

/// `deleted:0`, `deleted:1`, or both as a list; all unless one is named.
fn wanted(request: &Request, sent: &serde_json::Value) -> Tri {
    let in_path =
        request.path.named.iter().filter(|(name, _)| matches!(name.as_str(), "deleted" | "deleted[]"));
    let mut said: Vec<String> = in_path.map(|(_, value)| value.clone()).collect();
    said.extend(crate::request::texts(sent, "deleted").unwrap_or_default());
    said.extend(crate::request::flag(sent, "deleted").map(|on| i64::from(on).to_string()));
    let closed = said.iter().any(|v| matches!(v.as_str(), "1" | "true"));
    let open = said.iter().any(|v| matches!(v.as_str(), "0" | "false" | ""));
    match (open, closed) {
        (true, false) => Tri::Only(false),
        (false, true) => Tri::Only(true),
        _ => Tri::Any,
    }
}

fn paged(ids: Vec<i64>, limit: Option<i64>, page: Option<i64>) -> Vec<i64> {
    let Some(limit) = limit.and_then(|n| usize::try_from(n).ok()) else { return ids };
    let before = usize::try_from(page.unwrap_or(1) - 1).unwrap_or(0).saturating_mul(limit);
    ids.into_iter().skip(before).take(limit).collect()
}

/// GET|HEAD /shadow_attributes/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let found = request.service.read(&request.actor, |r| {
        let proposal = r.proposal(reference)?.filter(|p| !p.deleted).ok_or(Error::NotFound("proposal"))?;
        let bytes = r.proposal_bytes(&proposal)?;
        Ok((proposal, bytes))
    });
    let (proposal, bytes) = found.map_err(missing)?;
    if request.is_head() {
        return Ok(Answer::exists());
    }
    Ok(document(|w| write_viewed_proposal(w, &proposal, bytes.as_deref())))
}

/// GET /shadow_attributes/download/{id}: the file that a proposal brings, as it is kept.
pub(crate) fn download(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let found = request.service.read(&request.actor, |r| {
        let proposal = r.proposal(reference)?.filter(|p| !p.deleted).ok_or(Error::NotFound("proposal"))?;
        let bytes = r.proposal_bytes(&proposal)?;
        Ok((proposal, bytes))
    });
    let (proposal, bytes) = found.map_err(missing)?;
    let bytes = bytes.ok_or(Failure::NotFound("Proposal not an attachment or malware-sample"))?;
    // A sample is kept as an encrypted archive; what cannot stand in a header is left out of the name.
    let extension = if proposal.kind.name() == "malware-sample" { ".zip" } else { "" };
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    let name: String = proposal.value1.chars().filter(plain).take(200).collect();
    Ok(Answer::json(bytes)
        .header("content-type", "application/octet-stream")
        .header("x-content-type-options", "nosniff")
        .header("content-disposition", format!("attachment; filename=\"{name}{extension}\"")))
}

fn missing(e: Error) -> Failure {
    match e {
        Error::NotFound("proposal") => Failure::NotFound(INVALID),
        other => other.into(),
    }
}

/// MISP tells what is wrong with a proposal in one sentence, with 404 (semantics 6.2).
fn not_saved(request: &Request, e: Error) -> Failure {
    match e {
        Error::Invalid(errors) => {
            let told: String = errors
                .iter()
                .map(|FieldError { field, message }| format!("[{field}]: {message}\n"))
                .collect();
            let message = format!("Could not save the proposal. Errors: {told}");
            Failure::Own(StatusCode::NOT_FOUND, body::exception(&message, &request.path.raw))
        }
        Error::Refused(reason) => Failure::NotAllowed(reason),
        other => other.into(),
    }
}

/// POST /shadow_attributes/add/{event}
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let event = request.reference(0, body::INVALID_EVENT)?;
    let draft = pisax_wire::read_proposal(&request.body)?.attribute;
    let saved =
        service::add(&request.service, &request.actor, event, draft).map_err(|e| not_saved(request, e))?;
    Ok(document(|w| write_saved_proposal(w, &saved)))
}

/// POST /shadow_attributes/edit/{attribute}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let attribute = request.reference(0, body::INVALID_ATTRIBUTE)?;
    let draft = pisax_wire::read_proposal(&request.body)?.attribute;
    let saved = service::change(&request.service, &request.actor, attribute, draft)
        .map_err(|e| not_saved(request, e))?;
    Ok(document(|w| write_saved_proposal(w, &saved)))
}

/// POST /shadow_attributes/delete/{attribute}: proposes that it goes.
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let attribute = request.reference(0, body::INVALID_ATTRIBUTE)?;
    service::deletion(&request.service, &request.actor, attribute).map_err(|e| not_saved(request, e))?;
    Ok(told("saved", "success", "The proposal to delete the attribute has been saved"))
}

fn told(flag: &str, name: &str, message: &str) -> Answer {
    document(|w| {
        w.begin_object();
        w.key(flag);
        w.bool(true);
        w.key(name);
        w.str(message);
        w.end_object();
    })
}

/// POST /shadow_attributes/accept/{id}
pub(crate) fn accept(request: &Request) -> Result<Answer, Failure> {
    let refused = || Failure::NotAllowed(NOT_ACCEPTED.into());
    let reference = request.path.arg(0).and_then(Ref::parse).ok_or_else(refused)?;
    let done = service::accept(&request.service, &request.actor, reference).map_err(|e| match e {
        Error::NotFound(_) | Error::Forbidden => refused(),
        Error::Invalid(errors) => {
            Failure::Invalid { action: "accept", model: "ShadowAttribute", errors, id: None }
        }
        other => other.into(),
    })?;
    Ok(closed(request, accepted(done)))
}

fn accepted(asks: Asks) -> &'static str {
    match asks {
        Asks::Addition => "Proposal accepted.",
        Asks::Change | Asks::Deletion => "Proposed change accepted.",
    }
}

/// POST /shadow_attributes/discard/{id}
pub(crate) fn discard(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    service::discard(&request.service, &request.actor, reference).map_err(missing)?;
    Ok(closed(request, "Proposal discarded."))
}

/// Name, message and the whole address (104).
fn closed(request: &Request, message: &str) -> Answer {
    let url = format!("{}{}", request.service.policy.base_url, request.path.raw);
    Answer::json(body::exception(message, &url))
}

/// POST /shadow_attributes/acceptSelected/{event} `{"ids_accept":[…]}`
pub(crate) fn accept_selected(request: &Request) -> Result<Answer, Failure> {
    selected(request, "ids_accept", "accepted", Verdict::Accept)
}

/// POST /shadow_attributes/discardSelected/{event} `{"ids_discard":[…]}`
pub(crate) fn discard_selected(request: &Request) -> Result<Answer, Failure> {
    selected(request, "ids_discard", "deleted", Verdict::Discard)
}

/// All together; those that are not open in the event are left out, and counted.
fn selected(request: &Request, member: &str, done: &str, verdict: Verdict) -> Result<Answer, Failure> {
    let event = crate::events::find(request, request.reference(0, body::INVALID_EVENT)?)?;
    let sent = request.unwrapped("ShadowAttribute")?;
    // Pages of MISP send the list as text.
    let inner: serde_json::Value = sent
        .get(member)
        .and_then(|v| v.as_str())
        .and_then(|t| serde_json::from_str(t).ok())
        .unwrap_or_default();
    let holder = serde_json::json!({ member: if inner.is_array() { inner } else { sent[member].clone() } });
    let mut ids: Vec<i64> = crate::request::texts(&holder, member)
        .unwrap_or_default()
        .iter()
        .filter_map(|t| t.trim().parse().ok())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let closed = service::close(&request.service, &request.actor, Ref::Id(event.id), &ids, verdict);
    let (closed, why) = match closed {
        Ok(closed) => (closed, None),
        // MISP tells of a refusal with status 200.
        Err(e @ (Error::Refused(_) | Error::Invalid(_) | Error::Forbidden | Error::NotFound(_))) => {
            (0, Some(e))
        }
        Err(e) => return Err(e.into()),
    };
    let several = |n: usize| if n == 1 { "" } else { "s" };
    let failed = ids.len() - closed;
    let mut text = format!("{closed} proposal{} {done}", several(closed));
    if failed > 0 || closed == 0 {
        text += &format!(", but {failed} proposal{} could not be {done}", several(failed));
    }
    text.push('.');
    if let Some(why) = why {
        text += &format!(" {why}");
    }
    let all = failed == 0 && closed > 0;
    Ok(document(|w| {
        w.begin_object();
        w.key("saved");
        w.bool(all);
        w.key(if all { "success" } else { "errors" });
        w.str(&text);
        w.end_object();
    }))
}

/// POST /events/pushProposals/{uuid}: what another instance's users propose on an event that is here too.
pub(crate) fn push(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_EVENT)?;
    let drafts = pisax_wire::read_proposals(&request.body)?;
    let event = request.service.read(&request.actor, |r| Ok(r.event(reference)?))?;
    let Some(event) = event else { return Ok(pushed(false, "Event not found.", 0)) };
    let done = service::capture(&request.service, &request.actor, event.uuid, drafts)?;
    Ok(match (done.refused, done.added) {
        (true, n) => pushed(false, "Some of the proposals could not be saved.", n),
        (false, 0) => pushed(true, "Nothing to update.", 0),
        (false, n) => pushed(true, &format!("{n} Proposal(s) added."), n),
    })
}

fn pushed(success: bool, message: &str, counter: usize) -> Answer {
    document(|w| {
        w.begin_object();
        w.key("success");
        w.bool(success);
        w.key("message");
        w.str(message);
        w.key("counter");
        w.int(counter as i64);
        w.end_object();
    })
}

/// Open proposals by the attribute they are about; 0 holds those of new ones.
#[derive(Default)]
pub(crate) struct Open(FxHashMap<i64, Vec<Proposal>>);

impl Open {
    pub(crate) fn new(proposals: Vec<Proposal>) -> Self {
        let mut by_attribute: FxHashMap<i64, Vec<Proposal>> = FxHashMap::default();
        for proposal in proposals {
            by_attribute.entry(proposal.attribute_id).or_default().push(proposal);
        }
        Self(by_attribute)
    }

    /// Reads the ones about these attributes.
    pub(crate) fn about(r: &mut Reader<'_>, attributes: &[i64]) -> Result<Self, pisax_store::Error> {
        Ok(Self::new(r.proposals_of_attributes(attributes)?))
    }

    /// Attributes that one of them would delete or take out of detection.
    pub(crate) fn doubted(&self) -> impl Iterator<Item = i64> {
        self.0.values().flatten().filter(|p| p.to_delete || !p.to_ids).map(|p| p.attribute_id)
    }

    pub(crate) fn of(&self, attribute_id: i64) -> &[Proposal] {
        self.0.get(&attribute_id).map_or(&[], Vec::as_slice)
    }

    /// The list about an attribute as JSON, without files; empty for none.
    pub(crate) fn bare_list(&self, attribute_id: i64) -> Vec<u8> {
        let mut out = Vec::new();
        for proposal in self.of(attribute_id) {
            out.push(if out.is_empty() { b'[' } else { b',' });
            write_inner_proposal(&mut JsonWriter::new(&mut out), proposal, None);
        }
        if !out.is_empty() {
            out.push(b']');
        }
        out
    }
}

/// Writes one proposal inside an event; its file is read only now, as files can be of any size.
pub(crate) fn write_inside(
    r: &mut Reader<'_>,
    proposal: &Proposal,
    with_file: bool,
    out: &mut Vec<u8>,
) -> Result<(), pisax_store::Error> {
    let holds_file = matches!(proposal.kind.name(), "attachment" | "malware-sample");
    let bytes = if holds_file && with_file { r.proposal_bytes(proposal)? } else { None };
    write_inner_proposal(&mut JsonWriter::new(out), proposal, bytes.as_deref());
    Ok(())
}
