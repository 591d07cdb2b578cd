use super::sources::{Flags, Origin, Settings, resolve, unknown_variables};
use super::table::SETTINGS;
use super::{Config, LogFormat};
use std::collections::HashSet;
use std::path::PathBuf;

const FILE: &str = "/etc/pisax.toml";

/// Settings from flags, environment and file as these tests write them.
fn settings(
    flags: &[(&'static str, &str)],
    env: &[(&str, &str)],
    file: Option<&str>,
) -> Result<Settings, String> {
    let values = flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let flags = Flags { config: None, values };
    let env = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
    let file = file.map(|text| (PathBuf::from(FILE), text.to_owned()));
    resolve(&flags, &env, file.as_ref()).map_err(|e| format!("{e:#}"))
}

fn origin(settings: &Settings, name: &str) -> Origin {
    settings.iter().find(|(s, _)| s.name == name).map(|(_, found)| found.origin.clone()).unwrap()
}

#[test]
fn a_flag_goes_before_the_environment_that_before_the_file_and_that_before_the_default() {
    let file = Some("listen = \"127.0.0.1:3\"");
    let env = [("PISAX_LISTEN", "127.0.0.1:2")];
    let flag = [("listen", "127.0.0.1:1")];
    let cases = [
        (settings(&flag, &env, file), "127.0.0.1:1", Origin::Flag("--listen")),
        (settings(&[], &env, file), "127.0.0.1:2", Origin::Environment("PISAX_LISTEN".into())),
        (settings(&[], &[("PISAX_LISTEN", "")], file), "127.0.0.1:3", Origin::File(FILE.into())),
        (settings(&[], &[], None), "127.0.0.1:8080", Origin::Default),
    ];
    for (found, value, from) in cases {
        let found = found.unwrap();
        assert_eq!((found.text("listen"), origin(&found, "listen")), (Some(value), from));
    }
}

#[test]
fn defaults_follow_from_what_was_set() {
    let found = settings(&[("data", "/srv/pisax")], &[], None).unwrap();
    assert_eq!(found.text("database"), Some("sqlite:/srv/pisax/pisax.db"));
    assert_eq!(found.text("knowledge"), Some("/srv/pisax/knowledge"));
    assert_eq!(found.text("base_url"), Some("http://127.0.0.1:8080"));
    assert!(!found.flag("secure_cookies"));
    let behind_tls = settings(&[], &[("PISAX_BASE_URL", "https://misp.example/")], None).unwrap();
    assert!(behind_tls.flag("secure_cookies"));
    let config = Config::from_settings(&behind_tls).unwrap();
    assert_eq!((config.base_url.as_deref(), config.secure_cookies), (Some("https://misp.example"), None));
}

#[test]
fn a_config_has_the_types_it_is_used_in() {
    let file = "body_limit = 1048576\nconnections = 3\nunpublished_private = true\nlog_format = \"json\"\n";
    let found =
        settings(&[], &[("PISAX_SECURE_COOKIES", "yes"), ("PISAX_ORG", " An IX ")], Some(file)).unwrap();
    let config = Config::from_settings(&found).unwrap();
    assert_eq!((config.body_limit, config.options.connections, config.import_rows), (1 << 20, 3, 50_000));
    assert!(config.options.unpublished_private);
    assert_eq!(config.log_format, LogFormat::Json);
    assert_eq!(config.secure_cookies, Some(true));
    assert_eq!(config.org.as_deref(), Some("An IX"));
    assert_eq!((config.admin_email, config.log), (None, None));
}

#[test]
fn what_cannot_be_used_is_named_with_its_place() {
    let in_file = [
        ("listten = \"x:1\"", "there is no setting 'listten'"),
        ("[server]\nlisten = \"x:1\"", "there is no setting 'server'"),
        ("body_limit = \"much\"", "body_limit: expected a whole number"),
        ("body_limit = 1", "body_limit: expected a whole number from 1024"),
        ("listen = 8080", "listen: expected HOST:PORT"),
        ("secure_cookies = \"true\"", "secure_cookies: expected true or false"),
        ("log_format = \"xml\"", "log_format: expected text or json"),
        ("database = \"mysql://x\"", "database: expected sqlite:PATH or postgres://"),
        ("\nlisten = ", "line 2"),
    ];
    for (file, words) in in_file {
        let said = settings(&[], &[], Some(file)).unwrap_err();
        assert!(said.contains(FILE) && said.contains(words) && !said.contains('\n'), "{said}");
    }
    let said = settings(&[], &[("PISAX_CACHE_MIB", "lots")], None).unwrap_err();
    assert!(said.starts_with("PISAX_CACHE_MIB: expected"), "{said}");
    let said = settings(&[("listen", "nowhere")], &[], None).unwrap_err();
    assert!(said.starts_with("--listen: expected"), "{said}");
}

#[test]
fn a_key_that_is_none_is_refused_and_not_repeated() {
    for key in ["tooshort-secret", "EndToEndAdminKey0123456789abcdefghijKLM-", "x".repeat(41).as_str()] {
        let said = settings(&[], &[("PISAX_ADMIN_KEY", key)], None).unwrap_err();
        assert_eq!(said, "PISAX_ADMIN_KEY: expected exactly 40 letters and digits");
    }
}

#[test]
fn names_are_unique_and_every_default_is_right() {
    let names: HashSet<_> = SETTINGS.iter().map(|s| s.name).collect();
    assert_eq!(names.len(), SETTINGS.len());
    let defaults = settings(&[], &[], None).unwrap();
    let as_environment: Vec<_> = defaults
        .iter()
        .filter_map(|(setting, found)| Some((setting.variable(), found.value.clone()?)))
        .collect();
    let borrowed: Vec<_> = as_environment.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let again = settings(&[], &borrowed, None).unwrap();
    for (setting, found) in again.iter() {
        assert_eq!(found.value.as_deref(), defaults.text(setting.name));
    }
}

#[test]
fn misspelt_variables_are_found() {
    let names = ["PISAX_LISTEN", "PISAX_CONFIG", "PISAX_BODYLIMIT", "PATH"].map(str::to_owned);
    assert_eq!(unknown_variables(names.into_iter()), ["PISAX_BODYLIMIT"]);
}
