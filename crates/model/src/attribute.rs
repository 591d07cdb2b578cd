//! Attributes: what a client sent (`AttributeDraft`), what was found right (`NewAttribute`), what is kept
//! (`AttributeView`, borrowed from the database row).

use crate::analyst::AnalystDraft;
use crate::content::{Content, is_picture};
use crate::ids::Ref;
use crate::sharing::SharingGroupDraft;
use crate::sighting::SightingDraft;
use crate::tag::TagDraft;
use crate::{AttributeType, Category, Distribution, FieldError, Uuid, ids, value};

/// An attribute as a client sent it; every field may be missing. Text is untrimmed, nothing is checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AttributeDraft {
    pub id: Option<i64>,
    pub uuid: Option<Uuid>,
    /// The uuid text was there but is none.
    pub bad_uuid: bool,
    pub kind: Option<String>,
    pub category: Option<String>,
    pub value: Option<String>,
    pub value1: Option<String>,
    pub value2: Option<String>,
    pub to_ids: Option<bool>,
    pub distribution: Option<i64>,
    pub sharing_group: Option<Ref>,
    /// The whole group, when a server sent it along.
    pub sharing_group_draft: Option<Box<SharingGroupDraft>>,
    pub comment: Option<String>,
    /// Unix seconds.
    pub timestamp: Option<i64>,
    pub deleted: Option<bool>,
    pub disable_correlation: Option<bool>,
    /// `Some(None)`: sent as null or empty, which clears it.
    pub first_seen: Option<Option<String>>,
    pub last_seen: Option<Option<String>>,
    pub object_relation: Option<String>,
    /// Refuse it when it trips over a warninglist.
    pub enforce_warninglist: bool,
    pub tags: Vec<TagDraft>,
    pub sightings: Vec<SightingDraft>,
    pub analyst_data: Vec<AnalystDraft>,
    /// Bytes of an attachment or malware sample.
    pub data: Option<Content>,
    /// The bytes are a bare sample: to be sealed before they are kept.
    pub encrypt: bool,
}

/// An attribute that passed validation: trimmed, refanged, normalised, complete.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAttribute {
    pub uuid: Uuid,
    pub kind: AttributeType,
    pub category: Category,
    pub value1: String,
    /// Empty unless the type is composite.
    pub value2: String,
    pub to_ids: bool,
    pub distribution: Distribution,
    /// 0 unless distribution is `SharingGroup`.
    pub sharing_group_id: i64,
    pub comment: String,
    pub timestamp: i64,
    pub deleted: bool,
    pub disable_correlation: bool,
    /// Microseconds since the epoch, UTC.
    pub first_seen: Option<i64>,
    pub last_seen: Option<i64>,
    pub object_relation: Option<String>,
    pub tags: Vec<TagDraft>,
    pub sightings: Vec<SightingDraft>,
    /// Of attachments and samples alone.
    pub data: Option<Content>,
}

/// A stored attribute, borrowed from the row it was read from.
#[derive(Debug, Clone, Copy)]
pub struct AttributeView<'a> {
    pub id: i64,
    pub uuid: Uuid,
    pub event_id: i64,
    /// 0: not in an object.
    pub object_id: i64,
    pub object_relation: Option<&'a str>,
    pub category: Category,
    pub kind: AttributeType,
    pub value1: &'a str,
    pub value2: &'a str,
    pub to_ids: bool,
    pub timestamp: i64,
    pub distribution: i64,
    pub sharing_group_id: i64,
    pub comment: &'a str,
    pub deleted: bool,
    pub disable_correlation: bool,
    pub first_seen: Option<i64>,
    pub last_seen: Option<i64>,
}

/// Both halves as clients see them: `value1`, or `value1|value2` for composite types.
pub fn joined<'a>(kind: AttributeType, value1: &'a str, value2: &str) -> std::borrow::Cow<'a, str> {
    if kind.is_composite() { format!("{value1}|{value2}").into() } else { value1.into() }
}

impl AttributeView<'_> {
    pub fn value(&self) -> std::borrow::Cow<'_, str> {
        joined(self.kind, self.value1, self.value2)
    }
}

/// What a missing field becomes.
#[derive(Debug, Clone, Copy)]
pub struct Defaults {
    /// Unix milliseconds.
    pub now_ms: i64,
    pub distribution: Distribution,
}

