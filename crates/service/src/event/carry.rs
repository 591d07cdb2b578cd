//! An event on its way to another server: read whole, as somebody sees it, into the form in which it travels.

use crate::sharing_group::{org_ref, whole as whole_groups};
use crate::{Result, Service};
use pisax_access::Actor;
use pisax_model::Uuid;
use pisax_model::attribute::{AttributeDraft, AttributeView};
use pisax_model::content::Content;
use pisax_model::cryptographic_key::{CryptographicKey, CryptographicKeyDraft};
use pisax_model::event::{Event, EventDraft};
use pisax_model::ids::Ref;
use pisax_model::object::{Object, ObjectDraft, Reference, ReferenceDraft};
use pisax_model::report::{EventReport, ReportDraft};
use pisax_model::sharing::SharingGroupDraft;
use pisax_model::tag::{Attached, TagDraft};
use pisax_model::time::format_micros;
use pisax_store::Reader;
use pisax_store::attributes::{Batch, Wanted};
use pisax_store::files::Attachment;
use rustc_hash::FxHashMap;

/// Rows read at a time.
const ATTRIBUTES: i64 = 2000;
const OBJECTS: i64 = 500;
/// A report can be some MiB.
const REPORTS: i64 = 50;

/// How much of an event is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// The bytes of attachments and samples.
    pub attachments: bool,
    /// What was deleted, as such.
    pub tombstones: bool,
}

impl Carried {
    /// All of it, as a push needs.
    pub const WHOLE: Self = Self { attachments: true, tombstones: true };
}

/// A stored event and what travels of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CarriedEvent {
    pub event: Event,
    pub draft: EventDraft,
}

/// Reads an event in one snapshot, as the actor sees it; none if he does not. What is shared with a group carries the
/// group whole, unless the actor does not see it: then it has no group, and goes nowhere.
pub fn carry(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    what: Carried,
) -> Result<Option<CarriedEvent>> {
    let read = service.read(actor, |r| {
        let Some(event) = r.event(reference)? else { return Ok(None) };
        let (groups, files) = (FxHashMap::default(), FxHashMap::default());
        let mut carrying = Carrying { r, event: &event, what, groups, files };
        let draft = carrying.whole(&service.policy.base_url)?;
        let files = carrying.files;
        Ok(Some((CarriedEvent { event, draft }, files)))
    })?;
    let Some((mut carried, mut files)) = read else { return Ok(None) };
    // A bucket may take its time: nothing is held meanwhile.
    let inside = carried.draft.objects.iter_mut().flat_map(|object| &mut object.attributes);
    for attribute in carried.draft.attributes.iter_mut().chain(inside) {
        if let Some(file) = attribute.uuid.and_then(|uuid| files.remove(&uuid)) {
            attribute.data = file.bytes()?.map(Content::Bytes);
        }
    }
    Ok(Some(carried))
}

struct Carrying<'c, 'r> {
    r: &'c mut Reader<'r>,
    event: &'c Event,
    what: Carried,
    /// By row number.
    groups: FxHashMap<i64, SharingGroupDraft>,
    /// What is attached, by the attribute's uuid.
    files: FxHashMap<Uuid, Attachment>,
}

impl Carrying<'_, '_> {
    fn whole(&mut self, base_url: &str) -> Result<EventDraft> {
        let (attributes, objects) = (self.attributes()?, self.objects()?);
        let reports = self.reports()?;
        let event = self.event;
        let tags = self.r.event_tags(&[event.id])?.remove(&event.id).unwrap_or_default();
        let keys = self.r.keys_of_event(event.id)?;
        let orgc = self.r.org_names(&[event.orgc_id])?.remove(&event.orgc_id);
        let mut draft = EventDraft {
            uuid: Some(event.uuid),
            info: Some(event.info.clone()),
            date: Some(event.date.clone()),
            threat_level_id: Some(event.threat_level_id),
            analysis: Some(event.analysis),
            distribution: Some(event.distribution),
            published: Some(event.published),
            timestamp: Some(event.timestamp),
            publish_timestamp: Some(event.publish_timestamp),
            disable_correlation: Some(event.disable_correlation),
            extends_uuid: Some(event.extends_uuid.map(|uuid| uuid.to_string()).unwrap_or_default()),
            locked: Some(event.locked),
            protected: event.protected,
            orgc: orgc.map(org_ref),
            sharing_group: row(event.sharing_group_id),
            attributes,
            objects,
            tags: tag_drafts(tags),
            reports,
            keys: keys.into_iter().map(key_draft).collect(),
            ..EventDraft::default()
        };
        self.load_groups(&draft, base_url)?;
        let mut group = None;
        self.share(&mut draft.sharing_group, &mut group);
        draft.sharing_group_draft = group.map(|group| *group);
        let inside = draft.objects.iter_mut().flat_map(|o| &mut o.attributes);
        for attribute in draft.attributes.iter_mut().chain(inside) {
            self.share(&mut attribute.sharing_group, &mut attribute.sharing_group_draft);
        }
        for object in &mut draft.objects {
            self.share(&mut object.sharing_group, &mut object.sharing_group_draft);
        }
        for report in &mut draft.reports {
            self.share(&mut report.sharing_group, &mut report.sharing_group_draft);
        }
        Ok(draft)
    }

