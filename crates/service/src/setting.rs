//! The settings an administrator changes while it runs, under MISP's names. What is not listed here does not
//! exist: a setting that nothing heeds would be a lie.

use crate::{Error, Result, Service, rules};
use pisax_access::{Actor, SightingPolicy};
use pisax_model::FieldError;
use std::sync::atomic::Ordering;

/// What the settings are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Off: site admins alone get in.
    pub live: bool,
    /// Correlations an event shows; their number is exact whatever this says.
    pub max_correlations_per_event: i64,
    /// Attributes with one value from which it is listed as occurring very often.
    pub correlation_limit: i64,
    /// Unpublished events are for their owner alone.
    pub unpublished_private: bool,
    /// A search with a parameter that means nothing is refused.
    pub refuse_ignored_parameters: bool,
    /// Organisations may ask others to take an event over.
    pub delegation: bool,
    /// Exports for detection leave out what somebody proposes to delete or to take out of detection.
    pub proposals_block: bool,
    pub sighting_policy: SightingPolicy,
    /// Who made a sighting is for his own organisation to know.
    pub anonymous_sightings: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            live: true,
            max_correlations_per_event: 5000,
            correlation_limit: 20,
            unpublished_private: false,
            refuse_ignored_parameters: false,
            delegation: false,
            proposals_block: false,
            sighting_policy: SightingPolicy::default(),
            anonymous_sightings: false,
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
        name: "MISP.correlation_limit",
        level: Level::Recommended,
        description: "From how many occurrences on a value is listed as over-correlating. It correlates all the same.",
        get: |s| Value::Number(s.settings().correlation_limit),
        set: Some(|s, text| positive(text).map(|n| s.correlation_limit = n)),
    },
    Setting {
        name: "MISP.delegation",
        level: Level::Recommended,
        description: "An organisation can ask another one to take an event over, which then stands for it.",
        get: |s| Value::Flag(s.settings().delegation),
        set: Some(|s, text| flag(text).map(|on| s.delegation = on)),
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
        name: "PISAX.refuse_ignored_parameters",
        level: Level::Optional,
        description: "On: a search with a parameter that means nothing is refused. Off, as in MISP, it is ignored and \
                      named in the header X-Pisax-Ignored-Parameters.",
        get: |s| Value::Flag(s.settings().refuse_ignored_parameters),
        set: Some(|s, text| flag(text).map(|on| s.refuse_ignored_parameters = on)),
    },
    Setting {
        name: "Plugin.Sightings_anonymise",
        level: Level::Recommended,
        description: "Sightings of others are shown without the organisation that made them.",
        get: |s| Value::Flag(s.settings().anonymous_sightings),
        set: Some(|s, text| flag(text).map(|on| s.anonymous_sightings = on)),
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

fn flag(text: &str) -> Result<bool, &'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" => Ok(true),
        "" | "0" | "false" => Ok(false),
        _ => Err("Value is not a boolean, make sure that you convert 'true' to true for example."),
    }
}

fn policy(text: &str) -> Result<SightingPolicy, &'static str> {
    let code = if text.trim().is_empty() { Some(0) } else { text.trim().parse().ok() };
    code.and_then(SightingPolicy::from_code).ok_or("The policy is 0, 1, 2 or 3.")
}

fn positive(text: &str) -> Result<i64, &'static str> {
    text.trim().parse().ok().filter(|n| *n >= 0).ok_or("This setting has to be a number.")
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
    service.write(actor, |w| Ok(w.set_setting(name, text.trim())?))?;
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
        assert_eq!(policy("3"), Ok(SightingPolicy::HostOrg));
        assert!(policy("4").is_err() && policy("all").is_err());
    }

    #[test]
    fn names_are_in_order_and_unknown_ones_are_refused() {
        assert!(REGISTRY.is_sorted_by_key(|s| s.name.to_ascii_lowercase()));
        assert!(find("MISP.unheard_of").is_err());
        assert!(find("MISP.live").is_ok());
    }
}
