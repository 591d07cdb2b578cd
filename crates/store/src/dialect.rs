//! The only file where the two engines differ in what they are told.

use crate::conn::{Conn, Val};
use crate::{Error, Result};
use pisax_model::Uuid;

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
    pairs.iter().fold(sql.to_owned(), |sql, (mark, on_lite, on_pg)| {
        sql.replace(mark, if lite { on_lite } else { on_pg })
    })
}

/// Makes the number source of a table.
pub(crate) fn create_sequence(conn: &mut Conn<'_>, table: &str) -> Result<()> {
    if conn.is_lite() {
        conn.execute(
            "create table if not exists counters (name text primary key, next integer not null)",
            &[],
        )?;
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
            .first("update counters set next = next + $1 where name = $2 returning next", &args, |r| {
                r.int(0)
            })?
            .ok_or(Error::Damaged("a table has no counter"))?;
        return Ok((next - count as i64..next).collect());
    }
    conn.all(
        &format!("select nextval('{table}_ids') from generate_series(1, $1)"),
        &[Val::Int(count as i64)],
        |r| r.int(0),
    )
}

/// `column in (set)` for a set of numbers given as one text value (see [`set_text`]).
pub(crate) fn in_set(lite: bool, column: &str, position: usize) -> String {
    if lite {
        format!("{column} in (select value from json_each(${position}))")
    } else {
        format!("{column} = any(string_to_array(${position}, ',')::bigint[])")
    }
}

/// Tells PostgreSQL's planner that a table has grown by many rows, where that is more than it knows of: it
/// would go on joining what it takes for a few rows by loops for minutes, until its own daemon looks.
pub(crate) fn learn_size(conn: &mut Conn<'_>, table: &str, rows: u64) -> Result<()> {
    let known = conn.number(
        "select coalesce(max(reltuples), 0)::bigint from pg_class where relname = $1 and relkind = 'r'",
        &[table.into()],
    )?;
    if i64::try_from(rows).is_ok_and(|rows| rows.saturating_mul(4) < known) {
        return Ok(());
    }
    conn.execute(&format!("analyze {table}"), &[])?;
    Ok(())
}

/// The text that [`in_set`] reads.
pub(crate) fn set_text(lite: bool, numbers: impl Iterator<Item = i64>) -> String {
    let list: Vec<String> = numbers.map(|n| n.to_string()).collect();
    if lite { format!("[{}]", list.join(",")) } else { list.join(",") }
}

/// `column in (set)` for a set of texts given as one text value (see [`text_set_text`]).
pub(crate) fn in_text_set(lite: bool, column: &str, position: usize) -> String {
    if lite {
        format!("{column} in (select value from json_each(${position}))")
    } else {
        format!("{column} = any(array(select jsonb_array_elements_text((${position}::text)::jsonb)))")
    }
}

/// The text that [`in_text_set`] reads: a JSON array. NUL is left out, as PostgreSQL has none in its texts.
pub(crate) fn text_set_text<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut json = String::from("[");
    for text in texts {
        json.push_str(if json.len() > 1 { ",\"" } else { "\"" });
        for c in text.chars() {
            match c {
                '\0' => {}
                '"' | '\\' => json.extend(['\\', c]),
                c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => json.push(c),
            }
        }
        json.push('"');
    }
    json.push(']');
    json
}

/// `column in (set)` for a set of uuids given as one text value (see [`uuid_set_text`]).
pub(crate) fn in_uuid_set(lite: bool, column: &str, position: usize) -> String {
    if lite {
        format!("{column} in (select unhex(value) from json_each(${position}))")
    } else {
        format!(
            "{column} = any(array(select decode(x, 'hex') from unnest(string_to_array(${position}, ',')) x))"
        )
    }
}

/// The text that [`in_uuid_set`] reads.
pub(crate) fn uuid_set_text<'u>(lite: bool, uuids: impl Iterator<Item = &'u Uuid>) -> String {
    let hex: Vec<String> = uuids.map(|u| u.simple().to_string()).collect();
    if lite { text_set_text(hex.iter().map(String::as_str)) } else { hex.join(",") }
}

/// `(one, two) in (set)` for a set of pairs of numbers given as one text value (see [`pair_set_text`]).
pub(crate) fn in_pair_set(lite: bool, columns: &str, position: usize) -> String {
    if lite {
        format!("({columns}) in (select value ->> 0, value ->> 1 from json_each(${position}))")
    } else {
        format!(
            "({columns}) in (select (x ->> 0)::bigint, (x ->> 1)::bigint \
             from jsonb_array_elements((${position}::text)::jsonb) x)"
        )
    }
}

/// The text that [`in_pair_set`] reads.
pub(crate) fn pair_set_text(pairs: impl Iterator<Item = (i64, i64)>) -> String {
    let list: Vec<String> = pairs.map(|(one, two)| format!("[{one},{two}]")).collect();
    format!("[{}]", list.join(","))
}

/// `from` items that unfold the elements of a cluster's `meta` text: key in `k.key`, value in `v.value`. Every value
/// in it is a list of texts.
pub(crate) fn elements(lite: bool, alias: &str) -> String {
    let meta = format!("case when {alias}.meta = '' then '{{}}' else {alias}.meta end");
    if lite {
        format!("json_each({meta}) k, json_each(k.value) v")
    } else {
        format!("jsonb_each(({meta})::jsonb) k, jsonb_array_elements_text(k.value) v(value)")
    }
}

/// Locks the selected rows until the transaction ends; SQLite has one writer and needs none.
pub(crate) fn for_update(lite: bool) -> &'static str {
    if lite { "" } else { " for update" }
}

/// Keeps the selected rows from being deleted until the transaction ends.
pub(crate) fn for_key_share(lite: bool) -> &'static str {
    if lite { "" } else { " for key share" }
}

/// "PISAXLOG" in ASCII: the advisory lock under which changes are numbered and committed.
const CHANGES_LOCK: i64 = 0x50_49_53_41_58_4C_4F_47;

/// The channel on which PostgreSQL tells other processes that changes were committed.
pub(crate) const CHANGED: &str = "pisax_changes";

/// Tells other processes of the changes, once they are committed.
pub(crate) fn tell_others(conn: &mut Conn<'_>) -> Result<()> {
    if !conn.is_lite() {
        conn.number("select 1 from pg_notify($1, '')", &[CHANGED.into()])?;
    }
    Ok(())
}

/// Makes the order of the change log that of the commits: who numbers changes has committed (or failed) before
/// the next one numbers his, so a snapshot that shows a change shows all before it. SQLite has one writer.
pub(crate) fn order_changes(conn: &mut Conn<'_>) -> Result<()> {
    if !conn.is_lite() {
        conn.execute(&format!("select pg_advisory_xact_lock({CHANGES_LOCK})"), &[])?;
    }
    Ok(())
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
