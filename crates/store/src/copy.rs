//! Whole tables from one database to another, row by row in constant memory: backup and restore.

use crate::conn::{Conn, Row, Val};
use crate::{Error, Result};
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::{ToSql, Type};

/// A table as a SQLite file has it: the portable columns.
pub(crate) struct Table {
    pub(crate) name: String,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    kind: ColumnKind,
}

#[derive(Clone, Copy)]
enum ColumnKind {
    Int,
    Text,
    Blob,
}

/// The tables of a SQLite file that hold data; schema versions and number sources are the engine's own.
pub(crate) fn tables(lite: &mut Conn<'_>) -> Result<Vec<Table>> {
    let sql = "select name from sqlite_master where type = 'table' and name not like 'sqlite%' \
               and name not in ('migrations', 'counters') order by name";
    let names = lite.all(sql, &[], |r| r.string(0))?;
    names
        .into_iter()
        .map(|name| {
            let sql = "select name, lower(type) from pragma_table_info($1) order by cid";
            let columns = lite.all(sql, &[(&name).into()], |r| {
                let kind = match r.text(1)? {
                    "integer" => ColumnKind::Int,
                    "text" => ColumnKind::Text,
                    "blob" => ColumnKind::Blob,
                    _ => return Err(Error::Damaged("a column of unknown type")),
                };
                Ok(Column { name: r.string(0)?, kind })
            })?;
            Ok(Table { name, columns })
        })
        .collect()
}

/// Where rows go.
enum Sink<'c> {
    Lite(rusqlite::Statement<'c>),
    Pg(BinaryCopyInWriter<'c>),
}

impl<'c> Sink<'c> {
    fn open(conn: &'c mut Conn<'_>, table: &Table) -> Result<Self> {
        let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        match conn {
            Conn::Lite(conn) => {
                let places: Vec<String> = (1..=names.len()).map(|i| format!("?{i}")).collect();
                let sql =
                    format!("insert into {} ({}) values ({})", table.name, names.join(","), places.join(","));
                Ok(Self::Lite(conn.prepare(&sql)?))
            }
            Conn::Pg(session) => {
                let sql = format!("select {} from {} where 1 = 0", names.join(","), table.name);
                let types: Vec<Type> =
                    session.client.prepare(&sql)?.columns().iter().map(|c| c.type_().clone()).collect();
                let sql = format!("copy {} ({}) from stdin binary", table.name, names.join(","));
                Ok(Self::Pg(BinaryCopyInWriter::new(session.client.copy_in(&sql)?, &types)))
            }
        }
    }

    fn put(&mut self, row: &[Val<'_>]) -> Result<()> {
        match self {
            Self::Lite(statement) => {
                statement.execute(rusqlite::params_from_iter(row))?;
            }
            Self::Pg(writer) => {
                let row: Vec<&(dyn ToSql + Sync)> = row.iter().map(|v| v as &(dyn ToSql + Sync)).collect();
                writer.write(&row)?;
            }
        }
        Ok(())
    }

    fn close(self) -> Result<()> {
        if let Self::Pg(writer) = self {
            writer.finish()?;
        }
        Ok(())
    }
}

/// Copies every row of a table.
pub(crate) fn copy(table: &Table, from: &mut Conn<'_>, to: &mut Conn<'_>) -> Result<()> {
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    // In key order, so that the target appends to its tree.
    let sql = format!("select {} from {} order by 1", names.join(","), table.name);
    let mut sink = Sink::open(to, table)?;
    from.each(&sql, &[], |row| {
        let values = table
            .columns
            .iter()
            .enumerate()
            .map(|(i, column)| value(row, i, column.kind))
            .collect::<Result<Vec<_>>>()?;
        sink.put(&values)
    })?;
    sink.close()
}

fn value<'r>(row: &'r Row<'_>, i: usize, kind: ColumnKind) -> Result<Val<'r>> {
    Ok(match kind {
        ColumnKind::Int => row.opt_int(i)?.into(),
        ColumnKind::Text => row.opt_text(i)?.into(),
        ColumnKind::Blob => row.opt_blob(i)?.into(),
    })
}
