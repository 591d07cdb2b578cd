//! What became of each record on its way from and to a peer, and how far the exchange with it is.

use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::peer::{Direction, Entry, Outcome, Subject};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

const COLUMNS: &str =
    "server_id, direction, kind, uuid, outcome, reason, title, version, attempts, at, retry_at";

fn read(row: &Row<'_>) -> Result<Entry> {
    Ok(Entry {
        server_id: row.int(0)?,
        direction: Direction::from_code(row.int(1)?).ok_or(Error::Damaged("the direction of an entry"))?,
        subject: Subject::from_code(row.int(2)?).ok_or(Error::Damaged("the kind of an entry"))?,
        uuid: row.uuid(3)?,
        outcome: Outcome::from_code(row.int(4)?).ok_or(Error::Damaged("the outcome of an entry"))?,
        reason: row.string(5)?,
        title: row.string(6)?,
        version: row.int(7)?,
        attempts: row.int(8)?,
        at: row.int(9)?,
        retry_at: row.int(10)?,
    })
}

/// Which entries of a ledger are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerFilter {
    pub server_id: Option<i64>,
    pub direction: Option<Direction>,
    pub subject: Option<Subject>,
    pub outcome: Option<Outcome>,
    pub uuid: Option<Uuid>,
    /// Most entries, and how many of the newest are passed over.
    pub limit: i64,
    pub offset: i64,
}

impl LedgerFilter {
    fn condition(&self) -> (String, Vec<Val<'_>>) {
        let mut parts = Vec::new();
        let mut args: Vec<Val<'_>> = Vec::new();
        let mut number = |column: &str, value: Option<i64>| {
            if let Some(value) = value {
                args.push(value.into());
                parts.push(format!("{column} = ${}", args.len()));
            }
        };
        number("server_id", self.server_id);
        number("direction", self.direction.map(|d| d as i64));
        number("kind", self.subject.map(|s| s as i64));
        number("outcome", self.outcome.map(|o| o as i64));
        if let Some(uuid) = &self.uuid {
            args.push(uuid.into());
            parts.push(format!("uuid = ${}", args.len()));
        }
        (if parts.is_empty() { "1 = 1".into() } else { parts.join(" and ") }, args)
    }
}

