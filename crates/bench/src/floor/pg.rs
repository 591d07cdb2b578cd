//! The plain loop on PostgreSQL: one COPY per table and commit, which is the fastest way in (rust-anchors 4.2).

use super::rows::{self, Prepared};
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

/// The attributes with their postings and addresses.
fn attributes(transaction: &mut Transaction<'_>, p: &Prepared) -> Result<()> {
    let (object, group, distribution, yes, no): (i64, i64, i16, i16, i16) = (0, 0, 5, 1, 0);
    let (relation, seen): (Option<&str>, Option<i64>) = (None, None);
    copy(transaction, "attributes", rows::ATTRIBUTE, &ATTRIBUTE, |writer| {
        for (id, a, keys) in p.attributes() {
            let uuid = a.uuid.as_bytes().as_slice();
            let [category, kind, correlates] =
                [a.category.code(), a.kind.code(), keys.correlates].map(|c| c as i16);
            let row: Row<'_> = vec![
                &id,
                &uuid,
                &p.event_id,
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
            ];
            writer.write(&row)?;
        }
        Ok(())
    })?;
    copy(transaction, "postings", rows::POSTING, &POSTING, |writer| {
        for (id, _, keys) in p.attributes() {
            for (hash, correlates) in keys.postings() {
                writer.write(&[&hash, &p.event_id, &id, &(correlates as i16)])?;
            }
        }
        Ok(())
    })?;
    for (table, longest) in [("addresses", 128), ("networks", 127)] {
        let nets =
            || p.attributes().filter_map(|(id, _, k)| Some((id, k.net.filter(|net| net.len <= longest)?)));
        if nets().next().is_none() {
            continue;
        }
        copy(transaction, table, rows::ADDRESS, &ADDRESS, |writer| {
            for (id, net) in nets() {
                writer.write(&[&net.first.as_slice(), &i16::from(net.len), &p.event_id, &id])?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn change(transaction: &mut Transaction<'_>, noun: i16, p: &Prepared, at: i64, uuid: &[u8]) -> Result<()> {
    let (added, org, user, reason): (i16, i64, i64, Option<&str>) = (1, 1, 1, None);
    copy(transaction, "changes", rows::CHANGE, &CHANGE, |writer| {
        Ok(writer.write(&[&at, &noun, &added, &uuid, &p.event_id, &org, &user, &reason])?)
    })
}

fn event(transaction: &mut Transaction<'_>, p: &Prepared) -> Result<()> {
    let (one, zero, count): (i64, i64, i64) = (1, 0, p.event.attributes.len() as i64);
    let (level, analysis, distribution, no): (i16, i16, i16, i16) = (2, 1, 1, 0);
    let (extends, protected): (Option<&[u8]>, Option<i16>) = (None, None);
    let uuid = p.event.uuid.as_bytes().as_slice();
    copy(transaction, "events", rows::EVENT, &EVENT, |writer| {
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
        Ok(writer.write(&row)?)
    })?;
    attributes(transaction, p)?;
    change(transaction, 1, p, p.event.timestamp, uuid)
}

/// Inserts whole events, committing whenever this many attributes are waiting.
pub fn events(client: &mut Client, events: &[Prepared], attributes_per_commit: usize) -> Result<Duration> {
    let begun = Instant::now();
    let mut left = events;
    while !left.is_empty() {
        let mut transaction = client.transaction()?;
        let mut waiting = 0;
        while let Some((first, rest)) = left.split_first() {
            event(&mut transaction, first)?;
            left = rest;
            waiting += first.event.attributes.len();
            if waiting >= attributes_per_commit {
                break;
            }
        }
        transaction.commit()?;
    }
    Ok(begun.elapsed())
}

/// Adds attributes to events that are there, one commit each; the event is touched as the server does.
pub fn singles(client: &mut Client, additions: &[Prepared]) -> Result<Duration> {
    let touch = client.prepare(
        "update events set timestamp = $2, published = 0, attribute_count = attribute_count + 1 where id = $1",
    )?;
    let begun = Instant::now();
    for p in additions {
        let mut transaction = client.transaction()?;
        attributes(&mut transaction, p)?;
        transaction.execute(&touch, &[&p.event_id, &p.event.timestamp])?;
        for attribute in &p.event.attributes {
            change(&mut transaction, 2, p, attribute.timestamp, attribute.uuid.as_bytes())?;
        }
        transaction.commit()?;
    }
    Ok(begun.elapsed())
}
