//! What is due by itself: pushes of what was just published, pulls from time to time.

use crate::push::concerns_peers;
use pisax_access::Actor;
use pisax_model::job::Task;
use pisax_service::{Result, Service, job};
use std::time::{Duration, Instant};

/// How often it is looked whether a pull is due.
const PULLS: Duration = Duration::from_secs(5);
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
            concerned |= concerns_peers(&changes);
        }
        self.seen = Some(seen);
        if concerned { queue_pushes(service) } else { Ok(()) }
    }
}

fn queue_pushes(service: &Service) -> Result<()> {
    let servers = service.read(&actor(), |r| Ok(r.servers(None)?))?;
    for server in servers.iter().filter(|server| server.push || server.push_sightings) {
        job::queue(service, &actor(), Task::PushPublished, &server.id.to_string(), 0)?;
    }
    Ok(())
}

/// Servers that were not asked for longer than the setting says.
fn pulls(service: &Service) -> Result<()> {
    let minutes = service.settings().pull_minutes;
    if minutes <= 0 {
        return Ok(());
    }
    let now = service.now();
    let servers = service.read(&actor(), |r| Ok(r.servers(None)?))?;
    for server in servers.iter().filter(|server| server.pull) {
        if service.pull_is_due(server.id, now - minutes * 60)? {
            job::queue(service, &actor(), Task::Pull, &format!("{} full", server.id), 0)?;
        }
    }
    Ok(())
}
