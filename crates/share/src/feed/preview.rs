//! A feed before it is enabled: what would come, what of it is here, and single events of it, seen or taken.

use super::account::Tally;
use super::fetch::{Bounds, PACKED, Place, SHORT, UNPACKED};
use super::lines::{Found, Reading, hashes};
use super::misp::{self, Fate, Taken, Taking, Wanted};
use super::{bringer, fetcher, list, settings};
use crate::Fault;
use pisax_access::Actor;
use pisax_model::Uuid;
use pisax_model::feed::{Feed, SourceFormat};
use pisax_model::feed_run::{Account, NotTaken, Source};
use pisax_model::freetext::Candidate;
use pisax_service::Service;
use pisax_wire::{JsonWriter, Listed};
use rustc_hash::{FxHashMap, FxHashSet};

/// Values looked up at a time, and most that a preview looks at.
const AT_A_TIME: usize = 1000;
const MOST: i64 = 200_000;
/// Bounds of what somebody waits for.
const WAITED: Bounds = Bounds { time: SHORT, bytes: PACKED };

/// What would become of an event of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WouldBe {
    Added,
    Updated,
    Known,
    Excluded,
    Refused,
}

impl WouldBe {
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Updated => "updated",
            Self::Known => "known",
            Self::Excluded => "excluded",
            Self::Refused => "refused",
        }
    }
}

/// The manifest of a feed of events, each with what would become of it.
pub fn index(service: &Service, actor: &Actor, feed: &Feed) -> Result<Vec<(Listed, WouldBe)>, Fault> {
    let place = Place::of(service, feed)?;
    let listed = misp::manifest(place.file(Some("manifest.json"), WAITED)?)?;
    let wanted = Wanted::of(feed, service.now())?;
    let fates = misp::fates(service, actor, &wanted, &listed)?;
    let would = |fate: Fate| match fate {
        Fate::New => WouldBe::Added,
        Fate::Newer => WouldBe::Updated,
        Fate::Known => WouldBe::Known,
        Fate::Excluded => WouldBe::Excluded,
        Fate::Refused(_) => WouldBe::Refused,
    };
    Ok(listed.into_iter().zip(fates.into_iter().map(would)).collect())
}

/// A value of a list, and whether it is here.
pub struct Seen {
    pub candidate: Candidate,
    pub here: bool,
}

/// Some values of a list: those after the first `skip`.
pub fn lines(
    service: &Service,
    actor: &Actor,
    feed: &Feed,
    skip: usize,
    limit: usize,
) -> Result<Vec<Seen>, Fault> {
    let mut passed = 0;
    let mut found: Vec<Candidate> = Vec::new();
    let walked = each(service, feed, &mut Tally::new(), |_, one, _| {
        if let Found::Indicator(candidate) = one {
            passed += 1;
            if passed > skip {
                found.push(*candidate);
            }
        }
        if found.len() < limit { Ok(()) } else { Err(Fault::Stopped) }
    });
    match walked {
        Ok(()) | Err(Fault::Stopped) => {}
        Err(fault) => return Err(fault),
    }
    let values: Vec<&str> = found.iter().map(|candidate| half(&candidate.value)).collect();
    let here = service.read(actor, |r| Ok(r.values_here(&values)?))?;
    Ok(found.into_iter().zip(here).map(|(candidate, here)| Seen { candidate, here }).collect())
}

/// The half that values are found by.
fn half(value: &str) -> &str {
    value.split('|').next().unwrap_or(value)
}

fn each(
    service: &Service,
    feed: &Feed,
    tally: &mut Tally,
    each: impl FnMut(i64, Found, &mut Tally) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let reading = Reading::new(feed.source_format, &settings(feed)?)?;
    let text = Place::of(service, feed)?.file(None, WAITED)?.unpacked(UNPACKED)?;
    list::walk(text, &reading, tally, each)
}

/// What would come with a feed.
pub struct Preview {
    /// As a run would count; `known` is what is here already, anywhere.
    pub account: Account,
    pub reasons: Vec<NotTaken>,
    /// How many of the different values another feed or server has as well, as far as it is cached.
    pub overlap: Vec<(Source, i64)>,
    /// Whether all of the feed was looked at.
    pub complete: bool,
}

