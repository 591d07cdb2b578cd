//! The change log for those who may read it, and what lands in it besides changes: who came in, and who was
//! turned away.

use crate::{Error, Result, Service, rules};
use parking_lot::Mutex;
use pisax_access::{Actor, Origin, Permission};
use pisax_model::ids::Ref;
use pisax_model::user::User;
use pisax_store::access_log::{Access, AccessQuery, AccessRow};
use pisax_store::audit::{Entry, EntryQuery};
use pisax_store::changes::{Action, Noun};
use rustc_hash::FxHashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

// ---- Reading ------------------------------------------------------------------------------------------

/// Rows of the log: all for site admins, their organisation's for its admins, one's own for others who may read
/// logs at all.
pub fn entries(service: &Service, actor: &Actor, mut query: EntryQuery) -> Result<Vec<Entry>> {
    let may = [Permission::Audit, Permission::SiteAdmin];
    if !may.into_iter().any(|p| actor.has(p)) {
        return Err(Error::Forbidden);
    }
    if !actor.sees_all() {
        let own = if actor.has(Permission::Admin) {
            narrow(&mut query.org_id, actor.org_id)
        } else {
            narrow(&mut query.user_id, actor.user_id)
        };
        if !own {
            return Ok(Vec::new());
        }
    }
    read(service, actor, &query)
}

/// Makes a condition of `own`; no, if another one was asked for.
fn narrow(asked: &mut Option<i64>, own: i64) -> bool {
    asked.replace(own).is_none_or(|other| other == own)
}

/// What in the log has readers of its own, whoever sees the event: others' notes, drawings and requests, and who
/// saw what.
const OTHERS_OWN: [Noun; 4] = [Noun::AnalystData, Noun::EventGraph, Noun::Delegation, Noun::Sighting];

/// What happened to an event one sees: everything for the organisation that created and owns it, but for what has
/// readers of its own; for others what their own organisation did. Other organisations' users stay unnamed.
pub fn of_event(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    mut query: EntryQuery,
) -> Result<Vec<Entry>> {
    let event = service.read(actor, |r| r.event(reference)?.ok_or(Error::NotFound("event")))?;
    query.event_id = Some(event.id);
    // Who created it and does not own it sees less of it than there is.
    let all = actor.sees_all() || (event.orgc_id == actor.org_id && event.org_id == actor.org_id);
    if !all && !narrow(&mut query.org_id, actor.org_id) {
        return Ok(Vec::new());
    }
    let mut entries = read(service, actor, &query)?;
    if !actor.sees_all() {
        entries.retain(|entry| {
            entry.org_id == actor.org_id || OTHERS_OWN.iter().all(|noun| *noun as i64 != entry.noun)
        });
        for entry in entries.iter_mut().filter(|entry| entry.org_id != actor.org_id) {
            entry.logged.user_id = 0;
            entry.email = None;
            entry.address = String::new();
            entry.key_id = 0;
        }
    }
    Ok(entries)
}

/// How a user one sees came in and was turned away: the caller has found him visible.
pub fn sign_ins(service: &Service, actor: &Actor, query: EntryQuery) -> Result<Vec<Entry>> {
    let query = EntryQuery { nouns: vec![Noun::Session as i64], ..query };
    read(service, actor, &query)
}

fn read(service: &Service, actor: &Actor, query: &EntryQuery) -> Result<Vec<Entry>> {
    service.read(actor, |r| {
        let mut found = Vec::new();
        r.audit(query, &mut |entry| {
            found.push(entry);
            Ok(())
        })?;
        Ok(found)
    })
}

/// The log of requests, for site admins.
pub fn accesses(service: &Service, actor: &Actor, query: &AccessQuery) -> Result<Vec<AccessRow>> {
    rules::site_admin(actor)?;
    service.read(actor, |r| Ok(r.accesses(query)?))
}

// ---- Coming in ----------------------------------------------------------------------------------------

/// A user signed in with his password.
pub fn signed_in(service: &Service, user: &User, origin: Origin) {
    let actor = Actor {
        user_id: user.id,
        org_id: user.org_id,
        permissions: Default::default(),
        host_org: false,
        reason: None,
        origin,
    };
    note(service, &actor, Action::Login, user.id, &user.email);
}

/// Somebody typed a wrong password. What is no address is not kept: it may be a password in the wrong field.
pub fn sign_in_failed(service: &Service, email: &str, origin: Origin) {
    if !service.turned_away.is_news(&("sign in", origin.address), service.now()) {
        return;
    }
    let mut title = if email.contains('@') { email.to_owned() } else { String::new() };
    title.truncate(title.floor_char_boundary(254));
    note(service, &Actor { origin, ..Actor::system("a sign-in failed") }, Action::LoginFail, 0, &title);
}

