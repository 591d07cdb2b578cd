//! A dry run: what would flow over a connection, what would not and why, and what the other side would get. The other
//! side is asked what it has and wants; nothing is stored on either, and nothing stands in the ledger afterwards.

use crate::Fault;
use crate::peer::{Offered, Peer};
use crate::pull::{Verdict, index_filter, verdicts};
use crate::push::{Link, permitted, sender, wanted};
use pisax_model::Uuid;
use pisax_model::event::{Event, EventDraft};
use pisax_model::ids::Ref;
use pisax_model::peer::Outcome;
use pisax_model::server::Server;
use pisax_model::transit::Refusal;
use pisax_service::Service;
use pisax_service::event::{Carried, carry};
use pisax_wire::{JsonWriter, write_event_draft};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Most events that are looked at one by one.
pub const MOST: usize = 200;
/// Most reasons told of what is left out of one event.
const REASONS: usize = 20;

/// What a push would do.
pub struct Push {
    /// The newest publication first, or the one event that was asked for.
    pub events: Vec<Leaving>,
    /// Why the other side could not be asked what it wants; then it may have some of this already.
    pub unasked: Option<String>,
}

/// An event on its way out.
pub struct Leaving {
    pub id: i64,
    pub uuid: Uuid,
    pub info: String,
    pub published: bool,
    /// [`Outcome::Done`]: it would go.
    pub outcome: Outcome,
    /// Why it would not.
    pub reason: String,
    /// How many attributes, in objects or not, and reports would go.
    pub attributes: usize,
    pub reports: usize,
    /// How many elements would stay here, and why, each reason with how often it applies.
    pub left_out: usize,
    pub reasons: Vec<(String, usize)>,
}

/// What a push would do with one event.
pub struct One {
    pub told: Push,
    /// What the other side would be sent.
    pub sent: Option<Vec<u8>>,
}

/// What a push to the server would do with what was published last, up to `limit` events.
pub fn push(service: &Arc<Service>, server: Server, limit: usize) -> Result<Push, Fault> {
    let limit = limit.clamp(1, MOST) as i64;
    let events = service.read(&sender(), |r| Ok(r.newest_published_events(limit)?))?;
    let link = Link::open(service, server)?;
    leaving(&link, events)
}

/// The same for one event, and what the other side would be sent: MISP's JSON. None: there is no such event.
pub fn push_one(service: &Arc<Service>, server: Server, event: Ref) -> Result<Option<One>, Fault> {
    let Some(event) = service.read(&sender(), |r| Ok(r.event(event)?))? else { return Ok(None) };
    let link = Link::open(service, server)?;
    let sent = match carry(service, &sender(), Ref::Id(event.id), Carried::WHOLE)? {
        Some(carried) => link.outgoing(carried.draft).ok().map(|passed| {
            let mut body = Vec::new();
            write_event_draft(&mut JsonWriter::new(&mut body), &passed.event);
            body
        }),
        None => None,
    };
    Ok(Some(One { told: leaving(&link, vec![event])?, sent }))
}

fn leaving(link: &Link, events: Vec<Event>) -> Result<Push, Fault> {
    let (wanted, unasked) = match asked(link, &events) {
        Ok(wanted) => (Some(wanted), None),
        Err(Fault::Here(error)) => return Err(error.into()),
        Err(fault) => (None, Some(fault.to_string())),
    };
    let mut told = Vec::with_capacity(events.len());
    for event in events {
        let mut one = through(link, &event)?;
        let known = wanted.as_ref().is_some_and(|wanted| !wanted.contains(&event.uuid));
        if one.outcome == Outcome::Done && known {
            one.outcome = Outcome::UpToDate;
            one.reason = "the other side does not want it: it has it as new, or blocks it".into();
        }
        told.push(one);
    }
    Ok(Push { events: told, unasked })
}

