//! `/events/checkLocks`, `/events/addEventLock`, `/events/removeEventLock`: who works on an event.

use crate::answer::Answer;
use crate::events::find;
use crate::failure::Failure;
use crate::reply::{document, flag_member, member};
use crate::request::Request;
use http::StatusCode;
use pisax_model::ids::Ref;
use pisax_service::Error;
use pisax_service::event_lock::{self as service, EventLock, Hand};
use pisax_wire::answer as body;

const INVALID: &str = "Invalid Event";

fn reference(request: &Request) -> Result<Ref, Failure> {
    request.path.arg(0).and_then(Ref::parse).ok_or_else(|| Failure::NotAllowed(INVALID.into()))
}

/// GET /events/checkLocks/{id}/{timestamp}: what MISP's page warns of, as data; 204 where there is nothing to say
pub(crate) fn check(request: &Request) -> Result<Answer, Failure> {
    let nothing = || Answer::status(StatusCode::NO_CONTENT, Vec::new());
    let Some(reference) = request.path.arg(0).and_then(Ref::parse) else { return Ok(nothing()) };
    let Some((event, locks)) = service::check(&request.service, &request.actor, reference)? else {
        return Ok(nothing());
    };
    // Whoever does not say what he has does not ask whether it is old.
    let seen = request.path.arg(1).and_then(|text| text.parse().ok()).unwrap_or(i64::MAX);
    let (outdated, editors) = (event.timestamp > seen, editors(request, &locks));
    let names = editors.join(", ");
    let message = match (outdated, editors.is_empty()) {
        (false, true) => return Ok(nothing()),
        (true, true) => "This event view is outdated. Reload it to see the latest changes.".to_owned(),
        (true, false) => format!(
            "This event view is outdated, because it is being edited by: {names}. Reload it to see the latest changes."
        ),
        (false, false) => format!("This event is currently being edited by: {names}"),
    };
    Ok(document(|w| {
        w.begin_object();
        member(w, "message", &message);
        flag_member(w, "outdated", outdated);
        w.key("editors");
        w.begin_array();
        editors.iter().for_each(|editor| w.str(editor));
        w.end_array();
        w.end_object();
    }))
}

/// The others, each once; of another organisation's user nobody reads the address.
fn editors(request: &Request, locks: &[EventLock]) -> Vec<String> {
    let actor = &request.actor;
    let mut editors: Vec<String> = Vec::new();
    for lock in locks {
        let name = match lock.hand {
            Hand::User if lock.user_id == actor.user_id => continue,
            Hand::User if lock.org_id == actor.org_id || actor.sees_all() => &lock.email,
            Hand::User => "another user",
            Hand::Api => "external tool",
        };
        if !editors.iter().any(|known| known == name) {
            editors.push(name.to_owned());
        }
    }
    editors
}

/// POST /events/addEventLock/{id}
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let id =
        service::add(&request.service, &request.actor, reference(request)?, Hand::Api).map_err(
            |e| match e {
                Error::NotFound(_) => Failure::NotAllowed(INVALID.into()),
                Error::Forbidden => {
                    let words = body::exception(body::NO_PERMISSION_THAT, &request.path.raw);
                    Failure::Own(StatusCode::UNAUTHORIZED, words)
                }
                other => other.into(),
            },
        )?;
    Ok(document(|w| {
        w.begin_object();
        w.key("lock_id");
        w.int(id);
        w.end_object();
    }))
}

/// POST /events/removeEventLock/{id}/{lock}
pub(crate) fn remove(request: &Request) -> Result<Answer, Failure> {
    let event = find(request, reference(request)?).map_err(|e| match e {
        Failure::NotFound(_) => Failure::NotAllowed(INVALID.into()),
        other => other,
    })?;
    let lock = request.path.arg(1).and_then(|text| text.parse().ok());
    let deleted = match lock {
        Some(lock) => service::remove(&request.service, &request.actor, &event, lock)?,
        None => false,
    };
    Ok(document(|w| {
        w.begin_object();
        flag_member(w, "deleted", deleted);
        w.end_object();
    }))
}
