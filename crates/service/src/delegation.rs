//! Delegations: an organisation asks another one to take an event over. Whoever takes it becomes its owner and
//! creator; who made it is no longer to be seen in it.

use crate::context::Groups;
use crate::{Error, Result, Service};
use pisax_access::edit::EventOwner;
use pisax_access::{Actor, Permission};
use pisax_model::FieldError;
use pisax_model::delegation::{Delegation, DelegationDraft, RECIPIENT_DECIDES};
use pisax_model::ids::Ref;
use pisax_store::Writer;
use pisax_store::changes::Action;

/// Longest message of a request, in bytes.
const MESSAGE: usize = 65_535;

/// Refused where the instance does not delegate.
fn enabled(service: &Service) -> Result<()> {
    if service.settings().delegation { Ok(()) } else { Err(Error::Forbidden) }
}

/// Asks an organisation to take an event over that only one's own sees.
pub fn request(service: &Service, actor: &Actor, event: Ref, draft: DelegationDraft) -> Result<Delegation> {
    enabled(service)?;
    if !actor.has(Permission::Delegate) && !actor.sees_all() {
        return Err(Error::Forbidden);
    }
    let private = service.settings().unpublished_private;
    if draft.message.len() > MESSAGE {
        return Err(FieldError::new("message", "The message is longer than 65535 bytes.").into());
    }
    service.write(actor, |w| {
        let event = w.event_for_edit(event, creates)?;
        if !private && event.distribution != 0 {
            return Err(Error::Refused(
                "Only events with the distribution setting \"Your Organisation Only\" can be delegated.".into(),
            ));
        }
        if w.delegation_of(&event)?.is_some() {
            return Err(Error::Refused(
                "This event already has a pending delegation request. Please revoke that before creating a new request."
                    .into(),
            ));
        }
        let missing = || FieldError::new("org_id", "No such organisation.");
        let org = w.org(draft.org.ok_or_else(missing)?)?.ok_or_else(missing)?;
        let distribution = draft.distribution.unwrap_or(0);
        if !(RECIPIENT_DECIDES..=4).contains(&distribution) {
            return Err(FieldError::new("distribution", "Options: -1, 0, 1, 2, 3, 4.").into());
        }
        let group = match distribution {
            4 => Groups::default().usable(w, draft.sharing_group)?,
            _ => 0,
        };
        let id = w.add_delegation(&event, org.id, draft.message.trim(), distribution, group)?;
        found(w, id)
    })
}

/// The creator organisation, and site admins: who may ask others to take an event.
fn creates(actor: &Actor, event: EventOwner) -> bool {
    actor.sees_all() || actor.org_id == event.orgc_id
}

fn found(w: &mut Writer<'_>, id: i64) -> Result<Delegation> {
    w.delegation(id)?.ok_or(Error::NotFound("delegation"))
}

/// Takes the event over: its owner and creator change, its user becomes the one who accepts, and it goes where
/// the request wished. The request is over.
pub fn accept(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    enabled(service)?;
    service.write(actor, |w| {
        let seen = found(w, id)?;
        if !actor.sees_all() && actor.org_id != seen.org_id {
            return Err(Error::Forbidden);
        }
        // The pending request is the right to take it; nothing else of the event is decided here.
        let mut event = w.event_for_edit(Ref::Id(seen.event_id), |_, _| true)?;
        let delegation = found(w, id)?;
        let now = w.now();
        w.transfer_event(&event, delegation.org_id, actor.user_id)?;
        let group = delegation.sharing_group_id;
        let goes = match delegation.distribution {
            // The group may have gone since; then the new owner decides.
            4 => w.sharing_group(Ref::Id(group))?.is_some(),
            wished => wished > 0,
        };
        if goes {
            event.distribution = delegation.distribution;
            event.sharing_group_id = if delegation.distribution == 4 { group } else { 0 };
        }
        event.orgc_id = delegation.org_id;
        event.timestamp = now;
        event.published = false;
        w.update_event(&event, Action::Edit)?;
        Ok(w.end_delegation(&delegation, Action::Accept)?)
    })
}

/// Takes a request back, or declines it.
pub fn end(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    enabled(service)?;
    service.write(actor, |w| {
        let delegation = found(w, id)?;
        Ok(w.end_delegation(&delegation, Action::Delete)?)
    })
}
