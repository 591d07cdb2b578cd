//! What streams tell: kinds of messages, in the words of those who subscribe.

use std::fmt;
use std::str::FromStr;

/// A kind of message. Each kind is a topic of ZeroMQ, an event name of a stream, a subject of NATS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A published event, whole.
    Publish,
    Event,
    Attribute,
    Object,
    Reference,
    Sighting,
    /// A tag that was attached or detached.
    Tag,
    Organisation,
    User,
    Warninglist,
    /// A row of the audit log.
    Audit,
}

/// Kind, its name, and MISP's topic.
const KINDS: [(Kind, &str, &str); 11] = [
    (Kind::Publish, "event.publish", "misp_json"),
    (Kind::Event, "event", "misp_json_event"),
    (Kind::Attribute, "attribute", "misp_json_attribute"),
    (Kind::Object, "object", "misp_json_object"),
    (Kind::Reference, "object_reference", "misp_json_object_reference"),
    (Kind::Sighting, "sighting", "misp_json_sighting"),
    (Kind::Tag, "tag", "misp_json_tag"),
    (Kind::Organisation, "organisation", "misp_json_organisation"),
    (Kind::User, "user", "misp_json_user"),
    (Kind::Warninglist, "warninglist", "misp_json_warninglist"),
    (Kind::Audit, "audit", "misp_json_audit"),
];

impl Kind {
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|(kind, _, _)| *kind)
    }

    /// `event.publish`
    pub fn name(self) -> &'static str {
        KINDS[self as usize].1
    }

    /// `misp_json`
    pub fn topic(self) -> &'static str {
        KINDS[self as usize].2
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let text = text.trim();
        let found = KINDS.iter().find(|(_, name, topic)| *name == text || *topic == text);
        found.map(|(kind, _, _)| *kind).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// A name that is no kind's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKind(pub String);

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Kind::all().map(Kind::name).collect();
        write!(f, "'{}' is no kind; there are {}.", self.0, names.join(", "))
    }
}

/// Some of the kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    pub const NONE: Self = Self(0);

    /// What is told where nothing else is asked for: everything but the audit log, which repeats the rest.
    pub fn usual() -> Self {
        Kind::all().filter(|kind| *kind != Kind::Audit).collect()
    }

    pub fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// With this kind or without it.
    pub fn set(&mut self, kind: Kind, on: bool) {
        let bit = 1 << kind as u8;
        self.0 = if on { self.0 | bit } else { self.0 & !bit };
    }

    /// Reads `event, attribute`; nothing means the usual ones.
    pub fn read<'t>(names: impl Iterator<Item = &'t str>) -> Result<Self, UnknownKind> {
        let kinds =
            names.filter(|name| !name.trim().is_empty()).map(str::parse).collect::<Result<Self, _>>()?;
        Ok(if kinds == Self::NONE { Self::usual() } else { kinds })
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        let mut all = Self::NONE;
        kinds.into_iter().for_each(|kind| all.set(kind, true));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_by_its_topic() {
        for (i, kind) in Kind::all().enumerate() {
            assert_eq!(kind as usize, i);
            assert_eq!((kind.name().parse(), kind.topic().parse()), (Ok(kind), Ok(kind)));
        }
        assert!("conversation".parse::<Kind>().unwrap_err().to_string().contains("event.publish"));
    }

    #[test]
    fn a_list_of_names_is_a_set_of_kinds() {
        let some = Kinds::read("event, tag".split(',')).unwrap();
        assert!(some.has(Kind::Event) && some.has(Kind::Tag) && !some.has(Kind::Publish));
        assert_eq!(Kinds::read("".split(',')), Ok(Kinds::usual()));
        assert!(!Kinds::usual().has(Kind::Audit) && Kinds::read("event,nothing".split(',')).is_err());
    }
}
