//! `/sync/changes`: what changed since a place in the change log, for another PISAX (`pisax_wire::native`).
//!
//! A question may wait for an answer: as long as nothing that travels has changed, nothing is held but a connection
//! of the network. One watcher for the whole process reads the log; those who wait are told its place.

use crate::answer::{Answer, Sink, Stop};
use crate::failure::Failure;
use crate::path::Path;
use crate::request::Request;
use crate::serve::{App, on_pool};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pisax_access::Actor;
use pisax_model::event::{Event, EventDraft};
use pisax_model::ids::Ref;
use pisax_model::tag::TagDraft;
use pisax_service::event::{Carried, carry};
use pisax_service::{Service, cryptographic_key};
use pisax_share::news::News;
use pisax_store::sightings::Sighted;
use pisax_wire::native::{end_event, write_changed, write_cursor};
use pisax_wire::proposal_out::write_listed_proposal;
use pisax_wire::sync_out::write_pushed_sighting;
use pisax_wire::{JsonWriter, write_event_draft};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::watch::Sender;

/// Changes looked at in one go.
const CHANGES: i64 = 1000;
/// Events read in one go while everything is sent.
const EVENTS: i64 = 200;
/// Longest wait, in seconds.
const MAX_WAIT: u64 = 60;
/// How often the log is looked into when nothing is told: other processes may write.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is looked into at most.
const PAUSE: Duration = Duration::from_millis(20);

/// A place from which to go on, as it is given to the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cursor {
    /// Everything that is published, from this row number on; then what changed since the second number.
    All { after: i64, then: i64 },
    /// What changed since.
    Since(i64),
}

impl Cursor {
    /// `start`, `N`, or `all-N-M`.
    fn parse(text: &str) -> Option<Self> {
        if text == "start" {
            return Some(Self::All { after: 0, then: -1 });
        }
        if let Some((after, then)) = text.strip_prefix("all-").and_then(|rest| rest.split_once('-')) {
            let number = |text: &str| text.parse::<i64>().ok().filter(|n| *n >= 0);
            return Some(Self::All { after: number(after)?, then: number(then)? });
        }
        text.parse().ok().filter(|n| *n >= 0).map(Self::Since)
    }

    fn text(self) -> String {
        match self {
            Self::All { after, then } => format!("all-{after}-{then}"),
            Self::Since(seq) => seq.to_string(),
        }
    }
}

fn cursor(path: &Path) -> Option<Cursor> {
    Cursor::parse(path.named("after").unwrap_or("start"))
}

/// Waits until something that travels has changed since the cursor, as long as the question allows.
pub(crate) async fn wait(app: &Arc<App>, path: &Path) {
    let seconds = path.named("wait").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0).min(MAX_WAIT);
    let Some(Cursor::Since(since)) = cursor(path).filter(|_| seconds > 0) else { return };
    let (mut news, mut stopping) = (app.news.subscribe(), app.stopping.subscribe());
    tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => {}
        _ = news.wait_for(|newest| *newest > since) => {}
        () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
    }
}

