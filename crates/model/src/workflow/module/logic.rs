//! What chooses the way of a workflow.

use super::{DISTRIBUTIONS, Kind, Module, PLAIN, Param, param};

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

pub(super) const LOGIC: &[Module] = &[
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
];
