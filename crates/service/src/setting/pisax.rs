//! `PISAX.…`: what MISP does not have.

use super::{Level, Setting, Value, flag, span};

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "PISAX.access_log_days",
        level: Level::Optional,
        description: "Days for which the access log is kept; 0: for good.",
        get: |s| Value::Number(s.settings().access_log_days),
        set: Some(|s, text| span(text).map(|n| s.access_log_days = n)),
    },
    Setting {
        name: "PISAX.audit_days",
        level: Level::Recommended,
        description: "Days for which the audit log is kept; 0: for good. What is removed is noted in it.",
        get: |s| Value::Number(s.settings().audit_days),
        set: Some(|s, text| span(text).map(|n| s.audit_days = n)),
    },
    Setting {
        name: "PISAX.contact_per_hour",
        level: Level::Optional,
        description: "Questions to reporters (events/contact) that one user may send within an hour; 0: as many as \
                  he likes. A restart forgets what was counted.",
        get: |s| Value::Number(s.settings().contact_per_hour),
        set: Some(|s, text| span(text).map(|n| s.contact_per_hour = n)),
    },
    Setting {
        name: "PISAX.feed_minutes",
        level: Level::Recommended,
        description: "Minutes between looks at each enabled feed; 0: only when somebody asks.",
        get: |s| Value::Number(s.settings().feed_minutes),
        set: Some(|s, text| span(text).map(|n| s.feed_minutes = n)),
    },
    Setting {
        name: "PISAX.fetch_private_addresses",
        level: Level::Critical,
        description: "On: what is fetched because somebody named its address may be inside of one's own network, so that \
                  others reach through this machine what it reaches.",
        get: |s| Value::Flag(s.settings().fetch_private_addresses),
        set: Some(|s, text| flag(text).map(|on| s.fetch_private_addresses = on)),
    },
    Setting {
        name: "PISAX.native_sync",
        level: Level::Optional,
        description: "Between two PISAX, changes travel as they happen. Off: by MISP's protocol alone, as with a MISP.",
        get: |s| Value::Flag(s.settings().native_sync),
        set: Some(|s, text| flag(text).map(|on| s.native_sync = on)),
    },
    Setting {
        name: "PISAX.publish_feed_minutes",
        level: Level::Optional,
        description: "Minutes between publications of the feeds that are published from here, where something changed; \
                  0: only when somebody asks.",
        get: |s| Value::Number(s.settings().publish_feed_minutes),
        set: Some(|s, text| span(text).map(|n| s.publish_feed_minutes = n)),
    },
    Setting {
        name: "PISAX.pull_minutes",
        level: Level::Recommended,
        description: "Minutes between pulls from each server that is pulled from; 0: only when somebody asks.",
        get: |s| Value::Number(s.settings().pull_minutes),
        set: Some(|s, text| span(text).map(|n| s.pull_minutes = n)),
    },
    Setting {
        name: "PISAX.refuse_ignored_parameters",
        level: Level::Optional,
        description: "On: a search with a parameter that means nothing is refused. Off, as in MISP, it is ignored and \
                  named in the header X-Pisax-Ignored-Parameters.",
        get: |s| Value::Flag(s.settings().refuse_ignored_parameters),
        set: Some(|s, text| flag(text).map(|on| s.refuse_ignored_parameters = on)),
    },
];
