//! The plain loop on PostgreSQL: one COPY per table and commit, which is the fastest way in (rust-anchors
//! 4.2); for single rows prepared statements, which need fewer turns.

use super::rows::{self, Keys, Prepared};
use crate::material::Attribute;
use anyhow::Result;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::{ToSql, Type};
use postgres::{Client, Transaction};
use std::time::{Duration, Instant};

type Row<'a> = Vec<&'a (dyn ToSql + Sync)>;

/// The columns of each table that COPY is told, in the order of [`rows`].
const EVENT: [Type; 21] = [
    Type::INT8,
    Type::BYTEA,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
    Type::INT2,
    Type::INT2,
    Type::INT2,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT2,
    Type::INT8,
    Type::INT2,
    Type::INT2,
    Type::INT2,
    Type::BYTEA,
    Type::INT2,
];
const ATTRIBUTE: [Type; 21] = [
    Type::INT8,
    Type::BYTEA,
    Type::INT8,
    Type::INT8,
    Type::TEXT,
    Type::INT2,
    Type::INT2,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::INT2,
    Type::INT2,
    Type::INT8,
    Type::INT2,
    Type::INT8,
    Type::TEXT,
    Type::INT2,
    Type::INT2,
    Type::INT8,
    Type::INT8,
];
const POSTING: [Type; 4] = [Type::INT8, Type::INT8, Type::INT8, Type::INT2];
const ADDRESS: [Type; 4] = [Type::BYTEA, Type::INT2, Type::INT8, Type::INT8];
const CHANGE: [Type; 8] =
    [Type::INT8, Type::INT2, Type::INT2, Type::BYTEA, Type::INT8, Type::INT8, Type::INT8, Type::TEXT];

