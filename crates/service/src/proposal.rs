//! Proposals: what somebody who may not change an event would change in it, and what becomes of it.

use crate::attribute::{Twins, insert, merge, update};
use crate::context::check;
use crate::workflow::begin;
use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission, edit};
use pisax_model::attribute::{AttributeDraft, AttributeView, NewAttribute};
use pisax_model::content::Content;
use pisax_model::ids::Ref;
use pisax_model::proposal::{Asks, Proposal, ProposalDraft, proposes_something};
use pisax_model::time::format_micros;
use pisax_model::{Distribution, Uuid};
use pisax_store::Writer;
use pisax_store::changes::Action;
use pisax_store::proposals::NewProposal;

/// Proposes a new attribute in a visible event.
pub fn add(service: &Service, actor: &Actor, event: Ref, draft: AttributeDraft) -> Result<Proposal> {
    let checked = check(AttributeDraft { timestamp: None, ..draft }, false, service.clock.now_ms())?;
    if begin::guards_proposals(service, actor) {
        let found = service.read(actor, |r| Ok(r.event(event)?))?.ok_or(Error::NotFound("event"))?;
        begin::before_proposal(service, actor, (found.id, 0), &checked.attribute, false)?;
    }
    service.write(actor, |w| {
        let event = w.event_for_edit(event, whoever_sees_it)?;
        keep(service, w, (event.id, 0), checked.attribute, false)
    })
}

/// Proposes other fields of a visible attribute; those that are not named stay.
pub fn change(service: &Service, actor: &Actor, attribute: Ref, draft: AttributeDraft) -> Result<Proposal> {
    if !proposes_something(&draft) {
        return Err(Error::Refused("Invalid input.".into()));
    }
    ask_before(service, actor, attribute, &draft, false)?;
    service.write(actor, |w| {
        let batch = locked(w, attribute)?;
        let old = batch.get(0);
        let wished = settled(&old, draft, w.now_ms)?;
        keep(service, w, (old.event_id, old.id), wished, false)
    })
}

/// Proposes that a visible attribute goes.
pub fn deletion(service: &Service, actor: &Actor, attribute: Ref) -> Result<Proposal> {
    ask_before(service, actor, attribute, &AttributeDraft::default(), true)?;
    service.write(actor, |w| {
        let batch = locked(w, attribute)?;
        let old = batch.get(0);
        let same = settled(&old, AttributeDraft::default(), w.now_ms)?;
        keep(service, w, (old.event_id, old.id), same, true)
    })
}

/// Lets workflows refuse what is proposed of a visible attribute.
fn ask_before(
    service: &Service,
    actor: &Actor,
    attribute: Ref,
    draft: &AttributeDraft,
    to_delete: bool,
) -> Result<()> {
    if !begin::guards_proposals(service, actor) {
        return Ok(());
    }
    let found = service.read(actor, |r| Ok(r.attribute(attribute)?.filter(|batch| !batch.get(0).deleted)))?;
    let batch = found.ok_or(Error::NotFound("attribute"))?;
    let old = batch.get(0);
    let wished = settled(&old, draft.clone(), service.clock.now_ms())?;
    begin::before_proposal(service, actor, (old.event_id, old.id), &wished, to_delete)
}

/// To propose takes no right to the event; the lock keeps it there until the proposal is.
fn whoever_sees_it(_: &Actor, _: edit::EventOwner) -> bool {
    true
}

/// The attribute behind the lock of its event.
fn locked(w: &mut Writer<'_>, attribute: Ref) -> Result<pisax_store::attributes::Batch> {
    let event_id = living(w, attribute)?.get(0).event_id;
    w.event_for_edit(Ref::Id(event_id), whoever_sees_it)?;
    living(w, attribute)
}

fn living(w: &mut Writer<'_>, attribute: Ref) -> Result<pisax_store::attributes::Batch> {
    let found = w.attribute(attribute)?.filter(|batch| !batch.get(0).deleted);
    found.ok_or(Error::NotFound("attribute"))
}

