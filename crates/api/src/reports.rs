//! `/eventReports/…`, and the reports inside an event.

use crate::analyst_tree::AnalystTree;
use crate::answer::{Answer, Sink, Stop};
use crate::event_writer::org_summary;
use crate::failure::{Failure, Saving};
use crate::reply::{document, saved};
use crate::request::{Request, flag, number, text};
use http::StatusCode;
use pisax_model::event::Event;
use pisax_model::filter::Tri;
use pisax_model::ids::Ref;
use pisax_model::report::EventReport;
use pisax_model::sharing::SharingGroup;
use pisax_service::Error;
use pisax_service::report::{self as service, Removal};
use pisax_store::Reader;
use pisax_store::attributes::Wanted;
use pisax_store::orgs::OrgName;
use pisax_store::reports::ReportQuery;
use pisax_wire::JsonWriter;
use pisax_wire::analyst_out::AnalystShape;
use pisax_wire::answer as body;
use pisax_wire::event_out::GroupSummary;
use pisax_wire::report_out::{write_event_report, write_report};
use rustc_hash::FxHashMap;
use std::sync::Arc;

pub(crate) const INVALID: &str = "Invalid report";
/// Reports read at a time: each can be some MiB.
const BATCH: i64 = 50;

/// Reports with what stands around them.
pub(crate) struct Shelf {
    reports: Vec<EventReport>,
    events: FxHashMap<i64, Event>,
    orgs: FxHashMap<i64, OrgName>,
    groups: FxHashMap<i64, SharingGroup>,
    analyst: AnalystTree,
}

impl Shelf {
    pub(crate) fn load(r: &mut Reader<'_>, reports: Vec<EventReport>) -> pisax_service::Result<Self> {
        let mut ids: Vec<i64> = reports.iter().map(|report| report.event_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let events: FxHashMap<i64, Event> =
            r.events_by_ids(&ids)?.into_iter().map(|event| (event.id, event)).collect();
        let orgs: Vec<i64> = events.values().flat_map(|e| [e.org_id, e.orgc_id]).collect();
        let groups: Vec<i64> = reports.iter().map(|r| r.sharing_group_id).filter(|id| *id > 0).collect();
        let uuids: Vec<_> = reports.iter().map(|report| report.uuid).collect();
        Ok(Self {
            orgs: r.org_names(&orgs)?,
            groups: r.sharing_groups_by_ids(&groups)?,
            analyst: AnalystTree::load(r, &uuids)?,
            events,
            reports,
        })
    }

    /// Writes each; analyst data stands beside the report.
    fn write(&self, report: &EventReport, w: &mut JsonWriter<'_>) {
        let Some(event) = self.events.get(&report.event_id) else { return };
        let group = self.groups.get(&report.sharing_group_id);
        let group = group.map(|g| GroupSummary { id: g.id, name: &g.name, uuid: g.uuid });
        let (org, orgc) = (org_summary(&self.orgs, event.org_id), org_summary(&self.orgs, event.orgc_id));
        let more = self.analyst.members(&report.uuid, AnalystShape::Whole);
        write_report(w, report, event, org, orgc, group, &more);
    }

    pub(crate) fn write_first(&self, w: &mut JsonWriter<'_>) {
        if let Some(report) = self.reports.first() {
            self.write(report, w);
        }
    }
}

/// The report by id or uuid with what stands around it.
pub(crate) fn shelf(request: &Request, reference: Ref) -> Result<Shelf, Failure> {
    let found = request.service.read(&request.actor, |r| match r.report(reference)? {
        Some(report) => Shelf::load(r, vec![report]).map(Some),
        None => Ok(None),
    })?;
    found.ok_or(Failure::NotFound(INVALID))
}

fn answer(request: &Request, reference: Ref) -> Result<Answer, Failure> {
    let shelf = shelf(request, reference)?;
    Ok(document(|w| shelf.write_first(w)))
}

/// MISP answers 401 to who may not change a report.
pub(crate) fn unauthorised(request: &Request) -> impl Fn(Error) -> Failure + '_ {
    |e| match e {
        Error::Forbidden => {
            Failure::Own(StatusCode::UNAUTHORIZED, body::exception(body::NOT_AUTHORISED, &request.path.raw))
        }
        other => other.into(),
    }
}

/// GET /eventReports/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    answer(request, request.reference(0, INVALID)?)
}

/// POST /eventReports/add/{event}
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let event = request.reference(0, body::INVALID_EVENT)?;
    let draft = pisax_wire::read_report(&request.body)?;
    let id = service::add(&request.service, &request.actor, event, draft).saving("add", "EventReport")?;
    // The creator may add what only the owner sees: it is saved all the same.
    match answer(request, Ref::Id(id)) {
        Err(Failure::NotFound(_)) => Ok(saved(request, "Report saved.")),
        other => other,
    }
}

/// POST /eventReports/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let draft = pisax_wire::read_report(&request.body)?;
    let id = service::edit(&request.service, &request.actor, reference, draft).map_err(|e| match e {
        Error::Invalid(errors) => Failure::Invalid { action: "edit", model: "EventReport", errors, id: None },
        other => unauthorised(request)(other),
    })?;
    match answer(request, Ref::Id(id)) {
        Err(Failure::NotFound(_)) => Ok(saved(request, "Report saved.")),
        other => other,
    }
}

/// POST /eventReports/delete/{id}[/1], `{"hard":…}`
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let hard = request.path.arg(1).is_some_and(|a| a == "1" || a == "true")
        || flag(&request.unwrapped("EventReport")?, "hard").unwrap_or(false);
    let (how, word) = if hard { (Removal::Hard, "hard") } else { (Removal::Soft, "soft") };
    service::remove(&request.service, &request.actor, reference, how).map_err(unauthorised(request))?;
    Ok(saved(request, &format!("Event Report {reference} {word} deleted")))
}

