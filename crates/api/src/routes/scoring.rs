//! Decaying models, noticelists, own warninglists, correlations and what is left out of them.

use super::Methods::{Any, Get, Post};
use super::Need::{Key, Read, Write};
use super::{Need, Route, SITE_ADMIN, route};
use crate::{
    correlation_exclusions, correlations, decay_simulation, decaying_models, noticelists, own_warninglists,
};
use pisax_access::Permission as P;

const READS_ALL: Need = Read(&[P::SiteAdmin]);
const DECAYING: Need = Write(&[P::Admin, P::Decaying]);
const WARNINGLIST: Need = Write(&[P::Warninglist]);

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    route(Post, "warninglists", "add", WARNINGLIST, own_warninglists::add, "Add a warninglist of one's own."),
    route(Post, "warninglists", "edit", WARNINGLIST, own_warninglists::edit, "Change a warninglist of one's own."),
    route(Post, "warninglists", "delete", WARNINGLIST, own_warninglists::delete, "Delete a warninglist."),
    route(Post, "warninglists", "import", WARNINGLIST, own_warninglists::import, "Take in a warninglist as published."),
    route(Get, "warninglists", "export", Key, own_warninglists::export, "A warninglist as libraries publish it."),
    route(Post, "warninglists", "enablewarninglist", WARNINGLIST, own_warninglists::enable, "Enable or disable a list."),
    // Noticelists
    route(Get, "noticelists", "index", Key, noticelists::index, "List noticelists."),
    route(Get, "noticelists", "view", Key, noticelists::view, "One noticelist with its entries."),
    route(Get, "noticelists", "previewentries", Key, noticelists::preview, "The entries of a noticelist."),
    route(Post, "noticelists", "enablenoticelist", SITE_ADMIN, noticelists::enable, "Enable or disable a noticelist."),
    route(Post, "noticelists", "toggleenable", SITE_ADMIN, noticelists::toggle, "Enable a noticelist, or disable it."),
    route(Post, "noticelists", "delete", SITE_ADMIN, noticelists::delete, "Delete a noticelist."),
    route(Post, "noticelists", "update", SITE_ADMIN, noticelists::update, "Take in the noticelists of this version."),
    // Decaying models
    route(Get, "decayingmodel", "index", Key, decaying_models::index, "List decaying models."),
    route(Get, "decayingmodel", "getalldecayingmodels", Key, decaying_models::index, "List decaying models."),
    route(Get, "decayingmodel", "view", Key, decaying_models::view, "One decaying model."),
    route(Get, "decayingmodel", "export", Key, decaying_models::export, "A decaying model without what is of here."),
    route(Get, "decayingmodel", "formulas", Key, decaying_models::formulas, "The formulas models can have."),
    route(Get, "decayingmodel", "decayingtoolcomputesimulation", Key, decay_simulation::compute, "How a score goes on."),
    route(Post, "decayingmodel", "add", DECAYING, decaying_models::add, "Add a decaying model."),
    route(Post, "decayingmodel", "import", DECAYING, decaying_models::import, "Add a model that was exported."),
    route(Post, "decayingmodel", "edit", DECAYING, decaying_models::edit, "Change a decaying model."),
    route(Post, "decayingmodel", "delete", DECAYING, decaying_models::delete, "Delete a decaying model."),
    route(Post, "decayingmodel", "enable", DECAYING, decaying_models::enable, "Score with a model."),
    route(Post, "decayingmodel", "disable", DECAYING, decaying_models::disable, "Score with a model no more."),
    route(Post, "decayingmodel", "update", SITE_ADMIN, decaying_models::update, "Take in the models of this version."),
    route(Get, "decayingmodelmapping", "viewassociatedtypes", Key, decaying_models::types, "Types a model scores."),
    route(Post, "decayingmodelmapping", "linkattributetypetomodel", DECAYING, decaying_models::link, "Say what it scores."),
    // Correlations
    route(Any, "correlationexclusions", "index", READS_ALL, correlation_exclusions::index, "List what does not correlate."),
    route(Get, "correlationexclusions", "view", READS_ALL, correlation_exclusions::view, "One value that does not correlate."),
    route(Post, "correlationexclusions", "add", SITE_ADMIN, correlation_exclusions::add, "Let a value correlate no more."),
    route(Post, "correlationexclusions", "edit", SITE_ADMIN, correlation_exclusions::edit, "Change what is noted beside it."),
    route(Post, "correlationexclusions", "delete", SITE_ADMIN, correlation_exclusions::delete, "Let it correlate again."),
    route(Post, "correlationexclusions", "clean", SITE_ADMIN, correlation_exclusions::clean, "Answers that nothing has to be cleaned."),
    route(Get, "correlations", "top", READS_ALL, correlations::top, "The values that most attributes have."),
    route(Get, "correlations", "overcorrelations", READS_ALL, correlations::over, "The values above MISP.correlation_limit."),
    route(Any, "correlations", "generatetopcorrelations", SITE_ADMIN, correlations::generate_top, "Answers that it is done."),
    route(Any, "correlations", "generateoccurrences", SITE_ADMIN, correlations::generate_occurrences, "Answers that nothing is needed."),
    route(Post, "correlations", "switchengine", SITE_ADMIN, correlations::switch_engine, "Answers that there is one engine."),
    route(Post, "correlations", "truncate", SITE_ADMIN, correlations::truncate, "Answers that there is no table."),
    route(Post, "attributes", "generatecorrelation", SITE_ADMIN, correlations::generate, "Answers that nothing has to be computed."),
];
