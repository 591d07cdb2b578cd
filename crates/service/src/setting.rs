//! The settings an administrator changes while it runs, under MISP's names. What is not listed here does not
//! exist: a setting that nothing heeds would be a lie.

mod gnupg;
mod misp;
mod pisax;
mod plugin;
mod security;
pub mod streams;
mod workflow;

use crate::{Error, Result, Service, enrichment, rules};
use pisax_access::{Actor, SightingPolicy};
use pisax_model::workflow::module::Switched;
use pisax_model::{Distribution, FieldError};
use std::sync::atomic::Ordering;

pub use gnupg::Encryption;
pub use streams::{Nats, Webhooks, ZeroMq};

/// What the settings are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Off: site admins alone get in.
    pub live: bool,
    /// Correlations an event shows; their number is exact whatever this says.
    pub max_correlations_per_event: i64,
    /// Attributes with one value from which it is listed as occurring very often.
    pub correlation_limit: i64,
    /// Whether changes travel between two PISAX as they happen.
    pub native_sync: bool,
    /// Minutes between pulls from each server; 0: none by themselves.
    pub pull_minutes: i64,
    /// Minutes between looks at each enabled feed, and between publications of feeds that changed; 0: none by
    /// themselves.
    pub feed_minutes: i64,
    pub publish_feed_minutes: i64,
    /// Unpublished events are for their owner alone.
    pub unpublished_private: bool,
    /// A search with a parameter that means nothing is refused.
    pub refuse_ignored_parameters: bool,
    /// Organisations may ask others to take an event over.
    pub delegation: bool,
    /// Who changes an event may take it, or what is in it, out of correlation by a switch.
    pub disabling_correlation: bool,
    /// Exports for detection leave out what somebody proposes to delete or to take out of detection.
    pub proposals_block: bool,
    pub sighting_policy: SightingPolicy,
    /// Who made a sighting is for his own organisation to know.
    pub anonymous_sightings: bool,
    /// What an event gets that comes without.
    pub default_event_distribution: i64,
    pub default_event_threat_level: i64,
    /// Deleting an event keeps it from coming again, and events on the list are refused.
    pub event_blocklist: bool,
    /// Events of organisations on the list are refused.
    pub org_blocklist: bool,
    pub zeromq: ZeroMq,
    pub nats: Nats,
    pub webhooks: Webhooks,
    /// Strangers may ask for an account.
    pub allow_self_registration: bool,
    pub disable_emailing: bool,
    /// Mails about publications: the title in the subject, the threat level in it.
    pub extended_alert_subject: bool,
    pub threat_level_in_subject: bool,
    /// The tag in a subject, and what stands there without one.
    pub subject_tag: String,
    pub subject_without_tag: String,
    /// The whole tag, not only what comes after `subject_tag`.
    pub subject_tag_named: bool,
    /// Nothing of what is in the event.
    pub alert_without_content: bool,
    /// None about events with this tag, where that is on.
    pub block_event_alert: bool,
    pub block_event_alert_tag: String,
    /// None about events last changed, or dated, so many days ago, where that is on; 0: whenever that was.
    pub block_old_event_alert: bool,
    pub block_old_event_alert_age: i64,
    pub block_old_event_alert_by_date: i64,
    /// None about what was told less than so many minutes ago, where that is on; each try may begin them anew.
    pub republish_ban: bool,
    pub republish_ban_minutes: i64,
    pub republish_ban_renewed: bool,
    pub encryption: Encryption,
    /// Every request is noted, for so many days; 0: for good.
    pub log_requests: bool,
    pub access_log_days: i64,
    /// The change log is kept for so many days; 0: for good.
    pub audit_days: i64,
    /// Questions to reporters that one user may send within an hour; 0: any number.
    pub contact_per_hour: i64,
    /// Other instances get new sightings without somebody publishing them.
    pub publishes_sightings: bool,
    /// Pages that users name may be inside of one's own network.
    pub fetch_private_addresses: bool,
    /// Who imports an export of MISP may make its events his organisation's.
    pub take_ownership_on_import: bool,
    /// Workflows run, and these of their modules.
    pub workflows: bool,
    pub workflow_modules: Switched,
    /// Workflows may call any address.
    pub arbitrary_urls: bool,
}

impl Settings {
    /// Whether a workflow may begin with this.
    pub fn begins_with(&self, trigger: &str) -> bool {
        self.workflows && self.workflow_modules.has(trigger)
    }

