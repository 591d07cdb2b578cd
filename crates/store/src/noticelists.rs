//! Noticelists: what whoever enters an attribute should be told. Everybody may read them.

use crate::changes::{Action, Noun};
use crate::conn::Row;
use crate::knowledge::Put;
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::notice::Noticelist;

/// A stored list.
#[derive(Debug, Clone, PartialEq)]
pub struct NoticelistRow {
    pub id: i64,
    pub enabled: bool,
    pub list: Noticelist,
}

const COLUMNS: &str = "id, name, expanded_name, version, enabled, refs, areas, notices";

fn read(row: &Row<'_>) -> Result<NoticelistRow> {
    Ok(NoticelistRow {
        id: row.int(0)?,
        enabled: row.flag(4)?,
        list: Noticelist {
            name: row.string(1)?,
            expanded_name: row.string(2)?,
            version: row.int(3)?,
            references: list::words(row.text(5)?),
            areas: list::words(row.text(6)?),
            notices: list::words(row.text(7)?),
        },
    })
}

impl Reader<'_> {
    pub fn noticelists(&mut self) -> Result<Vec<NoticelistRow>> {
        self.conn.all(&format!("select {COLUMNS} from noticelists order by id"), &[], read)
    }

    pub fn noticelist(&mut self, id: i64) -> Result<Option<NoticelistRow>> {
        self.conn.first(&format!("select {COLUMNS} from noticelists where id = $1"), &[id.into()], read)
    }
}

impl Writer<'_> {
    /// Puts a list unless the stored one is as new. A new one is off; an update leaves the switch.
    pub fn put_noticelist(&mut self, new: &Noticelist) -> Result<Put> {
        let sql = "select id, version from noticelists where name = $1";
        let known = self.conn.first(sql, &[(&new.name).into()], |r| Ok((r.int(0)?, r.int(1)?)))?;
        if let Some((id, version)) = known
            && version >= new.version
        {
            return Ok(Put { id, changed: false });
        }
        let id = match known {
            Some((id, _)) => id,
            None => dialect::allocate(&mut self.conn, "noticelists", 1)?[0],
        };
        let sql = format!(
            "insert into noticelists ({COLUMNS}) values {} on conflict (id) do update set \
             expanded_name = excluded.expanded_name, version = excluded.version, refs = excluded.refs, \
             areas = excluded.areas, notices = excluded.notices",
            list::places(1, 8)
        );
        // A notice is JSON without line ends, so that it is a line.
        let (refs, areas, notices) =
            (list::lines(&new.references), list::lines(&new.areas), list::lines(&new.notices));
        let args = [
            id.into(),
            (&new.name).into(),
            (&new.expanded_name).into(),
            new.version.into(),
            false.into(),
            (&refs).into(),
            (&areas).into(),
            (&notices).into(),
        ];
        self.conn.execute(&sql, &args)?;
        let (action, old) = match known {
            Some((_, version)) => (Action::Edit, version.to_string()),
            None => (Action::Add, String::new()),
        };
        self.changed(Noun::Noticelist, action, Uuid::nil(), 0).of(id, &new.name).field(
            "version",
            old,
            new.version,
        );
        Ok(Put { id, changed: true })
    }

    /// Switches a list on or off.
    pub fn enable_noticelist(&mut self, row: &NoticelistRow, enabled: bool) -> Result<()> {
        let sql = "update noticelists set enabled = $2 where id = $1";
        self.conn.execute(sql, &[row.id.into(), enabled.into()])?;
        let action = if enabled { Action::Enable } else { Action::Disable };
        self.changed(Noun::Noticelist, action, Uuid::nil(), 0).of(row.id, &row.list.name).field(
            "enabled",
            row.enabled,
            enabled,
        );
        Ok(())
    }

    /// Takes a list away.
    pub fn delete_noticelist(&mut self, row: &NoticelistRow) -> Result<()> {
        self.conn.execute("delete from noticelists where id = $1", &[row.id.into()])?;
        self.changed(Noun::Noticelist, Action::Delete, Uuid::nil(), 0).of(row.id, &row.list.name);
        Ok(())
    }
}
