//! Clusters from elsewhere: pushed by a peer, or imported from a file.

use super::{check_elements, check_reach, check_value, may_make, plain, relation};
use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission};
use pisax_formats::knowledge::stored;
use pisax_model::Uuid;
use pisax_model::cluster::{ClusterDraft, GalaxyDraft};
use pisax_model::ids::Ref;
use pisax_model::knowledge::custom_cluster_tag;
use pisax_store::Writer;
use pisax_store::changes::Action;
use pisax_store::clusters::{ClusterRow, Owned};
use pisax_store::knowledge::GalaxyRow;

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    pub imported: usize,
    pub ignored: usize,
    pub failed: usize,
    pub errors: Vec<String>,
}

/// Why one cluster did not come in.
enum Left {
    Ignored(String),
    Failed(String),
}

/// Most clusters of one call: they come in together, and others wait with their writes meanwhile.
const MOST: usize = 5_000;

/// Takes clusters in, each with its galaxy, which is made where it is not known. A newer version replaces what came
/// from elsewhere before; what was made here is never replaced. One that cannot come in is told, the others come.
pub fn import(service: &Service, actor: &Actor, drafts: Vec<ClusterDraft>) -> Result<Imported> {
    may_make(actor)?;
    if drafts.len() > MOST {
        return Err(Error::Refused(format!("At most {MOST} clusters are imported in one call.")));
    }
    service.write(actor, |w| {
        let mut outcome = Imported::default();
        for draft in drafts {
            match capture(w, draft)? {
                Ok(()) => outcome.imported += 1,
                Err(Left::Ignored(reason)) => {
                    outcome.ignored += 1;
                    outcome.errors.push(reason);
                }
                Err(Left::Failed(reason)) => {
                    outcome.failed += 1;
                    outcome.errors.push(reason);
                }
            }
        }
        Ok(outcome)
    })
}

/// Takes one in. Everything is checked before the cluster is written, so that one that is left out leaves nothing but
/// its organisation or galaxy.
fn capture(w: &mut Writer<'_>, draft: ClusterDraft) -> Result<Result<(), Left>> {
    Ok(match prepare(w, draft) {
        Ok(prepared) => {
            write(w, prepared)?;
            Ok(())
        }
        Err(Error::Store(e)) => return Err(Error::Store(e)),
        Err(Error::Refused(reason)) => Err(Left::Failed(reason)),
        Err(Error::Stale(_)) => Err(Left::Ignored("Remote version is not newer than local one".into())),
        Err(Error::Blocklisted) => Err(Left::Ignored("Blocked by blocklist".into())),
        Err(other) => Err(Left::Failed(other.to_string())),
    })
}

struct Prepared {
    row: ClusterRow,
    owned: Owned,
    draft: ClusterDraft,
    known: bool,
}

fn prepare(w: &mut Writer<'_>, mut draft: ClusterDraft) -> Result<Prepared> {
    let uuid = draft.uuid.ok_or_else(|| Error::Refused("UUID not provided".into()))?;
    if draft.default {
        return Err(Error::Refused("Only non-default clusters can be saved".into()));
    }
    let orgc_id = creator(w, &draft)?;
    if w.blocked_cluster(Ref::Uuid(uuid))?.is_some() || w.is_blocked_org(orgc_id)? {
        return Err(Error::Blocklisted);
    }
    let known = known(w, uuid)?;
    let version = draft.version.filter(|v| *v > 0).unwrap_or(w.now());
    if known.as_ref().is_some_and(|(row, _)| row.version >= version) {
        return Err(Error::Stale("galaxy cluster"));
    }
    let had = known.as_ref().map_or((0, 0), |(_, owned)| (owned.distribution, owned.sharing_group_id));
    let (distribution, sharing_group_id) =
        check_reach(w, draft.distribution.unwrap_or(1), draft.sharing_group, had)?;
    relation::check_number(&draft.relations)?;
    let value = check_value(draft.value.take())?;
    let meta = check_elements(&draft)?;
    let (id, galaxy_id, tag_name) = match &known {
        Some((row, _)) => (row.id, row.galaxy_id, row.tag_name.clone()),
        None => {
            let galaxy = galaxy(w, &draft)?;
            (0, galaxy.id, custom_cluster_tag(&galaxy.kind, uuid))
        }
    };
    let actor = w.actor();
    let speaks = [Permission::Publish, Permission::Sync, Permission::SiteAdmin].iter().any(|p| actor.has(*p));
    let owned = Owned {
        distribution,
        sharing_group_id,
        org_id: known.as_ref().map_or(actor.org_id, |(_, owned)| owned.org_id),
        orgc_id,
        locked: true,
        extends_uuid: draft.extends_uuid,
        extends_version: draft.extends_version.unwrap_or(0),
        published: draft.published.unwrap_or(false) && speaks,
        deleted: draft.deleted.unwrap_or(false),
    };
    let row = ClusterRow {
        id,
        uuid,
        galaxy_id,
        collection_uuid: draft.collection_uuid.unwrap_or(Uuid::nil()),
        tag_name,
        value,
        description: plain(draft.description.as_deref().unwrap_or_default()),
        source: plain(draft.source.as_deref().unwrap_or_default()),
        authors: stored::texts_text(draft.authors.as_deref().unwrap_or_default()),
        version,
        meta,
        related: "[]".into(),
        owned: None,
    };
    Ok(Prepared { row, owned, draft, known: known.is_some() })
}

