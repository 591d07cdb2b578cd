//! `restSearch` of events, attributes and objects: the filter decides, the answer streams.

use crate::answer::{Answer, Sink, Stop};
use crate::event_writer::{Keep, Shape, write_event};
use crate::failure::Failure;
use crate::request::Request;
use crate::rows::Rows;
use pisax_access::Actor;
use pisax_formats::export;
use pisax_model::filter::{Filter, Scope, Tri};
use pisax_model::ids::Ref;
use pisax_service::Service;
use pisax_store::attributes::{Batch, Wanted};
use pisax_wire::JsonWriter;
use pisax_wire::SearchRequest;
use pisax_wire::answer as body;
use pisax_wire::attribute_out::{AttributeContext, write_event_attribute};
use pisax_wire::include::{EventView, Include};
use pisax_wire::object_out::{write_object_event_member, write_object_head};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// Attributes read at a time.
const BATCH: usize = 4000;

/// The part of a result that was asked for.
pub(crate) fn page(filter: &Filter, ids: Vec<i64>) -> Vec<i64> {
    let Some(limit) = filter.limit.filter(|l| *l > 0) else { return ids };
    let skip = (filter.page.max(1) - 1).saturating_mul(limit);
    let (skip, limit) =
        (usize::try_from(skip).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(usize::MAX));
    ids.into_iter().skip(skip).take(limit).collect()
}

/// Positional parameters of a GET, in MISP's order for attributes and events.
const POSITIONS: [&str; 10] =
    ["returnFormat", "value", "type", "category", "org", "tags", "from", "to", "last", "eventid"];

fn read(request: &Request, scope: Scope) -> Result<SearchRequest, Failure> {
    let mut params = request.path.named.clone();
    for (name, value) in POSITIONS.iter().zip(&request.path.args) {
        if !matches!(value.as_str(), "null" | "0" | "false") {
            params.push(((*name).to_owned(), value.replace(';', ":")));
        }
    }
    let mut search = pisax_wire::read_search(scope, &request.body, &params, request.now())?;
    if search.format == "json" && request.path.raw.ends_with(".csv") {
        search.format = "csv".into();
    }
    let json =
        request.headers.get("accept").and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("json"));
    match search.format.as_str() {
        "download" => search.format = "json".into(),
        "stix" => search.format = if json { "stix-json" } else { "stix-xml" }.into(),
        _ => {}
    }
    Ok(search)
}

/// Whether the client names JSON as what it accepts.
pub(crate) fn wants_json(request: &Request) -> bool {
    request.headers.get("accept").and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("json"))
}

/// How many matched, and how many of these were left out afterwards.
#[derive(Clone, Copy)]
struct Found {
    total: usize,
    skipped: usize,
}

fn heads(answer: Answer, format: &str, extension: &str, found: Found) -> Answer {
    answer
        .header("x-result-count", found.total)
        .header("x-export-module-used", format)
        .header("x-response-format", extension)
        .header("x-skipped-elements-count", found.skipped)
}

/// Leaves out what `keep` refuses before anything is sent, so that the headers tell the truth.
fn sift(
    service: &Service,
    actor: &Actor,
    mut ids: Vec<i64>,
    keep: Option<Keep>,
) -> Result<(Vec<i64>, Found), Failure> {
    let total = ids.len();
    if let Some(keep) = keep {
        let mut refused = FxHashSet::default();
        for chunk in ids.chunks(BATCH) {
            let batch = service.read(actor, |r| Ok(r.attributes_by_ids(chunk)?))?;
            refused.extend(batch.iter().filter(|a| !keep(a)).map(|a| a.id));
        }
        ids.retain(|id| !refused.contains(id));
    }
    let skipped = total - ids.len();
    Ok((ids, Found { total, skipped }))
}

/// Attributes that trip over an enabled warninglist are left out, decided in memory.
fn keep(service: &Arc<Service>, enforce: bool) -> Option<Keep> {
    enforce.then(|| {
        let lists = service.warninglists.load();
        Box::new(move |a: &pisax_model::attribute::AttributeView<'_>| {
            !lists.is_hit(a.kind, a.value1, a.value2)
        }) as Keep
    })
}

