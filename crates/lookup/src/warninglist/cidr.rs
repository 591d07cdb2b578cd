//! Networks that hold an address or network: one search among the addresses at which another network becomes the
//! closest, then from network to network outwards. An entry costs 24 bytes (IPv4), whatever is nested in what.

use super::Index;
use pisax_model::correlation::Net;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::ControlFlow;

/// The bytes before an IPv4 address mapped into IPv6.
const MAPPED: u128 = 0xffff << 32;
const V4_FROM: u8 = 96;

#[derive(Default)]
pub(super) struct Builder {
    v4: Vec<(u32, u8, Index)>,
    v6: Vec<(u128, u8, Index)>,
}

/// IPv4 is kept apart: a quarter of the room, and `::/0` does not hold it.
#[derive(Default)]
pub(super) struct Networks {
    v4: Nested<u32>,
    v6: Nested<u128>,
}

/// An address of one family.
trait Address: Ord + Copy {
    /// The last address of the network of this length that begins here.
    fn last(self, len: u8) -> Self;
    /// The next address, if there is one.
    fn next(self) -> Option<Self>;
    /// Its first [`TOP_BITS`] bits.
    fn top(self) -> usize;
}

const TOP_BITS: u32 = 12;

impl Address for u32 {
    fn last(self, len: u8) -> Self {
        self | u32::MAX.checked_shr(u32::from(len - V4_FROM)).unwrap_or(0)
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn top(self) -> usize {
        (self >> (Self::BITS - TOP_BITS)) as usize
    }
}

impl Address for u128 {
    fn last(self, len: u8) -> Self {
        self | u128::MAX.checked_shr(u32::from(len)).unwrap_or(0)
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn top(self) -> usize {
        (self >> (Self::BITS - TOP_BITS)) as usize
    }
}

const NONE: u32 = u32::MAX;

/// A network of a list, and the next one around it.
struct Entry {
    around: u32,
    list: Index,
    len: u8,
}

/// Networks of one family, nested as prefixes are.
struct Nested<A> {
    /// By first address, wider ones before those inside them.
    entries: Vec<Entry>,
    /// Where another network becomes the closest, ascending.
    edges: Vec<A>,
    /// The closest network from that edge on; [`NONE`] where there is none.
    closest: Vec<u32>,
    /// Where the edges begin whose first bits are 0, 1, 2, …; one more at the end.
    tops: Vec<u32>,
}

impl<A> Default for Nested<A> {
    fn default() -> Self {
        Self { entries: Vec::new(), edges: Vec::new(), closest: Vec::new(), tops: Vec::new() }
    }
}

fn v4_of(net: Net) -> Option<u32> {
    let first = u128::from_be_bytes(net.first);
    (net.len >= V4_FROM && first >> 32 == MAPPED >> 32).then_some(first as u32)
}

impl Builder {
    pub(super) fn add(&mut self, list: Index, entry: &str) -> Result<(), String> {
        let net = Net::parse(entry).ok_or_else(|| "neither an address nor a network".to_owned())?;
        match v4_of(net) {
            Some(first) => self.v4.push((first, net.len, list)),
            None => self.v6.push((u128::from_be_bytes(net.first), net.len, list)),
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Networks {
        Networks { v4: Nested::of(self.v4), v6: Nested::of(self.v6) }
    }
}

impl<A: Address> Nested<A> {
    fn of(mut all: Vec<(A, u8, Index)>) -> Self {
        all.sort_unstable();
        all.dedup();
        let mut nested = Self { entries: Vec::with_capacity(all.len()), ..Self::default() };
        // What is open at the address looked at, from the outside in: last address and place.
        let mut open: Vec<(A, u32)> = Vec::new();
        for (first, len, list) in all {
            while let Some((last, _)) = open.last().filter(|(last, _)| *last < first) {
                nested.closes(*last, &mut open);
            }
            let place = nested.entries.len() as u32;
            let around = open.last().map_or(NONE, |(_, place)| *place);
            nested.entries.push(Entry { around, list, len });
            nested.edge(first, place);
            open.push((first.last(len), place));
        }
        while let Some((last, _)) = open.last() {
            nested.closes(*last, &mut open);
        }
        let edges = &nested.edges;
        let before = |top: usize| edges.partition_point(|edge| edge.top() < top) as u32;
        if !edges.is_empty() {
            nested.tops = (0..=1usize << TOP_BITS).map(before).collect();
        }
        nested.edges.shrink_to_fit();
        nested.closest.shrink_to_fit();
        nested
    }

    /// The innermost open network ends with this address.
    fn closes(&mut self, last: A, open: &mut Vec<(A, u32)>) {
        open.pop();
        if let Some(after) = last.next() {
            self.edge(after, open.last().map_or(NONE, |(_, place)| *place));
        }
    }

    fn edge(&mut self, at: A, closest: u32) {
        if self.edges.last() == Some(&at) {
            self.closest.pop();
        } else {
            self.edges.push(at);
        }
        self.closest.push(closest);
    }

    /// Length and list of every network around this one, the closest first.
    fn find(
        &self,
        first: A,
        len: u8,
        mut found: impl FnMut(Index, u8) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.edges.is_empty() {
            return ControlFlow::Continue(());
        }
        let (from, to) = (self.tops[first.top()] as usize, self.tops[first.top() + 1] as usize);
        let after = from + self.edges[from..to].partition_point(|edge| *edge <= first);
        let mut place = after.checked_sub(1).map_or(NONE, |edge| self.closest[edge]);
        while let Some(entry) = self.entries.get(place as usize) {
            // What begins here and is smaller does not hold all of it.
            if entry.len <= len {
                found(entry.list, entry.len)?;
            }
            place = entry.around;
        }
        ControlFlow::Continue(())
    }

    fn heap_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
            + self.edges.capacity() * size_of::<A>()
            + (self.closest.capacity() + self.tops.capacity()) * size_of::<u32>()
    }
}

impl Networks {
    /// Every entry that holds all of `net`.
    pub(super) fn find(
        &self,
        net: Net,
        mut found: impl FnMut(Index, Net) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let tell = |list, len| found(list, net.widened(len));
        match v4_of(net) {
            Some(first) => self.v4.find(first, net.len, tell),
            None => self.v6.find(u128::from_be_bytes(net.first), net.len, tell),
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.v4.heap_bytes() + self.v6.heap_bytes()
    }
}

/// `address/length`, as MISP names the entry that matched.
pub(super) fn text(net: Net) -> String {
    match v4_of(net) {
        Some(first) => format!("{}/{}", Ipv4Addr::from(first), net.len - V4_FROM),
        None => format!("{}/{}", Ipv6Addr::from(net.first), net.len),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn net() -> impl Strategy<Value = Net> {
        // Few addresses at both ends of the space, so that networks nest, touch and reach its end.
        let v4 = (0..4u8, any::<bool>(), 0..=32u8).prop_map(|(low, high, len)| {
            let top = if high { 255 } else { 0 };
            Net::parse(&format!("{top}.{top}.{top}.{}/{len}", if high { 252 + low } else { low }))
        });
        let v6 = (0..4u8, any::<bool>(), 0..=128u8).prop_map(|(low, high, len)| {
            let head = if high { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff" } else { "::" };
            Net::parse(&format!("{head}{low}/{len}"))
        });
        prop_oneof![3 => v4, 1 => v6].prop_map(|net| net.expect("an address"))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn every_network_around_one_is_found_and_no_other(
            entries in proptest::collection::vec((net(), 0..3u16), 0..24),
            wanted in net(),
        ) {
            let mut builder = Builder::default();
            for (entry, list) in &entries {
                builder.add(*list, &text(*entry)).expect("an address");
            }
            let mut found = Vec::new();
            let _ = builder.finish().find(wanted, |list, entry| {
                found.push((list, entry));
                ControlFlow::Continue(())
            });
            prop_assert!(found.is_sorted_by_key(|(_, entry)| std::cmp::Reverse(entry.len)), "closest first");
            // `::/0` is a network of IPv6 addresses and holds no IPv4 one.
            let family = |net: Net| v4_of(net).is_some();
            let mut expected: Vec<(Index, Net)> = entries
                .into_iter()
                .filter(|(entry, _)| entry.contains(&wanted) && family(*entry) == family(wanted))
                .map(|(entry, list)| (list, entry))
                .collect();
            expected.sort_unstable();
            expected.dedup();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
