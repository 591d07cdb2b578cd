//! `Security.…`

use super::{Level, Setting, Value};

pub(super) const SETTINGS: &[Setting] = &[Setting {
    name: "Security.advanced_authkeys",
    level: Level::Recommended,
    description: "Always on: a user may have several API keys, and only a keyed hash of each is kept.",
    get: |_| Value::Flag(true),
    set: None,
}];
