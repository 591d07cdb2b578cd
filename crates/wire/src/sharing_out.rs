//! Sharing groups in MISP's shapes: in an event, just saved, viewed, listed.

use crate::admin_out::org_columns;
use crate::attribute_out::OrgSummary;
use crate::json::{JsonWriter, k};
use pisax_model::org::Org;
use pisax_model::sharing::{GroupServer, Member, SharingGroup};

/// The sharing group of an event, with what MISP writes about its owner and this instance.
#[derive(Debug, Clone, Copy)]
pub struct EventGroup<'a> {
    pub group: &'a SharingGroup,
    pub organisation: OrgSummary<'a>,
    /// Base URL of this instance.
    pub base_url: &'a str,
}

/// `"SharingGroup":{…}` of an event (113).
pub fn write_event_group_member(w: &mut JsonWriter<'_>, event_group: &EventGroup<'_>) {
    w.name(k!("SharingGroup"));
    write_event_group(w, event_group);
}

/// The value of that member, which attributes and objects with a group of their own also carry.
pub fn write_event_group(w: &mut JsonWriter<'_>, event_group: &EventGroup<'_>) {
    let EventGroup { group, organisation, base_url } = *event_group;
    w.begin_object();
    columns(w, group);
    w.name(k!("Organisation"));
    organisation.write_short(w);
    w.name(k!("SharingGroupOrg"));
    w.begin_array();
    for member in &group.members {
        w.begin_object();
        member_columns(w, group.id, member);
        w.name(k!("Organisation"));
        member_org(member).write_short(w);
        w.end_object();
    }
    w.end_array();
    w.name(k!("SharingGroupServer"));
    w.begin_array();
    for server in &group.servers {
        w.begin_object();
        server_columns(w, group.id, server);
        w.name(k!("Server"));
        if server.server_id == 0 {
            w.begin_object();
            w.num(k!("id"), 0);
            w.text(k!("url"), base_url);
            w.text(k!("name"), base_url);
            w.end_object();
        } else {
            w.raw(b"[]");
        }
        w.end_object();
    }
    w.end_array();
    w.end_object();
}

/// The answer of `sharing_groups/add` and `edit` (025).
pub fn write_saved_sharing_group(w: &mut JsonWriter<'_>, group: &SharingGroup, owner: OrgSummary<'_>) {
    w.begin_object();
    w.name(k!("SharingGroup"));
    w.begin_object();
    columns(w, group);
    w.end_object();
    w.name(k!("SharingGroupOrg"));
    w.begin_array();
    for member in &group.members {
        w.begin_object();
        member_columns(w, group.id, member);
        w.end_object();
    }
    w.end_array();
    w.name(k!("SharingGroupServer"));
    w.begin_array();
    for server in &group.servers {
        w.begin_object();
        server_columns(w, group.id, server);
        w.end_object();
    }
    w.end_array();
    w.name(k!("Organisation"));
    owner.write_short(w);
    w.end_object();
}

/// The answer of `sharing_groups/view` (028). `sync_org` is the organisation of the user who made it.
pub fn write_viewed_sharing_group(
    w: &mut JsonWriter<'_>,
    group: &SharingGroup,
    owner: &Org,
    sync_org: Option<OrgSummary<'_>>,
    base_url: &str,
) {
    w.begin_object();
    w.name(k!("SharingGroup"));
    w.begin_object();
    columns(w, group);
    if let Some(org) = sync_org {
        w.text(k!("sync_org_name"), org.name);
        w.name(k!("sync_org"));
        org.write_short(w);
    }
    w.end_object();
    w.name(k!("Organisation"));
    w.begin_object();
    org_columns(w, owner);
    w.end_object();
    w.name(k!("SharingGroupOrg"));
    w.begin_array();
    for member in &group.members {
        w.begin_object();
        member_columns(w, group.id, member);
        w.name(k!("Organisation"));
        member_org(member).write_full(w);
        w.end_object();
    }
    w.end_array();
    w.name(k!("SharingGroupServer"));
    w.begin_array();
    for server in &group.servers {
        w.begin_object();
        server_columns(w, group.id, server);
        w.name(k!("Server"));
        if server.server_id == 0 {
            w.begin_object();
            w.num(k!("id"), 0);
            w.text(k!("name"), "Local instance");
            w.text(k!("url"), base_url);
            w.end_object();
        } else {
            w.raw(b"[]");
        }
        w.end_object();
    }
    w.end_array();
    w.end_object();
}

