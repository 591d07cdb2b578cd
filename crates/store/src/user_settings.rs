//! What users set for themselves: a name and a JSON text each. Whose they may be is a rule of the service.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect};
use pisax_model::Uuid;

/// A stored setting of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSetting {
    pub id: i64,
    pub user_id: i64,
    pub setting: String,
    /// JSON.
    pub value: String,
    /// Unix seconds.
    pub timestamp: i64,
    /// Of its user.
    pub email: String,
    pub org_id: i64,
}

/// Which settings to list; everything empty: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserSettingQuery {
    pub id: Option<i64>,
    pub user_id: Option<i64>,
    pub org_id: Option<i64>,
    pub setting: Option<String>,
}

fn read(row: &Row<'_>) -> Result<UserSetting> {
    Ok(UserSetting {
        id: row.int(0)?,
        user_id: row.int(1)?,
        setting: row.string(2)?,
        value: row.string(3)?,
        timestamp: row.int(4)?,
        email: row.string(5)?,
        org_id: row.int(6)?,
    })
}

impl Reader<'_> {
    pub fn user_settings(&mut self, query: &UserSettingQuery) -> Result<Vec<UserSetting>> {
        let (mut terms, mut args) = (vec!["1 = 1".to_owned()], Vec::new());
        for (column, number) in [("s.id", query.id), ("s.user_id", query.user_id), ("u.org_id", query.org_id)]
        {
            if let Some(number) = number {
                args.push(Val::Int(number));
                terms.push(format!("{column} = ${}", args.len()));
            }
        }
        if let Some(setting) = &query.setting {
            args.push(Val::from(setting));
            terms.push(format!("s.setting = ${}", args.len()));
        }
        let sql = format!(
            "select s.id, s.user_id, s.setting, s.value, s.timestamp, u.email, u.org_id from user_settings s \
             join users u on u.id = s.user_id where {} order by s.id",
            terms.join(" and ")
        );
        self.conn.all(&sql, &args, read)
    }

    /// One setting of one user.
    pub fn user_setting(&mut self, user_id: i64, setting: &str) -> Result<Option<UserSetting>> {
        let query = UserSettingQuery {
            user_id: Some(user_id),
            setting: Some(setting.to_owned()),
            ..UserSettingQuery::default()
        };
        Ok(self.user_settings(&query)?.pop())
    }
}

impl Writer<'_> {
    /// Sets or replaces a setting; returns its row number.
    pub fn set_user_setting(&mut self, user_id: i64, setting: &str, value: &str) -> Result<i64> {
        let old = self.user_setting(user_id, setting)?.map(|s| s.value);
        let id = dialect::allocate(&mut self.conn, "user_settings", 1)?[0];
        let now = self.now();
        let sql = "insert into user_settings (id, user_id, setting, value, timestamp) values ($1, $2, $3, $4, $5) \
                   on conflict (user_id, setting) do update set value = excluded.value, \
                   timestamp = excluded.timestamp returning id";
        let args = [id.into(), user_id.into(), setting.into(), value.into(), now.into()];
        let id =
            self.conn.first(sql, &args, |r| r.int(0))?.ok_or(Error::Damaged("a setting was not kept"))?;
        let action = if old.is_some() { Action::Edit } else { Action::Add };
        self.changed(Noun::UserSetting, action, Uuid::nil(), 0).of(id, setting).field(
            "value",
            old.unwrap_or_default(),
            value,
        );
        Ok(id)
    }

    pub fn delete_user_setting(&mut self, setting: &UserSetting) -> Result<()> {
        self.conn.execute("delete from user_settings where id = $1", &[setting.id.into()])?;
        self.changed(Noun::UserSetting, Action::Delete, Uuid::nil(), 0)
            .of(setting.id, &setting.setting)
            .field("value", &setting.value, "");
        Ok(())
    }
}
