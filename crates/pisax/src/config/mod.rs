//! Settings: from flags, else the environment, else `pisax.toml`, else their defaults.
//!
//! [`table::SETTINGS`] is the one list of them. [`sources::resolve`] finds the value of each and where it came
//! from, which `pisax config` prints; [`Config`] is the same, typed, which the rest of the program uses.

pub mod sources;
pub mod table;

use anyhow::{Context, Result};
use pisax_service::PeerBounds;
use pisax_store::files::{Credentials, Place};
use pisax_store::{Address, Options};
use sources::{Flags, Settings};
use std::path::PathBuf;
use std::time::Duration;

/// Every setting, in the type it is used in.
#[derive(Clone)]
pub struct Config {
    pub listen: String,
    pub data: PathBuf,
    pub database: Address,
    pub attachments: Place,
    /// For a bucket, from the environment alone, under the names every tool for such services reads.
    pub bucket_credentials: Option<Credentials>,
    pub knowledge: PathBuf,
    /// Without a final slash; `None`: wherever the server turns out to listen.
    pub base_url: Option<String>,
    pub body_limit: usize,
    pub log: Option<String>,
    pub log_format: LogFormat,
    pub options: Options,
    pub import_rows: usize,
    /// `None`: when the base URL is https.
    pub secure_cookies: Option<bool>,
    /// By which other servers are called; `None`: directly.
    pub outbound_proxy: Option<String>,
    pub peers: PeerBounds,
    /// None: no mail is sent.
    pub smtp: Option<Smtp>,
    pub admin_email: Option<String>,
    pub admin_password: Option<String>,
    pub admin_key: Option<String>,
    pub org: Option<String>,
}

/// How mails leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub user: Option<String>,
    pub password_file: Option<PathBuf>,
    pub from: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte.
    Immediate,
    /// By STARTTLS.
    Upgraded,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// Finds all settings, with their origins, for this command line.
pub fn load(flags: &Flags) -> Result<(Config, Settings)> {
    let env = |name: &str| std::env::var(name).ok();
    let file = sources::find_file(flags, &env)?;
    let settings = sources::resolve(flags, &env, file.as_ref())?;
    let config = Config::from_settings(&settings)?;
    Ok((config, settings))
}

impl Config {
    fn from_settings(settings: &Settings) -> Result<Self> {
        let text = |name| settings.text(name).map(str::to_owned);
        let given = |name| settings.given(name).map(str::to_owned);
        let needed = |name| text(name).context("a setting has lost its default");
        Ok(Self {
            listen: needed("listen")?,
            data: needed("data")?.into(),
            database: Address::parse(&needed("database")?)?,
            attachments: Place::parse(&needed("attachments")?)?,
            bucket_credentials: bucket_credentials(&|name| std::env::var(name).ok()),
            knowledge: needed("knowledge")?.into(),
            base_url: given("base_url").map(|url| url.trim_end_matches('/').to_owned()),
            body_limit: settings.number("body_limit") as usize,
            log: given("log"),
            log_format: match settings.text("log_format") {
                Some("json") => LogFormat::Json,
                _ => LogFormat::Text,
            },
            options: Options {
                connections: settings.number("connections") as usize,
                cache_mib: settings.number("cache_mib"),
                unpublished_private: settings.flag("unpublished_private"),
            },
            import_rows: settings.number("import_rows") as usize,
            secure_cookies: given("secure_cookies").map(|_| settings.flag("secure_cookies")),
            outbound_proxy: given("outbound_proxy"),
            peers: PeerBounds {
                timeout: Duration::from_secs(settings.number("peer_timeout").unsigned_abs()),
                limit: settings.number("peer_limit").unsigned_abs(),
            },
            smtp: smtp(settings)?,
            admin_email: text("admin_email"),
            admin_password: text("admin_password"),
            admin_key: text("admin_key"),
            org: text("org"),
        })
    }

    /// The filter for the log: what was asked for, else what suits the command.
    pub fn log_filter<'a>(&'a self, usual: &'a str) -> &'a str {
        self.log.as_deref().unwrap_or(usual)
    }
}

fn bucket_credentials(env: &dyn Fn(&str) -> Option<String>) -> Option<Credentials> {
    let given = |name: &str| env(name).filter(|value| !value.is_empty());
    Some(Credentials {
        key_id: given("AWS_ACCESS_KEY_ID")?,
        secret: given("AWS_SECRET_ACCESS_KEY")?,
        token: given("AWS_SESSION_TOKEN"),
    })
}

fn smtp(settings: &Settings) -> Result<Option<Smtp>> {
    let text = |name| settings.text(name).map(str::to_owned);
    let Some(host) = text("smtp_host") else { return Ok(None) };
    Ok(Some(Smtp {
        host,
        port: settings.number("smtp_port") as u16,
        tls: match settings.text("smtp_tls") {
            Some("tls") => Tls::Immediate,
            Some("none") => Tls::Off,
            _ => Tls::Upgraded,
        },
        user: text("smtp_user"),
        password_file: text("smtp_password_file").map(PathBuf::from),
        from: text("smtp_from").context("smtp_from: mails need a sender, as in PISAX <misp@example.org>")?,
    }))
}

#[cfg(test)]
mod tests;
