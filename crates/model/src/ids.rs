//! Row numbers, one type per noun, so that an organisation is never mistaken for an event.
//! They are local to one instance; a record's identity across instances is its uuid.

use crate::Uuid;

macro_rules! row_ids {
    ($($name:ident),+ $(,)?) => {$(
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

row_ids!(
    AttributeId,
    AuthKeyId,
    EventId,
    ObjectId,
    OrgId,
    ReferenceId,
    RoleId,
    SharingGroupId,
    SightingId,
    TagId,
    UserId,
);

/// How a client names a record: MISP accepts the row number or the uuid almost everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ref {
    Id(i64),
    Uuid(Uuid),
}

impl Ref {
    /// Reads `"12"` or a uuid in any case; `None` for anything else (never a prefix of digits).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().map(Self::Id);
        }
        if text.len() == 36 { Uuid::try_parse(text).ok().map(Self::Uuid) } else { None }
    }
}

impl std::fmt::Display for Ref {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Uuid(uuid) => uuid.fmt(f),
        }
    }
}

/// Where new uuids come from. Version 7: they sort by time, which spares one random-order index page per row.
pub fn new_uuid(now_ms: i64) -> Uuid {
    let mut random = [0u8; 10];
    getrandom::fill(&mut random).expect("the operating system has a random source");
    uuid::Builder::from_unix_timestamp_millis(now_ms.max(0) as u64, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_whole_number_or_a_whole_uuid() {
        assert_eq!(Ref::parse("12"), Some(Ref::Id(12)));
        let uuid = "5F9A2B1C-0000-4000-8000-000000000001";
        assert_eq!(Ref::parse(uuid), Some(Ref::Uuid(Uuid::try_parse(uuid).unwrap())));
        for bad in ["", "12abc", "-1", "5f9a2b1c", "1234567890123456789012"] {
            assert_eq!(Ref::parse(bad), None, "{bad}");
        }
    }
}
