//! Which values occur most: counted from the posting list when somebody asks.

use crate::{Reader, Result};

/// A value that several events have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    pub value: String,
    /// Living attributes that have it.
    pub count: i64,
    /// Whether an exclusion keeps it from correlating.
    pub excluded: bool,
}

impl Reader<'_> {
    /// Correlating values of several events that at least so many visible attributes have, the most frequent
    /// first. The posting list stands in order of values, so that counting is one pass over it; attributes are
    /// looked at only for what occurs often enough.
    pub fn occurrences(&mut self, least: i64, limit: i64, offset: i64) -> Result<Vec<Occurrence>> {
        let excluded = self.excluded()?;
        let sql = format!(
            "with often as (select hash from postings where correlates = 1 group by hash having count(*) >= $1), \
             counted as (select p.hash as hash, count(*) as n, \
             min(case when a.hash1 = p.hash then a.value1 else a.value2 end) as value \
             from often f join postings p on p.hash = f.hash and p.correlates = 1 \
             join attributes a on a.id = p.attribute_id join events e on e.id = a.event_id \
             left join objects o on o.id = a.object_id and a.object_id > 0 \
             where a.deleted = 0 and e.disable_correlation = 0 and {} \
             group by p.hash having count(*) >= $1 and count(distinct p.event_id) > 1) \
             select c.value, c.n, case when {} then 1 else 0 end from counted c \
             order by c.n desc, c.value limit $2 offset $3",
            self.sees_attribute("e", "o", "a"),
            excluded.is("c.value", "c.hash")
        );
        self.conn.all(&sql, &[least.into(), limit.into(), offset.into()], |r| {
            Ok(Occurrence { value: r.string(0)?, count: r.int(1)?, excluded: r.flag(2)? })
        })
    }
}