/// The attribute as it would be. What holds a file stays what it is, and in an object each place has its type.
fn settled(old: &AttributeView<'_>, draft: AttributeDraft, now_ms: i64) -> Result<NewAttribute> {
    let holds_file = matches!(old.kind.name(), "attachment" | "malware-sample");
    let kind = if holds_file || old.object_id > 0 { None } else { draft.kind };
    let category = if holds_file { None } else { draft.category };
    let draft = AttributeDraft { kind, category, timestamp: None, deleted: Some(false), ..draft };
    Ok(check(merge(old, draft), old.object_id > 0, now_ms)?.attribute)
}

fn keep(
    service: &Service,
    w: &mut Writer<'_>,
    (event_id, attribute_id): (i64, i64),
    attribute: NewAttribute,
    to_delete: bool,
) -> Result<Proposal> {
    let (user_id, org_id) = (w.actor().user_id, w.actor().org_id);
    let email = w.creator_email(user_id)?.unwrap_or_default();
    let new =
        NewProposal { attribute, event_id, attribute_id, org_id, user_id, email, deleted: false, to_delete };
    let id = w.add_proposal(&new)?;
    crate::mail::proposed(service, w, event_id)?;
    w.proposal(Ref::Id(id))?.ok_or(Error::NotFound("proposal"))
}

/// What was asked of the event's people is done, in one transaction; whoever may change the event accepts.
pub fn accept(service: &Service, actor: &Actor, reference: Ref) -> Result<Asks> {
    service.write(actor, |w| accept_one(w, reference))
}

fn accept_one(w: &mut Writer<'_>, reference: Ref) -> Result<Asks> {
    let actor = w.actor().clone();
    let seen = open(w, reference)?;
    let event = w.event_for_edit(Ref::Id(seen.event_id), edit::may_edit)?;
    // Behind the lock: somebody may have closed it a moment before.
    let proposal = open(w, Ref::Id(seen.id))?;
    let now = w.now();
    match proposal.asks() {
        Asks::Addition => {
            let bytes = w.proposal_bytes(&proposal)?;
            let draft = AttributeDraft {
                uuid: Some(proposal.uuid),
                timestamp: Some(proposal.timestamp),
                distribution: Some(Distribution::Inherit.code()),
                ..fields(&proposal, bytes)
            };
            let added = insert(w, &event, vec![check(draft, false, w.now_ms)], Twins::Keep)?;
            if !added.errors.is_empty() {
                return Err(Error::Invalid(added.errors.into_iter().map(|(_, e)| e).collect()));
            }
            w.renew_event(event.id, now)?;
        }
        Asks::Change => {
            let bytes = w.proposal_bytes(&proposal)?;
            let batch = living(w, Ref::Id(proposal.attribute_id))?;
            update(w, &event, &batch.get(0), fields(&proposal, bytes))?;
            w.touch_event(event.id, now)?;
        }
        Asks::Deletion => {
            let batch = living(w, Ref::Id(proposal.attribute_id))?;
            let old = batch.get(0);
            w.tombstone_references_to(&old.uuid)?;
            w.set_attribute_deleted(&old, true)?;
            w.touch_event(event.id, now)?;
        }
    }
    w.close_proposal(&proposal, Action::Accept)?;
    if actor.org_id == event.orgc_id {
        w.set_proposal_mail_lock(event.id, false)?;
    }
    Ok(proposal.asks())
}

/// Leaves everything as it is and closes the proposal: whoever may change the event, who proposed it, and those
/// of his organisation who may change what is the organisation's.
pub fn discard(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    service.write(actor, |w| discard_one(w, reference))
}

fn discard_one(w: &mut Writer<'_>, reference: Ref) -> Result<()> {
    let actor = w.actor().clone();
    let seen = open(w, reference)?;
    let event = w.event_for_edit(Ref::Id(seen.event_id), whoever_sees_it)?;
    let proposal = open(w, Ref::Id(seen.id))?;
    let owner = edit::EventOwner { orgc_id: event.orgc_id, user_id: event.user_id, locked: event.locked };
    let same_org = actor.org_id == proposal.org_id;
    let own = same_org && (actor.user_id == proposal.user_id || actor.has(Permission::ModifyOrg));
    if !own && !edit::may_edit(&actor, owner) {
        return Err(Error::Forbidden);
    }
    w.close_proposal(&proposal, Action::Discard)?;
    if actor.org_id == event.orgc_id {
        w.set_proposal_mail_lock(event.id, false)?;
    }
    Ok(())
}

