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
}

const COLUMNS: &str =
    "id, created, due, attempts, user_id, recipient, reply_to, subject, body, failure, state";

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
    })
}

impl Reader<'_> {
    /// Events whose publication is still to be told, oldest first.
    pub fn alerts(&mut self) -> Result<Vec<i64>> {
        self.conn.all("select event_id from alerts order by created, event_id limit 100", &[], |r| r.int(0))
    }

    /// Who asked to hear of publications and may be written to, in order of user numbers.
    pub fn alert_readers(&mut self, now: i64) -> Result<Vec<(User, Role)>> {
        let sql = format!(
            "select {} from (select id as user_id from users where autoalert = 1 and disabled = 0) x {} \
             where u.expiration is null or u.expiration = 0 or u.expiration > $1 order by u.id",
            keys::owner_columns(),
            keys::owner_joins("x")
        );
        self.conn.all(&sql, &[now.into()], |row| {
            let (user, role, _, _) = keys::read_owner(row)?;
            Ok((user, role))
        })
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
        let sql = format!("insert into mails ({COLUMNS}) values {}", list::places(1, 11));
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
    pub fn mail_sent(&mut self, mail: &Mail) -> Result<()> {
        self.conn.execute("delete from mails where id = $1", &[mail.id.into()])?;
        // Two spaces: where MISP encrypts, the first word is another one.
        let title = format!("Email  to {} sent, titled \"{}\".", mail.recipient, mail.subject);
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

    /// Removes what was given up before `before` (Unix seconds).
    pub fn trim_mails(&mut self, before: i64) -> Result<u64> {
        self.conn.execute("delete from mails where state = 1 and created < $1", &[before.into()])
    }

    /// Wants the publication of an event to be told.
    pub fn add_alert(&mut self, event: &Event) -> Result<()> {
        let now = self.now();
        let sql = "insert into alerts (event_id, created) values ($1, $2) on conflict (event_id) do nothing";
        self.conn.execute(sql, &[event.id.into(), now.into()])?;
        Ok(())
    }

    /// It is told. Returns whether it was to be told still: of two processes one hears yes.
    pub fn take_alert(&mut self, event_id: i64) -> Result<bool> {
        Ok(self.conn.execute("delete from alerts where event_id = $1", &[event_id.into()])? > 0)
    }
}
