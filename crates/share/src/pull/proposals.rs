//! Proposals of the last ninety days, page by page, on events that are here.

use super::{Pull, receiver};
use crate::Fault;
use crate::peer::{LARGE, LONG};
use pisax_model::Uuid;
use pisax_model::proposal::ProposalDraft;
use pisax_service::peer::state;
use pisax_service::{Error, proposal};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// How far back, in seconds, and how many at a time: as MISP asks.
const BACK: i64 = 90 * 24 * 3600;
const PAGE: usize = 1000;
/// A server that never sends a short page is left after this many.
const PAGES: usize = 1000;
/// How long proposals are not asked for while a server's events stay as they are, in seconds: the question has no
/// cheap answer, and proposals change no event.
const PATIENCE: i64 = 15 * 60;

pub(super) fn pull(pull: &Pull<'_>, news: bool) -> Result<(), Fault> {
    let now = pull.service().now();
    let state = pull.service().peer_state(pull.server().id)?;
    let asked = state.get(state::PROPOSALS).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    if !news && now < asked + PATIENCE {
        return Ok(());
    }
    for page in 1..=PAGES {
        pull.work.tell(98, "Pulling proposals.")?;
        let path = format!(
            "shadow_attributes/index/all:1/timestamp:{}/limit:{PAGE}/page:{page}/deleted[]:0/deleted[]:1.json",
            now - BACK
        );
        let answer = match pull.peer.get(&path, (LONG, LARGE)) {
            Ok(answer) => answer,
            // Whom we may not ask has none for us.
            Err(Fault::Status { status: 403..=405, .. }) => break,
            Err(fault) => return Err(fault),
        };
        let drafts = pisax_wire::read_proposals(&answer.body)
            .map_err(|e| Fault::Strange(format!("its proposals: {e}")))?;
        let count = drafts.len();
        keep(pull, drafts)?;
        if count < PAGE {
            break;
        }
    }
    pull.service().set_peer_state(pull.server().id, &[(state::PROPOSALS, &now.to_string())])?;
    Ok(())
}

/// Keeps proposals that came without being asked for.
pub(crate) fn keep_list(pull: &Pull<'_>, list: &[u8]) -> Result<(), Fault> {
    let drafts =
        pisax_wire::read_proposals(list).map_err(|e| Fault::Strange(format!("its proposals: {e}")))?;
    keep(pull, drafts)
}

fn keep(pull: &Pull<'_>, drafts: Vec<ProposalDraft>) -> Result<(), Fault> {
    let mut by_event: BTreeMap<Uuid, Vec<ProposalDraft>> = BTreeMap::new();
    for draft in drafts {
        if let Some(event) = draft.event_uuid {
            by_event.entry(event).or_default().push(draft);
        }
    }
    for (event, drafts) in by_event {
        match proposal::capture(pull.service(), &receiver(pull.server()), event, drafts) {
            Ok(captured) => {
                pull.tally.proposals.fetch_add(captured.added, Ordering::Relaxed);
            }
            // On an event that is not here.
            Err(Error::NotFound(_) | Error::Store(pisax_store::Error::NotFound(_))) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
