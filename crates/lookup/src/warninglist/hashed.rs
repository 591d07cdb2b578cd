//! Texts found whole, kept as hashes: eight bytes an entry, whatever its length.
//!
//! A key is 52 bits of a keyed hash and 12 bits of list number. With the published library (2.4 million
//! entries) a value that is in no list is taken for an entry with odds of one in two thousand million; the
//! key of the hash is drawn when the set is built, so that nobody can look for such a value beforehand.

use super::Index;
use std::hash::{BuildHasher, RandomState};
use std::ops::ControlFlow;

const LIST_BITS: u32 = 12;
const LIST_MASK: u64 = (1 << LIST_BITS) - 1;
pub(super) const MAX_LISTS: usize = 1 << LIST_BITS;

/// Keys in one bucket on average: a probe then reads four cache lines at most.
const BUCKET: usize = 32;

#[derive(Default)]
pub(super) struct Builder {
    hash: RandomState,
    keys: Vec<u64>,
}

#[derive(Default)]
pub(super) struct Hashed {
    hash: RandomState,
    /// Ascending.
    keys: Vec<u64>,
    /// Where the keys begin whose top bits are 0, 1, 2, …; one more at the end.
    starts: Vec<u32>,
    shift: u32,
}

impl Builder {
    pub(super) fn add(&mut self, list: Index, text: &str) {
        self.keys.push(self.hash.hash_one(text) & !LIST_MASK | u64::from(list));
    }

    pub(super) fn finish(self) -> Hashed {
        let Self { hash, mut keys } = self;
        keys.sort_unstable();
        keys.dedup();
        keys.shrink_to_fit();
        let bits = (keys.len() / BUCKET).max(2).ilog2().min(24);
        let shift = u64::BITS - bits;
        let starts =
            (0..=1u64 << bits).map(|top| keys.partition_point(|key| key >> shift < top) as u32).collect();
        Hashed { hash, keys, starts, shift }
    }
}

impl Hashed {
    pub(super) fn find(
        &self,
        text: &str,
        mut found: impl FnMut(Index) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.keys.is_empty() {
            return ControlFlow::Continue(());
        }
        let wanted = self.hash.hash_one(text) & !LIST_MASK;
        let top = (wanted >> self.shift) as usize;
        let bucket = &self.keys[self.starts[top] as usize..self.starts[top + 1] as usize];
        let first = bucket.partition_point(|key| *key < wanted);
        bucket[first..]
            .iter()
            .take_while(|key| **key & !LIST_MASK == wanted)
            .try_for_each(|key| found((key & LIST_MASK) as Index))
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.keys.capacity() * 8 + self.starts.capacity() * 4
    }
}
