//! New analyst data about one record, here or elsewhere.

use super::{author, begin, capture, creator, noun, said_of, too_deep, writes};
use crate::context::Groups;
use crate::error::uuid_taken;
use crate::{Error, Result, Service};
use pisax_access::Actor;
use pisax_model::analyst::{AnalystDraft, DEEPEST, TargetKind};
use pisax_model::{Distribution, FieldError};

/// Adds analyst data; returns its row number. What it is about need not be here, but what is here and hidden
/// from the actor is missing to him.
pub fn add(service: &Service, actor: &Actor, mut draft: AnalystDraft) -> Result<i64> {
    if !writes(actor) {
        return Err(Error::Forbidden);
    }
    let missing = || FieldError::new("object_uuid", "Please provide a valid RFC 4122 UUID");
    let about = draft.object_uuid.ok_or_else(missing)?;
    let named = draft.object_type.take().filter(|name| !name.is_empty());
    let children = std::mem::take(&mut draft.children);
    service.write(actor, |w| {
        let kind = match &named {
            Some(name) => TargetKind::from_name(name),
            None => w.analyst_target_kind(&about)?,
        };
        let kind = kind.ok_or_else(|| FieldError::new("object_type", "Invalid object type."))?;
        let target = w.analyst_targets(&[about])?.remove(&about);
        if target.is_some_and(|t| !t.visible) {
            return Err(Error::NotFound(noun(kind)));
        }
        if w.analyst_depth(about)? > DEEPEST {
            return Err(too_deep());
        }
        let mut data = begin(w, &draft, (about, kind), target.map_or(0, |t| t.event_id))?;
        if !w.known_analyst_data(&[data.uuid])?.is_empty() {
            return Err(uuid_taken().into());
        }
        if !w.blocked_analyst_data_among(&[data.uuid])?.is_empty() {
            return Err(Error::Refused("Blocked by blocklist".into()));
        }
        data.orgc_id = creator(w, &draft)?;
        if data.authors.is_empty() {
            data.authors = author(w)?;
        }
        if data.distribution == Distribution::SharingGroup.code() {
            data.sharing_group_id = Groups::default().usable(w, draft.sharing_group)?;
        }
        let id = w.insert_analyst_data(&data)?;
        capture(w, said_of(children, data.uuid, data.kind.into()))?;
        Ok(id)
    })
}
