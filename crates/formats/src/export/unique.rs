//! Which values were written already: their hashes, so that a million values take 9 to 18 MB whatever
//! their length. Odds that one of a million is left out wrongly: one in 37 million.

use rustc_hash::FxHashSet;
use std::hash::{BuildHasher, RandomState};

#[derive(Default)]
pub(super) struct Unique {
    /// Keyed at random: nobody can make a value that hides another.
    hash: RandomState,
    seen: FxHashSet<u64>,
}

impl Unique {
    /// Whether this is the first time.
    pub(super) fn is_new(&mut self, value: &str) -> bool {
        self.seen.insert(self.hash.hash_one(value))
    }
}
