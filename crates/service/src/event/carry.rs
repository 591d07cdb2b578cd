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
    /// Row numbers of the groups that were met.
    groups: FxHashMap<i64, Option<SharingGroupDraft>>,
    /// What is attached, by the attribute's uuid.
    files: FxHashMap<Uuid, Attachment>,
}

impl Carrying<'_, '_> {
    fn whole(&mut self, base_url: &str) -> Result<EventDraft> {
        let (attributes, attribute_groups) = self.attributes()?;
        let (objects, object_groups) = self.objects()?;
        let (reports, report_groups) = self.reports()?;
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
            attributes,
            objects,
            tags: tag_drafts(tags),
            reports,
            keys: keys.into_iter().map(key_draft).collect(),
            ..EventDraft::default()
        };
        self.note(event.distribution, event.sharing_group_id);
        self.load_groups(base_url)?;
        draft.sharing_group_draft = self.group(event.sharing_group_id);
        draft.sharing_group = uuid_of(draft.sharing_group_draft.as_ref());
        for (attribute, group) in draft.attributes.iter_mut().zip(attribute_groups) {
            self.share(&mut attribute.sharing_group, &mut attribute.sharing_group_draft, group);
        }
        for (object, (group, inside)) in draft.objects.iter_mut().zip(object_groups) {
            self.share(&mut object.sharing_group, &mut object.sharing_group_draft, group);
            for (attribute, group) in object.attributes.iter_mut().zip(inside) {
                self.share(&mut attribute.sharing_group, &mut attribute.sharing_group_draft, group);
            }
        }
        for (report, group) in draft.reports.iter_mut().zip(report_groups) {
            self.share(&mut report.sharing_group, &mut report.sharing_group_draft, group);
        }
        Ok(draft)
    }

    fn wanted(&self) -> Wanted {
        Wanted { living: true, deleted: self.what.tombstones }
    }

    /// Attributes with the row numbers of their groups.
    fn attributes(&mut self) -> Result<(Vec<AttributeDraft>, Vec<i64>)> {
        let (mut drafts, mut groups) = (Vec::new(), Vec::new());
        let mut after = 0;
        loop {
            let batch = self.r.event_attributes(self.event, self.wanted(), after, ATTRIBUTES)?;
            let Some(last) = batch.last_id() else { return Ok((drafts, groups)) };
            after = last;
            groups.extend(self.groups_of(&batch));
            drafts.extend(self.drafts(&batch)?);
            if batch.len() < ATTRIBUTES as usize {
                return Ok((drafts, groups));
            }
        }
    }

    /// Objects with the row numbers of their groups and of those of their attributes.
    fn objects(&mut self) -> Result<(Vec<ObjectDraft>, Vec<(i64, Vec<i64>)>)> {
        let (mut drafts, mut groups) = (Vec::new(), Vec::new());
        let mut after = 0;
        loop {
            let objects = self.r.event_objects(self.event, self.wanted(), after, OBJECTS)?;
            let Some(last) = objects.last() else { return Ok((drafts, groups)) };
            after = last.id;
            let ids: Vec<i64> = objects.iter().map(|o| o.id).collect();
            let batch = self.r.object_attributes(self.event, self.wanted(), &ids)?;
            let mut references = self.r.references_of(&ids, self.what.tombstones)?;
            let mut inside: FxHashMap<i64, (Vec<AttributeDraft>, Vec<i64>)> = FxHashMap::default();
            let their_groups = self.groups_of(&batch);
            for ((view, draft), group) in batch.iter().zip(self.drafts(&batch)?).zip(their_groups) {
                let (drafts, groups) = inside.entry(view.object_id).or_default();
                drafts.push(draft);
                groups.push(group);
            }
            let few = objects.len() < OBJECTS as usize;
            for object in objects {
                let (attributes, inner) = inside.remove(&object.id).unwrap_or_default();
                // An object of which the reader sees no attribute is nothing to him, unless it is a tombstone.
                if attributes.is_empty() && !object.deleted {
                    continue;
                }
                let references = references.remove(&object.id).unwrap_or_default();
                self.note(object.distribution, object.sharing_group_id);
                groups.push((object.sharing_group_id, inner));
                drafts.push(object_draft(object, attributes, references));
            }
            if few {
                return Ok((drafts, groups));
            }
        }
    }

    fn reports(&mut self) -> Result<(Vec<ReportDraft>, Vec<i64>)> {
        let (mut drafts, mut groups) = (Vec::new(), Vec::new());
        let mut after = 0;
        loop {
            let reports = self.r.event_reports(self.event, self.wanted(), after, REPORTS)?;
            let Some(last) = reports.last() else { return Ok((drafts, groups)) };
            after = last.id;
            let few = reports.len() < REPORTS as usize;
            for report in reports {
                self.note(report.distribution, report.sharing_group_id);
                groups.push(report.sharing_group_id);
                drafts.push(report_draft(report));
            }
            if few {
                return Ok((drafts, groups));
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

    fn groups_of(&mut self, batch: &Batch) -> Vec<i64> {
        for view in batch.iter() {
            self.note(view.distribution, view.sharing_group_id);
        }
        batch.iter().map(|view| view.sharing_group_id).collect()
    }

    fn note(&mut self, distribution: i64, group: i64) {
        if distribution == 4 && group > 0 {
            self.groups.entry(group).or_default();
        }
    }

    /// All groups that were met, those of the actor's: in a few statements.
    fn load_groups(&mut self, base_url: &str) -> Result<()> {
        if self.groups.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = self.groups.keys().copied().collect();
        let found = whole_groups(self.r, &ids, base_url)?;
        self.groups.extend(found.into_iter().map(|(id, group)| (id, Some(group))));
        Ok(())
    }

    fn group(&self, id: i64) -> Option<SharingGroupDraft> {
        self.groups.get(&id).cloned().flatten()
    }

    fn share(&self, reference: &mut Option<Ref>, draft: &mut Option<Box<SharingGroupDraft>>, id: i64) {
        if id > 0 {
            *draft = self.group(id).map(Box::new);
            *reference = uuid_of(draft.as_deref());
        }
    }
}

fn uuid_of(group: Option<&SharingGroupDraft>) -> Option<Ref> {
    group.and_then(|group| group.uuid).map(Ref::Uuid)
}

fn attribute_draft(view: &AttributeView<'_>) -> AttributeDraft {
    AttributeDraft {
        uuid: Some(view.uuid),
        kind: Some(view.kind.name().to_owned()),
        category: Some(view.category.name().to_owned()),
        value: Some(view.value().into_owned()),
        to_ids: Some(view.to_ids),
        distribution: Some(view.distribution),
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
