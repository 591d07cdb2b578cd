//! Who did what: the change log read as an audit log. Every row carries a hash over itself and the row before
//! it, so that a row that was changed, taken out or put in breaks the chain from there on; what retention
//! removes is replaced by its last hash, and its removal is itself a row.

use crate::changes::{Action, Logged, Noun, logged};
use crate::conn::Row;
use crate::list::Terms;
use crate::{Error, Reader, Result, Store, Writer, dialect, list};
use pisax_access::Actor;
use pisax_model::Uuid;

/// What the hash of a row covers.
pub(crate) struct Facts<'a> {
    pub(crate) at: i64,
    pub(crate) noun: i64,
    pub(crate) action: i64,
    pub(crate) uuid: Uuid,
    pub(crate) event_id: i64,
    pub(crate) org_id: i64,
    pub(crate) user_id: i64,
    pub(crate) reason: Option<&'a str>,
    pub(crate) record_id: i64,
    pub(crate) title: &'a str,
    pub(crate) detail: &'a str,
    pub(crate) via: i64,
    pub(crate) address: &'a str,
    pub(crate) key_id: i64,
}

/// The hash of a row after the one with hash `before` (BLAKE3; texts with their length in front).
pub(crate) fn link(before: &[u8; 32], row: &Facts<'_>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before).update(row.uuid.as_bytes());
    for number in [
        row.at,
        row.noun,
        row.action,
        row.event_id,
        row.org_id,
        row.user_id,
        row.record_id,
        row.via,
        row.key_id,
    ] {
        hasher.update(&number.to_le_bytes());
    }
    for text in [row.reason.unwrap_or_default(), row.title, row.detail, row.address] {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// A place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Row number; 0 where it does not matter.
    pub seq: i64,
    pub hash: [u8; 32],
}

/// One row of the log: a change, and what an audit asks of it besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub logged: Logged,
    pub title: String,
    pub via: i64,
    pub address: String,
    pub key_id: i64,
    /// Of the user and organisation, where they still exist.
    pub email: Option<String>,
    pub org_name: Option<String>,
}

impl std::ops::Deref for Entry {
    type Target = Logged;
    fn deref(&self) -> &Logged {
        &self.logged
    }
}

/// Which rows of the log to read; everything empty: all, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryQuery {
    pub seq: Option<i64>,
    pub nouns: Vec<i64>,
    pub actions: Vec<i64>,
    pub user_id: Option<i64>,
    pub org_id: Option<i64>,
    pub event_id: Option<i64>,
    pub record_id: Option<i64>,
    pub uuid: Option<Uuid>,
    /// Unix seconds, both ends included.
    pub from: Option<i64>,
    pub to: Option<i64>,
    /// Substrings, without regard to case.
    pub title: Option<String>,
    pub detail: Option<String>,
    pub email: Option<String>,
    pub org_name: Option<String>,
    pub address: Option<String>,
    /// Rows below this number: the next page.
    pub before: Option<i64>,
    pub oldest_first: bool,
    pub limit: i64,
    pub offset: i64,
}

/// What a look through the whole chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub rows: i64,
    pub head: [u8; 32],
    /// Whether the mark that was asked for stands in the chain.
    pub known: bool,
    /// What is wrong, in words; none when the chain is whole.
    pub broken: Option<String>,
}

const COLUMNS: &str = "c.seq, c.at, c.kind, c.action, c.uuid, c.event_id, c.org_id, c.user_id, c.reason, \
                       c.record_id, c.title, c.detail, c.via, c.address, c.key_id";

/// Rows that one step of retention removes.
const STEP: i64 = 10_000;

fn entry(r: &Row<'_>) -> Result<Entry> {
    Ok(Entry {
        logged: logged(r, 11)?,
        title: r.string(10)?,
        via: r.int(12)?,
        address: r.string(13)?,
        key_id: r.int(14)?,
        email: r.opt_string(15)?,
        org_name: r.opt_string(16)?,
    })
}

fn hash_at(r: &Row<'_>, i: usize) -> Result<[u8; 32]> {
    let bytes = r.opt_blob(i)?.unwrap_or_default();
    bytes.try_into().map_err(|_| Error::Damaged("a hash in the audit log"))
}

