//! `restSearch` of events, attributes and objects: the filter decides, the answer streams.

use crate::analyst_tree::AnalystTree;
use crate::answer::{Answer, Sink, Stop};
use crate::event_writer::{Keep, Shape, write_event};
use crate::failure::Failure;
use crate::inlaid::Inlaid;
use crate::request::Request;
use crate::rows::Rows;
use crate::scores::Extras;
use crate::search_exports::{event_file, exported};
use pisax_access::{Actor, Permission};
use pisax_model::filter::{Filter, Scope, Tri};
use pisax_model::ids::Ref;
use pisax_service::{Service, user_setting};
use pisax_store::attributes::{Batch, Wanted};
use pisax_wire::JsonWriter;
use pisax_wire::SearchRequest;
use pisax_wire::analyst_out::AnalystShape;
use pisax_wire::answer as body;
use pisax_wire::attribute_out::{AttributeContext, write_event_attribute};
use pisax_wire::include::{EventView, Include};
use pisax_wire::object_out::{write_object_event_member, write_object_head};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// Attributes read at a time.
pub(crate) const BATCH: usize = 4000;

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
    let body = match with_defaults(request, &params)? {
        Some(body) => Cow::Owned(body),
        None => Cow::Borrowed(&request.body[..]),
    };
    let mut search = pisax_wire::read_search(scope, &body, &params, request.now())?;
    if search.format == "json" && request.path.raw.ends_with(".csv") {
        search.format = "csv".into();
    }
    match search.format.as_str() {
        "download" => search.format = "json".into(),
        "stix" => search.format = if wants_json(request) { "stix-json" } else { "stix-xml" }.into(),
        _ => {}
    }
    refuse_ignored(request, &search.ignored)?;
    Ok(search)
}

/// Whether the client names JSON as what it accepts.
pub(crate) fn wants_json(request: &Request) -> bool {
    request.headers.get("accept").and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("json"))
}

/// Refuses parameters that mean nothing, where the instance is set to.
pub(crate) fn refuse_ignored(request: &Request, ignored: &[String]) -> Result<(), Failure> {
    if ignored.is_empty() || !request.service.settings().refuse_ignored_parameters {
        return Ok(());
    }
    Err(Failure::BadRequest(format!("These parameters mean nothing in this search: {}.", named(ignored))))
}

/// Names parameters that were ignored in a header, so that a typo does not pass for a search of everything.
pub(crate) fn tell_ignored(answer: Answer, ignored: &[String]) -> Answer {
    if ignored.is_empty() { answer } else { answer.header("x-pisax-ignored-parameters", named(ignored)) }
}

/// Names as a header can carry them: a client chose them.
fn named(ignored: &[String]) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-.[]".contains(c) { c } else { '?' };
    let names = ignored.iter().take(20).map(|name| name.chars().take(60).map(plain).collect::<String>());
    names.collect::<Vec<_>>().join(", ")
}

/// The body with what the user wants of every search that does not say otherwise, where he has such a setting.
fn with_defaults(request: &Request, params: &[(String, String)]) -> Result<Option<Vec<u8>>, Failure> {
    let stored = user_setting::own(&request.service, &request.actor, "default_restsearch_parameters")?;
    let Some(Value::Object(defaults)) = stored.and_then(|json| serde_json::from_str(&json).ok()) else {
        return Ok(None);
    };
    let mut sent = request.value()?;
    // MISP asks for parameters whatever the defaults are.
    let nothing = sent.as_object().is_none_or(Map::is_empty) && params.is_empty();
    if nothing || defaults.is_empty() {
        return Ok(None);
    }
    if !sent.is_object() {
        sent = Value::Object(Map::new());
    }
    let inside = sent.get("request").is_some_and(Value::is_object);
    let asked = if inside { &mut sent["request"] } else { &mut sent };
    let Some(asked) = asked.as_object_mut() else { return Ok(None) };
    for (name, value) in defaults {
        if !asked.contains_key(&name) && !params.iter().any(|(known, _)| *known == name) {
            asked.insert(name, value);
        }
    }
    Ok(Some(sent.to_string().into_bytes()))
}

