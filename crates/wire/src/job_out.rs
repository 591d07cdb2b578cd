//! Jobs in MISP's shape.

use crate::json::{JsonWriter, k};
use pisax_model::job::{Job, Status};

/// `{"Job":{…}}`
pub fn write_job(w: &mut JsonWriter<'_>, job: &Job) {
    let words = match job.status {
        Status::Waiting => "Waiting",
        Status::Running => "Running",
        Status::Failed => "Failed",
        Status::Completed => "Completed",
    };
    w.begin_object();
    w.name(k!("Job"));
    w.begin_object();
    w.num(k!("id"), job.id);
    w.text(k!("worker"), &job.worker);
    w.text(k!("job_type"), &job.job_type);
    w.text(k!("job_input"), &job.job_input);
    w.num(k!("status"), job.status as i64);
    w.num(k!("retries"), 0);
    w.text(k!("message"), &job.message);
    w.num(k!("progress"), job.progress);
    w.num(k!("org_id"), job.org_id);
    w.text_or_null(k!("process_id"), None);
    w.datetime(k!("date_created"), job.created);
    w.datetime(k!("date_modified"), job.modified);
    w.text(k!("job_status"), words);
    w.end_object();
    w.end_object();
}
