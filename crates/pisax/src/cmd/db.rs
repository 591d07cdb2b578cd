//! `pisax db`: migrate, check, back up, restore.

use crate::config::Config;
use crate::installation;
use anyhow::{Result, bail};
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
}

pub fn run(config: &Config, command: Db) -> Result<()> {
    let store = match command {
        Db::Check | Db::Backup { .. } => installation::open_existing_store(config)?,
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
    }
    Ok(())
}
