//! The modules there are, under MISP's names and with the parameters MISP's graphs give them.

/// What a module is in a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Begins.
    Trigger,
    /// Chooses the way.
    Logic,
    /// Does something.
    Action,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Logic => "logic",
            Self::Action => "action",
        }
    }
}

/// Something a module is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    pub id: &'static str,
    pub label: &'static str,
    /// `input`, `textarea`, `select`, `picker` (a list) or `hashpath`.
    pub form: &'static str,
    pub default: &'static str,
    /// Of a select: the values, with what they mean.
    pub options: &'static [(&'static str, &'static str)],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Module {
    pub id: &'static str,
    pub kind: Kind,
    pub name: &'static str,
    pub description: &'static str,
    pub icon: &'static str,
    /// A trigger that can be refused; an action that refuses.
    pub blocking: bool,
    pub inputs: u8,
    pub outputs: u8,
    /// Whether an output may lead to several nodes.
    pub many_links: bool,
    /// Whether what it is for can be narrowed down to some attributes.
    pub filters: bool,
    /// What a trigger is about.
    pub scope: &'static str,
    /// Whether it gives, or needs, an event in MISP's core format.
    pub core_format: bool,
    /// Whether it is switched on from the beginning.
    pub preset: bool,
    pub params: &'static [Param],
}

const PLAIN: Module = Module {
    id: "",
    kind: Kind::Action,
    name: "",
    description: "",
    icon: "",
    blocking: false,
    inputs: 1,
    outputs: 1,
    many_links: false,
    filters: false,
    scope: "",
    core_format: false,
    preset: false,
    params: &[],
};

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

const fn condition(
    id: &'static str,
    name: &'static str,
    preset: bool,
    core_format: bool,
    params: &'static [Param],
) -> Module {
    let description =
        "Goes on at the first output where the condition holds, at the second where it does not.";
    Module {
        id,
        kind: Kind::Logic,
        name,
        description,
        icon: "code-branch",
        outputs: 2,
        core_format,
        preset,
        params,
        ..PLAIN
    }
}

const fn param(
    id: &'static str,
    label: &'static str,
    form: &'static str,
    default: &'static str,
    options: &'static [(&'static str, &'static str)],
) -> Param {
    Param { id, label, form, default, options }
}

const OPERATORS: &[(&str, &str)] = &[
    ("in", "In"),
    ("not_in", "Not in"),
    ("equals", "Equals"),
    ("not_equals", "Not equals"),
    ("any_value", "Any value"),
    ("in_or", "Any value from"),
];

const LABELS: &[(&str, &str)] = &[
    ("A", "Label A"),
    ("B", "Label B"),
    ("C", "Label C"),
    ("D", "Label D"),
    ("E", "Label E"),
    ("F", "Label F"),
];

const ALL_LABELS: &[(&str, &str)] = &[
    ("all", "All filters"),
    ("A", "Label A"),
    ("B", "Label B"),
    ("C", "Label C"),
    ("D", "Label D"),
    ("E", "Label E"),
    ("F", "Label F"),
];

const LEVELS: &[(&str, &str)] = &[("1", "High"), ("2", "Medium"), ("3", "Low"), ("4", "Undefined")];

const DISTRIBUTIONS: &[(&str, &str)] =
    &[("0", "Organisation"), ("1", "Community"), ("2", "Connected"), ("3", "All"), ("4", "Sharing Group")];

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

