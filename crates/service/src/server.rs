//! Other servers that this one is connected with. Site admins define them; nothing here synchronises.

use crate::peer::state;
use crate::{Error, Result, Service, auth_key, rules};
use pisax_access::{Actor, Permission};
use pisax_model::FieldError;
use pisax_model::ids::Ref;
use pisax_model::org::{Org, OrgRef};
use pisax_model::server::{Server, ServerDraft};
use pisax_store::Writer;

/// The servers the actor sees, by row number.
pub fn list(service: &Service, actor: &Actor, search: Option<&str>) -> Result<Vec<Server>> {
    service.read(actor, |r| Ok(r.servers(search)?))
}

/// Connects a server, on behalf of the actor's organisation.
pub fn add(service: &Service, actor: &Actor, draft: ServerDraft) -> Result<Server> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut server = Server::blank(actor.org_id);
        if draft.remote_org.is_none() {
            return Err(FieldError::new(
                "Organisation",
                "Remote Organisation's id/uuid not given (remote_org_id)",
            )
            .into());
        }
        change(service, w, &mut server, draft)?;
        stored(w, &server)
    })
}

fn stored(w: &mut Writer<'_>, server: &Server) -> Result<Server> {
    let id = w.add_server(server)?;
    push_from_now(w, id)?;
    w.server(id)?.ok_or(Error::NotFound("server"))
}

/// What is published from now on is pushed by itself; what was before is what a full push is for.
fn push_from_now(w: &mut Writer<'_>, id: i64) -> Result<()> {
    let newest = w.newest_change()?.to_string();
    Ok(w.set_peer_state(id, state::PUSH_CURSOR, &newest)?)
}

/// Changes what the draft names.
pub fn edit(service: &Service, actor: &Actor, id: i64, draft: ServerDraft) -> Result<Server> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let old = w.server(id)?.ok_or(Error::NotFound("server"))?;
        let mut server = old.clone();
        change(service, w, &mut server, draft)?;
        w.edit_server(&old, &server)?;
        let pushes = |server: &Server| server.push || server.push_sightings;
        if pushes(&server) && !pushes(&old) {
            push_from_now(w, id)?;
        }
        Ok(server)
    })
}

fn change(service: &Service, w: &mut Writer<'_>, server: &mut Server, mut draft: ServerDraft) -> Result<()> {
    if let Some(reference) = draft.remote_org.take() {
        let org = w.org(reference)?;
        let missing = || FieldError::new("Organisation", "Invalid Remote Organisation");
        server.remote_org_id = org.ok_or_else(missing)?.id;
    }
    server.apply(draft)?;
    // Internal is what the organisation that runs this instance runs as well.
    server.internal &= server.remote_org_id == service.policy.host_org_id;
    if server.name.is_empty() {
        server.name = server.url.clone();
    }
    Ok(())
}

/// Connects a server as [`sync_description`] on that server describes it.
pub fn import(service: &Service, actor: &Actor, draft: ServerDraft, org: &OrgRef) -> Result<Server> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let missing = || FieldError::new("Organisation", "Invalid Remote Organisation");
        let org_id = w.capture_org(org)?.ok_or_else(missing)?;
        let mut server = Server::blank(actor.org_id);
        change(service, w, &mut server, ServerDraft { remote_org: Some(Ref::Id(org_id)), ..draft })?;
        stored(w, &server)
    })
}

pub fn delete(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let server = w.server(id)?.ok_or(Error::NotFound("server"))?;
        Ok(w.delete_server(&server)?)
    })
}

/// Moves a server before or behind its neighbour in the order of priority; returns whether it had one.
pub fn reprioritise(service: &Service, actor: &Actor, id: i64, up: bool) -> Result<bool> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut servers = w.servers(None)?;
        servers.sort_by_key(|s| (s.priority, s.id));
        let place = servers.iter().position(|s| s.id == id).ok_or(Error::NotFound("server"))?;
        let other = if up { place.checked_sub(1) } else { Some(place + 1).filter(|p| *p < servers.len()) };
        let Some(other) = other else { return Ok(false) };
        servers.swap(place, other);
        for (priority, server) in servers.iter().enumerate() {
            let new = Server { priority: priority as i64 + 1, ..server.clone() };
            if new != *server {
                w.edit_server(server, &new)?;
            }
        }
        Ok(true)
    })
}

/// What another server needs to connect to this one.
pub struct SyncDescription {
    /// Shown this once.
    pub key: String,
    pub org: Org,
}

/// Makes a key for the actor and describes this instance to the server that will use it. Not for site admins:
/// their keys can do too much to be given away.
pub fn sync_description(service: &Service, actor: &Actor) -> Result<SyncDescription> {
    if actor.sees_all() {
        let why = "Site admin accounts cannot be used to create server sync configurations.";
        return Err(Error::Refused(why.into()));
    }
    if !actor.has(Permission::Sync) {
        return Err(Error::Forbidden);
    }
    let org = service.read(actor, |r| Ok(r.org(Ref::Id(service.policy.host_org_id))?))?;
    let org = org.ok_or(Error::NotFound("organisation"))?;
    let comment = Some("Made for a server that synchronises with this one.".to_owned());
    let draft = auth_key::KeyDraft { comment, ..auth_key::KeyDraft::default() };
    let new = auth_key::add(service, actor, actor.user_id, draft)?;
    Ok(SyncDescription { key: new.raw, org })
}
