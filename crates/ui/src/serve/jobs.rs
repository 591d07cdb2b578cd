//! GET /jobs/index and POST /jobs/cancel/{id}: what is done later, is being done and was done.

use axum::response::Response;
use http::StatusCode;
use pisax_model::job::{Job, Status, Task};
use pisax_service::{job as service, server};
use rustc_hash::FxHashMap;

use super::failure::Failure;
use super::notice::Notice;
use super::reply;
use super::visit::Visit;
use crate::{Area, JobList, JobRow, JobState, Paging, Time, links, words};

/// Jobs under way that are shown.
const UNDER_WAY: i64 = 100;
const PER_PAGE: u64 = 30;

/// GET /jobs/index
pub(crate) fn list(visit: &Visit<'_>) -> Result<Response, Failure> {
    let names = names(visit)?;
    let now = visit.service().now();
    let page = visit.query.page();
    let list = visit.service().read(visit.actor(), |r| {
        let (open, over) = r.count_jobs()?;
        let paging = paging(over.max(0) as u64, page);
        let under_way = r.jobs_under_way(UNDER_WAY)?;
        let more = (open - under_way.len() as i64).max(0) as u64;
        let offset = paging.first().saturating_sub(1) as i64;
        let over = r.jobs_over(PER_PAGE as i64, offset)?;
        let rows = |jobs: Vec<Job>| jobs.into_iter().map(|job| row(job, &names, now)).collect();
        Ok(JobList {
            chrome: visit.chrome(Area::Jobs),
            under_way: rows(under_way),
            more,
            over: rows(over),
            paging,
        })
    })?;
    reply::page(StatusCode::OK, &list)
}

fn paging(total: u64, page: u64) -> Paging {
    let paging = Paging {
        page,
        per_page: PER_PAGE,
        total,
        noun: "jobs",
        path: links::JOBS.to_owned(),
        query: Vec::new(),
        anchor: "over",
    };
    paging.within()
}

/// GET of an address that only takes a form.
pub(crate) fn to_the_list(_: &Visit<'_>) -> Result<Response, Failure> {
    Ok(reply::redirect(links::JOBS))
}

/// POST /jobs/cancel/{id}
pub(crate) fn cancel(visit: &Visit<'_>) -> Result<Response, Failure> {
    service::cancel(visit.service(), visit.actor(), visit.number()?)?;
    Ok(Notice::JobCancelled.on(reply::redirect(links::JOBS), visit.pages))
}

/// The names of servers by their numbers.
pub(crate) fn names(visit: &Visit<'_>) -> Result<FxHashMap<i64, String>, Failure> {
    let servers = server::list(visit.service(), visit.actor(), None)?;
    Ok(servers.into_iter().map(|server| (server.id, server.name)).collect())
}

/// The server a job is for, if it is for one.
pub(crate) fn server_of(job: &Job) -> Option<i64> {
    match Task::parse(&job.job_type)? {
        Task::Pull | Task::Push | Task::PushPublished => job.job_input.split(' ').next()?.parse().ok(),
        _ => None,
    }
}

pub(crate) fn row(job: Job, names: &FxHashMap<i64, String>, now: i64) -> JobRow {
    let server = server_of(&job);
    let later = job.status == Status::Waiting && job.run_after > now;
    JobRow {
        id: job.id,
        what: what(&job, server.and_then(|id| names.get(&id))),
        url: server.filter(|id| names.contains_key(id)).map(links::server),
        state: match job.status {
            Status::Waiting if later => JobState::Later,
            Status::Waiting => JobState::Waiting,
            Status::Running => JobState::Running,
            Status::Failed => JobState::Failed,
            Status::Completed => JobState::Done,
        },
        percent: job.progress.clamp(0, 100),
        asked: Time::ago(job.created, now),
        changed: Time::ago(job.modified, now),
        next: later.then(|| Time::ahead(job.run_after, now)),
        message: words::sentence(&job.message),
    }
}

/// What a job does, in words.
fn what(job: &Job, server: Option<&String>) -> String {
    let name = server.map_or("a server that is gone", String::as_str);
    let technique = job.job_input.split_once(' ').map_or("", |(_, technique)| technique);
    let which = match technique {
        "" | "full" | "incremental" => String::new(),
        "update" => ", what is here already".to_owned(),
        "pull_relevant_clusters" => ", galaxy clusters".to_owned(),
        event => format!(", event {event}"),
    };
    match Task::parse(&job.job_type) {
        Some(Task::Pull) => format!("Pull from {name}{which}"),
        Some(Task::Push) if technique == "full" => format!("Push to {name}, everything"),
        Some(Task::Push) => format!("Push to {name}{which}"),
        Some(Task::PushPublished) => format!("Push what was published to {name}"),
        _ => format!("{} {}", job.job_type.replace('_', " "), job.job_input),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(kind: &str, input: &str, status: Status, run_after: i64) -> Job {
        Job {
            id: 7,
            worker: "default".into(),
            job_type: kind.into(),
            job_input: input.into(),
            status,
            message: String::new(),
            progress: 40,
            org_id: 1,
            user_id: 1,
            attempts: 0,
            run_after,
            created: 0,
            modified: 0,
        }
    }

    #[test]
    fn a_job_is_told_in_words_and_leads_to_its_server() {
        let names = FxHashMap::from_iter([(3, "IXP North".to_owned())]);
        for (kind, input, told) in [
            ("pull", "3 full", "Pull from IXP North"),
            ("pull", "3 update", "Pull from IXP North, what is here already"),
            ("push", "3 full", "Push to IXP North, everything"),
            ("push", "3 17", "Push to IXP North, event 17"),
            ("publish_event", "3", "Push what was published to IXP North"),
            ("pull", "4 full", "Pull from a server that is gone"),
            ("something_else", "x", "something else x"),
        ] {
            let row = row(job(kind, input, Status::Running, 0), &names, 10);
            assert_eq!(row.what, told);
            assert_eq!(row.url.is_some(), told.contains("IXP"), "{told}");
        }
    }

    #[test]
    fn what_waits_for_a_moment_says_for_which() {
        let names = FxHashMap::default();
        let later = row(job("pull", "1", Status::Waiting, 100), &names, 10);
        assert_eq!((later.state, later.next.is_some()), (JobState::Later, true));
        let now = row(job("pull", "1", Status::Waiting, 10), &names, 10);
        assert_eq!((now.state, now.next), (JobState::Waiting, None));
    }
}
