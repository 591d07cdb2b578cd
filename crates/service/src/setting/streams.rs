//! Publishing what changes: over ZeroMQ under MISP's names (`Plugin.ZeroMQ_…`), to NATS and webhooks under our own.

use super::{Level, Setting, Value, flag, within};
use pisax_model::stream::{Kind, Kinds};
use std::net::IpAddr;
use std::sync::Arc;

/// Publishing over ZeroMQ: where, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZeroMq {
    pub enable: bool,
    pub host: IpAddr,
    pub port: u16,
    /// What subscribers have to know (mechanism PLAIN); both empty: nothing.
    pub username: Arc<str>,
    pub password: Arc<str>,
    /// What is published beside published events.
    pub kinds: Kinds,
    pub include_attachments: bool,
}

impl Default for ZeroMq {
    /// MISP's defaults: nothing is published, and if, then published events on this machine alone.
    fn default() -> Self {
        Self {
            enable: false,
            host: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            port: 50_000,
            username: "".into(),
            password: "".into(),
            kinds: Kinds::from_iter([Kind::Publish]),
            include_attachments: false,
        }
    }
}

/// Publishing to a stream of NATS JetStream: where, as whom, and under which subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nats {
    /// Empty: nothing is published.
    pub url: Arc<str>,
    pub username: Arc<str>,
    pub password: Arc<str>,
    pub token: Arc<str>,
    /// File with credentials (JWT and seed), and one with certificates to trust.
    pub credentials_file: Arc<str>,
    pub authority_file: Arc<str>,
    /// Nothing is said before the connection is encrypted.
    pub tls: bool,
    /// What subjects begin with, and the stream that holds them.
    pub prefix: Arc<str>,
    pub stream: Arc<str>,
    pub kinds: Kinds,
}

impl Default for Nats {
    fn default() -> Self {
        Self {
            url: "".into(),
            username: "".into(),
            password: "".into(),
            token: "".into(),
            credentials_file: "".into(),
            authority_file: "".into(),
            tls: false,
            prefix: "pisax".into(),
            stream: "PISAX".into(),
            kinds: Kinds::usual(),
        }
    }
}

/// Calling webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Webhooks {
    /// Attempts after which one is paused.
    pub attempts: i64,
    /// They may be inside the own network.
    pub private_addresses: bool,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { attempts: 20, private_addresses: false }
    }
}

/// A word as NATS has them in subjects and names.
fn token(text: &str, dots: bool) -> Result<Arc<str>, &'static str> {
    let text = text.trim();
    let right = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let parts = if dots { text.split('.').all(right) } else { right(text) };
    if parts && text.len() <= 100 {
        return Ok(text.into());
    }
    Err("This setting has to be a word of letters, digits, - and _.")
}

/// One line; empty is nothing.
fn line(text: &str) -> Result<Arc<str>, &'static str> {
    let text = text.trim();
    let right = text.len() <= 1000 && !text.chars().any(char::is_control);
    if right { Ok(text.into()) } else { Err("This setting has to be one line.") }
}

/// A user or password of ZeroMQ: its length is one byte.
fn short(text: &str) -> Result<Arc<str>, &'static str> {
    line(text)
        .and_then(|t| if t.len() < 256 { Ok(t) } else { Err("This setting is at most 255 bytes long.") })
}

fn address(text: &str) -> Result<Arc<str>, &'static str> {
    let text = text.trim();
    let known = ["nats://", "tls://"].iter().any(|scheme| text.starts_with(scheme));
    if !(text.is_empty() || known) {
        return Err("This setting has to begin with nats:// or tls://.");
    }
    line(text)
}

fn kinds(text: &str) -> Result<Kinds, &'static str> {
    Kinds::read(text.split(',')).map_err(|_| {
        "This setting has to be some of event.publish, event, attribute, object, object_reference, sighting, tag, \
         organisation, user, warninglist, audit."
    })
}

