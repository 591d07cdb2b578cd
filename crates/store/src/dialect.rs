//! The only file where the two engines differ in what they are told.

use crate::conn::{Conn, Val};
use crate::{Error, Result};

/// What a placeholder in a migration becomes.
pub(crate) fn ddl(sql: &str, lite: bool) -> String {
    let pairs: [(&str, &str, &str); 8] = [
        // SQLite keeps the row number in every index entry already.
        ("{and_id}", "", ", id"),
        ("{pk}", "integer primary key", "bigint primary key"),
        ("{int}", "integer", "bigint"),
        ("{small}", "integer", "smallint"),
        ("{blob}", "blob", "bytea"),
        ("{compact}", "without rowid", ""),
        ("{serial}", "integer primary key autoincrement", "bigserial primary key"),
        ("{txid}", "", ", txid bigint not null default txid_current()"),
    ];
    pairs.iter().fold(sql.to_owned(), |sql, (mark, on_lite, on_pg)| sql.replace(mark, if lite { on_lite } else { on_pg }))
}

/// Makes the number source of a table.
pub(crate) fn create_sequence(conn: &mut Conn<'_>, table: &str) -> Result<()> {
    if conn.is_lite() {
        conn.execute("create table if not exists counters (name text primary key, next integer not null)", &[])?;
        conn.execute("insert into counters (name, next) values ($1, 1)", &[table.into()])?;
    } else {
        conn.execute(&format!("create sequence {table}_ids"), &[])?;
    }
    Ok(())
}

/// Takes `count` new row numbers for a table. Numbers are never given twice, not even after a deletion.
pub(crate) fn allocate(conn: &mut Conn<'_>, table: &'static str, count: usize) -> Result<Vec<i64>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if conn.is_lite() {
        let args = [Val::Int(count as i64), table.into()];
        let next = conn
            .first("update counters set next = next + $1 where name = $2 returning next", &args, |r| r.int(0))?
            .ok_or(Error::Damaged("a table has no counter"))?;
        return Ok((next - count as i64..next).collect());
    }
    conn.all(&format!("select nextval('{table}_ids') from generate_series(1, $1)"), &[Val::Int(count as i64)], |r| {
        r.int(0)
    })
}

/// `column in (set)` for a set of numbers given as one text value (see [`set_text`]).
pub(crate) fn in_set(lite: bool, column: &str, position: usize) -> String {
    if lite {
        format!("{column} in (select value from json_each(${position}))")
    } else {
        format!("{column} = any(string_to_array(${position}, ',')::bigint[])")
    }
}

/// The text that [`in_set`] reads.
pub(crate) fn set_text(lite: bool, numbers: impl Iterator<Item = i64>) -> String {
    let list: Vec<String> = numbers.map(|n| n.to_string()).collect();
    if lite { format!("[{}]", list.join(",")) } else { list.join(",") }
}

/// Locks the selected rows until the transaction ends; SQLite has one writer and needs none.
pub(crate) fn for_update(lite: bool) -> &'static str {
    if lite { "" } else { " for update" }
}

/// Changes that no open transaction can still come before. PostgreSQL commits out of sequence: a row is only
/// shown once every transaction that began before its own has ended.
pub(crate) fn settled_changes(lite: bool) -> &'static str {
    if lite { "1 = 1" } else { "txid < txid_snapshot_xmin(txid_current_snapshot())" }
}

/// Statements that give both engines the function `pisax_fold(text)`: how values compare (lower case, accents
/// removed, ß as ss, final sigma as any other). SQLite gets it from the program when a connection opens.
pub(crate) const PG_FOLD: &str = "create or replace function pisax_fold(t text) returns text language sql immutable parallel safe as \
 $f$ select replace(replace(lower(regexp_replace(normalize(t, NFD), U&'[\\0300-\\036F]', '', 'g') collate \"und-x-icu\"), 'ß', 'ss'), 'ς', 'σ') $f$";

/// The number that the next row of a table will get.
pub(crate) fn next_number(conn: &mut Conn<'_>, table: &str) -> Result<i64> {
    if conn.is_lite() {
        return conn.number("select next from counters where name = $1", &[table.into()]);
    }
    let sql = format!("select case when is_called then last_value + 1 else last_value end from {table}_ids");
    conn.number(&sql, &[])
}

/// Sets the number that the next row of a table will get.
pub(crate) fn set_next_number(conn: &mut Conn<'_>, table: &str, next: i64) -> Result<()> {
    if conn.is_lite() {
        let sql = "insert into counters (name, next) values ($1, $2) on conflict (name) do update set next = excluded.next";
        conn.execute(sql, &[table.into(), next.into()])?;
    } else {
        conn.number(&format!("select setval('{table}_ids', $1, false)"), &[next.into()])?;
    }
    Ok(())
}

/// Lets the change log go on after its last row; SQLite does so by itself.
pub(crate) fn continue_changes(conn: &mut Conn<'_>) -> Result<()> {
    if !conn.is_lite() {
        let sql = "select setval(pg_get_serial_sequence('changes', 'seq'), coalesce(max(seq), 0) + 1, false) from changes";
        conn.number(sql, &[])?;
    }
    Ok(())
}

/// The engine's own check of its files, where it has one: a query whose rows are complaints, or "ok".
pub(crate) fn integrity(lite: bool) -> Option<&'static str> {
    lite.then_some("pragma integrity_check(100)")
}
