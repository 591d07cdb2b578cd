//! Drawings of an event: each organisation has its own.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::event::Event;
use pisax_model::event_graph::EventGraph;

const SELECT: &str = "select g.id, g.event_id, g.user_id, u.email, g.org_id, g.timestamp, g.network_name, \
 g.network_json, g.preview_img from event_graphs g join events e on e.id = g.event_id \
 left join users u on u.id = g.user_id";

fn read(row: &Row<'_>) -> Result<EventGraph> {
    Ok(EventGraph {
        id: row.int(0)?,
        event_id: row.int(1)?,
        user_id: row.int(2)?,
        user_email: row.opt_string(3)?,
        org_id: row.int(4)?,
        timestamp: row.int(5)?,
        network_name: row.opt_string(6)?,
        network_json: row.string(7)?,
        preview_img: row.opt_string(8)?,
    })
}

impl Reader<'_> {
    /// Drawings of a visible event by the actor's organisation, newest first: up to `limit` after as many as
    /// `skip`, or the one with this row number.
    pub fn event_graphs(
        &mut self,
        event: &Event,
        only: Option<i64>,
        skip: i64,
        limit: i64,
    ) -> Result<Vec<EventGraph>> {
        let org = self.actor.org_id;
        let one = only.map_or(String::new(), |id| format!(" and g.id = {id}"));
        let sql = format!(
            "{SELECT} where g.event_id = $1 and g.org_id = $2 and {}{one} order by g.timestamp desc, g.id desc \
             limit $3 offset $4",
            self.sees_event("e")
        );
        self.conn.all(&sql, &[event.id.into(), org.into(), limit.into(), skip.into()], read)
    }

    /// A drawing of a visible event by the actor's organisation; site admins see all.
    pub fn event_graph(&mut self, id: i64) -> Result<Option<EventGraph>> {
        let own = match self.actor.sees_all() {
            true => "1 = 1".to_owned(),
            false => format!("g.org_id = {}", self.actor.org_id),
        };
        let sql = format!("{SELECT} where g.id = $1 and {own} and {}", self.sees_event("e"));
        self.conn.first(&sql, &[id.into()], read)
    }

    /// How many drawings of an event an organisation has.
    pub fn count_event_graphs(&mut self, event_id: i64, org_id: i64) -> Result<i64> {
        let sql = "select count(*) from event_graphs where event_id = $1 and org_id = $2";
        self.conn.number(sql, &[event_id.into(), org_id.into()])
    }
}

impl Writer<'_> {
    /// Keeps a drawing (its `id` is ignored); returns the row number.
    pub fn insert_event_graph(&mut self, graph: &EventGraph) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "event_graphs", 1)?[0];
        let sql = format!(
            "insert into event_graphs (id, event_id, user_id, org_id, timestamp, network_name, network_json, \
             preview_img) values {}",
            list::places(1, 8)
        );
        let args: [Val<'_>; 8] = [
            id.into(),
            graph.event_id.into(),
            graph.user_id.into(),
            graph.org_id.into(),
            graph.timestamp.into(),
            graph.network_name.as_ref().into(),
            (&graph.network_json).into(),
            graph.preview_img.as_ref().into(),
        ];
        self.conn.execute(&sql, &args)?;
        let title = graph.network_name.clone().unwrap_or_default();
        self.changed(Noun::EventGraph, Action::Add, Uuid::nil(), graph.event_id).of(id, &title);
        Ok(id)
    }

    /// Removes a drawing.
    pub fn remove_event_graph(&mut self, graph: &EventGraph) -> Result<()> {
        if self.conn.execute("delete from event_graphs where id = $1", &[graph.id.into()])? == 0 {
            return Err(Error::NotFound("event graph"));
        }
        let title = graph.network_name.clone().unwrap_or_default();
        self.changed(Noun::EventGraph, Action::Delete, Uuid::nil(), graph.event_id).of(graph.id, &title);
        Ok(())
    }
}
