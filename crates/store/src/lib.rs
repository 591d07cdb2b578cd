//! How it is kept, found, hidden and counted: every line of SQL in the platform.
//!
//! The only doors are [`Store::read`] and [`Store::write`]; both take the actor, and every select composes the
//! actor's visibility (`predicate.rs`), so nothing is filtered afterwards. One call of `write` is one
//! transaction: all of it or nothing, durable when it returns. Each transaction appends what it changed to the
//! change log in the same commit (`changes.rs`).
//!
//! Statements are written once for both engines (`conn.rs`); `dialect.rs` is the only file with two branches.
//! To add a noun: one file, functions on `Reader` for looking and on `Writer` for changing.

pub mod access_log;
pub mod analyst;
pub mod attributes;
pub mod audit;
pub mod blocklist;
pub mod blueprints;
pub mod bookmarks;
pub mod changes;
pub mod cluster_relations;
pub mod clusters;
pub mod collections;
pub mod commits;
mod conn;
mod copy;
pub mod correlations;
pub mod cryptographic_keys;
pub mod dashboards;
pub mod decaying;
pub mod delegations;
mod dialect;
mod differences;
mod error;
pub mod event_graphs;
pub mod event_locks;
pub mod events;
pub mod exclusions;
pub mod feed_runs;
pub mod feeds;
pub mod files;
pub mod inbox;
pub mod jobs;
pub mod keys;
pub mod knowledge;
mod list;
mod lite;
pub mod mails;
pub mod maintenance;
pub mod merge;
mod migrate;
pub mod news;
pub mod noticelists;
pub mod objects;
pub mod occurrences;
pub mod orgs;
pub mod peers;
mod pg;
mod predicate;
pub mod presence;
pub mod proposals;
pub mod published_feeds;
pub mod reports;
pub mod rest_history;
pub mod roles;
pub mod schema;
pub mod search;
pub mod servers;
pub mod sessions;
pub mod settings;
pub mod sharing;
pub mod sightings;
pub mod source_cache;
pub mod statistics;
pub mod streams;
pub mod tag_collections;
pub mod tags;
mod trim;
pub mod user_settings;
pub mod users;
pub mod warninglists;
pub mod webhooks;
pub mod workflows;

use conn::Conn;
pub use error::{Error, Result};
use pisax_access::{Actor, ReadingRules};
use pisax_model::correlation::HashKey;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, PoisonError, RwLock};

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Sqlite(std::path::PathBuf),
    Postgres(String),
}

impl Address {
    /// Reads `sqlite:PATH` or `postgres://…`.
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            if path.is_empty() {
                return Err(Error::Address("database: sqlite: needs a path, as in sqlite:pisax.db".into()));
            }
            return Ok(Self::Sqlite(path.trim_start_matches("//").into()));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(Error::Address(format!("database: '{text}' is neither sqlite:PATH nor postgres://…")))
    }
}

/// How the engine is used.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Connections for reading (SQLite) or for everything (PostgreSQL).
    pub connections: usize,
    /// SQLite page cache of the writing connection, in MiB.
    pub cache_mib: i64,
    /// Unpublished events are for their owner alone (MISP.unpublishedprivate).
    pub unpublished_private: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 6, cache_mib: 256, unpublished_private: false }
    }
}

enum Engine {
    Lite(lite::Lite),
    Pg(pg::Pool),
}

/// An open database.
pub struct Store {
    engine: Engine,
    files: Arc<files::Files>,
    key: HashKey,
    rules: RwLock<ReadingRules>,
    commits: commits::Commits,
}

/// A consistent look at the data on behalf of one actor.
pub struct Reader<'a> {
    pub(crate) conn: Conn<'a>,
    pub(crate) actor: &'a Actor,
    pub(crate) files: &'a Arc<files::Files>,
    pub(crate) key: HashKey,
    pub(crate) rules: ReadingRules,
}

/// A transaction on behalf of one actor; also a [`Reader`] of its own changes.
pub struct Writer<'a> {
    reader: Reader<'a>,
    /// Unix milliseconds.
    pub now_ms: i64,
    pub(crate) changes: Vec<changes::Change>,
}

impl<'a> Deref for Writer<'a> {
    type Target = Reader<'a>;
    fn deref(&self) -> &Reader<'a> {
        &self.reader
    }
}

impl<'a> DerefMut for Writer<'a> {
    fn deref_mut(&mut self) -> &mut Reader<'a> {
        &mut self.reader
    }
}

impl Reader<'_> {
    pub fn actor(&self) -> &Actor {
        self.actor
    }

    /// What the settings say about reading.
    pub fn rules(&self) -> ReadingRules {
        self.rules
    }
}

