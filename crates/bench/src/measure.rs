//! What is made of single measurements.

use std::time::Duration;

/// Measurements of one thing, in seconds.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Notes one more.
    pub fn push(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64());
    }

    /// Notes one more, in seconds.
    pub fn push_seconds(&mut self, seconds: f64) {
        self.0.push(seconds);
    }

    /// As they were taken.
    pub fn seconds(&self) -> &[f64] {
        &self.0
    }

    /// The smallest sample that at least this share of them does not exceed (nearest rank); 0 without samples.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
    }

    /// The one in the middle, or between the two there: the lower of two would flatter.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let half = sorted.len() / 2;
        match sorted.len() {
            0 => 0.0,
            even if even.is_multiple_of(2) => (sorted[half - 1] + sorted[half]) / 2.0,
            _ => sorted[half],
        }
    }

    /// `p50 1.20, p95 2.30, p99 4.00 ms`.
    pub fn spread(&self) -> String {
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| self.quantile(share) * 1e3);
        format!("p50 {p50:.2}, p95 {p95:.2}, p99 {p99:.2} ms")
    }
}

impl FromIterator<Duration> for Samples {
    fn from_iter<I: IntoIterator<Item = Duration>>(durations: I) -> Self {
        Self(durations.into_iter().map(|d| d.as_secs_f64()).collect())
    }
}

/// Processor time this thread has used, in seconds (proc(5), schedstat). Unlike wall time it hardly depends on
/// what else the machine does.
pub fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).map_or(f64::NAN, |nanos| nanos / 1e9)
}

/// `processor 1.20 s, floor 0.60 s, ratio 0.50`: the same work without most of the noise of a busy machine.
pub fn compared(server: &Samples, floor: &Samples) -> String {
    let (server, floor) = (server.median(), floor.median());
    format!("processor {server:.2} s, floor {floor:.2} s, ratio {:.2}", floor / server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples_that_were_taken() {
        let samples: Samples = (1..=100).rev().map(Duration::from_secs).collect();
        assert_eq!([0.5, 0.95, 0.99, 1.0].map(|q| samples.quantile(q)), [50.0, 95.0, 99.0, 100.0]);
        assert_eq!(Samples::default().median(), 0.0);
        let three: Samples = [3, 1, 2].map(Duration::from_secs).into_iter().collect();
        assert_eq!(three.median(), 2.0);
        let two: Samples = [3, 1].map(Duration::from_secs).into_iter().collect();
        assert_eq!(two.median(), 2.0);
    }
}
