//! Sharing groups that come along with what is shared with them (semantics 7.5). A group is known by its uuid alone.

use super::HERE;
use crate::Result;
use crate::event::Source;
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use pisax_model::org::OrgRef;
use pisax_model::sharing::{GroupServer, Member, SharingGroup, SharingGroupDraft};
use pisax_model::transit::sharing::is_server;
use pisax_store::Writer;

/// The row number of a group that may be used for what comes from there: known, or taken over as it was sent. None
/// where the group does not reach who brings it.
pub(crate) fn capture(
    w: &mut Writer<'_>,
    base_url: &str,
    from: &Source,
    draft: &SharingGroupDraft,
) -> Result<Option<i64>> {
    let Some(uuid) = draft.uuid else { return Ok(None) };
    match w.sharing_group_to_capture(&uuid)? {
        Some(known) if may_change(w, from, &known, draft)? => change(w, base_url, known, draft)?,
        Some(_) => {}
        None if may_create(w, base_url, from, draft)? => create(w, base_url, from, uuid, draft)?,
        None => return Ok(None),
    }
    let group = w.sharing_group_to_capture(&uuid)?.filter(|group| group.active);
    let trusted = w.actor().sees_all() && !from.is_link();
    Ok(group.filter(|group| trusted || reaches(group, from.org_id)).map(|group| group.id))
}

/// Whether the organisation gets what is shared with the group.
fn reaches(group: &SharingGroup, org_id: i64) -> bool {
    group.org_id == org_id
        || group.members.iter().any(|member| member.org_id == org_id)
        || group.servers.iter().any(|server| server.server_id == HERE && server.all_orgs)
}

/// What is newer there counts where the group's owner says it, or somebody who is in the group of an owner that is
/// not here. Otherwise a stranger could write himself into a group, and be sent what is shared with it.
fn may_change(
    w: &mut Writer<'_>,
    from: &Source,
    known: &SharingGroup,
    draft: &SharingGroupDraft,
) -> Result<bool> {
    if draft.modified.is_none_or(|modified| modified <= known.modified) {
        return Ok(false);
    }
    if from.internal || from.is_of(known.org_id) {
        return Ok(true);
    }
    let owner_is_here = w.org(Ref::Id(known.org_id))?.is_none_or(|org| org.local);
    Ok(!known.local && !owner_is_here && is_in(known, from))
}

/// Whether the other side is in the group: who runs it, or the server itself; for who pushes, his organisation. That
/// this side is in it says nothing of the other.
fn is_in(group: &SharingGroup, from: &Source) -> bool {
    match from.server_id {
        None => reaches(group, from.org_id),
        Some(id) => {
            group.members.iter().any(|member| member.org_id == from.remote_org_id)
                || group.servers.iter().any(|server| server.server_id == id)
        }
    }
}

/// A link's group comes with what the link was let see; who pushes has to be in the group.
fn may_create(w: &mut Writer<'_>, base_url: &str, from: &Source, draft: &SharingGroupDraft) -> Result<bool> {
    if !from.may_create_groups || name(draft).is_none() {
        return Ok(false);
    }
    if from.internal {
        return Ok(true);
    }
    if claims_to_be_of_here(w, from, draft)? {
        return Ok(false);
    }
    if from.is_link() {
        return Ok(true);
    }
    let own = w.org(Ref::Id(from.org_id))?.map(|org| org.uuid);
    let members = draft.orgs.as_deref().unwrap_or_default();
    let listed = members.iter().any(|member| own.is_some() && member.org_ref.uuid == own);
    let servers = draft.servers.as_deref().unwrap_or_default();
    let all = servers.iter().any(|server| server.all_orgs && is_server(server.url.as_deref(), base_url));
    Ok(listed || all)
}

