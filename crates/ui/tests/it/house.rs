//! One instance with its pages, and browsers that keep cookies.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use pisax_access::Actor;
use pisax_model::Clock;
use pisax_model::attribute::AttributeDraft;
use pisax_model::event::EventDraft;
use pisax_model::org::OrgDraft;
use pisax_model::user::UserDraft;
use pisax_service::first_start::{FirstStart, first_start};
use pisax_service::{Service, event, org, setup, user};
use pisax_store::{Address, Options, Store};
use pisax_ui::{Pages, links, router};
use tokio::sync::Semaphore;
use tower::ServiceExt;

pub const ADMIN: &str = "admin@admin.test";
pub const PASSWORD: &str = "Correct-Horse-Battery-9";
/// 2026-08-14 09:12:33 UTC.
pub const NOW: i64 = 1_786_698_753;
/// MISP's numbers of the stock roles.
pub const USER: i64 = 3;
pub const PUBLISHER: i64 = 4;
pub const READ_ONLY: i64 = 6;

/// A clock that tests move.
pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed) * 1000
    }
}

pub struct House {
    pub service: Arc<Service>,
    pub permits: Arc<Semaphore>,
    clock: Arc<TestClock>,
    router: Router,
    folder: PathBuf,
}

impl House {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("pisax_ui_{}_{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let options = Options { connections: 2, cache_mib: 16, ..Options::default() };
        let store = Store::open(&Address::Sqlite(folder.join("pisax.db")), options).unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(NOW)));
        let given = FirstStart { password: Some(PASSWORD.into()), ..FirstStart::default() };
        first_start(&store, &*clock, given).unwrap().unwrap();
        let service = setup::open(store, Arc::clone(&clock) as Arc<dyn Clock>, "http://share.test").unwrap();
        let service = Arc::new(service);
        let permits = Arc::new(Semaphore::new(2));
        let pages = Pages::new(Arc::clone(&service), Arc::clone(&permits), false, Vec::new());
        Self { service, permits, clock, router: router(Arc::new(pages)), folder }
    }

    /// Lets time go by.
    pub fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    /// A user of an organisation of this name, which is made when there is none.
    pub fn user(&self, email: &str, organisation: &str, role_id: i64) -> Actor {
        let system = Actor::system("test");
        let known = self.service.read(&system, |r| Ok(r.org_by_name(organisation)?)).unwrap();
        let org_id = known.map(|org| org.id).unwrap_or_else(|| {
            let draft =
                OrgDraft { name: Some(organisation.into()), local: Some(true), ..OrgDraft::default() };
            org::add(&self.service, &system, draft).unwrap().id
        });
        let draft = UserDraft {
            email: Some(email.into()),
            org_id: Some(org_id),
            role_id: Some(role_id),
            password: Some(PASSWORD.into()),
            change_pw: Some(false),
            ..UserDraft::default()
        };
        let added = user::add(&self.service, &system, draft).unwrap();
        self.actor(added.user.id)
    }

    /// The actor a user acts as.
    pub fn actor(&self, user_id: i64) -> Actor {
        let system = Actor::system("test");
        let (user, role) = self
            .service
            .read(&system, |r| {
                let user = r.user(user_id)?.unwrap();
                let role = r.role(user.role_id)?.unwrap();
                Ok((user, role))
            })
            .unwrap();
        Actor {
            user_id,
            org_id: user.org_id,
            permissions: role.permissions,
            host_org: user.org_id == self.service.policy.host_org_id,
            reason: None,
            origin: Default::default(),
        }
    }

    /// The first user, a site admin.
    pub fn admin(&self) -> Actor {
        self.actor(1)
    }

    pub fn event(&self, actor: &Actor, info: &str, distribution: i64, values: &[(&str, &str)]) -> i64 {
        let attributes = values.iter().map(|(kind, value)| attribute(kind, value)).collect();
        self.add(actor, EventDraft { attributes, ..draft(info, distribution) })
    }

    pub fn add(&self, actor: &Actor, draft: EventDraft) -> i64 {
        let added = event::add(&self.service, actor, draft).unwrap();
        assert!(added.dropped.is_empty(), "{:?}", added.dropped);
        added.id
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser { house: self, cookies: BTreeMap::new(), address: ([192, 0, 2, 7], 40_000).into() }
    }

    /// A browser somebody is signed in with.
    pub async fn signed_in(&self, email: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let page = browser.sign_in(email, PASSWORD).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        browser
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub fn draft(info: &str, distribution: i64) -> EventDraft {
    EventDraft { info: Some(info.into()), distribution: Some(distribution), ..EventDraft::default() }
}

pub fn attribute(kind: &str, value: &str) -> AttributeDraft {
    AttributeDraft { kind: Some(kind.into()), value: Some(value.into()), ..AttributeDraft::default() }
}

/// Keeps cookies, follows nothing.
#[derive(Clone)]
pub struct Browser<'h> {
    house: &'h House,
    pub cookies: BTreeMap<String, String>,
    pub address: SocketAddr,
}

/// What came back.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// The token of its forms.
    pub fn csrf(&self) -> &str {
        let (_, rest) = self.body.split_once("name=\"csrf\" value=\"").expect("a form");
        rest.split_once('"').unwrap().0
    }

    pub fn has(&self, text: &str) -> bool {
        self.body.contains(text)
    }

    /// How often a text is there.
    pub fn count(&self, text: &str) -> usize {
        self.body.matches(text).count()
    }
}

impl Browser<'_> {
    pub async fn get(&mut self, path: &str) -> Page {
        self.send(Request::get(path), String::new()).await
    }

    /// Sends a form as one of our own pages would.
    pub async fn post(&mut self, path: &str, csrf: &str, fields: &[(&str, &str)]) -> Page {
        let origin =
            [("host", "share.test"), ("origin", "http://share.test"), ("sec-fetch-site", "same-origin")];
        self.post_with(path, &origin, &[&[("csrf", csrf)], fields].concat()).await
    }

    pub async fn post_with(&mut self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Page {
        let body = links::with_query("", fields);
        let mut request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request, body.trim_start_matches('?').to_owned()).await
    }

    /// Sends a form with the token of the page at `from`.
    pub async fn fill(&mut self, from: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.get(from).await.csrf().to_owned();
        self.post(path, &csrf, fields).await
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) -> Page {
        self.fill(links::SIGN_IN, links::SIGN_IN, &[("email", email), ("password", password)]).await
    }

    async fn send(&mut self, mut request: http::request::Builder, body: String) -> Page {
        if !self.cookies.is_empty() {
            let line: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, line.join("; "));
        }
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(ConnectInfo(self.address));
        let (parts, body) = self.house.router.clone().oneshot(request).await.unwrap().into_parts();
        for line in parts.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            assert!(line.contains("; HttpOnly; SameSite=Lax"), "{line}");
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Page { status: parts.status, headers: parts.headers, body }
    }
}
