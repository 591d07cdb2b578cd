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
mod cluster_out;
mod cluster_relations;
mod clusters;
pub mod compat;
mod correlation_exclusions;
mod correlations;
mod csv;
mod decay_simulation;
mod decaying_models;
mod delegations;
mod describe;
mod event_actions;
mod event_drawing;
mod event_graphs;
mod event_outline;
mod event_walk;
mod event_writer;
mod events;
mod failure;
mod freetext;
mod galaxies;
mod galaxy_actions;
mod instance;
mod knowledge;
mod many_attributes;
mod noticelists;
mod objects;
pub mod openapi;
mod orgs;
mod own_warninglists;
pub mod path;
mod proposals;
mod reply;
mod report_extract;
mod reports;
pub mod request;
mod restsearch;
mod roles;
pub mod routes;
mod rows;
mod scores;
mod serve;
mod sharing_groups;
mod sightings;
mod statistics;
mod tag_collections;
mod tags;
mod taxonomies;
mod users;
mod warninglists;
mod warnings;

pub use serve::{App, is_api, serve};
