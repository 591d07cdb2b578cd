//! Decay scores in answers: the models an answer scores with, read once, and what they say of a batch of
//! attributes, whose tags and sightings are read by set.

use crate::reply::number_member;
use pisax_access::Actor;
use pisax_formats::knowledge::stored;
use pisax_model::AttributeType;
use pisax_model::attribute::AttributeView;
use pisax_model::decay::{self, DecayingModel, Indicator, Overrides, Score, ScoredTag, Sighted};
use pisax_model::event::Event;
use pisax_model::tag::Attached;
use pisax_service::knowledge::Warninglists;
use pisax_service::{Error, Service, decaying_model};
use pisax_store::Reader;
use pisax_wire::JsonWriter;
use pisax_wire::include::Include;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What an answer says of an attribute beyond the database: its scores and the warninglists it is on.
#[derive(Clone, Default)]
pub(crate) struct Extras {
    pub(crate) scoring: Option<Arc<Scoring>>,
    pub(crate) warnings: Option<Arc<Warninglists>>,
}

impl Extras {
    pub(crate) fn load(service: &Service, actor: &Actor, include: &Include) -> Result<Self, Error> {
        let now = service.now();
        let asked = include.include_decay_score || include.include_scores_on_event;
        let scoring = if asked { service.read(actor, |r| Scoring::load(r, include, now))? } else { None };
        Ok(Self {
            scoring: scoring.map(Arc::new),
            warnings: include.include_warninglist_hits.then(|| service.warninglists.load()),
        })
    }

    /// The members `"warnings":[…]` and `"decay_score":[…]` of an attribute, where there are any.
    pub(crate) fn members(&self, attribute: &AttributeView<'_>, said: &[Said]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut w = JsonWriter::new(&mut out);
        if let Some(lists) = &self.warnings {
            crate::warnings::write_member(&mut w, lists, attribute);
        }
        if let Some(scoring) = self.scoring.as_ref().filter(|_| !said.is_empty()) {
            w.key("decay_score");
            scoring.write(&mut w, said);
        }
        out
    }
}

/// The models of one answer.
pub(crate) struct Scoring {
    models: Vec<DecayingModel>,
    /// By attribute type: which of them score it.
    by_type: FxHashMap<AttributeType, Vec<usize>>,
    /// The client chose them, so that they score every type.
    chosen: bool,
    /// The whole model stands beside a score.
    full: bool,
    now: i64,
}

/// What one model says.
#[derive(Clone, Copy)]
pub(crate) struct Said {
    model: usize,
    score: Score,
}

/// A number among a search's overrides; what is none is not heeded.
fn overrides(include: &Include) -> Overrides {
    let map = include.model_overrides.as_ref();
    let number = |name: &str| stored::decimal(map?.get(name)?);
    Overrides {
        lifetime: number("lifetime"),
        decay_speed: number("decay_speed"),
        threshold: include.score.or_else(|| number("threshold")),
    }
}

impl Scoring {
    /// The models an answer was asked to score with; `None` when it was not asked to.
    pub(crate) fn load(r: &mut Reader<'_>, include: &Include, now: i64) -> Result<Option<Self>, Error> {
        if !include.include_decay_score && !include.include_scores_on_event {
            return Ok(None);
        }
        let mut models = decaying_model::list(r)?;
        let chosen = !include.decaying_models.is_empty();
        let wanted = |model: &DecayingModel| match chosen {
            true => include.decaying_models.iter().any(|id| id.trim().parse() == Ok(model.id)),
            false => model.enabled,
        };
        models.retain(wanted);
        let overrides = overrides(include);
        for model in &mut models {
            model.parameters = model.parameters.clone().with(&overrides);
        }
        let mut by_type: FxHashMap<AttributeType, Vec<usize>> = FxHashMap::default();
        for (place, model) in models.iter().enumerate() {
            for kind in model.types.iter().filter_map(|kind| AttributeType::parse(kind)) {
                by_type.entry(kind).or_default().push(place);
            }
        }
        Ok(Some(Self { models, by_type, chosen, full: include.include_full_model, now }))
    }

    /// What the models say of an attribute.
    pub(crate) fn of_attribute(
        &self,
        attribute: &AttributeView<'_>,
        tags: &[Attached],
        event_tags: &[Attached],
        sighted: Sighted,
    ) -> Vec<Said> {
        let (own, event) = (scored(tags), scored(event_tags));
        let indicator = Indicator {
            timestamp: attribute.timestamp,
            since: decay::counted_from(attribute.timestamp, attribute.last_seen, sighted.last),
            sighted,
            own_tags: &own,
            event_tags: &event,
        };
        if self.chosen {
            return (0..self.models.len()).map(|model| self.say(model, &indicator)).collect();
        }
        let models = self.by_type.get(&attribute.kind).map_or(&[][..], Vec::as_slice);
        models.iter().map(|model| self.say(*model, &indicator)).collect()
    }

    /// What they say of an event, which ages from its publication.
    pub(crate) fn of_event(&self, event: &Event, tags: &[Attached]) -> Vec<Said> {
        let tags = scored(tags);
        let since = event.publish_timestamp;
        let indicator = Indicator {
            timestamp: event.timestamp,
            since,
            sighted: Sighted::default(),
            own_tags: &[],
            event_tags: &tags,
        };
        (0..self.models.len()).map(|model| self.say(model, &indicator)).collect()
    }

    fn say(&self, model: usize, indicator: &Indicator<'_>) -> Said {
        let DecayingModel { formula, parameters, .. } = &self.models[model];
        Said { model, score: decay::score(*formula, parameters, indicator, self.now) }
    }

    /// `[{"score":…,"base_score":…,"decayed":…,"DecayingModel":{…}}]`
    pub(crate) fn write(&self, w: &mut JsonWriter<'_>, said: &[Said]) {
        w.begin_array();
        for Said { model, score } in said {
            let model = &self.models[*model];
            w.begin_object();
            w.key("score");
            w.float(score.score);
            w.key("base_score");
            w.float(score.base_score);
            w.key("decayed");
            w.bool(score.decayed);
            w.key("DecayingModel");
            w.begin_object();
            if self.full {
                crate::decaying_models::columns(w, model);
            } else {
                number_member(w, "id", model.id);
                w.key("name");
                w.str(&model.name);
            }
            w.end_object();
            w.end_object();
        }
        w.end_array();
    }
}

/// Whether every model that scored it says that it is decayed.
pub(crate) fn all_decayed(said: &[Said]) -> bool {
    !said.is_empty() && said.iter().all(|s| s.score.decayed)
}

/// The mean score and whether any model calls it decayed, as one line of a table has room for.
pub(crate) fn summary(said: &[Said]) -> (f64, bool) {
    let sum: f64 = said.iter().map(|s| s.score.score).sum();
    let mean = if said.is_empty() { 0.0 } else { sum / said.len() as f64 };
    (mean, said.iter().any(|s| s.score.decayed))
}

pub(crate) fn scored(tags: &[Attached]) -> Vec<ScoredTag<'_>> {
    tags.iter().map(|t| ScoredTag { name: &t.tag.name, numerical_value: t.tag.numerical_value }).collect()
}
