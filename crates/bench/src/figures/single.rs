//! Single attributes from eight clients at once, each durable before it is answered.

use super::{Bench, Measured, send_all, series};
use crate::client::{ADDED, ADDED_ATTRIBUTE, Request};
use crate::installation::KEY;
use crate::material::{Attribute, Event, Series};
use crate::measure::Samples;
use crate::report::{Figure, Target, Unit};
use anyhow::Result;

const CLIENTS: u64 = 8;
/// A real MISP on such a machine adds 22 in a second.
const MISP: f64 = 22.0;

/// Each client's attributes go to an event of its own. The floor is one loop: where the engine has one
/// writer, eight of them would only queue.
pub fn measure(bench: &mut Bench<'_>) -> Result<Measured> {
    let each = bench.extent.singles;
    let grown = bench.grown()?;
    // Of one event, so that no two are alike: the second in an event would be refused.
    let Event { attributes, .. } = Series::new(series::SINGLE, (CLIENTS * each) as usize).event(0)?;

    let (plain, numbering) = grown.floor()?;
    // The floor's events are numbered from 1; eight of the small ones are added to.
    let rows: Vec<_> = (0..)
        .zip(&attributes)
        .map(|(n, attribute)| numbering.inside(1 + n % CLIENTS as i64, alone(attribute)))
        .collect();
    let floor = plain.add_singly(&rows)?;

    let server = grown.server()?;
    let targets: Vec<Event> = Series::new(series::REST, 1).events(0..CLIENTS)?;
    let made: Vec<Request> = targets.iter().map(|e| Request::post("/events/add", KEY, &e.json())).collect();
    send_all(server, &made, ADDED, 1)?;
    let requests: Vec<Request> = attributes
        .iter()
        .zip(targets.iter().cycle())
        .map(|(attribute, event)| {
            Request::post(&format!("/attributes/add/{}", event.uuid), KEY, &attribute.json())
        })
        .collect();
    let (took, answers) = send_all(server, &requests, ADDED_ATTRIBUTE, CLIENTS as usize)?;
    grown.note_added(requests.len() + targets.len())?;

    let count = requests.len() as f64;
    let times: Samples = answers.iter().map(|answer| answer.took).collect();
    let rate = count / took.as_secs_f64();
    let figure = Figure::new("single attribute add, 8 clients", Unit::PerSecond, rate)
        .floor(count / floor.as_secs_f64())
        .target(Target::AtLeast(60.0 * MISP))
        .note(format!("{:.0} times a real MISP", rate / MISP))
        .note(times.spread())
        .note("the floor commits each row by itself in one loop");
    Ok(Measured {
        figures: vec![figure],
        samples: serde_json::json!({
            "seconds": took.as_secs_f64(), "floor_seconds": floor.as_secs_f64(), "count": count,
            "each_seconds": times.seconds(),
        }),
    })
}

/// An attribute as the only one of what is added at once.
fn alone(attribute: &Attribute) -> Event {
    Event {
        uuid: attribute.uuid,
        info: String::new(),
        date: String::new(),
        timestamp: attribute.timestamp,
        attributes: vec![attribute.clone()],
    }
}
