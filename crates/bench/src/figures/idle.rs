//! A server that was just started on a database of some size: how soon it is ready, what it holds at rest.

use super::{Bench, Measured};
use crate::client::{ADDED, FOUND, Request};
use crate::engine::Engine;
use crate::installation::KEY;
use crate::measure::Samples;
use crate::report::{Figure, MIB, Target, Unit};
use anyhow::Result;

const SEARCH: &[u8] = br#"{"returnFormat":"json","limit":10,"page":1,"enforceWarninglist":1}"#;
/// Starts that are measured.
const STARTS: usize = 3;

/// How much of each library is stored, and what is missing: without all of it the figure is none.
fn knowledge(engine: &mut Engine) -> Result<(String, Option<String>)> {
    let (mut words, mut missing) = (Vec::new(), Vec::new());
    for table in ["object_templates", "taxonomies", "galaxies", "clusters", "warninglists"] {
        let count = engine.count(&format!("select cast(count(*) as bigint) from {table}"))?;
        words.push(format!("{count} {table}"));
        missing.extend((count == 0).then_some(table));
    }
    let hint = "set PISAX_KNOWLEDGE or run make knowledge";
    let missing = (!missing.is_empty()).then(|| format!("no {}: {hint}", missing.join(", no ")));
    Ok((words.join(", "), missing))
}

/// Memory is read after a few requests, so that what is loaded on first use counts.
pub fn measure(bench: &mut Bench<'_>) -> Result<Measured> {
    let grown = bench.grown()?;
    let event = grown.large_event(0)?;
    let requests = [
        (Request::get("/servers/getVersion", KEY), r#"{"version":"#),
        (Request::get("/users/view/me", KEY), r#"{"User":{"#),
        (Request::get(&format!("/events/view/{}", event.uuid), KEY), ADDED),
        (Request::post("/attributes/restSearch", KEY, SEARCH), FOUND),
    ];
    let (mut starts, mut ready, mut used) = (Samples::default(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let server = grown.restarted()?;
        starts.push(server.ready_after);
        ready.push(server.memory("VmRSS")?);
        let mut client = server.client()?;
        for (request, begins) in &requests {
            client.send(request)?.ok("a request", begins)?;
        }
        used.push(server.memory("VmRSS")?);
    }
    let highest = |list: &[f64]| list.iter().copied().fold(0.0, f64::max);
    let (words, missing) = knowledge(&mut grown.database().open_to_read()?)?;
    let figures = vec![
        Figure::new("start to ready", Unit::Time, starts.median())
            .target(Target::Under(1.0))
            .note(grown.size()),
        Figure::new("idle memory", Unit::Memory, highest(&used))
            .target(Target::Under(80.0 * MIB))
            .note(format!("after four requests; {:.1} MB when ready", highest(&ready) / MIB))
            .note(words)
            .broken(missing),
    ];
    let samples = serde_json::json!({
        "start_seconds": starts.seconds(), "ready_bytes": ready, "after_requests_bytes": used,
    });
    Ok(Measured { figures, samples })
}
