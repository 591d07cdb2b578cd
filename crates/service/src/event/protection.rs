//! Protected events: only what one of their keys signed comes in from another server (MISP semantics 7.7).
//! Users of this instance change them by the ordinary rules.
//!
//! Keys are read and signatures verified before a transaction is begun, as both take their time; the transaction
//! then holds the stored event against what was proven.

use super::Source;
use crate::{Error, Result, Service, cryptographic_key};
use pisax_access::{Actor, Permission};
use pisax_auth::openpgp::{PublicKey, signed_text};
use pisax_model::FieldError;
use pisax_model::cryptographic_key::{CryptographicKey, CryptographicKeyDraft, Proof};
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_store::Writer;

const NO_SIGNATURE: &str = "Protected event failed signature validation as no key was provided.";
const WRONG_SIGNATURE: &str = "Protected event failed signature validation.";

/// Most keys that an event may come with.
const MAX_KEYS: usize = 64;

/// Whether the event is brought by who did not make it; site admins answer for themselves, but not for what a link
/// brings.
fn brings(actor: &Actor, from: Option<&Source>) -> bool {
    from.is_some_and(Source::is_link) || (actor.has(Permission::Sync) && !actor.sees_all())
}

/// The keys a draft brings.
pub(crate) fn read_keys(drafts: &[CryptographicKeyDraft], now_ms: i64) -> Result<Vec<CryptographicKey>> {
    if drafts.len() > MAX_KEYS {
        return Err(FieldError::new("CryptographicKey", "An event has at most 64 keys.").into());
    }
    Ok(drafts.iter().map(|draft| cryptographic_key::check(draft, 0, now_ms)).collect::<Result<_, _>>()?)
}

/// The fingerprints of those keys that made the signature, and whether there was one.
#[derive(Debug, Default)]
pub(crate) struct Proven {
    signed: bool,
    by: Vec<String>,
}

impl Proven {
    pub(crate) fn by(keys: &[CryptographicKey], proof: Option<&Proof>) -> Self {
        let Some(proof) = proof else { return Self::default() };
        let text = signed_text(&proof.text);
        let made = |key: &&CryptographicKey| {
            PublicKey::parse(&key.key_data).is_ok_and(|key| key.verifies(&text, &proof.signature))
        };
        let by = keys.iter().take(MAX_KEYS).filter(made).map(|key| key.fingerprint.clone()).collect();
        Self { signed: true, by }
    }

    /// Against the keys that are stored with an event now.
    pub(crate) fn of_stored(
        service: &Service,
        actor: &Actor,
        from: Option<&Source>,
        event: Ref,
        proof: Option<&Proof>,
    ) -> Result<Self> {
        if !brings(actor, from) {
            return Ok(Self::default());
        }
        let keys = service.read(actor, |r| match r.event(event)? {
            Some(event) if event.protected == Some(true) => Ok(r.keys_of_event(event.id)?),
            _ => Ok(Vec::new()),
        })?;
        Ok(Self::by(&keys, proof))
    }

    /// Lets the actor bring the event, which has these keys.
    pub(crate) fn allow(
        &self,
        actor: &Actor,
        from: Option<&Source>,
        event: &Event,
        keys: &[CryptographicKey],
    ) -> Result<()> {
        if event.protected != Some(true) || !brings(actor, from) {
            return Ok(());
        }
        if !self.signed {
            return Err(Error::NotSigned(NO_SIGNATURE));
        }
        let good = keys.iter().any(|key| !key.revoked && self.by.contains(&key.fingerprint));
        if good { Ok(()) } else { Err(Error::NotSigned(WRONG_SIGNATURE)) }
    }
}

/// Stores the keys an event came with: new ones are added, known ones that came revoked are revoked. One that is
/// absent stays, as any child of an event does.
pub(crate) fn keep_keys(w: &mut Writer<'_>, event_id: i64, keys: Vec<CryptographicKey>) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut known = w.keys_of_event(event_id)?;
    for key in keys {
        match known.iter_mut().find(|k| k.fingerprint == key.fingerprint) {
            Some(stored) if key.revoked && !stored.revoked => {
                w.revoke_cryptographic_key(stored)?;
                stored.revoked = true;
            }
            Some(_) => {}
            None => {
                let key = CryptographicKey { event_id, ..key };
                w.add_cryptographic_key(&key)?;
                known.push(key);
            }
        }
    }
    Ok(())
}
