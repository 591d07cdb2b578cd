//! Bringing files into the database: MISP events, feeds, indicator lists.
//!
//! Each event of a file, and each new indicator list, is one transaction, as over the API. What a list gains later
//! is added in transactions of [`Import::rows`] attributes; interrupted, it continues where it was, since what is
//! there is not added again. A file that cannot be imported is named and the others go on.

mod budget;
mod clusters;
mod events;
mod indicators;
pub mod list;
mod progress;
mod source;

pub use clusters::Clusters;
pub use progress::{Progress, Report, rate};
pub use source::{Form, Source, collect};

use anyhow::Result;
use budget::Budget;
use parking_lot::Mutex;
use pisax_access::Actor;
use pisax_model::FieldError;
use pisax_service::Service;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How the events of indicator lists are made.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListStyle {
    /// Besides the tag of what the list is about.
    pub tags: &'static [&'static str],
    /// MISP's number; `None`: the instance's default.
    pub distribution: Option<i64>,
    pub publish: bool,
}

/// What every file is imported with.
pub struct Import<'a> {
    pub service: &'a Service,
    pub actor: &'a Actor,
    pub clusters: &'a Clusters,
    pub progress: &'a Progress,
    /// Most attributes in one transaction that a list adds to its event.
    pub rows: usize,
    pub style: ListStyle,
}

/// Most files in work at once. Far more than processors: writes that wait for one another share a commit
/// (`pisax_store`), and a commit of many events rewrites each index page once instead of once per event.
const WORKERS: usize = 48;

/// Complaints about one file that are printed; the rest is counted.
const COMPLAINTS: usize = 3;

impl Import<'_> {
    /// Imports all sources. Only a database that fails ends it early.
    pub fn run(&self, sources: &[Source]) -> Result<Report> {
        let next = AtomicUsize::new(0);
        let budget = Budget::new();
        let report = Mutex::new(Report::default());
        let work = || -> Result<()> {
            while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
                let _share = budget.take(source.bytes);
                let done = self.one(source).inspect_err(|_| next.store(sources.len(), Ordering::Relaxed))?;
                *report.lock() += done;
            }
            Ok(())
        };
        let workers = sources.len().clamp(1, WORKERS);
        std::thread::scope(|scope| {
            let started: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
            let mut result = work();
            for worker in started {
                let ended = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                result = result.and(ended);
            }
            result
        })?;
        Ok(report.into_inner())
    }

    fn one(&self, source: &Source) -> Result<Report> {
        self.progress.working_on(&source.path.display().to_string());
        match source.form {
            Form::Events => events::import(self, source),
            Form::Indicators => indicators::import(self, source),
        }
    }

    /// Names a file, what in it, and why it was not imported; an error of the database is passed on.
    fn broken(&self, source: &Source, place: &str, error: pisax_service::Error) -> Result<Report> {
        if let pisax_service::Error::Store(error) = error {
            return Err(anyhow::Error::new(error).context(source.path.display().to_string()));
        }
        self.complain(source, place, &error.to_string());
        Ok(Report { broken: 1, ..Report::default() })
    }

    fn complain(&self, source: &Source, place: &str, why: &str) {
        let colon = if place.is_empty() { "" } else { ": " };
        self.progress.say(&format!("{}{colon}{place}: {why}", source.path.display()));
    }

    /// Names the first attributes that were left out, and how many more there are.
    fn left_out(&self, source: &Source, event: &str, dropped: &[(usize, FieldError)]) {
        for (place, error) in dropped.iter().take(COMPLAINTS) {
            self.complain(source, &format!("{event}attribute {}", place + 1), &error.to_string());
        }
        if let Some(more) = dropped.len().checked_sub(COMPLAINTS).filter(|more| *more > 0) {
            self.complain(source, event.trim_end_matches(": "), &format!("{more} more attributes left out"));
        }
    }
}
