//! `/workflows/…`

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{document, flag_member, list, member, number_member, saved};
use crate::request::{self, Request, flag, text};
use pisax_model::Uuid;
use pisax_model::workflow::{Kind, Wrong};
use pisax_service::workflow::{self as service, ModuleState, WorkflowDraft};
use pisax_store::workflows::Workflow;
use pisax_wire::JsonWriter;
use serde_json::Value;

const MODEL: &str = "Workflow";
const INVALID: &str = "Invalid workflow";
const INVALID_MODULE: &str = "Invalid trigger ID";
/// Modules switched by one call.
const MANY: usize = 200;

/// A member that is JSON, or a text that holds JSON, as one text; written as it came.
pub(crate) fn json_text(sent: &Value, name: &str) -> Option<String> {
    match sent.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}

/// A uuid of the client's choosing; a text that is none is refused.
pub(crate) fn chosen_uuid(
    sent: &Value,
    action: &'static str,
    model: &'static str,
) -> Result<Option<Uuid>, Failure> {
    let wrong = || pisax_model::FieldError::new("uuid", "Please provide a valid RFC 4122 UUID");
    match text(sent, "uuid").filter(|t| !t.trim().is_empty()) {
        None => Ok(None),
        Some(text) => match Uuid::try_parse(text.trim()) {
            Ok(uuid) => Ok(Some(uuid)),
            Err(_) => Err(Failure::Invalid { action, model, errors: vec![wrong()], id: None }),
        },
    }
}

fn draft(sent: &Value, action: &'static str) -> Result<WorkflowDraft, Failure> {
    Ok(WorkflowDraft {
        uuid: chosen_uuid(sent, action, MODEL)?,
        name: text(sent, "name"),
        description: text(sent, "description"),
        enabled: flag(sent, "enabled"),
        debug_enabled: flag(sent, "debug_enabled"),
        trigger_id: text(sent, "trigger_id"),
        data: json_text(sent, "data"),
    })
}

fn write_columns(w: &mut JsonWriter<'_>, workflow: &Workflow) {
    w.begin_object();
    number_member(w, "id", workflow.id);
    w.key("uuid");
    w.uuid(workflow.uuid);
    member(w, "name", &workflow.name);
    member(w, "description", &workflow.description);
    number_member(w, "timestamp", workflow.timestamp);
    flag_member(w, "enabled", workflow.enabled);
    number_member(w, "counter", workflow.counter);
    member(w, "trigger_id", &workflow.trigger_id);
    flag_member(w, "debug_enabled", workflow.debug_enabled);
    w.key("data");
    w.raw(workflow.data.as_bytes());
    w.end_object();
}

fn write(w: &mut JsonWriter<'_>, workflow: &Workflow) {
    w.begin_object();
    w.key(MODEL);
    write_columns(w, workflow);
    w.end_object();
}

fn one(workflow: &Workflow) -> Answer {
    document(|w| write(w, workflow))
}

/// GET /workflows/index
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    Ok(list(&service::list(&request.service, &request.actor)?, write))
}

/// GET /workflows/view/{id|uuid}, and `export`, which `import` takes.
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    Ok(one(&service::view(&request.service, &request.actor, request.reference(0, INVALID)?)?))
}

/// POST /workflows/add `{name, description, data}` or `{trigger_id}`
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let draft = draft(&request.unwrapped(MODEL)?, "add")?;
    Ok(one(&service::add(&request.service, &request.actor, draft).saving("add", MODEL)?))
}

/// What is sent to be imported; the form of MISP's pages has the file's text in a member.
pub(crate) fn imported(request: &Request, model: &str) -> Result<Value, Failure> {
    let sent = request.unwrapped(model)?;
    let Some(json) = json_text(&sent, "json") else { return Ok(sent) };
    let mut inner: Value = serde_json::from_str(&json).map_err(|_| Failure::BadJson)?;
    Ok(inner.get_mut(model).map(Value::take).unwrap_or(inner))
}

/// POST /workflows/import: what `export` gave.
pub(crate) fn import(request: &Request) -> Result<Answer, Failure> {
    let sent = imported(request, MODEL)?;
    let draft = draft(&sent, "import")?;
    Ok(one(&service::add(&request.service, &request.actor, draft).saving("import", MODEL)?))
}

/// POST /workflows/edit/{id|uuid}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let draft = WorkflowDraft { uuid: None, ..draft(&request.unwrapped(MODEL)?, "edit")? };
    Ok(one(&service::edit(&request.service, &request.actor, reference, draft).saving("edit", MODEL)?))
}

/// POST /workflows/delete/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(saved(request, "Workflow deleted."))
}

fn set(request: &Request, draft: WorkflowDraft, message: &str) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    service::edit(&request.service, &request.actor, reference, draft).saving("edit", MODEL)?;
    Ok(saved(request, message))
}

