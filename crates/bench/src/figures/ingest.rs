//! Events of 1,000 attributes over HTTP: validated, correlated, durable before they are answered.

use super::{Bench, Measured, difference, send_all, series};
use crate::client::{ADDED, Request};
use crate::floor::PlainLoop;
use crate::floor::rows::{Numbering, Prepared};
use crate::installation::KEY;
use crate::material::Series;
use crate::measure::{Samples, compared, processor};
use crate::report::{Figure, Target, Unit};
use anyhow::Result;

const SIZE: usize = 1_000;

/// How the events are sent.
struct Way {
    name: &'static str,
    path: &'static str,
    clients: usize,
    least: Option<f64>,
}

const WAYS: [Way; 3] = [
    Way { name: "ingest, 1 client", path: "/events/add", clients: 1, least: Some(15_000.0) },
    Way { name: "ingest, 8 clients", path: "/events/add", clients: 8, least: Some(25_000.0) },
    // Tells what writing the answer costs: it carries no attributes.
    Way { name: "ingest, 1 client, short answers", path: "/events/add/metadata:1", clients: 1, least: None },
];

/// Floor and server take turns, each from an empty database every time.
pub fn measure(bench: &mut Bench<'_>) -> Result<Measured> {
    let events = Series::new(series::INGEST, SIZE).events(0..bench.extent.ingest_events)?;
    let attributes = (events.len() * SIZE) as f64;
    let bodies: Vec<Vec<u8>> = events.iter().map(|event| event.json()).collect();
    let rows = Numbering::default().prepare(events);
    let mut floors = Samples::default();
    let mut plain = Samples::default();
    let mut times = WAYS.map(|_| Samples::default());
    let mut processors = WAYS.map(|_| Samples::default());
    let mut single = Vec::new();
    let mut broken = None;
    for round in 0..bench.extent.rounds {
        if round > 0 && bench.budget.past(0.12) {
            break;
        }
        let (mut floor, database) = floor(bench, &rows, &mut floors, &mut plain)?;
        for ((way, times), used) in WAYS.iter().zip(&mut times).zip(&mut processors) {
            let installation = bench.ground.installation("ingest", None)?;
            let server = installation.serve()?;
            let requests: Vec<Request> =
                bodies.iter().map(|body| Request::post(way.path, KEY, body)).collect();
            let before = server.processor()?;
            let (took, answers) = send_all(&server, &requests, ADDED, way.clients)?;
            used.push_seconds(server.processor()? - before);
            times.push(took);
            single.push(answers.iter().map(|a| a.took.as_secs_f64()).collect::<Vec<_>>());
            server.stop()?;
            broken = broken.or(difference(&installation, &mut floor)?);
            bench.ground.clear(installation.database());
        }
        drop(floor);
        bench.ground.clear(&database);
    }
    let base = attributes / floors.median();
    let sqlite = bench.options.postgres.is_none();
    let figures = WAYS.iter().zip(&times).zip(&processors).map(|((way, times), used)| {
        let figure = Figure::new(way.name, Unit::PerSecond, attributes / times.median())
            .floor(base)
            // PostgreSQL does its part in processes of its own.
            .note(if sqlite { compared(used, &plain) } else { String::new() })
            .broken(broken.clone());
        let Some(least) = way.least else { return figure };
        let figure = figure.target(Target::Ratio(0.6));
        // The issue sets rates for SQLite only.
        if sqlite { figure.target(Target::AtLeast(least)) } else { figure }
    });
    let times_of: Vec<_> = WAYS.iter().zip(&times).map(|(way, t)| (way.name, t.seconds())).collect();
    Ok(Measured {
        figures: figures.collect(),
        samples: serde_json::json!({
            "attributes": attributes, "floor_seconds": floors.seconds(), "server_seconds": times_of,
            "seconds_by_event": single, "floor_processor_seconds": plain.seconds(),
            "server_processor_seconds": processors.iter().map(Samples::seconds).collect::<Vec<_>>(),
        }),
    })
}

fn floor(
    bench: &mut Bench<'_>,
    rows: &[Prepared],
    floors: &mut Samples,
    used: &mut Samples,
) -> Result<(PlainLoop, crate::engine::Database)> {
    let database = bench.ground.database("ingest-floor")?;
    let mut floor = PlainLoop::create(&database)?;
    let before = processor();
    floors.push(floor.insert(rows, SIZE)?);
    used.push_seconds(processor() - before);
    Ok((floor, database))
}