/// How many matched, and how many of these were left out afterwards.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) total: usize,
    pub(crate) skipped: usize,
}

pub(crate) fn heads(
    answer: Answer,
    format: &str,
    extension: &str,
    found: Found,
    ignored: &[String],
) -> Answer {
    tell_ignored(answer, ignored)
        .header("x-result-count", found.total)
        .header("x-export-module-used", format)
        .header("x-response-format", extension)
        .header("x-skipped-elements-count", found.skipped)
}

/// The attributes of the page asked for, without those on a warninglist or decayed, where the search says so.
/// They are left out before anything is sent, so that the headers tell the truth; and after paging, as in MISP:
/// a page with what was skipped is as long as asked for, which is how clients know that there is another.
pub(crate) fn sift(
    service: &Service,
    actor: &Actor,
    search: &SearchRequest,
    ids: Vec<i64>,
    extras: &Extras,
) -> Result<(Vec<i64>, Found), Failure> {
    let total = ids.len();
    let mut ids = page(&search.filter, ids);
    let paged = ids.len();
    if search.filter.enforce_warninglist || search.include.exclude_decayed {
        let include = &search.include;
        let include = Include {
            exclude_decayed: include.exclude_decayed,
            include_decay_score: include.include_decay_score,
            include_event_tags: include.exclude_decayed,
            include_all_tags: include.include_all_tags,
            exclude_local_tags: include.exclude_local_tags,
            ..Include::default()
        };
        let keep = keep(service, search.filter.enforce_warninglist);
        let mut rows = Rows::new(service, actor, include, keep).with(extras.clone());
        let mut refused = rustc_hash::FxHashSet::default();
        for chunk in ids.chunks(BATCH) {
            let batch = service.read(actor, |r| Ok(r.attributes_by_ids(chunk)?))?;
            let found = rows.refused(&batch).map_err(|stop| match stop {
                Stop::Broken(failure) => failure,
                Stop::Gone => Failure::Internal("nothing is sent yet that a client could leave".into()),
            })?;
            refused.extend(found);
        }
        ids.retain(|id| !refused.contains(id));
    }
    let skipped = paged - ids.len();
    Ok((ids, Found { total, skipped }))
}

/// Attributes that trip over an enabled warninglist are left out, decided in memory.
pub(crate) fn keep(service: &Service, enforce: bool) -> Option<Keep> {
    enforce.then(|| {
        let lists = service.warninglists.load();
        Box::new(move |a: &pisax_model::attribute::AttributeView<'_>| {
            !lists.is_hit(a.kind, a.value1, a.value2)
        }) as Keep
    })
}

