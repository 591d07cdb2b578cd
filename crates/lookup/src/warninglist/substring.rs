//! Texts found anywhere in a value: all lists in one automaton, one pass over the value.

use super::{Index, Lists};
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

#[derive(Default)]
pub(super) struct Builder {
    entries: Vec<(Index, Box<str>)>,
}

#[derive(Default)]
pub(super) struct Substrings {
    automaton: Option<AhoCorasick>,
    /// By pattern number.
    entries: Vec<(Index, Box<str>)>,
    beginnings: Option<Beginnings>,
}

/// How the entries begin: values in which nothing begins so need not be run through the automaton, which costs ten
/// times as much a byte.
struct Beginnings {
    /// Bytes looked at: as many as the shortest entry has, [`LONGEST_BEGINNING`] at most.
    len: usize,
    /// A bit for each hash of a beginning.
    bits: Box<[u64]>,
}

/// Fewer bytes are in nearly every value; more than this tell no more.
const SHORTEST_BEGINNING: usize = 3;
const LONGEST_BEGINNING: usize = 8;
/// 128 KiB: with the published lists (5,000 entries) one beginning in 200 is there by chance.
const BEGINNING_BITS: u32 = 20;

impl Beginnings {
    fn of(entries: &[(Index, Box<str>)]) -> Option<Self> {
        let shortest = entries.iter().map(|(_, text)| text.len()).min()?;
        let len = shortest.min(LONGEST_BEGINNING);
        if len < SHORTEST_BEGINNING {
            return None;
        }
        let mut bits = vec![0u64; 1 << (BEGINNING_BITS - 6)].into_boxed_slice();
        for (_, text) in entries {
            let place =
                Self::hash(text.bytes().take(len).fold(0, |window, byte| window << 8 | u64::from(byte)));
            bits[place / 64] |= 1 << (place % 64);
        }
        Some(Self { len, bits })
    }

    fn hash(window: u64) -> usize {
        (window.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BEGINNING_BITS)) as usize
    }

    /// Where the first entry may begin.
    fn first(&self, value: &[u8]) -> Option<usize> {
        let mask = u64::MAX >> (u64::BITS - 8 * self.len as u32);
        let mut window = 0;
        value.iter().enumerate().find_map(|(at, byte)| {
            window = (window << 8 | u64::from(*byte)) & mask;
            let begins = (at + 1).checked_sub(self.len)?;
            let place = Self::hash(window);
            (self.bits[place / 64] >> (place % 64) & 1 == 1).then_some(begins)
        })
    }
}

impl Builder {
    pub(super) fn add(&mut self, list: Index, text: &str) {
        self.entries.push((list, text.into()));
    }

    /// Refused when the lists together are too large for an automaton: names the last list.
    pub(super) fn finish(self) -> Result<Substrings, (Index, String)> {
        let Some((last, _)) = self.entries.last() else { return Ok(Substrings::default()) };
        // A DFA would be faster and take a hundred times the memory.
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(self.entries.iter().map(|(_, text)| text.as_bytes()))
            .map_err(|error| (*last, format!("substring lists cannot be searched: {error}")))?;
        let beginnings = Beginnings::of(&self.entries);
        Ok(Substrings { automaton: Some(automaton), entries: self.entries, beginnings })
    }
}

impl Substrings {
    /// Reports for each list among `among` the first of its entries that the value contains.
    pub(super) fn find(
        &self,
        value: &str,
        among: &Lists,
        mut found: impl FnMut(Index, &str) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(automaton) = &self.automaton else { return ControlFlow::Continue(()) };
        let start = match self.beginnings.as_ref().map(|beginnings| beginnings.first(value.as_bytes())) {
            Some(None) => return ControlFlow::Continue(()),
            Some(Some(start)) => start,
            None => 0,
        };
        let mut first: BTreeMap<Index, usize> = BTreeMap::new();
        for hit in automaton.find_overlapping_iter(&value.as_bytes()[start..]) {
            let pattern = hit.pattern().as_usize();
            let list = self.entries[pattern].0;
            if among.has(list) {
                first.entry(list).and_modify(|known| *known = pattern.min(*known)).or_insert(pattern);
            }
        }
        first.into_iter().try_for_each(|(list, pattern)| found(list, &self.entries[pattern].1))
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let entries: usize = self.entries.iter().map(|(_, text)| text.len() + 24).sum();
        let beginnings = self.beginnings.as_ref().map_or(0, |b| b.bits.len() * 8);
        entries + beginnings + self.automaton.as_ref().map_or(0, AhoCorasick::memory_usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_wherever_it_stands_and_however_short_it_is() {
        for entries in
            [&["needle", "longer needle", "нет", "xyz"][..], &["ab", "needle"], &["abcdefgh", "needles, all"]]
        {
            let mut builder = Builder::default();
            entries.iter().enumerate().for_each(|(list, entry)| builder.add(list as Index, entry));
            let substrings = builder.finish().expect("few entries");
            let every = Lists::of(entries.len(), 0..entries.len());
            let found = |value: &str| {
                let mut found = Vec::new();
                let _ = substrings.find(value, &every, |list, entry| {
                    found.push((list, entry.to_owned()));
                    ControlFlow::Continue(())
                });
                found
            };
            for entry in entries {
                for value in [
                    entry.to_string(),
                    format!("{entry} after"),
                    format!("before é {entry}"),
                    format!("n{entry}n"),
                ] {
                    let expected: Vec<_> = entries
                        .iter()
                        .enumerate()
                        .filter(|(_, entry)| value.contains(**entry))
                        .map(|(list, entry)| (list as Index, (*entry).to_owned()))
                        .collect();
                    assert_eq!(found(&value), expected, "{value}");
                }
            }
            assert!(found("nothing of it").is_empty() && found("").is_empty() && found("n").is_empty());
        }
    }
}
