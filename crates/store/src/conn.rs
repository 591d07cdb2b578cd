//! One thin layer over both engines: the same statement text, values by position, rows borrowed from the driver.
//!
//! Statements are written once, in the subset both engines share, with `$1…$n` for values.

use crate::{Error, Result, dialect};
use pisax_model::Uuid;
use postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use rustc_hash::FxHashMap;

/// A value given to a statement.
#[derive(Debug, Clone, Copy)]
pub enum Val<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl From<i64> for Val<'_> {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}
impl From<bool> for Val<'_> {
    fn from(v: bool) -> Self {
        Self::Int(i64::from(v))
    }
}
impl<'a> From<&'a str> for Val<'a> {
    fn from(v: &'a str) -> Self {
        Self::Text(v)
    }
}
impl<'a> From<&'a String> for Val<'a> {
    fn from(v: &'a String) -> Self {
        Self::Text(v)
    }
}
impl<'a> From<&'a [u8]> for Val<'a> {
    fn from(v: &'a [u8]) -> Self {
        Self::Blob(v)
    }
}
impl<'a> From<&'a Uuid> for Val<'a> {
    fn from(v: &'a Uuid) -> Self {
        Self::Blob(v.as_bytes())
    }
}
impl<'a, T: Into<Val<'a>>> From<Option<T>> for Val<'a> {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Val<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(v) => ValueRef::Integer(*v),
            Self::Text(v) => ValueRef::Text(v.as_bytes()),
            Self::Blob(v) => ValueRef::Blob(v),
        }))
    }
}

impl ToSql for Val<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(v) => match *ty {
                Type::INT2 => i16::try_from(*v)?.to_sql(ty, out),
                Type::INT4 => i32::try_from(*v)?.to_sql(ty, out),
                _ => v.to_sql(&Type::INT8, out),
            },
            // PostgreSQL's text cannot hold NUL; the model leaves it out of values, which are kept by their
            // hashes, and anything else that carries one is shown without it.
            Self::Text(v) if v.contains('\0') => v.replace('\0', "").to_sql(ty, out),
            Self::Text(v) => v.to_sql(ty, out),
            Self::Blob(v) => v.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A row, borrowed from the driver for the length of a closure.
pub(crate) enum Row<'r> {
    Lite(&'r rusqlite::Row<'r>),
    Pg(&'r postgres::Row),
}

impl Row<'_> {
    pub(crate) fn opt_int(&self, i: usize) -> Result<Option<i64>> {
        Ok(match self {
            Self::Lite(row) => row.get_ref(i)?.as_i64_or_null().map_err(rusqlite::Error::from)?,
            Self::Pg(row) => match *row.columns()[i].type_() {
                Type::INT2 => row.try_get::<_, Option<i16>>(i)?.map(i64::from),
                Type::INT4 => row.try_get::<_, Option<i32>>(i)?.map(i64::from),
                _ => row.try_get::<_, Option<i64>>(i)?,
            },
        })
    }

    pub(crate) fn int(&self, i: usize) -> Result<i64> {
        self.opt_int(i)?.ok_or(Error::Damaged("a number is missing"))
    }

    pub(crate) fn flag(&self, i: usize) -> Result<bool> {
        Ok(self.int(i)? != 0)
    }

    pub(crate) fn opt_text(&self, i: usize) -> Result<Option<&str>> {
        Ok(match self {
            Self::Lite(row) => row.get_ref(i)?.as_str_or_null().map_err(rusqlite::Error::from)?,
            Self::Pg(row) => row.try_get::<_, Option<&str>>(i)?,
        })
    }

    pub(crate) fn text(&self, i: usize) -> Result<&str> {
        self.opt_text(i)?.ok_or(Error::Damaged("a text is missing"))
    }

    pub(crate) fn string(&self, i: usize) -> Result<String> {
        Ok(self.text(i)?.to_owned())
    }

    pub(crate) fn opt_string(&self, i: usize) -> Result<Option<String>> {
        Ok(self.opt_text(i)?.map(str::to_owned))
    }

    pub(crate) fn opt_blob(&self, i: usize) -> Result<Option<&[u8]>> {
        Ok(match self {
            Self::Lite(row) => row.get_ref(i)?.as_blob_or_null().map_err(rusqlite::Error::from)?,
            Self::Pg(row) => row.try_get::<_, Option<&[u8]>>(i)?,
        })
    }

    pub(crate) fn blob(&self, i: usize) -> Result<&[u8]> {
        self.opt_blob(i)?.ok_or(Error::Damaged("bytes are missing"))
    }

    pub(crate) fn uuid(&self, i: usize) -> Result<Uuid> {
        Uuid::from_slice(self.blob(i)?).map_err(|_| Error::Damaged("a uuid is not 16 bytes"))
    }

    pub(crate) fn opt_uuid(&self, i: usize) -> Result<Option<Uuid>> {
        self.opt_blob(i)?
            .map(|b| Uuid::from_slice(b).map_err(|_| Error::Damaged("a uuid is not 16 bytes")))
            .transpose()
    }
}

/// A PostgreSQL connection with its prepared statements.
pub(crate) struct PgSession {
    pub(crate) client: postgres::Client,
    statements: FxHashMap<String, postgres::Statement>,
}

