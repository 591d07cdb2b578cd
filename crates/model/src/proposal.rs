//! Proposals (MISP's shadow attributes): what somebody who may not change an event would change in it.

use crate::attribute::{AttributeDraft, joined};
use crate::org::OrgRef;
use crate::{AttributeType, Category, Uuid};

/// What a proposal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// A new attribute.
    Addition,
    /// Other fields of an attribute that is there.
    Change,
    /// That an attribute goes.
    Deletion,
}

/// A stored proposal. One that changes an attribute carries that attribute's uuid, so only its row number names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    pub id: i64,
    pub uuid: Uuid,
    pub event_id: i64,
    pub event_uuid: Uuid,
    /// Owner and creator of the event.
    pub event_org_id: i64,
    pub event_orgc_id: i64,
    /// The attribute it would change or delete; 0 for a new one.
    pub attribute_id: i64,
    pub attribute_uuid: Option<Uuid>,
    pub kind: AttributeType,
    pub category: Category,
    pub value1: String,
    pub value2: String,
    pub to_ids: bool,
    pub comment: String,
    /// Who proposed it.
    pub org_id: i64,
    pub org_name: String,
    pub org_uuid: Uuid,
    pub user_id: i64,
    pub email: String,
    /// Unix seconds.
    pub timestamp: i64,
    /// Accepted, discarded, or its attribute went.
    pub deleted: bool,
    pub to_delete: bool,
    pub disable_correlation: bool,
    /// Microseconds since the epoch, UTC.
    pub first_seen: Option<i64>,
    pub last_seen: Option<i64>,
}

impl Proposal {
    pub fn asks(&self) -> Asks {
        match (self.attribute_id, self.to_delete) {
            (0, _) => Asks::Addition,
            (_, true) => Asks::Deletion,
            (_, false) => Asks::Change,
        }
    }

    pub fn value(&self) -> std::borrow::Cow<'_, str> {
        joined(self.kind, &self.value1, &self.value2)
    }
}

/// A proposal as a client or another instance sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProposalDraft {
    pub attribute: AttributeDraft,
    /// Says that it is about an attribute that is there, named by the uuid (another instance's row number means
    /// nothing here).
    pub of_attribute: bool,
    pub to_delete: bool,
    pub event_uuid: Option<Uuid>,
    pub email: Option<String>,
    pub organisation: Option<OrgRef>,
}

/// The fields that a change may propose; one that names none of them proposes nothing.
pub fn proposes_something(draft: &AttributeDraft) -> bool {
    draft.value.is_some()
        || draft.value1.is_some()
        || draft.to_ids.is_some()
        || draft.comment.is_some()
        || draft.category.is_some()
        || draft.kind.is_some()
        || draft.first_seen.is_some()
        || draft.last_seen.is_some()
        || draft.data.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_without_a_field_proposes_nothing() {
        assert!(!proposes_something(&AttributeDraft::default()));
        assert!(!proposes_something(&AttributeDraft { distribution: Some(3), ..AttributeDraft::default() }));
        assert!(proposes_something(&AttributeDraft { to_ids: Some(false), ..AttributeDraft::default() }));
        assert!(proposes_something(&AttributeDraft { last_seen: Some(None), ..AttributeDraft::default() }));
    }
}
