//! How long one answer takes on a database of some size: measured at the client, one connection kept open,
//! one request at a time.

use super::{Bench, Measured, grown::Grown};
use crate::bare::answering;
use crate::client::{ADDED, Client, FOUND, LISTED, Request};
use crate::installation::KEY;
use crate::measure::Samples;
use crate::random::Random;
use crate::reading;
use crate::report::{Figure, Target, Unit};
use anyhow::{Context as _, Result};
use pisax_model::Uuid;

/// Answers that are not counted: statements are prepared and pages read once.
const WARM: usize = 20;

/// A kind of answer: how it is asked for, and how the floor makes it.
struct Kind<'a, F> {
    name: &'static str,
    begins: &'static str,
    limit: f64,
    requests: &'a [Request],
    floor: F,
}

fn ask(client: &mut Client, requests: &[Request], begins: &str) -> Result<(Samples, Vec<u64>)> {
    for request in requests.iter().take(WARM) {
        client.send(request)?.ok("a request", begins)?;
    }
    let (mut samples, mut bytes) = (Samples::default(), Vec::with_capacity(requests.len()));
    for request in requests {
        let answer = client.send(request)?.ok("a request", begins)?;
        samples.push(answer.took);
        bytes.push(answer.bytes);
    }
    Ok((samples, bytes))
}

fn mean(bytes: &[u64]) -> f64 {
    bytes.iter().sum::<u64>() as f64 / bytes.len().max(1) as f64
}

/// Why the server's answers are none: the floor writes the same rows with the same writer, and less around
/// them, so whoever answers less has left rows out.
fn left_out(server: &[u64], floor: &[u64]) -> Option<String> {
    let short = server.iter().zip(floor).filter(|(server, floor)| **server < **floor * 95 / 100).count();
    (short > 0).then(|| format!("{short} of {} answers are shorter than the floor's", server.len()))
}

