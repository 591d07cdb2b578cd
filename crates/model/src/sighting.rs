//! Sightings: who saw an indicator, when, and of what kind.

use crate::Uuid;
use crate::ids::Ref;
use crate::org::OrgRef;

/// MISP's sighting types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum SightingKind {
    Seen = 0,
    FalsePositive = 1,
    Expiration = 2,
}

impl SightingKind {
    pub fn from_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self::Seen),
            1 => Some(Self::FalsePositive),
            2 => Some(Self::Expiration),
            _ => None,
        }
    }
}

/// A sighting as a client sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SightingDraft {
    pub uuid: Option<Uuid>,
    /// Sighted attribute, by id or uuid.
    pub attribute: Option<Ref>,
    /// Sighted values: every visible attribute that holds one of them.
    pub values: Vec<String>,
    pub kind: Option<i64>,
    pub source: Option<String>,
    /// Unix seconds.
    pub date_sighting: Option<i64>,
    pub organisation: Option<OrgRef>,
    /// Another instance tells that somebody saw it, and not who.
    pub anonymous: bool,
}

/// A stored sighting.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    pub id: i64,
    pub uuid: Uuid,
    pub attribute_id: i64,
    pub attribute_uuid: Uuid,
    pub event_id: i64,
    pub org_id: i64,
    pub org_name: String,
    pub org_uuid: Uuid,
    pub date_sighting: i64,
    pub source: String,
    pub kind: i64,
}
