//! What else has the same value: ranges of the posting list, address ranges, nothing stored per pair.
//!
//! Counts are exact at any number of matches. Visibility is that of the reader at the moment of reading.
//! A pair correlates when both attributes live, are in different events, and nothing switched correlation off
//! for either of them (semantics 4.1); networks correlate with what they contain and what contains them.

use crate::attributes::{Batch, COLUMNS, FROM};
use crate::conn::Val;
use crate::{Reader, Result, dialect};
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

/// A network stored with one attribute.
struct Kept {
    net: Net,
    event_id: i64,
    attribute_id: i64,
}

impl Reader<'_> {
    /// Events that correlate with a visible event, with the number of pairs, most recent first.
    pub fn related_events(&mut self, event: &Event) -> Result<Vec<Related>> {
        let mut counts: FxHashMap<i64, i64> = FxHashMap::default();
        if event.disable_correlation {
            return Ok(Vec::new());
        }
        for half in [1, 2] {
            let sql = format!(
                "select p.event_id, count(*) from {} and ours.event_id = $1 group by p.event_id",
                self.pairs(half)
            );
            self.conn.each(&sql, &[event.id.into()], |r| {
                *counts.entry(r.int(0)?).or_default() += r.int(1)?;
                Ok(())
            })?;
        }
        let nets = self.nets_of_event(event.id)?;
        for pair in self.net_pairs(&nets, event.id)? {
            *counts.entry(pair.their_event).or_default() += 1;
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
        for half in [1, 2] {
            let sql = format!(
                "select ours.id, count(*) from {} and {} group by ours.id",
                self.pairs(half),
                dialect::in_set(lite, "ours.id", 1)
            );
            self.conn.each(&sql, &[Val::Text(&set)], |r| {
                *counts.entry(r.int(0)?).or_default() += r.int(1)?;
                Ok(())
            })?;
        }
        let nets = nets_of(attributes);
        for pair in self.net_pairs(&nets, event.id)? {
            *counts.entry(pair.ours).or_default() += 1;
        }
        Ok(counts)
    }

    /// The correlating pairs of these visible attributes, at most `limit` for each of them (a display limit:
    /// [`Reader::correlation_counts`] has the true number).
    pub fn correlations(&mut self, attributes: &Batch, limit: usize) -> Result<Vec<Pair>> {
        let lite = self.conn.is_lite();
        let set = dialect::set_text(lite, attributes.iter().map(|a| a.id));
        let mut pairs = Vec::new();
        for half in [1, 2] {
            let sql = format!(
                "select id, theirs, their_event from (select ours.id as id, theirs.id as theirs, p.event_id as their_event, \
                 row_number() over (partition by ours.id order by theirs.id desc) as place from {} and {}) ranked \
                 where place <= {limit}",
                self.pairs(half),
                dialect::in_set(lite, "ours.id", 1)
            );
            let found = self.conn.all(&sql, &[Val::Text(&set)], |r| {
                Ok(Pair { ours: r.int(0)?, theirs: r.int(1)?, their_event: r.int(2)? })
            })?;
            pairs.extend(found);
        }
        for attribute in attributes.iter() {
            if let Some(net) = net_of(attribute.kind, attribute.value1, attribute.value2) {
                pairs.extend(self.net_pairs(&[(attribute.id, net)], attribute.event_id)?.into_iter().take(limit));
            }
        }
        Ok(pairs)
    }

    /// Attribute `ours`, posting `p`, visible correlating attribute `theirs`; ends in a `where` that callers add to.
    /// `cross join` keeps SQLite to this order: our rows, their postings, what those point to.
    fn pairs(&self, half: u8) -> String {
        let bit =
            if half == 1 { "ours.correlates > 0" } else { "ours.correlates = 3 and ours.hash2 <> ours.hash1" };
        format!(
            "attributes ours cross join events oe cross join postings p cross join attributes theirs cross join events te \
             left join objects oo on oo.id = ours.object_id and ours.object_id > 0 \
             left join objects tobj on tobj.id = theirs.object_id and theirs.object_id > 0 \
             where oe.id = ours.event_id and ours.deleted = 0 and {bit} and p.hash = ours.hash{half} \
             and p.event_id <> ours.event_id and p.correlates = 1 and theirs.id = p.attribute_id \
             and theirs.deleted = 0 and te.id = p.event_id and te.disable_correlation = 0 and {} and {}",
            self.sees_attribute("oe", "oo", "ours"),
            self.sees_attribute("te", "tobj", "theirs")
        )
    }

    /// Networks and addresses of an event's living, visible, correlating attributes.
    fn nets_of_event(&mut self, event_id: i64) -> Result<Vec<(i64, Net)>> {
        let sees = self.sees_attribute("e", "o", "a");
        // Codes of the types that stand for an address (model::correlation::net_of).
        let kinds: Vec<String> = pisax_model::AttributeType::all()
            .filter(|k| net_of(*k, "192.0.2.1", "192.0.2.1").is_some())
            .map(|k| k.code().to_string())
            .collect();
        let sql = format!(
            "select {COLUMNS} from {FROM} where a.event_id = $1 and a.deleted = 0 and a.correlates > 0 \
             and a.kind in ({}) and {sees}",
            kinds.join(",")
        );
        let mut nets = Vec::new();
        let mut batch = Batch::default();
        self.conn.each(&sql, &[event_id.into()], |row| batch.push(row))?;
        nets.extend(nets_of(&batch));
        Ok(nets)
    }

    /// Pairs by containment, without those of equal value (the posting list has them).
    fn net_pairs(&mut self, nets: &[(i64, Net)], own_event: i64) -> Result<Vec<Pair>> {
        if nets.is_empty() {
            return Ok(Vec::new());
        }
        let mut found: Vec<Pair> = Vec::new();
        let any_network = self.conn.number("select count(*) from (select 1 from networks limit 1) one", &[])? > 0;
        for (ours, net) in nets {
            let mut kept = if net.len < 128 { self.inside(net)? } else { Vec::new() };
            if any_network {
                kept.extend(self.around(net)?);
            }
            let others = kept.iter().filter(|k| k.event_id != own_event && k.net != *net);
            found.extend(others.map(|k| Pair { ours: *ours, theirs: k.attribute_id, their_event: k.event_id }));
        }
        if found.is_empty() {
            return Ok(found);
        }
        let allowed = self.correlating(found.iter().map(|p| p.theirs))?;
        found.retain(|p| allowed.contains(&p.theirs));
        Ok(found)
    }

    /// Addresses and networks inside a network (longer prefixes only): one range.
    fn inside(&mut self, net: &Net) -> Result<Vec<Kept>> {
        let sql = "select first, len, event_id, attribute_id from addresses where first >= $1 and first <= $2 and len > $3";
        self.kept(sql, &[Val::Blob(&net.first), Val::Blob(&net.last()), i64::from(net.len).into()])
    }

    /// Networks around an address or network, by walking up: the nearest network that begins at or before it
    /// either contains it, or shares only so many bits with it, and any network around it must share no more.
    fn around(&mut self, net: &Net) -> Result<Vec<Kept>> {
        let sql = "select first, len from networks where (first, len) < ($1, $2) order by first desc, len desc limit 1";
        let mut kept = Vec::new();
        let mut at = *net;
        while let Some(below) = {
            let args = [Val::Blob(&at.first), i64::from(at.len).into()];
            self.conn.first(sql, &args, |r| read_net(r.blob(0)?, r.int(1)?))?
        } {
            if below.contains(&at) {
                let sql = "select first, len, event_id, attribute_id from networks where first = $1 and len = $2";
                kept.extend(self.kept(sql, &[Val::Blob(&below.first), i64::from(below.len).into()])?);
                at = below;
            } else {
                let common = common_bits(&below.first, &at.first).min(at.len.saturating_sub(1));
                // A network of exactly `common` bits may itself be stored: look from just above it.
                at = Net { first: at.widened(common).first, len: common };
                let sql = "select first, len, event_id, attribute_id from networks where first = $1 and len = $2";
                kept.extend(self.kept(sql, &[Val::Blob(&at.first), i64::from(at.len).into()])?);
            }
            if at.len == 0 {
                break;
            }
        }
        Ok(kept)
    }

    fn kept(&mut self, sql: &str, args: &[Val<'_>]) -> Result<Vec<Kept>> {
        self.conn.all(sql, args, |r| {
            Ok(Kept { net: read_net(r.blob(0)?, r.int(1)?)?, event_id: r.int(2)?, attribute_id: r.int(3)? })
        })
    }

    /// Those of these attributes that live, correlate and are visible.
    fn correlating(&mut self, ids: impl Iterator<Item = i64>) -> Result<FxHashSet<i64>> {
        let lite = self.conn.is_lite();
        let sql = format!(
            "select a.id from {FROM} where {} and a.deleted = 0 and a.correlates > 0 and e.disable_correlation = 0 and {}",
            dialect::in_set(lite, "a.id", 1),
            self.sees_attribute("e", "o", "a")
        );
        let set = dialect::set_text(lite, ids);
        let mut allowed = FxHashSet::default();
        self.conn.each(&sql, &[Val::Text(&set)], |r| {
            allowed.insert(r.int(0)?);
            Ok(())
        })?;
        Ok(allowed)
    }
}

fn nets_of(batch: &Batch) -> Vec<(i64, Net)> {
    batch.iter().filter_map(|a| Some((a.id, net_of(a.kind, a.value1, a.value2)?))).collect()
}

fn read_net(first: &[u8], len: i64) -> Result<Net> {
    let first = first.try_into().map_err(|_| crate::Error::Damaged("an address is not 16 bytes"))?;
    Ok(Net { first, len: len as u8 })
}

/// How many leading bits two addresses share.
fn common_bits(a: &[u8; 16], b: &[u8; 16]) -> u8 {
    (u128::from_be_bytes(*a) ^ u128::from_be_bytes(*b)).leading_zeros() as u8
}