/// Prepared statements kept per connection; searches compose many texts, so the cache is emptied when full.
const STATEMENTS: usize = 256;

impl PgSession {
    pub(crate) fn new(client: postgres::Client) -> Self {
        Self { client, statements: FxHashMap::default() }
    }

    fn prepare(&mut self, sql: &str) -> Result<postgres::Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql)?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// An open connection inside a transaction.
pub(crate) enum Conn<'c> {
    Lite(&'c rusqlite::Connection),
    Pg(&'c mut PgSession),
}

/// SQLite numbers `$1` by first appearance, `?1` by its number.
fn lite_text(sql: &str) -> String {
    sql.replace('$', "?")
}

impl Conn<'_> {
    pub(crate) fn is_lite(&self) -> bool {
        matches!(self, Self::Lite(_))
    }

    /// The same connection, for a while.
    pub(crate) fn again(&mut self) -> Conn<'_> {
        match self {
            Self::Lite(conn) => Conn::Lite(conn),
            Self::Pg(session) => Conn::Pg(session),
        }
    }

    /// Runs one statement; returns how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &str, args: &[Val<'_>]) -> Result<u64> {
        match self {
            Self::Lite(conn) => {
                let mut statement = conn.prepare_cached(&lite_text(sql))?;
                Ok(statement.execute(rusqlite::params_from_iter(args))? as u64)
            }
            Self::Pg(session) => {
                let statement = session.prepare(sql)?;
                let args: Vec<&(dyn ToSql + Sync)> = args.iter().map(|a| a as &(dyn ToSql + Sync)).collect();
                Ok(session.client.execute(&statement, &args)?)
            }
        }
    }

    /// Hands each row of a query to `f`, one at a time, in constant memory.
    pub(crate) fn each(
        &mut self,
        sql: &str,
        args: &[Val<'_>],
        mut f: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Lite(conn) => {
                let mut statement = conn.prepare_cached(&lite_text(sql))?;
                let mut rows = statement.query(rusqlite::params_from_iter(args))?;
                while let Some(row) = rows.next()? {
                    f(&Row::Lite(row))?;
                }
                Ok(())
            }
            Self::Pg(session) => {
                use fallible_iterator::FallibleIterator;
                let statement = session.prepare(sql)?;
                let args = args.iter().map(|a| a as &dyn ToSql);
                let mut rows = session.client.query_raw(&statement, args)?;
                while let Some(row) = rows.next()? {
                    f(&Row::Pg(&row))?;
                }
                Ok(())
            }
        }
    }

    pub(crate) fn all<T>(
        &mut self,
        sql: &str,
        args: &[Val<'_>],
        mut f: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut list = Vec::new();
        self.each(sql, args, |row| {
            list.push(f(row)?);
            Ok(())
        })?;
        Ok(list)
    }

    /// The first row, if any.
    pub(crate) fn first<T>(
        &mut self,
        sql: &str,
        args: &[Val<'_>],
        mut f: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut found = None;
        self.each(sql, args, |row| {
            if found.is_none() {
                found = Some(f(row)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The number in the first column of the first row; 0 when there is none.
    pub(crate) fn number(&mut self, sql: &str, args: &[Val<'_>]) -> Result<i64> {
        Ok(self.first(sql, args, |row| row.opt_int(0))?.flatten().unwrap_or(0))
    }

    /// Inserts many rows: one prepared statement on SQLite, COPY on PostgreSQL.
    pub(crate) fn bulk<'v, const N: usize>(
        &mut self,
        table: &str,
        columns: [(&str, Kind); N],
        rows: impl Iterator<Item = [Val<'v>; N]>,
    ) -> Result<()> {
        let names: Vec<&str> = columns.iter().map(|c| c.0).collect();
        match self {
            Self::Lite(conn) => {
                let marks: Vec<String> = (1..=N).map(|i| format!("?{i}")).collect();
                let sql = format!("insert into {table} ({}) values ({})", names.join(","), marks.join(","));
                let mut statement = conn.prepare_cached(&sql)?;
                for row in rows {
                    statement.execute(rusqlite::params_from_iter(row.iter()))?;
                }
                Ok(())
            }
            Self::Pg(session) => {
                let sql = format!("copy {table} ({}) from stdin binary", names.join(","));
                let types: Vec<Type> = columns.iter().map(|c| c.1.pg()).collect();
                let sink = session.client.copy_in(&sql)?;
                let mut writer = postgres::binary_copy::BinaryCopyInWriter::new(sink, &types);
                for row in rows {
                    let refs: Vec<&(dyn ToSql + Sync)> =
                        row.iter().map(|v| v as &(dyn ToSql + Sync)).collect();
                    writer.write(&refs)?;
                }
                let rows = writer.finish()?;
                if rows >= MANY { dialect::learn_size(self, table, rows) } else { Ok(()) }
            }
        }
    }
}

/// From this many rows at once a table may look quite different to the planner of PostgreSQL.
const MANY: u64 = 5000;

/// Column types of a bulk insert.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Int,
    Small,
    Text,
    Blob,
}

impl Kind {
    fn pg(self) -> Type {
        match self {
            Self::Int => Type::INT8,
            Self::Small => Type::INT2,
            Self::Text => Type::TEXT,
            Self::Blob => Type::BYTEA,
        }
    }
}
