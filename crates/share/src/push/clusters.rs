//! Galaxy clusters that organisations made: those that are published, each version once.

use super::link::Link;
use super::{DIRECTION, sender};
use crate::Fault;
use crate::peer::{LONG, SMALL, Version, said};
use crate::work::Work;
use pisax_model::Uuid;
use pisax_model::cluster::CarriedCluster;
use pisax_model::peer::{Direction, Entry, Outcome, Subject};
use pisax_model::transit::Refusal;
use pisax_outbound::Method;
use pisax_service::cluster;
use pisax_store::clusters::ClusterRow;
use pisax_wire::JsonWriter;
use pisax_wire::cluster_push::write_pushed_clusters;

/// Clusters compared with the ledger at a time.
const CHUNK: usize = 500;
/// Clusters held at a time: one can have thousands of elements.
const HELD: usize = 20;

/// Row number, uuid and version.
type Mark = (i64, Uuid, i64);

/// Whether the link gives any, and whether the peer takes them.
pub(super) fn travel(link: &Link, version: &Version) -> bool {
    let server = &link.peer.server;
    server.push && server.push_galaxy_clusters && version.perm_sync && version.perm_galaxy_editor
}

/// All that are published; also those that failed and are not due yet.
pub(super) fn all(work: &Work, link: &Link, version: &Version) -> Result<(), Fault> {
    if !travel(link, version) {
        return Ok(());
    }
    let mut after = 0;
    loop {
        work.tell(1, "Pushing galaxy clusters.")?;
        let marks = link.service.read(&sender(), |r| Ok(r.published_clusters(after, CHUNK as i64)?))?;
        let Some((last, ..)) = marks.last() else { return Ok(()) };
        after = *last;
        offer(link, &marks, true)?;
    }
}

/// Those of these that are published.
pub(super) fn these(link: &Link, version: &Version, uuids: &[Uuid]) -> Result<(), Fault> {
    if !travel(link, version) {
        return Ok(());
    }
    for chunk in uuids.chunks(CHUNK) {
        let rows = link.service.read(&sender(), |r| {
            let ids: Vec<i64> = r.cluster_ids(chunk)?.into_values().collect();
            Ok(r.clusters_by_ids(&ids)?)
        })?;
        offer(link, &rows.iter().filter_map(mark).collect::<Vec<_>>(), false)?;
    }
    Ok(())
}

/// Those that these tags stand for: an event's go before the event.
pub(super) fn tagged<'t>(
    link: &Link,
    version: &Version,
    tags: impl Iterator<Item = &'t str>,
) -> Result<(), Fault> {
    if !travel(link, version) {
        return Ok(());
    }
    let names: Vec<String> =
        tags.filter(|name| name.starts_with("misp-galaxy:")).map(str::to_owned).collect();
    if names.is_empty() {
        return Ok(());
    }
    let rows = link.service.read(&sender(), |r| Ok(r.cluster_by_tag_names(&names)?))?;
    offer(link, &rows.values().filter_map(mark).collect::<Vec<_>>(), false)
}

/// What of a cluster is compared; none for one that does not travel.
fn mark(row: &ClusterRow) -> Option<Mark> {
    let owned = row.owned.as_ref()?;
    (owned.published && !owned.deleted).then_some((row.id, row.uuid, row.version))
}

/// Sends those that the peer was not sent in this version, and did not send us itself.
fn offer(link: &Link, marks: &[Mark], again: bool) -> Result<(), Fault> {
    let uuids: Vec<Uuid> = marks.iter().map(|(_, uuid, _)| *uuid).collect();
    let sent = link.service.entered(link.id(), DIRECTION, Subject::Cluster, &uuids)?;
    let came = link.service.entered(link.id(), Direction::Pull, Subject::Cluster, &uuids)?;
    let now = link.service.now();
    let settled = |(_, uuid, version): &&Mark| {
        let known = came.get(uuid).is_some_and(|e| e.outcome == Outcome::Done && e.version >= *version);
        known
            || sent.get(uuid).is_some_and(|e| match e.outcome {
                Outcome::Done | Outcome::UpToDate | Outcome::Refused => e.version >= *version,
                Outcome::Failed => !again && e.retry_at > now,
                _ => false,
            })
    };
    let fresh: Vec<i64> = marks.iter().filter(|mark| !settled(mark)).map(|(id, ..)| *id).collect();
    for chunk in fresh.chunks(HELD) {
        for carried in cluster::carry(&link.service, &sender(), chunk)? {
            let Some(uuid) = carried.draft.uuid else { continue };
            let entry = Entry::new(link.id(), DIRECTION, Subject::Cluster, uuid, Outcome::Done).about(
                carried.draft.value.as_deref().unwrap_or_default(),
                carried.draft.version.unwrap_or_default(),
            );
            let entry = match outgoing(link, carried) {
                Err(refusal) => Link::kept(entry, &refusal),
                Ok(carried) => match send(link, entry.clone(), carried) {
                    Ok(entry) => entry,
                    Err(fault @ (Fault::Stopped | Fault::Setup(_) | Fault::Here(_))) => return Err(fault),
                    Err(fault) => {
                        let failed = Entry { outcome: Outcome::Failed, ..entry }.because(fault.to_string());
                        link.service.enter(vec![failed])?;
                        if matches!(fault, Fault::Away(_)) {
                            return Err(fault);
                        }
                        continue;
                    }
                },
            };
            // What stays here stays without a new line each time.
            let same = |e: &Entry| {
                (e.outcome, e.version, &e.reason) == (entry.outcome, entry.version, &entry.reason)
            };
            if !sent.get(&uuid).is_some_and(same) {
                link.service.enter(vec![entry])?;
            }
        }
    }
    Ok(())
}

/// The cluster as the peer gets it: one hop down, without the relations that stay here.
fn outgoing(link: &Link, mut carried: CarriedCluster) -> Result<CarriedCluster, Refusal> {
    let draft = &mut carried.draft;
    draft.distribution = Some(link.beside(draft.distribution.unwrap_or(0), carried.group.as_ref())?);
    let (mut relations, mut groups) = (Vec::new(), Vec::new());
    for (mut relation, group) in draft.relations.drain(..).zip(carried.relation_groups.drain(..)) {
        if let Ok(level) = link.beside(relation.distribution.unwrap_or(0), group.as_ref()) {
            relation.distribution = Some(level);
            relations.push(relation);
            groups.push(group);
        }
    }
    draft.relations = relations;
    carried.relation_groups = groups;
    Ok(carried)
}

fn send(link: &Link, entry: Entry, carried: CarriedCluster) -> Result<Entry, Fault> {
    let mut body = Vec::new();
    write_pushed_clusters(&mut JsonWriter::new(&mut body), std::slice::from_ref(&carried));
    let answer = link.peer.ask((Method::Post, "galaxies/pushCluster", &[], &body), (LONG, SMALL))?;
    let message = said(&answer.body);
    if (200..300).contains(&answer.status) {
        // One that is not taken because it is there is no error to a MISP.
        let here = message.contains(". 0 imported");
        return Ok(if here { Entry { outcome: Outcome::UpToDate, ..entry }.because(message) } else { entry });
    }
    let fault = Fault::Status { status: answer.status, message };
    if fault.passes() {
        Err(fault)
    } else {
        Ok(Entry { outcome: Outcome::Refused, ..entry }.because(fault.to_string()))
    }
}
