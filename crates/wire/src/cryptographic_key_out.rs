//! Keys of protected events in MISP's shape.

use crate::json::{JsonWriter, k};
use pisax_model::cryptographic_key::CryptographicKey;

/// A key as an event holds it.
pub fn write_cryptographic_key(w: &mut JsonWriter<'_>, key: &CryptographicKey) {
    w.begin_object();
    w.num(k!("id"), key.id);
    w.id(k!("uuid"), key.uuid);
    w.text(k!("type"), "pgp");
    w.num(k!("timestamp"), key.timestamp);
    w.num(k!("parent_id"), key.event_id);
    w.text(k!("parent_type"), "Event");
    w.text(k!("key_data"), &key.key_data);
    w.flag(k!("revoked"), key.revoked);
    w.text(k!("fingerprint"), &key.fingerprint);
    w.end_object();
}
