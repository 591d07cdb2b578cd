//! The one list of pages for who is signed in: path, permission, handler. Signing in and files are beside it
//! ([`super::router`]).

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use pisax_access::{Actor, Permission as P};

use super::failure::Failure;
use super::visit::Visit;
use super::{
    Pages, answer, api_reference, attribute_form, dry_run, event_actions, event_form, event_list, event_page,
    freetext, guard_form, jobs, server_form, server_list, server_page,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// And HEAD.
    Get,
    /// Carries the token.
    Post,
}

type Handler = fn(&Visit<'_>) -> Result<Response, Failure>;

pub(crate) struct Route {
    pub(crate) method: Method,
    /// As axum writes it.
    pub(crate) path: &'static str,
    /// One of these is needed; none: being signed in is enough. What a handler then finds is a matter of
    /// visibility and of the rules on the stored record.
    need: &'static [P],
    pub(crate) run: Handler,
}

const fn route(method: Method, path: &'static str, need: &'static [P], run: Handler) -> Route {
    Route { method, path, need, run }
}

use Method::{Get, Post};

/// Who runs the instance.
const ADMIN: &[P] = &[P::SiteAdmin];

/// The permissions are those of the API's calls of the same names.
pub(crate) const TABLE: &[Route] = &[
    route(Get, "/", &[], event_list::home),
    route(Get, "/api/openapi", &[], api_reference::show),
    route(Get, "/events", &[], event_list::list),
    route(Get, "/events/index", &[], event_list::list),
    route(Get, "/events/view/{id}", &[], event_page::view),
    route(Get, "/events/add", &[P::Add], event_form::new),
    route(Post, "/events/add", &[P::Add], event_form::add),
    route(Get, "/events/edit/{id}", &[P::Add], event_form::change),
    route(Post, "/events/edit/{id}", &[P::Add], event_form::edit),
    route(Get, "/events/delete/{id}", &[], event_actions::to_the_event),
    route(Post, "/events/delete/{id}", &[P::Modify], event_actions::delete),
    route(Get, "/events/publish/{id}", &[], event_actions::to_the_event),
    route(Post, "/events/publish/{id}", &[P::Publish], event_actions::publish),
    route(Get, "/events/unpublish/{id}", &[], event_actions::to_the_event),
    route(Post, "/events/unpublish/{id}", &[P::Modify], event_actions::unpublish),
    route(Get, "/events/freeTextImport/{id}", &[P::Add], freetext::paste),
    route(Post, "/events/freeTextImport/{id}", &[P::Add], freetext::submit),
    route(Get, "/attributes/add/{id}", &[P::Add], attribute_form::new),
    route(Post, "/attributes/add/{id}", &[P::Add], attribute_form::add),
    route(Get, "/attributes/edit/{id}", &[P::Add], attribute_form::change),
    route(Post, "/attributes/edit/{id}", &[P::Add], attribute_form::edit),
    route(Get, "/attributes/delete/{id}", &[P::Add], attribute_form::change),
    route(Post, "/attributes/delete/{id}", &[P::Add], attribute_form::delete),
    route(Get, "/servers", ADMIN, server_list::list),
    route(Get, "/servers/index", ADMIN, server_list::list),
    route(Get, "/servers/view/{id}", ADMIN, server_page::view),
    route(Get, "/servers/add", ADMIN, server_form::new),
    route(Post, "/servers/add", ADMIN, server_form::add),
    route(Get, "/servers/edit/{id}", ADMIN, server_form::change),
    route(Post, "/servers/edit/{id}", ADMIN, server_form::edit),
    route(Get, "/servers/delete/{id}", ADMIN, server_page::to_the_server),
    route(Post, "/servers/delete/{id}", ADMIN, server_form::delete),
    route(Get, "/servers/testConnection/{id}", ADMIN, server_page::to_the_server),
    route(Post, "/servers/testConnection/{id}", ADMIN, server_page::test),
    route(Get, "/servers/pull/{id}", ADMIN, server_page::to_the_server),
    route(Post, "/servers/pull/{id}", ADMIN, server_page::pull),
    route(Get, "/servers/push/{id}", ADMIN, server_page::to_the_server),
    route(Post, "/servers/push/{id}", ADMIN, server_page::push),
    route(Get, "/servers/guard/{id}", ADMIN, guard_form::change),
    route(Post, "/servers/guard/{id}", ADMIN, guard_form::save),
    route(Get, "/servers/dryRun/{id}", ADMIN, dry_run::show),
    route(Get, "/jobs", ADMIN, jobs::list),
    route(Get, "/jobs/index", ADMIN, jobs::list),
    route(Get, "/jobs/cancel/{id}", ADMIN, jobs::to_the_list),
    route(Post, "/jobs/cancel/{id}", ADMIN, jobs::cancel),
];

impl Route {
    /// Whether the role allows the page at all.
    pub(crate) fn open_to(&self, actor: &Actor) -> bool {
        self.need.is_empty() || actor.sees_all() || self.need.iter().any(|p| actor.has(*p))
    }

    pub(crate) fn handler(&'static self) -> MethodRouter<Arc<Pages>> {
        let run = move |State(pages): State<Arc<Pages>>, id: Option<Path<String>>, request: Request| {
            answer::signed_in(pages, self, id.map(|Path(id)| id), request)
        };
        match self.method {
            Get => get(run),
            Post => post(run),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::permission::Permissions;

    fn actor(list: &[P]) -> Actor {
        Actor {
            user_id: 1,
            org_id: 1,
            permissions: Permissions::of(list),
            host_org: false,
            reason: None,
            origin: Default::default(),
        }
    }

    #[test]
    fn what_changes_something_asks_for_a_permission() {
        for route in TABLE.iter().filter(|route| route.method == Post) {
            assert!(!route.open_to(&actor(&[P::Auth, P::Audit, P::Sighting, P::Tagger])), "{}", route.path);
            assert!(route.open_to(&actor(&[P::SiteAdmin])), "{}", route.path);
        }
    }

    #[test]
    fn reading_is_for_everybody_signed_in() {
        for path in ["/", "/events", "/events/index", "/events/view/{id}"] {
            let route = TABLE.iter().find(|route| route.path == path).unwrap();
            assert!(route.open_to(&actor(&[])), "{path}");
        }
    }
}
