//! Keys that mail is encrypted to: which part of a key encrypts now, and the message itself.
//!
//! Only what the key's owner signed counts. Certifications by others are not asked for: an administrator or the
//! user himself brought the key.

use super::{Error, MAX_KEY, MAX_SUBKEYS, SecretKey, System, hex};
use pgp::composed::{ArmorOptions, Deserializable, MessageBuilder, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::packet::{KeyFlags, Signature, SignatureType};
use pgp::types::{KeyDetails, Password, Tag};

/// A public key that something can be encrypted to.
pub struct Recipient {
    key: SignedPublicKey,
    /// Place of the subkey that encrypts; `None`: the primary key does.
    subkey: Option<usize>,
    cipher: SymmetricKeyAlgorithm,
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recipient({})", self.fingerprint())
    }
}

impl Recipient {
    /// Reads an armoured public key that is neither revoked nor expired at `now` (Unix seconds) and has a part that
    /// encrypts. The error says which of these it is.
    pub fn parse(armoured: &str, now: i64) -> Result<Self, Error> {
        let no_key = || Error("this is no public OpenPGP key".into());
        if armoured.len() > MAX_KEY {
            return Err(Error("the key is too long".into()));
        }
        let (key, _) = SignedPublicKey::from_string(armoured.trim_start()).map_err(|_| no_key())?;
        let primary = &key.primary_key;
        if key.details.revocation_signatures.iter().any(|s| s.verify_key(primary).is_ok()) {
            return Err(Error("the key is revoked".into()));
        }
        let own =
            own_signature(&key).ok_or_else(|| Error("the key has no valid signature of its own".into()))?;
        if expired(&key.primary_key, own, now) {
            return Err(Error("the key is expired".into()));
        }
        let subkeys = key.public_subkeys.iter().take(MAX_SUBKEYS).enumerate();
        let newest = subkeys.filter(|(_, s)| encrypts(s, &key, now)).max_by_key(|(_, s)| s.key.created_at());
        let subkey = newest.map(|(place, _)| place);
        if subkey.is_none() && !(may_encrypt(&own.key_flags()) && can_encrypt(primary.algorithm())) {
            return Err(Error("no part of the key encrypts, or each is expired or revoked".into()));
        }
        let preferred = own.preferred_symmetric_algs();
        let cipher = match preferred.contains(&SymmetricKeyAlgorithm::AES256) || preferred.is_empty() {
            true => SymmetricKeyAlgorithm::AES256,
            // Every reader has this one (RFC 9580, 9.3).
            false => SymmetricKeyAlgorithm::AES128,
        };
        Ok(Self { key, subkey, cipher })
    }

    /// Hexadecimal, upper case.
    pub fn fingerprint(&self) -> String {
        hex(self.key.fingerprint().as_bytes())
    }

    /// Encrypts, signed by `signer` within where there is one, and armours.
    pub fn encrypt(&self, data: Vec<u8>, signer: Option<&SecretKey>) -> Result<String, Error> {
        let mut message = MessageBuilder::from_bytes("", data).seipd_v1(System, self.cipher);
        match self.subkey.and_then(|place| self.key.public_subkeys.get(place)) {
            Some(subkey) => message.encrypt_to_key(System, &subkey.key)?,
            None => message.encrypt_to_key(System, &self.key.primary_key)?,
        };
        if let Some(SecretKey(signer)) = signer {
            message.sign(&signer.primary_key, Password::empty(), HashAlgorithm::Sha256);
        }
        Ok(message.to_armored_string(System, ArmorOptions::default())?)
    }
}

/// The newest signature by which the owner says what the key is for and how long.
fn own_signature(key: &SignedPublicKey) -> Option<&Signature> {
    let primary = &key.primary_key;
    let direct = key.details.direct_signatures.iter().filter(|s| s.verify_key(primary).is_ok());
    let of_names = key.details.users.iter().flat_map(|user| {
        let mine = user.signatures.iter().filter(|s| {
            s.typ() != Some(SignatureType::CertRevocation)
                && s.verify_certification(primary, Tag::UserId, &user.id).is_ok()
        });
        // Names are many on some keys, and certifications of others cost a check each.
        mine.take(MAX_SUBKEYS)
    });
    direct.chain(of_names).max_by_key(|s| s.created())
}

