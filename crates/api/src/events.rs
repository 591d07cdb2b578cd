//! `/events/…`

use crate::answer::{Answer, Sink, Stop};
use crate::cryptographic_keys::{proof, signed};
use crate::event_writer::{Shape, org_summary, write_event};
use crate::failure::Failure;
use crate::galaxies::Expanded;
use crate::request::Request;
use http::StatusCode;
use pisax_model::event::Event;
use pisax_model::filter::{Order, Scope, SortKey};
use pisax_model::ids::Ref;
use pisax_service::Error;
use pisax_service::event as service;
use pisax_store::Reader;
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;
use pisax_wire::event_out::{GroupSummary, MinimalEvent, write_index_row, write_minimal_row};
use pisax_wire::include::read_event_view;
use serde_json::Value;
use std::sync::Arc;

/// Events with fewer attributes are answered whole, with a length and an honest status to the end.
const SHORT: i64 = 5000;

pub(crate) fn find(request: &Request, reference: Ref) -> Result<Event, Failure> {
    let found = request.service.read(&request.actor, |r| Ok(r.event(reference)?))?;
    found.ok_or(Failure::NotFound(body::INVALID_EVENT))
}

/// GET|POST|HEAD /events/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let event = find(request, request.reference(0, body::INVALID_EVENT)?)?;
    if request.is_head() {
        return Ok(Answer::exists());
    }
    let mut shape = Shape::new(read_event_view(&request.body, &request.path.named)?);
    // A view always tells what analysts said (213), a search where it is asked to.
    shape.view.include.include_analyst_data = true;
    shape.local_for_sync = true;
    shape.fit(request)?;
    if event.protected == Some(true) {
        let (service, produce) = (Arc::clone(&request.service), event_producer(request, event, shape));
        return Ok(Answer::waiting(move || signed(&service, Answer::short(produce)?)));
    }
    match compared(request).map(str::to_owned).filter(|_| event.attribute_count < SHORT) {
        None => answer_event(request, event, shape),
        // What is to be compared is made whole, with its attachments.
        Some(theirs) => {
            let produce = event_producer(request, event, shape);
            Ok(Answer::waiting(move || Ok(with_etag(Some(&theirs), Answer::short(produce)?))))
        }
    }
}

/// The ETag that the client has.
fn compared(request: &Request) -> Option<&str> {
    request.headers.get("if-none-match").and_then(|v| v.to_str().ok())
}

/// An ETag is made when the client has one to compare (semantics 6.4); streamed answers have none.
fn with_etag(theirs: Option<&str>, answer: Answer) -> Answer {
    let Some(theirs) = theirs else { return answer };
    use std::hash::Hasher;
    let crate::answer::Body::Whole(bytes) = &answer.body else { return answer };
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    let ours = format!("\"{:016x}\"", hasher.finish());
    let bare = theirs.replace("-gzip", "").replace("-br", "");
    if bare.trim_start_matches("W/") == ours {
        return Answer::status(StatusCode::NOT_MODIFIED, Vec::new()).header("etag", ours);
    }
    answer.header("etag", ours)
}

fn event_producer(
    request: &Request,
    event: Event,
    shape: Shape,
) -> impl FnOnce(&mut Sink) -> Result<(), Stop> + Send + 'static {
    let service = Arc::clone(&request.service);
    let actor = request.actor.clone();
    move |sink: &mut Sink| {
        let base = service.policy.base_url.clone();
        sink.held(|sink| service.store.read(&actor, |r| write_event(r, &event, &shape, &base, sink)))
    }
}

fn answer_event(request: &Request, event: Event, shape: Shape) -> Result<Answer, Failure> {
    // Attachments can be of any size: an answer that holds them is streamed.
    let short = event.attribute_count < SHORT && !shape.view.include.with_attachments;
    let produce = event_producer(request, event, shape);
    if short { Answer::short(produce) } else { Ok(Answer::stream(produce)) }
}

