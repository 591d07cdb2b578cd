//! `/sightings/…`

use crate::answer::{Answer, Sink};
use crate::failure::Failure;
use crate::reply::{document, list, member, number_member, saved};
use crate::request::{Request, text};
use crate::restsearch::{refuse_ignored, tell_ignored};
use pisax_model::attribute::AttributeView;
use pisax_model::event::Event;
use pisax_model::filter::Terms;
use pisax_model::ids::Ref;
use pisax_model::sighting::{Sighting, SightingDraft};
use pisax_service::sighting::{self as service, Of};
use pisax_service::{Error, org};
use pisax_store::Reader;
use pisax_store::attributes::Batch;
use pisax_store::orgs::OrgName;
use pisax_store::sightings::{Sighted, SightingQuery};
use pisax_wire::admin_out::{write_listed_sighting, write_saved_sighting, write_search_sighting};
use pisax_wire::answer as body;
use pisax_wire::{JsonWriter, SightingContext, SightingSearch};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::Arc;

const INVALID: &str = "Invalid sighting";
/// Sightings read at once.
const PAGE: usize = 5000;
/// Events, attributes or organisations that a search names.
const NAMED: usize = 1000;

/// POST /sightings/add[/{attribute}]. What cannot be added is told with status 200, as MISP does.
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    if request.path.arg(0).is_none()
        && let Some(filtered) = filtered(request)?
    {
        return filtered;
    }
    let mut drafts = match request.body.is_empty() {
        true => Vec::new(),
        false => pisax_wire::read_sightings(&request.body)?,
    };
    if drafts.is_empty() {
        drafts.push(SightingDraft::default());
    }
    if let Some(named) = request.path.arg(0) {
        let attribute = Ref::parse(named);
        drafts.iter_mut().for_each(|draft| {
            draft.attribute = attribute;
            draft.values.clear();
        });
    }
    added(service::add(&request.service, &request.actor, &drafts))
}

/// `filters` say which of the attributes with these values are meant, as an attribute search does.
fn filtered(request: &Request) -> Result<Option<Result<Answer, Failure>>, Failure> {
    // A list of sightings has no such member; anything that is no JSON is told of by who reads it whole.
    let Ok(sent) = request.unwrapped("Sighting") else { return Ok(None) };
    let Some(filters) = sent.get("filters").and_then(|f| f.as_object()).filter(|f| !f.is_empty()) else {
        return Ok(None);
    };
    let mut drafts = pisax_wire::read_sightings(&request.body)?;
    let draft = drafts.pop().filter(|draft| draft.attribute.is_none());
    let Some(draft) = draft else { return Ok(None) };
    if draft.values.is_empty() {
        return Ok(Some(Ok(not_added("No valid attributes found."))));
    }
    let mut search = filters.clone();
    search.insert("value".into(), draft.values.clone().into());
    let body = serde_json::Value::from(search).to_string();
    let scope = pisax_model::filter::Scope::Attributes;
    let filter = pisax_wire::read_search(scope, body.as_bytes(), &[], request.now())?.filter;
    Ok(Some(added(service::add_where(&request.service, &request.actor, &filter, &draft))))
}

fn added(done: Result<Sighting, Error>) -> Result<Answer, Failure> {
    match done {
        Ok(sighting) => Ok(document(|w| write_saved_sighting(w, &sighting))),
        Err(Error::NotFound(_)) => Ok(not_added("No valid attributes found that match the criteria.")),
        Err(e @ (Error::Refused(_) | Error::Invalid(_))) => Ok(not_added(&e.to_string())),
        Err(e) => Err(e.into()),
    }
}

fn not_added(reason: &str) -> Answer {
    Answer::json(body::message(&format!("Could not add the Sighting. Reason: {reason}")))
}

