//! The floor of everything that writes: a plain loop over the driver that puts the same rows into the same
//! tables with the same indexes, on the same disk, with the same commits. No HTTP, no JSON, no validation.

pub mod rows;
pub mod schema;

mod pg;
mod sqlite;

use crate::engine::{Database, Engine};
use anyhow::Result;
use rows::Prepared;
use std::time::Duration;

/// A database of the floor.
pub struct PlainLoop {
    engine: Engine,
}

impl PlainLoop {
    /// An empty one, with the server's tables.
    pub fn create(database: &Database) -> Result<Self> {
        let mut engine = database.open()?;
        let sqlite = matches!(engine, Engine::Sqlite(_));
        engine.run(&format!("begin; {} commit", schema::statements(sqlite)))?;
        Ok(Self { engine })
    }

    /// Inserts whole events, committing whenever this many attributes are waiting.
    pub fn insert(&mut self, events: &[Prepared], attributes_per_commit: usize) -> Result<Duration> {
        match &mut self.engine {
            Engine::Sqlite(conn) => sqlite::events(conn, events, attributes_per_commit),
            Engine::Postgres(client) => pg::events(client, events, attributes_per_commit),
        }
    }

    /// Adds single attributes to events that are there, one commit each.
    pub fn add_singly(&mut self, additions: &[Prepared]) -> Result<Duration> {
        match &mut self.engine {
            Engine::Sqlite(conn) => sqlite::singles(conn, additions),
            Engine::Postgres(client) => pg::singles(client, additions),
        }
    }

    /// The database, to look at.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::{Ground, trials};
    use crate::material::{Event, Series};
    use rows::Numbering;

    #[test]
    fn every_row_of_an_event_is_there_once() {
        for mut ground in trials("floor") {
            every_row_is_there_once(&mut ground);
        }
    }

    fn every_row_is_there_once(ground: &mut Ground) {
        let database = ground.database("one-floor").unwrap();
        let mut floor = PlainLoop::create(&database).unwrap();
        let mut numbering = Numbering::default();
        let mut events = Series::new(9, 100).events(0..6).unwrap();
        let added =
            events.pop().map(|event| Event { attributes: event.attributes[..30].to_vec(), ..event }).unwrap();
        let prepared = numbering.prepare(events);
        floor.insert(&prepared, 250).unwrap();
        let singles: Vec<Prepared> = added
            .attributes
            .iter()
            .map(|a| {
                numbering.inside(1, Event { attributes: vec![a.clone()], uuid: a.uuid, ..added.clone() })
            })
            .collect();
        floor.add_singly(&singles).unwrap();

        let keys = || prepared.iter().chain(&singles).flat_map(|p| &p.keys);
        let composites = keys().filter(|k| k.second.is_some()).count() as i64;
        let addresses = keys().filter(|k| k.net.is_some()).count() as i64;
        assert!(composites > 0 && addresses > 0);
        assert_eq!(
            schema::rows(floor.engine()).unwrap(),
            [
                ("events", 5),
                ("attributes", 530),
                ("postings", 530 + composites),
                ("addresses", addresses),
                ("networks", 0),
                ("changes", 35),
            ]
        );
        assert_eq!(floor.engine().count("select attribute_count from events where id = 1").unwrap(), 130);
        let mut again = PlainLoop::create(&ground.database("again").unwrap()).unwrap();
        schema::same(floor.engine(), again.engine()).unwrap();
        drop((floor, again));
        ground.clear(&database);
    }
}