/// What becomes of proposals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Accept,
    Discard,
}

/// Closes several proposals of an event in one transaction; returns how many. Those that are not open in the event
/// (any more) are left out; one refusal refuses all.
pub fn close(service: &Service, actor: &Actor, event: Ref, ids: &[i64], verdict: Verdict) -> Result<usize> {
    service.write(actor, |w| {
        let event = w.event_for_edit(event, whoever_sees_it)?;
        let mut open = w.proposals_by_ids(ids)?;
        open.retain(|p| p.event_id == event.id && !p.deleted);
        for proposal in &open {
            let reference = Ref::Id(proposal.id);
            match verdict {
                Verdict::Accept => accept_one(w, reference).map(drop)?,
                Verdict::Discard => discard_one(w, reference)?,
            }
        }
        Ok(open.len())
    })
}

fn open(w: &mut Writer<'_>, reference: Ref) -> Result<Proposal> {
    w.proposal(reference)?.filter(|p| !p.deleted).ok_or(Error::NotFound("proposal"))
}

/// The fields a proposal decides, all of them: an empty time clears the attribute's.
fn fields(proposal: &Proposal, bytes: Option<Vec<u8>>) -> AttributeDraft {
    AttributeDraft {
        kind: Some(proposal.kind.name().into()),
        category: Some(proposal.category.name().into()),
        value: Some(proposal.value().into_owned()),
        to_ids: Some(proposal.to_ids),
        comment: Some(proposal.comment.clone()),
        first_seen: Some(proposal.first_seen.map(format_micros)),
        last_seen: Some(proposal.last_seen.map(format_micros)),
        data: bytes.map(Content::Bytes),
        ..AttributeDraft::default()
    }
}

/// What came of proposals that another instance sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Captured {
    pub added: usize,
    /// Whether some could not be what they say.
    pub refused: bool,
}

/// Keeps proposals made on another instance on an event that is here too. A known one is replaced by a newer
/// copy; the closing of one travels the same way.
pub fn capture(
    service: &Service,
    actor: &Actor,
    event_uuid: Uuid,
    drafts: Vec<ProposalDraft>,
) -> Result<Captured> {
    if !actor.has(Permission::Sync) && !actor.sees_all() {
        return Err(Error::Forbidden);
    }
    let now_ms = service.clock.now_ms();
    service.write(actor, |w| {
        let event = w.event_for_edit(Ref::Uuid(event_uuid), whoever_sees_it)?;
        let uuids: Vec<Uuid> = drafts.iter().filter_map(|d| d.attribute.uuid).collect();
        let known = w.known_attributes(&uuids)?;
        let mut captured = Captured::default();
        for draft in drafts {
            let here = draft.attribute.uuid.and_then(|u| known.get(&u)).filter(|k| k.event_id == event.id);
            let attribute_id = if draft.of_attribute { here.map_or(0, |k| k.id) } else { 0 };
            let deleted = draft.attribute.deleted.unwrap_or(false);
            let foreign = draft.event_uuid.is_some_and(|u| u != event_uuid);
            let attribute = AttributeDraft { deleted: None, ..draft.attribute };
            let (Ok(checked), false) = (check(attribute, false, now_ms), foreign) else {
                captured.refused = true;
                continue;
            };
            // What it would delete is not here.
            if draft.to_delete && attribute_id == 0 {
                continue;
            }
            match w.same_proposal(event.id, &checked.attribute)? {
                Some((_, timestamp)) if timestamp >= checked.attribute.timestamp => continue,
                Some((id, _)) => w.remove_proposal(id)?,
                None => {}
            }
            let org_id = match &draft.organisation {
                Some(org) => w.capture_org(org)?.unwrap_or(actor.org_id),
                None => actor.org_id,
            };
            w.add_proposal(&NewProposal {
                attribute: checked.attribute,
                event_id: event.id,
                attribute_id,
                org_id,
                user_id: 0,
                email: draft.email.unwrap_or_default(),
                deleted,
                to_delete: draft.to_delete,
            })?;
            if !deleted {
                crate::mail::proposed(service, w, event.id)?;
            }
            captured.added += 1;
        }
        Ok(captured)
    })
}
