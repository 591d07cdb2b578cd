//! GET /api/openapi: what programs can call, for people.

use axum::response::Response;
use http::StatusCode;

use super::failure::Failure;
use super::reply;
use super::visit::Visit;
use crate::{ApiReference, Area};

pub(crate) fn show(visit: &Visit<'_>) -> Result<Response, Failure> {
    let find = visit.query.get("find").trim();
    let page = ApiReference::of(visit.chrome(Area::Elsewhere), &visit.pages.calls, find);
    reply::page(StatusCode::OK, &page)
}