fn asked(link: &Link, events: &[Event]) -> Result<FxHashSet<Uuid>, Fault> {
    permitted(link)?;
    if events.is_empty() { Ok(FxHashSet::default()) } else { wanted(link, events) }
}

/// What rules, guard and distribution make of an event.
fn through(link: &Link, event: &Event) -> Result<Leaving, Fault> {
    let mut told = Leaving {
        id: event.id,
        uuid: event.uuid,
        info: event.info.clone(),
        published: event.published,
        outcome: Outcome::Done,
        reason: String::new(),
        attributes: 0,
        reports: 0,
        left_out: 0,
        reasons: Vec::new(),
    };
    // Which elements pass does not hang on the bytes of their files.
    let what = Carried { attachments: false, tombstones: true };
    let Some(carried) = carry(&link.service, &sender(), Ref::Id(event.id), what)? else {
        told.outcome = Outcome::UpToDate;
        told.reason = "it is no longer here".into();
        return Ok(told);
    };
    match link.outgoing(carried.draft) {
        Ok(passed) => {
            told.attributes = attributes(&passed.event);
            told.reports = passed.event.reports.iter().filter(|r| r.deleted != Some(true)).count();
            told.left_out = passed.dropped.len();
            told.reasons = counted(passed.dropped.iter().map(|dropped| &dropped.reason));
        }
        Err(refusal) => {
            told.outcome = if refusal.by_guard() { Outcome::Guard } else { Outcome::Rule };
            told.reason = refusal.to_string();
        }
    }
    Ok(told)
}

fn attributes(event: &EventDraft) -> usize {
    let inside = event.objects.iter().filter(|o| o.deleted != Some(true)).flat_map(|o| &o.attributes);
    event.attributes.iter().chain(inside).filter(|a| a.deleted != Some(true)).count()
}

/// Each reason with how often it is given, in the order of their first appearance.
fn counted<'r>(reasons: impl Iterator<Item = &'r Refusal>) -> Vec<(String, usize)> {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for reason in reasons.map(ToString::to_string) {
        match counted.iter().position(|(known, _)| *known == reason) {
            Some(place) => counted[place].1 += 1,
            None if counted.len() < REASONS => counted.push((reason, 1)),
            None => {}
        }
    }
    counted
}

/// A JSON text laid out for people, up to a length in bytes; and whether it is cut there.
pub fn laid_out(json: &[u8], longest: usize) -> (String, bool) {
    let mut text = serde_json::from_slice::<Value>(json)
        .ok()
        .and_then(|value| serde_json::to_string_pretty(&value).ok())
        .unwrap_or_else(|| String::from_utf8_lossy(json).into_owned());
    let cut = text.len() > longest;
    if cut {
        text.truncate(text.floor_char_boundary(longest));
    }
    (text, cut)
}

/// What a pull would do.
#[derive(Default)]
pub struct Pull {
    /// How many events the other side offers, and what they are to us.
    pub offered: usize,
    pub new: usize,
    pub newer: usize,
    /// Here as they are there, or this version was looked at once and not taken.
    pub same: usize,
    pub skipped: usize,
    /// The newest that would be taken or are skipped.
    pub events: Vec<Coming>,
}

/// An event that is offered.
pub struct Coming {
    pub uuid: Uuid,
    pub timestamp: i64,
    /// Empty where the other side did not say.
    pub info: String,
    pub arrives: Arrival,
    /// Why it is skipped.
    pub reason: String,
}

/// What an offered event would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    New,
    Newer,
    Skipped,
}

impl Arrival {
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Newer => "newer",
            Self::Skipped => "skipped",
        }
    }
}

