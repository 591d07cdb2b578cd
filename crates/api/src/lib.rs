//! MISP's REST API: who asks, which service call answers, in MISP's words.
//!
//! [`routes::all`] is the one list of what can be called: method, controller, action, the permission it
//! needs, the handler and a line of documentation. `serve` turns an HTTP request into a [`request::Request`]
//! (key checked, path split the way MISP splits it), runs the handler on the blocking pool, and sends its
//! [`answer::Answer`], streamed when it is long. Odd status codes live in [`compat`] with a reason each.
//!
//! To add an endpoint: a function in the noun's file, a line in its area below `routes/`, a test.

pub mod answer;
mod attributes;
mod auth_keys;
pub mod authenticate;
mod blocklists;
pub mod compat;
mod correlation_exclusions;
mod correlations;
mod decay_simulation;
mod decaying_models;
mod describe;
mod event_extras;
mod event_writer;
mod events;
mod failure;
mod freetext;
mod galaxies;
mod instance;
mod knowledge;
mod noticelists;
mod objects;
mod orgs;
mod own_warninglists;
pub mod path;
mod reply;
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
mod tags;
mod taxonomies;
mod users;
mod warninglists;
mod warnings;

pub use serve::{App, is_api, serve};