/// GET|POST /attributes/restSearch
pub(crate) fn attributes(request: &Request) -> Result<Answer, Failure> {
    attributes_of(request, read(request, Scope::Attributes)?)
}

/// The attributes of a search, in the format it asks for.
pub(crate) fn attributes_of(request: &Request, mut search: SearchRequest) -> Result<Answer, Failure> {
    if search.format == "xml" {
        search.format = "json".into();
        return Ok(attributes_of(request, search)?
            .into_xml()
            .header("x-export-module-used", "xml")
            .header("x-response-format", "xml"));
    }
    if search.format != "json" {
        return exported(request, search);
    }
    let service = Arc::clone(&request.service);
    let actor = request.actor.clone();
    let keep = keep(&service, search.filter.enforce_warninglist);
    search.filter.enforce_warninglist = false;
    let everything = service.read(&actor, |r| Ok(r.count_everything(&search.filter)?))?;
    let include = std::mem::take(&mut search.include);
    if let Some(total) = everything.filter(|_| search.filter.limit.is_none() && keep.is_none()) {
        let answer = Answer::stream(move |sink| stream_everything(&service, &actor, include, sink));
        let total = usize::try_from(total).unwrap_or_default();
        return Ok(heads(answer, "json", "json", Found { total, skipped: 0 }));
    }
    let ids = service.read(&actor, |r| Ok(r.find(Scope::Attributes, &search.filter)?))?;
    let (ids, found) = sift(&service, &actor, ids, keep)?;
    let ids = page(&search.filter, ids);
    let short = ids.len() <= 500;
    let produce = move |sink: &mut Sink| {
        sink.buffer().extend_from_slice(b"{\"response\":{\"Attribute\":[");
        let mut rows = Rows::new(&service, &actor, include, None);
        for chunk in ids.chunks(BATCH) {
            let batch = service
                .store
                .read::<Batch, Failure>(&actor, |r| Ok(in_order(r.attributes_by_ids(chunk)?, chunk)))?;
            rows.write(&batch, sink)?;
        }
        sink.buffer().extend_from_slice(b"]}}");
        Ok(())
    };
    let answer = if short { Answer::short(produce)? } else { Answer::stream(produce) };
    Ok(heads(answer, "json", "json", found))
}

/// Rows come by ascending number; a search may have asked for another order.
fn in_order(batch: Batch, ids: &[i64]) -> Batch {
    if ids.is_sorted() { batch } else { batch.ordered(ids) }
}

fn stream_everything(
    service: &Arc<Service>,
    actor: &Actor,
    include: Include,
    sink: &mut Sink,
) -> Result<(), Stop> {
    sink.buffer().extend_from_slice(b"{\"response\":{\"Attribute\":[");
    sink.flush()?;
    let mut rows = Rows::new(service, actor, include, None);
    let mut after = 0;
    loop {
        let batch =
            service.store.read::<Batch, Failure>(actor, |r| Ok(r.attributes_after(after, BATCH as i64)?))?;
        let Some(last) = batch.last_id() else { break };
        after = last;
        rows.write(&batch, sink)?;
    }
    sink.buffer().extend_from_slice(b"]}}");
    Ok(())
}

/// A STIX 2 bundle: everything visible, unless the client asks for less.
fn stix2(request: &Request, mut search: SearchRequest) -> Result<Answer, Failure> {
    let service = Arc::clone(&request.service);
    let actor = request.actor.clone();
    let keep = keep(&service, search.filter.enforce_warninglist);
    search.filter.enforce_warninglist = false;
    let ids = service.read(&actor, |r| Ok(r.find(search.scope, &search.filter)?))?;
    let total = ids.len();
    let ids = page(&search.filter, ids);
    let file = event_file(&ids, "json");
    let to_ids = search.filter.to_ids;
    let key = format!("{} {} {:?}", service.policy.base_url, request.now(), ids.first());
    let without_tags = unwanted_tags(&service, &actor, &search.filter)?;
    let include = search.include;
    let export = crate::stix::Export { service, actor, include, to_ids, without_tags, keep, key };
    let events = search.scope == Scope::Events;
    let answer = if events { export.events(ids) } else { export.attributes(ids) };
    let answer = heads(answer, "stix2", "json", Found { total, skipped: 0 });
    Ok(if events { answer.header("content-disposition", file) } else { answer })
}

