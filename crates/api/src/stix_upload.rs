//! POST /events/upload_stix[/1|/2]: a STIX document becomes events, by the same service call as events/add.

use crate::answer::Answer;
use crate::events::{event_failure, find, saved};
use crate::failure::Failure;
use crate::request::Request;
use pisax_access::Permission;
use pisax_formats::{stix1, stix2};
use pisax_model::event::EventDraft;
use pisax_model::ids::Ref;
use pisax_service::event::{self as service, Then};

/// POST /events/upload_stix[/1|/2][/publish:1][/distribution:n]
pub(crate) fn upload(request: &Request) -> Result<Answer, Failure> {
    // Asked before anything is written: an upload that cannot do all it was told does nothing.
    let publish = request.path.flag("publish");
    let may = request.actor.has(Permission::Publish) || request.actor.has(Permission::SiteAdmin);
    if publish && !may {
        return Err(Failure::NoPermission);
    }
    let mut drafts = read(request)?;
    drafts.iter_mut().try_for_each(|draft| settle(request, draft))?;
    let then = if publish { Then::Publish } else { Then::Leave };
    let added = service::add_document(&request.service, &request.actor, drafts, then)
        .map_err(|e| event_failure(e, "upload_stix", None))?;
    for event in added.iter().filter(|event| !event.dropped.is_empty()) {
        tracing::info!(event = event.id, dropped = event.dropped.len(), "STIX with invalid values");
    }
    // MISP answers the event; of several, the first.
    let first = added.first();
    let first =
        first.ok_or_else(|| Failure::BadRequest("There is no event in this STIX document.".into()))?;
    find(request, Ref::Id(first.id))?;
    saved(request, first.id)
}

fn read(request: &Request) -> Result<Vec<EventDraft>, Failure> {
    let problem = |p: stix2::Problem| Failure::Unreadable { field: p.path, message: p.message };
    match request.path.arg(0).unwrap_or("1") {
        "1" | "1.1" | "1.1.1" | "1.2" => stix1::read_package(&request.body).map_err(problem),
        "2" | "2.0" | "2.1" => {
            let bundle = serde_json::from_slice(&request.body).map_err(|_| Failure::BadJson)?;
            stix2::read_bundle(&bundle).map_err(problem)
        }
        _ => Err(Failure::BadRequest("Invalid STIX version. Valid versions are 1 and 2.".into())),
    }
}

/// What the path says of all events of the document.
fn settle(request: &Request, draft: &mut EventDraft) -> Result<(), Failure> {
    if let Some(text) = request.path.named("distribution") {
        let level = text.parse().ok().filter(|level| (0..=4).contains(level));
        draft.distribution = Some(level.ok_or(Failure::BadRequest("Wrong distribution level".into()))?);
    }
    if draft.distribution == Some(4) {
        let group = request.path.named("sharing_group_id").and_then(Ref::parse);
        draft.sharing_group = Some(group.ok_or_else(|| {
            let needed =
                "The sharing group id is needed when the distribution is set to 4 (\"Sharing group\").";
            Failure::BadRequest(needed.into())
        })?);
    }
    Ok(())
}