/// A key was refused: one that is known (with its user), or one that is not. Noted once an hour for each, and
/// for an address not more often than [`MOST_PER_HOUR`].
pub fn key_refused(service: &Service, user: Option<&User>, key_start: &str, why: &str, origin: Origin) {
    let now = service.now();
    if !service.refused_keys.is_news(&(key_start, origin.address), now)
        || !service.turned_away.is_news(&("key", origin.address), now)
    {
        return;
    }
    let mut actor = Actor { origin, ..Actor::system("a key was refused") };
    if let Some(user) = user {
        (actor.user_id, actor.org_id) = (user.id, user.org_id);
    }
    let title = format!("Key {key_start}… refused: {why}");
    note(service, &actor, Action::AuthFail, actor.user_id, &title);
}

/// What goes wrong is only logged: whether somebody gets in does not depend on it.
fn note(service: &Service, actor: &Actor, action: Action, user_id: i64, title: &str) {
    let noted = service.write(actor, |w| {
        w.note(Noun::Session, action, user_id, title, &[]);
        Ok(())
    });
    if let Err(error) = noted {
        tracing::warn!(%error, "a sign-in could not be noted");
    }
}

/// Notes an hour about one address.
pub const MOST_PER_HOUR: u32 = 30;
const HOUR: i64 = 3600;
/// Things remembered; 24 bytes each.
const REMEMBERED: usize = 20_000;

/// Says what is news, so that whoever knocks without end does not fill the log.
#[derive(Debug)]
pub(crate) struct News {
    most: u32,
    seen: Mutex<FxHashMap<u64, (i64, u32)>>,
}

impl News {
    pub(crate) fn new(most_per_hour: u32) -> Self {
        Self { most: most_per_hour, seen: Mutex::default() }
    }

    fn is_news(&self, what: &impl Hash, now: i64) -> bool {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        let mut seen = self.seen.lock();
        if seen.len() >= REMEMBERED {
            seen.retain(|_, (since, _)| now - *since < HOUR);
            if seen.len() >= REMEMBERED {
                return false;
            }
        }
        let (since, count) = seen.entry(hasher.finish()).or_insert((now, 0));
        if now - *since >= HOUR {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count <= self.most
    }
}

// ---- The log of requests ------------------------------------------------------------------------------

/// Requests kept in memory until they are written; more are lost, which is said.
const HELD: usize = 10_000;

/// Requests on their way into the log.
#[derive(Debug, Default)]
pub(crate) struct Held {
    list: Vec<Access>,
    lost: usize,
}

/// Keeps a request for the log, if there is to be one; it is written by [`write_accesses`]. Never waits: it is
/// called where requests come in.
pub fn note_access(service: &Service, access: impl FnOnce() -> Access) {
    if !service.settings_at_hand().log_requests {
        return;
    }
    let mut held = service.accesses.lock();
    if held.list.len() < HELD {
        held.list.push(access());
    } else {
        held.lost += 1;
    }
}

/// Writes what has gathered, in one transaction.
pub fn write_accesses(service: &Service) -> Result<()> {
    let Held { list, lost } = std::mem::take(&mut *service.accesses.lock());
    if lost > 0 {
        tracing::warn!(lost, "requests came faster than the log of requests could be written");
    }
    if list.is_empty() {
        return Ok(());
    }
    service.write(&Actor::system("log requests"), |w| Ok(w.add_accesses(&list)?))
}

// ---- Retention ----------------------------------------------------------------------------------------

const DAY: i64 = 86_400;
/// Mails that were given up are kept for so long.
const GIVEN_UP_DAYS: i64 = 30;

/// Removes what is older than the settings say. Returns how many rows of the change log.
pub fn retain(service: &Service) -> Result<i64> {
    let settings = service.settings();
    let (now, now_ms) = (service.now(), service.clock.now_ms());
    let actor = Actor::system("retention");
    let before = (now - settings.access_log_days * DAY) * 1000;
    while settings.access_log_days > 0 && service.write(&actor, |w| Ok(w.trim_accesses(before)?))? {}
    service.write(&actor, |w| Ok(w.trim_mails(now - GIVEN_UP_DAYS * DAY)?))?;
    if settings.audit_days == 0 {
        return Ok(0);
    }
    Ok(service.store.trim_audit(now_ms, now - settings.audit_days * DAY)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_within_the_hour_is_no_news() {
        let news = News::new(2);
        let asked: Vec<bool> = [0, 1, 2, HOUR].into_iter().map(|now| news.is_news(&"x", now)).collect();
        assert_eq!(asked, [true, true, false, true]);
        assert!(news.is_news(&"y", 2));
    }

    #[test]
    fn a_flood_of_new_things_is_no_news_either() {
        let news = News::new(1);
        for i in 0..REMEMBERED {
            assert!(news.is_news(&i, 0));
        }
        assert!(!news.is_news(&"one more", 1));
        assert!(news.is_news(&"one more", HOUR), "once the others are forgotten");
    }
}
