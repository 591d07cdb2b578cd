//! Changing a custom cluster, publishing it, taking it away.

use super::{check_elements, check_reach, check_value, editable, plain, relation, touch};
use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission};
use pisax_formats::knowledge::stored;
use pisax_model::cluster::ClusterDraft;
use pisax_model::ids::Ref;
use pisax_store::changes::Action;

/// Changes what the draft names. Its elements replace all there were: one that is not listed is gone, as clients
/// leave an empty list out. Relations it lists are added or changed; others stay.
pub fn edit(service: &Service, actor: &Actor, reference: Ref, draft: ClusterDraft) -> Result<i64> {
    service.write(actor, |w| {
        let (mut row, mut owned) = editable(w, reference)?;
        row.meta = check_elements(&draft)?;
        if draft.value.is_some() {
            row.value = check_value(draft.value)?;
        }
        row.description = draft.description.as_deref().map_or(row.description, plain);
        row.source = draft.source.as_deref().map_or(row.source, plain);
        row.authors = draft.authors.map_or(row.authors, |list| stored::texts_text(&list));
        if let Some(distribution) = draft.distribution {
            let had = (owned.distribution, owned.sharing_group_id);
            (owned.distribution, owned.sharing_group_id) =
                check_reach(w, distribution, draft.sharing_group, had)?;
        }
        touch(w, &mut row, &mut owned, Action::Edit)?;
        relation::put_all(w, row.id, row.uuid, &draft.relations)?;
        Ok(row.id)
    })
}

/// Says that the cluster is ready for others.
pub fn publish(service: &Service, actor: &Actor, reference: Ref) -> Result<i64> {
    set_published(service, actor, reference, true)
}

/// Takes a publication back.
pub fn unpublish(service: &Service, actor: &Actor, reference: Ref) -> Result<i64> {
    set_published(service, actor, reference, false)
}

fn set_published(service: &Service, actor: &Actor, reference: Ref, on: bool) -> Result<i64> {
    service.write(actor, |w| {
        let (row, mut owned) = editable(w, reference)?;
        if !actor.has(Permission::Publish) && !actor.sees_all() {
            return Err(Error::Forbidden);
        }
        if owned.published == on {
            let state = if on { "already published" } else { "not published" };
            let verb = if on { "publish" } else { "unpublish" };
            return Err(Error::Refused(format!("You can't {verb} a galaxy cluster that is {state}")));
        }
        owned.published = on;
        w.edit_cluster(&row, &owned, if on { Action::Publish } else { Action::Unpublish })?;
        Ok(row.id)
    })
}

/// Tombstones the cluster, or removes it for good and keeps it from coming back.
pub fn remove(service: &Service, actor: &Actor, reference: Ref, hard: bool) -> Result<i64> {
    service.write(actor, |w| {
        let (mut row, mut owned) = editable(w, reference)?;
        if hard {
            let orgc = w.org(Ref::Id(owned.orgc_id))?.map(|org| org.name).unwrap_or_default();
            w.block_cluster(row.uuid, &row.value, &orgc, "")?;
            w.remove_cluster(&row)?;
        } else {
            owned.deleted = true;
            touch(w, &mut row, &mut owned, Action::SoftDelete)?;
        }
        Ok(row.id)
    })
}

/// Takes the tombstone away.
pub fn restore(service: &Service, actor: &Actor, reference: Ref) -> Result<i64> {
    service.write(actor, |w| {
        let (mut row, mut owned) = editable(w, reference)?;
        owned.deleted = false;
        touch(w, &mut row, &mut owned, Action::Restore)?;
        Ok(row.id)
    })
}
