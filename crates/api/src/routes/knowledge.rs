//! Taxonomies, galaxies, templates and lists.

use super::Methods::{Any, Get, Post};
use super::Need::{Key, Write};
use super::{Route, SITE_ADMIN, route};
use crate::{knowledge, taxonomies, warninglists};
use pisax_access::Permission as P;

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    // Knowledge
    route(Get, "taxonomies", "index", Key, taxonomies::index, "List taxonomies."),
    route(Get, "taxonomies", "view", Key, taxonomies::view, "One taxonomy with the tags it stands for."),
    route(Post, "taxonomies", "enable", SITE_ADMIN, taxonomies::enable, "Enable a taxonomy."),
    route(Post, "taxonomies", "disable", SITE_ADMIN, taxonomies::disable, "Disable a taxonomy."),
    route(Post, "taxonomies", "addtag", SITE_ADMIN, taxonomies::add_tags, "Make the tags of a taxonomy."),
    route(Post, "taxonomies", "disabletag", SITE_ADMIN, taxonomies::hide_tags, "Hide the tags of a taxonomy."),
    route(Post, "taxonomies", "togglerequired", SITE_ADMIN, taxonomies::require, "Require a tag of it, or not."),
    route(Post, "taxonomies", "update", SITE_ADMIN, taxonomies::update, "Answers that all are up to date."),
    route(Get, "galaxies", "index", Key, knowledge::galaxies, "List galaxies."),
    route(Post, "galaxies", "add", Key, knowledge::galaxies, "POST /galaxies: search galaxies by text."),
    route(Get, "galaxies", "view", Key, knowledge::galaxy, "One galaxy with its clusters."),
    route(Post, "galaxies", "update", SITE_ADMIN, knowledge::update_galaxies, "Answers that all are up to date."),
    route(Get, "objecttemplates", "index", Key, knowledge::templates, "List object templates."),
    route(Get, "objecttemplates", "view", Key, knowledge::template, "One object template with its elements."),
    route(Get, "objecttemplates", "getraw", Key, knowledge::raw_template, "An object template as published."),
    route(Post, "objecttemplates", "update", SITE_ADMIN, knowledge::update_templates, "Answers what was updated."),
    route(Any, "warninglists", "index", Key, warninglists::index, "List warninglists."),
    route(Get, "warninglists", "view", Key, warninglists::view, "One warninglist with its entries."),
    route(Any, "warninglists", "checkvalue", Key, warninglists::check_value, "Which enabled lists have a value."),
    route(Post, "warninglists", "toggleenable", Write(&[P::Warninglist]), warninglists::toggle, "Enable or disable lists."),
    route(Post, "warninglists", "update", SITE_ADMIN, warninglists::update, "Answers that all are up to date."),
];
