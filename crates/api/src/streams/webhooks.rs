//! Calling webhooks: each in its own order, none waiting for another.
//!
//! A message counts as delivered when the address answered with 2xx; how far a webhook has come is then in the
//! database. What a crash interrupts is sent again under the same delivery id, by which a receiver knows it. What
//! fails is tried again, later each time; after some attempts in a row the webhook is paused, with the reason, and
//! goes on from there when somebody enables it.

use super::messages::{self, Message, Wanted};
use crate::failure::Failure;
use pisax_access::Actor;
use pisax_model::ids::Ref;
use pisax_model::stream::Kinds;
use pisax_service::Service;
use pisax_service::webhook::{self, Refusal};
use pisax_store::Writer;
use pisax_store::webhooks::Webhook;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;

/// How long a commit is waited for before all are looked at anyway: some are due again, others were changed.
const LOOK: Duration = Duration::from_secs(1);
/// The wait after the first failure, twice as long after each, up to the longest.
const FIRST_WAIT_MS: i64 = 1000;
const LONGEST_WAIT_MS: i64 = 600_000;

/// How a look at one webhook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Everything was delivered.
    Done,
    More,
    Failed,
}

/// Calls webhooks until the server stops; calls under way are finished.
pub async fn deliver(service: Arc<Service>, permits: Arc<Semaphore>, mut stopping: Receiver<bool>) {
    let commits = service.store.commits().clone();
    let mut tasks: JoinSet<(i64, Outcome)> = JoinSet::new();
    let mut busy = FxHashSet::default();
    // Up to which commit each has everything.
    let mut done = FxHashMap::default();
    loop {
        let mark = commits.mark();
        let due = {
            let service = Arc::clone(&service);
            crate::serve::on_pool(Arc::clone(&permits), move || due(&service)).await
        };
        let due = due.and_then(|due| due).unwrap_or_else(|failure| {
            tracing::warn!(?failure, "webhooks could not be looked at just now");
            Vec::new()
        });
        for id in due {
            if done.get(&id) == Some(&mark) || !busy.insert(id) {
                continue;
            }
            done.insert(id, mark);
            let (service, stopping) = (Arc::clone(&service), stopping.clone());
            // Others are called and waited for: no permit is taken, as for mail.
            tasks.spawn(async move {
                let look = tokio::task::spawn_blocking(move || look(&service, id, &stopping));
                (id, look.await.unwrap_or(Outcome::Failed))
            });
        }
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => break,
            Some(Ok((id, outcome))) = tasks.join_next() => {
                busy.remove(&id);
                if outcome != Outcome::Done {
                    done.remove(&id);
                }
            }
            heard = tokio::time::timeout(LOOK, commits.after(mark)) => {
                if heard.is_err() {
                    done.clear();
                }
            }
        }
    }
    while tasks.join_next().await.is_some() {}
}

fn system() -> Actor {
    Actor::system("call webhooks")
}

/// Those that are on and whose time has come.
fn due(service: &Service) -> Result<Vec<i64>, Failure> {
    let now = service.clock.now_ms();
    let all = service.read(&system(), |r| Ok(r.webhooks()?))?;
    let due = all.iter().filter(|w| w.enabled && w.paused.is_empty() && w.retry_at <= now);
    Ok(due.map(|w| w.id).collect())
}

fn look(service: &Service, id: i64, stopping: &Receiver<bool>) -> Outcome {
    deliver_next(service, id, stopping).unwrap_or_else(|failure| {
        tracing::warn!(?failure, webhook = id, "a webhook could not be called");
        Outcome::Failed
    })
}

