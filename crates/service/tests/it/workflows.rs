//! Workflows: refused graphs, what blocks, what follows, and the bounds of a run.

use crate::*;
use pisax_model::tag::TagDraft;
use pisax_model::workflow::module;
use pisax_service::workflow::{self, WorkflowDraft};
use pisax_service::{mail, setting};
use std::fmt::Write;

/// `1:event-publish>2 2:tag-if>3,0`: nodes with what their outputs lead to.
fn graph(sketch: &str, params: &[(i64, &str)]) -> String {
    let nodes = sketch.split_whitespace().map(|node| {
        let (head, links) = node.split_once('>').unwrap_or((node, ""));
        let (id, module) = head.split_once(':').unwrap();
        let mut outputs = String::new();
        for (at, output) in links.split(',').filter(|o| !o.is_empty()).enumerate() {
            let link = |to: &str| format!(r#"{{"node": "{to}", "output": "input_1"}}"#);
            let links: Vec<String> = output.split('+').filter(|to| *to != "0").map(link).collect();
            let comma = if at == 0 { "" } else { "," };
            write!(outputs, r#"{comma}"output_{}": {{"connections": [{}]}}"#, at + 1, links.join(",")).unwrap();
        }
        let told = params.iter().find(|(node, _)| node.to_string() == id).map_or("", |(_, told)| told);
        format!(
            r#""{id}": {{"id": {id}, "data": {{"id": "{module}", "indexed_params": {{{told}}}}}, "outputs": {{{outputs}}}}}"#
        )
    });
    format!("{{{}}}", nodes.collect::<Vec<_>>().join(","))
}

fn on(here: &Here, names: &[&str]) {
    for name in names {
        setting::edit(&here.service, &here.admin(), &format!("Plugin.Workflow_{name}"), "1").unwrap();
    }
}

fn workflow(here: &Here, data: String) -> i64 {
    let draft = WorkflowDraft { data: Some(data), ..WorkflowDraft::default() };
    workflow::add(&here.service, &here.admin(), draft).unwrap().id
}

fn counter(here: &Here, id: i64) -> i64 {
    workflow::view(&here.service, &here.admin(), Ref::Id(id)).unwrap().counter
}

fn tagged(here: &Here, tag: &str) -> i64 {
    let tag = TagDraft { name: tag.into(), ..TagDraft::default() };
    let draft = EventDraft { info: Some("An event".into()), tags: vec![tag], ..EventDraft::default() };
    event::add(&here.service, &here.admin(), draft).unwrap().id
}

fn published(here: &Here, id: i64) -> bool {
    here.service.read(&here.admin(), |r| Ok(r.event(Ref::Id(id))?.unwrap().published)).unwrap()
}

const STOP_RED: &str = "1:event-publish>2 2:tag-if>3,0 3:stop-execution";
const RED: (i64, &str) = (2, r#""tags": ["tlp:red"]"#);

/// Follows to the end of the log.
fn follow(here: &Here) {
    while workflow::follow(&here.service).unwrap() {}
}

#[test]
fn a_workflow_refuses_a_publication_with_its_reason() {
    let here = here();
    on(&here, &["enable", "triggers_event-publish"]);
    let id = workflow(&here, graph(STOP_RED, &[RED, (3, r#""message": "Not this one""#)]));
    let (red, green) = (tagged(&here, "tlp:red"), tagged(&here, "tlp:green"));
    let publish = |id| event::publish(&here.service, &here.admin(), Ref::Id(id));
    assert!(matches!(publish(red), Err(Error::Refused(why)) if why.contains("Not this one")));
    let alert = mail::publish_and_alert(&here.service, &here.admin(), Ref::Id(red));
    assert!(matches!(alert, Err(Error::Refused(_))));
    publish(green).unwrap();
    assert_eq!((published(&here, red), published(&here, green)), (false, true));
    assert_eq!(counter(&here, id), 3);
    setting::edit(&here.service, &here.admin(), "Plugin.Workflow_enable", "0").unwrap();
    publish(red).unwrap();
    assert_eq!(counter(&here, id), 3);
}

#[test]
fn what_cannot_be_decided_is_not_published() {
    let here = here();
    on(&here, &["enable", "triggers_event-publish"]);
    setting::edit(&here.service, &here.admin(), "Plugin.Workflow_modules_stop-execution", "0").unwrap();
    workflow(&here, graph("1:event-publish>2 2:stop-execution", &[]));
    let id = tagged(&here, "tlp:red");
    let publish = event::publish(&here.service, &here.admin(), Ref::Id(id));
    assert!(matches!(publish, Err(Error::Refused(why)) if why.contains("disabled")));
}

#[test]
fn nothing_behind_a_concurrent_task_refuses() {
    let here = here();
    on(&here, &["enable", "triggers_event-publish", "modules_tag_operation"]);
    let sketch = "1:event-publish>2 2:concurrent-task>3+4 3:stop-execution 4:tag_operation";
    workflow(&here, graph(sketch, &[(4, r#""tags": ["both"]"#)]));
    let id = tagged(&here, "tlp:red");
    event::publish(&here.service, &here.admin(), Ref::Id(id)).unwrap();
    let tags = here.service.read(&here.admin(), |r| Ok(r.event_tags(&[id])?.remove(&id))).unwrap().unwrap();
    assert!(tags.iter().any(|t| t.tag.name == "both" && t.local));
}

#[test]
fn a_run_ends_however_often_its_ways_meet_again() {
    let here = here();
    on(&here, &["enable", "triggers_event-publish"]);
    let mut sketch = "1:event-publish>2 ".to_owned();
    for node in 2..100 {
        // Both ways are one: 2^98 ways through the graph, were the condition to hold on both.
        write!(sketch, "{node}:concurrent-task>{}+{} ", node + 1, node + 1).unwrap();
    }
    sketch.push_str("100:stop-execution");
    let id = workflow(&here, graph(&sketch, &[]));
    let outcome = workflow::execute(&here.service, &here.admin(), Ref::Id(id), "{}").unwrap();
    assert!(outcome.errors.iter().any(|e| e.contains("more than 1000 nodes")), "{:?}", outcome.errors);
}

#[test]
fn what_was_saved_is_followed_once_and_from_where_it_was_left() {
    let here = here();
    tagged(&here, "before");
    on(&here, &["enable", "modules_tag_operation", "triggers_event-after-save"]);
    let id = workflow(
        &here,
        graph("1:event-after-save>2 2:tag_operation", &[(2, r#""tags": ["seen"], "locality": "global""#)]),
    );
    follow(&here);
    assert_eq!(counter(&here, id), 0, "what was before it was switched on");
    let event = tagged(&here, "after");
    follow(&here);
    assert_eq!(counter(&here, id), 1);
    follow(&here);
    follow(&here);
    assert_eq!(counter(&here, id), 1, "its own doing begins nothing");
    let tags =
        here.service.read(&here.admin(), |r| Ok(r.event_tags(&[event])?.remove(&event))).unwrap().unwrap();
    assert_eq!(tags.iter().map(|t| t.tag.name.as_str()).collect::<Vec<_>>(), ["after", "seen"]);
    let gone = tagged(&here, "gone");
    event::remove(&here.service, &here.admin(), Ref::Id(gone)).unwrap();
    let edit = EventDraft { info: Some("Another".into()), timestamp: Some(NOW + 5), ..EventDraft::default() };
    event::edit(&here.service, &here.admin(), Ref::Id(event), edit).unwrap();
    follow(&here);
    assert_eq!(counter(&here, id), 2, "what is gone is passed over");
}

#[test]
fn a_workflow_that_publishes_asks_the_workflow_before_publishing() {
    let here = here();
    let both = ["enable", "modules_publish-event", "triggers_event-after-save", "triggers_event-publish"];
    on(&here, &both);
    workflow(&here, graph(STOP_RED, &[RED]));
    let publisher = workflow(&here, graph("1:event-after-save>2 2:publish-event", &[]));
    let (red, green) = (tagged(&here, "tlp:red"), tagged(&here, "tlp:green"));
    follow(&here);
    assert_eq!((published(&here, red), published(&here, green)), (false, true));
    assert_eq!(counter(&here, publisher), 2);
}

#[test]
fn an_edit_that_publishes_is_saved_and_asked_about() {
    let here = here();
    on(&here, &["enable", "triggers_event-publish"]);
    workflow(&here, graph(STOP_RED, &[RED]));
    let id = tagged(&here, "tlp:red");
    let draft = EventDraft {
        info: Some("Changed".into()),
        published: Some(true),
        timestamp: Some(NOW + 5),
        ..EventDraft::default()
    };
    event::edit(&here.service, &here.admin(), Ref::Id(id), draft).unwrap();
    let event = here.service.read(&here.admin(), |r| Ok(r.event(Ref::Id(id))?)).unwrap().unwrap();
    assert_eq!((event.info.as_str(), event.published), ("Changed", false));
}

#[test]
fn workflows_are_kept_by_site_admins_and_only_right_ones() {
    let here = here();
    let chief = here.member(here.org("One"), ORG_ADMIN);
    assert!(matches!(workflow::list(&here.service, &chief), Err(Error::Forbidden)));
    assert!(matches!(workflow::toggle(&here.service, &chief, "webhook", true), Err(Error::Forbidden)));
    let add = |data: &str| {
        let draft = WorkflowDraft { data: Some(data.into()), ..WorkflowDraft::default() };
        workflow::add(&here.service, &here.admin(), draft)
    };
    assert_eq!(field(add("{")), "data");
    assert_eq!(field(add("{}")), "data");
    assert_eq!(field(workflow::add(&here.service, &here.admin(), WorkflowDraft::default())), "data");
    for module in module::ALL.iter().filter(|m| m.inputs == 0) {
        let draft = WorkflowDraft { trigger_id: Some(module.id.into()), ..WorkflowDraft::default() };
        let added = workflow::add(&here.service, &here.admin(), draft).unwrap();
        assert_eq!(added.trigger_id, module.id);
        let wrong = WorkflowDraft { data: Some("[]".into()), ..WorkflowDraft::default() };
        assert_eq!(field(workflow::edit(&here.service, &here.admin(), Ref::Id(added.id), wrong)), "data");
    }
}