/// Validates and normalises a draft, in MISP's order (semantics 2.3). `sharing_group_id` is resolved by the
/// caller, who knows which groups exist.
pub fn complete(
    draft: AttributeDraft,
    in_object: bool,
    sharing_group_id: i64,
    defaults: &Defaults,
) -> Result<NewAttribute, FieldError> {
    let kind_name = draft.kind.as_deref().map(str::trim).unwrap_or_default();
    if kind_name.is_empty() {
        return Err(FieldError::new("type", "No type set."));
    }
    let kind = AttributeType::parse(kind_name).ok_or_else(|| FieldError::new("type", "Invalid type."))?;
    let object_relation = draft.object_relation.map(|r| r.trim().to_owned()).filter(|r| !r.is_empty());
    if in_object && object_relation.is_none() {
        return Err(FieldError::new(
            "object_relation",
            "An attribute of an object needs an object_relation.",
        ));
    }
    if draft.bad_uuid {
        return Err(FieldError::new("uuid", "Please provide a valid RFC 4122 UUID"));
    }
    let category = match draft.category.as_deref().map(str::trim).filter(|c| !c.is_empty()) {
        None => kind.default_category(),
        Some(name) => Category::parse(name).ok_or_else(|| {
            let names: Vec<_> = Category::all().map(Category::name).collect();
            FieldError::new(
                "category",
                format!("Invalid category. Valid categories are: {}", names.join(", ")),
            )
        })?,
    };
    if !kind.allows(category) {
        return Err(FieldError::new(
            "type",
            "Options depend on the selected category. Invalid type/category combination.",
        ));
    }
    let raw = match draft.value {
        Some(value) if !value.is_empty() => value,
        _ => match (draft.value1, draft.value2) {
            (Some(one), Some(two)) if !two.is_empty() => format!("{one}|{two}"),
            (Some(one), _) => one,
            _ => String::new(),
        },
    };
    let (value1, value2) = value::check(kind, &raw)?;
    let distribution = match draft.distribution {
        None => defaults.distribution,
        Some(code) => Distribution::from_code(code).ok_or_else(|| {
            FieldError::new("distribution", "Options: 0, 1, 2, 3, 4, 5 (organisation only to inherit).")
        })?,
    };
    let first_seen = seen("first_seen", draft.first_seen.flatten())?;
    let last_seen = seen("last_seen", draft.last_seen.flatten())?;
    if let (Some(first), Some(last)) = (first_seen, last_seen)
        && last < first
    {
        return Err(FieldError::new("last_seen", "last_seen is before first_seen."));
    }
    let comment = draft.comment.map(|c| c.trim().to_owned()).unwrap_or_default();
    if comment.len() > value::MAX_BYTES {
        return Err(FieldError::new("comment", "The comment is longer than 65535 bytes."));
    }
    let picture = kind.name() == "attachment" && is_picture(&value1);
    Ok(NewAttribute {
        uuid: draft.uuid.unwrap_or_else(|| ids::new_uuid(defaults.now_ms)),
        kind,
        category,
        value1,
        value2,
        to_ids: draft.to_ids.unwrap_or(kind.default_to_ids()),
        distribution,
        sharing_group_id: if distribution == Distribution::SharingGroup { sharing_group_id } else { 0 },
        comment,
        timestamp: draft.timestamp.filter(|t| *t > 0).unwrap_or(defaults.now_ms / 1000),
        deleted: draft.deleted.unwrap_or(false),
        disable_correlation: draft.disable_correlation.unwrap_or(picture),
        first_seen,
        last_seen,
        object_relation,
        tags: draft.tags,
        sightings: draft.sightings,
        data: draft.data.filter(|_| kind.holds_bytes()),
    })
}

/// Reads a first_seen/last_seen text into microseconds; empty is none.
pub fn seen(field: &'static str, text: Option<String>) -> Result<Option<i64>, FieldError> {
    let Some(text) = text.filter(|t| !t.trim().is_empty()) else { return Ok(None) };
    crate::time::parse_micros(&text)
        .map(Some)
        .ok_or_else(|| FieldError::new(field, "Invalid ISO 8601 format"))
}