    fn wanted(&self) -> Wanted {
        Wanted { living: true, deleted: self.what.tombstones }
    }

    fn attributes(&mut self) -> Result<Vec<AttributeDraft>> {
        let (mut drafts, mut after) = (Vec::new(), 0);
        loop {
            let batch = self.r.event_attributes(self.event, self.wanted(), after, ATTRIBUTES)?;
            let Some(last) = batch.last_id() else { return Ok(drafts) };
            after = last;
            drafts.extend(self.drafts(&batch)?);
            if batch.len() < ATTRIBUTES as usize {
                return Ok(drafts);
            }
        }
    }

    fn objects(&mut self) -> Result<Vec<ObjectDraft>> {
        let (mut drafts, mut after) = (Vec::new(), 0);
        loop {
            let objects = self.r.event_objects(self.event, self.wanted(), after, OBJECTS)?;
            let Some(last) = objects.last() else { return Ok(drafts) };
            after = last.id;
            let ids: Vec<i64> = objects.iter().map(|o| o.id).collect();
            let batch = self.r.object_attributes(self.event, self.wanted(), &ids)?;
            let mut references = self.r.references_of(&ids, self.what.tombstones)?;
            let mut inside: FxHashMap<i64, Vec<AttributeDraft>> = FxHashMap::default();
            for (view, draft) in batch.iter().zip(self.drafts(&batch)?) {
                inside.entry(view.object_id).or_default().push(draft);
            }
            let few = objects.len() < OBJECTS as usize;
            for object in objects {
                let attributes = inside.remove(&object.id).unwrap_or_default();
                // An object of which the reader sees no attribute is nothing to him, unless it is a tombstone.
                if attributes.is_empty() && !object.deleted {
                    continue;
                }
                let references = references.remove(&object.id).unwrap_or_default();
                drafts.push(object_draft(object, attributes, references));
            }
            if few {
                return Ok(drafts);
            }
        }
    }

    fn reports(&mut self) -> Result<Vec<ReportDraft>> {
        let (mut drafts, mut after) = (Vec::new(), 0);
        loop {
            let reports = self.r.event_reports(self.event, self.wanted(), after, REPORTS)?;
            let Some(last) = reports.last() else { return Ok(drafts) };
            after = last.id;
            let few = reports.len() < REPORTS as usize;
            drafts.extend(reports.into_iter().map(report_draft));
            if few {
                return Ok(drafts);
            }
        }
    }

    fn drafts(&mut self, batch: &Batch) -> Result<Vec<AttributeDraft>> {
        let mut tags = self.r.attribute_tags(&batch.ids())?;
        let mut drafts = Vec::with_capacity(batch.len());
        for view in batch.iter() {
            if view.kind.holds_bytes()
                && self.what.attachments
                && let Some(file) = self.r.attachment(view.id)?
            {
                self.files.insert(view.uuid, file);
            }
            let tags = tag_drafts(tags.remove(&view.id).unwrap_or_default());
            drafts.push(AttributeDraft { tags, ..attribute_draft(&view) });
        }
        Ok(drafts)
    }

    // ---- Sharing groups --------------------------------------------------------------------------------

