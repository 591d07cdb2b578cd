//! Keys that may sign a protected event.

use crate::Uuid;

/// A stored key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CryptographicKey {
    pub id: i64,
    pub uuid: Uuid,
    pub event_id: i64,
    /// Unix seconds.
    pub timestamp: i64,
    /// An OpenPGP public key in ASCII armour.
    pub key_data: String,
    /// Forty hexadecimal digits, upper case.
    pub fingerprint: String,
    pub revoked: bool,
}

/// A key as a client sent it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CryptographicKeyDraft {
    pub uuid: Option<Uuid>,
    pub kind: Option<String>,
    pub key_data: Option<String>,
    pub revoked: bool,
}

/// What was sent, and the signature over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub text: Vec<u8>,
    /// In OpenPGP's binary form.
    pub signature: Vec<u8>,
}
