//! `count`: how many there are, and nothing else.

use super::{AttributeFormat, ExportOptions, ExportRow, Scope};
use rustc_hash::FxHashSet;

pub(super) struct Count {
    scope: Scope,
    attributes: u64,
    events: FxHashSet<i64>,
}

impl Count {
    pub(super) fn new(options: &ExportOptions) -> Self {
        Self { scope: options.scope, attributes: 0, events: FxHashSet::default() }
    }
}

impl AttributeFormat for Count {
    fn attribute(&mut self, row: &ExportRow<'_>, _out: &mut Vec<u8>) {
        match self.scope {
            Scope::Attributes => self.attributes += 1,
            Scope::Events => {
                self.events.insert(row.attribute.event_id);
            }
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let count = match self.scope {
            Scope::Attributes => self.attributes,
            Scope::Events => self.events.len() as u64,
        };
        out.extend_from_slice(count.to_string().as_bytes());
    }
}