/// Writes one table's rows.
fn copy<'c, 't>(
    transaction: &'t mut Transaction<'c>,
    table: &str,
    columns: &str,
    types: &[Type],
    fill: impl FnOnce(&mut BinaryCopyInWriter<'t>) -> Result<()>,
) -> Result<()> {
    let sink = transaction.copy_in(&format!("copy {table} ({columns}) from stdin binary"))?;
    let mut writer = BinaryCopyInWriter::new(sink, types);
    fill(&mut writer)?;
    writer.finish()?;
    Ok(())
}

/// The numbers and codes that every row of an attribute has alike.
struct Fixed {
    object: i64,
    group: i64,
    distribution: i16,
    yes: i16,
    no: i16,
    relation: Option<&'static str>,
    seen: Option<i64>,
}

const FIXED: Fixed =
    Fixed { object: 0, group: 0, distribution: 5, yes: 1, no: 0, relation: None, seen: None };

/// Hands the columns of an attribute's row to `take`.
fn attribute_row<T>(
    event_id: i64,
    id: i64,
    a: &Attribute,
    keys: &Keys,
    take: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<T> {
    let uuid = a.uuid.as_bytes().as_slice();
    let [category, kind, correlates] = [a.category.code(), a.kind.code(), keys.correlates].map(|c| c as i16);
    let Fixed { object, group, distribution, yes, no, relation, seen } = FIXED;
    take(&vec![
        &id,
        &uuid,
        &event_id,
        &object,
        &relation,
        &category,
        &kind,
        &a.value1,
        &a.value2,
        &keys.first,
        &keys.second,
        &correlates,
        &yes,
        &a.timestamp,
        &distribution,
        &group,
        &a.comment,
        &no,
        &no,
        &seen,
        &seen,
    ])
}

/// The attributes of these events with their postings and addresses.
fn attributes(transaction: &mut Transaction<'_>, events: &[Prepared]) -> Result<()> {
    let all =
        || events.iter().flat_map(|p| p.attributes().map(move |(id, a, keys)| (p.event_id, id, a, keys)));
    copy(transaction, "attributes", rows::ATTRIBUTE, &ATTRIBUTE, |writer| {
        for (event_id, id, a, keys) in all() {
            attribute_row(event_id, id, a, keys, |row| Ok(writer.write(row)?))?;
        }
        Ok(())
    })?;
    copy(transaction, "postings", rows::POSTING, &POSTING, |writer| {
        for (event_id, id, _, keys) in all() {
            for (hash, correlates) in keys.postings() {
                writer.write(&[&hash, &event_id, &id, &(correlates as i16)])?;
            }
        }
        Ok(())
    })?;
    for (table, longest) in [("addresses", 128), ("networks", 127)] {
        let nets = || {
            all().filter_map(|(event_id, id, _, keys)| {
                Some((event_id, id, keys.net.filter(|net| net.len <= longest)?))
            })
        };
        if nets().next().is_none() {
            continue;
        }
        copy(transaction, table, rows::ADDRESS, &ADDRESS, |writer| {
            for (event_id, id, net) in nets() {
                writer.write(&[&net.first.as_slice(), &i16::from(net.len), &event_id, &id])?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// What one commit holds: these events whole.
fn whole(transaction: &mut Transaction<'_>, events: &[Prepared]) -> Result<()> {
    let (one, zero): (i64, i64) = (1, 0);
    let (level, analysis, distribution, no): (i16, i16, i16, i16) = (2, 1, 1, 0);
    let (extends, protected): (Option<&[u8]>, Option<i16>) = (None, None);
    copy(transaction, "events", rows::EVENT, &EVENT, |writer| {
        for p in events {
            let uuid = p.event.uuid.as_bytes().as_slice();
            let count = p.event.attributes.len() as i64;
            let row: Row<'_> = vec![
                &p.event_id,
                &uuid,
                &one,
                &one,
                &one,
                &p.event.date,
                &p.event.info,
                &level,
                &analysis,
                &no,
                &zero,
                &p.event.timestamp,
                &zero,
                &count,
                &distribution,
                &zero,
                &no,
                &no,
                &no,
                &extends,
                &protected,
            ];
            writer.write(&row)?;
        }
        Ok(())
    })?;
    attributes(transaction, events)?;
    copy(transaction, "changes", rows::CHANGE, &CHANGE, |writer| {
        for p in events {
            let uuid = p.event.uuid.as_bytes().as_slice();
            change_row(EVENT_NOUN, p.event.timestamp, uuid, p.event_id, |row| Ok(writer.write(row)?))?;
        }
        Ok(())
    })
}

/// The change log's codes of what changed (`Noun` in the store's `changes.rs`).
const EVENT_NOUN: i16 = 1;
const ATTRIBUTE_NOUN: i16 = 2;

fn change_row<T>(
    noun: i16,
    at: i64,
    uuid: &[u8],
    event_id: i64,
    take: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<T> {
    let (added, org, user, reason): (i16, i64, i64, Option<&str>) = (1, 1, 1, None);
    take(&vec![&at, &noun, &added, &uuid, &event_id, &org, &user, &reason])
}

/// Inserts whole events, committing whenever this many attributes are waiting.
pub fn events(client: &mut Client, events: &[Prepared], attributes_per_commit: usize) -> Result<Duration> {
    let begun = Instant::now();
    let mut left = events;
    while !left.is_empty() {
        let mut waiting = 0;
        let full = left.iter().position(|p| {
            waiting += p.event.attributes.len();
            waiting >= attributes_per_commit
        });
        let (group, rest) = left.split_at(full.map_or(left.len(), |last| last + 1));
        let mut transaction = client.transaction()?;
        whole(&mut transaction, group)?;
        transaction.commit()?;
        left = rest;
    }
    Ok(begun.elapsed())
}

/// Adds attributes to events that are there, one commit each; the event is touched as the server does.
pub fn singles(client: &mut Client, additions: &[Prepared]) -> Result<Duration> {
    let mut into = |table: &str, columns: &str| {
        client.prepare(&format!("insert into {table} ({columns}) values ({})", rows::places(columns)))
    };
    let insert = into("attributes", rows::ATTRIBUTE)?;
    let posting = into("postings", rows::POSTING)?;
    let address = into("addresses", rows::ADDRESS)?;
    let network = into("networks", rows::ADDRESS)?;
    let change = into("changes", rows::CHANGE)?;
    let touch = client.prepare(
        "update events set timestamp = $2, published = 0, attribute_count = attribute_count + 1 where id = $1",
    )?;
    let begun = Instant::now();
    for p in additions {
        for (id, a, keys) in p.attributes() {
            let mut transaction = client.transaction()?;
            attribute_row(p.event_id, id, a, keys, |row| Ok(transaction.execute(&insert, row)?))?;
            for (hash, correlates) in keys.postings() {
                transaction.execute(&posting, &[&hash, &p.event_id, &id, &(correlates as i16)])?;
            }
            if let Some(net) = &keys.net {
                let (first, len) = (net.first.as_slice(), i16::from(net.len));
                let row: Row<'_> = vec![&first, &len, &p.event_id, &id];
                transaction.execute(&address, &row)?;
                if net.len < 128 {
                    transaction.execute(&network, &row)?;
                }
            }
            transaction.execute(&touch, &[&p.event_id, &a.timestamp])?;
            let uuid = a.uuid.as_bytes().as_slice();
            change_row(ATTRIBUTE_NOUN, a.timestamp, uuid, p.event_id, |row| {
                Ok(transaction.execute(&change, row)?)
            })?;
            transaction.commit()?;
        }
    }
    Ok(begun.elapsed())
}
