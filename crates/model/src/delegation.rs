//! Delegations: an organisation asks another one to take an event over and stand for it.

use crate::Uuid;
use crate::ids::Ref;

/// The distribution of a request that leaves the choice to whoever takes the event.
pub const RECIPIENT_DECIDES: i64 = -1;

/// A pending request with what its readers see of both organisations and the event.
#[derive(Debug, Clone, PartialEq)]
pub struct Delegation {
    pub id: i64,
    /// Who is asked to take the event.
    pub org_id: i64,
    /// Who asks.
    pub requester_org_id: i64,
    pub event_id: i64,
    pub message: String,
    /// [`RECIPIENT_DECIDES`], or the distribution the requester wishes.
    pub distribution: i64,
    pub sharing_group_id: i64,
    pub org: Party,
    pub requester: Party,
    pub event: DelegatedEvent,
}

/// One of the two organisations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    pub name: String,
    pub uuid: Uuid,
}

/// What the list of requests shows of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelegatedEvent {
    pub uuid: Uuid,
    pub info: String,
    pub date: String,
    pub analysis: i64,
    pub threat_level_id: i64,
    pub distribution: i64,
    pub attribute_count: i64,
}

/// A request as a client sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DelegationDraft {
    pub org: Option<Ref>,
    pub message: String,
    pub distribution: Option<i64>,
    pub sharing_group: Option<Ref>,
}
