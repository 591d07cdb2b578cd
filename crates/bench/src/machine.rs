//! The machine that is measured on: what a flush costs, and how much of it others took meanwhile.

use crate::measure::Samples;
use anyhow::{Context as _, Result};
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::time::Instant;

/// More than this share of the processors taken by others makes wall times, and ratios of them, worth little.
const BUSY: f64 = 0.1;

/// A look at the processors' clocks, to compare with a later one.
pub struct Machine {
    flush: Samples,
    begun: Instant,
    busy: f64,
    own: f64,
}

impl Machine {
    /// Measures the disk of this folder and begins to watch.
    pub fn watch(folder: &Path) -> Result<Self> {
        let flush = flushes(folder)?;
        Ok(Self { flush, begun: Instant::now(), busy: busy()?, own: own()? })
    }

    /// What a flush costs.
    pub fn words(&self) -> String {
        format!("{} processors; flushing 4 KiB: {}", cores(), self.flush.spread())
    }

    /// Says how much of the processors others have taken since, and what that means.
    pub fn others(&self) -> Result<String> {
        let spent = (busy()? - self.busy) - (own()? - self.own);
        let share = (spent / (self.begun.elapsed().as_secs_f64() * cores() as f64)).clamp(0.0, 1.0);
        let words = format!("others took {:.0} % of the processors meanwhile", share * 100.0);
        Ok(if share > BUSY {
            format!("{words}: BUSY, wall times and their ratios are worth little; measure on a quiet machine")
        } else {
            words
        })
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The lower bound of everything durable. The file is written once before, as a database's log is: growing it
/// would measure the file system's journal.
fn flushes(folder: &Path) -> Result<Samples> {
    const FLUSHES: usize = 100;
    let path = folder.join("flush");
    let mut file = std::fs::File::create(&path)?;
    file.write_all(&[7; 4096 * FLUSHES])?;
    file.sync_all()?;
    file.rewind()?;
    let mut samples = Samples::default();
    for _ in 0..FLUSHES {
        let begun = Instant::now();
        file.write_all(&[8; 4096])?;
        file.sync_data()?;
        samples.push(begun.elapsed());
    }
    std::fs::remove_file(&path)?;
    Ok(samples)
}

/// Seconds that all processors were busy since the machine started: all but idle and waiting (proc(5), in
/// hundredths).
fn busy() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat").context("/proc/stat")?;
    Ok(busy_of(&stat))
}

fn busy_of(stat: &str) -> f64 {
    let line = stat.lines().next().unwrap_or_default();
    // user, nice, system, (idle, iowait,) irq, softirq, steal; guests are counted in user.
    let fields = line.split_whitespace().skip(1).take(8).enumerate();
    let ticks = fields.filter(|(at, _)| !matches!(at, 3 | 4)).filter_map(|(_, t)| t.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Seconds that this process and the servers it has ended were at work.
fn own() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("/proc/self/stat")?;
    let after = stat.rsplit_once(')').context("/proc/self/stat")?.1;
    // utime, stime, cutime and cstime are the 14th to 17th.
    let ticks = after.split_whitespace().skip(11).take(4).filter_map(|t| t.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_are_not_busy() {
        assert_eq!(busy_of("cpu  100 200 300 9999 9999 10 20 30 5 5\ncpu0 1 2 3\n"), 6.6);
    }
}
