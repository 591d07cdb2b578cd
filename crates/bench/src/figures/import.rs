//! `pisax import` of event files, process start and end included.

use super::{Bench, Measured, difference, series};
use crate::floor::PlainLoop;
use crate::floor::rows::Numbering;
use crate::material::Series;
use crate::measure::Samples;
use crate::report::{Figure, Target, Unit};
use anyhow::Result;
use std::ffi::OsStr;
use std::path::PathBuf;

const SIZE: usize = 1_000;
/// The commits of the floor, in attributes.
const COMMIT: usize = 50_000;

/// A file for each event; floor and program take turns, each from an empty database every time.
pub fn measure(bench: &mut Bench<'_>) -> Result<Measured> {
    let events = Series::new(series::IMPORT, SIZE).events(0..bench.extent.import_files)?;
    let attributes = (events.len() * SIZE) as f64;
    let folder = bench.ground.folder().join("import-files");
    std::fs::create_dir_all(&folder)?;
    let files: Vec<PathBuf> = (0..events.len()).map(|n| folder.join(format!("event-{n}.json"))).collect();
    for (file, event) in files.iter().zip(&events) {
        std::fs::write(file, event.json())?;
    }
    let rows = Numbering::default().prepare(events);
    let words: Vec<&OsStr> =
        std::iter::once(OsStr::new("import")).chain(files.iter().map(|f| f.as_os_str())).collect();
    let (mut plain, mut times, mut broken) = (Samples::default(), Samples::default(), None);
    for round in 0..bench.extent.rounds {
        if round > 0 && bench.budget.past(0.22) {
            break;
        }
        let database = bench.ground.database("import-floor")?;
        let mut floor = PlainLoop::create(&database)?;
        plain.push(floor.insert(&rows, COMMIT)?);
        let installation = bench.ground.installation("import", None)?;
        // The first start makes organisation and administrator; that is not part of an import.
        installation.serve()?.stop()?;
        times.push(installation.run(&words)?);
        broken = broken.or(difference(&installation, &mut floor)?);
        drop(floor);
        bench.ground.clear(installation.database());
        bench.ground.clear(&database);
    }
    std::fs::remove_dir_all(&folder)?;
    let name = format!("import of {:.0} k indicators", attributes / 1e3);
    let figure = Figure::new(name, Unit::PerSecond, attributes / times.median())
        .floor(attributes / plain.median())
        .target(Target::Ratio(0.6))
        .target(Target::AtLeast(40_000.0))
        .note("start and end of the process included")
        .broken(broken);
    Ok(Measured {
        figures: vec![figure],
        samples: serde_json::json!({
            "attributes": attributes, "floor_seconds": plain.seconds(), "import_seconds": times.seconds(),
        }),
    })
}