/// POST /sightings/bulkSaveSightings/{event}: what another instance, or a sensor, saw.
pub(crate) fn bulk_save(request: &Request) -> Result<Answer, Failure> {
    let missing = || Failure::NotAllowed("Event not found or not accessible by this user.".into());
    let event = request.path.arg(0).and_then(Ref::parse).ok_or_else(missing)?;
    let drafts = pisax_wire::read_incoming_sightings(&request.body)?;
    let saved = service::capture(&request.service, &request.actor, event, drafts).map_err(|e| match e {
        Error::NotFound("event") => missing(),
        other => other.into(),
    })?;
    Ok(document(|w| {
        w.begin_object();
        w.key("saved");
        w.bool(saved > 0);
        let success =
            if saved > 0 { format!("{saved} sightings added.") } else { "No sightings added.".into() };
        member(w, "success", &success);
        w.end_object();
    }))
}

/// POST /sightings/filterSightingUuidsForPush/{event} `[uuid]`: those that are here already.
pub(crate) fn filter_uuids(request: &Request) -> Result<Answer, Failure> {
    let event = request.reference(0, "Event not found")?;
    let sent = serde_json::json!({ "uuids": request.value()? });
    let uuids: Vec<pisax_model::Uuid> = crate::request::texts(&sent, "uuids")
        .unwrap_or_default()
        .iter()
        .filter_map(|text| pisax_model::Uuid::try_parse(text.trim()).ok())
        .collect();
    let known = service::known(&request.service, &request.actor, event, &uuids).map_err(|e| match e {
        Error::NotFound(_) => Failure::NotFound("Event not found"),
        other => other.into(),
    })?;
    Ok(list(&known, |w, uuid| w.uuid(*uuid)))
}

/// POST /events/publishSightings/{event}
pub(crate) fn publish(request: &Request) -> Result<Answer, Failure> {
    let event = request.reference(0, body::INVALID_EVENT)?;
    let id = service::publish(&request.service, &request.actor, event)?;
    let base = &request.service.policy.base_url;
    Ok(document(|w| {
        w.begin_object();
        member(w, "name", "Publish Sightings");
        member(w, "message", "Sightings published");
        member(w, "url", &format!("{base}/events/publishSightings/{id}"));
        number_member(w, "id", id);
        w.end_object();
    }))
}

/// GET /sightings/view/{id|uuid}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, "Invalid sighting.")?;
    let found = request.service.read(&request.actor, |r| Ok(r.sighting(reference)?))?;
    let found = found.ok_or(Failure::NotFound("Invalid sighting."))?;
    Ok(document(|w| write_listed_sighting(w, &found)))
}

/// POST /sightings/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(saved(request, "Sighting successfully deleted."))
}

/// GET|POST /sightings/index[/{event}]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let of = match request.path.arg(0) {
        None => None,
        Some(_) => Some(Of::Event(request.reference(0, body::INVALID_EVENT)?)),
    };
    answer_list(request, of, text(&request.unwrapped("Sighting")?, "org_id"))
}

/// GET|POST /sightings/listSightings[/{id}/{attribute|event}[/{org}]], or the same in the body
pub(crate) fn list_sightings(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Sighting")?;
    let said = |i: usize, name: &str| request.path.arg(i).map(str::to_owned).or_else(|| text(&sent, name));
    let id = said(0, "id").and_then(|id| Ref::parse(&id));
    let event = said(1, "context").as_deref() == Some("event");
    let missing = if event { body::INVALID_EVENT } else { body::INVALID_ATTRIBUTE };
    let id = id.ok_or(Failure::NotFound(missing))?;
    let of = if event { Of::Event(id) } else { Of::Attribute(id) };
    answer_list(request, Some(of), said(2, "org_id"))
}

fn answer_list(request: &Request, of: Option<Of>, org: Option<String>) -> Result<Answer, Failure> {
    let org = match org.filter(|text| !matches!(text.as_str(), "" | "0")) {
        None => None,
        Some(name) => {
            let found = request.service.read(&request.actor, |r| org::find(r, &name))?;
            Some(found.ok_or(Failure::NotFound("Invalid organisation"))?.id)
        }
    };
    let (service, actor) = (Arc::clone(&request.service), request.actor.clone());
    let query = service.read(&actor, |r| service::query(r, of, org))?;
    let next = move |after: i64| {
        let query = SightingQuery { after, ..query.clone() };
        service.read(&actor, |r| Found::load(r, &query, &SightingSearch::default()))
    };
    let frame = Frame { open: b"[".into(), between: b",", close: b"]" };
    in_pages(next, frame, |_, sighting, out| write_listed_sighting(&mut JsonWriter::new(out), sighting))
}

