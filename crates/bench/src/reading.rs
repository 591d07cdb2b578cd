//! The floor of everything that reads: a bare cursor over the server's own rows, written as the same JSON by
//! the same writer. No HTTP, no search language, no visibility, no correlation.

use crate::engine::{Arg, Columns, Engine, Rows};
use anyhow::{Context as _, Result};
use pisax_model::attribute::AttributeView;
use pisax_model::correlation::HashKey;
use pisax_model::event::Event;
use pisax_model::{AttributeType, Category, Uuid};
use pisax_wire::JsonWriter;
use pisax_wire::attribute_out::{
    AttributeContext, EventSummary, OrgSummary, write_event_attribute, write_search_attribute,
};
use pisax_wire::event_out::write_index_row;
use std::collections::HashMap;
use std::io::Write;

const ATTRIBUTE: &str = "a.id, a.uuid, a.event_id, a.object_id, a.object_relation, a.category, a.kind, a.value1, \
 a.value2, a.to_ids, a.timestamp, a.distribution, a.sharing_group_id, a.comment, a.deleted, \
 a.disable_correlation, a.first_seen, a.last_seen";

const EVENT: &str = "e.id, e.uuid, e.org_id, e.orgc_id, e.user_id, e.date, e.info, e.threat_level_id, e.analysis, \
 e.published, e.publish_timestamp, e.timestamp, e.sighting_timestamp, e.attribute_count, e.distribution, \
 e.sharing_group_id, e.locked, e.proposal_email_lock, e.disable_correlation, e.protected";

/// Bytes gathered before they are handed on, as the server does.
const PIECE: usize = 64 * 1024;

fn uuid(bytes: &[u8]) -> Result<Uuid> {
    Uuid::from_slice(bytes).context("a uuid is not 16 bytes")
}

fn attribute<C: Columns>(row: &C) -> Result<AttributeView<'_>> {
    Ok(AttributeView {
        id: row.number(0)?,
        uuid: uuid(row.bytes(1)?)?,
        event_id: row.number(2)?,
        object_id: row.number(3)?,
        object_relation: row.text_or_none(4)?,
        category: Category::from_code(row.small(5)?).context("an unknown category")?,
        kind: AttributeType::from_code(row.small(6)?).context("an unknown type")?,
        value1: row.text(7)?,
        value2: row.text(8)?,
        to_ids: row.small(9)? != 0,
        timestamp: row.number(10)?,
        distribution: row.small(11)?,
        sharing_group_id: row.number(12)?,
        comment: row.text(13)?,
        deleted: row.small(14)? != 0,
        disable_correlation: row.small(15)? != 0,
        first_seen: row.number_or_none(16)?,
        last_seen: row.number_or_none(17)?,
    })
}

fn event<C: Columns>(row: &C) -> Result<Event> {
    Ok(Event {
        id: row.number(0)?,
        uuid: uuid(row.bytes(1)?)?,
        org_id: row.number(2)?,
        orgc_id: row.number(3)?,
        user_id: row.number(4)?,
        date: row.text(5)?.to_owned(),
        info: row.text(6)?.to_owned(),
        threat_level_id: row.small(7)?,
        analysis: row.small(8)?,
        published: row.small(9)? != 0,
        publish_timestamp: row.number(10)?,
        timestamp: row.number(11)?,
        sighting_timestamp: row.number(12)?,
        attribute_count: row.number(13)?,
        distribution: row.small(14)?,
        sharing_group_id: row.number(15)?,
        locked: row.small(16)? != 0,
        proposal_email_lock: row.small(17)? != 0,
        disable_correlation: row.small(18)? != 0,
        extends_uuid: None,
        protected: None,
    })
}

struct Events(HashMap<i64, Event>);

impl Rows for Events {
    fn row<C: Columns>(&mut self, row: &C) -> Result<()> {
        let event = event(row)?;
        self.0.insert(event.id, event);
        Ok(())
    }
}