/// The event with this row number, as an addition or edit is answered.
pub(crate) fn saved(request: &Request, id: i64) -> Result<Answer, Failure> {
    let event = find(request, Ref::Id(id))?;
    answer_event(request, event, Shape::saved(request.path.flag("metadata"))?)
}

/// POST /events/add
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let mut draft = pisax_wire::read_event(&request.body)?;
    draft.proof = proof(request);
    let added =
        service::add(&request.service, &request.actor, draft).map_err(|e| event_failure(e, "add", None))?;
    if !added.dropped.is_empty() {
        tracing::info!(
            event = added.id,
            dropped = added.dropped.len(),
            "an event was added without some attributes"
        );
    }
    saved(request, added.id)
}

/// POST /events/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_EVENT)?;
    let mut draft = pisax_wire::read_event(&request.body)?;
    draft.proof = proof(request);
    let known = request.service.read(&request.actor, |r| Ok(r.event(reference)?.map(|e| e.id)))?;
    let id = service::edit(&request.service, &request.actor, reference, draft)
        .map_err(|e| event_failure(e, "edit", known))?;
    saved(request, id)
}

/// Events put their field errors below their name and say more than other records.
pub(crate) fn event_failure(e: Error, action: &'static str, id: Option<i64>) -> Failure {
    match e {
        Error::Invalid(errors) => Failure::InvalidEvent { action, errors, id },
        Error::Stale(_) => {
            Failure::NotSaved { action, model: "Event", reason: body::EVENT_NOT_NEWER.into(), id }
        }
        Error::Forbidden => Failure::Refused(body::NOT_AUTHORISED.into()),
        other => other.into(),
    }
}

/// POST /events/delete/{id}, or a list of ids in the body
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let mut wanted = request.path.args.clone();
    if let Some(list) = request.unwrapped("Event")?.get("id") {
        wanted.extend(named(list));
    }
    if wanted.is_empty() {
        return Err(Failure::NotFound(body::INVALID_EVENT));
    }
    let (mut done, mut failed) = (0, 0);
    for name in &wanted {
        // MISP answers 403 for a missing event here, 404 elsewhere.
        let removed = match Ref::parse(name) {
            Some(reference) => service::remove(&request.service, &request.actor, reference),
            None => Err(Error::NotFound("event")),
        };
        match removed {
            Ok(_) => done += 1,
            Err(Error::NotFound(_) | Error::Forbidden) => failed += 1,
            Err(e) => return Err(e.into()),
        }
    }
    let message = match (wanted.len(), done) {
        (1, 0) => "Event was not deleted.".to_owned(),
        (1, _) => "Event deleted.".to_owned(),
        _ => many_deleted(done, failed),
    };
    match done {
        0 => Err(Failure::NotSaved { action: "delete", model: "Event", reason: message, id: None }),
        _ => Ok(Answer::json(body::saved(&message, &request.path.raw, None))),
    }
}

