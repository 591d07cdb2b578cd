//! How far an import is and what came of it.

use indicatif::{ProgressBar, ProgressStyle};
use std::fmt;
use std::time::Duration;

/// What came of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    pub added: u64,
    pub updated: u64,
    /// Events that were here already, as new as in the file.
    pub skipped: u64,
    pub attributes: u64,
    /// Attributes that were left out because they are not right.
    pub refused: u64,
    /// Lines of lists that nobody recognises.
    pub strange: u64,
    /// Files or events that could not be imported.
    pub broken: u64,
}

impl std::ops::AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.updated += other.updated;
        self.skipped += other.skipped;
        self.attributes += other.attributes;
        self.refused += other.refused;
        self.strange += other.strange;
        self.broken += other.broken;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events added, {} updated, {} already there", self.added, self.updated, self.skipped)?;
        write!(f, "; {} attributes", self.attributes)?;
        for (number, what) in [
            (self.refused, "attributes left out"),
            (self.strange, "lines not recognised"),
            (self.broken, "broken files or events"),
        ] {
            if number > 0 {
                write!(f, ", {number} {what}")?;
            }
        }
        Ok(())
    }
}

/// `12.3 s, 45,000 attributes/s`
pub fn rate(attributes: u64, spent: Duration) -> String {
    let seconds = spent.as_secs_f64();
    if attributes == 0 || seconds <= 0.0 {
        return format!("{seconds:.1} s");
    }
    format!("{seconds:.1} s, {:.0} attributes/s", attributes as f64 / seconds)
}

/// A bar over the bytes of all files, when standard error is a terminal.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub fn new(bytes: u64) -> Self {
        let bar = ProgressBar::new(bytes);
        let form = "{bar:30} {bytes}/{total_bytes} {eta} {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        Self { bar }
    }

    pub fn working_on(&self, name: &str) {
        self.bar.set_message(name.to_owned());
    }

    pub fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// A line for the reader, above the bar.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