/// Whether what somebody proposes to delete or to take out of detection is left out: asked for, and allowed by
/// `MISP.proposals_block_attributes`.
pub(crate) fn blocks_doubted(service: &Service, include: &Include) -> bool {
    include.allow_proposal_blocking && service.settings().proposals_block
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
    search.filter.undoubted = blocks_doubted(&service, &search.include);
    let extras = Extras::load(&service, &actor, &search.include)?;
    let sifted = search.filter.enforce_warninglist || search.include.exclude_decayed;
    let everything = match sifted || search.filter.limit.is_some() {
        true => None,
        false => service.read(&actor, |r| Ok(r.count_everything(&search.filter)?))?,
    };
    if let Some(total) = everything {
        let include = std::mem::take(&mut search.include);
        let answer = Answer::stream(move |sink| stream_everything(&service, &actor, include, extras, sink));
        let total = usize::try_from(total).unwrap_or_default();
        return Ok(heads(answer, "json", "json", Found { total, skipped: 0 }, &search.ignored));
    }
    let ids = service.read(&actor, |r| Ok(r.find(Scope::Attributes, &search.filter)?))?;
    let (ids, found) = sift(&service, &actor, &search, ids, &extras)?;
    let include = std::mem::take(&mut search.include);
    let short = ids.len() <= 500;
    let produce = move |sink: &mut Sink| {
        sink.buffer().extend_from_slice(b"{\"response\":{\"Attribute\":[");
        let mut rows = Rows::new(&service, &actor, include, None).with(extras);
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
    Ok(heads(answer, "json", "json", found, &search.ignored))
}

/// Rows come by ascending number; a search may have asked for another order.
pub(crate) fn in_order(batch: Batch, ids: &[i64]) -> Batch {
    if ids.is_sorted() { batch } else { batch.ordered(ids) }
}

fn stream_everything(
    service: &Arc<Service>,
    actor: &Actor,
    include: Include,
    extras: Extras,
    sink: &mut Sink,
) -> Result<(), Stop> {
    sink.buffer().extend_from_slice(b"{\"response\":{\"Attribute\":[");
    sink.flush()?;
    let mut rows = Rows::new(service, actor, include, None).with(extras);
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
    let view = EventView {
        include,
        deleted: search.filter.deleted,
        to_ids: search.filter.to_ids,
        public: false,
        search_for: None,
    };
    let mut shape = Shape::new(view);
    shape.fit(request)?;
    shape.keep = keep(&service, search.filter.enforce_warninglist);
    shape.undoubted = blocks_doubted(&service, &shape.view.include);
    // A negated tag also trims what is shown of an event, as to_ids does (semantics 5.8).
    shape.trim = service.read(&actor, |r| Ok(r.trim(&search.filter)?))?;
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
    Ok(heads(Answer::stream(produce), "json", "json", Found { total, skipped: 0 }, &search.ignored)
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
    let analyst = search.include.include_analyst_data;
    let (metadata, attached) = (search.include.metadata, search.include.with_attachments);
    let deleted = search.filter.deleted != Tri::Only(false);
    // As of attributes: non-exportable tags where asked for, local ones not for those who synchronise.
    let sync = actor.has(Permission::Sync) && !actor.sees_all();
    let (all_tags, no_local) = (search.include.include_all_tags, search.include.exclude_local_tags || sync);
    let produce = move |sink: &mut Sink| {
        sink.buffer().extend_from_slice(b"{\"response\":[");
        let mut first = true;
        for chunk in ids.chunks(200) {
            sink.held(|sink| {
                service.store.read::<(), Stop>(&actor, |r| {
                    let objects = r.objects_by_ids(chunk)?;
                    let said = match analyst {
                        true => AnalystTree::load(r, &objects.iter().map(|o| o.uuid).collect::<Vec<_>>())?,
                        false => AnalystTree::default(),
                    };
                    for object in objects {
                        let Some(event) = r.event(Ref::Id(object.event_id))? else { continue };
                        let wanted = Wanted { living: true, deleted };
                        let batch = r.object_attributes(&event, wanted, &[object.id])?;
                        let mut tags = r.attribute_tags(&batch.ids())?;
                        for list in tags.values_mut() {
                            list.retain(|t| (all_tags || t.tag.exportable) && !(t.local && no_local));
                        }
                        let mut data = Vec::with_capacity(batch.len());
                        for attribute in batch.iter() {
                            let attachment = match attached && attribute.kind.holds_bytes() {
                                true => r.attachment(attribute.id)?,
                                false => None,
                            };
                            data.push(Inlaid::of(attachment, sink));
                        }
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
                            for (attribute, data) in batch.iter().zip(&data) {
                                let tags = tags.get(&attribute.id).map_or(&[][..], Vec::as_slice);
                                let data = data.as_data();
                                let context = AttributeContext { tags, data, ..AttributeContext::default() };
                                write_event_attribute(&mut w, &attribute, &context);
                            }
                            w.end_array();
                        }
                        let said = said.members(&object.uuid, AnalystShape::Whole);
                        if !said.is_empty() {
                            w.raw(&said);
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
    Ok(heads(Answer::stream(produce), "json", "json", Found { total, skipped: 0 }, &search.ignored))
}
