//! `Plugin.Workflow_…`: whether workflows run, and which of their modules, each by its own name.

use super::{Level, Setting, Value, flag};

macro_rules! module {
    ($name:literal, $id:literal, $what:literal) => {
        Setting {
            name: $name,
            level: Level::Optional,
            description: $what,
            get: |s| Value::Flag(s.settings().workflow_modules.has($id)),
            set: Some(|s, text| flag(text).map(|on| s.workflow_modules.set($id, on))),
        }
    };
}

#[rustfmt::skip] // A line each.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "Plugin.Workflow_enable",
        level: Level::Recommended,
        description: "Workflows run when one of their triggers is switched on.",
        get: |s| Value::Flag(s.settings().workflows),
        set: Some(|s, text| flag(text).map(|on| s.workflows = on)),
    },
    module!("Plugin.Workflow_modules_add_eventblocklist_entry", "add_eventblocklist_entry", "A module of workflows."),
    module!("Plugin.Workflow_modules_add_to_warninglist", "add_to_warninglist", "A module of workflows."),
    module!("Plugin.Workflow_modules_assign_country", "assign_country", "A module of workflows."),
    module!("Plugin.Workflow_modules_attach-decay-score", "attach-decay-score", "A module of workflows."),
    module!("Plugin.Workflow_modules_attach-enrichment", "attach-enrichment", "A module of workflows."),
    module!("Plugin.Workflow_modules_attach-warninglist", "attach-warninglist", "A module of workflows."),
    module!("Plugin.Workflow_modules_attribute_ids_flag_operation", "attribute_ids_flag_operation", "A module of workflows."),
    module!("Plugin.Workflow_modules_concurrent-task", "concurrent-task", "A module of workflows."),
    module!("Plugin.Workflow_modules_count-if", "count-if", "A module of workflows."),
    module!("Plugin.Workflow_modules_distribution-if", "distribution-if", "A module of workflows."),
    module!("Plugin.Workflow_modules_enrich-event", "enrich-event", "A module of workflows."),
    module!("Plugin.Workflow_modules_generic-filter-data", "generic-filter-data", "A module of workflows."),
    module!("Plugin.Workflow_modules_generic-filter-reset", "generic-filter-reset", "A module of workflows."),
    module!("Plugin.Workflow_modules_generic-if", "generic-if", "A module of workflows."),
    module!("Plugin.Workflow_modules_Module_attribute_comment_operation", "Module_attribute_comment_operation", "A module of workflows."),
    module!("Plugin.Workflow_modules_Module_event_distribution_operation", "Module_event_distribution_operation", "A module of workflows."),
    module!("Plugin.Workflow_modules_ms-teams-webhook", "ms-teams-webhook", "A module of workflows."),
    module!("Plugin.Workflow_modules_organisation-if", "organisation-if", "A module of workflows."),
    module!("Plugin.Workflow_modules_proposal-action", "proposal-action", "A module of workflows."),
    module!("Plugin.Workflow_modules_publish-event", "publish-event", "A module of workflows."),
    module!("Plugin.Workflow_modules_published-if", "published-if", "A module of workflows."),
    module!("Plugin.Workflow_modules_push-zmq", "push-zmq", "A module of workflows."),
    module!("Plugin.Workflow_modules_reload-full-event", "reload-full-event", "A module of workflows."),
    module!("Plugin.Workflow_modules_send-log-mail", "send-log-mail", "A module of workflows."),
    module!("Plugin.Workflow_modules_send-mail", "send-mail", "A module of workflows."),
    module!("Plugin.Workflow_modules_splunk-hec-export", "splunk-hec-export", "A module of workflows."),
    module!("Plugin.Workflow_modules_stop-execution", "stop-execution", "A module of workflows."),
    module!("Plugin.Workflow_modules_tag-if", "tag-if", "A module of workflows."),
    module!("Plugin.Workflow_modules_tag_operation", "tag_operation", "A module of workflows."),
    module!("Plugin.Workflow_modules_tag_replacement_pap", "tag_replacement_pap", "A module of workflows."),
    module!("Plugin.Workflow_modules_tag_replacement_tlp", "tag_replacement_tlp", "A module of workflows."),
    module!("Plugin.Workflow_modules_threat-level-if", "threat-level-if", "A module of workflows."),
    module!("Plugin.Workflow_modules_webhook", "webhook", "A module of workflows."),
    module!("Plugin.Workflow_triggers_attribute-after-save", "attribute-after-save", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_enrichment-before-query", "enrichment-before-query", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_event-after-save", "event-after-save", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_event-after-save-new", "event-after-save-new", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_event-before-save", "event-before-save", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_event-publish", "event-publish", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_event-report-after-save", "event-report-after-save", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_log-after-save", "log-after-save", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_object-after-save", "object-after-save", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_shadow-attribute-after-save", "shadow-attribute-after-save", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_shadow-attribute-before-save", "shadow-attribute-before-save", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_sighting-after-save", "sighting-after-save", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_tag-attached-after-save", "tag-attached-after-save", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_user-after-save", "user-after-save", "A trigger of workflows."),
    module!("Plugin.Workflow_triggers_user-before-save", "user-before-save", "A trigger of workflows."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::workflow::{Kind, module};

    #[test]
    fn every_module_has_its_switch() {
        for module in module::ALL {
            let area = if module.kind == Kind::Trigger { "triggers" } else { "modules" };
            let name = format!("Plugin.Workflow_{area}_{}", module.id);
            let setting = SETTINGS.iter().find(|s| s.name == name).expect("there is one");
            let mut settings = super::super::Settings::default();
            for on in ["1", "0"] {
                setting.set.unwrap()(&mut settings, on).unwrap();
                assert_eq!(settings.workflow_modules.has(module.id), on == "1", "{name}");
            }
        }
        assert_eq!(SETTINGS.len(), module::ALL.len() + 1);
    }
}
