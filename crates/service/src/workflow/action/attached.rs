//! What is told to the nodes that come next: warninglists that have a value, scores, what modules know. Nothing is
//! stored.

use super::{MAX_ITEMS, told};
use crate::workflow::run::Run;
use crate::{decaying_model, enrichment};
use pisax_formats::workflow::read_data;
use pisax_model::attribute::AttributeView;
use pisax_model::decay::{self, Indicator, ScoredTag};
use pisax_model::ids::Ref;
use pisax_model::tag::Attached;
use pisax_model::workflow::{Data, Node};
use pisax_model::{AttributeType, decay::DecayingModel};
use rustc_hash::FxHashMap;

/// Modules, and which attribute is to be asked about of which.
type Questions = (Vec<enrichment::Module>, Vec<(i64, usize)>);

/// Questions that one action asks of modules.
const MAX_QUESTIONS: usize = 100;

impl Run<'_> {
    /// `warnings` of the attributes, and of the event the lists that have any of them. As in MISP only what is meant
    /// for detection is warned of.
    pub(super) fn attach_warninglists(&self, node: &Node) -> Result<Data, String> {
        let wanted = node.param("warninglists").texts();
        let all = wanted.iter().any(|name| name == "ALL");
        let ids = self.item_ids(node)?;
        let lists = self.service.warninglists.load();
        let mut hit: Vec<(String, Data)> = Vec::new();
        let mut data = self.whole_data().clone();
        data.each_attribute(&|id| ids.contains(&id), &mut |_, attribute| {
            let text = |key: &str| attribute.member(key).and_then(Data::text).unwrap_or_default();
            let Some(kind) = AttributeType::parse(&text("type")) else { return };
            if !attribute.member("to_ids").is_some_and(Data::is_filled) {
                return;
            }
            let value = text("value");
            let (one, two) = match value.split_once('|') {
                Some(halves) if kind.is_composite() => halves,
                _ => (value.as_str(), ""),
            };
            let mut warnings = Vec::new();
            for found in lists.hits(kind, one, two) {
                let Some(list) = lists.list(found.list_id) else { continue };
                if !all && !wanted.contains(&list.name) {
                    continue;
                }
                let category = list.category.name();
                let half = if found.half == pisax_lookup::Half::First { one } else { two };
                warnings.push(Data::map([
                    ("match", found.matched.clone().into()),
                    ("value", half.into()),
                    ("warninglist_id", found.list_id.into()),
                    ("warninglist_name", list.name.clone().into()),
                    ("warninglist_category", category.into()),
                ]));
                let id = found.list_id.to_string();
                if !hit.iter().any(|(known, _)| *known == id) {
                    let told = Data::map([
                        ("id", id.clone().into()),
                        ("name", list.name.clone().into()),
                        ("category", category.into()),
                    ]);
                    hit.push((id, told));
                }
            }
            if !warnings.is_empty() {
                attribute.put("warnings", Data::List(warnings));
            }
        });
        let hit = Data::List(hit.into_iter().map(|(_, told)| told).collect());
        if let Some(mut event) = data.member("Event").cloned() {
            event.put("warnings", hit);
            data.put("Event", event);
        }
        Ok(data)
    }

    /// `decay_score` of the attributes, by the models that are picked.
    pub(super) fn attach_scores(&self, node: &Node) -> Result<Data, String> {
        let wanted = node.param("decayingmodels").texts();
        if wanted.is_empty() {
            return Err("no decaying model is picked".into());
        }
        let ids: Vec<i64> = self.item_ids(node)?.into_iter().collect();
        let now = self.service.now();
        let scores = self.service.read(&self.actor, |r| {
            let mut models = decaying_model::list(r)?;
            models.retain(|model| wanted.iter().any(|w| *w == model.name || w.parse() == Ok(model.id)));
            let mut scores = FxHashMap::default();
            let batch = r.attributes_by_ids(&ids)?;
            let event = batch.iter().next().map_or(0, |attribute| attribute.event_id);
            let of_event = r.event_tags(&[event])?.remove(&event).unwrap_or_default();
            let (own, sighted) = (r.attribute_tags(&ids)?, r.sighted(&ids)?);
            for attribute in batch.iter() {
                let tags = own.get(&attribute.id).map_or(&[][..], Vec::as_slice);
                let sighted = sighted.get(&attribute.id).copied().unwrap_or_default();
                scores.insert(attribute.id, said(&models, &attribute, (tags, &of_event), sighted, now));
            }
            Ok(scores)
        });
        let scores = scores.map_err(told)?;
        let mut data = self.whole_data().clone();
        data.each_attribute(&|id| scores.contains_key(&id), &mut |id, attribute| {
            attribute.put("decay_score", scores.get(&id).cloned().unwrap_or_default());
        });
        Ok(data)
    }

    /// `enrichment` of the attributes: the answers of the modules that are picked and take their types.
    pub(super) fn attach_enrichment(&self, node: &Node) -> Result<Data, String> {
        let (modules, questions) = self.questions(node)?;
        let mut answers: FxHashMap<i64, Vec<Data>> = FxHashMap::default();
        for (id, module) in questions {
            self.in_time()?;
            let name = &modules[module].name;
            let answer = enrichment::try_out(self.service, &self.actor, Ref::Id(id), name)
                .map_err(|error| format!("{name}: {error}"))?;
            let answer = read_data(&answer.0.to_string()).unwrap_or_default();
            // What a module found, or why it did not.
            let found = answer.member("results").cloned().unwrap_or(answer);
            answers.entry(id).or_default().push(found);
        }
        let mut data = self.whole_data().clone();
        data.each_attribute(&|id| answers.contains_key(&id), &mut |id, attribute| {
            let mut all = match attribute.member("enrichment") {
                Some(Data::List(before)) => before.clone(),
                _ => Vec::new(),
            };
            all.extend(answers.get(&id).into_iter().flatten().cloned());
            attribute.put("enrichment", Data::List(all));
        });
        Ok(data)
    }

    /// Adds to the event what the modules found.
    pub(super) fn enrich(&self, node: &Node) -> Result<(), String> {
        let (modules, questions) = self.questions(node)?;
        for (id, module) in questions {
            self.in_time()?;
            let target = enrichment::Target::Attribute(Ref::Id(id));
            let names = [modules[module].name.clone()];
            let asked = enrichment::begin(self.service, &self.actor, target, &names);
            let outcome = asked.and_then(|e| e.run(self.service, &self.actor)).map_err(told)?;
            if let Some(error) = outcome.errors.first() {
                return Err(error.clone());
            }
        }
        Ok(())
    }

    /// Those that are picked, and take the attributes.
    fn questions(&self, node: &Node) -> Result<Questions, String> {
        let wanted = node.param("modules").texts();
        if wanted.is_empty() {
            return Err("no module is picked".into());
        }
        let plugin = enrichment::Plugin::load(self.service).map_err(told)?;
        let mut modules = enrichment::modules(self.service, &self.actor, &plugin).map_err(told)?;
        modules.retain(|module| module.is("expansion") && wanted.contains(&module.name));
        if modules.is_empty() {
            return Err(format!("there is no module {}", wanted.join(", ")));
        }
        let ids: Vec<i64> = self.item_ids(node)?.into_iter().collect();
        debug_assert!(ids.len() <= MAX_ITEMS);
        let batch = self.service.read(&self.actor, |r| Ok(r.attributes_by_ids(&ids)?)).map_err(told)?;
        let mut questions = Vec::new();
        for attribute in batch.iter() {
            let fitting = modules.iter().enumerate().filter(|(_, m)| m.takes(attribute.kind.name()));
            questions.extend(fitting.map(|(place, _)| (attribute.id, place)));
        }
        match questions.len() > MAX_QUESTIONS {
            true => Err(format!("there are more than {MAX_QUESTIONS} questions to modules")),
            false => Ok((modules, questions)),
        }
    }
}

fn scored(tags: &[Attached]) -> Vec<ScoredTag<'_>> {
    tags.iter().map(|t| ScoredTag { name: &t.tag.name, numerical_value: t.tag.numerical_value }).collect()
}

/// What models say of an attribute with its own tags and its event's.
fn said(
    models: &[DecayingModel],
    attribute: &AttributeView<'_>,
    (own, of_event): (&[Attached], &[Attached]),
    sighted: decay::Sighted,
    now: i64,
) -> Data {
    let (own, event) = (scored(own), scored(of_event));
    let indicator = Indicator {
        timestamp: attribute.timestamp,
        since: decay::counted_from(attribute.timestamp, attribute.last_seen, sighted.last),
        sighted,
        own_tags: &own,
        event_tags: &event,
    };
    let one = |model: &DecayingModel| {
        let score = decay::score(model.formula, &model.parameters, &indicator, now);
        let named = Data::map([("id", model.id.into()), ("name", model.name.clone().into())]);
        Data::map([
            ("score", score.score.to_string().into()),
            ("base_score", score.base_score.to_string().into()),
            ("decayed", score.decayed.into()),
            ("DecayingModel", named),
        ])
    };
    Data::List(models.iter().map(one).collect())
}
