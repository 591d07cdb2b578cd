//! Enrichment modules: the protocol of the MISP project's misp-modules, spoken as MISP speaks it.
//!
//! A module server lists what its modules take ([`Server::modules`]) and answers questions about one value
//! ([`Server::ask`]); [`Findings`] is what it found, as drafts that go the way of any other. No database here:
//! whoever calls says what to ask about and takes the drafts.

mod description;
mod findings;
mod question;
mod server;

pub use description::{Format, Module};
pub use findings::Findings;
pub use question::{Question, Sent, Subject};
pub use server::{Answer, Error, Server};
