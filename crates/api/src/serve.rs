//! Between HTTP and the handlers: body limit, the blocking pool, streaming.

use crate::answer::{Answer, Body, Piece, Sink, Stop};
use crate::authenticate::authenticate;
use crate::failure::Failure;
use crate::path::Path;
use crate::request::Request;
use crate::routes;
use axum::body::Body as HttpBody;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use pisax_auth::key::KeyHasher;
use pisax_service::Service;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// What every API request needs.
pub struct App {
    pub service: Arc<Service>,
    pub hasher: KeyHasher,
    /// One permit per database connection, taken before the hop to the blocking pool.
    pub permits: Arc<Semaphore>,
    /// How many long answers are sent at a time: fewer than there are connections, so that slow readers of long
    /// answers never keep short requests waiting.
    pub streams: Arc<Semaphore>,
    /// Largest body accepted, in bytes.
    pub max_body: usize,
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
        || path.to_ascii_lowercase().contains("/restsearch")
        || *method == Method::PUT
}

/// Answers one API request.
pub async fn serve(app: Arc<App>, address: IpAddr, request: http::Request<HttpBody>) -> Response {
    let (parts, body) = request.into_parts();
    let path = Path::parse(parts.uri.path(), parts.uri.query(), &parts.method);
    let url = path.raw.clone();
    let base = app.service.policy.base_url.clone();
    let body = match read_body(body, &parts.headers, app.max_body).await {
        Ok(body) => body,
        Err(failure) => return send(failure.answer(&url, &base), &parts.method, None),
    };
    let Ok(permit) = Arc::clone(&app.permits).acquire_owned().await else {
        return send(Failure::Internal("shutting down".into()).answer(&url, &base), &parts.method, None);
    };
    let (head, wait) = oneshot::channel();
    let (sender, receiver) = mpsc::channel(4);
    let method = parts.method.clone();
    tokio::task::spawn_blocking(move || {
        let answer = run(&app, address, parts.method, path, parts.headers, body)
            .unwrap_or_else(|failure| failure.answer(&url, &app.service.policy.base_url));
        let Answer { status, headers, body } = answer;
        match body {
            Body::Whole(_) => drop(head.send(Answer { status, headers, body })),
            Body::Streamed(produce) => {
                drop(permit);
                let turn = tokio::runtime::Handle::current().block_on(Arc::clone(&app.streams).acquire_owned());
                let empty = Body::Whole(Vec::new());
                if turn.is_ok() && head.send(Answer { status, headers, body: empty }).is_ok() {
                    let mut sink = Sink::new(sender);
                    match produce(&mut sink).and_then(|()| sink.finish()) {
                        Ok(()) => {}
                        Err(Stop::Gone) => tracing::debug!("the client left before the end of an answer"),
                        Err(Stop::Broken(failure)) => tracing::error!(?failure, "an answer broke off"),
                    }
                }
            }
        }
    });
    match wait.await {
        Ok(answer) => send(answer, &method, Some(receiver)),
        // The handler panicked; its message is in the log.
        Err(_) => send(Failure::Internal("a handler panicked".into()).answer("", &base), &method, None),
    }
}

async fn read_body(body: HttpBody, headers: &HeaderMap, limit: usize) -> Result<Bytes, Failure> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|n| n > limit) {
        return Err(Failure::TooLarge(limit));
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(e) if e.is::<http_body_util::LengthLimitError>() => Err(Failure::TooLarge(limit)),
        Err(_) => Err(Failure::BadRequest("The request body could not be read.".into())),
    }
}

fn run(
    app: &App,
    address: IpAddr,
    method: Method,
    path: Path,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Failure> {
    let (actor, owner) = authenticate(&app.service, &app.hasher, &headers, address)?;
    crate::users::note_use(&app.service, &owner);
    let route = routes::find(&path, &method)?;
    if !route.need.met(&actor, owner.key.read_only) {
        return Err(Failure::NoPermission);
    }
    let request = Request { service: Arc::clone(&app.service), actor, owner, method, path, headers, body };
    (route.run)(&request)
}

type Pieces = mpsc::Receiver<Piece>;

fn send(answer: Answer, method: &Method, stream: Option<Pieces>) -> Response {
    let body = match (answer.body, stream) {
        _ if *method == Method::HEAD => HttpBody::empty(),
        (Body::Whole(bytes), Some(receiver)) if bytes.is_empty() => {
            let pieces = futures_util::stream::unfold(Some(receiver), |receiver| async move {
                let mut receiver = receiver?;
                match receiver.recv().await {
                    Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(receiver))),
                    Some(Piece::End) => None,
                    None => Some((Err(std::io::Error::other("the answer could not be completed")), None)),
                }
            });
            // Compression asks once more after the end.
            HttpBody::from_stream(pieces.fuse())
        }
        (Body::Whole(bytes), _) => HttpBody::from(bytes),
        (Body::Streamed(_), _) => HttpBody::empty(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if answer.status == StatusCode::NO_CONTENT {
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response
}
