//! What a feed holds, without taking it over: the MD5 of each value, to look others' values up in it.

use super::account::Tally;
use super::fetch::{Bounds, LONG, PACKED, Place, UNPACKED, unpacking};
use super::lines::{Found, Line, Lines, Reading, hashes};
use super::{list, misp};
use crate::Fault;
use crate::work::Work;
use pisax_model::feed::{Feed, SourceFormat};
use pisax_model::feed_run::{Source, SourceKind, ValueHash};
use pisax_model::{AttributeType, Uuid};
use pisax_wire::FeedSettings;
use rustc_hash::FxHashSet;

/// Rows written in one transaction.
const ROWS: usize = 10_000;

/// Rows on their way into the cache.
pub(crate) struct Filling<'f> {
    work: &'f Work,
    source: Source,
    generation: i64,
    rows: FxHashSet<(ValueHash, Option<Uuid>)>,
}

impl<'f> Filling<'f> {
    pub(crate) fn begin(work: &'f Work, source: Source) -> Result<Self, Fault> {
        let generation = work.service.begin_cache(source)?;
        Ok(Self { work, source, generation, rows: FxHashSet::default() })
    }

    /// Takes a value. `true`: it is new in this piece.
    pub(crate) fn put(&mut self, hash: ValueHash, event: Option<Uuid>) -> Result<bool, Fault> {
        let new = self.rows.insert((hash, event));
        if self.rows.len() >= ROWS {
            self.flush()?;
        }
        Ok(new)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.work.go_on()?;
        let mut rows: Vec<_> = self.rows.drain().collect();
        rows.sort_unstable();
        Ok(self.work.service.cache(self.source, self.generation, &rows)?)
    }

    /// From now on this is what is cached.
    pub(crate) fn finish(mut self) -> Result<i64, Fault> {
        self.flush()?;
        Ok(self.work.service.finish_cache(self.source, self.generation)?)
    }
}

/// Caches a feed anew.
pub(super) fn fill(
    work: &Work,
    feed: &Feed,
    settings: &FeedSettings,
    place: &Place,
    tally: &mut Tally,
) -> Result<i64, Fault> {
    let mut filling = Filling::begin(work, (SourceKind::Feed, feed.id))?;
    let bounds = Bounds { time: LONG, bytes: PACKED };
    if feed.source_format == SourceFormat::Misp {
        events(feed, place, bounds, &mut filling, tally)?;
        return filling.finish();
    }
    let reading = Reading::new(feed.source_format, settings)?;
    let text = place.file(None, bounds)?.unpacked(UNPACKED)?;
    list::walk(text, &reading, tally, |_, found, tally| {
        let Found::Indicator(candidate) = found else {
            tally.account.excluded += 1;
            return Ok(());
        };
        let mut new = false;
        for hash in hashes(candidate.default_type, &candidate.value) {
            new |= filling.put(hash, None)?;
        }
        *(if new { &mut tally.account.taken } else { &mut tally.account.duplicate }) += 1;
        Ok(())
    })?;
    filling.finish()
}

/// Of a feed of events, what its list of hashes says; without one, what is in the events.
fn events(
    feed: &Feed,
    place: &Place,
    bounds: Bounds,
    filling: &mut Filling<'_>,
    tally: &mut Tally,
) -> Result<(), Fault> {
    match place.file(Some("hashes.csv"), bounds) {
        Ok(download) => {
            let mut lines = Lines::of(download.unpacked(UNPACKED)?);
            while let Some(line) = lines.next().map_err(|e| unpacking(&e))? {
                tally.account.lines += 1;
                let number = tally.account.lines;
                match &line {
                    Line::Text(text) if text.trim().is_empty() => tally.account.remarks += 1,
                    Line::Text(text) => match pisax_wire::read_hash_line(text) {
                        Some((hash, uuid)) => {
                            tally.account.holding += 1;
                            tally.account.values += 1;
                            let new = filling.put(hash, Some(uuid))?;
                            *(if new { &mut tally.account.taken } else { &mut tally.account.duplicate }) += 1;
                        }
                        None => {
                            tally.account.unrecognised += 1;
                            tally.because(number, text, "neither a hash nor the uuid of an event");
                        }
                    },
                    Line::TooLong(start) => {
                        tally.account.unrecognised += 1;
                        tally.because(number, start, "the line is longer than 65536 bytes");
                    }
                }
            }
            tally.account.bytes = lines.bytes as i64;
            Ok(())
        }
        Err(Fault::Status { status: 403 | 404 | 410, .. } | Fault::Unusable(_)) => {
            every_event(feed, place, filling, tally)
        }
        Err(fault) => Err(fault),
    }
}

fn every_event(
    feed: &Feed,
    place: &Place,
    filling: &mut Filling<'_>,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let listed = misp::manifest(place.file(Some("manifest.json"), misp::MANIFEST)?)?;
    let count = listed.len();
    for (at, one) in listed.into_iter().enumerate() {
        filling.work.tell(
            1 + (at * 97 / count.max(1)) as i64,
            &format!("Feed {}: {at} of {count} events cached.", feed.id),
        )?;
        let account = &mut tally.account;
        (account.lines, account.holding, account.values) =
            (account.lines + 1, account.holding + 1, account.values + 1);
        let read = match one.uuid {
            None => Err("its name in the manifest is no uuid".to_owned()),
            Some(uuid) => match misp::file(place, uuid) {
                Ok(body) => pisax_wire::read_event(&body).map_err(|e| e.to_string()),
                Err(fault) if fault.passes() => return Err(fault),
                Err(fault) => Err(fault.to_string()),
            },
        };
        match read {
            Ok(event) => {
                tally.account.taken += 1;
                let inside = event.objects.iter().flat_map(|object| &object.attributes);
                for attribute in event.attributes.iter().chain(inside).filter(|a| a.deleted != Some(true)) {
                    let kind = attribute.kind.as_deref().and_then(AttributeType::parse);
                    let (Some(kind), Some(value)) = (kind, attribute.value.as_deref()) else { continue };
                    if kind.correlates() {
                        for hash in hashes(kind, value) {
                            filling.put(hash, one.uuid)?;
                        }
                    }
                }
            }
            Err(why) => {
                tally.account.refused += 1;
                tally.because(tally.account.lines, &one.name, &why);
            }
        }
    }
    Ok(())
}
