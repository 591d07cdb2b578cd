//! Who gets in, how long they stay, and what a form from elsewhere achieves.

use http::StatusCode;
use pisax_access::Actor;
use pisax_auth::session::{IDLE_SECS, LONGEST_SECS};
use pisax_model::user::UserDraft;
use pisax_service::{setting, user};
use pisax_ui::links;

use crate::house::{ADMIN, House, PASSWORD, USER};

#[tokio::test]
async fn nothing_is_shown_to_who_is_not_signed_in() {
    let house = House::new();
    house.event(&house.admin(), "Route leak", 3, &[]);
    for path in ["/", "/events", "/events/index?q=leak", "/events/view/1", "/events/add", "/events/delete/1"]
    {
        let page = house.browser().get(path).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(page.location(), links::sign_in_and_go_to(path));
        assert!(!page.has("leak"));
    }
}

#[tokio::test]
async fn signing_in_leads_on_to_where_one_was_going() {
    let house = House::new();
    let mut browser = house.browser();
    let page = browser.get("/users/login?next=%2Fevents%2Fview%2F1").await;
    assert!(page.has("name=\"next\" value=\"/events/view/1\""));
    let planted = browser.cookies["pisax_session"].clone();
    let fields = [("email", "Admin@Admin.test "), ("password", PASSWORD), ("next", "/events/view/1")];
    let csrf = page.csrf().to_owned();
    let page = browser.post(links::SIGN_IN, &csrf, &fields).await;
    assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, "/events/view/1"));
    assert_ne!(browser.cookies["pisax_session"], planted, "a secret from before is worth nothing");
    assert!(page.header("set-cookie").contains(&format!("Max-Age={LONGEST_SECS}")));
    assert_eq!(browser.get("/events/index").await.status, StatusCode::OK);
    assert_eq!(browser.get(links::SIGN_IN).await.location(), links::EVENTS, "already signed in");
}

