//! The instance itself: settings, blocklists.

use super::Methods::{Any, Get, Post};
use super::Need::{Key, Read, Write};
use super::{ADD, OWN, Route, SITE_ADMIN, route};
use crate::{blocklists, diagnostics, instance, jobs, openapi, rest_client, settings};
use pisax_access::Permission as P;

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    // The instance
    route(Get, "servers", "getversion", Key, instance::version, "The MISP version this instance stands for."),
    route(Get, "servers", "getpymispversion", Key, instance::pymisp_version, "The PyMISP version that suits it."),
    route(Get, "servers", "queryacl", Read(&[]), instance::query_acl, "What each role may call."),
    route(Post, "servers", "update", SITE_ADMIN, instance::update, "Answers that there is nothing to update."),
    route(Get, "servers", "getsetting", Read(&[P::SiteAdmin]), settings::get, "One setting."),
    route(Get, "servers", "serversettings", Read(&[P::SiteAdmin]), settings::index, "All settings and diagnostics."),
    route(Any, "servers", "serversettingsedit", SITE_ADMIN, settings::edit, "Change a setting; GET shows it."),
    route(Get, "servers", "dbschemadiagnostic", Read(&[P::SiteAdmin]), diagnostics::schema, "The database's schema."),
    route(Get, "servers", "dbdiagnostics", Read(&[P::SiteAdmin]), diagnostics::sizes, "The size of each table."),
    route(Get, "servers", "dbconfiguration", Read(&[P::SiteAdmin]), diagnostics::configuration, "The database engine."),
    route(Any, "servers", "removeorphanedcorrelations", SITE_ADMIN, diagnostics::remove_orphaned_correlations, "Answers that there are none."),
    route(Get, "servers", "getworkers", Read(&[P::SiteAdmin]), jobs::workers, "The queues and what waits in them."),
    route(Post, "servers", "startworker", SITE_ADMIN, jobs::no_workers, "Answers that there are no workers."),
    route(Post, "servers", "stopworker", SITE_ADMIN, jobs::no_workers, "Answers that there are no workers."),
    route(Post, "servers", "restartworkers", SITE_ADMIN, jobs::no_workers, "Answers that there are no workers."),
    route(Post, "servers", "restartdeadworkers", SITE_ADMIN, jobs::no_workers, "Answers that there are no workers."),
    route(Post, "servers", "killallworkers", SITE_ADMIN, jobs::no_workers, "Answers that there are no workers."),
    route(Get, "jobs", "index", Read(&[P::SiteAdmin]), jobs::index, "List what was asked for and waits."),
    route(Get, "jobs", "getprogress", Key, jobs::progress, "How far a job is, in percent."),
    route(Get, "jobs", "getgeneratecorrelationprogress", Read(&[P::SiteAdmin]), jobs::correlation_progress, "Always done."),
    route(Post, "jobs", "clearjobs", SITE_ADMIN, jobs::clear, "Take jobs out of the list."),
    route(Post, "api", "rest", Write(&[P::Auth]), rest_client::run, "Make a call on this instance, as oneself, and keep it."),
    route(Post, "servers", "rest", Write(&[P::Auth]), rest_client::run, "Make a call on this instance, as oneself, and keep it."),
    route(Get, "restclienthistory", "index", Key, rest_client::index, "One's calls from the REST client, the newest first."),
    route(Post, "restclienthistory", "delete", OWN, rest_client::delete, "Forget one of them."),
    route(Get, "api", "openapi", Key, openapi::document, "This description, as OpenAPI 3.1."),
    route(Get, "api", "getallapis", Key, diagnostics::all_apis, "The endpoints one may call."),
    route(Any, "servers", "eventblockrule", SITE_ADMIN, blocklists::event_rule, "Refuse new events by their tags."),
    route(Get, "eventblocklists", "index", Read(&[P::Add]), blocklists::index, "List blocked events."),
    route(Post, "eventblocklists", "add", ADD, blocklists::add, "Block events by uuid."),
    route(Post, "eventblocklists", "edit", ADD, blocklists::edit, "Change the note beside a blocked event."),
    route(Post, "eventblocklists", "delete", ADD, blocklists::delete, "Let an event come again."),
    route(Post, "eventblocklists", "massdelete", ADD, blocklists::delete_many, "Let several events come again."),
    route(Get, "orgblocklists", "index", Read(&[P::SiteAdmin]), blocklists::index_orgs, "List blocked organisations."),
    route(Post, "orgblocklists", "add", SITE_ADMIN, blocklists::add_orgs, "Refuse the events of organisations."),
    route(Post, "orgblocklists", "edit", SITE_ADMIN, blocklists::edit_org, "Change the note beside a blocked one."),
    route(Post, "orgblocklists", "delete", SITE_ADMIN, blocklists::delete_org, "Let its events come again."),
];
