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
        Ok(Substrings { automaton: Some(automaton), entries: self.entries })
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
        let mut first: BTreeMap<Index, usize> = BTreeMap::new();
        for hit in automaton.find_overlapping_iter(value) {
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
        entries + self.automaton.as_ref().map_or(0, AhoCorasick::memory_usage)
    }
}
