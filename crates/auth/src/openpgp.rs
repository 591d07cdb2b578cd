//! OpenPGP keys and detached signatures (RFC 9580): the instance's own key, and keys of others to verify with.
//!
//! What MISP signs and verifies is the text without its white space: [`signed_text`].

mod recipient;

pub use recipient::Recipient;

use crate::random;
use pgp::composed::{
    ArmorOptions, Deserializable, DetachedSignature, EncryptionCaps, KeyType, SecretKeyParamsBuilder,
    SignedPublicKey, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::types::{KeyDetails, Password, Timestamp};

/// Longest armoured key that is read: the largest published ones, with thousands of signatures, are smaller.
const MAX_KEY: usize = 1 << 20;
/// Subkeys that are tried with one signature.
const MAX_SUBKEYS: usize = 32;

#[derive(Debug, thiserror::Error)]
#[error("OpenPGP: {0}")]
pub struct Error(String);

impl From<pgp::errors::Error> for Error {
    fn from(e: pgp::errors::Error) -> Self {
        Self(e.to_string())
    }
}

/// The operating system's randomness for a library that asks for a generator.
struct System;

impl rand_core::RngCore for System {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        random::fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        random::fill(bytes);
        Ok(())
    }
}

impl rand_core::CryptoRng for System {}

/// A key that signs.
pub struct SecretKey(SignedSecretKey);

impl SecretKey {
    /// A new key of this name, made at this time (Unix seconds). EdDSA in the form that GnuPG 2.2 reads as well.
    pub fn generate(name: &str, now: i64) -> Result<Self, Error> {
        let mut parameters = SecretKeyParamsBuilder::default();
        parameters
            .key_type(KeyType::Ed25519Legacy)
            .created_at(Timestamp::from_secs(u32::try_from(now).unwrap_or(0)))
            .can_certify(true)
            .can_sign(true)
            .can_encrypt(EncryptionCaps::None)
            .primary_user_id(name.to_owned());
        let parameters = parameters.build().map_err(|e| Error(e.to_string()))?;
        Ok(Self(parameters.generate(System)?))
    }

    pub fn parse(armoured: &str) -> Result<Self, Error> {
        Ok(Self(SignedSecretKey::from_string(armoured)?.0))
    }

    /// The secret itself, to keep.
    pub fn to_armour(&self) -> Result<String, Error> {
        Ok(self.0.to_armored_string(ArmorOptions::default())?)
    }

    /// What others verify with.
    pub fn public_armour(&self) -> Result<String, Error> {
        Ok(self.0.to_public_key().to_armored_string(ArmorOptions::default())?)
    }

    pub fn fingerprint(&self) -> String {
        hex(self.0.fingerprint().as_bytes())
    }

    /// A detached signature in OpenPGP's binary form.
    pub fn sign(&self, data: &[u8]) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        pgp::ser::Serialize::to_writer(&self.detached(data)?, &mut bytes)?;
        Ok(bytes)
    }

    /// A detached signature as a text, to lie beside a file.
    pub fn sign_armoured(&self, data: &[u8]) -> Result<String, Error> {
        Ok(self.detached(data)?.to_armored_string(ArmorOptions::default())?)
    }

    fn detached(&self, data: &[u8]) -> Result<DetachedSignature, Error> {
        Ok(DetachedSignature::sign_binary_data(
            System,
            &self.0.primary_key,
            &Password::empty(),
            HashAlgorithm::Sha256,
            data,
        )?)
    }
}

/// A key that verifies.
pub struct PublicKey(SignedPublicKey);

impl PublicKey {
    /// Reads an armoured public key whose bindings hold and that is not revoked.
    pub fn parse(armoured: &str) -> Result<Self, Error> {
        if armoured.len() > MAX_KEY {
            return Err(Error("the key is too long".into()));
        }
        let (key, _) = SignedPublicKey::from_string(armoured.trim_start())?;
        key.verify_bindings()?;
        if !key.details.revocation_signatures.is_empty() {
            return Err(Error("the key is revoked".into()));
        }
        Ok(Self(key))
    }

    /// Hexadecimal, upper case.
    pub fn fingerprint(&self) -> String {
        hex(self.0.fingerprint().as_bytes())
    }

    /// Whether `signature` (binary) over `data` was made with this key or a signing subkey of it.
    pub fn verifies(&self, data: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = DetachedSignature::from_bytes(signature) else { return false };
        if signature.verify(&self.0.primary_key, data).is_ok() {
            return true;
        }
        let signing = self.0.public_subkeys.iter().filter(|subkey| {
            let flags = subkey.signatures.iter().any(|s| s.key_flags().sign());
            let revoked = subkey
                .signatures
                .iter()
                .any(|s| s.typ() == Some(pgp::packet::SignatureType::SubkeyRevocation));
            flags && !revoked
        });
        signing.take(MAX_SUBKEYS).any(|subkey| signature.verify(&subkey.key, data).is_ok())
    }
}

/// What of a text is signed: everything but its white space (MISP semantics 7.7).
pub fn signed_text(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_key_signs_it_alone_verifies() {
        let key = SecretKey::generate("an instance", 1_767_225_600).unwrap();
        let other = SecretKey::generate("another", 1_767_225_600).unwrap();
        let kept = SecretKey::parse(&key.to_armour().unwrap()).unwrap();
        let public = PublicKey::parse(&kept.public_armour().unwrap()).unwrap();
        assert_eq!(public.fingerprint(), key.fingerprint());
        assert_eq!(public.fingerprint().len(), 40);
        let signature = kept.sign(b"text").unwrap();
        assert!(public.verifies(b"text", &signature));
        assert!(!public.verifies(b"test", &signature));
        assert!(!public.verifies(b"text", &other.sign(b"text").unwrap()));
        assert!(!public.verifies(b"text", b"no signature"));
        let armoured = kept.sign_armoured(b"text").unwrap();
        assert!(armoured.starts_with("-----BEGIN PGP SIGNATURE-----"));
        let (read, _) = DetachedSignature::from_string(&armoured).unwrap();
        assert!(read.verify(&public.0.primary_key, b"text").is_ok());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for bad in
            ["", "text", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----"]
        {
            assert!(PublicKey::parse(bad).is_err());
        }
        assert!(PublicKey::parse(&"x".repeat(MAX_KEY + 1)).is_err());
    }

    #[test]
    fn white_space_is_not_signed() {
        assert_eq!(signed_text(b"{\"a\": \"b c\"\r\n}\t"), b"{\"a\":\"bc\"}");
    }
}
