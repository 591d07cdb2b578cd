//! Event reports, analyst data and event graphs.

use super::Methods::{Any, Get, Post};
use super::Need::{Key, Read, Write};
use super::{ADD, MODIFY, Route, SITE_ADMIN, route};
use crate::{
    analyst_blocklist, analyst_data, analyst_sync, correlation_graph, event_drawing, event_graphs,
    event_outline, matrix, report_extract, reports,
};
use pisax_access::Permission as P;

/// Analyst data needs perm_add as well, which the use case sees to.
const ANALYST: super::Need = Write(&[P::AnalystData]);
const SYNC: super::Need = Write(&[P::Sync]);

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    // Event reports
    route(Any, "eventreports", "index", Key, reports::index, "List event reports, of an event or all."),
    route(Any, "eventreports", "view", Key, reports::view, "One event report."),
    route(Post, "eventreports", "add", ADD, reports::add, "Add a report to an event."),
    route(Post, "eventreports", "edit", ADD, reports::edit, "Change an event report."),
    route(Post, "eventreports", "delete", ADD, reports::delete, "Tombstone an event report, or remove it for good."),
    route(Post, "eventreports", "restore", ADD, reports::restore, "Take a report's tombstone away."),
    route(Get, "eventreports", "getproxymispelements", Key, report_extract::proxy_elements, "What references in a report can point at."),
    route(Get, "eventreports", "extractfromreport", Key, report_extract::preview, "What would be extracted from a report."),
    route(Post, "eventreports", "extractallfromreport", ADD, report_extract::extract_all, "Make attributes of the indicators in a report."),
    route(Post, "eventreports", "importreportfromurl", ADD, report_extract::import_from_url, "Make a report of a web page."),
    // Analyst data
    route(Any, "analystdata", "index", Key, analyst_data::index, "List notes, opinions or relationships."),
    route(Any, "analystdata", "view", Key, analyst_data::view, "One note, opinion or relationship."),
    route(Get, "analystdata", "getchildren", Key, analyst_data::children, "What was said about analyst data."),
    route(Get, "analystdata", "getrelatedelement", Key, analyst_data::related_element, "The record a relationship points at."),
    route(Post, "analystdata", "add", ANALYST, analyst_data::add, "Say something about a record."),
    route(Post, "analystdata", "edit", ANALYST, analyst_data::edit, "Change analyst data of one's organisation."),
    route(Post, "analystdata", "delete", ANALYST, analyst_data::delete, "Delete analyst data and blocklist its uuid."),
    route(Any, "analystdata", "indexminimal", Key, analyst_sync::index_minimal, "Uuids of analyst data with their last change."),
    route(Any, "analystdata", "filteranalystdataforpush", Read(&[P::Sync]), analyst_sync::filter_for_push, "Which offered analyst data is wanted."),
    route(Post, "analystdata", "pushanalystdata", SYNC, analyst_sync::push, "Take analyst data from another server."),
    route(Any, "analystdatablocklists", "index", Read(&[P::SiteAdmin]), analyst_blocklist::index, "List blocked analyst data."),
    route(Post, "analystdatablocklists", "add", SITE_ADMIN, analyst_blocklist::add, "Block analyst data."),
    route(Post, "analystdatablocklists", "edit", SITE_ADMIN, analyst_blocklist::edit, "Change what is noted beside an entry."),
    route(Post, "analystdatablocklists", "delete", SITE_ADMIN, analyst_blocklist::delete, "Let analyst data come again."),
    route(Post, "analystdatablocklists", "massdelete", SITE_ADMIN, analyst_blocklist::delete_many, "Let much analyst data come again."),
    // Drawings of an event
    route(Any, "events", "geteventgraphreferences", Key, event_drawing::references, "An event as nodes, joined by references."),
    route(Any, "events", "geteventgraphtags", Key, event_drawing::tags, "An event as nodes, joined by tags."),
    route(Any, "events", "geteventgraphgeneric", Key, event_drawing::generic, "An event as nodes, joined by equal values."),
    route(Any, "events", "getreferencedata", Key, event_drawing::reference_data, "One reference between records."),
    route(Any, "events", "geteventtimeline", Key, event_outline::timeline, "When the things in an event were seen."),
    route(Any, "events", "getdistributiongraph", Key, event_outline::distribution, "How far the things in an event travel."),
    route(Any, "events", "updategraph", Key, correlation_graph::update, "A drawing of correlations, grown by an event, tag or cluster."),
    route(Get, "events", "viewgalaxymatrix", Key, matrix::of_event, "How often an event carries the techniques of a matrix."),
    route(Get, "eventgraph", "view", Key, event_graphs::view, "Drawings of an event by one's organisation."),
    route(Post, "eventgraph", "add", ADD, event_graphs::add, "Keep a drawing of an event."),
    route(Post, "eventgraph", "delete", MODIFY, event_graphs::delete, "Delete a drawing."),
];
