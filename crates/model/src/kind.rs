//! Attribute types: what a value is, where it may stand and what it does by default.

mod form;
mod table;

use crate::Category;
pub(crate) use form::{EmailCare, Form, HashForm};
use table::{INDEX, ROWS};

/// One of MISP's attribute types (`ip-src`, `filename|md5`, …).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeType(u8);

impl AttributeType {
    /// Reads a type by its exact name; case counts, as in MISP.
    pub fn parse(name: &str) -> Option<Self> {
        table::find(name).map(Self)
    }

    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The number stored in the database: 1 and up, the same for ever.
    pub fn code(self) -> i64 {
        i64::from(self.0) + 1
    }

    pub fn from_code(code: i64) -> Option<Self> {
        let at = u8::try_from(code).ok()?.checked_sub(1)?;
        (usize::from(at) < ROWS.len()).then_some(Self(at))
    }

    /// Every type, in the order of MISP's describeTypes document.
    pub fn all() -> impl Iterator<Item = AttributeType> {
        (0..ROWS.len() as u8).map(Self)
    }

    /// The category of an attribute that came without one.
    pub fn default_category(self) -> Category {
        self.row().default_category
    }

    /// Whether an attribute that came without the flag is meant for detection.
    pub fn default_to_ids(self) -> bool {
        self.row().to_ids
    }

    /// Whether the type may stand in this category.
    pub fn allows(self, category: Category) -> bool {
        self.row().allowed & category.bit() != 0
    }

    /// The categories the type may stand in.
    pub fn categories(self) -> impl Iterator<Item = Category> {
        Category::all().filter(move |category| self.allows(*category))
    }

    /// Whether values have two halves, `value1|value2`.
    pub fn is_composite(self) -> bool {
        matches!(
            self.form(),
            Form::NamedHash(_)
                | Form::Sample
                | Form::RegkeyValue
                | Form::DomainIp
                | Form::IpPort
                | Form::HostnamePort
        )
    }

    /// Whether attributes of the type carry bytes besides their value.
    pub fn holds_bytes(self) -> bool {
        matches!(self.name(), "attachment" | "malware-sample")
    }

    /// Whether equal values of different events are worth pointing out (semantics 4.1).
    pub fn correlates(self) -> bool {
        !matches!(
            self.name(),
            "comment"
                | "http-method"
                | "aba-rtn"
                | "gender"
                | "counter"
                | "integer"
                | "float"
                | "port"
                | "nationality"
                | "cortex"
                | "boolean"
                | "anonymised"
        )
    }

    /// Whether the second half says too little to correlate: a port.
    pub fn primary_only(self) -> bool {
        matches!(self.form(), Form::IpPort | Form::HostnamePort)
    }

    /// What a value of the type looks like.
    pub(crate) fn form(self) -> Form {
        self.row().form
    }

    fn row(self) -> &'static table::Row {
        &ROWS[usize::from(self.0)]
    }
}

/// A type named in our own code.
///
/// # Panics
/// When there is no such type; in a constant that is a compile error.
pub(crate) const fn known(name: &str) -> AttributeType {
    match table::find(name) {
        Some(at) => AttributeType(at),
        None => panic!("no such attribute type"),
    }
}

impl std::fmt::Debug for AttributeType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::fmt::Display for AttributeType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

const _: () = assert!(INDEX.len() > ROWS.len(), "an open-addressed table needs a free slot");

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn kind(name: &str) -> AttributeType {
        AttributeType::parse(name).unwrap_or_else(|| panic!("{name}"))
    }

    #[test]
    fn there_are_194_types_with_names_and_codes_of_their_own() {
        assert_eq!(AttributeType::all().count(), 194);
        assert_eq!(AttributeType::all().map(AttributeType::name).collect::<HashSet<_>>().len(), 194);
        for kind in AttributeType::all() {
            assert_eq!(AttributeType::parse(kind.name()), Some(kind));
            assert_eq!(AttributeType::from_code(kind.code()), Some(kind));
        }
        for bad in [i64::MIN, -1, 0, 195, 257, i64::MAX] {
            assert_eq!(AttributeType::from_code(bad), None, "{bad}");
        }
        for bad in ["", "MD5", "md5 ", "ip", "filename|", "named-pipe"] {
            assert_eq!(AttributeType::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn codes_never_change() {
        for (name, code) in [("md5", 1), ("ip-dst", 10), ("AS", 33), ("onion-address", 194)] {
            assert_eq!(kind(name).code(), code, "{name}");
        }
    }

    #[test]
    fn a_type_may_stand_in_its_default_category() {
        for kind in AttributeType::all() {
            assert!(kind.allows(kind.default_category()), "{kind}");
            assert!(kind.categories().any(|c| c == kind.default_category()), "{kind}");
        }
    }

    #[test]
    fn types_and_categories_pair_as_misp_pairs_them() {
        let network = Category::parse("Network activity").unwrap();
        let person = Category::parse("Person").unwrap();
        assert_eq!(kind("ip-dst").default_category(), network);
        assert!(kind("ip-dst").default_to_ids() && !kind("AS").default_to_ids());
        assert!(!kind("ip-dst").allows(person));
        assert_eq!(kind("comment").categories().count(), 16);
        assert_eq!(kind("text").categories().count(), 15);
        assert_eq!(kind("hex").categories().count(), 10);
    }

    #[test]
    fn composites_are_the_names_with_a_bar_and_malware_samples() {
        for kind in AttributeType::all() {
            let expected = kind.name().contains('|') || kind.name() == "malware-sample";
            assert_eq!(kind.is_composite(), expected, "{kind}");
        }
    }

    #[test]
    fn twelve_types_do_not_correlate_and_ports_never_do() {
        assert_eq!(AttributeType::all().filter(|k| !k.correlates()).count(), 12);
        let primary: Vec<_> = AttributeType::all().filter(|k| k.primary_only()).map(|k| k.name()).collect();
        assert_eq!(primary, ["ip-dst|port", "ip-src|port", "hostname|port"]);
    }
}
