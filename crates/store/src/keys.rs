//! API keys: found by the keyed hash of the key, which is all that is kept of it.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::orgs::{self, OrgName};
use crate::{Error, Reader, Result, Writer, dialect, list, roles, users};
use pisax_model::ids::Ref;
use pisax_model::user::{AuthKey, Role, User};

const COLUMNS: [&str; 11] = [
    "id",
    "uuid",
    "key_start",
    "key_end",
    "created",
    "expiration",
    "read_only",
    "user_id",
    "comment",
    "allowed_ips",
    "last_used",
];

/// All that a request needs to know of who makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyOwner {
    pub key: AuthKey,
    pub user: User,
    pub role: Role,
    pub org: OrgName,
}

fn read(row: &Row<'_>, at: usize) -> Result<AuthKey> {
    Ok(AuthKey {
        id: row.int(at)?,
        uuid: row.uuid(at + 1)?,
        start: row.string(at + 2)?,
        end: row.string(at + 3)?,
        created: row.int(at + 4)?,
        expiration: row.int(at + 5)?,
        read_only: row.flag(at + 6)?,
        user_id: row.int(at + 7)?,
        comment: row.string(at + 8)?,
        allowed_ips: list::words(row.text(at + 9)?),
        last_used: row.int(at + 10)?,
    })
}

/// How a key is named: it begins and ends so; the rest is nobody's to know.
fn title(key: &AuthKey) -> String {
    format!("{}…{}", key.start, key.end)
}

/// Columns of user `u`, role `r` and organisation `o`, for keys and sessions.
pub(crate) fn owner_columns() -> String {
    [
        list::columns("u", &users::COLUMNS),
        list::columns("r", &roles::COLUMNS),
        list::columns("o", &orgs::NAME_COLUMNS),
    ]
    .join(", ")
}

/// Joins user, role and organisation to a table with `user_id`.
pub(crate) fn owner_joins(alias: &str) -> String {
    format!(
        "join users u on u.id = {alias}.user_id join roles r on r.id = u.role_id join orgs o on o.id = u.org_id"
    )
}

/// Reads [`owner_columns`]; returns also where the next column is.
pub(crate) fn read_owner(row: &Row<'_>) -> Result<(User, Role, OrgName, usize)> {
    let role_at = users::COLUMNS.len();
    let org_at = role_at + roles::COLUMNS.len();
    let next = org_at + orgs::NAME_COLUMNS.len();
    Ok((users::read(row, 0)?, roles::read(row, role_at)?, orgs::read_name(row, org_at)?, next))
}

impl Reader<'_> {
    /// The key with this hash and whose it is, in one statement.
    pub fn key_by_hash(&mut self, hash: &[u8; 32]) -> Result<Option<KeyOwner>> {
        let sql = format!(
            "select {}, {} from auth_keys k {} where k.hash = $1",
            owner_columns(),
            list::columns("k", &COLUMNS),
            owner_joins("k")
        );
        self.conn.first(&sql, &[Val::Blob(hash)], |row| {
            let (user, role, org, next) = read_owner(row)?;
            Ok(KeyOwner { key: read(row, next)?, user, role, org })
        })
    }

    pub fn key(&mut self, reference: Ref) -> Result<Option<AuthKey>> {
        let (column, value) = match &reference {
            Ref::Id(id) => ("id", Val::Int(*id)),
            Ref::Uuid(uuid) => ("uuid", uuid.into()),
        };
        let sql = format!("select {} from auth_keys where {column} = $1", COLUMNS.join(", "));
        self.conn.first(&sql, &[value], |r| read(r, 0))
    }

    /// Keys of one user, of one organisation's users, or all.
    pub fn keys(&mut self, user: Option<i64>, org: Option<i64>) -> Result<Vec<AuthKey>> {
        let (mut terms, mut args) = (vec!["1 = 1".to_owned()], Vec::new());
        if let Some(user) = user {
            args.push(Val::Int(user));
            terms.push(format!("k.user_id = ${}", args.len()));
        }
        if let Some(org) = org {
            args.push(Val::Int(org));
            terms.push(format!("u.org_id = ${}", args.len()));
        }
        let sql = format!(
            "select {} from auth_keys k join users u on u.id = k.user_id where {} order by k.id",
            list::columns("k", &COLUMNS),
            terms.join(" and ")
        );
        self.conn.all(&sql, &args, |r| read(r, 0))
    }
}

impl Writer<'_> {
    /// Adds a key under its hash; number and times are given here.
    pub fn add_key(&mut self, key: &AuthKey, hash: &[u8; 32]) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "auth_keys", 1)?[0];
        let now = self.now();
        let sql = format!(
            "insert into auth_keys ({}, hash) values {}",
            COLUMNS.join(", "),
            list::places(1, COLUMNS.len() + 1)
        );
        self.conn
            .execute(
                &sql,
                &[
                    id.into(),
                    (&key.uuid).into(),
                    (&key.start).into(),
                    (&key.end).into(),
                    now.into(),
                    key.expiration.into(),
                    key.read_only.into(),
                    key.user_id.into(),
                    (&key.comment).into(),
                    (&list::lines(&key.allowed_ips)).into(),
                    Val::Int(0),
                    Val::Blob(hash),
                ],
            )
            .map_err(|e| e.conflict_on("uuid"))?;
        self.changed(Noun::AuthKey, Action::Add, key.uuid, 0)
            .of(id, &title(key))
            .field("user_id", "", key.user_id)
            .field("comment", "", &key.comment)
            .field("expiration", 0, key.expiration)
            .field("read_only", false, key.read_only)
            .field("allowed_ips", "", key.allowed_ips.join(", "));
        Ok(id)
    }

    /// Writes comment, addresses, expiration and the read-only flag.
    pub fn edit_key(&mut self, key: &AuthKey) -> Result<()> {
        let old = self.key(Ref::Id(key.id))?.ok_or(Error::NotFound("key"))?;
        let sql = "update auth_keys set expiration = $2, read_only = $3, comment = $4, allowed_ips = $5 where id = $1";
        self.conn.execute(
            sql,
            &[
                key.id.into(),
                key.expiration.into(),
                key.read_only.into(),
                (&key.comment).into(),
                (&list::lines(&key.allowed_ips)).into(),
            ],
        )?;
        self.changed(Noun::AuthKey, Action::Edit, key.uuid, 0)
            .of(key.id, &title(key))
            .field("comment", &old.comment, &key.comment)
            .field("expiration", old.expiration, key.expiration)
            .field("read_only", old.read_only, key.read_only)
            .field("allowed_ips", old.allowed_ips.join(", "), key.allowed_ips.join(", "));
        Ok(())
    }

    pub fn delete_key(&mut self, id: i64) -> Result<()> {
        let key = self.key(Ref::Id(id))?.ok_or(Error::NotFound("key"))?;
        self.conn.execute("delete from auth_keys where id = $1", &[id.into()])?;
        self.changed(Noun::AuthKey, Action::Delete, key.uuid, 0).of(id, &title(&key)).field(
            "user_id",
            key.user_id,
            "",
        );
        Ok(())
    }

    /// Notes a use; callers do so at most once a minute per key.
    pub fn touch_key(&mut self, id: i64) -> Result<()> {
        let now = self.now();
        self.conn.execute("update auth_keys set last_used = $2 where id = $1", &[id.into(), now.into()])?;
        Ok(())
    }
}
