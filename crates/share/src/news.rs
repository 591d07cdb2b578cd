//! What of the change log other servers may have to hear of.

use pisax_model::Uuid;
use pisax_store::changes::{Action, Logged, Noun};

/// The events, by row number, and what is beside events, by uuid: in order, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// Made, changed or published: those that are published now travel.
    pub events: Vec<i64>,
    /// Whose sightings were published.
    pub sighted: Vec<i64>,
    /// On which there are proposals.
    pub proposed: Vec<i64>,
    /// Clusters and analyst data that were made, changed or published.
    pub clusters: Vec<Uuid>,
    pub analyst_data: Vec<Uuid>,
}

impl News {
    pub fn of(changes: &[Logged]) -> Self {
        let mut news = Self::default();
        for change in changes {
            let is = |noun: Noun| change.noun == noun as i64;
            let did = |action: Action| change.action == action as i64;
            let written = did(Action::Add) || did(Action::Edit);
            if is(Noun::Event) && (did(Action::Publish) || written) {
                news.events.push(change.event_id);
            } else if is(Noun::Sighting) && did(Action::Publish) {
                news.sighted.push(change.event_id);
            } else if is(Noun::Proposal) && !did(Action::Delete) {
                news.proposed.push(change.event_id);
            } else if is(Noun::Cluster) && (did(Action::Publish) || written) {
                news.clusters.push(change.uuid);
            } else if is(Noun::AnalystData) && written {
                news.analyst_data.push(change.uuid);
            }
        }
        for list in [&mut news.events, &mut news.sighted, &mut news.proposed] {
            list.sort_unstable();
            list.dedup();
        }
        for list in [&mut news.clusters, &mut news.analyst_data] {
            list.sort_unstable();
            list.dedup();
        }
        news
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
