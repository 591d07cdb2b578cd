//! POST /events/add_misp_export: the events of a file that MISP exported, each added by itself.

use crate::answer::Answer;
use crate::events::event_failure;
use crate::failure::Failure;
use crate::reply::{list, member, number_member};
use crate::request::Request;
use pisax_access::Permission;
use pisax_formats::misp_xml;
use pisax_model::event::EventDraft;
use pisax_model::org::OrgRef;
use pisax_service::{Error, event as service};
use pisax_wire::answer as body;
use std::borrow::Cow;

const NOT_A_MEMBER: &str = "Event cannot be created as you are not a member of the creator organisation.";

/// What came of one event.
struct Came {
    info: String,
    /// The row number, of a new one or of the one that was there.
    id: i64,
    refused: Option<String>,
    issues: Vec<pisax_model::FieldError>,
}

/// POST /events/add_misp_export `{filecontent, publish, takeownership}`, or the file itself
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let sent = pisax_wire::read_export(&request.body);
    let unreadable = |message: String| Failure::Unreadable { field: "filecontent".into(), message };
    let start = sent.content.iter().find(|byte| !byte.is_ascii_whitespace());
    let json = match start {
        None => return Err(unreadable("No file uploaded.".into())),
        Some(b'<') => Cow::Owned(misp_xml::to_json(&sent.content).map_err(unreadable)?),
        Some(_) => sent.content,
    };
    let drafts = pisax_wire::read_events(&json)?;
    if drafts.is_empty() {
        return Err(unreadable("There is no event in this file.".into()));
    }
    let take = sent.take_ownership || request.path.flag("takeownership");
    let take = take && request.service.settings().take_ownership_on_import;
    let publish = sent.publish || request.path.flag("publish");
    let mut came = Vec::with_capacity(drafts.len());
    for draft in drafts {
        came.push(add_one(request, draft, take, publish)?);
    }
    Ok(list(&came, |w, came| {
        w.begin_object();
        member(w, "info", &came.info);
        w.key("result");
        match &came.refused {
            None => w.bool(true),
            Some(reason) => w.str(reason),
        }
        number_member(w, "id", came.id);
        w.key("validationIssues");
        w.begin_array();
        for issue in &came.issues {
            w.begin_object();
            w.key(issue.field);
            w.begin_array();
            w.str(&issue.message);
            w.end_array();
            w.end_object();
        }
        w.end_array();
        w.end_object();
    }))
}

/// A failure of ours ends the whole; what is wrong with an event is told beside it, and the others are added.
fn add_one(request: &Request, mut draft: EventDraft, take: bool, publish: bool) -> Result<Came, Failure> {
    let mut came =
        Came { info: draft.info.clone().unwrap_or_default(), id: 0, refused: None, issues: Vec::new() };
    if take {
        draft.orgc = None;
    }
    let actor = &request.actor;
    let for_others = actor.has(Permission::Sync) || actor.has(Permission::SiteAdmin);
    if !for_others && draft.orgc.as_ref().is_some_and(|orgc| !is_own(request, orgc)) {
        came.refused = Some(NOT_A_MEMBER.into());
        return Ok(came);
    }
    draft.locked = Some(true);
    draft.published = Some(publish);
    match service::add(&request.service, actor, draft) {
        Ok(added) => {
            came.id = added.id;
            came.issues = added.dropped.into_iter().map(|(_, issue)| issue).collect();
        }
        Err(Error::EventExists { id, .. }) => {
            came.id = id.unwrap_or(0);
            came.refused = Some("Event with this UUID already exists.".into());
        }
        Err(Error::Invalid(issues)) => {
            came.refused = Some("Could not add Event".into());
            came.issues = issues;
        }
        Err(Error::Blocklisted) => came.refused = Some(body::BLOCKED_EVENT.into()),
        Err(Error::Forbidden) => came.refused = Some(body::NOT_AUTHORISED.into()),
        Err(Error::Refused(reason)) => came.refused = Some(reason),
        Err(e @ (Error::NotFound(_) | Error::NotSigned(_))) => came.refused = Some(e.to_string()),
        Err(other) => return Err(event_failure(other, "add", None)),
    }
    Ok(came)
}

/// Whether an organisation that a file names is that of whoever sends it.
fn is_own(request: &Request, orgc: &OrgRef) -> bool {
    let own = &request.owner.org;
    match (orgc.uuid, &orgc.name) {
        (Some(uuid), _) => uuid == own.uuid,
        (None, Some(name)) => name.trim().eq_ignore_ascii_case(&own.name),
        (None, None) => orgc.id.is_none_or(|id| id == request.actor.org_id),
    }
}
