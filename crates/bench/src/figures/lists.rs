//! Values checked against every published warninglist: in batches over HTTP, beside the same look-ups in process.

use super::{Bench, Measured, knowledge, series};
use crate::client::Request;
use crate::installation::KEY;
use crate::material::Series;
use crate::measure::Samples;
use crate::report::{Figure, MIB, Unit};
use anyhow::{Context as _, Result, anyhow, bail};
use pisax_formats::knowledge::{Item, read};
use pisax_lookup::{Builder, List, Warninglists};
use std::convert::Infallible;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Instant;

/// Values in one request.
const BATCH: usize = 10_000;
/// One value in so many is an entry of a list.
const HIT: usize = 100;

/// Every list of the packages, and an entry of each now and then.
fn load(folder: &Path) -> Result<(Warninglists, Vec<String>, usize)> {
    let (mut builder, mut entries, mut count) = (Builder::default(), Vec::new(), 0usize);
    let mut number = 0;
    let done = read::<Infallible>(folder, &mut |item| {
        let Item::Warninglist(list) = item else { return Ok(()) };
        number += 1;
        let head = List {
            id: number,
            name: list.name,
            category: list.category,
            kind: list.kind,
            matching: list.matching_attributes,
        };
        if builder.list(head) {
            for entry in list.list.iter() {
                builder.entry(entry);
                if count.is_multiple_of(97) && !entry.contains('/') {
                    entries.push(entry.to_owned());
                }
                count += 1;
            }
        }
        Ok(())
    });
    done.map_err(|error| anyhow!("{error}"))?;
    Ok((builder.finish().0, entries, count))
}

/// Values as events have them, a few of them on lists.
fn values(count: usize, entries: &[String]) -> Result<Vec<String>> {
    let series = Series::new(series::LISTS, BATCH);
    let mut values = Vec::with_capacity(count);
    for place in 0..count.div_ceil(BATCH) as u64 {
        values.extend(series.event(place)?.attributes.iter().map(|attribute| attribute.value1.clone()));
    }
    values.truncate(count);
    for (n, entry) in (0..count).step_by(HIT).zip(entries.iter().cycle()) {
        values[n].clone_from(entry);
    }
    Ok(values)
}

/// The server first, then the floor: the same values against the same lists.
pub fn measure(bench: &mut Bench<'_>) -> Result<Measured> {
    let Some(folder) = knowledge() else {
        bail!("no warninglists: set PISAX_KNOWLEDGE or run make knowledge")
    };
    let (lists, entries, entry_count) = load(&folder)?;
    let values = values(bench.extent.checks, &entries)?;
    let installation = bench.ground.installation("lists", Some(&folder))?;
    installation.run(&[OsStr::new("knowledge"), OsStr::new("import"), folder.as_os_str()])?;
    let server = installation.serve()?;
    let mut client = server.client()?;
    let all = br#"{"name":"%","enabled":1}"#;
    client
        .send(&Request::post("/warninglists/toggleEnable", KEY, all))?
        .ok("enabling the lists", r#"{"saved":true"#)?;
    let requests: Vec<Request> = values
        .chunks(BATCH)
        .map(|batch| {
            let body = serde_json::to_vec(batch).context("values are texts")?;
            Ok(Request::post("/warninglists/checkValue", KEY, &body))
        })
        .collect::<Result<_>>()?;
    let mut samples = Samples::default();
    let mut bytes = 0;
    for request in &requests {
        let answer = client.send(request)?.ok("a check", "{")?;
        samples.push(answer.took);
        bytes += answer.bytes;
    }
    drop(client);
    server.stop()?;
    bench.ground.clear(installation.database());

    let begun = Instant::now();
    let hits: usize = values.iter().map(|value| lists.check(value).len()).sum();
    let floor = begun.elapsed().as_secs_f64();
    let count = values.len() as f64;
    let took: f64 = samples.seconds().iter().sum();
    let few = (bytes as usize) < hits * 20;
    let figure = Figure::new("warninglist check over HTTP", Unit::PerSecond, count / took)
        .floor(count / floor)
        .note(format!("{} values in batches of {BATCH}, one client", values.len()))
        .note(format!(
            "{} lists, {entry_count} entries in {:.1} MB",
            lists.lists().len(),
            lists.heap_bytes() as f64 / MIB
        ))
        .note(format!("the floor is the look-ups alone, {:.0} ns each, {hits} hits", floor / count * 1e9))
        .broken(few.then(|| "the answers are shorter than the hits they should tell of".to_owned()));
    Ok(Measured {
        figures: vec![figure],
        samples: serde_json::json!({
            "batch_seconds": samples.seconds(), "floor_seconds": floor, "values": values.len(), "hits": hits,
        }),
    })
}
