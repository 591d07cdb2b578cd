//! `/jobs/…` and the workers of MISP's clients: what waits, and that nobody is needed to do it.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, list, number, saved};
use crate::request::Request;
use pisax_model::job::{QUEUES, Status};
use pisax_service::job as service;
use pisax_wire::JsonWriter;
use pisax_wire::job_out::write_job;
use rustc_hash::FxHashMap;

const INVALID: &str = "Invalid job";
const PAGE: i64 = 60;

/// GET /jobs/index[/{queue}][/limit:…/page:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let count = |name: &str| request.path.named(name).and_then(|t| t.parse::<i64>().ok()).filter(|n| *n > 0);
    let limit = count("limit").unwrap_or(PAGE).min(9999);
    let offset = limit * (count("page").unwrap_or(1).min(1_000_000) - 1);
    let queue = request.path.arg(0);
    let jobs = request.service.read(&request.actor, |r| Ok(r.jobs(queue, limit, offset)?))?;
    Ok(list(&jobs, write_job))
}

/// GET /jobs/getProgress/{id}: percent.
pub(crate) fn progress(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let job = request.service.read(&request.actor, |r| Ok(r.job(id)?))?.ok_or(Failure::NotFound(INVALID))?;
    let progress = if job.status == Status::Completed { 100 } else { job.progress };
    Ok(document(|w| w.str_num(progress)))
}

/// GET /jobs/getGenerateCorrelationProgress: correlations are there when an attribute is.
pub(crate) fn correlation_progress(_: &Request) -> Result<Answer, Failure> {
    Ok(document(|w| w.int(100)))
}

/// POST /jobs/clearJobs[/{all|completed}]
pub(crate) fn clear(request: &Request) -> Result<Answer, Failure> {
    let done_only = request.path.arg(0).unwrap_or("completed") != "all";
    service::clear(&request.service, &request.actor, done_only)?;
    let message = if done_only { "All completed jobs have been purged" } else { "All jobs have been purged" };
    Ok(saved(request, message))
}

/// The queues, each well as long as nothing waits in it. There are no worker processes: what PISAX does, it does
/// when it is asked.
pub(crate) fn write_workers(w: &mut JsonWriter<'_>, waiting: &FxHashMap<String, i64>) {
    w.begin_object();
    for queue in QUEUES {
        let jobs = waiting.get(queue).copied().unwrap_or(0);
        w.key(queue);
        w.begin_object();
        w.key("ok");
        w.bool(jobs == 0);
        w.key("workers");
        w.begin_array();
        w.end_array();
        w.key("jobCount");
        w.int(jobs);
        w.end_object();
    }
    for (name, flag) in [("proc_accessible", false), ("controls", false), ("supervisord_status", false)] {
        w.key(name);
        w.bool(flag);
    }
    w.end_object();
}

/// GET /servers/getWorkers
pub(crate) fn workers(request: &Request) -> Result<Answer, Failure> {
    let waiting = request.service.read(&request.actor, |r| Ok(r.waiting_jobs()?))?;
    Ok(document(|w| write_workers(w, &waiting)))
}

/// POST /servers/startWorker/{queue}, stopWorker/{pid}, restartWorkers, restartDeadWorkers, killAllWorkers
pub(crate) fn no_workers(_: &Request) -> Result<Answer, Failure> {
    Err(Failure::NotAllowed("There are no workers to start or stop: background jobs are not enabled.".into()))
}
