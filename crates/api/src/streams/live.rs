//! `GET /streams/changes`: Server-Sent Events (the HTML standard, 9.2) of what changes, as the key's user may see it.
//!
//! The connection stays open as long as the client reads, the key is good and the server runs. Between two looks at
//! the change log nothing of the database is held. `id:` is where to go on: a client that comes back with it in
//! `Last-Event-ID` has every message once.

use super::messages::{self, Message, Wanted};
use crate::answer::{Answer, Body};
use crate::authenticate::authenticate;
use crate::failure::Failure;
use crate::request::Request;
use crate::serve::{App, on_pool};
use bytes::Bytes;
use http::HeaderMap;
use pisax_model::stream::Kinds;
use pisax_service::Service;
use pisax_store::streams::Place;
use pisax_wire::JsonWriter;
use rustc_hash::FxHashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Streams at a time, in all and for one user.
const STREAMS: usize = 256;
const STREAMS_PER_USER: usize = 8;
/// How long nothing is sent before a sign of life. It is also how long another process's commit may be waited for
/// where the engine tells nobody.
const ALIVE: Duration = Duration::from_secs(10);
/// How long a client may take for one message; one that takes longer is cut off and comes back where it was.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages on their way to a client.
const AHEAD: usize = 4;

/// What a client asked to follow.
pub struct Live {
    kinds: Kinds,
    /// Where it was; none: it begins with what changes from now on.
    from: Option<Place>,
    headers: HeaderMap,
    address: IpAddr,
    user_id: i64,
}

/// GET /streams/changes[?after={id}][&kinds={kind,kind}]: a stream for who accepts `text/event-stream`; for others
/// what there is by now, in JSON.
pub(crate) fn changes(request: &Request) -> Result<Answer, Failure> {
    let service = &request.service;
    let named = request.path.named("kinds").unwrap_or_default();
    let kinds = Kinds::read(named.split(','))
        .map_err(|unknown| Failure::Unreadable { field: "kinds".into(), message: unknown.to_string() })?;
    let header = request.headers.get("last-event-id").and_then(|v| v.to_str().ok());
    let from = match header.or_else(|| request.path.named("after")).map(str::trim).filter(|t| !t.is_empty()) {
        None => None,
        Some(text) => {
            let wrong = || Failure::Unreadable {
                field: "after".into(),
                message: "Expected the id of a message of this stream, or 0 for all there is.".into(),
            };
            let newest = messages::newest(service)?;
            // What is not yet there is nowhere to go on from.
            Some(text.parse::<Place>().map_err(|()| wrong())?.min(newest))
        }
    };
    let accepts = request.headers.get(http::header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !accepts.contains("text/event-stream") {
        return so_far(request, kinds, from);
    }
    let live = Live {
        kinds,
        from,
        headers: request.headers.clone(),
        address: request.actor.origin.address.unwrap_or(IpAddr::from([0, 0, 0, 0])),
        user_id: request.actor.user_id,
    };
    let mut answer = Answer::json(Vec::new());
    answer.body = Body::Live(Box::new(live));
    Ok(answer
        .header("content-type", "text/event-stream")
        .header("cache-control", "no-store")
        // A proxy before us is not to hold back what is to be heard at once.
        .header("x-accel-buffering", "no"))
}

/// What there is after a place, and where to go on; at most a batch.
fn so_far(request: &Request, kinds: Kinds, from: Option<Place>) -> Result<Answer, Failure> {
    let service = &request.service;
    let from = match from {
        Some(place) => place,
        None => messages::newest(service)?,
    };
    let wanted = Wanted { kinds, attachments: false, pushed: false };
    let read = messages::after(service, &request.actor, from, wanted)?;
    let mut out = Vec::new();
    let mut w = JsonWriter::new(&mut out);
    w.begin_object();
    w.key("changes");
    w.begin_array();
    for message in &read.messages {
        w.begin_object();
        w.key("id");
        w.str(&message.place.to_string());
        w.key("event");
        w.str(message.kind.name());
        w.key("data");
        w.raw(&message.json);
        w.end_object();
    }
    w.end_array();
    w.key("after");
    w.str(&read.place.to_string());
    w.key("more");
    w.bool(read.more);
    w.end_object();
    Ok(Answer::json(out))
}

/// How many streams there are, by user.
#[derive(Default)]
pub(crate) struct Counts(parking_lot::Mutex<FxHashMap<i64, usize>>);

/// The right to one stream; given back when it ends.
struct Turn {
    app: Arc<App>,
    user_id: i64,
}

impl Turn {
    fn take(app: &Arc<App>, user_id: i64) -> Result<Self, Failure> {
        let mut counts = app.live.0.lock();
        let (all, own) = (counts.values().sum::<usize>(), counts.get(&user_id).copied().unwrap_or(0));
        if all >= STREAMS || own >= STREAMS_PER_USER {
            return Err(Failure::Busy("There are too many streams: end one first.".into()));
        }
        counts.insert(user_id, own + 1);
        drop(counts);
        Ok(Self { app: Arc::clone(app), user_id })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut counts = self.app.live.0.lock();
        if let Some(own) = counts.get_mut(&self.user_id) {
            *own -= 1;
            if *own == 0 {
                counts.remove(&self.user_id);
            }
        }
    }
}

/// Begins a stream; what is to be sent comes out of the receiver.
pub(crate) fn begin(app: &Arc<App>, live: Live) -> Result<mpsc::Receiver<Bytes>, Failure> {
    let turn = Turn::take(app, live.user_id)?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let mut stopping = turn.app.stopping.subscribe();
        tokio::select! {
            // The client comes back to who serves then.
            _ = stopping.wait_for(|stop| *stop) => {}
            ended = follow(&turn.app, &live, &sender) => {
                if let Err(failure) = ended {
                    tracing::debug!(?failure, user_id = live.user_id, "a stream ended");
                }
            }
        }
    });
    Ok(receiver)
}