/// POST /workflows/enable/{id|uuid}
pub(crate) fn enable(request: &Request) -> Result<Answer, Failure> {
    set(request, WorkflowDraft { enabled: Some(true), ..WorkflowDraft::default() }, "Workflow enabled.")
}

/// POST /workflows/disable/{id|uuid}
pub(crate) fn disable(request: &Request) -> Result<Answer, Failure> {
    set(request, WorkflowDraft { enabled: Some(false), ..WorkflowDraft::default() }, "Workflow disabled.")
}

/// The flag in the n-th path argument.
fn on(request: &Request, i: usize) -> bool {
    !matches!(request.path.arg(i), None | Some("" | "0" | "false"))
}

/// POST /workflows/debugToggleField/{id}/{0|1}
pub(crate) fn toggle_debug(request: &Request) -> Result<Answer, Failure> {
    let on = on(request, 1);
    let message = if on { "Enabled debug mode" } else { "Disabled debug mode" };
    set(request, WorkflowDraft { debug_enabled: Some(on), ..WorkflowDraft::default() }, message)
}

// ---- Modules --------------------------------------------------------------------------------------------

fn write_module(w: &mut JsonWriter<'_>, state: &ModuleState, workflow: Option<&Workflow>) {
    let module = state.module;
    w.begin_object();
    member(w, "id", module.id);
    member(w, "name", module.name);
    member(w, "module_type", module.kind.name());
    member(w, "description", module.description);
    member(w, "icon", module.icon);
    w.key("inputs");
    w.int(i64::from(module.inputs));
    w.key("outputs");
    w.int(i64::from(module.outputs));
    flag_member(w, "blocking", module.blocking);
    flag_member(w, "multiple_output_connection", module.many_links);
    flag_member(w, "support_filters", module.filters);
    flag_member(w, "is_misp_module", false);
    flag_member(w, "is_custom", false);
    if module.kind == Kind::Trigger {
        member(w, "scope", module.scope);
        flag_member(w, "misp_core_format", module.core_format);
    } else {
        flag_member(w, "expect_misp_core_format", module.core_format);
    }
    flag_member(w, "disabled", !state.enabled);
    w.key("params");
    w.begin_array();
    for param in module.params {
        w.begin_object();
        member(w, "id", param.id);
        member(w, "label", param.label);
        member(w, "type", param.form);
        member(w, "default", param.default);
        if !param.options.is_empty() {
            w.key("options");
            w.begin_object();
            param.options.iter().for_each(|(value, means)| member(w, value, means));
            w.end_object();
        }
        w.end_object();
    }
    w.end_array();
    if let Some(workflow) = workflow {
        w.key(MODEL);
        write_columns(w, workflow);
    }
    w.end_object();
}

/// A filter that came in the path, the query or the body.
fn asked(request: &Request, name: &str) -> Option<String> {
    let body = request.value().ok().and_then(|sent| text(&sent, name));
    request.path.named(name).map(str::to_owned).or(body)
}

fn is_on(text: &str) -> bool {
    !matches!(text, "" | "0" | "false")
}

/// GET /workflows/triggers[/scope:…][/enabled:…][/blocking:…]
pub(crate) fn triggers(request: &Request) -> Result<Answer, Failure> {
    let mut found = service::modules(&request.service, &request.actor)?;
    let workflows = service::list(&request.service, &request.actor)?;
    let (scope, enabled) = (asked(request, "scope"), asked(request, "enabled"));
    let blocking = asked(request, "blocking");
    found.retain(|state| {
        state.module.kind == Kind::Trigger
            && scope.as_deref().is_none_or(|scope| state.module.scope == scope)
            && enabled.as_deref().is_none_or(|on| state.enabled == is_on(on))
            && blocking.as_deref().is_none_or(|on| state.module.blocking == is_on(on))
    });
    let workflow = |state: &ModuleState| workflows.iter().find(|w| w.trigger_id == state.module.id);
    Ok(list(&found, |w, state| write_module(w, state, workflow(state))))
}

/// GET /workflows/moduleIndex[/type:action|logic|trigger|all][/actiontype:…][/enabled:…]
pub(crate) fn module_index(request: &Request) -> Result<Answer, Failure> {
    let mut found = service::modules(&request.service, &request.actor)?;
    let kind = asked(request, "type").unwrap_or_else(|| "action".into());
    let action = asked(request, "actiontype");
    let enabled = asked(request, "enabled");
    found.retain(|state| {
        let module = state.module;
        let right = match kind.as_str() {
            "all" => module.kind != Kind::Trigger,
            // Modules of the instance's own, and of a module server: there are none.
            "custom" => false,
            kind => module.kind.name() == kind,
        };
        right
            && action.as_deref() != Some("mispmodule")
            && (action.as_deref() != Some("blocking") || module.blocking)
            && enabled.as_deref().is_none_or(|on| state.enabled == is_on(on))
    });
    Ok(list(&found, |w, state| write_module(w, state, None)))
}

