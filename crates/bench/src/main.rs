//! How near PISAX runs to the limit of its engine: every figure of speed and memory PISAX promises, each beside a floor
//! that is taken in the same run on the same disk.
//!
//! `cargo run --release -p pisax-bench -- [--binary target/release/pisax] [--quick] [--postgres URL] [only NAME…]`
//!
//! - `material` invents the events, the same in every run; `client` sends them and costs next to nothing.
//! - `installation` runs the program and watches its memory; `ground` makes its databases and clears them away.
//! - `floor` writes the same rows in a plain loop; `reading` and `bare` read and answer them without a server.
//! - `figures` has a file for each row of the table; `report` prints them; `machine` tells whether others were at
//!   work meanwhile.

mod bare;
mod client;
mod engine;
mod figures;
mod floor;
mod ground;
mod installation;
mod machine;
mod material;
mod measure;
mod options;
mod random;
mod reading;
mod report;

use anyhow::{Context as _, Result, anyhow};
use clap::Parser as _;
use figures::Bench;
use machine::Machine;
use options::{Budget, Name, Options};
use pisax_model::Clock as _;
use report::Figure;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("pisax-bench: {e:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints; false when something could not be measured. A missed target is a result, no failure.
fn run(options: &Options) -> Result<bool> {
    let extent = options.extent();
    let budget = Budget::begin(extent.limit);
    clear_leftovers(&options.output);
    let folder = options.output.join(format!("work-{}", std::process::id()));
    let ground = ground::Ground::new(&options.binary, folder, options.postgres.clone())?;
    let watch = Machine::watch(ground.folder())?;
    let machine = watch.words();
    let mut bench = Bench::new(options, extent, budget, ground);
    let (mut figures, mut whole) = (Vec::new(), true);
    for name in Name::ALL.into_iter().filter(|name| options.wants(*name)) {
        eprintln!("[{:>4.0} s] {}", budget.used().as_secs_f64(), name.word());
        let measured =
            if budget.past(1.0) { Err(anyhow!("no time was left for it")) } else { bench.measure(name) };
        match measured {
            Ok(measured) => {
                save(options, name, &machine, &measured)?;
                figures.extend(measured.figures);
            }
            Err(e) => {
                whole = false;
                eprintln!("{} could not be measured: {e:#}", name.word());
                let failed = Figure::new(name.word(), report::Unit::Times, f64::NAN);
                figures.push(failed.broken(Some(format!("not measured: {e}"))));
            }
        }
    }
    let text = bench.curve_text();
    drop(bench);
    let others = match options.postgres {
        None => watch.others()?,
        Some(_) => "PostgreSQL's work cannot be told from that of others on the machine".to_owned(),
    };
    println!("{machine}\n{others}\n\n{}", report::table(&figures));
    if let Some(text) = text {
        println!("{text}");
    }
    if options.quick {
        println!("A quick run: the targets are set for 1,000,000 attributes and an import of 250,000.");
    }
    println!("{:.0} s; raw samples in {}", budget.used().as_secs_f64(), options.output.display());
    Ok(whole)
}

/// Keeps what a figure was made of.
fn save(options: &Options, name: Name, machine: &str, measured: &figures::Measured) -> Result<()> {
    let record = serde_json::json!({
        "name": name.word(),
        "taken": pisax_model::time::format_datetime(pisax_model::SystemClock.now_ms() / 1000),
        "machine": machine,
        "engine": if options.postgres.is_some() { "postgresql" } else { "sqlite" },
        "quick": options.quick,
        "figures": measured.figures.iter().map(Figure::json).collect::<Vec<_>>(),
        "samples": measured.samples,
    });
    let file = options.output.join(format!("{}.json", name.word()));
    std::fs::write(&file, serde_json::to_vec_pretty(&record)?)
        .with_context(|| format!("write {}", file.display()))
}

/// Removes the working folders of runs that were broken off.
fn clear_leftovers(output: &Path) {
    for entry in std::fs::read_dir(output).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name
            .to_str()
            .and_then(|name| name.strip_prefix("work-"))
            .filter(|pid| pid.parse::<u32>().is_ok());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
