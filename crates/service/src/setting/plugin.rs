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
    Setting {
        name: "Plugin.ZeroMQ_attribute_notifications_enable",
        level: Level::Optional,
        description: "Attributes that are added, changed or deleted are published over ZeroMQ.",
        get: |s| Value::Flag(s.settings().zeromq.attribute),
        set: Some(|s, text| flag(text).map(|on| s.zeromq.attribute = on)),
    },
    Setting {
        name: "Plugin.ZeroMQ_enable",
        level: Level::Optional,
        description: "Published events, and what the other settings say, are published over ZeroMQ.",
        get: |s| Value::Flag(s.settings().zeromq.enable),
        set: Some(|s, text| flag(text).map(|on| s.zeromq.enable = on)),
    },
    Setting {
        name: "Plugin.ZeroMQ_event_notifications_enable",
        level: Level::Optional,
        description: "Events that are added, changed or deleted are published over ZeroMQ.",
        get: |s| Value::Flag(s.settings().zeromq.event),
        set: Some(|s, text| flag(text).map(|on| s.zeromq.event = on)),
    },
    Setting {
        name: "Plugin.ZeroMQ_host",
        level: Level::Optional,
        description: "The address of this machine that ZeroMQ subscribers connect to. Whoever reaches it reads \
                      everything that is published.",
        get: |s| Value::Text(s.settings().zeromq.host.to_string()),
        set: Some(|s, text| {
            let host = text.trim().parse().map_err(|_| "This setting has to be an IP address.")?;
            s.zeromq.host = host;
            Ok(())
        }),
    },
    Setting {
        name: "Plugin.ZeroMQ_include_attachments",
        level: Level::Optional,
        description: "Published events carry their attachments.",
        get: |s| Value::Flag(s.settings().zeromq.include_attachments),
        set: Some(|s, text| flag(text).map(|on| s.zeromq.include_attachments = on)),
    },
    Setting {
        name: "Plugin.ZeroMQ_object_notifications_enable",
        level: Level::Optional,
        description: "Objects that are added, changed or deleted are published over ZeroMQ.",
        get: |s| Value::Flag(s.settings().zeromq.object),
        set: Some(|s, text| flag(text).map(|on| s.zeromq.object = on)),
    },
    Setting {
        name: "Plugin.ZeroMQ_organisation_notifications_enable",
        level: Level::Optional,
        description: "Organisations that are added, changed or deleted are published over ZeroMQ.",
        get: |s| Value::Flag(s.settings().zeromq.organisation),
        set: Some(|s, text| flag(text).map(|on| s.zeromq.organisation = on)),
    },
    Setting {
        name: "Plugin.ZeroMQ_port",
        level: Level::Optional,
        description: "The port that ZeroMQ subscribers connect to.",
        get: |s| Value::Number(s.settings().zeromq.port.into()),
        set: Some(|s, text| {
            let port = text.trim().parse().ok().filter(|port| *port != 0);
            s.zeromq.port = port.ok_or("This setting has to be a port between 1 and 65535.")?;
            Ok(())
        }),
    },
    Setting {
        name: "Plugin.ZeroMQ_sighting_notifications_enable",
        level: Level::Optional,
        description: "Sightings that are added or deleted are published over ZeroMQ.",
        get: |s| Value::Flag(s.settings().zeromq.sighting),
        set: Some(|s, text| flag(text).map(|on| s.zeromq.sighting = on)),
    },
    Setting {
        name: "Plugin.ZeroMQ_tag_notifications_enable",
        level: Level::Optional,
        description: "Tags that are attached or detached are published over ZeroMQ.",
        get: |s| Value::Flag(s.settings().zeromq.tag),
        set: Some(|s, text| flag(text).map(|on| s.zeromq.tag = on)),
    },
];
