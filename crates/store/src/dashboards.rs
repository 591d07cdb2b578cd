//! Dashboards that are there to choose from; one's own is a setting of the user.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::ids::Ref;

/// A stored dashboard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dashboard {
    pub id: i64,
    pub uuid: Uuid,
    pub name: String,
    pub description: String,
    pub is_default: bool,
    pub selectable: bool,
    pub user_id: i64,
    /// 0: for every organisation, every role.
    pub restrict_to_org_id: i64,
    pub restrict_to_role_id: i64,
    /// A permission's name; empty: whatever one may.
    pub restrict_to_permission_flag: String,
    /// JSON: the widgets.
    pub value: String,
    /// Unix seconds.
    pub timestamp: i64,
    /// Of its user.
    pub email: String,
}

const COLUMNS: &str = "d.id, d.uuid, d.name, d.description, d.is_default, d.selectable, d.user_id, \
                       d.restrict_to_org_id, d.restrict_to_role_id, d.restrict_to_permission_flag, d.value, d.timestamp";

fn read(row: &Row<'_>) -> Result<Dashboard> {
    Ok(Dashboard {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        name: row.string(2)?,
        description: row.string(3)?,
        is_default: row.flag(4)?,
        selectable: row.flag(5)?,
        user_id: row.int(6)?,
        restrict_to_org_id: row.int(7)?,
        restrict_to_role_id: row.int(8)?,
        restrict_to_permission_flag: row.string(9)?,
        value: row.string(10)?,
        timestamp: row.int(11)?,
        email: row.opt_string(12)?.unwrap_or_default(),
    })
}

impl Reader<'_> {
    /// One's own, and those that may be chosen by one's organisation and role.
    fn sees_dashboard(&self) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        let (user, org) = (self.actor.user_id, self.actor.org_id);
        let flags: Vec<String> = pisax_access::Permission::ALL
            .iter()
            .filter(|p| self.actor.has(**p))
            .map(|p| format!("'{}'", p.name()))
            .collect();
        let flags = [vec!["''".to_owned()], flags].concat().join(", ");
        format!(
            "(d.user_id = {user} or (d.selectable = 1 and d.restrict_to_org_id in (0, {org}) \
             and (d.restrict_to_role_id = 0 or d.restrict_to_role_id = \
             (select m.role_id from users m where m.id = {user})) and d.restrict_to_permission_flag in ({flags})))"
        )
    }

    fn dashboards_where(&mut self, condition: &str, args: &[Val<'_>]) -> Result<Vec<Dashboard>> {
        let sql = format!(
            "select {COLUMNS}, u.email from dashboards d left join users u on u.id = d.user_id \
             where {condition} and {} order by d.id",
            self.sees_dashboard()
        );
        self.conn.all(&sql, args, read)
    }

    pub fn dashboards(&mut self) -> Result<Vec<Dashboard>> {
        self.dashboards_where("1 = 1", &[])
    }

    pub fn dashboard(&mut self, reference: Ref) -> Result<Option<Dashboard>> {
        let (condition, value) = match &reference {
            Ref::Id(id) => ("d.id = $1", Val::Int(*id)),
            Ref::Uuid(uuid) => ("d.uuid = $1", uuid.into()),
        };
        Ok(self.dashboards_where(condition, &[value])?.pop())
    }
}

impl Writer<'_> {
    /// Keeps a dashboard (number 0: a new one); returns its number.
    pub fn put_dashboard(&mut self, dashboard: &Dashboard) -> Result<i64> {
        let new = dashboard.id == 0;
        let id = if new { dialect::allocate(&mut self.conn, "dashboards", 1)?[0] } else { dashboard.id };
        let now = self.now();
        let names = COLUMNS.replace("d.", "");
        let sets: Vec<String> = names
            .split(", ")
            .map(str::trim)
            .filter(|name| !matches!(*name, "id" | "uuid" | "user_id"))
            .map(|name| format!("{name} = excluded.{name}"))
            .collect();
        let sql = format!(
            "insert into dashboards ({names}) values {} on conflict (id) do update set {}",
            list::places(1, 12),
            sets.join(", ")
        );
        let args = [
            id.into(),
            (&dashboard.uuid).into(),
            (&dashboard.name).into(),
            (&dashboard.description).into(),
            dashboard.is_default.into(),
            dashboard.selectable.into(),
            dashboard.user_id.into(),
            dashboard.restrict_to_org_id.into(),
            dashboard.restrict_to_role_id.into(),
            (&dashboard.restrict_to_permission_flag).into(),
            (&dashboard.value).into(),
            now.into(),
        ];
        self.conn.execute(&sql, &args)?;
        if dashboard.is_default {
            self.conn.execute("update dashboards set is_default = 0 where id <> $1", &[id.into()])?;
        }
        let action = if new { Action::Add } else { Action::Edit };
        self.changed(Noun::Dashboard, action, dashboard.uuid, 0).of(id, &dashboard.name);
        Ok(id)
    }

    pub fn delete_dashboard(&mut self, dashboard: &Dashboard) -> Result<()> {
        self.conn.execute("delete from dashboards where id = $1", &[dashboard.id.into()])?;
        self.changed(Noun::Dashboard, Action::Delete, dashboard.uuid, 0).of(dashboard.id, &dashboard.name);
        Ok(())
    }
}
