//! SQLite: one writer whose waiting writes share a commit, several readers.
//!
//! Write-ahead log with `synchronous = FULL`: a commit returns when the log is on disk. One such commit takes
//! about a millisecond, so writes that wait for the lock join the open transaction (each in its own savepoint)
//! and all of them return when the last one has committed for the group.

use crate::conn::Conn;
use crate::{Error, Options, Result, migrate};
use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, OpenFlags, functions::FunctionFlags};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most writes that share one commit: bounds how long the first one waits.
const GROUP: usize = 64;

/// Failed groups remembered for members that have not woken yet.
const FAILURES: usize = 1024;

pub(crate) struct Lite {
    writer: Mutex<WriteState>,
    committed: Condvar,
    waiting: AtomicUsize,
    readers: Mutex<Vec<Connection>>,
    freed: Condvar,
    size: usize,
    pub(crate) path: PathBuf,
}

struct WriteState {
    conn: Connection,
    open: bool,
    /// Number of the open (or last) group, and how many writes it holds.
    group: u64,
    members: usize,
    /// Last group that ended, and the groups among the recent ones that failed, with the reason.
    ended: u64,
    failed: VecDeque<(u64, String)>,
}

fn connect(path: &Path, cache_mib: i64, read_only: bool) -> Result<Connection> {
    let mode = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    let conn = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(std::time::Duration::from_secs(30))?;
    conn.set_prepared_statement_cache_capacity(256);
    conn.pragma_update(None, "case_sensitive_like", true)?;
    conn.pragma_update(None, "cache_size", -1024 * cache_mib)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    add_functions(&conn)?;
    Ok(conn)
}

/// An empty database that is gone with its connection.
pub(crate) fn in_memory() -> Result<Connection> {
    let conn = Connection::open_in_memory()?;
    add_functions(&conn)?;
    Ok(conn)
}

fn add_functions(conn: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("pisax_fold", 1, flags, |ctx| {
        let text = ctx.get_raw(0).as_str().unwrap_or_default();
        Ok(pisax_model::fold::fold(text).into_owned())
    })?;
    Ok(())
}

