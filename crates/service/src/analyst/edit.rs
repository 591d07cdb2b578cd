//! Changing and deleting analyst data.

use super::{capture, said_of, writes};
use crate::context::Groups;
use crate::{Error, Result, Service};
use pisax_access::Actor;
use pisax_access::edit::may_edit_analyst_data;
use pisax_model::analyst::{AnalystData, AnalystDraft, AnalystKind};
use pisax_model::ids::Ref;
use pisax_store::Writer;

/// The stored data, if the actor sees it and may change it.
fn for_edit(w: &mut Writer<'_>, kind: Option<AnalystKind>, reference: Ref) -> Result<AnalystData> {
    let data = w.analyst_data(kind, reference)?.ok_or(Error::NotFound("analyst data"))?;
    let may = writes(w.actor()) && may_edit_analyst_data(w.actor(), data.orgc_id);
    if may { Ok(data) } else { Err(Error::Forbidden) }
}

/// Changes analyst data of the actor's organisation; returns its row number. What is said about it in the same
/// request is added.
pub fn edit(
    service: &Service,
    actor: &Actor,
    kind: Option<AnalystKind>,
    reference: Ref,
    draft: AnalystDraft,
) -> Result<i64> {
    service.write(actor, |w| {
        let old = for_edit(w, kind, reference)?;
        let mut new = old.clone();
        new.take(&draft)?;
        new.complete()?;
        new.sharing_group_id = match new.distribution {
            // Who repeats the group it already has needs no new right to it.
            4 if old.distribution == 4
                && draft.sharing_group.is_none_or(|g| g == Ref::Id(old.sharing_group_id)) =>
            {
                old.sharing_group_id
            }
            4 => Groups::default().usable(w, draft.sharing_group)?,
            _ => 0,
        };
        new.modified = w.now();
        w.update_analyst_data(&old, &new)?;
        capture(w, said_of(draft.children, old.uuid, old.kind.into()))?;
        Ok(old.id)
    })
}

/// Deletes analyst data of the actor's organisation for good and blocks its uuid, so that a peer cannot bring it
/// back. What is said about it stays, unless it was hidden by what goes. Returns what it was.
pub fn remove(
    service: &Service,
    actor: &Actor,
    kind: Option<AnalystKind>,
    reference: Ref,
) -> Result<AnalystData> {
    service.write(actor, |w| {
        let data = for_edit(w, kind, reference)?;
        let orgc = w.org(Ref::Id(data.orgc_id))?.map(|org| org.name).unwrap_or_default();
        w.block_analyst_data(data.uuid, &data.title(), &orgc, "")?;
        w.remove_analyst_data(&data)?;
        Ok(data)
    })
}
