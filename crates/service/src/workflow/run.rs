//! Running a workflow: node after node from the trigger on, within bounds. A blocking action that does not succeed
//! ends it, and refuses what a blocking trigger is about; another one that fails ends its own way, unless the
//! trigger blocks. Every run is noted.

use super::{logic, right_graph};
use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
use pisax_formats::workflow::read_data;
use pisax_model::ids::Ref;
use pisax_model::workflow::{Data, Filter, Graph, Kind, Module, Node};
use pisax_store::workflows::Workflow;
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// Nodes that one run comes to; ways that meet again count twice.
const MAX_VISITS: usize = 1000;
/// How long it may take, where somebody waits for it and elsewhere; an action under way is finished.
const WAITED_FOR: Duration = Duration::from_secs(20);
const MAX_TIME: Duration = Duration::from_secs(60);
/// Failures that are told.
const TOLD: usize = 20;

/// Who acts in a workflow before something is done, and after it was. Blocking triggers do not begin for the first,
/// and the change log is not followed for either: a workflow does not begin by its own doing, again and again.
pub(super) const BEFORE: &str = "run a workflow before something is done";
pub(super) const AFTER: &str = "run a workflow";

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Nothing blocking failed.
    pub success: bool,
    /// It was stopped on purpose.
    pub stopped: bool,
    /// Failures, each with its node.
    pub errors: Vec<String>,
    /// Actions that were begun.
    pub acted: usize,
}

impl Outcome {
    /// MISP's word.
    pub fn word(&self) -> &'static str {
        match (self.success, self.stopped) {
            (true, _) => "success",
            (false, true) => "blocked",
            (false, false) => "failure",
        }
    }
}

/// Runs a workflow on data that a site admin brings, whatever its trigger.
pub fn execute(service: &Service, actor: &Actor, reference: Ref, json: &str) -> Result<Outcome> {
    rules::site_admin(actor)?;
    if !service.settings().workflows {
        return Err(Error::Refused("Workflows are switched off: Plugin.Workflow_enable.".into()));
    }
    let workflow = super::view(service, actor, reference)?;
    let data = read_data(json).ok_or_else(|| Error::Refused("Invalid JSON".into()))?;
    run(service, &workflow, data)
}

/// Runs a workflow and notes that.
pub(super) fn run(service: &Service, workflow: &Workflow, data: Data) -> Result<Outcome> {
    let event_id = data.at("Event.id").and_then(Data::text).and_then(|id| id.parse().ok()).unwrap_or(0);
    let outcome = match right_graph(&workflow.data) {
        Ok((trigger, graph)) => begin(service, workflow, trigger, &graph, data),
        // Kept by another version, which knew other modules.
        Err(error) => Outcome { success: false, stopped: false, errors: vec![error.to_string()], acted: 0 },
    };
    if workflow.debug_enabled {
        let (word, acted) = (outcome.word(), outcome.acted);
        tracing::info!(
            workflow = workflow.id,
            trigger = workflow.trigger_id,
            event_id,
            word,
            acted,
            "a workflow ran"
        );
    }
    if !outcome.errors.is_empty() {
        tracing::warn!(workflow = workflow.id, outcome = outcome.word(), errors = ?outcome.errors, "a workflow ran with failures");
    }
    let (acted, failed) = (outcome.acted.to_string(), outcome.errors.len().to_string());
    let errors = outcome.errors.join("; ");
    service.write(&Actor::system(AFTER), |w| {
        let fields = [
            ("trigger", workflow.trigger_id.as_str()),
            ("outcome", outcome.word()),
            ("actions", &acted),
            ("failures", &failed),
            ("errors", &errors),
        ];
        Ok(w.workflow_ran(workflow, event_id, &fields)?)
    })?;
    Ok(outcome)
}

