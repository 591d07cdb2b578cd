//! A request of somebody signed in, as the handlers get it.

use pisax_access::{Actor, Permission};
use pisax_model::ids::Ref;
use pisax_service::Service;

use super::Pages;
use super::failure::Failure;
use super::fields::Fields;
use super::notice::Notice;
use super::session::Visitor;
use crate::{Area, Chrome, SignedIn};

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

    /// The frame of a page.
    pub(crate) fn chrome(&self, area: Area) -> Chrome {
        let user = SignedIn {
            email: self.visitor.email.clone(),
            org: self.visitor.org.clone(),
            may_add: self.may(Permission::Add),
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
