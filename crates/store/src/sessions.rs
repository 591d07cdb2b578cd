//! Browser sessions: found by the hash of the cookie's secret. Whether one is still good is decided by
//! `pisax-auth`; nothing here reaches the change log.

use crate::conn::Val;
use crate::keys;
use crate::orgs::OrgName;
use crate::{Reader, Result, Writer};
use pisax_model::user::{Role, User};

/// A stored session. Times are unix seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub hash: [u8; 32],
    pub user_id: i64,
    pub created: i64,
    pub last_seen: i64,
    pub expires: i64,
}

/// All that a request needs to know of who makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionOwner {
    pub session: Session,
    pub user: User,
    pub role: Role,
    pub org: OrgName,
}

impl Reader<'_> {
    /// The session with this hash, ended or not, and whose it is, in one statement.
    pub fn session_owner(&mut self, hash: &[u8; 32]) -> Result<Option<SessionOwner>> {
        let sql = format!(
            "select {}, s.created, s.last_seen, s.expires from sessions s {} where s.hash = $1",
            keys::owner_columns(),
            keys::owner_joins("s")
        );
        self.conn.first(&sql, &[Val::Blob(hash)], |row| {
            let (user, role, org, next) = keys::read_owner(row)?;
            let session = Session {
                hash: *hash,
                user_id: user.id,
                created: row.int(next)?,
                last_seen: row.int(next + 1)?,
                expires: row.int(next + 2)?,
            };
            Ok(SessionOwner { session, user, role, org })
        })
    }
}

impl Writer<'_> {
    pub fn add_session(&mut self, session: &Session) -> Result<()> {
        let sql =
            "insert into sessions (hash, user_id, created, last_seen, expires) values ($1, $2, $3, $4, $5)";
        self.conn.execute(
            sql,
            &[
                Val::Blob(&session.hash),
                session.user_id.into(),
                session.created.into(),
                session.last_seen.into(),
                session.expires.into(),
            ],
        )?;
        Ok(())
    }

    /// Notes a request of the session.
    pub fn touch_session(&mut self, hash: &[u8; 32]) -> Result<()> {
        let now = self.now();
        self.conn
            .execute("update sessions set last_seen = $2 where hash = $1", &[Val::Blob(hash), now.into()])?;
        Ok(())
    }

    pub fn delete_session(&mut self, hash: &[u8; 32]) -> Result<()> {
        self.conn.execute("delete from sessions where hash = $1", &[Val::Blob(hash)])?;
        Ok(())
    }

    /// Signs the user out everywhere.
    pub fn delete_sessions_of(&mut self, user_id: i64) -> Result<()> {
        self.conn.execute("delete from sessions where user_id = $1", &[user_id.into()])?;
        Ok(())
    }

    /// Removes sessions that ended or were not used since `idle_since`; returns how many.
    pub fn sweep_sessions(&mut self, idle_since: i64) -> Result<u64> {
        let now = self.now();
        let sql = "delete from sessions where expires <= $1 or last_seen < $2";
        self.conn.execute(sql, &[now.into(), idle_since.into()])
    }
}
