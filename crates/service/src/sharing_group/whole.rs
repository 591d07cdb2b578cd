//! Sharing groups as they travel with what is shared with them: whole, known by uuids and addresses.

use crate::Result;
use pisax_model::Uuid;
use pisax_model::org::OrgRef;
use pisax_model::sharing::{MemberDraft, ServerDraft, SharingGroup, SharingGroupDraft};
use pisax_store::Reader;
use pisax_store::orgs::OrgName;
use rustc_hash::FxHashMap;

/// Those of these groups that the actor sees, in a few statements. This instance is named by its address in them.
pub fn whole(r: &mut Reader<'_>, ids: &[i64], base_url: &str) -> Result<FxHashMap<i64, SharingGroupDraft>> {
    if ids.is_empty() {
        return Ok(FxHashMap::default());
    }
    let found = r.sharing_groups_by_ids(ids)?;
    let owners: Vec<i64> = found.values().map(|group| group.org_id).collect();
    let owners = r.org_names(&owners)?;
    let servers = r.server_addresses()?;
    let mut groups = FxHashMap::default();
    for (id, group) in found {
        let owner = owners.get(&group.org_id).cloned().map(org_ref);
        let servers = group.servers.iter().filter_map(|listed| {
            let (name, url) = match listed.server_id {
                0 => (base_url, base_url),
                id => servers.get(&id).map(|s| (s.name.as_str(), s.url.as_str()))?,
            };
            Some(ServerDraft {
                server_id: 0,
                all_orgs: listed.all_orgs,
                name: Some(name.to_owned()),
                url: Some(url.to_owned()),
            })
        });
        let servers = servers.collect();
        groups.insert(id, draft(group, owner, servers));
    }
    Ok(groups)
}

/// An organisation as other servers know it.
pub fn org_ref(org: OrgName) -> OrgRef {
    OrgRef { id: None, uuid: Some(org.uuid), name: Some(org.name) }
}

fn draft(group: SharingGroup, organisation: Option<OrgRef>, servers: Vec<ServerDraft>) -> SharingGroupDraft {
    let member = |uuid: Uuid, name: String| OrgRef { id: None, uuid: Some(uuid), name: Some(name) };
    let members = group.members.into_iter().map(|m| MemberDraft {
        org: None,
        org_ref: member(m.org_uuid, m.org_name),
        extend: m.extend,
    });
    SharingGroupDraft {
        uuid: Some(group.uuid),
        bad_uuid: false,
        name: Some(group.name),
        releasability: Some(group.releasability),
        description: Some(group.description),
        active: Some(group.active),
        roaming: Some(group.roaming),
        organisation_uuid: Some(group.organisation_uuid),
        organisation,
        modified: Some(group.modified),
        orgs: Some(members.collect()),
        servers: Some(servers),
    }
}