fn write<T>(
    service: &Service,
    f: impl FnOnce(&mut Writer<'_>) -> pisax_store::Result<T>,
) -> Result<T, Failure> {
    let written = service.store.write(&system(), service.clock.now_ms(), f);
    Ok(written.map_err(pisax_service::Error::from)?)
}

/// Delivers what a webhook has not had yet, as far as one look reaches.
fn deliver_next(service: &Service, id: i64, stopping: &Receiver<bool>) -> Result<Outcome, Failure> {
    let webhook = service.read(&system(), |r| Ok(r.webhook(Ref::Id(id))?))?;
    let Some(webhook) = webhook.filter(|w| w.enabled && w.paused.is_empty()) else {
        return Ok(Outcome::Done);
    };
    let reader = match webhook::owner(service, &webhook)? {
        Ok(reader) => reader,
        Err(reason) => {
            write(service, |w| w.fail_webhook(&webhook, reason, 0, reason))?;
            return Ok(Outcome::Failed);
        }
    };
    // What an older version knew and this one does not is left out.
    let kinds = webhook.kinds.iter().filter_map(|name| name.parse().ok());
    let kinds = if webhook.kinds.is_empty() { Kinds::usual() } else { kinds.collect() };
    let wanted = Wanted { kinds, attachments: false, pushed: false };
    let read = messages::after(service, &reader, webhook.place, wanted)?;
    let mut place = webhook.place;
    let mut first = true;
    for message in &read.messages {
        if *stopping.borrow() {
            return Ok(Outcome::Done);
        }
        if !passes(service, &reader, &webhook, message)? {
            continue;
        }
        let delivery = format!("{}.{}", webhook.uuid, message.place);
        let sent = webhook::send(service, &webhook, message.kind, &delivery, &message.json);
        if let Err(error) = sent {
            // Between two failures in a row nothing was delivered.
            let failures = if first { webhook.failures } else { 0 };
            failed(service, &webhook, failures, &error)?;
            return Ok(Outcome::Failed);
        }
        first = false;
        place = message.place;
        if !write(service, |w| w.move_webhook(id, place, 1))? {
            // It was changed or switched off: what comes next is looked at anew.
            return Ok(Outcome::More);
        }
    }
    if place < read.place {
        write(service, |w| w.move_webhook(id, read.place, 0))?;
    }
    Ok(if read.more { Outcome::More } else { Outcome::Done })
}

/// Whether a message is about what the webhook is for.
fn passes(service: &Service, reader: &Actor, webhook: &Webhook, message: &Message) -> Result<bool, Failure> {
    if webhook.tags.is_empty() && webhook.orgs.is_empty() {
        return Ok(true);
    }
    let (creator, tags) = service.read(reader, |r| {
        let event = r.event(Ref::Id(message.event_id))?;
        let creator = event.as_ref().map_or(message.gone_creator, |event| Some(event.orgc_id));
        let creator = creator.map(|id| r.org(Ref::Id(id))).transpose()?.flatten();
        let tags = match &event {
            Some(event) => r.event_tags(&[event.id])?.remove(&event.id).unwrap_or_default(),
            None => Vec::new(),
        };
        Ok((creator, tags))
    })?;
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let carries = |tag: &String| tags.iter().any(|attached| same(&attached.tag.name, tag));
    let created = |uuid: &String| creator.as_ref().is_some_and(|org| same(&org.uuid.to_string(), uuid));
    Ok((webhook.tags.is_empty() || webhook.tags.iter().any(carries))
        && (webhook.orgs.is_empty() || webhook.orgs.iter().any(created)))
}

fn failed(service: &Service, webhook: &Webhook, failures: i64, refusal: &Refusal) -> Result<(), Failure> {
    let attempts = failures + 1;
    let wait = FIRST_WAIT_MS.checked_shl(failures.try_into().unwrap_or(u32::MAX)).unwrap_or(LONGEST_WAIT_MS);
    let wait = if failures > 20 { LONGEST_WAIT_MS } else { wait.min(LONGEST_WAIT_MS) };
    let paused = if refusal.gone {
        "it answered with status 410: it is no more".to_owned()
    } else if attempts >= service.settings().webhooks.attempts {
        format!("{attempts} attempts in a row failed, the last one: {}", refusal.reason)
    } else {
        String::new()
    };
    if !paused.is_empty() {
        tracing::warn!(webhook = webhook.id, paused, "a webhook is paused");
    }
    let retry_at = service.clock.now_ms() + wait;
    write(service, |w| w.fail_webhook(webhook, &refusal.reason, retry_at, &paused))
}
