//! GET /sightings/advanced: how often attributes or events were seen, by whom, and when last.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, member, number_member};
use crate::request::Request;
use pisax_model::ids::Ref;
use pisax_store::sightings::{Sighted, SightingQuery};
use std::collections::BTreeMap;

/// Attributes or events asked for at once.
const NAMED: usize = 1000;
/// Sightings read at a time.
const PAGE: usize = 5000;

/// Of one organisation.
#[derive(Default)]
struct Total {
    /// By type: seen, a false positive, expired.
    counts: [i64; 3],
    last: i64,
}

impl Total {
    fn add(&mut self, kind: i64, date: i64) {
        if let Some(count) = usize::try_from(kind).ok().and_then(|kind| self.counts.get_mut(kind)) {
            *count += 1;
        }
        self.last = self.last.max(date);
    }

    fn write(&self, w: &mut pisax_wire::JsonWriter<'_>) {
        for (name, count) in ["sighting", "false_positive", "expiration"].iter().zip(self.counts) {
            number_member(w, name, count);
        }
        number_member(w, "last", self.last);
    }
}

/// GET /sightings/advanced/{id|id|…}[/{attribute|event}]
pub(crate) fn advanced(request: &Request) -> Result<Answer, Failure> {
    let event = request.path.arg(1) == Some("event");
    let missing = if event { "Invalid event." } else { "Invalid attribute." };
    let missing = || Failure::NotAllowed(missing.into());
    let named = request.path.arg(0).ok_or_else(missing)?;
    let wanted: Vec<Ref> = named.split('|').filter_map(|text| Ref::parse(text.trim())).collect();
    if wanted.len() > NAMED {
        return Err(Failure::NotAllowed(format!("At most {NAMED} at once.")));
    }
    let (mut all, mut by_org) = (Total::default(), BTreeMap::<String, Total>::new());
    let found = request.service.read(&request.actor, |r| {
        let mut ids = Vec::new();
        for reference in wanted {
            if event {
                ids.extend(r.event(reference)?.map(|event| event.id));
            } else {
                ids.extend(r.attribute(reference)?.map(|batch| batch.ids()).unwrap_or_default());
            }
        }
        if ids.is_empty() {
            return Ok(false);
        }
        let sighted = if event { Sighted::Events(ids) } else { Sighted::Attributes(ids) };
        let mut query =
            SightingQuery { sighted: Some(sighted), limit: Some(PAGE as i64), ..SightingQuery::default() };
        loop {
            let sightings = r.search_sightings(&query)?;
            for sighting in &sightings {
                all.add(sighting.kind, sighting.date_sighting);
                by_org
                    .entry(sighting.org_name.clone())
                    .or_default()
                    .add(sighting.kind, sighting.date_sighting);
            }
            match sightings.last() {
                Some(last) if sightings.len() >= PAGE => query.after = last.id,
                _ => return Ok(true),
            }
        }
    })?;
    if !found {
        return Err(missing());
    }
    Ok(document(|w| {
        w.begin_object();
        member(w, "context", if event { "event" } else { "attribute" });
        member(w, "id", named);
        all.write(w);
        w.key("organisations");
        w.begin_array();
        for (name, total) in &by_org {
            w.begin_object();
            member(w, "name", name);
            total.write(w);
            w.end_object();
        }
        w.end_array();
        w.end_object();
    }))
}
