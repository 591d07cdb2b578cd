//! Buttons on an event: publish, take the publication back, delete.

use axum::response::Response;
use pisax_service::event;

use super::failure::Failure;
use super::notice::Notice;
use super::reply;
use super::visit::Visit;
use crate::links;

type Answer = Result<Response, Failure>;

/// GET of an address that only takes a form: a page that was reloaded, a link that was copied.
pub(crate) fn to_the_event(visit: &Visit<'_>) -> Answer {
    let reference = visit.reference()?;
    let event = visit.service().read(visit.actor(), |r| Ok(r.event(reference)?))?;
    Ok(reply::redirect(&links::event(event.ok_or(Failure::NotFound)?.id)))
}

/// POST /events/publish/{id}
pub(crate) fn publish(visit: &Visit<'_>) -> Answer {
    let id = event::publish(visit.service(), visit.actor(), visit.reference()?)?;
    Ok(done(visit, id, Notice::EventPublished))
}

/// POST /events/unpublish/{id}
pub(crate) fn unpublish(visit: &Visit<'_>) -> Answer {
    let id = event::unpublish(visit.service(), visit.actor(), visit.reference()?)?;
    Ok(done(visit, id, Notice::EventUnpublished))
}

/// POST /events/delete/{id}
pub(crate) fn delete(visit: &Visit<'_>) -> Answer {
    event::remove(visit.service(), visit.actor(), visit.reference()?)?;
    Ok(Notice::EventDeleted.on(reply::redirect(links::EVENTS), visit.pages))
}

fn done(visit: &Visit<'_>, id: i64, notice: Notice) -> Response {
    notice.on(reply::redirect(&links::event(id)), visit.pages)
}