impl Lite {
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self> {
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|e| Error::Address(format!("database: cannot make {}: {e}", folder.display())))?;
        }
        let conn = connect(path, options.cache_mib, false)?;
        conn.pragma_update(None, "journal_mode", "wal")?;
        conn.pragma_update(None, "synchronous", "full")?;
        // 200 MB of log between checkpoints: the index pages that every bulk write touches anew are then written
        // back once for many of them, which is what ingest costs most once millions of rows are stored.
        conn.pragma_update(None, "wal_autocheckpoint", 50_000)?;
        conn.execute_batch("begin immediate")?;
        match migrate::run(&mut Conn::Lite(&conn)) {
            Ok(()) => conn.execute_batch("commit")?,
            Err(e) => {
                conn.execute_batch("rollback")?;
                return Err(e);
            }
        }
        let readers =
            (0..options.connections).map(|_| connect(path, 16, true)).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            writer: Mutex::new(WriteState {
                conn,
                open: false,
                group: 0,
                members: 0,
                ended: 0,
                failed: VecDeque::new(),
            }),
            committed: Condvar::new(),
            waiting: AtomicUsize::new(0),
            size: readers.len(),
            readers: Mutex::new(readers),
            freed: Condvar::new(),
            path: path.to_owned(),
        })
    }

    pub(crate) fn readers(&self) -> usize {
        self.size
    }

    pub(crate) fn read<T, E: From<Error>>(&self, f: impl FnOnce(Conn<'_>) -> Result<T, E>) -> Result<T, E> {
        let lease = Lease { lite: self, conn: Some(self.take_reader()) };
        let conn = lease.conn.as_ref().ok_or(Error::Damaged("a lease without a connection"))?;
        conn.execute_batch("begin").map_err(Error::from)?;
        f(Conn::Lite(conn))
    }

    fn take_reader(&self) -> Connection {
        let mut free = self.readers.lock();
        loop {
            if let Some(conn) = free.pop() {
                return conn;
            }
            self.freed.wait(&mut free);
        }
    }

    pub(crate) fn write<T, E: From<Error>>(&self, f: impl FnOnce(Conn<'_>) -> Result<T, E>) -> Result<T, E> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut state = self.writer.lock();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        if !state.open {
            state.conn.execute_batch("begin immediate").map_err(Error::from)?;
            state.open = true;
            state.group += 1;
            state.members = 0;
        }
        state.members += 1;
        let group = state.group;
        let result = guarded(&state.conn, f);
        if state.conn.is_autocommit() {
            // Disk full, I/O error, out of memory: SQLite may undo the whole transaction by itself, and with it
            // what the others in the group wrote.
            self.end(&mut state, Some("SQLite undid the transaction".into()));
        } else if self.waiting.load(Ordering::SeqCst) == 0 || state.members >= GROUP {
            self.commit(&mut state);
        }
        match result {
            Ok(Err(e)) => Err(e),
            Ok(Ok(value)) => {
                while state.ended < group {
                    self.committed.wait(&mut state);
                }
                match state.failed.iter().find(|(number, _)| *number == group) {
                    Some((_, reason)) => Err(Error::Commit(reason.clone()).into()),
                    None => Ok(value),
                }
            }
            Err(panic) => {
                drop(state);
                std::panic::resume_unwind(panic)
            }
        }
    }

    fn commit(&self, state: &mut WriteState) {
        let failure = state.conn.execute_batch("commit").err().map(|e| {
            let _ = state.conn.execute_batch("rollback");
            e.to_string()
        });
        self.end(state, failure);
    }

    /// Closes the open group and tells its members how it went.
    fn end(&self, state: &mut WriteState, failure: Option<String>) {
        if let Some(reason) = failure {
            state.failed.push_back((state.group, reason));
            if state.failed.len() > FAILURES {
                state.failed.pop_front();
            }
        }
        state.open = false;
        state.ended = state.group;
        self.committed.notify_all();
    }

    /// A consistent copy of the whole database, made while it is in use.
    pub(crate) fn copy_to(&self, file: &Path) -> Result<()> {
        let source = connect(&self.path, 16, true)?;
        let mut target = Connection::open(file)?;
        // In one step: between steps, any write would make it begin anew.
        let backup = rusqlite::backup::Backup::new(&source, &mut target)?;
        if backup.step(-1)? != rusqlite::backup::StepResult::Done {
            return Err(Error::Address(format!("backup: {} is locked", file.display())));
        }
        Ok(())
    }
}

impl Drop for Lite {
    /// Readers first: the writer is then the last to close, which brings the log into the file and removes it.
    fn drop(&mut self) {
        self.readers.get_mut().clear();
    }
}

/// Runs one write in its savepoint: kept on success, undone on error or panic.
fn guarded<T, E: From<Error>>(
    conn: &Connection,
    f: impl FnOnce(Conn<'_>) -> Result<T, E>,
) -> std::thread::Result<Result<T, E>> {
    if let Err(e) = conn.execute_batch("savepoint one") {
        return Ok(Err(Error::from(e).into()));
    }
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f(Conn::Lite(conn))));
    if conn.is_autocommit() {
        return match result {
            Ok(Ok(_)) => Ok(Err(Error::Commit("SQLite undid the transaction".into()).into())),
            failed => failed,
        };
    }
    let end = if matches!(result, Ok(Ok(_))) { "release one" } else { "rollback to one; release one" };
    match conn.execute_batch(end) {
        Ok(()) => result,
        Err(e) => Ok(Err(Error::from(e).into())),
    }
}

/// A borrowed reading connection; its snapshot ends and it goes back when dropped.
struct Lease<'a> {
    lite: &'a Lite,
    conn: Option<Connection>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            let _ = conn.execute_batch("rollback");
            self.lite.readers.lock().push(conn);
            self.lite.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
