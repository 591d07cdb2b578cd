//! Notes, opinions and relationships on what the peer has: records of events that went there, clusters, galaxies.
//!
//! What is said about something that stays here stays as well, and so does what is said about that in turn.

use super::link::Link;
use super::{DIRECTION, sender, uuids_of};
use crate::Fault;
use crate::peer::{LONG, SMALL, Version, said};
use crate::pull::analyst::read_times;
use crate::work::Work;
use pisax_model::Uuid;
use pisax_model::analyst::{AnalystData, AnalystKind, DEEPEST, TargetKind};
use pisax_model::ids::Ref;
use pisax_model::org::OrgRef;
use pisax_model::peer::{Direction, Entry, Outcome, Subject};
use pisax_model::sharing::SharingGroupDraft;
use pisax_outbound::Method;
use pisax_service::event::{Carried, carry};
use pisax_service::sharing_group::{org_ref, whole};
use pisax_wire::JsonWriter;
use pisax_wire::sync_out::{write_offered_analyst_data, write_pushed_analyst_data};
use rustc_hash::{FxHashMap, FxHashSet};

/// Records looked up at a time.
const CHUNK: usize = 500;
/// What analyst data can be about outside of events that everybody may know of, or that travels by itself.
const OUTSIDE: [TargetKind; 2] = [TargetKind::GalaxyCluster, TargetKind::Galaxy];

/// Whether the link gives any, and whether the peer takes them.
pub(super) fn travels(link: &Link, version: &Version) -> bool {
    let server = &link.peer.server;
    server.push && server.push_analyst_data && version.perm_sync && version.perm_analyst_data
}

/// All that is said about what the peer has.
pub(super) fn all(work: &Work, link: &Link, version: &Version) -> Result<(), Fault> {
    if !travels(link, version) {
        return Ok(());
    }
    let mut after = 0;
    loop {
        let events =
            link.service.read(&sender(), |r| Ok(r.events_with_analyst_data(after, CHUNK as i64)?))?;
        let Some(last) = events.last() else { break };
        after = *last;
        for event in events {
            work.tell(99, "Pushing analyst data.")?;
            of_event(link, event)?;
        }
    }
    let mut after = 0;
    loop {
        work.tell(99, "Pushing analyst data.")?;
        let found =
            link.service.read(&sender(), |r| Ok(r.analyst_data_outside(&OUTSIDE, after, CHUNK as i64)?))?;
        let Some((last, _)) = found.last() else { return Ok(()) };
        after = *last;
        outside(link, found.into_iter().map(|(_, about)| about).collect())?;
    }
}

/// These, as far as they are about what the peer has.
pub(super) fn these(work: &Work, link: &Link, version: &Version, uuids: &[Uuid]) -> Result<(), Fault> {
    if !travels(link, version) {
        return Ok(());
    }
    for chunk in uuids.chunks(CHUNK) {
        let mut level = link.service.read(&sender(), |r| Ok(r.analyst_data_by_uuids(chunk)?))?;
        let (mut events, mut others) = (FxHashSet::default(), FxHashSet::default());
        for _ in 0..DEEPEST {
            let mut above = Vec::new();
            for data in &level {
                match data.object_type {
                    _ if data.event_id > 0 => drop(events.insert(data.event_id)),
                    TargetKind::Note | TargetKind::Opinion | TargetKind::Relationship => {
                        above.push(data.object_uuid);
                    }
                    kind if OUTSIDE.contains(&kind) => drop(others.insert(data.object_uuid)),
                    _ => {}
                }
            }
            if above.is_empty() {
                break;
            }
            level = link.service.read(&sender(), |r| Ok(r.analyst_data_by_uuids(&above)?))?;
        }
        for event in events {
            work.tell(99, "Pushing analyst data.")?;
            of_event(link, event)?;
        }
        outside(link, others)?;
    }
    Ok(())
}

/// What is said about an event, and about what is in it, as far as that went there.
fn of_event(link: &Link, id: i64) -> Result<(), Fault> {
    let what = Carried { attachments: false, tombstones: false };
    let Some(carried) = carry(&link.service, &sender(), Ref::Id(id), what)? else { return Ok(()) };
    if !there(link, Subject::Event, &[carried.event.uuid])?.contains(&carried.event.uuid) {
        return Ok(());
    }
    match link.outgoing(carried.draft) {
        Ok(passed) => about(link, uuids_of(&passed.event)),
        Err(_) => Ok(()),
    }
}