/// GET|POST /sightings/restSearch[/{attribute|event}]
pub(crate) fn search(request: &Request) -> Result<Answer, Failure> {
    let mut params = request.path.named.clone();
    if let Some(context) = request.path.arg(0).filter(|a| matches!(*a, "attribute" | "event")) {
        params.push(("context".into(), context.into()));
    }
    let search = pisax_wire::read_sighting_search(&request.body, &params, request.now())?;
    if !matches!(search.format.as_str(), "json" | "csv") {
        return Err(Failure::NotFound(body::INVALID_FORMAT));
    }
    refuse_ignored(request, &search.ignored)?;
    if search.context.is_some() && search.references.is_empty() {
        return Err(Failure::NotAllowed("An ID or UUID must be provided if the context is set.".into()));
    }
    if search.references.len() > NAMED || search.org.or.len() + search.org.not.len() > NAMED {
        return Err(Failure::NotAllowed(format!("At most {NAMED} of `id`, `uuid` or `org_id` at once.")));
    }
    let (csv, ignored) = (search.format == "csv", search.ignored.clone());
    let frame = match csv {
        true => Frame { open: columns(&search), between: b"", close: b"" },
        false => Frame { open: b"{\"response\":[".into(), between: b",", close: b"]}" },
    };
    let (service, actor, search) = (Arc::clone(&request.service), request.actor.clone(), Arc::new(search));
    let asked = Arc::clone(&search);
    let query = service.read(&actor, |r| query(r, &asked))?;
    let next = move |after: i64| {
        let Some(query) = &query else { return Ok(Found::default()) };
        let query = SightingQuery { after, ..query.clone() };
        service.read(&actor, |r| Found::load(r, &query, &asked))
    };
    let answer = if csv {
        in_pages(next, frame, move |found, sighting, out| found.csv(out, sighting, &search))?
            .header("content-type", "text/csv; charset=UTF-8")
    } else {
        in_pages(next, frame, move |found, sighting, out| found.write(out, sighting, &search))?
    };
    Ok(tell_ignored(answer, &ignored))
}

/// What stands around the rows of a list.
struct Frame {
    open: Vec<u8>,
    between: &'static [u8],
    close: &'static [u8],
}

/// A list of any length in pages of [`PAGE`]. The first is read before the head is sent, so that a refusal still is
/// one; a list that ends with it is sent whole.
fn in_pages(
    next: impl Fn(i64) -> Result<Found, Error> + Send + 'static,
    frame: Frame,
    write: impl Fn(&Found, &Sighting, &mut Vec<u8>) + Send + 'static,
) -> Result<Answer, Failure> {
    let mut page = next(0)?;
    let short = page.more_after.is_none();
    let produce = move |sink: &mut Sink| {
        sink.buffer().extend_from_slice(&frame.open);
        let mut begun = false;
        loop {
            for sighting in &page.sightings {
                if std::mem::replace(&mut begun, true) {
                    sink.buffer().extend_from_slice(frame.between);
                }
                write(&page, sighting, sink.buffer());
                sink.flush_full()?;
            }
            let Some(after) = page.more_after else { break };
            page = next(after)?;
        }
        sink.buffer().extend_from_slice(frame.close);
        Ok(())
    };
    if short { Answer::short(produce) } else { Ok(Answer::stream(produce)) }
}

