//! `pisax db`: migrate, check, back up, restore.

use crate::config::Config;
use crate::installation;
use anyhow::{Result, bail};
use pisax_model::{Clock, SystemClock};
use pisax_store::files::Place;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Db {
    /// Make the database, or bring it to this version; `serve` does the same when it starts
    Migrate,
    /// Print what does not fit together; exit code 1 if anything does not
    Check,
    /// Copy everything into a new file, also while PISAX serves
    Backup { file: PathBuf },
    /// Fill this empty database from a backup
    Restore { file: PathBuf },
    /// Remove attached bytes that nothing has named for an hour; `serve` does the same from time to time
    Sweep,
    /// Bring attached bytes to where `attachments` now says; stop PISAX first
    MoveAttachments {
        /// Where they were: dir:PATH or s3://…; those in the database move without it
        #[arg(long, value_name = "PLACE")]
        from: Option<String>,
    },
}

pub fn run(config: &Config, command: Db) -> Result<()> {
    let store = match command {
        Db::Check | Db::Backup { .. } | Db::Sweep | Db::MoveAttachments { .. } => {
            installation::open_existing_store(config)?
        }
        Db::Migrate | Db::Restore { .. } => installation::open_store(config)?,
    };
    match command {
        Db::Migrate => println!("The database is ready for this version of PISAX."),
        Db::Check => {
            let found = store.check()?;
            found.iter().for_each(|complaint| println!("{complaint}"));
            match found.len() {
                0 => println!("Everything fits together."),
                1 => bail!("1 inconsistency found"),
                n => bail!("{n} inconsistencies found"),
            }
        }
        Db::Backup { file } => {
            store.backup(&file)?;
            println!(
                "Backed up to {}. It holds every secret of this instance: keep it safe.",
                file.display()
            );
        }
        Db::Restore { file } => {
            store.restore(&file)?;
            println!("Restored from {}.", file.display());
        }
        Db::Sweep => {
            let swept = store.sweep_files(SystemClock.now_ms())?;
            println!("Removed {}; {} are in use.", swept.removed, swept.kept);
        }
        Db::MoveAttachments { from } => {
            let place = from.map_or(Ok(Place::Database), |from| Place::parse(&from))?;
            let from = installation::open_files(config, &place)?;
            println!("Moved {}.", store.move_files(&from, SystemClock.now_ms())?);
        }
    }
    Ok(())
}
