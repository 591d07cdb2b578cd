//! Blueprints: parts of graphs, kept for site admins to make workflows of.

use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
use pisax_formats::workflow::read_graph;
use pisax_model::ids::{self, Ref};
use pisax_model::{FieldError, Uuid};
use pisax_store::workflows::WorkflowBlueprint;

const MAX_NAME: usize = 255;
const MAX_DESCRIPTION: usize = 65_535;
const MAX_BLUEPRINTS: usize = 1000;

/// A blueprint as a client sends it; what is absent stays or has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlueprintDraft {
    pub uuid: Option<Uuid>,
    pub name: Option<String>,
    pub description: Option<String>,
    /// Nodes: JSON.
    pub data: Option<String>,
}

pub fn list(service: &Service, actor: &Actor) -> Result<Vec<WorkflowBlueprint>> {
    rules::site_admin(actor)?;
    service.read(actor, |r| Ok(r.workflow_blueprints()?))
}

pub fn view(service: &Service, actor: &Actor, reference: Ref) -> Result<WorkflowBlueprint> {
    rules::site_admin(actor)?;
    service.read(actor, |r| Ok(r.workflow_blueprint(reference)?))?.ok_or(Error::NotFound("blueprint"))
}

pub fn add(service: &Service, actor: &Actor, draft: BlueprintDraft) -> Result<WorkflowBlueprint> {
    rules::site_admin(actor)?;
    let now_ms = service.clock.now_ms();
    let uuid = draft.uuid.unwrap_or_else(|| ids::new_uuid(now_ms));
    let mut blueprint = WorkflowBlueprint { uuid, data: "[]".into(), ..WorkflowBlueprint::default() };
    apply(&mut blueprint, draft, now_ms / 1000)?;
    service.write(actor, |w| {
        if w.workflow_blueprints()?.len() >= MAX_BLUEPRINTS {
            return Err(Error::Refused(format!(
                "There are {MAX_BLUEPRINTS} blueprints, which is as many as can be."
            )));
        }
        let id = w.put_workflow_blueprint(&blueprint)?;
        w.workflow_blueprint(Ref::Id(id))?.ok_or(Error::NotFound("blueprint"))
    })
}

pub fn edit(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    draft: BlueprintDraft,
) -> Result<WorkflowBlueprint> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut blueprint = w.workflow_blueprint(reference)?.ok_or(Error::NotFound("blueprint"))?;
        let now = w.now();
        apply(&mut blueprint, draft, now)?;
        w.put_workflow_blueprint(&blueprint)?;
        w.workflow_blueprint(Ref::Id(blueprint.id))?.ok_or(Error::NotFound("blueprint"))
    })
}

pub fn delete(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let blueprint = w.workflow_blueprint(reference)?.ok_or(Error::NotFound("blueprint"))?;
        Ok(w.delete_workflow_blueprint(&blueprint)?)
    })
}

fn apply(blueprint: &mut WorkflowBlueprint, draft: BlueprintDraft, now: i64) -> Result<(), FieldError> {
    if let Some(name) = draft.name {
        blueprint.name = name.trim().to_owned();
    }
    if blueprint.name.is_empty() {
        return Err(FieldError::new("name", "The name cannot be empty."));
    }
    if let Some(description) = draft.description {
        blueprint.description = description;
    }
    for (field, text, most) in
        [("name", &blueprint.name, MAX_NAME), ("description", &blueprint.description, MAX_DESCRIPTION)]
    {
        if text.len() > most {
            return Err(FieldError::new(field, format!("It is longer than {most} bytes.")));
        }
    }
    if let Some(data) = draft.data {
        // A part of a graph has no trigger and leads out of itself: that it is nodes is all that can be asked.
        read_graph(&data).map_err(|message| FieldError::new("data", message))?;
        blueprint.data = data;
    }
    blueprint.timestamp = now;
    Ok(())
}
