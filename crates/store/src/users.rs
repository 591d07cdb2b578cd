//! Users: who may sign in, for which organisation, in which role.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::user::User;

/// Everything but the password hash, which only [`Reader::password_hash`] gives out.
pub(crate) const COLUMNS: [&str; 23] = [
    "id",
    "org_id",
    "role_id",
    "email",
    "autoalert",
    "contactalert",
    "disabled",
    "change_pw",
    "termsaccepted",
    "gpgkey",
    "certif_public",
    "nids_sid",
    "invited_by",
    "current_login",
    "last_login",
    "last_api_access",
    "date_created",
    "date_modified",
    "last_pw_change",
    "expiration",
    "notification_daily",
    "notification_weekly",
    "notification_monthly",
];

pub(crate) fn read(row: &Row<'_>, at: usize) -> Result<User> {
    Ok(User {
        id: row.int(at)?,
        org_id: row.int(at + 1)?,
        role_id: row.int(at + 2)?,
        email: row.string(at + 3)?,
        autoalert: row.flag(at + 4)?,
        contactalert: row.flag(at + 5)?,
        disabled: row.flag(at + 6)?,
        change_pw: row.flag(at + 7)?,
        termsaccepted: row.flag(at + 8)?,
        gpgkey: row.opt_string(at + 9)?,
        certif_public: row.string(at + 10)?,
        nids_sid: row.int(at + 11)?,
        invited_by: row.int(at + 12)?,
        current_login: row.int(at + 13)?,
        last_login: row.int(at + 14)?,
        last_api_access: row.int(at + 15)?,
        date_created: row.int(at + 16)?,
        date_modified: row.int(at + 17)?,
        last_pw_change: row.opt_int(at + 18)?,
        expiration: row.opt_int(at + 19)?,
        notification_daily: row.flag(at + 20)?,
        notification_weekly: row.flag(at + 21)?,
        notification_monthly: row.flag(at + 22)?,
    })
}

/// Addresses are kept and compared in lower case.
fn address(email: &str) -> String {
    email.trim().to_lowercase()
}

impl Reader<'_> {
    pub fn user(&mut self, id: i64) -> Result<Option<User>> {
        let sql = format!("select {} from users where id = $1", COLUMNS.join(", "));
        self.conn.first(&sql, &[id.into()], |r| read(r, 0))
    }

    pub fn user_by_email(&mut self, email: &str) -> Result<Option<User>> {
        let sql = format!("select {} from users where email = $1", COLUMNS.join(", "));
        self.conn.first(&sql, &[(&address(email)).into()], |r| read(r, 0))
    }

    pub fn password_hash(&mut self, user_id: i64) -> Result<Option<String>> {
        self.conn.first("select password from users where id = $1", &[user_id.into()], |r| r.string(0))
    }

    /// Users of one organisation or of all, whose address contains `search`.
    pub fn users(&mut self, org: Option<i64>, search: Option<&str>) -> Result<Vec<User>> {
        let pattern = search.map(list::containing);
        let (mut terms, mut args) = (vec!["1 = 1".to_owned()], Vec::new());
        if let Some(org) = org {
            args.push(Val::Int(org));
            terms.push(format!("org_id = ${}", args.len()));
        }
        if let Some(pattern) = &pattern {
            args.push(Val::from(pattern));
            terms.push(format!("pisax_fold(email) like ${} escape '\\'", args.len()));
        }
        let sql =
            format!("select {} from users where {} order by email", COLUMNS.join(", "), terms.join(" and "));
        self.conn.all(&sql, &args, |r| read(r, 0))
    }

    pub fn user_count(&mut self) -> Result<i64> {
        self.conn.number("select count(*) from users", &[])
    }
}

