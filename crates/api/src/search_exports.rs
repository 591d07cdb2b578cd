//! Searches in formats other than MISP's own JSON: row by row, event by event, streamed.

use crate::answer::{Answer, Sink, Stop};
use crate::failure::Failure;
use crate::request::Request;
use crate::restsearch::{BATCH, Found, blocks_doubted, heads, in_order, keep, page, sift};
use crate::rows::Rows;
use crate::scores::Extras;
use pisax_access::Actor;
use pisax_formats::export;
use pisax_model::filter::Scope;
use pisax_model::ids::Ref;
use pisax_service::Service;
use pisax_store::attributes::{Batch, Trim, Wanted};
use pisax_wire::SearchRequest;
use pisax_wire::answer as body;
use std::sync::Arc;

/// A STIX 2 bundle: everything visible, unless the client asks for less.
fn stix2(request: &Request, mut search: SearchRequest) -> Result<Answer, Failure> {
    let service = Arc::clone(&request.service);
    let actor = request.actor.clone();
    let keep = keep(&service, search.filter.enforce_warninglist);
    search.filter.enforce_warninglist = false;
    search.filter.undoubted = blocks_doubted(&service, &search.include);
    let ids = service.read(&actor, |r| Ok(r.find(search.scope, &search.filter)?))?;
    let total = ids.len();
    let ids = page(&search.filter, ids);
    let file = event_file(&ids, "json");
    let key = format!("{} {} {:?}", service.policy.base_url, request.now(), ids.first());
    let events = search.scope == Scope::Events;
    let trim = if events { service.read(&actor, |r| Ok(r.trim(&search.filter)?))? } else { Trim::default() };
    let (include, ignored) = (search.include, search.ignored);
    let without_tags = trim.without_tags.into_iter().collect();
    let export =
        crate::stix::Export { service, actor, include, to_ids: trim.to_ids, without_tags, keep, key };
    let answer = if events { export.events(ids) } else { export.attributes(ids) };
    let answer = heads(answer, "stix2", "json", Found { total, skipped: 0 }, &ignored);
    Ok(if events { answer.header("content-disposition", file) } else { answer })
}

/// What a client saves an answer of events as.
pub(crate) fn event_file(ids: &[i64], extension: &str) -> String {
    match ids {
        [one] => format!("attachment; filename=\"misp.event.{one}.{extension}\""),
        _ => format!("attachment; filename=\"misp.event.list.{extension}\""),
    }
}

/// Formats other than JSON: attribute by attribute.
pub(crate) fn exported(request: &Request, mut search: SearchRequest) -> Result<Answer, Failure> {
    if search.format == "stix2" {
        return stix2(request, search);
    }
    let options = export_options(request, &search);
    let mut format =
        export::by_name(&search.format, &options).ok_or(Failure::NotFound(body::INVALID_FORMAT))?;
    let service = Arc::clone(&request.service);
    if format.restrictive() {
        search.restrict();
        search.include.allow_proposal_blocking = true;
    }
    search.filter.undoubted = blocks_doubted(&service, &search.include);
    search.include.include_event_tags |= format.wants_event_tags();
    search.include.include_sightings |= format.wants_sightings();
    let actor = request.actor.clone();
    let extras = Extras::load(&service, &actor, &search.include)?;
    let ids = service.read(&actor, |r| Ok(r.find(search.scope, &search.filter)?))?;
    // Of events what is left out is left out of their content, which is looked at as it is written.
    let (ids, found, keep) = if search.scope == Scope::Events {
        let total = ids.len();
        let keep = keep(&service, search.filter.enforce_warninglist);
        (page(&search.filter, ids), Found { total, skipped: 0 }, keep)
    } else {
        let (ids, found) = sift(&service, &actor, &search, ids, &extras)?;
        (ids, found, None)
    };
    let (name, extension, content_type) = (search.format.clone(), format.extension(), format.content_type());
    let file = (search.scope == Scope::Events).then(|| event_file(&ids, extension));
    let include = std::mem::take(&mut search.include);
    let ignored = std::mem::take(&mut search.ignored);
    let trim = service.read(&actor, |r| Ok(r.trim(&search.filter)?))?;
    let produce = move |sink: &mut Sink| {
        format.begin(sink.buffer());
        let mut rows = Rows::new(&service, &actor, include, keep).with(extras);
        for section in 0..format.sections() {
            format.begin_section(section, sink.buffer());
            match search.scope {
                Scope::Events => {
                    for id in &ids {
                        export_event(&service, &actor, (*id, &trim), &mut rows, format.as_mut(), sink)?;
                    }
                }
                _ => {
                    for pass in 0..format.passes() {
                        format.begin_pass(pass, sink.buffer());
                        for chunk in ids.chunks(BATCH) {
                            let batch = service.store.read::<Batch, Failure>(&actor, |r| {
                                Ok(in_order(r.attributes_by_ids(chunk)?, chunk))
                            })?;
                            rows.export(&batch, format.as_mut(), sink)?;
                        }
                    }
                }
            }
        }
        format.end(sink.buffer());
        Ok(())
    };
    let answer = Answer::stream(produce).header("content-type", content_type);
    let answer = heads(answer, &name, extension, found, &ignored);
    Ok(match file {
        Some(file) => answer.header("content-disposition", file),
        None => answer,
    })
}

/// One event in another format, as often as the format needs to hear of it.
fn export_event(
    service: &Service,
    actor: &Actor,
    (id, trim): (i64, &Trim),
    rows: &mut Rows<'_>,
    format: &mut dyn export::AttributeFormat,
    sink: &mut Sink,
) -> Result<(), Stop> {
    if !rows.announce(id, format, sink)? {
        return Ok(());
    }
    for pass in 0..format.passes() {
        format.begin_pass(pass, sink.buffer());
        each_of_event(service, actor, id, trim, |batch| rows.export(batch, format, sink))?;
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
        include_decay_score: include.include_decay_score && search.scope != Scope::Events,
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

/// All living attributes of an event that the search does not trim, in and outside objects, batch by batch.
fn each_of_event(
    service: &Service,
    actor: &Actor,
    id: i64,
    trim: &Trim,
    mut f: impl FnMut(&Batch) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let living = Wanted { living: true, deleted: false };
    let (mut after, mut after_object) = (0, 0);
    loop {
        let batch = service.store.read::<Batch, Failure>(actor, |r| match r.event(Ref::Id(id))? {
            Some(event) => Ok(r.trimmed_event_attributes(&event, living, trim, after, BATCH as i64)?),
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
                Some(last) => Ok(Some((*last, r.trimmed_object_attributes(&event, living, trim, &objects)?))),
                None => Ok(None),
            }
        })?;
        let Some((last, batch)) = next else { return Ok(()) };
        after_object = last;
        f(&batch)?;
    }
}
