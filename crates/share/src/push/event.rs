//! One event to one peer, with its proposals and sightings.

use super::link::Link;
use super::{analyst, clusters, sender};
use crate::Fault;
use crate::peer::{LARGE, LONG, SHORT, SMALL, Version, said};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pisax_model::Uuid;
use pisax_model::event::{Event, EventDraft};
use pisax_model::ids::Ref;
use pisax_model::peer::{Entry, Outcome};
use pisax_outbound::{Answer, Method};
use pisax_service::cryptographic_key;
use pisax_service::event::{Carried, carry};
use pisax_store::sightings::Sighted;
use pisax_wire::JsonWriter;
use pisax_wire::proposal_out::write_listed_proposal;
use pisax_wire::sync_out::write_pushed_sighting;
use pisax_wire::{read_uuids, write_event_draft};
use rustc_hash::FxHashSet;

/// Sightings sent at a time.
const SIGHTINGS: usize = 1000;

/// Sends an event as it is now. What went wrong with its proposals or sightings is told in its entry; the event went.
pub(super) fn push(link: &Link, version: &Version, event: &Event) -> Result<Entry, Fault> {
    let Some(carried) = carry(&link.service, &sender(), Ref::Id(event.id), Carried::WHOLE)? else {
        return Ok(link.entry(event, Outcome::UpToDate).because("it is no longer here"));
    };
    let event = &carried.event;
    let passed = match link.outgoing(carried.draft) {
        Ok(passed) => passed,
        Err(refusal) => {
            return Ok(Link::kept(link.entry(event, Outcome::Rule), &refusal));
        }
    };
    let mut notes = Vec::new();
    // The event goes without its clusters as well: its tags stand for them.
    if let Err(fault) = clusters::tagged(link, version, tags_of(&passed.event)) {
        notes.push(format!("its galaxy clusters did not go: {fault}"));
    }
    let mut body = Vec::new();
    write_event_draft(&mut JsonWriter::new(&mut body), &passed.event);
    let answer = send(link, event, &body)?;
    drop(body);
    let entry = match answer.status {
        200..300 => link.entry(event, Outcome::Done),
        status => return told(link, event, status, &answer.body),
    };
    if let Some(first) = passed.dropped.first() {
        notes.push(format!("{} elements stayed here, for one: {first}", passed.dropped.len()));
    }
    let sent = attributes_of(&passed.event);
    if let Err(fault) = proposals(link, event, &sent) {
        notes.push(format!("its proposals did not go: {fault}"));
    }
    if link.peer.server.push_sightings
        && version.perm_sighting
        && let Err(fault) = sightings(link, event, &sent)
    {
        notes.push(format!("its sightings did not go: {fault}"));
    }
    if analyst::travels(link, version)
        && let Err(fault) = analyst::about(link, uuids_of(&passed.event))
    {
        notes.push(format!("its analyst data did not go: {fault}"));
    }
    Ok(entry.because(notes.join("; ")))
}

/// What an answer that is none of success means.
fn told(link: &Link, event: &Event, status: u16, body: &[u8]) -> Result<Entry, Fault> {
    let message = said(body);
    // MISP answers 403 where the other side has it as new: that is as good as sent.
    if message.contains("not newer") || message.contains("already exists") {
        return Ok(link.entry(event, Outcome::UpToDate).because(message));
    }
    let fault = Fault::Status { status, message };
    if fault.passes() {
        return Err(fault);
    }
    Ok(link.entry(event, Outcome::Refused).because(fault.to_string()))
}

fn send(link: &Link, event: &Event, body: &[u8]) -> Result<Answer, Fault> {
    let view = format!("events/view/{}", event.uuid);
    let there = match link.peer.ask((Method::Head, &view, &[], b""), (SHORT, SMALL))?.status {
        200 => true,
        404 => false,
        status => return Err(Fault::Status { status, message: "asked whether it has the event".into() }),
    };
    let signature = match event.protected {
        Some(true) => Some(STANDARD.encode(cryptographic_key::sign(&link.service, body)?)),
        _ => None,
    };
    let headers: Vec<(&str, &str)> = signature.iter().map(|s| ("x-pgp-signature", s.as_str())).collect();
    let edit = format!("events/edit/{}/metadata:1", event.uuid);
    let path = if there { edit.as_str() } else { "events/add/metadata:1" };
    let answer = link.peer.ask((Method::Post, path, &headers, body), (LONG, LARGE))?;
    if !there && answer.status == 404 && answer.header("location").is_some() {
        // It came to be there meanwhile. Where the header points is the peer's word; the event's own path is known.
        return link.peer.ask((Method::Post, &edit, &headers, body), (LONG, LARGE));
    }
    Ok(answer)
}

