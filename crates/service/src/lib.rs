//! What must happen together, whoever asked: the API, a page, an import or the command line.
//!
//! One function per use case, named by noun and verb (`event::add`, `attribute::edit`). Each validates what it
//! was given (pure, before the lock is taken), then does everything in one transaction of [`pisax_store`].
//! No JSON, no HTML, no SQL text. Reading that needs no rule beyond visibility goes through
//! [`Service::read`] with the store's own functions.

pub mod analyst;
pub mod attribute;
pub mod audit;
pub mod auth_key;
pub mod blocklist;
pub mod blueprint;
pub mod bookmark;
pub mod cluster;
pub mod collection;
mod context;
pub mod correlation_exclusion;
pub mod correlation_switch;
pub mod cryptographic_key;
pub mod dashboard;
pub mod decaying_model;
pub mod delegation;
pub mod enrichment;
pub mod error;
pub mod event;
pub mod event_graph;
pub mod event_lock;
pub mod feed;
mod files;
pub mod first_start;
pub mod job;
pub mod knowledge;
pub mod log_words;
pub mod mail;
pub mod news;
pub mod noticelist;
pub mod object;
pub mod org;
pub mod peer;
pub mod proposal;
pub mod registration;
pub mod report;
pub mod rest_history;
pub mod role;
mod rules;
pub mod sample;
pub mod server;
pub mod setting;
pub mod setup;
pub mod sharing_group;
pub mod sighting;
pub mod tag;
pub mod tag_collection;
pub mod usage;
pub mod user;
pub mod user_setting;
pub mod webhook;
pub mod workflow;

pub use error::{Error, Result};
use parking_lot::{Mutex, RwLock};
use pisax_access::{Actor, ReadingRules};
use pisax_auth::key::KeyHasher;
use pisax_lookup::SharedWarninglists;
use pisax_model::Clock;
use pisax_store::{Reader, Store, Writer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// Settings that change what use cases do; the binary fills them from its configuration.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Address clients reach this instance at, without a final slash.
    pub base_url: String,
    /// Organisation that runs the instance.
    pub host_org_id: i64,
    /// Uuid of this instance.
    pub instance_uuid: pisax_model::Uuid,
    /// By which other servers are called, unless one is reached without.
    pub proxy: Option<String>,
    /// The folder for what is fetched and published; none: neither is done.
    pub data: Option<std::path::PathBuf>,
    /// How long they are waited for and how much is taken of them.
    pub peers: PeerBounds,
}

/// What an answer of another server is bounded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerBounds {
    /// The whole answer, however large.
    pub timeout: std::time::Duration,
    /// One record with its files, in bytes; lists that are read item by item may be four times as long.
    pub limit: u64,
    /// How long an exchange goes on while others wait; then it goes on in its turn.
    pub turn: std::time::Duration,
}

impl Default for PeerBounds {
    fn default() -> Self {
        let ten_minutes = std::time::Duration::from_secs(600);
        Self { timeout: ten_minutes, limit: 256 << 20, turn: ten_minutes }
    }
}

/// The use cases, over one database. [`setup::open`] makes one with everything loaded.
pub struct Service {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub policy: Policy,
    /// Hashes API keys with the secret of this instance.
    pub keys: KeyHasher,
    /// Calls to others.
    pub http: pisax_outbound::Client,
    /// The enabled warninglists.
    pub warninglists: SharedWarninglists,
    /// Held while they are loaded.
    loading: Mutex<()>,
    /// What the settings are where the database says nothing.
    configured: setting::Settings,
    settings: RwLock<setting::Settings>,
    /// When they were read from the database (Unix milliseconds), and held while they are.
    settings_read: AtomicI64,
    reading_settings: Mutex<()>,
    uses: auth_key::Uses,
    /// The key that signs what this instance sends, once it was needed.
    signing: std::sync::OnceLock<pisax_auth::openpgp::SecretKey>,
    /// Whether somebody sends what is in the outbox.
    mail: AtomicBool,
    /// What workflows hand to subscribers, until it is published.
    pushed: workflow::Pushed,
    refused_keys: audit::News,
    turned_away: audit::News,
    asked: mail::Asked,
    accesses: Mutex<audit::Held>,
    counted: Mutex<usage::Counted>,
}

