//! Between HTTP and the handlers: the key before the body, limits, the blocking pool, streaming.
//!
//! A request is authenticated from its head alone; only then is its body read, within what its route may take.
//! Handlers run on the blocking pool under a permit per database connection. A long answer gives its permit
//! back and waits, on the async side where a client that leaves is noticed, for one of a few turns.

use crate::answer::{Answer, Body, Piece, Producer, Sink, Stop};
use crate::authenticate::authenticate;
use crate::failure::Failure;
use crate::feed_files;
use crate::native;
use crate::path::Path;
use crate::public::{self, Brake};
use crate::quota::{Quota, Quotas};
use crate::request::Request;
use crate::routes::{self, Need, Route};
use crate::streams::live;
use axum::body::Body as HttpBody;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use pisax_access::{Actor, Origin, Via};
use pisax_auth::key::KeyHasher;
use pisax_service::Service;
use pisax_store::keys::KeyOwner;
use rustc_hash::FxHashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Largest body of a route that takes no events, attributes or text.
const SMALL_BODY: usize = 8 << 20;
/// A body beyond this, or of unknown length, waits for one of [`LARGE_BODIES`] turns.
const LARGE: usize = 1 << 20;
/// Large bodies read at a time: bounds what bodies can hold of memory to this many times the limit.
const LARGE_BODIES: usize = 4;
/// How long a client may be silent while it sends.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most that is read of a refused request's body, and for how long.
const DRAINED: usize = 64 << 10;
const DRAINING: Duration = Duration::from_secs(5);
/// Long answers under way at a time, in all and for one user.
const STREAMS: usize = 16;
const STREAMS_PER_USER: usize = 4;
/// Answers that wait for others at a time, in all and for one user.
const WAITS: usize = 32;
const WAITS_PER_USER: usize = 8;
/// How long an answer may wait for its turn.
const TURN: Duration = Duration::from_secs(30);

/// What every API request needs.
pub struct App {
    pub service: Arc<Service>,
    hasher: KeyHasher,
    /// One permit per database connection, taken before the hop to the blocking pool.
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) live: live::Counts,
    /// The place of the newest change that other servers may want.
    pub news: tokio::sync::watch::Sender<i64>,
    /// Set when the server is to stop: what stays open by itself ends.
    pub(crate) stopping: tokio::sync::watch::Sender<bool>,
    streams: Arc<Turns>,
    waits: Arc<Turns>,
    large_bodies: Semaphore,
    brake: Brake,
    quotas: Arc<Quotas>,
    /// Largest body accepted, in bytes.
    max_body: usize,
}

impl App {
    pub fn new(service: Arc<Service>, permits: Arc<Semaphore>, max_body: usize) -> Self {
        Self {
            hasher: service.keys.clone(),
            service,
            permits,
            live: live::Counts::default(),
            news: tokio::sync::watch::Sender::new(0),
            stopping: tokio::sync::watch::Sender::new(false),
            streams: Turns::new(STREAMS, STREAMS_PER_USER),
            waits: Turns::new(WAITS, WAITS_PER_USER),
            large_bodies: Semaphore::new(LARGE_BODIES),
            brake: Brake::default(),
            quotas: Arc::default(),
            max_body,
        }
    }

    /// Ends what stays open as long as clients listen.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }
}

/// Whether a request is for the API rather than for a page (semantics 6.5).
pub fn is_api(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let says = |name: header::HeaderName, what: &str| {
        headers.get(name).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains(what))
    };
    headers.contains_key(header::AUTHORIZATION)
        || headers.contains_key("x-misp-auth")
        || says(header::ACCEPT, "application/json")
        || says(header::CONTENT_TYPE, "application/json")
        || path.ends_with(".json")
        || path.ends_with(".xml")
        || path.to_ascii_lowercase().contains("/restsearch")
        || *method == Method::PUT
}

/// Answers one API request; the response carries the [`Actor`] for the access log.
pub async fn serve(app: Arc<App>, address: IpAddr, request: http::Request<HttpBody>) -> Response {
    let (parts, body) = request.into_parts();
    let path = Path::parse(parts.uri.path(), parts.uri.query(), &parts.method);
    let (url, method) = (path.raw.clone(), parts.method.clone());
    let mut met = Met { asker: None, unread: has_body(&parts.headers) };
    let answered = answer(&app, address, path, parts, body, &mut met).await;
    let mut response = match answered {
        Ok(response) => response,
        Err(failure) => send(failure.answer(&url, &app.service.policy.base_url), &method),
    };
    if met.unread {
        // What was not read stands in the way of the next request: the client is told to use another connection.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(actor) = met.asker {
        response.extensions_mut().insert(actor);
    }
    response
}

