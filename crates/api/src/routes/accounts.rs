//! People's settings, registrations, logs, bookmarks, collections, dashboards.

use super::Methods::{Any, Get, Post};
use super::Need::{Key, Public, Read, Write};
use super::{GROUPER, MODIFY, ORG_ADMIN, OWN, Route, SITE_ADMIN, admin, route};
use crate::{
    auth_keys, blueprints, bookmarks, collections, dashboards, logs, mails, news, orgs, registrations, usage,
    user_settings, users, widget_forms, widgets,
};
use pisax_access::Permission as P;

const AUDIT: super::Need = Read(&[P::Audit]);

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    // What users set
    route(Any, "usersettings", "index", Key, user_settings::index, "List settings of oneself or of those one administers."),
    route(Get, "usersettings", "view", Key, user_settings::view, "One setting by its number."),
    route(Any, "usersettings", "getsetting", Key, user_settings::get_setting, "One setting by its name."),
    route(Post, "usersettings", "setsetting", OWN, user_settings::set_setting, "Set a setting."),
    route(Post, "usersettings", "delete", OWN, user_settings::delete, "Take a setting away."),
    route(Post, "usersettings", "sethomepage", OWN, user_settings::set_home_page, "Choose the page one starts with."),
    route(Post, "usersettings", "eventindexcolumntoggle", OWN, user_settings::toggle_column, "Hide or show a column."),
    // Requests for accounts
    route(Post, "users", "register", Public, registrations::register, "Ask for an account; no key is needed."),
    route(Get, "users", "registrations", Read(&[P::SiteAdmin]), registrations::index, "Who asks for an account."),
    route(Post, "users", "acceptregistrations", SITE_ADMIN, registrations::accept, "Make users of those who asked."),
    route(Post, "users", "discardregistrations", SITE_ADMIN, registrations::discard, "Take requests away."),
    route(Get, "inbox", "index", Read(&[P::SiteAdmin]), registrations::inbox, "All requests of strangers."),
    route(Get, "inbox", "view", Read(&[P::SiteAdmin]), registrations::view, "One request."),
    route(Post, "inbox", "delete", SITE_ADMIN, registrations::delete, "Take a request away."),
    // Logs
    admin(Any, "logs", "index", AUDIT, logs::index, "Search the log of changes, in the old shape."),
    route(Any, "logs", "index", AUDIT, logs::index, "Search the log of changes, in the old shape."),
    route(Get, "logs", "eventindex", Key, logs::event_log, "What happened to an event, in the old shape."),
    admin(Any, "auditlogs", "index", AUDIT, logs::audit_index, "Search the audit log."),
    route(Get, "auditlogs", "eventindex", Key, logs::event_index, "What happened to an event."),
    admin(Any, "accesslogs", "index", Read(&[P::SiteAdmin]), logs::access_index, "Search the log of requests."),
    // Numbers and accounts
    route(Get, "users", "statistics", Key, usage::statistics, "Numbers about the instance."),
    route(Get, "users", "heartbeat", Key, users::heartbeat, "Says that somebody is there."),
    route(Post, "users", "initiatepasswordreset", ORG_ADMIN, users::reset_password, "Send somebody a new password."),
    route(Get, "users", "viewloginhistory", Key, users::login_history, "How a user came in."),
    route(Get, "userloginprofiles", "index", Key, users::login_history, "How a user came in."),
    route(Post, "authkeys", "pin", OWN, auth_keys::pin, "Let a key be good from one address alone."),
    route(Get, "organisations", "getuuids", Read(&[P::Sync]), orgs::uuids, "Uuids of the local organisations."),
    admin(Post, "organisations", "merge", SITE_ADMIN, orgs::merge, "Make everything of one organisation another's."),
    // Mail
    route(Post, "events", "alert", Write(&[P::Publish]), mails::alert, "Publish an event and tell those who asked to be told."),
    route(Post, "events", "contact", OWN, mails::contact, "Ask who reported an event for more."),
    // Blueprints of sharing groups
    route(Get, "sharinggroupblueprints", "index", Read(&[P::SharingGroup]), blueprints::index, "List the blueprints of one's organisation."),
    route(Get, "sharinggroupblueprints", "view", Read(&[P::SharingGroup]), blueprints::view, "One blueprint."),
    route(Post, "sharinggroupblueprints", "add", GROUPER, blueprints::add, "Add a blueprint."),
    route(Post, "sharinggroupblueprints", "edit", GROUPER, blueprints::edit, "Change a blueprint."),
    route(Post, "sharinggroupblueprints", "delete", GROUPER, blueprints::delete, "Delete a blueprint; its group stays."),
    route(Post, "sharinggroupblueprints", "execute", GROUPER, blueprints::execute, "Make or update the groups."),
    route(Post, "sharinggroupblueprints", "detach", GROUPER, blueprints::detach, "Forget which group it made."),
    route(Get, "sharinggroupblueprints", "vieworgs", Read(&[P::SharingGroup]), blueprints::view_orgs, "Whom it chooses now."),
    route(Get, "sharinggroupblueprints", "generateuuidlist", Read(&[P::SharingGroup]), blueprints::uuids, "The same, as uuids."),
    // Bookmarks, collections
    route(Get, "bookmarks", "index", Key, bookmarks::index, "List bookmarks."),
    route(Get, "bookmarks", "view", Key, bookmarks::view, "One bookmark."),
    route(Post, "bookmarks", "add", OWN, bookmarks::add, "Keep a bookmark."),
    route(Post, "bookmarks", "edit", OWN, bookmarks::edit, "Change a bookmark."),
    route(Post, "bookmarks", "delete", OWN, bookmarks::delete, "Delete a bookmark."),
    route(Any, "collections", "index", Key, collections::index, "List collections."),
    route(Get, "collections", "view", Key, collections::view, "One collection with what is in it."),
    route(Post, "collections", "add", MODIFY, collections::add, "Add a collection."),
    route(Post, "collections", "edit", MODIFY, collections::edit, "Change a collection."),
    route(Post, "collections", "delete", MODIFY, collections::delete, "Delete a collection; what was in it stays."),
    route(Get, "collectionelements", "index", Key, collections::elements, "What is in a collection."),
    route(Post, "collectionelements", "add", MODIFY, collections::add_element, "Put something into a collection."),
    route(Post, "collectionelements", "addelementtocollection", MODIFY, collections::add_to_collection, "The same, by its uuid."),
    route(Post, "collectionelements", "delete", MODIFY, collections::delete_element, "Take something out of it."),
    // News
    route(Get, "news", "index", Key, news::index, "What site admins tell everybody; it is read from then on."),
    admin(Get, "news", "index", Read(&[P::SiteAdmin]), news::admin_index, "The same for who keeps them."),
    route(Post, "news", "add", SITE_ADMIN, news::add, "Tell everybody something."),
    route(Post, "news", "edit", SITE_ADMIN, news::edit, "Change what was told."),
    route(Post, "news", "delete", SITE_ADMIN, news::delete, "Take it away."),
    // Dashboards
    route(Post, "dashboards", "getform", Key, widget_forms::get, "The widgets there are, or what one of them can be told."),
    route(Post, "dashboards", "updatesettings", OWN, dashboards::update_settings, "Keep one's dashboard."),
    route(Get, "dashboards", "export", Key, dashboards::export, "One's dashboard, to be imported elsewhere."),
    route(Post, "dashboards", "import", OWN, dashboards::import, "Take over a dashboard."),
    route(Get, "dashboards", "listtemplates", Key, dashboards::list_templates, "Dashboards to choose from."),
    route(Post, "dashboards", "savetemplate", OWN, dashboards::save_template, "Keep one's dashboard for choosing."),
    route(Post, "dashboards", "renderwidget", Key, widgets::render, "What a widget of a dashboard shows."),
    route(Post, "dashboards", "deletetemplate", OWN, dashboards::delete_template, "Delete such a dashboard."),
];
