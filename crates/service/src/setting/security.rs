//! `Security.…`

use super::{Level, Setting, Value, flag};

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "Security.advanced_authkeys",
        level: Level::Recommended,
        description: "Always on: a user may have several API keys, and only a keyed hash of each is kept.",
        get: |_| Value::Flag(true),
        set: None,
    },
    Setting {
        name: "Security.allow_self_registration",
        level: Level::Recommended,
        description: "People without an account may ask for one.",
        get: |s| Value::Flag(s.settings().allow_self_registration),
        set: Some(|s, text| flag(text).map(|on| s.allow_self_registration = on)),
    },
    Setting {
        name: "Security.rest_client_enable_arbitrary_urls",
        level: Level::Critical,
        description: "Workflows may send data to any address, inside the own network too.",
        get: |s| Value::Flag(s.settings().arbitrary_urls),
        set: Some(|s, text| flag(text).map(|on| s.arbitrary_urls = on)),
    },
];
