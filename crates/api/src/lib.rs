//! MISP's REST API: who asks, which service call answers, in MISP's words.
//!
//! [`routes::all`] is the one list of what can be called: method, controller, action, the permission it
//! needs, the handler and a line of documentation. `serve` turns an HTTP request into a [`request::Request`]
//! (key checked, path split the way MISP splits it), runs the handler on the blocking pool, and sends its
//! [`answer::Answer`], streamed when it is long. Odd status codes live in [`compat`] with a reason each.
//!
//! To add an endpoint: a function in the noun's file, a line in its area below `routes/`, a test.

mod analyst_blocklist;
mod analyst_data;
mod analyst_sync;
mod analyst_tree;
pub mod answer;
mod attributes;
mod auth_keys;
pub mod authenticate;
mod blocklists;
mod blueprints;
mod bookmarks;
mod cluster_out;
mod cluster_relations;
mod clusters;
mod collections;
mod communities;
pub mod compat;
mod correlation_exclusions;
mod correlation_graph;
mod correlations;
mod cryptographic_keys;
mod csv;
mod dashboards;
mod decay_simulation;
mod decaying_models;
mod delegations;
mod describe;
mod diagnostics;
mod dry_run;
mod enrichment;
mod event_actions;
mod event_drawing;
mod event_extras;
mod event_graphs;
mod event_import;
mod event_locks;
mod event_outline;
mod event_walk;
mod event_writer;
mod events;
mod failure;
mod feed_contents;
mod feed_files;
mod feeds;
mod files;
mod freetext;
mod galaxies;
mod galaxy_actions;
mod inlaid;
mod instance;
mod jobs;
mod knowledge;
mod legacy;
mod logs;
mod mails;
mod many_attributes;
mod matrix;
pub mod native;
mod news;
mod noticelists;
mod objects;
pub mod openapi;
mod orgs;
mod own_warninglists;
pub mod path;
mod proposals;
mod public;
mod published_feeds;
mod quota;
mod references;
mod registrations;
mod reply;
mod report_extract;
mod reports;
pub mod request;
mod rest_client;
mod restsearch;
mod roles;
pub mod routes;
mod rows;
mod scores;
mod search_exports;
mod serve;
mod servers;
mod settings;
mod sharing_groups;
mod sighting_totals;
mod sightings;
mod statistics;
mod stix;
mod stix_upload;
pub mod streams;
mod sync;
mod tag_collections;
mod tags;
mod taxonomies;
mod usage;
mod user_settings;
mod users;
mod warninglists;
mod warnings;
mod webhooks;
mod widget_forms;
mod widgets;
mod workflow_blueprints;
mod workflows;
pub mod zmq;

pub use feed_files::PREFIX as FEED_FILES;
use pisax_service::log_words;
pub use serve::{App, is_api, serve, serve_feed};

/// What a row of the change log is about and what happened, in MISP's words: `User edit`.
pub fn log_words(noun: i64, action: i64) -> String {
    format!("{} {}", log_words::model(noun), log_words::action(noun, action))
}
