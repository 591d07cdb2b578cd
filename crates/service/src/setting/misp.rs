//! `MISP.…`

use super::{Level, Setting, Value, flag, positive, span, within};

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "MISP.allow_disabling_correlation",
        level: Level::Optional,
        description: "Who changes an event may switch its correlation off, or that of one attribute. \
                      Site admins always may.",
        get: |s| Value::Flag(s.settings().disabling_correlation),
        set: Some(|s, text| flag(text).map(|on| s.disabling_correlation = on)),
    },
    Setting {
        name: "MISP.background_jobs",
        level: Level::Critical,
        description: "Always off: publishing and importing are done when the answer comes.",
        get: |_| Value::Flag(false),
        set: None,
    },
    Setting {
        name: "MISP.baseurl",
        level: Level::Critical,
        description: "The address clients reach this instance at. Said at start: base_url.",
        get: |s| Value::Text(s.policy.base_url.clone()),
        set: None,
    },
    Setting {
        name: "MISP.block_old_event_alert",
        level: Level::Optional,
        description: "No mails about the publication of events that are older than MISP.block_old_event_alert_age.",
        get: |s| Value::Flag(s.settings().block_old_event_alert),
        set: Some(|s, text| flag(text).map(|on| s.block_old_event_alert = on)),
    },
    Setting {
        name: "MISP.block_old_event_alert_age",
        level: Level::Optional,
        description: "Days after its date from which on an event is old.",
        get: |s| Value::Number(s.settings().block_old_event_alert_age),
        set: Some(|s, text| span(text).map(|n| s.block_old_event_alert_age = n)),
    },
    Setting {
        name: "MISP.correlation_limit",
        level: Level::Recommended,
        description: "From how many occurrences on a value is listed as over-correlating. It correlates all the same.",
        get: |s| Value::Number(s.settings().correlation_limit),
        set: Some(|s, text| positive(text).map(|n| s.correlation_limit = n)),
    },
    Setting {
        name: "MISP.default_event_distribution",
        level: Level::Recommended,
        description: "How far an event travels that comes without a distribution: 0 its organisation, \
                      1 this community, 2 connected communities, 3 all.",
        get: |s| Value::Number(s.settings().default_event_distribution),
        set: Some(|s, text| {
            within(text, 0..=3, "Options: 0, 1, 2, 3").map(|n| s.default_event_distribution = n)
        }),
    },
    Setting {
        name: "MISP.default_event_threat_level",
        level: Level::Optional,
        description: "The threat level of an event that comes without: 1 high, 2 medium, 3 low, 4 undefined.",
        get: |s| Value::Number(s.settings().default_event_threat_level),
        set: Some(|s, text| {
            within(text, 1..=4, "Options: 1, 2, 3, 4").map(|n| s.default_event_threat_level = n)
        }),
    },
    Setting {
        name: "MISP.delegation",
        level: Level::Recommended,
        description: "An organisation can ask another one to take an event over, which then stands for it.",
        get: |s| Value::Flag(s.settings().delegation),
        set: Some(|s, text| flag(text).map(|on| s.delegation = on)),
    },
    Setting {
        name: "MISP.disable_emailing",
        level: Level::Recommended,
        description: "No mail leaves this instance. Its mail server is said at start: smtp_host.",
        get: |s| Value::Flag(s.settings().disable_emailing),
        set: Some(|s, text| flag(text).map(|on| s.disable_emailing = on)),
    },
    Setting {
        name: "MISP.enable_advanced_correlations",
        level: Level::Optional,
        description: "Always on: addresses correlate with the networks that contain them.",
        get: |_| Value::Flag(true),
        set: None,
    },
    Setting {
        name: "MISP.enableEventBlocklisting",
        level: Level::Recommended,
        description: "A deleted event does not come again, and events on the blocklist are refused.",
        get: |s| Value::Flag(s.settings().event_blocklist),
        set: Some(|s, text| flag(text).map(|on| s.event_blocklist = on)),
    },
    Setting {
        name: "MISP.enableOrgBlocklisting",
        level: Level::Recommended,
        description: "Events of organisations on the blocklist are refused.",
        get: |s| Value::Flag(s.settings().org_blocklist),
        set: Some(|s, text| flag(text).map(|on| s.org_blocklist = on)),
    },
    Setting {
        name: "MISP.event_alert_republish_ban",
        level: Level::Optional,
        description: "No mails about the publication of an event that was published a short while before.",
        get: |s| Value::Flag(s.settings().republish_ban),
        set: Some(|s, text| flag(text).map(|on| s.republish_ban = on)),
    },
    Setting {
        name: "MISP.event_alert_republish_ban_threshold",
        level: Level::Optional,
        description: "How many hours that short while has.",
        get: |s| Value::Number(s.settings().republish_ban_hours),
        set: Some(|s, text| span(text).map(|n| s.republish_ban_hours = n)),
    },
    Setting {
        name: "MISP.extended_alert_subject",
        level: Level::Optional,
        description: "Mails about publications have the title of the event in their subject, where anybody on the way can read it.",
        get: |s| Value::Flag(s.settings().extended_alert_subject),
        set: Some(|s, text| flag(text).map(|on| s.extended_alert_subject = on)),
    },
    Setting {
        name: crate::setup::HOST_ORG,
        level: Level::Critical,
        description: "The organisation that runs this instance. Chosen at the first start.",
        get: |s| Value::Number(s.policy.host_org_id),
        set: None,
    },
    Setting {
        name: "MISP.live",
        level: Level::Critical,
        description: "Off: site admins alone can use this instance.",
        get: |s| Value::Flag(s.settings().live),
        set: Some(|s, text| flag(text).map(|on| s.live = on)),
    },
    Setting {
        name: "MISP.log_new_audit",
        level: Level::Recommended,
        description: "Always on: every change is in the audit log.",
        get: |_| Value::Flag(true),
        set: None,
    },
    Setting {
        name: "MISP.log_paranoid",
        level: Level::Optional,
        description: "Note every request in the access log: who, from where, which path, with what answer; never a body or a key.",
        get: |s| Value::Flag(s.settings().log_requests),
        set: Some(|s, text| flag(text).map(|on| s.log_requests = on)),
    },
    Setting {
        name: "MISP.max_correlations_per_event",
        level: Level::Recommended,
        description: "Correlations that are shown with one event. Their number is exact whatever this says.",
        get: |s| Value::Number(s.settings().max_correlations_per_event),
        set: Some(|s, text| positive(text).map(|n| s.max_correlations_per_event = n)),
    },
    Setting {
        name: "MISP.proposals_block_attributes",
        level: Level::Critical,
        description: "Searches that ask for it, and exports for detection, leave out attributes that somebody proposes \
                      to delete or to take out of detection.",
        get: |s| Value::Flag(s.settings().proposals_block),
        set: Some(|s, text| flag(text).map(|on| s.proposals_block = on)),
    },
    Setting {
        name: "MISP.system_setting_db",
        level: Level::Recommended,
        description: "Always on: settings are kept in the database.",
        get: |_| Value::Flag(true),
        set: None,
    },
    Setting {
        name: "MISP.take_ownership_xml_import",
        level: Level::Optional,
        description: "Who imports a file that MISP exported may make its events his organisation's (takeownership).",
        get: |s| Value::Flag(s.settings().take_ownership_on_import),
        set: Some(|s, text| flag(text).map(|on| s.take_ownership_on_import = on)),
    },
    Setting {
        name: "MISP.threatlevel_in_email_subject",
        level: Level::Optional,
        description: "Mails about publications have the threat level of the event in their subject.",
        get: |s| Value::Flag(s.settings().threat_level_in_subject),
        set: Some(|s, text| flag(text).map(|on| s.threat_level_in_subject = on)),
    },
    Setting {
        name: "MISP.unpublishedprivate",
        level: Level::Recommended,
        description: "Unpublished events are visible to their own organisation alone.",
        get: |s| Value::Flag(s.settings().unpublished_private),
        set: Some(|s, text| flag(text).map(|on| s.unpublished_private = on)),
    },
    Setting {
        name: crate::setup::INSTANCE_UUID,
        level: Level::Critical,
        description: "The uuid of this instance. Chosen at the first start.",
        get: |s| Value::Text(s.policy.instance_uuid.to_string()),
        set: None,
    },
];
