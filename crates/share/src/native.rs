//! Following another PISAX: what changes there comes as it changes, over requests that wait for news.
//!
//! Each answer is lines of JSON (`pisax_wire::native`) up to a place in the other side's change log, which is kept
//! here once everything before it is stored: interrupted, it goes on from there. Records are changed on their way
//! and stored exactly as a pull does it; what is no event is fetched by MISP's calls when it is said to have changed.

use crate::Fault;
use crate::peer::{HUGE, LONG, NATIVE_VERSION};
use crate::pull::{DIRECTION, Pull, analyst, clusters, events, proposals, receiver, sightings};
use crate::work::{End, Work};
use pisax_model::Uuid;
use pisax_model::cryptographic_key::Proof;
use pisax_model::peer::{Entry, Outcome, Subject};
use pisax_service::peer::state;
use pisax_wire::native::{Line, read_line};
use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How long the other side waits for news, in seconds. When this server is told to stop, that is how long it may
/// hang in a request that nobody waits for.
const WAIT: u64 = 20;
/// Lines stored at a time, and their bytes: writes that come together share a commit.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 8 << 20;
/// Threads that store a batch.
const STORING: usize = 4;
/// The longest line, in bytes: an event with its files.
const LONGEST: u64 = 256 << 20;

/// The job `follow`: its input is the server's number.
pub(crate) fn perform(work: &Work) -> Result<End, Fault> {
    let id: i64 = work.job.job_input.parse().map_err(|_| Fault::Setup("the job names no server".into()))?;
    let done = follow(work, id);
    match done {
        // How each look went is noted when it has been taken.
        Ok(_) | Err(Fault::Stopped) => {}
        Err(fault) => {
            work.service.exchanged(id, Some(&fault.to_string()))?;
            let state = work.service.peer_state(id)?;
            let failures = state.get(state::FAILURES).and_then(|text| text.parse().ok()).unwrap_or(1);
            return Ok(End::Later(work.service.now() + again_after(failures), fault.to_string()));
        }
    }
    done
}

/// Seconds until a server that is away is asked again: who follows hears soon when it is back. Two, then twice as
/// long each time, five minutes at most.
fn again_after(failures: i64) -> i64 {
    (2 << failures.saturating_sub(1).clamp(0, 8)).min(300)
}

fn follow(work: &Work, id: i64) -> Result<End, Fault> {
    let mut known = None;
    loop {
        work.go_on()?;
        let server =
            work.service.read(&receiver(&pisax_model::server::Server::blank(0)), |r| Ok(r.server(id)?))?;
        let Some(server) = server.filter(|server| server.pull) else {
            return Ok(End::Done("Pulling is not enabled for this server.".into()));
        };
        if !work.service.settings().native_sync {
            work.service.set_peer_state(id, &[(state::NATIVE, "")])?;
            return Ok(End::Done("Changes are not followed: the setting PISAX.native_sync is off.".into()));
        }
        // What somebody changed about the connection counts from the next request on.
        if known.as_ref().is_none_or(|pull: &Pull<'_>| pull.peer.server != server) {
            let pull = Pull::over(work, server)?;
            let native = pull.peer.version()?.native;
            let follows = native == Some(NATIVE_VERSION) && pull.rules.url_params.is_empty();
            work.service.set_peer_state(id, &[(state::NATIVE, if follows { "1" } else { "0" })])?;
            if !follows {
                return Ok(End::Done(
                    "It is no PISAX whose changes can be followed: it is pulled from.".into(),
                ));
            }
            known = Some(pull);
        }
        let Some(pull) = &known else { continue };
        look(pull)?;
        work.service.exchanged(id, None)?;
        work.tell(50, &format!("Following. {}", pull.tally.told()))?;
    }
}

