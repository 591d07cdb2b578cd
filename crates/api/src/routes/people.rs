//! Users, keys, roles, organisations and sharing groups.

use super::Methods::{Any, Get, Post};
use super::Need::{Key, Read};
use super::{GROUPER, ORG_ADMIN, OWN, Route, SITE_ADMIN, admin, route};
use crate::{auth_keys, orgs, roles, sharing_groups, users};
use pisax_access::Permission as P;

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
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
];