impl Events {
    fn of(engine: &mut Engine, condition: &str, args: &[Arg<'_>]) -> Result<Self> {
        let mut events = Self(HashMap::new());
        engine.each(&format!("select {EVENT} from events e where {condition}"), args, &mut events)?;
        Ok(events)
    }
}

/// Rows of an attribute search, written as they come.
struct Found<'a> {
    events: &'a Events,
    out: Vec<u8>,
    sink: &'a mut dyn Write,
    rows: u64,
    bytes: u64,
}

impl Rows for Found<'_> {
    fn row<C: Columns>(&mut self, row: &C) -> Result<()> {
        let view = attribute(row)?;
        let event = self.events.0.get(&view.event_id).map(EventSummary::from);
        let mut w = if self.rows == 0 {
            JsonWriter::new(&mut self.out)
        } else {
            JsonWriter::after_member(&mut self.out)
        };
        write_search_attribute(&mut w, &view, &AttributeContext { event, ..AttributeContext::default() });
        self.rows += 1;
        if self.out.len() >= PIECE { self.hand_on() } else { Ok(()) }
    }
}

impl Found<'_> {
    fn hand_on(&mut self) -> Result<()> {
        self.bytes += self.out.len() as u64;
        self.sink.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }
}

fn search(
    engine: &mut Engine,
    events: &Events,
    from: &str,
    args: &[Arg<'_>],
    sink: &mut dyn Write,
) -> Result<(u64, u64)> {
    let out = br#"{"response":{"Attribute":["#.to_vec();
    let mut found = Found { events, out, sink, rows: 0, bytes: 0 };
    engine.each(
        &format!("select {ATTRIBUTE} from {from} and a.deleted = 0 order by a.id"),
        args,
        &mut found,
    )?;
    found.out.extend_from_slice(b"]}}");
    found.hand_on()?;
    Ok((found.rows, found.bytes))
}

/// Every attribute as a search without filter answers; gives rows and bytes.
pub fn everything(engine: &mut Engine, sink: &mut dyn Write) -> Result<(u64, u64)> {
    let events = Events::of(engine, "1 = 1", &[])?;
    search(engine, &events, "attributes a where 1 = 1", &[], sink)
}

/// The key the server hashes values with.
pub fn hash_key(engine: &mut Engine) -> Result<HashKey> {
    let text = engine.texts("select value from settings where name = 'instance.hash_key'")?;
    let text = text.first().context("the server keeps no instance.hash_key")?;
    let number = u128::from_str_radix(text, 16).context("instance.hash_key")?;
    Ok(HashKey((number >> 64) as u64, number as u64))
}

/// The attributes with a value of this hash, as a search for the value answers.
pub fn by_value(engine: &mut Engine, hash: i64, sink: &mut dyn Write) -> Result<u64> {
    let args = [Arg::Number(hash)];
    let events = Events::of(engine, "e.id in (select event_id from postings where hash = $1)", &args)?;
    let from = "postings p join attributes a on a.id = p.attribute_id where p.hash = $1";
    Ok(search(engine, &events, from, &args, sink)?.0)
}

/// Rows into a document that is kept whole.
struct Document<'a, F> {
    out: &'a mut Vec<u8>,
    rows: u64,
    write: F,
}

/// Writes one row into a document.
trait Writing {
    fn write<C: Columns>(&mut self, w: &mut JsonWriter<'_>, row: &C) -> Result<()>;
}

impl<F: Writing> Rows for Document<'_, F> {
    fn row<C: Columns>(&mut self, row: &C) -> Result<()> {
        let mut w =
            if self.rows == 0 { JsonWriter::new(self.out) } else { JsonWriter::after_member(self.out) };
        self.rows += 1;
        self.write.write(&mut w, row)
    }
}

struct EventAttributes;

impl Writing for EventAttributes {
    fn write<C: Columns>(&mut self, w: &mut JsonWriter<'_>, row: &C) -> Result<()> {
        write_event_attribute(w, &attribute(row)?, &AttributeContext::default());
        Ok(())
    }
}

