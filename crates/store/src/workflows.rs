//! Workflows and blueprints of them, for those who run the instance; and how far the change log was followed.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::ids::Ref;

/// A stored workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workflow {
    pub id: i64,
    pub uuid: Uuid,
    pub name: String,
    pub description: String,
    /// Unix seconds.
    pub timestamp: i64,
    pub enabled: bool,
    /// How often it ran.
    pub counter: i64,
    /// The module that begins it.
    pub trigger_id: String,
    pub debug_enabled: bool,
    /// The graph: JSON.
    pub data: String,
}

/// A stored blueprint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkflowBlueprint {
    pub id: i64,
    pub uuid: Uuid,
    pub name: String,
    pub description: String,
    /// Unix seconds.
    pub timestamp: i64,
    pub is_default: bool,
    /// Nodes: JSON.
    pub data: String,
}

const COLUMNS: &str =
    "id, uuid, name, description, timestamp, enabled, counter, trigger_id, debug_enabled, data";

const BLUEPRINT: &str = "id, uuid, name, description, timestamp, is_default, data";

/// The setting that keeps the number of the last change that was looked at.
const CURSOR: &str = "workflow.cursor";

fn read(row: &Row<'_>) -> Result<Workflow> {
    Ok(Workflow {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        name: row.string(2)?,
        description: row.string(3)?,
        timestamp: row.int(4)?,
        enabled: row.flag(5)?,
        counter: row.int(6)?,
        trigger_id: row.string(7)?,
        debug_enabled: row.flag(8)?,
        data: row.string(9)?,
    })
}

fn read_blueprint(row: &Row<'_>) -> Result<WorkflowBlueprint> {
    Ok(WorkflowBlueprint {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        name: row.string(2)?,
        description: row.string(3)?,
        timestamp: row.int(4)?,
        is_default: row.flag(5)?,
        data: row.string(6)?,
    })
}

fn by<'v>(reference: &'v Ref) -> (&'static str, Val<'v>) {
    match reference {
        Ref::Id(id) => ("id = $1", Val::Int(*id)),
        Ref::Uuid(uuid) => ("uuid = $1", uuid.into()),
    }
}

impl Reader<'_> {
    /// Workflows are seen by site admins and by the system alone.
    fn sees_workflows(&self) -> &'static str {
        if self.actor.sees_all() { "1 = 1" } else { "1 = 0" }
    }

    pub fn workflows(&mut self) -> Result<Vec<Workflow>> {
        let sql = format!("select {COLUMNS} from workflows where {} order by id", self.sees_workflows());
        self.conn.all(&sql, &[], read)
    }

    pub fn workflow(&mut self, reference: Ref) -> Result<Option<Workflow>> {
        let (is, value) = by(&reference);
        let sql = format!("select {COLUMNS} from workflows where {is} and {}", self.sees_workflows());
        self.conn.first(&sql, &[value], read)
    }

    /// Those that are on and begin with one of these triggers.
    pub fn workflows_beginning_with(&mut self, trigger: &str) -> Result<Vec<Workflow>> {
        let sql = format!(
            "select {COLUMNS} from workflows where trigger_id = $1 and enabled = 1 and {} order by id",
            self.sees_workflows()
        );
        self.conn.all(&sql, &[trigger.into()], read)
    }

    pub fn workflow_blueprints(&mut self) -> Result<Vec<WorkflowBlueprint>> {
        let sql = format!(
            "select {BLUEPRINT} from workflow_blueprints where {} order by id",
            self.sees_workflows()
        );
        self.conn.all(&sql, &[], read_blueprint)
    }

    pub fn workflow_blueprint(&mut self, reference: Ref) -> Result<Option<WorkflowBlueprint>> {
        let (is, value) = by(&reference);
        let sql =
            format!("select {BLUEPRINT} from workflow_blueprints where {is} and {}", self.sees_workflows());
        self.conn.first(&sql, &[value], read_blueprint)
    }

    /// The last change that workflows have looked at; none before they were switched on.
    pub fn workflow_cursor(&mut self) -> Result<Option<i64>> {
        Ok(self.setting(CURSOR)?.and_then(|text| text.parse().ok()))
    }
}

