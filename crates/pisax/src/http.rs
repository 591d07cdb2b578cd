//! What stands around the API and the pages: which of the two a request is for, compression, health, metrics,
//! the access log.

use crate::metrics::{Metrics, Route};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use parking_lot::Mutex;
use pisax_access::Actor;
use pisax_service::audit;
use pisax_store::access_log::Access;
use pisax_store::knowledge::KnowledgeCounts;
use pisax_store::maintenance::Counts;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tower::ServiceExt;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::decompression::RequestDecompressionLayer;

/// Everything a request may need.
pub struct Site {
    pub api: Arc<pisax_api::App>,
    pub pages: Router,
    pub metrics: Metrics,
    stored: Mutex<Option<(Instant, Stored)>>,
    /// Probes ask the database one at a time: a database that hangs holds up one thread, not all.
    probe: Arc<Semaphore>,
}

type Stored = (Counts, KnowledgeCounts);

/// How long a probe waits for the database.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long counted rows are good for; counting reads whole tables, and anybody may ask.
const COUNTS_LAST: Duration = Duration::from_secs(10);
/// Smaller answers fit a packet or two as they are.
const WORTH_COMPRESSING: u16 = 1400;
/// Longer paths are cut in the log.
const LOGGED_PATH: usize = 300;

impl Site {
    pub fn new(api: Arc<pisax_api::App>, pages: Router) -> Self {
        Self {
            api,
            pages,
            metrics: Metrics::default(),
            stored: Mutex::new(None),
            probe: Arc::new(Semaphore::new(1)),
        }
    }

    /// Asks the database something, within a time.
    async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&pisax_service::Service) -> pisax_service::Result<T> + Send + 'static,
    ) -> Option<T> {
        let site = Arc::clone(self);
        let asked = async move {
            let permit = Arc::clone(&site.probe).acquire_owned().await.ok()?;
            let answer = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                question(&site.api.service)
            });
            match answer.await.ok()? {
                Ok(answer) => Some(answer),
                Err(error) => {
                    tracing::error!(%error, "the database did not answer a probe");
                    None
                }
            }
        };
        tokio::time::timeout(PROBE_TIMEOUT, asked).await.ok().flatten()
    }

    async fn counts(self: &Arc<Self>) -> Option<Stored> {
        let known = *self.stored.lock();
        if let Some((when, stored)) = known
            && when.elapsed() < COUNTS_LAST
        {
            return Some(stored);
        }
        let counted = self
            .ask(|service| {
                let actor = Actor::system("count knowledge for metrics");
                let knowledge = service.read(&actor, |r| Ok(r.knowledge_counts()?))?;
                Ok((service.store.counts()?, knowledge))
            })
            .await?;
        *self.stored.lock() = Some((Instant::now(), counted));
        Some(counted)
    }
}

/// The whole server.
pub fn router(site: Arc<Site>) -> Router {
    let worth = SizeAbove::new(WORTH_COMPRESSING)
        .and(NotForContentType::IMAGES)
        .and(NotForContentType::SSE)
        // A page holds its form token beside what the client searched for: compressed, its length would tell
        // the token bit by bit (BREACH).
        .and(NotForContentType::const_new("text/html"));
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth);
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(dispatch)
        // What is unpacked is bounded where it is read, as any other body.
        .layer(RequestDecompressionLayer::new())
        .layer(compression)
        .layer(from_fn_with_state(Arc::clone(&site), observe))
        .with_state(site)
}

/// The API's requests to the API, the rest to the pages.
async fn dispatch(
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    // The address of a feed is for no client of the API: its token is no key.
    if request.uri().path().starts_with(pisax_api::FEED_FILES) {
        return pisax_api::serve_feed(Arc::clone(&site.api), request).await;
    }
    if pisax_api::is_api(request.method(), request.uri().path(), request.headers()) {
        return pisax_api::serve(Arc::clone(&site.api), peer.ip().to_canonical(), request).await;
    }
    match site.pages.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn ready(State(site): State<Arc<Site>>) -> Response {
    let answer =
        site.ask(|service| service.read(&Actor::system("readiness"), |r| Ok(r.setting("MISP.uuid")?)));
    match answer.await {
        Some(_) => "ready\n".into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

/// What is stored is counted for callers on this machine alone; strangers learn nothing from it.
async fn metrics(State(site): State<Arc<Site>>, ConnectInfo(peer): ConnectInfo<SocketAddr>) -> Response {
    let counts = if peer.ip().to_canonical().is_loopback() { site.counts().await } else { None };
    let text = site.metrics.text(counts.as_ref());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn route_of(request: &Request<Body>) -> Route {
    let path = request.uri().path();
    match path {
        "/healthz" | "/readyz" | "/metrics" => Route::Probe,
        _ if path.starts_with(pisax_api::FEED_FILES) => Route::Api,
        _ if pisax_api::is_api(request.method(), path, request.headers()) => Route::Api,
        _ if path.starts_with("/assets/") => Route::Asset,
        _ => Route::Page,
    }
}

/// Counts and logs each request: never its query, headers or body, where keys and passwords are.
async fn observe(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let under_way = site.metrics.begin();
    let route = route_of(&request);
    let method = request.method().clone();
    let mut path = request.uri().path().to_owned();
    path.truncate(path.floor_char_boundary(LOGGED_PATH));
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    let agent = request.headers().get(header::USER_AGENT).cloned();
    let mut response = next.run(request).await;
    drop(under_way);
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        // The rest of the body is not read, so the connection cannot be used again: say so.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let spent = started.elapsed();
    let status = response.status().as_u16();
    site.metrics.record(route, status, spent);
    let ms = (spent.as_secs_f64() * 10_000.0).round() / 10.0;
    // Whoever answered leaves the actor with the answer; nobody was signed in where there is none.
    let actor = response.extensions().get::<Actor>();
    let user = actor.map(|actor| actor.user_id);
    if matches!(route, Route::Api | Route::Page) {
        audit::note_access(&site.api.service, || {
            let parsed = pisax_api::path::Path::parse(&path, None, &method);
            let mut agent = agent.as_ref().and_then(|a| a.to_str().ok()).unwrap_or_default().to_owned();
            agent.truncate(agent.floor_char_boundary(255));
            Access {
                id: 0,
                created: site.api.service.clock.now_ms(),
                user_id: user.unwrap_or(0),
                org_id: actor.map_or(0, |actor| actor.org_id),
                key_id: actor.map_or(0, |actor| actor.origin.key_id),
                address: peer.map(|ip| ip.to_string()).unwrap_or_default(),
                method: method.as_str().to_owned(),
                user_agent: agent,
                controller: parsed.controller,
                action: parsed.action,
                url: path.clone(),
                code: i64::from(status),
                duration: i64::try_from(spent.as_millis()).unwrap_or(i64::MAX),
            }
        });
    }
    if route == Route::Probe {
        tracing::debug!(target: "pisax::access", %method, path, status, ms);
    } else {
        tracing::info!(target: "pisax::access", %method, path, status, ms, user);
    }
    response
}
