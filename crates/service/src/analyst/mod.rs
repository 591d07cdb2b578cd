//! Use cases on analyst data: notes, opinions and relationships.

mod add;
pub mod blocklist;
mod capture;
mod edit;
mod sync;

pub use add::add;
pub use capture::Captured;
pub(crate) use capture::{Said, capture, capture_inside, gather, gather_attributes, gather_object, said_of};
pub use edit::{edit, remove};
pub use sync::{Offered, Times, push, times, wanted};

use crate::{Error, Result};
use pisax_access::{Actor, Permission};
use pisax_model::analyst::{AnalystData, AnalystDraft, TargetKind};
use pisax_model::{FieldError, Uuid};
use pisax_store::Writer;

/// Writing takes both permissions, as MISP has it.
fn writes(actor: &Actor) -> bool {
    actor.sees_all() || (actor.has(Permission::AnalystData) && actor.has(Permission::Add))
}

/// Site admins and sync users may say that somebody else wrote it.
fn speaks_for_others(actor: &Actor) -> bool {
    actor.sees_all() || actor.has(Permission::Sync)
}

/// What a hidden or missing record of this kind is called.
fn noun(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Event => "event",
        TargetKind::Attribute => "attribute",
        TargetKind::Object => "object",
        TargetKind::SharingGroup => "sharing group",
        _ => "target",
    }
}

/// New analyst data about a record, with what the client said of it; by whom and in which group comes later.
fn begin(
    w: &Writer<'_>,
    draft: &AnalystDraft,
    about: (Uuid, TargetKind),
    event_id: i64,
) -> Result<AnalystData, FieldError> {
    if draft.bad_uuid {
        return Err(FieldError::new("uuid", "Please provide a valid RFC 4122 UUID"));
    }
    if draft.uuid == Some(about.0) {
        return Err(FieldError::new("object_uuid", "Analyst data cannot be about itself."));
    }
    let now = w.now();
    let org_id = w.actor().org_id;
    let mut data = AnalystData {
        id: 0,
        uuid: draft.uuid.unwrap_or_else(|| pisax_model::ids::new_uuid(w.now_ms)),
        kind: draft.kind,
        object_uuid: about.0,
        object_type: about.1,
        event_id,
        authors: String::new(),
        org_id,
        orgc_id: org_id,
        created: draft.created.filter(|t| *t > 0).unwrap_or(now),
        modified: draft.modified.filter(|t| *t > 0).unwrap_or(now),
        // MISP.default_event_distribution: this community.
        distribution: 1,
        sharing_group_id: 0,
        locked: false,
        words: String::new(),
        language: None,
        opinion: None,
        relationship_type: String::new(),
        related_uuid: None,
        related_type: None,
    };
    data.take(draft)?;
    data.complete()?;
    Ok(data)
}

/// Who wrote it: the actor's organisation, or whoever it is said to be where the actor may say so.
fn creator(w: &mut Writer<'_>, draft: &AnalystDraft) -> Result<i64> {
    let actor = w.actor().clone();
    let said = draft.orgc.as_ref().filter(|_| speaks_for_others(&actor));
    Ok(match said {
        Some(org) => w.capture_org(org)?.unwrap_or(actor.org_id),
        None => actor.org_id,
    })
}

/// The e-mail address of the actor, who is the author where none is named.
fn author(w: &mut Writer<'_>) -> Result<String> {
    let user_id = w.actor().user_id;
    Ok(w.creator_email(user_id)?.unwrap_or_default())
}

fn too_deep() -> Error {
    FieldError::new("object_uuid", "Analyst data is nested five deep at most.").into()
}
