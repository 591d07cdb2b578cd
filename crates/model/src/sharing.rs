//! Sharing groups: named sets of organisations, possibly on named servers.

use crate::Uuid;
use crate::ids::Ref;
use crate::org::OrgRef;

/// A sharing group as a client sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SharingGroupDraft {
    pub uuid: Option<Uuid>,
    pub bad_uuid: bool,
    pub name: Option<String>,
    pub releasability: Option<String>,
    pub description: Option<String>,
    pub active: Option<bool>,
    pub roaming: Option<bool>,
    pub organisation_uuid: Option<Uuid>,
    /// Its owner, when a server sent it along.
    pub organisation: Option<OrgRef>,
    /// When it last changed where it comes from, Unix seconds.
    pub modified: Option<i64>,
    pub orgs: Option<Vec<MemberDraft>>,
    pub servers: Option<Vec<ServerDraft>>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct MemberDraft {
    pub org: Option<Ref>,
    pub org_ref: OrgRef,
    pub extend: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerDraft {
    /// 0: this instance. Means nothing where the address says which server is meant.
    pub server_id: i64,
    pub all_orgs: bool,
    pub name: Option<String>,
    pub url: Option<String>,
}

/// A stored sharing group.
#[derive(Debug, Clone, PartialEq)]
pub struct SharingGroup {
    pub id: i64,
    pub uuid: Uuid,
    pub name: String,
    pub releasability: String,
    pub description: String,
    pub organisation_uuid: Uuid,
    pub org_id: i64,
    pub sync_user_id: i64,
    pub active: bool,
    pub local: bool,
    pub roaming: bool,
    /// Unix seconds.
    pub created: i64,
    pub modified: i64,
    pub members: Vec<Member>,
    pub servers: Vec<GroupServer>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub id: i64,
    pub org_id: i64,
    pub org_name: String,
    pub org_uuid: Uuid,
    pub org_local: bool,
    /// May change the group.
    pub extend: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GroupServer {
    pub id: i64,
    pub server_id: i64,
    pub all_orgs: bool,
}
