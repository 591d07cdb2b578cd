//! Who works on an event: notes that end by themselves, for others to see. Nothing is kept from anybody by one.

use crate::conn::Row;
use crate::{Reader, Result, Writer, dialect};

/// By what an event is worked on. Codes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Hand {
    /// A page for changing it.
    User = 0,
    /// A tool that said so.
    Api = 1,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLock {
    pub user_id: i64,
    pub org_id: i64,
    pub email: String,
    pub hand: Hand,
}

/// Notes whose event is gone, and what a check of the database says of one.
pub(crate) const ORPHANS: (&str, &str) = (
    "select l.id, l.event_id from event_locks l left join events e on e.id = l.event_id where e.id is null",
    "lock {1} is on event {2}, which does not exist",
);

fn read(row: &Row<'_>) -> Result<EventLock> {
    let hand = if row.int(3)? == 0 { Hand::User } else { Hand::Api };
    Ok(EventLock { user_id: row.int(0)?, org_id: row.int(1)?, email: row.string(2)?, hand })
}

impl Reader<'_> {
    /// Notes on an event made after a moment. Whoever asks may change the event: it was looked up for that.
    pub fn event_locks(&mut self, event_id: i64, after: i64) -> Result<Vec<EventLock>> {
        let sql = "select l.user_id, u.org_id, u.email, l.hand from event_locks l join users u on u.id = l.user_id \
                   where l.event_id = $1 and l.created > $2 order by l.id";
        self.conn.all(sql, &[event_id.into(), after.into()], read)
    }

    /// How many notes the actor has by this hand.
    pub fn own_event_locks(&mut self, hand: Hand, after: i64) -> Result<i64> {
        let user = self.actor.user_id;
        let sql = "select count(*) from event_locks where user_id = $1 and hand = $2 and created > $3";
        self.conn.number(sql, &[user.into(), i64::from(hand as u8).into(), after.into()])
    }
}

impl Writer<'_> {
    /// Notes that the actor works on an event, and forgets every note made up to a moment. By a page he does so
    /// once, whatever he opens.
    pub fn lock_event(&mut self, event_id: i64, hand: Hand, expired: i64) -> Result<i64> {
        let (user, now) = (self.actor.user_id, self.now());
        self.conn.execute("delete from event_locks where created <= $1", &[expired.into()])?;
        if hand == Hand::User {
            let sql = "delete from event_locks where event_id = $1 and user_id = $2 and hand = 0";
            self.conn.execute(sql, &[event_id.into(), user.into()])?;
        }
        let id = dialect::allocate(&mut self.conn, "event_locks", 1)?[0];
        let sql =
            "insert into event_locks (id, event_id, user_id, hand, created) values ($1, $2, $3, $4, $5)";
        let args = [id.into(), event_id.into(), user.into(), i64::from(hand as u8).into(), now.into()];
        self.conn.execute(sql, &args)?;
        Ok(id)
    }

    /// Forgets a note of the actor's that a tool made; whether there was one.
    pub fn unlock_event(&mut self, event_id: i64, id: i64) -> Result<bool> {
        let user = self.actor.user_id;
        let sql = "delete from event_locks where id = $1 and event_id = $2 and user_id = $3 and hand = 1";
        Ok(self.conn.execute(sql, &[id.into(), event_id.into(), user.into()])? > 0)
    }
}