impl Writer<'_> {
    /// Goes on from here, unless somebody else already has; returns whether this was first.
    pub fn move_workflow_cursor(&mut self, from: i64, to: i64) -> Result<bool> {
        let sql = "update settings set value = $1 where name = $2 and value = $3";
        let (to, from) = (to.to_string(), from.to_string());
        Ok(self.conn.execute(sql, &[to.as_str().into(), CURSOR.into(), from.as_str().into()])? > 0)
    }

    /// Begins with what changes from now on.
    pub fn begin_workflow_cursor(&mut self) -> Result<()> {
        let newest = self.newest_change()?;
        self.set_setting(CURSOR, &newest.to_string())
    }

    /// Keeps a workflow (number 0: a new one); returns its number. How often it ran is not changed.
    pub fn put_workflow(&mut self, workflow: &Workflow) -> Result<i64> {
        let old = match workflow.id {
            0 => None,
            id => self.workflow(Ref::Id(id))?,
        };
        let id = match &old {
            None => dialect::allocate(&mut self.conn, "workflows", 1)?[0],
            Some(old) => old.id,
        };
        let sql = format!(
            "insert into workflows ({COLUMNS}) values {} on conflict (id) do update set name = excluded.name, \
             description = excluded.description, timestamp = excluded.timestamp, enabled = excluded.enabled, \
             trigger_id = excluded.trigger_id, debug_enabled = excluded.debug_enabled, data = excluded.data",
            list::places(1, 10)
        );
        let args = [
            id.into(),
            (&workflow.uuid).into(),
            (&workflow.name).into(),
            (&workflow.description).into(),
            workflow.timestamp.into(),
            workflow.enabled.into(),
            Val::Int(0),
            (&workflow.trigger_id).into(),
            workflow.debug_enabled.into(),
            (&workflow.data).into(),
        ];
        self.conn.execute(&sql, &args)?;
        let action = match &old {
            None => Action::Add,
            Some(old) if !old.enabled && workflow.enabled => Action::Enable,
            Some(old) if old.enabled && !workflow.enabled => Action::Disable,
            Some(_) => Action::Edit,
        };
        let old = old.unwrap_or_default();
        // Graphs may hold the keys of others' services: that one changed is noted, not what it says.
        let graph = |data: &str| format!("{} bytes", data.len());
        self.changed(Noun::Workflow, action, workflow.uuid, 0)
            .of(id, &workflow.name)
            .field("name", &old.name, &workflow.name)
            .field("description", &old.description, &workflow.description)
            .field("trigger_id", &old.trigger_id, &workflow.trigger_id)
            .field("enabled", old.enabled, workflow.enabled)
            .field("debug_enabled", old.debug_enabled, workflow.debug_enabled)
            .field("data", graph(&old.data), graph(&workflow.data));
        Ok(id)
    }

    /// Notes that a workflow ran, and how.
    pub fn workflow_ran(
        &mut self,
        workflow: &Workflow,
        event_id: i64,
        fields: &[(&str, &str)],
    ) -> Result<()> {
        self.conn
            .execute("update workflows set counter = counter + 1 where id = $1", &[workflow.id.into()])?;
        let change = self
            .changed(Noun::Workflow, Action::Run, workflow.uuid, event_id)
            .of(workflow.id, &workflow.name);
        for (name, value) in fields {
            change.field(name, "", value);
        }
        Ok(())
    }

    pub fn delete_workflow(&mut self, workflow: &Workflow) -> Result<()> {
        self.conn.execute("delete from workflows where id = $1", &[workflow.id.into()])?;
        self.changed(Noun::Workflow, Action::Delete, workflow.uuid, 0).of(workflow.id, &workflow.name);
        Ok(())
    }

    /// Keeps a blueprint (number 0: a new one); returns its number.
    pub fn put_workflow_blueprint(&mut self, blueprint: &WorkflowBlueprint) -> Result<i64> {
        let new = blueprint.id == 0;
        let id = match new {
            true => dialect::allocate(&mut self.conn, "workflow_blueprints", 1)?[0],
            false => blueprint.id,
        };
        let sql = format!(
            "insert into workflow_blueprints ({BLUEPRINT}) values {} on conflict (id) do update set \
             name = excluded.name, description = excluded.description, timestamp = excluded.timestamp, \
             is_default = excluded.is_default, data = excluded.data",
            list::places(1, 7)
        );
        let args = [
            id.into(),
            (&blueprint.uuid).into(),
            (&blueprint.name).into(),
            (&blueprint.description).into(),
            blueprint.timestamp.into(),
            blueprint.is_default.into(),
            (&blueprint.data).into(),
        ];
        self.conn.execute(&sql, &args)?;
        let action = if new { Action::Add } else { Action::Edit };
        self.changed(Noun::Workflow, action, blueprint.uuid, 0).of(id, &blueprint.name).field(
            "blueprint",
            "",
            &blueprint.name,
        );
        Ok(id)
    }

    pub fn delete_workflow_blueprint(&mut self, blueprint: &WorkflowBlueprint) -> Result<()> {
        self.conn.execute("delete from workflow_blueprints where id = $1", &[blueprint.id.into()])?;
        self.changed(Noun::Workflow, Action::Delete, blueprint.uuid, 0)
            .of(blueprint.id, &blueprint.name)
            .field("blueprint", &blueprint.name, "");
        Ok(())
    }
}
