//! Protected events: only what one of their keys signed comes in from another server (MISP semantics 7.7).
//! Users of this instance change them by the ordinary rules.

use crate::{Error, Result, cryptographic_key};
use pisax_access::{Actor, Permission};
use pisax_auth::openpgp::{PublicKey, signed_text};
use pisax_model::cryptographic_key::{CryptographicKey, CryptographicKeyDraft, Proof};
use pisax_store::Writer;

const NO_SIGNATURE: &str = "Protected event failed signature validation as no key was provided.";
const WRONG_SIGNATURE: &str = "Protected event failed signature validation.";

/// Most keys that an event may come with.
const MAX_KEYS: usize = 64;

/// Whether the actor brings what others signed; site admins answer for themselves.
fn brings(actor: &Actor) -> bool {
    actor.has(Permission::Sync) && !actor.sees_all()
}

/// An event that is new here: the keys are those it brings.
pub(crate) fn of_new(actor: &Actor, keys: &[CryptographicKeyDraft], proof: Option<&Proof>) -> Result<()> {
    let good = keys.iter().filter(|key| !key.revoked);
    check(actor, good.filter_map(|key| key.key_data.as_deref()), proof)
}

/// An event that is here: the keys are those that are stored with it.
pub(crate) fn of_stored(actor: &Actor, keys: &[CryptographicKey], proof: Option<&Proof>) -> Result<()> {
    check(actor, keys.iter().filter(|key| !key.revoked).map(|key| key.key_data.as_str()), proof)
}

fn check<'k>(actor: &Actor, keys: impl Iterator<Item = &'k str>, proof: Option<&Proof>) -> Result<()> {
    if !brings(actor) {
        return Ok(());
    }
    let proof = proof.ok_or(Error::NotSigned(NO_SIGNATURE))?;
    let text = signed_text(&proof.text);
    let verifies = |key: &str| PublicKey::parse(key).is_ok_and(|key| key.verifies(&text, &proof.signature));
    let mut keys = keys.take(MAX_KEYS);
    if keys.any(verifies) { Ok(()) } else { Err(Error::NotSigned(WRONG_SIGNATURE)) }
}

/// Stores the keys an event came with: new ones are added, known ones that came revoked are revoked. One that is
/// absent stays, as any child of an event does.
pub(crate) fn keep_keys(w: &mut Writer<'_>, event_id: i64, drafts: &[CryptographicKeyDraft]) -> Result<()> {
    if drafts.is_empty() {
        return Ok(());
    }
    let mut known = w.keys_of_event(event_id)?;
    for draft in drafts.iter().take(MAX_KEYS) {
        let key = cryptographic_key::check(draft, event_id, w.now_ms)?;
        match known.iter_mut().find(|k| k.fingerprint == key.fingerprint) {
            Some(stored) if key.revoked && !stored.revoked => {
                w.revoke_cryptographic_key(stored)?;
                stored.revoked = true;
            }
            Some(_) => {}
            None => {
                w.add_cryptographic_key(&key)?;
                known.push(key);
            }
        }
    }
    Ok(())
}
