//! The living attributes and objects of an event, batch by batch, with what drawings of it are made of.

use crate::answer::{Sink, Stop};
use crate::failure::Failure;
use crate::references::References;
use pisax_access::{Actor, Permission};
use pisax_model::attribute::AttributeView;
use pisax_model::event::Event;
use pisax_model::object::Object;
use pisax_model::tag::Attached;
use pisax_service::Service;
use pisax_store::attributes::{Batch, Wanted};
use rustc_hash::FxHashMap;

/// Attributes or objects read at a time.
const BATCH: i64 = 500;
const LIVING: Wanted = Wanted { living: true, deleted: false };

/// Attributes with their exportable tags, by row number.
pub(crate) struct Leaves {
    pub(crate) batch: Batch,
    pub(crate) tags: FxHashMap<i64, Vec<Attached>>,
}

impl Leaves {
    pub(crate) fn tags_of(&self, id: i64) -> &[Attached] {
        self.tags.get(&id).map_or(&[], Vec::as_slice)
    }
}

/// An object with its attributes and the references whose targets the reader sees.
pub(crate) struct Held<'h> {
    pub(crate) object: &'h Object,
    pub(crate) leaves: &'h Leaves,
    rows: std::ops::Range<usize>,
    pub(crate) references: &'h References,
}

impl Held<'_> {
    pub(crate) fn attributes(&self) -> impl Iterator<Item = AttributeView<'_>> {
        self.rows.clone().map(|i| self.leaves.batch.get(i))
    }
}

/// What is done with each.
pub(crate) trait Draw {
    fn attribute(&mut self, attribute: &AttributeView<'_>, leaves: &Leaves, sink: &mut Sink);
    fn object(&mut self, held: &Held<'_>, sink: &mut Sink);
}

/// Hands everything in the event that the reader sees to `draw`: attributes first, then objects.
pub(crate) fn walk(
    service: &Service,
    actor: &Actor,
    event: &Event,
    draw: &mut dyn Draw,
    sink: &mut Sink,
) -> Result<(), Stop> {
    let sync = actor.has(Permission::Sync) && !actor.sees_all();
    let load_tags = |r: &mut pisax_store::Reader<'_>, batch: &Batch| -> Result<_, Failure> {
        let mut tags = r.attribute_tags(&batch.ids())?;
        tags.values_mut().for_each(|list| list.retain(|t| t.tag.exportable && !(t.local && sync)));
        Ok(tags)
    };
    let mut after = 0;
    loop {
        let leaves = service.store.read::<_, Failure>(actor, |r| {
            let batch = r.event_attributes(event, LIVING, after, BATCH)?;
            let tags = load_tags(r, &batch)?;
            Ok(Leaves { batch, tags })
        })?;
        let Some(last) = leaves.batch.last_id() else { break };
        after = last;
        for attribute in leaves.batch.iter() {
            draw.attribute(&attribute, &leaves, sink);
            sink.flush_full()?;
        }
    }
    let mut after = 0;
    loop {
        let (objects, leaves, references) = service.store.read::<_, Stop>(actor, |r| {
            let objects = r.event_objects(event, LIVING, after, BATCH)?;
            let ids: Vec<i64> = objects.iter().map(|o| o.id).collect();
            let batch = r.object_attributes(event, LIVING, &ids)?;
            let tags = load_tags(r, &batch)?;
            let references = References::load(r, &ids, false)?;
            Ok((objects, Leaves { batch, tags }, references))
        })?;
        let Some(last) = objects.last() else { return Ok(()) };
        after = last.id;
        let mut at = 0;
        for object in &objects {
            let from = at;
            while at < leaves.batch.len() && leaves.batch.get(at).object_id == object.id {
                at += 1;
            }
            // An object of which the reader sees no attribute is nothing to him.
            if from < at {
                draw.object(&Held { object, leaves: &leaves, rows: from..at, references: &references }, sink);
                sink.flush_full()?;
            }
        }
    }
}
