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

/// Keys in one bucket on average: a probe then reads two cache lines at most. Where the buckets begin takes half
/// a byte a key and stays in the cache.
const BUCKET: usize = 8;

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
    /// Two bits of a word for each key, eight keys a word: who is in no list, as most are, is refused by one look
    /// at a table that stays in the cache, nineteen times in twenty.
    sieve: Vec<u64>,
}

/// Keys for each word of the sieve.
const SIEVED: usize = 8;

/// Which word of the sieve a key belongs to.
fn word(key: u64, words: usize) -> usize {
    ((u128::from(key) * words as u128) >> 64) as usize
}

/// Its two bits: of those that neither the list nor, mostly, the word is made of.
fn bits(key: u64) -> u64 {
    1 << (key >> LIST_BITS & 63) | 1 << (key >> (LIST_BITS + 6) & 63)
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
        let mut sieve = vec![0; keys.len() / SIEVED + 1];
        let words = sieve.len();
        keys.iter().for_each(|key| sieve[word(*key, words)] |= self::bits(*key));
        Hashed { hash, keys, starts, shift, sieve }
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
        let bits = bits(wanted);
        if self.sieve[word(wanted, self.sieve.len())] & bits != bits {
            return ControlFlow::Continue(());
        }
        let top = (wanted >> self.shift) as usize;
        let bucket = &self.keys[self.starts[top] as usize..self.starts[top + 1] as usize];
        let first = bucket.partition_point(|key| *key < wanted);
        bucket[first..]
            .iter()
            .take_while(|key| **key & !LIST_MASK == wanted)
            .try_for_each(|key| found((key & LIST_MASK) as Index))
    }

    pub(super) fn heap_bytes(&self) -> usize {
        (self.keys.capacity() + self.sieve.capacity()) * 8 + self.starts.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_found_with_all_its_lists_and_no_other_text_is() {
        let mut builder = Builder::default();
        for n in 0..20_000u32 {
            builder.add((n % 7) as Index, &format!("in {n}"));
            if n.is_multiple_of(3) {
                builder.add(MAX_LISTS as Index - 1, &format!("in {n}"));
            }
        }
        let hashed = builder.finish();
        let lists = |text: &str| {
            let mut lists = Vec::new();
            let _ = hashed.find(text, |list| {
                lists.push(list);
                ControlFlow::Continue(())
            });
            lists
        };
        for n in 0..20_000u32 {
            let mut expected = vec![(n % 7) as Index];
            if n.is_multiple_of(3) {
                expected.push(MAX_LISTS as Index - 1);
            }
            assert_eq!(lists(&format!("in {n}")), expected, "{n}");
            assert!(lists(&format!("out {n}")).is_empty(), "{n}");
        }
    }
}
