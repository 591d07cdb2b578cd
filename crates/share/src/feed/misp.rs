//! A feed of events as MISP publishes them: what the manifest lists and the rules want is fetched, a few at a time,
//! where it is new or newer than what is here.

use super::account::Tally;
use super::fetch::{Bounds, Download, EVENT, PACKED, Place, SOME, UNPACKED};
use crate::Fault;
use crate::work::Work;
use parking_lot::Mutex;
use pisax_access::Actor;
use pisax_model::event::EventDraft;
use pisax_model::feed::Feed;
use pisax_model::ids::Ref;
use pisax_model::tag::TagDraft;
use pisax_model::transit::Choice;
use pisax_model::{FieldError, Uuid};
use pisax_service::{Error, Service, event};
use pisax_wire::{FeedSettings, Listed, ManifestError, read_manifest};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Events fetched at a time.
const AT_ONCE: usize = 4;
/// Most entries of a manifest.
const MAX_EVENTS: usize = 1_000_000;
/// Failures in a row after which the feed counts as away.
const AWAY: usize = 5;
/// Events looked up at a time.
const LOOKED_UP: usize = 500;
const DAY: i64 = 86_400;

/// What the rules of a feed want.
pub(super) struct Wanted {
    tags: Choice,
    orgs: Choice,
    /// Not older than this (Unix seconds), by timestamp and by publication.
    since: i64,
    published_since: i64,
}

impl Wanted {
    pub(super) fn of(feed: &Feed, now: i64) -> Result<Self, Fault> {
        let wrong = |why: String| Fault::Setup(format!("the rules of the feed cannot be read: {why}"));
        let rules = pisax_wire::read_rules(feed.rules.as_deref().unwrap_or_default())
            .map_err(|e| wrong(e.to_string()))?;
        let params: serde_json::Value = match rules.url_params.as_str() {
            "" => serde_json::Value::Null,
            text => serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?,
        };
        let since = |name: &str| -> Result<i64, Fault> {
            match params.get(name) {
                None | Some(serde_json::Value::Null) => Ok(0),
                Some(serde_json::Value::Number(number)) => Ok(number.as_i64().unwrap_or(0)),
                Some(serde_json::Value::String(text)) if text.trim().is_empty() => Ok(0),
                Some(serde_json::Value::String(text)) => moment(text.trim(), now)
                    .ok_or_else(|| wrong(format!("url_params.{name}: expected a moment or a span as 30d"))),
                Some(_) => Err(wrong(format!("url_params.{name}: expected a moment or a span as 30d"))),
            }
        };
        Ok(Self {
            since: since("timestamp")?,
            published_since: since("publish_timestamp")?,
            tags: rules.tags,
            orgs: rules.orgs,
        })
    }

    /// Whether an event is wanted. Tags and organisations are compared as MISP does for feeds: a part of the name is
    /// enough.
    fn admits(&self, tags: &[&str], orgs: &[&str], timestamp: i64, published: i64) -> bool {
        let holds = |choice: &Choice, own: &[&str]| {
            let has = |wanted: &String| {
                let wanted = wanted.trim().to_lowercase();
                own.iter().any(|own| own.to_lowercase().contains(&wanted))
            };
            (choice.or.is_empty() || choice.or.iter().any(has)) && !choice.not.iter().any(has)
        };
        // Not every manifest says when an event was published.
        let published = if published > 0 { published } else { timestamp };
        holds(&self.tags, tags)
            && holds(&self.orgs, orgs)
            && timestamp >= self.since
            && published >= self.published_since
    }

    pub(super) fn admits_listed(&self, listed: &Listed) -> bool {
        let tags: Vec<&str> = listed.tags.iter().map(String::as_str).collect();
        let uuid = listed.orgc_uuid.map(|uuid| uuid.to_string()).unwrap_or_default();
        self.admits(&tags, &[&listed.orgc_name, &uuid], listed.timestamp, listed.publish_timestamp)
    }

    pub(super) fn admits_event(&self, event: &EventDraft) -> bool {
        let tags: Vec<&str> = event.tags.iter().map(|tag| tag.name.as_str()).collect();
        let (name, uuid) = event.orgc.as_ref().map_or_else(Default::default, |orgc| {
            (orgc.name.clone().unwrap_or_default(), orgc.uuid.map(|u| u.to_string()).unwrap_or_default())
        });
        let timestamp = event.timestamp.unwrap_or(0);
        self.admits(&tags, &[&name, &uuid], timestamp, event.publish_timestamp.unwrap_or(0))
    }
}

/// A moment: Unix seconds, or so long ago (`30d`, `12h`, `5m`).
fn moment(text: &str, now: i64) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let span = match unit {
        "d" => DAY,
        "h" => 3600,
        "m" => 60,
        "s" => 1,
        _ => return None,
    };
    Some(now - digits.parse::<i64>().ok()?.checked_mul(span)?)
}

