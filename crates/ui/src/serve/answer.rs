//! One request: read on the async side, then everything else in one blocking task.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::HeaderMap;
use pisax_auth::session::Secret;

use super::Pages;
use super::cookies::{self, NOTICE, SESSION};
use super::failure::Failure;
use super::fields::Fields;
use super::notice::{self, Notice};
use super::routes::{Method, Route};
use super::visit::Visit;
use super::{origin, reply, session};
use crate::{Area, Chrome, links};

/// The secret of the browser, if it has one of ours.
pub(crate) fn secret(headers: &HeaderMap) -> Option<Secret> {
    cookies::find(headers, SESSION).and_then(Secret::parse)
}

/// What a request says before it is known whose it is.
struct Asked {
    id: Option<String>,
    /// With the query.
    path: String,
    query: Fields,
    form: Fields,
    notice: Option<Notice>,
    /// The client, for the audit log.
    address: Option<IpAddr>,
}

/// Answers a request for a page of the table.
pub(crate) async fn signed_in(
    pages: Arc<Pages>,
    route: &'static Route,
    id: Option<String>,
    request: Request,
) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    match read(&pages, route, id, path.clone(), request).await {
        Ok((secret, asked)) => {
            let answered = pages.blocking(move |pages| Ok(run(pages, route, secret, asked))).await;
            answered.unwrap_or_else(|failure| failure.page(Chrome::default(), &path))
        }
        Err(failure) => failure.page(Chrome::default(), &path),
    }
}

async fn read(
    pages: &Pages,
    route: &Route,
    id: Option<String>,
    path: String,
    request: Request,
) -> Result<(Option<Secret>, Asked), Failure> {
    let headers = request.headers();
    let secret = secret(headers);
    let notice = cookies::find(headers, NOTICE).and_then(Notice::read);
    let address =
        request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    let query = Fields::of_query(request.uri());
    let form = match route.method {
        Method::Get => Fields::default(),
        Method::Post => {
            if !origin::is_ours(headers, request.uri(), &pages.service.policy.base_url) {
                return Err(Failure::StaleForm);
            }
            // A form that nobody is signed in for is not worth reading.
            if secret.is_none() {
                return Err(Failure::StaleForm);
            }
            Fields::of_form(request).await?
        }
    };
    Ok((secret, Asked { id, path, query, form, notice, address }))
}

/// Everything that needs the database, and the drawing of the page.
fn run(pages: &Pages, route: &Route, secret: Option<Secret>, asked: Asked) -> Response {
    let found = match &secret {
        Some(secret) => session::find(pages, secret),
        None => Ok(None),
    };
    let mut visitor = match (found, route.method) {
        (Ok(Some(visitor)), _) => visitor,
        (Ok(None), Method::Get) => return reply::redirect(&links::sign_in_and_go_to(&asked.path)),
        (Ok(None), Method::Post) => return Failure::StaleForm.page(Chrome::default(), &asked.path),
        (Err(failure), _) => return failure.page(Chrome::default(), &asked.path),
    };
    let Asked { id, path, query, form, notice, address } = asked;
    visitor.actor.origin.address = address;
    let visit = Visit { pages, visitor, id, query, form, notice };
    let mut response =
        handle(route, &visit).unwrap_or_else(|failure| failure.page(visit.chrome(Area::Elsewhere), &path));
    if notice.is_some() && !response.status().is_redirection() {
        notice::told(&mut response, pages);
    }
    response
}

fn handle(route: &Route, visit: &Visit<'_>) -> Result<Response, Failure> {
    if route.method == Method::Post && !visit.visitor.secret.csrf_is(visit.form.get("csrf")) {
        return Err(Failure::StaleForm);
    }
    if !visit.service().settings().live && !visit.actor().sees_all() {
        return Err(Failure::Closed);
    }
    if !route.open_to(visit.actor()) {
        return Err(Failure::Forbidden);
    }
    (route.run)(visit)
}

/// The 404 page, for every path and method that is none of ours.
pub(crate) async fn missing(State(pages): State<Arc<Pages>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let secret = secret(request.headers());
    let drawn = pages.blocking(move |pages| {
        let visitor = secret.map(|secret| session::find(pages, &secret)).transpose()?.flatten();
        let chrome = visitor.map(|visitor| {
            let (query, form) = (Fields::default(), Fields::default());
            Visit { pages, visitor, id: None, query, form, notice: None }.chrome(Area::Elsewhere)
        });
        Ok(chrome.unwrap_or_default())
    });
    match drawn.await {
        Ok(chrome) => Failure::NotFound.page(chrome, &path),
        Err(failure) => failure.page(Chrome::default(), &path),
    }
}