/// What is said about clusters and galaxies. Those of libraries are everywhere, others where they went.
fn outside(link: &Link, records: FxHashSet<Uuid>) -> Result<(), Fault> {
    let records: Vec<Uuid> = records.into_iter().collect();
    let custom: Vec<Uuid> = link.service.read(&sender(), |r| {
        let ids: Vec<i64> = r.cluster_ids(&records)?.into_values().collect();
        let rows = r.clusters_by_ids(&ids)?;
        Ok(rows.into_iter().filter(|row| row.owned.is_some()).map(|row| row.uuid).collect())
    })?;
    let went = there(link, Subject::Cluster, &custom)?;
    let custom: FxHashSet<Uuid> = custom.into_iter().collect();
    about(link, records.into_iter().filter(|uuid| !custom.contains(uuid) || went.contains(uuid)).collect())
}

/// Those of these records that the peer has: they went there, or came from there.
fn there(link: &Link, subject: Subject, uuids: &[Uuid]) -> Result<FxHashSet<Uuid>, Fault> {
    let mut there = FxHashSet::default();
    for direction in [Direction::Push, Direction::Pull] {
        let entries = link.service.entered(link.id(), direction, subject, uuids)?;
        let has = |entry: &&Entry| matches!(entry.outcome, Outcome::Done | Outcome::UpToDate);
        there.extend(entries.values().filter(has).map(|entry| entry.uuid));
    }
    Ok(there)
}

/// What is said about records that the peer has, and what is said about that, down to the deepest.
pub(super) fn about(link: &Link, records: FxHashSet<Uuid>) -> Result<(), Fault> {
    if !link.service.read(&sender(), |r| Ok(r.has_analyst_data()?))? {
        return Ok(());
    }
    let records: Vec<Uuid> = records.into_iter().collect();
    for chunk in records.chunks(CHUNK) {
        let mut level = chunk.to_vec();
        for _ in 0..DEEPEST {
            let said = link.service.read(&sender(), |r| Ok(r.analyst_data_about(&level)?))?;
            if said.is_empty() {
                break;
            }
            level = Vec::new();
            let mut said = said;
            while !said.is_empty() {
                let rest = said.split_off(said.len().min(CHUNK));
                level.extend(offer(link, said)?);
                said = rest;
            }
        }
    }
    Ok(())
}

