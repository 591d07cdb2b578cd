//! `/decayingModel/…` and `/decayingModelMapping/…`

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{document, flag_member, list, member, number, number_member, saved};
use crate::request::{Request, flag, text, texts};
use pisax_access::Actor;
use pisax_formats::knowledge::stored;
use pisax_model::FieldError;
use pisax_model::decay::{DecayingModel, Formula, Parameters};
use pisax_service::decaying_model::{self as service, Draft};
use pisax_wire::JsonWriter;
use serde_json::Value;

const INVALID: &str = "No Decaying Model with the provided ID exists";

/// A model as MISP lists it.
pub(crate) fn columns(w: &mut JsonWriter<'_>, model: &DecayingModel) {
    let texts = |w: &mut JsonWriter<'_>, key: &str, texts: &[String]| {
        w.key(key);
        w.begin_array();
        texts.iter().for_each(|text| w.str(text));
        w.end_array();
    };
    number_member(w, "id", model.id);
    w.key("uuid");
    match model.uuid {
        Some(uuid) => w.uuid(uuid),
        None => w.null(),
    }
    described(w, model);
    texts(w, "attribute_types", &model.types);
    number_member(w, "org_id", model.org_id);
    flag_member(w, "enabled", model.enabled);
    flag_member(w, "all_orgs", model.all_orgs);
    texts(w, "ref", &model.references);
    number_member(w, "version", model.version);
    flag_member(w, "default", model.default);
}

fn described(w: &mut JsonWriter<'_>, model: &DecayingModel) {
    member(w, "name", &model.name);
    w.key("parameters");
    w.raw(stored::parameters_text(&model.parameters).as_bytes());
    member(w, "description", &model.description);
    member(w, "formula", model.formula.name());
}

fn write(w: &mut JsonWriter<'_>, actor: &Actor, model: &DecayingModel) {
    w.begin_object();
    wrapped(w, actor, model);
    w.end_object();
}

fn wrapped(w: &mut JsonWriter<'_>, actor: &Actor, model: &DecayingModel) {
    w.key("DecayingModel");
    w.begin_object();
    columns(w, model);
    flag_member(w, "isEditable", service::edits(actor, model));
    w.end_object();
}

pub(crate) fn find(request: &Request) -> Result<DecayingModel, Failure> {
    let id = number(request, 0, INVALID)?;
    Ok(request.service.read(&request.actor, |r| service::view(r, id))?)
}

/// GET /decayingModel/index[/my_models:1][/default_models:1][/all_orgs:1]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let mut models = request.service.read(&request.actor, service::list)?;
    let on = |name: &str| request.path.flag(name);
    models.retain(|model| {
        (!on("my_models") || model.org_id == request.actor.org_id)
            && (!on("default_models") || model.default)
            && (!on("all_orgs") || model.all_orgs)
    });
    Ok(list(&models, |w, model| write(w, &request.actor, model)))
}

/// GET /decayingModel/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let model = find(request)?;
    Ok(document(|w| write(w, &request.actor, &model)))
}

/// GET /decayingModel/export/{id}: without what is of this instance alone.
pub(crate) fn export(request: &Request) -> Result<Answer, Failure> {
    let model = find(request)?;
    Ok(document(|w| {
        w.begin_object();
        w.key("DecayingModel");
        w.begin_object();
        described(w, &model);
        for (key, texts) in [("attribute_types", &model.types), ("ref", &model.references)] {
            w.key(key);
            w.begin_array();
            texts.iter().for_each(|text| w.str(text));
            w.end_array();
        }
        number_member(w, "version", model.version);
        flag_member(w, "enabled", model.enabled);
        flag_member(w, "all_orgs", model.all_orgs);
        flag_member(w, "default", model.default);
        w.end_object();
        w.end_object();
    }))
}

fn draft(sent: &Value, action: &'static str) -> Result<Draft, Failure> {
    let parameters: Option<Parameters> = match sent.get("parameters").filter(|p| !p.is_null()) {
        None => None,
        Some(value) => Some(stored::parameters(value).map_err(|field| Failure::Invalid {
            action,
            model: "DecayingModel",
            errors: vec![FieldError::new(field, format!("Invalid parameter `{field}`."))],
            id: None,
        })?),
    };
    Ok(Draft {
        name: text(sent, "name"),
        description: text(sent, "description"),
        parameters,
        formula: text(sent, "formula"),
        types: listed(sent, "attribute_types"),
        references: listed(sent, "ref"),
        enabled: flag(sent, "enabled"),
        all_orgs: flag(sent, "all_orgs"),
    })
}

