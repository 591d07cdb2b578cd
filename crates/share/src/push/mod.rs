//! Giving to another server what it may have, as MISP pushes: galaxy clusters, what it wants of the events that were
//! published, then their proposals and sightings, and what analysts say about what went.
//!
//! What was published since the last time is read from the change log with a cursor of the peer's own: a push that
//! was interrupted goes on where it was, and a peer that is away gets what it missed.

mod analyst;
mod clusters;
mod event;
mod link;
mod told;

pub(crate) use told::wanted;

use crate::Fault;
use crate::news::News;
use crate::peer::Version;
use crate::work::{End, Work};
use event::uuids_of;
pub(crate) use link::Link;
use pisax_access::Actor;
use pisax_model::Uuid;
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::peer::{Direction, Entry, Outcome, Subject, retry_after};
use pisax_service::peer::state;
use rustc_hash::FxHashSet;

/// What pushes enter into the ledger.
const DIRECTION: Direction = Direction::Push;
/// Events offered at a time.
const OFFER: usize = 500;
/// Changes looked at in one go.
const CHANGES: i64 = 1000;
/// Failed events tried again in one go.
const AGAIN: i64 = 500;

pub(crate) fn sender() -> Actor {
    Actor::system("push to another server")
}

#[derive(Debug, Default)]
struct Tally {
    pushed: usize,
    failed: usize,
}

impl Tally {
    /// The text that MISP's clients wait for.
    fn told(&self) -> String {
        format!("Push complete. {} events pushed, {} events could not be pushed.", self.pushed, self.failed)
    }
}

/// The job `push`: its input is the server's number and the technique.
pub(crate) fn perform(work: &Work) -> Result<End, Fault> {
    let (id, technique) = work.job.job_input.split_once(' ').unwrap_or((&work.job.job_input, "incremental"));
    let Some(link) = open(work, id)? else {
        return Ok(End::Done("Pushing is not enabled for this server.".into()));
    };
    let done = by_technique(work, &link, technique);
    ended(work, &link, &done)?;
    Ok(End::Done(done?.told()))
}

/// The job `publish_event`: its input is the server's number. When the peer is away it is tried again later.
pub(crate) fn published(work: &Work) -> Result<End, Fault> {
    let Some(link) = open(work, &work.job.job_input)? else {
        return Ok(End::Done("Pushing is not enabled for this server.".into()));
    };
    let done = follow(work, &link);
    ended(work, &link, &done)?;
    let now = work.service.now();
    match done {
        Ok(tally) => {
            let next = work.service.read(&sender(), |r| Ok(r.next_retry(link.id(), DIRECTION)?))?;
            match next {
                // Rung again when it is due: failures of this peer wait for nobody's doing.
                Some(at) => Ok(End::Later(at.max(now + 1), tally.told())),
                None => Ok(End::Done(tally.told())),
            }
        }
        Err(fault) if fault.passes() => {
            let state = work.service.peer_state(link.id())?;
            let failures = state.get(state::FAILURES).and_then(|text| text.parse().ok()).unwrap_or(1);
            Ok(End::Later(now + retry_after(failures), fault.to_string()))
        }
        Err(fault) => Err(fault),
    }
}

fn open(work: &Work, id: &str) -> Result<Option<Link>, Fault> {
    let id: i64 = id.parse().map_err(|_| Fault::Setup("the job names no server".into()))?;
    let server = work.service.read(&sender(), |r| Ok(r.server(id)?))?;
    let Some(server) = server.filter(|server| server.push || server.push_sightings) else { return Ok(None) };
    Link::open(&work.service, server).map(Some)
}

fn ended<T>(work: &Work, link: &Link, done: &Result<T, Fault>) -> Result<(), Fault> {
    match done {
        Ok(_) => work.service.exchanged(link.id(), None)?,
        Err(Fault::Stopped) => {}
        Err(fault) => work.service.exchanged(link.id(), Some(&fault.to_string()))?,
    }
    Ok(())
}

fn by_technique(work: &Work, link: &Link, technique: &str) -> Result<Tally, Fault> {
    let service = &work.service;
    let version = permitted(link)?;
    let mut tally = Tally::default();
    let mut after = match technique {
        "full" => 0,
        "incremental" => link.peer.server.lastpushedid.unwrap_or(0),
        one => {
            let reference =
                Ref::parse(one).ok_or_else(|| Fault::Setup(format!("there is no way to push '{one}'")))?;
            let event = service.read(&sender(), |r| Ok(r.event(reference)?))?;
            let event = event.ok_or_else(|| Fault::Setup("there is no such event".into()))?;
            some(work, link, &version, vec![event], &mut tally)?;
            return Ok(tally);
        }
    };
    clusters::all(work, link, &version)?;
    loop {
        let events = service.read(&sender(), |r| Ok(r.published_events_after(after, OFFER as i64)?))?;
        let Some(last) = events.last() else { break };
        after = last.id;
        work.tell(1, &format!("Looking at the events up to number {after}."))?;
        some(work, link, &version, events, &mut tally)?;
        service.pushed_up_to(link.id(), after)?;
    }
    analyst::all(work, link, &version)?;
    Ok(tally)
}

