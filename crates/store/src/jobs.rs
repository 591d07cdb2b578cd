//! The durable queue: what was asked for, who is doing it, and how far it is. Who takes a job holds a lease; when
//! it ends without his word (he was killed), another takes the job up; where nobody else is there to do jobs, at
//! once ([`crate::presence`]). No two do the same for the same input at a time. Several processes share the queue.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::job::{Job, Status, Task};
use rustc_hash::FxHashMap;

const COLUMNS: &str = "id, worker, job_type, job_input, status, message, progress, org_id, user_id, attempts, \
     run_after, created, modified";

/// How often a job is begun before it counts as failed: one that kills whoever does it would go on for ever.
const ATTEMPTS: i64 = 5;
/// Seconds that a lease lasts.
pub const LEASE: i64 = 20;

fn read(row: &Row<'_>) -> Result<Job> {
    Ok(Job {
        id: row.int(0)?,
        worker: row.string(1)?,
        job_type: row.string(2)?,
        job_input: row.string(3)?,
        status: Status::from_code(row.int(4)?).ok_or(Error::Damaged("the status of a job"))?,
        message: row.string(5)?,
        progress: row.int(6)?,
        org_id: row.int(7)?,
        user_id: row.int(8)?,
        attempts: row.int(9)?,
        run_after: row.int(10)?,
        created: row.int(11)?,
        modified: row.int(12)?,
    })
}

impl Reader<'_> {
    /// Newest first; an organisation's own, and all for site admins.
    pub fn jobs(&mut self, queue: Option<&str>, limit: i64, offset: i64) -> Result<Vec<Job>> {
        let sees = self.sees_job();
        let sql = format!(
            "select {COLUMNS} from jobs where {sees} and ($1 = '' or worker = $1) \
             order by id desc limit {limit} offset {offset}"
        );
        self.conn.all(&sql, &[queue.unwrap_or_default().into()], read)
    }

    /// What is being done and what waits, the first begun or asked for first.
    pub fn jobs_under_way(&mut self, limit: i64) -> Result<Vec<Job>> {
        let (waiting, running) = (Status::Waiting as i64, Status::Running as i64);
        let sql = format!(
            "select {COLUMNS} from jobs where {} and status in ({waiting}, {running}) \
             order by case status when {running} then 0 else 1 end, run_after, id limit {limit}",
            self.sees_job()
        );
        self.conn.all(&sql, &[], read)
    }

    /// What is over, the last ended first.
    pub fn jobs_over(&mut self, limit: i64, offset: i64) -> Result<Vec<Job>> {
        let (failed, completed) = (Status::Failed as i64, Status::Completed as i64);
        let sql = format!(
            "select {COLUMNS} from jobs where {} and status in ({failed}, {completed}) \
             order by modified desc, id desc limit {limit} offset {offset}",
            self.sees_job()
        );
        self.conn.all(&sql, &[], read)
    }

    /// How many jobs are under way, and how many are over.
    pub fn count_jobs(&mut self) -> Result<(i64, i64)> {
        let (failed, completed) = (Status::Failed as i64, Status::Completed as i64);
        let sql = format!(
            "select count(case when status in ({failed}, {completed}) then null else 1 end), \
             count(case when status in ({failed}, {completed}) then 1 else null end) from jobs where {}",
            self.sees_job()
        );
        Ok(self.conn.first(&sql, &[], |row| Ok((row.int(0)?, row.int(1)?)))?.unwrap_or_default())
    }

    pub fn job(&mut self, id: i64) -> Result<Option<Job>> {
        let sql = format!("select {COLUMNS} from jobs where id = $1 and {}", self.sees_job());
        self.conn.first(&sql, &[id.into()], read)
    }

    /// Whether the same waits or is being done.
    pub fn has_job(&mut self, task: Task, input: &str, now: i64) -> Result<bool> {
        let (waiting, running) = (Status::Waiting as i64, Status::Running as i64);
        let sql = format!(
            "select 1 from jobs where job_type = $1 and job_input = $2 and (status = {waiting} \
             or (status = {running} and lease_until >= $3)) limit 1"
        );
        let args = [task.name().into(), input.into(), now.into()];
        Ok(self.conn.first(&sql, &args, |row| row.int(0))?.is_some())
    }

    /// Whether there is something to take: a job that is due, or one whose lease has ended.
    pub fn job_is_due(&mut self, now: i64) -> Result<bool> {
        let (waiting, running) = (Status::Waiting as i64, Status::Running as i64);
        let sql = format!(
            "select 1 from jobs where (status = {waiting} and run_after <= $1) \
             or (status = {running} and lease_until < $1) limit 1"
        );
        Ok(self.conn.first(&sql, &[now.into()], |row| row.int(0))?.is_some())
    }

    fn sees_job(&self) -> String {
        if self.actor.sees_all() { "1 = 1".into() } else { format!("org_id = {}", self.actor.org_id) }
    }

    /// How many jobs wait, by queue.
    pub fn waiting_jobs(&mut self) -> Result<FxHashMap<String, i64>> {
        let sql = format!(
            "select worker, count(*) from jobs where status = {} group by worker",
            Status::Waiting as i64
        );
        Ok(self.conn.all(&sql, &[], |row| Ok((row.string(0)?, row.int(1)?)))?.into_iter().collect())
    }
}

