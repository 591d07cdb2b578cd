//! A request of somebody signed in, as the handlers get it.

use pisax_access::{Actor, Permission, edit};
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_service::{Service, event_lock};

use super::Pages;
use super::failure::Failure;
use super::fields::Fields;
use super::notice::Notice;
use super::session::Visitor;
use crate::{Area, Chrome, SignedIn};

/// What decides who may change an event.
pub(crate) fn owner(event: &Event) -> edit::EventOwner {
    edit::EventOwner { orgc_id: event.orgc_id, user_id: event.user_id, locked: event.locked }
}

pub(crate) struct Visit<'a> {
    pub(crate) pages: &'a Pages,
    pub(crate) visitor: Visitor,
    /// The last part of the path, where the route has one.
    pub(crate) id: Option<String>,
    pub(crate) query: Fields,
    /// Empty for GET.
    pub(crate) form: Fields,
    /// What happened in the request before.
    pub(crate) notice: Option<Notice>,
}

impl Visit<'_> {
    pub(crate) fn service(&self) -> &Service {
        &self.pages.service
    }

    pub(crate) fn actor(&self) -> &Actor {
        &self.visitor.actor
    }

    /// Whether the role has a permission; a site admin's has all.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.actor().has(permission) || self.actor().sees_all()
    }

    /// The record the path names, by number or uuid.
    pub(crate) fn reference(&self) -> Result<Ref, Failure> {
        self.id.as_deref().and_then(Ref::parse).ok_or(Failure::NotFound)
    }

    /// The row number the path names, of a record that has no uuid.
    pub(crate) fn number(&self) -> Result<i64, Failure> {
        self.id.as_deref().and_then(|text| text.parse().ok()).ok_or(Failure::NotFound)
    }

    /// The event of a page that adds to it or changes it: 404 when it is missing or hidden, 403 when it is not
    /// theirs to change.
    pub(crate) fn event_to_edit(&self, reference: Ref) -> Result<Event, Failure> {
        let event = self.service().read(self.actor(), |r| Ok(r.event(reference)?))?;
        let event = event.ok_or(Failure::NotFound)?;
        if edit::may_edit(self.actor(), owner(&event)) { Ok(event) } else { Err(Failure::Forbidden) }
    }

    /// Tells others that somebody works on the event. Without that he can work all the same.
    pub(crate) fn note_editing(&self, event: &Event) {
        let noted = event_lock::add(self.service(), self.actor(), Ref::Id(event.id), event_lock::Hand::User);
        if let Err(e) = noted {
            tracing::warn!(event = event.id, %e, "that an event is being edited could not be noted");
        }
    }

    /// The frame of a page.
    pub(crate) fn chrome(&self, area: Area) -> Chrome {
        let user = SignedIn {
            email: self.visitor.email.clone(),
            org: self.visitor.org.clone(),
            may_add: self.may(Permission::Add),
            runs_it: self.actor().sees_all(),
        };
        Chrome {
            user: Some(user),
            csrf: self.visitor.secret.csrf(),
            area,
            query: String::new(),
            flashes: self.notice.map(Notice::flash).into_iter().collect(),
        }
    }
}
