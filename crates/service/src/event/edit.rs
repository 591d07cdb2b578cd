//! Changing an event: the last writer wins by timestamp, absent children are kept, tombstones delete.

use super::arrival::Arrival;
use super::{
    Source, check_analysis, check_date, check_distribution, check_info, check_threat_level, extended,
};
use crate::attribute::{merge_into_event, tolerate};
use crate::context::{Groups, Tags};
use crate::event::protection::{self, Proven};
use crate::files::Files;
use crate::object::merge_objects;
use crate::workflow::begin;
use crate::{Error, Result, Service, analyst, report};
use pisax_access::{Actor, Permission, edit as rule};
use pisax_model::FieldError;
use pisax_model::event::{Event, EventDraft};
use pisax_model::ids::Ref;
use pisax_model::tag::TagDraft;
use pisax_store::Writer;
use pisax_store::changes::Action;

/// Edits an event; returns its row number. A draft without timestamp counts as now, one with a timestamp must
/// be newer than what is stored.
pub fn edit(service: &Service, actor: &Actor, reference: Ref, draft: EventDraft) -> Result<i64> {
    edit_from(service, actor, reference, draft, Source::pushed(actor).as_ref()).map(|edited| edited.id)
}

/// The same, and what was refused of it and left out.
pub fn edit_and_tell(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    draft: EventDraft,
) -> Result<(i64, Vec<FieldError>)> {
    let edited = edit_from(service, actor, reference, draft, Source::pushed(actor).as_ref())?;
    Ok((edited.id, edited.dropped))
}

/// What came of an edit.
pub(super) struct Edited {
    pub(super) id: i64,
    /// What was refused of it and left out.
    pub(super) dropped: Vec<FieldError>,
}

/// The same for what comes from another server.
pub(super) fn edit_from(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    mut draft: EventDraft,
    from: Option<&Source>,
) -> Result<Edited> {
    begin::before_saving(service, actor, &draft, Some(reference))?;
    if draft.published == Some(true) && begin::guards_publication(service, actor) {
        draft.published = None;
        let edited = edit_unasked(service, actor, reference, draft, from)?;
        super::publish::or_leave(service, actor, Ref::Id(edited.id))?;
        return Ok(edited);
    }
    edit_unasked(service, actor, reference, draft, from)
}

fn edit_unasked(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    mut draft: EventDraft,
    from: Option<&Source>,
) -> Result<Edited> {
    let arrival = from.map(|from| Arrival::new(service, from, &mut draft));
    let keys = protection::read_keys(&draft.keys, service.clock.now_ms())?;
    let proven = Proven::of_stored(service, actor, from, reference, draft.proof.as_ref())?;
    let mut files = Files::new(service);
    let inside = draft.objects.iter_mut().flat_map(|object| &mut object.attributes);
    for attribute in draft.attributes.iter_mut().chain(inside) {
        // One that cannot be sealed is refused alone, when it is checked.
        tolerate(files.keep_draft(attribute), &mut Vec::new())?;
    }
    let edited = service.write(actor, |w| {
        let mut event = w.event_for_edit(reference, rule::may_replace)?;
        if let Some(from) = from {
            from.may_replace(&event)?;
        }
        if draft.timestamp.is_some_and(|t| t > 0 && t <= event.timestamp) {
            return Err(Error::Stale("event"));
        }
        if event.protected == Some(true) {
            proven.allow(actor, from, &event, &w.keys_of_event(event.id)?)?;
        }
        protection::keep_keys(w, event.id, keys)?;
        if let Some(arrival) = &arrival {
            arrival.refuse_other_maker(w, &event, &draft)?;
            arrival.prepare_edit(w, &event, &mut draft)?;
        }
        let said = analyst::gather(&mut draft, event.uuid, w.now_ms);
        let EventDraft { attributes, objects, tags, reports, published, .. } = apply(w, &mut event, draft)?;
        event.published = false;
        w.update_event(&event, Action::Edit)?;
        let mut dropped = merge_into_event(w, &event, attributes)?;
        dropped.extend(merge_objects(w, &event, objects)?);
        merge_tags(w, &event, &tags)?;
        dropped.extend(report::merge(w, &event, reports)?);
        analyst::capture_inside(w, said)?;
        w.recount_event(event.id)?;
        if published == Some(true) {
            publish_again(w, &mut event, from)?;
        }
        Ok(Edited { id: event.id, dropped })
    });
    files.after(edited)
}

