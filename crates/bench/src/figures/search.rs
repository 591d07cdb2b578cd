//! A search for everything: streamed, as fast as the cursor allows, in constant memory.

use super::{Bench, Measured};
use crate::bare::drained;
use crate::client::{FOUND, Request};
use crate::engine::Database;
use crate::installation::KEY;
use crate::measure::{Samples, compared, processor};
use crate::reading;
use crate::report::{Figure, MIB, Target, Unit};
use anyhow::{Context as _, Result};
use std::time::{Duration, Instant};

/// Rows, bytes and times of the floor.
struct Floor {
    rows: u64,
    bytes: u64,
    null: Samples,
    processor: Samples,
    socket: Samples,
}

/// What the server's answers were like.
struct Answers {
    took: Samples,
    first: Samples,
    growth: f64,
    processor: Samples,
    bytes: u64,
    count: Option<u64>,
}

/// Floor and server take turns on the same file.
pub fn measure(bench: &mut Bench<'_>) -> Result<Measured> {
    let (searches, deadline) = (bench.extent.searches, bench.budget.moment(0.8));
    let grown = bench.grown()?;
    let (size, stored) = (grown.size(), grown.stored());
    let database = grown.database().clone();
    let sqlite = matches!(database, Database::Sqlite(_));
    let request = Request::post("/attributes/restSearch", KEY, br#"{"returnFormat":"json"}"#);
    let small =
        Request::post("/attributes/restSearch", KEY, br#"{"returnFormat":"json","limit":1,"page":1}"#);
    let mut floor = Floor {
        rows: 0,
        bytes: 0,
        null: Samples::default(),
        processor: Samples::default(),
        socket: Samples::default(),
    };
    let mut answers = Answers {
        took: Samples::default(),
        first: Samples::default(),
        growth: 0.0,
        processor: Samples::default(),
        bytes: 0,
        count: None,
    };
    for round in 0..searches {
        if round > 0 && Instant::now() >= deadline {
            break;
        }
        plain(&database, &mut floor)?;
        let server = grown.restarted()?;
        let mut client = server.client()?;
        client.send(&small)?.ok("a search for one", FOUND)?;
        server.forget_peak()?;
        let before = server.memory("VmRSS")?;
        let used = server.processor()?;
        let answer = client.send(&request)?.ok("the search", FOUND)?;
        answers.processor.push_seconds(server.processor()? - used);
        answers.growth = answers.growth.max(server.memory("VmHWM")? - before);
        answers.took.push(answer.took);
        answers.first.push(answer.first_byte);
        (answers.bytes, answers.count) = (answer.bytes, answer.count);
    }
    Ok(Measured {
        figures: figures(&size, stored, sqlite, &floor, &answers),
        samples: samples(&floor, &answers),
    })
}

fn figures(size: &str, stored: usize, sqlite: bool, floor: &Floor, answers: &Answers) -> Vec<Figure> {
    let rows = floor.rows as f64;
    let broken = match answers.count {
        _ if floor.rows != stored as u64 => {
            Some(format!("{} attributes were sent, {} are stored", stored, floor.rows))
        }
        Some(count) if count != floor.rows => {
            Some(format!("X-Result-Count says {count}, {} are stored", floor.rows))
        }
        None => Some("X-Result-Count is missing".into()),
        // The writer is the same, so another length is other work; a space or a line end is none.
        _ if answers.bytes.abs_diff(floor.bytes) > floor.bytes / 1_000 => {
            Some(format!("{} bytes were answered, the floor writes {}", answers.bytes, floor.bytes))
        }
        _ => None,
    };
    let rate = |samples: &Samples| rows / samples.median();
    vec![
        Figure::new("restSearch of everything", Unit::PerSecond, rate(&answers.took))
            .floor(rate(&floor.null))
            .target(Target::Ratio(0.4))
            .note(size.to_owned())
            .note(format!("{:.0} MB", answers.bytes as f64 / MIB))
            .note(if sqlite { compared(&answers.processor, &floor.processor) } else { String::new() })
            .broken(broken.clone()),
        Figure::new("restSearch, floor through a socket", Unit::PerSecond, rate(&answers.took))
            .floor(rate(&floor.socket))
            .broken(broken.clone()),
        Figure::new("restSearch, memory on top", Unit::Memory, answers.growth)
            .target(Target::Under(64.0 * MIB))
            .broken(broken.clone()),
        Figure::new("restSearch, first byte", Unit::Time, answers.first.quantile(1.0))
            .target(Target::Under(0.1))
            .note("the slowest")
            .broken(broken),
    ]
}

fn samples(floor: &Floor, answers: &Answers) -> serde_json::Value {
    serde_json::json!({
        "rows": floor.rows, "bytes": answers.bytes, "floor_bytes": floor.bytes, "result_count": answers.count,
        "server_seconds": answers.took.seconds(), "first_byte_seconds": answers.first.seconds(),
        "floor_seconds": floor.null.seconds(), "floor_socket_seconds": floor.socket.seconds(),
        "memory_growth_bytes": answers.growth, "server_processor_seconds": answers.processor.seconds(),
        "floor_processor_seconds": floor.processor.seconds(),
    })
}

/// The bare loop, once to nowhere and once through the loopback.
fn plain(database: &Database, floor: &mut Floor) -> Result<()> {
    let mut engine = database.open_to_read()?;
    let (begun, used) = (Instant::now(), processor());
    (floor.rows, floor.bytes) = reading::everything(&mut engine, &mut reading::Null)?;
    floor.null.push(begun.elapsed());
    floor.processor.push_seconds(processor() - used);
    let took = std::thread::scope(|scope| -> Result<Duration> {
        let (mut stream, reader) = drained(scope)?;
        let begun = Instant::now();
        reading::everything(&mut engine, &mut stream)?;
        drop(stream);
        reader.join().ok().context("the reader panicked")??;
        Ok(begun.elapsed())
    })?;
    floor.socket.push(took);
    Ok(())
}