impl Service {
    /// The use cases with nothing loaded: settings as configured, no warninglists.
    pub fn new(store: Store, clock: Arc<dyn Clock>, policy: Policy, keys: KeyHasher) -> Self {
        let configured = setting::Settings {
            unpublished_private: store.rules().unpublished_private,
            ..setting::Settings::default()
        };
        let settings_read = AtomicI64::new(clock.now_ms());
        Self {
            store,
            clock,
            policy,
            keys,
            http: pisax_outbound::Client::default(),
            warninglists: SharedWarninglists::default(),
            loading: Mutex::new(()),
            settings: RwLock::new(configured.clone()),
            configured,
            settings_read,
            reading_settings: Mutex::new(()),
            uses: auth_key::Uses::default(),
            signing: std::sync::OnceLock::new(),
            mail: AtomicBool::new(false),
            pushed: workflow::Pushed::default(),
            refused_keys: audit::News::new(1),
            turned_away: audit::News::new(audit::MOST_PER_HOUR),
            asked: mail::Asked::default(),
            accesses: Mutex::default(),
            counted: Mutex::default(),
        }
    }

    /// What the settings are now. Another process may have changed them: whoever asks first after five seconds
    /// reads them again, so this is asked outside of [`Service::read`] and of use cases.
    pub fn settings(&self) -> setting::Settings {
        setting::refresh(self);
        self.settings.read().clone()
    }

    /// What they were when they were last read, for callers that must not wait for a database.
    fn settings_at_hand(&self) -> setting::Settings {
        self.settings.read().clone()
    }

    fn apply(&self, settings: setting::Settings) {
        self.store.set_rules(ReadingRules {
            unpublished_private: settings.unpublished_private,
            delegation: settings.delegation,
            sightings: settings.sighting_policy,
            anonymous_sightings: settings.anonymous_sightings,
            host_org_id: self.policy.host_org_id,
        });
        *self.settings.write() = settings;
        self.settings_read.store(self.clock.now_ms(), Ordering::Relaxed);
    }

    /// Says that a mail server is set up, and that somebody sends what is in the outbox.
    pub fn send_mail(&self) {
        self.mail.store(true, Ordering::Relaxed);
    }

    /// Whether mails go out from here.
    pub fn sends_mail(&self) -> bool {
        self.mail.load(Ordering::Relaxed) && !self.settings().disable_emailing
    }

    /// Hands JSON to those who subscribe over ZeroMQ.
    fn push(&self, json: String) -> Result<()> {
        match self.settings().zeromq.enable {
            true => self.pushed.push(json),
            false => Err(Error::Refused("ZMQ event publishing not enabled.".into())),
        }
    }

    /// What workflows handed over and nobody took yet.
    pub fn take_pushed(&self) -> Vec<String> {
        self.pushed.take()
    }

    /// Looks at what `actor` may see.
    pub fn read<T>(&self, actor: &Actor, f: impl FnOnce(&mut Reader<'_>) -> Result<T>) -> Result<T> {
        self.store.read(actor, f)
    }

    pub(crate) fn write<T>(&self, actor: &Actor, f: impl FnOnce(&mut Writer<'_>) -> Result<T>) -> Result<T> {
        self.write_bare(actor, f).map_err(Error::or_taken)
    }

    /// The same for who has more to say of a uuid that is taken.
    pub(crate) fn write_bare<T>(
        &self,
        actor: &Actor,
        f: impl FnOnce(&mut Writer<'_>) -> Result<T>,
    ) -> Result<T> {
        self.store.write(actor, self.clock.now_ms(), f)
    }

    /// Unix seconds.
    pub fn now(&self) -> i64 {
        self.clock.now_ms() / 1000
    }
}
