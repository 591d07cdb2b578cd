//! What else `/events/…` can be asked for: merging, and short looks at one event.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, member, number_member};
use crate::request::{Request, text};
use pisax_model::ids::Ref;
use pisax_service::{Error, event as service};
use pisax_wire::answer as body;

/// POST /events/merge/{target}/{source}, or `{"target_id", "source_id"}`: the target as it is then.
pub(crate) fn merge(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Event")?;
    let named = |i: usize, name: &str| {
        let said = request.path.arg(i).map(str::to_owned).or_else(|| text(&sent, name));
        said.and_then(|said| Ref::parse(&said)).ok_or_else(|| {
            Failure::BadRequest("This action requires both a target_id and a source_id.".into())
        })
    };
    let (target, source) = (named(0, "target_id")?, named(1, "source_id")?);
    let id = service::merge(&request.service, &request.actor, target, source).map_err(|e| match e {
        Error::Invalid(errors) => Failure::InvalidEvent { action: "merge", errors, id: None },
        other => other.into(),
    })?;
    crate::events::saved(request, id)
}

/// GET /events/checkuuid/{uuid}: whether it is free, for who is about to send the event.
pub(crate) fn check_uuid(request: &Request) -> Result<Answer, Failure> {
    let Some(Ref::Uuid(uuid)) = request.path.arg(0).and_then(Ref::parse) else {
        return Err(Failure::NotFound(body::INVALID_EVENT));
    };
    let taken = request.service.read(&request.actor, |r| Ok(r.event_uuid_taken(&uuid)?))?;
    Ok(document(|w| {
        w.begin_object();
        w.key("result");
        w.bool(taken.is_none());
        w.end_object();
    }))
}

/// GET /events/getEventInfoById/{id|uuid}; an empty list for what is not there, as MISP answers.
pub(crate) fn info(request: &Request) -> Result<Answer, Failure> {
    let reference = request.path.arg(0).and_then(Ref::parse);
    let reference = reference.ok_or_else(|| Failure::NotAllowed("Invalid ID.".into()))?;
    let found = request.service.read(&request.actor, |r| {
        let Some(event) = r.event(reference)? else { return Ok(None) };
        let tags = r.event_tags(&[event.id])?.remove(&event.id).unwrap_or_default();
        Ok(Some((event, tags)))
    })?;
    let Some((event, tags)) = found else { return Ok(Answer::json(b"[]".to_vec())) };
    let level = ["High", "Medium", "Low", "Undefined"];
    let place = usize::try_from(event.threat_level_id - 1).unwrap_or(3).min(3);
    Ok(document(|w| {
        w.begin_object();
        w.key("Event");
        w.begin_object();
        number_member(w, "id", event.id);
        member(w, "info", &event.info);
        number_member(w, "threat_level_id", event.threat_level_id);
        number_member(w, "analysis", event.analysis);
        w.end_object();
        w.key("ThreatLevel");
        w.begin_object();
        member(w, "name", level[place]);
        w.end_object();
        w.key("EventTag");
        w.begin_array();
        for attached in tags.iter().filter(|t| t.tag.exportable) {
            w.begin_object();
            w.key("Tag");
            w.begin_object();
            number_member(w, "id", attached.tag.id);
            member(w, "name", &attached.tag.name);
            member(w, "colour", &attached.tag.colour);
            w.end_object();
            w.end_object();
        }
        w.end_array();
        w.end_object();
    }))
}
