//! What workflows do.

use super::{DISTRIBUTIONS, Module, PLAIN, Param, param};

pub(super) const ACTIONS: &[Module] = &[
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
        description: "Sends a mail, whose subject and text are Jinja templates.",
        icon: "envelope",
        params: MAIL,
        ..PLAIN
    },
    Module {
        id: "push-zmq",
        name: "Push to ZMQ",
        description: "Publishes the data, or what a path picks of it, over ZeroMQ (misp_json_workflow).",
        icon: "broadcast-tower",
        preset: true,
        params: &[param("data_extraction_path", "Data extraction path", "hashpath", "", &[])],
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
    Module {
        id: "send-log-mail",
        name: "Send Log Mail",
        description: "Sends a mail about what was logged, also to the admins of the organisation whose user did it.",
        icon: "envelope",
        params: MAIL,
        ..PLAIN
    },
    Module {
        id: "ms-teams-webhook",
        name: "MS Teams Webhook",
        description: "Tells a channel of MS Teams, where Security.rest_client_enable_arbitrary_urls allows it.",
        icon: "comments",
        params: &[
            param("url", "MS Teams Webhook URL", "input", "", &[]),
            param("content_type", "Content type", "select", "form", &[("form", FORM)]),
            param("data_extraction_path", "Data extraction path", "hashpath", "", &[]),
        ],
        ..PLAIN
    },
    Module {
        id: "splunk-hec-export",
        name: "Splunk HEC export",
        description: "Sends to Splunk's HTTP Event Collector, where Security.rest_client_enable_arbitrary_urls allows it.",
        icon: "share-square",
        outputs: 0,
        core_format: true,
        params: &[
            param("url", "HEC URL", "input", "", &[]),
            param("hec_token", "HEC Token", "input", "", &[]),
            param("source_type", "Source Type", "input", "", &[]),
            param("event_per_attribute", "Create one Splunk Event per Attribute", "select", "0", NO_YES),
            param("data_extraction_model", "Data extraction model (JSON)", "textarea", "", &[]),
        ],
        ..PLAIN
    },
    on_attributes(
        "attach-warninglist",
        "Attach warninglist",
        "Tells what comes next which warninglists have the attributes' values.",
        "exclamation-triangle",
        &[param("warninglists", "Warninglists", "picker", "ALL", &[])],
    ),
    on_attributes(
        "attach-decay-score",
        "Attach decay score",
        "Tells what comes next what decaying models say of the attributes.",
        "chart-line",
        &[param("decayingmodels", "Decaying Model", "picker", "", &[])],
    ),
    on_attributes(
        "attach-enrichment",
        "Attach enrichment",
        "Tells what comes next what modules know of the attributes.",
        "asterisk",
        &[param("modules", "Modules", "picker", "", &[])],
    ),
    on_attributes(
        "enrich-event",
        "Enrich Event",
        "Adds to the event what modules know of its attributes.",
        "asterisk",
        &[param("modules", "Modules", "picker", "", &[])],
    ),
    on_attributes(
        "Module_attribute_comment_operation",
        "Attribute comment operation",
        "Gives the attributes a comment, a Jinja template.",
        "edit",
        &[param("comment", "Comment", "textarea", "", &[])],
    ),
    on_attributes(
        "attribute_ids_flag_operation",
        "Attribute IDS Flag operation",
        "Sets the attributes' IDS flag, or takes it off.",
        "edit",
        &[param(
            "action",
            "To IDS Flag",
            "select",
            "add",
            &[("add", "Toggle IDS flag"), ("remove", "Remove IDS flag")],
        )],
    ),
    on_attributes(
        "add_to_warninglist",
        "Add to warninglist",
        "Adds the attributes' values to a warninglist of one's own that is enabled.",
        "exclamation-triangle",
        &[param("warninglist", "Warninglist", "picker", "", &[])],
    ),
    on_attributes(
        "tag_replacement_tlp",
        "Tag Replacement - TLP",
        "Attaches the tag of the TLP taxonomy where another spelling of it is attached.",
        "tags",
        REPLACEMENT,
    ),
    on_attributes(
        "tag_replacement_pap",
        "Tag Replacement - PAP",
        "Attaches the tag of the PAP taxonomy where another spelling of it is attached.",
        "tags",
        REPLACEMENT,
    ),
    on_attributes(
        "assign_country",
        "Assign country",
        "Attaches the cluster of the country galaxy that something attached before names.",
        "globe",
        &[
            SCOPE,
            param("hash_path", "Country Hash path", "hashpath", "enrichment.{n}.{n}.values.0", &[]),
            LOCALITY,
            param("galaxy_name", "Galaxy Name", "select", "country", &[("country", "country")]),
            param("relationship_type", "Relationship Type", "input", "", &[]),
        ],
    ),
    on_attributes(
        "proposal-action",
        "Proposal Action",
        "Accepts the proposals in the data, or discards them.",
        "asterisk",
        &[
            param(
                "action",
                "Action",
                "select",
                "accept",
                &[("accept", "Accept Proposals"), ("remove", "Remove Proposals")],
            ),
            param(
                "proposal_type",
                "Proposal Type",
                "select",
                "any",
                &[
                    ("new", "Proposals to create new Attributes"),
                    ("edit", "Proposals on existing Attributes"),
                    ("any", "Any type of Proposals"),
                ],
            ),
        ],
    ),
    Module {
        id: "Module_event_distribution_operation",
        name: "Event distribution operation",
        description: "Sets how far the event travels.",
        icon: "edit",
        core_format: true,
        params: &[
            param(
                "freeze",
                "Preserve timestamp and published state",
                "select",
                "modify",
                &[
                    ("modify", "Modify timestamp and unpublish"),
                    ("freeze", "Freeze timestamp and keep published state"),
                ],
            ),
            param("distribution", "Distribution", "select", "0", DISTRIBUTIONS),
            param("sharing_group_id", "Sharing Groups", "picker", "", &[]),
        ],
        ..PLAIN
    },
    Module {
        id: "add_eventblocklist_entry",
        name: "Add Event Blocklist entry",
        description: "Keeps the event from coming again once it is deleted.",
        icon: "ban",
        core_format: true,
        params: &[
            param("uuid_hash_path", "Event UUID Hash path", "hashpath", "Event.uuid", &[]),
            param("eventinfo_hash_path", "Event Info Hash path", "hashpath", "Event.info", &[]),
            param("block_comment", "Blocklist Comment", "input", "Blocked from workflow", &[]),
        ],
        ..PLAIN
    },
    Module {
        id: "reload-full-event",
        name: "Reload full Event",
        description: "Goes on with the whole event as it is stored now.",
        icon: "sync-alt",
        core_format: true,
        ..PLAIN
    },
];

