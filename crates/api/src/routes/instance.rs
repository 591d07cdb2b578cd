//! The instance itself: settings, blocklists.

use super::Methods::{Get, Post};
use super::Need::{Key, Read};
use super::{ADD, Route, SITE_ADMIN, route};
use crate::{blocklists, instance, openapi};
use pisax_access::Permission as P;

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    // The instance
    route(Get, "servers", "getversion", Key, instance::version, "The MISP version this instance stands for."),
    route(Get, "servers", "getpymispversion", Key, instance::pymisp_version, "The PyMISP version that suits it."),
    route(Get, "servers", "queryacl", Read(&[]), instance::query_acl, "What each role may call."),
    route(Post, "servers", "update", SITE_ADMIN, instance::update, "Answers that there is nothing to update."),
    route(Get, "servers", "getsetting", Read(&[P::SiteAdmin]), instance::get_setting, "One setting."),
    route(Get, "servers", "serversettings", Read(&[P::SiteAdmin]), instance::settings, "All settings."),
    route(Post, "servers", "serversettingsedit", SITE_ADMIN, instance::edit_setting, "Change a setting."),
    route(Get, "api", "openapi", Key, openapi::document, "This description, as OpenAPI 3.1."),
    route(Get, "api", "getallapis", Key, openapi::all_apis, "Every call with what it is for."),
    route(Get, "eventblocklists", "index", Read(&[P::Add]), blocklists::index, "List blocked events."),
    route(Post, "eventblocklists", "add", ADD, blocklists::add, "Block events by uuid."),
    route(Post, "eventblocklists", "edit", ADD, blocklists::edit, "Change the note beside a blocked event."),
    route(Post, "eventblocklists", "delete", ADD, blocklists::delete, "Let an event come again."),
    route(Get, "orgblocklists", "index", Read(&[P::SiteAdmin]), blocklists::index_orgs, "List blocked organisations."),
    route(Post, "orgblocklists", "add", SITE_ADMIN, blocklists::add_orgs, "Refuse the events of organisations."),
    route(Post, "orgblocklists", "edit", SITE_ADMIN, blocklists::edit_org, "Change the note beside a blocked one."),
    route(Post, "orgblocklists", "delete", SITE_ADMIN, blocklists::delete_org, "Let its events come again."),
];
