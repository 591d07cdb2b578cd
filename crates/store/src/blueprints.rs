//! Blueprints of sharing groups: rules that say which organisations a group has.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::ids::Ref;

/// A stored blueprint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blueprint {
    pub id: i64,
    pub uuid: Uuid,
    pub name: String,
    /// Unix seconds.
    pub timestamp: i64,
    pub user_id: i64,
    pub org_id: i64,
    /// The group it made; 0: none yet.
    pub sharing_group_id: i64,
    /// JSON.
    pub rules: String,
}

const COLUMNS: &str = "id, uuid, name, timestamp, user_id, org_id, sharing_group_id, rules";

fn read(row: &Row<'_>) -> Result<Blueprint> {
    Ok(Blueprint {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        name: row.string(2)?,
        timestamp: row.int(3)?,
        user_id: row.int(4)?,
        org_id: row.int(5)?,
        sharing_group_id: row.int(6)?,
        rules: row.string(7)?,
    })
}

impl Reader<'_> {
    /// Blueprints are their organisation's own.
    fn blueprints_where(&mut self, condition: &str, args: &[Val<'_>]) -> Result<Vec<Blueprint>> {
        let own = match self.actor.sees_all() {
            true => "1 = 1".to_owned(),
            false => format!("org_id = {}", self.actor.org_id),
        };
        let sql = format!("select {COLUMNS} from blueprints where {condition} and {own} order by id");
        self.conn.all(&sql, args, read)
    }

    pub fn blueprints(&mut self) -> Result<Vec<Blueprint>> {
        self.blueprints_where("1 = 1", &[])
    }

    pub fn blueprint(&mut self, reference: Ref) -> Result<Option<Blueprint>> {
        let (condition, value) = match &reference {
            Ref::Id(id) => ("id = $1", Val::Int(*id)),
            Ref::Uuid(uuid) => ("uuid = $1", uuid.into()),
        };
        Ok(self.blueprints_where(condition, &[value])?.pop())
    }
}

impl Writer<'_> {
    /// Keeps a blueprint; number and time are given here.
    pub fn add_blueprint(&mut self, blueprint: &Blueprint) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "blueprints", 1)?[0];
        let now = self.now();
        let sql = format!("insert into blueprints ({COLUMNS}) values {}", list::places(1, 8));
        let args = [
            id.into(),
            (&blueprint.uuid).into(),
            (&blueprint.name).into(),
            now.into(),
            blueprint.user_id.into(),
            blueprint.org_id.into(),
            blueprint.sharing_group_id.into(),
            (&blueprint.rules).into(),
        ];
        self.conn.execute(&sql, &args)?;
        self.changed(Noun::Blueprint, Action::Add, blueprint.uuid, 0).of(id, &blueprint.name).field(
            "rules",
            "",
            &blueprint.rules,
        );
        Ok(id)
    }

    pub fn edit_blueprint(&mut self, old: &Blueprint, new: &Blueprint) -> Result<()> {
        let now = self.now();
        let sql = "update blueprints set name = $2, rules = $3, sharing_group_id = $4, timestamp = $5 where id = $1";
        let args =
            [new.id.into(), (&new.name).into(), (&new.rules).into(), new.sharing_group_id.into(), now.into()];
        self.conn.execute(sql, &args)?;
        self.changed(Noun::Blueprint, Action::Edit, new.uuid, 0)
            .of(new.id, &new.name)
            .field("name", &old.name, &new.name)
            .field("rules", &old.rules, &new.rules)
            .field("sharing_group_id", old.sharing_group_id, new.sharing_group_id);
        Ok(())
    }

    pub fn delete_blueprint(&mut self, blueprint: &Blueprint) -> Result<()> {
        self.conn.execute("delete from blueprints where id = $1", &[blueprint.id.into()])?;
        self.changed(Noun::Blueprint, Action::Delete, blueprint.uuid, 0).of(blueprint.id, &blueprint.name);
        Ok(())
    }
}