/// GET /workflows/moduleView/{id}
pub(crate) fn module_view(request: &Request) -> Result<Answer, Failure> {
    let id = request.path.arg(0).unwrap_or_default();
    let found = service::modules(&request.service, &request.actor)?;
    let state = found.iter().find(|state| state.module.id == id).ok_or(Failure::NotFound(INVALID_MODULE))?;
    let workflows = service::list(&request.service, &request.actor)?;
    let workflow = workflows.iter().find(|w| w.trigger_id == id);
    Ok(document(|w| write_module(w, state, workflow)))
}

/// POST /workflows/toggleModule/{module}/{0|1}[/{is_trigger}]
pub(crate) fn toggle_module(request: &Request) -> Result<Answer, Failure> {
    let id = request.path.arg(0).unwrap_or_default();
    let on = on(request, 1);
    service::toggle(&request.service, &request.actor, id, on)?;
    Ok(saved(request, &format!("{} module {id}", if on { "Enabled" } else { "Disabled" })))
}

/// POST /workflows/massToggleField/enabled/{0|1}[/{is_trigger}] `{"module_ids": [id]}`
pub(crate) fn toggle_modules(request: &Request) -> Result<Answer, Failure> {
    let field = request.path.arg(0).unwrap_or_default();
    if field != "enabled" {
        return Err(Failure::NotAllowed(format!("The field `{field}` cannot be toggled")));
    }
    let on = on(request, 1);
    let mut sent = request.unwrapped(MODEL)?;
    // As a text that holds the list, too.
    if let Some(Value::String(json)) = sent.get("module_ids")
        && let Ok(inner) = serde_json::from_str::<Value>(json)
    {
        sent["module_ids"] = inner;
    }
    let ids = request::texts(&sent, "module_ids").unwrap_or_default();
    let mut switched = 0;
    for id in ids.iter().take(MANY) {
        match service::toggle(&request.service, &request.actor, id, on) {
            Ok(()) => switched += 1,
            Err(pisax_service::Error::NotFound(_)) => {}
            Err(e) => return Err(e.into()),
        }
    }
    if switched == 0 {
        let reason = format!("Could not {} modules", if on { "enable" } else { "disable" });
        return Err(Failure::NotSaved { action: "toggle_module", model: MODEL, reason, id: None });
    }
    Ok(saved(request, &format!("{} {switched} modules", if on { "Enabled" } else { "Disabled" })))
}

// ---- Running and looking ----------------------------------------------------------------------------------

/// POST /workflows/executeWorkflow/{id} `{"Workflow": {"data": …}}`
pub(crate) fn execute(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let sent = request.unwrapped(MODEL)?;
    let data = json_text(&sent, "data").unwrap_or_else(|| "{}".into());
    let outcome = service::execute(&request.service, &request.actor, reference, &data)?;
    Ok(document(|w| {
        w.begin_object();
        flag_member(w, "success", outcome.success);
        member(w, "outcome", outcome.word());
        w.key("errors");
        w.begin_array();
        outcome.errors.iter().for_each(|error| w.str(error));
        w.end_array();
        w.end_object();
    }))
}

/// POST /workflows/checkGraph `{"graph": …}`
pub(crate) fn check_graph(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped(MODEL)?;
    let json = json_text(&sent, "graph").unwrap_or_else(|| "{}".into());
    let graph = service::read(&request.actor, &json).saving("check", MODEL)?;
    let cycle = graph.cycle();
    let several: Vec<_> = graph.several_links().collect();
    let others = graph.faults();
    Ok(document(|w| {
        w.begin_object();
        w.key("is_acyclic");
        w.begin_object();
        flag_member(w, "is_acyclic", cycle.is_none());
        w.key("cycles");
        w.begin_array();
        for (at, node) in cycle.iter().flatten().enumerate() {
            let next = cycle.iter().flatten().cycle().nth(at + 1).unwrap_or(node);
            w.begin_array();
            w.int(*node);
            w.int(*next);
            w.str("Cycle");
            w.end_array();
        }
        w.end_array();
        w.end_object();
        w.key("multiple_output_connection");
        w.begin_object();
        flag_member(w, "has_multiple_output_connection", !several.is_empty());
        w.key("edges");
        w.begin_object();
        for (node, port) in &several {
            w.key(&node.to_string());
            w.begin_array();
            let outputs = graph.nodes.get(node).into_iter().flat_map(|node| &node.outputs);
            outputs.filter(|o| o.port == *port).flat_map(|o| &o.links).for_each(|link| w.int(link.node));
            w.end_array();
        }
        w.end_object();
        w.end_object();
        w.key("path_warnings");
        w.begin_object();
        flag_member(w, "has_path_warnings", false);
        w.key("edges");
        w.begin_array();
        w.end_array();
        w.end_object();
        // Beyond what MISP tells: everything that keeps the graph from being saved.
        w.key("errors");
        w.begin_array();
        others.iter().filter(|fault| !matches!(fault, Wrong::TooLarge)).for_each(|f| w.str(&f.to_string()));
        w.end_array();
        w.end_object();
    }))
}