/// Follows the log and tells the place of the newest change that travels.
pub async fn watch(service: Arc<Service>, permits: Arc<Semaphore>, news: Sender<i64>) {
    let commits = service.store.commits().clone();
    let mut seen = None;
    loop {
        let mark = commits.mark();
        let (from, service) = (seen, Arc::clone(&service));
        match on_pool(Arc::clone(&permits), move || look(&service, from)).await {
            Ok(Ok((place, newest))) => {
                seen = Some(place);
                if let Some(newest) = newest {
                    news.send_if_modified(|told| std::mem::replace(told, newest) < newest);
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "the change log could not be read"),
            Err(_) => return,
        }
        tokio::time::sleep(PAUSE).await;
        let _ = tokio::time::timeout(LOOK, commits.after(mark)).await;
    }
}

/// Up to where the log was read, and the newest change that travels. At the start, everything may be new.
fn look(service: &Service, from: Option<i64>) -> pisax_service::Result<(i64, Option<i64>)> {
    let actor = Actor::system("tell other servers that there is news");
    let Some(mut place) = from else {
        let newest = service.read(&actor, |r| Ok(r.newest_change()?))?;
        return Ok((newest, Some(newest)));
    };
    let mut newest = None;
    loop {
        let changes = service.read(&actor, |r| Ok(r.changes_after(place, CHANGES)?))?;
        let Some(last) = changes.last() else { return Ok((place, newest)) };
        place = last.seq;
        let news = News::of(&changes);
        let beside = News { events: Vec::new(), ..news.clone() };
        let travels = !beside.is_empty()
            || service.read(&actor, |r| Ok(r.events_by_ids(&news.events)?))?.iter().any(|e| e.published);
        newest = if travels { Some(place) } else { newest };
    }
}

/// GET /sync/changes/after:{cursor}[/wait:{seconds}]
pub(crate) fn changes(request: &Request) -> Result<Answer, Failure> {
    if !request.service.settings().native_sync {
        return Err(Failure::NotAllowed(
            "Changes are not given here: the setting PISAX.native_sync is off.".into(),
        ));
    }
    let unreadable =
        || Failure::Unreadable { field: "after".into(), message: "There is no such place.".into() };
    let from = cursor(&request.path).ok_or_else(unreadable)?;
    let (service, actor) = (Arc::clone(&request.service), request.actor.clone());
    let answer = Answer::stream(move |sink| write(&service, &actor, from, sink));
    Ok(answer.header("content-type", "application/x-ndjson"))
}

fn write(service: &Service, actor: &Actor, from: Cursor, sink: &mut Sink) -> Result<(), Stop> {
    match from {
        Cursor::All { after, then } => everything(service, actor, after, then, sink),
        Cursor::Since(since) => news(service, actor, since, sink),
    }
}

fn place(cursor: Cursor, more: bool, sink: &mut Sink) -> Result<(), Stop> {
    write_cursor(sink.buffer(), &cursor.text(), more);
    sink.flush_full()
}

/// Every published event the other side sees, with what belongs to it.
fn everything(
    service: &Service,
    actor: &Actor,
    mut after: i64,
    then: i64,
    sink: &mut Sink,
) -> Result<(), Stop> {
    // What changes while all is sent is sent again.
    let then = if then < 0 { service.read(actor, |r| Ok(r.newest_change()?))? } else { then };
    write_changed(sink.buffer(), &["GalaxyCluster"]);
    loop {
        let events = service.read(actor, |r| Ok(r.published_events_after(after, EVENTS)?))?;
        if events.is_empty() {
            write_changed(sink.buffer(), &["AnalystData"]);
            return place(Cursor::Since(then), true, sink);
        }
        for event in &events {
            one(service, actor, event, sink)?;
            sightings(service, actor, event, sink)?;
            proposals(service, actor, event, sink)?;
            after = event.id;
            place(Cursor::All { after, then }, true, sink)?;
        }
    }
}

/// What changed since.
fn news(service: &Service, actor: &Actor, mut since: i64, sink: &mut Sink) -> Result<(), Stop> {
    let system = Actor::system("tell another server what changed");
    loop {
        let changes = service.read(&system, |r| Ok(r.changes_after(since, CHANGES)?))?;
        let Some(last) = changes.last() else { return place(Cursor::Since(since), false, sink) };
        since = last.seq;
        let news = News::of(&changes);
        if !news.clusters.is_empty() {
            write_changed(sink.buffer(), &["GalaxyCluster"]);
        }
        let seen = |ids: &[i64]| service.read(actor, |r| Ok(r.events_by_ids(ids)?));
        for event in seen(&news.events)?.iter().filter(|event| event.published) {
            one(service, actor, event, sink)?;
        }
        for event in seen(&news.sighted)?.iter().filter(|event| event.published) {
            sightings(service, actor, event, sink)?;
        }
        for event in seen(&news.proposed)?.iter().filter(|event| event.published) {
            proposals(service, actor, event, sink)?;
        }
        if !news.analyst_data.is_empty() {
            write_changed(sink.buffer(), &["AnalystData"]);
        }
        place(Cursor::Since(since), changes.len() as i64 == CHANGES, sink)?;
    }
}

fn one(service: &Service, actor: &Actor, event: &Event, sink: &mut Sink) -> Result<(), Stop> {
    let Some(carried) = carry(service, actor, Ref::Id(event.id), Carried::WHOLE)? else { return Ok(()) };
    let draft = at_home(carried.draft);
    let from = sink.buffer().len();
    write_event_draft(&mut JsonWriter::new(sink.buffer()), &draft);
    let signature = match carried.event.protected {
        Some(true) => Some(STANDARD.encode(cryptographic_key::sign(service, &sink.buffer()[from..])?)),
        _ => None,
    };
    sink.buffer().pop();
    end_event(sink.buffer(), signature.as_deref());
    sink.flush_full()
}

/// Local tags, and those that are not exported, stay here.
fn at_home(mut draft: EventDraft) -> EventDraft {
    let travels = |tag: &TagDraft| tag.local != Some(true) && tag.exportable != Some(false);
    draft.tags.retain(travels);
    let inside = draft.objects.iter_mut().flat_map(|object| &mut object.attributes);
    for attribute in draft.attributes.iter_mut().chain(inside) {
        attribute.tags.retain(travels);
    }
    draft
}

fn sightings(service: &Service, actor: &Actor, event: &Event, sink: &mut Sink) -> Result<(), Stop> {
    let anonymous = service.settings().anonymous_sightings;
    let all = service.read(actor, |r| Ok(r.sightings_of(Sighted::Events(vec![event.id]))?))?;
    for chunk in all.chunks(CHANGES as usize) {
        sink.buffer().extend_from_slice(b"{\"Sighting\":[");
        for (n, sighting) in chunk.iter().enumerate() {
            if n > 0 {
                sink.buffer().push(b',');
            }
            write_pushed_sighting(&mut JsonWriter::new(sink.buffer()), sighting, anonymous);
        }
        let end = format!("],\"event_uuid\":\"{}\"}}\n", event.uuid);
        sink.buffer().extend_from_slice(end.as_bytes());
        sink.flush_full()?;
    }
    Ok(())
}

fn proposals(service: &Service, actor: &Actor, event: &Event, sink: &mut Sink) -> Result<(), Stop> {
    let all = service.read(actor, |r| Ok(r.proposals_of_event(event.id)?))?;
    if all.is_empty() {
        return Ok(());
    }
    sink.buffer().extend_from_slice(b"{\"ShadowAttribute\":[");
    for (n, proposal) in all.iter().enumerate() {
        if n > 0 {
            sink.buffer().push(b',');
        }
        write_listed_proposal(&mut JsonWriter::new(sink.buffer()), proposal);
    }
    sink.buffer().extend_from_slice(b"]}\n");
    sink.flush_full()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_given() {
        for cursor in [Cursor::All { after: 7, then: 12 }, Cursor::Since(0), Cursor::Since(99)] {
            assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        }
        assert_eq!(Cursor::parse("start"), Some(Cursor::All { after: 0, then: -1 }));
        for bad in ["", "-1", "x", "all-1", "all--1-2", "all-1--2", "99999999999999999999"] {
            assert_eq!(Cursor::parse(bad), None, "{bad}");
        }
    }
}
