//! Publishing over ZeroMQ: a reader of the change log, as the system sees it, with a cursor in the database. It
//! begins with what changes after it was switched on, and goes on after a restart where it was; who subscribes later
//! has missed what was before, as with any publisher.

mod hub;
mod zmtp;

use crate::failure::Failure;
use crate::streams::cursor;
use crate::streams::messages::{self, Wanted};
use hub::{Door, Hub};
use pisax_access::Actor;
use pisax_service::Service;
use pisax_service::setting::ZeroMq;
use pisax_store::streams::Place;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::sync::watch::Receiver;

/// How long a commit is waited for before the change log is looked at all the same: settings change, and other
/// processes may have written.
const LOOK: Duration = Duration::from_secs(1);
/// How long nothing is published before a sign of life (`misp_json_self`).
const IDLE: Duration = Duration::from_secs(10);
/// How often subscribers who are behind are looked at; how long while there is more to send, before it is noted what
/// was sent, and at the end.
const STEP: Duration = Duration::from_millis(5);
const BEHIND: Duration = Duration::from_secs(2);
const NOTED: Duration = Duration::from_millis(50);
const LAST: Duration = Duration::from_secs(2);
/// How long one subscriber who takes nothing can hold that note up.
const OVERDUE: Duration = Duration::from_secs(5);
/// The cursor's name.
const CURSOR: &str = "zeromq";

/// What is open, and how far it has read.
struct Open {
    hub: Hub,
    place: Place,
    /// What of that is noted in the database, and since when something is not.
    noted: Place,
    unnoted: Option<Instant>,
    since: Instant,
    last: Instant,
}

impl Open {
    /// Waits until this holds of the socket; not longer than that.
    async fn wait(&self, at_most: Duration, holds: impl Fn(&Hub) -> bool) {
        let end = Instant::now() + at_most;
        while !holds(&self.hub) && Instant::now() < end {
            tokio::time::sleep(STEP).await;
        }
    }

    /// Notes how far everybody has been told, or has had time enough to be.
    async fn note(&mut self, service: &Arc<Service>, permits: &Arc<Semaphore>) -> Result<(), Failure> {
        if self.noted == self.place {
            return Ok(());
        }
        let unnoted = *self.unnoted.get_or_insert_with(Instant::now);
        if !self.hub.is_idle() && unnoted.elapsed() < OVERDUE {
            return Ok(());
        }
        let (place, service) = (self.place, Arc::clone(service));
        crate::serve::on_pool(Arc::clone(permits), move || cursor::set(&service, CURSOR, place)).await??;
        self.noted = place;
        self.unnoted = None;
        Ok(())
    }
}

#[derive(Default)]
struct Publisher {
    open: Option<Open>,
    /// The address that could not be opened.
    refused: Option<SocketAddr>,
    /// It is known to be switched off.
    off: bool,
}

/// Publishes until the server stops, whenever it is switched on.
pub async fn publish(service: Arc<Service>, permits: Arc<Semaphore>, mut stopping: Receiver<bool>) {
    let mut publisher = Publisher::default();
    let commits = service.store.commits().clone();
    loop {
        let mark = commits.mark();
        let more = turn(&service, &permits, &mut publisher).await.unwrap_or_else(|failure| {
            tracing::error!(?failure, "publishing over ZeroMQ failed for now");
            false
        });
        if *stopping.borrow() {
            break;
        }
        if !more {
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => {}
                // Over when it was long enough without one.
                _ = tokio::time::timeout(LOOK, commits.after(mark)) => {}
            }
        }
    }
    let Some(mut open) = publisher.open else { return };
    open.wait(LAST, Hub::is_idle).await;
    if let Err(failure) = open.note(&service, &permits).await {
        tracing::warn!(?failure, "how far ZeroMQ was published could not be noted");
    }
}

/// Publishes what there is; returns whether there may be more.
async fn turn(
    service: &Arc<Service>,
    permits: &Arc<Semaphore>,
    publisher: &mut Publisher,
) -> Result<bool, Failure> {
    let off = publisher.off;
    let zeromq = {
        let service = Arc::clone(service);
        let look = move || {
            let zeromq = service.settings().zeromq;
            if !zeromq.enable && !off {
                // Whoever switches it on again hears of what changes from then on.
                cursor::forget(&service, CURSOR)?;
            }
            Ok::<_, Failure>(zeromq)
        };
        crate::serve::on_pool(Arc::clone(permits), look).await??
    };
    publisher.off = !zeromq.enable;
    if publisher.off {
        publisher.open = None;
        publisher.refused = None;
        drop(service.take_pushed());
        return Ok(false);
    }
    let address = SocketAddr::new(zeromq.host, zeromq.port);
    let door = Door { username: Arc::clone(&zeromq.username), password: Arc::clone(&zeromq.password) };
    if publisher.open.as_ref().is_some_and(|open| open.hub.address != address || open.hub.door != door) {
        publisher.open = None;
    }
    let Some(open) = &mut publisher.open else {
        return begin(service, permits, publisher, address, door).await;
    };
    let read = {
        let (place, service) = (open.place, Arc::clone(service));
        crate::serve::on_pool(Arc::clone(permits), move || read(&service, place, &zeromq)).await??
    };
    if !read.messages.is_empty() {
        open.last = Instant::now();
    } else if open.last.elapsed() >= IDLE {
        open.last = Instant::now();
        let uptime = open.since.elapsed().as_secs();
        open.hub.send(
            format!("misp_json_self {{\"status\":\"PISAX is here.\",\"uptime\":{uptime}}}").into_bytes(),
        );
    }
    for message in read.messages {
        let mut bytes = format!("{} ", message.kind.topic()).into_bytes();
        bytes.extend(message.json);
        open.hub.send(bytes);
    }
    for json in service.take_pushed() {
        open.last = Instant::now();
        open.hub.send(format!("misp_json_workflow {json}").into_bytes());
    }
    open.place = read.place;
    if read.more {
        open.wait(BEHIND, |hub| !hub.is_behind()).await;
    } else if open.noted != open.place {
        open.wait(NOTED, Hub::is_idle).await;
    }
    open.note(service, permits).await?;
    Ok(read.more)
}

fn read(service: &Service, from: Place, zeromq: &ZeroMq) -> Result<messages::Read, Failure> {
    let actor = Actor::system("publish over ZeroMQ");
    let wanted = Wanted { kinds: zeromq.kinds, attachments: zeromq.include_attachments, pushed: true };
    messages::after(service, &actor, from, wanted)
}

async fn begin(
    service: &Arc<Service>,
    permits: &Arc<Semaphore>,
    publisher: &mut Publisher,
    address: SocketAddr,
    door: Door,
) -> Result<bool, Failure> {
    let service = Arc::clone(service);
    let (place, returning) =
        crate::serve::on_pool(Arc::clone(permits), move || cursor::begin(&service, CURSOR)).await??;
    match Hub::open(address, door, returning).await {
        Ok(hub) => {
            tracing::info!(%address, "publishing over ZeroMQ");
            let now = Instant::now();
            publisher.refused = None;
            publisher.open = Some(Open { hub, place, noted: place, unnoted: None, since: now, last: now });
            Ok(true)
        }
        // Said once for each address: it is tried again at every turn.
        Err(error) => {
            if publisher.refused != Some(address) {
                tracing::error!(%error, %address, "ZeroMQ cannot be published at this address");
                publisher.refused = Some(address);
            }
            Ok(false)
        }
    }
}
