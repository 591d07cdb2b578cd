//! The change log: what changed, in commit order. Correlation caches, notifications, streams and sync read it
//! with a cursor; nothing else hears of a write. It is the audit log as well (`audit.rs`): a change tells which
//! fields went from what to what, from where, and its hash covers the one before it.

use crate::conn::{Kind, Row, Val};
use crate::{Reader, Result, Writer, audit, dialect};
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
    Proposal = 15,
    EventReport = 16,
    AnalystData = 17,
    Delegation = 18,
    Blocklist = 19,
    Cluster = 20,
    ClusterRelation = 21,
    TagCollection = 22,
    Feed = 23,
    Server = 24,
    Setting = 25,
    UserSetting = 26,
    Registration = 27,
    DecayingModel = 28,
    CorrelationExclusion = 29,
    Workflow = 30,
    Bookmark = 31,
    Collection = 32,
    Dashboard = 33,
    EventGraph = 34,
    CryptographicKey = 35,
    Blueprint = 36,
    Warninglist = 37,
    Noticelist = 38,
    /// Signing in, with a key or a password.
    Session = 39,
    Mail = 40,
    Job = 41,
    /// The log itself: what retention removed.
    Log = 42,
    Webhook = 43,
    News = 60,
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
    Login = 8,
    LoginFail = 9,
    /// A key that is wrong, expired or from a refused address.
    AuthFail = 10,
    ChangePassword = 11,
    Accept = 12,
    Discard = 13,
    Enable = 14,
    Disable = 15,
    Send = 16,
    Run = 17,
}

/// One field of a record that changed: what it was and what it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub old: String,
    pub new: String,
}

/// A change that is about to be written. `changed` notes one; the rest is for those who read the log.
#[derive(Debug, Clone)]
pub struct Change {
    pub noun: Noun,
    pub action: Action,
    pub uuid: Uuid,
    /// 0 when it is not part of an event.
    pub event_id: i64,
    /// Row number of the record; 0 when it has none.
    record_id: i64,
    title: String,
    /// Encoded by [`encode`].
    detail: String,
}

/// Longest old or new value the log keeps, in bytes: the record itself holds the rest.
const LONGEST: usize = 4096;
/// Between the parts of a field and after a field in `detail`: ASCII's own separators.
const UNIT: char = '\u{1f}';
const RECORD: char = '\u{1e}';

impl Change {
    /// Which record it is, in numbers and in words.
    pub(crate) fn of(&mut self, record_id: i64, title: &str) -> &mut Self {
        self.record_id = record_id;
        self.title = cut(title);
        self
    }

    /// What a field was and is now; nothing is noted where both are the same. Never called with a secret.
    pub(crate) fn field(&mut self, name: &str, old: impl ToString, new: impl ToString) -> &mut Self {
        let (old, new) = (old.to_string(), new.to_string());
        if old != new {
            self.detail.extend([name, "\u{1f}", &cut(&old), "\u{1f}", &cut(&new), "\u{1e}"]);
        }
        self
    }
}

/// A value as the log keeps it: without separators, at most [`LONGEST`] bytes.
fn cut(text: &str) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].chars().filter(|c| !matches!(*c, UNIT | RECORD | '\0')).collect()
}

/// The fields of a stored `detail`.
pub(crate) fn fields(detail: &str) -> Vec<Field> {
    let read = |record: &str| {
        let mut parts = record.splitn(3, UNIT).map(str::to_owned);
        Some(Field { name: parts.next()?, old: parts.next()?, new: parts.next()? })
    };
    detail.split_terminator(RECORD).filter_map(read).collect()
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
    /// Row number of the record (of the tag, for one attached); 0 when it has none.
    pub record_id: i64,
    pub fields: Vec<Field>,
}

