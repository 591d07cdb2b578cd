//! Taking what another event holds into an event: copies, under uuids of their own.

use crate::attribute::{Twins, insert, merge as with_stored};
use crate::context::check;
use crate::files::Files;
use crate::object::{NewObject, check_object, insert_one, insert_references};
use crate::{Error, Result, Service};
use pisax_access::{Actor, edit};
use pisax_model::Uuid;
use pisax_model::attribute::{AttributeDraft, AttributeView};
use pisax_model::content::{Content, Kept};
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::object::{Object, ObjectDraft, Reference, ReferenceDraft};
use pisax_model::tag::{Attached, TagDraft};
use pisax_model::time::format_micros;
use pisax_store::Writer;
use pisax_store::attributes::{Batch, Wanted};
use rustc_hash::FxHashMap;

/// Attributes, and objects, copied at a time.
const BATCH: i64 = 500;
const LIVING: Wanted = Wanted { living: true, deleted: false };

/// Copies the living attributes and objects of `source` that the actor sees, with their tags, files and
/// references, into `target`; what the target has already stays. Returns its row number.
pub fn merge(service: &Service, actor: &Actor, target: Ref, source: Ref) -> Result<i64> {
    let mut files = Files::new(service);
    let kept = copied_files(service, actor, (target, source), &mut files)?;
    let merged = service.write(actor, |w| {
        let target = match w.event_for_edit(target, edit::may_edit) {
            Err(pisax_store::Error::NotFound(_)) => return Err(Error::NotFound("target event")),
            found => found?,
        };
        let source = w.event(source)?.ok_or(Error::NotFound("source event"))?;
        if source.id == target.id {
            return Err(Error::Refused("An event cannot be merged into itself.".into()));
        }
        let mut copies = Copies::default();
        copies.attributes(w, &source, &target)?;
        copies.objects(w, &source, &target)?;
        copies.files(w, kept)?;
        copies.references(w, &target)?;
        let now = w.now();
        w.touch_event(target.id, now)?;
        Ok(target.id)
    });
    files.after(merged)
}

/// Copies what the source keeps outside the database, before the transaction: a bucket may take its time.
fn copied_files(
    service: &Service,
    actor: &Actor,
    (target, source): (Ref, Ref),
    files: &mut Files<'_>,
) -> Result<FxHashMap<i64, Kept>> {
    let elsewhere = service.read(actor, |r| {
        // Whoever may not merge copies nothing; why not is told by what comes next.
        let owner = |e: Event| edit::EventOwner { orgc_id: e.orgc_id, user_id: e.user_id, locked: e.locked };
        let may = r.event(target)?.is_some_and(|event| edit::may_edit(actor, owner(event)));
        match r.event(source)?.filter(|_| may) {
            Some(source) => Ok(r.elsewhere_of_event(source.id)?),
            None => Ok(Vec::new()),
        }
    })?;
    let mut copies = FxHashMap::default();
    for (attribute, original) in elsewhere {
        let mut content = original.bytes()?.map(Content::Bytes);
        files.keep(&mut content)?;
        if let Some(Content::Kept(kept)) = content {
            copies.insert(attribute, kept);
        }
    }
    Ok(copies)
}

/// What became of what: references between copies follow them.
#[derive(Default)]
struct Copies {
    uuids: FxHashMap<Uuid, Uuid>,
    /// Originals that hold a file: row number and uuid.
    holders: Vec<(i64, Uuid)>,
    /// Copied objects that refer to something, with what the originals refer to.
    referring: Vec<(Object, Vec<Reference>)>,
}

impl Copies {
    fn attributes(&mut self, w: &mut Writer<'_>, source: &Event, target: &Event) -> Result<()> {
        let mut after = 0;
        loop {
            let batch = w.event_attributes(source, LIVING, after, BATCH)?;
            let Some(last) = batch.last_id() else { return Ok(()) };
            after = last;
            let now_ms = w.now_ms;
            self.note_holders(&batch);
            let drafts = drafts(w, &batch)?;
            let checked: Vec<_> = drafts.into_iter().map(|draft| check(draft, false, now_ms)).collect();
            for (original, copy) in batch.iter().zip(&checked) {
                if let Ok(copy) = copy {
                    self.uuids.insert(original.uuid, copy.attribute.uuid);
                }
            }
            insert(w, target, checked, Twins::Keep)?;
        }
    }

