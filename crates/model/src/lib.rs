//! What the words of threat sharing mean and which values are right.
//!
//! Everything here is plain data and pure functions: no I/O, no serde, no SQL, no HTTP, no clock of its
//! own. Every other crate may call it. A client's JSON becomes a *draft* (`EventDraft`, `AttributeDraft`, …)
//! in `pisax-wire`; a draft becomes a checked, normalised value (`NewAttribute`) only through
//! [`attribute::complete`]; the store keeps checked values and gives back rows (`Event`, `AttributeView`, …).

pub mod analyst;
pub mod attribute;
pub mod category;
pub mod cluster;
pub mod content;
pub mod correlation;
pub mod cryptographic_key;
pub mod decay;
pub mod delegation;
pub mod event;
pub mod event_graph;
pub mod feed;
pub mod feed_run;
pub mod filter;
pub mod fold;
pub mod freetext;
pub mod ids;
pub mod job;
pub mod kind;
pub mod knowledge;
pub mod like;
pub mod notice;
pub mod object;
pub mod org;
pub mod peer;
pub mod permission;
pub mod proposal;
pub mod published_feed;
pub mod report;
pub mod rule;
pub mod server;
pub mod sharing;
pub mod sighting;
pub mod stream;
pub mod tag;
pub mod time;
pub mod transit;
pub mod upload;
pub mod user;
pub mod value;
pub mod workflow;

pub use category::Category;
pub use kind::AttributeType;
pub use time::{Clock, SystemClock};
pub use uuid::Uuid;

/// Why a record was refused: the offending field (MISP's column name) with the message MISP gives for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    pub field: &'static str,
    pub message: String,
}

impl FieldError {
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl std::error::Error for FieldError {}

/// How far a record travels. Codes are MISP's `distribution` numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Distribution {
    Organisation = 0,
    Community = 1,
    Connected = 2,
    All = 3,
    SharingGroup = 4,
    /// Attributes and objects only: whatever the parent says.
    Inherit = 5,
}

impl Distribution {
    pub fn from_code(code: i64) -> Option<Self> {
        Some(match code {
            0 => Self::Organisation,
            1 => Self::Community,
            2 => Self::Connected,
            3 => Self::All,
            4 => Self::SharingGroup,
            5 => Self::Inherit,
            _ => return None,
        })
    }

    pub fn code(self) -> i64 {
        self as i64
    }
}
