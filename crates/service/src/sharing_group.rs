//! Sharing groups: named sets of organisations.

mod capture;
mod whole;

pub(crate) use capture::capture;
pub use whole::{org_ref, whole};

use crate::{Error, Result, Service, org, rules};
use pisax_access::{Actor, Permission};
use pisax_model::FieldError;
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::org::Org;
use pisax_model::sharing::{GroupServer, Member, MemberDraft, ServerDraft, SharingGroup, SharingGroupDraft};
use pisax_model::transit::sharing::is_server;
use pisax_store::{Reader, Writer};

/// This instance, in a group's list of servers.
const HERE: i64 = 0;

/// Whether the actor may change the group, and whether he may delete it.
pub fn rights(actor: &Actor, group: &SharingGroup) -> (bool, bool) {
    (rules::edits_group(actor, group), rules::owns_group(actor, group))
}

/// Adds a group. Its maker is no member of himself: who is not a site admin has to list his own organisation,
/// or he would make a group he does not see into. Unless it roams, it is of this server.
pub fn add(service: &Service, actor: &Actor, draft: SharingGroupDraft) -> Result<SharingGroup> {
    if !actor.has(Permission::SharingGroup) && !actor.sees_all() {
        return Err(Error::Forbidden);
    }
    let name = check_name(draft.name.as_deref())?;
    if draft.bad_uuid {
        return Err(FieldError::new("uuid", "Please provide a valid RFC 4122 UUID").into());
    }
    let uuid = draft.uuid.unwrap_or_else(|| new_uuid(service.clock.now_ms()));
    service.write(actor, |w| {
        let owner = owner(w, &draft)?;
        let members = members(w, draft.orgs.as_deref().unwrap_or_default())?;
        if !actor.sees_all() && !members.iter().any(|m| m.org_id == actor.org_id) {
            return Err(Error::Refused("The sharing group has to contain your own organisation.".into()));
        }
        let roaming = draft.roaming.unwrap_or(false);
        let mut servers = servers(w, draft.servers.as_deref().unwrap_or_default())?;
        if servers.is_empty() && !roaming {
            servers.push(GroupServer { id: 0, server_id: HERE, all_orgs: false });
        }
        let group = SharingGroup {
            id: 0,
            uuid,
            name,
            releasability: draft.releasability.unwrap_or_default(),
            description: draft.description.unwrap_or_default(),
            organisation_uuid: owner.uuid,
            org_id: owner.id,
            sync_user_id: actor.user_id,
            active: draft.active.unwrap_or(true),
            local: false,
            roaming,
            created: 0,
            modified: 0,
            members,
            servers,
        };
        let id = w.add_sharing_group(&group).map_err(taken)?;
        w.sharing_group(Ref::Id(id))?.ok_or(Error::NotFound("sharing group"))
    })
}

/// Changes what the draft names. Organisations and servers it lists are added or changed; those it leaves out
/// stay, as children of an event do.
pub fn edit(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    draft: SharingGroupDraft,
) -> Result<SharingGroup> {
    service.write(actor, |w| {
        let mut group = editable(w, reference)?;
        if let Some(name) = &draft.name {
            group.name = check_name(Some(name))?;
        }
        group.releasability = draft.releasability.unwrap_or(group.releasability);
        group.description = draft.description.unwrap_or(group.description);
        group.active = draft.active.unwrap_or(group.active);
        group.roaming = draft.roaming.unwrap_or(group.roaming);
        w.edit_sharing_group(&group).map_err(taken)?;
        for member in members(w, draft.orgs.as_deref().unwrap_or_default())? {
            w.add_sharing_group_org(group.id, member.org_id, member.extend)?;
        }
        let mut servers = servers(w, draft.servers.as_deref().unwrap_or_default())?;
        if servers.is_empty() && group.servers.is_empty() && !group.roaming {
            servers.push(GroupServer { id: 0, server_id: HERE, all_orgs: false });
        }
        for server in servers {
            w.add_sharing_group_server(group.id, server.server_id, server.all_orgs)?;
        }
        w.sharing_group(Ref::Id(group.id))?.ok_or(Error::NotFound("sharing group"))
    })
}

/// Deletes a group that nothing is distributed to.
pub fn delete(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    service.write(actor, |w| {
        let group = seen(w, reference)?;
        if !rules::owns_group(actor, &group) {
            return Err(Error::Forbidden);
        }
        w.delete_sharing_group(group.id).map_err(|error| match error {
            pisax_store::Error::Conflict(_) => {
                FieldError::new("sharing_group", "Events, objects or attributes are shared with it.").into()
            }
            other => other.into(),
        })
    })
}

/// Adds an organisation (by number, uuid or name), or changes whether it may extend the group.
pub fn add_org(service: &Service, actor: &Actor, reference: Ref, name: &str, extend: bool) -> Result<()> {
    service.write(actor, |w| {
        let group = editable(w, reference)?;
        let org = known_org(w, name)?;
        Ok(w.add_sharing_group_org(group.id, org.id, extend)?)
    })
}

/// Takes an organisation out of the group.
pub fn remove_org(service: &Service, actor: &Actor, reference: Ref, name: &str) -> Result<()> {
    service.write(actor, |w| {
        let group = editable(w, reference)?;
        let org = known_org(w, name)?;
        let removed = w.remove_sharing_group_org(group.id, org.id)?;
        if removed {
            Ok(())
        } else {
            Err(Error::Refused("The organisation is not in the sharing group.".into()))
        }
    })
}