/// What to ask the store; nothing when what the search names does not exist for the reader.
fn query(r: &mut Reader<'_>, search: &SightingSearch) -> Result<Option<SightingQuery>, Error> {
    let mut query =
        SightingQuery { date: search.date, sources: search.source.or.clone(), ..SightingQuery::default() };
    match search.context {
        Some(SightingContext::Event) => {
            let mut ids = Vec::new();
            for reference in &search.references {
                ids.extend(r.event(*reference)?.map(|event| event.id));
            }
            query.sighted = Some(Sighted::Events(ids));
        }
        Some(SightingContext::Attribute) => {
            let mut ids = Vec::new();
            for reference in &search.references {
                ids.extend(r.attribute(*reference)?.map(|batch| batch.ids()).unwrap_or_default());
            }
            query.sighted = Some(Sighted::Attributes(ids));
        }
        None => query.reference = search.references.first().copied(),
    }
    if matches!(&query.sighted, Some(Sighted::Events(ids) | Sighted::Attributes(ids)) if ids.is_empty()) {
        return Ok(None);
    }
    query.org_ids = org_ids(r, &search.org.or)?;
    query.not_org_ids = org_ids(r, &search.org.not)?;
    if query.org_ids.is_empty() && !search.org.or.is_empty() {
        return Ok(None);
    }
    query.kinds = kinds(&search.kind);
    Ok(Some(query))
}

fn org_ids(r: &mut Reader<'_>, names: &[String]) -> Result<Vec<i64>, Error> {
    let mut ids = Vec::new();
    for name in names {
        ids.extend(org::find(r, name)?.map(|org| org.id));
    }
    Ok(ids)
}

/// The wanted types; all but those excluded when none is named.
fn kinds(terms: &Terms) -> Vec<i64> {
    let codes = |items: &[String]| items.iter().filter_map(|i| i.parse().ok()).collect::<Vec<i64>>();
    let (mut wanted, excluded) = (codes(&terms.or), codes(&terms.not));
    if terms.or.is_empty() {
        if excluded.is_empty() {
            return Vec::new();
        }
        wanted.extend(0..=2);
    }
    wanted.retain(|code| !excluded.contains(code));
    if wanted.is_empty() {
        // None is left, which is not the same as none asked for.
        wanted.push(-1);
    }
    wanted
}

/// A page of sightings with what stands around them.
#[derive(Default)]
struct Found {
    sightings: Vec<Sighting>,
    /// The row after which there may be more.
    more_after: Option<i64>,
    events: FxHashMap<i64, Event>,
    orgs: FxHashMap<i64, OrgName>,
    attributes: Batch,
    places: FxHashMap<i64, usize>,
}

impl Found {
    fn load(r: &mut Reader<'_>, query: &SightingQuery, search: &SightingSearch) -> Result<Self, Error> {
        let mut sightings =
            r.search_sightings(&SightingQuery { limit: Some(PAGE as i64), ..query.clone() })?;
        let more_after = sightings.last().filter(|_| sightings.len() == PAGE).map(|s| s.id);
        let excluded: BTreeSet<&str> = search.source.not.iter().map(String::as_str).collect();
        sightings.retain(|s| !excluded.contains(s.source.as_str()));
        let mut found = Self { more_after, ..Self::default() };
        if search.include_event || search.include_uuid {
            let mut ids: Vec<i64> = sightings.iter().map(|s| s.event_id).collect();
            ids.sort_unstable();
            ids.dedup();
            found.events = r.events_by_ids(&ids)?.into_iter().map(|event| (event.id, event)).collect();
            let orgs: Vec<i64> = found.events.values().map(|event| event.orgc_id).collect();
            found.orgs = r.org_names(&orgs)?;
        }
        if search.include_attribute {
            let ids: Vec<i64> = sightings.iter().map(|s| s.attribute_id).collect();
            found.attributes = r.attributes_by_ids(&ids)?;
            found.places = found.attributes.iter().enumerate().map(|(i, a)| (a.id, i)).collect();
        }
        found.sightings = sightings;
        Ok(found)
    }

    fn write(&self, out: &mut Vec<u8>, sighting: &Sighting, search: &SightingSearch) {
        let mut more = Vec::new();
        self.write_more(&mut more, sighting, search);
        write_search_sighting(&mut JsonWriter::new(out), sighting, &more);
    }

