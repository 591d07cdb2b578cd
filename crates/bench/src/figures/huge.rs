//! One event of 100,000 attributes: taken whole, in bounded memory.

use super::{Bench, Measured, series, stored};
use crate::client::{ADDED, Request};
use crate::floor::PlainLoop;
use crate::floor::rows::Numbering;
use crate::installation::KEY;
use crate::material::Series;
use crate::report::{Figure, MIB, Target, Unit};
use anyhow::Result;

const SIZE: usize = 100_000;

/// A server of its own, so that the peak is this event's.
pub fn measure(bench: &mut Bench<'_>) -> Result<Measured> {
    let event = Series::new(series::HUGE, SIZE).event(0)?;
    let body = event.json();
    let request = Request::post("/events/add", KEY, &body);
    let rows = Numbering::default().prepare(vec![event]);
    let database = bench.ground.database("huge-floor")?;
    let plain = PlainLoop::create(&database)?.insert(&rows, SIZE)?;
    bench.ground.clear(&database);
    drop(rows);

    let installation = bench.ground.installation("huge", None)?;
    let server = installation.serve()?;
    let before = server.memory("VmRSS")?;
    let answer = server.client()?.send(&request)?.ok("the event of 100,000 attributes", ADDED)?;
    let peak = server.memory("VmHWM")?;
    server.stop()?;
    let stored = stored(installation.database())?;
    bench.ground.clear(installation.database());

    let incomplete = (stored != SIZE as i64).then(|| format!("{stored} of {SIZE} attributes are stored"));
    let rate = SIZE as f64 / answer.took.as_secs_f64();
    let words = format!("all stored: {stored}; body {:.0} MB", body.len() as f64 / MIB);
    let figures = vec![
        Figure::new("one event of 100,000: peak memory", Unit::Memory, peak)
            .floor(before)
            .target(Target::Under(400.0 * MIB))
            .note(words)
            .note("its floor is the memory before")
            .broken(incomplete.clone()),
        Figure::new("one event of 100,000: rate", Unit::PerSecond, rate)
            .floor(SIZE as f64 / plain.as_secs_f64())
            .broken(incomplete),
    ];
    Ok(Measured {
        figures,
        samples: serde_json::json!({
            "seconds": answer.took.as_secs_f64(), "floor_seconds": plain.as_secs_f64(), "peak_bytes": peak,
            "before_bytes": before, "stored": stored, "body_bytes": body.len(), "answer_bytes": answer.bytes,
        }),
    })
}
