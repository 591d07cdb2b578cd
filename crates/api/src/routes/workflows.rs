//! Workflows: what happens by itself.

use super::Methods::{Any, Get, Post};
use super::Need::Read;
use super::{Need, Route, SITE_ADMIN, route};
use crate::{workflow_blueprints as blueprints, workflows};
use pisax_access::Permission as P;

/// What workflows do and know is for site admins alone.
const SEE: Need = Read(&[P::SiteAdmin]);

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "workflows", "index", SEE, workflows::index, "List workflows."),
    route(Get, "workflows", "view", SEE, workflows::view, "One workflow with its graph."),
    route(Get, "workflows", "export", SEE, workflows::view, "One workflow, for another instance to import."),
    route(Post, "workflows", "add", SITE_ADMIN, workflows::add, "Add a workflow, from a graph or a trigger."),
    route(Post, "workflows", "import", SITE_ADMIN, workflows::import, "Add a workflow that another instance exported."),
    route(Post, "workflows", "edit", SITE_ADMIN, workflows::edit, "Change a workflow."),
    route(Post, "workflows", "delete", SITE_ADMIN, workflows::delete, "Delete a workflow."),
    route(Post, "workflows", "enable", SITE_ADMIN, workflows::enable, "Let a workflow run."),
    route(Post, "workflows", "disable", SITE_ADMIN, workflows::disable, "Keep a workflow from running."),
    route(Post, "workflows", "debugtogglefield", SITE_ADMIN, workflows::toggle_debug, "Switch the debugging of a workflow."),
    route(Any, "workflows", "triggers", SEE, workflows::triggers, "List triggers, each with its workflow."),
    route(Any, "workflows", "moduleindex", SEE, workflows::module_index, "List modules."),
    route(Get, "workflows", "moduleview", SEE, workflows::module_view, "One module."),
    route(Post, "workflows", "togglemodule", SITE_ADMIN, workflows::toggle_module, "Switch a module or a trigger."),
    route(Post, "workflows", "togglemodules", SITE_ADMIN, workflows::toggle_modules, "Switch several modules or triggers."),
    route(Post, "workflows", "masstogglefield", SITE_ADMIN, workflows::toggle_modules, "Switch several modules or triggers."),
    route(Post, "workflows", "executeworkflow", SITE_ADMIN, workflows::execute, "Run a workflow on the data sent."),
    route(Post, "workflows", "checkgraph", SITE_ADMIN, workflows::check_graph, "Tell what is wrong with a graph."),
    route(Get, "workflowblueprints", "index", SEE, blueprints::index, "List blueprints of workflows."),
    route(Get, "workflowblueprints", "view", SEE, blueprints::view, "One blueprint."),
    route(Get, "workflowblueprints", "export", SEE, blueprints::view, "One blueprint, for another instance to import."),
    route(Post, "workflowblueprints", "add", SITE_ADMIN, blueprints::add, "Add a blueprint."),
    route(Post, "workflowblueprints", "import", SITE_ADMIN, blueprints::import, "Add a blueprint that another instance exported."),
    route(Post, "workflowblueprints", "edit", SITE_ADMIN, blueprints::edit, "Change a blueprint."),
    route(Post, "workflowblueprints", "delete", SITE_ADMIN, blueprints::delete, "Delete a blueprint."),
    route(Post, "workflowblueprints", "update", SITE_ADMIN, blueprints::update, "Load the library of blueprints: there is none."),
];