fn begin(service: &Service, workflow: &Workflow, trigger: &Module, graph: &Graph, data: Data) -> Outcome {
    let blocking = trigger.blocking;
    let actor = Actor::system(if blocking { BEFORE } else { AFTER });
    let settings = service.settings();
    let until = Instant::now() + if blocking { WAITED_FOR } else { MAX_TIME };
    let mut run = Run {
        service,
        workflow,
        graph,
        actor,
        settings,
        data,
        filters: Vec::new(),
        errors: Vec::new(),
        visits: 0,
        acted: 0,
        until,
        concurrent: Vec::new(),
    };
    let start = graph.trigger().map_or(0, |node| node.id);
    let ended = run.walk(start, blocking);
    let mut at = 0;
    while let Some((node, filters)) = run.concurrent.get(at).cloned() {
        at += 1;
        run.filters = filters;
        // What it ends like is told, and refuses nothing.
        run.walk(node, false);
    }
    Outcome {
        success: ended == Ended::Through,
        stopped: ended == Ended::Stopped,
        errors: run.errors,
        acted: run.acted,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Through,
    Stopped,
    Failed,
}

/// A filter with its label.
type Labelled = (String, Filter);

/// One run of a workflow.
pub(super) struct Run<'a> {
    pub(super) service: &'a Service,
    workflow: &'a Workflow,
    graph: &'a Graph,
    /// Who acts.
    pub(super) actor: Actor,
    pub(super) settings: crate::setting::Settings,
    data: Data,
    filters: Vec<Labelled>,
    errors: Vec<String>,
    visits: usize,
    acted: usize,
    until: Instant,
    /// Where concurrent tasks begin, each with the filters that hold there.
    concurrent: Vec<(i64, Vec<Labelled>)>,
}

impl Run<'_> {
    /// The data, without what filters take away.
    pub(super) fn data(&self) -> Cow<'_, Data> {
        let mut data = Cow::Borrowed(&self.data);
        self.filters.iter().for_each(|(_, filter)| filter.apply(data.to_mut()));
        data
    }

    /// All of it, filters or not.
    pub(super) fn whole_data(&self) -> &Data {
        &self.data
    }

    /// What the nodes see that come next.
    pub(super) fn go_on_with(&mut self, data: Data) {
        self.data = data;
    }

    /// What is left of the time.
    pub(super) fn time_left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    fn fail(&mut self, node: &Node, reason: &str) {
        if self.errors.len() < TOLD {
            self.errors.push(format!(
                "Node `{}` ({}) from Workflow `{}` ({}) returned the following error: {reason}",
                node.module, node.id, self.workflow.name, self.workflow.id
            ));
        }
    }

    fn walk(&mut self, start: i64, blocking: bool) -> Ended {
        let graph = self.graph;
        let mut waiting: Vec<(i64, Vec<Labelled>)> = vec![(start, self.filters.clone())];
        while let Some((id, filters)) = waiting.pop() {
            // Both were looked for before it began.
            let Some(node) = graph.nodes.get(&id) else { continue };
            let Some(module) = node.known() else { continue };
            self.filters = filters;
            self.visits += 1;
            if self.visits > MAX_VISITS || self.time_left().is_zero() {
                self.fail(node, &format!("it came to more than {MAX_VISITS} nodes, or took too long"));
                return Ended::Failed;
            }
            let output = match self.visit(node, module) {
                Ok(output) => output,
                Err(reason) => {
                    self.fail(node, &reason);
                    match module.blocking {
                        true if module.id == "stop-execution" => return Ended::Stopped,
                        true => return Ended::Failed,
                        // MISP goes on behind a failure where the trigger blocks, and not elsewhere.
                        false if blocking && module.kind == Kind::Action => Some(1),
                        false => None,
                    }
                }
            };
            let links = output.map_or(&[][..], |output| node.links(output));
            if module.id == "concurrent-task" {
                let filters = &self.filters;
                self.concurrent.extend(links.iter().map(|link| (link.node, filters.clone())));
            } else {
                let filters = &self.filters;
                waiting.extend(links.iter().rev().map(|link| (link.node, filters.clone())));
            }
        }
        Ended::Through
    }

    /// Does what a node is for; returns the number of the output that leads on.
    fn visit(&mut self, node: &Node, module: &Module) -> Result<Option<usize>, String> {
        if module.kind == Kind::Trigger {
            return Ok(logic::begins(node, &self.data).then_some(1));
        }
        if !self.settings.workflow_modules.has(module.id) {
            return Err("the module is disabled".into());
        }
        match (module.kind, module.id) {
            (Kind::Logic, "concurrent-task") => Ok(Some(1)),
            (Kind::Logic, "generic-filter-data") => {
                let label = node.text("filtering-label");
                let filter = logic::filter(node)?;
                self.filters.retain(|(other, _)| *other != label);
                self.filters.push((label, filter));
                Ok(Some(1))
            }
            (Kind::Logic, "generic-filter-reset") => {
                let label = node.text("filtering-label");
                self.filters.retain(|(other, _)| label != "all" && *other != label);
                Ok(Some(1))
            }
            (Kind::Logic, _) => Ok(Some(if logic::holds(node, &self.data())? { 1 } else { 2 })),
            (_, _) => {
                self.acted += 1;
                self.act(node)?;
                Ok(Some(1))
            }
        }
    }
}
