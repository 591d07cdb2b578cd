//! Warninglists made here: those of the libraries are in `knowledge.rs`.

use crate::changes::{Action, Noun};
use crate::knowledge::{WARNINGLIST, WarninglistRow};
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;

/// What a list holds: a line for each entry, and as many lines of comments, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WarninglistLines {
    pub entries: String,
    pub notes: String,
}

impl Reader<'_> {
    /// The entries of a warninglist with their comments.
    pub fn warninglist_lines(&mut self, id: i64) -> Result<Option<WarninglistLines>> {
        self.conn.first("select entries, notes from warninglists where id = $1", &[id.into()], |r| {
            Ok(WarninglistLines { entries: r.string(0)?, notes: r.string(1)? })
        })
    }

    /// The number of the warninglist of this name.
    pub fn warninglist_named(&mut self, name: &str) -> Result<Option<i64>> {
        self.conn.first("select id from warninglists where name = $1", &[name.into()], |r| r.int(0))
    }
}

impl Writer<'_> {
    /// Adds a list, which gets the number returned.
    pub fn add_warninglist(&mut self, row: &WarninglistRow, lines: &WarninglistLines) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "warninglists", 1)?[0];
        let sql = format!(
            "insert into warninglists ({WARNINGLIST}, entries, notes) values {}",
            list::places(1, 12)
        );
        let args = [
            id.into(),
            (&row.name).into(),
            (&row.kind).into(),
            (&row.description).into(),
            row.version.into(),
            (&row.category).into(),
            row.enabled.into(),
            (&row.types).into(),
            row.entry_count.into(),
            row.default.into(),
            (&lines.entries).into(),
            (&lines.notes).into(),
        ];
        self.conn.execute(&sql, &args).map_err(|e| e.conflict_on("name"))?;
        self.changed(Noun::Warninglist, Action::Add, Uuid::nil(), 0)
            .of(id, &row.name)
            .field("name", "", &row.name)
            .field("type", "", &row.kind)
            .field("entries", "", row.entry_count);
        Ok(id)
    }

    /// Writes a list made here, with its entries where they are given.
    pub fn edit_warninglist(
        &mut self,
        old: &WarninglistRow,
        row: &WarninglistRow,
        lines: Option<&WarninglistLines>,
    ) -> Result<()> {
        let sql = "update warninglists set name = $2, kind = $3, description = $4, version = $5, category = $6, \
                   enabled = $7, types = $8, entry_count = $9 where id = $1";
        let args = [
            row.id.into(),
            (&row.name).into(),
            (&row.kind).into(),
            (&row.description).into(),
            row.version.into(),
            (&row.category).into(),
            row.enabled.into(),
            (&row.types).into(),
            row.entry_count.into(),
        ];
        self.conn.execute(sql, &args).map_err(|e| e.conflict_on("name"))?;
        if let Some(lines) = lines {
            let sql = "update warninglists set entries = $2, notes = $3 where id = $1";
            self.conn.execute(sql, &[row.id.into(), (&lines.entries).into(), (&lines.notes).into()])?;
        }
        self.changed(Noun::Warninglist, Action::Edit, Uuid::nil(), 0)
            .of(row.id, &row.name)
            .field("name", &old.name, &row.name)
            .field("type", &old.kind, &row.kind)
            .field("description", &old.description, &row.description)
            .field("category", &old.category, &row.category)
            .field("version", old.version, row.version)
            .field("entries", old.entry_count, row.entry_count);
        Ok(())
    }

    /// Takes a list away with its entries.
    pub fn delete_warninglist(&mut self, row: &WarninglistRow) -> Result<()> {
        self.conn.execute("delete from warninglists where id = $1", &[row.id.into()])?;
        self.changed(Noun::Warninglist, Action::Delete, Uuid::nil(), 0).of(row.id, &row.name);
        Ok(())
    }
}
