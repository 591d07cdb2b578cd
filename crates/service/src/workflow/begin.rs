//! Workflows that begin before something is done, and may refuse it.

use super::facts::{self, Part};
use super::run::{BEFORE, run};
use crate::{Error, Result, Service};
use pisax_access::{Actor, edit};
use pisax_model::attribute::NewAttribute;
use pisax_model::event::{Event, EventDraft};
use pisax_model::ids::Ref;
use pisax_model::user::UserDraft;
use pisax_model::workflow::{Data, module};

/// Whether a workflow may begin with what this actor does.
fn begins(service: &Service, actor: &Actor, trigger: &str) -> bool {
    // What such a workflow does itself begins none again.
    actor.reason != Some(BEFORE) && service.settings().begins_with(trigger)
}

/// Whether something is asked before this actor publishes.
pub(crate) fn guards_publication(service: &Service, actor: &Actor) -> bool {
    begins(service, actor, module::EVENT_PUBLISH)
}

fn owner(event: &Event) -> edit::EventOwner {
    edit::EventOwner { orgc_id: event.orgc_id, user_id: event.user_id, locked: event.locked }
}

/// Asks before an event is published by somebody who may.
pub(crate) fn before_publication(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    if !guards_publication(service, actor) {
        return Ok(());
    }
    let event = service.read(actor, |r| Ok(r.event(reference)?))?.ok_or(Error::NotFound("event"))?;
    if !edit::may_publish(actor, owner(&event)) {
        return Err(Error::Forbidden);
    }
    ask(service, actor, module::EVENT_PUBLISH, |system| {
        service.read(system, |r| facts::event(r, event.id, Part::All))
    })
}

/// Asks before a module is asked about an attribute the actor sees.
pub(crate) fn before_enrichment(service: &Service, actor: &Actor, event: i64, attribute: i64) -> Result<()> {
    if !begins(service, actor, module::ENRICHMENT_BEFORE_QUERY) {
        return Ok(());
    }
    ask(service, actor, module::ENRICHMENT_BEFORE_QUERY, |system| {
        service.read(system, |r| facts::event(r, event, Part::Attribute(attribute)))
    })
}

/// Asks before an event is added, or changed where there is one already.
pub(crate) fn before_saving(
    service: &Service,
    actor: &Actor,
    draft: &EventDraft,
    reference: Option<Ref>,
) -> Result<()> {
    if !begins(service, actor, module::EVENT_BEFORE_SAVE) {
        return Ok(());
    }
    let stored = match reference {
        // Who may not change it is refused by what comes next.
        Some(reference) => match service.read(actor, |r| Ok(r.event(reference)?))? {
            Some(event) if edit::may_replace(actor, owner(&event)) => Some(event),
            _ => return Ok(()),
        },
        None => None,
    };
    ask(service, actor, module::EVENT_BEFORE_SAVE, |_| Ok(Some(facts::draft(draft, stored.as_ref()))))
}

/// Asks before something is proposed in an event the actor sees, about one of its attributes unless that is 0.
pub(crate) fn before_proposal(
    service: &Service,
    actor: &Actor,
    (event, attribute): (i64, i64),
    wished: &NewAttribute,
    to_delete: bool,
) -> Result<()> {
    ask(service, actor, module::PROPOSAL_BEFORE_SAVE, |system| {
        let proposal = facts::new_proposal(event, attribute, to_delete, wished);
        service.read(system, |r| facts::proposed(r, event, attribute, proposal))
    })
}

/// Whether something is asked before this actor proposes.
pub(crate) fn guards_proposals(service: &Service, actor: &Actor) -> bool {
    begins(service, actor, module::PROPOSAL_BEFORE_SAVE)
}

/// Asks before a user is added, whose number is 0, or changed.
pub(crate) fn before_saving_user(service: &Service, actor: &Actor, id: i64, draft: &UserDraft) -> Result<()> {
    if !begins(service, actor, module::USER_BEFORE_SAVE) {
        return Ok(());
    }
    ask(service, actor, module::USER_BEFORE_SAVE, |_| Ok(Some(facts::user_draft(id, draft))))
}

/// Runs the workflows of a blocking trigger, one after the other; the first that does not succeed refuses.
fn ask(
    service: &Service,
    actor: &Actor,
    trigger: &str,
    data: impl FnOnce(&Actor) -> Result<Option<Data>>,
) -> Result<()> {
    let system = Actor::system(BEFORE);
    let workflows = service.read(&system, |r| Ok(r.workflows_beginning_with(trigger)?))?;
    if workflows.is_empty() {
        return Ok(());
    }
    let Some(mut data) = data(&system)? else { return Ok(()) };
    data.put("user", service.read(&system, |r| facts::user(r, actor.user_id))?);
    for workflow in workflows {
        let outcome = run(service, &workflow, data.clone())?;
        if !outcome.success {
            return Err(Error::Refused(outcome.errors.join(", ")));
        }
    }
    Ok(())
}
