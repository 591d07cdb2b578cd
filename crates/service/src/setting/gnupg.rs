//! `GnuPG.…`: what mail looks like to those who have an OpenPGP key, and to those who have none.

use super::{Level, Setting, Value, flag};

/// How mail is protected. Who has a key always gets his mail encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encryption {
    /// Who has no key gets no mail.
    pub only: bool,
    /// Who has no key gets where to read, and no more.
    pub body_only: bool,
    /// The subject is told inside alone.
    pub obscure_subject: bool,
    /// Encrypted mail is signed with the instance's key.
    pub sign: bool,
}

impl Default for Encryption {
    fn default() -> Self {
        Self { only: false, body_only: false, obscure_subject: false, sign: true }
    }
}

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "GnuPG.bodyonlyencrypted",
        level: Level::Optional,
        description: "Who has no PGP key is told by mail where to read, not what is there.",
        get: |s| Value::Flag(s.settings().encryption.body_only),
        set: Some(|s, text| flag(text).map(|on| s.encryption.body_only = on)),
    },
    Setting {
        name: "GnuPG.obscure_subject",
        level: Level::Optional,
        description: "The subject of an encrypted mail is inside alone; outside stands \"...\".",
        get: |s| Value::Flag(s.settings().encryption.obscure_subject),
        set: Some(|s, text| flag(text).map(|on| s.encryption.obscure_subject = on)),
    },
    Setting {
        name: "GnuPG.onlyencrypted",
        level: Level::Critical,
        description: "Who has no PGP key gets no mail. Passwords do not reach new users either: tell them otherwise.",
        get: |s| Value::Flag(s.settings().encryption.only),
        set: Some(|s, text| flag(text).map(|on| s.encryption.only = on)),
    },
    Setting {
        name: "GnuPG.sign",
        level: Level::Optional,
        description: "Encrypted mail is signed with the key of this instance, which also signs protected events.",
        get: |s| Value::Flag(s.settings().encryption.sign),
        set: Some(|s, text| flag(text).map(|on| s.encryption.sign = on)),
    },
];
