//! Objects and the references between them.

use crate::Uuid;
use crate::analyst::AnalystDraft;
use crate::attribute::AttributeDraft;
use crate::ids::Ref;
use crate::sharing::SharingGroupDraft;

/// An object as a client sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ObjectDraft {
    pub id: Option<i64>,
    pub uuid: Option<Uuid>,
    pub bad_uuid: bool,
    pub name: Option<String>,
    pub meta_category: Option<String>,
    pub description: Option<String>,
    pub template_uuid: Option<String>,
    pub template_version: Option<String>,
    pub timestamp: Option<i64>,
    pub distribution: Option<i64>,
    pub sharing_group: Option<Ref>,
    /// The whole group, when a server sent it along.
    pub sharing_group_draft: Option<Box<SharingGroupDraft>>,
    pub comment: Option<String>,
    pub deleted: Option<bool>,
    pub first_seen: Option<Option<String>>,
    pub last_seen: Option<Option<String>>,
    pub attributes: Vec<AttributeDraft>,
    /// Whether the client sent an `Attribute` member at all: an edit without one leaves them alone.
    pub has_attributes: bool,
    pub references: Vec<ReferenceDraft>,
    pub analyst_data: Vec<AnalystDraft>,
}

/// A reference as a client sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReferenceDraft {
    pub uuid: Option<Uuid>,
    /// The object that refers, by id or uuid.
    pub source: Option<Ref>,
    /// The attribute or object referred to, by uuid (or id over the objectReferences API).
    pub referenced: Option<Ref>,
    pub relationship_type: Option<String>,
    pub comment: Option<String>,
    pub timestamp: Option<i64>,
    pub deleted: Option<bool>,
}

/// A stored object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    pub id: i64,
    pub uuid: Uuid,
    pub event_id: i64,
    pub name: String,
    pub meta_category: String,
    pub description: String,
    pub template_uuid: String,
    pub template_version: String,
    pub timestamp: i64,
    pub distribution: i64,
    pub sharing_group_id: i64,
    pub comment: String,
    pub deleted: bool,
    pub first_seen: Option<i64>,
    pub last_seen: Option<i64>,
}

/// A stored reference from an object to an attribute or object.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    pub id: i64,
    pub uuid: Uuid,
    pub timestamp: i64,
    pub object_id: i64,
    pub event_id: i64,
    pub source_uuid: Uuid,
    pub referenced_uuid: Uuid,
    pub referenced_id: i64,
    /// `false`: an attribute, `true`: an object (MISP's referenced_type 0 and 1).
    pub to_object: bool,
    pub relationship_type: String,
    pub comment: String,
    pub deleted: bool,
}
