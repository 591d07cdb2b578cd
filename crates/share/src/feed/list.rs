//! A list of indicators into an event: in pieces, each one transaction, each line accounted for.

use super::account::Tally;
use super::fetch::unpacking;
use super::lines::{Found, Line, Lines, Reading, Said};
use crate::Fault;
use crate::work::Work;
use pisax_access::Actor;
use pisax_model::attribute::AttributeDraft;
use pisax_model::feed::Feed;
use pisax_model::freetext::Candidate;
use pisax_model::ids::Ref;
use pisax_service::attribute::{self, Chosen, Target, Twins};
use pisax_service::{Error, event, feed as service};
use pisax_store::attributes::Wanted;
use pisax_wire::FeedSettings;
use rustc_hash::FxHashSet;
use std::io::Read;

/// Values stored in one transaction.
const ROWS: usize = 5000;
/// Most lines of a list, and most values it may bring.
const MAX_LINES: i64 = 20_000_000;
const MAX_VALUES: usize = 5_000_000;
/// Attributes looked at, and tombstoned, at a time.
const BATCH: i64 = 5000;

/// Says what is in each line of a text, and counts; `each` takes the values, with the number of their line.
pub(super) fn walk(
    text: impl Read,
    reading: &Reading,
    tally: &mut Tally,
    mut each: impl FnMut(i64, Found, &mut Tally) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut lines = Lines::of(text);
    loop {
        let line = lines.next().map_err(|e| unpacking(&e))?;
        let said = match line {
            None => break,
            Some(Line::TooLong(start)) => {
                tally.account.lines += 1;
                tally.account.holding += 1;
                tally.account.values += 1;
                tally.account.refused += 1;
                let number = tally.account.lines;
                tally.because(number, &start, "the line is longer than 65536 bytes");
                continue;
            }
            Some(Line::Text(line)) => {
                tally.account.lines += 1;
                let said = reading.line(&line);
                if said == Said::Unrecognised {
                    let number = tally.account.lines;
                    tally.because(number, &line, "no indicator recognised");
                }
                said
            }
        };
        tally.account.bytes = lines.bytes as i64;
        match said {
            Said::Remark => tally.account.remarks += 1,
            Said::Unrecognised => tally.account.unrecognised += 1,
            Said::Values(found) => {
                tally.account.holding += 1;
                let number = tally.account.lines;
                for found in found {
                    tally.account.values += 1;
                    each(number, found, tally)?;
                }
            }
        }
        if tally.account.lines >= MAX_LINES {
            return Err(Fault::TooMuch(format!("it has more than {MAX_LINES} lines")));
        }
    }
    tally.account.bytes = lines.bytes as i64;
    Ok(())
}

/// Takes a list over.
pub(super) fn import(
    work: &Work,
    actor: &Actor,
    feed: &Feed,
    settings: &FeedSettings,
    text: impl Read,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let reading = Reading::new(feed.source_format, settings)?;
    let mut list = List {
        work,
        actor,
        feed,
        settings,
        waiting: Vec::with_capacity(ROWS),
        event: None,
        seen: FxHashSet::default(),
    };
    let walked = walk(text, &reading, tally, |line, found, tally| match found {
        Found::Excluded => {
            tally.account.excluded += 1;
            Ok(())
        }
        Found::Indicator(candidate) => list.take(line, *candidate, tally),
    });
    match walked {
        // What was read before it broke off is stored, and counted as such.
        Err(fault @ (Fault::Stopped | Fault::Here(_))) => {
            list.give_up(tally);
            return Err(fault);
        }
        Err(fault) => {
            list.store(tally)?;
            return Err(fault);
        }
        Ok(()) => list.store(tally)?,
    }
    if feed.delta_merge && feed.fixed_event {
        list.remove_others(tally)?;
    }
    list.finish(tally)
}

struct List<'l> {
    work: &'l Work,
    actor: &'l Actor,
    feed: &'l Feed,
    settings: &'l FeedSettings,
    /// With the number of the line.
    waiting: Vec<(i64, Candidate)>,
    /// Where the values go, once there is one.
    event: Option<i64>,
    /// Attributes that stand for values of the list.
    seen: FxHashSet<i64>,
}

