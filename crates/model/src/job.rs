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
    /// On whose behalf; 0: the system's own.
    pub user_id: i64,
    /// How often it was begun.
    pub attempts: i64,
    /// Unix seconds: not before then.
    pub run_after: i64,
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

/// What is done later. The names are those of MISP's jobs where it has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    /// Input: `SERVER` or `SERVER TECHNIQUE`.
    Pull,
    /// Input: the server, a PISAX: what changes there is taken as it changes, for as long as both are there.
    Follow,
    /// Input: `SERVER` or `SERVER TECHNIQUE`.
    Push,
    /// Input: the server; what was published since the last time.
    PushPublished,
    /// Input: `all`, a format, or the number of a feed.
    CacheFeeds,
    /// Input: `all` or the number of a feed.
    FetchFeeds,
    /// Input: `all` or the number of a server.
    CacheServers,
    /// Input: the number of a published feed, `whole` behind it where every event is to be written anew.
    PublishFeed,
}

impl Task {
    pub const ALL: [Self; 8] = [
        Self::Pull,
        Self::Follow,
        Self::Push,
        Self::PushPublished,
        Self::CacheFeeds,
        Self::FetchFeeds,
        Self::CacheServers,
        Self::PublishFeed,
    ];

    /// As it is stored, and shown to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Follow => "follow",
            Self::Push => "push",
            Self::PushPublished => "publish_event",
            Self::CacheFeeds => "cache_feeds",
            Self::FetchFeeds => "fetch_feeds",
            Self::CacheServers => "cache_servers",
            Self::PublishFeed => "publish_feed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.name() == name)
    }

    /// The queue it stands in: what others wait for goes before what takes long.
    pub fn queue(self) -> &'static str {
        match self {
            Self::PushPublished | Self::Follow => "prio",
            Self::Pull | Self::Push | Self::FetchFeeds | Self::PublishFeed => "default",
            Self::CacheFeeds | Self::CacheServers => "cache",
        }
    }
}
