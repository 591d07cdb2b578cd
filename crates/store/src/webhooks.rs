//! Webhooks: addresses that are called with what changes, each with how far it has come.

use crate::changes::{Action, Noun};
use crate::conn::Row;
use crate::streams::Place;
use crate::{Reader, Result, Writer, dialect, keys, list};
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use pisax_model::user::{Role, User};

/// A stored webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Webhook {
    pub id: i64,
    pub uuid: Uuid,
    pub org_id: i64,
    /// Whose view of the data is sent.
    pub user_id: i64,
    /// A site admin said that his view is sent.
    pub sees_all: bool,
    pub name: String,
    pub url: String,
    /// What deliveries are signed with.
    pub secret: String,
    /// Kinds of messages that are sent; none: all.
    pub kinds: Vec<String>,
    /// Only what is about events with one of these tags, or created by one of these organisations (uuids).
    pub tags: Vec<String>,
    pub orgs: Vec<String>,
    pub enabled: bool,
    /// Why it was given up until somebody looks; empty: it was not.
    pub paused: String,
    /// The last message that was delivered or passed over.
    pub place: Place,
    pub delivered: i64,
    /// Unix seconds of the last delivery; 0: none yet.
    pub delivered_at: i64,
    /// Attempts in a row that failed, and when the next one is due (Unix milliseconds).
    pub failures: i64,
    pub retry_at: i64,
    pub last_error: String,
}

const COLUMNS: &str = "id, uuid, org_id, user_id, name, url, secret, kinds, tags, orgs, enabled, paused, seq, part, \
                       delivered, delivered_at, failures, retry_at, last_error, sees_all";

fn read(row: &Row<'_>) -> Result<Webhook> {
    Ok(Webhook {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        org_id: row.int(2)?,
        user_id: row.int(3)?,
        name: row.string(4)?,
        url: row.string(5)?,
        secret: row.string(6)?,
        kinds: list::words(row.text(7)?),
        tags: list::words(row.text(8)?),
        orgs: list::words(row.text(9)?),
        enabled: row.flag(10)?,
        paused: row.string(11)?,
        place: Place { seq: row.int(12)?, part: row.int(13)? },
        delivered: row.int(14)?,
        delivered_at: row.int(15)?,
        failures: row.int(16)?,
        retry_at: row.int(17)?,
        last_error: row.string(18)?,
        sees_all: row.flag(19)?,
    })
}

impl Reader<'_> {
    /// Site admins see all, others those of their organisation.
    fn sees_webhook(&self) -> String {
        match self.actor.sees_all() {
            true => "1 = 1".into(),
            false => format!("org_id = {}", self.actor.org_id),
        }
    }

    pub fn webhooks(&mut self) -> Result<Vec<Webhook>> {
        let sql = format!("select {COLUMNS} from webhooks where {} order by id", self.sees_webhook());
        self.conn.all(&sql, &[], read)
    }

    pub fn webhook(&mut self, reference: Ref) -> Result<Option<Webhook>> {
        let (column, value) = match &reference {
            Ref::Id(id) => ("id", (*id).into()),
            Ref::Uuid(uuid) => ("uuid", uuid.into()),
        };
        let sql = format!("select {COLUMNS} from webhooks where {column} = $1 and {}", self.sees_webhook());
        self.conn.first(&sql, &[value], read)
    }

    /// A user with his role, for who acts on his behalf.
    pub fn user_and_role(&mut self, id: i64) -> Result<Option<(User, Role)>> {
        let sql = format!(
            "select {} from (select id as user_id from users where id = $1) x {}",
            keys::owner_columns(),
            keys::owner_joins("x")
        );
        self.conn.first(&sql, &[id.into()], |row| {
            let (user, role, _, _) = keys::read_owner(row)?;
            Ok((user, role))
        })
    }
}

