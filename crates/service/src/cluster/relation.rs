//! Relations of custom clusters.

use super::{check_reach, editable, plain, touch};
use crate::context::Tags;
use crate::{Error, Result, Service};
use pisax_access::Actor;
use pisax_model::cluster::RelationDraft;
use pisax_model::ids::Ref;
use pisax_model::tag::TagDraft;
use pisax_model::{FieldError, Uuid};
use pisax_store::Writer;
use pisax_store::changes::Action;
use pisax_store::cluster_relations::NewRelation;

/// MISP's default for what hangs on a cluster.
const DEFAULT_DISTRIBUTION: i64 = 3;
/// Most relations of one cluster that one call may bring.
const MOST: usize = 5_000;

/// Longest kind in bytes.
const MAX_KIND: usize = 255;

/// Adds a relation to a cluster that the actor may change; its target has to be one he sees. Returns its number.
pub fn add(service: &Service, actor: &Actor, draft: &RelationDraft) -> Result<i64> {
    service.write(actor, |w| {
        let source = draft.cluster.ok_or(Error::NotFound("cluster"))?;
        let (mut row, mut owned) = editable(w, source)?;
        let target = seen_target(w, draft)?;
        let new = checked(w, draft, target, (0, 0))?;
        let around = w.relations_around(&[row.id], &[])?;
        let same = |r: &pisax_store::cluster_relations::RelationRow| {
            r.referenced_uuid == new.referenced_uuid && r.kind == new.kind
        };
        if around.iter().any(same) {
            return Err(Error::Refused("Relation already exists".into()));
        }
        let id = w.put_relation(row.id, row.uuid, &new)?;
        touch(w, &mut row, &mut owned, Action::Edit)?;
        Ok(id)
    })
}

/// Changes a relation; what the draft does not name stays.
pub fn edit(service: &Service, actor: &Actor, id: i64, draft: &RelationDraft) -> Result<()> {
    service.write(actor, |w| {
        let stored = w.cluster_relation(id)?.ok_or(Error::NotFound("relation"))?;
        let (mut row, mut owned) = editable(w, Ref::Id(stored.cluster_id))?;
        // Behind the lock: somebody may have taken it away.
        let stored = w.cluster_relation(id)?.ok_or(Error::NotFound("relation"))?;
        let target = match draft.referenced {
            None => stored.referenced_uuid,
            Some(Ref::Uuid(uuid)) if uuid == stored.referenced_uuid => uuid,
            Some(_) => seen_target(w, draft)?,
        };
        let draft = RelationDraft {
            kind: draft.kind.clone().or_else(|| Some(stored.kind.clone())),
            distribution: draft.distribution.or(Some(stored.distribution)),
            ..draft.clone()
        };
        let new = checked(w, &draft, target, (stored.distribution, stored.sharing_group_id))?;
        w.edit_relation(&stored, &new)?;
        touch(w, &mut row, &mut owned, Action::Edit)
    })
}

/// Removes a relation.
pub fn remove(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    service.write(actor, |w| {
        let stored = w.cluster_relation(id)?.ok_or(Error::NotFound("relation"))?;
        let (mut row, mut owned) = editable(w, Ref::Id(stored.cluster_id))?;
        let stored = w.cluster_relation(id)?.ok_or(Error::NotFound("relation"))?;
        w.delete_relation(&stored)?;
        touch(w, &mut row, &mut owned, Action::Edit)
    })
}

/// The relations that a cluster brings. Their targets may be unknown here; those that name none are left out.
pub(super) fn put_all(w: &mut Writer<'_>, cluster: i64, uuid: Uuid, drafts: &[RelationDraft]) -> Result<()> {
    check_number(drafts)?;
    for draft in drafts {
        let target = match draft.referenced {
            Some(Ref::Uuid(uuid)) => Some(uuid),
            Some(Ref::Id(_)) => seen_target(w, draft).ok(),
            None => None,
        };
        let named = draft.kind.as_deref().is_some_and(|kind| !kind.trim().is_empty());
        let Some(target) = target.filter(|_| named) else { continue };
        let new = checked(w, draft, target, (0, 0))?;
        w.put_relation(cluster, uuid, &new)?;
    }
    Ok(())
}

/// Refuses more relations than one call may bring.
pub(super) fn check_number(drafts: &[RelationDraft]) -> Result<()> {
    if drafts.len() > MOST {
        return Err(FieldError::new("GalaxyClusterRelation", "Too many relations in one cluster.").into());
    }
    Ok(())
}

/// Whether a relation from elsewhere can be kept as it is; one that cannot, or that is for a group, is not worth
/// its cluster.
pub(super) fn is_plain(draft: &RelationDraft) -> bool {
    draft.distribution.is_none_or(|d| (0..=3).contains(&d))
        && draft.kind.as_ref().is_none_or(|kind| kind.len() <= MAX_KIND)
}

fn seen_target(w: &mut Writer<'_>, draft: &RelationDraft) -> Result<Uuid> {
    let invalid = || FieldError::new("referenced_galaxy_cluster_uuid", "Invalid referenced galaxy cluster");
    let reference = draft.referenced.ok_or_else(invalid)?;
    Ok(w.cluster(reference)?.ok_or_else(invalid)?.uuid)
}

fn checked(w: &mut Writer<'_>, draft: &RelationDraft, target: Uuid, had: (i64, i64)) -> Result<NewRelation> {
    let kind = plain(draft.kind.as_deref().unwrap_or_default().trim());
    if kind.is_empty() || kind.len() > MAX_KIND {
        return Err(FieldError::new("referenced_galaxy_cluster_type", "valueNotEmpty").into());
    }
    let reach = draft.distribution.unwrap_or(DEFAULT_DISTRIBUTION);
    let (distribution, sharing_group_id) = check_reach(w, reach, draft.sharing_group, had)?;
    let tags = match &draft.tags {
        None => None,
        Some(names) => Some(tag_ids(w, names)?),
    };
    Ok(NewRelation { referenced_uuid: target, kind, distribution, sharing_group_id, tags })
}

/// The tags of these names that the actor may attach; unknown ones are made for those who may make tags.
fn tag_ids(w: &mut Writer<'_>, names: &[String]) -> Result<Vec<i64>> {
    let drafts: Vec<TagDraft> =
        names.iter().map(|name| TagDraft { name: name.clone(), ..TagDraft::default() }).collect();
    let refs: Vec<&TagDraft> = drafts.iter().collect();
    let tags = Tags::resolve(w, &refs)?;
    let actor = w.actor().clone();
    Ok(tags.attachments(&actor, &drafts).into_iter().map(|a| a.tag_id).collect())
}
