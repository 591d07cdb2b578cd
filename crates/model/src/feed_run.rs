//! What became of a feed each time it was fetched or cached: every line of it is accounted for.

use crate::Uuid;

/// One time that a feed was fetched or cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRun {
    pub id: i64,
    pub feed_id: i64,
    pub kind: RunKind,
    /// Unix seconds.
    pub started: i64,
    /// 0: it is under way, or was broken off.
    pub ended: i64,
    pub outcome: RunOutcome,
    /// Why it failed.
    pub error: String,
    /// The event that the lines went into; 0 for a feed of events.
    pub event_id: i64,
    pub account: Account,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RunKind {
    Fetch = 1,
    Cache = 2,
}

impl RunKind {
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Fetch, Self::Cache].into_iter().find(|kind| *kind as i64 == code)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Cache => "cache",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RunOutcome {
    Running = 1,
    Done = 2,
    /// The feed is as it was the last time.
    Unchanged = 3,
    Failed = 4,
    /// Cancelled, or the server was stopped.
    Stopped = 5,
}

impl RunOutcome {
    const ALL: [Self; 5] = [Self::Running, Self::Done, Self::Unchanged, Self::Failed, Self::Stopped];

    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| *outcome as i64 == code)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// The account of a run. Of a list, a line is a line and a value is an indicator in it; of a feed of events, both
/// are events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// As they came, unpacked.
    pub bytes: i64,
    pub lines: i64,
    /// Empty lines and remarks.
    pub remarks: i64,
    /// Lines in which nobody recognises an indicator.
    pub unrecognised: i64,
    /// Lines that hold values.
    pub holding: i64,
    /// What those hold: the sum of the five that follow.
    pub values: i64,
    /// Stored, or stored anew.
    pub taken: i64,
    /// There already.
    pub known: i64,
    /// A second time in the feed.
    pub duplicate: i64,
    /// Not wanted, as the feed's rules say.
    pub excluded: i64,
    /// Not right; the reasons are kept.
    pub refused: i64,
    /// Attributes that were left out of events that were taken; the reasons are kept.
    pub left_out: i64,
    /// Gone from the feed, and so tombstoned in the event.
    pub removed: i64,
}

impl Account {
    /// Whether nothing is lost: every line and every value is counted once.
    pub fn balances(&self) -> bool {
        self.lines == self.remarks + self.unrecognised + self.holding
            && self.values == self.taken + self.known + self.duplicate + self.excluded + self.refused
    }

    /// The columns in the order in which they are kept and shown.
    pub fn columns(&self) -> [(&'static str, i64); 13] {
        [
            ("bytes", self.bytes),
            ("lines", self.lines),
            ("remarks", self.remarks),
            ("unrecognised", self.unrecognised),
            ("holding", self.holding),
            ("total", self.values),
            ("taken", self.taken),
            ("known", self.known),
            ("duplicate", self.duplicate),
            ("excluded", self.excluded),
            ("refused", self.refused),
            ("left_out", self.left_out),
            ("removed", self.removed),
        ]
    }

    /// The other way.
    pub fn from_columns(values: [i64; 13]) -> Self {
        let [bytes, lines, remarks, unrecognised, holding, total, taken, known, duplicate, rest @ ..] =
            values;
        let [excluded, refused, left_out, removed] = rest;
        Self {
            bytes,
            lines,
            remarks,
            unrecognised,
            holding,
            values: total,
            taken,
            known,
            duplicate,
            excluded,
            refused,
            left_out,
            removed,
        }
    }
}

/// Something of a feed that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTaken {
    /// The line of a list, or the place of an event in the manifest; 0: the feed as a whole.
    pub line: i64,
    /// The beginning of it.
    pub value: String,
    pub reason: String,
}

/// What is known of a feed's source, to ask for it only when it changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedState {
    pub etag: String,
    pub last_modified: String,
    /// What the feed was defined as when it was fetched: another definition is fetched anew.
    pub definition: String,
    /// When it was last asked for by itself.
    pub asked: i64,
}

/// Whose values are cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum SourceKind {
    Feed = 1,
    Server = 2,
}

impl SourceKind {
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Feed, Self::Server].into_iter().find(|kind| *kind as i64 == code)
    }
}

/// A source of cached values.
pub type Source = (SourceKind, i64);

/// A value as it is cached: MD5 of its bytes, as MISP's feeds publish them.
pub type ValueHash = [u8; 16];

/// A cached value that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheHit {
    pub source: Source,
    pub hash: ValueHash,
    /// The event of the source that holds it.
    pub event_uuid: Option<Uuid>,
}

/// What is cached of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cached {
    pub source: Source,
    /// Different values.
    pub elements: i64,
    /// Unix seconds.
    pub at: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_goes_there_and_back() {
        let account = Account::from_columns(std::array::from_fn(|i| i as i64 + 1));
        assert_eq!(Account::from_columns(account.columns().map(|(_, value)| value)), account);
        assert!(!account.balances() && Account::default().balances());
    }
}
