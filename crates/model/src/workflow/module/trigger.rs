//! What begins workflows.

use super::{Kind, Module, PLAIN, Param, param};

const fn trigger(
    id: &'static str,
    name: &'static str,
    scope: &'static str,
    blocking: bool,
    core_format: bool,
    description: &'static str,
) -> Module {
    Module {
        id,
        kind: Kind::Trigger,
        name,
        description,
        icon: "play",
        blocking,
        inputs: 0,
        scope,
        core_format,
        ..PLAIN
    }
}

pub const EVENT_PUBLISH: &str = "event-publish";
pub const EVENT_BEFORE_SAVE: &str = "event-before-save";
pub const ENRICHMENT_BEFORE_QUERY: &str = "enrichment-before-query";
pub const EVENT_AFTER_SAVE: &str = "event-after-save";
pub const EVENT_AFTER_SAVE_NEW: &str = "event-after-save-new";
pub const ATTRIBUTE_AFTER_SAVE: &str = "attribute-after-save";
pub const OBJECT_AFTER_SAVE: &str = "object-after-save";
pub const SIGHTING_AFTER_SAVE: &str = "sighting-after-save";
pub const REPORT_AFTER_SAVE: &str = "event-report-after-save";
pub const USER_AFTER_SAVE: &str = "user-after-save";
pub const LOG_AFTER_SAVE: &str = "log-after-save";

pub const TAG_ATTACHED_AFTER_SAVE: &str = "tag-attached-after-save";
pub const PROPOSAL_BEFORE_SAVE: &str = "shadow-attribute-before-save";
pub const PROPOSAL_AFTER_SAVE: &str = "shadow-attribute-after-save";
pub const USER_BEFORE_SAVE: &str = "user-before-save";

pub(super) const TRIGGERS: &[Module] = &[
    trigger(EVENT_PUBLISH, "Event Publish", "event", true, true, "Before an event is published."),
    trigger(
        EVENT_BEFORE_SAVE,
        "Event Before Save",
        "event",
        true,
        true,
        "Before an event is added or changed.",
    ),
    trigger(
        ENRICHMENT_BEFORE_QUERY,
        "Enrichment Before Query",
        "others",
        true,
        true,
        "Before a module is asked about an attribute.",
    ),
    trigger(
        EVENT_AFTER_SAVE,
        "Event After Save",
        "event",
        false,
        true,
        "After an event or something in it was saved.",
    ),
    trigger(EVENT_AFTER_SAVE_NEW, "Event After Save New", "event", false, true, "After an event was added."),
    trigger(
        ATTRIBUTE_AFTER_SAVE,
        "Attribute After Save",
        "attribute",
        false,
        true,
        "After an attribute was saved.",
    ),
    trigger(OBJECT_AFTER_SAVE, "Object After Save", "object", false, true, "After an object was saved."),
    trigger(
        SIGHTING_AFTER_SAVE,
        "Sighting After Save",
        "sighting",
        false,
        true,
        "After something was sighted.",
    ),
    trigger(
        REPORT_AFTER_SAVE,
        "Event Report After Save",
        "event-report",
        false,
        true,
        "After a report was saved.",
    ),
    trigger(USER_AFTER_SAVE, "User After Save", "user", false, false, "After a user was saved."),
    trigger(LOG_AFTER_SAVE, "Log After Save", "log", false, false, "After something was noted in the log."),
    trigger(
        PROPOSAL_BEFORE_SAVE,
        "Shadow Attribute Before Save",
        "shadow-attribute",
        true,
        true,
        "Before something is proposed.",
    ),
    trigger(
        PROPOSAL_AFTER_SAVE,
        "Shadow Attribute After Save",
        "shadow-attribute",
        false,
        true,
        "After something was proposed.",
    ),
    trigger(USER_BEFORE_SAVE, "User Before Save", "user", true, false, "Before a user is added or changed."),
    Module {
        params: TAG_ATTACHED,
        ..trigger(
            TAG_ATTACHED_AFTER_SAVE,
            "Tag Attached After Save",
            "tag",
            false,
            true,
            "After a tag was attached to an event or an attribute.",
        )
    },
];

const TAG_ATTACHED: &[Param] = &[
    param(
        "scope",
        "Scope",
        "select",
        "event",
        &[("event", "Event"), ("attribute", "Attributes"), ("any", "Any")],
    ),
    param(
        "locality",
        "Tag Locality",
        "select",
        "local",
        &[("local", "Local"), ("global", "Global"), ("any", "Any")],
    ),
    param("tag", "Tags", "input", "", &[]),
];