async fn follow(app: &Arc<App>, live: &Live, sender: &mpsc::Sender<Bytes>) -> Result<(), Failure> {
    let commits = app.service.store.commits().clone();
    let mut place = match live.from {
        Some(place) => place,
        None => {
            let service = Arc::clone(&app.service);
            on_pool(Arc::clone(&app.permits), move || messages::newest(&service)).await??
        }
    };
    // The client knows from the first moment where it would go on.
    if !send(sender, format!("retry: 1000\nid: {place}\n\n").into_bytes()).await {
        return Ok(());
    }
    let mut told = place;
    loop {
        let mark = commits.mark();
        let read = {
            let (app, headers, address) = (Arc::clone(app), live.headers.clone(), live.address);
            let kinds = live.kinds;
            on_pool(Arc::clone(&app.permits), move || look(&app, &headers, address, place, kinds)).await??
        };
        place = read.place;
        for message in &read.messages {
            told = message.place;
            if !send(sender, event(message)).await {
                return Ok(());
            }
        }
        if read.more {
            continue;
        }
        let quiet = tokio::select! {
            () = sender.closed() => return Ok(()),
            heard = tokio::time::timeout(ALIVE, commits.after(mark)) => heard.is_err(),
        };
        // Where nothing was for this client, it need not look through that again.
        let alive = if told < place { format!(": \nid: {place}\n\n") } else { ": \n\n".into() };
        if quiet {
            told = place;
            if !send(sender, alive.into_bytes()).await {
                return Ok(());
            }
        }
    }
}

/// What there is for the client now, if its key is still good.
fn look(
    app: &App,
    headers: &HeaderMap,
    address: IpAddr,
    place: Place,
    kinds: Kinds,
) -> Result<messages::Read, Failure> {
    let service: &Service = &app.service;
    let (actor, _) = authenticate(service, &service.keys, headers, address)?;
    messages::after(service, &actor, place, Wanted { kinds, attachments: false, pushed: false })
}

fn event(message: &Message) -> Vec<u8> {
    // JSON as we write it has no line breaks.
    let mut bytes = format!("id: {}\nevent: {}\ndata: ", message.place, message.kind.name()).into_bytes();
    bytes.extend_from_slice(&message.json);
    bytes.extend_from_slice(b"\n\n");
    bytes
}

/// Whether the client took it in time.
async fn send(sender: &mpsc::Sender<Bytes>, bytes: Vec<u8>) -> bool {
    matches!(tokio::time::timeout(PATIENCE, sender.send(Bytes::from(bytes))).await, Ok(Ok(())))
}
