//! What an event brings along from another server besides itself: its maker, and the sharing groups it names.

use super::Source;
use crate::{Error, Result, Service, sharing_group};
use pisax_model::event::{Event, EventDraft};
use pisax_model::ids::Ref;
use pisax_model::sharing::SharingGroupDraft;
use pisax_model::tag::{Attached, TagDraft};
use pisax_model::{Distribution, Uuid};
use pisax_store::Writer;
use rustc_hash::FxHashMap;

/// An event that comes from another server, with the groups that were sent along whole.
pub(super) struct Arrival<'s> {
    from: &'s Source,
    base_url: &'s str,
    groups: FxHashMap<Uuid, SharingGroupDraft>,
}

impl<'s> Arrival<'s> {
    /// Takes the groups out of the draft, which goes on knowing them by their uuids.
    pub(super) fn new(service: &'s Service, from: &'s Source, draft: &mut EventDraft) -> Self {
        let mut groups = FxHashMap::default();
        let mut take = |group: Option<SharingGroupDraft>| {
            if let Some((uuid, group)) = group.and_then(|group| Some((group.uuid?, group))) {
                groups.entry(uuid).or_insert(group);
            }
        };
        take(draft.sharing_group_draft.take());
        let inside = draft.objects.iter_mut().flat_map(|o| &mut o.attributes);
        for attribute in draft.attributes.iter_mut().chain(inside) {
            take(attribute.sharing_group_draft.take().map(|group| *group));
        }
        for object in &mut draft.objects {
            take(object.sharing_group_draft.take().map(|group| *group));
        }
        for report in &mut draft.reports {
            take(report.sharing_group_draft.take().map(|group| *group));
        }
        Self { from, base_url: &service.policy.base_url, groups }
    }

    /// An organisation of this instance makes its events here, or brings them itself: what others say is its own
    /// would be theirs to write in its name.
    pub(super) fn refuse_forged(&self, w: &mut Writer<'_>, orgc_id: i64) -> Result<()> {
        if self.from.internal || self.from.is_of(orgc_id) {
            return Ok(());
        }
        match w.org(Ref::Id(orgc_id))? {
            Some(org) if org.local => Err(Error::Refused(format!(
                "The event says that {} made it, which is an organisation of this instance and has no such event here.",
                org.name
            ))),
            _ => Ok(()),
        }
    }

    /// An event stays its maker's: one that comes under the uuid of somebody else's is not a newer version of it.
    pub(super) fn refuse_other_maker(
        &self,
        w: &mut Writer<'_>,
        event: &Event,
        draft: &EventDraft,
    ) -> Result<()> {
        let Some(claimed) = draft.orgc.as_ref().and_then(|org| org.uuid).filter(|_| !self.from.internal)
        else {
            return Ok(());
        };
        match w.org(Ref::Id(event.orgc_id))? {
            Some(maker) if maker.uuid != claimed => Err(Error::Refused(format!(
                "The event was made by {}; what came under its uuid says that somebody else made it.",
                maker.name
            ))),
            _ => Ok(()),
        }
    }

    /// Takes over the groups, each as far as this server may.
    pub(super) fn capture_groups(&self, w: &mut Writer<'_>) -> Result<Placed> {
        let mut known = FxHashMap::default();
        for (uuid, group) in &self.groups {
            known.insert(*uuid, sharing_group::capture(w, self.base_url, self.from, group)?);
        }
        Ok(Placed { known, all: self.from.is_link() })
    }

    /// Makes of a draft that came from elsewhere one that can be merged into the stored event.
    pub(super) fn prepare_edit(
        &self,
        w: &mut Writer<'_>,
        event: &Event,
        draft: &mut EventDraft,
    ) -> Result<()> {
        let placed = self.capture_groups(w)?;
        placed.draft(&mut draft.distribution, &mut draft.sharing_group);
        for object in &mut draft.objects {
            placed.draft(&mut object.distribution, &mut object.sharing_group);
        }
        for report in &mut draft.reports {
            placed.draft(&mut report.distribution, &mut report.sharing_group);
        }
        let inside = draft.objects.iter_mut().flat_map(|o| &mut o.attributes);
        for attribute in draft.attributes.iter_mut().chain(inside) {
            placed.draft(&mut attribute.distribution, &mut attribute.sharing_group);
        }
        if self.from.remove_missing_tags { detach_missing(w, event, draft) } else { Ok(()) }
    }
}

/// Where the groups of an event are here: those that cannot be used are nowhere.
pub(super) struct Placed {
    known: FxHashMap<Uuid, Option<i64>>,
    /// Groups that were not sent along are nowhere as well.
    all: bool,
}

impl Placed {
    /// Puts the row number in; what is nowhere is its owner's alone.
    pub(super) fn code(&self, distribution: &mut i64, group: &mut Option<Ref>) {
        if *distribution != Distribution::SharingGroup.code() {
            return;
        }
        let known = match group {
            Some(Ref::Uuid(uuid)) => self.known.get(uuid).copied(),
            _ => None,
        };
        match known {
            Some(Some(id)) => *group = Some(Ref::Id(id)),
            None if !self.all => {}
            Some(None) | None => {
                *group = None;
                *distribution = Distribution::Organisation.code();
            }
        }
    }

    pub(super) fn draft(&self, distribution: &mut Option<i64>, group: &mut Option<Ref>) {
        if let Some(code) = distribution {
            self.code(code, group);
        }
    }
}

/// Marks the tags that are attached here and were not sent as to be taken off; those that are local stay.
fn detach_missing(w: &mut Writer<'_>, event: &Event, draft: &mut EventDraft) -> Result<()> {
    let attached = w.event_tags(&[event.id])?.remove(&event.id).unwrap_or_default();
    mark_missing(&attached, &mut draft.tags);
    let inside = draft.objects.iter_mut().flat_map(|o| &mut o.attributes);
    let mut attributes: Vec<_> = draft.attributes.iter_mut().chain(inside).collect();
    let uuids: Vec<Uuid> = attributes.iter().filter_map(|a| a.uuid).collect();
    let known = w.known_attributes(&uuids)?;
    let here = |uuid: &Uuid| known.get(uuid).filter(|k| k.event_id == event.id).map(|k| k.id);
    let ids: Vec<i64> = uuids.iter().filter_map(here).collect();
    let attached = w.attribute_tags(&ids)?;
    for attribute in &mut attributes {
        if let Some(tags) = attribute.uuid.as_ref().and_then(here).and_then(|id| attached.get(&id)) {
            mark_missing(tags, &mut attribute.tags);
        }
    }
    Ok(())
}

fn mark_missing(attached: &[Attached], sent: &mut Vec<TagDraft>) {
    for tag in attached.iter().filter(|tag| !tag.local) {
        let name = pisax_store::tags::folded(&tag.tag.name);
        if !sent.iter().any(|sent| pisax_store::tags::folded(&sent.name) == name) {
            let name = tag.tag.name.clone();
            sent.push(TagDraft { name, deleted: Some(true), ..TagDraft::default() });
        }
    }
}
