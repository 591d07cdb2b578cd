//! Changing stored attributes: fields that were not sent stay as they are.

use super::add::{Twins, attach_tags, insert, twin_refused};
use crate::analyst;
use crate::context::{Groups, Tags, check};
use crate::files::Files;
use crate::{Error, Result, Service};
use pisax_access::Actor;
use pisax_model::analyst::TargetKind;
use pisax_model::attribute::{AttributeDraft, AttributeView, NewAttribute};
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::tag::TagDraft;
use pisax_model::time::format_micros;
use pisax_model::{FieldError, Uuid};
use pisax_store::Writer;
use pisax_store::changes::Action;

/// Edits one attribute; returns its row number.
pub fn edit(service: &Service, actor: &Actor, reference: Ref, mut draft: AttributeDraft) -> Result<i64> {
    let said = std::mem::take(&mut draft.analyst_data);
    let mut files = Files::new(service);
    files.keep_draft(&mut draft)?;
    let id = service.write(actor, |w| {
        let (event, batch) = super::for_edit(w, reference)?;
        let old = batch.get(0);
        if draft.timestamp.is_some_and(|t| t > 0 && t <= old.timestamp) {
            return Err(Error::Stale("attribute"));
        }
        update(w, &event, &old, draft)?;
        analyst::capture_inside(w, analyst::said_of(said, old.uuid, TargetKind::Attribute))?;
        let now = w.now();
        w.touch_event(event.id, now)?;
        Ok(old.id)
    });
    files.after(id)
}

/// Applies a draft to a stored attribute of an event got for edit.
pub(crate) fn update(
    w: &mut Writer<'_>,
    event: &Event,
    old: &AttributeView<'_>,
    draft: AttributeDraft,
) -> Result<()> {
    let tags = draft.tags.clone();
    let sightings = draft.sightings.clone();
    let mut checked = check(merge(old, draft), old.object_id > 0, w.now_ms)?;
    let group_kept = checked.attribute.distribution.code() == 4
        && old.distribution == 4
        && checked.group.is_none_or(|g| g == Ref::Id(old.sharing_group_id));
    if group_kept {
        checked.attribute.sharing_group_id = old.sharing_group_id;
    } else {
        Groups::default().settle(w, &mut checked)?;
    }
    let new = &checked.attribute;
    if !new.deleted && old.object_id == 0 {
        let twin = w.twin(new);
        let existing = w.existing_twins(event.id, &[twin])?;
        if existing.get(&twin).is_some_and(|id| *id != old.id) {
            return Err(twin_refused().into());
        }
    }
    let action = match (old.deleted, new.deleted) {
        (false, true) => Action::SoftDelete,
        (true, false) => Action::Restore,
        _ => Action::Edit,
    };
    w.update_attribute(old, new, action)?;
    if action == Action::SoftDelete {
        w.tombstone_references_to(&old.uuid)?;
    }
    merge_tags(w, event.id, old.id, &tags)?;
    let sighted = NewAttribute { sightings, ..checked.attribute.clone() };
    super::add::add_sightings(w, event.id, std::iter::once((old.id, &sighted)))
}

/// The draft with the stored values where it says nothing.
pub(crate) fn merge(old: &AttributeView<'_>, draft: AttributeDraft) -> AttributeDraft {
    let sent_value = draft.value.as_deref().is_some_and(|v| !v.is_empty()) || draft.value1.is_some();
    let seen = |kept: Option<i64>| Some(kept.map(format_micros));
    AttributeDraft {
        uuid: Some(old.uuid),
        bad_uuid: false,
        kind: draft.kind.or_else(|| Some(old.kind.name().into())),
        category: draft.category.or_else(|| Some(old.category.name().into())),
        value: if sent_value { draft.value } else { Some(old.value().into_owned()) },
        to_ids: draft.to_ids.or(Some(old.to_ids)),
        distribution: draft.distribution.or(Some(old.distribution)),
        comment: draft.comment.or_else(|| Some(old.comment.into())),
        deleted: draft.deleted.or(Some(old.deleted)),
        disable_correlation: draft.disable_correlation.or(Some(old.disable_correlation)),
        first_seen: draft.first_seen.or_else(|| seen(old.first_seen)),
        last_seen: draft.last_seen.or_else(|| seen(old.last_seen)),
        object_relation: draft.object_relation.or_else(|| old.object_relation.map(str::to_owned)),
        ..draft
    }
}

