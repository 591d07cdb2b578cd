//! Where the value of a setting is looked for, and what is wrong with it when it cannot be used.

use super::table::{Kind, Preset, SETTINGS, Setting};
use anyhow::{Context, Result, bail};
use std::fmt;
use std::path::{Path, PathBuf};

/// Name of the settings file.
const FILE: &str = "pisax.toml";

/// Names another settings file.
const CONFIG_VARIABLE: &str = "PISAX_CONFIG";

/// What the command line says, by name of the setting.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    pub config: Option<PathBuf>,
    pub values: Vec<(&'static str, String)>,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Flag(&'static str),
    Environment(String),
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Environment(variable) => f.write_str(variable),
            Self::File(path) => path.display().fmt(f),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting with its effective value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub name: &'static str,
    pub value: Option<String>,
    pub origin: Origin,
}

/// All settings with their effective values, in the order of the table.
#[derive(Debug, Clone, Default)]
pub struct Settings(Vec<Found>);

impl Settings {
    pub fn iter(&self) -> impl Iterator<Item = (&'static Setting, &Found)> {
        SETTINGS.iter().zip(&self.0)
    }

    fn found(&self, name: &str) -> Option<&Found> {
        self.0.iter().find(|found| found.name == name)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.found(name)?.value.as_deref()
    }

    /// Only what somebody set.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.found(name).filter(|found| found.origin != Origin::Default)?.value.as_deref()
    }

    /// A number; its form was checked when it was found.
    pub fn number(&self, name: &str) -> i64 {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }
}

/// Reads the settings file: the one named by `--config` or `PISAX_CONFIG`, else `pisax.toml` in the data folder,
/// else the one in the current folder, if any.
pub fn find_file(flags: &Flags, env: &impl Fn(&str) -> Option<String>) -> Result<Option<(PathBuf, String)>> {
    let named =
        flags.config.clone().or_else(|| env(CONFIG_VARIABLE).filter(|n| !n.is_empty()).map(PathBuf::from));
    if let Some(path) = named {
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        return Ok(Some((path, text)));
    }
    let by_flag = flags.values.iter().find(|(name, _)| *name == "data").map(|(_, value)| value.clone());
    let data =
        by_flag.or_else(|| env("PISAX_DATA")).filter(|d| !d.is_empty()).unwrap_or_else(|| "data".into());
    for path in [Path::new(&data).join(FILE), PathBuf::from(FILE)] {
        match std::fs::read_to_string(&path) {
            Ok(text) => return Ok(Some((path, text))),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(e).with_context(|| path.display().to_string()),
        }
    }
    Ok(None)
}

/// Variables that look like settings of PISAX and are none: most likely misspelt.
pub fn unknown_variables(names: impl Iterator<Item = String>) -> Vec<String> {
    let known = |name: &str| name == CONFIG_VARIABLE || SETTINGS.iter().any(|s| s.variable() == name);
    let mut unknown: Vec<_> = names.filter(|name| name.starts_with("PISAX_") && !known(name)).collect();
    unknown.sort();
    unknown
}

/// Finds each setting: in the flags, else in the environment, else in the file, else its default.
pub fn resolve(
    flags: &Flags,
    env: &impl Fn(&str) -> Option<String>,
    file: Option<&(PathBuf, String)>,
) -> Result<Settings> {
    let filed = match file {
        Some((path, text)) => read_file(path, text)?,
        None => Vec::new(),
    };
    let mut settings = Settings::default();
    for setting in SETTINGS {
        let (value, origin) = match find(setting, flags, env, &filed, file) {
            Some((text, origin)) => {
                let value = check(setting.kind, &text)
                    .map_err(|why| anyhow::anyhow!("{}: {why}", place(setting, &origin)))?;
                (Some(value), origin)
            }
            None => match setting.preset {
                Preset::Is(value) => (Some(value.to_owned()), Origin::Default),
                Preset::From(derive) => (Some(derive(&settings)), Origin::Default),
                Preset::Nothing => (None, Origin::Default),
            },
        };
        settings.0.push(Found { name: setting.name, value, origin });
    }
    Ok(settings)
}

