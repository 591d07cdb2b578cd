//! A server that was just started on a database of some size: how soon it is ready, what it holds at rest.

use super::{Bench, Measured};
use crate::client::Request;
use crate::installation::KEY;
use crate::measure::Samples;
use crate::report::{Figure, MIB, Target, Unit};
use anyhow::Result;

/// Starts that are measured.
const STARTS: usize = 3;

/// Memory is read after a few requests, so that what is loaded on first use counts.
pub fn measure(bench: &mut Bench<'_>) -> Result<Measured> {
    let grown = bench.grown()?;
    let event = grown.large_event(0)?;
    let requests = [
        Request::get("/servers/getVersion", KEY),
        Request::get("/users/view/me", KEY),
        Request::get(&format!("/events/view/{}", event.uuid), KEY),
        Request::post(
            "/attributes/restSearch",
            KEY,
            br#"{"returnFormat":"json","limit":10,"page":1,"enforceWarninglist":1}"#,
        ),
    ];
    let (mut starts, mut ready, mut used) = (Samples::default(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let server = grown.restarted()?;
        starts.push(server.ready_after);
        ready.push(server.memory("VmRSS")?);
        let mut client = server.client()?;
        for request in &requests {
            client.send(request)?.ok("a request")?;
        }
        used.push(server.memory("VmRSS")?);
    }
    let highest = |list: &[f64]| list.iter().copied().fold(0.0, f64::max);
    let without = grown
        .knowledge()
        .is_none()
        .then(|| "no knowledge to load: set PISAX_KNOWLEDGE or run make knowledge".to_owned());
    let figures = vec![
        Figure::new("start to ready", Unit::Time, starts.median())
            .target(Target::Under(1.0))
            .note(grown.size()),
        Figure::new("idle memory", Unit::Memory, highest(&used))
            .target(Target::Under(80.0 * MIB))
            .note(format!("after four requests; {:.1} MB when ready", highest(&ready) / MIB))
            .broken(without),
    ];
    let samples = serde_json::json!({
        "start_seconds": starts.seconds(), "ready_bytes": ready, "after_requests_bytes": used,
        "knowledge": grown.knowledge(),
    });
    Ok(Measured { figures, samples })
}
