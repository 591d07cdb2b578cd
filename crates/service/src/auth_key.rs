//! API keys: made, changed, revoked, and when they were last used.

use crate::user::managed;
use crate::{Error, Result, Service, rules};
use parking_lot::Mutex;
use pisax_access::Actor;
use pisax_auth::key;
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::user::AuthKey;
use pisax_model::{FieldError, Uuid, time};
use pisax_store::Writer;
use rustc_hash::FxHashMap;

/// A key as a client asks for it; what is absent stays or has its default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeyDraft {
    pub uuid: Option<Uuid>,
    pub comment: Option<String>,
    /// Addresses or CIDRs; empty: anywhere.
    pub allowed_ips: Option<Vec<String>>,
    /// A date or seconds since the epoch; empty or `0`: never.
    pub expiration: Option<String>,
    pub read_only: Option<bool>,
}

/// A new key; this is the only time its text is known.
pub struct Added {
    pub key: AuthKey,
    pub raw: String,
}

/// Makes a key for oneself or for a user one manages.
pub fn add(service: &Service, actor: &Actor, user_id: i64, draft: KeyDraft) -> Result<Added> {
    let mut key = blank(user_id, service.clock.now_ms());
    apply(&mut key, draft)?;
    let raw = key::generate();
    service.write(actor, |w| {
        managed(w, user_id)?;
        let key = insert(w, service, key, &raw)?;
        Ok(Added { key, raw })
    })
}

/// Changes comment, addresses, expiration and whether the key can write.
pub fn edit(service: &Service, actor: &Actor, reference: Ref, draft: KeyDraft) -> Result<AuthKey> {
    service.write(actor, |w| {
        let mut key = managed_key(w, reference)?;
        apply(&mut key, KeyDraft { uuid: None, ..draft })?;
        w.edit_key(&key)?;
        Ok(key)
    })
}

/// Revokes a key for good.
pub fn delete(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    service.write(actor, |w| {
        let key = managed_key(w, reference)?;
        Ok(w.delete_key(key.id)?)
    })
}

/// Makes a new key and lets all others of the user expire now.
pub fn reset(service: &Service, actor: &Actor, user_id: i64) -> Result<Added> {
    let raw = key::generate();
    service.write(actor, |w| {
        managed(w, user_id)?;
        let now = w.now();
        for mut old in w.keys(Some(user_id), None)? {
            if old.expiration == 0 || old.expiration > now {
                old.expiration = now;
                w.edit_key(&old)?;
            }
        }
        let key = insert(w, service, blank(user_id, w.now_ms), &raw)?;
        Ok(Added { key, raw })
    })
}

/// A key with the address of whose it is.
pub struct Listed {
    pub key: AuthKey,
    pub email: String,
}

/// A key one may see.
pub fn view(service: &Service, actor: &Actor, reference: Ref) -> Result<Listed> {
    service.read(actor, |r| {
        let key = r.key(reference)?.ok_or(Error::NotFound("auth key"))?;
        let owner = r.user(key.user_id)?.filter(|user| rules::sees_user(actor, user));
        owner.map(|owner| Listed { key, email: owner.email }).ok_or(Error::NotFound("auth key"))
    })
}

/// The keys one may see: of one user or all.
pub fn list(service: &Service, actor: &Actor, user_id: Option<i64>) -> Result<Vec<Listed>> {
    service.read(actor, |r| {
        let org = (!actor.sees_all()).then_some(actor.org_id);
        let users = r.users(org, None)?;
        let seen: FxHashMap<i64, String> =
            users.into_iter().filter(|user| rules::sees_user(actor, user)).map(|u| (u.id, u.email)).collect();
        let keys = r.keys(user_id, org)?.into_iter();
        let listed = |key: AuthKey| Some(Listed { email: seen.get(&key.user_id)?.clone(), key });
        Ok(keys.filter_map(listed).collect())
    })
}

pub(crate) fn blank(user_id: i64, now_ms: i64) -> AuthKey {
    AuthKey {
        id: 0,
        uuid: new_uuid(now_ms),
        start: String::new(),
        end: String::new(),
        created: now_ms / 1000,
        expiration: 0,
        read_only: false,
        user_id,
        comment: String::new(),
        allowed_ips: Vec::new(),
        last_used: 0,
    }
}

/// Stores a key under its hash.
pub(crate) fn insert(w: &mut Writer<'_>, service: &Service, key: AuthKey, raw: &str) -> Result<AuthKey> {
    insert_hashed(w, key, raw, &service.keys.hash(raw))
}

