//! The plain loop on SQLite: prepared statements, row after row.

use super::rows::{self, Keys, Prepared};
use crate::material::Attribute;
use anyhow::Result;
use rusqlite::{Connection, Statement, params};
use std::time::{Duration, Instant};

struct Inserts<'c> {
    event: Statement<'c>,
    attribute: Statement<'c>,
    posting: Statement<'c>,
    address: Statement<'c>,
    network: Statement<'c>,
    change: Statement<'c>,
    begin: Statement<'c>,
    commit: Statement<'c>,
}

impl<'c> Inserts<'c> {
    fn new(conn: &'c Connection) -> Result<Self> {
        let into = |table: &str, columns: &str| {
            let places = rows::places(columns).replace('$', "?");
            conn.prepare(&format!("insert into {table} ({columns}) values ({places})"))
        };
        Ok(Self {
            event: into("events", rows::EVENT)?,
            attribute: into("attributes", rows::ATTRIBUTE)?,
            posting: into("postings", rows::POSTING)?,
            address: into("addresses", rows::ADDRESS)?,
            network: into("networks", rows::ADDRESS)?,
            change: into("changes", rows::CHANGE)?,
            begin: conn.prepare("begin immediate")?,
            commit: conn.prepare("commit")?,
        })
    }

    fn event(&mut self, p: &Prepared) -> Result<()> {
        let event = &p.event;
        let none: Option<&[u8]> = None;
        self.event.execute(params![
            p.event_id,
            event.uuid.as_bytes().as_slice(),
            1,
            1,
            1,
            event.date,
            event.info,
            2,
            1,
            0,
            0,
            event.timestamp,
            0,
            event.attributes.len() as i64,
            1,
            0,
            0,
            0,
            0,
            none,
            none,
        ])?;
        for (id, attribute, keys) in p.attributes() {
            self.attribute(p.event_id, id, attribute, keys)?;
        }
        self.change(1, event.timestamp, event.uuid.as_bytes(), p.event_id)
    }

    fn attribute(&mut self, event_id: i64, id: i64, a: &Attribute, keys: &Keys) -> Result<()> {
        let none: Option<i64> = None;
        self.attribute.execute(params![
            id,
            a.uuid.as_bytes().as_slice(),
            event_id,
            0,
            none,
            a.category.code(),
            a.kind.code(),
            a.value1,
            a.value2,
            keys.first,
            keys.second,
            keys.correlates,
            1,
            a.timestamp,
            5,
            0,
            a.comment,
            0,
            0,
            none,
            none,
        ])?;
        for (hash, correlates) in keys.postings() {
            self.posting.execute(params![hash, event_id, id, correlates])?;
        }
        if let Some(net) = &keys.net {
            self.address.execute(params![net.first.as_slice(), net.len, event_id, id])?;
            if net.len < 128 {
                self.network.execute(params![net.first.as_slice(), net.len, event_id, id])?;
            }
        }
        Ok(())
    }

    fn change(&mut self, noun: i64, at: i64, uuid: &[u8; 16], event_id: i64) -> Result<()> {
        let reason: Option<&str> = None;
        self.change.execute(params![at, noun, 1, uuid.as_slice(), event_id, 1, 1, reason])?;
        Ok(())
    }
}

/// Inserts whole events, committing whenever this many attributes are waiting.
pub fn events(conn: &Connection, events: &[Prepared], attributes_per_commit: usize) -> Result<Duration> {
    let mut insert = Inserts::new(conn)?;
    let begun = Instant::now();
    let mut waiting = None;
    for prepared in events {
        if waiting.is_none() {
            insert.begin.execute([])?;
        }
        insert.event(prepared)?;
        let count = waiting.unwrap_or(0) + prepared.event.attributes.len();
        waiting = (count < attributes_per_commit).then_some(count);
        if waiting.is_none() {
            insert.commit.execute([])?;
        }
    }
    if waiting.is_some() {
        insert.commit.execute([])?;
    }
    Ok(begun.elapsed())
}

/// Adds attributes to events that are there, one commit each; the event is touched as the server does.
pub fn singles(conn: &Connection, additions: &[Prepared]) -> Result<Duration> {
    let mut insert = Inserts::new(conn)?;
    let mut touch = conn.prepare(
        "update events set timestamp = ?2, published = 0, attribute_count = attribute_count + 1 where id = ?1",
    )?;
    let begun = Instant::now();
    for prepared in additions {
        for (id, attribute, keys) in prepared.attributes() {
            insert.begin.execute([])?;
            insert.attribute(prepared.event_id, id, attribute, keys)?;
            touch.execute(params![prepared.event_id, attribute.timestamp])?;
            insert.change(2, attribute.timestamp, attribute.uuid.as_bytes(), prepared.event_id)?;
            insert.commit.execute([])?;
        }
    }
    Ok(begun.elapsed())
}