impl Writer<'_> {
    /// Adds a user; number and times are given here.
    pub fn add_user(&mut self, user: &User, password_hash: &str) -> Result<i64> {
        let email = address(&user.email);
        self.refuse_taken_address(&email, 0)?;
        let id = dialect::allocate(&mut self.conn, "users", 1)?[0];
        let now = self.now();
        let sql = format!(
            "insert into users ({}, password) values {}",
            COLUMNS.join(", "),
            list::places(1, COLUMNS.len() + 1)
        );
        self.conn
            .execute(
                &sql,
                &[
                    id.into(),
                    user.org_id.into(),
                    user.role_id.into(),
                    (&email).into(),
                    user.autoalert.into(),
                    user.contactalert.into(),
                    user.disabled.into(),
                    user.change_pw.into(),
                    user.termsaccepted.into(),
                    user.gpgkey.as_deref().into(),
                    (&user.certif_public).into(),
                    user.nids_sid.into(),
                    user.invited_by.into(),
                    Val::Int(0),
                    Val::Int(0),
                    Val::Int(0),
                    now.into(),
                    now.into(),
                    user.last_pw_change.into(),
                    user.expiration.into(),
                    user.notification_daily.into(),
                    user.notification_weekly.into(),
                    user.notification_monthly.into(),
                    password_hash.into(),
                ],
            )
            .map_err(|e| e.conflict_on("email"))?;
        self.changed(Noun::User, Action::Add, Uuid::nil(), 0)
            .of(id, &email)
            .field("email", "", &email)
            .field("org_id", "", user.org_id)
            .field("role_id", "", user.role_id);
        Ok(id)
    }

    /// Writes what an administrator or the user may change; password, sign-in times and times of creation and
    /// change are kept by their own functions.
    pub fn edit_user(&mut self, user: &User) -> Result<()> {
        let email = address(&user.email);
        self.refuse_taken_address(&email, user.id)?;
        let old = self.user(user.id)?.ok_or(Error::NotFound("user"))?;
        let now = self.now();
        let sql = "update users set org_id = $2, role_id = $3, email = $4, autoalert = $5, contactalert = $6, \
                   disabled = $7, change_pw = $8, termsaccepted = $9, gpgkey = $10, certif_public = $11, \
                   nids_sid = $12, expiration = $13, notification_daily = $14, notification_weekly = $15, \
                   notification_monthly = $16, date_modified = $17 where id = $1";
        self.conn
            .execute(
                sql,
                &[
                    user.id.into(),
                    user.org_id.into(),
                    user.role_id.into(),
                    (&email).into(),
                    user.autoalert.into(),
                    user.contactalert.into(),
                    user.disabled.into(),
                    user.change_pw.into(),
                    user.termsaccepted.into(),
                    user.gpgkey.as_deref().into(),
                    (&user.certif_public).into(),
                    user.nids_sid.into(),
                    user.expiration.into(),
                    user.notification_daily.into(),
                    user.notification_weekly.into(),
                    user.notification_monthly.into(),
                    now.into(),
                ],
            )
            .map_err(|e| e.conflict_on("email"))?;
        let moment = |time: Option<i64>| time.unwrap_or(0);
        self.changed(Noun::User, Action::Edit, Uuid::nil(), 0)
            .of(user.id, &email)
            .field("email", &old.email, &email)
            .field("org_id", old.org_id, user.org_id)
            .field("role_id", old.role_id, user.role_id)
            .field("autoalert", old.autoalert, user.autoalert)
            .field("contactalert", old.contactalert, user.contactalert)
            .field("disabled", old.disabled, user.disabled)
            .field("change_pw", old.change_pw, user.change_pw)
            .field("termsaccepted", old.termsaccepted, user.termsaccepted)
            .field("gpgkey", old.gpgkey.as_deref().unwrap_or(""), user.gpgkey.as_deref().unwrap_or(""))
            .field("certif_public", &old.certif_public, &user.certif_public)
            .field("nids_sid", old.nids_sid, user.nids_sid)
            .field("expiration", moment(old.expiration), moment(user.expiration))
            .field("notification_daily", old.notification_daily, user.notification_daily)
            .field("notification_weekly", old.notification_weekly, user.notification_weekly)
            .field("notification_monthly", old.notification_monthly, user.notification_monthly);
        Ok(())
    }

    /// Keeps others from changing the user until the transaction ends; to be called before he is read.
    pub fn lock_user(&mut self, id: i64) -> Result<()> {
        let sql = format!("select id from users where id = $1{}", dialect::for_update(self.conn.is_lite()));
        self.conn.first(&sql, &[id.into()], |r| r.int(0)).map(drop)
    }

    fn refuse_taken_address(&mut self, email: &str, id: i64) -> Result<()> {
        let sql = "select count(*) from users where email = $1 and id <> $2";
        match self.conn.number(sql, &[email.into(), id.into()])? {
            0 => Ok(()),
            _ => Err(Error::Conflict("email")),
        }
    }

    /// Sets the password hash and notes when; whether it must be changed again is [`User::change_pw`].
    pub fn set_password(&mut self, user_id: i64, password_hash: &str) -> Result<()> {
        let now = self.now();
        let sql = "update users set password = $2, last_pw_change = $3, date_modified = $3 where id = $1 \
                   returning email";
        let args = [user_id.into(), password_hash.into(), now.into()];
        let email = self.conn.first(sql, &args, |r| r.string(0))?.ok_or(Error::NotFound("user"))?;
        self.changed(Noun::User, Action::ChangePassword, Uuid::nil(), 0).of(user_id, &email);
        Ok(())
    }

    /// Removes a user with his keys, sessions and what is his alone; what he made for others stays.
    pub fn delete_user(&mut self, user_id: i64) -> Result<()> {
        let email = self.user(user_id)?.ok_or(Error::NotFound("user"))?.email;
        for table in [
            "auth_keys",
            "sessions",
            "favourite_tags",
            "user_settings",
            "bookmarks",
            "rest_client_history",
            "event_locks",
            "news_reads",
            "mails",
            "digests",
            "webhooks",
        ] {
            self.conn.execute(&format!("delete from {table} where user_id = $1"), &[user_id.into()])?;
        }
        if self.conn.execute("delete from users where id = $1", &[user_id.into()])? == 0 {
            return Err(Error::NotFound("user"));
        }
        self.changed(Noun::User, Action::Delete, Uuid::nil(), 0)
            .of(user_id, &email)
            .field("email", &email, "");
        Ok(())
    }

    /// Notes a sign-in: the present one becomes the last one.
    pub fn note_login(&mut self, user_id: i64) -> Result<()> {
        let now = self.now();
        let sql = "update users set last_login = current_login, current_login = $2 where id = $1";
        self.conn.execute(sql, &[user_id.into(), now.into()])?;
        Ok(())
    }

    /// Notes a request with an API key; callers do so at most once a minute per user.
    pub fn note_api_access(&mut self, user_id: i64) -> Result<()> {
        let now = self.now();
        self.conn
            .execute("update users set last_api_access = $2 where id = $1", &[user_id.into(), now.into()])?;
        Ok(())
    }
}
