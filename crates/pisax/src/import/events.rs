//! Files of MISP events, and of STIX 2 bundles.

use super::{Import, Report, Source};
use anyhow::Result;
use pisax_model::event::EventDraft;
use pisax_model::ids::Ref;
use pisax_service::{Error, event};

/// Imports every event of a file: new ones are added, known ones updated when the file's are newer.
pub fn import(import: &Import<'_>, source: &Source) -> Result<Report> {
    let report = read(import, source);
    import.progress.advance(source.bytes);
    report
}

/// Imports files of one new event each in a single transaction. `None`, and nothing done, where one of them is
/// anything else.
pub fn import_together(import: &Import<'_>, turn: &[Source]) -> Option<Report> {
    let mut events = Vec::with_capacity(turn.len());
    for source in turn {
        let mut found = drafts(&source.read().ok()?).ok()?;
        events.push(found.pop().filter(|draft| found.is_empty() && *draft != EventDraft::default())?);
    }
    let uuids: Vec<_> = events.iter().filter_map(|draft| draft.uuid).collect();
    for uuid in uuids {
        if stored_timestamp(import, Ref::Uuid(uuid)).ok()?.is_some() {
            return None;
        }
    }
    let counts: Vec<u64> = events.iter().map(attributes_of).collect();
    // What went wrong is told when the files come one by one.
    let added = event::add_together(import.service, import.actor, events).ok()?;
    let mut report = Report::default();
    for ((source, added), attributes) in turn.iter().zip(added).zip(counts) {
        report += told(import, source, "", &added, attributes);
        import.progress.advance(source.bytes);
    }
    Some(report)
}

fn attributes_of(draft: &EventDraft) -> u64 {
    let inside = draft.objects.iter().map(|object| object.attributes.len()).sum::<usize>();
    (draft.attributes.len() + inside) as u64
}

/// Names what was left out of an event that was added.
fn told(import: &Import<'_>, source: &Source, event: &str, added: &event::Added, attributes: u64) -> Report {
    import.left_out(source, event, &added.dropped);
    let refused = added.dropped.len() as u64;
    Report { added: 1, attributes: attributes.saturating_sub(refused), refused, ..Report::default() }
}

fn read(import: &Import<'_>, source: &Source) -> Result<Report> {
    let broken = Report { broken: 1, ..Report::default() };
    if let Some((uuid, timestamp)) = source.listed
        && stored_timestamp(import, Ref::Uuid(uuid))?.is_some_and(|stored| stored >= timestamp)
    {
        return Ok(Report { skipped: 1, ..Report::default() });
    }
    let drafts = match source.read() {
        Ok(body) => drafts(&body),
        Err(e) => {
            import.complain(source, "", &e.to_string());
            return Ok(broken);
        }
    };
    let drafts = match drafts {
        Ok(drafts) => drafts,
        Err(e) => {
            import.complain(source, "", &e);
            return Ok(broken);
        }
    };
    if drafts.iter().all(|draft| *draft == EventDraft::default()) {
        import.complain(source, "", "there is neither a MISP event nor a STIX 2 bundle in it");
        return Ok(broken);
    }
    let many = drafts.len() > 1;
    let mut report = Report::default();
    for (place, draft) in drafts.into_iter().enumerate() {
        let event = if many { format!("event {}", place + 1) } else { String::new() };
        report += match one(import, source, &event, draft) {
            Ok(done) => done,
            Err(e) => import.broken(source, &event, e)?,
        };
    }
    Ok(report)
}

/// Events in MISP's JSON, or the reports of a STIX 2 bundle.
fn drafts(body: &[u8]) -> Result<Vec<EventDraft>, String> {
    let drafts = pisax_wire::read_events(body).map_err(|e| e.to_string())?;
    if !drafts.iter().all(|draft| *draft == EventDraft::default()) {
        return Ok(drafts);
    }
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(bundle) if bundle.get("type").is_some_and(|kind| kind == "bundle") => {
            pisax_formats::stix2::read_bundle(&bundle).map_err(|problem| problem.to_string())
        }
        _ => Ok(drafts),
    }
}

fn one(
    import: &Import<'_>,
    source: &Source,
    place: &str,
    draft: EventDraft,
) -> pisax_service::Result<Report> {
    let (service, actor) = (import.service, import.actor);
    let attributes = attributes_of(&draft);
    let stored = match draft.uuid.map(Ref::Uuid) {
        Some(reference) => stored_timestamp(import, reference)?.map(|stored| (reference, stored)),
        None => None,
    };
    let skipped = Report { skipped: 1, ..Report::default() };
    if let Some((reference, stored)) = stored {
        // Without a timestamp nobody knows which is newer, and an edit would count as made now.
        if draft.timestamp.is_none_or(|timestamp| timestamp <= stored) {
            return Ok(skipped);
        }
        return match event::edit(service, actor, reference, draft) {
            Ok(_) => Ok(Report { updated: 1, attributes, ..Report::default() }),
            Err(Error::Stale(_)) => Ok(skipped),
            Err(e) => Err(e),
        };
    }
    match event::add(service, actor, draft) {
        Ok(added) => {
            let event = if place.is_empty() { String::new() } else { format!("{place}: ") };
            Ok(told(import, source, &event, &added, attributes))
        }
        // Another file of this import had it.
        Err(Error::EventExists { .. }) => Ok(skipped),
        Err(e) => Err(e),
    }
}

fn stored_timestamp(import: &Import<'_>, reference: Ref) -> pisax_service::Result<Option<i64>> {
    import.service.read(import.actor, |r| Ok(r.event(reference)?.map(|event| event.timestamp)))
}
