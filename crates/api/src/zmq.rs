//! Publishing over ZeroMQ: a reader of the change log with a cursor in memory. It begins with what changes after
//! it was switched on; who subscribes later has missed what was before, as with any publisher.

mod hub;
mod messages;
mod zmtp;

use crate::failure::Failure;
use hub::Hub;
use pisax_service::Service;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;

/// How often the change log is looked at; one look is a read of its last index page.
const LOOK: Duration = Duration::from_millis(250);
/// How long nothing is published before a sign of life (`misp_json_self`).
const IDLE: Duration = Duration::from_secs(10);

/// What is open, and how far it has read.
struct Open {
    hub: Hub,
    cursor: i64,
    since: Instant,
    last: Instant,
}

/// Publishes for as long as the process runs, whenever it is switched on.
pub async fn publish(service: Arc<Service>, permits: Arc<Semaphore>) {
    let mut open: Option<Open> = None;
    let mut refused: Option<SocketAddr> = None;
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(failure) = turn(&service, &permits, &mut open, &mut refused).await {
            tracing::error!(?failure, "publishing over ZeroMQ failed for now");
        }
    }
}

async fn turn(
    service: &Arc<Service>,
    permits: &Arc<Semaphore>,
    open: &mut Option<Open>,
    refused: &mut Option<SocketAddr>,
) -> Result<(), Failure> {
    let zeromq = {
        let service = Arc::clone(service);
        crate::serve::on_pool(Arc::clone(permits), move || service.settings().zeromq).await?
    };
    if !zeromq.enable {
        *open = None;
        *refused = None;
        drop(service.take_pushed());
        return Ok(());
    }
    let address = SocketAddr::new(zeromq.host, zeromq.port);
    if open.as_ref().is_some_and(|open| open.hub.address != address) {
        *open = None;
    }
    let Some(open) = open else {
        return begin(service, permits, open, refused, address).await;
    };
    let (cursor, pushing) = (open.cursor, service);
    let service = Arc::clone(service);
    let read = crate::serve::on_pool(Arc::clone(permits), move || messages::after(&service, cursor, zeromq))
        .await??;
    open.cursor = read.cursor;
    if !read.messages.is_empty() {
        open.last = Instant::now();
    } else if open.last.elapsed() >= IDLE {
        open.last = Instant::now();
        let uptime = open.since.elapsed().as_secs();
        open.hub.send(
            format!("misp_json_self {{\"status\":\"PISAX is here.\",\"uptime\":{uptime}}}").into_bytes(),
        );
    }
    read.messages.into_iter().for_each(|message| open.hub.send(message));
    for json in pushing.take_pushed() {
        open.last = Instant::now();
        open.hub.send(format!("misp_json_workflow {json}").into_bytes());
    }
    Ok(())
}

async fn begin(
    service: &Arc<Service>,
    permits: &Arc<Semaphore>,
    open: &mut Option<Open>,
    refused: &mut Option<SocketAddr>,
    address: SocketAddr,
) -> Result<(), Failure> {
    let service = Arc::clone(service);
    let cursor = crate::serve::on_pool(Arc::clone(permits), move || messages::newest(&service)).await??;
    match Hub::open(address).await {
        Ok(hub) => {
            tracing::info!(%address, "publishing over ZeroMQ");
            let now = Instant::now();
            *refused = None;
            *open = Some(Open { hub, cursor, since: now, last: now });
        }
        // Said once for each address: it is tried again at every turn.
        Err(error) if *refused != Some(address) => {
            tracing::error!(%error, %address, "ZeroMQ cannot be published at this address");
            *refused = Some(address);
        }
        Err(_) => {}
    }
    Ok(())
}
