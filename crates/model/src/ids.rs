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

/// Where new uuids come from. They begin with the time in milliseconds, as version 7 does, so that rows made
/// together stand together in the index. They say version 4 all the same: MISP checks uuids with CakePHP's rule,
/// which knows versions 0 to 5 only, and refuses a version 7.
pub fn new_uuid(now_ms: i64) -> Uuid {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes[6..]).expect("the operating system has a random source");
    bytes[..6].copy_from_slice(&now_ms.max(0).to_be_bytes()[2..]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_uuids_stand_in_the_order_of_time_and_are_ones_that_misp_accepts() {
        let (first, second) = (new_uuid(1_767_225_600_000), new_uuid(1_767_225_600_001));
        assert!(first < second);
        assert_eq!(first.as_bytes()[..6], [0x01, 0x9b, 0x76, 0xda, 0xa8, 0x00]);
        assert_eq!((first.get_version_num(), first.get_variant()), (4, uuid::Variant::RFC4122));
        assert_ne!(new_uuid(0), new_uuid(0));
        assert_eq!(new_uuid(-1).as_bytes()[..6], [0; 6]);
    }

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
