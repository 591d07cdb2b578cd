//! What else has the same value: ranges of the posting list, address ranges, nothing stored per pair.
//!
//! Counts are exact at any number of matches. Visibility is that of the reader at the moment of reading.
//! A pair correlates when both attributes live, are in different events, and nothing switched correlation off
//! for either of them (semantics 4.1); networks correlate with what they contain and what contains them. Values
//! that somebody excluded are left out as the rows are read (`exclusions.rs`): nothing is computed anew.

use crate::attributes::{Batch, FROM};
use crate::conn::Val;
use crate::exclusions::Excluded;
use crate::{Error, Reader, Result, dialect};
use pisax_model::AttributeType;
use pisax_model::correlation::{Net, net_of};
use pisax_model::event::Event;
use rustc_hash::{FxHashMap, FxHashSet};

/// One pair: an attribute of ours and the one elsewhere it correlates with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pair {
    pub ours: i64,
    pub theirs: i64,
    pub their_event: i64,
}

/// How often another event correlates with the one looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Related {
    pub event_id: i64,
    pub count: i64,
}

/// Most pairs listed by one call, whatever the display limit.
const PAIRS: usize = 10_000;

impl Reader<'_> {
    /// Events that correlate with a visible event, with the number of pairs, most recent first.
    pub fn related_events(&mut self, event: &Event) -> Result<Vec<Related>> {
        let mut counts: FxHashMap<i64, i64> = FxHashMap::default();
        if event.disable_correlation {
            return Ok(Vec::new());
        }
        let excluded = self.excluded()?;
        for half in [1, 2] {
            let sql = format!(
                "select p.event_id, count(*) from {} and ours.event_id = $1 group by p.event_id",
                self.pairs(half, excluded)
            );
            self.conn.each(&sql, &[event.id.into()], |r| {
                *counts.entry(r.int(0)?).or_default() += r.int(1)?;
                Ok(())
            })?;
        }
        // How many of ours stand in each range and in each network around them: one count for each.
        let any_network = self.any_network()?;
        let mut wanted: FxHashMap<Span, i64> = FxHashMap::default();
        for (net, ours) in self.nets_of_event(event.id, excluded)? {
            for span in self.spans(&net, any_network)? {
                *wanted.entry(span).or_default() += ours;
            }
        }
        for (span, ours) in wanted {
            let sql = format!(
                "select k.event_id, count(*) from {} group by k.event_id",
                self.others(span, excluded)
            );
            self.conn.each(&sql, &span.args(event.id), |r| {
                *counts.entry(r.int(0)?).or_default() += ours * r.int(1)?;
                Ok(())
            })?;
        }
        let mut related: Vec<Related> =
            counts.into_iter().map(|(event_id, count)| Related { event_id, count }).collect();
        related.sort_unstable_by_key(|r| std::cmp::Reverse(r.event_id));
        Ok(related)
    }

    /// How many attributes elsewhere correlate with each of these visible attributes of one event.
    pub fn correlation_counts(&mut self, event: &Event, attributes: &Batch) -> Result<FxHashMap<i64, i64>> {
        let mut counts: FxHashMap<i64, i64> = FxHashMap::default();
        if event.disable_correlation || attributes.is_empty() {
            return Ok(counts);
        }
        let lite = self.conn.is_lite();
        let set = dialect::set_text(lite, attributes.iter().map(|a| a.id));
        let excluded = self.excluded()?;
        for half in [1, 2] {
            let sql = format!(
                "select ours.id, count(*) from {} and {} group by ours.id",
                self.pairs(half, excluded),
                dialect::in_set(lite, "ours.id", 1)
            );
            self.conn.each(&sql, &[Val::Text(&set)], |r| {
                *counts.entry(r.int(0)?).or_default() += r.int(1)?;
                Ok(())
            })?;
        }
        let mut ours: FxHashMap<Net, Vec<i64>> = FxHashMap::default();
        let spared = self.excluded_nets(attributes, excluded)?;
        for (id, _, net) in nets_of(attributes).filter(|(id, _, _)| !spared.contains(id)) {
            ours.entry(net).or_default().push(id);
        }
        let any_network = self.any_network()?;
        let mut known: FxHashMap<Span, i64> = FxHashMap::default();
        for (net, ids) in ours {
            let mut count = 0;
            for span in self.spans(&net, any_network)? {
                count += match known.get(&span) {
                    Some(count) => *count,
                    None => {
                        let sql = format!("select count(*) from {}", self.others(span, excluded));
                        let found = self.conn.number(&sql, &span.args(event.id))?;
                        known.insert(span, found);
                        found
                    }
                };
            }
            if count > 0 {
                for id in ids {
                    *counts.entry(id).or_default() += count;
                }
            }
        }
        Ok(counts)
    }

    /// The correlating pairs of these visible attributes, at most `limit` for each of them and [`PAIRS`] in all
    /// (a display limit: [`Reader::correlation_counts`] has the true number).
    pub fn correlations(&mut self, attributes: &Batch, limit: usize) -> Result<Vec<Pair>> {
        let lite = self.conn.is_lite();
        let set = dialect::set_text(lite, attributes.iter().map(|a| a.id));
        let mut list = Listed { pairs: Vec::new(), listed: FxHashMap::default(), limit: limit.min(PAIRS) };
        let excluded = self.excluded()?;
        for half in [1, 2] {
            let sql = format!(
                "select id, theirs, their_event from (select ours.id as id, theirs.id as theirs, p.event_id as their_event, \
                 row_number() over (partition by ours.id order by theirs.id desc) as place from {} and {}) ranked \
                 where place <= {} order by id, place limit {}",
                self.pairs(half, excluded),
                dialect::in_set(lite, "ours.id", 1),
                list.limit,
                // Half of them may be left out for an attribute that is full.
                2 * PAIRS
            );
            self.conn.each(&sql, &[Val::Text(&set)], |r| {
                list.add(Pair { ours: r.int(0)?, theirs: r.int(1)?, their_event: r.int(2)? });
                Ok(())
            })?;
        }
        self.net_pairs(attributes, excluded, &mut list)?;
        Ok(list.pairs)
    }

    /// Adds pairs by containment, each distinct network of an event looked up once.
    fn net_pairs(&mut self, attributes: &Batch, excluded: Excluded, list: &mut Listed) -> Result<()> {
        let mut ours: FxHashMap<(i64, Net), Vec<i64>> = FxHashMap::default();
        let mut order = Vec::new();
        let spared = self.excluded_nets(attributes, excluded)?;
        let wanted = |id: &i64| list.room(*id) > 0 && !spared.contains(id);
        for (id, event_id, net) in nets_of(attributes).filter(|(id, _, _)| wanted(id)) {
            let ids = ours.entry((event_id, net)).or_default();
            if ids.is_empty() {
                order.push((event_id, net));
            }
            ids.push(id);
        }
        if order.is_empty() {
            return Ok(());
        }
        let any_network = self.any_network()?;
        let correlating = self.correlating_events(order.iter().map(|(event_id, _)| *event_id))?;
        for (event_id, net) in order.into_iter().filter(|(event_id, _)| correlating.contains(event_id)) {
            if list.pairs.len() >= PAIRS {
                break;
            }
            let ids = &ours[&(event_id, net)];
            let most = ids.iter().map(|id| list.room(*id)).max().unwrap_or(0);
            let mut theirs: Vec<(i64, i64)> = Vec::new();
            for span in self.spans(&net, any_network)? {
                if theirs.len() >= most {
                    break;
                }
                let sql = format!(
                    "select k.attribute_id, k.event_id from {} \
                     order by k.first, k.len, k.event_id, k.attribute_id limit {}",
                    self.others(span, excluded),
                    most - theirs.len()
                );
                let found = self.conn.all(&sql, &span.args(event_id), |r| Ok((r.int(0)?, r.int(1)?)))?;
                theirs.extend(found);
            }
            for ours in ids {
                for (theirs, their_event) in &theirs {
                    list.add(Pair { ours: *ours, theirs: *theirs, their_event: *their_event });
                }
            }
        }
        Ok(())
    }

    /// Attribute `ours`, posting `p`, visible correlating attribute `theirs`; ends in a `where` that callers add to.
    /// `cross join` keeps SQLite to this order: our rows, their postings, what those point to.
    fn pairs(&self, half: u8, excluded: Excluded) -> String {
        let bit = if half == 1 {
            "ours.correlates > 0"
        } else {
            "ours.correlates = 3 and ours.hash2 <> ours.hash1"
        };
        format!(
            "attributes ours cross join events oe cross join postings p cross join attributes theirs cross join events te \
             left join objects oo on oo.id = ours.object_id and ours.object_id > 0 \
             left join objects tobj on tobj.id = theirs.object_id and theirs.object_id > 0 \
             where oe.id = ours.event_id and ours.deleted = 0 and {bit} and p.hash = ours.hash{half} \
             and p.event_id <> ours.event_id and p.correlates = 1 and theirs.id = p.attribute_id \
             and theirs.deleted = 0 and te.id = p.event_id and te.disable_correlation = 0 \
             and oe.disable_correlation = 0{} and {} and {}",
            excluded.and_not(&format!("ours.value{half}"), &format!("ours.hash{half}")),
            self.sees_attribute("oe", "oo", "ours"),
            self.sees_attribute("te", "tobj", "theirs")
        )
    }

    /// Networks and addresses of an event's living, visible, correlating attributes, and how many have each.
    fn nets_of_event(&mut self, event_id: i64, excluded: Excluded) -> Result<FxHashMap<Net, i64>> {
        let sees = self.sees_attribute("e", "o", "a");
        // Codes of the types that stand for an address (model::correlation::net_of).
        let kinds: Vec<String> = AttributeType::all()
            .filter(|k| net_of(*k, "192.0.2.1", "192.0.2.1").is_some())
            .map(|k| k.code().to_string())
            .collect();
        let sql = format!(
            "select a.kind, a.value1, a.value2 from {FROM} where a.event_id = $1 and a.deleted = 0 and a.correlates > 0 \
             and a.kind in ({}){} and {sees}",
            kinds.join(","),
            excluded.and_no_net("a")
        );
        let mut nets = FxHashMap::default();
        self.conn.each(&sql, &[event_id.into()], |r| {
            let kind = AttributeType::from_code(r.int(0)?).ok_or(Error::Damaged("an attribute's type"))?;
            if let Some(net) = net_of(kind, r.text(1)?, r.text(2)?) {
                *nets.entry(net).or_default() += 1;
            }
            Ok(())
        })?;
        Ok(nets)
    }

    /// Those of these events that correlate.
    fn correlating_events(&mut self, ids: impl Iterator<Item = i64>) -> Result<FxHashSet<i64>> {
        let lite = self.conn.is_lite();
        let ids: FxHashSet<i64> = ids.collect();
        let set = dialect::set_text(lite, ids.into_iter());
        let sql = format!(
            "select id from events where {} and disable_correlation = 0",
            dialect::in_set(lite, "id", 1)
        );
        Ok(self.conn.all(&sql, &[Val::Text(&set)], |r| r.int(0))?.into_iter().collect())
    }

    /// Whether any network is kept: without one there is nothing to walk up to.
    fn any_network(&mut self) -> Result<bool> {
        Ok(self.conn.number("select count(*) from (select 1 from networks limit 1) one", &[])? > 0)
    }

    /// Where what correlates with this network by containment is kept; equal ones are the posting list's.
    fn spans(&mut self, net: &Net, any_network: bool) -> Result<Vec<Span>> {
        let mut spans = if any_network { self.around(net)? } else { Vec::new() };
        if net.len < 128 {
            spans.push(Span::inside(net));
        }
        Ok(spans)
    }

    /// Address `k` in this span and visible correlating attribute `a` of another event (`$4`) that has it.
    fn others(&self, span: Span, excluded: Excluded) -> String {
        let (table, len) = if span.inside { ("addresses", "k.len > $3") } else { ("networks", "k.len = $3") };
        format!(
            "{table} k cross join attributes a cross join events e \
             left join objects o on o.id = a.object_id and a.object_id > 0 \
             where k.first >= $1 and k.first <= $2 and {len} and k.event_id <> $4 and a.id = k.attribute_id and a.deleted = 0 and a.correlates > 0 \
             and e.id = a.event_id and e.disable_correlation = 0{} and {}",
            excluded.and_no_net("a"),
            self.sees_attribute("e", "o", "a")
        )
    }

    /// Networks that may be around an address or network, by walking up: the nearest network that begins at or
    /// before it either contains it, or shares only so many bits with it, and any network around it must share
    /// no more.
    fn around(&mut self, net: &Net) -> Result<Vec<Span>> {
        let sql = "select first, len from networks where (first, len) < ($1, $2) order by first desc, len desc limit 1";
        let mut spans = Vec::new();
        let mut at = *net;
        while let Some(below) = {
            let args = [Val::Blob(&at.first), i64::from(at.len).into()];
            self.conn.first(sql, &args, |r| read_net(r.blob(0)?, r.int(1)?))?
        } {
            at = if below.contains(&at) {
                below
            } else {
                let common = common_bits(&below.first, &at.first).min(at.len.saturating_sub(1));
                // A network of exactly `common` bits may itself be stored: look from just above it.
                Net { first: at.widened(common).first, len: common }
            };
            spans.push(Span::at(&at));
            if at.len == 0 {
                break;
            }
        }
        Ok(spans)
    }
}

