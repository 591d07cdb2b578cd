//! Events.

use crate::Uuid;
use crate::analyst::AnalystDraft;
use crate::attribute::AttributeDraft;
use crate::cryptographic_key::{CryptographicKeyDraft, Proof};
use crate::ids::Ref;
use crate::object::ObjectDraft;
use crate::org::OrgRef;
use crate::report::ReportDraft;
use crate::sharing::SharingGroupDraft;
use crate::tag::TagDraft;

/// An event as a client sent it; every field may be missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventDraft {
    pub uuid: Option<Uuid>,
    pub bad_uuid: bool,
    pub info: Option<String>,
    pub date: Option<String>,
    pub threat_level_id: Option<i64>,
    pub analysis: Option<i64>,
    pub distribution: Option<i64>,
    pub sharing_group: Option<Ref>,
    /// The whole group, when a server sent it along.
    pub sharing_group_draft: Option<SharingGroupDraft>,
    pub published: Option<bool>,
    pub timestamp: Option<i64>,
    pub publish_timestamp: Option<i64>,
    pub disable_correlation: Option<bool>,
    /// Uuid or row number of the event this one extends; empty clears it.
    pub extends_uuid: Option<String>,
    pub locked: Option<bool>,
    pub protected: Option<bool>,
    /// Whose event it is said to be; honoured for site admins and sync users only.
    pub orgc: Option<OrgRef>,
    pub attributes: Vec<AttributeDraft>,
    pub objects: Vec<ObjectDraft>,
    pub tags: Vec<TagDraft>,
    pub reports: Vec<ReportDraft>,
    pub analyst_data: Vec<AnalystDraft>,
    /// Keys that may sign the event while it is protected.
    pub keys: Vec<CryptographicKeyDraft>,
    /// The signature that came with it.
    pub proof: Option<Proof>,
}

/// A stored event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: i64,
    pub uuid: Uuid,
    /// Owner on this instance: grants reading.
    pub org_id: i64,
    /// Creator: grants writing.
    pub orgc_id: i64,
    pub user_id: i64,
    /// `YYYY-MM-DD`.
    pub date: String,
    pub info: String,
    pub threat_level_id: i64,
    pub analysis: i64,
    pub published: bool,
    pub publish_timestamp: i64,
    pub timestamp: i64,
    pub sighting_timestamp: i64,
    pub attribute_count: i64,
    pub distribution: i64,
    pub sharing_group_id: i64,
    pub locked: bool,
    pub proposal_email_lock: bool,
    pub disable_correlation: bool,
    pub extends_uuid: Option<Uuid>,
    pub protected: Option<bool>,
}

/// The longest event title kept, in bytes (MISP: a TEXT column).
pub const MAX_INFO_BYTES: usize = 65_535;