/// Every module; where one stands here is its place in the set of those that are switched on.
pub const ALL: &[Module] = &[
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
    condition(
        "generic-if",
        "IF :: Generic",
        true,
        false,
        &[
            param("value", "Value", "input", "", &[]),
            param("value_list", "Value list", "picker", "", &[]),
            param("operator", "Operator", "select", "in", OPERATORS),
            param("hash_path", "Hash path", "hashpath", "", &[]),
        ],
    ),
    condition(
        "tag-if",
        "IF :: Tag",
        true,
        true,
        &[
            param(
                "scope",
                "Scope",
                "select",
                "event",
                &[("event", "Event"), ("attribute", "Attribute"), ("event_attribute", "Inherited Attribute")],
            ),
            param(
                "condition",
                "Condition",
                "select",
                "in_or",
                &[
                    ("in_or", "Is tagged with any (OR)"),
                    ("in_and", "Is tagged with all (AND)"),
                    ("not_in_or", "Is not tagged with any (OR)"),
                    ("not_in_and", "Is not tagged with all (AND)"),
                ],
            ),
            param("tags", "Tags", "picker", "", &[]),
            param("clusters", "Galaxy Clusters", "picker", "", &[]),
        ],
    ),
    condition(
        "organisation-if",
        "IF :: Organisation",
        true,
        true,
        &[
            param(
                "org_type",
                "Organisation Type",
                "select",
                "orgc",
                &[("org", "Owner Organisation"), ("orgc", "Creator Organisation")],
            ),
            param(
                "condition",
                "Condition",
                "select",
                "in",
                &[("in", "Is any of (OR)"), ("not_in", "Is not any of (OR)")],
            ),
            param("org_id", "Organisations", "picker", "1", &[]),
        ],
    ),
    condition(
        "distribution-if",
        "IF :: Distribution",
        true,
        true,
        &[
            param(
                "scope",
                "Scope",
                "select",
                "attribute",
                &[
                    ("attribute", "Final distribution of the Attribute"),
                    ("event", "Distribution of the Event"),
                ],
            ),
            param(
                "condition",
                "Condition",
                "select",
                "equals",
                &[
                    ("equals", "Is"),
                    ("not_equals", "Is not"),
                    ("more_restrictive_or_equal_than", "More restrictive or equal than"),
                    ("more_permisive_or_equal_than", "More permisive or equal than"),
                ],
            ),
            param("distribution", "Distribution", "select", "0", DISTRIBUTIONS),
            param("sharing_group_id", "Sharing Groups", "picker", "", &[]),
        ],
    ),
    condition(
        "published-if",
        "IF :: Published",
        true,
        true,
        &[param(
            "condition",
            "Condition",
            "select",
            "equals",
            &[("equals", "Event is published"), ("not_equals", "Event is not published")],
        )],
    ),
    condition(
        "threat-level-if",
        "IF :: Threat Level",
        false,
        true,
        &[
            param(
                "condition",
                "Condition",
                "select",
                "equals",
                &[
                    ("equals", "Is"),
                    ("not_equals", "Is not"),
                    ("greater_or_equal_than", "Greater or equal than"),
                    ("less_or_equal_than", "Less or equal than"),
                ],
            ),
            param("threatlevel", "Threat Level", "select", "3", LEVELS),
        ],
    ),
    condition(
        "count-if",
        "IF :: Count",
        false,
        false,
        &[
            param("selector", "Data selector to count", "hashpath", "", &[]),
            param(
                "operator",
                "Condition",
                "select",
                "equals",
                &[
                    ("equals", "Equals to"),
                    ("not_equals", "Not Equals to"),
                    ("greater", "Greater than"),
                    ("greater_equals", "Greater or equals than"),
                    ("less", "Less than"),
                    ("less_equals", "Less or equals than"),
                ],
            ),
            param("value", "Value", "input", "", &[]),
        ],
    ),
    Module {
        id: "generic-filter-data",
        kind: Kind::Logic,
        name: "Filter :: Generic",
        description: "Goes on with those items of a list that hold.",
        icon: "filter",
        params: &[
            param("filtering-label", "Filtering Label", "select", "A", LABELS),
            param("selector", "Data selector", "hashpath", "", &[]),
            param("value", "Value", "input", "", &[]),
            param("value_list", "Value list", "picker", "", &[]),
            param("operator", "Operator", "select", "in", OPERATORS),
            param("hash_path", "Hash path", "hashpath", "", &[]),
        ],
        ..PLAIN
    },
    Module {
        id: "generic-filter-reset",
        kind: Kind::Logic,
        name: "Filter :: Remove filter",
        description: "Goes on with all that a filter took away.",
        icon: "redo-alt",
        params: &[param("filtering-label", "Filtering Label to remove", "select", "all", ALL_LABELS)],
        ..PLAIN
    },
    Module {
        id: "concurrent-task",
        kind: Kind::Logic,
        name: "Concurrent Task",
        description: "Leads to several nodes; what fails behind it blocks nothing.",
        icon: "random",
        many_links: true,
        preset: true,
        ..PLAIN
    },
    Module {
        id: "stop-execution",
        name: "Stop execution",
        description: "Refuses what a blocking trigger is about; ends others.",
        icon: "ban",
        blocking: true,
        outputs: 0,
        preset: true,
        params: &[param("message", "Stop message", "input", "Execution stopped", &[])],
        ..PLAIN
    },
    Module {
        id: "tag_operation",
        name: "Tag operation",
        description: "Attaches tags to the event or its attributes, or takes them off.",
        icon: "tags",
        filters: true,
        core_format: true,
        params: &[
            param("scope", "Scope", "select", "event", &[("event", "Event"), ("attribute", "Attributes")]),
            param("action", "Action", "select", "add", &[("add", "Add Tags"), ("remove", "Remove Tags")]),
            param(
                "locality",
                "Tag Locality",
                "select",
                "local",
                &[("local", "Local"), ("global", "Global"), ("any", "Any")],
            ),
            param("tags", "Tags", "picker", "", &[]),
            param("relationship_type", "Relationship Type", "input", "", &[]),
        ],
        ..PLAIN
    },
    Module {
        id: "publish-event",
        name: "Publish Event",
        description: "Publishes the event.",
        icon: "upload",
        core_format: true,
        ..PLAIN
    },
    Module {
        id: "send-mail",
        name: "Send Mail",
        description: "Sends a mail; {{ Event.info }} in it stands for what is at that path of the data.",
        icon: "envelope",
        params: &[
            param("recipients", "Recipients", "picker", "All admins", &[]),
            param("mail_template_subject", "Mail template subject", "textarea", "", &[]),
            param("mail_template_body", "Mail template body", "textarea", "", &[]),
        ],
        ..PLAIN
    },
    Module {
        id: "push-zmq",
        name: "Push to ZMQ",
        description: "Publishes the event over ZeroMQ.",
        icon: "broadcast-tower",
        preset: true,
        core_format: true,
        ..PLAIN
    },
    Module {
        id: "webhook",
        name: "Webhook",
        description: "Sends the data to an address, where Security.rest_client_enable_arbitrary_urls allows it.",
        icon: "globe",
        preset: true,
        params: &[
            param("url", "URL", "input", "", &[]),
            param(
                "content_type",
                "Content type",
                "select",
                "json",
                &[("json", "application/json"), ("form", "application/x-www-form-urlencoded")],
            ),
            param(
                "request_method",
                "HTTP Request Method",
                "select",
                "post",
                &[("post", "POST"), ("get", "GET"), ("put", "PUT"), ("delete", "DELETE")],
            ),
            param("payload", "Payload (leave empty for roaming data)", "textarea", "", &[]),
            param("headers", "Headers", "textarea", "", &[]),
        ],
        ..PLAIN
    },
];