/// Answers a request for a file of a published feed, which asks for no key.
pub async fn serve_feed(app: Arc<App>, request: http::Request<HttpBody>) -> Response {
    let (parts, body) = request.into_parts();
    let unread = has_body(&parts.headers) && !drain(body).await;
    let (url, method) = (parts.uri.path().to_owned(), parts.method.clone());
    let asked = {
        let service = Arc::clone(&app.service);
        on_pool(Arc::clone(&app.permits), move || {
            let (path, query) = (parts.uri.path(), parts.uri.query());
            feed_files::answer(&service, &parts.method, path, query, &parts.headers)
        })
        .await
    };
    let answered = match asked.and_then(|answer| answer) {
        Ok(Answer { status, headers, body: Body::Streamed(produce) }) => {
            let head = Answer { status, headers, body: Body::Whole(Vec::new()) };
            app.streams.take(0).await.map(|turn| stream(head, produce, turn))
        }
        Ok(answer) => Ok(send(answer, &method)),
        Err(failure) => Err(failure),
    };
    let mut response =
        answered.unwrap_or_else(|failure| send(failure.answer(&url, &app.service.policy.base_url), &method));
    if unread {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether a head announces a body (RFC 9112, 6).
fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}

/// What became known of a request on the way to its answer.
struct Met {
    asker: Option<Actor>,
    /// Its body, or some of it, was not read.
    unread: bool,
}

async fn answer(
    app: &Arc<App>,
    address: IpAddr,
    path: Path,
    parts: http::request::Parts,
    body: HttpBody,
    met: &mut Met,
) -> Result<Response, Failure> {
    let (method, headers) = (parts.method, parts.headers);
    let checked = {
        let (app, path, method, headers) = (Arc::clone(app), path.clone(), method.clone(), headers.clone());
        on_pool(Arc::clone(&app.permits), move || check(&app, address, &path, &method, &headers)).await?
    };
    let Checked { actor, owner, route, quota } = match checked {
        Ok(checked) => checked,
        Err(refusal) => {
            met.unread &= !drain(body).await;
            return Err(refusal);
        }
    };
    met.asker = Some(actor.clone()).filter(|actor| actor.user_id != 0);
    let limit = match route.need {
        Need::Public => app.max_body.min(public::BODY),
        _ if route.takes_content() => app.max_body,
        _ => app.max_body.min(SMALL_BODY),
    };
    let body = read_body(app, body, &headers, limit).await?;
    met.unread = false;
    let user_id = actor.user_id;
    let xml = wants_xml(&path, &headers);
    if route.controller == "sync" {
        native::wait(app, &path).await;
    }
    let answer = {
        let service = Arc::clone(&app.service);
        let quotas = Arc::clone(&app.quotas);
        let request = Request { service, actor, owner, method: method.clone(), path, headers, body, quotas };
        on_pool(Arc::clone(&app.permits), move || (route.run)(&request)).await??
    };
    let answer = if xml { answer.into_xml() } else { answer };
    let answer = match quota {
        Some(quota) => quota.tell(answer),
        None => answer,
    };
    let answer = match answer.body {
        Body::Waiting(make) => {
            let turn = app.waits.take(user_id).await?;
            let make = move || {
                let _turn = turn;
                make()
            };
            let mut made = unhindered(make).await??;
            made.headers.extend(answer.headers);
            made
        }
        _ => answer,
    };
    match answer.body {
        Body::Whole(_) => Ok(send(answer, &method)),
        Body::Live(_) if method == Method::HEAD => Ok(send(answer, &method)),
        Body::Live(live) => {
            let receiver = live::begin(app, *live)?;
            let pieces = futures_util::stream::unfold(receiver, |mut receiver| async move {
                receiver.recv().await.map(|bytes| (Ok::<_, std::io::Error>(bytes), receiver))
            });
            Ok(respond(answer.status, answer.headers, HttpBody::from_stream(pieces.fuse())))
        }
        Body::Waiting(_) => Err(Failure::Internal("an answer waits twice".into())),
        Body::Streamed(_) if method == Method::HEAD => Ok(send(answer, &method)),
        Body::Streamed(produce) => {
            let turn = app.streams.take(user_id).await?;
            let head =
                Answer { status: answer.status, headers: answer.headers, body: Body::Whole(Vec::new()) };
            Ok(stream(head, produce, turn))
        }
    }
}

/// Whether the client asks for XML and nothing else (semantics 6.4).
pub(crate) fn wants_xml(path: &Path, headers: &HeaderMap) -> bool {
    // Who uploads STIX 1 says XML both ways and reads JSON, as MISP answers it.
    if path.action == "uploadstix" {
        return false;
    }
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    path.raw.ends_with(".xml")
        || accept.contains("application/xml") && !accept.contains("json") && !accept.contains("html")
}

/// Runs `f` on the blocking pool once a permit is free.
pub(crate) async fn on_pool<T: Send + 'static>(
    permits: Arc<Semaphore>,
    f: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let permit = permits.acquire_owned().await.map_err(|_| Failure::Internal("shutting down".into()))?;
    unhindered(move || {
        let _permit = permit;
        f()
    })
    .await
}

/// Runs `f` on the blocking pool at once.
async fn unhindered<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    // A panic's message is in the log already.
    tokio::task::spawn_blocking(f).await.map_err(|_| Failure::Internal("a handler panicked".into()))
}

struct Checked {
    actor: Actor,
    owner: KeyOwner,
    route: &'static Route,
    /// What is left of the searches the role may make, where that counts.
    quota: Option<Quota>,
}