impl List<'_> {
    fn take(&mut self, line: i64, candidate: Candidate, tally: &mut Tally) -> Result<(), Fault> {
        if candidate.value.contains('\u{fffd}') {
            tally.account.refused += 1;
            tally.because(line, &candidate.original_value, "it is no UTF-8");
            return Ok(());
        }
        self.waiting.push((line, candidate));
        if self.waiting.len() < ROWS { Ok(()) } else { self.store(tally) }
    }

    /// Values that were read and are not stored: they are counted, so that the account tells where they went.
    fn give_up(&mut self, tally: &mut Tally) {
        let waiting = std::mem::take(&mut self.waiting);
        tally.account.refused += waiting.len() as i64;
        if let Some((line, first)) = waiting.first() {
            let reason = format!("the run ended before these {} values were stored", waiting.len());
            tally.because(*line, &first.value, &reason);
        }
    }

    fn event(&mut self, tally: &mut Tally) -> Result<i64, Fault> {
        if let Some(id) = self.event {
            return Ok(id);
        }
        let tags = self.work.service.feed_tags(self.feed)?;
        let off = self.settings.disable_correlation;
        let id = service::target(&self.work.service, self.actor, self.feed, tags, off)?;
        self.event = Some(id);
        tally.event_id = id;
        Ok(id)
    }

    fn store(&mut self, tally: &mut Tally) -> Result<(), Fault> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let stored = self.try_to_store(tally);
        if stored.is_err() {
            self.give_up(tally);
        }
        stored
    }

    fn try_to_store(&mut self, tally: &mut Tally) -> Result<(), Fault> {
        let told = format!("Line {}: {} values taken.", tally.account.lines, tally.account.taken);
        self.work.tell(1 + (tally.account.lines / 10_000).min(90), &told)?;
        if self.seen.len() > MAX_VALUES {
            return Err(Fault::TooMuch(format!("it has more than {MAX_VALUES} values")));
        }
        let event = self.event(tally)?;
        let drafts = self.waiting.iter().map(|(_, candidate)| self.draft(candidate)).collect();
        let added = attribute::add(&self.work.service, self.actor, Ref::Id(event), drafts, Twins::Keep)?;
        let waiting = std::mem::take(&mut self.waiting);
        let account = &mut tally.account;
        account.taken += added.inserted as i64;
        // What was not inserted was there: before this list, or because of it.
        let mut there = 0;
        for id in added.ids.iter().flatten() {
            if self.seen.insert(*id) {
                there += 1;
            } else {
                account.duplicate += 1;
            }
        }
        account.known += there - added.inserted as i64;
        let mut wrong: Vec<usize> = Vec::new();
        for (place, error) in &added.errors {
            if wrong.last() == Some(place) {
                continue;
            }
            wrong.push(*place);
            if attribute::is_twin(error) {
                tally.account.duplicate += 1;
            } else {
                let (line, candidate) = &waiting[*place];
                tally.account.refused += 1;
                tally.because(*line, &candidate.value, &format!("{}: {}", error.field, error.message));
            }
        }
        Ok(())
    }

    fn draft(&self, candidate: &Candidate) -> AttributeDraft {
        AttributeDraft {
            kind: Some(candidate.default_type.name().to_owned()),
            value: Some(candidate.value.clone()),
            comment: Some(candidate.comment.clone()).filter(|comment| !comment.is_empty()),
            to_ids: match (self.feed.override_ids, self.feed.force_to_ids) {
                (true, _) => Some(false),
                (false, true) => Some(true),
                (false, false) => None,
            },
            ..AttributeDraft::default()
        }
    }

    /// Tombstones what is in the event and not in the list any more. An empty list is a broken one: nothing goes.
    fn remove_others(&mut self, tally: &mut Tally) -> Result<(), Fault> {
        let service = &self.work.service;
        let Some(event_id) = self.event.or(Some(self.feed.event_id).filter(|id| *id > 0)) else {
            return Ok(());
        };
        if self.seen.is_empty() {
            return Err(Fault::Unusable("there is no indicator in it: nothing was removed".into()));
        }
        let mut after = 0;
        let mut gone = Vec::new();
        loop {
            let (ids, last) = service.read(self.actor, |r| {
                let Some(event) = r.event(Ref::Id(event_id))? else { return Ok((Vec::new(), None)) };
                let living = Wanted { living: true, deleted: false };
                let batch = r.event_attributes(&event, living, after, BATCH)?;
                Ok((batch.ids(), batch.last_id()))
            })?;
            let Some(last) = last else { break };
            after = last;
            gone.extend(ids.into_iter().filter(|id| !self.seen.contains(id)));
        }
        for chunk in gone.chunks(BATCH as usize) {
            self.work.go_on()?;
            let these = Chosen::These(chunk.to_vec());
            let removed = attribute::remove_many(service, self.actor, Ref::Id(event_id), &these, false)?;
            tally.account.removed += removed as i64;
        }
        self.event = Some(event_id);
        tally.event_id = event_id;
        Ok(())
    }

    /// What changed is published and tagged, as the feed says.
    fn finish(&self, tally: &Tally) -> Result<(), Fault> {
        let Some(event_id) = self.event else { return Ok(()) };
        if tally.account.taken == 0 && tally.account.removed == 0 {
            return Ok(());
        }
        let service = &self.work.service;
        let names: Vec<String> = service.feed_tags(self.feed)?.into_iter().map(|tag| tag.name).collect();
        if !names.is_empty() {
            let target = Target::Event(Ref::Id(event_id));
            match attribute::tag(service, self.actor, target, &names, false, None) {
                Ok(_) => {}
                Err(error @ Error::Store(_)) => return Err(error.into()),
                Err(error) => tracing::warn!(%error, event_id, "an event of a feed was not tagged"),
            }
        }
        if self.feed.publish {
            match event::publish(service, self.actor, Ref::Id(event_id)) {
                Ok(_) => {}
                // A workflow or a required taxonomy said no: the event is there, and waits for somebody.
                Err(Error::Refused(reason)) => tracing::info!(reason, "an event of a feed was not published"),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
