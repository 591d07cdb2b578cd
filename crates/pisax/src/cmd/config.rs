//! `pisax config`: every setting, its effective value and where that came from.

use super::table;
use crate::config::sources::Settings;
use crate::config::table::{Kind, Setting};
use anyhow::Result;

pub fn run(settings: &Settings) -> Result<()> {
    let rows: Vec<_> = settings
        .iter()
        .map(|(setting, found)| {
            let value = found.value.as_deref().map_or_else(|| "(not set)".to_owned(), |v| shown(setting, v));
            [setting.name.to_owned(), value, found.origin.to_string(), setting.doc.to_owned()]
        })
        .collect();
    table::print(["SETTING", "VALUE", "FROM", "MEANING"], &rows);
    Ok(())
}

/// The value without what is secret in it.
fn shown(setting: &Setting, value: &str) -> String {
    if setting.secret {
        return "(hidden)".to_owned();
    }
    if setting.kind == Kind::Database {
        return without_password(value);
    }
    value.to_owned()
}

/// `postgres://user:secret@host/name?password=secret` without its secrets.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let rest = match rest.rsplit_once('@') {
        Some((who, host)) => {
            let user = who.split_once(':').map_or(who.to_owned(), |(user, _)| format!("{user}:***"));
            format!("{user}@{host}")
        }
        None => rest.to_owned(),
    };
    let query = query.map(|query| {
        let hide =
            |part: &str| if part.starts_with("password=") { "password=***".into() } else { part.to_owned() };
        format!("?{}", query.split('&').map(hide).collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{rest}{}", query.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_database_address_is_shown_without_its_password() {
        for (address, shown) in [
            ("sqlite:data/pisax.db", "sqlite:data/pisax.db"),
            ("postgres://pisax@host/db", "postgres://pisax@host/db"),
            (
                "postgres://pisax:p@ss:w@host:5432/db?sslmode=disable",
                "postgres://pisax:***@host:5432/db?sslmode=disable",
            ),
            ("postgres://host/db?user=a&password=b", "postgres://host/db?user=a&password=***"),
        ] {
            assert_eq!(without_password(address), shown);
        }
    }
}
