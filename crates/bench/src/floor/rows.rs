//! The rows of an event, with everything worked out before the clock starts.

use crate::material::{Attribute, Event};
use pisax_model::correlation::{HashKey, Net, net_of};

/// Any key will do: what counts is that the hashes come in random order.
const KEY: HashKey = HashKey(0x5049_5341, 0x5821);

/// What the store works out for an attribute (`keys` and `postings` in its `attributes.rs`).
pub struct Keys {
    /// Hash of the first half.
    pub first: i64,
    /// Hash of the second half of a composite.
    pub second: Option<i64>,
    /// Bit 0: the first half correlates; bit 1: the second.
    pub correlates: i64,
    /// The address it stands for.
    pub net: Option<Net>,
}

impl Keys {
    fn of(attribute: &Attribute) -> Self {
        let kind = attribute.kind;
        let second = kind.is_composite().then(|| KEY.of(&attribute.value2));
        let correlates = match second {
            _ if !kind.correlates() => 0,
            Some(_) if !kind.primary_only() => 3,
            _ => 1,
        };
        let net = net_of(kind, &attribute.value1, &attribute.value2);
        Self { first: KEY.of(&attribute.value1), second, correlates, net }
    }

    /// Hash and whether it correlates, one for each half.
    pub fn postings(&self) -> impl Iterator<Item = (i64, i64)> {
        let second = self.second.filter(|s| *s != self.first).map(|s| (s, self.correlates >> 1));
        std::iter::once((self.first, self.correlates & 1)).chain(second)
    }
}

/// An event and the numbers of its rows.
pub struct Prepared {
    /// The row number of the event.
    pub event_id: i64,
    /// The row number of its first attribute; the others follow.
    pub first_id: i64,
    /// What is stored.
    pub event: Event,
    /// One for each attribute.
    pub keys: Vec<Keys>,
}

impl Prepared {
    /// The attributes with row number and keys.
    pub fn attributes(&self) -> impl Iterator<Item = (i64, &Attribute, &Keys)> {
        (self.first_id..).zip(&self.event.attributes).zip(&self.keys).map(|((id, a), k)| (id, a, k))
    }
}

/// Hands out row numbers.
#[derive(Debug, Clone, Copy)]
pub struct Numbering {
    next_event: i64,
    next_attribute: i64,
}

impl Default for Numbering {
    fn default() -> Self {
        Self { next_event: 1, next_attribute: 1 }
    }
}

impl Numbering {
    /// Prepares new events.
    pub fn prepare(&mut self, events: Vec<Event>) -> Vec<Prepared> {
        events.into_iter().map(|event| self.prepare_one(event)).collect()
    }

    fn prepare_one(&mut self, event: Event) -> Prepared {
        let prepared = self.inside(self.next_event, event);
        self.next_event += 1;
        prepared
    }

    /// Prepares attributes of an event that is there already.
    pub fn inside(&mut self, event_id: i64, event: Event) -> Prepared {
        let first_id = self.next_attribute;
        self.next_attribute += event.attributes.len() as i64;
        let keys = event.attributes.iter().map(Keys::of).collect();
        Prepared { event_id, first_id, event, keys }
    }
}

/// The columns of an event's row.
pub const EVENT: &str = "id, uuid, org_id, orgc_id, user_id, date, info, threat_level_id, analysis, published, \
 publish_timestamp, timestamp, sighting_timestamp, attribute_count, distribution, sharing_group_id, locked, \
 proposal_email_lock, disable_correlation, extends_uuid, protected";

/// The columns of an attribute's row.
pub const ATTRIBUTE: &str = "id, uuid, event_id, object_id, object_relation, category, kind, value1, value2, hash1, \
 hash2, correlates, to_ids, timestamp, distribution, sharing_group_id, comment, deleted, disable_correlation, \
 first_seen, last_seen";

/// The columns of a posting.
pub const POSTING: &str = "hash, event_id, attribute_id, correlates";

/// The columns of an address.
pub const ADDRESS: &str = "first, len, event_id, attribute_id";

/// The columns of a change.
pub const CHANGE: &str = "at, kind, action, uuid, event_id, org_id, user_id, reason";

/// `$1, $2, …` for a list of columns.
pub fn places(columns: &str) -> String {
    let count = columns.split(',').count();
    (1..=count).map(|i| format!("${i}")).collect::<Vec<_>>().join(", ")
}