/// Adds the listed tags, takes away those marked deleted.
pub(crate) fn merge_tags(
    w: &mut Writer<'_>,
    event_id: i64,
    attribute_id: i64,
    drafts: &[TagDraft],
) -> Result<()> {
    if drafts.is_empty() {
        return Ok(());
    }
    let tags = Tags::resolve(w, &drafts.iter().collect::<Vec<_>>())?;
    let actor = w.actor().clone();
    let attached: Vec<_> = tags.attachments(&actor, drafts).into_iter().map(|t| (attribute_id, t)).collect();
    w.attach_attribute_tags(event_id, &attached)?;
    for tag_id in tags.detachments(&actor, drafts) {
        w.detach_attribute_tag(attribute_id, tag_id)?;
    }
    Ok(())
}

/// The attributes of an event edit: known ones are changed when newer, unknown ones added, absent ones kept.
/// A single refused attribute does not stop the rest (as MISP's sync needs).
/// Gives what was refused.
pub(crate) fn merge_into_event(
    w: &mut Writer<'_>,
    event: &Event,
    drafts: Vec<AttributeDraft>,
) -> Result<Vec<FieldError>> {
    let mut refused = Vec::new();
    let known = w.known_attributes(&drafts.iter().filter_map(|d| d.uuid).collect::<Vec<Uuid>>())?;
    let now_ms = w.now_ms;
    let mut new = Vec::new();
    for draft in drafts {
        let stored = draft.uuid.and_then(|u| known.get(&u)).copied();
        let by_id = match (stored, draft.uuid, draft.id) {
            (None, None, Some(id)) => w.attribute(Ref::Id(id))?.filter(|b| b.get(0).event_id == event.id),
            _ => None,
        };
        match (stored, by_id) {
            (Some(known), _) if known.event_id == event.id => {
                if draft.timestamp.is_none_or(|t| t > known.timestamp)
                    && let Some(batch) = w.attribute(Ref::Id(known.id))?
                {
                    tolerate(update(w, event, &batch.get(0), draft), &mut refused)?;
                }
            }
            (Some(_), _) => {} // in another event: not ours to touch
            (None, Some(batch)) => {
                tolerate(update(w, event, &batch.get(0), draft), &mut refused)?;
            }
            (None, None) => new.push(check(draft, false, now_ms)),
        }
    }
    let tags: Vec<Vec<TagDraft>> =
        new.iter().map(|c| c.as_ref().map(|c| c.attribute.tags.clone()).unwrap_or_default()).collect();
    let added = insert(w, event, new, Twins::Keep)?;
    // A twin that was already there still gets the tags that came with it. Both lists have a place for each
    // draft, refused or not.
    let stored = added.ids.iter().zip(&tags).filter_map(|(id, tags)| Some(((*id)?, tags.as_slice())));
    attach_tags(w, event.id, stored)?;
    refused.extend(added.errors.into_iter().map(|(_, error)| error));
    Ok(refused)
}

/// Field errors of one child are left behind; everything else stops the edit.
pub(crate) fn tolerate(result: Result<()>, refused: &mut Vec<FieldError>) -> Result<()> {
    match result {
        Err(Error::Invalid(fields)) => {
            tracing::info!(?fields, "an attribute of an event edit was refused");
            refused.extend(fields);
            Ok(())
        }
        other => other,
    }
}
