//! What must not come (back): single events, and all events of some organisations.

use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use pisax_store::blocklist::{BlockedCluster, BlockedEvent, BlockedOrg, Refused};

/// What is noted beside a blocked event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    pub event_info: Option<String>,
    pub event_orgc: Option<String>,
    pub comment: Option<String>,
}

/// All entries, newest first.
pub fn list(service: &Service, actor: &Actor) -> Result<Vec<BlockedEvent>> {
    rules::keeps_blocklist(actor)?;
    service.read(actor, |r| Ok(r.event_blocklist()?))
}

/// Blocks events; those that are blocked already stay as they are.
pub fn add(service: &Service, actor: &Actor, uuids: &[Uuid], note: &Note) -> Result<()> {
    rules::keeps_blocklist(actor)?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    service.write(actor, |w| {
        for uuid in uuids {
            w.block_event(*uuid, &text(&note.event_info), &text(&note.event_orgc), &text(&note.comment))?;
        }
        Ok(())
    })
}

/// Changes what is noted beside an entry, named by its number or the event's uuid.
pub fn edit(service: &Service, actor: &Actor, reference: Ref, note: Note) -> Result<BlockedEvent> {
    rules::keeps_blocklist(actor)?;
    service.write(actor, |w| {
        let mut entry = w.blocked_event(reference)?.ok_or(Error::NotFound("blocklist entry"))?;
        entry.event_info = note.event_info.unwrap_or(entry.event_info);
        entry.event_orgc = note.event_orgc.unwrap_or(entry.event_orgc);
        entry.comment = note.comment.unwrap_or(entry.comment);
        w.edit_blocked_event(&entry)?;
        Ok(entry)
    })
}

/// Lets events come again, together; what is no entry is passed over where another is one.
pub fn remove(service: &Service, actor: &Actor, references: &[Ref]) -> Result<()> {
    rules::keeps_blocklist(actor)?;
    service.write(actor, |w| {
        let mut found = false;
        for reference in references {
            if let Some(entry) = w.blocked_event(*reference)? {
                found |= w.unblock_event(&entry.event_uuid)?;
            }
        }
        some_found(found)
    })
}

pub(crate) fn some_found(found: bool) -> Result<()> {
    if found { Ok(()) } else { Err(Error::NotFound("blocklist entry")) }
}

// ---- Organisations ------------------------------------------------------------------------------------

/// What is noted beside a blocked organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrgNote {
    pub org_name: Option<String>,
    pub comment: Option<String>,
}

/// All organisations whose events, or sightings, are refused, newest first.
pub fn list_orgs(service: &Service, actor: &Actor, what: Refused) -> Result<Vec<BlockedOrg>> {
    rules::site_admin(actor)?;
    service.read(actor, |r| Ok(r.org_blocklist(what)?))
}

/// Refuses the events, or sightings, of organisations from now on; those that are here stay.
pub fn add_orgs(
    service: &Service,
    actor: &Actor,
    what: Refused,
    uuids: &[Uuid],
    note: &OrgNote,
) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        for uuid in uuids {
            let known = w.org(Ref::Uuid(*uuid))?.map(|org| org.name);
            let name = note.org_name.clone().or(known).unwrap_or_default();
            w.block_org(what, *uuid, &name, note.comment.as_deref().unwrap_or_default())?;
        }
        Ok(())
    })
}

/// Changes what is noted beside an entry, named by its number or the organisation's uuid.
pub fn edit_org(
    service: &Service,
    actor: &Actor,
    what: Refused,
    reference: Ref,
    note: OrgNote,
) -> Result<BlockedOrg> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut entry = w.blocked_org(what, reference)?.ok_or(Error::NotFound("blocklist entry"))?;
        entry.org_name = note.org_name.unwrap_or(entry.org_name);
        entry.comment = note.comment.unwrap_or(entry.comment);
        w.edit_blocked_org(what, &entry)?;
        Ok(entry)
    })
}

/// Lets the events, or sightings, of an organisation come again.
pub fn remove_org(service: &Service, actor: &Actor, what: Refused, reference: Ref) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let entry = w.blocked_org(what, reference)?.ok_or(Error::NotFound("blocklist entry"))?;
        Ok(w.unblock_org(what, &entry)?)
    })
}

// ---- Clusters -----------------------------------------------------------------------------------------

/// What is noted beside a blocked galaxy cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterNote {
    pub cluster_info: Option<String>,
    pub cluster_orgc: Option<String>,
    pub comment: Option<String>,
}

/// All entries, newest first: for site admins.
pub fn list_clusters(service: &Service, actor: &Actor) -> Result<Vec<BlockedCluster>> {
    rules::site_admin(actor)?;
    service.read(actor, |r| Ok(r.cluster_blocklist()?))
}

/// Blocks clusters; those that are blocked already stay as they are.
pub fn add_clusters(service: &Service, actor: &Actor, uuids: &[Uuid], note: &ClusterNote) -> Result<()> {
    rules::site_admin(actor)?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    service.write(actor, |w| {
        for uuid in uuids {
            w.block_cluster(
                *uuid,
                &text(&note.cluster_info),
                &text(&note.cluster_orgc),
                &text(&note.comment),
            )?;
        }
        Ok(())
    })
}

/// Changes what is noted beside an entry, named by its number or the cluster's uuid.
pub fn edit_cluster(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    note: ClusterNote,
) -> Result<BlockedCluster> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut entry = w.blocked_cluster(reference)?.ok_or(Error::NotFound("blocklist entry"))?;
        entry.cluster_info = note.cluster_info.unwrap_or(entry.cluster_info);
        entry.cluster_orgc = note.cluster_orgc.unwrap_or(entry.cluster_orgc);
        entry.comment = note.comment.unwrap_or(entry.comment);
        w.edit_blocked_cluster(&entry)?;
        Ok(entry)
    })
}

/// Lets clusters come again, together; what is no entry is passed over where another is one.
pub fn remove_clusters(service: &Service, actor: &Actor, references: &[Ref]) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut found = false;
        for reference in references {
            if let Some(entry) = w.blocked_cluster(*reference)? {
                w.unblock_cluster(&entry)?;
                found = true;
            }
        }
        some_found(found)
    })
}
