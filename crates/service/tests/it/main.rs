//! Use cases on a fresh SQLite database each. What the store does on PostgreSQL is the store's own test.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod accounts;
mod audit;
mod clusters;
mod collaboration;
mod groups;
mod knowledge;
mod mails;
mod people;
mod reports;
mod scoring;
mod sharing;
mod sightings;
mod transit;
mod workflows;
mod writes;

use pisax_access::Actor;
use pisax_model::Clock;
use pisax_model::event::EventDraft;
use pisax_model::ids::Ref;
use pisax_model::org::OrgDraft;
use pisax_model::user::UserDraft;
use pisax_service::first_start::{Created, FirstStart, first_start};
use pisax_service::{Error, Service, event, org, setup, user};
use pisax_store::{Address, Options, Store};
use std::sync::Arc;

pub const NOW: i64 = 1_767_225_600;
pub const PASSWORD: &str = "Correct-Horse-Battery-9";

/// Stock roles, as clients written for MISP know them.
pub const ORG_ADMIN: i64 = 2;
pub const USER: i64 = 3;
pub const SYNC: i64 = 5;

pub struct Still;

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        NOW * 1000
    }
}

/// An installation after its first start.
pub struct Here {
    pub service: Service,
    pub created: Created,
    _folder: tempfile::TempDir,
}

pub fn store(folder: &tempfile::TempDir) -> Store {
    let address = Address::Sqlite(folder.path().join("pisax.db"));
    Store::open(&address, Options { connections: 2, cache_mib: 8, ..Options::default() }).unwrap()
}

pub fn here() -> Here {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let given = FirstStart { password: Some(PASSWORD.into()), ..FirstStart::default() };
    let created = first_start(&store, &Still, given).unwrap().unwrap();
    let service = setup::open(store, Arc::new(Still), "https://pisax.example/").unwrap();
    Here { service, created, _folder: folder }
}

impl Here {
    /// The site admin of the first start.
    pub fn admin(&self) -> Actor {
        self.actor(1)
    }

    pub fn actor(&self, user_id: i64) -> Actor {
        let viewed = user::view(&self.service, &Actor::system("a test"), user_id).unwrap();
        Actor {
            user_id,
            org_id: viewed.org.id,
            permissions: viewed.role.permissions,
            host_org: viewed.org.id == self.service.policy.host_org_id,
            reason: None,
            origin: Default::default(),
        }
    }

    pub fn org(&self, name: &str) -> i64 {
        let draft = OrgDraft { name: Some(name.into()), ..OrgDraft::default() };
        org::add(&self.service, &self.admin(), draft).unwrap().id
    }

    /// A user of an organisation in a role.
    pub fn member(&self, org_id: i64, role_id: i64) -> Actor {
        let email = format!("u{}@member.test", self.users());
        let draft = UserDraft {
            email: Some(email),
            org_id: Some(org_id),
            role_id: Some(role_id),
            password: Some(PASSWORD.into()),
            ..UserDraft::default()
        };
        self.actor(user::add(&self.service, &self.admin(), draft).unwrap().user.id)
    }

    fn users(&self) -> i64 {
        self.service.read(&Actor::system("a test"), |r| Ok(r.user_count()?)).unwrap()
    }

    /// An event of everybody with one attribute; the row number of the attribute.
    pub fn seen_by_all(&self, actor: &Actor, value: &str) -> (i64, i64) {
        let attribute = pisax_model::attribute::AttributeDraft {
            kind: Some("text".into()),
            value: Some(value.into()),
            ..Default::default()
        };
        let draft = EventDraft {
            info: Some("An event".into()),
            distribution: Some(3),
            attributes: vec![attribute],
            ..EventDraft::default()
        };
        let id = event::add(&self.service, actor, draft).unwrap().id;
        let first = self.service.read(actor, |r| {
            let event = r.event(Ref::Id(id))?.unwrap();
            let wanted = pisax_store::attributes::Wanted { living: true, deleted: false };
            Ok(r.event_attributes(&event, wanted, 0, 1)?.get(0).id)
        });
        (id, first.unwrap())
    }
}

/// The field that was refused.
pub fn field<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::Invalid(errors)) => errors[0].field,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was not refused"),
    }
}