/// Who asks, for what, and whether the role allows it at all.
fn check(
    app: &App,
    address: IpAddr,
    path: &Path,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Checked, Failure> {
    if let Ok(route) = routes::find(path, method)
        && matches!(route.need, Need::Public)
    {
        app.brake.allow(address, app.service.now())?;
        let (actor, owner) = public::nobody(address);
        return Ok(Checked { actor, owner, route, quota: None });
    }
    let (mut actor, owner) = authenticate(&app.service, &app.hasher, headers, address)?;
    actor.origin = Origin { via: Via::Api, address: Some(address), key_id: owner.key.id };
    crate::users::note_use(&app.service, &owner);
    let route = routes::find(path, method)?;
    if !route.need.met(&actor, owner.key.read_only) {
        return Err(Failure::NoPermission);
    }
    let quota = app.quotas.take(path, &owner, app.service.now())?;
    Ok(Checked { actor, owner, route, quota })
}

/// Takes a short body of a refused request off the connection; whether it is off. Left there, the client's next
/// request on it would fail.
async fn drain(mut body: HttpBody) -> bool {
    let all = async {
        let mut taken = 0;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            taken += frame.data_ref().map_or(0, Bytes::len);
            if taken > DRAINED {
                return false;
            }
        }
        true
    };
    // A client that does not send what it announced has its connection closed.
    tokio::time::timeout(DRAINING, all).await.unwrap_or(false)
}

/// Reads a body within its limit and within what all bodies together may hold.
async fn read_body(app: &App, body: HttpBody, headers: &HeaderMap, limit: usize) -> Result<Bytes, Failure> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|n| n > limit) {
        return Err(Failure::TooLarge(limit));
    }
    let mut turn = None;
    let mut body = body;
    let mut whole = BytesMut::with_capacity(announced.unwrap_or(0).min(LARGE));
    loop {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await;
        let frame = frame.map_err(|_| Failure::BadRequest("The request body stopped coming.".into()))?;
        let Some(frame) = frame else { return Ok(whole.freeze()) };
        let frame = frame.map_err(|_| Failure::BadRequest("The request body could not be read.".into()))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > limit {
            return Err(Failure::TooLarge(limit));
        }
        if turn.is_none() && whole.len() + data.len() > LARGE {
            turn = app.large_bodies.acquire().await.ok();
        }
        whole.extend_from_slice(&data);
    }
}

/// So many answers of a sort at a time, and so many of one user.
struct Turns {
    free: Arc<Semaphore>,
    per_user: usize,
    of: Mutex<FxHashMap<i64, usize>>,
}

/// The right to one of them; given back when it ends.
struct Turn {
    turns: Arc<Turns>,
    user_id: i64,
    _permit: OwnedSemaphorePermit,
}

impl Turns {
    fn new(all: usize, per_user: usize) -> Arc<Self> {
        Arc::new(Self { free: Arc::new(Semaphore::new(all)), per_user, of: Mutex::default() })
    }

    async fn take(self: &Arc<Self>, user_id: i64) -> Result<Turn, Failure> {
        let busy = || Failure::Busy("Too many long answers are being sent: ask again in a moment.".into());
        let waiting = tokio::time::timeout(TURN, Arc::clone(&self.free).acquire_owned());
        let permit = waiting.await.map_err(|_| busy())?.map_err(|_| busy())?;
        let mut counts = self.of.lock();
        let own = counts.entry(user_id).or_default();
        if *own >= self.per_user {
            return Err(busy());
        }
        *own += 1;
        drop(counts);
        Ok(Turn { turns: Arc::clone(self), user_id, _permit: permit })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut counts = self.turns.of.lock();
        if let Some(own) = counts.get_mut(&self.user_id) {
            *own -= 1;
            if *own == 0 {
                counts.remove(&self.user_id);
            }
        }
    }
}

/// Sends the head now and the body as it is produced, on the blocking pool.
fn stream(head: Answer, produce: Producer, turn: Turn) -> Response {
    let (sender, receiver) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let mut sink = Sink::new(sender);
        match produce(&mut sink).and_then(|()| sink.finish()) {
            Ok(()) => {}
            Err(Stop::Gone) => tracing::debug!("the client left before the end of an answer"),
            Err(Stop::Broken(failure)) => tracing::error!(?failure, "an answer broke off"),
        }
    });
    let pieces = futures_util::stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(receiver))),
            Some(Piece::End) => None,
            None => Some((Err(std::io::Error::other("the answer could not be completed")), None)),
        }
    });
    // Compression asks once more after the end.
    respond(head.status, head.headers, HttpBody::from_stream(pieces.fuse()))
}

fn send(answer: Answer, method: &Method) -> Response {
    let body = match answer.body {
        Body::Whole(bytes) if *method != Method::HEAD => HttpBody::from(bytes),
        _ => HttpBody::empty(),
    };
    respond(answer.status, answer.headers, body)
}

fn respond(status: StatusCode, headers: HeaderMap, body: HttpBody) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if status == StatusCode::NO_CONTENT {
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response
}
