//! Forms: what they save, what they send back, and that nothing typed is lost.

use http::StatusCode;
use pisax_access::Actor;
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::sharing::{MemberDraft, SharingGroup, SharingGroupDraft};
use pisax_service::sharing_group;
use pisax_store::attributes::{Batch, Wanted};

use crate::house::{ADMIN, House, PUBLISHER, USER};

fn stored(house: &House, id: i64) -> Event {
    house.service.read(&house.admin(), |r| Ok(r.event(Ref::Id(id))?.unwrap())).unwrap()
}

fn attributes(house: &House, id: i64) -> Batch {
    let wanted = Wanted { living: true, deleted: false };
    house
        .service
        .read(&house.admin(), |r| {
            let event = r.event(Ref::Id(id))?.unwrap();
            Ok(r.event_attributes(&event, wanted, 0, 1_000)?)
        })
        .unwrap()
}

fn group(house: &House, name: &str, members: &[i64]) -> SharingGroup {
    let member = |id: &i64| MemberDraft { org: Some(Ref::Id(*id)), ..MemberDraft::default() };
    let draft = SharingGroupDraft {
        name: Some(name.into()),
        releasability: Some("IXPs".into()),
        active: Some(true),
        orgs: Some(members.iter().map(member).collect()),
        ..SharingGroupDraft::default()
    };
    sharing_group::add(&house.service, &house.admin(), draft).unwrap()
}

