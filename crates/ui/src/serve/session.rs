//! Sessions: begun at sign-in, found again by the cookie's secret, ended by signing out, by time, or with
//! their user.

use pisax_access::{Actor, Origin, Via};
use pisax_auth::session::{IDLE_SECS, Secret, Session};
use pisax_model::user::User;
use pisax_store::sessions::{self, SessionOwner};

use super::Pages;
use super::failure::Failure;

/// Who is signed in.
pub(crate) struct Visitor {
    pub(crate) actor: Actor,
    pub(crate) email: String,
    pub(crate) org: String,
    /// Of this browser.
    pub(crate) secret: Secret,
}

/// Whether the user may be signed in at all.
pub(crate) fn active(user: &User, now: i64) -> bool {
    !user.disabled && user.expiration.is_none_or(|end| end == 0 || end > now)
}

/// Who the secret belongs to. A session that has ended, or whose user may not sign in any more, is deleted.
pub(crate) fn find(pages: &Pages, secret: &Secret) -> Result<Option<Visitor>, Failure> {
    let service = &pages.service;
    let system = Actor::system("find a session");
    let owner = service.read(&system, |r| Ok(r.session_owner(&secret.hash())?))?;
    let Some(SessionOwner { session, user, role, org }) = owner else { return Ok(None) };
    let now = service.now();
    let mut session = known(session);
    if !session.alive(now) || !active(&user, now) {
        end(pages, secret)?;
        return Ok(None);
    }
    if session.touch(now) {
        service.store.write(&system, service.clock.now_ms(), |w| w.touch_session(&session.hash))?;
    }
    let actor = Actor {
        user_id: user.id,
        org_id: user.org_id,
        permissions: role.permissions,
        host_org: user.org_id == service.policy.host_org_id,
        reason: None,
        origin: Origin { via: Via::Page, ..Origin::default() },
    };
    Ok(Some(Visitor { actor, email: user.email, org: org.name, secret: secret.clone() }))
}

/// Begins a session in place of whatever this browser had before; returns its secret and the seconds its
/// cookie may live. Clears away the sessions of others that have ended.
pub(crate) fn begin(pages: &Pages, user_id: i64, before: Option<&Secret>) -> Result<(Secret, i64), Failure> {
    let service = &pages.service;
    let (now_ms, now) = (service.clock.now_ms(), service.now());
    // Always a new secret: one that was planted in the browser before is worth nothing.
    let secret = Secret::generate();
    let session = Session::begin(&secret, user_id, now);
    service.store.write(&Actor::system("sign in"), now_ms, |w| {
        w.sweep_sessions(now - IDLE_SECS)?;
        if let Some(before) = before {
            w.delete_session(&before.hash())?;
        }
        w.add_session(&stored(&session))?;
        w.note_login(user_id)
    })?;
    Ok((secret, session.max_age(now)))
}

/// Ends the session of this secret, if there is one.
pub(crate) fn end(pages: &Pages, secret: &Secret) -> Result<(), Failure> {
    let service = &pages.service;
    let system = Actor::system("end a session");
    Ok(service.store.write(&system, service.clock.now_ms(), |w| w.delete_session(&secret.hash()))?)
}

fn known(row: sessions::Session) -> Session {
    let sessions::Session { hash, user_id, created, last_seen, expires } = row;
    Session { hash, user_id, created, last_seen, expires }
}

fn stored(session: &Session) -> sessions::Session {
    let Session { hash, user_id, created, last_seen, expires } = *session;
    sessions::Session { hash, user_id, created, last_seen, expires }
}
