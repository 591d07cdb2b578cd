//! The one list of settings.

use super::sources::Settings;

/// What a value of a setting may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// Text whose blanks count.
    Password,
    /// `HOST:PORT`.
    Listen,
    /// `sqlite:PATH` or `postgres://…`.
    Database,
    /// `dir:PATH`, `s3://…` or `database`.
    Place,
    /// `http://…` or `https://…`.
    Url,
    /// A whole number within bounds.
    Number(i64, i64),
    /// true or false.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// 40 letters and digits.
    Key,
}

/// What a setting is when nobody said anything.
#[derive(Clone, Copy)]
pub enum Preset {
    Is(&'static str),
    /// Follows from settings that stand above it in the table.
    From(fn(&Settings) -> String),
    /// Not set.
    Nothing,
}

pub struct Setting {
    /// As in `pisax.toml`; the environment variable is `PISAX_` and this in capitals.
    pub name: &'static str,
    pub flag: Option<&'static str>,
    pub kind: Kind,
    pub preset: Preset,
    pub doc: &'static str,
    pub secret: bool,
}

impl Setting {
    pub fn variable(&self) -> String {
        format!("PISAX_{}", self.name.to_uppercase())
    }
}

const fn setting(name: &'static str, kind: Kind, preset: Preset, doc: &'static str) -> Setting {
    Setting { name, flag: None, kind, preset, doc, secret: false }
}

const fn with_flag(setting: Setting, flag: &'static str) -> Setting {
    Setting { flag: Some(flag), ..setting }
}

const fn secret(setting: Setting) -> Setting {
    Setting { secret: true, ..setting }
}

/// Every setting; a derived default stands below what it is derived from.
pub const SETTINGS: &[Setting] = &[
    with_flag(setting("data", Kind::Text, Preset::Is("data"), "Folder of everything PISAX keeps."), "--data"),
    with_flag(
        setting(
            "database",
            Kind::Database,
            Preset::From(|s| format!("sqlite:{}", in_data(s, "pisax.db"))),
            "sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME.",
        ),
        "--database",
    ),
    // In a folder: a sample of many megabytes in the database passes through its log, its cache and every
    // backup of the engine's own; a file is written once.
    with_flag(
        setting(
            "attachments",
            Kind::Place,
            Preset::From(|s| format!("dir:{}", in_data(s, "attachments"))),
            "Where attached files are kept: dir:PATH, s3://BUCKET/PREFIX?endpoint=URL&region=NAME, or database.",
        ),
        "--attachments",
    ),
    with_flag(
        setting(
            "listen",
            Kind::Listen,
            Preset::Is("127.0.0.1:8080"),
            "Address and port to serve on; port 0 takes a free one.",
        ),
        "--listen",
    ),
    setting(
        "base_url",
        Kind::Url,
        Preset::From(|s| format!("http://{}", s.text("listen").unwrap_or_default())),
        "Address clients reach this instance at.",
    ),
    setting(
        "outbound_proxy",
        Kind::Url,
        Preset::Nothing,
        "Proxy by which other servers are called, as http://[NAME:PASSWORD@]HOST:PORT; the environment names none.",
    ),
    setting(
        "peer_timeout",
        Kind::Number(1, 86_400),
        Preset::Is("600"),
        "Longest that an answer of another server may take, in seconds; short ones have half a minute.",
    ),
    setting(
        "secure_cookies",
        Kind::Flag,
        Preset::From(|s| s.text("base_url").is_some_and(|url| url.starts_with("https:")).to_string()),
        "Send cookies over https only.",
    ),
    setting(
        "knowledge",
        Kind::Text,
        Preset::From(|s| in_data(s, "knowledge")),
        "Folder of the public knowledge packages, for `pisax knowledge import` without a path.",
    ),
    // A MISP refuses much less by default (PHP's post_max_size, 50 MB in its image); an event of 100,000
    // attributes has 30 to 50 MB.
    setting(
        "body_limit",
        Kind::Number(1024, 1 << 40),
        Preset::Is("268435456"),
        "Largest request body accepted, in bytes, after decompression.",
    ),
    // What would be refused when it is sent is not fetched either.
    setting(
        "peer_limit",
        Kind::Number(4096, 1 << 40),
        Preset::From(|s| s.text("body_limit").unwrap_or("268435456").to_owned()),
        "Largest record taken from another server, in bytes, after decompression; a list may be four times as long.",
    ),
    setting(
        "connections",
        Kind::Number(1, 1000),
        Preset::Is("6"),
        "Database connections for reading (SQLite) or for everything (PostgreSQL).",
    ),
    setting(
        "cache_mib",
        Kind::Number(1, 1 << 20),
        Preset::Is("256"),
        "Page cache of SQLite's writing connection, in MiB.",
    ),
    setting(
        "import_rows",
        Kind::Number(1, 1_000_000),
        Preset::Is("50000"),
        "Most attributes in one transaction that a list adds to an event it already has.",
    ),
    setting(
        "unpublished_private",
        Kind::Flag,
        Preset::Is("false"),
        "Show unpublished events to their own organisation alone.",
    ),
    setting("smtp_host", Kind::Text, Preset::Nothing, "Server that takes mails; without one none is sent."),
    setting(
        "smtp_tls",
        Kind::Choice(&["starttls", "tls", "none"]),
        Preset::Is("starttls"),
        "How to speak to it: STARTTLS, TLS from the first byte, or in the clear (for a server on this machine).",
    ),
    setting(
        "smtp_port",
        Kind::Number(1, 65_535),
        Preset::From(|s| {
            let port = match s.text("smtp_tls") {
                Some("tls") => "465",
                Some("none") => "25",
                _ => "587",
            };
            port.to_owned()
        }),
        "Its port.",
    ),
    setting("smtp_user", Kind::Text, Preset::Nothing, "User name for it."),
    setting("smtp_password_file", Kind::Text, Preset::Nothing, "File that holds the password for it."),
    setting("smtp_from", Kind::Text, Preset::Nothing, "Sender of mails, as in PISAX <misp@example.org>."),
    setting(
        "log",
        Kind::Text,
        Preset::Is("info"),
        "What is logged: a level, or levels by part, as in info,pisax_store=debug.",
    ),
    setting("log_format", Kind::Choice(&["text", "json"]), Preset::Is("text"), "How the log is written."),
    setting("org", Kind::Text, Preset::Nothing, "First start: name of the organisation."),
    setting("admin_email", Kind::Text, Preset::Nothing, "First start: address of the administrator."),
    secret(setting(
        "admin_password",
        Kind::Password,
        Preset::Nothing,
        "First start: the administrator's password.",
    )),
    secret(setting("admin_key", Kind::Key, Preset::Nothing, "First start: the administrator's API key.")),
];

/// A path in the data folder.
fn in_data(settings: &Settings, name: &str) -> String {
    std::path::Path::new(settings.text("data").unwrap_or(".")).join(name).display().to_string()
}
