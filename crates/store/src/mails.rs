//! The outbox: mails that are to be sent, and events whose publication is to be told. A mail that was sent is
//! gone from here; that it was sent stands in the change log.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Reader, Result, Writer, dialect, keys, list};
use pisax_model::Uuid;
use pisax_model::event::Event;
use pisax_model::user::{Role, User};

/// A mail on its way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    pub id: i64,
    pub created: i64,
    /// Not before this moment. Unix seconds, both.
    pub due: i64,
    pub attempts: i64,
    /// To whom, as a user here.
    pub user_id: i64,
    pub recipient: String,
    /// Whom an answer is for; empty: nobody.
    pub reply_to: String,
    pub subject: String,
    pub body: String,
    /// Why the last attempt failed.
    pub failure: String,
    /// Where to read what it tells of, which is all that some may get unencrypted; empty: it has no such place.
    pub link: String,
}

/// How often somebody gets a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    Daily,
    Weekly,
    Monthly,
}

impl Period {
    pub const ALL: [Self; 3] = [Self::Daily, Self::Weekly, Self::Monthly];

    fn code(self) -> i64 {
        match self {
            Self::Daily => 1,
            Self::Weekly => 2,
            Self::Monthly => 3,
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::Daily => "notification_daily",
            Self::Weekly => "notification_weekly",
            Self::Monthly => "notification_monthly",
        }
    }
}

const COLUMNS: &str =
    "id, created, due, attempts, user_id, recipient, reply_to, subject, body, failure, link, state";

/// Mails taken from the outbox at a time.
const BATCH: i64 = 20;

fn read(row: &Row<'_>) -> Result<Mail> {
    Ok(Mail {
        id: row.int(0)?,
        created: row.int(1)?,
        due: row.int(2)?,
        attempts: row.int(3)?,
        user_id: row.int(4)?,
        recipient: row.string(5)?,
        reply_to: row.string(6)?,
        subject: row.string(7)?,
        body: row.string(8)?,
        failure: row.string(9)?,
        link: row.string(10)?,
    })
}

impl Reader<'_> {
    /// Events whose publication is still to be told, oldest first, each with since when what is in it is news.
    pub fn alerts(&mut self) -> Result<Vec<(i64, i64)>> {
        let sql = "select event_id, since from alerts order by created, event_id limit 100";
        self.conn.all(sql, &[], |r| Ok((r.int(0)?, r.int(1)?)))
    }

    /// Who asked to hear of publications and may be written to, in order of user numbers.
    pub fn alert_readers(&mut self, now: i64) -> Result<Vec<(User, Role)>> {
        self.readers("autoalert", now)
    }

    /// Who asked for summaries of this period and may be written to, in order of user numbers.
    pub fn digest_readers(&mut self, period: Period, now: i64) -> Result<Vec<(User, Role)>> {
        self.readers(period.column(), now)
    }

    fn readers(&mut self, asked: &'static str, now: i64) -> Result<Vec<(User, Role)>> {
        let sql = format!(
            "select {} from (select id as user_id from users where {asked} = 1 and disabled = 0) x {} \
             where u.expiration is null or u.expiration = 0 or u.expiration > $1 order by u.id",
            keys::owner_columns(),
            keys::owner_joins("x")
        );
        self.conn.all(&sql, &[now.into()], |row| {
            let (user, role, _, _) = keys::read_owner(row)?;
            Ok((user, role))
        })
    }

    /// Up to when each user had his summaries of this period, in order of user numbers.
    pub fn digests(&mut self, period: Period) -> Result<Vec<(i64, i64)>> {
        let sql = "select user_id, until from digests where period = $1 order by user_id";
        self.conn.all(sql, &[period.code().into()], |r| Ok((r.int(0)?, r.int(1)?)))
    }

    /// Mails waiting or given up, oldest first.
    pub fn mails(&mut self, given_up: bool, limit: i64) -> Result<Vec<Mail>> {
        let sql = format!("select {COLUMNS} from mails where state = $1 order by id limit $2");
        self.conn.all(&sql, &[given_up.into(), limit.into()], read)
    }

    /// Whether there is anything to do in the outbox.
    pub fn outbox_waits(&mut self, now: i64) -> Result<bool> {
        let sql = "select (select count(*) from (select 1 from mails where state = 0 and due <= $1 limit 1) m) \
                   + (select count(*) from (select 1 from alerts limit 1) a)";
        Ok(self.conn.number(sql, &[now.into()])? > 0)
    }
}