impl Preview {
    pub fn of(service: &Service, actor: &Actor, feed: &Feed) -> Result<Self, Fault> {
        if feed.source_format == SourceFormat::Misp {
            return Self::of_events(service, actor, feed);
        }
        let mut tally = Tally::new();
        let mut seen = FxHashSet::default();
        let mut waiting: Vec<Candidate> = Vec::new();
        let mut overlap: FxHashMap<Source, i64> = FxHashMap::default();
        let mut look = |waiting: &mut Vec<Candidate>, tally: &mut Tally| -> Result<(), Fault> {
            let values: Vec<&str> = waiting.iter().map(|candidate| half(&candidate.value)).collect();
            let sums: Vec<_> = waiting.iter().map(|one| hashes(one.default_type, &one.value)[0]).collect();
            let (here, hits) = service.read(actor, |r| Ok((r.values_here(&values)?, r.cached(&sums)?)))?;
            let known = here.iter().filter(|here| **here).count() as i64;
            tally.account.known += known;
            tally.account.taken += here.len() as i64 - known;
            let hits: FxHashSet<_> = hits.into_iter().map(|hit| (hit.source, hit.hash)).collect();
            for (source, _) in hits {
                *overlap.entry(source).or_default() += 1;
            }
            waiting.clear();
            Ok(())
        };
        let walked = each(service, feed, &mut tally, |_, one, tally| {
            match one {
                Found::Excluded => tally.account.excluded += 1,
                Found::Indicator(candidate) => {
                    let sum = hashes(candidate.default_type, &candidate.value)[0];
                    if candidate.value.contains('\u{fffd}') {
                        tally.account.refused += 1;
                    } else if seen.insert(sum) {
                        waiting.push(*candidate);
                    } else {
                        tally.account.duplicate += 1;
                    }
                }
            }
            if waiting.len() >= AT_A_TIME {
                look(&mut waiting, tally)?;
            }
            if tally.account.values < MOST { Ok(()) } else { Err(Fault::Stopped) }
        });
        let complete = match walked {
            Ok(()) => true,
            Err(Fault::Stopped) => false,
            Err(fault) => return Err(fault),
        };
        look(&mut waiting, &mut tally)?;
        let mut overlap: Vec<_> = overlap.into_iter().collect();
        overlap.sort_unstable();
        Ok(Self { account: tally.account, reasons: tally.reasons().to_vec(), overlap, complete })
    }

    fn of_events(service: &Service, actor: &Actor, feed: &Feed) -> Result<Self, Fault> {
        let index = index(service, actor, feed)?;
        let count =
            |wanted: &[WouldBe]| index.iter().filter(|(_, fate)| wanted.contains(fate)).count() as i64;
        let lines = index.len() as i64;
        let account = Account {
            lines,
            holding: lines,
            values: lines,
            taken: count(&[WouldBe::Added, WouldBe::Updated]),
            known: count(&[WouldBe::Known]),
            excluded: count(&[WouldBe::Excluded]),
            refused: count(&[WouldBe::Refused]),
            ..Account::default()
        };
        Ok(Self { account, reasons: Vec::new(), overlap: Vec::new(), complete: true })
    }
}

/// An event of a feed as it would be stored: JSON.
pub fn event(service: &Service, actor: &Actor, feed: &Feed, uuid: Uuid) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    with(service, actor, feed, |taking| {
        let draft = taking.read(uuid)?;
        pisax_wire::write_event_draft(&mut JsonWriter::new(&mut out), &draft);
        Ok(())
    })?;
    Ok(out)
}

/// Takes one event out of a feed.
pub fn take(service: &Service, actor: &Actor, feed: &Feed, uuid: Uuid) -> Result<(WouldBe, String), Fault> {
    let before = service.read(actor, |r| Ok(!r.events_by_uuids(&[uuid])?.is_empty()))?;
    with(service, actor, feed, |taking| {
        let taken = taking.store(uuid, &misp::file(taking.place, uuid)?)?;
        Ok(match taken {
            Taken::Stored(_) if before => (WouldBe::Updated, String::new()),
            Taken::Stored(_) => (WouldBe::Added, String::new()),
            Taken::Known => (WouldBe::Known, String::new()),
            Taken::Excluded => (WouldBe::Excluded, "This event is blocked by the Feed filters.".into()),
            Taken::Refused(why) => (WouldBe::Refused, why),
        })
    })
}

fn with<T>(
    service: &Service,
    actor: &Actor,
    feed: &Feed,
    f: impl FnOnce(&Taking<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    if feed.source_format != SourceFormat::Misp {
        return Err(Fault::Setup("there are no events in a list".into()));
    }
    let (settings, place) = (settings(feed)?, Place::of(service, feed)?);
    let (wanted, tags) = (Wanted::of(feed, service.now())?, service.feed_tags(feed)?);
    let actor = bringer(fetcher(service, actor.org_id, actor.user_id));
    f(&Taking {
        service,
        actor: &actor,
        feed,
        settings: &settings,
        place: &place,
        wanted: &wanted,
        tags: &tags,
    })
}
