//! Connected servers: who sees them, what is kept secret, what is written down.

use http::StatusCode;
use pisax_model::org::OrgDraft;
use pisax_model::peer::{Direction, Entry, Outcome, Subject};
use pisax_service::peer::state;
use pisax_service::{job, org, peer};
use uuid::Uuid;

use crate::house::{ADMIN, House, USER};

const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";
/// Nobody listens there.
const AWAY: &str = "http://127.0.0.1:1";

fn remote_org(house: &House) -> String {
    let draft = OrgDraft { name: Some("CSIRT Hub".into()), ..OrgDraft::default() };
    org::add(&house.service, &house.admin(), draft).unwrap().id.to_string()
}

/// A server that is pulled from and pushed to, connected by the form.
async fn connected(house: &House) -> i64 {
    let org = remote_org(house);
    let mut browser = house.signed_in(ADMIN).await;
    let fields = [
        ("name", "Hub"),
        ("url", AWAY),
        ("authkey", KEY),
        ("remote_org_id", org.as_str()),
        ("pull", "1"),
        ("push", "1"),
    ];
    let page = browser.fill("/servers/add", "/servers/add", &fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    page.location().rsplit('/').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn whoever_is_no_site_admin_gets_the_usual_refusal() {
    let house = House::new();
    let id = connected(&house).await;
    house.user("duty@one.test", "One", USER);
    let mut browser = house.signed_in("duty@one.test").await;
    let csrf = browser.get("/events/index").await.csrf().to_owned();
    for path in ["/servers", "/servers/index", "/servers/add", "/jobs", "/jobs/index"] {
        assert_eq!(browser.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for action in ["view", "edit", "delete", "guard", "dryRun", "pull", "push", "testConnection"] {
        let page = browser.get(&format!("/servers/{action}/{id}")).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{action}");
        assert!(!page.has("Hub") && !page.has(AWAY), "{action}");
    }
    for path in ["edit", "delete", "guard", "pull", "push", "testConnection"] {
        let page = browser.post(&format!("/servers/{path}/{id}"), &csrf, &[]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(browser.post("/jobs/cancel/1", &csrf, &[]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn neither_key_nor_client_certificate_is_shown_again() {
    let house = House::new();
    let id = connected(&house).await;
    house.service.set_peer_state(id, &[(state::IDENTITY, "PRIVATE KEY OF OURS")]).unwrap();
    let mut browser = house.signed_in(ADMIN).await;
    for path in [format!("/servers/view/{id}"), format!("/servers/edit/{id}"), "/servers/index".to_owned()] {
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(!page.has(KEY) && !page.has("PRIVATE KEY OF OURS"), "{path}");
    }
    // Nor where the form comes back with what is wrong; an empty key keeps the one there is.
    let path = format!("/servers/edit/{id}");
    let other = "q".repeat(39);
    let wrong =
        browser.fill(&path, &path, &[("url", AWAY), ("authkey", &other), ("remote_org_id", "2")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.has("A key has 40 letters and digits") && !wrong.has(&other));
    let saved = browser.fill(&path, &path, &[("url", AWAY), ("authkey", ""), ("remote_org_id", "2")]).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    assert_eq!(peer::server(&house.service, &house.admin(), id).unwrap().authkey, KEY);
}

#[tokio::test]
async fn a_wrong_certificate_connects_nothing() {
    let house = House::new();
    let org = remote_org(&house);
    let mut browser = house.signed_in(ADMIN).await;
    let fields =
        [("url", AWAY), ("authkey", KEY), ("remote_org_id", org.as_str()), ("client_cert", "no certificate")];
    let page = browser.fill("/servers/add", "/servers/add", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.has("id=\"client_cert-error\""));
    assert!(browser.get("/servers/index").await.has("Connected with nobody yet"));
}

#[tokio::test]
async fn a_line_of_the_ledger_tells_what_became_why_and_when_it_is_tried_again() {
    let house = House::new();
    let id = connected(&house).await;
    let entry = |subject, uuid, outcome, why: &str| {
        Entry::new(id, Direction::Push, subject, Uuid::from_u128(uuid), outcome)
            .because(why)
            .about(&format!("Record {uuid}"), 1)
    };
    let mut entries = vec![
        entry(Subject::Event, 1, Outcome::Failed, "no answer in time"),
        entry(Subject::Cluster, 2, Outcome::Refused, "it answered 403: no"),
    ];
    entries.extend((3..=60).map(|n| entry(Subject::Event, n, Outcome::Done, "")));
    house.service.enter(entries).unwrap();
    house.service.exchanged(id, Some("it answered 403: no such key")).unwrap();
    house.wait(10);
    let mut browser = house.signed_in(ADMIN).await;
    let path = format!("/servers/view/{id}");
    let page = browser.get(&path).await;
    assert!(page.has("<b>1–50</b> of 60 records") && page.has("page=2#ledger"));
    assert!(page.has("It answered 403: no such key. Check the key"));
    let failed = browser.get(&format!("{path}?outcome=failed")).await;
    assert_eq!(failed.count("class=\"c-said\""), 1);
    assert!(failed.has("Record 1<") && failed.has("No answer in time.") && failed.has(">in a minute</time>"));
    assert_eq!(browser.get(&format!("{path}?kind=cluster")).await.count("class=\"c-said\""), 1);
    assert_eq!(browser.get(&format!("{path}?outcome=done&page=2")).await.count("class=\"c-said\""), 8);
    let none = browser.get(&format!("{path}?direction=pull")).await;
    assert!(none.has("No line of the ledger is like this"));
    let list = browser.get("/servers/index").await;
    assert!(list.has("Sent 58<") && list.has("Refused there 1<"));
    assert!(list.has("failed once"));
}

#[tokio::test]
async fn a_guard_is_kept_as_it_was_typed() {
    let house = House::new();
    let id = connected(&house).await;
    let mut browser = house.signed_in(ADMIN).await;
    let path = format!("/servers/guard/{id}");
    let fields = [
        ("ceiling", "green"),
        ("untagged", "red"),
        ("blocked_tags", "a:b\r\nc:d"),
        ("distribution", "4"),
        ("taxonomies", "compartment"),
        ("compartments", "compartment:ixp-core"),
    ];
    let saved = browser.fill(&path, &path, &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    let kept = house.service.peer_state(id).unwrap().remove(state::GUARD).unwrap();
    for part in [
        r#""tlp_ceiling":"green""#,
        r#""untagged_tlp":"red""#,
        r#""blocked_tags":["a:b","c:d"]"#,
        r#""blocked_distributions":[4]"#,
        r#""allowed":["compartment:ixp-core"]"#,
    ] {
        assert!(kept.contains(part), "{kept}");
    }
    let page = browser.get(&path).await;
    assert!(page.has("<option value=\"green\" selected>") && page.has("a:b\nc:d</textarea>"));
    // One that nobody can read is told, and not taken for an open door.
    house.service.set_peer_state(id, &[(state::GUARD, "{")]).unwrap();
    assert!(browser.get(&path).await.has("The egress guard cannot be read"));
    assert!(browser.get(&format!("/servers/view/{id}")).await.has("The egress guard cannot be read"));
}

#[tokio::test]
async fn jobs_are_queued_shown_and_cancelled() {
    let house = House::new();
    let id = connected(&house).await;
    let mut browser = house.signed_in(ADMIN).await;
    let view = format!("/servers/view/{id}");
    let pulled = browser.fill(&view, &format!("/servers/pull/{id}"), &[]).await;
    assert_eq!((pulled.status, pulled.location()), (StatusCode::SEE_OTHER, view.as_str()));
    let page = browser.get(&view).await;
    assert!(page.has("Pull from Hub") && page.has("data-follow=\"2\""));
    let (service, system) = (&house.service, pisax_access::Actor::system("test"));
    let taken = service.take_job(&system, "me").unwrap().unwrap();
    assert!(service.hold_job(&system, taken.id, "me", Some((37, "Pulling event 37 of 100."))).unwrap());
    let page = browser.get("/jobs/index").await;
    assert!(page.has("<progress max=\"100\" value=\"37\"") && page.has("Pulling event 37 of 100."));
    let cancelled = browser.fill("/jobs/index", &format!("/jobs/cancel/{}", taken.id), &[]).await;
    assert_eq!(cancelled.status, StatusCode::SEE_OTHER);
    assert!(!service.hold_job(&system, taken.id, "me", None).unwrap(), "whoever does it hears of it");
    service.end_job(&system, taken.id, "me", pisax_model::job::Status::Failed, "Cancelled.").unwrap();
    let page = browser.get("/jobs/index").await;
    assert!(page.has("Nothing runs and nothing waits") && page.has("Cancelled."));
    // Over is over.
    let again = browser.fill("/jobs/index", &format!("/jobs/cancel/{}", taken.id), &[]).await;
    assert!(again.status == StatusCode::FORBIDDEN && again.has("The job is over."));
    job::clear(service, &house.admin(), false).unwrap();
    assert!(browser.get("/jobs/index").await.has("No job has ended yet"));
}

#[tokio::test]
async fn what_is_no_server_is_not_found() {
    let house = House::new();
    let mut browser = house.signed_in(ADMIN).await;
    for path in
        ["/servers/view/7", "/servers/edit/7", "/servers/guard/x", "/servers/dryRun/7", "/servers/view/"]
    {
        assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn disconnecting_takes_the_ledger_along() {
    let house = House::new();
    let id = connected(&house).await;
    let entry = Entry::new(id, Direction::Pull, Subject::Event, Uuid::from_u128(1), Outcome::Done);
    house.service.enter(vec![entry]).unwrap();
    let mut browser = house.signed_in(ADMIN).await;
    let gone = browser.fill(&format!("/servers/edit/{id}"), &format!("/servers/delete/{id}"), &[]).await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get(&format!("/servers/view/{id}")).await.status, StatusCode::NOT_FOUND);
    let known = house.service.entered(id, Direction::Pull, Subject::Event, &[Uuid::from_u128(1)]).unwrap();
    assert!(known.is_empty());
}