fn encrypts(subkey: &SignedPublicSubKey, key: &SignedPublicKey, now: i64) -> bool {
    let valid = || {
        let signatures = subkey.signatures.iter().take(MAX_SUBKEYS);
        signatures.filter(|s| s.verify_subkey_binding(&key.primary_key, &subkey.key).is_ok())
    };
    let revoked = valid().any(|s| s.typ() == Some(SignatureType::SubkeyRevocation));
    let binding =
        valid().filter(|s| s.typ() == Some(SignatureType::SubkeyBinding)).max_by_key(|s| s.created());
    let alive = binding.is_some_and(|s| may_encrypt(&s.key_flags()) && !expired(&subkey.key, s, now));
    alive && !revoked && can_encrypt(subkey.key.algorithm())
}

fn expired(key: &impl KeyDetails, binding: &Signature, now: i64) -> bool {
    let over = |from: u32, span: u32| span > 0 && i64::from(from) + i64::from(span) <= now;
    let created = key.created_at().as_secs();
    let key_over = binding.key_expiration_time().is_some_and(|span| over(created, span.as_secs()));
    let signed = binding.created().map_or(0, |moment| moment.as_secs());
    key_over || binding.signature_expiration_time().is_some_and(|span| over(signed, span.as_secs()))
}

/// Old keys do not say what they are for.
fn may_encrypt(flags: &KeyFlags) -> bool {
    flags.encrypt_comms() || flags.encrypt_storage() || *flags == KeyFlags::default()
}

fn can_encrypt(algorithm: PublicKeyAlgorithm) -> bool {
    use PublicKeyAlgorithm as A;
    matches!(algorithm, A::RSA | A::RSAEncrypt | A::ECDH | A::X25519 | A::X448)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pgp::composed::{
        EncryptionCaps, KeyType, Message, SecretKeyParamsBuilder, SignedSecretKey, SubkeyParamsBuilder,
    };
    use pgp::crypto::ecc_curve::ECCCurve;
    use pgp::types::Timestamp;

    const NOW: i64 = 1_767_225_600;

    fn reader() -> SignedSecretKey {
        let subkey = SubkeyParamsBuilder::default()
            .key_type(KeyType::ECDH(ECCCurve::Curve25519Legacy))
            .can_encrypt(EncryptionCaps::All)
            .created_at(Timestamp::from_secs(NOW as u32))
            .build()
            .unwrap();
        let mut parameters = SecretKeyParamsBuilder::default();
        parameters
            .key_type(KeyType::Ed25519Legacy)
            .can_certify(true)
            .can_sign(true)
            .can_encrypt(EncryptionCaps::None)
            .created_at(Timestamp::from_secs(NOW as u32))
            .primary_user_id("a reader".into())
            .subkey(subkey);
        parameters.build().unwrap().generate(System).unwrap()
    }

    #[test]
    fn what_is_encrypted_only_its_reader_reads_and_sees_who_signed() {
        let (reader, stranger) = (reader(), reader());
        let signer = SecretKey::generate("an instance", NOW).unwrap();
        let armour = reader.to_public_key().to_armored_string(ArmorOptions::default()).unwrap();
        let recipient = Recipient::parse(&armour, NOW).unwrap();
        let text = recipient.encrypt(b"a secret".to_vec(), Some(&signer)).unwrap();
        assert!(text.starts_with("-----BEGIN PGP MESSAGE-----"));
        let open = |key: &SignedSecretKey| {
            let (message, _) = Message::from_armor(text.as_bytes()).unwrap();
            message.decrypt(&Password::empty(), key)
        };
        assert!(open(&stranger).is_err());
        let mut message = open(&reader).unwrap();
        assert_eq!(message.as_data_vec().unwrap(), b"a secret");
        assert!(message.verify(&signer.0.to_public_key().primary_key).is_ok());
    }

    #[test]
    fn a_key_that_cannot_encrypt_is_refused_with_the_reason() {
        let signs = SecretKey::generate("an instance", NOW).unwrap().public_armour().unwrap();
        let why = Recipient::parse(&signs, NOW).unwrap_err().to_string();
        assert!(why.contains("no part of the key encrypts"), "{why}");
        for bad in
            ["", "text", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----"]
        {
            assert!(Recipient::parse(bad, NOW).unwrap_err().to_string().contains("no public OpenPGP key"));
        }
        // Its owner's signature binds the subkey: another's subkey put in its place does not count.
        let (mut one, other) = (reader().to_public_key(), reader().to_public_key());
        one.public_subkeys = other.public_subkeys;
        let mixed = one.to_armored_string(ArmorOptions::default()).unwrap();
        assert!(Recipient::parse(&mixed, NOW).unwrap_err().to_string().contains("encrypts"));
    }
}