/// Tags that were said no to: in a search for events they also trim what is shown of one (semantics 5.8).
fn unwanted_tags(service: &Service, actor: &Actor, filter: &Filter) -> Result<FxHashSet<i64>, Failure> {
    if filter.tags.not.is_empty() {
        return Ok(FxHashSet::default());
    }
    Ok(service.read(actor, |r| Ok(r.tag_ids(&filter.tags.not)?.into_iter().collect()))?)
}

/// What a client saves an answer of events as.
fn event_file(ids: &[i64], extension: &str) -> String {
    match ids {
        [one] => format!("attachment; filename=\"misp.event.{one}.{extension}\""),
        _ => format!("attachment; filename=\"misp.event.list.{extension}\""),
    }
}

/// Formats other than JSON: attribute by attribute.
fn exported(request: &Request, mut search: SearchRequest) -> Result<Answer, Failure> {
    if search.format == "stix2" {
        return stix2(request, search);
    }
    let options = export_options(request, &search);
    let mut format =
        export::by_name(&search.format, &options).ok_or(Failure::NotFound(body::INVALID_FORMAT))?;
    if format.restrictive() {
        search.restrict();
    }
    search.include.include_event_tags |= format.wants_event_tags();
    search.include.include_sightings |= format.wants_sightings();
    let service = Arc::clone(&request.service);
    let actor = request.actor.clone();
    let keep = keep(&service, search.filter.enforce_warninglist);
    let ids = service.read(&actor, |r| Ok(r.find(search.scope, &search.filter)?))?;
    let total = ids.len();
    let ids = page(&search.filter, ids);
    let (name, extension, content_type) = (search.format.clone(), format.extension(), format.content_type());
    let file = (search.scope == Scope::Events).then(|| event_file(&ids, extension));
    let include = std::mem::take(&mut search.include);
    let to_ids = search.filter.to_ids;
    let without_tags = match search.scope {
        Scope::Events => unwanted_tags(&service, &actor, &search.filter)?,
        _ => FxHashSet::default(),
    };
    let produce = move |sink: &mut Sink| {
        format.begin(sink.buffer());
        let mut rows = Rows::new(&service, &actor, include, keep);
        rows.without_tags = without_tags;
        for section in 0..format.sections() {
            format.begin_section(section, sink.buffer());
            match search.scope {
                Scope::Events => {
                    for id in &ids {
                        export_event(&service, &actor, *id, to_ids, &mut rows, format.as_mut(), sink)?;
                    }
                }
                _ => {
                    for pass in 0..format.passes() {
                        format.begin_pass(pass, sink.buffer());
                        for chunk in ids.chunks(BATCH) {
                            let batch = service.store.read::<Batch, Failure>(&actor, |r| {
                                Ok(in_order(r.attributes_by_ids(chunk)?, chunk))
                            })?;
                            rows.export(&batch, Tri::Any, format.as_mut(), sink)?;
                        }
                    }
                }
            }
        }
        format.end(sink.buffer());
        Ok(())
    };
    let answer = Answer::stream(produce).header("content-type", content_type);
    let answer = heads(answer, &name, extension, Found { total, skipped: 0 });
    Ok(match file {
        Some(file) => answer.header("content-disposition", file),
        None => answer,
    })
}