fn names(kinds: Kinds) -> Value {
    let names: Vec<&str> = Kind::all().filter(|kind| kinds.has(*kind)).map(Kind::name).collect();
    Value::Text(names.join(", "))
}

/// A secret is shown to nobody; whether there is one may be known.
fn hidden(secret: &str) -> Value {
    Value::Text(if secret.is_empty() { String::new() } else { "*****".into() })
}

fn shown(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "PISAX.nats_authority_file",
        level: Level::Optional,
        description: "File with the certificates (PEM) that a NATS server's is signed with; empty: those that this \
                      machine trusts.",
        get: |s| shown(&s.settings().nats.authority_file),
        set: Some(|s, text| line(text).map(|t| s.nats.authority_file = t)),
    },
    Setting {
        name: "PISAX.nats_credentials_file",
        level: Level::Optional,
        description: "File with the credentials for NATS: JWT and seed, as its tools write them.",
        get: |s| shown(&s.settings().nats.credentials_file),
        set: Some(|s, text| line(text).map(|t| s.nats.credentials_file = t)),
    },
    Setting {
        name: "PISAX.nats_kinds",
        level: Level::Optional,
        description: "Kinds of changes that are published to NATS, between commas; empty: all but the audit log.",
        get: |s| names(s.settings().nats.kinds),
        set: Some(|s, text| kinds(text).map(|kinds| s.nats.kinds = kinds)),
    },
    Setting {
        name: "PISAX.nats_password",
        level: Level::Optional,
        description: "The password of the user for NATS.",
        get: |s| hidden(&s.settings().nats.password),
        set: Some(|s, text| line(text).map(|t| s.nats.password = t)),
    },
    Setting {
        name: "PISAX.nats_prefix",
        level: Level::Optional,
        description: "What the subjects of NATS begin with.",
        get: |s| shown(&s.settings().nats.prefix),
        set: Some(|s, text| token(text, true).map(|t| s.nats.prefix = t)),
    },
    Setting {
        name: "PISAX.nats_stream",
        level: Level::Optional,
        description: "The JetStream stream that holds the subjects; made when it is not there.",
        get: |s| shown(&s.settings().nats.stream),
        set: Some(|s, text| token(text, false).map(|t| s.nats.stream = t)),
    },
    Setting {
        name: "PISAX.nats_tls",
        level: Level::Optional,
        description: "Nothing is said to NATS before the connection is encrypted.",
        get: |s| Value::Flag(s.settings().nats.tls),
        set: Some(|s, text| flag(text).map(|on| s.nats.tls = on)),
    },
    Setting {
        name: "PISAX.nats_token",
        level: Level::Optional,
        description: "The token for NATS, where it asks for one.",
        get: |s| hidden(&s.settings().nats.token),
        set: Some(|s, text| line(text).map(|t| s.nats.token = t)),
    },
    Setting {
        name: "PISAX.nats_url",
        level: Level::Optional,
        description: "The NATS server (nats:// or tls://) that what changes is published to; empty: none.",
        get: |s| shown(&s.settings().nats.url),
        set: Some(|s, text| address(text).map(|t| s.nats.url = t)),
    },
    Setting {
        name: "PISAX.nats_username",
        level: Level::Optional,
        description: "The user for NATS, where it asks for one.",
        get: |s| shown(&s.settings().nats.username),
        set: Some(|s, text| line(text).map(|t| s.nats.username = t)),
    },
    Setting {
        name: "PISAX.webhook_attempts",
        level: Level::Optional,
        description: "Attempts in a row after which a webhook is paused.",
        get: |s| Value::Number(s.settings().webhooks.attempts),
        set: Some(|s, text| {
            let attempts = within(text, 1..=1000, "This setting has to be a number between 1 and 1000.")?;
            s.webhooks.attempts = attempts;
            Ok(())
        }),
    },
    Setting {
        name: "PISAX.webhook_private_addresses",
        level: Level::Critical,
        description: "Webhooks may be addresses of this machine and inside the own network.",
        get: |s| Value::Flag(s.settings().webhooks.private_addresses),
        set: Some(|s, text| flag(text).map(|on| s.webhooks.private_addresses = on)),
    },
];

