//! Events and what is in them.

use super::Methods::{Any, Get, Post};
use super::Need::{Key, Read, Write};
use super::{ADD, MODIFY, Route, SIGHTER, SITE_ADMIN, TAGGER, route};
use crate::{
    attributes, correlations, describe, events, freetext, instance, legacy, objects, restsearch, sightings,
    statistics, stix_upload, tags,
};
use pisax_access::Permission as P;

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    route(Any, "events", "index", Key, events::index, "List events, filtered and paged."),
    route(Any, "events", "view", Key, events::view, "One event with everything in it."),
    route(Post, "events", "add", ADD, events::add, "Add an event with its attributes, objects and tags."),
    route(Post, "events", "edit", ADD, events::edit, "Change an event; newer timestamps win."),
    route(Post, "events", "delete", MODIFY, events::delete, "Delete events and blocklist their uuids."),
    route(Post, "events", "publish", Write(&[P::Publish]), events::publish, "Publish an event."),
    route(Post, "events", "togglecorrelation", ADD, correlations::toggle_event, "Take an event out of correlation, or back in."),
    route(Post, "events", "unpublish", MODIFY, events::unpublish, "Take a publication back."),
    route(Post, "events", "addtag", TAGGER, tags::event_add, "Attach a tag to an event."),
    route(Post, "events", "removetag", TAGGER, tags::event_remove, "Detach a tag from an event."),
    route(Post, "events", "freetextimport", ADD, freetext::import, "Recognise indicators in text and add them."),
    route(Post, "events", "uploadstix", MODIFY, stix_upload::upload, "Add the events of a STIX document."),
    route(Any, "events", "restsearch", Key, restsearch::events, "Search events."),
    route(Get, "events", "queryacl", Read(&[]), instance::query_acl, "What each role may call."),
    // Exports of old, which are searches today.
    route(Any, "events", "csv", Key, legacy::csv, "Attributes as CSV (deprecated: restSearch)."),
    route(Any, "events", "xml", Key, legacy::xml, "Events as XML (deprecated: restSearch)."),
    route(Any, "events", "nids", Key, legacy::nids, "Rules for Suricata or Snort (deprecated: restSearch)."),
    route(Any, "events", "hids", Key, legacy::hids, "Checksums of files (deprecated: restSearch)."),
    route(Any, "events", "stix", Key, legacy::stix, "Events as STIX 1 (deprecated: restSearch)."),
    route(Any, "events", "stix2", Key, legacy::stix2, "Events as STIX 2 (deprecated: restSearch)."),
    route(Any, "events", "downloadopeniocevent", Key, legacy::openioc, "An event as OpenIOC (deprecated: restSearch)."),
    route(Get, "events", "downloadexport", Key, legacy::download, "Everything visible in one format."),
    route(Any, "attributes", "text", Key, legacy::text, "Values, one a line (deprecated: restSearch)."),
    route(Any, "attributes", "rpz", Key, legacy::rpz, "A response policy zone (deprecated: restSearch)."),
    route(Any, "attributes", "bro", Key, legacy::bro, "Indicators for Zeek."),
    route(Any, "attributes", "index", Key, attributes::index, "List attributes."),
    route(Any, "attributes", "view", Key, attributes::view, "One attribute."),
    route(Post, "attributes", "add", ADD, attributes::add, "Add one attribute or a list of them to an event."),
    route(Post, "attributes", "edit", ADD, attributes::edit, "Change an attribute."),
    route(Post, "attributes", "delete", ADD, attributes::delete, "Tombstone an attribute, or remove it for good."),
    route(Post, "attributes", "togglecorrelation", ADD, correlations::toggle_attribute, "Take an attribute out of correlation, or back in."),
    route(Post, "attributes", "restore", ADD, attributes::restore, "Take a tombstone away."),
    route(Post, "attributes", "addtag", TAGGER, tags::attribute_add, "Attach a tag to an attribute."),
    route(Post, "attributes", "removetag", TAGGER, tags::attribute_remove, "Detach a tag from an attribute."),
    route(Any, "attributes", "restsearch", Key, restsearch::attributes, "Search attributes."),
    route(Get, "attributes", "describetypes", Key, describe::types, "Types, categories and their defaults."),
    route(Any, "objects", "view", Key, objects::view, "One object with its attributes."),
    route(Post, "objects", "add", ADD, objects::add, "Add an object to an event."),
    route(Post, "objects", "edit", ADD, objects::edit, "Change an object; attributes left out are tombstoned."),
    route(Post, "objects", "delete", ADD, objects::delete, "Tombstone an object, or remove it for good."),
    route(Any, "objects", "restsearch", Key, restsearch::objects, "Search objects."),
    route(Post, "objectreferences", "add", ADD, objects::add_reference, "Add a reference between records."),
    route(Post, "objectreferences", "delete", ADD, objects::delete_reference, "Delete a reference."),
    route(Get, "attributes", "attributestatistics", Key, statistics::attributes, "How many attributes of each type."),
    // Tags
    route(Any, "tags", "index", Key, tags::index, "List tags with how often they are attached."),
    route(Get, "tags", "view", Key, tags::view, "One tag."),
    route(Post, "tags", "add", Write(&[P::TagEditor]), tags::add, "Add a tag."),
    route(Post, "tags", "edit", SITE_ADMIN, tags::edit, "Change a tag wherever it is attached."),
    route(Post, "tags", "delete", SITE_ADMIN, tags::delete, "Delete a tag from everything."),
    route(Any, "tags", "search", Key, tags::search, "Search tags by name, cluster or synonym."),
    route(Post, "tags", "attachtagtoobject", TAGGER, tags::attach, "Attach tags to whatever has a uuid."),
    route(Post, "tags", "removetagfromobject", TAGGER, tags::remove, "Detach tags from whatever has a uuid."),
    route(Get, "tags", "tagstatistics", Key, statistics::tags, "How many events carry each tag."),
    // Sightings
    route(Any, "sightings", "index", Key, sightings::index, "List sightings, of an event or all."),
    route(Any, "sightings", "listsightings", Key, sightings::list_sightings, "Sightings of an event or attribute."),
    route(Post, "sightings", "add", SIGHTER, sightings::add, "Say that an attribute or value was seen."),
    route(Post, "sightings", "delete", SIGHTER, sightings::delete, "Delete a sighting of one's organisation."),
    route(Any, "sightings", "restsearch", Key, sightings::search, "Search sightings."),
];