/// One event in another format, as often as the format needs to hear of it.
fn export_event(
    service: &Service,
    actor: &Actor,
    id: i64,
    to_ids: Tri,
    rows: &mut Rows<'_>,
    format: &mut dyn export::AttributeFormat,
    sink: &mut Sink,
) -> Result<(), Stop> {
    if !rows.announce(id, format, sink)? {
        return Ok(());
    }
    for pass in 0..format.passes() {
        format.begin_pass(pass, sink.buffer());
        each_of_event(service, actor, id, |batch| rows.export(batch, to_ids, format, sink))?;
    }
    format.end_event(sink.buffer());
    Ok(())
}

/// What the client, the instance and the moment say of a format.
fn export_options(request: &Request, search: &SearchRequest) -> export::ExportOptions {
    let include = &search.include;
    let option = |name: &str| include.option(name).map(str::to_owned);
    export::ExportOptions {
        scope: if search.scope == Scope::Events { export::Scope::Events } else { export::Scope::Attributes },
        now: request.now(),
        include_context: include.include_context,
        headerless: include.headerless,
        requested_attributes: include.requested_attributes.clone(),
        requested_obj_attributes: include.requested_object_attributes.clone(),
        include_event_uuid: include.include_event_uuid,
        hash_type: option("hash_type"),
        ip_address: option("ip_address"),
        netfilter_action: option("netfilter_action"),
        rpz: export::RpzOptions {
            policy: option("policy"),
            walled_garden: option("walled_garden"),
            ns: option("ns"),
            ns_alt: option("ns_alt"),
            email: option("email"),
            serial: option("serial"),
            refresh: option("refresh"),
            retry: option("retry"),
            expiry: option("expiry"),
            minimum_ttl: option("minimum_ttl"),
            ttl: option("ttl"),
        },
        stix_version: option("stix-version"),
        base_url: request.service.policy.base_url.clone(),
        org: request.owner.org.name.clone(),
        nids_sid: request.owner.user.nids_sid,
        zeek_type: option("zeek_type"),
        attack_galaxy: include.attack_galaxy.clone(),
    }
}

/// All living attributes of an event, in and outside objects, batch by batch.
fn each_of_event(
    service: &Service,
    actor: &Actor,
    id: i64,
    mut f: impl FnMut(&Batch) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let living = Wanted { living: true, deleted: false };
    let (mut after, mut after_object) = (0, 0);
    loop {
        let batch = service.store.read::<Batch, Failure>(actor, |r| match r.event(Ref::Id(id))? {
            Some(event) => Ok(r.event_attributes(&event, living, after, BATCH as i64)?),
            None => Ok(Batch::default()),
        })?;
        let Some(last) = batch.last_id() else { break };
        after = last;
        f(&batch)?;
    }
    loop {
        let next = service.store.read::<Option<(i64, Batch)>, Failure>(actor, |r| {
            let Some(event) = r.event(Ref::Id(id))? else { return Ok(None) };
            let objects: Vec<i64> =
                r.event_objects(&event, living, after_object, 500)?.iter().map(|o| o.id).collect();
            match objects.last() {
                Some(last) => Ok(Some((*last, r.object_attributes(&event, living, &objects)?))),
                None => Ok(None),
            }
        })?;
        let Some((last, batch)) = next else { return Ok(()) };
        after_object = last;
        f(&batch)?;
    }
}

/// GET|POST /events/restSearch
pub(crate) fn events(request: &Request) -> Result<Answer, Failure> {
    events_of(request, read(request, Scope::Events)?)
}