/// Events in a list, alone, or in a list that is written as text.
fn named(value: &Value) -> Vec<String> {
    let one = |item: &Value| match item {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    match value {
        Value::Array(items) => items.iter().filter_map(one).collect(),
        Value::String(text) if text.trim_start().starts_with('[') => {
            serde_json::from_str::<Vec<Value>>(text).unwrap_or_default().iter().filter_map(one).collect()
        }
        other => one(other).into_iter().collect(),
    }
}

fn many_deleted(done: usize, failed: usize) -> String {
    let mut parts = Vec::new();
    match done {
        0 => {}
        1 => parts.push("1 event deleted.".to_owned()),
        _ => parts.push(format!("{done} events deleted.")),
    }
    if failed > 0 {
        parts.push(format!(
            "{failed} event(s) could not be deleted due to insufficient privileges or the event not being found."
        ));
    }
    parts.join(" ")
}

/// POST /events/publish/{id}
pub(crate) fn publish(request: &Request) -> Result<Answer, Failure> {
    let id = service::publish(&request.service, &request.actor, request.reference(0, body::INVALID_EVENT)?)
        .map_err(publishing)?;
    Ok(Answer::json(body::saved("Job queued", &request.path.raw, Some(id))))
}

/// POST /events/unpublish/{id}
pub(crate) fn unpublish(request: &Request) -> Result<Answer, Failure> {
    let id = service::unpublish(&request.service, &request.actor, request.reference(0, body::INVALID_EVENT)?)
        .map_err(publishing)?;
    Ok(Answer::json(body::saved("Event unpublished.", &request.path.raw, Some(id))))
}

/// POST /events/pushEventToZMQ/{id}
pub(crate) fn push_to_zmq(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_EVENT)?;
    match service::send(&request.service, &request.actor, reference) {
        Ok(id) => Ok(Answer::json(body::saved("Event published to ZMQ", &request.path.raw, Some(id)))),
        Err(Error::Refused(reason)) => {
            Err(Failure::NotSaved { action: "pushEventToZMQ", model: "Events", reason, id: None })
        }
        Err(e) => Err(e.into()),
    }
}

pub(crate) fn publishing(e: Error) -> Failure {
    match e {
        Error::Forbidden => Failure::Refused("You do not have the permission to do that.".into()),
        other => other.into(),
    }
}

/// GET|POST /events/index, GET /events
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let (mut filter, options) = pisax_wire::read_index(&request.body, &request.path.named, request.now())?;
    if options.minimal {
        filter.non_empty = true;
    }
    if !request.actor.sees_all() && !filter.creator_email.is_empty() {
        let own = request.owner.user.email.clone();
        let emails = &mut filter.creator_email;
        for list in [&mut emails.or, &mut emails.and, &mut emails.not] {
            list.retain(|email| email.eq_ignore_ascii_case(&own));
        }
        if filter.creator_email.is_empty() {
            filter.eventid.or = vec!["-1".into()];
        }
    }
    if filter.order.is_empty() {
        // The whole list comes oldest first (165), a page of it newest first.
        filter.order = vec![Order { key: SortKey::Id, descending: filter.limit.is_some() }];
    }
    let ids = request.service.read(&request.actor, |r| Ok(r.find(Scope::Events, &filter)?))?;
    let total = ids.len();
    let page = crate::restsearch::page(&filter, ids);
    let service = Arc::clone(&request.service);
    let actor = request.actor.clone();
    let few = page.len() <= if compared(request).is_some() { COMPARED } else { 100 };
    if wants_csv(request) {
        let produce = move |sink: &mut crate::answer::Sink| {
            sink.buffer().extend_from_slice(CSV_COLUMNS);
            for chunk in page.chunks(500) {
                sink.held(|sink| service.store.read(&actor, |r| csv_rows(r, chunk, sink)))?;
            }
            Ok(())
        };
        let answer = Answer::stream(produce).header("content-type", "text/csv; charset=UTF-8");
        return Ok(answer.header("x-result-count", total));
    }
    let produce = move |sink: &mut crate::answer::Sink| {
        sink.buffer().push(b'[');
        let mut first = true;
        for chunk in page.chunks(500) {
            sink.held(|sink| {
                service.store.read(&actor, |r| index_rows(r, chunk, options.minimal, &mut first, sink))
            })?;
        }
        sink.buffer().push(b']');
        Ok(())
    };
    let answer =
        if few { with_etag(compared(request), Answer::short(produce)?) } else { Answer::stream(produce) };
    Ok(answer.header("x-result-count", total))
}

/// Servers that pull compare their list with ours; a longer one is sent anew each time.
const COMPARED: usize = 10_000;

