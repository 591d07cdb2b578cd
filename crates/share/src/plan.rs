//! What is due by itself: pushes of what was just published, pulls from time to time.

use crate::news::News;
use pisax_access::Actor;
use pisax_model::job::Task;
use pisax_model::server::Server;
use pisax_service::{Result, Service, job};
use std::time::{Duration, Instant};

/// How often it is looked whether a pull is due.
const PULLS: Duration = Duration::from_secs(2);
/// How often a server that cannot be followed is asked again whether it can, in seconds.
const ASK: i64 = 24 * 3600;
/// Changes looked at in one go.
const CHANGES: i64 = 1000;

/// Puts what is due into the queue.
#[derive(Default)]
pub(crate) struct Plan {
    /// The newest change that was looked at; none at the start: each peer's own cursor says what it missed.
    seen: Option<i64>,
    pulls: Option<Instant>,
    feeds: crate::feed::plan::Looks,
}

fn actor() -> Actor {
    Actor::system("exchange with other servers")
}

impl Plan {
    pub(crate) fn look(&mut self, service: &Service) -> Result<()> {
        self.pushes(service)?;
        if self.pulls.is_none_or(|at| at.elapsed() >= PULLS) {
            self.pulls = Some(Instant::now());
            pulls(service)?;
            self.feeds.look(service)?;
        }
        Ok(())
    }

    fn pushes(&mut self, service: &Service) -> Result<()> {
        let newest = service.read(&actor(), |r| Ok(r.newest_change()?))?;
        // Who has nobody to push to need not read what changes.
        if !service.read(&actor(), |r| Ok(r.servers(None)?))?.iter().any(pushes) {
            self.seen = Some(newest);
            return Ok(());
        }
        let Some(mut seen) = self.seen else {
            self.seen = Some(newest);
            return queue_pushes(service);
        };
        if newest <= seen {
            return Ok(());
        }
        let mut concerned = false;
        loop {
            let changes = service.read(&actor(), |r| Ok(r.changes_after(seen, CHANGES)?))?;
            let Some(last) = changes.last() else { break };
            seen = last.seq;
            let news = News::of(&changes);
            concerned |= !(news.events.is_empty()
                && news.sighted.is_empty()
                && news.clusters.is_empty()
                && news.analyst_data.is_empty());
        }
        self.seen = Some(seen);
        if concerned { queue_pushes(service) } else { Ok(()) }
    }
}

fn pushes(server: &Server) -> bool {
    server.push || server.push_sightings
}

fn queue_pushes(service: &Service) -> Result<()> {
    let servers = service.read(&actor(), |r| Ok(r.servers(None)?))?;
    for server in servers.iter().filter(|server| pushes(server)) {
        job::queue(service, &actor(), Task::PushPublished, &server.id.to_string(), 0)?;
    }
    Ok(())
}

/// Servers whose changes can be followed, and others that were not asked for longer than the setting says.
fn pulls(service: &Service) -> Result<()> {
    let (minutes, follow) = (service.settings().pull_minutes, service.settings().native_sync);
    let now = service.now();
    let servers = service.read(&actor(), |r| Ok(r.servers(None)?))?;
    for server in servers.iter().filter(|server| server.pull) {
        if follow && service.may_follow(server.id, now - ASK)? {
            let input = server.id.to_string();
            if !service.read(&actor(), |r| Ok(r.has_job(Task::Follow, &input, now)?))? {
                job::queue(service, &actor(), Task::Follow, &input, 0)?;
            }
        } else if minutes > 0 && service.pull_is_due(server.id, now - minutes * 60)? {
            job::queue(service, &actor(), Task::Pull, &format!("{} full", server.id), 0)?;
        }
    }
    Ok(())
}