impl Writer<'_> {
    /// Puts a mail into the outbox; number and times are given here.
    pub fn add_mail(&mut self, mail: &Mail) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "mails", 1)?[0];
        let now = self.now();
        let sql = format!("insert into mails ({COLUMNS}) values {}", list::places(1, 12));
        let args = [
            id.into(),
            now.into(),
            now.into(),
            Val::Int(0),
            mail.user_id.into(),
            (&mail.recipient).into(),
            (&mail.reply_to).into(),
            (&mail.subject).into(),
            (&mail.body).into(),
            "".into(),
            (&mail.link).into(),
            Val::Int(0),
        ];
        self.conn.execute(&sql, &args)?;
        Ok(id)
    }

    /// Takes the mails that are due, so that no other process sends them before `until`.
    pub fn take_mails(&mut self, until: i64) -> Result<Vec<Mail>> {
        let now = self.now();
        let lite = self.conn.is_lite();
        let skip = if lite { "" } else { " for update skip locked" };
        let sql =
            format!("select {COLUMNS} from mails where state = 0 and due <= $1 order by id limit $2{skip}");
        let mails = self.conn.all(&sql, &[now.into(), BATCH.into()], read)?;
        let set = dialect::set_text(lite, mails.iter().map(|mail| mail.id));
        let sql = format!("update mails set due = $1 where {}", dialect::in_set(lite, "id", 2));
        self.conn.execute(&sql, &[until.into(), Val::Text(&set)])?;
        Ok(mails)
    }

    /// A mail that was sent: it leaves the outbox and is noted.
    pub fn mail_sent(&mut self, mail: &Mail, encrypted: bool) -> Result<()> {
        self.conn.execute("delete from mails where id = $1", &[mail.id.into()])?;
        // MISP's words, with two spaces in both.
        let what = if encrypted { "Encrypted email" } else { "Email" };
        let title = format!("{what}  to {} sent, titled \"{}\".", mail.recipient, mail.subject);
        self.changed(Noun::Mail, Action::Send, Uuid::nil(), 0).of(mail.user_id, &title);
        Ok(())
    }

    /// A mail that could not be sent: it is tried again at `again`, or given up.
    pub fn mail_failed(&mut self, mail: &Mail, failure: &str, again: Option<i64>) -> Result<()> {
        // What is given up keeps no text: it may have been a password.
        let (state, body) = (again.is_none(), if again.is_none() { "" } else { &mail.body });
        let sql = "update mails set attempts = attempts + 1, failure = $2, due = $3, state = $4, body = $5 \
                   where id = $1";
        let due = again.unwrap_or(mail.due);
        let args = [mail.id.into(), failure.into(), due.into(), state.into(), body.into()];
        self.conn.execute(sql, &args)?;
        if again.is_none() {
            let title =
                format!("Email  to {} could not be sent, titled \"{}\".", mail.recipient, mail.subject);
            self.changed(Noun::Mail, Action::Discard, Uuid::nil(), 0)
                .of(mail.user_id, &title)
                .field("failure", "", failure);
        }
        Ok(())
    }

    /// A mail that waits for its receiver's key to be put right; noted the first time.
    pub fn mail_held(&mut self, mail: &Mail, why: &str, again: i64) -> Result<()> {
        self.mail_failed(mail, why, Some(again))?;
        if mail.failure != why {
            let title = format!("Email  to {} is held, titled \"{}\".", mail.recipient, mail.subject);
            self.changed(Noun::Mail, Action::Disable, Uuid::nil(), 0).of(mail.user_id, &title).field(
                "failure",
                &mail.failure,
                why,
            );
        }
        Ok(())
    }

    /// What waits for this user is tried now: something about him changed that may have held it.
    pub fn release_mails(&mut self, user_id: i64) -> Result<()> {
        let now = self.now();
        let sql = "update mails set due = $2 where user_id = $1 and state = 0 and failure <> '' and due > $2";
        self.conn.execute(sql, &[user_id.into(), now.into()])?;
        Ok(())
    }

    /// Removes what was given up before `before` (Unix seconds).
    pub fn trim_mails(&mut self, before: i64) -> Result<u64> {
        self.conn.execute("delete from mails where state = 1 and created < $1", &[before.into()])
    }

    /// Wants the publication of an event to be told; what is newer than `since` is news in it.
    pub fn add_alert(&mut self, event: &Event, since: i64) -> Result<()> {
        let now = self.now();
        let sql = "insert into alerts (event_id, created, since) values ($1, $2, $3) \
                   on conflict (event_id) do nothing";
        self.conn.execute(sql, &[event.id.into(), now.into(), since.into()])?;
        Ok(())
    }

    /// Whether the event was told less than `span` seconds ago. If not, or where each try counts (`renewed`), the
    /// span begins now.
    pub fn alert_ban(&mut self, event_id: i64, span: i64, renewed: bool) -> Result<bool> {
        let now = self.now();
        self.conn.execute("delete from alert_bans where moment <= $1", &[now.saturating_sub(span).into()])?;
        let known =
            self.conn.number("select count(*) from alert_bans where event_id = $1", &[event_id.into()])?;
        if known == 0 || renewed {
            let sql = "insert into alert_bans (event_id, moment) values ($1, $2) \
                       on conflict (event_id) do update set moment = excluded.moment";
            self.conn.execute(sql, &[event_id.into(), now.into()])?;
        }
        Ok(known > 0)
    }

    /// A user had his summaries up to `until`. Returns whether he had not: of two processes one hears yes.
    pub fn take_digest(&mut self, user_id: i64, period: Period, until: i64) -> Result<bool> {
        let sql = "insert into digests (user_id, period, until) values ($1, $2, $3) \
                   on conflict (user_id, period) do update set until = excluded.until \
                   where digests.until < excluded.until";
        Ok(self.conn.execute(sql, &[user_id.into(), period.code().into(), until.into()])? > 0)
    }

    /// It is told. Returns whether it was to be told still: of two processes one hears yes.
    pub fn take_alert(&mut self, event_id: i64) -> Result<bool> {
        Ok(self.conn.execute("delete from alerts where event_id = $1", &[event_id.into()])? > 0)
    }
}
