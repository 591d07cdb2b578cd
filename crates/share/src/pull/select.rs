//! What of a server's list is wanted.

use super::{DIRECTION, Pull, receiver};
use crate::Fault;
use crate::peer::Offered;
use pisax_model::Uuid;
use pisax_model::event::Event;
use pisax_model::peer::{Entry, Outcome, Subject};
use pisax_model::server::Server;
use pisax_model::transit::Rules;
use pisax_service::Service;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value, json};

/// Events looked up at a time.
const CHUNK: usize = 2000;
/// Members of `url_params` that would make the list something else than what it has to be.
const OURS: [&str; 3] = ["minimal", "published", "returnFormat"];

/// The body of the question for the list: published events that meet the pull rules.
pub fn index_filter(rules: &Rules) -> Value {
    let mut filter = Map::new();
    if let Ok(Value::Object(params)) = serde_json::from_str(&rules.url_params) {
        filter.extend(params.into_iter().filter(|(name, _)| !OURS.contains(&name.as_str())));
    }
    for (name, choice) in [("tag", &rules.tags), ("org", &rules.orgs)] {
        let negated = choice.not.iter().map(|item| format!("!{item}"));
        let all: Vec<String> = choice.or.iter().cloned().chain(negated).collect();
        if !all.is_empty() {
            filter.insert(name.into(), json!(all));
        }
    }
    filter.insert("minimal".into(), json!(1));
    filter.insert("published".into(), json!(1));
    Value::Object(filter)
}

/// What a list holds for us, oldest first.
#[derive(Default)]
pub(super) struct Chosen {
    pub(super) wanted: Vec<Offered>,
    /// Events that are here as they are there, but for newer sightings.
    pub(super) sighted: Vec<Uuid>,
}

pub(super) fn choose(pull: &Pull<'_>, offered: &[Offered], known_only: bool) -> Result<Chosen, Fault> {
    let mut chosen = Chosen::default();
    let mut seen = FxHashSet::default();
    for chunk in offered.chunks(CHUNK) {
        pull.work.go_on()?;
        let known = Known::of(pull.service(), pull.server(), chunk)?;
        let mut entries = Vec::new();
        for event in chunk.iter().filter(|event| event.published && seen.insert(event.uuid)) {
            match known.verdict(event, pull.server().internal) {
                Verdict::New if known_only => {}
                Verdict::New | Verdict::Newer => chosen.wanted.push(event.clone()),
                Verdict::Same { newer_sightings, .. } => {
                    chosen.sighted.extend(Some(event.uuid).filter(|_| newer_sightings));
                    // It came by another way, or this server ended between storing it and saying so.
                    if !known.ledger.contains_key(&event.uuid) {
                        entries.extend(known.entry(pull, event, Outcome::UpToDate, "what is here is as new"));
                    }
                }
                Verdict::No(outcome, why) => entries.extend(known.entry(pull, event, outcome, why)),
            }
        }
        pull.service().enter(entries)?;
    }
    chosen.wanted.sort_by_key(|event| (event.timestamp, event.uuid));
    Ok(chosen)
}

/// What each of the offered events is to us, with its title where it is here; nothing is stored or noted.
pub(crate) fn verdicts(
    service: &Service,
    server: &Server,
    offered: &[Offered],
    mut each: impl FnMut(&Offered, Verdict, &str),
) -> Result<(), Fault> {
    let mut seen = FxHashSet::default();
    for chunk in offered.chunks(CHUNK) {
        let known = Known::of(service, server, chunk)?;
        for event in chunk.iter().filter(|event| event.published && seen.insert(event.uuid)) {
            let title = known.events.get(&event.uuid).map_or("", |event| event.info.as_str());
            each(event, known.verdict(event, server.internal), title);
        }
    }
    Ok(())
}