    fn objects(&mut self, w: &mut Writer<'_>, source: &Event, target: &Event) -> Result<()> {
        let mut after = 0;
        loop {
            let objects = w.event_objects(source, LIVING, after, BATCH)?;
            let Some(last) = objects.last() else { return Ok(()) };
            after = last.id;
            let ids: Vec<i64> = objects.iter().map(|o| o.id).collect();
            let mut references = w.references_of(&ids, false)?;
            let batch = w.object_attributes(source, LIVING, &ids)?;
            self.note_holders(&batch);
            let drafts = drafts(w, &batch)?;
            let mut inside: FxHashMap<i64, (Vec<Uuid>, Vec<AttributeDraft>)> = FxHashMap::default();
            for (view, draft) in batch.iter().zip(drafts) {
                let (uuids, list) = inside.entry(view.object_id).or_default();
                uuids.push(view.uuid);
                list.push(draft);
            }
            for object in &objects {
                // One of which the reader sees nothing is nothing to him.
                let Some((uuids, attributes)) = inside.remove(&object.id) else { continue };
                let new = check_object(object_draft(object, attributes), w.now_ms)?;
                let copied = new.attributes.iter().map(|c| c.attribute.uuid);
                self.uuids.extend(uuids.into_iter().zip(copied));
                self.uuids.insert(object.uuid, new.object.uuid);
                let mut copy = Object { event_id: target.id, ..new.object.clone() };
                copy.id = insert_one(w, target, new)?;
                if let Some(list) = references.remove(&object.id) {
                    self.referring.push((copy, list));
                }
            }
        }
    }

    fn note_holders(&mut self, batch: &Batch) {
        let holds_file =
            |view: &AttributeView<'_>| matches!(view.kind.name(), "attachment" | "malware-sample");
        self.holders.extend(batch.iter().filter(holds_file).map(|view| (view.id, view.uuid)));
    }

    /// Files in the database go from row to row: they can be of any size.
    fn files(&self, w: &mut Writer<'_>, mut kept: FxHashMap<i64, Kept>) -> Result<()> {
        let copies: Vec<Uuid> =
            self.holders.iter().filter_map(|(_, uuid)| self.uuids.get(uuid)).copied().collect();
        let known = w.known_attributes(&copies)?;
        for (from, uuid) in &self.holders {
            // What the target had already was not copied.
            if let Some(copy) = self.uuids.get(uuid).and_then(|copy| known.get(copy)) {
                w.copy_attachment(*from, copy.id, kept.remove(from))?;
            }
        }
        Ok(())
    }

    /// After all copies are there. A reference to what was not copied is left out.
    fn references(self, w: &mut Writer<'_>, target: &Event) -> Result<()> {
        for (object, list) in self.referring {
            let references = list
                .into_iter()
                .filter_map(|reference| {
                    Some(ReferenceDraft {
                        referenced: Some(Ref::Uuid(*self.uuids.get(&reference.referenced_uuid)?)),
                        relationship_type: Some(reference.relationship_type),
                        comment: Some(reference.comment),
                        ..ReferenceDraft::default()
                    })
                })
                .collect();
            let copy = NewObject { object, group: None, attributes: Vec::new(), references };
            insert_references(w, target.id, &[copy])?;
        }
        Ok(())
    }
}

/// The attributes as somebody would send them anew, with tags; files follow by themselves.
fn drafts(w: &mut Writer<'_>, batch: &Batch) -> Result<Vec<AttributeDraft>> {
    let mut tags = w.attribute_tags(&batch.ids())?;
    let mut drafts = Vec::with_capacity(batch.len());
    for view in batch.iter() {
        drafts.push(AttributeDraft {
            uuid: None,
            sharing_group: group(&view),
            tags: tags.remove(&view.id).unwrap_or_default().into_iter().map(tag_draft).collect(),
            ..with_stored(&view, AttributeDraft::default())
        });
    }
    Ok(drafts)
}

fn group(view: &AttributeView<'_>) -> Option<Ref> {
    Some(Ref::Id(view.sharing_group_id)).filter(|_| view.sharing_group_id > 0)
}

fn tag_draft(attached: Attached) -> TagDraft {
    TagDraft {
        name: attached.tag.name,
        local: Some(attached.local),
        relationship_type: attached.relationship_type,
        ..TagDraft::default()
    }
}

fn object_draft(object: &Object, attributes: Vec<AttributeDraft>) -> ObjectDraft {
    let seen = |time: Option<i64>| Some(time.map(format_micros));
    ObjectDraft {
        name: Some(object.name.clone()),
        meta_category: Some(object.meta_category.clone()),
        description: Some(object.description.clone()),
        template_uuid: Some(object.template_uuid.clone()),
        template_version: Some(object.template_version.clone()),
        distribution: Some(object.distribution),
        sharing_group: Some(Ref::Id(object.sharing_group_id)).filter(|_| object.sharing_group_id > 0),
        comment: Some(object.comment.clone()),
        first_seen: seen(object.first_seen),
        last_seen: seen(object.last_seen),
        attributes,
        has_attributes: true,
        ..ObjectDraft::default()
    }
}
