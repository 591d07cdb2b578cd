//! Feeds, servers, communities, jobs, cryptographic keys.

use super::Methods::{Any, Get, Post};
use super::Need::{Key, Read, Write};
use super::{ADD, MODIFY, OWN, Route, SITE_ADMIN, route};
use crate::{
    communities, cryptographic_keys, dry_run, events, feed_contents, feeds, native, published_feeds, servers,
    sync,
};
use pisax_access::Permission as P;

/// Whoever synchronises, for a call that makes or signs something.
const SYNC: super::Need = Write(&[P::Sync]);

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    // Feeds
    route(Get, "feeds", "index", Key, feeds::index, "List feeds: all for those who run the instance."),
    route(Get, "feeds", "view", Key, feeds::view, "One feed, for those who run the instance."),
    route(Post, "feeds", "add", SITE_ADMIN, feeds::add, "Define a feed."),
    route(Post, "feeds", "edit", SITE_ADMIN, feeds::edit, "Change a feed."),
    route(Post, "feeds", "delete", SITE_ADMIN, feeds::delete, "Delete a feed; what came from it stays."),
    route(Post, "feeds", "enable", SITE_ADMIN, feeds::enable, "Switch a feed on."),
    route(Post, "feeds", "disable", SITE_ADMIN, feeds::disable, "Switch a feed off."),
    route(Post, "feeds", "toggleselected", SITE_ADMIN, feeds::toggle_selected, "Switch several feeds on or off."),
    route(Post, "feeds", "importfeeds", SITE_ADMIN, feeds::import, "Add feeds that others wrote down."),
    route(Post, "feeds", "loaddefaultfeeds", SITE_ADMIN, feeds::load_defaults, "Add well-known public feeds, switched off."),
    route(Any, "feeds", "cachefeeds", SITE_ADMIN, feeds::cache, "Cache what is in feeds, to look values up in them."),
    route(Any, "feeds", "searchcaches", OWN, feed_contents::search_caches, "In which cached feeds and servers a value is."),
    route(Get, "feeds", "comparefeeds", Key, feed_contents::compare, "How much cached feeds and servers have in common."),
    route(Any, "feeds", "feedcoverage", OWN, feed_contents::coverage, "How much of a cached feed others have, in percent."),
    route(Any, "feeds", "fetchfromfeed", SITE_ADMIN, feeds::fetch, "Fetch a feed and take it over."),
    route(Any, "feeds", "fetchfromallfeeds", SITE_ADMIN, feeds::fetch_all, "Fetch all enabled feeds."),
    route(Any, "feeds", "previewindex", OWN, feed_contents::preview_index, "What a feed offers, for those who run the instance."),
    route(Get, "feeds", "previewevent", Key, feed_contents::preview_event, "One event of a feed, not saved."),
    route(Get, "feeds", "preview", Key, feed_contents::preview, "What would come with a feed, and what of it is here."),
    route(Any, "feeds", "getevent", SITE_ADMIN, feed_contents::get_event, "Take one event out of a feed."),
    route(Get, "feeds", "runs", Read(&[P::SiteAdmin]), feed_contents::runs, "What became of a feed each time, line by line."),
    // Feeds published from here
    route(Get, "publishedfeeds", "index", Read(&[P::SiteAdmin]), published_feeds::index, "List the feeds that are published from here."),
    route(Get, "publishedfeeds", "view", Read(&[P::SiteAdmin]), published_feeds::view, "One published feed."),
    route(Post, "publishedfeeds", "add", SITE_ADMIN, published_feeds::add, "Publish a feed; the answer holds its token."),
    route(Post, "publishedfeeds", "edit", SITE_ADMIN, published_feeds::edit, "Change a published feed."),
    route(Post, "publishedfeeds", "delete", SITE_ADMIN, published_feeds::delete, "Publish a feed no more."),
    route(Post, "publishedfeeds", "generate", SITE_ADMIN, published_feeds::generate, "Write the files of a published feed."),
    // Other servers
    route(Get, "servers", "index", Read(&[P::SiteAdmin]), servers::index, "List the servers this one is connected with."),
    route(Post, "servers", "add", SITE_ADMIN, servers::add, "Connect a server."),
    route(Post, "servers", "edit", SITE_ADMIN, servers::edit, "Change a connection."),
    route(Post, "servers", "delete", SITE_ADMIN, servers::delete, "Disconnect a server."),
    route(Post, "servers", "import", SITE_ADMIN, servers::import, "Connect a server as its createSync describes it."),
    route(Post, "servers", "changepriority", SITE_ADMIN, servers::change_priority, "Move a server in the order of priority."),
    route(Any, "servers", "createsync", SYNC, servers::create_sync, "Describe this server to one that connects, with a new key."),
    route(Get, "servers", "getinstanceuuid", Read(&[P::Sync]), servers::instance_uuid, "The uuid of this instance."),
    route(Post, "servers", "posttest", OWN, servers::post_test, "What arrived, for a server that tests its connection."),
    route(Get, "sync", "changes", Read(&[P::Sync]), native::changes, "What changed since a place, for another PISAX; it may wait for news."),
    route(Any, "servers", "pull", SITE_ADMIN, sync::pull, "Queue a pull from a server."),
    route(Any, "servers", "push", SITE_ADMIN, sync::push, "Queue a push to a server."),
    route(Any, "servers", "cache", SITE_ADMIN, sync::cache, "Queue the caching of what servers hold."),
    route(Any, "servers", "testconnection", SITE_ADMIN, sync::test_connection, "Whether a server answers, and what our key may there."),
    route(Get, "servers", "getremoteuser", Read(&[P::SiteAdmin]), sync::remote_user, "Who we are on a server."),
    route(Any, "servers", "previewindex", Read(&[P::SiteAdmin]), sync::preview_index, "What a server offers, not stored."),
    route(Get, "servers", "previewevent", Read(&[P::SiteAdmin]), sync::preview_event, "One event of a server, not stored."),
    route(Get, "servers", "queryavailablesyncfilteringrules", Read(&[P::SiteAdmin]), sync::query_rules, "What pull rules for a server can be made of."),
    route(Get, "servers", "getavailablesyncfilteringrules", Read(&[P::Sync]), sync::available_rules, "What another server's pull rules can be made of."),
    route(Any, "servers", "idtranslator", Read(&[P::SiteAdmin]), sync::id_translator, "The numbers of an event here and on other servers."),
    route(Any, "servers", "ledger", Read(&[P::SiteAdmin]), sync::ledger, "What became of each record on its way from and to a server."),
    route(Any, "servers", "dryrun", Read(&[P::SiteAdmin]), dry_run::dry_run, "What a pull or push would do and what the other side would get, with nothing stored."),
    route(Any, "servers", "guard", SITE_ADMIN, sync::guard, "What never leaves to a server; POST changes it."),
    route(Post, "events", "filtereventidsforpush", SYNC, sync::filter_events, "Which offered events are wanted."),
    route(Post, "jobs", "cancel", SITE_ADMIN, sync::cancel_job, "Cancel a job."),
    // Communities
    route(Get, "communities", "index", Read(&[P::SiteAdmin]), communities::index, "List public sharing communities."),
    route(Get, "communities", "view", Read(&[P::SiteAdmin]), communities::view, "One community."),
    route(Post, "communities", "requestaccess", SITE_ADMIN, communities::request_access, "The text that asks a community for access."),
    // Signatures
    route(Get, "cryptographickeys", "index", Key, cryptographic_keys::index, "List the keys of an event."),
    route(Get, "cryptographickeys", "view", Key, cryptographic_keys::view, "One key of an event."),
    route(Post, "cryptographickeys", "add", ADD, cryptographic_keys::add, "Let a key sign a protected event."),
    route(Post, "cryptographickeys", "delete", ADD, cryptographic_keys::delete, "Take a key from an event."),
    route(Post, "cryptographickeys", "revoke", ADD, cryptographic_keys::revoke, "Say that a key signs nothing any more."),
    route(Post, "cryptographickeys", "serversign", SYNC, cryptographic_keys::server_sign, "Sign a text with the instance's key."),
    route(Post, "events", "pusheventtozmq", Write(&[P::PublishZmq]), events::push_to_zmq, "Publish an event over ZeroMQ."),
    route(Post, "events", "protect", MODIFY, cryptographic_keys::protect, "Let in from other servers only what is signed."),
    route(Post, "events", "unprotect", MODIFY, cryptographic_keys::unprotect, "Let in what the distribution lets in."),
    route(Get, "users", "getgpgpublickey", Key, cryptographic_keys::public_key, "The instance's OpenPGP key."),
];
