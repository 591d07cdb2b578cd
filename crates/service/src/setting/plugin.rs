//! `Plugin.…`

use super::{Level, Setting, Value, flag, policy};

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "Plugin.Sightings_anonymise",
        level: Level::Recommended,
        description: "Sightings of others are shown without the organisation that made them.",
        get: |s| Value::Flag(s.settings().anonymous_sightings),
        set: Some(|s, text| flag(text).map(|on| s.anonymous_sightings = on)),
    },
    Setting {
        name: "Plugin.Sightings_enable_realtime_publish",
        level: Level::Recommended,
        description: "New sightings are for other instances to fetch at once, without anybody publishing them.",
        get: |s| Value::Flag(s.settings().publishes_sightings),
        set: Some(|s, text| flag(text).map(|on| s.publishes_sightings = on)),
    },
    Setting {
        name: "Plugin.Sightings_policy",
        level: Level::Recommended,
        description: "Who sees the sightings of others: 0 the event's owner, 1 also who has sighted something in the \
                      event, 2 everybody who sees the event, 3 the owner, and everybody those of the host organisation.",
        get: |s| Value::Number(s.settings().sighting_policy as i64),
        set: Some(|s, text| policy(text).map(|policy| s.sighting_policy = policy)),
    },
];
