//! What the server does beside answering: it sends mail, runs workflows, writes the log of requests, and removes
//! what is older than it is to be kept.

use crate::mail::Postman;
use pisax_service::mail::digest;
use pisax_service::{Service, audit, workflow};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::watch::Receiver;

/// How often the outbox is looked into.
const MAIL: Duration = Duration::from_secs(2);
/// How often summaries are looked for that are due.
const DIGESTS: Duration = Duration::from_secs(60);
/// How often gathered requests are written to their log.
const ACCESS_LOG: Duration = Duration::from_secs(1);
/// How long workflows wait for a commit before they look all the same: other processes may have written.
const WORKFLOWS: Duration = Duration::from_secs(1);
/// How often retention looks for what is too old.
const RETENTION: Duration = Duration::from_secs(24 * 3600);
/// How long after the start it looks first: a start is busy enough.
const FIRST_RETENTION: Duration = Duration::from_secs(300);

/// Begins all of it. It ends when `stopping` says so; what is under way is finished.
pub async fn run(
    service: Arc<Service>,
    permits: Arc<Semaphore>,
    postman: Option<Arc<Postman>>,
    stopping: Receiver<bool>,
) {
    let posts = postman.is_some();
    let mail = async {
        if let Some(postman) = postman {
            service.send_mail();
            every(MAIL, MAIL, stopping.clone(), || {
                let postman = Arc::clone(&postman);
                // A mail server that hangs must not hold a connection of the database: no permit is taken, and
                // the store lets the round wait for one.
                off(&service, None, "mail", move |service| postman.round(service))
            })
            .await;
        }
    };
    let digests = async {
        if posts {
            every(DIGESTS, DIGESTS, stopping.clone(), || {
                off(&service, Some(&permits), "summaries", digest::send)
            })
            .await;
        }
    };
    let log = every(ACCESS_LOG, ACCESS_LOG, stopping.clone(), || {
        off(&service, Some(&permits), "the log of requests", audit::write_accesses)
    });
    let retention = every(FIRST_RETENTION, RETENTION, stopping.clone(), || {
        off(&service, Some(&permits), "retention", |service| audit::retain(service).map(drop))
    });
    // Actions call others and wait for them: no permit is taken, as for mail.
    let workflows = async {
        let mut stopping = stopping.clone();
        loop {
            let commits = service.store.commits();
            let mark = commits.mark();
            off(&service, None, "workflows", |service| {
                while workflow::follow(service)? {}
                Ok(())
            })
            .await;
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                _ = tokio::time::timeout(WORKFLOWS, commits.after(mark)) => {}
            }
        }
    };
    tokio::join!(mail, digests, log, workflows, retention);
    // What came in last is not lost.
    off(&service, Some(&permits), "the log of requests", audit::write_accesses).await;
}

/// Does it again and again until the server stops.
async fn every<F: Future<Output = ()>>(
    first: Duration,
    then: Duration,
    mut stopping: Receiver<bool>,
    mut work: impl FnMut() -> F,
) {
    let mut wait = first;
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(wait) => {}
        }
        work().await;
        wait = then;
    }
}

/// Runs a step on the blocking pool; what goes wrong is logged and tried again next time.
async fn off(
    service: &Arc<Service>,
    permits: Option<&Arc<Semaphore>>,
    what: &'static str,
    step: impl FnOnce(&Service) -> pisax_service::Result<()> + Send + 'static,
) {
    let permit = match permits {
        Some(permits) => Arc::clone(permits).acquire_owned().await.ok(),
        None => None,
    };
    let service = Arc::clone(service);
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        step(&service)
    });
    match done.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, what, "a step in the background failed"),
        Err(error) => tracing::error!(%error, what, "a step in the background broke off"),
    }
}
