//! `pisax knowledge`.

use crate::config::Config;
use crate::installation;
use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use pisax_formats::knowledge::{Counts, Problem};
use pisax_service::knowledge;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Knowledge {
    /// Take in packages (wheels), folders of them or checkouts; what is here in the same version stays
    Import {
        /// [default: the folder of the setting `knowledge`]
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

/// Things left out that are printed one by one.
const PROBLEMS: usize = 20;

pub fn run(config: &Config, command: Knowledge) -> Result<()> {
    let Knowledge::Import { mut paths } = command;
    if paths.is_empty() {
        paths.push(config.knowledge.clone());
    }
    let here = installation::open(config, None)?;
    let mut failed = 0;
    for path in paths {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} items {elapsed} {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_message(path.display().to_string());
        let imported = knowledge::import(&here.service, &path, &mut |items| bar.set_position(items as u64));
        bar.finish_and_clear();
        match imported {
            Ok(imported) => {
                for found in &imported.report.found {
                    let name = found.name.as_deref().unwrap_or("of unknown name");
                    let version = found.version.as_deref().unwrap_or("");
                    println!("{}: {name} {version}", found.path.display());
                }
                println!("{}; {} new or newer", items(&imported.report.counts), imported.changed);
                complain(&imported.report.problems);
            }
            Err(error) => {
                eprintln!("{error}");
                failed += 1;
            }
        }
    }
    match failed {
        0 => Ok(()),
        n => bail!("{n} of what was named could not be imported; the reasons stand above"),
    }
}

fn items(counts: &Counts) -> String {
    format!(
        "{} object templates, {} taxonomies, {} galaxies with {} clusters, {} warninglists",
        counts.object_templates, counts.taxonomies, counts.galaxies, counts.clusters, counts.warninglists
    )
}

fn complain(problems: &[Problem]) {
    problems.iter().take(PROBLEMS).for_each(|problem| eprintln!("left out: {problem}"));
    if let Some(more) = problems.len().checked_sub(PROBLEMS).filter(|more| *more > 0) {
        eprintln!("left out: {more} more");
    }
}
