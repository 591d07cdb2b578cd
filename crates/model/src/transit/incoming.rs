//! What is kept here of an event that was pulled (semantics 3.7 and 7.2).

use super::{Passed, Refusal, Rules, Sieve, is_empty};
use crate::Distribution;
use crate::event::EventDraft;
use crate::ids::Ref;
use crate::org::OrgRef;
use crate::tag::TagDraft;

/// The link an event comes by.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// From a server of the same organisation: distribution stays, local tags travel.
    pub internal: bool,
    pub rules: &'a Rules,
    /// It is not published here.
    pub unpublish: bool,
}

/// The event as it is kept, or why it is not. Row numbers of the other server are forgotten.
pub fn incoming(mut event: EventDraft, link: &Incoming<'_>) -> Result<Passed, Refusal> {
    event.locked = Some(true);
    if link.unpublish {
        event.published = Some(false);
    }
    event.orgc = event.orgc.map(|org| OrgRef { id: None, ..org });
    // Very old servers send none and mean their community.
    event.distribution = event.distribution.or(Some(Distribution::Community.code()));
    link.level(&mut event.distribution);
    link.tags(&mut event.tags);
    event.sharing_group = by_uuid(event.sharing_group);
    let passed = Sieve::default().pass(
        event,
        &|attribute| {
            if link.rules.refuses_type(attribute) {
                return Err(Refusal::Type(attribute.kind.clone().unwrap_or_default()));
            }
            link.level(&mut attribute.distribution);
            link.tags(&mut attribute.tags);
            attribute.id = None;
            attribute.sharing_group = by_uuid(attribute.sharing_group);
            Ok(())
        },
        &|object| {
            if link.rules.refuses_template(object) {
                return Err(Refusal::Template(object.template_uuid.clone().unwrap_or_default()));
            }
            link.level(&mut object.distribution);
            object.id = None;
            object.sharing_group = by_uuid(object.sharing_group);
            Ok(())
        },
        &|report| {
            link.level(&mut report.distribution);
            report.sharing_group = by_uuid(report.sharing_group);
            Ok(())
        },
    )?;
    if is_empty(&passed.event) { Err(Refusal::Empty(None)) } else { Ok(passed) }
}

impl Incoming<'_> {
    /// A community here is not the community there.
    fn level(&self, level: &mut Option<i64>) {
        if self.internal {
            return;
        }
        *level = match level.and_then(Distribution::from_code) {
            Some(Distribution::Community) => Some(Distribution::Organisation.code()),
            Some(Distribution::Connected) => Some(Distribution::Community.code()),
            _ => *level,
        };
    }

    fn tags(&self, tags: &mut Vec<TagDraft>) {
        if !self.internal {
            tags.retain(|tag| tag.local != Some(true));
        }
    }
}

fn by_uuid(group: Option<Ref>) -> Option<Ref> {
    group.filter(|group| matches!(group, Ref::Uuid(_)))
}
