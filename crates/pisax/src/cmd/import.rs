//! `pisax import`.

use crate::config::Config;
use crate::import::{self, Clusters, Import, ListStyle, Progress, Report, Source};
use crate::installation;
use anyhow::{Result, bail};
use std::path::PathBuf;
use std::time::Instant;

pub fn run(config: &Config, files: &[PathBuf]) -> Result<()> {
    let mut sources = Vec::new();
    let mut missing = 0;
    for file in files {
        if let Err(e) = import::collect(file, &mut sources) {
            eprintln!("{e:#}");
            missing += 1;
        }
    }
    let report = run_all(config, &sources, ListStyle::default(), "pisax import")?;
    match report.broken + missing {
        0 => Ok(()),
        broken => bail!("{broken} of what was named could not be imported; the reasons stand above"),
    }
}

/// Imports all sources with a progress bar and prints what came of it.
pub fn run_all(
    config: &Config,
    sources: &[Source],
    style: ListStyle,
    reason: &'static str,
) -> Result<Report> {
    let here = installation::open(config, None)?;
    let actor = here.operator(reason)?;
    let clusters = Clusters::load(&here.service)?;
    let progress = Progress::new(sources.iter().map(|s| s.bytes).sum());
    let started = Instant::now();
    let import = Import {
        service: &here.service,
        actor: &actor,
        clusters: &clusters,
        progress: &progress,
        rows: config.import_rows,
        style,
    };
    let report = import.run(sources)?;
    progress.finish();
    println!("{report}");
    println!("{}", import::rate(report.attributes, started.elapsed()));
    Ok(report)
}
