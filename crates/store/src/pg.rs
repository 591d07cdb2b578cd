//! PostgreSQL: a fixed set of connections, opened when first needed and replaced when they break.

use crate::conn::{Conn, PgSession};
use crate::{Error, Options, Result, dialect, migrate};
use parking_lot::{Condvar, Mutex};

pub(crate) struct Pool {
    config: postgres::Config,
    free: Mutex<Vec<Option<PgSession>>>,
    freed: Condvar,
    size: usize,
}

/// "PISAX" in ASCII: the advisory lock under which migrations run.
const MIGRATION_LOCK: i64 = 0x50_49_53_41_58;

impl Pool {
    pub(crate) fn open(url: &str, options: Options) -> Result<Self> {
        let config: postgres::Config =
            url.parse().map_err(|e| Error::Address(format!("database: not a PostgreSQL address: {e}")))?;
        let mut session = connect(&config)?;
        session.client.batch_execute(&format!("select pg_advisory_lock({MIGRATION_LOCK})"))?;
        session.client.batch_execute("begin")?;
        session.client.batch_execute(dialect::PG_FOLD)?;
        let migrated = migrate::run(&mut Conn::Pg(&mut session));
        session.client.batch_execute(if migrated.is_ok() { "commit" } else { "rollback" })?;
        session.client.batch_execute(&format!("select pg_advisory_unlock({MIGRATION_LOCK})"))?;
        migrated?;
        let mut free: Vec<Option<PgSession>> = (1..options.connections).map(|_| None).collect();
        free.push(Some(session));
        Ok(Self { config, size: free.len(), free: Mutex::new(free), freed: Condvar::new() })
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// A connection beside the pool, for what lives as long as it does.
    pub(crate) fn own_client(&self) -> Result<postgres::Client> {
        Ok(self.config.connect(postgres::NoTls)?)
    }

    pub(crate) fn read<T, E: From<Error>>(&self, f: impl FnOnce(Conn<'_>) -> Result<T, E>) -> Result<T, E> {
        self.transaction("begin isolation level repeatable read read only", f)
    }

    pub(crate) fn write<T, E: From<Error>>(&self, f: impl FnOnce(Conn<'_>) -> Result<T, E>) -> Result<T, E> {
        self.transaction("begin", f)
    }

    fn transaction<T, E: From<Error>>(
        &self,
        begin: &str,
        f: impl FnOnce(Conn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut lease = Lease { pool: self, session: Some(self.take()?), clean: false };
        let session = lease.session.as_mut().ok_or(Error::Damaged("a lease without a connection"))?;
        session.client.batch_execute(begin).map_err(Error::from)?;
        let result = f(Conn::Pg(session));
        let end = if result.is_ok() { "commit" } else { "rollback" };
        session.client.batch_execute(end).map_err(|e| Error::Commit(e.to_string()))?;
        lease.clean = true;
        result
    }

    fn take(&self) -> Result<PgSession> {
        let slot = {
            let mut free = self.free.lock();
            loop {
                if let Some(slot) = free.pop() {
                    break slot;
                }
                self.freed.wait(&mut free);
            }
        };
        match slot {
            Some(session) if !session.client.is_closed() => Ok(session),
            _ => connect(&self.config).inspect_err(|_| self.give_back(None)),
        }
    }

    fn give_back(&self, session: Option<PgSession>) {
        self.free.lock().push(session);
        self.freed.notify_one();
    }
}

fn connect(config: &postgres::Config) -> Result<PgSession> {
    let mut client = config.connect(postgres::NoTls)?;
    client.batch_execute("set synchronous_commit = on; set client_min_messages = warning")?;
    Ok(PgSession::new(client))
}

/// A borrowed connection. One that was left inside a transaction (a panic, a broken link) is closed, which
/// makes the server roll back.
struct Lease<'a> {
    pool: &'a Pool,
    session: Option<PgSession>,
    clean: bool,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let session = self.session.take().filter(|_| self.clean);
        self.pool.give_back(session);
    }
}
