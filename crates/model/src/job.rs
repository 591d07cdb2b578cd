//! What was asked for and is done later.

/// A stored job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: i64,
    /// The queue it stands in: `cache`, `default`, `email`, `prio`, `update`.
    pub worker: String,
    pub job_type: String,
    pub job_input: String,
    pub status: Status,
    pub message: String,
    /// Percent.
    pub progress: i64,
    pub org_id: i64,
    /// Unix seconds.
    pub created: i64,
    pub modified: i64,
}

/// How far it is, in MISP's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    Waiting = 1,
    Running = 2,
    Failed = 3,
    Completed = 4,
}

impl Status {
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Waiting, Self::Running, Self::Failed, Self::Completed].into_iter().find(|s| *s as i64 == code)
    }
}

/// The queues MISP's clients know.
pub const QUEUES: [&str; 5] = ["cache", "default", "email", "prio", "update"];
