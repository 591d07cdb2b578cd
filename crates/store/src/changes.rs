//! The change log: what changed, in commit order. Correlation caches, notifications, streams and sync read it
//! with a cursor; nothing else hears of a write.

use crate::conn::{Kind, Val};
use crate::{Reader, Result, Writer, dialect};
use pisax_model::Uuid;

/// What kind of record changed. Codes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Noun {
    Event = 1,
    Attribute = 2,
    Object = 3,
    Reference = 4,
    EventTag = 5,
    AttributeTag = 6,
    Sighting = 7,
    Tag = 8,
    Org = 9,
    User = 10,
    Role = 11,
    AuthKey = 12,
    SharingGroup = 13,
    Knowledge = 14,
}

/// What happened to it. Codes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Action {
    Add = 1,
    Edit = 2,
    Delete = 3,
    /// Tombstoned: kept, flagged deleted.
    SoftDelete = 4,
    Restore = 5,
    Publish = 6,
    Unpublish = 7,
}

#[derive(Debug, Clone, Copy)]
pub struct Change {
    pub noun: Noun,
    pub action: Action,
    pub uuid: Uuid,
    /// 0 when it is not part of an event.
    pub event_id: i64,
}

/// A change as read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    pub seq: i64,
    pub at: i64,
    pub noun: i64,
    pub action: i64,
    pub uuid: Uuid,
    pub event_id: i64,
    pub org_id: i64,
    pub user_id: i64,
    pub reason: Option<String>,
}

impl Writer<'_> {
    /// Notes a change; it is written with the transaction.
    pub(crate) fn changed(&mut self, noun: Noun, action: Action, uuid: Uuid, event_id: i64) {
        self.changes.push(Change { noun, action, uuid, event_id });
    }

    pub(crate) fn append_changes(&mut self) -> Result<()> {
        if self.changes.is_empty() {
            return Ok(());
        }
        let changes = std::mem::take(&mut self.changes);
        dialect::order_changes(&mut self.conn)?;
        let (now, actor) = (self.now(), self.actor);
        let columns = [
            ("at", Kind::Int),
            ("kind", Kind::Small),
            ("action", Kind::Small),
            ("uuid", Kind::Blob),
            ("event_id", Kind::Int),
            ("org_id", Kind::Int),
            ("user_id", Kind::Int),
            ("reason", Kind::Text),
        ];
        let rows = changes.iter().map(|c| {
            [
                now.into(),
                Val::Int(c.noun as i64),
                Val::Int(c.action as i64),
                (&c.uuid).into(),
                c.event_id.into(),
                actor.org_id.into(),
                actor.user_id.into(),
                actor.reason.into(),
            ]
        });
        self.conn.bulk("changes", columns, rows)
    }
}

impl Reader<'_> {
    /// Up to `limit` changes after `cursor`, oldest first; for the system's own readers.
    pub fn changes_after(&mut self, cursor: i64, limit: i64) -> Result<Vec<Logged>> {
        let sql = "select seq, at, kind, action, uuid, event_id, org_id, user_id, reason from changes \
                   where seq > $1 order by seq limit $2";
        self.conn.all(sql, &[cursor.into(), limit.into()], |r| {
            Ok(Logged {
                seq: r.int(0)?,
                at: r.int(1)?,
                noun: r.int(2)?,
                action: r.int(3)?,
                uuid: r.uuid(4)?,
                event_id: r.int(5)?,
                org_id: r.int(6)?,
                user_id: r.int(7)?,
                reason: r.opt_string(8)?,
            })
        })
    }
}