const FORM: &str = "application/x-www-form-urlencoded";

const NO_YES: &[(&str, &str)] = &[("0", "False"), ("1", "True")];

const SCOPE: Param =
    param("scope", "Scope", "select", "event", &[("event", "Event"), ("attribute", "Attributes")]);

const LOCALITY: Param =
    param("locality", "Tag Locality", "select", "local", &[("local", "Local"), ("global", "Global")]);

const MAIL: &[Param] = &[
    param("recipients", "Recipients", "picker", "All admins", &[]),
    param("mail_template_subject", "Mail template subject", "textarea", "", &[]),
    param("mail_template_body", "Mail template body", "textarea", "", &[]),
];

const REPLACEMENT: &[Param] = &[
    param(
        "scope",
        "Scope",
        "select",
        "event",
        &[("event", "Event"), ("attribute", "Attributes"), ("all", "All")],
    ),
    param("remove_substituted", "Removed substituted tag", "select", "no", &[("no", "No"), ("yes", "Yes")]),
    LOCALITY,
    param("relationship_type", "Relationship Type", "input", "", &[]),
];

/// One that can be narrowed down to some attributes.
const fn on_attributes(
    id: &'static str,
    name: &'static str,
    description: &'static str,
    icon: &'static str,
    params: &'static [Param],
) -> Module {
    Module { id, name, description, icon, filters: true, core_format: true, params, ..PLAIN }
}
