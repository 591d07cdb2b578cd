//! Sixteen clients at once on 5,000 events: the list and searches for values, beside an empty handler that the
//! same clients ask as often.

use super::{Bench, Measured, send_all, series};
use crate::client::{ADDED, FOUND, LISTED, Request};
use crate::installation::{KEY, Server};
use crate::material::Series;
use crate::measure::Samples;
use crate::random::Random;
use crate::report::{Figure, Unit};
use anyhow::Result;

const CLIENTS: usize = 16;
const EVENTS: u64 = 5_000;
const ATTRIBUTES: usize = 10;
/// Events on a page of the list.
const PAGE: u64 = 60;

/// Requests in a second, and how long each took.
fn ask(server: &Server, requests: &[Request], begins: &str) -> Result<(f64, Samples)> {
    let (took, answers) = send_all(server, requests, begins, CLIENTS)?;
    let times = answers.iter().map(|answer| answer.took).collect();
    Ok((answers.len() as f64 / took.as_secs_f64(), times))
}

pub fn measure(bench: &mut Bench<'_>) -> Result<Measured> {
    let count = bench.extent.lookups;
    let installation = bench.ground.installation("crowd", None)?;
    let server = installation.serve()?;
    let series = Series::new(series::CROWD, ATTRIBUTES);
    let (mut added, mut values) = (Vec::new(), Vec::new());
    for event in series.events(0..EVENTS)? {
        added.push(Request::post("/events/add", KEY, &event.json()));
        values.extend(event.attributes.into_iter().take(1).map(|attribute| attribute.value1));
    }
    send_all(&server, &added, ADDED, 8)?;
    drop(added);

    let mut random = Random::of(&[series::CROWD, 1]);
    let lists: Vec<Request> = (0..count)
        .map(|_| {
            let page = random.below(EVENTS / PAGE) + 1;
            Request::get(&format!("/events/index/limit:{PAGE}/page:{page}"), KEY)
        })
        .collect();
    let searches: Vec<Request> = (0..count)
        .map(|_| {
            let value = &values[random.below(values.len() as u64) as usize];
            let body = serde_json::json!({"returnFormat": "json", "value": value}).to_string();
            Request::post("/attributes/restSearch", KEY, body.as_bytes())
        })
        .collect();
    let empty: Vec<Request> = (0..count).map(|_| Request::get("/healthz", KEY)).collect();
    ask(&server, &lists[..count.min(100)], LISTED)?;
    ask(&server, &searches[..count.min(100)], FOUND)?;
    let (floor, floor_times) = ask(&server, &empty, "ok")?;
    let mut figures = Vec::new();
    let mut kept = serde_json::Map::new();
    for (name, requests, begins) in
        [("event list, 16 clients", &lists, LISTED), ("value search, 16 clients", &searches, FOUND)]
    {
        let (rate, times) = ask(&server, requests, begins)?;
        figures.push(
            Figure::new(name, Unit::PerSecond, rate)
                .floor(floor)
                .note(format!("{EVENTS} events of {ATTRIBUTES} attributes; {}", times.spread()))
                .note(format!("the floor is /healthz: {}", floor_times.spread())),
        );
        kept.insert(name.to_owned(), serde_json::json!(times.seconds()));
    }
    server.stop()?;
    bench.ground.clear(installation.database());
    kept.insert("empty handler".to_owned(), serde_json::json!(floor_times.seconds()));
    Ok(Measured { figures, samples: kept.into() })
}