/// A list, or one as JSON in a text, which is how MISP's pages send it.
fn listed(sent: &Value, name: &str) -> Option<Vec<String>> {
    match sent.get(name)? {
        Value::String(json) if json.trim_start().starts_with('[') => serde_json::from_str(json).ok(),
        _ => texts(sent, name),
    }
}

/// `{"data":{"DecayingModel":…},"action":…}`, MISP's answer to changes of a model.
fn changed(request: &Request, model: &DecayingModel, action: &str) -> Answer {
    document(|w| {
        w.begin_object();
        w.key("data");
        write(w, &request.actor, model);
        member(w, "action", action);
        w.end_object();
    })
}

/// POST /decayingModel/add
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let draft = draft(&request.unwrapped("DecayingModel")?, "add")?;
    let model = service::add(&request.service, &request.actor, draft).saving("add", "DecayingModel")?;
    Ok(changed(request, &model, "add"))
}

/// POST /decayingModel/import: what an export gave, as the body or as text in `json`.
pub(crate) fn import(request: &Request) -> Result<Answer, Failure> {
    let mut sent = request.unwrapped("DecayingModel")?;
    if let Some(json) = sent.get("json").and_then(Value::as_str) {
        sent = serde_json::from_str(json).map_err(|_| Failure::BadJson)?;
        if let Some(inner) = sent.get_mut("DecayingModel") {
            sent = inner.take();
        }
    }
    let draft = Draft { enabled: None, ..draft(&sent, "import")? };
    let model = service::add(&request.service, &request.actor, draft).saving("import", "DecayingModel")?;
    Ok(changed(request, &model, "import"))
}

fn edited(request: &Request, id: i64, draft: Draft) -> Result<DecayingModel, Failure> {
    service::edit(&request.service, &request.actor, id, draft).saving("edit", "DecayingModel")
}

/// POST /decayingModel/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let draft = draft(&request.unwrapped("DecayingModel")?, "edit")?;
    Ok(changed(request, &edited(request, id, draft)?, "edit"))
}

/// POST /decayingModel/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    Ok(saved(request, "Decaying Model deleted."))
}

fn switch(request: &Request, on: bool, message: &str) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let model = edited(request, id, Draft { enabled: Some(on), ..Draft::default() })?;
    Ok(document(|w| {
        w.begin_object();
        flag_member(w, "saved", true);
        flag_member(w, "success", true);
        for key in ["name", "message"] {
            member(w, key, message);
        }
        member(w, "url", &request.path.raw);
        number_member(w, "id", model.id);
        wrapped(w, &request.actor, &model);
        w.end_object();
    }))
}

/// POST /decayingModel/enable/{id}
pub(crate) fn enable(request: &Request) -> Result<Answer, Failure> {
    switch(request, true, "Decaying model enabled")
}

/// POST /decayingModel/disable/{id}
pub(crate) fn disable(request: &Request) -> Result<Answer, Failure> {
    switch(request, false, "Decaying model disabled")
}

/// POST /decayingModel/update[/1]: takes in the models this version brings; `1` brings them back as they were.
pub(crate) fn update(request: &Request) -> Result<Answer, Failure> {
    let force = request.path.arg(0).is_some_and(|word| matches!(word, "1" | "true"));
    service::update(&request.service, &request.actor, force)?;
    Ok(saved(request, "Default decaying models updated"))
}

/// GET /decayingModelMapping/viewAssociatedTypes/{id}
pub(crate) fn types(request: &Request) -> Result<Answer, Failure> {
    let model = find(request)?;
    Ok(list(&model.types, |w, kind| w.str(kind)))
}

/// POST /decayingModelMapping/linkAttributeTypeToModel/{id} `{attributetypes}`
pub(crate) fn link(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let sent = request.unwrapped("DecayingModelMapping")?;
    let types = listed(&sent, "attributetypes").or_else(|| listed(&sent, "attribute_types"));
    let types = types
        .filter(|types| !types.is_empty())
        .ok_or_else(|| Failure::NotAllowed("The model must link to at least one attribute type".into()))?;
    let model = edited(request, id, Draft { types: Some(types), ..Draft::default() })?;
    Ok(list(&model.types, |w, kind| w.str(kind)))
}

/// GET /decayingModel/formulas: the formulas there are. (MISP shows them on a page.)
pub(crate) fn formulas(_: &Request) -> Result<Answer, Failure> {
    Ok(list(&Formula::ALL, |w, formula| w.str(formula.name())))
}
