//! One connected server: /servers/view/{id}, and its buttons.

use axum::response::Response;
use http::StatusCode;
use pisax_model::job::Task;
use pisax_model::peer::{Direction, Entry, Outcome, Subject};
use pisax_model::server::Server;
use pisax_model::transit::Guard;
use pisax_service::peer as service;
use pisax_share::{look, terms};
use pisax_store::peers::LedgerFilter;

use super::failure::Failure;
use super::notice::Notice;
use super::server_list::{counts, exchange, ways};
use super::visit::Visit;
use super::{jobs, reply};
use crate::{Area, Flash, JobRow, LedgerRow, LedgerView, Paging, ServerPage, Time, links, words};

const PER_PAGE: u64 = 50;
/// Jobs looked through for those of the server.
const JOBS: i64 = 500;

/// The server the path names.
pub(crate) fn server(visit: &Visit<'_>) -> Result<Server, Failure> {
    Ok(service::server(visit.service(), visit.actor(), visit.number()?)?)
}

/// GET /servers/view/{id}
pub(crate) fn view(visit: &Visit<'_>) -> Result<Response, Failure> {
    let server = server(visit)?;
    reply::page(StatusCode::OK, &page(visit, server)?)
}

/// GET of an address that only takes a form.
pub(crate) fn to_the_server(visit: &Visit<'_>) -> Result<Response, Failure> {
    Ok(reply::redirect(&links::server(server(visit)?.id)))
}

/// POST /servers/testConnection/{id}: the page with what was found.
pub(crate) fn test(visit: &Visit<'_>) -> Result<Response, Failure> {
    let server = server(visit)?;
    let told = told(&look::test(visit.service(), server.clone()));
    let mut page = page(visit, server)?;
    page.chrome.flashes.push(told);
    reply::page(StatusCode::OK, &page)
}

/// What a test found, in words.
fn told(tested: &look::Tested) -> Flash {
    let version = &tested.version.version;
    let software = if tested.version.native.is_some() { "PISAX" } else { "MISP" };
    match tested.status {
        1 if tested.post == 1 => Flash::done(format!(
            "It answers as {software} (MISP {version}), takes our key, and what is sent arrives as it was."
        )),
        1 => Flash::failed(format!(
            "It answers as {software} (MISP {version}) and takes our key, but what is sent does not arrive as it was: \
             something between may change it. {}",
            words::sentence(&tested.why)
        )),
        7 => Flash::failed(
            "It answers and takes our key, but the user of the key may not synchronise. Its operators can give it a \
             role that may.",
        ),
        8 => Flash::waiting(
            "It answers and takes our key; the user of the key may send sightings and nothing else.",
        ),
        _ => Flash::failed(format!("{} {}", words::sentence(&tested.why), words::advice(&tested.why))),
    }
}

/// POST /servers/pull/{id}
pub(crate) fn pull(visit: &Visit<'_>) -> Result<Response, Failure> {
    queue(visit, Task::Pull, "full", Notice::PullQueued)
}

/// POST /servers/push/{id}: everything, since what was published last goes by itself.
pub(crate) fn push(visit: &Visit<'_>) -> Result<Response, Failure> {
    queue(visit, Task::Push, "full", Notice::PushQueued)
}

fn queue(visit: &Visit<'_>, task: Task, technique: &str, notice: Notice) -> Result<Response, Failure> {
    let id = visit.number()?;
    service::queue(visit.service(), visit.actor(), task, id, technique)?;
    Ok(notice.on(reply::redirect(&links::server(id)), visit.pages))
}

fn page(visit: &Visit<'_>, server: Server) -> Result<ServerPage, Failure> {
    let now = visit.service().now();
    let names = jobs::names(visit)?;
    let asked = Asked::of(visit);
    let guard = match terms::guard(visit.service(), &server) {
        Ok(guard) => guarded(&guard),
        Err(fault) => words::sentence(&fault.to_string()),
    };
    let files = visit.service().server_files(server.id)?;
    let page = visit.service().read(visit.actor(), |r| {
        let org = r.orgs_of_servers(std::slice::from_ref(&server))?.remove(&server.remote_org_id);
        let kept = r.peer_state(server.id)?;
        let of_this = |job: &pisax_model::job::Job| jobs::server_of(job) == Some(server.id);
        let under_way = r.jobs_under_way(JOBS)?.into_iter().filter(of_this);
        let jobs: Vec<JobRow> = under_way.map(|job| jobs::row(job, &names, now)).collect();
        let mut filter = asked.filter(server.id);
        let paging = asked.paging(server.id, r.count_ledger(&filter)?.max(0) as u64, visit.query.page());
        filter.offset = paging.first().saturating_sub(1) as i64;
        let mut rows = Vec::new();
        let entries = r.ledger(&filter)?;
        let uuids: Vec<_> = entries.iter().filter(|entry| of_event(entry)).map(|entry| entry.uuid).collect();
        let here = r.events_by_uuids(&uuids)?;
        for entry in entries {
            let event = here.iter().find(|event| of_event(&entry) && event.uuid == entry.uuid);
            rows.push(row(entry, event.map(|event| links::event(event.id)), now));
        }
        Ok(ServerPage {
            chrome: visit.chrome(Area::Servers),
            id: server.id,
            org: org.map(|org| org.name).unwrap_or_default(),
            ways: ways(&server),
            internal: server.internal,
            pulls: server.pull,
            pushes: server.push || server.push_sightings || server.push_galaxy_clusters,
            trust: trust(&server, &files),
            guard,
            exchange: exchange(&kept, now),
            jobs,
            counts: counts(server.id, r.ledger_counts(server.id)?),
            ledger: LedgerView {
                direction: asked.direction.map_or("", Direction::name).to_owned(),
                outcome: asked.outcome.map_or("", Outcome::name).to_owned(),
                kind: asked.subject.map_or("", Subject::name).to_owned(),
                rows,
                paging,
            },
            name: server.name.clone(),
            url: server.url.clone(),
        })
    })?;
    Ok(page)
}