impl Writer<'_> {
    /// Keeps a new webhook; its number is given here.
    pub fn add_webhook(&mut self, webhook: &Webhook) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "webhooks", 1)?[0];
        let (kinds, tags, orgs) =
            (list::lines(&webhook.kinds), list::lines(&webhook.tags), list::lines(&webhook.orgs));
        let sql = format!("insert into webhooks ({COLUMNS}) values {}", list::places(1, 20));
        let args = [
            id.into(),
            (&webhook.uuid).into(),
            webhook.org_id.into(),
            webhook.user_id.into(),
            (&webhook.name).into(),
            (&webhook.url).into(),
            (&webhook.secret).into(),
            (&kinds).into(),
            (&tags).into(),
            (&orgs).into(),
            webhook.enabled.into(),
            (&webhook.paused).into(),
            webhook.place.seq.into(),
            webhook.place.part.into(),
            webhook.delivered.into(),
            webhook.delivered_at.into(),
            webhook.failures.into(),
            webhook.retry_at.into(),
            (&webhook.last_error).into(),
            webhook.sees_all.into(),
        ];
        self.conn.execute(&sql, &args)?;
        self.changed(Noun::Webhook, Action::Add, webhook.uuid, 0)
            .of(id, &webhook.name)
            .field("url", "", &webhook.url)
            .field("user_id", "", webhook.user_id)
            .field("enabled", false, webhook.enabled);
        Ok(id)
    }

    /// Writes what people say of a webhook, and takes the pause away where `new` has none.
    pub fn edit_webhook(&mut self, old: &Webhook, new: &Webhook) -> Result<()> {
        let (kinds, tags, orgs) = (list::lines(&new.kinds), list::lines(&new.tags), list::lines(&new.orgs));
        let sql = "update webhooks set user_id = $2, name = $3, url = $4, secret = $5, kinds = $6, tags = $7, \
                   orgs = $8, enabled = $9, paused = $10, failures = $11, retry_at = $12, org_id = $13, sees_all = $14 \
                   where id = $1";
        let args = [
            new.id.into(),
            new.user_id.into(),
            (&new.name).into(),
            (&new.url).into(),
            (&new.secret).into(),
            (&kinds).into(),
            (&tags).into(),
            (&orgs).into(),
            new.enabled.into(),
            (&new.paused).into(),
            new.failures.into(),
            new.retry_at.into(),
            new.org_id.into(),
            new.sees_all.into(),
        ];
        self.conn.execute(sql, &args)?;
        let action = match (old.enabled, new.enabled) {
            (false, true) => Action::Enable,
            (true, false) => Action::Disable,
            _ => Action::Edit,
        };
        let change = self.changed(Noun::Webhook, action, new.uuid, 0).of(new.id, &new.name);
        change
            .field("name", &old.name, &new.name)
            .field("url", &old.url, &new.url)
            .field("user_id", old.user_id, new.user_id)
            .field("kinds", list::lines(&old.kinds), kinds)
            .field("tags", list::lines(&old.tags), tags)
            .field("orgs", list::lines(&old.orgs), orgs)
            .field("paused", &old.paused, &new.paused);
        if old.secret != new.secret {
            change.field("secret", "", "changed");
        }
        Ok(())
    }

    pub fn delete_webhook(&mut self, webhook: &Webhook) -> Result<()> {
        self.conn.execute("delete from webhooks where id = $1", &[webhook.id.into()])?;
        self.changed(Noun::Webhook, Action::Delete, webhook.uuid, 0).of(webhook.id, &webhook.name);
        Ok(())
    }

    /// Notes how far a webhook has come, and how many deliveries that were; returns whether it is to go on. One that
    /// was deleted stays so.
    pub fn move_webhook(&mut self, id: i64, place: Place, deliveries: i64) -> Result<bool> {
        let now = self.now();
        let sql = "update webhooks set seq = $2, part = $3, delivered = delivered + $4, \
                   delivered_at = case when $4 > 0 then $5 else delivered_at end, \
                   failures = case when $4 > 0 then 0 else failures end, \
                   retry_at = case when $4 > 0 then 0 else retry_at end, \
                   last_error = case when $4 > 0 then '' else last_error end where id = $1";
        let args = [id.into(), place.seq.into(), place.part.into(), deliveries.into(), now.into()];
        self.conn.execute(sql, &args)?;
        let sql = "select count(*) from webhooks where id = $1 and enabled = 1 and paused = ''";
        Ok(self.conn.number(sql, &[id.into()])? > 0)
    }

    /// Notes that a delivery failed; `paused` says why it is not tried again.
    pub fn fail_webhook(
        &mut self,
        webhook: &Webhook,
        error: &str,
        retry_at: i64,
        paused: &str,
    ) -> Result<()> {
        let sql = "update webhooks set failures = failures + 1, retry_at = $2, last_error = $3, paused = $4 \
                   where id = $1";
        self.conn.execute(sql, &[webhook.id.into(), retry_at.into(), error.into(), paused.into()])?;
        if !paused.is_empty() {
            self.changed(Noun::Webhook, Action::Disable, webhook.uuid, 0)
                .of(webhook.id, &webhook.name)
                .field("paused", "", paused);
        }
        Ok(())
    }
}
