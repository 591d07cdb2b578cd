//! One file for each row of the table, and the databases they share.

mod crowd;
mod curve;
mod exchange;
mod grown;
mod huge;
mod idle;
mod import;
mod ingest;
mod keys;
mod latency;
mod lists;
mod search;
mod single;

use crate::client::{Answer, Request};
use crate::engine::Database;
use crate::floor::{PlainLoop, schema};
use crate::ground::Ground;
use crate::installation::{Installation, Server};
use crate::options::{Budget, Extent, Name, Options};
use crate::report::Figure;
use anyhow::{Context as _, Result, anyhow};
use grown::Grown;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What was found, and out of which samples.
pub struct Measured {
    /// Lines of the table.
    pub figures: Vec<Figure>,
    /// Every single measurement.
    pub samples: serde_json::Value,
}

/// Numbers of the series of events: nothing of one occurs in another.
mod series {
    pub const INGEST: u64 = 1;
    pub const IMPORT: u64 = 2;
    pub const HUGE: u64 = 3;
    pub const SMALL: u64 = 4;
    pub const LARGE: u64 = 5;
    pub const SINGLE: u64 = 6;
    pub const REST: u64 = 7;
    pub const LISTS: u64 = 8;
    pub const CROWD: u64 = 9;
    pub const EXCHANGE: u64 = 10;
}

/// A run.
pub struct Bench<'o> {
    options: &'o Options,
    extent: Extent,
    budget: Budget,
    // Before the ground, which takes the databases away: fields are dropped in this order.
    grown: Option<Result<Grown, String>>,
    ground: Ground,
}

impl<'o> Bench<'o> {
    /// Nothing is started yet.
    pub fn new(options: &'o Options, extent: Extent, budget: Budget, ground: Ground) -> Self {
        Self { options, extent, budget, grown: None, ground }
    }

    /// Measures what one name stands for.
    pub fn measure(&mut self, name: Name) -> Result<Measured> {
        match name {
            Name::Ingest => ingest::measure(self),
            Name::Import => import::measure(self),
            Name::Huge => huge::measure(self),
            Name::Lookup => latency::lookup(self),
            Name::View => latency::view(self),
            Name::List => latency::list(self),
            Name::Search => search::measure(self),
            Name::Warninglists => lists::measure(self),
            Name::Keys => keys::measure(self),
            Name::Crowd => crowd::measure(self),
            Name::Exchange => exchange::measure(self),
            Name::Idle => idle::measure(self),
            Name::Single => single::measure(self),
            Name::Curve => curve::measure(self),
        }
    }

    /// The cost of an attribute step by step, if the database was grown.
    pub fn curve_text(&self) -> Option<String> {
        let Some(Ok(grown)) = &self.grown else { return None };
        Some(curve::text(grown.steps()))
    }

    /// The database that grows, at least at its first stage.
    fn grown(&mut self) -> Result<&mut Grown> {
        if self.grown.is_none() {
            let grown = self.plant().map_err(|e| format!("{e:#}"));
            self.grown = Some(grown);
        }
        match self.grown.as_mut().context("planted above")? {
            Ok(grown) => Ok(grown),
            Err(e) => Err(anyhow!("the database to read from could not be grown: {e}")),
        }
    }

    fn plant(&mut self) -> Result<Grown> {
        let floor = self.options.wants(Name::Curve) || self.options.wants(Name::Single);
        let knowledge = knowledge();
        let mut grown = Grown::plant(&mut self.ground, floor, knowledge)?;
        // Reading and the rest of the curve need the other half of the time.
        grown.grow_to(self.extent.stage, self.budget.moment(0.6))?;
        Ok(grown)
    }
}

/// The knowledge packages, where `make knowledge` puts them or `PISAX_KNOWLEDGE` says.
fn knowledge() -> Option<PathBuf> {
    let folder = std::env::var_os("PISAX_KNOWLEDGE").map_or_else(|| ".cache/knowledge".into(), PathBuf::from);
    let filled = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    if filled { folder.canonicalize().ok() } else { None }
}

/// Sends the requests from several clients at once, each taking the next that is left; gives the whole time
/// and each answer's.
fn send_all(
    server: &Server,
    requests: &[Request],
    begins: &str,
    clients: usize,
) -> Result<(Duration, Vec<Answer>)> {
    let next = AtomicUsize::new(0);
    let connections = (0..clients).map(|_| server.client()).collect::<Result<Vec<_>>>()?;
    let begun = Instant::now();
    let answers = std::thread::scope(|scope| {
        let threads: Vec<_> = connections
            .into_iter()
            .map(|mut client| {
                let next = &next;
                scope.spawn(move || {
                    let mut answers = Vec::new();
                    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                        answers.push(client.send(request)?.ok("a request", begins)?);
                    }
                    Ok(answers)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|t| t.join().unwrap_or_else(|_| Err(anyhow!("a client panicked"))))
            .collect::<Result<Vec<_>>>()
    })?;
    Ok((begun.elapsed(), answers.into_iter().flatten().collect()))
}

/// Attributes that are stored and not deleted.
fn stored(database: &Database) -> Result<i64> {
    database.open_to_read()?.count("select cast(count(*) as bigint) from attributes where deleted = 0")
}

/// Why the floor is none for this installation: another schema, or other rows. Both are stopped or quiet.
fn difference(installation: &Installation, floor: &mut PlainLoop) -> Result<Option<String>> {
    let mut server = installation.database().open_to_read()?;
    if let Err(e) = schema::same(&mut server, floor.engine()) {
        return Ok(Some(e.to_string()));
    }
    let (server, floor) = (schema::rows(&mut server)?, schema::rows(floor.engine())?);
    // The change log also has what the first start made; one row in a thousand is no work.
    let odd = server.iter().zip(&floor).find(|((table, server), (_, floor))| {
        let allowed = if *table == "changes" { 100 } else { 0 };
        (server - floor).abs() > allowed
    });
    Ok(odd.map(|((table, server), (_, floor))| {
        format!("{table}: {server} rows by the server, {floor} by the floor")
    }))
}
