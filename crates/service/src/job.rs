//! What was asked for and waits: put into the durable queue here, done by whoever takes it (`pisax-share`).

use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
use pisax_model::job::{Job, Status, Task};
use pisax_store::presence::Presence;

/// How long finished jobs are shown, in seconds.
const KEPT: i64 = 7 * 24 * 3600;

/// Takes jobs out of the list; returns how many.
pub fn clear(service: &Service, actor: &Actor, done_only: bool) -> Result<u64> {
    rules::site_admin(actor)?;
    service.write(actor, |w| Ok(w.clear_jobs(done_only)?))
}

/// Cancels a job; one that is over stays as it is.
pub fn cancel(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        w.job(id)?.ok_or(Error::NotFound("job"))?;
        if w.cancel_job(id)? { Ok(()) } else { Err(Error::Refused("The job is over.".into())) }
    })
}

/// Puts a task into the queue, not to be begun before `run_after` (Unix seconds); returns the job's number. The
/// caller has decided that the actor may.
pub fn queue(service: &Service, actor: &Actor, task: Task, input: &str, run_after: i64) -> Result<i64> {
    let id = service.write(actor, |w| Ok(w.queue_job(task, input, "Waiting.", run_after)?))?;
    // Those who do jobs listen for commits.
    service.store.commits().fire();
    Ok(id)
}

/// What those who do jobs need.
impl Service {
    /// The next job that is due, now `owner`'s.
    pub fn take_job(&self, actor: &Actor, owner: &str) -> Result<Option<Job>> {
        // Looking is cheap, taking is a transaction.
        if !self.read(actor, |r| Ok(r.job_is_due(self.now())?))? {
            return Ok(None);
        }
        self.write(actor, |w| Ok(w.take_job(owner)?))
    }

    /// Takes a place among those who do jobs, of this process or another. What the dead left undone waits again.
    pub fn join_workers(&self, actor: &Actor) -> Result<Presence> {
        Ok(self.store.join_workers(|| {
            let taken_up = self.store.write(actor, self.clock.now_ms(), |w| w.take_up_jobs())?;
            if taken_up > 0 {
                tracing::info!(jobs = taken_up, "taken up what was being done when this server ended");
            }
            Ok(())
        })?)
    }

    /// Keeps the lease of a job. `false`: it is to be given up.
    pub fn hold_job(
        &self,
        actor: &Actor,
        id: i64,
        owner: &str,
        progress: Option<(i64, &str)>,
    ) -> Result<bool> {
        self.write(actor, |w| Ok(w.hold_job(id, owner, progress)?))
    }

    pub fn end_job(&self, actor: &Actor, id: i64, owner: &str, status: Status, message: &str) -> Result<()> {
        self.write(actor, |w| Ok(w.end_job(id, owner, status, message)?))
    }

    pub fn put_back_job(&self, actor: &Actor, id: i64, owner: &str, at: i64, message: &str) -> Result<()> {
        self.write(actor, |w| Ok(w.put_back_job(id, owner, at, message)?))
    }

    /// Removes what was done long ago.
    pub fn forget_jobs(&self, actor: &Actor) -> Result<u64> {
        let before = self.now() - KEPT;
        self.write(actor, |w| Ok(w.forget_jobs(before)?))
    }
}