/// Whether a stranger says that an organisation of this instance made the group: those make theirs here.
fn claims_to_be_of_here(w: &mut Writer<'_>, from: &Source, draft: &SharingGroupDraft) -> Result<bool> {
    let named = draft.organisation.as_ref().and_then(|org| org.uuid);
    for uuid in draft.organisation_uuid.into_iter().chain(named) {
        if w.org(Ref::Uuid(uuid))?.is_some_and(|org| org.local && !from.is_of(org.id)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn create(
    w: &mut Writer<'_>,
    base_url: &str,
    from: &Source,
    uuid: Uuid,
    draft: &SharingGroupDraft,
) -> Result<()> {
    let owner = owner(w, from, draft)?;
    let organisation_uuid = match draft.organisation_uuid {
        Some(uuid) => uuid,
        None => w.org(Ref::Id(owner))?.map(|org| org.uuid).unwrap_or_default(),
    };
    let mut members = members(w, draft)?;
    let servers = servers(w, base_url, draft)?;
    let mut group = SharingGroup {
        id: 0,
        uuid,
        name: free_name(w, name(draft).unwrap_or_default(), uuid, 0)?,
        releasability: draft.releasability.clone().unwrap_or_default(),
        description: draft.description.clone().unwrap_or_default(),
        organisation_uuid,
        org_id: owner,
        sync_user_id: w.actor().user_id,
        active: draft.active.unwrap_or(true),
        local: false,
        roaming: draft.roaming.unwrap_or(false),
        created: 0,
        modified: 0,
        members: Vec::new(),
        servers,
    };
    group.members.append(&mut members);
    if from.is_link() && !reaches(&group, from.org_id) {
        // We were shown what is shared with it, so we are in it, by whatever name.
        group.members.push(member(w, from.org_id, false)?);
    }
    let id = w.add_sharing_group(&group)?;
    date(w, id, draft)
}

/// Organisations and servers are added, and changed in what they may; those that are not listed stay, as a list may
/// have been hidden from who sends it.
fn change(
    w: &mut Writer<'_>,
    base_url: &str,
    mut group: SharingGroup,
    draft: &SharingGroupDraft,
) -> Result<()> {
    if let Some(name) = name(draft).filter(|name| *name != group.name) {
        group.name = free_name(w, name, group.uuid, group.id)?;
    }
    for (field, sent) in
        [(&mut group.releasability, &draft.releasability), (&mut group.description, &draft.description)]
    {
        if let Some(sent) = sent {
            field.clone_from(sent);
        }
    }
    group.roaming = draft.roaming.unwrap_or(group.roaming);
    w.edit_sharing_group(&group)?;
    for member in members(w, draft)? {
        let same = |known: &Member| known.org_id == member.org_id && known.extend == member.extend;
        if !group.members.iter().any(same) {
            w.add_sharing_group_org(group.id, member.org_id, member.extend)?;
        }
    }
    for server in servers(w, base_url, draft)? {
        let same =
            |known: &GroupServer| known.server_id == server.server_id && known.all_orgs == server.all_orgs;
        if !group.servers.iter().any(same) {
            w.add_sharing_group_server(group.id, server.server_id, server.all_orgs)?;
        }
    }
    date(w, group.id, draft)
}

fn date(w: &mut Writer<'_>, id: i64, draft: &SharingGroupDraft) -> Result<()> {
    match draft.modified {
        Some(modified) => Ok(w.date_sharing_group(id, modified)?),
        None => Ok(()),
    }
}

fn name(draft: &SharingGroupDraft) -> Option<&str> {
    draft.name.as_deref().map(str::trim).filter(|name| !name.is_empty())
}

/// A name that another group has gets the beginning of the uuid appended, as MISP appends a number.
fn free_name(w: &mut Writer<'_>, name: &str, uuid: Uuid, but: i64) -> Result<String> {
    if !w.sharing_group_name_taken(name, but)? {
        return Ok(name.to_owned());
    }
    let digits = uuid.simple().to_string();
    let short = format!("{name}_{}", &digits[..4]);
    if w.sharing_group_name_taken(&short, but)? { Ok(format!("{name}_{digits}")) } else { Ok(short) }
}

/// Who the group says made it, or who brings it.
fn owner(w: &mut Writer<'_>, from: &Source, draft: &SharingGroupDraft) -> Result<i64> {
    let of_members = draft.orgs.iter().flatten().map(|member| &member.org_ref);
    let named =
        draft.organisation.iter().chain(of_members).find(|org| {
            org.uuid.is_some() && draft.organisation_uuid.is_none_or(|uuid| org.uuid == Some(uuid))
        });
    let found = match named {
        Some(org) => w.capture_org(&by_uuid(org))?,
        None => match draft.organisation_uuid {
            Some(uuid) => w.org(Ref::Uuid(uuid))?.map(|org| org.id),
            None => None,
        },
    };
    Ok(found.unwrap_or(if from.is_link() { from.remote_org_id } else { from.org_id }))
}

/// Those that come with a uuid; a name alone could be anybody's.
fn members(w: &mut Writer<'_>, draft: &SharingGroupDraft) -> Result<Vec<Member>> {
    let mut members: Vec<Member> = Vec::new();
    for sent in draft.orgs.iter().flatten().filter(|member| member.org_ref.uuid.is_some()) {
        let Some(id) = w.capture_org(&by_uuid(&sent.org_ref))? else { continue };
        if !members.iter().any(|known| known.org_id == id) {
            members.push(member(w, id, sent.extend)?);
        }
    }
    Ok(members)
}

fn member(w: &mut Writer<'_>, org_id: i64, extend: bool) -> Result<Member> {
    let org = w.org(Ref::Id(org_id))?.ok_or(crate::Error::NotFound("organisation"))?;
    Ok(Member { id: 0, org_id, org_name: org.name, org_uuid: org.uuid, org_local: org.local, extend })
}

fn by_uuid(org: &OrgRef) -> OrgRef {
    OrgRef { id: None, ..org.clone() }
}

/// This server and those it has a link with, by address; others are not known here.
fn servers(w: &mut Writer<'_>, base_url: &str, draft: &SharingGroupDraft) -> Result<Vec<GroupServer>> {
    let sent = draft.servers.as_deref().unwrap_or_default();
    let known = if sent.is_empty() { Default::default() } else { w.server_addresses()? };
    let mut servers: Vec<GroupServer> = Vec::new();
    for server in sent {
        let url = server.url.as_deref();
        let id = if is_server(url, base_url) {
            Some(HERE)
        } else {
            known.iter().filter(|(_, known)| is_server(url, &known.url)).map(|(id, _)| *id).min()
        };
        if let Some(server_id) = id.filter(|id| !servers.iter().any(|s| s.server_id == *id)) {
            servers.push(GroupServer { id: 0, server_id, all_orgs: server.all_orgs });
        }
    }
    Ok(servers)
}