/// What an offered event is to us.
pub(crate) enum Verdict {
    New,
    Newer,
    /// `decided`: this version was looked at once and not taken.
    Same {
        newer_sightings: bool,
        decided: bool,
    },
    No(Outcome, &'static str),
}

const DECIDED: Verdict = Verdict::Same { newer_sightings: false, decided: true };

/// What is here of the events of a chunk.
struct Known {
    events: FxHashMap<Uuid, Event>,
    blocked: FxHashSet<Uuid>,
    blocked_orgs: FxHashSet<Uuid>,
    ledger: FxHashMap<Uuid, Entry>,
}

impl Known {
    fn of(service: &Service, server: &Server, chunk: &[Offered]) -> Result<Self, Fault> {
        let uuids: Vec<Uuid> = chunk.iter().map(|event| event.uuid).collect();
        let orgs: FxHashSet<Uuid> = chunk.iter().filter_map(|event| event.orgc_uuid).collect();
        let orgs: Vec<Uuid> = orgs.into_iter().collect();
        let settings = service.settings();
        let id = server.id;
        let known = service.read(&receiver(server), |r| {
            let blocked =
                if settings.event_blocklist { r.blocked_among(&uuids)? } else { FxHashSet::default() };
            let blocked_orgs =
                if settings.org_blocklist { r.blocked_orgs_among(&orgs)? } else { FxHashSet::default() };
            let events = r.events_by_uuids(&uuids)?.into_iter().map(|event| (event.uuid, event)).collect();
            let ledger = r.ledger_of(id, DIRECTION, Subject::Event, &uuids)?;
            Ok(Self { events, blocked, blocked_orgs, ledger })
        })?;
        Ok(known)
    }

    fn verdict(&self, offered: &Offered, internal: bool) -> Verdict {
        if self.blocked.contains(&offered.uuid) {
            return Verdict::No(Outcome::Blocked, "the event is on the blocklist");
        }
        if offered.orgc_uuid.is_some_and(|org| self.blocked_orgs.contains(&org)) {
            return Verdict::No(Outcome::Blocked, "its organisation is on the blocklist");
        }
        let Some(here) = self.events.get(&offered.uuid) else {
            let version = self.ledger.get(&offered.uuid).filter(|e| e.version == offered.timestamp);
            return match version.map(|entry| entry.outcome) {
                // Asked for once, and decided: the same version will not be another one.
                Some(Outcome::Rule | Outcome::Refused) => DECIDED,
                _ => Verdict::New,
            };
        };
        if here.timestamp > offered.timestamp {
            return Verdict::No(Outcome::UpToDate, "what is here is newer");
        }
        if here.timestamp == offered.timestamp {
            let newer_sightings = offered.sighting_timestamp > here.sighting_timestamp;
            return Verdict::Same { newer_sightings, decided: false };
        }
        if !here.locked && !internal {
            return Verdict::No(Outcome::Refused, "it is an event of this server, which changes it alone");
        }
        match self.ledger.get(&offered.uuid) {
            Some(entry)
                if entry.version == offered.timestamp
                    && matches!(entry.outcome, Outcome::Rule | Outcome::Refused) =>
            {
                DECIDED
            }
            _ => Verdict::Newer,
        }
    }

    /// A line for the ledger, unless it stands there.
    fn entry(&self, pull: &Pull<'_>, event: &Offered, outcome: Outcome, why: &str) -> Option<Entry> {
        let same = |entry: &&Entry| entry.outcome == outcome && entry.version == event.timestamp;
        if self.ledger.get(&event.uuid).filter(same).is_some() {
            return None;
        }
        let title = self.events.get(&event.uuid).map_or("", |event| event.info.as_str());
        let entry = Entry::new(pull.server().id, DIRECTION, Subject::Event, event.uuid, outcome);
        Some(entry.because(why).about(title, event.timestamp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::transit::Choice;

    #[test]
    fn the_list_is_asked_for_as_the_rules_say() {
        let rules = Rules {
            tags: Choice { or: vec!["tlp:green".into()], not: vec!["tlp:red".into()] },
            orgs: Choice { or: vec![], not: vec!["ACME".into()] },
            url_params: r#"{"timestamp":"30d","minimal":0,"published":0}"#.into(),
            ..Rules::default()
        };
        let filter = json!({"timestamp":"30d","tag":["tlp:green","!tlp:red"],"org":["!ACME"],"minimal":1,"published":1});
        assert_eq!(index_filter(&rules), filter);
        let rules = Rules { url_params: "[]".into(), ..Rules::default() };
        assert_eq!(index_filter(&rules), json!({"minimal":1,"published":1}));
    }
}
