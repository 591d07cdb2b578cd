//! POST /events/upload_stix[/1|/2]: a STIX document becomes events, by the same service call as events/add.

use crate::answer::Answer;
use crate::events::{event_failure, find, saved};
use crate::failure::Failure;
use crate::request::Request;
use pisax_access::Permission;
use pisax_formats::{stix1, stix2};
use pisax_model::event::EventDraft;
use pisax_model::ids::Ref;
use pisax_service::{Error, event as service};

/// POST /events/upload_stix[/1|/2][/publish:1][/distribution:n]
pub(crate) fn upload(request: &Request) -> Result<Answer, Failure> {
    // Asked before anything is written: an upload that cannot do all it was told does nothing.
    let publish = request.path.flag("publish");
    let may = request.actor.has(Permission::Publish) || request.actor.has(Permission::SiteAdmin);
    if publish && !may {
        return Err(Failure::NoPermission);
    }
    let drafts = read(request)?;
    let several = drafts.len() > 1;
    let (mut added, mut known) = (Vec::new(), None);
    for mut draft in drafts {
        settle(request, &mut draft)?;
        let event = match service::add(&request.service, &request.actor, draft) {
            // Of several the new ones are wanted.
            Err(e @ Error::EventExists { .. }) if several => {
                known = Some(e);
                continue;
            }
            result => result.map_err(|e| event_failure(e, "upload_stix", None))?,
        };
        if !event.dropped.is_empty() {
            tracing::info!(event = event.id, dropped = event.dropped.len(), "STIX with invalid values");
        }
        added.push(event.id);
    }
    if publish {
        for id in &added {
            service::publish(&request.service, &request.actor, Ref::Id(*id))?;
        }
    }
    // MISP answers the event; of several, the first.
    let Some(first) = added.first() else {
        return Err(known.map_or_else(
            || Failure::BadRequest("There is no event in this STIX document.".into()),
            |e| event_failure(e, "upload_stix", None),
        ));
    };
    find(request, Ref::Id(*first))?;
    saved(request, *first)
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
