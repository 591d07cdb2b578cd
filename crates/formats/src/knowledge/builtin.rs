//! What every installation has without importing anything: decaying models as the MISP project publishes them
//! (misp-decaying-models, CC0), and noticelists in our own words (the published one may not be passed on under
//! our licence).

use super::json::{Bad, Fields, object};
use super::stored;
use pisax_model::Uuid;
use pisax_model::decay::{DecayingModel, Formula};
use pisax_model::notice::Noticelist;
use serde_json::Value;

const MODELS: [&str; 3] = [
    include_str!("builtin/nids-simple-model.json"),
    include_str!("builtin/phishing-model.json"),
    include_str!("builtin/vishing-model.json"),
];

const NOTICES: [&str; 3] = [
    include_str!("builtin/gdpr.json"),
    include_str!("builtin/telecom.json"),
    include_str!("builtin/exchange.json"),
];

/// The decaying models that come with the platform.
pub fn decaying_models() -> Vec<DecayingModel> {
    MODELS.iter().filter_map(|text| model(text).ok()).collect()
}

/// The noticelists that come with the platform.
pub fn noticelists() -> Vec<Noticelist> {
    NOTICES.iter().filter_map(|text| noticelist(text).ok()).collect()
}

fn model(text: &str) -> Result<DecayingModel, Bad> {
    let map = object(text.as_bytes())?;
    let fields = Fields::new(&map, "");
    let parameters = fields.get("parameters").ok_or_else(|| Bad::at("parameters", "is missing"))?;
    let formula = fields.text("formula")?;
    Ok(DecayingModel {
        id: 0,
        uuid: Some(fields.uuid("uuid")?),
        name: fields.required("name")?,
        description: fields.text("description")?.trim().to_owned(),
        parameters: stored::parameters(parameters).map_err(|field| Bad::at(field, "is no number"))?,
        formula: Formula::parse(&formula).ok_or_else(|| Bad::at("formula", "is not known"))?,
        types: fields.texts("attribute_types")?,
        org_id: 0,
        enabled: false,
        all_orgs: true,
        references: fields.texts("ref")?,
        version: fields.number("version")?.unwrap_or(1),
        default: true,
    })
}

fn noticelist(text: &str) -> Result<Noticelist, Bad> {
    let map = object(text.as_bytes())?;
    let fields = Fields::new(&map, "");
    Ok(Noticelist {
        name: fields.required("name")?,
        expanded_name: fields.text("expanded_name")?,
        references: fields.texts("ref")?,
        areas: fields.texts("geographical_area")?,
        version: fields.number("version")?.unwrap_or(1),
        notices: fields.list("notice")?.into_iter().map(|(_, notice)| Value::to_string(notice)).collect(),
    })
}

/// The uuids of the models above, which tell them from models that were made here.
pub fn model_uuids() -> Vec<Uuid> {
    decaying_models().into_iter().filter_map(|model| model.uuid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::{AttributeType, Category};

    #[test]
    fn every_model_that_comes_with_the_platform_can_score() {
        let models = decaying_models();
        assert_eq!(models.len(), MODELS.len());
        let nids = &models[0];
        assert_eq!(nids.name, "NIDS Simple Decaying Model");
        assert_eq!((nids.parameters.lifetime, nids.parameters.decay_speed), (120.0, 2.0));
        assert_eq!(nids.parameters.base_score_config.len(), 7);
        for model in &models {
            assert!(model.parameters.lifetime > 0.0 && model.parameters.decay_speed > 0.0, "{}", model.name);
            for kind in &model.types {
                assert!(AttributeType::parse(kind).is_some(), "{}: {kind}", model.name);
            }
        }
    }

    #[test]
    fn every_notice_names_what_there_is() {
        let lists = noticelists();
        assert_eq!(lists.len(), NOTICES.len());
        for list in lists {
            for notice in &list.notices {
                let notice: Value = serde_json::from_str(notice).unwrap();
                assert!(
                    notice["message"]["en"].as_str().is_some_and(|text| text.len() > 40),
                    "{}",
                    list.name
                );
                let kinds = notice["field"][0] == "type";
                for value in notice["value"].as_array().unwrap() {
                    let value = value.as_str().unwrap();
                    let known = match kinds {
                        true => AttributeType::parse(value).is_some(),
                        false => Category::parse(value).is_some(),
                    };
                    assert!(known, "{}: {value}", list.name);
                }
            }
        }
    }
}