fn wants_csv(request: &Request) -> bool {
    let accept = request.headers.get("accept").and_then(|v| v.to_str().ok()).unwrap_or_default();
    request.path.raw.ends_with(".csv") || accept.trim_start().starts_with("text/csv")
}

/// The columns of the index as CSV (semantics 8.3).
const CSV_COLUMNS: &[u8] =
    b"id,date,info,tags,uuid,published,analysis,attribute_count,orgc_id,orgc_name,orgc_uuid,\
timestamp,distribution,sharing_group_id,threat_level_id,publish_timestamp,extends_uuid\n";

fn csv_rows(r: &mut Reader<'_>, ids: &[i64], sink: &mut crate::answer::Sink) -> Result<(), Stop> {
    let events = r.events_by_ids(ids)?;
    let orgs: Vec<i64> = events.iter().map(|e| e.orgc_id).collect();
    let names = r.org_names(&orgs)?;
    let tags = r.event_tags(ids)?;
    for e in &events {
        let orgc = org_summary(&names, e.orgc_id);
        let attached = tags.get(&e.id).map_or(&[][..], Vec::as_slice);
        let tags: Vec<&str> =
            attached.iter().filter(|t| t.tag.exportable).map(|t| t.tag.name.as_str()).collect();
        let number = |n: i64| n.to_string();
        let row = [
            number(e.id),
            e.date.clone(),
            e.info.clone(),
            tags.join(", "),
            e.uuid.to_string(),
            number(i64::from(e.published)),
            number(e.analysis),
            number(e.attribute_count),
            number(e.orgc_id),
            orgc.name.to_owned(),
            orgc.uuid.to_string(),
            number(e.timestamp),
            number(e.distribution),
            number(e.sharing_group_id),
            number(e.threat_level_id),
            number(e.publish_timestamp),
            e.extends_uuid.map(|uuid| uuid.to_string()).unwrap_or_default(),
        ];
        crate::csv::line(sink.buffer(), row.iter().map(String::as_str));
        sink.flush_full()?;
    }
    Ok(())
}

fn index_rows(
    r: &mut Reader<'_>,
    ids: &[i64],
    minimal: bool,
    first: &mut bool,
    sink: &mut crate::answer::Sink,
) -> Result<(), Stop> {
    let events = r.events_by_ids(ids)?;
    let orgs: Vec<i64> = events.iter().flat_map(|e| [e.org_id, e.orgc_id]).collect();
    let names = r.org_names(&orgs)?;
    let mut tags = if minimal { Default::default() } else { r.event_tags(ids)? };
    // The others stay on the events that carry them.
    tags.values_mut().for_each(|list| list.retain(|t| t.tag.exportable));
    let known = Expanded::load(r, tags.values().flatten())?;
    let groups: Vec<i64> = events.iter().map(|e| e.sharing_group_id).filter(|g| *g > 0).collect();
    let groups = if groups.is_empty() { Default::default() } else { r.sharing_groups_by_ids(&groups)? };
    for event in &events {
        if !std::mem::take(first) {
            sink.buffer().push(b',');
        }
        let orgc = org_summary(&names, event.orgc_id);
        let mut w = JsonWriter::new(sink.buffer());
        if minimal {
            let row = MinimalEvent {
                id: event.id,
                timestamp: event.timestamp,
                sighting_timestamp: event.sighting_timestamp,
                published: event.published,
                uuid: event.uuid,
                orgc_uuid: orgc.uuid,
            };
            write_minimal_row(&mut w, &row);
        } else {
            let group = groups.get(&event.sharing_group_id);
            let group = group.map(|g| GroupSummary { id: g.id, name: &g.name, uuid: g.uuid });
            let attached = tags.get(&event.id).map_or(&[][..], Vec::as_slice);
            let clusters = known.index_member(attached);
            let org = org_summary(&names, event.org_id);
            write_index_row(&mut w, event, org, orgc, group, attached, &clusters);
        }
        sink.flush_full()?;
    }
    Ok(())
}
