//! Where installations and databases are made, all on one disk, and cleared away again.

use crate::engine::Database;
use crate::installation::Installation;
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};

/// The working folder, and the PostgreSQL server if one is measured.
pub struct Ground {
    binary: PathBuf,
    folder: PathBuf,
    postgres: Option<String>,
    made: Vec<String>,
    number: u32,
}

impl Ground {
    /// Everything goes into `folder`, which must be on the disk that is to be measured.
    pub fn new(binary: &Path, folder: PathBuf, postgres: Option<String>) -> Result<Self> {
        let Ok(binary) = binary.canonicalize() else {
            bail!("{} does not exist: cargo build --release --package pisax", binary.display());
        };
        std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        Ok(Self { binary, folder, postgres, made: Vec::new(), number: 0 })
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn place(&mut self, name: &str) -> Result<PathBuf> {
        self.number += 1;
        let folder = self.folder.join(format!("{}-{name}", self.number));
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// A database that is empty.
    pub fn database(&mut self, name: &str) -> Result<Database> {
        let folder = self.place(name)?;
        self.database_in(&folder, name)
    }

    fn database_in(&mut self, folder: &Path, name: &str) -> Result<Database> {
        let Some(url) = self.postgres.clone() else {
            return Ok(Database::Sqlite(folder.join("pisax.db")));
        };
        let own = format!("pisax_bench_{}_{}_{}", std::process::id(), self.number, name.replace('-', "_"));
        postgres(&url, &format!("create database {own}"))?;
        self.made.push(own.clone());
        Ok(Database::Postgres(with_database(&url, &own)))
    }

    /// An installation with an empty database.
    pub fn installation(&mut self, name: &str, knowledge: Option<&Path>) -> Result<Installation> {
        let folder = self.place(name)?;
        let database = self.database_in(&folder, name)?;
        Ok(Installation::new(&self.binary, &folder, database, knowledge))
    }

    /// Takes a database away that is no longer used; its room on the disk is for the next.
    pub fn clear(&mut self, database: &Database) {
        match database {
            Database::Sqlite(path) => {
                if let Some(folder) =
                    path.parent().filter(|f| f.starts_with(&self.folder) && *f != self.folder)
                {
                    let _ = std::fs::remove_dir_all(folder);
                }
            }
            Database::Postgres(url) => {
                let address = url.split('?').next().unwrap_or_default();
                let name = address.rsplit('/').next().unwrap_or_default();
                // Only what was made here is ever dropped.
                if let Some(at) = self.made.iter().position(|made| made == name) {
                    let made = self.made.swap_remove(at);
                    self.drop_database(&made);
                }
            }
        }
    }

    fn drop_database(&self, name: &str) {
        if let Some(url) = &self.postgres
            && let Err(e) = postgres(url, &format!("drop database if exists {name} with (force)"))
        {
            eprintln!("the database {name} could not be dropped: {e:#}");
        }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        for name in std::mem::take(&mut self.made) {
            self.drop_database(&name);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn postgres(url: &str, sql: &str) -> Result<()> {
    let mut client = postgres::Client::connect(url, postgres::NoTls).context("connect to PostgreSQL")?;
    client.batch_execute(sql).with_context(|| sql.to_owned())
}

/// The same address with another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').map_or((url, String::new()), |(a, o)| (a, format!("?{o}")));
    let after_scheme = address.find("://").map_or(0, |at| at + 3);
    let end = address[after_scheme..].find('/').map_or(address.len(), |at| after_scheme + at);
    format!("{}/{name}{options}", &address[..end])
}

/// A ground for a test on SQLite, and one on PostgreSQL where `PISAX_TEST_POSTGRES` names a server.
#[cfg(test)]
pub fn trials(name: &str) -> Vec<Ground> {
    let binary = std::env::current_exe().unwrap();
    let engines = std::iter::once(None).chain(std::env::var("PISAX_TEST_POSTGRES").ok().map(Some));
    engines
        .enumerate()
        .map(|(n, url)| {
            let folder = std::env::temp_dir().join(format!("pisax-bench-{}-{name}-{n}", std::process::id()));
            Ground::new(&binary, folder, url).unwrap()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_an_address_is_replaced() {
        for (from, to) in [
            ("postgres://u:p@h:5432/old", "postgres://u:p@h:5432/new"),
            ("postgres://u@h:5432", "postgres://u@h:5432/new"),
            ("postgres://u@h/old?sslmode=disable", "postgres://u@h/new?sslmode=disable"),
        ] {
            assert_eq!(with_database(from, "new"), to);
        }
    }
}
