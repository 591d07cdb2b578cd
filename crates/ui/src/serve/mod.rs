//! Between HTTP and the pages: who asks, what they may, which service call answers, which page shows it.
//!
//! A request is read on the async side ([`answer`]), then one blocking task does all its database work with a
//! permit in hand and draws the page. What a handler gets is a [`visit::Visit`]: somebody signed in, with the
//! permission its route asks for, a form whose token was right. What they see and may change is decided by the
//! service and the store, with their [`pisax_access::Actor`].

mod answer;
mod api_reference;
mod assets;
mod attribute_form;
mod contents;
mod cookies;
mod dry_run;
mod event_actions;
mod event_form;
mod event_list;
mod event_page;
mod failure;
mod fields;
mod freetext;
mod groups;
mod guard_form;
mod jobs;
mod notice;
mod origin;
mod refusal;
mod reply;
mod review;
mod routes;
mod search;
mod server_form;
mod server_list;
mod server_page;
mod session;
mod sign_in;
mod visit;
mod warnings;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::routing::get;
use pisax_auth::brute_force::Limiter;
use pisax_service::Service;
use tokio::sync::Semaphore;

use crate::{ApiCall, links};
use failure::Failure;

/// The longest form, in MiB: a pasted text or the review of one. Files of any size go through the command
/// line.
const LONGEST_FORM_MIB: usize = 16;

/// Passwords checked at once: each takes 19 MiB and a processor for tens of milliseconds, and anybody can ask.
const PASSWORD_CHECKS: usize = 2;

/// What the pages are served from.
pub struct Pages {
    pub service: Arc<Service>,
    /// One permit per database connection, taken before the hop to the blocking pool.
    pub permits: Arc<Semaphore>,
    /// The brake on guessing passwords.
    pub limiter: Limiter,
    /// Whether cookies are for HTTPS alone: wherever the instance is reached over HTTPS.
    pub secure_cookies: bool,
    /// What programs can call, for the page on it.
    pub(crate) calls: Vec<ApiCall>,
    password_checks: Semaphore,
}

impl Pages {
    pub fn new(
        service: Arc<Service>,
        permits: Arc<Semaphore>,
        secure_cookies: bool,
        calls: Vec<ApiCall>,
    ) -> Self {
        Self {
            service,
            permits,
            limiter: Limiter::new(),
            secure_cookies,
            calls,
            password_checks: Semaphore::new(PASSWORD_CHECKS),
        }
    }

    /// Runs `work` on the blocking pool, with a permit for the database.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| Failure::internal("the server is shutting down"))?;
        let pages = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&pages)
        });
        done.await.map_err(|e| Failure::internal(format!("a page panicked: {e}")))?
    }
}

/// The pages, their files and the 404 page for everything else. Signing in wants the client's address as
/// [`axum::extract::ConnectInfo`] of a [`std::net::SocketAddr`].
pub fn router(pages: Arc<Pages>) -> Router {
    let mut router = Router::new()
        .route(links::SIGN_IN, get(sign_in::show).post(sign_in::submit))
        .route(links::SIGN_OUT, get(sign_in::to_the_start).post(sign_in::sign_out))
        .route("/assets/{name}", get(assets::serve))
        .fallback(answer::missing)
        .method_not_allowed_fallback(answer::missing);
    for route in routes::TABLE {
        router = router.route(route.path, route.handler());
    }
    router
        .layer(DefaultBodyLimit::max(LONGEST_FORM_MIB << 20))
        .layer(map_response(reply::defend))
        .with_state(pages)
}