#[tokio::test]
async fn an_event_is_added_changed_and_deleted() {
    let house = House::new();
    let mut browser = house.signed_in(ADMIN).await;
    let page = browser.get("/events/add").await;
    assert!(page.has("value=\"2026-08-14\""), "today");
    let fields = [
        ("info", "Route leak by AS64500"),
        ("date", "2026-08-13"),
        ("distribution", "0"),
        ("threat_level_id", "1"),
        ("analysis", "1"),
        ("extends_uuid", ""),
    ];
    let page = browser.fill("/events/add", "/events/add", &fields).await;
    assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, "/events/view/1"));
    let event = stored(&house, 1);
    assert_eq!((event.info.as_str(), event.date.as_str()), ("Route leak by AS64500", "2026-08-13"));
    assert_eq!((event.distribution, event.threat_level_id, event.analysis), (0, 1, 1));
    assert!(browser.get("/events/view/1").await.has("The event was added."));
    assert!(!browser.get("/events/view/1").await.has("The event was added."), "told once");

    let page = browser.get("/events/edit/1").await;
    assert!(page.has("value=\"Route leak by AS64500\"") && page.has("<option value=\"1\" selected>High"));
    assert!(page.has("data-confirm=\"Delete event 1 with 0 attributes for good?"));
    let fields = [("info", "Route leak"), ("date", "2026-08-13"), ("distribution", "1"), ("analysis", "2")];
    let page = browser.fill("/events/edit/1", "/events/edit/1", &fields).await;
    assert_eq!(page.location(), "/events/view/1", "{}", page.body);
    let event = stored(&house, 1);
    assert_eq!((event.info.as_str(), event.distribution, event.analysis), ("Route leak", 1, 2));
    assert_eq!(event.threat_level_id, 1, "a field that was not sent stays");

    let page = browser.fill("/events/edit/1", "/events/delete/1", &[]).await;
    assert_eq!(page.location(), "/events/index");
    assert!(browser.get("/events/index").await.has("The event was deleted with everything in it."));
    assert_eq!(browser.get("/events/view/1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_wrong_event_comes_back_with_its_errors_and_all_that_was_typed() {
    let house = House::new();
    let mut browser = house.signed_in(ADMIN).await;
    let fields = [
        ("info", "Kept <as> typed"),
        ("date", "2026-02-31"),
        ("distribution", "3"),
        ("threat_level_id", "2"),
        ("analysis", "1"),
        ("extends_uuid", "77"),
    ];
    let page = browser.fill("/events/add", "/events/add", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in [
        "value=\"Kept &#60;as&#62; typed\"",
        "value=\"2026-02-31\"",
        "value=\"77\"",
        "<option value=\"3\" selected>",
        "<option value=\"2\" selected>Medium",
        "id=\"date-error\">This is no date",
    ] {
        assert!(page.has(text), "{text}");
    }
    let fields = [("info", "  "), ("date", "2026-02-28")];
    let page = browser.fill("/events/add", "/events/add", &fields).await;
    assert!(page.has("id=\"info-error\">Give the event a title"));
    let fields = [("info", "x"), ("date", "2026-02-28"), ("extends_uuid", "77")];
    let page = browser.fill("/events/add", "/events/add", &fields).await;
    assert!(page.has("id=\"extends_uuid-error\">There is no such event"));
    let fields = [("info", "x"), ("distribution", "4"), ("sharing_group_id", "1")];
    let page = browser.fill("/events/add", "/events/add", &fields).await;
    assert!(page.has("id=\"distribution-error\""), "there is no group to choose");
    let fields = [("info", "x"), ("analysis", "done")];
    let page = browser.fill("/events/add", "/events/add", &fields).await;
    assert!(page.has("id=\"analysis-error\""));
    assert!(browser.get("/events/index").await.has("No events yet"));
}

#[tokio::test]
async fn an_event_is_published_and_taken_back() {
    let house = House::new();
    house.user("noc@ixp.test", "IXP", PUBLISHER);
    let id = house.event(&house.actor(2), "Ready", 3, &[("domain", "a.example")]);
    let mut browser = house.signed_in("noc@ixp.test").await;
    let view = format!("/events/view/{id}");
    assert!(browser.get(&view).await.has("data-confirm=\"Publish to all communities?"));
    let page = browser.fill(&view, &format!("/events/publish/{id}"), &[]).await;
    assert_eq!(page.location(), view);
    let page = browser.get(&view).await;
    assert!(page.has("The event is published.") && page.has("<span>Published"));
    let page = browser.fill(&view, &format!("/events/unpublish/{id}"), &[]).await;
    assert_eq!(page.location(), view);
    assert!(!stored(&house, id).published);
    for action in ["publish", "unpublish", "delete"] {
        let page = browser.get(&format!("/events/{action}/{id}")).await;
        assert_eq!(page.location(), view, "a reload does nothing");
    }
    assert!(!stored(&house, id).published);
}

#[tokio::test]
async fn an_attribute_is_added_changed_and_deleted() {
    let house = House::new();
    let id = house.event(&house.admin(), "Event", 1, &[]);
    let mut browser = house.signed_in(ADMIN).await;
    let (view, add) = (format!("/events/view/{id}"), format!("/attributes/add/{id}"));
    let fields = [
        ("category", ""),
        ("type", "ip-dst"),
        ("value", " 192[.]0[.]2[.]7 "),
        ("comment", "seen"),
        ("to_ids", "1"),
        ("distribution", "5"),
        ("first_seen", "2026-08-01"),
        ("last_seen", ""),
    ];
    let page = browser.fill(&add, &add, &fields).await;
    assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, view.as_str()), "{}", page.body);
    let batch = attributes(&house, id);
    let one = batch.get(0);
    assert_eq!((one.value1, one.comment, one.to_ids), ("192.0.2.7", "seen", true));
    assert_eq!((one.category.name(), one.distribution), ("Network activity", 5));
    assert!(one.first_seen.is_some());
    let page = browser.get(&view).await;
    assert!(page.has("The attribute was added.") && page.has(">192.0.2.7</code>"));

    let edit = format!("/attributes/edit/{}", one.id);
    let page = browser.get(&edit).await;
    assert!(page.has(">192.0.2.7</textarea>") && page.has("value=\"2026-08-01T00:00:00.000000+00:00\""));
    let fields =
        [("category", "Payload delivery"), ("type", "ip-src"), ("value", "192.0.2.8"), ("comment", "")];
    let page = browser.fill(&edit, &edit, &fields).await;
    assert_eq!(page.location(), view, "{}", page.body);
    let batch = attributes(&house, id);
    let one = batch.get(0);
    assert_eq!(
        (one.value1, one.comment, one.to_ids),
        ("192.0.2.8", "", false),
        "an emptied field is emptied"
    );
    assert_eq!((one.kind.name(), one.category.name(), one.first_seen), ("ip-src", "Payload delivery", None));

    let page = browser.fill(&edit, &format!("/attributes/delete/{}", one.id), &[]).await;
    assert_eq!(page.location(), view);
    assert!(attributes(&house, id).is_empty());
    assert_eq!(browser.get(&edit).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_wrong_attribute_comes_back_with_its_errors_and_all_that_was_typed() {
    let house = House::new();
    let id = house.event(&house.admin(), "Event", 1, &[("domain", "twin.example")]);
    let mut browser = house.signed_in(ADMIN).await;
    let add = format!("/attributes/add/{id}");
    for (kind, category, value, error) in [
        ("ip-dst", "", "999.1.1.1", "value-error"),
        ("ip-dst", "", " ", "value-error"),
        ("", "", "x", "type-error"),
        ("nonsense", "", "x", "type-error"),
        ("ip-dst", "Person", "192.0.2.7", "type-error"),
        ("domain", "", "TWIN.example", "value-error"),
    ] {
        let fields = [
            ("type", kind),
            ("category", category),
            ("value", value),
            ("comment", "kept"),
            ("to_ids", "1"),
            ("first_seen", "2026-08-01"),
        ];
        let page = browser.fill(&add, &add, &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{kind} {value}");
        assert!(page.has(&format!("id=\"{error}\"")), "{kind} {value}");
        assert!(page.has(&format!(">{value}</textarea>")) && page.has("value=\"kept\""), "{kind} {value}");
        assert!(page.has("value=\"1\" checked") && page.has("value=\"2026-08-01\""));
        assert!(kind != "ip-dst" || page.has("selected>ip-dst"), "{kind}");
    }
    assert_eq!(attributes(&house, id).len(), 1);
    let edit = format!("/attributes/edit/{}", attributes(&house, id).get(0).id);
    let page = browser.fill(&edit, &edit, &[("type", "ip-dst"), ("value", "no"), ("last_seen", "x")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.has(">no</textarea>") && page.has("Delete attribute"));
}

const MAIL: &str = "Mail from the NOC: hxxp://paste[.]example[.]com/a and 198.51.100.99\r\n\
                    dropper d41d8cd98f00b204e9800998ecf8427f";

#[tokio::test]
async fn pasted_indicators_are_reviewed_and_saved() {
    let house = House::new();
    house.event(&house.admin(), "Earlier", 1, &[("ip-src", "198.51.100.99"), ("domain", "x.example")]);
    let id = house.event(&house.admin(), "Event", 1, &[("md5", "d41d8cd98f00b204e9800998ecf8427f")]);
    let mut browser = house.signed_in(ADMIN).await;
    let (view, path) = (format!("/events/view/{id}"), format!("/events/freeTextImport/{id}"));
    let page = browser.fill(&path, &path, &[("text", MAIL)]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.has("Review 3 indicators") && page.has("in 1 other event"));
    assert!(page.has("value=\"http://paste.example.com/a\"") && page.has("already in this event"));
    assert_eq!(page.count("\" data-step checked>"), 2, "what is there already is not ticked");
    assert_eq!(attributes(&house, id).len(), 1, "nothing is saved yet");

    let save = [
        ("save", "1"),
        ("distribution", "5"),
        ("value-0", "http://paste.example.com/a"),
        ("type-0", "url"),
        ("keep-0", "1"),
        ("to_ids-0", "1"),
        ("comment-0", "from the mail"),
        ("value-1", "198.51.100.99"),
        ("type-1", "ip-src"),
        ("keep-1", "1"),
        ("value-2", "d41d8cd98f00b204e9800998ecf8427f"),
        ("type-2", "md5"),
    ];
    let page = browser.fill(&path, &path, &save).await;
    assert_eq!(page.location(), view, "{}", page.body);
    let batch = attributes(&house, id);
    let saved: Vec<_> = batch.iter().map(|a| (a.kind.name(), a.value1, a.to_ids, a.comment)).collect();
    assert_eq!(
        saved[1..],
        [
            ("url", "http://paste.example.com/a", true, "from the mail"),
            ("ip-src", "198.51.100.99", false, ""),
        ]
    );
    assert!(browser.get(&view).await.has("The 2 indicators are in the event."));
}

#[tokio::test]
async fn what_cannot_be_saved_of_a_review_comes_back_and_the_rest_is_saved() {
    let house = House::new();
    let id = house.event(&house.admin(), "Event", 1, &[]);
    let mut browser = house.signed_in(ADMIN).await;
    let path = format!("/events/freeTextImport/{id}");
    let rows = [
        ("save", "1"),
        ("value-0", "192.0.2.7"),
        ("type-0", "ip-dst"),
        ("keep-0", "1"),
        ("value-1", "198.51.100.7"),
        ("type-1", "md5"),
        ("keep-1", "1"),
        ("comment-1", "typed"),
        ("value-2", "left.example"),
        ("type-2", "domain"),
    ];
    let page = browser.fill(&path, &path, &[&rows[..], &[("distribution", "x")]].concat()).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(attributes(&house, id).is_empty() && page.count("data-step checked") == 2);

    let page = browser.fill(&path, &path, &rows).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.has("One indicator was saved.") && page.has("Review 2 indicators"));
    assert!(page.has("class=\"error\"") && page.has("value=\"typed\"") && page.has("value=\"left.example\""));
    assert!(page.has("<option selected>md5") && page.has("<option>ip-dst"), "the right type is offered");
    assert_eq!(attributes(&house, id).len(), 1);

    let page =
        browser.fill(&path, &path, &[("save", "1"), ("value-0", "a.example"), ("type-0", "domain")]).await;
    assert!(page.has("Nothing is ticked") && page.has("value=\"a.example\""));
}

#[tokio::test]
async fn a_text_without_indicators_or_with_too_many_comes_back() {
    let house = House::new();
    let id = house.event(&house.admin(), "Event", 1, &[]);
    let mut browser = house.signed_in(ADMIN).await;
    let path = format!("/events/freeTextImport/{id}");
    let page = browser.fill(&path, &path, &[("text", "Dear colleagues,\r\nnothing.")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.has("was recognised") && page.has(">Dear colleagues,\nnothing.</textarea>"));
    let many: Vec<_> = (0..2_001).map(|n| format!("host{n}.example.com")).collect();
    let page = browser.fill(&path, &path, &[("text", &many.join("\n"))]).await;
    assert!(page.has("2,001 indicators") && page.has("host2000.example.com"));
}

#[tokio::test]
async fn a_sharing_group_is_chosen_by_who_may_use_it_and_kept_by_who_may_not() {
    let house = House::new();
    house.user("noc@ixp.test", "IXP", PUBLISHER);
    let member = house.actor(2);
    let ours = group(&house, "IXP CERTs", &[member.org_id]);
    let theirs = group(&house, "Not ours", &[1]);
    let mut browser = house.signed_in("noc@ixp.test").await;
    let page = browser.get("/events/add").await;
    assert!(page.has(">IXP CERTs</option>") && !page.has("Not ours"));
    let (ours_id, theirs_id) = (ours.id.to_string(), theirs.id.to_string());
    let refused = [("info", "x"), ("distribution", "4"), ("sharing_group_id", theirs_id.as_str())];
    let page = browser.fill("/events/add", "/events/add", &refused).await;
    assert!(page.has("id=\"sharing_group_id-error\""));
    let taken = [("info", "x"), ("distribution", "4"), ("sharing_group_id", ours_id.as_str())];
    let page = browser.fill("/events/add", "/events/add", &taken).await;
    let view = page.location().to_owned();
    assert!(browser.get(&view).await.has("Publish to IXP CERTs"));

    // The group is given to others; the event stays in it when it is edited.
    sharing_group::remove_org(&house.service, &Actor::system("test"), Ref::Id(ours.id), "IXP").unwrap();
    let edit = view.replace("view", "edit");
    let page = browser.get(&edit).await;
    assert!(page.has(&format!("<option value=\"{}\" selected>The group it is shared to now", ours.id)));
    let page = browser.fill(&edit, &edit, &taken).await;
    assert_eq!(page.location(), view, "{}", page.body);
    assert_eq!(stored(&house, 1).sharing_group_id, ours.id);
}

#[tokio::test]
async fn another_organisations_attribute_is_not_edited_through_an_event_of_ones_own() {
    let house = House::new();
    house.user("noc@ixp.test", "IXP", USER);
    house.event(&house.actor(2), "Mine", 1, &[]);
    let theirs = house.event(&house.admin(), "Theirs", 1, &[("domain", "a.example")]);
    let attribute = attributes(&house, theirs).get(0).id;
    let mut browser = house.signed_in("noc@ixp.test").await;
    for action in ["edit", "delete"] {
        let path = format!("/attributes/{action}/{attribute}");
        let fields = [("event_id", "1"), ("type", "domain"), ("value", "b.example")];
        let page = browser.fill("/events/index", &path, &fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{action}");
    }
    assert_eq!(attributes(&house, theirs).get(0).value1, "a.example");
}
