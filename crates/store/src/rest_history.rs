//! Calls that users made from the REST client: everybody sees his own.

use crate::conn::Row;
use crate::{Reader, Result, Writer, dialect, list};

/// One call. What is secret in its headers and body is not here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestCall {
    pub id: i64,
    pub user_id: i64,
    pub org_id: i64,
    pub headers: String,
    pub body: String,
    pub url: String,
    pub http_method: String,
    pub timestamp: i64,
    pub use_full_path: bool,
    pub show_result: bool,
    pub skip_ssl: bool,
    /// The status it was answered with.
    pub outcome: i64,
    /// Kept until its user deletes it.
    pub bookmark: bool,
    pub bookmark_name: String,
}

const COLUMNS: &str = "id, user_id, org_id, headers, body, url, http_method, timestamp, use_full_path, \
                       show_result, skip_ssl, outcome, bookmark, bookmark_name";

/// Calls whose user is gone, and what a check of the database says of one.
pub(crate) const ORPHANS: (&str, &str) = (
    "select h.id, h.user_id from rest_client_history h left join users u on u.id = h.user_id where u.id is null",
    "REST client call {1} is of user {2}, who does not exist",
);

fn read(row: &Row<'_>) -> Result<RestCall> {
    Ok(RestCall {
        id: row.int(0)?,
        user_id: row.int(1)?,
        org_id: row.int(2)?,
        headers: row.string(3)?,
        body: row.string(4)?,
        url: row.string(5)?,
        http_method: row.string(6)?,
        timestamp: row.int(7)?,
        use_full_path: row.flag(8)?,
        show_result: row.flag(9)?,
        skip_ssl: row.flag(10)?,
        outcome: row.int(11)?,
        bookmark: row.flag(12)?,
        bookmark_name: row.string(13)?,
    })
}

impl Reader<'_> {
    /// One's own calls, the newest first.
    pub fn rest_calls(&mut self) -> Result<Vec<RestCall>> {
        let sql = format!(
            "select {COLUMNS} from rest_client_history where user_id = $1 order by timestamp desc, id desc"
        );
        let user = self.actor.user_id;
        self.conn.all(&sql, &[user.into()], read)
    }

    /// How many of one's own calls are marked.
    pub fn marked_rest_calls(&mut self) -> Result<i64> {
        let sql = "select count(*) from rest_client_history where user_id = $1 and bookmark = 1";
        let user = self.actor.user_id;
        self.conn.number(sql, &[user.into()])
    }
}

impl Writer<'_> {
    /// Keeps a call of the actor's; of those he did not mark, only what is among his `newest` stays.
    pub fn add_rest_call(&mut self, call: &RestCall, newest: i64) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "rest_client_history", 1)?[0];
        let (user, org) = (self.actor.user_id, self.actor.org_id);
        let sql = format!("insert into rest_client_history ({COLUMNS}) values {}", list::places(1, 14));
        let args = [
            id.into(),
            user.into(),
            org.into(),
            (&call.headers).into(),
            (&call.body).into(),
            (&call.url).into(),
            (&call.http_method).into(),
            call.timestamp.into(),
            call.use_full_path.into(),
            call.show_result.into(),
            call.skip_ssl.into(),
            call.outcome.into(),
            call.bookmark.into(),
            (&call.bookmark_name).into(),
        ];
        self.conn.execute(&sql, &args)?;
        let sql = "delete from rest_client_history where user_id = $1 and bookmark = 0 and id not in \
                   (select id from rest_client_history where user_id = $1 order by timestamp desc, id desc limit $2)";
        self.conn.execute(sql, &[user.into(), newest.into()])?;
        Ok(id)
    }

    /// Forgets a call of the actor's; whether there was one.
    pub fn delete_rest_call(&mut self, id: i64) -> Result<bool> {
        let sql = "delete from rest_client_history where id = $1 and user_id = $2";
        let user = self.actor.user_id;
        Ok(self.conn.execute(sql, &[id.into(), user.into()])? > 0)
    }
}
