//! What an attribute costs as the database grows.

use super::grown::Step;
use super::{Bench, Measured};
use crate::report::{Figure, Target, Unit};
use anyhow::{Context as _, Result};
use std::fmt::Write as _;
use std::time::Duration;

/// Steps that are averaged at either end: one alone may or may not hold a checkpoint.
const ENDS: usize = 2;

/// Grows the database to its end.
pub fn measure(bench: &mut Bench<'_>) -> Result<Measured> {
    let (end, deadline) = (bench.extent.end, bench.budget.moment(0.97));
    let grown = bench.grown()?;
    grown.grow_to(end, deadline)?;
    let steps = grown.steps();
    let server = growth(steps, |s| Some(s.server)).context("nothing was grown")?;
    let floor = growth(steps, |s| s.floor);
    let reached = steps.last().map_or(0, |s| s.to);
    let name = format!("cost per attribute, 100 k to {} k", reached / 1000);
    let mut figure = Figure::new(name, Unit::Times, server)
        .target(Target::Under(2.0))
        .note("the floor is the growth of the plain loop's own cost over the same steps");
    if let Some(floor) = floor {
        figure = figure.floor(floor);
    }
    if reached < end {
        figure = figure.broken(Some(format!("the time ran out before {} k", end / 1000)));
    }
    let samples: Vec<_> = steps
        .iter()
        .map(|s| {
            serde_json::json!({
                "from": s.from, "to": s.to, "server_seconds": s.server.as_secs_f64(),
                "server_processor_seconds": s.processor, "floor_seconds": s.floor.map(|f| f.as_secs_f64()),
            })
        })
        .collect();
    Ok(Measured { figures: vec![figure], samples: samples.into() })
}

/// How many times the first steps' cost the last steps' is.
fn growth(steps: &[Step], time: impl Fn(&Step) -> Option<Duration>) -> Option<f64> {
    let ends = ENDS.min(steps.len());
    let mean = |steps: &[Step]| mean_cost(steps, &time);
    Some(mean(&steps[steps.len() - ends..])? / mean(&steps[..ends])?)
}

fn mean_cost(steps: &[Step], time: impl Fn(&Step) -> Option<Duration>) -> Option<f64> {
    let seconds: f64 = steps.iter().map(|s| time(s).map(|t| t.as_secs_f64())).sum::<Option<f64>>()?;
    let attributes: usize = steps.iter().map(|s| s.to - s.from).sum();
    (attributes > 0).then(|| seconds / attributes as f64)
}

/// The curve as lines of text: a dozen at most, whatever the number of steps.
pub fn text(steps: &[Step]) -> String {
    let mut out = String::from(
        "stored before, k    attributes/s    floor    ratio    microseconds each    of it processor\n",
    );
    let group = steps.len().div_ceil(12).max(1);
    for steps in steps.chunks(group) {
        let (Some(first), Some(cost)) = (steps.first(), mean_cost(steps, |s| Some(s.server))) else {
            continue;
        };
        let floor = mean_cost(steps, |s| s.floor);
        let attributes: usize = steps.iter().map(|s| s.to - s.from).sum();
        let processor = steps.iter().map(|s| s.processor).sum::<f64>() / attributes as f64;
        let (rate, ratio) = match floor {
            Some(floor) => (format!("{:.0}", 1.0 / floor), format!("{:.2}", floor / cost)),
            None => ("-".into(), "-".into()),
        };
        let _ = writeln!(
            out,
            "{:>16}{:>16.0}{rate:>9}{ratio:>9}{:>21.1}{:>19.1}",
            first.from / 1000,
            1.0 / cost,
            cost * 1e6,
            processor * 1e6
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from: usize, millis: u64) -> Step {
        let server = Duration::from_millis(millis);
        Step { from, to: from + 100_000, server, processor: 1.0, floor: Some(server / 2) }
    }

    #[test]
    fn growth_compares_the_ends() {
        let steps = [step(100_000, 4000), step(200_000, 6000), step(300_000, 5000), step(400_000, 10_000)];
        let grown = growth(&steps, |s| Some(s.server)).unwrap();
        assert!((grown - 1.5).abs() < 1e-9, "{grown}");
        assert_eq!(growth(&steps, |_| None), None);
        assert_eq!(growth(&[], |s| Some(s.server)), None);
        let text = text(&steps);
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(text.contains("25000    50000     0.50                 40.0"), "{text}");
    }
}
