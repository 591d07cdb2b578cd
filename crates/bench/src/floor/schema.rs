//! The floor's tables: the server's own migrations, and the proof that both databases are alike.

use crate::engine::Engine;
use anyhow::{Result, bail};
use std::collections::BTreeSet;

/// Those that shape [`TABLES`], in order; [`same`] says so when one is missing.
const MIGRATIONS: [&str; 2] = [
    include_str!("../../../store/src/migrations/0001_foundation.sql"),
    include_str!("../../../store/src/migrations/0003_audit.sql"),
];

/// The tables that an event's rows go to.
pub const TABLES: [&str; 6] = ["events", "attributes", "postings", "addresses", "networks", "changes"];

/// Every table and index of the server, for one engine. What the placeholders become is told in the store's
/// `dialect.rs`.
pub fn statements(sqlite: bool) -> String {
    let pairs = [
        ("{and_id}", "", ", id"),
        ("{pk}", "integer primary key", "bigint primary key"),
        ("{int}", "integer", "bigint"),
        ("{small}", "integer", "smallint"),
        ("{blob}", "blob", "bytea"),
        ("{compact}", "without rowid", ""),
        ("{serial}", "integer primary key autoincrement", "bigserial primary key"),
        ("{txid}", "", ", txid bigint not null default txid_current()"),
    ];
    let lines = MIGRATIONS.iter().flat_map(|m| m.lines()).filter(|line| !line.trim_start().starts_with("--"));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    pairs.iter().fold(text, |text, (mark, lite, pg)| text.replace(mark, if sqlite { lite } else { pg }))
}

/// Fails unless the tables of an event's rows have the same columns and indexes in both databases.
pub fn same(server: &mut Engine, floor: &mut Engine) -> Result<()> {
    let (server, floor) = (shape(server)?, shape(floor)?);
    if let Some(odd) = server.symmetric_difference(&floor).next() {
        bail!("the floor has not the server's schema, see crates/bench/src/floor/schema.rs: {odd}");
    }
    Ok(())
}

fn shape(engine: &mut Engine) -> Result<BTreeSet<String>> {
    let list = TABLES.map(|table| format!("'{table}'")).join(", ");
    let lines = match engine {
        Engine::Sqlite(_) => engine.texts(&format!(
            "select sql from sqlite_master where sql is not null and tbl_name in ({list})"
        ))?,
        Engine::Postgres(_) => engine.texts(&format!(
            "select indexdef from pg_indexes where tablename in ({list}) union all \
             select table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable \
             from information_schema.columns where table_schema = current_schema() and table_name in ({list})"
        ))?,
    };
    Ok(lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
}

/// How many rows each of the tables has.
pub fn rows(engine: &mut Engine) -> Result<Vec<(&'static str, i64)>> {
    TABLES
        .iter()
        .map(|table| Ok((*table, engine.count(&format!("select cast(count(*) as bigint) from {table}"))?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_placeholder_is_left() {
        for sqlite in [true, false] {
            assert!(!statements(sqlite).contains('{'), "{}", statements(sqlite));
        }
    }

    #[test]
    fn a_missing_index_is_found() {
        let made = |extra: &str| {
            let mut engine = Engine::Sqlite(rusqlite::Connection::open_in_memory().unwrap());
            engine.run(&statements(true)).unwrap();
            engine.run(extra).unwrap();
            engine
        };
        same(&mut made(""), &mut made("")).unwrap();
        let error = same(&mut made(""), &mut made("drop index attributes_event")).unwrap_err();
        assert!(error.to_string().contains("attributes_event"), "{error}");
    }
}
