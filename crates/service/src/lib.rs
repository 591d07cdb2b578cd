//! What must happen together, whoever asked: the API, a page, an import or the command line.
//!
//! One function per use case, named by noun and verb (`event::add`, `attribute::edit`). Each validates what it
//! was given (pure, before the lock is taken), then does everything in one transaction of [`pisax_store`].
//! No JSON, no HTML, no SQL text. Reading that needs no rule beyond visibility goes through
//! [`Service::read`] with the store's own functions.

pub mod analyst;
pub mod attribute;
pub mod auth_key;
pub mod blocklist;
pub mod cluster;
mod context;
pub mod correlation_exclusion;
pub mod decaying_model;
pub mod delegation;
pub mod error;
pub mod event;
pub mod event_graph;
pub mod first_start;
pub mod knowledge;
pub mod noticelist;
pub mod object;
pub mod org;
pub mod proposal;
pub mod report;
pub mod role;
mod rules;
pub mod setting;
pub mod setup;
pub mod sharing_group;
pub mod sighting;
pub mod tag;
pub mod tag_collection;
pub mod user;

pub use error::{Error, Result};
use parking_lot::{Mutex, RwLock};
use pisax_access::{Actor, ReadingRules};
use pisax_auth::key::KeyHasher;
use pisax_lookup::SharedWarninglists;
use pisax_model::Clock;
use pisax_store::{Reader, Store, Writer};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Settings that change what use cases do; the binary fills them from its configuration.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Address clients reach this instance at, without a final slash.
    pub base_url: String,
    /// Organisation that runs the instance.
    pub host_org_id: i64,
    /// Uuid of this instance.
    pub instance_uuid: pisax_model::Uuid,
}

/// The use cases, over one database. [`setup::open`] makes one with everything loaded.
pub struct Service {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub policy: Policy,
    /// Hashes API keys with the secret of this instance.
    pub keys: KeyHasher,
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
            warninglists: SharedWarninglists::default(),
            loading: Mutex::new(()),
            configured,
            settings: RwLock::new(configured),
            settings_read,
            reading_settings: Mutex::new(()),
            uses: auth_key::Uses::default(),
        }
    }

    /// What the settings are now. Another process may have changed them: whoever asks first after five seconds
    /// reads them again, so this is asked outside of [`Service::read`] and of use cases.
    pub fn settings(&self) -> setting::Settings {
        setting::refresh(self);
        *self.settings.read()
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
