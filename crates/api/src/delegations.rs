//! `/event_delegations/…`

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, list, number, saved};
use crate::request::{Request, text};
use pisax_model::delegation::DelegationDraft;
use pisax_model::ids::Ref;
use pisax_service::{Error, delegation as service, org};
use pisax_store::delegations::Requests;
use pisax_wire::answer as body;
use pisax_wire::proposal_out::{write_listed_delegation, write_saved_delegation};

/// Whatever is not theirs, and whatever is not there, is 405 in the same words.
fn refused(e: Error) -> Failure {
    match e {
        Error::NotFound("sharing group") => e.into(),
        Error::NotFound(_) | Error::Forbidden => Failure::NotAllowed(body::NOT_AUTHORISED.into()),
        Error::Refused(reason) => Failure::NotAllowed(reason),
        Error::Invalid(errors) => {
            Failure::Invalid { action: "delegateEvent", model: "EventDelegation", errors, id: None }
        }
        other => other.into(),
    }
}

/// Where the instance does not delegate, nobody has a permission for it.
fn enabled(request: &Request) -> Result<(), Failure> {
    if request.service.settings().delegation { Ok(()) } else { Err(Failure::NoPermission) }
}

/// GET|POST /event_delegations/index[/context:{pending|issued}][/value:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    enabled(request)?;
    let sent = request.unwrapped("EventDelegation")?;
    let named = |name: &str| text(&sent, name).or_else(|| request.path.named(name).map(str::to_owned));
    let which = match named("context").as_deref() {
        None | Some("pending") => Requests::Pending,
        Some("issued") => Requests::Issued,
        Some(_) => {
            return Err(Failure::BadRequest("Invalid context. Expected values: pending or issued.".into()));
        }
    };
    let value = named("value").filter(|v| !v.trim().is_empty());
    let found = request
        .service
        .read(&request.actor, |r| Ok(r.delegations(which, value.as_deref().map(str::trim))?))?;
    Ok(list(&found, write_listed_delegation))
}

/// GET /event_delegations/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    enabled(request)?;
    let id = number(request, 0, "Invalid delegation")?;
    let found = request.service.read(&request.actor, |r| Ok(r.delegation(id)?))?;
    let found = found.ok_or_else(|| Failure::NotAllowed(body::NOT_AUTHORISED.into()))?;
    Ok(document(|w| write_listed_delegation(w, &found)))
}

/// POST /event_delegations/delegateEvent/{event} `{org_id, distribution, sharing_group_id, message}`
pub(crate) fn delegate(request: &Request) -> Result<Answer, Failure> {
    enabled(request)?;
    let event = request.reference(0, body::INVALID_EVENT)?;
    let sent = request.unwrapped("EventDelegation")?;
    let org = match text(&sent, "org_id") {
        None => None,
        Some(name) => {
            request.service.read(&request.actor, |r| org::find(r, &name))?.map(|org| Ref::Id(org.id))
        }
    };
    let draft = DelegationDraft {
        org,
        message: text(&sent, "message").unwrap_or_default(),
        distribution: crate::request::number(&sent, "distribution"),
        sharing_group: text(&sent, "sharing_group_id").and_then(|t| Ref::parse(&t)),
    };
    let made = service::request(&request.service, &request.actor, event, draft).map_err(refused)?;
    Ok(document(|w| write_saved_delegation(w, &made)))
}

/// POST /event_delegations/acceptDelegation/{id}
pub(crate) fn accept(request: &Request) -> Result<Answer, Failure> {
    enabled(request)?;
    let id = number(request, 0, "Invalid delegation")?;
    service::accept(&request.service, &request.actor, id).map_err(refused)?;
    Ok(saved(request, "Event ownership transferred."))
}

/// POST /event_delegations/deleteDelegation/{id}
pub(crate) fn end(request: &Request) -> Result<Answer, Failure> {
    enabled(request)?;
    let id = number(request, 0, "Invalid delegation")?;
    service::end(&request.service, &request.actor, id).map_err(refused)?;
    Ok(saved(request, "Delegation request deleted."))
}
