//! Who is there to do jobs: what a process holds while it lives, and loses with its life, however it ends. Where
//! nobody else is there, the leases in the queue are those of the dead, and need not be waited for.
//!
//! SQLite: a lock on a file beside the database, held by the kernel for the process. PostgreSQL: an advisory lock
//! of a connection of its own, which the server gives up with the connection. Whoever takes jobs holds the lock with
//! others; who alone has it may speak for the dead.

use crate::{Engine, Error, Result, Store, lite, pg};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// "PISAXJOB" in ASCII: the advisory lock of those who do jobs.
const WORKERS: i64 = 0x50_49_53_41_58_4a_4f_42;

/// A place among those who do jobs, for as long as it is kept.
pub struct Presence(Held);

enum Held {
    File(File),
    Session(Box<postgres::Client>),
    /// It could not be told: leases are waited for.
    Nothing,
}

impl Store {
    /// Takes a place among those who do jobs. If nobody else is there, `alone` runs before anybody else can be.
    pub fn join_workers(&self, alone: impl FnOnce() -> Result<()>) -> Result<Presence> {
        match &self.engine {
            Engine::Lite(lite) => by_file(lite, alone),
            Engine::Pg(pool) => by_session(pool, alone),
        }
        .map(Presence)
    }
}

impl Presence {
    /// Whether the place is still held; it may be lost with a connection.
    pub fn holds(&mut self) -> bool {
        match &mut self.0 {
            Held::File(file) => file.metadata().is_ok(),
            Held::Nothing => true,
            Held::Session(client) => client.is_valid(std::time::Duration::from_secs(5)).is_ok(),
        }
    }
}

/// The file stays: removing it would let two processes hold two files of one name.
fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-jobs");
    name.into()
}

fn by_file(lite: &lite::Lite, alone: impl FnOnce() -> Result<()>) -> Result<Held> {
    let path = beside(&lite.path);
    let cannot = |e: std::io::Error| Error::Address(format!("database: cannot lock {}: {e}", path.display()));
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => {
            alone()?;
            // Not in one step: who comes between the two finds nobody doing jobs, which is so.
            file.unlock().map_err(cannot)?;
        }
        Err(TryLockError::WouldBlock) => {}
        // A file system without locks.
        Err(TryLockError::Error(_)) => return Ok(Held::Nothing),
    }
    file.lock_shared().map_err(cannot)?;
    Ok(Held::File(file))
}

fn by_session(pool: &pg::Pool, alone: impl FnOnce() -> Result<()>) -> Result<Held> {
    let mut client = pool.own_client()?;
    let free = client.query_one("select pg_try_advisory_lock($1)", &[&WORKERS])?.try_get::<_, bool>(0)?;
    if free {
        alone()?;
    }
    client.execute("select pg_advisory_lock_shared($1)", &[&WORKERS])?;
    if free {
        client.execute("select pg_advisory_unlock($1)", &[&WORKERS])?;
    }
    Ok(Held::Session(Box::new(client)))
}