/// What a pull from the server would do; of the events, up to `limit` are named.
pub fn pull(service: &Service, server: Server, limit: usize) -> Result<Pull, Fault> {
    let limit = limit.clamp(1, MOST);
    let rules = crate::terms::pull_rules(&server)?;
    let filter = index_filter(&rules);
    let peer = Peer::new(service, server.clone())?;
    let offered = peer.index_now(&filter)?;
    let mut told = Pull { offered: offered.len(), ..Pull::default() };
    verdicts(service, &server, &offered, |event, verdict, title| told.add(event, verdict, title))?;
    told.events.sort_by_key(|event| (std::cmp::Reverse(event.timestamp), event.uuid));
    told.events.truncate(limit);
    if told.events.iter().any(|event| event.info.is_empty()) {
        // The list that decides has no titles; without them it is as true.
        let titles = titles(service, server, limit).unwrap_or_default();
        for event in told.events.iter_mut().filter(|event| event.info.is_empty()) {
            event.info = titles.get(&event.uuid).cloned().unwrap_or_default();
        }
    }
    Ok(told)
}

impl Pull {
    fn add(&mut self, event: &Offered, verdict: Verdict, title: &str) {
        let (arrives, reason) = match verdict {
            Verdict::New => {
                self.new += 1;
                (Arrival::New, "")
            }
            Verdict::Newer => {
                self.newer += 1;
                (Arrival::Newer, "")
            }
            Verdict::Same { decided: false, .. } => {
                self.same += 1;
                return;
            }
            Verdict::Same { decided: true, .. } => {
                self.skipped += 1;
                (Arrival::Skipped, "this version was looked at once and not taken: the ledger says why")
            }
            Verdict::No(_, why) => {
                self.skipped += 1;
                (Arrival::Skipped, why)
            }
        };
        let (uuid, timestamp) = (event.uuid, event.timestamp);
        self.events.push(Coming { uuid, timestamp, info: title.to_owned(), arrives, reason: reason.into() });
    }
}

/// Titles of the newest events over there.
fn titles(service: &Service, server: Server, limit: usize) -> Result<FxHashMap<Uuid, String>, Fault> {
    let mut sent = Map::new();
    sent.insert("limit".into(), json!(limit));
    sent.insert("published".into(), json!(1));
    let body = crate::look::preview_index(service, server, sent)?;
    let events: Vec<Value> =
        serde_json::from_slice(&body).map_err(|_| Fault::Strange("its events are no list".into()))?;
    let title = |event: &Value| {
        let event = event.get("Event").unwrap_or(event);
        let uuid = Uuid::try_parse(event.get("uuid")?.as_str()?).ok()?;
        let info = event.get("info")?.as_str()?;
        Some((uuid, info.chars().filter(|c| !c.is_control()).take(300).collect()))
    };
    Ok(events.iter().filter_map(title).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(timestamp: i64) -> Offered {
        let (sighting_timestamp, orgc_uuid) = (0, None);
        Offered { uuid: Uuid::nil(), timestamp, sighting_timestamp, published: true, orgc_uuid }
    }

    #[test]
    fn every_offered_event_is_counted_once_and_what_is_the_same_is_not_named() {
        let mut told = Pull::default();
        let same = |decided| Verdict::Same { newer_sightings: false, decided };
        for verdict in [
            Verdict::New,
            Verdict::Newer,
            same(false),
            same(true),
            Verdict::No(Outcome::Blocked, "the event is on the blocklist"),
        ] {
            told.add(&offered(7), verdict, "");
        }
        assert_eq!((told.new, told.newer, told.same, told.skipped), (1, 1, 1, 2));
        let arrivals: Vec<_> = told.events.iter().map(|event| event.arrives.name()).collect();
        assert_eq!(arrivals, ["new", "newer", "skipped", "skipped"]);
        assert_eq!(told.events[3].reason, "the event is on the blocklist");
    }

    #[test]
    fn reasons_are_counted_in_their_order() {
        let (level, kind) = (Refusal::Distribution(0), Refusal::TypeBlocked("sha256".into()));
        let told = counted([&level, &kind, &level].into_iter());
        assert_eq!(told, [(level.to_string(), 2), (kind.to_string(), 1)]);
    }
}
