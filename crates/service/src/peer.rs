//! What the exchange with other servers keeps here: how far it is, what became of each record, how a server is
//! reached. Read and written by `pisax-share` on behalf of the system, looked at and set by site admins.

use crate::{Error, Result, Service, job, rules};
use pisax_access::Actor;
use pisax_model::job::Task;
use pisax_model::peer::{Direction, Entry, Outcome, Subject};
use pisax_model::server::Server;
use pisax_model::{FieldError, Uuid};
use pisax_store::peers::LedgerFilter;
use rustc_hash::FxHashMap;

/// Names of what is kept of a peer.
pub mod state {
    /// The tag of the list of events as it was when all of it had been dealt with, and what it depends on.
    pub const PULL_ETAG: &str = "pull.etag";
    /// When it was last asked by itself.
    pub const PULL_ASKED: &str = "pull.asked";
    /// The change up to which what was published has been pushed.
    pub const PUSH_CURSOR: &str = "push.cursor";
    /// `1`: it is a PISAX whose changes are followed, `0`: it is not; when that was last asked.
    pub const NATIVE: &str = "native";
    pub const NATIVE_ASKED: &str = "native.asked";
    /// Where the peer's change log was read up to.
    pub const NATIVE_CURSOR: &str = "native.cursor";
    /// When the last exchange ended well, and when and why the last one failed.
    pub const LAST_GOOD: &str = "last.good";
    pub const LAST_BAD: &str = "last.bad";
    pub const LAST_FAULT: &str = "last.fault";
    /// Failures in a row.
    pub const FAILURES: &str = "failures";
    /// When proposals were last asked for.
    pub const PROPOSALS: &str = "pull.proposals";
    /// PEM texts.
    pub const AUTHORITY: &str = "tls.authority";
    pub const IDENTITY: &str = "tls.identity";
    /// The egress guard: JSON.
    pub const GUARD: &str = "guard";
}

/// The PEM files of a connection.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Files {
    pub authority: Option<Vec<u8>>,
    /// A secret.
    pub identity: Option<Vec<u8>>,
}

/// Longest PEM text taken.
const MAX_PEM: usize = 64 * 1024;
/// Most entries of a ledger in one answer.
pub const MAX_ENTRIES: i64 = 1000;

fn system() -> Actor {
    Actor::system("exchange with another server")
}

impl Service {
    /// How a server is reached, beside what its definition says.
    pub fn server_files(&self, server_id: i64) -> Result<Files> {
        let mut state = self.read(&system(), |r| Ok(r.peer_state(server_id)?))?;
        let mut text = |name| state.remove(name).filter(|t| !t.is_empty()).map(String::into_bytes);
        Ok(Files { authority: text(state::AUTHORITY), identity: text(state::IDENTITY) })
    }

    pub fn proxy(&self) -> Option<String> {
        self.policy.proxy.clone()
    }

    /// Everything kept of a peer, by name.
    pub fn peer_state(&self, server_id: i64) -> Result<FxHashMap<String, String>> {
        self.read(&system(), |r| Ok(r.peer_state(server_id)?))
    }

    pub fn set_peer_state(&self, server_id: i64, values: &[(&str, &str)]) -> Result<()> {
        self.write(&system(), |w| {
            for (name, value) in values {
                w.set_peer_state(server_id, name, value)?;
            }
            Ok(())
        })
    }

    /// Writes entries into the ledger, dated now; failures count on from what stood there.
    pub fn enter(&self, mut entries: Vec<Entry>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let now = self.now();
        self.write(&system(), |w| {
            let failed = entries.iter_mut().filter(|entry| entry.outcome == Outcome::Failed);
            for entry in failed {
                let known = w.ledger_of(entry.server_id, entry.direction, entry.subject, &[entry.uuid])?;
                entry.settle(known.get(&entry.uuid), now);
            }
            for entry in entries.iter_mut().filter(|entry| entry.outcome != Outcome::Failed) {
                entry.settle(None, now);
            }
            Ok(w.enter(&entries)?)
        })
    }

    /// What stands in the ledger of these records.
    pub fn entered(
        &self,
        server_id: i64,
        direction: Direction,
        subject: Subject,
        uuids: &[Uuid],
    ) -> Result<FxHashMap<Uuid, Entry>> {
        self.read(&system(), |r| Ok(r.ledger_of(server_id, direction, subject, uuids)?))
    }

    /// Whether a server is a PISAX whose changes are followed, or was not asked since `before` (Unix seconds): then it
    /// counts as asked now.
    pub fn may_follow(&self, server_id: i64, before: i64) -> Result<bool> {
        let state = self.peer_state(server_id)?;
        if state.get(state::NATIVE).is_some_and(|known| known == "1") {
            return Ok(true);
        }
        let asked = state.get(state::NATIVE_ASKED).and_then(|text| text.parse::<i64>().ok());
        if asked.is_some_and(|asked| asked >= before) {
            return Ok(false);
        }
        self.set_peer_state(server_id, &[(state::NATIVE_ASKED, &self.now().to_string())])?;
        Ok(true)
    }

    /// Whether a server was last asked before `before` (Unix seconds); if so, it counts as asked now. A new one is
    /// first asked by hand, or when its time has come.
    pub fn pull_is_due(&self, server_id: i64, before: i64) -> Result<bool> {
        let asked = self.peer_state(server_id)?.remove(state::PULL_ASKED);
        let asked = asked.and_then(|text| text.parse::<i64>().ok());
        if asked.is_some_and(|asked| asked >= before) {
            return Ok(false);
        }
        self.set_peer_state(server_id, &[(state::PULL_ASKED, &self.now().to_string())])?;
        Ok(asked.is_some())
    }