/// What the asking user may do with a listed group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupRights {
    pub editable: bool,
    pub deletable: bool,
}

/// An item of `{"response":[…]}` of `sharing_groups/index` (030).
pub fn write_listed_sharing_group(
    w: &mut JsonWriter<'_>,
    group: &SharingGroup,
    owner: OrgSummary<'_>,
    rights: GroupRights,
) {
    w.begin_object();
    w.name(k!("SharingGroup"));
    w.begin_object();
    w.num(k!("id"), group.id);
    w.id(k!("uuid"), group.uuid);
    w.text(k!("name"), &group.name);
    w.text(k!("description"), &group.description);
    w.text(k!("releasability"), &group.releasability);
    w.flag(k!("local"), group.local);
    w.flag(k!("active"), group.active);
    w.flag(k!("roaming"), group.roaming);
    w.num(k!("org_count"), group.members.len() as i64);
    w.end_object();
    w.name(k!("Organisation"));
    owner.write_short(w);
    w.name(k!("SharingGroupOrg"));
    w.begin_array();
    for member in &group.members {
        w.begin_object();
        member_columns(w, group.id, member);
        w.name(k!("Organisation"));
        w.begin_object();
        w.text(k!("name"), &member.org_name);
        w.num(k!("id"), member.org_id);
        w.id(k!("uuid"), member.org_uuid);
        w.end_object();
        w.end_object();
    }
    w.end_array();
    w.name(k!("SharingGroupServer"));
    w.begin_array();
    for server in &group.servers {
        w.begin_object();
        w.flag(k!("all_orgs"), server.all_orgs);
        w.num(k!("server_id"), server.server_id);
        w.num(k!("sharing_group_id"), group.id);
        w.list(k!("Server"), b"");
        w.end_object();
    }
    w.end_array();
    w.flag(k!("editable"), rights.editable);
    w.flag(k!("deletable"), rights.deletable);
    w.end_object();
}

fn columns(w: &mut JsonWriter<'_>, group: &SharingGroup) {
    w.num(k!("id"), group.id);
    w.text(k!("name"), &group.name);
    w.text(k!("releasability"), &group.releasability);
    w.text(k!("description"), &group.description);
    w.id(k!("uuid"), group.uuid);
    w.id(k!("organisation_uuid"), group.organisation_uuid);
    w.num(k!("org_id"), group.org_id);
    w.num(k!("sync_user_id"), group.sync_user_id);
    w.flag(k!("active"), group.active);
    w.datetime(k!("created"), group.created);
    w.datetime(k!("modified"), group.modified);
    w.flag(k!("local"), group.local);
    w.flag(k!("roaming"), group.roaming);
}

fn member_columns(w: &mut JsonWriter<'_>, group_id: i64, member: &Member) {
    w.num(k!("id"), member.id);
    w.num(k!("sharing_group_id"), group_id);
    w.num(k!("org_id"), member.org_id);
    w.flag(k!("extend"), member.extend);
}

fn server_columns(w: &mut JsonWriter<'_>, group_id: i64, server: &GroupServer) {
    w.num(k!("id"), server.id);
    w.num(k!("sharing_group_id"), group_id);
    w.num(k!("server_id"), server.server_id);
    w.flag(k!("all_orgs"), server.all_orgs);
}

fn member_org(member: &Member) -> OrgSummary<'_> {
    OrgSummary { id: member.org_id, name: &member.org_name, uuid: member.org_uuid, local: member.org_local }
}
