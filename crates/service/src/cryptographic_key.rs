//! Keys that may sign a protected event, and the instance's own.

use crate::{Error, Result, Service};
use pisax_access::{Actor, edit};
use pisax_auth::openpgp::{PublicKey, SecretKey, signed_text};
use pisax_model::FieldError;
use pisax_model::cryptographic_key::{CryptographicKey, CryptographicKeyDraft};
use pisax_model::ids::{Ref, new_uuid};
use pisax_store::Error as StoreError;

const SIGNING_KEY: &str = "instance.signing_key";

/// The keys of a visible event.
pub fn list(service: &Service, actor: &Actor, event: Ref) -> Result<Vec<CryptographicKey>> {
    service.read(actor, |r| {
        let event = r.event(event)?.ok_or(Error::NotFound("event"))?;
        Ok(r.keys_of_event(event.id)?)
    })
}

/// A key of a visible event.
pub fn view(service: &Service, actor: &Actor, reference: Ref) -> Result<CryptographicKey> {
    service.read(actor, |r| r.cryptographic_key(reference)?.ok_or(Error::NotFound("cryptographic key")))
}

/// Gives an event a key.
pub fn add(
    service: &Service,
    actor: &Actor,
    event: Ref,
    draft: &CryptographicKeyDraft,
) -> Result<CryptographicKey> {
    service.write(actor, |w| {
        let event = w.event_for_edit(event, edit::may_edit)?;
        let key = check(draft, event.id, w.now_ms)?;
        match w.add_cryptographic_key(&key) {
            Ok(id) => Ok(CryptographicKey { id, ..key }),
            Err(StoreError::Conflict("key_data")) => {
                Err(FieldError::new("key_data", "This key is already assigned to the target.").into())
            }
            Err(e) => Err(e.into()),
        }
    })
}

/// Reads a key as it was sent.
pub(crate) fn check(
    draft: &CryptographicKeyDraft,
    event_id: i64,
    now_ms: i64,
) -> Result<CryptographicKey, FieldError> {
    if !matches!(draft.kind.as_deref(), None | Some("pgp")) {
        return Err(FieldError::new("type", "Invalid key type"));
    }
    let text = draft.key_data.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| FieldError::new("key_data", "No key data received."))?;
    let key = PublicKey::parse(text).map_err(|_| FieldError::new("key_data", "Invalid key."))?;
    Ok(CryptographicKey {
        id: 0,
        uuid: draft.uuid.unwrap_or_else(|| new_uuid(now_ms)),
        event_id,
        timestamp: now_ms / 1000,
        key_data: text.to_owned(),
        fingerprint: key.fingerprint(),
        revoked: draft.revoked,
    })
}

/// Takes a key from its event; what it signed before stays.
pub fn delete(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    change(service, actor, reference, |w, key| Ok(w.delete_cryptographic_key(key)?))
}

/// Says of a key that it signs nothing any more.
pub fn revoke(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    change(service, actor, reference, |w, key| Ok(w.revoke_cryptographic_key(key)?))
}

fn change(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    f: impl FnOnce(&mut pisax_store::Writer<'_>, &CryptographicKey) -> Result<()>,
) -> Result<()> {
    service.write(actor, |w| {
        let key = w.cryptographic_key(reference)?.ok_or(Error::NotFound("cryptographic key"))?;
        w.event_for_edit(Ref::Id(key.event_id), edit::may_edit)?;
        f(w, &key)
    })
}

// ---- The instance's own -------------------------------------------------------------------------------

/// The instance's key, made the first time it is needed and kept in the database.
pub(crate) fn own(service: &Service) -> Result<&SecretKey> {
    if let Some(key) = service.signing.get() {
        return Ok(key);
    }
    let damaged = |_| StoreError::Damaged("the signing key of this instance");
    let reader = Actor::system("read the signing key");
    let stored = service.read(&reader, |r| Ok(r.setting(SIGNING_KEY)?))?;
    let armour = match stored {
        Some(armour) => armour,
        None => {
            let name = format!("PISAX {}", service.policy.instance_uuid);
            let new = SecretKey::generate(&name, service.now()).map_err(damaged)?;
            let armour = new.to_armour().map_err(damaged)?;
            service
                .write(&Actor::system("make the signing key"), |w| Ok(w.add_setting(SIGNING_KEY, &armour)?))?
        }
    };
    let key = SecretKey::parse(&armour).map_err(damaged)?;
    Ok(service.signing.get_or_init(|| key))
}

/// What this instance sends is signed with: fingerprint and armoured public key.
pub fn public(service: &Service) -> Result<(String, String)> {
    let key = own(service)?;
    let armour = key.public_armour().map_err(|_| StoreError::Damaged("the signing key of this instance"))?;
    Ok((key.fingerprint(), armour))
}

/// An armoured detached signature over a file as it is.
pub(crate) fn sign_file(service: &Service, bytes: &[u8]) -> Result<String> {
    let signature = own(service)?.sign_armoured(bytes);
    Ok(signature.map_err(|_| StoreError::Damaged("the signing key of this instance"))?)
}

/// A detached signature (binary) over a text without its white space.
pub fn sign(service: &Service, text: &[u8]) -> Result<Vec<u8>> {
    let signature = own(service)?.sign(&signed_text(text));
    Ok(signature.map_err(|_| StoreError::Damaged("the signing key of this instance"))?)
}
