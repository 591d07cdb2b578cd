//! What changes, as it changes: the stream, and the webhooks.

use super::Methods::{Any, Get, Post};
use super::Need::{Key, Read};
use super::{ORG_ADMIN, Route, route};
use crate::streams::live;
use crate::webhooks;
use pisax_access::Permission as P;

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "streams", "changes", Key, live::changes, "What changes, as Server-Sent Events for who accepts them, else what there is after a place."),
    route(Get, "webhooks", "index", Read(&[P::Admin]), webhooks::index, "The webhooks of one's organisation; for site admins all."),
    route(Get, "webhooks", "view", Read(&[P::Admin]), webhooks::view, "One webhook, with how far it has come and what went wrong."),
    route(Post, "webhooks", "add", ORG_ADMIN, webhooks::add, "Have an address called with what changes."),
    route(Any, "webhooks", "edit", ORG_ADMIN, webhooks::edit, "Change a webhook."),
    route(Post, "webhooks", "enable", ORG_ADMIN, webhooks::enable, "Switch a webhook on, or let one that was paused go on where it was."),
    route(Post, "webhooks", "disable", ORG_ADMIN, webhooks::disable, "Switch a webhook off; what changes meanwhile is kept for it."),
    route(Post, "webhooks", "delete", ORG_ADMIN, webhooks::delete, "Delete a webhook."),
];