/// The server first, then the floor: the same requests, the same client, the same rows.
fn compare<F>(grown: &mut Grown, kind: Kind<'_, F>) -> Result<Measured>
where
    F: FnMut(usize, &mut Vec<u8>) -> Result<()> + Send,
{
    let (server, bytes) = ask(&mut grown.server()?.client()?, kind.requests, kind.begins)?;
    let mut answer = kind.floor;
    let count = kind.requests.len();
    let (floor, floor_bytes) = std::thread::scope(|scope| {
        let (address, bare) =
            answering(scope, move |n, out| answer(if n < WARM { n } else { n - WARM } % count, out))?;
        let mut client = Client::connect(address)?;
        let asked = ask(&mut client, kind.requests, kind.begins);
        drop(client);
        let ended = bare.join().ok().context("the floor's thread panicked")?;
        asked.and_then(|asked| ended.map(|()| asked))
    })?;
    let figure = Figure::new(format!("{}, p95", kind.name), Unit::Time, server.quantile(0.95))
        .floor(floor.quantile(0.95))
        .target(Target::Under(kind.limit))
        .note(grown.size())
        .note(server.spread())
        .note(format!("floor {}", floor.spread()))
        .note(format!("{:.1} kB, floor {:.1} kB", mean(&bytes) / 1e3, mean(&floor_bytes) / 1e3))
        .broken(left_out(&bytes, &floor_bytes));
    Ok(Measured {
        figures: vec![figure],
        samples: serde_json::json!({
            "stored": grown.stored(), "server_seconds": server.seconds(), "floor_seconds": floor.seconds(),
            "bytes": bytes, "floor_bytes": floor_bytes,
        }),
    })
}

/// A search for a value that is there; one in ten is shared by several events.
pub fn lookup(bench: &mut Bench<'_>) -> Result<Measured> {
    let lookups = bench.extent.lookups;
    let grown = bench.grown()?;
    let mut random = Random::of(&[super::series::REST, 1]);
    let mut values = Vec::with_capacity(lookups);
    // Fifty values of each event looked at: inventing an event costs more than the look-up.
    while values.len() < lookups {
        let event = grown.large_event(random.below(grown.large_events()))?;
        values.extend((0..50).map(|_| event.attributes[random.below(1_000) as usize].value1.clone()));
    }
    values.truncate(lookups);
    let requests: Vec<Request> = values
        .iter()
        .map(|value| {
            let body = serde_json::json!({"returnFormat": "json", "value": value}).to_string();
            Request::post("/attributes/restSearch", KEY, body.as_bytes())
        })
        .collect();
    let mut engine = grown.database().open_to_read()?;
    let key = reading::hash_key(&mut engine)?;
    let floor = move |n: usize, out: &mut Vec<u8>| {
        let found = reading::by_value(&mut engine, key.of(&values[n]), out)?;
        anyhow::ensure!(found > 0, "{} is not stored", values[n]);
        Ok(())
    };
    compare(grown, Kind { name: "value look-up", begins: FOUND, limit: 0.005, requests: &requests, floor })
}

/// The view of an event of 1,000 attributes, with what correlates.
pub fn view(bench: &mut Bench<'_>) -> Result<Measured> {
    let views = bench.extent.views;
    let grown = bench.grown()?;
    let mut random = Random::of(&[super::series::REST, 2]);
    let uuids = (0..views)
        .map(|_| Ok(grown.large_event(random.below(grown.large_events()))?.uuid))
        .collect::<Result<Vec<Uuid>>>()?;
    let requests: Vec<Request> =
        uuids.iter().map(|uuid| Request::get(&format!("/events/view/{uuid}"), KEY)).collect();
    let mut engine = grown.database().open_to_read()?;
    let floor = move |n: usize, out: &mut Vec<u8>| {
        let found = reading::event_view(&mut engine, &uuids[n], out)?;
        anyhow::ensure!(found == 1_000, "the event has {found} attributes");
        Ok(())
    };
    compare(
        grown,
        Kind {
            name: "event view of 1,000 attributes",
            begins: ADDED,
            limit: 0.030,
            requests: &requests,
            floor,
        },
    )
}

/// A page of the list, and for information the list as a whole.
pub fn list(bench: &mut Bench<'_>) -> Result<Measured> {
    /// Events on a page of MISP's list.
    const PAGE: i64 = 60;
    let views = bench.extent.views;
    let grown = bench.grown()?;
    let pages: Vec<i64> = {
        let mut random = Random::of(&[super::series::REST, 3]);
        (0..views).map(|_| random.below(70) as i64).collect()
    };
    let requests: Vec<Request> = pages
        .iter()
        .map(|page| {
            let path = format!("/events/index/limit:{PAGE}/page:{}/sort:id/direction:desc", page + 1);
            Request::get(&path, KEY)
        })
        .collect();
    let mut engine = grown.database().open_to_read()?;
    let floor = move |n: usize, out: &mut Vec<u8>| {
        reading::event_list(&mut engine, PAGE, pages[n] * PAGE, out).map(|_| ())
    };
    let mut page = compare(
        grown,
        Kind { name: "event list, a page of 60", begins: LISTED, limit: 0.020, requests: &requests, floor },
    )?;

    let requests: Vec<Request> = (0..20).map(|_| Request::get("/events/index", KEY)).collect();
    let mut engine = grown.database().open_to_read()?;
    let floor =
        move |_: usize, out: &mut Vec<u8>| reading::event_list(&mut engine, i64::MAX, 0, out).map(|_| ());
    // The issue says "event list" and not which; both are shown against its limit.
    let whole = compare(
        grown,
        Kind { name: "event list, all events", begins: LISTED, limit: 0.020, requests: &requests, floor },
    )?;
    page.figures.extend(whole.figures);
    page.samples = serde_json::json!({"page": page.samples, "whole": whole.samples});
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_leave_rows_out_are_noticed() {
        assert_eq!(left_out(&[100, 350], &[100, 300]), None);
        assert_eq!(left_out(&[72, 350], &[100, 300]).unwrap(), "1 of 2 answers are shorter than the floor's");
    }
}
