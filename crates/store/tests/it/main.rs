//! The store on both engines. Every body runs on SQLite, and on PostgreSQL too when `PISAX_TEST_POSTGRES` is the
//! address of a superuser (`postgres://…/postgres`): each in a database of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod accounts;
mod audit;
mod changes;
mod clusters;
mod collections;
mod correlation;
mod files;
mod maintenance;
mod people;
mod proposals;
mod reports;
mod scoring;
mod search;
mod sharing;
mod sightings;
mod streams;
mod tags;
mod tombstones;
mod visibility;
mod vocabulary;
mod workflows;

use pisax_access::Actor;
use pisax_model::attribute::{AttributeDraft, Defaults, NewAttribute, complete};
use pisax_model::event::Event;
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::org::OrgDraft;
use pisax_model::permission::{Permission, Permissions};
use pisax_model::user::User;
use pisax_model::{Distribution, Uuid};
use pisax_store::{Address, Error, Options, Reader, Result, Store, Writer};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

pub const NOW_MS: i64 = 1_767_225_600_000;
pub const NOW: i64 = NOW_MS / 1000;

/// One engine with one fresh database; both go when it is dropped.
pub struct Trial {
    pub store: Store,
    pub address: Address,
    folder: PathBuf,
    admin: Option<(String, String)>,
}

fn unique(name: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("pisax_{}_{}_{name}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

fn options() -> Options {
    Options { connections: 3, cache_mib: 16, ..Options::default() }
}

impl Trial {
    pub fn on_sqlite(name: &str) -> Self {
        let folder = std::env::temp_dir().join(unique(name));
        std::fs::create_dir_all(&folder).unwrap();
        let address = Address::Sqlite(folder.join("pisax.db"));
        Self { store: Store::open(&address, options()).unwrap(), address, folder, admin: None }
    }

    pub fn on_postgres(name: &str) -> Option<Self> {
        let admin = std::env::var("PISAX_TEST_POSTGRES").ok()?;
        let mut database = unique(name);
        database.truncate(63);
        let mut client = postgres::Client::connect(&admin, postgres::NoTls).unwrap();
        client.batch_execute(&format!("create database {database} template template0")).unwrap();
        let (server, _) = admin.rsplit_once('/').unwrap();
        let address = Address::Postgres(format!("{server}/{database}"));
        let folder = std::env::temp_dir().join(&database);
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open(&address, options()).unwrap();
        Some(Self { store, address, folder, admin: Some((admin, database)) })
    }

    /// The same database, opened anew.
    pub fn reopened(&self) -> Store {
        Store::open(&self.address, options()).unwrap()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Changes rows behind the store's back.
    pub fn tamper(&self, sql: &str) {
        match &self.address {
            Address::Sqlite(path) => rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap(),
            Address::Postgres(url) => {
                postgres::Client::connect(url, postgres::NoTls).unwrap().batch_execute(sql).unwrap();
            }
        }
    }

    pub fn read<T>(&self, f: impl FnOnce(&mut Reader<'_>) -> Result<T>) -> T {
        self.store.read(&system(), f).unwrap()
    }

    pub fn write<T>(&self, f: impl FnOnce(&mut Writer<'_>) -> Result<T>) -> T {
        self.store.write(&system(), NOW_MS, f).unwrap()
    }

    /// What a write is refused with.
    pub fn refusal<T>(&self, f: impl FnOnce(&mut Writer<'_>) -> Result<T>) -> Error {
        self.store.write(&system(), NOW_MS, f).err().expect("it is refused")
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Some((admin, database)) = &self.admin
            && let Ok(mut client) = postgres::Client::connect(admin, postgres::NoTls)
        {
            let _ = client.batch_execute(&format!("drop database if exists {database} with (force)"));
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Runs a body on every engine there is.
pub fn on_each_engine(name: &str, body: impl Fn(&Trial)) {
    body(&Trial::on_sqlite(name));
    if let Some(trial) = Trial::on_postgres(name) {
        body(&trial);
    }
}

pub fn system() -> Actor {
    Actor::system("test")
}

/// A plain user of an organisation.
pub fn member(org_id: i64) -> Actor {
    let permissions = Permissions::of(&[Permission::Add, Permission::Modify, Permission::ModifyOrg]);
    Actor {
        user_id: 100 + org_id,
        org_id,
        permissions,
        host_org: false,
        reason: None,
        origin: Default::default(),
    }
}

pub fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x5f9a_2b1c_0000_4000_8000_0000_0000_0000 + number)
}

pub fn org(w: &mut Writer<'_>, name: &str) -> Result<i64> {
    w.add_org(&OrgDraft { name: Some(name.into()), ..OrgDraft::default() }, new_uuid(NOW_MS), true)
}

pub fn user(email: &str, org_id: i64, role_id: i64) -> User {
    User {
        id: 0,
        org_id,
        role_id,
        email: email.into(),
        autoalert: false,
        contactalert: true,
        disabled: false,
        change_pw: true,
        termsaccepted: false,
        gpgkey: None,
        certif_public: String::new(),
        nids_sid: 4_000_000,
        invited_by: 1,
        current_login: 0,
        last_login: 0,
        last_api_access: 0,
        date_created: 0,
        date_modified: 0,
        last_pw_change: None,
        expiration: None,
        notification_daily: false,
        notification_weekly: true,
        notification_monthly: false,
    }
}

pub fn event(org_id: i64, distribution: i64, sharing_group_id: i64) -> Event {
    Event {
        id: 0,
        uuid: new_uuid(NOW_MS),
        org_id,
        orgc_id: org_id,
        user_id: 1,
        date: "2026-01-01".into(),
        info: "Phishing wave".into(),
        threat_level_id: 2,
        analysis: 0,
        published: true,
        publish_timestamp: NOW,
        timestamp: NOW,
        sighting_timestamp: 0,
        attribute_count: 0,
        distribution,
        sharing_group_id,
        locked: false,
        proposal_email_lock: false,
        disable_correlation: false,
        extends_uuid: None,
        protected: None,
    }
}

pub fn attribute(kind: &str, value: &str) -> NewAttribute {
    let draft =
        AttributeDraft { kind: Some(kind.into()), value: Some(value.into()), ..AttributeDraft::default() };
    complete(draft, false, 0, &Defaults { now_ms: NOW_MS, distribution: Distribution::Inherit }).unwrap()
}

/// Adds an event with these `(type, value)` attributes; gives its row number and theirs.
pub fn filled_event(w: &mut Writer<'_>, event: &Event, values: &[(&str, &str)]) -> Result<(i64, Vec<i64>)> {
    let id = w.insert_event(event)?;
    let attributes: Vec<NewAttribute> = values.iter().map(|(kind, value)| attribute(kind, value)).collect();
    let rows: Vec<(i64, &NewAttribute)> = attributes.iter().map(|a| (0, a)).collect();
    let ids = w.insert_attributes(id, &rows)?;
    w.add_to_count(id, ids.len() as i64)?;
    Ok((id, ids))
}

#[test]
fn a_reference_finds_by_number_and_by_uuid() {
    on_each_engine("reference", |t| {
        let id = t.write(|w| org(w, "CERT Examplia"));
        let found = t.read(|r| r.org(Ref::Id(id))).unwrap();
        assert_eq!(t.read(|r| r.org(Ref::Uuid(found.uuid))).unwrap(), found);
        assert_eq!(t.read(|r| r.org(Ref::Id(id + 1))), None);
    });
}