/// Adds a server, or changes whether all its organisations belong to the group.
pub fn add_server(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    name: &str,
    all_orgs: bool,
) -> Result<()> {
    service.write(actor, |w| {
        let group = editable(w, reference)?;
        let server = known_server(w, service, name)?;
        Ok(w.add_sharing_group_server(group.id, server, all_orgs)?)
    })
}

/// Takes a server out of the group.
pub fn remove_server(service: &Service, actor: &Actor, reference: Ref, name: &str) -> Result<()> {
    service.write(actor, |w| {
        let group = editable(w, reference)?;
        let server = known_server(w, service, name)?;
        let removed = w.remove_sharing_group_server(group.id, server)?;
        if removed { Ok(()) } else { Err(Error::Refused("The server is not in the sharing group.".into())) }
    })
}

/// A group the actor sees, as it is once nobody else can change it.
fn seen(w: &mut Writer<'_>, reference: Ref) -> Result<SharingGroup> {
    let missing = || Error::NotFound("sharing group");
    let id = w.sharing_group(reference)?.ok_or_else(missing)?.id;
    w.lock_sharing_group(id)?;
    w.sharing_group(Ref::Id(id))?.ok_or_else(missing)
}

fn editable(w: &mut Writer<'_>, reference: Ref) -> Result<SharingGroup> {
    let group = seen(w, reference)?;
    if rules::edits_group(w.actor(), &group) { Ok(group) } else { Err(Error::Forbidden) }
}

fn check_name(name: Option<&str>) -> Result<String, FieldError> {
    match name.map(str::trim) {
        None | Some("") => Err(FieldError::new("name", "The name cannot be empty.")),
        Some(name) => Ok(name.to_owned()),
    }
}

/// Site admins and sync users may speak for another organisation that is known here.
fn owner(w: &mut Writer<'_>, draft: &SharingGroupDraft) -> Result<Org> {
    let speaks = w.actor().sees_all() || w.actor().has(Permission::Sync);
    let own = Ref::Id(w.actor().org_id);
    let asked = draft.organisation_uuid.filter(|_| speaks).map_or(own, Ref::Uuid);
    let owner = w.org(asked)?;
    Ok(owner.ok_or_else(|| FieldError::new("organisation_uuid", "There is no such organisation."))?)
}

fn members(w: &mut Writer<'_>, drafts: &[MemberDraft]) -> Result<Vec<Member>> {
    drafts.iter().map(|draft| member(w, draft)).collect()
}

fn member(w: &mut Writer<'_>, draft: &MemberDraft) -> Result<Member> {
    let speaks = w.actor().sees_all() || w.actor().has(Permission::Sync);
    let by_uuid = draft.org_ref.uuid.map(Ref::Uuid);
    let org = match (by_uuid, draft.org) {
        // The uuid says who is meant; a row number from elsewhere means somebody else here.
        (Some(reference), _) => match w.org(reference)? {
            None if speaks => match w.capture_org(&draft.org_ref)? {
                Some(id) => w.org(Ref::Id(id))?,
                None => None,
            },
            known => known,
        },
        (None, Some(reference)) => w.org(reference)?,
        (None, None) => match &draft.org_ref.name {
            Some(name) => w.org_by_name(name)?,
            None => None,
        },
    };
    let org = org.ok_or_else(|| FieldError::new("SharingGroupOrg", "There is no such organisation."))?;
    Ok(Member {
        id: 0,
        org_id: org.id,
        org_name: org.name,
        org_uuid: org.uuid,
        org_local: org.local,
        extend: draft.extend,
    })
}

/// Servers by number: this one, or connected ones.
fn servers(r: &mut Reader<'_>, drafts: &[ServerDraft]) -> Result<Vec<GroupServer>> {
    let known = if drafts.iter().any(|draft| draft.server_id != HERE) {
        r.server_addresses()?
    } else {
        Default::default()
    };
    let known = |draft: &ServerDraft| {
        let server = GroupServer { id: 0, server_id: draft.server_id, all_orgs: draft.all_orgs };
        let unknown = || FieldError::new("SharingGroupServer", "There is no such server.");
        let here = draft.server_id == HERE || known.contains_key(&draft.server_id);
        if here { Ok(server) } else { Err(Error::from(unknown())) }
    };
    drafts.iter().map(known).collect()
}

fn known_org(w: &mut Writer<'_>, name: &str) -> Result<Org> {
    org::find(w, name)?.ok_or(Error::NotFound("organisation"))
}

/// This server or a connected one, by number, address or name; MISP calls this one `Local instance`.
fn known_server(r: &mut Reader<'_>, service: &Service, name: &str) -> Result<i64> {
    let name = name.trim().trim_end_matches('/');
    if name == "0" || name == service.policy.base_url || name.eq_ignore_ascii_case("Local instance") {
        return Ok(HERE);
    }
    let known = r.server_addresses()?;
    if let Some(id) = name.parse().ok().filter(|id| known.contains_key(id)) {
        return Ok(id);
    }
    let named = known.iter().find(|(_, server)| is_server(Some(name), &server.url) || server.name == name);
    named.map(|(id, _)| *id).ok_or(Error::NotFound("server"))
}

fn taken(error: pisax_store::Error) -> Error {
    match error {
        pisax_store::Error::Conflict("uuid") => {
            FieldError::new("uuid", "A sharing group with this UUID already exists.").into()
        }
        pisax_store::Error::Conflict(_) => {
            FieldError::new("name", "A sharing group with this name already exists.").into()
        }
        other => other.into(),
    }
}
