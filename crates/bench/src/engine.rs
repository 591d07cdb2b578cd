//! A database opened past the server: where floors are written and read, and where rows are counted.

use anyhow::{Context as _, Result};
use fallible_iterator::FallibleIterator as _;
use postgres::types::{ToSql, Type};
use rusqlite::OpenFlags;
use std::path::PathBuf;

/// Where a database is.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// An address.
    Postgres(String),
}

impl Database {
    /// As `--database` takes it.
    pub fn argument(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// A connection that writes as the server does: a commit returns when it is on disk, and the page cache
    /// has the size of the server's.
    pub fn open(&self) -> Result<Engine> {
        match self {
            Self::Sqlite(path) => {
                let conn = rusqlite::Connection::open(path)?;
                conn.pragma_update(None, "journal_mode", "wal")?;
                conn.pragma_update(None, "synchronous", "full")?;
                conn.pragma_update(None, "wal_autocheckpoint", 10_000)?;
                sized(conn, 256)
            }
            Self::Postgres(_) => self.open_to_read(),
        }
    }

    /// A connection that only reads, beside a server that may be running.
    pub fn open_to_read(&self) -> Result<Engine> {
        match self {
            Self::Sqlite(path) => {
                let mode = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                // The server's readers have 16 MiB. More only costs a scan: with 256 MiB it took 6 % more
                // processor time (median of 15), for pages that are never looked at again.
                sized(rusqlite::Connection::open_with_flags(path, mode)?, 16)
            }
            Self::Postgres(url) => {
                let mut client =
                    postgres::Client::connect(url, postgres::NoTls).context("connect to PostgreSQL")?;
                client.batch_execute("set synchronous_commit = on; set client_min_messages = warning")?;
                Ok(Engine::Postgres(client))
            }
        }
    }
}

fn sized(conn: rusqlite::Connection, cache_mib: i64) -> Result<Engine> {
    conn.busy_timeout(std::time::Duration::from_secs(30))?;
    conn.pragma_update(None, "cache_size", -1024 * cache_mib)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    Ok(Engine::Sqlite(conn))
}

/// An open database.
pub enum Engine {
    /// SQLite.
    Sqlite(rusqlite::Connection),
    /// PostgreSQL.
    Postgres(postgres::Client),
}

/// A value given to a statement.
#[derive(Debug, Clone, Copy)]
pub enum Arg<'a> {
    /// A 64-bit number.
    Number(i64),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// The columns of a row, borrowed from the driver.
pub trait Columns {
    /// A 64-bit number, or nothing.
    fn number_or_none(&self, at: usize) -> Result<Option<i64>>;
    /// A number from a column of small codes.
    fn small(&self, at: usize) -> Result<i64>;
    /// A text, or nothing.
    fn text_or_none(&self, at: usize) -> Result<Option<&str>>;
    /// Bytes.
    fn bytes(&self, at: usize) -> Result<&[u8]>;

    /// A 64-bit number.
    fn number(&self, at: usize) -> Result<i64> {
        self.number_or_none(at)?.context("a number is missing")
    }

    /// A text.
    fn text(&self, at: usize) -> Result<&str> {
        self.text_or_none(at)?.context("a text is missing")
    }
}

impl Columns for rusqlite::Row<'_> {
    fn number_or_none(&self, at: usize) -> Result<Option<i64>> {
        Ok(self.get_ref(at)?.as_i64_or_null()?)
    }
    fn small(&self, at: usize) -> Result<i64> {
        Ok(self.get_ref(at)?.as_i64()?)
    }
    fn text_or_none(&self, at: usize) -> Result<Option<&str>> {
        Ok(self.get_ref(at)?.as_str_or_null()?)
    }
    fn bytes(&self, at: usize) -> Result<&[u8]> {
        Ok(self.get_ref(at)?.as_blob()?)
    }
}

impl Columns for postgres::Row {
    fn number_or_none(&self, at: usize) -> Result<Option<i64>> {
        Ok(self.try_get(at)?)
    }
    fn small(&self, at: usize) -> Result<i64> {
        Ok(i64::from(self.try_get::<_, i16>(at)?))
    }
    fn text_or_none(&self, at: usize) -> Result<Option<&str>> {
        Ok(self.try_get(at)?)
    }
    fn bytes(&self, at: usize) -> Result<&[u8]> {
        Ok(self.try_get(at)?)
    }
}

/// Takes rows one by one. A trait and not a closure, so that each engine gets code of its own: the floor is
/// to be the bare loop.
pub trait Rows {
    /// The next row.
    fn row<C: Columns>(&mut self, row: &C) -> Result<()>;
}

impl Engine {
    /// Hands each row of a query (values as `$1…`) to `rows`.
    pub fn each<R: Rows>(&mut self, sql: &str, args: &[Arg<'_>], rows: &mut R) -> Result<()> {
        match self {
            Self::Sqlite(conn) => {
                let mut statement = conn.prepare_cached(&sql.replace('$', "?"))?;
                for (i, arg) in args.iter().enumerate() {
                    match arg {
                        Arg::Number(number) => statement.raw_bind_parameter(i + 1, number)?,
                        Arg::Bytes(bytes) => statement.raw_bind_parameter(i + 1, bytes)?,
                    }
                }
                let mut found = statement.raw_query();
                while let Some(row) = found.next()? {
                    rows.row(row)?;
                }
            }
            Self::Postgres(client) => {
                let args = args.iter().map(|arg| match arg {
                    Arg::Number(number) => (number as &(dyn ToSql + Sync), Type::INT8),
                    Arg::Bytes(bytes) => (bytes as &(dyn ToSql + Sync), Type::BYTEA),
                });
                let mut found = client.query_typed_raw(sql, args)?;
                while let Some(row) = found.next()? {
                    rows.row(&row)?;
                }
            }
        }
        Ok(())
    }

    /// The number a query gives.
    pub fn count(&mut self, sql: &str) -> Result<i64> {
        struct One(i64);
        impl Rows for One {
            fn row<C: Columns>(&mut self, row: &C) -> Result<()> {
                self.0 = row.number(0)?;
                Ok(())
            }
        }
        let mut one = One(0);
        self.each(sql, &[], &mut one)?;
        Ok(one.0)
    }

    /// The texts a query gives.
    pub fn texts(&mut self, sql: &str) -> Result<Vec<String>> {
        struct All(Vec<String>);
        impl Rows for All {
            fn row<C: Columns>(&mut self, row: &C) -> Result<()> {
                self.0.push(row.text(0)?.to_owned());
                Ok(())
            }
        }
        let mut all = All(Vec::new());
        self.each(sql, &[], &mut all)?;
        Ok(all.0)
    }

    /// Runs statements without values.
    pub fn run(&mut self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(conn) => conn.execute_batch(sql)?,
            Self::Postgres(client) => client.batch_execute(sql)?,
        }
        Ok(())
    }
}
