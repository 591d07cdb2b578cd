//! The sixteen categories: why an attribute is in its event.

/// Names in MISP's order. The position is the stored code: append, never move.
const NAMES: [&str; 16] = [
    "Internal reference",
    "Targeting data",
    "Antivirus detection",
    "Payload delivery",
    "Artifacts dropped",
    "Payload installation",
    "Persistence mechanism",
    "Network activity",
    "Payload type",
    "Attribution",
    "External analysis",
    "Financial fraud",
    "Support Tool",
    "Social network",
    "Person",
    "Other",
];

/// One of MISP's categories.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Category(u8);

impl Category {
    /// Reads a category by its exact name; case counts, as in MISP.
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().position(|n| *n == name).map(|at| Self(at as u8))
    }

    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0)]
    }

    /// The number stored in the database: 1 to 16, the same for ever.
    pub fn code(self) -> i64 {
        i64::from(self.0) + 1
    }

    pub fn from_code(code: i64) -> Option<Self> {
        let at = u8::try_from(code).ok()?.checked_sub(1)?;
        (usize::from(at) < NAMES.len()).then_some(Self(at))
    }

    /// Every category, in MISP's order.
    pub fn all() -> impl Iterator<Item = Category> {
        (0..NAMES.len() as u8).map(Self)
    }

    /// The category at a position of [`Self::all`].
    pub(crate) const fn at(position: u8) -> Self {
        assert!(position < 16, "there are sixteen categories");
        Self(position)
    }

    /// This category as a bit of a set.
    pub(crate) const fn bit(self) -> u16 {
        1 << self.0
    }
}

impl std::fmt::Debug for Category {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::fmt::Display for Category {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn there_are_sixteen_categories_with_names_and_codes_of_their_own() {
        assert_eq!(Category::all().count(), 16);
        assert_eq!(Category::all().map(Category::name).collect::<HashSet<_>>().len(), 16);
        for category in Category::all() {
            assert_eq!(Category::parse(category.name()), Some(category));
            assert_eq!(Category::from_code(category.code()), Some(category));
        }
    }

    #[test]
    fn names_are_exact_and_codes_are_in_range() {
        for bad in ["", "network activity", "Network Activity", "Other "] {
            assert_eq!(Category::parse(bad), None, "{bad:?}");
        }
        for bad in [i64::MIN, -1, 0, 17, 257, i64::MAX] {
            assert_eq!(Category::from_code(bad), None, "{bad}");
        }
    }
}