/// Sends what the peer wants of this; returns what is there then.
fn offer(link: &Link, said: Vec<AnalystData>) -> Result<Vec<Uuid>, Fault> {
    let uuids: Vec<Uuid> = said.iter().map(|data| data.uuid).collect();
    let ledger = link.service.entered(link.id(), DIRECTION, Subject::AnalystData, &uuids)?;
    let (orgs, groups) = around(link, &said)?;
    let group = |data: &AnalystData| groups.get(&data.sharing_group_id).filter(|_| data.distribution == 4);
    let (mut entries, mut there, mut fresh) = (Vec::new(), Vec::new(), Vec::new());
    for data in said {
        let level = link
            .admit_creator(orgs.get(&data.orgc_id))
            .and_then(|()| link.beside(data.distribution, group(&data)));
        let known = ledger.get(&data.uuid);
        match level {
            Err(refusal) => {
                let entry = Link::kept(entry(link, &data), &refusal);
                // What stays here stays without a new line each time.
                let same = |e: &Entry| (e.outcome, &e.reason) == (entry.outcome, &entry.reason);
                if !known.is_some_and(same) {
                    entries.push(entry);
                }
            }
            Ok(level) => match known.filter(|e| e.version >= data.modified).map(|e| e.outcome) {
                Some(Outcome::Done | Outcome::UpToDate) => there.push(data.uuid),
                Some(Outcome::Refused) => {}
                _ => fresh.push((data, level)),
            },
        }
    }
    let mut passes = None;
    let wanted = match wanted(link, &fresh) {
        Ok(wanted) => wanted,
        Err(fault @ (Fault::Stopped | Fault::Setup(_) | Fault::Here(_))) => return Err(fault),
        Err(fault) => {
            let failed = |(data, _): (AnalystData, i64)| {
                Entry { outcome: Outcome::Failed, ..entry(link, &data) }.because(fault.to_string())
            };
            entries.extend(fresh.into_iter().map(failed));
            fresh = Vec::new();
            passes = Some(fault).filter(|fault| matches!(fault, Fault::Away(_)));
            FxHashSet::default()
        }
    };
    for (data, level) in fresh {
        let entry = entry(link, &data);
        if !wanted.contains(&data.uuid) {
            there.push(data.uuid);
            entries.push(
                Entry { outcome: Outcome::UpToDate, ..entry }.because("the other side does not want it"),
            );
            continue;
        }
        let mut body = Vec::new();
        let orgc = orgs.get(&data.orgc_id);
        write_pushed_analyst_data(&mut JsonWriter::new(&mut body), &data, level, orgc, group(&data));
        match send(link, entry.clone(), &body) {
            Ok(entry) => {
                if entry.outcome != Outcome::Refused {
                    there.push(data.uuid);
                }
                entries.push(entry);
            }
            Err(fault @ (Fault::Stopped | Fault::Setup(_) | Fault::Here(_))) => {
                passes = Some(fault);
                break;
            }
            Err(fault) => {
                entries.push(Entry { outcome: Outcome::Failed, ..entry }.because(fault.to_string()));
                if matches!(fault, Fault::Away(_)) {
                    passes = Some(fault);
                    break;
                }
            }
        }
    }
    link.service.enter(entries)?;
    match passes {
        Some(fault) => Err(fault),
        None => Ok(there),
    }
}

fn entry(link: &Link, data: &AnalystData) -> Entry {
    Entry::new(link.id(), DIRECTION, Subject::AnalystData, data.uuid, Outcome::Done)
        .about(&data.title(), data.modified)
}

type Around = (FxHashMap<i64, OrgRef>, FxHashMap<i64, SharingGroupDraft>);

/// Who said it, and the groups it is shared with.
fn around(link: &Link, said: &[AnalystData]) -> Result<Around, Fault> {
    let makers: Vec<i64> = said.iter().map(|data| data.orgc_id).collect();
    let shared = said.iter().filter(|data| data.distribution == 4 && data.sharing_group_id > 0);
    let shared: Vec<i64> = shared.map(|data| data.sharing_group_id).collect();
    let base_url = &link.service.policy.base_url;
    Ok(link.service.read(&sender(), |r| {
        let orgs = r.org_names(&makers)?.into_iter().map(|(id, org)| (id, org_ref(org))).collect();
        Ok((orgs, whole(r, &shared, base_url)?))
    })?)
}

/// POST analyst_data/filterAnalystDataForPush: which of it the peer wants.
fn wanted(link: &Link, offered: &[(AnalystData, i64)]) -> Result<FxHashSet<Uuid>, Fault> {
    if offered.is_empty() {
        return Ok(FxHashSet::default());
    }
    let mut body = Vec::new();
    write_offered_analyst_data(&mut JsonWriter::new(&mut body), offered.iter().map(|(data, _)| data));
    let answer = link.peer.post("analyst_data/filterAnalystDataForPush", &body, (LONG, SMALL))?;
    let times = read_times(&answer.body)?;
    Ok(AnalystKind::ALL.into_iter().flat_map(|kind| times.of(kind)).map(|(uuid, _)| *uuid).collect())
}

fn send(link: &Link, entry: Entry, body: &[u8]) -> Result<Entry, Fault> {
    let answer = link.peer.ask((Method::Post, "analyst_data/pushAnalystData", &[], body), (LONG, SMALL))?;
    if (200..300).contains(&answer.status) {
        return Ok(entry);
    }
    let message = said(&answer.body);
    if message.contains(" 1 ignored") {
        return Ok(Entry { outcome: Outcome::UpToDate, ..entry }.because(message));
    }
    let fault = Fault::Status { status: answer.status, message };
    if fault.passes() {
        Err(fault)
    } else {
        Ok(Entry { outcome: Outcome::Refused, ..entry }.because(fault.to_string()))
    }
}
