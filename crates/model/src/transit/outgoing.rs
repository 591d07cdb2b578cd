//! What a peer is sent of an event (semantics 3.7 and 7.3).

use super::{Guard, Passed, Refusal, Rules, Sieve, is_empty};
use crate::Distribution;
use crate::event::EventDraft;
use crate::ids::Ref;
use crate::org::OrgRef;
use crate::sharing::SharingGroupDraft;
use crate::tag::TagDraft;

/// The link an event leaves by.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// To a server of the same organisation: distribution stays, local tags travel.
    pub internal: bool,
    /// With the names of tags and organisations in the place of row numbers.
    pub rules: &'a Rules,
    pub guard: &'a Guard,
    /// Whether the peer is in a sharing group ([`super::sharing::admits`]).
    pub admits: &'a dyn Fn(&SharingGroupDraft) -> bool,
    /// Whether the peer takes event reports.
    pub with_reports: bool,
    /// It arrives unpublished.
    pub unpublish: bool,
}

/// The event as the peer gets it, or why he does not. The guard and the link's rules look at the event as it is,
/// with the tags that stay here.
pub fn outgoing(mut event: EventDraft, link: &Outgoing<'_>) -> Result<Passed, Refusal> {
    link.guard.admit(&event)?;
    link.rules.admit(&event)?;
    let level = event.distribution.unwrap_or(Distribution::Organisation.code());
    event.distribution = Some(link.level(level, event.sharing_group_draft.as_ref())?);
    link.tags(&mut event.tags);
    event.locked = Some(true);
    if link.unpublish {
        event.published = Some(false);
    }
    event.orgc = event.orgc.map(|org| OrgRef { id: None, ..org });
    event.sharing_group = by_uuid(event.sharing_group);
    // They have calls of their own.
    event.analyst_data = Vec::new();
    let passed = Sieve::default().pass(
        event,
        &|attribute| {
            link.guard.admit_attribute(attribute)?;
            if link.rules.refuses_type(attribute) {
                return Err(Refusal::Type(attribute.kind.clone().unwrap_or_default()));
            }
            link.element(&mut attribute.distribution, attribute.sharing_group_draft.as_deref())?;
            link.tags(&mut attribute.tags);
            attribute.id = None;
            attribute.sharing_group = by_uuid(attribute.sharing_group);
            attribute.sightings = Vec::new();
            attribute.analyst_data = Vec::new();
            Ok(())
        },
        &|object| {
            link.guard.admit_object(object)?;
            if link.rules.refuses_template(object) {
                return Err(Refusal::Template(object.template_uuid.clone().unwrap_or_default()));
            }
            link.element(&mut object.distribution, object.sharing_group_draft.as_deref())?;
            object.id = None;
            object.sharing_group = by_uuid(object.sharing_group);
            object.analyst_data = Vec::new();
            Ok(())
        },
        &|report| {
            if !link.with_reports {
                return Err(Refusal::Reports);
            }
            link.guard.admit_report(report)?;
            link.element(&mut report.distribution, report.sharing_group_draft.as_deref())?;
            report.sharing_group = by_uuid(report.sharing_group);
            report.analyst_data = Vec::new();
            Ok(())
        },
    )?;
    if is_empty(&passed.event) { Err(Refusal::Empty(None)) } else { Ok(passed) }
}

/// The level there of a record beside events (a cluster, a note), or why it stays: the guard's word on distributions
/// and groups, and the same steps down as for an event.
pub fn beside(level: i64, group: Option<&SharingGroupDraft>, link: &Outgoing<'_>) -> Result<i64, Refusal> {
    link.guard.distribution(level, None, group)?;
    link.level(level, group)
}

impl Outgoing<'_> {
    /// The level there of what has this level here.
    fn level(&self, level: i64, group: Option<&SharingGroupDraft>) -> Result<i64, Refusal> {
        if self.internal {
            return Ok(level);
        }
        match Distribution::from_code(level) {
            Some(Distribution::Connected) => Ok(Distribution::Community.code()),
            Some(Distribution::All | Distribution::Inherit) => Ok(level),
            Some(Distribution::SharingGroup) => match group {
                Some(group) if (self.admits)(group) => Ok(level),
                _ => Err(Refusal::SharingGroup),
            },
            Some(Distribution::Organisation | Distribution::Community) | None => {
                Err(Refusal::Distribution(level))
            }
        }
    }

    fn element(&self, level: &mut Option<i64>, group: Option<&SharingGroupDraft>) -> Result<(), Refusal> {
        let own = level.unwrap_or(Distribution::Inherit.code());
        *level = Some(self.level(own, group)?);
        Ok(())
    }

    fn tags(&self, tags: &mut Vec<TagDraft>) {
        tags.retain(|tag| {
            let stays = tag.exportable == Some(false) || (tag.local == Some(true) && !self.internal);
            !stays && tag.deleted != Some(true)
        });
    }
}

/// A row number means nothing elsewhere.
fn by_uuid(group: Option<Ref>) -> Option<Ref> {
    group.filter(|group| matches!(group, Ref::Uuid(_)))
}
