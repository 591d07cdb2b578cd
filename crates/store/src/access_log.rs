//! A log of requests, for instances that want one: written in batches beside the requests, kept for some days.
//! It is no part of the change log, and holds neither bodies nor keys.

use crate::conn::{Kind, Row};
use crate::list::Terms;
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;

/// One request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    pub id: i64,
    /// Unix milliseconds.
    pub created: i64,
    /// 0: nobody was signed in.
    pub user_id: i64,
    pub org_id: i64,
    pub key_id: i64,
    pub address: String,
    pub method: String,
    pub user_agent: String,
    pub controller: String,
    pub action: String,
    /// The path alone.
    pub url: String,
    pub code: i64,
    /// Milliseconds.
    pub duration: i64,
}

/// A request with the names of who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRow {
    pub access: Access,
    pub email: Option<String>,
    pub user_org_id: Option<i64>,
    pub org: Option<(String, Uuid)>,
}

/// Which requests to list; everything empty: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessQuery {
    pub user_id: Option<i64>,
    pub org_id: Option<i64>,
    pub key_id: Option<i64>,
    pub code: Option<i64>,
    /// Milliseconds it took at least.
    pub duration: Option<i64>,
    /// Unix milliseconds, both ends included.
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub address: Option<String>,
    pub method: Option<String>,
    pub controller: Option<String>,
    pub action: Option<String>,
    /// Substrings, without regard to case.
    pub url: Option<String>,
    pub user_agent: Option<String>,
    pub limit: i64,
    pub offset: i64,
}

/// Rows that one step of retention removes.
const STEP: i64 = 10_000;

const COLUMNS: [(&str, Kind); 13] = [
    ("id", Kind::Int),
    ("created", Kind::Int),
    ("user_id", Kind::Int),
    ("org_id", Kind::Int),
    ("key_id", Kind::Int),
    ("address", Kind::Text),
    ("method", Kind::Text),
    ("user_agent", Kind::Text),
    ("controller", Kind::Text),
    ("action", Kind::Text),
    ("url", Kind::Text),
    ("code", Kind::Int),
    ("duration", Kind::Int),
];

fn read(row: &Row<'_>) -> Result<AccessRow> {
    let access = Access {
        id: row.int(0)?,
        created: row.int(1)?,
        user_id: row.int(2)?,
        org_id: row.int(3)?,
        key_id: row.int(4)?,
        address: row.string(5)?,
        method: row.string(6)?,
        user_agent: row.string(7)?,
        controller: row.string(8)?,
        action: row.string(9)?,
        url: row.string(10)?,
        code: row.int(11)?,
        duration: row.int(12)?,
    };
    let org = match (row.opt_string(15)?, row.opt_uuid(16)?) {
        (Some(name), Some(uuid)) => Some((name, uuid)),
        _ => None,
    };
    Ok(AccessRow { access, email: row.opt_string(13)?, user_org_id: row.opt_int(14)?, org })
}

impl Reader<'_> {
    /// Newest first. For whom they are is a rule of the service.
    pub fn accesses(&mut self, query: &AccessQuery) -> Result<Vec<AccessRow>> {
        let mut terms = Terms::default();
        terms.numbers(&[
            ("a.user_id", "=", query.user_id),
            ("a.org_id", "=", query.org_id),
            ("a.key_id", "=", query.key_id),
            ("a.code", "=", query.code),
            ("a.duration", ">=", query.duration),
            ("a.created", ">=", query.from),
            ("a.created", "<=", query.to),
        ]);
        for (column, text) in [
            ("a.address", &query.address),
            ("a.method", &query.method),
            ("a.controller", &query.controller),
            ("a.action", &query.action),
        ] {
            if let Some(text) = text {
                terms.add(text, |at| format!("{column} = ${at}"));
            }
        }
        let parts = [("a.url", &query.url), ("a.user_agent", &query.user_agent)];
        let patterns = parts.map(|(column, text)| (column, text.as_deref().map(list::containing)));
        terms.patterns(&patterns);
        let (wanted, limit, offset) = terms.paged(query.limit, query.offset);
        let names = COLUMNS.map(|(name, _)| name);
        let sql = format!(
            "select {}, u.email, u.org_id, o.name, o.uuid from access_logs a left join users u on u.id = a.user_id \
             left join orgs o on o.id = a.org_id where {wanted} order by a.id desc limit ${limit} offset ${offset}",
            list::columns("a", &names)
        );
        self.conn.all(&sql, &terms.args, read)
    }
}

impl Writer<'_> {
    /// Keeps a batch; numbers are given here.
    pub fn add_accesses(&mut self, batch: &[Access]) -> Result<()> {
        let ids = dialect::allocate(&mut self.conn, "access_logs", batch.len())?;
        let rows = batch.iter().zip(ids).map(|(a, id)| {
            [
                id.into(),
                a.created.into(),
                a.user_id.into(),
                a.org_id.into(),
                a.key_id.into(),
                a.address.as_str().into(),
                a.method.as_str().into(),
                a.user_agent.as_str().into(),
                a.controller.as_str().into(),
                a.action.as_str().into(),
                a.url.as_str().into(),
                a.code.into(),
                a.duration.into(),
            ]
        });
        self.conn.bulk("access_logs", COLUMNS, rows)
    }

    /// Removes one step of rows from before `before` (Unix milliseconds); returns whether there may be more.
    pub fn trim_accesses(&mut self, before: i64) -> Result<bool> {
        let sql = "delete from access_logs where id in \
                   (select id from access_logs where created < $1 order by created limit $2)";
        let removed = self.conn.execute(sql, &[before.into(), STEP.into()])?;
        Ok(removed == STEP as u64)
    }
}