    /// Whether one may begin after something was saved.
    pub fn follows_changes(&self) -> bool {
        self.workflows && self.workflow_modules.follows()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            live: true,
            max_correlations_per_event: 5000,
            correlation_limit: 20,
            native_sync: true,
            pull_minutes: 60,
            feed_minutes: 1440,
            publish_feed_minutes: 5,
            unpublished_private: false,
            refuse_ignored_parameters: false,
            delegation: false,
            disabling_correlation: false,
            proposals_block: false,
            sighting_policy: SightingPolicy::default(),
            anonymous_sightings: false,
            default_event_distribution: Distribution::Community.code(),
            default_event_threat_level: 4,
            event_blocklist: true,
            org_blocklist: true,
            zeromq: ZeroMq::default(),
            nats: Nats::default(),
            webhooks: Webhooks::default(),
            allow_self_registration: false,
            disable_emailing: false,
            extended_alert_subject: false,
            threat_level_in_subject: true,
            subject_tag: "tlp".into(),
            subject_without_tag: "tlp:amber".into(),
            subject_tag_named: true,
            alert_without_content: false,
            block_event_alert: false,
            block_event_alert_tag: "no-alerts=\"true\"".into(),
            block_old_event_alert: false,
            block_old_event_alert_age: 30,
            block_old_event_alert_by_date: 0,
            republish_ban: false,
            republish_ban_minutes: 5,
            republish_ban_renewed: false,
            encryption: Encryption::default(),
            log_requests: false,
            access_log_days: 30,
            audit_days: 0,
            contact_per_hour: 20,
            publishes_sightings: false,
            fetch_private_addresses: false,
            take_ownership_on_import: false,
            workflows: false,
            workflow_modules: Switched::preset(),
            arbitrary_urls: false,
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

    /// Whether it can be changed while PISAX runs.
    pub fn is_fixed(&self) -> bool {
        self.set.is_none()
    }

    /// MISP's tab: what stands before the point, but for one.
    pub fn tab(&self) -> &'static str {
        match self.name.split_once('.') {
            Some(("GnuPG", _)) => "Encryption",
            Some((tab, _)) => tab,
            None => "MISP",
        }
    }

    /// The plugin a setting belongs to (`Plugin.ZeroMQ_enable`: `ZeroMQ`), `general` elsewhere.
    pub fn sub_group(&self) -> &'static str {
        let plugin = self.name.strip_prefix("Plugin.").and_then(|rest| rest.split_once('_'));
        plugin.map_or("general", |(group, _)| group)
    }
}

/// Every setting there is, by area: one list each below `setting/`, in the order of names.
const AREAS: &[&[Setting]] = &[
    gnupg::SETTINGS,
    misp::SETTINGS,
    pisax::SETTINGS,
    streams::SETTINGS,
    plugin::SETTINGS,
    streams::ZEROMQ,
    workflow::SETTINGS,
    security::SETTINGS,
];

pub fn all() -> impl Iterator<Item = &'static Setting> + Clone {
    AREAS.iter().flat_map(|area| area.iter())
}

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

/// A number among those of `range`.
fn within(
    text: &str,
    range: std::ops::RangeInclusive<i64>,
    otherwise: &'static str,
) -> Result<i64, &'static str> {
    text.trim().parse().ok().filter(|n| range.contains(n)).ok_or(otherwise)
}

fn positive(text: &str) -> Result<i64, &'static str> {
    text.trim().parse().ok().filter(|n| *n >= 0).ok_or("This setting has to be a number.")
}

/// Days or hours; more than a lifetime of them is a mistake.
fn span(text: &str) -> Result<i64, &'static str> {
    positive(text).ok().filter(|n| *n <= 36_500).ok_or("This setting has to be a number between 0 and 36500.")
}

/// A word or two for a mail's subject, or a tag.
fn words(text: &str, preset: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Ok(preset.to_owned()),
        long if long.len() > 255 || long.chars().any(char::is_control) => {
            Err("This setting has at most 255 bytes and no line breaks.")
        }
        text => Ok(text.to_owned()),
    }
}

/// Whether a setting's value is shown to nobody.
fn is_secret(name: &str) -> bool {
    ["_password", "_token"].iter().any(|end| name.ends_with(end))
}

/// The setting of this name.
pub fn find(name: &str) -> Result<&'static Setting> {
    all().find(|s| s.name == name).ok_or(Error::NotFound("setting"))
}

/// Changes a setting, here and in the database; it holds from the next request on.
pub fn edit(service: &Service, actor: &Actor, name: &str, text: &str) -> Result<()> {
    rules::site_admin(actor)?;
    if let Some(name) = name.strip_prefix(enrichment::setting::PREFIX) {
        return enrichment::setting::edit(service, actor, name, text);
    }
    let setting = find(name)?;
    let Some(set) = setting.set else {
        // Scripts set what is so already.
        let same = setting.value(service).is(text);
        let fixed = || FieldError::new("value", format!("{name} cannot be changed while PISAX runs."));
        return if same { Ok(()) } else { Err(fixed().into()) };
    };
    let mut settings = service.settings();
    set(&mut settings, text).map_err(|message| FieldError::new("value", message))?;
    let begins = settings.follows_changes() && !service.settings().follows_changes();
    service.write(actor, |w| {
        w.edit_setting(name, text.trim(), !is_secret(name))?;
        if begins {
            // What was before is no matter of workflows.
            w.begin_workflow_cursor()?;
        }
        Ok(())
    })?;
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
    let mut settings = service.configured.clone();
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
        for area in AREAS {
            assert!(area.is_sorted_by_key(|s| s.name.to_ascii_lowercase()));
            assert!(area.iter().all(|s| s.tab() == area[0].tab()), "one tab is one area");
        }
        assert_eq!(find("Plugin.ZeroMQ_enable").map(Setting::sub_group).ok(), Some("ZeroMQ"));
        assert!(find("MISP.unheard_of").is_err());
        assert!(find("MISP.live").is_ok());
    }
}