/// POST /eventReports/restore/{id}
pub(crate) fn restore(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    service::restore(&request.service, &request.actor, reference).map_err(unauthorised(request))?;
    Ok(saved(request, &format!("Event Report {reference} restored")))
}

/// GET|POST /eventReports/index[/event_id:…/context:deleted|all/value:…/limit:…/page:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("EventReport")?;
    let said = |name: &str| request.path.named(name).map(str::to_owned).or_else(|| text(&sent, name));
    let positive = |name: &str| {
        let named = request.path.named(name).and_then(|v| v.parse().ok());
        named.or_else(|| number(&sent, name)).filter(|n: &i64| *n > 0)
    };
    let event_id = match said("event_id").filter(|id| !id.is_empty()) {
        None => None,
        Some(named) => {
            let reference = Ref::parse(&named);
            let found = request.service.read(&request.actor, |r| match reference {
                Some(reference) => Ok(r.event(reference)?),
                None => Ok(None),
            })?;
            match found {
                Some(event) => Some(event.id),
                // Nothing of it is visible, as of an event without reports.
                None => return Ok(Answer::json(b"[]".to_vec())),
            }
        }
    };
    let limit = positive("limit");
    let mut query = ReportQuery {
        event_id,
        deleted: match said("context").as_deref() {
            Some("deleted") => Tri::Only(true),
            Some("all") => Tri::Any,
            _ => Tri::Only(false),
        },
        text: said("value").filter(|value| !value.is_empty()),
        limit: limit.unwrap_or(BATCH),
        page: positive("page").unwrap_or(1),
        after: 0,
    };
    if limit.is_some_and(|limit| limit > BATCH) {
        return Ok(paged(request, query));
    }
    let (service, actor) = (Arc::clone(&request.service), request.actor.clone());
    let whole = limit.is_none();
    if whole {
        query.page = 1;
    }
    Ok(Answer::stream(move |sink: &mut Sink| {
        sink.buffer().push(b'[');
        let mut first = true;
        loop {
            let shelf = service.read(&actor, |r| {
                let found = r.find_reports(&query)?;
                Shelf::load(r, found)
            })?;
            write_all(&shelf, &mut first, sink)?;
            match shelf.reports.last() {
                Some(last) if whole && shelf.reports.len() as i64 == BATCH => query.after = last.id,
                _ => break,
            }
        }
        sink.buffer().push(b']');
        Ok(())
    }))
}

/// A page longer than a batch, in batches.
fn paged(request: &Request, mut query: ReportQuery) -> Answer {
    let (service, actor) = (Arc::clone(&request.service), request.actor.clone());
    let (mut left, skip) = (query.limit, query.limit.saturating_mul(query.page - 1));
    Answer::stream(move |sink: &mut Sink| {
        sink.buffer().push(b'[');
        let (mut first, mut skip) = (true, skip);
        while left > 0 {
            let shelf = service.read(&actor, |r| {
                query.limit = left.min(BATCH);
                let found = r.find_reports_from(&query, skip)?;
                Shelf::load(r, found)
            })?;
            skip = 0;
            write_all(&shelf, &mut first, sink)?;
            left -= query.limit;
            match shelf.reports.last() {
                Some(last) if shelf.reports.len() as i64 == query.limit => query.after = last.id,
                _ => break,
            }
        }
        sink.buffer().push(b']');
        Ok(())
    })
}

fn write_all(shelf: &Shelf, first: &mut bool, sink: &mut Sink) -> Result<(), Stop> {
    for report in shelf.reports.iter().filter(|report| shelf.events.contains_key(&report.event_id)) {
        if !std::mem::take(first) {
            sink.buffer().push(b',');
        }
        shelf.write(report, &mut JsonWriter::new(sink.buffer()));
        sink.flush_full()?;
    }
    Ok(())
}

/// The items of `"EventReport":[…]` of an event, with analyst data in them where that is wanted. `groups` holds
/// the objects of the sharing groups they have.
pub(crate) fn write_inside(
    r: &mut Reader<'_>,
    event: &Event,
    wanted: Wanted,
    analyst: bool,
    mut group: impl FnMut(&mut Reader<'_>, &[i64]) -> Result<FxHashMap<i64, Vec<u8>>, Stop>,
    sink: &mut Sink,
) -> Result<(), Stop> {
    let (mut after, mut first) = (0, true);
    loop {
        let reports = r.event_reports(event, wanted, after, BATCH)?;
        let Some(last) = reports.last() else { return Ok(()) };
        after = last.id;
        let uuids: Vec<_> = reports.iter().map(|report| report.uuid).collect();
        let tree = if analyst { AnalystTree::load(r, &uuids)? } else { AnalystTree::default() };
        let ids: Vec<i64> =
            reports.iter().map(|report| report.sharing_group_id).filter(|id| *id > 0).collect();
        let groups = if ids.is_empty() { FxHashMap::default() } else { group(r, &ids)? };
        for report in &reports {
            if !std::mem::take(&mut first) {
                sink.buffer().push(b',');
            }
            let mut more = Vec::new();
            if let Some(group) = groups.get(&report.sharing_group_id) {
                more.extend_from_slice(b"\"SharingGroup\":");
                more.extend_from_slice(group);
            }
            let said = tree.members(&report.uuid, AnalystShape::Whole);
            if !said.is_empty() {
                if !more.is_empty() {
                    more.push(b',');
                }
                more.extend_from_slice(&said);
            }
            write_event_report(&mut JsonWriter::new(sink.buffer()), report, &more);
            sink.flush_full()?;
        }
        if (reports.len() as i64) < BATCH {
            return Ok(());
        }
    }
}
