//! Named settings kept in the database.

use crate::changes::{Action, Noun};
use crate::{Reader, Result, Writer};
use pisax_model::Uuid;

impl Reader<'_> {
    pub fn setting(&mut self, name: &str) -> Result<Option<String>> {
        self.conn.first("select value from settings where name = $1", &[name.into()], |r| r.string(0))
    }

    pub fn settings(&mut self) -> Result<Vec<(String, String)>> {
        self.conn
            .all("select name, value from settings order by name", &[], |r| Ok((r.string(0)?, r.string(1)?)))
    }
}

impl Writer<'_> {
    pub fn set_setting(&mut self, name: &str, value: &str) -> Result<()> {
        let sql = "insert into settings (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value";
        self.conn.execute(sql, &[name.into(), value.into()])?;
        Ok(())
    }

    /// The same, as an administrator's doing, which is noted; its values too, where they may be `shown`.
    pub fn edit_setting(&mut self, name: &str, value: &str, shown: bool) -> Result<()> {
        let old = self.setting(name)?.unwrap_or_default();
        self.set_setting(name, value)?;
        let change = self.changed(Noun::Setting, Action::Edit, Uuid::nil(), 0).of(0, name);
        if shown {
            change.field("value", old, value);
        }
        Ok(())
    }

    /// Sets it unless somebody did first; returns what is set.
    pub fn add_setting(&mut self, name: &str, value: &str) -> Result<String> {
        let sql = "insert into settings (name, value) values ($1, $2) on conflict (name) do nothing";
        self.conn.execute(sql, &[name.into(), value.into()])?;
        Ok(self.setting(name)?.unwrap_or_default())
    }
}
