//! `MISP.…`

use super::{Level, Setting, Value, flag, positive, within};

pub(super) const SETTINGS: &[Setting] = &[
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
        name: "MISP.max_correlations_per_event",
        level: Level::Recommended,
        description: "Correlations that are shown with one event. Their number is exact whatever this says.",
        get: |s| Value::Number(s.settings().max_correlations_per_event),
        set: Some(|s, text| positive(text).map(|n| s.max_correlations_per_event = n)),
    },
    Setting {
        name: "MISP.system_setting_db",
        level: Level::Recommended,
        description: "Always on: settings are kept in the database.",
        get: |_| Value::Flag(true),
        set: None,
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
