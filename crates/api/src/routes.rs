//! The one list of what can be called. The router, `queryACL` and the permission test are made from it.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::path::Path;
use crate::request::Request;
use crate::{
    attributes, auth_keys, blocklists, describe, events, freetext, instance, knowledge, objects, orgs,
    restsearch, roles, sharing_groups, sightings, statistics, tags, taxonomies, users, warninglists,
};
use http::Method;
use pisax_access::{Actor, Permission as P};

/// What a caller must be allowed to do before a handler runs. What a handler then finds is a matter of
/// visibility and of the rules on the stored record.
#[derive(Debug, Clone, Copy)]
pub enum Need {
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
            Self::Key => true,
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
    /// Whether its body holds events, attributes, objects or text, which may be long.
    pub fn takes_content(&self) -> bool {
        matches!(self.controller, "events" | "attributes" | "objects")
            && matches!(self.action, "add" | "edit" | "freetextimport")
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

use Methods::{Any, Get, Post};
use Need::{Key, Read, Write};

const ADD: Need = Write(&[P::Add]);
const MODIFY: Need = Write(&[P::Modify]);
const TAGGER: Need = Write(&[P::Tagger]);
/// Whoever is signed in, for what is his own.
const OWN: Need = Write(&[]);
const ORG_ADMIN: Need = Write(&[P::Admin]);
const SITE_ADMIN: Need = Write(&[P::SiteAdmin]);
const SIGHTER: Need = Write(&[P::Sighting]);
const GROUPER: Need = Write(&[P::SharingGroup]);

/// Every route, by noun.
#[rustfmt::skip] // A line each, so that the table can be read.
pub const TABLE: &[Route] = &[
    route(Any, "events", "index", Key, events::index, "List events, filtered and paged."),
    route(Any, "events", "view", Key, events::view, "One event with everything in it."),
    route(Post, "events", "add", ADD, events::add, "Add an event with its attributes, objects and tags."),
    route(Post, "events", "edit", ADD, events::edit, "Change an event; newer timestamps win."),
    route(Post, "events", "delete", MODIFY, events::delete, "Delete events and blocklist their uuids."),
    route(Post, "events", "publish", Write(&[P::Publish]), events::publish, "Publish an event."),
    route(Post, "events", "alert", Write(&[P::Publish]), events::publish, "Publish an event and notify."),
    route(Post, "events", "unpublish", MODIFY, events::unpublish, "Take a publication back."),
    route(Post, "events", "addtag", TAGGER, tags::event_add, "Attach a tag to an event."),
    route(Post, "events", "removetag", TAGGER, tags::event_remove, "Detach a tag from an event."),
    route(Post, "events", "freetextimport", ADD, freetext::import, "Recognise indicators in text and add them."),
    route(Any, "events", "restsearch", Key, restsearch::events, "Search events."),
    route(Get, "events", "queryacl", Read(&[]), instance::query_acl, "What each role may call."),
    route(Any, "attributes", "index", Key, attributes::index, "List attributes."),
    route(Any, "attributes", "view", Key, attributes::view, "One attribute."),
    route(Post, "attributes", "add", ADD, attributes::add, "Add one attribute or a list of them to an event."),
    route(Post, "attributes", "edit", ADD, attributes::edit, "Change an attribute."),
    route(Post, "attributes", "delete", ADD, attributes::delete, "Tombstone an attribute, or remove it for good."),
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
    // Users, keys, roles
    route(Get, "users", "view", Key, users::view, "One user: oneself, or one that one administers."),
    route(Post, "users", "edit", OWN, users::edit_self, "Change one's own account."),
    route(Post, "users", "changepw", OWN, users::change_pw, "Change one's own password."),
    route(Post, "users", "resetauthkey", OWN, users::reset_key, "Make a new key and let the others expire."),
    admin(Get, "users", "index", Read(&[P::Admin]), users::index, "List the users one administers."),
    admin(Get, "users", "view", Read(&[P::Admin]), users::view, "One user that one administers."),
    admin(Post, "users", "add", ORG_ADMIN, users::add, "Add a user; the answer holds his key."),
    admin(Post, "users", "edit", ORG_ADMIN, users::edit, "Change a user."),
    admin(Post, "users", "delete", ORG_ADMIN, users::delete, "Delete a user; what he made stays."),
    route(Get, "authkeys", "index", Key, auth_keys::index, "List API keys, without the keys."),
    route(Get, "authkeys", "view", Key, auth_keys::view, "One API key, without the key."),
    route(Post, "authkeys", "add", OWN, auth_keys::add, "Make an API key; only this answer holds it."),
    route(Post, "authkeys", "edit", OWN, auth_keys::edit, "Change comment, addresses or expiration of a key."),
    route(Post, "authkeys", "delete", OWN, auth_keys::delete, "Revoke an API key."),
    route(Get, "roles", "index", Key, roles::index, "List roles."),
    route(Get, "roles", "view", Key, roles::view, "One role."),
    admin(Post, "roles", "add", SITE_ADMIN, roles::add, "Add a role."),
    admin(Post, "roles", "edit", SITE_ADMIN, roles::edit, "Change a role."),
    admin(Post, "roles", "delete", SITE_ADMIN, roles::delete, "Delete a role nobody has."),
    admin(Post, "roles", "setdefault", SITE_ADMIN, roles::set_default, "Make it the role of new users."),
    // Organisations, sharing groups
    route(Any, "organisations", "index", Key, orgs::index, "List organisations: local, external or all."),
    route(Get, "organisations", "view", Key, orgs::view, "One organisation."),
    admin(Post, "organisations", "add", SITE_ADMIN, orgs::add, "Add an organisation."),
    admin(Post, "organisations", "edit", SITE_ADMIN, orgs::edit, "Change an organisation."),
    admin(Post, "organisations", "delete", SITE_ADMIN, orgs::delete, "Delete one that nothing belongs to."),
    route(Get, "sharinggroups", "index", Key, sharing_groups::index, "List the sharing groups one is in."),
    route(Get, "sharinggroups", "view", Key, sharing_groups::view, "One sharing group with its members."),
    route(Post, "sharinggroups", "add", GROUPER, sharing_groups::add, "Add a sharing group."),
    route(Post, "sharinggroups", "edit", GROUPER, sharing_groups::edit, "Change a sharing group."),
    route(Post, "sharinggroups", "delete", GROUPER, sharing_groups::delete, "Delete a group nothing is shared with."),
    route(Post, "sharinggroups", "addorg", GROUPER, sharing_groups::add_org, "Add an organisation to a group."),
    route(Post, "sharinggroups", "removeorg", GROUPER, sharing_groups::remove_org, "Take an organisation out."),
    route(Post, "sharinggroups", "addserver", GROUPER, sharing_groups::add_server, "Add a server to a group."),
    route(Post, "sharinggroups", "removeserver", GROUPER, sharing_groups::remove_server, "Take a server out."),
    // The instance
    route(Get, "servers", "getversion", Key, instance::version, "The MISP version this instance stands for."),
    route(Get, "servers", "getpymispversion", Key, instance::pymisp_version, "The PyMISP version that suits it."),
    route(Get, "servers", "queryacl", Read(&[]), instance::query_acl, "What each role may call."),
    route(Post, "servers", "update", SITE_ADMIN, instance::update, "Answers that there is nothing to update."),
    route(Get, "servers", "getsetting", Read(&[P::SiteAdmin]), instance::get_setting, "One setting."),
    route(Get, "servers", "serversettings", Read(&[P::SiteAdmin]), instance::settings, "All settings."),
    route(Post, "servers", "serversettingsedit", SITE_ADMIN, instance::edit_setting, "Change a setting."),
    route(Get, "eventblocklists", "index", Read(&[P::Add]), blocklists::index, "List blocked events."),
    route(Post, "eventblocklists", "add", ADD, blocklists::add, "Block events by uuid."),
    route(Post, "eventblocklists", "edit", ADD, blocklists::edit, "Change the note beside a blocked event."),
    route(Post, "eventblocklists", "delete", ADD, blocklists::delete, "Let an event come again."),
    route(Get, "orgblocklists", "index", Read(&[P::SiteAdmin]), blocklists::index_orgs, "List blocked organisations."),
    route(Post, "orgblocklists", "add", SITE_ADMIN, blocklists::add_orgs, "Refuse the events of organisations."),
    route(Post, "orgblocklists", "edit", SITE_ADMIN, blocklists::edit_org, "Change the note beside a blocked one."),
    route(Post, "orgblocklists", "delete", SITE_ADMIN, blocklists::delete_org, "Let its events come again."),
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

/// The route for a path, or MISP's refusal: 404 for an unknown action, 405 for a wrong method.
pub fn find(path: &Path, method: &Method) -> Result<&'static Route, Failure> {
    let mut named = TABLE
        .iter()
        .filter(|r| r.admin == path.admin && r.controller == path.controller && r.action == path.action)
        .peekable();
    if named.peek().is_none() {
        let known = TABLE.iter().any(|r| r.controller == path.controller);
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
        for (i, one) in TABLE.iter().enumerate() {
            for other in &TABLE[i + 1..] {
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
        for route in TABLE {
            assert!(!route.doc.trim().is_empty(), "{}/{}", route.controller, route.action);
            for name in [route.controller, route.action] {
                assert!(!name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase()), "{name}");
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
        };
        for route in TABLE.iter().filter(|route| matches!(route.methods, Methods::Post)) {
            let search = matches!((route.controller, route.action), ("galaxies", "add"));
            assert_eq!(route.need.met(&reader, true), search, "{}/{}", route.controller, route.action);
        }
    }
}