/// Names the setting where somebody wrote it.
fn place(setting: &Setting, origin: &Origin) -> String {
    match origin {
        Origin::File(path) => format!("{}: {}", path.display(), setting.name),
        other => other.to_string(),
    }
}

fn find(
    setting: &Setting,
    flags: &Flags,
    env: &impl Fn(&str) -> Option<String>,
    filed: &[(&'static str, String)],
    file: Option<&(PathBuf, String)>,
) -> Option<(String, Origin)> {
    let named = |list: &[(&'static str, String)]| {
        list.iter().find(|(name, _)| *name == setting.name).map(|(_, value)| value.clone())
    };
    if let (Some(value), Some(flag)) = (named(&flags.values), setting.flag) {
        return Some((value, Origin::Flag(flag)));
    }
    let variable = setting.variable();
    // An empty variable is how people switch one off in a compose file.
    if let Some(value) = env(&variable).filter(|value| !value.is_empty()) {
        return Some((value, Origin::Environment(variable)));
    }
    let (path, _) = file?;
    named(filed).map(|value| (value, Origin::File(path.clone())))
}

/// Reads a settings file into names and texts. A name nobody knows and a value of a wrong type are errors.
fn read_file(path: &Path, text: &str) -> Result<Vec<(&'static str, String)>> {
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        let line = e.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        anyhow::anyhow!("{}: line {line}: {}", path.display(), e.message().lines().next().unwrap_or_default())
    })?;
    let mut found = Vec::new();
    for (name, value) in table {
        let Some(setting) = SETTINGS.iter().find(|s| s.name == name) else {
            bail!("{}: there is no setting '{name}'; `pisax config` lists them all", path.display());
        };
        let text = match (value, setting.kind) {
            (toml::Value::Integer(number), Kind::Number(..)) => number.to_string(),
            (toml::Value::Boolean(flag), Kind::Flag) => flag.to_string(),
            (toml::Value::String(text), kind) if !matches!(kind, Kind::Number(..) | Kind::Flag) => text,
            (other, kind) => {
                bail!("{}: {name}: expected {}, not {}", path.display(), expected(kind), other.type_str())
            }
        };
        found.push((setting.name, text));
    }
    Ok(found)
}

fn expected(kind: Kind) -> String {
    match kind {
        Kind::Text | Kind::Password => "text".into(),
        Kind::Listen => "HOST:PORT, as in 127.0.0.1:8080".into(),
        Kind::Database => "sqlite:PATH or postgres://…".into(),
        Kind::Place => "database, dir:PATH or s3://BUCKET".into(),
        Kind::Url => "an address that starts with http:// or https://".into(),
        Kind::Number(least, most) => format!("a whole number from {least} to {most}"),
        Kind::Flag => "true or false".into(),
        Kind::Choice(words) => words.join(" or "),
        Kind::Key => format!("exactly {} letters and digits", pisax_auth::key::LENGTH),
    }
}

/// Brings a text into the one form its kind is used in; the error says what was expected, and never repeats a key.
fn check(kind: Kind, text: &str) -> Result<String, String> {
    if kind == Kind::Password {
        return Ok(text.to_owned());
    }
    let text = text.trim();
    let right = match kind {
        Kind::Text | Kind::Password => !text.is_empty(),
        Kind::Listen => {
            text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        }
        Kind::Database => pisax_store::Address::parse(text).is_ok(),
        Kind::Place => pisax_store::files::Place::parse(text).is_ok(),
        Kind::Url => ["http://", "https://"].iter().any(|s| text.len() > s.len() && text.starts_with(s)),
        Kind::Number(least, most) => text.parse().is_ok_and(|n: i64| (least..=most).contains(&n)),
        Kind::Flag => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => return Ok("true".into()),
            "false" | "0" | "no" | "off" => return Ok("false".into()),
            _ => false,
        },
        Kind::Choice(words) => words.contains(&text),
        Kind::Key => pisax_auth::key::well_formed(text),
    };
    if right { Ok(text.to_owned()) } else { Err(format!("expected {}", expected(kind))) }
}