impl Reader<'_> {
    /// Nobody but site admins sees any.
    fn sees_ledger(&self) -> &'static str {
        if self.actor.sees_all() { "1 = 1" } else { "1 = 0" }
    }

    /// The newest first.
    pub fn ledger(&mut self, filter: &LedgerFilter) -> Result<Vec<Entry>> {
        let (condition, args) = filter.condition();
        let sql = format!(
            "select {COLUMNS} from peer_ledger where {condition} and {} \
             order by at desc, server_id, direction, kind, uuid limit {} offset {}",
            self.sees_ledger(),
            filter.limit,
            filter.offset
        );
        self.conn.all(&sql, &args, read)
    }

    /// How many entries there are, whatever the limit.
    pub fn count_ledger(&mut self, filter: &LedgerFilter) -> Result<i64> {
        let (condition, args) = filter.condition();
        let sql = format!("select count(*) from peer_ledger where {condition} and {}", self.sees_ledger());
        Ok(self.conn.first(&sql, &args, |row| row.int(0))?.unwrap_or(0))
    }

    /// How many entries have which outcome, of one server and direction.
    pub fn ledger_counts(&mut self, server_id: i64) -> Result<Vec<(Direction, Outcome, i64)>> {
        let sql = format!(
            "select direction, outcome, count(*) from peer_ledger where server_id = $1 and {} \
             group by direction, outcome order by direction, outcome",
            self.sees_ledger()
        );
        let counts = self.conn.all(&sql, &[server_id.into()], |r| Ok((r.int(0)?, r.int(1)?, r.int(2)?)))?;
        let known = |(direction, outcome, count)| {
            Some((Direction::from_code(direction)?, Outcome::from_code(outcome)?, count))
        };
        Ok(counts.into_iter().filter_map(known).collect())
    }

    /// The entries of these records, by uuid.
    pub fn ledger_of(
        &mut self,
        server_id: i64,
        direction: Direction,
        subject: Subject,
        uuids: &[Uuid],
    ) -> Result<FxHashMap<Uuid, Entry>> {
        let lite = self.conn.is_lite();
        let set = dialect::uuid_set_text(lite, uuids.iter());
        let wanted = dialect::in_uuid_set(lite, "uuid", 4);
        let sql = format!(
            "select {COLUMNS} from peer_ledger where server_id = $1 and direction = $2 and kind = $3 and {wanted} and {}",
            self.sees_ledger()
        );
        let args = [server_id.into(), Val::Int(direction as i64), Val::Int(subject as i64), (&set).into()];
        let found = self.conn.all(&sql, &args, read)?;
        Ok(found.into_iter().map(|entry| (entry.uuid, entry)).collect())
    }

    /// What is due for another attempt, the oldest first.
    pub fn ledger_due(
        &mut self,
        server_id: i64,
        direction: Direction,
        now: i64,
        limit: i64,
    ) -> Result<Vec<Entry>> {
        let sql = format!(
            "select {COLUMNS} from peer_ledger where server_id = $1 and direction = $2 and retry_at > 0 \
             and retry_at <= $3 and {} order by retry_at, uuid limit {limit}",
            self.sees_ledger()
        );
        self.conn.all(&sql, &[server_id.into(), Val::Int(direction as i64), now.into()], read)
    }

    /// When the next attempt at something of this direction is due.
    pub fn next_retry(&mut self, server_id: i64, direction: Direction) -> Result<Option<i64>> {
        let sql =
            "select min(retry_at) from peer_ledger where server_id = $1 and direction = $2 and retry_at > 0";
        Ok(self.conn.first(sql, &[server_id.into(), Val::Int(direction as i64)], |r| r.opt_int(0))?.flatten())
    }

    pub fn peer_state(&mut self, server_id: i64) -> Result<FxHashMap<String, String>> {
        let sql =
            format!("select name, value from peer_state where server_id = $1 and {}", self.sees_ledger());
        let all = self.conn.all(&sql, &[server_id.into()], |r| Ok((r.string(0)?, r.string(1)?)))?;
        Ok(all.into_iter().collect())
    }
}

impl Writer<'_> {
    /// Writes entries; what stood there of the same record is replaced. In the order of their keys: others may write
    /// about the same records at the same time.
    pub fn enter(&mut self, entries: &[Entry]) -> Result<()> {
        // Of several entries on one record the last counts.
        let mut last: BTreeMap<_, &Entry> = BTreeMap::new();
        for entry in entries {
            let key = (entry.server_id, entry.direction as i64, entry.subject as i64, entry.uuid);
            last.insert(key, entry);
        }
        let sql = format!(
            "insert into peer_ledger ({COLUMNS}) values {} on conflict (server_id, direction, kind, uuid) do update set \
             outcome = excluded.outcome, reason = excluded.reason, title = excluded.title, version = excluded.version, \
             attempts = excluded.attempts, at = excluded.at, retry_at = excluded.retry_at",
            list::places(1, 11)
        );
        for e in last.into_values() {
            let args = [
                e.server_id.into(),
                Val::Int(e.direction as i64),
                Val::Int(e.subject as i64),
                (&e.uuid).into(),
                Val::Int(e.outcome as i64),
                e.reason.as_str().into(),
                e.title.as_str().into(),
                e.version.into(),
                e.attempts.into(),
                e.at.into(),
                e.retry_at.into(),
            ];
            self.conn.execute(&sql, &args)?;
        }
        Ok(())
    }

    pub fn set_peer_state(&mut self, server_id: i64, name: &str, value: &str) -> Result<()> {
        let sql = "insert into peer_state (server_id, name, value) values ($1, $2, $3) \
                   on conflict (server_id, name) do update set value = excluded.value";
        self.conn.execute(sql, &[server_id.into(), name.into(), value.into()])?;
        Ok(())
    }

    /// Removes what is known of a peer that is no longer one.
    pub(crate) fn forget_peer(&mut self, server_id: i64) -> Result<()> {
        self.conn.execute("delete from peer_ledger where server_id = $1", &[server_id.into()])?;
        self.conn.execute("delete from peer_state where server_id = $1", &[server_id.into()])?;
        Ok(())
    }
}
