//! The one list of what can be called. The router, `queryACL` and the permission test are made from it.

mod accounts;
mod clusters;
mod collaboration;
mod content;
mod files;
mod instance;
mod knowledge;
mod people;
mod reports;
mod scoring;
mod sharing;
mod streams;
mod workflows;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::path::Path;
use crate::request::Request;
use http::Method;
use pisax_access::{Actor, Permission as P};

/// What a caller must be allowed to do before a handler runs. What a handler then finds is a matter of
/// visibility and of the rules on the stored record.
#[derive(Debug, Clone, Copy)]
pub enum Need {
    /// No key at all: for anybody, within what `public` allows.
    Public,
    /// Any key.
    Key,
    /// One of these permissions; the call changes something, so a read-only key is refused.
    Write(&'static [P]),
    /// One of these permissions, for reading.
    Read(&'static [P]),
}

impl Need {
    pub fn met(self, actor: &Actor, read_only_key: bool) -> bool {
        let any =
            |list: &[P]| list.is_empty() || list.iter().any(|p| actor.has(*p)) || actor.has(P::SiteAdmin);
        match self {
            Self::Public | Self::Key => true,
            Self::Read(list) => any(list),
            Self::Write(list) => !read_only_key && any(list),
        }
    }
}

/// Methods a route answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Methods {
    /// GET and HEAD.
    Get,
    /// POST, PUT and DELETE: MISP does not tell them apart once the action is named.
    Post,
    Any,
}

impl Methods {
    fn has(self, method: &Method) -> bool {
        let reading = matches!(*method, Method::GET | Method::HEAD);
        match self {
            Self::Get => reading,
            Self::Post => matches!(*method, Method::POST | Method::PUT | Method::DELETE),
            Self::Any => reading || matches!(*method, Method::POST | Method::PUT | Method::DELETE),
        }
    }
}

impl Route {
    /// `/[admin/]controller/action`
    pub fn url(&self) -> String {
        format!("{}/{}/{}", if self.admin { "/admin" } else { "" }, self.controller, self.action)
    }

    /// Whether its body holds events, attributes, objects or text, which may be long.
    pub fn takes_content(&self) -> bool {
        match self.controller {
            "events" | "attributes" | "objects" | "shadowattributes" | "sightings" => matches!(
                self.action,
                "add"
                    | "addmispexport"
                    | "edit"
                    | "freetextimport"
                    | "uploadsample"
                    | "uploadstix"
                    | "pushproposals"
                    | "bulksavesightings"
                    | "filtersightinguuidsforpush"
                    | "filtereventidsforpush"
            ),
            "eventreports" | "eventgraph" => matches!(self.action, "add" | "edit"),
            "analystdata" => matches!(self.action, "pushanalystdata" | "filteranalystdataforpush"),
            _ => false,
        }
    }
}

pub type Handler = fn(&Request) -> Result<Answer, Failure>;

pub struct Route {
    pub methods: Methods,
    /// Below `/admin/`.
    pub admin: bool,
    /// Lower case, without underscores, as [`Path`] has them.
    pub controller: &'static str,
    pub action: &'static str,
    pub need: Need,
    pub run: Handler,
    pub doc: &'static str,
}

const fn route(
    methods: Methods,
    controller: &'static str,
    action: &'static str,
    need: Need,
    run: Handler,
    doc: &'static str,
) -> Route {
    Route { methods, admin: false, controller, action, need, run, doc }
}

const fn admin(
    methods: Methods,
    controller: &'static str,
    action: &'static str,
    need: Need,
    run: Handler,
    doc: &'static str,
) -> Route {
    Route { methods, admin: true, controller, action, need, run, doc }
}

use Need::Write;

const ADD: Need = Write(&[P::Add]);
const MODIFY: Need = Write(&[P::Modify]);
const TAGGER: Need = Write(&[P::Tagger]);
/// Whoever is signed in, for what is his own.
const OWN: Need = Write(&[]);
const ORG_ADMIN: Need = Write(&[P::Admin]);
const SITE_ADMIN: Need = Write(&[P::SiteAdmin]);
const SIGHTER: Need = Write(&[P::Sighting]);
const GROUPER: Need = Write(&[P::SharingGroup]);

/// Every route, by area: one file each below `routes/`.
const AREAS: &[&[Route]] = &[
    content::ROUTES,
    collaboration::ROUTES,
    reports::ROUTES,
    people::ROUTES,
    accounts::ROUTES,
    instance::ROUTES,
    sharing::ROUTES,
    knowledge::ROUTES,
    clusters::ROUTES,
    scoring::ROUTES,
    files::ROUTES,
    workflows::ROUTES,
    streams::ROUTES,
];

/// Every route there is.
pub fn all() -> impl Iterator<Item = &'static Route> + Clone {
    AREAS.iter().flat_map(|area| area.iter())
}

/// The route for a path, or MISP's refusal: 404 for an unknown action, 405 for a wrong method.
pub fn find(path: &Path, method: &Method) -> Result<&'static Route, Failure> {
    let mut named = all()
        .filter(|r| r.admin == path.admin && r.controller == path.controller && r.action == path.action)
        .peekable();
    if named.peek().is_none() {
        let known = all().any(|r| r.controller == path.controller);
        return Err(Failure::NotFound(if known { "Not Found" } else { "Invalid controller." }));
    }
    named
        .find(|r| r.methods.has(method))
        .ok_or_else(|| Failure::NotAllowed("You have to use another HTTP method for this action.".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_routes_answer_to_the_same_call() {
        for (i, one) in all().enumerate() {
            for other in all().skip(i + 1) {
                let same =
                    (one.admin, one.controller, one.action) == (other.admin, other.controller, other.action);
                let overlap =
                    [Method::GET, Method::POST].iter().any(|m| one.methods.has(m) && other.methods.has(m));
                assert!(!(same && overlap), "{}/{} is there twice", one.controller, one.action);
            }
        }
    }

    #[test]
    fn every_route_is_documented_and_named_as_paths_are() {
        for route in all() {
            assert!(!route.doc.trim().is_empty(), "{}/{}", route.controller, route.action);
            for name in [route.controller, route.action] {
                let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
                assert!(!name.is_empty() && name.bytes().all(plain), "{name}");
            }
        }
    }

    #[test]
    fn what_writes_needs_more_than_a_read_only_key() {
        let reader = Actor {
            user_id: 1,
            org_id: 1,
            permissions: pisax_access::Permissions::all(),
            host_org: true,
            reason: None,
            origin: Default::default(),
        };
        for route in all().filter(|route| matches!(route.methods, Methods::Post)) {
            let search = matches!(
                (route.controller, route.action),
                ("galaxies", "add") | ("dashboards", "renderwidget" | "getform")
            );
            let open = search || matches!(route.need, Need::Public);
            assert_eq!(route.need.met(&reader, true), open, "{}/{}", route.controller, route.action);
        }
    }
}
