//! How many there are of what, as far as the actor sees.

use crate::{Reader, Result};

/// What attributes are counted by; the codes are those of `pisax_model`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Kind,
    Category,
}

impl Reader<'_> {
    /// Living visible attributes: `(code, how many)`, in order of codes.
    pub fn attribute_counts(&mut self, by: By) -> Result<Vec<(i64, i64)>> {
        let column = match by {
            By::Kind => "kind",
            By::Category => "category",
        };
        // Who sees everything needs no event to decide it.
        let from = match self.actor.sees_all() {
            true => "attributes a",
            false => crate::attributes::FROM,
        };
        let sees = self.sees_attribute("e", "o", "a");
        let sql = format!(
            "select a.{column}, count(*) from {from} where a.deleted = 0 and {sees} group by a.{column} order by a.{column}"
        );
        self.conn.all(&sql, &[], |r| Ok((r.int(0)?, r.int(1)?)))
    }
}