/// The entries of a manifest.
pub(super) fn manifest(download: Download) -> Result<Vec<Listed>, Fault> {
    let mut all = Vec::new();
    let read = read_manifest(download.unpacked(UNPACKED)?, |listed| {
        if all.len() >= MAX_EVENTS {
            return Err(format!("it lists more than {MAX_EVENTS} events"));
        }
        all.push(listed);
        Ok(())
    });
    match read {
        Ok(()) => Ok(all),
        Err(ManifestError::Stopped(why)) => Err(Fault::TooMuch(why)),
        Err(ManifestError::Broken(e)) => Err(super::fetch::unpacking(&e)),
        Err(ManifestError::NotOne(why)) => {
            Err(Fault::Unusable(format!("its manifest cannot be read: {why}")))
        }
    }
}

/// The bounds of a manifest.
pub(super) const MANIFEST: Bounds = Bounds { time: super::fetch::LONG, bytes: PACKED };

/// What becomes of an entry of a manifest.
pub(super) enum Fate {
    New,
    Newer,
    Known,
    Excluded,
    Refused(&'static str),
}

/// What would become of each entry.
pub(super) fn fates(
    service: &Service,
    actor: &Actor,
    wanted: &Wanted,
    listed: &[Listed],
) -> Result<Vec<Fate>, Fault> {
    let mut seen = FxHashSet::default();
    let mut fates = Vec::with_capacity(listed.len());
    for chunk in listed.chunks(LOOKED_UP) {
        let uuids: Vec<Uuid> = chunk.iter().filter_map(|one| one.uuid).collect();
        let stored = service.read(actor, |r| Ok(r.events_by_uuids(&uuids)?))?;
        let stored: FxHashMap<Uuid, i64> = stored.iter().map(|event| (event.uuid, event.timestamp)).collect();
        for one in chunk {
            fates.push(match one.uuid {
                None => Fate::Refused("its name in the manifest is no uuid"),
                Some(uuid) if !seen.insert(uuid) => Fate::Refused("it is in the manifest twice"),
                Some(_) if !wanted.admits_listed(one) => Fate::Excluded,
                Some(uuid) => match stored.get(&uuid) {
                    None => Fate::New,
                    Some(timestamp) if *timestamp >= one.timestamp => Fate::Known,
                    Some(_) => Fate::Newer,
                },
            });
        }
    }
    Ok(fates)
}

/// Takes over what a manifest lists. `true`: everything was dealt with, that is, stored or refused for good.
pub(super) fn import(
    work: &Work,
    actor: &Actor,
    feed: &Feed,
    settings: &FeedSettings,
    place: &Place,
    download: Download,
    tally: &mut Tally,
) -> Result<bool, Fault> {
    let service = &*work.service;
    let wanted = Wanted::of(feed, service.now())?;
    let listed = manifest(download)?;
    let fates = fates(service, actor, &wanted, &listed)?;
    tally.account.bytes = listed.iter().map(|one| one.json.len() as i64).sum();
    tally.account.lines = listed.len() as i64;
    tally.account.holding = tally.account.lines;
    tally.account.values = tally.account.lines;
    let mut asked: Vec<(i64, &Listed)> = Vec::new();
    for (place, (one, fate)) in listed.iter().zip(&fates).enumerate() {
        match fate {
            Fate::New | Fate::Newer => asked.push((place as i64 + 1, one)),
            Fate::Known => tally.account.known += 1,
            Fate::Excluded => tally.account.excluded += 1,
            Fate::Refused(why) => {
                tally.account.refused += 1;
                tally.because(place as i64 + 1, &one.name, why);
            }
        }
    }
    let tags = service.feed_tags(feed)?;
    let taking = Taking { service, actor, feed, settings, place, wanted: &wanted, tags: &tags };
    let (next, failures, dealt_with) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let shared = Mutex::new((tally, None::<Fault>, true));
    let run = || {
        while shared.lock().1.is_none()
            && let Some((line, one)) = asked.get(next.fetch_add(1, Ordering::Relaxed))
        {
            let at = dealt_with.fetch_add(1, Ordering::Relaxed) + 1;
            let percent = 1 + (at * 97 / asked.len().max(1)) as i64;
            let told = work.tell(percent, &format!("Fetching event {at} of {}.", asked.len()));
            let taken = told.and_then(|()| taking.event(one));
            let mut shared = shared.lock();
            let (tally, ended, complete) = &mut *shared;
            match taken {
                Ok(Taken::Stored(left_out)) => {
                    failures.store(0, Ordering::Relaxed);
                    tally.account.taken += 1;
                    for (number, why) in left_out.iter().enumerate() {
                        tally.account.left_out += 1;
                        tally.because(*line, &format!("{} attribute {}", one.name, number + 1), why);
                    }
                }
                Ok(Taken::Known) => tally.account.known += 1,
                Ok(Taken::Excluded) => tally.account.excluded += 1,
                Ok(Taken::Refused(why)) => {
                    failures.store(0, Ordering::Relaxed);
                    tally.account.refused += 1;
                    tally.because(*line, &one.name, &why);
                }
                Err(fault) => {
                    *complete = false;
                    tally.account.refused += 1;
                    tally.because(*line, &one.name, &fault.to_string());
                    let many = failures.fetch_add(1, Ordering::Relaxed) + 1 >= AWAY;
                    if matches!(fault, Fault::Stopped | Fault::Here(_)) || (many && fault.passes()) {
                        ended.get_or_insert(fault);
                    }
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..AT_ONCE.min(asked.len().max(1)) {
            scope.spawn(run);
        }
        run();
    });
    let (tally, ended, complete) = shared.into_inner();
    let left = asked.len() - dealt_with.into_inner().min(asked.len());
    if left > 0 {
        tally.account.refused += left as i64;
        tally.because(0, "", &format!("the run ended before {left} further events were asked for"));
    }
    match ended {
        Some(fault) => Err(fault),
        None => Ok(complete),
    }
}

/// What became of an event.
pub(super) enum Taken {
    /// Without these attributes.
    Stored(Vec<String>),
    Known,
    Excluded,
    Refused(String),
}

/// What it takes to take an event.
pub(super) struct Taking<'t> {
    pub(super) service: &'t Service,
    pub(super) actor: &'t Actor,
    pub(super) feed: &'t Feed,
    pub(super) settings: &'t FeedSettings,
    pub(super) place: &'t Place,
    pub(super) wanted: &'t Wanted,
    pub(super) tags: &'t [TagDraft],
}

/// Fetches the file of an event.
pub(super) fn file(place: &Place, uuid: Uuid) -> Result<Vec<u8>, Fault> {
    let bounds = Bounds { time: SOME, bytes: EVENT };
    place.file(Some(&format!("{uuid}.json")), bounds)?.bytes(EVENT)
}

impl Taking<'_> {
    fn event(&self, listed: &Listed) -> Result<Taken, Fault> {
        let Some(uuid) = listed.uuid else { return Ok(Taken::Refused("it has no uuid".into())) };
        let body = match file(self.place, uuid) {
            Ok(body) => body,
            // Asking again gives the same answer.
            Err(fault) if !fault.passes() && !matches!(fault, Fault::Stopped | Fault::Here(_)) => {
                return Ok(Taken::Refused(fault.to_string()));
            }
            Err(fault) => return Err(fault),
        };
        self.store(uuid, &body)
    }

    /// An event as the feed's rules make it, for whoever looks at it.
    pub(super) fn read(&self, uuid: Uuid) -> Result<EventDraft, Fault> {
        let draft = pisax_wire::read_event(&file(self.place, uuid)?)
            .map_err(|e| Fault::Unusable(format!("it is no event: {e}")))?;
        if draft.uuid != Some(uuid) {
            return Err(Fault::Unusable("the file holds another event than its name says".into()));
        }
        Ok(self.prepared(draft))
    }

    /// Stores an event as the feed's rules make it.
    pub(super) fn store(&self, uuid: Uuid, body: &[u8]) -> Result<Taken, Fault> {
        let draft = match pisax_wire::read_event(body) {
            Ok(draft) => draft,
            Err(e) => return Ok(Taken::Refused(format!("it is no event: {e}"))),
        };
        if draft.uuid != Some(uuid) {
            return Ok(Taken::Refused("the file holds another event than the manifest says".into()));
        }
        if !self.wanted.admits_event(&draft) {
            return Ok(Taken::Excluded);
        }
        let draft = self.prepared(draft);
        let stored = self.service.read(self.actor, |r| {
            let Some(event) = r.event(Ref::Uuid(uuid))? else { return Ok(None) };
            let orgc = r.org_names(&[event.orgc_id])?.remove(&event.orgc_id);
            Ok(Some((event, orgc)))
        })?;
        let Some((event, orgc)) = stored else {
            return answer(
                event::add(self.service, self.actor, draft)
                    .map(|added| added.dropped.iter().map(|(_, e)| told(e)).collect()),
            );
        };
        if draft.timestamp.is_none_or(|timestamp| timestamp <= event.timestamp) {
            return Ok(Taken::Known);
        }
        if !event.locked {
            return Ok(Taken::Refused("an event with this uuid was made here".into()));
        }
        // Who publishes a feed says whose events are in it; he does not get to change those of others.
        let said = draft.orgc.as_ref().and_then(|orgc| orgc.uuid);
        if orgc.is_some_and(|orgc| said != Some(orgc.uuid)) {
            return Ok(Taken::Refused("an event with this uuid is here, of another organisation".into()));
        }
        let edited = event::edit_and_tell(self.service, self.actor, Ref::Uuid(uuid), draft);
        answer(edited.map(|(_, dropped)| dropped.iter().map(told).collect()))
    }

    fn prepared(&self, mut draft: EventDraft) -> EventDraft {
        let own = self.feed.distribution == 5 && draft.distribution.is_some();
        if !own {
            draft.distribution = Some(if self.feed.distribution == 5 { 0 } else { self.feed.distribution });
            let group = (self.feed.distribution == 4).then_some(Ref::Id(self.feed.sharing_group_id));
            draft.sharing_group = group;
            draft.sharing_group_draft = None;
            let inside = draft.objects.iter_mut().flat_map(|object| &mut object.attributes);
            for attribute in draft.attributes.iter_mut().chain(inside) {
                (attribute.distribution, attribute.sharing_group) = (Some(5), None);
                attribute.sharing_group_draft = None;
            }
            for object in &mut draft.objects {
                (object.distribution, object.sharing_group) = (Some(5), None);
                object.sharing_group_draft = None;
            }
            for report in &mut draft.reports {
                (report.distribution, report.sharing_group) = (Some(5), None);
                report.sharing_group_draft = None;
            }
        }
        draft.locked = Some(true);
        let published = draft.published == Some(true) || self.feed.publish;
        draft.published = Some(published && !self.settings.unpublish);
        if self.settings.disable_correlation {
            draft.disable_correlation = Some(true);
        }
        // A signature covers what the feed's rules change; nothing vouches for it from here on.
        draft.protected = None;
        draft.keys = Vec::new();
        // What was local there was not meant to travel.
        let travels = |tag: &TagDraft| tag.local != Some(true);
        draft.tags.retain(travels);
        let inside = draft.objects.iter_mut().flat_map(|object| &mut object.attributes);
        for attribute in draft.attributes.iter_mut().chain(inside) {
            attribute.tags.retain(travels);
        }
        for tag in self.tags {
            if !draft.tags.iter().any(|own| own.name.eq_ignore_ascii_case(&tag.name)) {
                draft.tags.push(tag.clone());
            }
        }
        draft
    }
}

fn told(error: &FieldError) -> String {
    format!("{}: {}", error.field, error.message)
}

fn answer(stored: pisax_service::Result<Vec<String>>) -> Result<Taken, Fault> {
    match stored {
        Ok(left_out) => Ok(Taken::Stored(left_out)),
        Err(Error::Stale(_)) => Ok(Taken::Known),
        Err(Error::EventExists { .. }) => {
            Ok(Taken::Refused("an event with this uuid is here already".into()))
        }
        // MISP's words are for whoever asks by hand.
        Err(Error::Forbidden) => Ok(Taken::Refused("an event with this uuid was made here".into())),
        Err(error @ Error::Store(_)) => Err(error.into()),
        Err(error) => Ok(Taken::Refused(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(rules: &str) -> Result<Wanted, Fault> {
        Wanted::of(&Feed { rules: Some(rules.into()), ..Feed::blank() }, 100 * DAY)
    }

    #[test]
    fn rules_want_tags_organisations_and_moments() {
        let tags =
            wanted(r#"{"tags":{"OR":["TLP:clear"],"NOT":["old"]},"orgs":{"OR":[],"NOT":["Evil"]}}"#).unwrap();
        assert!(tags.admits(&["tlp:clear"], &["Good"], 0, 0));
        assert!(!tags.admits(&["tlp:clear", "very old"], &["Good"], 0, 0));
        assert!(!tags.admits(&[], &["Good"], 0, 0));
        assert!(!tags.admits(&["tlp:clear"], &["Evil Corp"], 0, 0));
        let young =
            wanted(r#"{"url_params":"{\"timestamp\":\"30d\",\"publish_timestamp\":6480000}"}"#).unwrap();
        assert!(young.admits(&[], &[], 75 * DAY, 0));
        assert!(!young.admits(&[], &[], 69 * DAY, 0));
        assert!(!young.admits(&[], &[], 75 * DAY, 74 * DAY));
        assert!(wanted(r#"{"url_params":"{\"timestamp\":\"x\"}"}"#).is_err());
        assert!(wanted("").is_ok());
    }

    #[test]
    fn a_moment_is_a_number_or_a_span() {
        assert_eq!((moment("17", 0), moment("2h", 7200), moment("1é", 0)), (Some(17), Some(0), None));
        for bad in ["", "d", "5w", "99999999999999999d"] {
            assert_eq!(moment(bad, 0), None, "{bad}");
        }
    }
}
