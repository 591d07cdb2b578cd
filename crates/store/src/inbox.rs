//! Requests of people who have no account: they ask for one, an administrator answers.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::ids::Ref;

/// What `kind` says of a request for an account.
pub const REGISTRATION: &str = "registration";

/// A stored request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: i64,
    pub uuid: Uuid,
    pub title: String,
    pub kind: String,
    /// Who asks.
    pub email: String,
    pub address: String,
    pub user_agent: String,
    pub comment: String,
    /// Unix seconds.
    pub timestamp: i64,
    /// JSON.
    pub data: String,
}

const COLUMNS: &str = "id, uuid, title, kind, email, address, user_agent, comment, timestamp, data";

fn read(row: &Row<'_>) -> Result<Message> {
    Ok(Message {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        title: row.string(2)?,
        kind: row.string(3)?,
        email: row.string(4)?,
        address: row.string(5)?,
        user_agent: row.string(6)?,
        comment: row.string(7)?,
        timestamp: row.int(8)?,
        data: row.string(9)?,
    })
}

impl Reader<'_> {
    /// Oldest first, of one kind or all, whose data, address or program contains `search`.
    pub fn inbox(&mut self, kind: Option<&str>, search: Option<&str>) -> Result<Vec<Message>> {
        let pattern = search.map(list::containing);
        let (mut terms, mut args) = (vec!["1 = 1".to_owned()], Vec::new());
        if let Some(kind) = kind {
            args.push(Val::from(kind));
            terms.push(format!("kind = ${}", args.len()));
        }
        if let Some(pattern) = &pattern {
            args.push(Val::from(pattern));
            let like = ["data", "address", "user_agent"]
                .map(|column| format!("pisax_fold({column}) like ${} escape '\\'", args.len()));
            terms.push(format!("({})", like.join(" or ")));
        }
        let sql = format!("select {COLUMNS} from inbox where {} order by id", terms.join(" and "));
        self.conn.all(&sql, &args, read)
    }

    pub fn message(&mut self, reference: Ref) -> Result<Option<Message>> {
        let (column, value) = match &reference {
            Ref::Id(id) => ("id", Val::Int(*id)),
            Ref::Uuid(uuid) => ("uuid", uuid.into()),
        };
        self.conn.first(&format!("select {COLUMNS} from inbox where {column} = $1"), &[value], read)
    }

    pub fn message_count(&mut self) -> Result<i64> {
        self.conn.number("select count(*) from inbox", &[])
    }
}

impl Writer<'_> {
    /// Keeps a request; number and time are given here.
    pub fn add_message(&mut self, message: &Message) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "inbox", 1)?[0];
        let now = self.now();
        let sql = format!("insert into inbox ({COLUMNS}) values {}", list::places(1, 10));
        let args = [
            id.into(),
            (&message.uuid).into(),
            (&message.title).into(),
            (&message.kind).into(),
            (&message.email).into(),
            (&message.address).into(),
            (&message.user_agent).into(),
            (&message.comment).into(),
            now.into(),
            (&message.data).into(),
        ];
        self.conn.execute(&sql, &args)?;
        self.changed(Noun::Registration, Action::Add, message.uuid, 0).of(id, &message.title);
        Ok(id)
    }

    /// Takes a request away, as answered (`Accept`) or not (`Discard`).
    pub fn remove_message(&mut self, message: &Message, action: Action) -> Result<()> {
        self.conn.execute("delete from inbox where id = $1", &[message.id.into()])?;
        self.changed(Noun::Registration, action, message.uuid, 0).of(message.id, &message.title);
        Ok(())
    }
}
