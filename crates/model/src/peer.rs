//! What became of a record on its way from or to another server.

use crate::Uuid;

/// Which way. Codes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    Pull = 1,
    Push = 2,
}

impl Direction {
    pub const ALL: [Self; 2] = [Self::Pull, Self::Push];

    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|d| *d as i64 == code)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
        }
    }
}

/// What kind of record. Codes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Subject {
    Event = 1,
    Cluster = 2,
    /// Of an event: the entry has the event's uuid.
    Sightings = 3,
    /// Of an event: the entry has the event's uuid.
    Proposals = 4,
    AnalystData = 5,
}

impl Subject {
    pub const ALL: [Self; 5] =
        [Self::Event, Self::Cluster, Self::Sightings, Self::Proposals, Self::AnalystData];

    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|s| *s as i64 == code)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Cluster => "cluster",
            Self::Sightings => "sightings",
            Self::Proposals => "proposals",
            Self::AnalystData => "analyst_data",
        }
    }
}

/// What was decided. Codes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// It went over, or came in.
    Done = 1,
    /// The other side has it as new, or newer.
    UpToDate = 2,
    /// The rules of the connection exclude it.
    Rule = 3,
    /// The egress guard holds it back.
    Guard = 4,
    /// Its event or organisation is blocklisted here.
    Blocked = 5,
    /// The receiver refused it: the other side for a push, this one for a pull.
    Refused = 6,
    /// Something went wrong; it is tried again.
    Failed = 7,
}

impl Outcome {
    pub const ALL: [Self; 7] =
        [Self::Done, Self::UpToDate, Self::Rule, Self::Guard, Self::Blocked, Self::Refused, Self::Failed];

    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|o| *o as i64 == code)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::UpToDate => "up_to_date",
            Self::Rule => "rule",
            Self::Guard => "guard",
            Self::Blocked => "blocked",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// One line of a peer's ledger: the last word on a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub server_id: i64,
    pub direction: Direction,
    pub subject: Subject,
    pub uuid: Uuid,
    pub outcome: Outcome,
    /// Why, in words; empty where the outcome says it all.
    pub reason: String,
    /// What the record is called.
    pub title: String,
    /// The version it is about: an event's timestamp, a cluster's version.
    pub version: i64,
    /// Failures in a row.
    pub attempts: i64,
    /// Unix seconds.
    pub at: i64,
    /// Unix seconds; 0: no further attempt is due.
    pub retry_at: i64,
}

/// Longest reason and title kept, in bytes.
const LONGEST: usize = 500;
/// Seconds until the first further attempt; it doubles with each.
const FIRST_RETRY: i64 = 60;
const LAST_RETRY: i64 = 24 * 3600;

impl Entry {
    pub fn new(server_id: i64, direction: Direction, subject: Subject, uuid: Uuid, outcome: Outcome) -> Self {
        let (reason, title) = (String::new(), String::new());
        let (version, attempts, at, retry_at) = (0, 0, 0, 0);
        Self { server_id, direction, subject, uuid, outcome, reason, title, version, attempts, at, retry_at }
    }

    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = cut(reason.into());
        self
    }

    #[must_use]
    pub fn about(mut self, title: &str, version: i64) -> Self {
        self.title = cut(title.to_owned());
        self.version = version;
        self
    }

    /// Dates the entry and says when to try again, after what stood there before.
    pub fn settle(&mut self, before: Option<&Self>, now: i64) {
        self.at = now;
        if self.outcome == Outcome::Failed {
            self.attempts = before.map_or(0, |before| before.attempts).saturating_add(1);
            self.retry_at = now + retry_after(self.attempts);
        }
    }
}

/// Seconds to wait after so many failures in a row: a minute, then twice as long each time, a day at most.
pub fn retry_after(failures: i64) -> i64 {
    let doublings = u32::try_from(failures.saturating_sub(1).clamp(0, 20)).unwrap_or(20);
    (FIRST_RETRY << doublings).min(LAST_RETRY)
}

fn cut(mut text: String) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    // The ledger is shown to people, and what a peer says may be anything.
    text.retain(|c| !c.is_control());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_again_later_and_later() {
        let failed = || Entry::new(1, Direction::Push, Subject::Event, Uuid::nil(), Outcome::Failed);
        let mut before: Option<Entry> = None;
        let mut waits = Vec::new();
        for _ in 0..14 {
            let mut entry = failed();
            entry.settle(before.as_ref(), 1000);
            waits.push(entry.retry_at - 1000);
            before = Some(entry);
        }
        assert_eq!(waits[..4], [60, 120, 240, 480]);
        assert_eq!(waits[13], LAST_RETRY);
        let mut done = Entry { outcome: Outcome::Done, ..failed() };
        done.settle(before.as_ref(), 2000);
        assert_eq!((done.attempts, done.retry_at, done.at), (0, 0, 2000));
    }

    #[test]
    fn what_a_peer_says_is_cut_to_a_line() {
        let entry = Entry::new(1, Direction::Pull, Subject::Event, Uuid::nil(), Outcome::Refused)
            .because(format!("line\none\u{7}{}", "é".repeat(400)));
        assert!(entry.reason.starts_with("lineoneé"));
        assert!(entry.reason.len() <= LONGEST);
    }

    #[test]
    fn codes_lead_back() {
        for d in Direction::ALL {
            assert_eq!(Direction::from_code(d as i64), Some(d));
        }
        for s in Subject::ALL {
            assert_eq!(Subject::from_code(s as i64), Some(s));
        }
        for o in Outcome::ALL {
            assert_eq!(Outcome::from_code(o as i64), Some(o));
        }
    }
}