/// A kind that is published over ZeroMQ.
macro_rules! notified {
    ($name:literal, $kind:expr, $description:literal) => {
        Setting {
            name: concat!("Plugin.ZeroMQ_", $name, "_notifications_enable"),
            level: Level::Optional,
            description: $description,
            get: |s| Value::Flag(s.settings().zeromq.kinds.has($kind)),
            set: Some(|s, text| flag(text).map(|on| s.zeromq.kinds.set($kind, on))),
        }
    };
}

pub(super) const ZEROMQ: &[Setting] = &[
    notified!(
        "attribute",
        Kind::Attribute,
        "Attributes that are added, changed or deleted are published over ZeroMQ."
    ),
    notified!("audit", Kind::Audit, "The audit log is published over ZeroMQ."),
    Setting {
        name: "Plugin.ZeroMQ_enable",
        level: Level::Optional,
        description: "Published events, and what the other settings say, are published over ZeroMQ.",
        get: |s| Value::Flag(s.settings().zeromq.enable),
        set: Some(|s, text| flag(text).map(|on| s.zeromq.enable = on)),
    },
    notified!("event", Kind::Event, "Events that are added, changed or deleted are published over ZeroMQ."),
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
    notified!(
        "object",
        Kind::Object,
        "Objects that are added, changed or deleted are published over ZeroMQ."
    ),
    notified!("object_reference", Kind::Reference, "References of objects are published over ZeroMQ."),
    notified!(
        "organisation",
        Kind::Organisation,
        "Organisations that are added, changed or deleted are published over ZeroMQ."
    ),
    Setting {
        name: "Plugin.ZeroMQ_password",
        level: Level::Optional,
        description: "The password that ZeroMQ subscribers have to know, with the user name; it goes unencrypted.",
        get: |s| hidden(&s.settings().zeromq.password),
        set: Some(|s, text| short(text).map(|t| s.zeromq.password = t)),
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
    notified!("sighting", Kind::Sighting, "Sightings that are added or deleted are published over ZeroMQ."),
    notified!("tag", Kind::Tag, "Tags that are attached or detached are published over ZeroMQ."),
    notified!("user", Kind::User, "Users that are added, changed or deleted are published over ZeroMQ."),
    Setting {
        name: "Plugin.ZeroMQ_username",
        level: Level::Optional,
        description: "The user name that ZeroMQ subscribers have to know; empty, with the password: they need none.",
        get: |s| shown(&s.settings().zeromq.username),
        set: Some(|s, text| short(text).map(|t| s.zeromq.username = t)),
    },
    notified!(
        "warninglist",
        Kind::Warninglist,
        "Warninglists that are added, changed or deleted are published over ZeroMQ."
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        assert_eq!(hidden("secret"), Value::Text("*****".into()));
        let all = SETTINGS.iter().chain(ZEROMQ);
        let secret = all.filter(|s| super::super::is_secret(s.name)).map(|s| s.name);
        assert_eq!(
            secret.collect::<Vec<_>>(),
            ["PISAX.nats_password", "PISAX.nats_token", "Plugin.ZeroMQ_password"]
        );
    }

    #[test]
    fn what_nats_would_refuse_is_refused() {
        assert_eq!(token("ixp.pisax", true).as_deref(), Ok("ixp.pisax"));
        for bad in ["", "a.b", "*", "a b", ">"] {
            assert!(token(bad, false).is_err(), "{bad}");
        }
        assert!(address("http://x").is_err() && address("tls://x:4222").is_ok() && address("").is_ok());
        assert!(kinds("event,nothing").is_err());
    }
}
