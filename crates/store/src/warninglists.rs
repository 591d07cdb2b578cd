//! Warninglists: published ones, which their libraries replace by newer versions, and those that are made here.

use crate::changes::{Action, Noun};
use crate::conn::Row;
use crate::knowledge::Put;
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarninglistRow {
    pub id: i64,
    pub name: String,
    pub kind: String,
    pub description: String,
    pub version: i64,
    pub category: String,
    pub enabled: bool,
    /// The caller's text.
    pub types: String,
    pub entry_count: i64,
    /// It came with a library; those made here are their makers' to change.
    pub default: bool,
}

const WARNINGLIST: &str =
    "id, name, kind, description, version, category, enabled, types, entry_count, is_default";

fn warninglist(row: &Row<'_>) -> Result<WarninglistRow> {
    Ok(WarninglistRow {
        id: row.int(0)?,
        name: row.string(1)?,
        kind: row.string(2)?,
        description: row.string(3)?,
        version: row.int(4)?,
        category: row.string(5)?,
        enabled: row.flag(6)?,
        types: row.string(7)?,
        entry_count: row.int(8)?,
        default: row.flag(9)?,
    })
}

/// What a list holds: a line for each entry, and as many lines of comments, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WarninglistLines {
    pub entries: String,
    pub notes: String,
}

impl Reader<'_> {
    pub fn warninglists(&mut self) -> Result<Vec<WarninglistRow>> {
        self.conn.all(
            &format!("select {WARNINGLIST} from warninglists order by lower(name), id"),
            &[],
            warninglist,
        )
    }

    pub fn warninglist(&mut self, id: i64) -> Result<Option<WarninglistRow>> {
        self.conn.first(
            &format!("select {WARNINGLIST} from warninglists where id = $1"),
            &[id.into()],
            warninglist,
        )
    }

    /// The entries of a warninglist, in the caller's text.
    pub fn warninglist_entries(&mut self, id: i64) -> Result<Option<String>> {
        self.conn.first("select entries from warninglists where id = $1", &[id.into()], |r| r.string(0))
    }

    /// Hands each list that is switched on to `f`, with its entries, one at a time.
    pub fn each_enabled_warninglist(
        &mut self,
        mut f: impl FnMut(WarninglistRow, &str) -> Result<()>,
    ) -> Result<()> {
        let sql = format!("select {WARNINGLIST}, entries from warninglists where enabled = 1 order by id");
        self.conn.each(&sql, &[], |r| f(warninglist(r)?, r.text(10)?))
    }

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
    /// Puts a published warninglist with its entries unless the stored one is as new, or somebody here made one
    /// of this name. A new one has the switch given; an update leaves it.
    pub fn put_warninglist(&mut self, warninglist: &WarninglistRow, entries: &str) -> Result<Put> {
        let mut put = self.stored("warninglists", "name", (&warninglist.name).into(), warninglist.version)?;
        let sql = "select count(*) from warninglists where id = $1 and is_default = 0";
        put.changed = put.changed && self.conn.number(sql, &[put.id.into()])? == 0;
        if put.changed {
            let mut columns: Vec<&str> = WARNINGLIST.split(", ").collect();
            columns.push("entries");
            let args = [
                put.id.into(),
                (&warninglist.name).into(),
                (&warninglist.kind).into(),
                (&warninglist.description).into(),
                warninglist.version.into(),
                (&warninglist.category).into(),
                warninglist.enabled.into(),
                (&warninglist.types).into(),
                warninglist.entry_count.into(),
                warninglist.default.into(),
                entries.into(),
            ];
            self.put_row("warninglists", &columns, &["enabled"], &args)?;
        }
        Ok(put)
    }

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