impl Writer<'_> {
    /// Puts a task into its queue, on behalf of the actor, not to be begun before `run_after` (Unix seconds); one
    /// that waits for the same stands for both, at the earlier time. Returns its number.
    pub fn queue_job(&mut self, task: Task, input: &str, message: &str, run_after: i64) -> Result<i64> {
        let waiting = Status::Waiting as i64;
        let sql = format!(
            "update jobs set run_after = case when run_after < $3 then run_after else $3 end \
             where status = {waiting} and job_type = $1 and job_input = $2 returning id"
        );
        if let Some(id) =
            self.conn.first(&sql, &[task.name().into(), input.into(), run_after.into()], |row| row.int(0))?
        {
            return Ok(id);
        }
        let id = dialect::allocate(&mut self.conn, "jobs", 1)?[0];
        let (now, org, user) = (self.now(), self.actor.org_id, self.actor.user_id);
        let sql = format!("insert into jobs ({COLUMNS}) values {}", list::places(1, 13));
        let args = [
            id.into(),
            task.queue().into(),
            task.name().into(),
            input.into(),
            waiting.into(),
            message.into(),
            0.into(),
            org.into(),
            user.into(),
            0.into(),
            run_after.into(),
            now.into(),
            now.into(),
        ];
        self.conn.execute(&sql, &args)?;
        // What the platform does by itself every few minutes would drown what people did.
        if user > 0 {
            let change = self.changed(Noun::Job, Action::Add, Uuid::nil(), 0);
            change.of(id, task.name()).field("job_input", "", input);
        }
        Ok(id)
    }

    /// Takes the next job that is due, or whose lease has ended, for `owner`. `None`: there is nothing to do.
    pub fn take_job(&mut self, owner: &str) -> Result<Option<Job>> {
        let (waiting, running) = (Status::Waiting as i64, Status::Running as i64);
        let now = self.now();
        let skip = if self.conn.is_lite() { "" } else { " for update skip locked" };
        let sql = format!(
            "update jobs set status = {running}, owner = $1, lease_until = $2, attempts = attempts + 1, modified = $3 \
             where id = (select j.id from jobs j where ((j.status = {waiting} and j.run_after <= $3) \
               or (j.status = {running} and j.lease_until < $3)) \
               and not exists (select 1 from jobs o where o.job_type = j.job_type and o.job_input = j.job_input \
                 and o.id <> j.id and o.status = {running} and o.lease_until >= $3) \
               order by case j.worker when 'prio' then 0 when 'default' then 1 else 2 end, j.id limit 1{skip}) \
             returning {COLUMNS}"
        );
        let taken = self.conn.first(&sql, &[owner.into(), (now + LEASE).into(), now.into()], read)?;
        match taken {
            Some(job) if job.attempts > ATTEMPTS => {
                let why = format!("Given up: it was begun {ATTEMPTS} times and never came to an end.");
                self.end_job(job.id, owner, Status::Failed, &why)?;
                self.take_job(owner)
            }
            taken => Ok(taken),
        }
    }

    /// Says how far a job is and keeps its lease. `false`: it is no longer the owner's, or somebody cancelled it;
    /// he is to stop.
    pub fn hold_job(&mut self, id: i64, owner: &str, progress: Option<(i64, &str)>) -> Result<bool> {
        let now = self.now();
        let running = Status::Running as i64;
        let (percent, message) = progress.unwrap_or((-1, ""));
        let sql = format!(
            "update jobs set lease_until = $3, modified = $4, \
               progress = case when $5 < 0 then progress else $5 end, \
               message = case when $5 < 0 then message else $6 end \
             where id = $1 and owner = $2 and status = {running} and cancelled = 0"
        );
        let args =
            [id.into(), owner.into(), (now + LEASE).into(), now.into(), percent.into(), message.into()];
        Ok(self.conn.execute(&sql, &args)? > 0)
    }

    /// The end of a job, with what came of it.
    pub fn end_job(&mut self, id: i64, owner: &str, status: Status, message: &str) -> Result<()> {
        let done = i64::from(status == Status::Completed);
        let sql = "update jobs set status = $3, message = $4, progress = case when $5 = 1 then 100 else progress end, \
                   lease_until = 0, modified = $6 where id = $1 and owner = $2";
        let now = self.now();
        let args =
            [id.into(), owner.into(), Val::Int(status as i64), message.into(), done.into(), now.into()];
        self.conn.execute(sql, &args)?;
        Ok(())
    }

    /// Puts every job that is being done back into the queue: for who knows that nobody does them any more. How
    /// often they were begun is not forgotten. Returns how many.
    pub fn take_up_jobs(&mut self) -> Result<u64> {
        let (waiting, running) = (Status::Waiting as i64, Status::Running as i64);
        let sql = format!(
            "update jobs set status = {waiting}, owner = '', lease_until = 0, run_after = 0 \
             where status = {running}"
        );
        self.conn.execute(&sql, &[])
    }

    /// Gives a job back, to be begun again at `run_after`. It came to an end of a kind: what comes is a new attempt.
    pub fn put_back_job(&mut self, id: i64, owner: &str, run_after: i64, message: &str) -> Result<()> {
        let waiting = Status::Waiting as i64;
        let sql = format!(
            "update jobs set status = {waiting}, owner = '', lease_until = 0, attempts = 0, run_after = $3, \
               message = $4 where id = $1 and owner = $2 and cancelled = 0"
        );
        let args = [id.into(), owner.into(), run_after.into(), message.into()];
        self.conn.execute(&sql, &args)?;
        Ok(())
    }

    /// Cancels a job: one that waits is over at once, one that is being done when its owner next asks. `false`:
    /// it is over already.
    pub fn cancel_job(&mut self, id: i64) -> Result<bool> {
        let (waiting, running, failed) =
            (Status::Waiting as i64, Status::Running as i64, Status::Failed as i64);
        let now = self.now();
        let sql = format!(
            "update jobs set cancelled = 1, message = 'Cancelled.', modified = $2, \
               status = case when status = {waiting} then {failed} else status end \
             where id = $1 and status in ({waiting}, {running})"
        );
        let cancelled = self.conn.execute(&sql, &[id.into(), now.into()])? > 0;
        if cancelled {
            self.changed(Noun::Job, Action::Discard, Uuid::nil(), 0).of(id, "cancelled");
        }
        Ok(cancelled)
    }

    /// Removes finished jobs that ended before `before` (Unix seconds); they are no record of what happened.
    pub fn forget_jobs(&mut self, before: i64) -> Result<u64> {
        let (failed, completed) = (Status::Failed as i64, Status::Completed as i64);
        let sql = format!("delete from jobs where status in ({failed}, {completed}) and modified < $1");
        self.conn.execute(&sql, &[before.into()])
    }

    /// Takes jobs out of the list: all of them, or those that are done. Returns how many.
    pub fn clear_jobs(&mut self, done_only: bool) -> Result<u64> {
        let completed = Status::Completed as i64;
        let sql = if done_only {
            format!("delete from jobs where status = {completed}")
        } else {
            "delete from jobs".to_owned()
        };
        let cleared = self.conn.execute(&sql, &[])?;
        if cleared > 0 {
            let change = self.changed(Noun::Job, Action::Delete, Uuid::nil(), 0);
            change.of(0, if done_only { "completed jobs" } else { "all jobs" });
        }
        Ok(cleared)
    }
}