/// The attributes of an event, as its view has them.
pub fn event_view(engine: &mut Engine, event: &Uuid, out: &mut Vec<u8>) -> Result<u64> {
    out.extend_from_slice(br#"{"Event":{"Attribute":["#);
    let sql = format!(
        "select {ATTRIBUTE} from attributes a where a.event_id = (select id from events where uuid = $1) \
         and a.deleted = 0 order by a.id"
    );
    let mut document = Document { out, rows: 0, write: EventAttributes };
    engine.each(&sql, &[Arg::Bytes(event.as_bytes())], &mut document)?;
    let rows = document.rows;
    out.extend_from_slice(b"]}}");
    Ok(rows)
}

struct IndexRow;

impl Writing for IndexRow {
    fn write<C: Columns>(&mut self, w: &mut JsonWriter<'_>, row: &C) -> Result<()> {
        let event = event(row)?;
        let org =
            OrgSummary { id: row.number(20)?, name: row.text(22)?, uuid: uuid(row.bytes(21)?)?, local: true };
        write_index_row(w, &event, org, org, None, &[], b"");
        Ok(())
    }
}

/// A page of the list of events, newest first.
pub fn event_list(engine: &mut Engine, limit: i64, skip: i64, out: &mut Vec<u8>) -> Result<u64> {
    out.push(b'[');
    let sql = format!(
        "select {EVENT}, o.id, o.uuid, o.name from events e join orgs o on o.id = e.orgc_id \
         order by e.id desc limit $1 offset $2"
    );
    let mut document = Document { out, rows: 0, write: IndexRow };
    engine.each(&sql, &[Arg::Number(limit), Arg::Number(skip)], &mut document)?;
    let rows = document.rows;
    out.push(b']');
    Ok(rows)
}

/// Where a floor's bytes go: nowhere, but counted.
pub struct Null;

impl Write for Null {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(std::hint::black_box(bytes).len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::floor::PlainLoop;
    use crate::floor::rows::Numbering;
    use crate::ground::{Ground, trials};
    use crate::material::Series;

    #[test]
    fn what_is_stored_is_read_back_as_json() {
        for mut ground in trials("reading") {
            what_is_stored_is_read_back(&mut ground);
        }
    }

    fn what_is_stored_is_read_back(ground: &mut Ground) {
        let database = ground.database("reading").unwrap();
        let mut floor = PlainLoop::create(&database).unwrap();
        let events = Series::new(11, 50).events(0..3).unwrap();
        let prepared = Numbering::default().prepare(events.clone());
        let hash = prepared[1].keys[7].first;
        floor.insert(&prepared, 1).unwrap();
        let org = events[0].uuid;
        let bytes = match floor.engine() {
            Engine::Sqlite(_) => format!("x'{}'", org.simple()),
            Engine::Postgres(_) => format!("'\\x{}'", org.simple()),
        };
        let sql =
            format!("insert into orgs select 1, {bytes}, 'ORG', '', '', '', '', '', 1, '', '', 0, 0, 0");
        floor.engine().run(&sql).unwrap();
        let mut engine = database.open_to_read().unwrap();

        let mut all = Vec::new();
        let (rows, bytes) = everything(&mut engine, &mut all).unwrap();
        assert_eq!((rows, bytes), (150, all.len() as u64));
        let all: serde_json::Value = serde_json::from_slice(&all).unwrap();
        assert_eq!(all["response"]["Attribute"][149]["value"], events[2].attributes[49].value());
        assert_eq!(all["response"]["Attribute"][0]["Event"]["uuid"], events[0].uuid.to_string());

        let mut found = Vec::new();
        assert!(by_value(&mut engine, hash, &mut found).unwrap() >= 1);
        assert!(String::from_utf8(found).unwrap().contains(&events[1].attributes[7].value1));

        let mut view = Vec::new();
        assert_eq!(event_view(&mut engine, &events[1].uuid, &mut view).unwrap(), 50);
        serde_json::from_slice::<serde_json::Value>(&view).unwrap();

        let mut list = Vec::new();
        assert_eq!(event_list(&mut engine, 2, 0, &mut list).unwrap(), 2);
        let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
        assert_eq!(list[0]["uuid"], events[2].uuid.to_string());
        assert_eq!(list[0]["Orgc"]["uuid"], org.to_string());
    }
}