/// The same where there is no service yet.
pub(crate) fn insert_hashed(w: &mut Writer<'_>, key: AuthKey, raw: &str, hash: &[u8; 32]) -> Result<AuthKey> {
    let key = AuthKey { start: key::start(raw).into(), end: key::end(raw).into(), ..key };
    let id = w.add_key(&key, hash)?;
    Ok(AuthKey { id, created: w.now(), ..key })
}

fn apply(key: &mut AuthKey, draft: KeyDraft) -> Result<()> {
    if let Some(uuid) = draft.uuid {
        key.uuid = uuid;
    }
    if let Some(comment) = draft.comment {
        key.comment = comment;
    }
    if let Some(entries) = draft.allowed_ips {
        let entries: Vec<String> =
            entries.iter().map(|e| e.trim().to_owned()).filter(|e| !e.is_empty()).collect();
        key::check_allowed(&entries).map_err(|message| FieldError::new("allowed_ips", message))?;
        key.allowed_ips = entries;
    }
    if let Some(text) = draft.expiration {
        key.expiration = expiration(&text)?;
    }
    key.read_only = draft.read_only.unwrap_or(key.read_only);
    Ok(())
}

fn expiration(text: &str) -> Result<i64, FieldError> {
    match text.trim() {
        "" | "0" => Ok(0),
        text => time::parse_micros(text)
            .map(|micros| micros.div_euclid(1_000_000))
            .filter(|seconds| *seconds > 0)
            .ok_or_else(|| FieldError::new("expiration", "Expected a date such as 2030-01-31, or nothing.")),
    }
}

/// A key of a user the actor manages. Whose keys they are is locked: what was read before is read again.
fn managed_key(w: &mut Writer<'_>, reference: Ref) -> Result<AuthKey> {
    let missing = || Error::NotFound("auth key");
    let key = w.key(reference)?.ok_or_else(missing)?;
    match managed(w, key.user_id) {
        Ok(_) => w.key(reference)?.ok_or_else(missing),
        Err(Error::NotFound(_)) => Err(Error::NotFound("auth key")),
        Err(e) => Err(e),
    }
}

// ---- Last use -----------------------------------------------------------------------------------------

/// When each key was last noted as used.
#[derive(Default)]
pub(crate) struct Uses(Mutex<FxHashMap<i64, i64>>);

/// Seconds between two notes about one key.
const NOTE_SECS: i64 = 60;

/// Whether this use is to be written down; the first who asks in a minute is told so.
pub fn use_is_news(service: &Service, key_id: i64) -> bool {
    let now = service.now();
    let mut noted = service.uses.0.lock();
    let last = noted.entry(key_id).or_insert(i64::MIN / 2);
    let news = now - *last >= NOTE_SECS;
    if news {
        *last = now;
    }
    news
}

/// Writes down that a key was used just now. What goes wrong is only logged: nobody's request depends on it.
pub fn note_use(service: &Service, key: &AuthKey) {
    let noted = service.write(&Actor::system("note the use of an API key"), |w| {
        // The user before his keys, as whoever changes them does: two transactions never wait for each other.
        w.note_api_access(key.user_id)?;
        Ok(w.touch_key(key.id)?)
    });
    if let Err(error) = noted {
        tracing::warn!(%error, key = key.id, "the use of an API key could not be noted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiration_is_a_date_an_epoch_or_never() {
        for (text, expected) in
            [("2030-01-01", 1_893_456_000), ("1893456000", 1_893_456_000), ("", 0), ("0", 0), (" ", 0)]
        {
            assert_eq!(expiration(text), Ok(expected), "{text}");
        }
        for bad in ["soon", "-5", "2030-13-01"] {
            assert_eq!(expiration(bad).unwrap_err().field, "expiration", "{bad}");
        }
    }

    #[test]
    fn a_wrong_address_is_named() {
        let mut key = blank(1, 0);
        let draft = KeyDraft {
            allowed_ips: Some(vec!["192.0.2.1 ".into(), "nowhere".into()]),
            ..KeyDraft::default()
        };
        assert!(apply(&mut key, draft).unwrap_err().to_string().contains("nowhere"));
        let draft =
            KeyDraft { allowed_ips: Some(vec![" 192.0.2.1 ".into(), String::new()]), ..KeyDraft::default() };
        apply(&mut key, draft).unwrap();
        assert_eq!(key.allowed_ips, ["192.0.2.1"]);
    }
}
