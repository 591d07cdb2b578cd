//! A job while it is done: it says how far it is, and hears that it is to stop.

use crate::Fault;
use parking_lot::Mutex;
use pisax_access::Actor;
use pisax_model::job::{Job, Task};
use pisax_service::Service;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often at most progress is written down.
const TELL: Duration = Duration::from_secs(1);

/// The job, for those who do it.
pub(crate) struct Work {
    pub(crate) service: Arc<Service>,
    pub(crate) job: Job,
    owner: Arc<str>,
    stopped: Arc<AtomicBool>,
    told: Mutex<Option<Instant>>,
    /// When it has to make room for others, should any wait; none: it takes nobody's turn.
    turn_ends: Option<Instant>,
    turn_is_over: AtomicBool,
}

/// How a job ended.
pub(crate) enum End {
    /// With this to say.
    Done(String),
    /// To be begun again at this moment (Unix seconds), for this reason.
    Later(i64, String),
}

impl Work {
    pub(crate) fn new(service: Arc<Service>, job: Job, owner: Arc<str>, stopped: Arc<AtomicBool>) -> Self {
        // An exchange goes on where it stopped: however slow a server is, others have their turn.
        let yields =
            matches!(Task::parse(&job.job_type), Some(Task::Pull | Task::Push | Task::PushPublished));
        let turn_ends = yields.then(|| Instant::now() + service.policy.peers.turn);
        let (told, turn_is_over) = (Mutex::new(None), AtomicBool::new(false));
        Self { service, job, owner, stopped, told, turn_ends, turn_is_over }
    }

    /// Whether it was stopped because others wait.
    pub(crate) fn turn_is_over(&self) -> bool {
        self.turn_is_over.load(Ordering::Relaxed)
    }

    fn yields(&self) -> Result<bool, Fault> {
        if self.turn_ends.is_none_or(|end| Instant::now() < end) {
            return Ok(false);
        }
        let actor = Actor::system("see whether others wait");
        Ok(self.service.read(&actor, |r| Ok(r.job_is_due(self.service.now())?))?)
    }

    /// Says how far it is, if that was not said a moment ago.
    pub(crate) fn tell(&self, percent: i64, message: &str) -> Result<(), Fault> {
        self.go_on()?;
        {
            let mut told = self.told.lock();
            if told.is_some_and(|at| at.elapsed() < TELL) {
                return Ok(());
            }
            *told = Some(Instant::now());
        }
        if self.yields()? {
            self.turn_is_over.store(true, Ordering::Relaxed);
            self.stopped.store(true, Ordering::Relaxed);
            return Err(Fault::Stopped);
        }
        let actor = Actor::system("say how far a job is");
        if self.service.hold_job(&actor, self.job.id, &self.owner, Some((percent.clamp(0, 99), message)))? {
            return Ok(());
        }
        self.stopped.store(true, Ordering::Relaxed);
        Err(Fault::Stopped)
    }

    /// Whether it is to go on: nobody cancelled it and the server does not stop.
    pub(crate) fn go_on(&self) -> Result<(), Fault> {
        if self.stopped.load(Ordering::Relaxed) { Err(Fault::Stopped) } else { Ok(()) }
    }
}
