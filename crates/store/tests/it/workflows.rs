//! Workflows: kept, seen by site admins alone, counted; the cursor of their reader.

use crate::{NOW_MS, member, on_each_engine, system, uuid};
use pisax_access::Actor;
use pisax_model::ids::Ref;
use pisax_store::Error;
use pisax_store::changes::{Action, Noun};
use pisax_store::workflows::{Workflow, WorkflowBlueprint};

fn workflow() -> Workflow {
    Workflow {
        uuid: uuid(1),
        name: "No red".into(),
        description: "d".into(),
        timestamp: 5,
        enabled: true,
        trigger_id: "event-publish".into(),
        data: r#"{"1": "a key of somebody's service"}"#.into(),
        ..Workflow::default()
    }
}

#[test]
fn a_workflow_is_kept_counted_and_for_site_admins_alone() {
    on_each_engine("workflows", |t| {
        let id = t.write(|w| w.put_workflow(&workflow()));
        let kept = t.read(|r| r.workflow(Ref::Uuid(uuid(1)))).unwrap();
        assert_eq!(kept, Workflow { id, ..workflow() });
        let begun = |trigger: &str| t.read(|r| r.workflows_beginning_with(trigger)).len();
        assert_eq!((begun("event-publish"), begun("event-after-save")), (1, 0));
        let plain = member(1);
        let seen = |who: &Actor| t.store.read::<_, Error>(who, |r| Ok(r.workflows()?.len())).unwrap();
        assert_eq!((seen(&plain), seen(&system())), (0, 1));
        t.write(|w| w.workflow_ran(&kept, 0, &[("outcome", "success")]));
        t.write(|w| w.put_workflow(&Workflow { enabled: false, name: "Off".into(), ..kept.clone() }));
        let off = t.read(|r| r.workflow(Ref::Id(id))).unwrap();
        assert_eq!(
            (off.counter, off.name.as_str(), off.enabled),
            (1, "Off", false),
            "an edit keeps the count"
        );
        assert_eq!(begun("event-publish"), 0);
        let twice = t.store.write::<_, Error>(&system(), NOW_MS, |w| w.put_workflow(&workflow()));
        assert!(twice.is_err_and(|e| e.is_unique_violation()));
        t.write(|w| w.delete_workflow(&off));
        assert!(t.read(|r| r.workflows()).is_empty());
        let log = t.read(|r| r.changes_after(0, 100));
        let of = |action: Action| {
            log.iter().filter(|c| c.noun == Noun::Workflow as i64 && c.action == action as i64).count()
        };
        let counts = [Action::Add, Action::Run, Action::Disable, Action::Delete].map(of);
        assert_eq!(counts, [1, 1, 1, 1]);
        assert!(!format!("{log:?}").contains("a key of somebody"), "graphs are not in the log");
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_blueprint_is_kept() {
    on_each_engine("workflow_blueprints", |t| {
        let blueprint = WorkflowBlueprint {
            uuid: uuid(2),
            name: "Part".into(),
            data: "[]".into(),
            ..WorkflowBlueprint::default()
        };
        let id = t.write(|w| w.put_workflow_blueprint(&blueprint));
        t.write(|w| {
            w.put_workflow_blueprint(&WorkflowBlueprint { id, name: "Whole".into(), ..blueprint.clone() })
        });
        let kept = t.read(|r| r.workflow_blueprint(Ref::Id(id))).unwrap();
        assert_eq!(kept.name, "Whole");
        let seen =
            t.store.read::<_, Error>(&member(1), |r| r.workflow_blueprint(Ref::Uuid(uuid(2)))).unwrap();
        assert_eq!(seen, None);
        t.write(|w| w.delete_workflow_blueprint(&kept));
        assert!(t.read(|r| r.workflow_blueprints()).is_empty());
    });
}

#[test]
fn the_cursor_is_moved_by_who_comes_first() {
    on_each_engine("workflow_cursor", |t| {
        assert_eq!(t.read(|r| r.workflow_cursor()), None);
        t.write(|w| w.put_workflow(&workflow()));
        t.write(|w| w.begin_workflow_cursor());
        let begun = t.read(|r| r.workflow_cursor()).unwrap();
        assert_eq!(begun, t.read(|r| r.newest_change()));
        assert!(t.write(|w| w.move_workflow_cursor(begun, begun + 1)));
        assert!(!t.write(|w| w.move_workflow_cursor(begun, begun + 2)), "somebody has gone on");
        assert_eq!(t.read(|r| r.workflow_cursor()), Some(begun + 1));
    });
}
