//! Notes, opinions and relationships that are missing here or newer there.

use super::{Pull, receiver};
use crate::peer::{HUGE, LARGE, LONG, Peer};
use crate::{Fault, hop};
use pisax_model::Uuid;
use pisax_model::analyst::{AnalystDraft, AnalystKind};
use pisax_model::time;
use pisax_service::analyst::{self, Offered};
use serde_json::Value;
use std::sync::atomic::Ordering;

/// Records fetched at a time: their uuids stand in the path.
const AT_ONCE: usize = 50;

pub(crate) fn pull(pull: &Pull<'_>) -> Result<(), Fault> {
    let answer = match pull.peer.post("analyst_data/indexMinimal", b"{}", (LONG, HUGE)) {
        Ok(answer) => answer,
        // An older MISP has none.
        Err(Fault::Status { status: 403..=405, .. }) => return Ok(()),
        Err(fault) => return Err(fault),
    };
    let offered = read_times(&answer.body)?;
    let wanted = pull.service().read(&receiver(pull.server()), |r| analyst::wanted(r, &offered))?;
    for kind in AnalystKind::ALL {
        for chunk in wanted.of(kind).chunks(AT_ONCE) {
            pull.work.tell(99, "Pulling analyst data.")?;
            let mut drafts = fetch(&pull.peer, kind, chunk)?;
            for draft in &mut drafts {
                arrive(draft, pull.server().internal);
            }
            let captured = analyst::push(pull.service(), &receiver(pull.server()), drafts)?;
            pull.tally.analyst_data.fetch_add(captured.imported, Ordering::Relaxed);
        }
    }
    Ok(())
}

fn arrive(draft: &mut AnalystDraft, internal: bool) {
    hop::received(&mut draft.distribution, internal);
    draft.locked = Some(true);
    for child in &mut draft.children {
        arrive(child, internal);
    }
}

fn fetch(peer: &Peer, kind: AnalystKind, chunk: &[(Uuid, i64)]) -> Result<Vec<AnalystDraft>, Fault> {
    let uuids: Vec<String> = chunk.iter().map(|(uuid, _)| format!("uuid[]:{uuid}")).collect();
    let path = format!("analyst_data/index/{}/{}.json", kind.name(), uuids.join("/"));
    let body = peer.get(&path, (LONG, LARGE))?.body;
    let strange = |e: String| Fault::Strange(format!("its analyst data: {e}"));
    let drafts = pisax_wire::read_pushed_analyst_data(&body).map_err(|e| strange(e.to_string()))?;
    let asked = |draft: &AnalystDraft| chunk.iter().any(|(uuid, _)| draft.uuid == Some(*uuid));
    Ok(drafts.into_iter().filter(asked).collect())
}

/// `{"Note":{uuid: "2026-01-01 00:00:00"},…}`; an empty one may be a list.
pub(crate) fn read_times(body: &[u8]) -> Result<Offered, Fault> {
    let value: Value =
        serde_json::from_slice(body).map_err(|e| Fault::Strange(format!("its analyst data: {e}")))?;
    let mut offered = Offered::default();
    for kind in AnalystKind::ALL {
        let Some(map) = value.get(kind.name()).and_then(Value::as_object) else { continue };
        let read = |(uuid, modified): (&String, &Value)| {
            let modified = time::parse_micros(modified.as_str()?)?.div_euclid(1_000_000);
            Some((Uuid::try_parse(uuid).ok()?, modified))
        };
        offered.0[kind as usize] = map.iter().filter_map(read).collect();
    }
    Ok(offered)
}
