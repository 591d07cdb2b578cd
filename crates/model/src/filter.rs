//! What to look for: the one search language of the API, the pages and saved searches.
//!
//! `pisax-wire` reads MISP's restSearch parameters into a [`Filter`]; the store compiles it, with
//! visibility, into one SQL statement.

use crate::ids::Ref;

/// Terms of one key: at least one of `or`, all of `and`, none of `not`. An item that begins or ends with
/// `%` is a LIKE pattern (`%`, `_`, backslash escapes), else an exact value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    pub or: Vec<String>,
    pub and: Vec<String>,
    pub not: Vec<String>,
}

impl Terms {
    pub fn is_empty(&self) -> bool {
        self.or.is_empty() && self.and.is_empty() && self.not.is_empty()
    }

    pub fn one(value: impl Into<String>) -> Self {
        Self { or: vec![value.into()], ..Self::default() }
    }
}

/// A closed range; a missing end is open. Units are the field's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    pub from: Option<i64>,
    pub to: Option<i64>,
}

/// Which of two states is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tri {
    #[default]
    Any,
    Only(bool),
}

/// A fact of an organisation that a search can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrgFact {
    Sector,
    Nationality,
    /// MISP's `type`.
    Kind,
    /// 1 for organisations of this instance, 0 for others.
    Local,
}

/// A search among galaxy clusters. Everything empty: all that are visible and not deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterFilter {
    pub id: Terms,
    pub uuid: Terms,
    /// Galaxy by number or uuid.
    pub galaxy: Terms,
    /// The galaxy's type.
    pub kind: Terms,
    pub value: Terms,
    pub tag_name: Terms,
    pub version: Terms,
    pub distribution: Terms,
    /// Owner and creator: id, uuid or name.
    pub org: Terms,
    pub orgc: Terms,
    pub extends_uuid: Terms,
    /// Key and value of an element.
    pub elements: Vec<(String, Terms)>,
    /// Attached to one of these events or to an attribute in it.
    pub event: Terms,
    /// Text in value, description, synonyms or uuid.
    pub search: Option<String>,
    pub custom: Tri,
    pub published: Tri,
    /// Default `Only(false)` is set by [`ClusterFilter::new`].
    pub deleted: Tri,
    pub order: Vec<ClusterOrder>,
}

/// What clusters can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterKey {
    Id,
    Version,
    Value,
    TagName,
    Distribution,
    Galaxy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterOrder {
    pub key: ClusterKey,
    pub descending: bool,
}

impl ClusterFilter {
    pub fn new() -> Self {
        Self { deleted: Tri::Only(false), ..Self::default() }
    }
}

/// What a row of the result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Events,
    Attributes,
    Objects,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    Id,
    Timestamp,
    PublishTimestamp,
    Date,
    Info,
    Org,
    Analysis,
    ThreatLevel,
    Distribution,
    AttributeCount,
    EventId,
    ObjectId,
    Type,
    Category,
    Value,
    ObjectRelation,
    Published,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub key: SortKey,
    pub descending: bool,
}

/// One compiled-to-be search (MISP semantics 5.6 to 5.8). Everything empty: all that is visible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Matches value1 or value2 of an attribute.
    pub value: Terms,
    pub value1: Terms,
    pub value2: Terms,
    pub kind: Terms,
    pub category: Terms,
    /// Creator organisation: id, uuid or name.
    pub org: Terms,
    /// Tag name or id, on the event or on its attributes.
    pub tags: Terms,
    /// Tag on the event itself.
    pub event_tags: Terms,
    /// Words of galaxy clusters, on the event or on its attributes: a key (`synonyms`, `country`, `value`, …) with
    /// what it has to say.
    pub galaxy: Vec<(String, Terms)>,
    /// What is known of the creator organisation.
    pub org_facts: Vec<(OrgFact, Terms)>,
    pub eventid: Terms,
    pub uuid: Terms,
    pub event_uuid: Terms,
    pub extends_uuid: Terms,
    pub comment: Terms,
    pub eventinfo: Terms,
    pub object_name: Terms,
    pub object_relation: Terms,
    pub object_template_uuid: Terms,
    pub object_template_version: Terms,
    pub sharing_group: Terms,
    pub threat_level: Terms,
    pub analysis: Terms,
    pub distribution: Terms,
    /// A LIKE pattern over values, comments, event titles and tag names. Replaces every other selection.
    pub searchall: Option<String>,
    /// Event date, days since the epoch is not used: `YYYY-MM-DD` compares as text.
    pub date_from: Option<String>,
    pub date_to: Option<String>,
    /// Unix seconds.
    pub timestamp: Option<Range>,
    pub event_timestamp: Option<Range>,
    pub attribute_timestamp: Option<Range>,
    pub publish_timestamp: Option<Range>,
    /// Microseconds: first_seen at or after, last_seen at or before.
    pub first_seen: Option<Range>,
    pub last_seen: Option<Range>,
    pub published: Tri,
    pub to_ids: Tri,
    /// Default `Only(false)` is set by [`Filter::new`].
    pub deleted: Tri,
    pub protected: Tri,
    /// Only events with attributes or reports (events/index minimal).
    pub non_empty: bool,
    pub enforce_warninglist: bool,
    /// Only events with (without) open proposals.
    pub has_proposal: Tri,
    /// Attributes scope: none that somebody proposes to delete or to take out of detection.
    pub undoubted: bool,
    /// Only events with one of these e-mail addresses as creator (own address, unless admin).
    pub creator_email: Terms,
    pub order: Vec<Order>,
    pub limit: Option<i64>,
    /// 1-based; counts only with a limit.
    pub page: i64,
}

impl Filter {
    pub fn new() -> Self {
        Self { deleted: Tri::Only(false), page: 1, ..Self::default() }
    }

    /// The event with this reference.
    pub fn event(reference: Ref) -> Self {
        Self { eventid: Terms::one(reference.to_string()), ..Self::new() }
    }
}