/// Who made it: what the sender says, where he may speak for others, else his own organisation.
fn creator(w: &mut Writer<'_>, draft: &ClusterDraft) -> Result<i64> {
    let own = w.actor().org_id;
    let speaks = w.actor().has(Permission::Sync) || w.actor().sees_all();
    match draft.orgc.as_ref().filter(|_| speaks) {
        Some(org) => Ok(w.capture_org(org)?.unwrap_or(own)),
        None => Ok(own),
    }
}

/// The cluster as it is here, if the actor may replace it.
fn known(w: &mut Writer<'_>, uuid: Uuid) -> Result<Option<(ClusterRow, Owned)>> {
    if !w.cluster_uuid_taken(&uuid)? {
        return Ok(None);
    }
    let refused = || Error::Refused("The cluster cannot be replaced by the one that was sent".into());
    let (row, owned) = w.cluster_for_edit(Ref::Uuid(uuid)).map_err(|_| refused())?;
    if !owned.locked {
        return Err(Error::Refused(
            "Blocked an edit to an cluster that was created locally. This can happen if a synchronised cluster that was created on this instance was modified by an administrator on the remote side."
                .into(),
        ));
    }
    let actor = w.actor();
    let may = actor.sees_all() || actor.has(Permission::Sync) || actor.org_id == owned.orgc_id;
    if may { Ok(Some((row, owned))) } else { Err(refused()) }
}

/// The galaxy that the cluster names, by uuid or type; one that is not known is made from what came with it. What
/// is known stays as it is.
fn galaxy(w: &mut Writer<'_>, draft: &ClusterDraft) -> Result<GalaxyRow> {
    let missing = || Error::Refused("Galaxy not found".into());
    let Some(sent) = &draft.galaxy else {
        let kind = draft.kind.as_deref().unwrap_or_default();
        return w.galaxies()?.into_iter().find(|g| g.kind == kind && !kind.is_empty()).ok_or_else(missing);
    };
    let uuid = sent.uuid.ok_or_else(missing)?;
    if let Some(known) = w.galaxy(Ref::Uuid(uuid))? {
        return Ok(known);
    }
    if sent.name.is_empty() || sent.kind.is_empty() {
        return Err(missing());
    }
    w.put_galaxy(&galaxy_row(uuid, sent))?;
    w.galaxy(Ref::Uuid(uuid))?.ok_or_else(missing)
}

fn galaxy_row(uuid: Uuid, sent: &GalaxyDraft) -> GalaxyRow {
    let tabs = if sent.kill_chain_order.is_empty() {
        String::new()
    } else {
        stored::pairs_text(&sent.kill_chain_order)
    };
    GalaxyRow {
        id: 0,
        uuid,
        name: plain(&sent.name),
        kind: plain(&sent.kind),
        description: plain(&sent.description),
        version: sent.version,
        icon: plain(&sent.icon),
        namespace: plain(&sent.namespace),
        enabled: true,
        local_only: false,
        kill_chain_order: tabs,
    }
}

fn write(w: &mut Writer<'_>, prepared: Prepared) -> Result<()> {
    let Prepared { row, owned, draft, known } = prepared;
    let id = if known {
        w.edit_cluster(&row, &owned, Action::Edit)?;
        w.clear_relations(Ref::Id(row.id))?;
        row.id
    } else {
        w.add_cluster(&row, &owned)?
    };
    let kept: Vec<_> = draft.relations.into_iter().filter(relation::is_plain).collect();
    relation::put_all(w, id, row.uuid, &kept)
}
