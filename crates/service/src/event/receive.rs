//! An event that comes from another server, by a link of this one or by a sync user of that one.

use super::add::add_from;
use super::edit::edit_from;
use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission};
use pisax_model::FieldError;
use pisax_model::event::{Event, EventDraft};
use pisax_model::ids::Ref;
use pisax_model::server::Server;
use pisax_model::transit::has_content;

/// Where an event comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The link that pulled it; none: somebody pushed it.
    pub server_id: Option<i64>,
    /// Whose it is here: the organisation of the link, or of who pushed it.
    pub org_id: i64,
    /// Who runs the other server.
    pub remote_org_id: i64,
    /// Run by the organisation that runs this one: what was made here may come changed from there.
    pub internal: bool,
    /// Tags that did not come are taken off.
    pub remove_missing_tags: bool,
    /// Nobody is told by mail when it is published.
    pub publish_without_email: bool,
    /// Sharing groups that are not known here are taken over.
    pub may_create_groups: bool,
}

impl Source {
    /// The other end of a link. It is internal only where this instance's host runs both ends.
    pub fn link(service: &Service, server: &Server) -> Self {
        Self {
            server_id: Some(server.id),
            org_id: server.org_id,
            remote_org_id: server.remote_org_id,
            internal: server.internal && server.org_id == service.policy.host_org_id,
            remove_missing_tags: server.remove_missing_tags,
            publish_without_email: server.publish_without_email,
            may_create_groups: true,
        }
    }

    /// Who may bring the events of others: sync users, and site admins, who are trusted as a server of one's own.
    pub(crate) fn pushed(actor: &Actor) -> Option<Self> {
        (actor.has(Permission::Sync) || actor.sees_all()).then(|| Self {
            server_id: None,
            org_id: actor.org_id,
            remote_org_id: actor.org_id,
            internal: actor.sees_all(),
            remove_missing_tags: false,
            publish_without_email: true,
            may_create_groups: actor.has(Permission::SharingGroup) || actor.sees_all(),
        })
    }

    pub(crate) fn is_link(&self) -> bool {
        self.server_id.is_some()
    }

    /// Whether the organisation speaks for itself here.
    pub(crate) fn is_of(&self, org_id: i64) -> bool {
        self.org_id == org_id && !self.is_link() || self.remote_org_id == org_id
    }

    /// Whose an event is that does not say who made it.
    pub(super) fn maker(&self) -> i64 {
        if self.is_link() { self.remote_org_id } else { self.org_id }
    }

    /// A link does not change what was made here.
    pub(super) fn may_replace(&self, event: &Event) -> Result<()> {
        if self.is_link() && !event.locked && !self.internal {
            return Err(Error::Refused(MADE_HERE.into()));
        }
        Ok(())
    }
}

const MADE_HERE: &str =
    "The event was made here: a copy that was changed on another server does not come back.";

/// What came of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// New here; what was refused of it and left out, with reasons.
    Added { id: i64, dropped: Vec<FieldError> },
    /// Newer than the copy here.
    Updated { id: i64, dropped: Vec<FieldError> },
    /// No newer than the copy here.
    Older { id: i64 },
    /// Not taken; says why.
    Refused(String),
}

/// Takes over an event that [`pisax_model::transit::incoming`] let through: adds it, or brings the copy here up to
/// date where it is newer, in one transaction. Fails only where this instance does.
pub fn receive(service: &Service, actor: &Actor, draft: EventDraft, from: &Source) -> Result<Received> {
    let Some(uuid) = draft.uuid.filter(|_| !draft.bad_uuid) else {
        return Ok(Received::Refused("The event has no uuid.".into()));
    };
    let known = service.read(actor, |r| Ok(r.event(Ref::Uuid(uuid))?))?;
    let (wanted, published_before) =
        (draft.published == Some(true), known.as_ref().map_or(0, |e| e.publish_timestamp));
    let result = match &known {
        Some(event) => edit_from(service, actor, Ref::Id(event.id), draft, Some(from))
            .map(|edited| Received::Updated { id: edited.id, dropped: edited.dropped }),
        None if !has_content(&draft) => return Ok(Received::Refused("The event is empty.".into())),
        None => add_from(service, actor, draft, Some(from)).map(|added| Received::Added {
            id: added.id,
            dropped: added.dropped.into_iter().map(|(_, error)| error).collect(),
        }),
    };
    match (result, known) {
        (Ok(received), _) => {
            if let Received::Added { id, .. } | Received::Updated { id, .. } = received
                && wanted
                && !from.publish_without_email
            {
                crate::mail::alert_of_received(service, id, published_before)?;
            }
            Ok(received)
        }
        (Err(Error::Stale(_)), Some(event)) => Ok(Received::Older { id: event.id }),
        (Err(error @ Error::Store(_)), _) => Err(error),
        (Err(reason), _) => Ok(Received::Refused(reason.to_string())),
    }
}
