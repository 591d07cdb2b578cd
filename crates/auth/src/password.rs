//! Passwords: argon2id hashes as PHC strings, and MISP's policy on what is long enough.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::random;

/// 19 MiB, two passes, one lane: the least OWASP recommends for argon2id (Password Storage Cheat Sheet,
/// "Argon2id"; <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// MISP's `Security.password_policy_length`.
pub const MIN_CHARS: usize = 12;
/// From here on MISP asks for no mixture of characters.
pub const MIN_CHARS_FREE: usize = 16;

/// Without the characters people confuse when they copy from paper (0 O, 1 l I).
const READABLE: &[u8] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

fn argon2() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the constants are within argon2's ranges");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes a password with a fresh salt into a PHC string (`$argon2id$v=19$m=19456,t=2,p=1$…`). Takes some
/// tens of milliseconds and 19 MiB: call it on a blocking thread.
pub fn hash(password: &str) -> String {
    let mut salt = [0u8; 16];
    random::fill(&mut salt);
    let hash: PasswordHash = argon2()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .expect("the salt has 16 bytes and no password reaches argon2's 4 GiB");
    hash.to_string()
}

/// Whether `password` is the one behind `stored`; false also for text that is no argon2 PHC string. The
/// cost is that of the parameters in `stored`.
pub fn verify(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Takes as long as [`verify`] and is always false: for an address nobody has, so that the time of the
/// answer does not tell who has an account.
pub fn verify_nobody(password: &str) -> bool {
    static NOBODY: LazyLock<String> = LazyLock::new(|| hash(&random_password()));
    let _ = verify(password, &NOBODY);
    false
}

/// Whether `stored` was made with other parameters than today's: hash again after the next sign-in.
pub fn outdated(stored: &str) -> bool {
    !stored.starts_with(&format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$"))
}

/// MISP's default policy: at least 12 characters with upper case, lower case and a digit or special
/// character; or at least 16 of any kind. The error is a sentence for the person who chose the password.
pub fn check_policy(password: &str) -> Result<(), &'static str> {
    let length = password.chars().count();
    if length >= MIN_CHARS_FREE {
        return Ok(());
    }
    if length < MIN_CHARS {
        return Err("The password is too short: use at least 12 characters, or 16 of any kind.");
    }
    let upper = password.chars().any(char::is_uppercase);
    let lower = password.chars().any(char::is_lowercase);
    let other = password.chars().any(|c| !c.is_alphabetic());
    if upper && lower && other {
        Ok(())
    } else {
        Err("The password is too simple: mix upper case, lower case and a digit or special character, \
             or use at least 16 characters.")
    }
}

/// A password for a first start or a new account: 20 readable characters, 116 bits.
pub fn random_password() -> String {
    random::text(20, READABLE, random::fill)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_verified_by_its_password_alone() {
        let stored = hash("route-server-reload");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("route-server-reload", &stored));
        assert!(!verify("route-server-reloaD", &stored));
        assert!(!verify("", &stored));
        assert_ne!(stored, hash("route-server-reload"), "every hash has its own salt");
        assert!(!outdated(&stored));
    }

    #[test]
    fn what_is_no_hash_verifies_nothing() {
        for stored in ["", "plain", "$2y$10$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=19456,t=2,p=1$"] {
            assert!(!verify("", stored), "{stored}");
            assert!(!verify("plain", stored), "{stored}");
        }
        assert!(!verify_nobody("anything"));
    }

    #[test]
    fn weaker_parameters_are_outdated() {
        assert!(outdated("$argon2id$v=19$m=4096,t=1,p=1$c2FsdHNhbHQ$aGFzaA"));
        assert!(outdated("$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"));
    }

    #[test]
    fn the_policy_is_that_of_misp() {
        for good in ["Password1234", "Passwordabc!", "Pass word abc", "aaaaaaaaaaaaaaaa", "ÄÖÜäöüäöü123"]
        {
            assert_eq!(check_policy(good), Ok(()), "{good}");
        }
        for short in ["", "Passw0rd!", "Passw0rd!12"] {
            assert!(check_policy(short).unwrap_err().contains("too short"), "{short}");
        }
        for simple in ["passwordabc1", "PASSWORDABC1", "PasswordAbcd", "123456789012", "aaaaaaaaaaaaaaa"] {
            assert!(check_policy(simple).unwrap_err().contains("too simple"), "{simple}");
        }
    }

    #[test]
    fn random_passwords_pass_the_policy_and_differ() {
        let one = random_password();
        assert_eq!(one.len(), 20);
        assert_eq!(check_policy(&one), Ok(()));
        assert_ne!(one, random_password());
    }
}