impl Writer<'_> {
    /// Unix seconds.
    pub fn now(&self) -> i64 {
        self.now_ms / 1000
    }

    /// Goes on in the same transaction with what another actor sees and may; whose doing it is, in the change log,
    /// stays.
    pub fn acting<T>(&mut self, actor: &Actor, f: impl FnOnce(&mut Writer<'_>) -> T) -> T {
        let Reader { conn, files, key, rules, .. } = &mut self.reader;
        let reader = Reader { conn: conn.again(), actor, files, key: *key, rules: *rules };
        let changes = std::mem::take(&mut self.changes);
        let mut inner = Writer { reader, now_ms: self.now_ms, changes };
        let result = f(&mut inner);
        self.changes = inner.changes;
        result
    }
}

impl Store {
    /// Opens (and creates or migrates) a database.
    pub fn open(address: &Address, options: Options) -> Result<Self> {
        let engine = match address {
            Address::Sqlite(path) => Engine::Lite(lite::Lite::open(path, options)?),
            Address::Postgres(url) => Engine::Pg(pg::Pool::open(url, options)?),
        };
        let mut store = Self {
            engine,
            files: Arc::default(),
            key: HashKey(0, 0),
            rules: RwLock::new(ReadingRules {
                unpublished_private: options.unpublished_private,
                ..ReadingRules::default()
            }),
            commits: commits::Commits::default(),
        };
        store.key = store.instance_key()?;
        Ok(store)
    }

    /// Runs `f` on one snapshot, seeing what `actor` may see.
    pub fn read<T, E: From<Error>>(
        &self,
        actor: &Actor,
        f: impl FnOnce(&mut Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (files, key, rules) = (&self.files, self.key, self.rules());
        let run = |conn: Conn<'_>| f(&mut Reader { conn, actor, files, key, rules });
        match &self.engine {
            Engine::Lite(lite) => lite.read(run),
            Engine::Pg(pool) => pool.read(run),
        }
    }

    /// Runs `f` as one transaction. When it returns `Ok`, everything is on disk; when it returns an error,
    /// nothing of it remains.
    pub fn write<T, E: From<Error>>(
        &self,
        actor: &Actor,
        now_ms: i64,
        f: impl FnOnce(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (files, key, rules) = (&self.files, self.key, self.rules());
        let run = |conn: Conn<'_>| {
            let reader = Reader { conn, actor, files, key, rules };
            let mut writer = Writer { reader, now_ms, changes: Vec::new() };
            let result = f(&mut writer)?;
            let changed = !writer.changes.is_empty();
            writer.append_changes()?;
            Ok((result, changed))
        };
        let written = match &self.engine {
            Engine::Lite(lite) => lite.write(run),
            Engine::Pg(pool) => pool.write(run),
        };
        written.map(|(result, changed)| {
            if changed {
                self.commits.fire();
            }
            result
        })
    }

    /// Tells whoever waits for it that something was committed.
    pub fn commits(&self) -> &commits::Commits {
        &self.commits
    }

    /// From now on commits of other processes on the same database are told as well, where the engine has a way.
    pub fn hear_others(&self) -> Result<()> {
        match &self.engine {
            Engine::Lite(_) => Ok(()),
            Engine::Pg(pool) => pool.hear_others(self.commits.clone()),
        }
    }

    /// What the settings say about reading.
    pub fn rules(&self) -> ReadingRules {
        // A plain copy: whoever panicked while holding the lock left a whole one.
        *self.rules.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes that for reads and writes that begin from now on.
    pub fn set_rules(&self, rules: ReadingRules) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// How many reads and writes can be under way at once; more only wait.
    pub fn connections(&self) -> usize {
        match &self.engine {
            Engine::Lite(lite) => lite.readers() + 2,
            Engine::Pg(pool) => pool.size(),
        }
    }

    /// The secret that values are hashed with, made once per database.
    fn instance_key(&self) -> Result<HashKey> {
        let actor = Actor::system("read the instance key");
        let stored = self.read(&actor, |r| r.setting("instance.hash_key"))?;
        let text = match stored {
            Some(text) => text,
            None => self.write(&actor, 0, |w| {
                let mut bytes = [0u8; 16];
                getrandom::fill(&mut bytes).map_err(|_| Error::Damaged("no random source"))?;
                w.add_setting("instance.hash_key", &format!("{:032x}", u128::from_be_bytes(bytes)))
            })?,
        };
        let number = u128::from_str_radix(&text, 16).map_err(|_| Error::Damaged("the instance key"))?;
        Ok(HashKey((number >> 64) as u64, number as u64))
    }
}
