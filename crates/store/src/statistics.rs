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

// ---- The instance as a whole --------------------------------------------------------------------------

/// Numbers about an instance: events and attributes as far as the actor sees, people all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub events: i64,
    pub events_since: i64,
    /// Living ones, by the events' own counts.
    pub attributes: i64,
    pub attributes_since: i64,
    pub users: i64,
    pub users_with_key: i64,
    pub orgs: i64,
    pub local_orgs: i64,
    /// Organisations that made an event.
    pub contributing_orgs: i64,
    /// Open ones.
    pub proposals: i64,
}

/// How many there are in all, and how many came since two moments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Growth {
    pub total: i64,
    pub since: [i64; 2],
}

/// Who or what came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grown {
    Users,
    LocalOrgs,
    ExternalOrgs,
}

/// What an organisation made, as far as the actor sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contribution {
    pub events: i64,
    pub attributes: i64,
}

impl Reader<'_> {
    /// `since`: unix seconds.
    pub fn usage(&mut self, since: i64) -> Result<Usage> {
        let sees = self.sees_event("e");
        let sql = format!(
            "select count(*), coalesce(sum(case when e.timestamp > $1 then 1 else 0 end), 0), \
             cast(coalesce(sum(e.attribute_count), 0) as bigint), count(distinct e.orgc_id) from events e where {sees}"
        );
        let mut usage = Usage::default();
        self.conn.each(&sql, &[since.into()], |r| {
            (usage.events, usage.events_since) = (r.int(0)?, r.int(1)?);
            (usage.attributes, usage.contributing_orgs) = (r.int(2)?, r.int(3)?);
            Ok(())
        })?;
        let sql = format!(
            "select count(*) from {} where a.timestamp > $1 and a.deleted = 0 and {}",
            crate::attributes::FROM,
            self.sees_attribute("e", "o", "a")
        );
        usage.attributes_since = self.conn.number(&sql, &[since.into()])?;
        usage.proposals = self.open_proposals()?;
        usage.users = self.conn.number("select count(*) from users", &[])?;
        let sql = "select count(*) from users where gpgkey is not null and gpgkey <> ''";
        usage.users_with_key = self.conn.number(sql, &[])?;
        usage.orgs = self.conn.number("select count(*) from orgs", &[])?;
        usage.local_orgs = self.conn.number("select count(*) from orgs where local = 1", &[])?;
        Ok(usage)
    }

    /// Pairs of attributes that share a value, wherever they are: a number about the instance. Reads the whole
    /// index of values, so whoever asks keeps what it says for a while.
    pub fn correlation_pairs(&mut self) -> Result<i64> {
        let sql = "select cast(coalesce(sum(n * (n - 1) / 2), 0) as bigint) from \
                   (select count(*) as n from postings where correlates = 1 group by hash having count(*) > 1) x";
        self.conn.number(sql, &[])
    }

    pub fn growth(&mut self, of: Grown, since: [i64; 2]) -> Result<Growth> {
        let from = match of {
            Grown::Users => "users",
            Grown::LocalOrgs => "orgs where local = 1",
            Grown::ExternalOrgs => "orgs where local = 0",
        };
        let sql = format!(
            "select count(*), coalesce(sum(case when date_created >= $1 then 1 else 0 end), 0), \
             coalesce(sum(case when date_created >= $2 then 1 else 0 end), 0) from {from}"
        );
        let read = |r: &crate::conn::Row<'_>| Ok(Growth { total: r.int(0)?, since: [r.int(1)?, r.int(2)?] });
        let found = self.conn.first(&sql, &[since[0].into(), since[1].into()], read)?;
        Ok(found.unwrap_or_default())
    }

    /// What each organisation made since a moment; those that made nothing one sees are absent.
    pub fn contributions(&mut self, since: i64) -> Result<Vec<(i64, Contribution)>> {
        let sql = format!(
            "select e.orgc_id, count(*), cast(coalesce(sum(e.attribute_count), 0) as bigint) from events e \
             where e.timestamp >= $1 and {} group by e.orgc_id order by 2 desc, 1",
            self.sees_event("e")
        );
        self.conn.all(&sql, &[since.into()], |r| {
            Ok((r.int(0)?, Contribution { events: r.int(1)?, attributes: r.int(2)? }))
        })
    }

    /// `(organisation, day since 1970, attributes)` of the events changed on that day since a moment, in order of
    /// organisations and days.
    pub fn activity(&mut self, since: i64) -> Result<Vec<(i64, i64, i64)>> {
        let sql = format!(
            "select e.orgc_id, e.timestamp / 86400, cast(sum(e.attribute_count) as bigint) from events e \
             where e.timestamp >= $1 and {} group by 1, 2 order by 1, 2",
            self.sees_event("e")
        );
        self.conn.all(&sql, &[since.into()], |r| Ok((r.int(0)?, r.int(1)?, r.int(2)?)))
    }

    /// `(organisation, code of the type, how many)` of living visible attributes, by who made their event.
    pub fn attribute_counts_by_org(&mut self) -> Result<Vec<(i64, i64, i64)>> {
        let sql = format!(
            "select e.orgc_id, a.kind, count(*) from {} where a.deleted = 0 and {} group by e.orgc_id, a.kind \
             order by 1, 2",
            crate::attributes::FROM,
            self.sees_attribute("e", "o", "a")
        );
        self.conn.all(&sql, &[], |r| Ok((r.int(0)?, r.int(1)?, r.int(2)?)))
    }

    /// `(source, kind, event)` of the sightings of one's own organisation since a moment, each once, with how many.
    pub fn sighting_sources(&mut self, since: i64) -> Result<Vec<(String, i64, i64, i64)>> {
        let sql = "select source, kind, event_id, count(*) from sightings where org_id = $1 and date_sighting > $2 \
                   group by source, kind, event_id order by source, kind, event_id";
        let org = self.actor.org_id;
        let read = |r: &crate::conn::Row<'_>| Ok((r.string(0)?, r.int(1)?, r.int(2)?, r.int(3)?));
        self.conn.all(sql, &[org.into(), since.into()], read)
    }

    /// Tags of visible events changed since a moment, with their colour and how many events carry them.
    pub fn trending_tags(&mut self, since: i64) -> Result<Vec<(String, String, i64)>> {
        let sql = format!(
            "select t.name, t.colour, count(*) from event_tags x join events e on e.id = x.event_id \
             join tags t on t.id = x.tag_id where e.timestamp >= $1 and {} group by t.id, t.name, t.colour \
             order by 3 desc, 1 limit 1000",
            self.sees_event("e")
        );
        self.conn.all(&sql, &[since.into()], |r| Ok((r.string(0)?, r.string(1)?, r.int(2)?)))
    }

    /// Visible events changed or published since a moment.
    pub fn events_since(&mut self, since: i64) -> Result<(i64, i64)> {
        let sql = format!(
            "select coalesce(sum(case when e.timestamp >= $1 then 1 else 0 end), 0), \
             coalesce(sum(case when e.published = 1 and e.publish_timestamp >= $1 then 1 else 0 end), 0) \
             from events e where {}",
            self.sees_event("e")
        );
        Ok(self.conn.first(&sql, &[since.into()], |r| Ok((r.int(0)?, r.int(1)?)))?.unwrap_or_default())
    }
}
