//! What the database holds compared with what this program expects of it, and how large its tables are.
//!
//! What is expected is read from the migrations themselves, run on an empty database in memory.

use crate::conn::Conn;
use crate::{Reader, Result, lite, migrate};
use std::collections::{BTreeMap, BTreeSet};

/// Column names by table.
pub type Columns = BTreeMap<String, Vec<String>>;

/// The schema as it is and as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// `SQLite` or `PostgreSQL`.
    pub engine: &'static str,
    /// Schema versions.
    pub actual: i64,
    pub expected: i64,
    pub columns: Columns,
    pub differences: Vec<Difference>,
}

/// Where the two differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub table: String,
    /// `None`: the table as a whole.
    pub column: Option<String>,
    /// It should be there and is not; otherwise it is there and should not be.
    pub missing: bool,
}

/// How large a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSize {
    pub name: String,
    pub data_bytes: i64,
    pub index_bytes: i64,
    pub free_bytes: i64,
    /// Counted where the whole database is not larger than [`COUNTED`].
    pub rows: Option<i64>,
}

/// Counting rows, and on SQLite telling sizes apart, reads whole tables: a gibibyte takes about two seconds.
const COUNTED: i64 = 1 << 30;

/// What only one of the engines has.
const OWN: [(&str, &str); 2] = [("counters", ""), ("changes", "txid")];

fn lite_columns(conn: &mut Conn<'_>) -> Result<Columns> {
    let sql = "select m.name, c.name from sqlite_master m, pragma_table_info(m.name) c \
               where m.type = 'table' and m.name not like 'sqlite%' order by m.name, c.cid";
    gather(conn, sql)
}

fn gather(conn: &mut Conn<'_>, sql: &str) -> Result<Columns> {
    let mut columns = Columns::new();
    conn.each(sql, &[], |row| {
        columns.entry(row.string(0)?).or_default().push(row.string(1)?);
        Ok(())
    })?;
    Ok(columns)
}

fn expected() -> Result<Columns> {
    let memory = lite::in_memory()?;
    let mut conn = Conn::Lite(&memory);
    migrate::run(&mut conn)?;
    lite_columns(&mut conn)
}

fn compare(actual: &Columns, expected: &Columns) -> Vec<Difference> {
    let mut found = Vec::new();
    let tables: BTreeSet<&String> = actual.keys().chain(expected.keys()).collect();
    for table in tables {
        let whole = |missing| Difference { table: table.clone(), column: None, missing };
        match (actual.get(table), expected.get(table)) {
            (Some(there), Some(wanted)) => {
                let of = |from: &[String], other: &[String], missing| -> Vec<Difference> {
                    let lacking = from.iter().filter(|c| !other.contains(c));
                    let column = |c: &String| Some(c.clone());
                    lacking.map(|c| Difference { table: table.clone(), column: column(c), missing }).collect()
                };
                found.extend(of(wanted, there, true));
                found.extend(of(there, wanted, false));
            }
            (Some(_), None) => found.push(whole(false)),
            _ => found.push(whole(true)),
        }
    }
    found.retain(|d| !OWN.contains(&(d.table.as_str(), d.column.as_deref().unwrap_or(""))));
    found
}

impl Reader<'_> {
    /// The schema compared with what the program expects.
    pub fn schema(&mut self) -> Result<Schema> {
        let lite = self.conn.is_lite();
        let columns = if lite {
            lite_columns(&mut self.conn)?
        } else {
            let sql = "select table_name::text, column_name::text from information_schema.columns \
                       where table_schema = current_schema() order by table_name, ordinal_position";
            gather(&mut self.conn, sql)?
        };
        let differences = compare(&columns, &expected()?);
        Ok(Schema {
            engine: if lite { "SQLite" } else { "PostgreSQL" },
            actual: self.conn.number("select max(version) from migrations", &[])?,
            expected: migrate::newest(),
            columns,
            differences,
        })
    }

    /// The engine's version.
    pub fn engine_version(&mut self) -> Result<String> {
        let sql = if self.conn.is_lite() { "select sqlite_version()" } else { "show server_version" };
        Ok(self.conn.first(sql, &[], |row| row.string(0))?.unwrap_or_default())
    }

    /// How large each table is, by name.
    pub fn table_sizes(&mut self) -> Result<Vec<TableSize>> {
        let lite = self.conn.is_lite();
        let size = if lite {
            "select page_count * page_size from pragma_page_count, pragma_page_size"
        } else {
            "select pg_database_size(current_database())"
        };
        let small = self.conn.number(size, &[])? <= COUNTED;
        if lite && !small {
            return Ok(Vec::new());
        }
        let sql = if lite {
            "select m.tbl_name, sum(case when m.type = 'table' then s.pgsize else 0 end), \
             sum(case when m.type = 'index' then s.pgsize else 0 end), sum(s.unused) \
             from sqlite_master m join dbstat s on s.name = m.name where s.aggregate = 1 \
             and m.tbl_name not like 'sqlite%' group by m.tbl_name order by m.tbl_name"
        } else {
            "select relname::text, pg_table_size(relid), pg_indexes_size(relid), 0::bigint \
             from pg_stat_user_tables where schemaname = current_schema() order by relname"
        };
        let mut sizes = self.conn.all(sql, &[], |row| {
            Ok(TableSize {
                name: row.string(0)?,
                data_bytes: row.int(1)?,
                index_bytes: row.int(2)?,
                free_bytes: row.int(3)?,
                rows: None,
            })
        })?;
        for table in sizes.iter_mut().filter(|_| small) {
            // The name is the database's own.
            let sql = format!("select count(*) from \"{}\"", table.name);
            table.rows = Some(self.conn.number(&sql, &[])?);
        }
        Ok(sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_is_missing_and_a_table_too_many_are_told() {
        let expected = expected().unwrap();
        assert!(expected["events"].contains(&"uuid".to_owned()));
        assert_eq!(compare(&expected, &expected), []);
        let mut actual = expected.clone();
        actual.get_mut("events").unwrap().retain(|c| c != "uuid");
        actual.insert("notes_of_mine".into(), vec!["id".into()]);
        actual.remove("orgs");
        let told = compare(&actual, &expected);
        let difference = |table: &str, column: Option<&str>, missing| Difference {
            table: table.into(),
            column: column.map(str::to_owned),
            missing,
        };
        assert_eq!(
            told,
            [
                difference("events", Some("uuid"), true),
                difference("notes_of_mine", None, false),
                difference("orgs", None, true)
            ]
        );
    }
}