/// The events of a search, in the format it asks for.
pub(crate) fn events_of(request: &Request, mut search: SearchRequest) -> Result<Answer, Failure> {
    if search.format == "xml" {
        search.format = "json".into();
        let answer = events_of(request, search)?.into_xml();
        let file = answer.headers.get("content-disposition").and_then(|v| v.to_str().ok());
        let file = file.map(|file| file.replace(".json", ".xml")).unwrap_or_default();
        return Ok(answer
            .header("content-disposition", file)
            .header("x-export-module-used", "xml")
            .header("x-response-format", "xml"));
    }
    if search.format != "json" {
        return exported(request, search);
    }
    let service = Arc::clone(&request.service);
    let actor = request.actor.clone();
    let ids = service.read(&actor, |r| Ok(r.find(Scope::Events, &search.filter)?))?;
    let total = ids.len();
    let ids = page(&search.filter, ids);
    let include = std::mem::take(&mut search.include);
    // A negated tag and to_ids also trim what is shown of an event (semantics 5.8).
    let view = EventView {
        include,
        deleted: search.filter.deleted,
        to_ids: search.filter.to_ids,
        public: false,
        search_for: None,
    };
    let mut shape = Shape::new(view);
    shape.correlations = request.shown_correlations();
    shape.keep = keep(&service, search.filter.enforce_warninglist);
    shape.without_tags = unwanted_tags(&service, &actor, &search.filter)?;
    let file = event_file(&ids, "json");
    let produce = move |sink: &mut Sink| {
        sink.buffer().extend_from_slice(b"{\"response\":[");
        let mut first = true;
        for id in ids {
            sink.held(|sink| {
                service.store.read::<(), Stop>(&actor, |r| {
                    // Gone, or no longer visible, since the search.
                    let Some(event) = r.event(Ref::Id(id))? else { return Ok(()) };
                    if !std::mem::take(&mut first) {
                        sink.buffer().push(b',');
                    }
                    write_event(r, &event, &shape, &service.policy.base_url, sink)
                })
            })?;
            sink.flush_full()?;
        }
        sink.buffer().extend_from_slice(b"]}");
        Ok(())
    };
    Ok(heads(Answer::stream(produce), "json", "json", Found { total, skipped: 0 })
        .header("content-disposition", file))
}

/// GET|POST /objects/restSearch
pub(crate) fn objects(request: &Request) -> Result<Answer, Failure> {
    let search = read(request, Scope::Objects)?;
    if search.format != "json" {
        return Err(Failure::NotFound(body::INVALID_FORMAT));
    }
    let service = Arc::clone(&request.service);
    let actor = request.actor.clone();
    let ids = service.read(&actor, |r| Ok(r.find(Scope::Objects, &search.filter)?))?;
    let total = ids.len();
    let ids = page(&search.filter, ids);
    let metadata = search.include.metadata;
    let deleted = search.filter.deleted != Tri::Only(false);
    let produce = move |sink: &mut Sink| {
        sink.buffer().extend_from_slice(b"{\"response\":[");
        let mut first = true;
        for chunk in ids.chunks(200) {
            sink.held(|sink| {
                service.store.read::<(), Stop>(&actor, |r| {
                    for object in r.objects_by_ids(chunk)? {
                        let Some(event) = r.event(Ref::Id(object.event_id))? else { continue };
                        let wanted = Wanted { living: true, deleted };
                        let batch = r.object_attributes(&event, wanted, &[object.id])?;
                        let tags = r.attribute_tags(&batch.ids())?;
                        if !std::mem::take(&mut first) {
                            sink.buffer().push(b',');
                        }
                        sink.buffer().extend_from_slice(b"{\"Object\":");
                        write_object_head(&mut JsonWriter::new(sink.buffer()), &object);
                        let mut w = JsonWriter::after_member(sink.buffer());
                        write_object_event_member(&mut w, &event);
                        if !metadata {
                            w.key("Attribute");
                            w.begin_array();
                            for attribute in batch.iter() {
                                let tags = tags.get(&attribute.id).map_or(&[][..], Vec::as_slice);
                                let context = AttributeContext { tags, ..AttributeContext::default() };
                                write_event_attribute(&mut w, &attribute, &context);
                            }
                            w.end_array();
                        }
                        sink.buffer().extend_from_slice(b"}}");
                        sink.flush_full()?;
                    }
                    Ok(())
                })
            })?;
            sink.flush_full()?;
        }
        sink.buffer().extend_from_slice(b"]}");
        Ok(())
    };
    Ok(heads(Answer::stream(produce), "json", "json", Found { total, skipped: 0 }))
}
