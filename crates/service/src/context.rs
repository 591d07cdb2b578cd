//! What the children of an event need resolved inside the transaction: sharing groups and tags.

use crate::{Error, Result};
use pisax_access::{Actor, Permission};
use pisax_model::attribute::{AttributeDraft, Defaults, NewAttribute, complete};
use pisax_model::ids::Ref;
use pisax_model::tag::{Tag, TagDraft};
use pisax_model::{Distribution, FieldError, Uuid};
use pisax_store::Writer;
use pisax_store::tags::NewAttachment;
use rustc_hash::FxHashMap;

/// A checked attribute that still names its sharing group as the client did.
pub(crate) struct Checked {
    pub(crate) attribute: NewAttribute,
    pub(crate) group: Option<Ref>,
    /// The client chose the uuid, so it may be in use; one that was made here is not.
    pub(crate) own_uuid: bool,
}

/// The uuids among these that have to be looked up.
pub(crate) fn chosen_uuids<'c>(checked: impl Iterator<Item = &'c Checked>) -> Vec<Uuid> {
    checked.filter(|c| c.own_uuid).map(|c| c.attribute.uuid).collect()
}

/// Checks a draft before any lock is taken.
pub(crate) fn check(
    mut draft: AttributeDraft,
    in_object: bool,
    now_ms: i64,
) -> std::result::Result<Checked, FieldError> {
    crate::files::seal(&mut draft)?;
    let (group, own_uuid) = (draft.sharing_group, draft.uuid.is_some());
    // MISP.default_attribute_distribution: "event", that is, inherit.
    let defaults = Defaults { now_ms, distribution: Distribution::Inherit };
    let attribute = complete(draft, in_object, 0, &defaults)?;
    Ok(Checked { attribute, group, own_uuid })
}

/// Sharing groups the actor may use, looked up once each.
#[derive(Default)]
pub(crate) struct Groups {
    known: FxHashMap<Ref, Option<i64>>,
}

impl Groups {
    /// Row number of a group the actor may share with.
    pub(crate) fn usable(&mut self, w: &mut Writer<'_>, group: Option<Ref>) -> Result<i64> {
        let refused =
            || FieldError::new("sharing_group_id", "Invalid sharing group or not available to you.");
        let group = group.filter(|g| *g != Ref::Id(0)).ok_or_else(refused)?;
        if let Some(known) = self.known.get(&group) {
            return Ok(known.ok_or_else(refused)?);
        }
        let id = match w.sharing_group(group)? {
            Some(found) if found.active && w.may_use_group(found.id)? => Some(found.id),
            _ => None,
        };
        self.known.insert(group, id);
        Ok(id.ok_or_else(refused)?)
    }

    /// Puts the group's row number into a checked attribute.
    pub(crate) fn settle(
        &mut self,
        w: &mut Writer<'_>,
        checked: &mut Checked,
    ) -> std::result::Result<(), Error> {
        if checked.attribute.distribution == Distribution::SharingGroup {
            checked.attribute.sharing_group_id = self.usable(w, checked.group)?;
        }
        Ok(())
    }
}

/// Tags by the name a client used; unknown ones are made for those who may, and silently left out otherwise
/// (semantics 3.3). Who may not tag finds none.
pub(crate) struct Tags {
    by_name: FxHashMap<String, Tag>,
}

impl Tags {
    pub(crate) fn resolve(w: &mut Writer<'_>, drafts: &[&TagDraft]) -> Result<Self> {
        if drafts.is_empty() || !tags_at_all(w.actor()) {
            return Ok(Self { by_name: FxHashMap::default() });
        }
        let actor = w.actor();
        let may_create = actor.has(Permission::TagEditor) || actor.has(Permission::SiteAdmin);
        Ok(Self { by_name: w.resolve_tags(drafts, may_create)? })
    }

    /// The same without making any.
    pub(crate) fn existing(w: &mut Writer<'_>, drafts: &[TagDraft]) -> Result<Self> {
        let refs: Vec<&TagDraft> = drafts.iter().collect();
        Ok(Self { by_name: w.resolve_tags(&refs, false)? })
    }

    /// The tag of a draft, where the actor may attach and detach it.
    fn free(&self, actor: &Actor, draft: &TagDraft) -> Option<&Tag> {
        let tag = self.by_name.get(&pisax_store::tags::folded(&draft.name))?;
        may_attach(actor, tag).then_some(tag)
    }

    /// The attachments that the actor may make of these drafts.
    pub(crate) fn attachments(&self, actor: &Actor, drafts: &[TagDraft]) -> Vec<NewAttachment> {
        let wanted = drafts.iter().filter(|d| d.deleted != Some(true));
        wanted
            .filter_map(|draft| {
                let tag = self.free(actor, draft)?;
                Some(NewAttachment {
                    tag_id: tag.id,
                    local: draft.local.unwrap_or(false) || tag.local_only,
                    relationship_type: draft.relationship_type.clone().filter(|r| !r.is_empty()),
                })
            })
            .collect()
    }

    /// The tags that these drafts take off and the actor may.
    pub(crate) fn detachments(&self, actor: &Actor, drafts: &[TagDraft]) -> impl Iterator<Item = i64> {
        let unwanted = drafts.iter().filter(|d| d.deleted == Some(true));
        unwanted.filter_map(|draft| Some(self.free(actor, draft)?.id))
    }
}

/// Who may not tag sends tags in vain (MISP captures them with perm_tagger alone).
fn tags_at_all(actor: &Actor) -> bool {
    [Permission::Tagger, Permission::Sync, Permission::SiteAdmin].into_iter().any(|p| actor.has(p))
}

/// Tags can be reserved for one organisation or user.
pub(crate) fn may_attach(actor: &Actor, tag: &Tag) -> bool {
    actor.sees_all()
        || ((tag.org_id == 0 || tag.org_id == actor.org_id)
            && (tag.user_id == 0 || tag.user_id == actor.user_id))
}
