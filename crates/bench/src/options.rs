//! The command line, and how much is measured in a full and in a quick run.

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Measures PISAX against the limit of its engine: every figure beside a floor taken in the same run.
#[derive(Debug, Parser)]
#[command(name = "pisax-bench", version)]
pub struct Options {
    /// The program to measure.
    #[arg(long, global = true, default_value = "target/release/pisax")]
    pub binary: PathBuf,
    /// Three minutes instead of fifteen, with less data.
    #[arg(long, global = true)]
    pub quick: bool,
    /// Measure on this PostgreSQL server instead of SQLite; databases pisax_bench_… are made there and dropped.
    #[arg(long, global = true, value_name = "URL")]
    pub postgres: Option<String>,
    /// Folder of the raw samples and, while it runs, of the databases.
    #[arg(long, global = true, default_value = ".cache/bench", value_name = "DIR")]
    pub output: PathBuf,
    /// What is measured; everything when left out.
    #[command(subcommand)]
    pub only: Option<Only>,
}

/// A choice of figures.
#[derive(Debug, Subcommand)]
pub enum Only {
    /// Measure only these.
    Only {
        /// Figures.
        #[arg(required = true)]
        names: Vec<Name>,
    },
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Events of 1,000 attributes over HTTP, one client and eight.
    Ingest,
    /// `pisax import` of event files.
    Import,
    /// One event of 100,000 attributes.
    Huge,
    /// A search for one value.
    Lookup,
    /// The view of an event of 1,000 attributes.
    View,
    /// The list of events.
    List,
    /// A search for everything.
    Search,
    /// Values against every published warninglist.
    Warninglists,
    /// What checking an API key costs.
    Keys,
    /// The list and searches from sixteen clients.
    Crowd,
    /// What another installation takes over.
    Exchange,
    /// From start to ready, and memory at rest.
    Idle,
    /// Single attributes from eight clients.
    Single,
    /// Cost of an attribute as the database grows.
    Curve,
}

impl Name {
    /// In the order in which they are measured: the growing database is used at its first stage, then grown
    /// to the end.
    pub const ALL: [Self; 14] = [
        Self::Ingest,
        Self::Import,
        Self::Huge,
        Self::Warninglists,
        Self::Keys,
        Self::Crowd,
        Self::Exchange,
        Self::Lookup,
        Self::View,
        Self::List,
        Self::Search,
        Self::Idle,
        Self::Single,
        Self::Curve,
    ];

    /// As it is written on the command line and in file names.
    pub fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

impl Options {
    /// Whether a figure is wanted.
    pub fn wants(&self, name: Name) -> bool {
        match &self.only {
            None => true,
            Some(Only::Only { names }) => names.contains(&name),
        }
    }

    /// How much is measured.
    pub fn extent(&self) -> Extent {
        if self.quick { QUICK } else { FULL }
    }
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// The whole run ends about then: each part has its share, and what has none left is not measured.
    pub limit: Duration,
    /// Times that ingest, or import, and its floor take turns.
    /// Fewer when the time is short.
    pub rounds: usize,
    /// Events of 1,000 attributes in each of them.
    pub ingest_events: u64,
    /// Files of 1,000 attributes that are imported.
    pub import_files: u64,
    /// Stored attributes at which reading is measured.
    pub stage: usize,
    /// Stored attributes at the end of the curve.
    pub end: usize,
    /// Value look-ups.
    pub lookups: usize,
    /// Values checked against the warninglists.
    pub checks: usize,
    /// Event views, and lists.
    pub views: usize,
    /// Searches for everything; fewer when the time is short.
    pub searches: usize,
    /// Single attributes added by each of eight clients.
    pub singles: u64,
    /// Events of 100 attributes that another installation takes over.
    pub exchanged: u64,
}

const FULL: Extent = Extent {
    limit: Duration::from_secs(15 * 60),
    rounds: 3,
    ingest_events: 120,
    import_files: 250,
    stage: 1_000_000,
    end: 3_000_000,
    lookups: 3_000,
    checks: 1_000_000,
    views: 300,
    searches: 3,
    singles: 500,
    exchanged: 10_000,
};

const QUICK: Extent = Extent {
    limit: Duration::from_secs(3 * 60),
    rounds: 3,
    ingest_events: 60,
    import_files: 100,
    stage: 500_000,
    end: 500_000,
    lookups: 1_000,
    checks: 1_000_000,
    views: 100,
    searches: 3,
    singles: 200,
    exchanged: 500,
};

/// The time a run has.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    begun: Instant,
    limit: Duration,
}

impl Budget {
    /// Begins now.
    pub fn begin(limit: Duration) -> Self {
        Self { begun: Instant::now(), limit }
    }

    /// The moment at which this share of the time is used up.
    pub fn moment(&self, share: f64) -> Instant {
        self.begun + self.limit.mul_f64(share)
    }

    /// Whether this share of the time is used up.
    pub fn past(&self, share: f64) -> bool {
        Instant::now() >= self.moment(share)
    }

    /// Time used so far.
    pub fn used(&self) -> Duration {
        self.begun.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_chosen_by_name() {
        let options = Options::parse_from(["pisax-bench", "only", "ingest", "curve", "--quick"]);
        let wanted: Vec<String> =
            Name::ALL.into_iter().filter(|name| options.wants(*name)).map(Name::word).collect();
        assert_eq!(wanted, ["ingest", "curve"]);
        assert!(options.quick);
        assert!(Options::parse_from(["pisax-bench"]).wants(Name::Huge));
        assert!(Options::try_parse_from(["pisax-bench", "only", "nothing"]).is_err());
    }
}