/// Stored addresses that correlate with one of ours: all inside a network (one range), or one network around.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Span {
    first: [u8; 16],
    last: [u8; 16],
    len: u8,
    inside: bool,
}

impl Span {
    fn inside(net: &Net) -> Self {
        Self { first: net.first, last: net.last(), len: net.len, inside: true }
    }

    fn at(net: &Net) -> Self {
        Self { first: net.first, last: net.first, len: net.len, inside: false }
    }

    /// What [`Reader::others`] is asked with.
    fn args(&self, own_event: i64) -> [Val<'_>; 4] {
        [Val::Blob(&self.first), Val::Blob(&self.last), i64::from(self.len).into(), own_event.into()]
    }
}

/// Pairs being listed.
struct Listed {
    pairs: Vec<Pair>,
    /// How many each of our attributes has.
    listed: FxHashMap<i64, usize>,
    limit: usize,
}

impl Listed {
    fn room(&self, ours: i64) -> usize {
        let own = self.limit - self.listed.get(&ours).copied().unwrap_or(0);
        own.min(PAIRS - self.pairs.len())
    }

    fn add(&mut self, pair: Pair) {
        if self.room(pair.ours) > 0 {
            *self.listed.entry(pair.ours).or_default() += 1;
            self.pairs.push(pair);
        }
    }
}

/// Row number, event and network of the attributes that correlate by containment.
fn nets_of(batch: &Batch) -> impl Iterator<Item = (i64, i64, Net)> {
    let able = batch.iter().filter(|a| !a.deleted && !a.disable_correlation && a.kind.correlates());
    able.filter_map(|a| Some((a.id, a.event_id, net_of(a.kind, a.value1, a.value2)?)))
}

fn read_net(first: &[u8], len: i64) -> Result<Net> {
    let first = first.try_into().map_err(|_| Error::Damaged("an address is not 16 bytes"))?;
    Ok(Net { first, len: len as u8 })
}

/// How many leading bits two addresses share.
fn common_bits(a: &[u8; 16], b: &[u8; 16]) -> u8 {
    (u128::from_be_bytes(*a) ^ u128::from_be_bytes(*b)).leading_zeros() as u8
}
