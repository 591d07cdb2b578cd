//! Networks that hold an address or network: one sorted run of prefixes per prefix length.

use super::Index;
use pisax_model::correlation::Net;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::ControlFlow;

/// The bytes before an IPv4 address mapped into IPv6.
const MAPPED: u128 = 0xffff << 32;
const V4_FROM: u8 = 96;

#[derive(Default)]
pub(super) struct Builder {
    v4: Vec<(u8, u32, Index)>,
    v6: Vec<(u8, u128, Index)>,
}

/// IPv4 is kept apart: a quarter of the room, and `::/0` does not hold it.
#[derive(Default)]
pub(super) struct Networks {
    v4: Vec<(u8, Vec<(u32, Index)>)>,
    v6: Vec<(u8, Vec<(u128, Index)>)>,
}

fn v4_of(net: Net) -> Option<u32> {
    let first = u128::from_be_bytes(net.first);
    (net.len >= V4_FROM && first >> 32 == MAPPED >> 32).then_some(first as u32)
}

impl Builder {
    pub(super) fn add(&mut self, list: Index, entry: &str) -> Result<(), String> {
        let net = Net::parse(entry).ok_or_else(|| "neither an address nor a network".to_owned())?;
        match v4_of(net) {
            Some(first) => self.v4.push((net.len, first, list)),
            None => self.v6.push((net.len, u128::from_be_bytes(net.first), list)),
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Networks {
        Networks { v4: by_length(self.v4), v6: by_length(self.v6) }
    }
}

/// Longest prefixes first, so that the closest network is the one reported.
fn by_length<P: Ord + Copy>(mut all: Vec<(u8, P, Index)>) -> Vec<(u8, Vec<(P, Index)>)> {
    all.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    all.dedup();
    all.chunk_by(|a, b| a.0 == b.0)
        .map(|run| (run[0].0, run.iter().map(|(_, first, list)| (*first, *list)).collect()))
        .collect()
}

fn probe<P: Ord + Copy>(
    run: &[(P, Index)],
    first: P,
    mut found: impl FnMut(Index) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let start = run.partition_point(|(prefix, _)| *prefix < first);
    run[start..].iter().take_while(|(prefix, _)| *prefix == first).try_for_each(|(_, list)| found(*list))
}

impl Networks {
    /// Every entry that holds all of `net`.
    pub(super) fn find(
        &self,
        net: Net,
        mut found: impl FnMut(Index, Net) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let is_v4 = v4_of(net).is_some();
        let lengths = if is_v4 { self.v4.len() } else { self.v6.len() };
        for place in 0..lengths {
            let len = if is_v4 { self.v4[place].0 } else { self.v6[place].0 };
            if len > net.len {
                continue;
            }
            let wider = net.widened(len);
            let first = u128::from_be_bytes(wider.first);
            if is_v4 {
                probe(&self.v4[place].1, first as u32, |list| found(list, wider))?;
            } else {
                probe(&self.v6[place].1, first, |list| found(list, wider))?;
            }
        }
        ControlFlow::Continue(())
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let v4: usize = self.v4.iter().map(|(_, run)| run.capacity() * size_of::<(u32, Index)>()).sum();
        let v6: usize = self.v6.iter().map(|(_, run)| run.capacity() * size_of::<(u128, Index)>()).sum();
        v4 + v6
    }
}

/// `address/length`, as MISP names the entry that matched.
pub(super) fn text(net: Net) -> String {
    match v4_of(net) {
        Some(first) => format!("{}/{}", Ipv4Addr::from(first), net.len - V4_FROM),
        None => format!("{}/{}", Ipv6Addr::from(net.first), net.len),
    }
}
