//! Sightings of events whose sightings over there are newer, read as they come.

use super::{DIRECTION, Pull, receiver};
use crate::peer::HUGE;
use crate::{Fault, stream};
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use pisax_model::peer::{Entry, Outcome, Subject};
use pisax_model::sighting::SightingDraft;
use pisax_service::{Error, sighting};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// Events asked for at a time, as MISP does.
const EVENTS: usize = 20;
/// Sightings written at a time.
const BATCH: usize = 1000;

pub(super) fn pull(pull: &Pull<'_>, events: &[Uuid]) -> Result<(), Fault> {
    for (n, chunk) in events.chunks(EVENTS).enumerate() {
        pull.work.tell(98, &format!("Pulling sightings of event {} of {}.", n * EVENTS + 1, events.len()))?;
        match some(pull, chunk) {
            Ok(()) => {}
            Err(fault @ Fault::Stopped) => return Err(fault),
            // Sightings that cannot be had now hold up nothing else: they are newer next time as well.
            Err(fault) => {
                let entry = |uuid: &Uuid| {
                    Entry::new(pull.server().id, DIRECTION, Subject::Sightings, *uuid, Outcome::Failed)
                        .because(fault.to_string())
                };
                pull.service().enter(chunk.iter().map(entry).collect())?;
            }
        }
    }
    Ok(())
}

fn some(pull: &Pull<'_>, events: &[Uuid]) -> Result<(), Fault> {
    let uuids: Vec<String> = events.iter().map(Uuid::to_string).collect();
    let question = json!({"returnFormat": "json", "last": 0, "includeUuid": true, "uuid": uuids});
    let answer = pull.peer.stream("sightings/restSearch/event", question.to_string().as_bytes(), HUGE)?;
    let mut batch: BTreeMap<Uuid, Vec<SightingDraft>> = BTreeMap::new();
    let mut held = 0;
    stream::items(answer.body, |item| {
        let Some((event, draft)) = read(item)?.filter(|(event, _)| events.contains(event)) else {
            return Ok(());
        };
        batch.entry(event).or_default().push(draft);
        held += 1;
        if held >= BATCH {
            held = 0;
            keep(pull, std::mem::take(&mut batch))?;
        }
        Ok(())
    })?;
    keep(pull, batch)
}

/// Keeps sightings of one event that came without being asked for.
pub(crate) fn keep_list(pull: &Pull<'_>, event: Uuid, list: &[u8]) -> Result<(), Fault> {
    let drafts = pisax_wire::read_incoming_sightings(list)
        .map_err(|e| Fault::Strange(format!("its sightings: {e}")))?;
    keep(pull, BTreeMap::from([(event, drafts)]))
}

fn keep(pull: &Pull<'_>, batch: BTreeMap<Uuid, Vec<SightingDraft>>) -> Result<(), Fault> {
    pull.work.go_on()?;
    for (event, drafts) in batch {
        match sighting::capture(pull.service(), &receiver(pull.server()), Ref::Uuid(event), drafts) {
            Ok(added) => {
                pull.tally.sightings.fetch_add(added, Ordering::Relaxed);
            }
            // Of an event that is not here.
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The event's uuid, wherever it stands.
#[derive(Deserialize)]
struct Of {
    #[serde(rename = "Sighting")]
    sighting: Option<Named>,
    event_uuid: Option<String>,
    #[serde(rename = "Event")]
    event: Option<Inner>,
}

#[derive(Deserialize)]
struct Named {
    event_uuid: Option<String>,
    #[serde(rename = "Event")]
    event: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    uuid: Option<String>,
}

/// One sighting with its event; `None` where it does not say what it is of.
fn read(item: &RawValue) -> Result<Option<(Uuid, SightingDraft)>, Fault> {
    let strange = |e: String| Fault::Strange(format!("its sightings: {e}"));
    let of: Of = serde_json::from_str(item.get()).map_err(|e| strange(e.to_string()))?;
    let named = of.sighting.map(|s| s.event_uuid.or(s.event.and_then(|e| e.uuid)));
    let text = named.flatten().or(of.event_uuid).or(of.event.and_then(|e| e.uuid));
    let Some(event) = text.and_then(|text| Uuid::try_parse(&text).ok()) else { return Ok(None) };
    let mut drafts =
        pisax_wire::read_incoming_sightings(item.get().as_bytes()).map_err(|e| strange(e.to_string()))?;
    Ok(drafts.pop().map(|draft| (event, draft)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sighting_says_what_it_is_of() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let uuid = "11111111-0000-4000-8000-000000000001";
        for text in [
            format!(r#"{{"Sighting":{{"event_uuid":"{uuid}","attribute_uuid":"{uuid}","type":"0"}}}}"#),
            format!(r#"{{"event_uuid":"{uuid}","attribute_uuid":"{uuid}"}}"#),
            format!(r#"{{"Sighting":{{"attribute_uuid":"{uuid}","Event":{{"uuid":"{uuid}"}}}}}}"#),
        ] {
            let (event, draft) = read(&raw(&text)).unwrap().unwrap();
            assert_eq!((event.to_string(), draft.attribute.is_some()), (uuid.to_owned(), true), "{text}");
        }
        assert!(read(&raw("{}")).unwrap().is_none());
        assert!(read(&raw("7")).is_err());
    }
}
