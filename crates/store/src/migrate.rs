//! Numbered, forward-only migrations, run at start inside one locked transaction.

use crate::conn::Conn;
use crate::{Error, Result, dialect};

const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("migrations/0001_foundation.sql")),
    (2, include_str!("migrations/0002_org_blocklist.sql")),
    (3, include_str!("migrations/0003_audit.sql")),
    (4, include_str!("migrations/0004_collaboration.sql")),
    (5, include_str!("migrations/0005_reports.sql")),
    (6, include_str!("migrations/0006_clusters.sql")),
    (7, include_str!("migrations/0007_scoring.sql")),
    (8, include_str!("migrations/0008_accounts.sql")),
    (9, include_str!("migrations/0009_sharing.sql")),
    (10, include_str!("migrations/0010_files.sql")),
    (11, include_str!("migrations/0011_workflows.sql")),
    (12, include_str!("migrations/0012_rest.sql")),
    (13, include_str!("migrations/0013_sync.sql")),
    (14, include_str!("migrations/0014_streams.sql")),
    (15, include_str!("migrations/0015_feeds.sql")),
    (16, include_str!("migrations/0016_mail.sql")),
];

/// Newest schema version this program knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |m| m.0)
}

/// Brings the schema up to date. The caller holds the lock and the transaction.
pub(crate) fn run(conn: &mut Conn<'_>) -> Result<()> {
    let lite = conn.is_lite();
    let table = dialect::ddl("create table if not exists migrations (version {int} primary key)", lite);
    conn.execute(&table, &[])?;
    let found = conn.number("select max(version) from migrations", &[])?;
    if found > newest() {
        return Err(Error::TooNew { found, known: newest() });
    }
    for (version, sql) in MIGRATIONS.iter().filter(|m| m.0 > found) {
        for statement in statements(&dialect::ddl(sql, lite)) {
            conn.execute(&statement, &[])?;
        }
        for table in sequences(sql) {
            dialect::create_sequence(conn, table)?;
        }
        conn.execute("insert into migrations (version) values ($1)", &[(*version).into()])?;
    }
    Ok(())
}

/// The statements of a file, without comment lines.
fn statements(sql: &str) -> Vec<String> {
    let bare: Vec<&str> = sql.lines().filter(|l| !l.trim_start().starts_with("--")).collect();
    bare.join("\n").split(';').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect()
}

/// Tables that a migration gives a number source (`-- sequences: …`).
fn sequences(sql: &str) -> impl Iterator<Item = &str> {
    sql.lines().filter_map(|l| l.strip_prefix("-- sequences:")).flat_map(str::split_whitespace)
}

/// Tables with their number sources, for checks and copies.
pub(crate) fn numbered_tables() -> impl Iterator<Item = &'static str> {
    MIGRATIONS.iter().flat_map(|m| sequences(m.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up_without_gaps() {
        for (i, (version, _)) in MIGRATIONS.iter().enumerate() {
            assert_eq!(*version, i as i64 + 1);
        }
    }
}