    fn csv(&self, out: &mut Vec<u8>, s: &Sighting, search: &SightingSearch) {
        let own = [s.id, s.attribute_id, s.event_id, s.org_id, s.date_sighting].map(|n| n.to_string());
        let mut fields = own.to_vec();
        fields.extend([s.uuid.to_string(), s.source.clone(), s.kind.to_string()]);
        if search.include_attribute {
            match self.places.get(&s.attribute_id).map(|place| self.attributes.get(*place)) {
                Some(a) => fields.extend([
                    a.uuid.to_string(),
                    a.kind.name().to_owned(),
                    a.category.name().to_owned(),
                    i64::from(a.to_ids).to_string(),
                    a.value().into_owned(),
                ]),
                None => fields.extend(std::iter::repeat_n(String::new(), 5)),
            }
        }
        if search.include_event {
            match self.events.get(&s.event_id) {
                Some(e) => fields.extend([
                    e.uuid.to_string(),
                    e.orgc_id.to_string(),
                    e.org_id.to_string(),
                    e.info.clone(),
                    self.orgs.get(&e.orgc_id).map_or_else(String::new, |org| org.name.clone()),
                ]),
                None => fields.extend(std::iter::repeat_n(String::new(), 5)),
            }
        }
        crate::csv::line(out, fields.iter().map(String::as_str));
    }

    fn write_more(&self, out: &mut Vec<u8>, sighting: &Sighting, search: &SightingSearch) {
        let mut w = JsonWriter::new(out);
        let event = self.events.get(&sighting.event_id);
        if search.include_uuid {
            if let Some(event) = event {
                w.key("event_uuid");
                w.uuid(event.uuid);
            }
            w.key("attribute_uuid");
            w.uuid(sighting.attribute_uuid);
        }
        if let Some(event) = event.filter(|_| search.include_event) {
            w.key("Event");
            let orgc = self.orgs.get(&event.orgc_id).map_or("", |org| org.name.as_str());
            write_event(&mut w, event, orgc);
        }
        if let Some(place) = self.places.get(&sighting.attribute_id) {
            w.key("Attribute");
            write_attribute(&mut w, &self.attributes.get(*place));
        }
    }
}

/// The head of the csv, columns and quoting as MISP's.
fn columns(search: &SightingSearch) -> Vec<u8> {
    let mut columns =
        vec!["id", "attribute_id", "event_id", "org_id", "date_sighting", "uuid", "source", "type"];
    if search.include_attribute {
        columns.extend(["attribute_uuid", "attribute_type", "attribute_category", "attribute_to_ids"]);
        columns.push("attribute_value");
    }
    if search.include_event {
        columns.extend(["event_uuid", "event_orgc_id", "event_org_id", "event_info", "event_Orgc_name"]);
    }
    let mut out = columns.join(",").into_bytes();
    out.push(b'\n');
    out
}

fn write_event(w: &mut JsonWriter<'_>, event: &Event, orgc: &str) {
    w.begin_object();
    number_member(w, "id", event.id);
    w.key("uuid");
    w.uuid(event.uuid);
    number_member(w, "orgc_id", event.orgc_id);
    number_member(w, "org_id", event.org_id);
    member(w, "info", &event.info);
    w.key("Orgc");
    w.begin_object();
    member(w, "name", orgc);
    w.end_object();
    w.end_object();
}

fn write_attribute(w: &mut JsonWriter<'_>, attribute: &AttributeView<'_>) {
    w.begin_object();
    member(w, "value", &attribute.value());
    number_member(w, "id", attribute.id);
    w.key("uuid");
    w.uuid(attribute.uuid);
    member(w, "type", attribute.kind.name());
    member(w, "category", attribute.category.name());
    w.key("to_ids");
    w.bool(attribute.to_ids);
    w.end_object();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excluded_types_leave_the_others() {
        let terms = |or: &[&str], not: &[&str]| {
            let own = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect();
            Terms { or: own(or), and: Vec::new(), not: own(not) }
        };
        assert_eq!(kinds(&terms(&[], &[])), Vec::<i64>::new());
        assert_eq!(kinds(&terms(&["1"], &[])), [1]);
        assert_eq!(kinds(&terms(&[], &["2"])), [0, 1]);
    }
}
