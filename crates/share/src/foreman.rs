//! Takes jobs from the queue and has them done, several at a time, each on a thread.

use crate::plan::Plan;
use crate::work::{End, Work};
use crate::{Fault, task};
use parking_lot::Mutex;
use pisax_access::Actor;
use pisax_model::job::{Job, Status, Task};
use pisax_service::Service;
use pisax_store::presence::Presence;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Jobs done at a time. Most of them wait for somebody else.
const JOBS: usize = 8;
/// The same with those that go on for ever: servers that are followed.
const MOST: usize = 300;
/// How often the queue is looked into when nothing is committed: for what falls due.
const LOOK: Duration = Duration::from_millis(500);
/// How often it is looked into at most.
const PAUSE: Duration = Duration::from_millis(20);
/// How often leases are renewed; a third of what they last.
const RENEW: Duration = Duration::from_secs(6);
/// How long jobs that are under way may take to hear that the server stops.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often finished jobs are forgotten.
const FORGET: Duration = Duration::from_secs(3600);

/// Tells the foreman to stop.
#[derive(Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Who does the jobs of one process.
pub struct Foreman {
    service: Arc<Service>,
    /// Who holds the leases: this process.
    owner: Arc<str>,
    stop: Stop,
    /// What is being done, with the flag that stops it.
    under_way: Arc<Mutex<HashMap<i64, UnderWay>>>,
}

struct UnderWay {
    stopped: Arc<AtomicBool>,
    /// It goes on for as long as it can, and takes nobody's turn.
    lasting: bool,
}

impl Foreman {
    pub fn new(service: Arc<Service>, stop: Stop) -> Self {
        let owner = format!("{}-{}", std::process::id(), pisax_model::ids::new_uuid(service.clock.now_ms()));
        Self { service, owner: owner.into(), stop, under_way: Arc::default() }
    }

    /// Works until it is told to stop. Jobs that are under way then go back into the queue.
    pub fn run(&self) {
        let mut presence = self.join();
        let (mut renewed, mut forgotten) = (Instant::now(), None::<Instant>);
        let mut plan = Plan::default();
        let commits = self.service.store.commits().clone();
        while !self.stop.asked() {
            let mark = commits.mark();
            log("what is due could not be looked up", plan.look(&self.service));
            while self.has_turn() && self.take() {}
            if renewed.elapsed() >= RENEW {
                renewed = Instant::now();
                self.renew();
                if !presence.as_mut().is_some_and(Presence::holds) {
                    presence = self.join_again();
                }
            }
            if forgotten.is_none_or(|at| at.elapsed() >= FORGET) {
                forgotten = Some(Instant::now());
                log("finished jobs could not be forgotten", self.service.forget_jobs(&actor()));
            }
            commits.wait(mark, LOOK);
            // Under a load of small writes it would do nothing but look.
            std::thread::sleep(PAUSE);
        }
        for job in self.under_way.lock().values() {
            job.stopped.store(true, Ordering::Relaxed);
        }
        let since = Instant::now();
        while !self.under_way.lock().is_empty() && since.elapsed() < PATIENCE {
            commits.wait(commits.mark(), Duration::from_millis(100));
        }
        // Those that hang in a call end with the process; somebody else may have them now.
        for id in self.under_way.lock().keys() {
            let message = "Waiting: the server was stopped.";
            log(
                "a job could not be put back",
                self.service.put_back_job(&actor(), *id, &self.owner, 0, message),
            );
        }
    }

    /// Says to other processes that this one is there. Without that, leases say who is.
    fn join(&self) -> Option<Presence> {
        self.service
            .join_workers(&actor())
            .inspect_err(
                |error| tracing::warn!(%error, "jobs of a server that was killed wait for their leases"),
            )
            .ok()
    }

    /// After the place was lost with a connection. What runs here is not of the dead.
    fn join_again(&self) -> Option<Presence> {
        self.service.store.join_workers(|| Ok(())).ok()
    }

    fn has_turn(&self) -> bool {
        let under_way = self.under_way.lock();
        under_way.len() < MOST && under_way.values().filter(|job| !job.lasting).count() < JOBS
    }

    /// Takes a job, if there is one, and begins it.
    fn take(&self) -> bool {
        let job = match self.service.take_job(&actor(), &self.owner) {
            Ok(Some(job)) => job,
            Ok(None) => return false,
            Err(error) => {
                tracing::warn!(%error, "the queue of jobs could not be looked into");
                return false;
            }
        };
        let stopped = Arc::new(AtomicBool::new(false));
        let lasting = job.job_type == Task::Follow.name();
        self.under_way.lock().insert(job.id, UnderWay { stopped: Arc::clone(&stopped), lasting });
        let (service, owner, under_way) =
            (Arc::clone(&self.service), Arc::clone(&self.owner), Arc::clone(&self.under_way));
        let stop = self.stop.clone();
        let id = job.id;
        let started = std::thread::Builder::new().name(format!("job-{id}")).spawn(move || {
            let work = Work::new(Arc::clone(&service), job, Arc::clone(&owner), stopped);
            perform(&work, &service, &owner, &stop);
            under_way.lock().remove(&id);
            service.store.commits().fire();
        });
        if let Err(error) = started {
            tracing::error!(%error, "there is no thread for a job");
            self.under_way.lock().remove(&id);
            let at = self.service.now() + 60;
            log(
                "a job could not be put back",
                self.service.put_back_job(&actor(), id, &self.owner, at, "Waiting."),
            );
        }
        true
    }

    fn renew(&self) {
        let jobs: Vec<_> =
            self.under_way.lock().iter().map(|(id, job)| (*id, Arc::clone(&job.stopped))).collect();
        for (id, stopped) in jobs {
            match self.service.hold_job(&actor(), id, &self.owner, None) {
                Ok(true) => {}
                Ok(false) => stopped.store(true, Ordering::Relaxed),
                Err(error) => tracing::warn!(%error, id, "the lease of a job could not be renewed"),
            }
        }
    }
}

fn actor() -> Actor {
    Actor::system("do jobs")
}

fn log<T>(what: &str, result: pisax_service::Result<T>) {
    if let Err(error) = result {
        tracing::warn!(%error, "{what}");
    }
}

/// Does a job and writes down how it ended.
fn perform(work: &Work, service: &Service, owner: &str, stop: &Stop) {
    let job: &Job = &work.job;
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| task::perform(work)));
    let (id, actor) = (job.id, actor());
    let told = match done {
        Ok(Ok(End::Done(message))) => service.end_job(&actor, id, owner, Status::Completed, &message),
        Ok(Ok(End::Later(at, message))) => service.put_back_job(&actor, id, owner, at, &message),
        Ok(Err(Fault::Stopped)) if stop.asked() => {
            service.put_back_job(&actor, id, owner, 0, "Waiting: the server was stopped.")
        }
        Ok(Err(Fault::Stopped)) => service.end_job(&actor, id, owner, Status::Failed, "Cancelled."),
        Ok(Err(fault)) => {
            tracing::warn!(job = id, kind = job.job_type, input = job.job_input, %fault, "a job failed");
            service.end_job(&actor, id, owner, Status::Failed, &fault.to_string())
        }
        Err(_) => {
            tracing::error!(job = id, kind = job.job_type, input = job.job_input, "a job broke off");
            service.end_job(
                &actor,
                id,
                owner,
                Status::Failed,
                "It broke off; the log of the server says why.",
            )
        }
    };
    log("the end of a job could not be written down", told);
}
