//! The settings an administrator changes while it runs, under MISP's names. What is not listed here does not
//! exist: a setting that nothing heeds would be a lie.

use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
use pisax_model::FieldError;
use std::sync::atomic::Ordering;

/// What the settings are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Off: site admins alone get in.
    pub live: bool,
    /// Correlations an event shows; their number is exact whatever this says.
    pub max_correlations_per_event: i64,
    /// Unpublished events are for their owner alone.
    pub unpublished_private: bool,
    /// Strangers may ask for an account.
    pub allow_self_registration: bool,
    pub disable_emailing: bool,
    /// Mails about publications: the title in the subject, the threat level in it.
    pub extended_alert_subject: bool,
    pub threat_level_in_subject: bool,
    /// None about events of an earlier date than so many days ago, where that is on.
    pub block_old_event_alert: bool,
    pub block_old_event_alert_age: i64,
    /// None about what was published less than so many hours ago, where that is on.
    pub republish_ban: bool,
    pub republish_ban_hours: i64,
    /// Every request is noted, for so many days; 0: for good.
    pub log_requests: bool,
    pub access_log_days: i64,
    /// The change log is kept for so many days; 0: for good.
    pub audit_days: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            live: true,
            max_correlations_per_event: 5000,
            unpublished_private: false,
            allow_self_registration: false,
            disable_emailing: false,
            extended_alert_subject: false,
            threat_level_in_subject: true,
            block_old_event_alert: false,
            block_old_event_alert_age: 30,
            republish_ban: false,
            republish_ban_hours: 5,
            log_requests: false,
            access_log_days: 30,
            audit_days: 0,
        }
    }
}

/// A setting's value, in the type clients see it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Flag(bool),
    Number(i64),
    Text(String),
}

impl Value {
    /// Whether a text a client sent means this value.
    fn is(&self, sent: &str) -> bool {
        match self {
            Self::Flag(on) => flag(sent) == Ok(*on),
            Self::Number(number) => sent.trim().parse() == Ok(*number),
            Self::Text(text) => sent.trim() == text,
        }
    }
}

/// How MISP ranks settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Critical = 0,
    Recommended = 1,
    Optional = 2,
}

/// Reads a setting's text into the settings; the error says what would be right.
type Set = fn(&mut Settings, &str) -> Result<(), &'static str>;

/// One setting.
pub struct Setting {
    pub name: &'static str,
    pub level: Level,
    pub description: &'static str,
    get: fn(&Service) -> Value,
    /// `None`: said where PISAX is started.
    set: Option<Set>,
}

impl Setting {
    pub fn value(&self, service: &Service) -> Value {
        (self.get)(service)
    }
}

/// Every setting there is.
pub const REGISTRY: &[Setting] = &[
    Setting {
        name: "MISP.background_jobs",
        level: Level::Critical,
        description: "Always off: publishing and importing are done when the answer comes, nothing waits in a queue.",
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
        name: "MISP.disable_emailing",
        level: Level::Recommended,
        description: "No mail leaves this instance. Its mail server is said at start: smtp_host.",
        get: |s| Value::Flag(s.settings().disable_emailing),
        set: Some(|s, text| flag(text).map(|on| s.disable_emailing = on)),
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
        name: "Security.allow_self_registration",
        level: Level::Recommended,
        description: "People without an account may ask for one.",
        get: |s| Value::Flag(s.settings().allow_self_registration),
        set: Some(|s, text| flag(text).map(|on| s.allow_self_registration = on)),
    },
];

fn flag(text: &str) -> Result<bool, &'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" => Ok(true),
        "" | "0" | "false" => Ok(false),
        _ => Err("Value is not a boolean, make sure that you convert 'true' to true for example."),
    }
}

fn positive(text: &str) -> Result<i64, &'static str> {
    text.trim().parse().ok().filter(|n| *n >= 0).ok_or("This setting has to be a number.")
}

/// Days or hours; more than a lifetime of them is a mistake.
fn span(text: &str) -> Result<i64, &'static str> {
    positive(text).ok().filter(|n| *n <= 36_500).ok_or("This setting has to be a number between 0 and 36500.")
}

/// The setting of this name.
pub fn find(name: &str) -> Result<&'static Setting> {
    REGISTRY.iter().find(|s| s.name == name).ok_or(Error::NotFound("setting"))
}

/// Changes a setting, here and in the database; it holds from the next request on.
pub fn edit(service: &Service, actor: &Actor, name: &str, text: &str) -> Result<()> {
    rules::site_admin(actor)?;
    let setting = find(name)?;
    let Some(set) = setting.set else {
        // Scripts set what is so already.
        let same = setting.value(service).is(text);
        let fixed = || FieldError::new("value", format!("{name} cannot be changed while PISAX runs."));
        return if same { Ok(()) } else { Err(fixed().into()) };
    };
    let mut settings = service.settings();
    set(&mut settings, text).map_err(|message| FieldError::new("value", message))?;
    service.write(actor, |w| Ok(w.edit_setting(name, text.trim(), true)?))?;
    // Two edits at once: the one written last may not be the one applied last, so both read again.
    load(service)
}

/// Milliseconds after which the settings are read again: other processes on the same database change them too.
const FRESH_MS: i64 = 5000;

/// Reads the settings from the database.
pub fn load(service: &Service) -> Result<()> {
    // One after the other: what was read before an edit is not applied after what the edit reads.
    let _reading = service.reading_settings.lock();
    load_held(service)
}

/// Reads them where they are not fresh and nobody is at it. Where that fails they stay as they are for as long.
pub(crate) fn refresh(service: &Service) {
    let now = service.clock.now_ms();
    let fresh = || (0..FRESH_MS).contains(&(now - service.settings_read.load(Ordering::Relaxed)));
    if fresh() {
        return;
    }
    let Some(_reading) = service.reading_settings.try_lock() else { return };
    if fresh() {
        return;
    }
    if let Err(error) = load_held(service) {
        tracing::warn!(%error, "the settings could not be read again");
        service.settings_read.store(now, Ordering::Relaxed);
    }
}

fn load_held(service: &Service) -> Result<()> {
    let stored = service.read(&Actor::system("read the settings"), |r| Ok(r.settings()?))?;
    let mut settings = service.configured;
    for (name, text) in stored {
        let Some(set) = find(&name).ok().and_then(|setting| setting.set) else { continue };
        if let Err(message) = set(&mut settings, &text) {
            tracing::warn!(name, text, message, "a stored setting is not heeded");
        }
    }
    service.apply(settings);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_every_spelling_of_clients() {
        assert_eq!(
            (flag("True"), flag("1"), flag("false"), flag("")),
            (Ok(true), Ok(true), Ok(false), Ok(false))
        );
        assert!(flag("perhaps").is_err());
        assert_eq!(positive("10"), Ok(10));
        assert!(positive("-1").is_err() && positive("many").is_err());
    }

    #[test]
    fn names_are_in_order_and_unknown_ones_are_refused() {
        assert!(REGISTRY.is_sorted_by_key(|s| s.name.to_ascii_lowercase()));
        assert!(find("MISP.delegation").is_err());
        assert!(find("MISP.live").is_ok());
    }
}
