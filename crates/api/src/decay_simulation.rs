//! `/decayingModel/decayingToolComputeSimulation/{model}/{attribute}`: how the score of an attribute goes on.

use crate::answer::Answer;
use crate::decaying_models::{columns, find};
use crate::failure::Failure;
use crate::reply::{document, flag_member, member, number_member};
use crate::request::Request;
use crate::scores::scored;
use pisax_formats::knowledge::stored;
use pisax_model::decay::{self, DecayingModel, Indicator, Overrides, ScoredTag, Sighted};
use pisax_model::ids::Ref;
use pisax_model::sighting::Sighting;
use pisax_model::tag::Attached;
use pisax_model::time::format_datetime;
use pisax_store::sightings::Sighted as Of;
use pisax_wire::JsonWriter;
use serde_json::Value;

const NO_ATTRIBUTE: &str = "Attribute not found";
const HOUR: i64 = 3600;
/// Points of the longest curve: a lifetime of a century is not told hour by hour.
const MOST_POINTS: i64 = 20_000;

/// What is known of the attribute.
struct Known {
    timestamp: i64,
    last_seen: Option<i64>,
    tags: Vec<Attached>,
    event_tags: Vec<Attached>,
    sightings: Vec<Sighting>,
}

fn known(request: &Request) -> Result<Known, Failure> {
    let reference = request.path.arg(1).and_then(Ref::parse).ok_or(Failure::NotFound(NO_ATTRIBUTE))?;
    let found = request.service.read(&request.actor, |r| {
        let Some(batch) = r.attribute(reference)? else { return Ok(None) };
        let attribute = batch.get(0);
        let (id, event_id) = (attribute.id, attribute.event_id);
        Ok(Some(Known {
            timestamp: attribute.timestamp,
            last_seen: attribute.last_seen,
            tags: r.attribute_tags(&[id])?.remove(&id).unwrap_or_default(),
            event_tags: r.event_tags(&[event_id])?.remove(&event_id).unwrap_or_default(),
            sightings: r.sightings_of(Of::Attributes(vec![id]))?,
        }))
    })?;
    found.ok_or(Failure::NotFound(NO_ATTRIBUTE))
}

fn overrides(request: &Request) -> Overrides {
    let json = ["modelOverride", "modelOverrides"].iter().find_map(|name| request.path.named(name));
    let map: Value = json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let number = |name: &str| map.get(name).and_then(stored::decimal);
    let score = request.path.named("score").and_then(|score| score.parse().ok());
    Overrides {
        lifetime: number("lifetime"),
        decay_speed: number("decay_speed"),
        threshold: score.or_else(|| number("threshold")),
    }
}

/// GET /decayingModel/decayingToolComputeSimulation/{model}/{attribute}[/modelOverride:{…}][/score:…]
pub(crate) fn compute(request: &Request) -> Result<Answer, Failure> {
    let mut model = find(request)?;
    model.parameters = model.parameters.with(&overrides(request));
    let known = known(request)?;
    let (own, event) = (scored(&known.tags), scored(&known.event_tags));
    let mut seen: Vec<i64> =
        known.sightings.iter().filter(|s| s.kind == 0).map(|s| s.date_sighting).collect();
    seen.sort_unstable();
    let since = decay::counted_from(known.timestamp, known.last_seen, seen.last().copied());
    let indicator = Indicator {
        timestamp: known.timestamp,
        since,
        sighted: Sighted {
            last: seen.last().copied(),
            total: known.sightings.len() as i64,
            positive: seen.len() as i64,
        },
        own_tags: &own,
        event_tags: &event,
    };
    // Without a sighting, or when the attribute changed since, that counts as one.
    if seen.last() != Some(&since) {
        seen.push(since);
    }
    let current = decay::score(model.formula, &model.parameters, &indicator, request.now());
    let csv = curve(&model, &indicator, &seen);
    Ok(document(|w| {
        w.begin_object();
        member(w, "csv", &csv);
        w.key("sightings");
        w.begin_array();
        seen.iter().for_each(|at| sighting(w, *at));
        w.end_array();
        w.key("base_score_config");
        base_score(w, &model, &indicator, current.base_score);
        w.key("last_sighting");
        sighting(w, since);
        w.key("current_score");
        w.float(current.score);
        flag_member(w, "decayed", current.decayed);
        w.key("Model");
        w.begin_object();
        columns(w, &model);
        w.end_object();
        w.end_object();
    }))
}

/// `date,value`, a line an hour (or as many as fit), from the first sign of the attribute until nothing is left.
fn curve(model: &DecayingModel, indicator: &Indicator<'_>, seen: &[i64]) -> String {
    let whole = |at: i64| at.div_euclid(HOUR).saturating_mul(HOUR);
    let start = whole(seen.iter().copied().chain([indicator.since]).min().unwrap_or(indicator.since));
    let lifetime = (model.parameters.lifetime.clamp(0.0, 36_500.0) * 86_400.0) as i64;
    let end = whole(indicator.since.saturating_add(lifetime));
    let hours = end.saturating_sub(start) / HOUR;
    let step = HOUR * (hours / MOST_POINTS + 1);
    let mut csv = String::from("date,value\n");
    let (mut at, mut next) = (start, 0);
    while at < end {
        while seen.get(next).is_some_and(|seen| whole(*seen) <= at) {
            next += 1;
        }
        let since = seen.get(next.saturating_sub(1)).map_or(start, |seen| whole(*seen));
        let then = Indicator { since: since.min(at), ..*indicator };
        let score = decay::score(model.formula, &model.parameters, &then, at);
        csv.push_str(&format!("{},{}\n", format_datetime(at), score.score));
        // A sighting may be dated in the farthest future: the last step ends there.
        at = at.saturating_add(step);
    }
    csv
}

fn sighting(w: &mut JsonWriter<'_>, at: i64) {
    w.begin_object();
    w.key("Sighting");
    w.begin_object();
    number_member(w, "date_sighting", at);
    w.key("rounded_timestamp");
    w.int(at.div_euclid(HOUR).saturating_mul(HOUR));
    w.end_object();
    w.end_object();
}

fn base_score(w: &mut JsonWriter<'_>, model: &DecayingModel, indicator: &Indicator<'_>, base_score: f64) {
    let tags = decay::prioritised(indicator);
    w.begin_object();
    w.key("base_score");
    w.float(base_score);
    w.key("default_base_score");
    w.float(model.parameters.default_base_score);
    w.key("tags");
    w.begin_array();
    for ScoredTag { name, numerical_value } in tags {
        w.begin_object();
        w.key("Tag");
        w.begin_object();
        member(w, "name", name);
        w.key("numerical_value");
        match numerical_value {
            Some(value) => w.str_num(value),
            None => w.null(),
        }
        w.end_object();
        w.end_object();
    }
    w.end_array();
    w.key("taxonomy_effective_ratios");
    w.begin_object();
    for (name, ratio) in decay::ratios(&model.parameters, indicator) {
        w.key(name);
        w.float(ratio);
    }
    w.end_object();
    w.end_object();
}
