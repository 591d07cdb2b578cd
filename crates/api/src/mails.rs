//! `/events/alert` and `/events/contact`: what sends mail.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::saved;
use crate::request::{Request, flag, text};
use pisax_service::{Error, mail as service};
use pisax_wire::answer as body;

/// POST /events/alert/{id}: publishes an event and tells those who asked to be told.
pub(crate) fn alert(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_EVENT)?;
    let id = service::publish_and_alert(&request.service, &request.actor, reference)
        .map_err(crate::events::publishing)?;
    Ok(Answer::json(body::saved("Job queued", &request.path.raw, Some(id))))
}

/// POST /events/contact/{id} `{message, person, anonymous}`
pub(crate) fn contact(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_EVENT)?;
    let sent = request.unwrapped("Event")?;
    let message = text(&sent, "message").unwrap_or_default();
    if message.trim().is_empty() {
        return Err(Failure::NotAllowed("You must specify a message.".into()));
    }
    let creator_only = flag(&sent, "person").unwrap_or(false);
    let anonymous = flag(&sent, "anonymous").unwrap_or(false);
    let question = service::Question { message: &message, creator_only, anonymous };
    match service::contact(&request.service, &request.actor, reference, question) {
        Ok(()) => Ok(saved(request, "Email sent to the reporter.")),
        Err(Error::Refused(reason)) => {
            Err(Failure::NotSaved { action: "contact", model: "Events", reason, id: None })
        }
        Err(other) => Err(other.into()),
    }
}
