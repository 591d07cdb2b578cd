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

/// Event files that share a transaction, up to this many bytes and files: each event in one of its own makes the
/// engine keep what every page was before it, which is a tenth of an import.
const TOGETHER_BYTES: u64 = 4 << 20;
const TOGETHER_FILES: usize = 64;

/// Complaints about one file that are printed; the rest is counted.
const COMPLAINTS: usize = 3;

impl Import<'_> {
    /// Imports all sources. Only a database that fails ends it early.
    pub fn run(&self, sources: &[Source]) -> Result<Report> {
        let turns = turns(sources);
        let next = AtomicUsize::new(0);
        let budget = Budget::new();
        let report = Mutex::new(Report::default());
        let work = || -> Result<()> {
            while let Some(turn) = turns.get(next.fetch_add(1, Ordering::Relaxed)) {
                let _share = budget.take(turn.iter().map(|source| source.bytes).sum());
                let done = self.turn(turn).inspect_err(|_| next.store(turns.len(), Ordering::Relaxed))?;
                *report.lock() += done;
            }
            Ok(())
        };
        let workers = turns.len().clamp(1, WORKERS);
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

    /// New events of several files go in together; where anything about them is out of the ordinary, file by file.
    fn turn(&self, turn: &[Source]) -> Result<Report> {
        if let [_, _, ..] = turn
            && let Some(report) = events::import_together(self, turn)
        {
            return Ok(report);
        }
        let mut report = Report::default();
        for source in turn {
            report += self.one(source)?;
        }
        Ok(report)
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

/// The sources in the order given, neighbouring small files of events in one turn.
fn turns(sources: &[Source]) -> Vec<&[Source]> {
    let mut bytes = 0;
    let mut files = 0;
    let splits = |one: &Source, other: &Source| {
        (bytes, files) = if files == 0 { (one.bytes, 1) } else { (bytes, files) };
        bytes += other.bytes;
        files += 1;
        let together = [one, other].iter().all(|source| source.form == Form::Events)
            && bytes <= TOGETHER_BYTES
            && files <= TOGETHER_FILES;
        if !together {
            files = 0;
        }
        together
    };
    sources.chunk_by(splits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_event_files_go_together_and_the_rest_alone() {
        let source = |form, bytes| Source { path: "f".into(), form, bytes, listed: None, built_in: None };
        let lengths = |sources: &[Source]| turns(sources).iter().map(|turn| turn.len()).collect::<Vec<_>>();
        let (small, large) = (source(Form::Events, 1 << 20), source(Form::Events, 5 << 20));
        let list = source(Form::Indicators, 10);
        assert_eq!(lengths(&vec![small.clone(); 9]), [4, 4, 1]);
        let mixed = [small.clone(), list.clone(), list, small.clone(), small.clone(), large, small];
        assert_eq!(lengths(&mixed), [1, 1, 1, 2, 1, 1]);
        assert_eq!(lengths(&vec![source(Form::Events, 1); 130]), [64, 64, 2]);
        assert!(turns(&[]).is_empty());
    }
}