#[tokio::test]
async fn signing_in_never_leads_to_another_site() {
    let house = House::new();
    for next in ["//evil.example/", "https://evil.example/", "/\\evil.example", "/\r\nx: y"] {
        let fields = [("email", ADMIN), ("password", PASSWORD), ("next", next)];
        let page = house.browser().fill(links::SIGN_IN, links::SIGN_IN, &fields).await;
        assert_eq!(page.location(), links::EVENTS, "{next}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_alike() {
    let house = House::new();
    house.user("gone@ixp.test", "IXP", USER);
    let draft = UserDraft { disabled: Some(true), ..UserDraft::default() };
    user::edit(&house.service, &Actor::system("test"), 2, draft).unwrap();
    for (email, password) in [(ADMIN, "Guess-7"), ("nobody@ixp.test", "Guess-7"), ("gone@ixp.test", PASSWORD)]
    {
        let page = house.browser().sign_in(email, password).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(page.has("The e-mail address or the password is wrong."), "{email}");
        assert!(page.has(&format!("value=\"{email}\"")), "what was typed stays");
        assert!(!page.has(password), "but for the password");
    }
}

#[tokio::test]
async fn the_sixth_guess_waits() {
    let house = House::new();
    let mut browser = house.browser();
    for _ in 0..5 {
        assert_eq!(browser.sign_in(ADMIN, "wrong").await.status, StatusCode::FORBIDDEN);
    }
    let page = browser.sign_in(ADMIN, PASSWORD).await;
    assert_eq!((page.status, page.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "300"));
    assert!(page.has("Try again in 5 minutes."));
    let mut elsewhere = house.browser();
    elsewhere.address = ([198, 51, 100, 1], 1).into();
    assert_eq!(elsewhere.sign_in(ADMIN, PASSWORD).await.status, StatusCode::SEE_OTHER);
    house.wait(301);
    assert_eq!(browser.sign_in(ADMIN, PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_not_only_the_cookie() {
    let house = House::new();
    let mut browser = house.signed_in(ADMIN).await;
    let mut stolen = browser.clone();
    let page = browser.fill("/events/index", links::SIGN_OUT, &[]).await;
    assert_eq!(page.location(), links::SIGN_IN);
    assert!(!browser.cookies.contains_key("pisax_session"));
    assert_eq!(stolen.get("/events/index").await.status, StatusCode::SEE_OTHER);
    assert_eq!(house.signed_in(ADMIN).await.get(links::SIGN_OUT).await.location(), links::EVENTS);
}

#[tokio::test]
async fn a_session_ends_when_idle_and_at_its_longest() {
    let house = House::new();
    let mut browser = house.signed_in(ADMIN).await;
    for _ in 0..(LONGEST_SECS / (IDLE_SECS - 1)) {
        house.wait(IDLE_SECS - 1);
        assert_eq!(browser.get("/events/index").await.status, StatusCode::OK);
    }
    house.wait(IDLE_SECS - 1);
    assert_eq!(browser.get("/events/index").await.status, StatusCode::SEE_OTHER, "a week is over");
    let mut idle = house.signed_in(ADMIN).await;
    house.wait(IDLE_SECS);
    assert_eq!(idle.get("/events/index").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn who_is_disabled_or_has_expired_is_signed_out() {
    let house = House::new();
    for (number, draft) in [
        (2, UserDraft { disabled: Some(true), ..UserDraft::default() }),
        (3, UserDraft { expiration: Some(Some("2026-08-14T09:30:00Z".into())), ..UserDraft::default() }),
    ] {
        let email = format!("{number}@ixp.test");
        house.user(&email, "IXP", USER);
        let mut browser = house.signed_in(&email).await;
        user::edit(&house.service, &Actor::system("test"), number, draft).unwrap();
        house.wait(1_200);
        assert_eq!(browser.get("/events/index").await.status, StatusCode::SEE_OTHER, "{email}");
        assert_eq!(browser.sign_in(&email, PASSWORD).await.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn an_instance_that_is_closed_is_for_site_admins() {
    let house = House::new();
    house.user("noc@ixp.test", "IXP", USER);
    let mut member = house.signed_in("noc@ixp.test").await;
    setting::edit(&house.service, &Actor::system("test"), "MISP.live", "0").unwrap();
    assert_eq!(member.get("/events/index").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(house.signed_in(ADMIN).await.get("/events/index").await.status, StatusCode::OK);
}

const FORGED: [(&str, &str); 2] = [("info", "Forged"), ("date", "2026-01-01")];

#[tokio::test]
async fn a_form_without_its_token_is_refused_and_changes_nothing() {
    let house = House::new();
    let mut browser = house.signed_in(ADMIN).await;
    let mut other = house.signed_in(ADMIN).await;
    let foreign = other.get("/events/add").await.csrf().to_owned();
    for token in ["", "x", &"0".repeat(64), &foreign, &browser.cookies["pisax_session"].clone()] {
        let page = browser.post("/events/add", token, &FORGED).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{token}");
        assert!(page.has("This form is out of date"));
    }
    assert!(browser.get("/events/index").await.has("No events yet"));
    let page = browser.post(links::SIGN_OUT, "x", &[]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.get("/events/index").await.status, StatusCode::OK, "still signed in");
}

#[tokio::test]
async fn a_form_from_another_site_is_refused_even_with_the_token() {
    let house = House::new();
    let mut browser = house.signed_in(ADMIN).await;
    let csrf = browser.get("/events/add").await.csrf().to_owned();
    let fields = [&[("csrf", csrf.as_str())], &FORGED[..]].concat();
    for headers in [
        [("host", "share.test"), ("origin", "http://evil.test")],
        [("host", "share.test"), ("origin", "null")],
        [("host", "share.test"), ("sec-fetch-site", "cross-site")],
    ] {
        for path in ["/events/add", links::SIGN_OUT, links::SIGN_IN] {
            let page = browser.post_with(path, &headers, &fields).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
        }
    }
    assert!(browser.get("/events/index").await.has("No events yet"));
    let page = browser.post_with("/events/add", &[("host", "share.test")], &fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "an old browser says nothing of itself");
}

#[tokio::test]
async fn a_form_sent_after_the_session_is_not_lost_in_a_redirect() {
    let house = House::new();
    let mut browser = house.signed_in(ADMIN).await;
    let csrf = browser.get("/events/add").await.csrf().to_owned();
    house.wait(IDLE_SECS);
    let page = browser.post("/events/add", &csrf, &FORGED).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.has("go back, reload the page"));
    browser.cookies.clear();
    assert_eq!(browser.post("/events/add", &csrf, &FORGED).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn every_answer_is_defended() {
    let house = House::new();
    let mut browser = house.signed_in(ADMIN).await;
    let mut nobody = house.browser();
    let page = nobody.get(links::SIGN_IN).await;
    let css = page.body.split_once("href=\"/assets/").unwrap().1.split_once('"').unwrap().0.to_owned();
    for (path, status) in [
        (links::SIGN_IN, StatusCode::SEE_OTHER),
        ("/events/index", StatusCode::OK),
        ("/no/such/page", StatusCode::NOT_FOUND),
        ("/events/view/99", StatusCode::NOT_FOUND),
        ("/events/view/..%2f1", StatusCode::NOT_FOUND),
        ("/assets/app.0000000000000000.css", StatusCode::NOT_FOUND),
        ("/events/restSearch", StatusCode::NOT_FOUND),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, status, "{path}");
        assert_eq!(page.header("content-security-policy"), pisax_ui::CSP, "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
    }
    assert!(browser.get("/no/such/page").await.has(ADMIN), "known also on the 404 page");
    let file = nobody.get(&format!("/assets/{css}")).await;
    assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(file.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_fault_of_ours_shows_a_reference_and_no_detail() {
    let house = House::new();
    let mut browser = house.signed_in(ADMIN).await;
    house.permits.close();
    for path in ["/events/index", "/no/such/page", links::SIGN_IN] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert!(page.has("PISAX failed") && page.has("Reference <code>"));
        assert!(!page.has("shutting down"));
        assert_eq!(page.header("content-security-policy"), pisax_ui::CSP);
    }
}

#[tokio::test]
async fn a_form_beyond_the_limit_is_refused() {
    let house = House::new();
    let mut browser = house.signed_in(ADMIN).await;
    let id = house.event(&house.admin(), "Big", 0, &[]);
    let path = links::freetext(id);
    let text = "a ".repeat(9 << 20);
    let page = browser.fill(&path, &path, &[("text", &text)]).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(page.has("16 MiB"));
}
