//! Decaying models: what this platform brings, and what organisations make for themselves.

use crate::{Error, Result, Service, rules};
use pisax_access::{Actor, Permission};
use pisax_formats::knowledge::{builtin, stored};
use pisax_model::FieldError;
use pisax_model::decay::{DecayingModel, Formula, Parameters};
use pisax_store::decaying::Coding;
use pisax_store::{Reader, Writer};

/// What a client says of a model; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    pub name: Option<String>,
    pub description: Option<String>,
    pub parameters: Option<Parameters>,
    pub formula: Option<String>,
    pub types: Option<Vec<String>>,
    pub references: Option<Vec<String>>,
    pub enabled: Option<bool>,
    pub all_orgs: Option<bool>,
}

/// Days of the longest lifetime, a century.
const LONGEST_LIFETIME: f64 = 36_500.0;
/// Most weights, types and links of one model, and the longest text of it in bytes.
const MOST: usize = 1000;
const LONGEST: usize = 64 << 10;

const CODING: Coding =
    Coding { read: |text| stored::read_parameters(text).ok(), write: stored::parameters_text };

/// Whether the actor may change a model.
pub fn edits(actor: &Actor, model: &DecayingModel) -> bool {
    actor.sees_all() || (actor.has(Permission::Decaying) && !model.default && model.org_id == actor.org_id)
}

/// The models the actor may read.
pub fn list(r: &mut Reader<'_>) -> Result<Vec<DecayingModel>> {
    Ok(r.decaying_models(CODING)?)
}

pub fn view(r: &mut Reader<'_>, id: i64) -> Result<DecayingModel> {
    r.decaying_model(id, CODING)?.ok_or(Error::NotFound("decaying model"))
}

/// Takes in the models this version brings, where they are newer or `force` says so; returns how many changed.
pub fn update(service: &Service, actor: &Actor, force: bool) -> Result<usize> {
    rules::site_admin(actor)?;
    service.write(actor, |w| put_builtin(w, force))
}

pub(crate) fn put_builtin(w: &mut Writer<'_>, force: bool) -> Result<usize> {
    let known = w.decaying_models(CODING)?;
    let mut changed = 0;
    for model in builtin::decaying_models() {
        let old = known.iter().find(|old| old.uuid == model.uuid);
        if old.is_some_and(|old| old.version >= model.version && !force) {
            continue;
        }
        // Whether it is used, and by whom, is for the instance to say.
        let model = match old {
            Some(old) => DecayingModel { enabled: old.enabled, all_orgs: old.all_orgs, ..model },
            None => model,
        };
        w.put_decaying_model(old, &model, CODING)?;
        changed += 1;
    }
    Ok(changed)
}

/// Adds a model of the actor's organisation.
pub fn add(service: &Service, actor: &Actor, draft: Draft) -> Result<DecayingModel> {
    makes(actor)?;
    let blank = DecayingModel {
        id: 0,
        uuid: None,
        name: String::new(),
        description: String::new(),
        parameters: Parameters::default(),
        formula: Formula::default(),
        types: Vec::new(),
        org_id: actor.org_id,
        enabled: false,
        all_orgs: true,
        references: Vec::new(),
        version: 1,
        default: false,
    };
    let mut model = merge(blank, draft)?;
    check(&model)?;
    service.write(actor, |w| {
        model.id = w.put_decaying_model(None, &model, CODING)?;
        Ok(())
    })?;
    Ok(model)
}

/// Changes a model. One that comes with the platform keeps its numbers: its switches alone move.
pub fn edit(service: &Service, actor: &Actor, id: i64, draft: Draft) -> Result<DecayingModel> {
    makes(actor)?;
    service.write(actor, |w| {
        let old = view(w, id)?;
        if !edits(actor, &old) {
            return Err(Error::Forbidden);
        }
        let draft = match old.default {
            true => Draft { enabled: draft.enabled, all_orgs: draft.all_orgs, ..Draft::default() },
            false => draft,
        };
        let model = merge(old.clone(), draft)?;
        check(&model)?;
        if model != old {
            w.put_decaying_model(Some(&old), &model, CODING)?;
        }
        Ok(model)
    })
}

/// Deletes a model that was made here.
pub fn delete(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    makes(actor)?;
    service.write(actor, |w| {
        let model = view(w, id)?;
        if !edits(actor, &model) || model.default {
            return Err(Error::Forbidden);
        }
        Ok(w.delete_decaying_model(&model)?)
    })
}

fn makes(actor: &Actor) -> Result<()> {
    let any = [Permission::Decaying, Permission::Admin, Permission::SiteAdmin];
    if any.into_iter().any(|p| actor.has(p)) { Ok(()) } else { Err(Error::Forbidden) }
}

fn merge(old: DecayingModel, draft: Draft) -> Result<DecayingModel> {
    let formula = match &draft.formula {
        Some(name) => Formula::parse(name).ok_or_else(|| FieldError::new("formula", "No such formula."))?,
        None => old.formula,
    };
    Ok(DecayingModel {
        name: draft.name.map_or(old.name, |name| name.trim().to_owned()),
        description: draft.description.unwrap_or(old.description),
        parameters: draft.parameters.unwrap_or(old.parameters),
        types: draft.types.unwrap_or(old.types),
        references: draft.references.unwrap_or(old.references),
        enabled: draft.enabled.unwrap_or(old.enabled),
        all_orgs: draft.all_orgs.unwrap_or(old.all_orgs),
        formula,
        ..old
    })
}

fn check(model: &DecayingModel) -> Result<()> {
    let parameters = &model.parameters;
    let mut errors = Vec::new();
    let mut must = |holds: bool, field: &'static str, message: &str| {
        if !holds {
            errors.push(FieldError::new(field, message));
        }
    };
    let short = |text: &str| text.len() <= LONGEST;
    must(!model.name.is_empty() && short(&model.name), "name", "The model must have a name.");
    must(short(&model.description), "description", "The description is too long.");
    must(
        parameters.lifetime > 0.0 && parameters.lifetime <= LONGEST_LIFETIME,
        "lifetime",
        "A lifetime of more than 0 and at most 36500 days is needed.",
    );
    must(
        parameters.decay_speed > 0.0 && parameters.decay_speed <= 1e6,
        "decay_speed",
        "A decay speed above 0 is needed.",
    );
    let score = |number: f64| (0.0..=1e6).contains(&number);
    must(score(parameters.threshold), "threshold", "A threshold of 0 or more is needed.");
    must(score(parameters.default_base_score), "default_base_score", "A score of 0 or more is needed.");
    let weights = &parameters.base_score_config;
    must(
        weights.len() <= MOST && weights.iter().all(|(name, weight)| short(name) && score(*weight)),
        "base_score_config",
        "A weight of 0 or more is needed for each taxonomy.",
    );
    let offsets = [parameters.true_positive_offset, parameters.false_positive_offset];
    must(
        parameters.minimum_sightings >= 0 && offsets.into_iter().all(score),
        "settings",
        "Offsets and sightings are numbers of 0 or more.",
    );
    let line = |text: &String| text.len() <= 512 && !text.contains(char::is_control);
    must(
        model.types.len() <= MOST && model.types.iter().all(line),
        "attribute_types",
        "A list of attribute types is needed.",
    );
    must(
        model.references.len() <= MOST && model.references.iter().all(line),
        "ref",
        "A list of links is needed.",
    );
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}
