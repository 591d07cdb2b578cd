//! Responses: pages, redirects, and the headers that defend them all.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::failure::Failure;
use crate::{CSP, Template};

/// What every response carries unless it says otherwise itself.
const DEFENCES: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Pages show what is not for everybody: no copy stays in a browser or a proxy.
    (header::CACHE_CONTROL, "no-store"),
];

/// Adds the headers that every response carries.
pub(crate) async fn defend(mut response: Response) -> Response {
    for (name, value) in DEFENCES {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A page.
pub(crate) fn page(status: StatusCode, page: &impl Template) -> Result<Response, Failure> {
    Ok((status, Html(page.render()?)).into_response())
}

/// To another page of ours, by GET.
pub(crate) fn redirect(path: &str) -> Response {
    // Every path is ours and percent-encoded, but for what a client sent as `next`.
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
