//! Workflows: what happens by itself when something is published or saved. Kept and changed here, for site admins;
//! run by [`run`], begun by [`begin`] before something is done and by [`follow`] after it was.

mod action;
pub(crate) mod begin;
pub mod blueprint;
mod facts;
mod follow;
mod logic;
mod pushed;
mod run;

pub use follow::follow;
pub(crate) use pushed::Pushed;
pub use run::{Outcome, execute};

use crate::{Error, Result, Service, rules, setting};
use pisax_access::Actor;
use pisax_formats::workflow::{begun, read_graph};
use pisax_model::ids::{self, Ref};
use pisax_model::workflow::{Graph, Kind, Module, module};
use pisax_model::{FieldError, Uuid};
use pisax_store::workflows::Workflow;

/// Longest name and description, in bytes.
const MAX_NAME: usize = 255;
const MAX_DESCRIPTION: usize = 65_535;
/// Workflows there may be.
const MAX_WORKFLOWS: usize = 1000;

/// A workflow as a client sends it; what is absent stays or has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkflowDraft {
    pub uuid: Option<Uuid>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub enabled: Option<bool>,
    pub debug_enabled: Option<bool>,
    /// For one that comes without a graph: the trigger its graph begins with.
    pub trigger_id: Option<String>,
    /// The graph: JSON.
    pub data: Option<String>,
}

/// A module, and whether it is switched on.
#[derive(Debug, Clone, Copy)]
pub struct ModuleState {
    pub module: &'static Module,
    pub enabled: bool,
}

pub fn list(service: &Service, actor: &Actor) -> Result<Vec<Workflow>> {
    rules::site_admin(actor)?;
    service.read(actor, |r| Ok(r.workflows()?))
}

pub fn view(service: &Service, actor: &Actor, reference: Ref) -> Result<Workflow> {
    rules::site_admin(actor)?;
    service.read(actor, |r| Ok(r.workflow(reference)?))?.ok_or(Error::NotFound("workflow"))
}

/// Adds a workflow, from a graph or from the trigger that it is to begin with.
pub fn add(service: &Service, actor: &Actor, draft: WorkflowDraft) -> Result<Workflow> {
    rules::site_admin(actor)?;
    let now_ms = service.clock.now_ms();
    let data = match (draft.data.clone(), &draft.trigger_id) {
        (Some(data), _) => data,
        (None, Some(trigger)) => begun(trigger),
        (None, None) => {
            return Err(FieldError::new("data", "A workflow needs a graph, or a trigger_id.").into());
        }
    };
    let uuid = draft.uuid.unwrap_or_else(|| ids::new_uuid(now_ms));
    let mut workflow = Workflow { uuid, enabled: true, ..Workflow::default() };
    apply(&mut workflow, WorkflowDraft { data: Some(data), ..draft }, now_ms / 1000)?;
    service.write(actor, |w| {
        if w.workflows()?.len() >= MAX_WORKFLOWS {
            return Err(Error::Refused(format!(
                "There are {MAX_WORKFLOWS} workflows, which is as many as can be."
            )));
        }
        let id = w.put_workflow(&workflow)?;
        w.workflow(Ref::Id(id))?.ok_or(Error::NotFound("workflow"))
    })
}

pub fn edit(service: &Service, actor: &Actor, reference: Ref, draft: WorkflowDraft) -> Result<Workflow> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut workflow = w.workflow(reference)?.ok_or(Error::NotFound("workflow"))?;
        let now = w.now();
        apply(&mut workflow, draft, now)?;
        w.put_workflow(&workflow)?;
        w.workflow(Ref::Id(workflow.id))?.ok_or(Error::NotFound("workflow"))
    })
}

pub fn delete(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let workflow = w.workflow(reference)?.ok_or(Error::NotFound("workflow"))?;
        Ok(w.delete_workflow(&workflow)?)
    })
}

fn apply(workflow: &mut Workflow, draft: WorkflowDraft, now: i64) -> Result<()> {
    if let Some(data) = draft.data {
        workflow.trigger_id = right_graph(&data)?.0.id.to_owned();
        workflow.data = data;
    }
    if let Some(name) = draft.name {
        workflow.name = name.trim().to_owned();
    }
    if workflow.name.is_empty() {
        workflow.name = format!("Workflow for trigger {}", workflow.trigger_id);
    }
    if let Some(description) = draft.description {
        workflow.description = description;
    }
    for (field, text, most) in
        [("name", &workflow.name, MAX_NAME), ("description", &workflow.description, MAX_DESCRIPTION)]
    {
        if text.len() > most {
            return Err(FieldError::new(field, format!("It is longer than {most} bytes.")).into());
        }
    }
    workflow.enabled = draft.enabled.unwrap_or(workflow.enabled);
    workflow.debug_enabled = draft.debug_enabled.unwrap_or(workflow.debug_enabled);
    workflow.timestamp = now;
    Ok(())
}

/// Reads a graph that can run, with its trigger; what is wrong with one names the node.
pub(crate) fn right_graph(json: &str) -> Result<(&'static Module, Graph)> {
    let graph = read_graph(json).map_err(|message| FieldError::new("data", message))?;
    let faults = graph.faults();
    let trigger = graph.trigger().and_then(|node| node.known()).filter(|_| faults.is_empty());
    let faults = || faults.iter().take(20).map(|fault| FieldError::new("data", fault.to_string())).collect();
    trigger.map(|trigger| (trigger, graph.clone())).ok_or_else(|| Error::Invalid(faults()))
}

/// A graph to be looked at, right or not.
pub fn read(actor: &Actor, json: &str) -> Result<Graph> {
    rules::site_admin(actor)?;
    Ok(read_graph(json).map_err(|message| FieldError::new("graph", message))?)
}

/// The modules there are, with what is switched on.
pub fn modules(service: &Service, actor: &Actor) -> Result<Vec<ModuleState>> {
    rules::site_admin(actor)?;
    let switched = service.settings().workflow_modules;
    Ok(module::ALL.iter().map(|module| ModuleState { module, enabled: switched.has(module.id) }).collect())
}

/// Switches a module, or a trigger, on or off.
pub fn toggle(service: &Service, actor: &Actor, id: &str, on: bool) -> Result<()> {
    rules::site_admin(actor)?;
    let module = module::find(id).ok_or(Error::NotFound("module"))?;
    let area = if module.kind == Kind::Trigger { "triggers" } else { "modules" };
    setting::edit(service, actor, &format!("Plugin.Workflow_{area}_{id}"), if on { "1" } else { "0" })
}