    /// Notes up to which row number all events were offered to a server.
    pub fn pushed_up_to(&self, server_id: i64, event_id: i64) -> Result<()> {
        self.write(&system(), |w| Ok(w.set_server_pushed(server_id, event_id)?))
    }

    /// Notes how an exchange ended.
    pub fn exchanged(&self, server_id: i64, fault: Option<&str>) -> Result<()> {
        let now = self.now().to_string();
        self.write(&system(), |w| {
            match fault {
                None => {
                    w.set_peer_state(server_id, state::LAST_GOOD, &now)?;
                    w.set_peer_state(server_id, state::FAILURES, "0")?;
                }
                Some(why) => {
                    let known = w.peer_state(server_id)?;
                    let failures =
                        known.get(state::FAILURES).and_then(|t| t.parse::<i64>().ok()).unwrap_or(0);
                    w.set_peer_state(server_id, state::LAST_BAD, &now)?;
                    w.set_peer_state(server_id, state::LAST_FAULT, why)?;
                    w.set_peer_state(server_id, state::FAILURES, &failures.saturating_add(1).to_string())?;
                }
            }
            Ok(())
        })
    }
}

/// A server the actor may exchange with.
pub fn server(service: &Service, actor: &Actor, id: i64) -> Result<Server> {
    rules::site_admin(actor)?;
    service.read(actor, |r| Ok(r.server(id)?))?.ok_or(Error::NotFound("server"))
}

/// Puts a pull or push into the queue. `technique` is MISP's: `full`, `update`, `pull_relevant_clusters` or
/// the number or uuid of an event for a pull; `full`, `incremental` or the number of an event for a push.
pub fn queue(service: &Service, actor: &Actor, task: Task, id: i64, technique: &str) -> Result<i64> {
    let server = server(service, actor, id)?;
    match task {
        Task::Pull if !server.pull => {
            return Err(Error::Refused("Pulling is not enabled for this server.".into()));
        }
        Task::Push if !(server.push || server.push_sightings || server.push_galaxy_clusters) => {
            return Err(Error::Refused("Pushing is not enabled for this server.".into()));
        }
        _ => {}
    }
    let event = technique.parse::<i64>().is_ok() || Uuid::try_parse(technique).is_ok();
    let known: &[&str] = if task == Task::Pull {
        &["full", "update", "pull_relevant_clusters"]
    } else {
        &["full", "incremental"]
    };
    if !event && !known.contains(&technique) {
        return Err(
            FieldError::new("technique", format!("Expected {} or an event.", known.join(", "))).into()
        );
    }
    job::queue(service, actor, task, &format!("{id} {technique}"), 0)
}

/// Puts the caching of what a server holds, or all that are cached (`all`), into the queue.
pub fn queue_caching(service: &Service, actor: &Actor, scope: &str) -> Result<i64> {
    rules::site_admin(actor)?;
    if scope != "all" {
        server(service, actor, scope.parse().map_err(|_| Error::NotFound("server"))?)?;
    }
    job::queue(service, actor, Task::CacheServers, scope, 0)
}

/// Sets what never leaves to a server: a guard that was read and written anew.
pub fn set_guard(service: &Service, actor: &Actor, server: &Server, guard: &str) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        w.set_peer_state(server.id, state::GUARD, guard)?;
        w.note_server(server, state::GUARD);
        Ok(())
    })
}

/// The newest entries of the ledger.
pub fn ledger(service: &Service, actor: &Actor, mut filter: LedgerFilter) -> Result<Vec<Entry>> {
    rules::site_admin(actor)?;
    filter.limit = filter.limit.clamp(1, MAX_ENTRIES);
    filter.offset = filter.offset.max(0);
    service.read(actor, |r| Ok(r.ledger(&filter)?))
}

/// Whether PEM texts are what they have to be; names the one that is not.
pub fn check_files(authority: Option<&str>, identity: Option<&str>) -> Result<()> {
    let given = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(|t| t.as_bytes().to_vec());
    let (authority, identity) = (given(authority), given(identity));
    let only = pisax_outbound::Link::default();
    for (field, length, link) in [
        (
            "cert",
            authority.as_ref().map_or(0, Vec::len),
            pisax_outbound::Link { authority: authority.clone(), ..only.clone() },
        ),
        (
            "client_cert",
            identity.as_ref().map_or(0, Vec::len),
            pisax_outbound::Link { identity: identity.clone(), ..only.clone() },
        ),
    ] {
        if length > MAX_PEM {
            return Err(FieldError::new(field, "Longer than 65536 bytes.").into());
        }
        if let Err(error) = pisax_outbound::Client::over(&link) {
            return Err(FieldError::new(field, error.to_string()).into());
        }
    }
    Ok(())
}

/// Sets the PEM texts of a connection; an empty one takes it off. What changes who is trusted is noted.
pub fn set_files(
    service: &Service,
    actor: &Actor,
    id: i64,
    authority: Option<&str>,
    identity: Option<&str>,
) -> Result<()> {
    let server = server(service, actor, id)?;
    check_files(authority, identity)?;
    service.write(actor, |w| {
        for (name, text) in [(state::AUTHORITY, authority), (state::IDENTITY, identity)] {
            if let Some(text) = text {
                w.set_peer_state(id, name, text)?;
                w.note_server(&server, name);
            }
        }
        Ok(())
    })
}
