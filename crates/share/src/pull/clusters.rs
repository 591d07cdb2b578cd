//! Galaxy clusters that organisations made: those that are missing here or newer there.

use super::{DIRECTION, Pull, receiver};
use crate::peer::{HUGE, LARGE, LONG};
use crate::{Fault, hop, stream};
use pisax_model::Uuid;
use pisax_model::peer::{Entry, Outcome, Subject};
use pisax_service::cluster;
use serde_json::{Value, json, value::RawValue};
use std::sync::atomic::Ordering;

/// Clusters compared with what is here at a time.
const CHUNK: usize = 1000;
/// Most clusters in a list: its rows are held. The public galaxies have some ten thousand together.
const MOST: usize = 1_000_000;
/// Failures in a row after which the server counts as away.
const AWAY: usize = 5;

/// `relevant`: those alone whose tags are in use here.
pub(crate) fn pull(pull: &Pull<'_>, relevant: bool) -> Result<(), Fault> {
    let mut question = json!({"published": 1, "minimal": 1, "custom": 1});
    if relevant {
        let tags =
            pull.service().read(&receiver(pull.server()), |r| Ok(r.cluster_tags_without_cluster()?))?;
        if tags.is_empty() {
            return Ok(());
        }
        question["tag_name"] = json!(tags);
    }
    let answer = pull.peer.stream("galaxy_clusters/restSearch", question.to_string().as_bytes(), HUGE)?;
    let mut offered = Vec::new();
    stream::items(answer.body, |item| {
        offered.extend(read(item));
        if offered.len() > MOST {
            return Err(Fault::TooMuch(format!("it lists more than {MOST} clusters")));
        }
        Ok(())
    })?;
    let mut failures = 0;
    for chunk in offered.chunks(CHUNK) {
        let uuids: Vec<Uuid> = chunk.iter().map(|(uuid, _)| *uuid).collect();
        let known = pull.service().read(&receiver(pull.server()), |r| Ok(r.cluster_versions(&uuids)?))?;
        let ledger = pull.service().entered(pull.server().id, DIRECTION, Subject::Cluster, &uuids)?;
        for (uuid, version) in chunk {
            pull.work.tell(1, "Pulling galaxy clusters.")?;
            let decided = ledger.get(uuid).is_some_and(|e| {
                e.version == *version && matches!(e.outcome, Outcome::Refused | Outcome::Blocked)
            });
            if decided || known.get(uuid).is_some_and(|here| here >= version) {
                continue;
            }
            let entry = Entry::new(pull.server().id, DIRECTION, Subject::Cluster, *uuid, Outcome::Done);
            let mut away = None;
            let entry = match one(pull, *uuid) {
                Ok(done) => {
                    failures = 0;
                    pull.tally.clusters.fetch_add(done.imported, Ordering::Relaxed);
                    let outcome = if done.imported > 0 { Outcome::Done } else { Outcome::Refused };
                    Entry { outcome, ..entry }.because(done.errors.join(", "))
                }
                Err(fault @ Fault::Stopped) => return Err(fault),
                Err(fault) => {
                    failures += 1;
                    let entry = Entry { outcome: Outcome::Failed, ..entry }.because(fault.to_string());
                    away = Some(fault).filter(|fault| failures >= AWAY && fault.passes());
                    entry
                }
            };
            pull.service().enter(vec![entry.about("", *version)])?;
            if let Some(fault) = away {
                return Err(fault);
            }
        }
    }
    Ok(())
}

fn one(pull: &Pull<'_>, uuid: Uuid) -> Result<cluster::Imported, Fault> {
    let answer = pull.peer.get(&format!("galaxy_clusters/view/{uuid}"), (LONG, LARGE))?;
    let strange = |e: String| Fault::Strange(format!("its cluster: {e}"));
    let list = [b"[", answer.body.as_slice(), b"]"].concat();
    let mut drafts = pisax_wire::read_clusters(&list).map_err(|e| strange(e.to_string()))?;
    drafts.retain(|draft| draft.uuid == Some(uuid));
    if drafts.is_empty() {
        return Err(strange("it sent another one than was asked for".into()));
    }
    for draft in &mut drafts {
        hop::received(&mut draft.distribution, pull.server().internal);
        for relation in &mut draft.relations {
            hop::received(&mut relation.distribution, pull.server().internal);
        }
    }
    Ok(cluster::import(pull.service(), &receiver(pull.server()), drafts)?)
}

/// Uuid and version of a listed cluster.
fn read(item: &RawValue) -> Option<(Uuid, i64)> {
    let value: Value = serde_json::from_str(item.get()).ok()?;
    let cluster = value.get("GalaxyCluster").unwrap_or(&value);
    let version = match cluster.get("version")? {
        Value::String(text) => text.parse().ok()?,
        other => other.as_i64()?,
    };
    Some((Uuid::try_parse(cluster.get("uuid")?.as_str()?).ok()?, version))
}