/// The module of this name.
pub fn find(id: &str) -> Option<&'static Module> {
    ALL.iter().find(|module| module.id == id)
}

/// Which modules are switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switched(u64);

impl Switched {
    /// As it is before anybody changes it: no trigger at all.
    pub const fn preset() -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < ALL.len() {
            if ALL[at].preset {
                bits |= 1 << at;
            }
            at += 1;
        }
        Self(bits)
    }

    fn bit(id: &str) -> u64 {
        ALL.iter().position(|module| module.id == id).map_or(0, |at| 1 << at)
    }

    pub fn has(self, id: &str) -> bool {
        self.0 & Self::bit(id) != 0
    }

    pub fn set(&mut self, id: &str, on: bool) {
        if on {
            self.0 |= Self::bit(id);
        } else {
            self.0 &= !Self::bit(id);
        }
    }

    /// Whether anything begins by itself after something was saved.
    pub fn follows(self) -> bool {
        ALL.iter().any(|m| m.kind == Kind::Trigger && !m.blocking && self.has(m.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_used_once_and_fit_into_the_set() {
        assert!(ALL.len() < 64);
        for (at, module) in ALL.iter().enumerate() {
            assert_eq!(ALL.iter().position(|m| m.id == module.id), Some(at), "{}", module.id);
            assert_eq!(module.kind == Kind::Trigger, module.inputs == 0, "{}", module.id);
        }
    }

    #[test]
    fn no_trigger_is_on_before_somebody_says_so() {
        let mut switched = Switched::preset();
        assert!(switched.has("stop-execution") && !switched.has("tag_operation"));
        assert!(ALL.iter().all(|m| m.kind != Kind::Trigger || !switched.has(m.id)));
        assert!(!switched.follows());
        switched.set(EVENT_PUBLISH, true);
        assert!(!switched.follows(), "it begins before, not after");
        switched.set(LOG_AFTER_SAVE, true);
        switched.set("no-such-module", true);
        assert!(switched.follows());
        switched.set(LOG_AFTER_SAVE, false);
        assert!(!switched.follows());
    }
}
