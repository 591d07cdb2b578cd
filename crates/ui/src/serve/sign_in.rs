//! Signing in and out.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use pisax_access::{Actor, Origin, Via};
use pisax_auth::brute_force::Refused;
use pisax_auth::password;
use pisax_auth::session::Secret;
use pisax_service::audit;

use super::Pages;
use super::answer::secret;
use super::cookies::{self, Life, SESSION};
use super::failure::Failure;
use super::fields::Fields;
use super::{origin as request_origin, reply, session};
use crate::{Chrome, SignIn, links, words};

/// Does not tell whether the address is known.
const WRONG: &str = "The e-mail address or the password is wrong.";
const STALE: &str = "This page was open for too long. Type your password again.";

/// GET /users/login: the form, or onward for who is signed in.
pub(crate) async fn show(State(pages): State<Arc<Pages>>, request: Request) -> Response {
    let secret = secret(request.headers());
    let next = local(Fields::of_query(request.uri()).get("next")).to_owned();
    let known = pages.blocking({
        let secret = secret.clone();
        move |pages| Ok(secret.map(|secret| session::find(pages, &secret)).transpose()?.flatten().is_some())
    });
    let shown = match known.await {
        Ok(true) => return reply::redirect(onward(&next)),
        Ok(false) => form(&pages, secret, SignIn { next, ..SignIn::default() }, StatusCode::OK),
        Err(failure) => Err(failure),
    };
    shown.unwrap_or_else(|failure| failure.page(Chrome::default(), links::SIGN_IN))
}

/// The form under the token of this browser, which gets a secret if it has none.
fn form(
    pages: &Pages,
    secret: Option<Secret>,
    page: SignIn,
    status: StatusCode,
) -> Result<Response, Failure> {
    let (secret, new) = match secret {
        Some(secret) => (secret, false),
        None => (Secret::generate(), true),
    };
    let chrome = Chrome { csrf: secret.csrf(), ..Chrome::default() };
    let mut response = reply::page(status, &SignIn { chrome, ..page })?;
    if new {
        set_session(&mut response, pages, &secret.to_hex(), Life::Browser);
    }
    Ok(response)
}

fn set_session(response: &mut Response, pages: &Pages, value: &str, life: Life) {
    cookies::add(response, &cookies::line(SESSION, value, life, pages.secure_cookies));
}

/// What was typed.
struct Typed {
    email: String,
    password: String,
    next: String,
}

/// POST /users/login.
pub(crate) async fn submit(State(pages): State<Arc<Pages>>, request: Request) -> Response {
    let answer = sign_in(&pages, request).await;
    answer.unwrap_or_else(|failure| failure.page(Chrome::default(), links::SIGN_IN))
}

async fn sign_in(pages: &Arc<Pages>, request: Request) -> Result<Response, Failure> {
    let address = address(&request)?;
    let secret = secret(request.headers());
    if !request_origin::is_ours(request.headers(), request.uri(), &pages.service.policy.base_url) {
        return Err(Failure::StaleForm);
    }
    let form = Fields::of_form(request).await?;
    let typed = Typed {
        email: form.get("email").trim().to_owned(),
        password: form.get("password").to_owned(),
        next: local(form.get("next")).to_owned(),
    };
    if !secret.as_ref().is_some_and(|secret| secret.csrf_is(form.get("csrf"))) {
        return again(pages, secret, typed, StatusCode::FORBIDDEN, STALE.to_owned());
    }
    if let Err(refused) = pages.limiter.attempt(address, &typed.email, pages.service.now()) {
        return wait(pages, secret, typed, refused, address);
    }
    match check(pages, &typed).await? {
        Some(user_id) => {
            pages.limiter.succeeded(address, &typed.email);
            let entered = enter(pages, user_id, secret, typed.next).await?;
            let note = move |pages: &Pages| {
                let service = &pages.service;
                let user = service.read(&Actor::system("note a sign-in"), |r| Ok(r.user(user_id)?))?;
                if let Some(user) = user {
                    audit::signed_in(service, &user, origin(address));
                }
                Ok(())
            };
            pages.blocking(note).await?;
            Ok(entered)
        }
        None => {
            tracing::info!(%address, "a sign-in failed");
            let email = typed.email.clone();
            let note = move |pages: &Pages| {
                audit::sign_in_failed(&pages.service, &email, origin(address));
                Ok(())
            };
            pages.blocking(note).await?;
            again(pages, secret, typed, StatusCode::FORBIDDEN, WRONG.to_owned())
        }
    }
}

fn origin(address: IpAddr) -> Origin {
    Origin { via: Via::Page, address: Some(address.to_canonical()), key_id: 0 }
}

fn address(request: &Request) -> Result<IpAddr, Failure> {
    let info = request.extensions().get::<ConnectInfo<SocketAddr>>();
    info.map(|info| info.0.ip().to_canonical()).ok_or_else(|| {
        Failure::internal(
            "the pages are served without ConnectInfo<SocketAddr>, which the brake on guessing needs",
        )
    })
}

