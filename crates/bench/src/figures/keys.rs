//! What checking an API key costs: a request that is answered from memory after its key was checked, beside one
//! that has none to check.

use super::{Bench, Measured};
use crate::client::Request;
use crate::installation::KEY;
use crate::measure::Samples;
use crate::report::{Figure, Target, Unit};
use anyhow::Result;
use pisax_auth::key::KeyHasher;
use std::hint::black_box;
use std::time::Instant;

/// Requests that are not counted.
const WARM: usize = 50;
/// Hashes of the floor.
const HASHES: u32 = 200_000;
/// A real MISP spends 64 ms on each key (bcrypt).
const MISP: f64 = 0.064;

/// Requests with and without a key take turns, so that both see the same machine.
pub fn measure(bench: &mut Bench<'_>) -> Result<Measured> {
    let count = bench.extent.lookups;
    let installation = bench.ground.installation("keys", None)?;
    let server = installation.serve()?;
    let mut client = server.client()?;
    let with = Request::get("/servers/getVersion", KEY);
    let without = Request::get("/healthz", KEY);
    let (mut checked, mut bare) = (Samples::default(), Samples::default());
    for n in 0..WARM + count {
        let one = client.send(&with)?.ok("a request with a key", r#"{"version":"#)?;
        let other = client.send(&without)?.ok("a request without", "ok")?;
        if n >= WARM {
            checked.push(one.took);
            bare.push(other.took);
        }
    }
    drop(client);
    server.stop()?;
    bench.ground.clear(installation.database());
    let hasher = KeyHasher::new([7; 32]);
    let begun = Instant::now();
    for _ in 0..HASHES {
        black_box(hasher.hash(black_box(KEY)));
    }
    let floor = begun.elapsed().as_secs_f64() / f64::from(HASHES);
    let cost = (checked.median() - bare.median()).max(0.0);
    let figure = Figure::new("key authentication", Unit::Time, cost)
        .floor(floor)
        .target(Target::Under(MISP / 60.0))
        .note(format!("{:.0} µs; the keyed hash alone {:.2} µs", cost * 1e6, floor * 1e6))
        .note("a request with a key less one without, so the way to its handler is in it")
        .note(format!("with: {}", checked.spread()))
        .note(format!("without: {}", bare.spread()));
    Ok(Measured {
        figures: vec![figure],
        samples: serde_json::json!({
            "with_seconds": checked.seconds(), "without_seconds": bare.seconds(), "hash_seconds": floor,
        }),
    })
}
