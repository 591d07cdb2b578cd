//! PostgreSQL: a fixed set of connections, opened when first needed and replaced when they break.

use crate::commits::Commits;
use crate::conn::{Conn, PgSession};
use crate::{Error, Options, Result, dialect, migrate};
use fallible_iterator::FallibleIterator;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) struct Pool {
    config: postgres::Config,
    free: Mutex<Vec<Option<PgSession>>>,
    freed: Condvar,
    size: usize,
    /// Set when this is dropped: who listens to other processes ends.
    over: Arc<AtomicBool>,
}

/// How often who listens looks whether it is over, and how long after a broken connection he opens another.
const LISTENING: Duration = Duration::from_secs(1);

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
        Ok(Self {
            config,
            size: free.len(),
            free: Mutex::new(free),
            freed: Condvar::new(),
            over: Arc::default(),
        })
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

    /// Listens to other processes on a connection of its own, in a thread of its own.
    pub(crate) fn hear_others(&self, commits: Commits) -> Result<()> {
        let (config, over) = (self.config.clone(), Arc::clone(&self.over));
        let hear = move || {
            while !over.load(Ordering::Relaxed) {
                if let Err(error) = hear(&config, &over, &commits) {
                    tracing::warn!(%error, "commits of other processes are not heard just now");
                    std::thread::park_timeout(LISTENING);
                }
            }
        };
        let thread = std::thread::Builder::new().name("commits".into()).spawn(hear);
        thread.map(drop).map_err(|e| Error::Address(format!("database: no thread to listen in: {e}")))
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

fn hear(config: &postgres::Config, over: &AtomicBool, commits: &Commits) -> Result<()> {
    let mut client = config.connect(postgres::NoTls)?;
    client.batch_execute(&format!("listen {}", dialect::CHANGED))?;
    // What was committed while nobody listened is looked for.
    commits.fire();
    while !over.load(Ordering::Relaxed) {
        {
            let mut notifications = client.notifications();
            let mut heard = notifications.timeout_iter(LISTENING);
            while heard.next()?.is_some() {
                commits.fire();
            }
        }
        if client.is_closed() {
            return Err(Error::Address("database: the connection was closed".into()));
        }
    }
    Ok(())
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
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