    /// All groups that are met in the draft, those that the actor sees: in a few statements.
    fn load_groups(&mut self, draft: &EventDraft, base_url: &str) -> Result<()> {
        let inside = draft.objects.iter().flat_map(|o| &o.attributes);
        let attributes = draft.attributes.iter().chain(inside).map(|a| a.sharing_group);
        let objects = draft.objects.iter().map(|o| o.sharing_group);
        let reports = draft.reports.iter().map(|r| r.sharing_group);
        let met = attributes.chain(objects).chain(reports).chain([draft.sharing_group]);
        let mut ids: Vec<i64> = met
            .filter_map(|group| match group {
                Some(Ref::Id(id)) => Some(id),
                _ => None,
            })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(());
        }
        let found = whole_groups(self.r, &ids, base_url)?;
        self.groups.extend(found);
        Ok(())
    }

    /// Puts the whole group in the place of its row number.
    fn share(&self, reference: &mut Option<Ref>, draft: &mut Option<Box<SharingGroupDraft>>) {
        if let Some(Ref::Id(id)) = *reference {
            *draft = self.groups.get(&id).cloned().map(Box::new);
            *reference = draft.as_ref().and_then(|group| group.uuid).map(Ref::Uuid);
        }
    }
}

/// The row number of a group, until the group itself takes its place.
fn row(group: i64) -> Option<Ref> {
    (group > 0).then_some(Ref::Id(group))
}

fn attribute_draft(view: &AttributeView<'_>) -> AttributeDraft {
    AttributeDraft {
        uuid: Some(view.uuid),
        kind: Some(view.kind.name().to_owned()),
        category: Some(view.category.name().to_owned()),
        value: Some(view.value().into_owned()),
        to_ids: Some(view.to_ids),
        distribution: Some(view.distribution),
        sharing_group: row(view.sharing_group_id),
        comment: Some(view.comment.to_owned()),
        timestamp: Some(view.timestamp),
        deleted: Some(view.deleted),
        disable_correlation: Some(view.disable_correlation),
        first_seen: seen(view.first_seen),
        last_seen: seen(view.last_seen),
        object_relation: view.object_relation.map(str::to_owned),
        ..AttributeDraft::default()
    }
}

fn object_draft(object: Object, attributes: Vec<AttributeDraft>, references: Vec<Reference>) -> ObjectDraft {
    ObjectDraft {
        uuid: Some(object.uuid),
        name: Some(object.name),
        meta_category: Some(object.meta_category),
        description: Some(object.description),
        template_uuid: Some(object.template_uuid),
        template_version: Some(object.template_version),
        timestamp: Some(object.timestamp),
        distribution: Some(object.distribution),
        sharing_group: row(object.sharing_group_id),
        comment: Some(object.comment),
        deleted: Some(object.deleted),
        first_seen: seen(object.first_seen),
        last_seen: seen(object.last_seen),
        attributes,
        has_attributes: true,
        references: references.into_iter().map(reference_draft).collect(),
        ..ObjectDraft::default()
    }
}

fn reference_draft(reference: Reference) -> ReferenceDraft {
    ReferenceDraft {
        uuid: Some(reference.uuid),
        source: Some(Ref::Uuid(reference.source_uuid)),
        referenced: Some(Ref::Uuid(reference.referenced_uuid)),
        relationship_type: Some(reference.relationship_type),
        comment: Some(reference.comment),
        timestamp: Some(reference.timestamp),
        deleted: Some(reference.deleted),
    }
}

fn report_draft(report: EventReport) -> ReportDraft {
    ReportDraft {
        uuid: Some(report.uuid),
        name: Some(report.name),
        content: Some(report.content),
        distribution: Some(report.distribution),
        sharing_group: row(report.sharing_group_id),
        timestamp: Some(report.timestamp),
        deleted: Some(report.deleted),
        ..ReportDraft::default()
    }
}

fn key_draft(key: CryptographicKey) -> CryptographicKeyDraft {
    CryptographicKeyDraft {
        uuid: Some(key.uuid),
        kind: Some("pgp".to_owned()),
        key_data: Some(key.key_data),
        revoked: key.revoked,
    }
}

fn tag_drafts(tags: Vec<Attached>) -> Vec<TagDraft> {
    let draft = |attached: Attached| TagDraft {
        name: attached.tag.name,
        colour: Some(attached.tag.colour),
        exportable: Some(attached.tag.exportable),
        local: Some(attached.local),
        relationship_type: attached.relationship_type,
        deleted: None,
    };
    tags.into_iter().map(draft).collect()
}

/// A time that is not known clears what the other side may have thought.
fn seen(moment: Option<i64>) -> Option<Option<String>> {
    Some(moment.map(format_micros))
}
