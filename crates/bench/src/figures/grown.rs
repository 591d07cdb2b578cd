//! The database that grows: first many small events, then events of 1,000 attributes, a hundred at a time,
//! each hundred first into the floor's database and then into the server's.

use super::{send_all, series};
use crate::client::{ADDED, Request};
use crate::engine::Database;
use crate::floor::PlainLoop;
use crate::floor::rows::Numbering;
use crate::ground::Ground;
use crate::installation::{Installation, KEY, Server};
use crate::material::{Event, Series};
use anyhow::{Context as _, Result, ensure};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// With 900 events of 1,000 they make 1,000,000 attributes in 5,000 events.
const SMALL_EVENTS: u64 = 4_100;
const SMALL_ATTRIBUTES: usize = 100_000;
const LARGE: usize = 1_000;
/// Attributes that are written between two looks at the clock.
const STEP: usize = 100_000;

/// What it took to go on by [`STEP`] attributes.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Stored before.
    pub from: usize,
    /// Stored after.
    pub to: usize,
    /// By one client over HTTP.
    pub server: Duration,
    /// Processor time of the server, in seconds.
    pub processor: f64,
    /// By the plain loop, if it is kept.
    pub floor: Option<Duration>,
}

/// A server's database, the floor's beside it, and how both came to be.
pub struct Grown {
    installation: Installation,
    server: Option<Server>,
    floor: Option<PlainLoop>,
    numbering: Numbering,
    stored: usize,
    /// Attributes beyond those, added one by one.
    besides: usize,
    large: u64,
    /// How many were to be stored by now.
    meant: usize,
    last_step: Duration,
    steps: Vec<Step>,
}

fn small() -> Series {
    Series::new(series::SMALL, 24)
}

fn large() -> Series {
    Series::new(series::LARGE, LARGE)
}

/// The small events: of 24 attributes, the first of them of 25, so that the sum is right.
fn small_event(place: u64) -> Result<Event> {
    let longer = (SMALL_ATTRIBUTES as u64 - SMALL_EVENTS * small().size() as u64) > place;
    small().event_of(place, small().size() + usize::from(longer))
}

fn bodies(events: &[Event]) -> Vec<Request> {
    events.iter().map(|event| Request::post("/events/add", KEY, &event.json())).collect()
}

impl Grown {
    /// The small events, and all knowledge there is.
    pub fn plant(ground: &mut Ground, with_floor: bool, knowledge: Option<PathBuf>) -> Result<Self> {
        let installation = ground.installation("grown", knowledge.as_deref())?;
        if let Some(folder) = &knowledge {
            installation.run(&[OsStr::new("knowledge"), OsStr::new("import"), folder.as_os_str()])?;
        }
        let events = (0..SMALL_EVENTS).map(small_event).collect::<Result<Vec<_>>>()?;
        let server = installation.serve()?;
        send_all(&server, &bodies(&events), ADDED, 8).context("the small events")?;
        let mut numbering = Numbering::default();
        let rows = numbering.prepare(events);
        let floor =
            if with_floor { Some(PlainLoop::create(&ground.database("grown-floor")?)?) } else { None };
        let mut grown = Self {
            installation,
            server: Some(server),
            floor,
            numbering,
            stored: SMALL_ATTRIBUTES,
            besides: 0,
            large: 0,
            meant: SMALL_ATTRIBUTES,
            last_step: Duration::ZERO,
            steps: Vec::new(),
        };
        if let Some(floor) = &mut grown.floor {
            floor.insert(&rows, LARGE)?;
        }
        Ok(grown)
    }

    /// Goes on until this many attributes are stored, or until one more step would not end before the deadline.
    pub fn grow_to(&mut self, attributes: usize, deadline: Instant) -> Result<()> {
        self.meant = attributes;
        self.server()?;
        while self.stored < attributes {
            let begun = Instant::now();
            // A step takes about as long as the one before; nothing is known before the first.
            if begun + self.last_step >= deadline {
                eprintln!("         {} attributes stored, no time for {attributes}", self.stored);
                break;
            }
            self.step()?;
            self.last_step = begun.elapsed();
            if self.stored.is_multiple_of(5 * STEP) {
                eprintln!("         {} attributes stored", self.stored);
            }
        }
        self.verify()
    }

    /// What was acknowledged must be there: figures of a database that is smaller than believed are void.
    fn verify(&self) -> Result<()> {
        let (there, sent) = (super::stored(self.installation.database())?, self.stored + self.besides);
        ensure!(there == sent as i64, "{sent} attributes were acknowledged, {there} are stored");
        Ok(())
    }

    /// Notes attributes that were added past the steps, once they are there.
    pub fn note_added(&mut self, attributes: usize) -> Result<()> {
        self.besides += attributes;
        self.verify()
    }

    fn step(&mut self) -> Result<()> {
        let count = (STEP / LARGE) as u64;
        let events = large().events(self.large..self.large + count)?;
        let requests = bodies(&events);
        let floor = match &mut self.floor {
            Some(floor) => Some(floor.insert(&self.numbering.prepare(events), LARGE)?),
            None => None,
        };
        let server = self.server()?;
        let before = server.processor()?;
        let (took, _) = send_all(server, &requests, ADDED, 1)?;
        let processor = server.processor()? - before;
        let from = self.stored;
        self.stored += STEP;
        self.large += count;
        self.steps.push(Step { from, to: self.stored, server: took, processor, floor });
        Ok(())
    }

    /// The running server; started if it is not.
    pub fn server(&mut self) -> Result<&Server> {
        if self.server.is_none() {
            self.server = Some(self.installation.serve()?);
        }
        self.server.as_ref().context("started above")
    }

    /// The server, stopped and started again: its memory is what it needs now, not what it once needed.
    pub fn restarted(&mut self) -> Result<&Server> {
        if let Some(server) = self.server.take() {
            server.stop()?;
        }
        self.server()
    }

    /// The server's database.
    pub fn database(&self) -> &Database {
        self.installation.database()
    }

    /// The floor's database, and the numbers of the next rows in it.
    pub fn floor(&mut self) -> Result<(&mut PlainLoop, &mut Numbering)> {
        Ok((self.floor.as_mut().context("the floor was not grown along")?, &mut self.numbering))
    }

    /// Attributes stored.
    pub fn stored(&self) -> usize {
        self.stored + self.besides
    }

    /// What a figure of this database is a figure of.
    pub fn size(&self) -> String {
        let size = format!("at {} k attributes in {} events", self.stored / 1000, SMALL_EVENTS + self.large);
        if self.stored < self.meant {
            return format!("{size}, NOT {} k: no time to store them", self.meant / 1000);
        }
        size
    }

    /// Events of 1,000 attributes stored.
    pub fn large_events(&self) -> u64 {
        self.large
    }

    /// One of them.
    pub fn large_event(&self, place: u64) -> Result<Event> {
        large().event(place)
    }

    /// How it grew.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_events_make_up_the_promised_sum() {
        let sizes: usize =
            (0..SMALL_EVENTS).step_by(100).map(|n| small_event(n).unwrap().attributes.len()).sum();
        assert_eq!(sizes, 16 * 25 + 25 * 24);
        assert_eq!(1_600 * 25 + 2_500 * 24, SMALL_ATTRIBUTES);
        assert_eq!(small_event(1_599).unwrap().attributes.len(), 25);
        assert_eq!(small_event(1_600).unwrap().attributes.len(), 24);
    }
}