/// Sets how far an event travels, with a sharing group where that is the level. It counts as a change that has to be
/// published again, unless it is asked to leave no trace on the event.
pub fn distribute(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    (distribution, group): (i64, Option<Ref>),
    freeze: bool,
) -> Result<()> {
    let distribution = check_distribution(distribution)?;
    service.write(actor, |w| {
        let mut event = w.event_for_edit(reference, rule::may_edit)?;
        event.sharing_group_id = if distribution == 4 { Groups::default().usable(w, group)? } else { 0 };
        event.distribution = distribution;
        if !freeze {
            event.timestamp = w.now();
            event.published = false;
        }
        Ok(w.update_event(&event, Action::Edit)?)
    })
}

/// Writes the draft's own fields into the event; gives the draft back for its children.
fn apply(w: &mut Writer<'_>, event: &mut Event, mut draft: EventDraft) -> Result<EventDraft> {
    if let Some(info) = draft.info.take() {
        event.info = check_info(Some(info))?;
    }
    if let Some(date) = draft.date.take().filter(|d| !d.trim().is_empty()) {
        event.date = check_date(&date)?;
    }
    if let Some(level) = draft.threat_level_id {
        event.threat_level_id = check_threat_level(level)?;
    }
    if let Some(analysis) = draft.analysis {
        event.analysis = check_analysis(analysis)?;
    }
    if let Some(distribution) = draft.distribution {
        let distribution = check_distribution(distribution)?;
        // An edit that repeats the group it already has needs no new right to it.
        let same = distribution == 4 && event.distribution == 4 && draft.sharing_group.is_none();
        if distribution == 4 && !same && draft.sharing_group != Some(Ref::Id(event.sharing_group_id)) {
            event.sharing_group_id = Groups::default().usable(w, draft.sharing_group)?;
        } else if distribution != 4 {
            event.sharing_group_id = 0;
        }
        event.distribution = distribution;
    }
    if let Some(off) = draft.disable_correlation {
        event.disable_correlation = off;
    }
    if let Some(text) = draft.extends_uuid.take() {
        event.extends_uuid = extended(w, Some(text))?;
    }
    if let Some(protected) = draft.protected {
        event.protected = Some(protected);
    }
    event.timestamp = draft.timestamp.filter(|t| *t > 0).unwrap_or(w.now());
    Ok(draft)
}

fn merge_tags(w: &mut Writer<'_>, event: &Event, drafts: &[TagDraft]) -> Result<()> {
    let refs: Vec<&TagDraft> = drafts.iter().collect();
    let tags = Tags::resolve(w, &refs)?;
    let actor = w.actor().clone();
    w.attach_event_tags(event.id, &tags.attachments(&actor, drafts))?;
    for tag_id in tags.detachments(&actor, drafts) {
        w.detach_event_tag(event.id, tag_id)?;
    }
    Ok(())
}

fn publish_again(w: &mut Writer<'_>, event: &mut Event, from: Option<&Source>) -> Result<()> {
    let owner = rule::EventOwner { orgc_id: event.orgc_id, user_id: event.user_id, locked: event.locked };
    // Who brings an event from elsewhere publishes it as it was there.
    let brings = from.is_some() && event.locked && w.actor().has(Permission::Publish);
    if brings || rule::may_publish(w.actor(), owner) {
        event.published = true;
        event.publish_timestamp = w.now();
        w.update_event(event, Action::Publish)?;
    }
    Ok(())
}