impl Writer<'_> {
    /// Notes a change; it is written with the transaction.
    pub(crate) fn changed(&mut self, noun: Noun, action: Action, uuid: Uuid, event_id: i64) -> &mut Change {
        let at = self.changes.len();
        self.changes.push(Change {
            noun,
            action,
            uuid,
            event_id,
            record_id: 0,
            title: String::new(),
            detail: String::new(),
        });
        &mut self.changes[at]
    }

    /// Notes what is no change of a stored record: a sign-in, a mail, a run.
    pub fn note(&mut self, noun: Noun, action: Action, record_id: i64, title: &str, fields: &[(&str, &str)]) {
        let change = self.changed(noun, action, Uuid::nil(), 0).of(record_id, title);
        for (name, value) in fields {
            change.field(name, "", value);
        }
    }

    pub(crate) fn append_changes(&mut self) -> Result<()> {
        if self.changes.is_empty() {
            return Ok(());
        }
        let changes = std::mem::take(&mut self.changes);
        dialect::order_changes(&mut self.conn)?;
        let (now, actor) = (self.now(), self.actor);
        let address = actor.origin.address.map(|a| a.to_string()).unwrap_or_default();
        let mut head = self.audit_mark("head")?.map_or([0; 32], |mark| mark.hash);
        let hashes: Vec<[u8; 32]> = changes
            .iter()
            .map(|c| {
                head = audit::link(
                    &head,
                    &audit::Facts {
                        at: now,
                        noun: c.noun as i64,
                        action: c.action as i64,
                        uuid: c.uuid,
                        event_id: c.event_id,
                        org_id: actor.org_id,
                        user_id: actor.user_id,
                        reason: actor.reason,
                        record_id: c.record_id,
                        title: &c.title,
                        detail: &c.detail,
                        via: actor.origin.via as i64,
                        address: &address,
                        key_id: actor.origin.key_id,
                    },
                );
                head
            })
            .collect();
        let columns = [
            ("at", Kind::Int),
            ("kind", Kind::Small),
            ("action", Kind::Small),
            ("uuid", Kind::Blob),
            ("event_id", Kind::Int),
            ("org_id", Kind::Int),
            ("user_id", Kind::Int),
            ("reason", Kind::Text),
            ("record_id", Kind::Int),
            ("title", Kind::Text),
            ("detail", Kind::Text),
            ("via", Kind::Small),
            ("address", Kind::Text),
            ("key_id", Kind::Int),
            ("hash", Kind::Blob),
        ];
        let rows = changes.iter().zip(&hashes).map(|(c, hash)| {
            [
                now.into(),
                Val::Int(c.noun as i64),
                Val::Int(c.action as i64),
                (&c.uuid).into(),
                c.event_id.into(),
                actor.org_id.into(),
                actor.user_id.into(),
                actor.reason.into(),
                c.record_id.into(),
                c.title.as_str().into(),
                c.detail.as_str().into(),
                Val::Int(actor.origin.via as i64),
                address.as_str().into(),
                actor.origin.key_id.into(),
                hash.as_slice().into(),
            ]
        });
        self.conn.bulk("changes", columns, rows)?;
        dialect::tell_others(&mut self.conn)?;
        self.set_audit_mark("head", 0, &head)
    }
}

impl Reader<'_> {
    /// The number of the newest change.
    pub fn newest_change(&mut self) -> Result<i64> {
        self.conn.number("select max(seq) from changes", &[])
    }

    /// Up to `limit` changes after `cursor`, oldest first; for the system's own readers.
    pub fn changes_after(&mut self, cursor: i64, limit: i64) -> Result<Vec<Logged>> {
        let sql = "select seq, at, kind, action, uuid, event_id, org_id, user_id, reason, record_id, detail from changes \
                   where seq > $1 order by seq limit $2";
        self.conn.all(sql, &[cursor.into(), limit.into()], |r| logged(r, 10))
    }
}

/// A change from the first ten columns of the log, and its fields from the one at `detail`.
pub(crate) fn logged(r: &Row<'_>, detail: usize) -> Result<Logged> {
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
        record_id: r.int(9)?,
        fields: fields(r.text(detail)?),
    })
}