/// One request: everything new since the place that is kept here.
fn look(pull: &Pull<'_>) -> Result<(), Fault> {
    let id = pull.server().id;
    let cursor = pull.service().peer_state(id)?.remove(state::NATIVE_CURSOR).unwrap_or_default();
    let cursor = if cursor.is_empty() { "start" } else { &cursor };
    let opened = pull.peer.open(&format!("sync/changes/after:{cursor}/wait:{WAIT}"), LONG, HUGE)?;
    let mut lines = BufReader::with_capacity(64 * 1024, opened.body);
    let mut batch = Batch::default();
    loop {
        let mut line = Vec::new();
        let read = (&mut lines).take(LONGEST).read_until(b'\n', &mut line);
        if read.map_err(|e| Fault::Away(e.to_string()))? == 0 {
            // An answer ends with a place; without one it was broken off, and what came after the last is asked
            // for again.
            return if batch.is_empty() { Ok(()) } else { Err(Fault::Away("the answer broke off".into())) };
        }
        if line.last() != Some(&b'\n') {
            return Err(Fault::Away("the answer broke off".into()));
        }
        match read_line(&line).map_err(|e| Fault::Strange(format!("a line of its changes: {e}")))? {
            Line::Event { document, signature } => batch.event(document, signature),
            Line::Sightings { event, list } => {
                batch.settle(pull)?;
                if let Ok(event) = Uuid::try_parse(&event) {
                    sightings::keep_list(pull, event, &list)?;
                }
                batch.open = true;
            }
            Line::Proposals(list) => {
                batch.settle(pull)?;
                proposals::keep_list(pull, &list)?;
                batch.open = true;
            }
            Line::Changed(kinds) => {
                batch.settle(pull)?;
                changed(pull, &kinds)?;
                batch.open = true;
            }
            Line::Cursor { cursor, .. } => {
                batch.settle(pull)?;
                pull.service().set_peer_state(id, &[(state::NATIVE_CURSOR, &cursor)])?;
                batch.open = false;
            }
            Line::Unknown => {}
        }
        if batch.is_full() {
            batch.settle(pull)?;
        }
    }
}

fn changed(pull: &Pull<'_>, kinds: &[String]) -> Result<(), Fault> {
    let is = |name: &str| kinds.iter().any(|kind| kind == name);
    if is("GalaxyCluster") && pull.server().pull_galaxy_clusters {
        clusters::pull(pull, false)?;
    }
    if is("AnalystData") && pull.server().pull_analyst_data {
        analyst::pull(pull)?;
    }
    Ok(())
}

/// Events that wait to be stored together.
#[derive(Default)]
struct Batch {
    events: Vec<(Vec<u8>, Option<String>)>,
    bytes: usize,
    /// Something came since the last place.
    open: bool,
}

impl Batch {
    fn event(&mut self, document: Vec<u8>, signature: Option<String>) {
        self.bytes += document.len();
        self.open = true;
        self.events.push((document, signature));
    }

    fn is_full(&self) -> bool {
        self.events.len() >= BATCH || self.bytes >= BATCH_BYTES
    }

    fn is_empty(&self) -> bool {
        !self.open
    }

    /// Stores what waits, several at a time, and writes down what became of each.
    fn settle(&mut self, pull: &Pull<'_>) -> Result<(), Fault> {
        self.bytes = 0;
        let waiting = std::mem::take(&mut self.events);
        if waiting.is_empty() {
            return Ok(());
        }
        pull.work.tell(50, &format!("Following. {}", pull.tally.told()))?;
        let next = AtomicUsize::new(0);
        let work = || -> Result<Vec<Entry>, Fault> {
            let mut entries = Vec::new();
            while let Some((document, signature)) = waiting.get(next.fetch_add(1, Ordering::Relaxed)) {
                entries.push(store(pull, document, signature.as_deref())?);
            }
            Ok(entries)
        };
        let entries = std::thread::scope(|scope| {
            let started: Vec<_> = (1..STORING.min(waiting.len())).map(|_| scope.spawn(work)).collect();
            let mut all = work();
            for thread in started {
                let ended = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                all = all.and_then(|mut all| {
                    all.extend(ended?);
                    Ok(all)
                });
            }
            all
        })?;
        pull.service().enter(entries)?;
        Ok(())
    }
}

fn store(pull: &Pull<'_>, document: &[u8], signature: Option<&str>) -> Result<Entry, Fault> {
    let mut draft = pisax_wire::read_event(document).map_err(|e| Fault::Strange(e.to_string()))?;
    let Some(uuid) = draft.uuid else { return Err(Fault::Strange("an event has no uuid".into())) };
    draft.proof = signature.map(|signature| Proof {
        signature: pisax_wire::read_base64(signature.trim()).unwrap_or_default(),
        text: document.to_vec(),
    });
    let entry = Entry::new(pull.server().id, DIRECTION, Subject::Event, uuid, Outcome::Done)
        .about(draft.info.as_deref().unwrap_or_default(), draft.timestamp.unwrap_or(0));
    // A MISP's list leaves these out; here they come and stay outside.
    if let Err(refusal) = pull.rules.admit(&draft) {
        return Ok(Entry { outcome: Outcome::Rule, ..entry }.because(refusal.to_string()));
    }
    events::store(pull, entry, draft)
}
