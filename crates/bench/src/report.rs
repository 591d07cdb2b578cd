//! Figures against their floors and targets, and the table they are printed in.

use std::fmt::Write as _;

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things in a second; more is better.
    PerSecond,
    /// Seconds, shown as milliseconds.
    Time,
    /// Bytes, shown as MiB.
    Memory,
    /// A plain factor.
    Times,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::PerSecond => format!("{}/s", thousands(value)),
            Self::Time if value >= 10.0 => format!("{value:.1} s"),
            Self::Time => format!("{:.2} ms", value * 1e3),
            Self::Memory => format!("{:.1} MB", value / MIB),
            Self::Times => format!("{value:.2} x"),
        }
    }
}

/// Bytes of a mebibyte, which the table calls MB as the kernel does.
pub const MIB: f64 = 1024.0 * 1024.0;

/// What has to hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// The value.
    AtLeast(f64),
    /// The value.
    Under(f64),
    /// The value as a part of the floor.
    Ratio(f64),
}

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Figure {
    name: String,
    unit: Unit,
    value: f64,
    floor: Option<f64>,
    targets: Vec<Target>,
    /// Something that must hold besides and does not.
    broken: Option<String>,
    note: String,
}

impl Figure {
    /// A figure without floor and target.
    pub fn new(name: impl Into<String>, unit: Unit, value: f64) -> Self {
        let note = String::new();
        Self { name: name.into(), unit, value, floor: None, targets: Vec::new(), broken: None, note }
    }

    /// What the engine, or the machine, does by itself.
    pub fn floor(mut self, floor: f64) -> Self {
        self.floor = Some(floor);
        self
    }

    /// One more thing that has to hold.
    pub fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Words beside the line.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        let note = note.into();
        if !self.note.is_empty() && !note.is_empty() {
            self.note.push_str("; ");
        }
        self.note.push_str(&note);
        self
    }

    /// Says that the figure is void, and why.
    pub fn broken(mut self, why: Option<String>) -> Self {
        self.broken = self.broken.or(why);
        self
    }

    /// The value as a part of the floor.
    pub fn ratio(&self) -> Option<f64> {
        self.floor.filter(|_| self.broken.is_none()).filter(|f| *f > 0.0).map(|floor| self.value / floor)
    }

    /// Whether every target is met; `None` without any.
    pub fn met(&self) -> Option<bool> {
        if self.broken.is_some() {
            return Some(false);
        }
        (!self.targets.is_empty()).then(|| self.targets.iter().all(|target| self.meets(*target)))
    }

    fn meets(&self, target: Target) -> bool {
        match target {
            Target::AtLeast(least) => self.value >= least,
            Target::Under(most) => self.value < most,
            Target::Ratio(least) => self.ratio().is_some_and(|ratio| ratio >= least),
        }
    }

    fn cells(&self) -> [String; 6] {
        let targets: Vec<String> = self
            .targets
            .iter()
            .map(|target| match target {
                Target::AtLeast(least) => format!("≥ {}", self.unit.show(*least)),
                Target::Under(most) => format!("< {}", self.unit.show(*most)),
                Target::Ratio(least) => format!("ratio ≥ {least}"),
            })
            .collect();
        // A number that means nothing must not be there to be copied.
        let value = if self.broken.is_some() { "void".into() } else { self.unit.show(self.value) };
        [
            self.name.clone(),
            value,
            self.floor.map_or("-".into(), |floor| self.unit.show(floor)),
            self.ratio().map_or("-".into(), |ratio| format!("{ratio:.2}")),
            if targets.is_empty() { "-".into() } else { targets.join(", ") },
            match self.met() {
                None => "-".into(),
                Some(true) => "yes".into(),
                Some(false) => "NO".into(),
            },
        ]
    }

    /// The line as a record.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "figure": self.name, "unit": format!("{:?}", self.unit), "value": self.value, "floor": self.floor,
            "ratio": self.ratio(), "met": self.met(), "broken": self.broken, "note": self.note,
        })
    }
}

/// Lays the figures out in columns; notes stand below, by number.
pub fn table(figures: &[Figure]) -> String {
    let head = ["figure", "value", "floor", "ratio", "target", "met"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(figures.iter().map(Figure::cells)).collect();
    let widths: [usize; 6] =
        std::array::from_fn(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0));
    let mut out = String::new();
    let mut notes = String::new();
    let mut noted = 0;
    for (place, row) in rows.iter().enumerate() {
        for (i, (cell, width)) in row.iter().zip(widths).enumerate() {
            let gap = " ".repeat(width - cell.chars().count());
            // Words to the left, numbers to the right.
            let _ =
                if matches!(i, 1..=3) { write!(out, "{gap}{cell}  ") } else { write!(out, "{cell}{gap}  ") };
        }
        if let Some(figure) = place.checked_sub(1).map(|i| &figures[i]) {
            let broken = figure.broken.as_ref().map(|why| format!("VOID: {why}"));
            let words: Vec<&str> = broken
                .iter()
                .map(String::as_str)
                .chain(Some(figure.note.as_str()))
                .filter(|w| !w.is_empty())
                .collect();
            if !words.is_empty() {
                noted += 1;
                let _ = write!(out, "[{noted}]");
                let _ = writeln!(notes, "[{noted}] {}", words.join("; "));
            }
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        if place == 0 {
            let _ = writeln!(out, "{}", "-".repeat(widths.iter().sum::<usize>() + 10));
        }
    }
    out + &notes
}

/// `25,000`; a few digits after the point below a hundred.
fn thousands(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_met_when_all_its_targets_are() {
        let figure = Figure::new("ingest", Unit::PerSecond, 16_000.0).floor(20_000.0);
        assert_eq!(figure.met(), None);
        let figure = figure.target(Target::Ratio(0.6)).target(Target::AtLeast(15_000.0));
        assert_eq!((figure.ratio(), figure.met()), (Some(0.8), Some(true)));
        assert_eq!(figure.clone().target(Target::Under(1.0)).met(), Some(false));
        assert_eq!(figure.broken(Some("other rows".into())).met(), Some(false));
    }

    #[test]
    fn a_ratio_without_floor_is_not_met() {
        assert_eq!(Figure::new("x", Unit::PerSecond, 1.0).target(Target::Ratio(0.1)).met(), Some(false));
    }

    #[test]
    fn the_table_aligns_and_notes_stand_below() {
        let figures = [
            Figure::new("ingest", Unit::PerSecond, 16_000.0).floor(1_234_567.0).target(Target::Ratio(0.6)),
            Figure::new("idle", Unit::Memory, 50.0 * MIB).note("with knowledge"),
        ];
        assert_eq!(
            table(&figures),
            "figure     value        floor  ratio  target       met\n\
             ------------------------------------------------------\n\
             ingest  16,000/s  1,234,567/s   0.01  ratio ≥ 0.6  NO\n\
             idle     50.0 MB            -      -  -            -    [1]\n\
             [1] with knowledge\n"
        );
    }
}
