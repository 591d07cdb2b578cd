//! What organisations do together: proposals, delegations, sightings, merging.

use super::Methods::{Any, Get, Post};
use super::Need::{Key, Read, Write};
use super::{ADD, MODIFY, Route, SIGHTER, SITE_ADMIN, route};
use crate::{
    blocklists, delegations, event_actions, event_import, event_locks, many_attributes, proposals,
    sighting_totals, sightings,
};
use pisax_access::Permission as P;

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    route(Any, "shadowattributes", "index", Key, proposals::index, "List proposals, of an event or all."),
    route(Get, "shadowattributes", "view", Key, proposals::view, "One proposal."),
    route(Get, "shadowattributes", "download", Key, proposals::download, "The file that a proposal brings."),
    route(Post, "shadowattributes", "add", ADD, proposals::add, "Propose a new attribute in an event."),
    route(Post, "shadowattributes", "edit", ADD, proposals::edit, "Propose other fields of an attribute."),
    route(Post, "shadowattributes", "delete", ADD, proposals::delete, "Propose that an attribute is deleted."),
    route(Post, "shadowattributes", "accept", ADD, proposals::accept, "Do what a proposal asks for."),
    route(Post, "shadowattributes", "discard", ADD, proposals::discard, "Close a proposal and change nothing."),
    route(Post, "shadowattributes", "acceptselected", ADD, proposals::accept_selected, "Accept several proposals on an event."),
    route(Post, "shadowattributes", "discardselected", ADD, proposals::discard_selected, "Discard several proposals on an event."),
    route(Post, "events", "pushproposals", Write(&[P::Sync]), proposals::push, "Keep proposals that were made on another instance."),
    route(Any, "eventdelegations", "index", Key, delegations::index, "Requests to take an event over, to one's organisation or by it."),
    route(Get, "eventdelegations", "view", Key, delegations::view, "One request to take an event over."),
    route(Post, "eventdelegations", "delegateevent", Write(&[P::Delegate]), delegations::delegate, "Ask an organisation to take an event over."),
    route(Post, "eventdelegations", "acceptdelegation", ADD, delegations::accept, "Take an event over."),
    route(Post, "eventdelegations", "deletedelegation", ADD, delegations::end, "Take such a request back, or decline it."),
    route(Post, "events", "publishsightings", SIGHTER, sightings::publish, "Let other instances fetch the sightings of an event."),
    route(Get, "sightings", "advanced", Read(&[P::Sighting]), sighting_totals::advanced, "How often something was seen, by whom, and when last."),
    route(Get, "sightings", "view", Key, sightings::view, "One sighting."),
    route(Post, "sightings", "bulksavesightings", Write(&[P::Sync, P::Sighting]), sightings::bulk_save, "Keep sightings that were made elsewhere."),
    route(Post, "sightings", "filtersightinguuidsforpush", Write(&[P::Sync]), sightings::filter_uuids, "Which of these sightings are known here."),
    route(Get, "sightingblocklists", "index", Read(&[P::SiteAdmin]), blocklists::index_sighters, "Organisations whose sightings are refused."),
    route(Post, "sightingblocklists", "add", SITE_ADMIN, blocklists::add_sighters, "Refuse the sightings of organisations."),
    route(Post, "sightingblocklists", "edit", SITE_ADMIN, blocklists::edit_sighter, "Change what is noted beside such an organisation."),
    route(Post, "sightingblocklists", "delete", SITE_ADMIN, blocklists::delete_sighter, "Let the sightings of an organisation come again."),
    route(Post, "events", "addmispexport", MODIFY, event_import::add, "Add the events of a file that MISP exported, JSON or XML."),
    route(Get, "events", "checklocks", Read(&[P::Add]), event_locks::check, "Who else works on an event, and whether it changed."),
    route(Post, "events", "addeventlock", Write(&[P::Auth]), event_locks::add, "Tell others that a tool works on an event."),
    route(Post, "events", "removeeventlock", Write(&[P::Auth]), event_locks::remove, "Tell them that it is done."),
    route(Post, "events", "merge", MODIFY, event_actions::merge, "Copy what another event holds into an event."),
    route(Get, "events", "checkuuid", Read(&[P::Sync]), event_actions::check_uuid, "Whether no event has this uuid."),
    route(Get, "events", "geteventinfobyid", Key, event_actions::info, "Title, threat level, analysis and tags of an event."),
    route(Post, "attributes", "deleteselected", ADD, many_attributes::delete, "Delete several attributes of an event."),
    route(Post, "attributes", "editselected", ADD, many_attributes::edit, "Change several attributes of an event."),
];
