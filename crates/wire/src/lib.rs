//! MISP's JSON in and out, its search language and its error bodies.
//!
//! All of MISP's quirks of form end here: readers take what clients send in any of its shapes and give the
//! model's drafts and filters; writers give the model's records in the shape and member order of a MISP 2.5.
//! No database, no HTTP.

mod admin_in;
mod analyst_in;
mod attribute_in;
mod cluster_in;
mod cluster_search;
mod context_in;
mod event_in;
mod export_in;
mod guard_in;
mod loose;
mod object_in;
mod proposal_in;
mod record;
mod report_in;
mod rules_in;

pub mod admin_out;
pub mod analyst_out;
pub mod answer;
pub mod attribute_out;
pub mod cluster_push;
pub mod cryptographic_key_out;
pub mod draft_out;
pub mod event_out;
mod feed_in;
pub mod feed_out;
pub mod include;
pub mod index;
pub mod job_out;
pub mod json;
pub mod native;
pub mod object_out;
pub mod proposal_out;
pub mod report_out;
pub mod search;
pub mod server_out;
pub mod sharing_out;
mod sighting_search;
mod sync_in;
pub mod sync_out;
pub mod tag_out;
mod terms;
mod upload_in;
pub mod xml;

/// The MISP that clients and peers are told to expect. They compare it with what they know: an old one makes
/// them leave out what it could not do, a newer one than they know makes them warn.
pub const MISP_VERSION: &str = "2.5.34";

#[cfg(test)]
mod draft_tests;
#[cfg(test)]
mod out_tests;
#[cfg(test)]
mod tests;

pub use admin_in::{TagIn, read_org, read_sharing_group, read_tag, read_user};
pub use analyst_in::{read_analyst_data, read_pushed_analyst_data};
pub use attribute_in::{AttributesIn, read_attributes};
pub use cluster_in::{read_cluster, read_clusters, read_collection, read_collections, read_relation};
pub use cluster_search::{ClusterSearch, read_cluster_search};
pub use context_in::{TagTarget, read_incoming_sightings, read_sighting, read_sightings, read_tag_target};
pub use draft_out::write_event_draft;
pub use event_in::{read_event, read_events};
pub use export_in::{ExportIn, read_export};
pub use feed_in::{FeedSettings, Listed, ManifestError, read_feed_settings, read_hash_line, read_manifest};
pub use guard_in::{read_guard, write_guard};
pub use include::{EventView, Include, read_event_view};
pub use index::{IndexOptions, read_index};
pub use json::JsonWriter;
pub use object_in::{read_object, read_reference};
pub use proposal_in::{read_proposal, read_proposals};
pub use record::read_base64;
pub use report_in::read_report;
pub use rules_in::{read_rules, write_rules};
pub use search::{SearchError, SearchRequest, read_search};
pub use sighting_search::{SightingContext, SightingSearch, read_sighting_search};
pub use sync_in::{read_offered_events, read_uuids};
pub use upload_in::read_upload;

/// Why a body could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// Not JSON at all; the text says where. MISP answers 405.
    NotJson(String),
    /// JSON, but one member cannot be what it is meant to be.
    Field { field: String, message: String },
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotJson(place) => write!(f, "Invalid JSON: {place}"),
            Self::Field { field, message } => write!(f, "{field}: {message}"),
        }
    }
}

impl std::error::Error for ReadError {}
