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
mod blueprints;
mod bookmarks;
mod collections;
pub mod compat;
mod dashboards;
mod describe;
mod event_writer;
mod events;
mod failure;
mod freetext;
mod galaxies;
mod instance;
mod knowledge;
mod log_words;
mod logs;
mod mails;
mod matrix;
mod objects;
mod orgs;
pub mod path;
mod public;
mod registrations;
mod reply;
pub mod request;
mod restsearch;
mod roles;
pub mod routes;
mod rows;
mod serve;
mod sharing_groups;
mod sightings;
mod statistics;
mod tags;
mod taxonomies;
mod usage;
mod user_settings;
mod users;
mod warninglists;
mod widgets;

pub use serve::{App, is_api, serve};

/// What a row of the change log is about and what happened, in MISP's words: `User edit`.
pub fn log_words(noun: i64, action: i64) -> String {
    format!("{} {}", log_words::model(noun), log_words::action(noun, action))
}