/// The form again, with the reason; the password is not sent back.
fn again(
    pages: &Pages,
    secret: Option<Secret>,
    typed: Typed,
    status: StatusCode,
    reason: String,
) -> Result<Response, Failure> {
    let Typed { email, next, .. } = typed;
    form(pages, secret, SignIn { email, next, error: Some(reason), ..SignIn::default() }, status)
}

fn wait(
    pages: &Pages,
    secret: Option<Secret>,
    typed: Typed,
    refused: Refused,
    address: IpAddr,
) -> Result<Response, Failure> {
    tracing::warn!(%address, "too many wrong passwords: sign-in is paused");
    let seconds = u64::try_from(refused.retry_after).unwrap_or_default().max(1);
    let minutes = words::counted(seconds.div_ceil(60), "minute", "minutes");
    let reason = format!("There were too many attempts. Try again in {minutes}.");
    let mut response = again(pages, secret, typed, StatusCode::TOO_MANY_REQUESTS, reason)?;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    Ok(response)
}

/// The user with this address and password, if they may sign in. Takes as long when there is none.
async fn check(pages: &Arc<Pages>, typed: &Typed) -> Result<Option<i64>, Failure> {
    let email = typed.email.clone();
    let account = pages.blocking(move |pages| account(pages, &email)).await?;
    // Not under a permit of the database: a flood of sign-ins must not hold up the pages.
    let turn = pages.password_checks.acquire().await;
    let _turn = turn.map_err(|_| Failure::internal("the server is shutting down"))?;
    let password = typed.password.clone();
    let checked = tokio::task::spawn_blocking(move || match account {
        Some((user_id, hash)) => password::verify(&password, &hash).then_some(user_id),
        None => password::verify_nobody(&password).then_some(0),
    });
    checked.await.map_err(|e| Failure::internal(format!("checking a password panicked: {e}")))
}

/// Number and password hash of a user who may sign in.
fn account(pages: &Pages, email: &str) -> Result<Option<(i64, String)>, Failure> {
    let now = pages.service.now();
    let system = Actor::system("check a password");
    Ok(pages.service.read(&system, |r| {
        let Some(user) = r.user_by_email(email)?.filter(|user| session::active(user, now)) else {
            return Ok(None);
        };
        let hash = r.password_hash(user.id)?.filter(|hash| !hash.is_empty());
        Ok(hash.map(|hash| (user.id, hash)))
    })?)
}

async fn enter(
    pages: &Arc<Pages>,
    user_id: i64,
    before: Option<Secret>,
    next: String,
) -> Result<Response, Failure> {
    let (secret, max_age) =
        pages.blocking(move |pages| session::begin(pages, user_id, before.as_ref())).await?;
    let mut response = reply::redirect(onward(&next));
    set_session(&mut response, pages, &secret.to_hex(), Life::Seconds(max_age));
    Ok(response)
}

/// GET /users/logout, MISP's way of signing out: a link must not do that.
pub(crate) async fn to_the_start() -> Response {
    reply::redirect(links::EVENTS)
}

/// POST /users/logout.
pub(crate) async fn sign_out(State(pages): State<Arc<Pages>>, request: Request) -> Response {
    let answer = leave(&pages, request).await;
    answer.unwrap_or_else(|failure| failure.page(Chrome::default(), links::SIGN_OUT))
}

async fn leave(pages: &Arc<Pages>, request: Request) -> Result<Response, Failure> {
    if !request_origin::is_ours(request.headers(), request.uri(), &pages.service.policy.base_url) {
        return Err(Failure::StaleForm);
    }
    let Some(secret) = secret(request.headers()) else { return Ok(reply::redirect(links::SIGN_IN)) };
    let form = Fields::of_form(request).await?;
    if !secret.csrf_is(form.get("csrf")) {
        return Err(Failure::StaleForm);
    }
    pages.blocking(move |pages| session::end(pages, &secret)).await?;
    let mut response = reply::redirect(links::SIGN_IN);
    set_session(&mut response, pages, "", Life::Ended);
    Ok(response)
}

/// A path of this site, or nothing: what a link says must not lead elsewhere after signing in.
fn local(next: &str) -> &str {
    let plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if plain && next.starts_with('/') && !next.starts_with("//") { next } else { "" }
}

fn onward(next: &str) -> &str {
    if next.is_empty() { links::EVENTS } else { next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_this_site_is_gone_on_to() {
        for good in ["/", "/events/view/3", "/events/index?q=a%20b&page=2"] {
            assert_eq!(local(good), good);
        }
        for bad in [
            "",
            "events",
            "//evil.example/",
            "/\\evil.example",
            "https://evil.example",
            "/\tevil",
            "/a\r\nSet-Cookie: x=y",
            "javascript:alert(1)",
            "/ä",
        ] {
            assert_eq!(local(bad), "", "{bad}");
        }
        assert_eq!(onward(local("//evil.example")), links::EVENTS);
    }
}
