//! What was asked for and waits to be done.

use crate::changes::{Action, Noun};
use crate::conn::Row;
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::job::{Job, Status};
use rustc_hash::FxHashMap;

const COLUMNS: &str = "id, worker, job_type, job_input, status, message, progress, org_id, created, modified";

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
        created: row.int(8)?,
        modified: row.int(9)?,
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

    pub fn job(&mut self, id: i64) -> Result<Option<Job>> {
        let sql = format!("select {COLUMNS} from jobs where id = $1 and {}", self.sees_job());
        self.conn.first(&sql, &[id.into()], read)
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
    /// Puts a job into a queue; one that waits for the same already stands for both. Returns its number.
    pub fn queue_job(&mut self, worker: &str, job_type: &str, input: &str, message: &str) -> Result<i64> {
        let waiting = Status::Waiting as i64;
        let sql = format!(
            "select id from jobs where status = {waiting} and job_type = $1 and worker = $2 and job_input = $3"
        );
        let same = [job_type.into(), worker.into(), input.into()];
        if let Some(id) = self.conn.first(&sql, &same, |row| row.int(0))? {
            return Ok(id);
        }
        let id = dialect::allocate(&mut self.conn, "jobs", 1)?[0];
        let (now, org) = (self.now(), self.actor.org_id);
        let sql = format!("insert into jobs ({COLUMNS}) values {}", list::places(1, 10));
        let args = [
            id.into(),
            worker.into(),
            job_type.into(),
            input.into(),
            waiting.into(),
            message.into(),
            0.into(),
            org.into(),
            now.into(),
            now.into(),
        ];
        self.conn.execute(&sql, &args)?;
        let change = self.changed(Noun::Job, Action::Add, Uuid::nil(), 0);
        change.of(id, job_type).field("job_input", "", input);
        Ok(id)
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