fn trust(server: &Server, files: &service::Files) -> String {
    let theirs = match (&files.authority, server.self_signed) {
        (Some(_), _) => "its certificate by the authority given for it",
        (None, true) => "any certificate it shows",
        (None, false) => "its certificate as this machine trusts it",
    };
    match files.identity {
        Some(_) => {
            format!("{}; we show a certificate of ours", words::sentence(theirs).trim_end_matches('.'))
        }
        None => words::sentence(theirs),
    }
}

/// What a guard holds back, in a line.
fn guarded(guard: &Guard) -> String {
    let mut parts = Vec::new();
    if let Some(ceiling) = guard.ceiling {
        parts.push(format!("nothing above {}", ceiling.tag()));
    }
    let lists = [
        (guard.required_tags.len(), "tag required", "tags required"),
        (guard.blocked_tags.len(), "tag", "tags"),
        (guard.blocked_distributions.len(), "distribution", "distributions"),
        (guard.blocked_groups.len(), "sharing group", "sharing groups"),
        (guard.blocked_types.len(), "type", "types"),
        (guard.blocked_categories.len(), "category", "categories"),
        (guard.blocked_objects.len(), "kind of object", "kinds of objects"),
    ];
    for (number, one, many) in lists.into_iter().filter(|(number, ..)| *number > 0) {
        let held = if one.ends_with("required") { "" } else { " held back" };
        parts.push(format!("{}{held}", words::counted(number as u64, one, many)));
    }
    if let Some(groups) = &guard.allowed_groups {
        let groups = words::counted(groups.len() as u64, "sharing group", "sharing groups");
        parts.push(format!("of sharing groups only {groups}"));
    }
    if parts.is_empty() {
        "Holds back compartments alone.".to_owned()
    } else {
        words::sentence(&parts.join("; "))
    }
}

/// What of the ledger is asked for. What is no word of it asks for all.
#[derive(Default)]
struct Asked {
    direction: Option<Direction>,
    outcome: Option<Outcome>,
    subject: Option<Subject>,
}

impl Asked {
    fn of(visit: &Visit<'_>) -> Self {
        let (direction, outcome, kind) =
            (visit.query.get("direction"), visit.query.get("outcome"), visit.query.get("kind"));
        Self {
            direction: Direction::ALL.into_iter().find(|d| d.name() == direction),
            outcome: Outcome::ALL.into_iter().find(|o| o.name() == outcome),
            subject: Subject::ALL.into_iter().find(|s| s.name() == kind),
        }
    }

    fn filter(&self, id: i64) -> LedgerFilter {
        LedgerFilter {
            server_id: Some(id),
            direction: self.direction,
            subject: self.subject,
            outcome: self.outcome,
            uuid: None,
            limit: PER_PAGE as i64,
            offset: 0,
        }
    }

    fn paging(&self, id: i64, total: u64, page: u64) -> Paging {
        let query = [
            ("direction", self.direction.map(Direction::name)),
            ("outcome", self.outcome.map(Outcome::name)),
            ("kind", self.subject.map(Subject::name)),
        ];
        let query = query.into_iter().filter_map(|(name, word)| Some((name.to_owned(), word?.to_owned())));
        let paging = Paging {
            page,
            per_page: PER_PAGE,
            total,
            noun: "records",
            path: links::server(id),
            query: query.collect(),
            anchor: "ledger",
        };
        paging.within()
    }
}

/// Whether its uuid is an event's.
fn of_event(entry: &Entry) -> bool {
    matches!(entry.subject, Subject::Event | Subject::Sightings | Subject::Proposals)
}

fn row(entry: Entry, url: Option<String>, now: i64) -> LedgerRow {
    LedgerRow {
        at: Time::ago(entry.at, now),
        direction: words::direction(entry.direction),
        kind: words::subject(entry.subject),
        title: entry.title,
        uuid: entry.uuid.to_string(),
        url,
        outcome: words::outcome(entry.direction, entry.outcome),
        class: words::outcome_class(entry.outcome),
        reason: words::sentence(&entry.reason),
        attempts: entry.attempts.max(0) as u64,
        retry: (entry.retry_at > 0).then(|| Time::ahead(entry.retry_at, now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::transit::Tlp;

    #[test]
    fn a_guard_is_told_in_a_line() {
        assert_eq!(guarded(&Guard::default()), "Holds back compartments alone.");
        let guard = Guard {
            ceiling: Some(Tlp::Green),
            required_tags: vec!["a".into()],
            blocked_tags: vec!["b".into(), "c".into()],
            ..Guard::default()
        };
        assert_eq!(guarded(&guard), "Nothing above tlp:green; 1 tag required; 2 tags held back.");
    }

    #[test]
    fn a_test_is_told_with_what_to_do() {
        let tested = |status, why: &str| look::Tested {
            status,
            version: Default::default(),
            post: 1,
            encoding: None,
            why: why.to_owned(),
        };
        assert_eq!(told(&tested(1, "")).class(), "done");
        let refused = told(&tested(4, "it answered 403: Authentication failed"));
        assert!(refused.class() == "failed" && refused.text.contains("Check the key"));
        assert!(told(&tested(7, "")).text.contains("may not synchronise"));
    }
}
