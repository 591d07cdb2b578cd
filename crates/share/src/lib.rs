//! How it reaches others and comes from them: the exchange with other servers, and the work that is done later.
//!
//! [`Foreman`] takes jobs from the durable queue and does them on threads of its own; [`peer`] speaks MISP's API
//! as a client. Every call to another is bounded in time and size, and what became of each record is in the
//! peer's ledger. Called by the binary, which runs the foreman, and by the API, which looks at peers at once.

pub mod dry;
mod fault;
pub mod feed;
mod foreman;
mod hop;
pub mod look;
mod native;
pub mod news;
mod packed;
pub mod peer;
mod plan;
mod pull;
mod push;
mod server_cache;
mod stream;
mod task;
pub mod terms;
mod work;

pub use fault::Fault;
pub use foreman::{Foreman, Stop};
