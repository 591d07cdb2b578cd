//! `Plugin.Enrichment_…`: where the modules are, and which may be asked by whom. Modules come and go, so the
//! names of their settings are no fixed list.

use crate::setting::Value;
use crate::{Error, Result, Service, rules};
use pisax_access::{Actor, Permission};
use pisax_model::FieldError;
use pisax_modules::{Module, Server};
use rustc_hash::FxHashMap;
use std::time::Duration;

pub const PREFIX: &str = "Plugin.Enrichment_";

/// The longest name and value of a module's setting.
const MAX_NAME: usize = 128;
const MAX_VALUE: usize = 16 * 1024;
/// The longest a module may take, in seconds.
const MAX_TIMEOUT: i64 = 300;

/// One of the settings that are always there.
pub struct Known {
    /// Behind [`PREFIX`].
    pub name: &'static str,
    pub description: &'static str,
    preset: Preset,
}

#[derive(Clone, Copy)]
enum Preset {
    Flag(bool),
    Seconds(i64),
    Port(i64),
    Url(&'static str),
}

pub const KNOWN: &[Known] = &[
    Known {
        name: "hover_timeout",
        description: "Seconds a module may take that answers while somebody looks.",
        preset: Preset::Seconds(5),
    },
    Known {
        name: "services_enable",
        description: "Enrichment modules can be asked.",
        preset: Preset::Flag(false),
    },
    Known {
        name: "services_port",
        description: "The port of the module server.",
        preset: Preset::Port(6666),
    },
    Known {
        name: "services_url",
        description: "The address of the module server, without its port.",
        preset: Preset::Url("http://127.0.0.1"),
    },
    Known { name: "timeout", description: "Seconds a module may take.", preset: Preset::Seconds(10) },
];

/// What is set, read once for each use: another process may have changed it.
pub struct Plugin(FxHashMap<String, String>);

impl Plugin {
    pub fn load(service: &Service) -> Result<Self> {
        let actor = Actor::system("read the settings of enrichment");
        let stored = service.read(&actor, |r| Ok(r.settings()?))?;
        let own = |(name, value): (String, String)| Some((name.strip_prefix(PREFIX)?.to_owned(), value));
        Ok(Self(stored.into_iter().filter_map(own).collect()))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a setting that is always there.
    pub fn value(&self, known: &Known) -> Value {
        let stored = self.text(known.name);
        let number = |preset| Value::Number(stored.and_then(|v| v.parse().ok()).unwrap_or(preset));
        match known.preset {
            Preset::Flag(preset) => Value::Flag(stored.map_or(preset, is_on)),
            Preset::Seconds(preset) | Preset::Port(preset) => number(preset),
            Preset::Url(preset) => Value::Text(stored.unwrap_or(preset).to_owned()),
        }
    }

    fn known(&self, name: &str) -> Option<Value> {
        KNOWN.iter().find(|known| known.name == name).map(|known| self.value(known))
    }

    /// Where modules are asked; `None`: nowhere.
    pub(crate) fn server(&self, service: &Service) -> Option<Server> {
        match (self.known("services_enable"), self.known("services_url"), self.known("services_port")) {
            (Some(Value::Flag(true)), Some(Value::Text(url)), Some(Value::Number(port))) => {
                Some(Server::new(service.http.clone(), &format!("{}:{port}", url.trim_end_matches('/'))))
            }
            _ => None,
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.seconds("timeout")
    }

    pub(crate) fn hover_timeout(&self) -> Duration {
        self.seconds("hover_timeout")
    }

    fn seconds(&self, name: &str) -> Duration {
        match self.known(name) {
            Some(Value::Number(seconds)) => Duration::from_secs(seconds.clamp(1, MAX_TIMEOUT) as u64),
            _ => Duration::from_secs(1),
        }
    }

    pub(crate) fn may_ask(&self, actor: &Actor, module: &str) -> bool {
        let enabled = self.text(&format!("{module}_enabled")).is_some_and(is_on);
        let kept_for = self.text(&format!("{module}_restrict")).filter(|org| *org != "0");
        let may = kept_for.is_none_or(|org| org.trim() == actor.org_id.to_string());
        enabled && (may || actor.has(Permission::SiteAdmin))
    }

    /// The settings of a module, by the names it gives them.
    pub(crate) fn config_of(&self, module: &Module) -> Vec<(String, String)> {
        let value =
            |name: &String| Some((name.clone(), self.text(&format!("{}_{name}", module.name))?.to_owned()));
        module.config.iter().filter_map(value).collect()
    }

    /// Settings of modules that say nothing secret, by name: which are enabled, and for whom.
    pub fn of_modules(&self) -> Vec<(&str, &str)> {
        let shown = |name: &str| is_open(name) && KNOWN.iter().all(|known| known.name != name);
        let mut list: Vec<_> =
            self.0.iter().filter(|(name, _)| shown(name)).map(|(k, v)| (k.as_str(), v.as_str())).collect();
        list.sort_unstable();
        list
    }

    /// The text of a module's setting, where it may be shown.
    pub fn open_text(&self, name: &str) -> Option<&str> {
        if is_open(name) { Some(self.0.get(name).map_or("", String::as_str)) } else { None }
    }
}

/// Everything else a module is told may be a key to somewhere.
fn is_open(name: &str) -> bool {
    name.ends_with("_enabled") || name.ends_with("_restrict")
}

fn is_on(text: &str) -> bool {
    !matches!(text.trim().to_ascii_lowercase().as_str(), "" | "0" | "false")
}

/// Changes a setting, given by its name behind [`PREFIX`].
pub(crate) fn edit(service: &Service, actor: &Actor, name: &str, text: &str) -> Result<()> {
    rules::site_admin(actor)?;
    let text = text.trim();
    let wrong = |message: &str| Error::from(FieldError::new("value", message));
    match KNOWN.iter().find(|known| known.name == name).map(|known| known.preset) {
        Some(Preset::Flag(_))
            if !matches!(text.to_ascii_lowercase().as_str(), "0" | "1" | "true" | "false" | "") =>
        {
            return Err(wrong(
                "Value is not a boolean, make sure that you convert 'true' to true for example.",
            ));
        }
        Some(Preset::Seconds(_)) if !text.parse().is_ok_and(|n| (1..=MAX_TIMEOUT).contains(&n)) => {
            return Err(wrong("This setting has to be a number of seconds from 1 to 300."));
        }
        Some(Preset::Port(_)) if !text.parse().is_ok_and(|n: i64| (1..=65_535).contains(&n)) => {
            return Err(wrong("Make sure you set a valid port number."));
        }
        Some(Preset::Url(_)) if !is_origin(text) => {
            return Err(wrong("This setting has to be an address as http://HOST, without port and path."));
        }
        Some(_) => {}
        None if !is_module_setting(name) => return Err(Error::NotFound("setting")),
        None if text.len() > MAX_VALUE => return Err(wrong("The value is too long.")),
        None => {}
    }
    let shown = is_open(name) || KNOWN.iter().any(|known| known.name == name);
    service.write(actor, |w| Ok(w.edit_setting(&format!("{PREFIX}{name}"), text, shown)?))
}

/// `MODULE_SETTING`.
fn is_module_setting(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    name.len() <= MAX_NAME
        && name.bytes().all(plain)
        && name.split_once('_').is_some_and(|(module, setting)| !module.is_empty() && !setting.is_empty())
}

fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let host = host.map(|host| host.trim_end_matches('/'));
    host.is_some_and(|host| {
        let inside = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let plain =
            |h: &str| !h.is_empty() && h.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
        inside.map_or_else(|| plain(host), |six| six.parse::<std::net::Ipv6Addr>().is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_nothing_else() {
        for right in ["http://127.0.0.1", "https://modules.example.org/", "http://[::1]"] {
            assert!(is_origin(right), "{right}");
        }
        for wrong in
            ["", "127.0.0.1", "http://", "http://a/b", "http://a:1", "http://u@a", "ftp://a", "http://[x]"]
        {
            assert!(!is_origin(wrong), "{wrong}");
        }
    }

    #[test]
    fn keys_of_modules_are_not_shown() {
        let plugin = Plugin(
            [("dns_enabled", "1"), ("dns_restrict", "2"), ("shodan_apikey", "secret"), ("timeout", "7")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into_iter()
                .collect(),
        );
        assert_eq!(plugin.of_modules(), [("dns_enabled", "1"), ("dns_restrict", "2")]);
        assert_eq!(plugin.open_text("shodan_apikey"), None);
        assert_eq!(plugin.open_text("other_enabled"), Some(""));
        assert_eq!(plugin.timeout(), Duration::from_secs(7));
        assert_eq!(plugin.hover_timeout(), Duration::from_secs(5));
    }

    #[test]
    fn settings_of_modules_are_named_by_the_module() {
        assert!(is_module_setting("dns_enabled") && is_module_setting("cve_advanced_custom_API"));
        for wrong in ["", "dns", "_enabled", "dns_", "a b_c", "x_/etc"] {
            assert!(!is_module_setting(wrong), "{wrong}");
        }
    }
}
