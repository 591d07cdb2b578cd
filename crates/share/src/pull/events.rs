//! The events themselves: fetched a few at a time, each changed as it must be on its way, and stored.

use super::{DIRECTION, Pull, receiver};
use crate::Fault;
use crate::peer::{LARGE, LONG, Offered};
use parking_lot::Mutex;
use pisax_model::Uuid;
use pisax_model::cryptographic_key::Proof;
use pisax_model::event::EventDraft;
use pisax_model::peer::{Entry, Outcome, Subject};
use pisax_model::transit::{self, Incoming};
use pisax_service::event::{Received, Source, receive};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Events fetched at a time from one server: enough to hide the way there and back, few enough not to be a burden.
const AT_ONCE: usize = 4;
/// Entries gathered before they are written.
const ENTRIES: usize = 100;
/// Failures in a row after which the server counts as away; one that answers nothing counts four times: it may be
/// the event that makes it answer with an error.
const AWAY: usize = 20;
const SILENT: usize = 4;
/// Failed events tried again in one go.
const AGAIN: i64 = 500;

/// Fetches what is wanted. `true`: everything was dealt with, that is, stored or refused for good.
pub(super) fn pull(pull: &Pull<'_>, wanted: &[Offered]) -> Result<bool, Fault> {
    let next = AtomicUsize::new(0);
    let failures = AtomicUsize::new(0);
    let complete = AtomicBool::new(true);
    let entries = Mutex::new(Vec::new());
    let ended = Mutex::new(None::<Fault>);
    let work = || {
        while ended.lock().is_none()
            && let Some(offered) = wanted.get(next.fetch_add(1, Ordering::Relaxed))
        {
            match step(pull, offered, &failures, &entries) {
                Ok(dealt_with) => {
                    complete.fetch_and(dealt_with, Ordering::Relaxed);
                }
                Err(fault) => {
                    ended.lock().get_or_insert(fault);
                }
            }
            let at = next.load(Ordering::Relaxed).min(wanted.len());
            let percent = 1 + (at * 97 / wanted.len().max(1)) as i64;
            if let Err(fault) = pull.work.tell(percent, &format!("Pulling event {at} of {}.", wanted.len())) {
                ended.lock().get_or_insert(fault);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..AT_ONCE.min(wanted.len().max(1)) {
            scope.spawn(work);
        }
        work();
    });
    pull.service().enter(entries.into_inner())?;
    match ended.into_inner() {
        Some(fault) => Err(fault),
        None => Ok(complete.into_inner()),
    }
}

/// One event by its uuid, whatever the rules on lists say.
pub(super) fn one(pull: &Pull<'_>, uuid: Uuid) -> Result<(), Fault> {
    let offered = Offered { uuid, timestamp: 0, sighting_timestamp: 0, published: true, orgc_uuid: None };
    let (entry, _) = fetch(pull, &offered)?;
    let why = (entry.outcome != Outcome::Done).then(|| entry.reason.clone());
    pull.service().enter(vec![entry])?;
    match why {
        Some(why) => Err(Fault::Strange(format!("the event was not taken: {why}"))),
        None => Ok(()),
    }
}

/// What failed before and is due for another attempt.
pub(super) fn again(pull: &Pull<'_>) -> Result<(), Fault> {
    let now = pull.service().now();
    let due = pull
        .service()
        .read(&receiver(pull.server()), |r| Ok(r.ledger_due(pull.server().id, DIRECTION, now, AGAIN)?))?;
    let events: Vec<Offered> = due
        .into_iter()
        .filter(|entry| entry.subject == Subject::Event)
        .map(|entry| Offered {
            uuid: entry.uuid,
            timestamp: entry.version,
            sighting_timestamp: 0,
            published: true,
            orgc_uuid: None,
        })
        .collect();
    self::pull(pull, &events).map(drop)
}

/// Fetches and stores one event and notes what came of it. `false`: it is to be tried again.
fn step(
    pull: &Pull<'_>,
    offered: &Offered,
    failures: &AtomicUsize,
    entries: &Mutex<Vec<Entry>>,
) -> Result<bool, Fault> {
    let (entry, dealt_with) = match fetch(pull, offered) {
        Ok(done) => {
            failures.store(0, Ordering::Relaxed);
            done
        }
        Err(fault @ (Fault::Stopped | Fault::Setup(_))) => return Err(fault),
        Err(fault) => {
            let weight = if matches!(fault, Fault::Away(_)) { SILENT } else { 1 };
            let many = failures.fetch_add(weight, Ordering::Relaxed) + weight >= AWAY;
            pull.tally.failed.fetch_add(1, Ordering::Relaxed);
            let entry =
                Entry::new(pull.server().id, DIRECTION, Subject::Event, offered.uuid, Outcome::Failed)
                    .because(fault.to_string())
                    .about("", offered.timestamp);
            if many && fault.passes() {
                pull.service().enter(vec![entry])?;
                return Err(fault);
            }
            (entry, false)
        }
    };
    let mut entries = entries.lock();
    entries.push(entry);
    if entries.len() >= ENTRIES {
        let full = std::mem::take(&mut *entries);
        drop(entries);
        pull.service().enter(full)?;
    }
    Ok(dealt_with)
}

fn fetch(pull: &Pull<'_>, offered: &Offered) -> Result<(Entry, bool), Fault> {
    let path = format!(
        "events/view/{}/deleted[]:0/deleted[]:1/excludeGalaxy:1/includeEventCorrelations:0/\
         includeFeedCorrelations:0/includeWarninglistHits:0{}",
        offered.uuid,
        if pull.server().internal { "" } else { "/excludeLocalTags:1" }
    );
    let answer = pull.peer.get(&path, (LONG, LARGE))?;
    let mut draft = pisax_wire::read_event(&answer.body).map_err(|e| Fault::Strange(e.to_string()))?;
    draft.proof = answer.header("x-pgp-signature").map(|signature| Proof {
        // One that is no base64 proves nothing.
        signature: pisax_wire::read_base64(signature.trim()).unwrap_or_default(),
        text: answer.body.clone(),
    });
    let entry = |outcome| {
        Entry::new(pull.server().id, DIRECTION, Subject::Event, offered.uuid, outcome)
            .about(draft.info.as_deref().unwrap_or_default(), draft.timestamp.unwrap_or(offered.timestamp))
    };
    if draft.uuid != Some(offered.uuid) {
        pull.tally.failed.fetch_add(1, Ordering::Relaxed);
        let entry = Entry::new(pull.server().id, DIRECTION, Subject::Event, offered.uuid, Outcome::Refused)
            .because("the server sent another event than was asked for")
            .about("", offered.timestamp);
        return Ok((entry, true));
    }
    let entry = entry(Outcome::Done);
    Ok((store(pull, entry, draft)?, true))
}

pub(crate) fn store(pull: &Pull<'_>, entry: Entry, draft: EventDraft) -> Result<Entry, Fault> {
    let server = pull.server();
    let refused = |entry: Entry, outcome, why: String| Entry { outcome, ..entry }.because(why);
    let incoming =
        Incoming { internal: server.internal, rules: &pull.rules, unpublish: server.unpublish_event };
    let passed = match transit::incoming(draft, &incoming) {
        Ok(passed) => passed,
        Err(refusal) => return Ok(refused(entry, Outcome::Rule, refusal.to_string())),
    };
    let mut left_out: Vec<String> = passed.dropped.iter().map(ToString::to_string).collect();
    let from = Source::link(pull.service(), server);
    Ok(match receive(pull.service(), &receiver(server), passed.event, &from)? {
        Received::Added { dropped, .. } | Received::Updated { dropped, .. } => {
            pull.tally.events.fetch_add(1, Ordering::Relaxed);
            left_out.extend(dropped.iter().map(ToString::to_string));
            entry.because(told(&left_out))
        }
        Received::Older { .. } => refused(entry, Outcome::UpToDate, "what is here is as new".into()),
        Received::Refused(why) => {
            pull.tally.failed.fetch_add(1, Ordering::Relaxed);
            refused(entry, Outcome::Refused, why)
        }
    })
}

/// What was left out, the first few by name.
fn told(left_out: &[String]) -> String {
    match left_out {
        [] => String::new(),
        [few @ ..] if few.len() <= 3 => format!("left out: {}", few.join("; ")),
        many => format!("left out {} elements, for one {}", many.len(), many[0]),
    }
}