/// Pushes what was published since the last time, and what failed and is due.
fn follow(work: &Work, link: &Link) -> Result<Tally, Fault> {
    let service = &work.service;
    let mut tally = Tally::default();
    let mut version = None;
    let mut cursor = match service.peer_state(link.id())?.get(state::PUSH_CURSOR).and_then(|t| t.parse().ok())
    {
        Some(cursor) => cursor,
        // A new connection begins with what is published from now on; the rest is what a full push is for.
        None => {
            let newest = service.read(&sender(), |r| Ok(r.newest_change()?))?;
            service.set_peer_state(link.id(), &[(state::PUSH_CURSOR, &newest.to_string())])?;
            newest
        }
    };
    loop {
        let changes = service.read(&sender(), |r| Ok(r.changes_after(cursor, CHANGES)?))?;
        let Some(last) = changes.last() else { break };
        cursor = last.seq;
        let news = News::of(&changes);
        if !news.clusters.is_empty() && link.peer.server.push_galaxy_clusters {
            let version = known(&mut version, link)?;
            work.tell(1, "Pushing galaxy clusters.")?;
            clusters::these(link, version, &news.clusters)?;
        }
        if !news.events.is_empty() {
            let version = known(&mut version, link)?;
            let events = service.read(&sender(), |r| Ok(r.events_by_ids(&news.events)?))?;
            let published = events.into_iter().filter(|event| event.published).collect();
            some(work, link, version, published, &mut tally)?;
        }
        if link.peer.server.push_sightings && !news.sighted.is_empty() {
            let version = known(&mut version, link)?;
            let events = service.read(&sender(), |r| Ok(r.events_by_ids(&news.sighted)?))?;
            for event in events.into_iter().filter(|event| event.published) {
                work.tell(50, "Pushing sightings.")?;
                event::sightings_alone(link, version, &event)?;
            }
        }
        if !news.analyst_data.is_empty() && link.peer.server.push_analyst_data {
            let version = known(&mut version, link)?;
            analyst::these(work, link, version, &news.analyst_data)?;
        }
        service.set_peer_state(link.id(), &[(state::PUSH_CURSOR, &cursor.to_string())])?;
    }
    let due = service.read(&sender(), |r| Ok(r.ledger_due(link.id(), DIRECTION, service.now(), AGAIN)?))?;
    let of = |subject: Subject| -> Vec<Uuid> {
        due.iter().filter(|entry| entry.subject == subject).map(|entry| entry.uuid).collect()
    };
    let again = of(Subject::Cluster);
    if !again.is_empty() {
        clusters::these(link, known(&mut version, link)?, &again)?;
        settle(link, Subject::Cluster, &again)?;
    }
    let uuids = of(Subject::Event);
    if !uuids.is_empty() {
        let version = known(&mut version, link)?;
        let events = service.read(&sender(), |r| Ok(r.events_by_uuids(&uuids)?))?;
        let here: FxHashSet<Uuid> = events.iter().map(|event| event.uuid).collect();
        let gone = uuids.into_iter().filter(|uuid| !here.contains(uuid)).map(|uuid| {
            Entry::new(link.id(), DIRECTION, Subject::Event, uuid, Outcome::UpToDate)
                .because("it is no longer here")
        });
        service.enter(gone.collect())?;
        some(work, link, version, events, &mut tally)?;
    }
    let again = of(Subject::AnalystData);
    if !again.is_empty() {
        analyst::these(work, link, known(&mut version, link)?, &again)?;
        settle(link, Subject::AnalystData, &again)?;
    }
    Ok(tally)
}

/// Of what was due and has just been tried, what nothing was tried of is no longer here or no longer goes there.
fn settle(link: &Link, subject: Subject, uuids: &[Uuid]) -> Result<(), Fault> {
    let now = link.service.now();
    let entries = link.service.entered(link.id(), DIRECTION, subject, uuids)?;
    let left = entries.into_values().filter(|entry| entry.retry_at > 0 && entry.retry_at <= now);
    let left = left.map(|entry| {
        Entry { outcome: Outcome::UpToDate, retry_at: 0, attempts: 0, ..entry }
            .because("it is no longer here, or no longer goes there")
    });
    Ok(link.service.enter(left.collect())?)
}

fn known<'v>(version: &'v mut Option<Version>, link: &Link) -> Result<&'v Version, Fault> {
    match version {
        Some(version) => Ok(version),
        none => Ok(none.insert(permitted(link)?)),
    }
}

/// What the peer lets us do; nothing is sent to one that lets us do nothing.
pub(crate) fn permitted(link: &Link) -> Result<Version, Fault> {
    let version = link.peer.version()?;
    if version.perm_sync || version.perm_sighting {
        return Ok(version);
    }
    Err(Fault::Setup("our key on the server has no permission to synchronise".into()))
}

/// Pushes those of the events that the peer wants.
fn some(
    work: &Work,
    link: &Link,
    version: &Version,
    events: Vec<Event>,
    tally: &mut Tally,
) -> Result<(), Fault> {
    if !version.perm_sync || !link.peer.server.push {
        return Ok(());
    }
    for chunk in events.chunks(OFFER) {
        let wanted = told::wanted(link, chunk)?;
        let mut passes = None;
        let mut entries = Vec::new();
        for event in chunk {
            work.tell(50, "Pushing events.")?;
            if !wanted.contains(&event.uuid) {
                entries.push(link.entry(event, Outcome::UpToDate).because("the other side does not want it"));
                continue;
            }
            match event::push(link, version, event) {
                Ok(entry) => {
                    match entry.outcome {
                        Outcome::Done => tally.pushed += 1,
                        Outcome::Refused | Outcome::Failed => tally.failed += 1,
                        _ => {}
                    }
                    entries.push(entry);
                }
                Err(fault @ (Fault::Stopped | Fault::Setup(_) | Fault::Here(_))) => {
                    passes = Some(fault);
                    break;
                }
                Err(fault) => {
                    tally.failed += 1;
                    entries.push(link.entry(event, Outcome::Failed).because(fault.to_string()));
                    if matches!(fault, Fault::Away(_)) {
                        // The rest would only wait for the same silence.
                        passes = Some(fault);
                        break;
                    }
                }
            }
        }
        work.service.enter(entries)?;
        if let Some(fault) = passes {
            return Err(fault);
        }
    }
    Ok(())
}
