//! `pisax import` of event files, process start and end included.

use super::{Bench, Measured, difference, series};
use crate::floor::PlainLoop;
use crate::floor::rows::Numbering;
use crate::material::Series;
use crate::report::{Figure, Target, Unit};
use anyhow::Result;
use std::ffi::OsStr;
use std::path::PathBuf;

const SIZE: usize = 1_000;
/// The commits of the floor, in attributes.
const COMMIT: usize = 50_000;

/// A file for each event.
pub fn measure(bench: &mut Bench<'_>) -> Result<Measured> {
    let events = Series::new(series::IMPORT, SIZE).events(0..bench.extent.import_files)?;
    let attributes = (events.len() * SIZE) as f64;
    let installation = bench.ground.installation("import", None)?;
    let files: Vec<PathBuf> =
        (0..events.len()).map(|n| installation.folder().join(format!("event-{n}.json"))).collect();
    for (file, event) in files.iter().zip(&events) {
        std::fs::write(file, event.json())?;
    }
    let rows = Numbering::default().prepare(events);

    let database = bench.ground.database("import-floor")?;
    let mut floor = PlainLoop::create(&database)?;
    let plain = floor.insert(&rows, COMMIT)?;
    // The first start makes organisation and administrator; that is not part of an import.
    installation.serve()?.stop()?;
    let words: Vec<&OsStr> =
        std::iter::once(OsStr::new("import")).chain(files.iter().map(|f| f.as_os_str())).collect();
    let took = installation.run(&words)?;
    let broken = difference(&installation, &mut floor)?;
    drop(floor);
    bench.ground.clear(installation.database());
    bench.ground.clear(&database);

    let name = format!("import of {:.0} indicators", attributes);
    let figure = Figure::new(name, Unit::PerSecond, attributes / took.as_secs_f64())
        .floor(attributes / plain.as_secs_f64())
        .target(Target::Ratio(0.6))
        .target(Target::AtLeast(40_000.0))
        .broken(broken);
    Ok(Measured {
        figures: vec![figure],
        samples: serde_json::json!({
            "attributes": attributes, "floor_seconds": plain.as_secs_f64(), "import_seconds": took.as_secs_f64(),
        }),
    })
}
