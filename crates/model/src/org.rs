//! Organisations.

use crate::Uuid;

/// How a client names an organisation in an event or sighting.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OrgRef {
    pub id: Option<i64>,
    pub uuid: Option<Uuid>,
    pub name: Option<String>,
}

/// An organisation as a client sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OrgDraft {
    pub uuid: Option<Uuid>,
    pub bad_uuid: bool,
    pub name: Option<String>,
    pub description: Option<String>,
    pub kind: Option<String>,
    pub nationality: Option<String>,
    pub sector: Option<String>,
    pub contacts: Option<String>,
    pub local: Option<bool>,
    pub restricted_to_domain: Option<Vec<String>>,
    pub landingpage: Option<String>,
}

/// A stored organisation.
#[derive(Debug, Clone, PartialEq)]
pub struct Org {
    pub id: i64,
    pub uuid: Uuid,
    pub name: String,
    pub description: Option<String>,
    /// MISP's `type`, free text.
    pub kind: String,
    pub nationality: String,
    pub sector: String,
    pub contacts: Option<String>,
    /// Has users here (true) or is only known by what it shared (false).
    pub local: bool,
    pub restricted_to_domain: Vec<String>,
    pub landingpage: Option<String>,
    pub created_by: i64,
    /// Unix seconds.
    pub date_created: i64,
    pub date_modified: i64,
}
