//! A new custom cluster, or a fork of one there is.

use super::{check_elements, check_reach, check_value, may_make, plain, relation};
use crate::{Error, Result, Service};
use pisax_access::Actor;
use pisax_formats::knowledge::stored;
use pisax_model::cluster::ClusterDraft;
use pisax_model::ids::{self, Ref};
use pisax_model::knowledge::custom_cluster_tag;
use pisax_model::{FieldError, Uuid};
use pisax_store::Writer;
use pisax_store::clusters::{ClusterRow, Owned};

/// MISP.default_event_distribution, which clusters share.
const DEFAULT_DISTRIBUTION: i64 = 1;

/// Adds a cluster to a galaxy; returns its row number. `fork` names the cluster that it extends: what the draft
/// does not say is taken from there.
pub fn add(
    service: &Service,
    actor: &Actor,
    galaxy: Ref,
    mut draft: ClusterDraft,
    fork: Option<Ref>,
) -> Result<i64> {
    may_make(actor)?;
    if draft.bad_uuid {
        return Err(FieldError::new("uuid", "Please provide a valid RFC 4122 UUID").into());
    }
    let uuid = draft.uuid.unwrap_or_else(|| ids::new_uuid(service.clock.now_ms()));
    service.write(actor, |w| {
        let galaxy = w.galaxy(galaxy)?.ok_or(Error::NotFound("galaxy"))?;
        let parent = parent(w, &draft, fork)?;
        if let Some(parent) = &parent {
            if parent.galaxy_id != galaxy.id {
                return Err(Error::Refused(
                    "Cluster forks have to belong to the same galaxy as the parent".into(),
                ));
            }
            if fork.is_some() {
                inherit(&mut draft, parent);
            }
        }
        if w.blocked_cluster(Ref::Uuid(uuid))?.is_some() {
            return Err(Error::Refused("Blocked by blocklist".into()));
        }
        if w.cluster_uuid_taken(&uuid)? {
            return Err(FieldError::new("uuid", "The uuid is already in use.").into());
        }
        let reach = draft.distribution.unwrap_or(DEFAULT_DISTRIBUTION);
        let (distribution, sharing_group_id) = check_reach(w, reach, draft.sharing_group, (0, 0))?;
        let row = ClusterRow {
            id: 0,
            uuid,
            galaxy_id: galaxy.id,
            collection_uuid: draft.collection_uuid.unwrap_or(Uuid::nil()),
            tag_name: custom_cluster_tag(&galaxy.kind, uuid),
            value: check_value(draft.value.take())?,
            description: plain(draft.description.as_deref().unwrap_or_default()),
            source: plain(draft.source.as_deref().unwrap_or_default()),
            authors: stored::texts_text(draft.authors.as_deref().unwrap_or_default()),
            version: draft.version.filter(|v| *v > 0).unwrap_or(w.now()),
            meta: check_elements(&draft)?,
            related: "[]".into(),
            owned: None,
        };
        let version = parent.as_ref().map_or(0, |p| p.version);
        let owned = Owned {
            distribution,
            sharing_group_id,
            org_id: w.actor().org_id,
            orgc_id: w.actor().org_id,
            locked: false,
            extends_uuid: parent.as_ref().map(|p| p.uuid),
            extends_version: draft.extends_version.filter(|_| parent.is_some()).unwrap_or(version),
            published: false,
            deleted: false,
        };
        let id = w.add_cluster(&row, &owned)?;
        relation::put_all(w, id, uuid, &draft.relations)?;
        Ok(id)
    })
}

/// The cluster that a fork starts from. One that the client only mentions, and that he does not see, is none.
fn parent(w: &mut Writer<'_>, draft: &ClusterDraft, fork: Option<Ref>) -> Result<Option<ClusterRow>> {
    match (fork, draft.extends_uuid) {
        (Some(fork), _) => Ok(Some(w.cluster(fork)?.ok_or(Error::NotFound("forked cluster"))?)),
        (None, Some(uuid)) => Ok(w.cluster(Ref::Uuid(uuid))?),
        (None, None) => Ok(None),
    }
}

fn inherit(draft: &mut ClusterDraft, parent: &ClusterRow) {
    draft.value = draft.value.take().filter(|v| !v.is_empty()).or_else(|| Some(parent.value.clone()));
    draft.description = draft.description.take().or_else(|| Some(parent.description.clone()));
    draft.source = draft.source.take().or_else(|| Some(parent.source.clone()));
    draft.authors = draft.authors.take().or_else(|| Some(stored::read_texts(&parent.authors)));
    if draft.elements.is_empty() && !draft.bad_elements {
        for (key, values) in stored::read_meta(&parent.meta) {
            draft.elements.extend(values.into_iter().map(|value| (key.clone(), value)));
        }
    }
}