/// The names of all tags in it.
fn tags_of(draft: &EventDraft) -> impl Iterator<Item = &str> {
    let inside = draft.objects.iter().flat_map(|object| &object.attributes);
    let attached = draft.attributes.iter().chain(inside).flat_map(|attribute| &attribute.tags);
    draft.tags.iter().chain(attached).map(|tag| tag.name.as_str())
}

/// The event and everything in it.
pub(super) fn uuids_of(draft: &EventDraft) -> FxHashSet<Uuid> {
    let mut uuids = attributes_of(draft);
    uuids.extend(draft.uuid);
    uuids.extend(draft.objects.iter().filter_map(|object| object.uuid));
    uuids.extend(draft.reports.iter().filter_map(|report| report.uuid));
    uuids
}

/// The attributes that went.
fn attributes_of(draft: &EventDraft) -> FxHashSet<Uuid> {
    let inside = draft.objects.iter().flat_map(|object| &object.attributes);
    draft.attributes.iter().chain(inside).filter_map(|attribute| attribute.uuid).collect()
}

/// The proposals that are new or about an attribute that went.
fn proposals(link: &Link, event: &Event, sent: &FxHashSet<Uuid>) -> Result<(), Fault> {
    let proposals = link.service.read(&sender(), |r| Ok(r.proposals_of_event(event.id)?))?;
    let mut body = vec![b'['];
    for proposal in proposals.iter().filter(|p| p.attribute_uuid.is_none_or(|uuid| sent.contains(&uuid))) {
        if body.len() > 1 {
            body.push(b',');
        }
        write_listed_proposal(&mut JsonWriter::new(&mut body), proposal);
    }
    if body.len() == 1 {
        return Ok(());
    }
    body.push(b']');
    link.peer.post(&format!("events/pushProposals/{}", event.uuid), &body, (LONG, SMALL)).map(drop)
}

/// The sightings of attributes that went and that the peer does not have.
fn sightings(link: &Link, event: &Event, sent: &FxHashSet<Uuid>) -> Result<(), Fault> {
    let anonymous = link.service.settings().anonymous_sightings;
    let all = link.service.read(&sender(), |r| Ok(r.sightings_of(Sighted::Events(vec![event.id]))?))?;
    let all: Vec<_> = all.into_iter().filter(|s| sent.contains(&s.attribute_uuid)).collect();
    for chunk in all.chunks(SIGHTINGS) {
        let uuids: Vec<String> = chunk.iter().map(|s| s.uuid.to_string()).collect();
        let question = serde_json::to_vec(&uuids).unwrap_or_default();
        let path = format!("sightings/filterSightingUuidsForPush/{}", event.uuid);
        let known = match link.peer.post(&path, &question, (LONG, SMALL)) {
            Ok(answer) => read_uuids(&answer.body).map_err(|e| Fault::Strange(e.to_string()))?,
            // An older MISP cannot be asked; it leaves out what it knows by itself.
            Err(Fault::Status { status: 403..=405, .. }) => Vec::new(),
            Err(fault) => return Err(fault),
        };
        let known: FxHashSet<Uuid> = known.into_iter().collect();
        let mut body = vec![b'['];
        for sighting in chunk.iter().filter(|s| !known.contains(&s.uuid)) {
            if body.len() > 1 {
                body.push(b',');
            }
            write_pushed_sighting(&mut JsonWriter::new(&mut body), sighting, anonymous);
        }
        if body.len() > 1 {
            body.push(b']');
            link.peer.post(&format!("sightings/bulkSaveSightings/{}", event.uuid), &body, (LONG, SMALL))?;
        }
    }
    Ok(())
}

/// The sightings of an event that the peer has already.
pub(super) fn sightings_alone(link: &Link, version: &Version, event: &Event) -> Result<(), Fault> {
    if !version.perm_sighting {
        return Ok(());
    }
    let what = Carried { attachments: false, tombstones: false };
    let Some(carried) = carry(&link.service, &sender(), Ref::Id(event.id), what)? else { return Ok(()) };
    // Of an event that may not go, its sightings may not either.
    let Ok(passed) = link.outgoing(carried.draft) else { return Ok(()) };
    match sightings(link, event, &attributes_of(&passed.event)) {
        // It does not have the event.
        Err(Fault::Status { status: 403..=405, .. }) => Ok(()),
        other => other,
    }
}
