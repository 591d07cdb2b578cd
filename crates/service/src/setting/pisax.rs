//! `PISAX.…`: what MISP does not have.

use super::{Level, Setting, Value, flag};

pub(super) const SETTINGS: &[Setting] = &[Setting {
    name: "PISAX.refuse_ignored_parameters",
    level: Level::Optional,
    description: "On: a search with a parameter that means nothing is refused. Off, as in MISP, it is ignored and \
                  named in the header X-Pisax-Ignored-Parameters.",
    get: |s| Value::Flag(s.settings().refuse_ignored_parameters),
    set: Some(|s, text| flag(text).map(|on| s.refuse_ignored_parameters = on)),
}];