impl Reader<'_> {
    pub(crate) fn audit_mark(&mut self, name: &str) -> Result<Option<Mark>> {
        let sql = "select seq, hash from audit_marks where name = $1";
        self.conn.first(sql, &[name.into()], |r| Ok(Mark { seq: r.int(0)?, hash: hash_at(r, 1)? }))
    }

    /// Rows of the log, newest first unless asked otherwise. Whom they are for is a rule of the service: organisations see their own
    /// users' doings, site admins all.
    pub fn audit(&mut self, query: &EntryQuery, each: &mut dyn FnMut(Entry) -> Result<()>) -> Result<()> {
        let lite = self.conn.is_lite();
        let mut terms = Terms::default();
        let sets = [("c.kind", &query.nouns), ("c.action", &query.actions)];
        let texts = sets.map(|(_, codes)| dialect::set_text(lite, codes.iter().copied()));
        for ((column, codes), text) in sets.iter().zip(&texts) {
            if !codes.is_empty() {
                terms.add(text, |at| dialect::in_set(lite, column, at));
            }
        }
        terms.numbers(&[
            ("c.seq", "=", query.seq),
            ("c.user_id", "=", query.user_id),
            ("c.org_id", "=", query.org_id),
            ("c.event_id", "=", query.event_id),
            ("c.record_id", "=", query.record_id),
            ("c.at", ">=", query.from),
            ("c.at", "<=", query.to),
            ("c.seq", "<", query.before),
        ]);
        if let Some(uuid) = &query.uuid {
            terms.add(uuid, |at| format!("c.uuid = ${at}"));
        }
        let patterns = [
            ("c.title", &query.title),
            ("c.detail", &query.detail),
            ("u.email", &query.email),
            ("g.name", &query.org_name),
            ("c.address", &query.address),
        ]
        .map(|(column, text)| (column, text.as_deref().map(list::containing)));
        terms.patterns(&patterns);
        let (wanted, limit, offset) = terms.paged(query.limit, query.offset);
        let order = if query.oldest_first { "asc" } else { "desc" };
        let sql = format!(
            "select {COLUMNS}, u.email, g.name from changes c left join users u on u.id = c.user_id \
             left join orgs g on g.id = c.org_id where {wanted} order by c.seq {order} limit ${limit} offset ${offset}"
        );
        self.conn.each(&sql, &terms.args, |r| each(entry(r)?))
    }

    /// Walks the whole chain. `known` is a hash that was noted down earlier, of whatever row.
    pub fn verify_audit(&mut self, known: Option<[u8; 32]>) -> Result<Verified> {
        let anchor = self.audit_mark("anchor")?;
        let head = self.audit_mark("head")?.map_or([0; 32], |mark| mark.hash);
        let mut last = anchor.map_or([0; 32], |mark| mark.hash);
        let mut found = Verified { rows: 0, head, known: known.is_none_or(|k| k == last), broken: None };
        let mut told = anchor.is_none();
        let sql = format!("select {COLUMNS}, c.hash from changes c order by c.seq");
        self.conn.each(&sql, &[], |r| {
            let seq = r.int(0)?;
            let Some(bytes) = r.opt_blob(15)? else {
                // Rows from before the log was chained stand in front of it.
                if found.rows > 0 && found.broken.is_none() {
                    found.broken = Some(format!("row {seq} has no hash"));
                }
                return Ok(());
            };
            found.rows += 1;
            let facts = Facts {
                at: r.int(1)?,
                noun: r.int(2)?,
                action: r.int(3)?,
                uuid: r.uuid(4)?,
                event_id: r.int(5)?,
                org_id: r.int(6)?,
                user_id: r.int(7)?,
                reason: r.opt_text(8)?,
                record_id: r.int(9)?,
                title: r.text(10)?,
                detail: r.text(11)?,
                via: r.int(12)?,
                address: r.text(13)?,
                key_id: r.int(14)?,
            };
            let hash = link(&last, &facts);
            if hash != bytes && found.broken.is_none() {
                found.broken = Some(format!("row {seq} was changed, or what stood before it was"));
            }
            last = bytes.try_into().unwrap_or(hash);
            found.known |= known == Some(last);
            let removal = (facts.noun, facts.action) == (Noun::Log as i64, Action::Delete as i64);
            told |= removal && anchor.is_some_and(|mark| facts.title == hex(&mark.hash));
            Ok(())
        })?;
        if found.broken.is_none() && last != head {
            found.broken = Some("the newest rows are missing".into());
        }
        if found.broken.is_none() && !told {
            found.broken = Some("the oldest rows were removed, and not by retention".into());
        }
        Ok(found)
    }
}

impl Writer<'_> {
    pub(crate) fn set_audit_mark(&mut self, name: &str, seq: i64, hash: &[u8; 32]) -> Result<()> {
        let sql = "insert into audit_marks (name, seq, hash) values ($1, $2, $3) \
                   on conflict (name) do update set seq = excluded.seq, hash = excluded.hash";
        self.conn.execute(sql, &[name.into(), seq.into(), hash.as_slice().into()])?;
        Ok(())
    }

    /// Removes one step of rows older than `before` (Unix seconds), never the newest one. Returns how many.
    fn trim_audit(&mut self, before: i64) -> Result<i64> {
        let newest = self.conn.number("select coalesce(max(seq), 0) from changes", &[])?;
        // Up to the first row that stays: a clock that was wrong for one write must not take all before it along.
        let sql = "select seq, hash, at from changes where seq < $1 order by seq limit $2";
        let mut last = None;
        let (mut count, mut stays) = (0, false);
        self.conn.each(sql, &[newest.into(), STEP.into()], |r| {
            stays |= r.int(2)? >= before;
            if stays {
                return Ok(());
            }
            count += 1;
            let hash = if r.opt_blob(1)?.is_some() { hash_at(r, 1)? } else { [0; 32] };
            last = Some((r.int(0)?, hash));
            Ok(())
        })?;
        let Some((seq, hash)) = last else { return Ok(0) };
        self.conn.execute("delete from changes where seq <= $1", &[seq.into()])?;
        self.set_audit_mark("anchor", seq, &hash)?;
        self.changed(Noun::Log, Action::Delete, Uuid::nil(), 0).of(seq, &hex(&hash)).field("rows", count, 0);
        Ok(count)
    }
}

impl Store {
    /// Removes the rows of the log that are older than `before` (Unix seconds), in steps. Returns how many.
    pub fn trim_audit(&self, now_ms: i64, before: i64) -> Result<i64> {
        let actor = Actor::system("retention of the audit log");
        let mut removed = 0;
        loop {
            let step = self.write(&actor, now_ms, |w| w.trim_audit(before))?;
            removed += step;
            if step < STEP {
                return Ok(removed);
            }
        }
    }
}

/// A hash in the form people note down.
pub fn hex(hash: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

/// Reads what [`hex`] wrote.
pub fn unhex(text: &str) -> Option<[u8; 32]> {
    blake3::Hash::from_hex(text.trim()).ok().map(|hash| *hash.as_bytes())
}
