//! The same change to several attributes of one event, in one transaction.

use super::edit::update;
use crate::{Error, Result, Service};
use pisax_access::{Actor, edit::may_edit};
use pisax_model::attribute::AttributeDraft;
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_store::Writer;
use pisax_store::attributes::{Batch, Wanted};

/// Which attributes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// All living ones outside objects and in them.
    All,
    /// Those of these row numbers that are in the event.
    These(Vec<i64>),
}

/// Attributes handled at a time.
const BATCH: usize = 500;

/// Tombstones attributes, or removes them for good; returns how many.
pub fn remove_many(
    service: &Service,
    actor: &Actor,
    event: Ref,
    chosen: &Chosen,
    hard: bool,
) -> Result<usize> {
    each(service, actor, event, chosen, |w, _, batch| {
        for old in batch.iter() {
            w.tombstone_references_to(&old.uuid)?;
            if hard {
                w.remove_attribute(&old)?;
            } else if !old.deleted {
                w.set_attribute_deleted(&old, true)?;
            }
        }
        Ok(())
    })
}

/// Gives attributes the fields and tags of one draft; what it does not name stays. One refusal refuses all.
pub fn edit_many(
    service: &Service,
    actor: &Actor,
    event: Ref,
    chosen: &Chosen,
    draft: &AttributeDraft,
) -> Result<usize> {
    each(service, actor, event, chosen, |w, event, batch| {
        batch.iter().try_for_each(|old| update(w, event, &old, draft.clone()))
    })
}

fn each(
    service: &Service,
    actor: &Actor,
    event: Ref,
    chosen: &Chosen,
    f: impl Fn(&mut Writer<'_>, &Event, &Batch) -> Result<()>,
) -> Result<usize> {
    service.write(actor, |w| {
        let event = w.event_for_edit(event, may_edit)?;
        let ids = match chosen {
            Chosen::These(ids) => ids.clone(),
            Chosen::All => living(w, &event)?,
        };
        let mut done = 0;
        for chunk in ids.chunks(BATCH) {
            let found = w.attributes_by_ids(chunk)?;
            let here: Vec<i64> = found.iter().filter(|a| a.event_id == event.id).map(|a| a.id).collect();
            let batch = w.attributes_by_ids(&here)?;
            f(w, &event, &batch)?;
            done += batch.len();
        }
        if done == 0 {
            return Err(Error::NotFound("attribute"));
        }
        let now = w.now();
        w.touch_event(event.id, now)?;
        Ok(done)
    })
}

/// Row numbers of the event's living attributes.
fn living(w: &mut Writer<'_>, event: &Event) -> Result<Vec<i64>> {
    let wanted = Wanted { living: true, deleted: false };
    let (mut ids, mut after) = (Vec::new(), 0);
    while let Some(last) = {
        let batch = w.event_attributes(event, wanted, after, BATCH as i64)?;
        ids.extend(batch.ids());
        batch.last_id()
    } {
        after = last;
    }
    after = 0;
    loop {
        let objects = w.event_objects(event, wanted, after, BATCH as i64)?;
        let Some(last) = objects.last() else { return Ok(ids) };
        after = last.id;
        let inside: Vec<i64> = objects.iter().map(|o| o.id).collect();
        ids.extend(w.object_attributes(event, wanted, &inside)?.ids());
    }
}
