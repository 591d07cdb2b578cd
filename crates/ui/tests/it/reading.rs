//! The list, its search, and the page of an event: what each reader sees of them.

use http::StatusCode;
use pisax_model::event::EventDraft;
use pisax_model::ids::Ref;
use pisax_model::object::ObjectDraft;
use pisax_model::tag::TagDraft;
use pisax_service::event;

use crate::house::{ADMIN, House, PUBLISHER, READ_ONLY, USER, attribute, draft};

#[tokio::test]
async fn the_list_is_newest_first_fifty_a_page_and_counts_exactly() {
    let house = House::new();
    let admin = house.admin();
    for number in 1..=120 {
        house.event(&admin, &format!("Event <{number}>"), 1, &[]);
    }
    let mut browser = house.signed_in(ADMIN).await;
    let page = browser.get("/events").await;
    assert!(page.has("120 events") && page.has("<b>1–50</b> of 120 events"));
    assert_eq!(page.count("<tr>\n"), 50);
    assert!(page.body.find("Event &#60;120&#62;") < page.body.find("Event &#60;119&#62;"));
    assert!(!page.has("data-unit=\"related\""), "a column that says nothing is left out");
    let last = browser.get("/events/index?page=3").await;
    assert!(last.has("<b>101–120</b>") && last.has("Event &#60;1&#62;"));
    assert!(browser.get("/events/index?page=999").await.has("<b>101–120</b>"), "beyond the end");
    assert_eq!(browser.get("/").await.location(), "/events/index");
}

#[tokio::test]
async fn the_search_finds_by_value_title_tag_organisation_number_and_uuid() {
    let house = House::new();
    house.user("noc@ixp.test", "IXP Süd", USER);
    let member = house.actor(2);
    let tags = vec![TagDraft { name: "tlp:green".into(), ..TagDraft::default() }];
    let attributes =
        vec![attribute("url", "http://booter.example/start?a=1"), attribute("ip-src", "192.0.2.7")];
    let wanted = house.add(&house.admin(), EventDraft { tags, attributes, ..draft("100%_sure leak", 1) });
    let other = house.event(&member, "Something else", 1, &[("domain", "x.y.example"), ("text", "1234567")]);
    let uuid = house.service.read(&member, |r| Ok(r.event(Ref::Id(wanted))?.unwrap().uuid)).unwrap();
    let mut browser = house.signed_in("noc@ixp.test").await;
    for (query, found) in [
        ("192.0.2.7", vec![wanted]),
        ("192[.]0[.]2[.]7", vec![wanted]),
        ("hxxp://booter[.]example/start?a=1", vec![wanted]),
        ("booter.example", vec![]),
        ("%booter.example%", vec![wanted]),
        ("%.example", vec![other]),
        ("100%_SURE", vec![wanted]),
        ("100__sure", vec![]),
        ("leak", vec![wanted]),
        ("tlp:green", vec![wanted]),
        ("GREEN", vec![wanted]),
        ("ixp sud", vec![other]),
        ("%süd", vec![other]),
        ("1234567", vec![other]),
        (&wanted.to_string(), vec![wanted]),
        (&uuid.to_string(), vec![wanted]),
        ("192.0.2", vec![]),
        ("%", vec![wanted, other]),
        ("  ", vec![wanted, other]),
        ("\0leak", vec![wanted]),
        ("nothing' or 1=1 --", vec![]),
    ] {
        let page = browser.get(&pisax_ui::links::search(query)).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        for id in [wanted, other] {
            let link = format!("href=\"/events/view/{id}\"");
            assert_eq!(page.has(&link), found.contains(&id), "{query}: {id}");
        }
        assert_eq!(page.has("Nothing you can see has this"), found.is_empty(), "{query}");
    }
    let long = "a".repeat(5_000);
    assert!(browser.get(&pisax_ui::links::search(&long)).await.has("Nothing you can see has this"));
}

#[tokio::test]
async fn what_is_not_shared_is_neither_listed_nor_found_nor_opened() {
    let house = House::new();
    house.user("noc@ixp.test", "IXP", USER);
    let secret = house.event(&house.admin(), "Ours alone", 0, &[("domain", "secret.example")]);
    let shared = house.event(&house.admin(), "For everybody", 1, &[("domain", "secret.example")]);
    let mut browser = house.signed_in("noc@ixp.test").await;
    for path in ["/events/index", "/events/index?q=secret.example", "/events/index?q=alone"] {
        assert!(!browser.get(path).await.has("Ours alone"), "{path}");
    }
    assert!(browser.get("/events/index").await.has("1 event"));
    let page = browser.get(&format!("/events/view/{shared}")).await;
    assert!(page.has("For everybody") && !page.has("Ours alone"), "nor is it related");
    let hidden = browser.get(&format!("/events/view/{secret}")).await;
    let missing = browser.get("/events/view/999").await;
    assert_eq!((hidden.status, missing.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    let without_token = |body: &str| body.replace(&secret.to_string(), "").replace("999", "");
    assert_eq!(without_token(&hidden.body), without_token(&missing.body), "the two are never told apart");
    let mut admin = house.signed_in(ADMIN).await;
    let page = admin.get(&format!("/events/view/{shared}")).await;
    assert!(page.has("Ours alone") && page.has("1 shared value"));
}

#[tokio::test]
async fn a_role_sees_only_the_buttons_it_may_press() {
    let house = House::new();
    house.user("user@ixp.test", "IXP", USER);
    house.user("publisher@ixp.test", "IXP", PUBLISHER);
    house.user("reader@ixp.test", "IXP", READ_ONLY);
    house.user("other@cert.test", "CERT", PUBLISHER);
    let id = house.event(&house.actor(2), "Shared", 1, &[("domain", "a.example")]);
    let (view, edit) = (format!("/events/view/{id}"), format!("/events/edit/{id}"));
    for (email, edits, publishes, adds) in [
        ("user@ixp.test", true, false, true),
        ("publisher@ixp.test", true, true, true),
        ("reader@ixp.test", false, false, false),
        ("other@cert.test", false, false, true),
        (ADMIN, true, true, true),
    ] {
        let mut browser = house.signed_in(email).await;
        let page = browser.get(&view).await;
        assert_eq!(page.has("Add attribute"), edits, "{email}");
        assert_eq!(page.has("Paste indicators"), edits, "{email}");
        assert_eq!(page.has(&edit), edits, "{email}");
        assert_eq!(page.has("Publish to this community"), publishes, "{email}");
        assert_eq!(page.has("href=\"/events/add\""), adds, "{email}");
        let status = if edits { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(browser.get(&edit).await.status, status, "{email}");
        assert_eq!(browser.get(&format!("/attributes/add/{id}")).await.status, status, "{email}");
        assert_eq!(browser.get(&format!("/events/freeTextImport/{id}")).await.status, status, "{email}");
        let status = if adds { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(browser.get("/events/add").await.status, status, "{email}");
    }
}

#[tokio::test]
async fn a_role_that_may_not_is_refused_by_the_form_too() {
    let house = House::new();
    house.user("user@ixp.test", "IXP", USER);
    house.user("reader@ixp.test", "IXP", READ_ONLY);
    house.user("other@cert.test", "CERT", PUBLISHER);
    let id = house.event(&house.actor(2), "Shared", 1, &[("domain", "a.example")]);
    let attribute = house.service.read(&house.admin(), |r| {
        let event = r.event(Ref::Id(id))?.unwrap();
        Ok(r.event_attributes(
            &event,
            pisax_store::attributes::Wanted { living: true, deleted: false },
            0,
            9,
        )?
        .ids()[0])
    });
    let attribute = attribute.unwrap();
    for email in ["reader@ixp.test", "other@cert.test"] {
        let mut browser = house.signed_in(email).await;
        for path in [
            format!("/events/edit/{id}"),
            format!("/events/delete/{id}"),
            format!("/events/publish/{id}"),
            format!("/events/unpublish/{id}"),
            format!("/attributes/add/{id}"),
            format!("/attributes/edit/{attribute}"),
            format!("/attributes/delete/{attribute}"),
            format!("/events/freeTextImport/{id}"),
        ] {
            let fields = [("info", "Taken over"), ("type", "text"), ("value", "x"), ("text", "192.0.2.1")];
            let page = browser.fill("/events/index", &path, &fields).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{email} {path}");
            assert!(page.has("You may not do this"), "{path}");
        }
    }
    let mut browser = house.signed_in("user@ixp.test").await;
    let page = browser.fill("/events/index", &format!("/events/publish/{id}"), &[]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "a user does not publish");
    assert!(browser.get(&format!("/events/view/{id}")).await.has("Not published"));
}

fn object(name: &str, values: &[&str]) -> ObjectDraft {
    let part = |value: &&str| pisax_model::attribute::AttributeDraft {
        object_relation: Some("part".into()),
        ..attribute("text", value)
    };
    let attributes = values.iter().map(part).collect();
    ObjectDraft {
        name: Some(name.into()),
        meta_category: Some("network".into()),
        attributes,
        has_attributes: true,
        ..ObjectDraft::default()
    }
}

#[tokio::test]
async fn a_big_event_is_paged_and_filtered_with_exact_counts() {
    let house = House::new();
    let mut attributes: Vec<_> = (0..1_200).map(|n| attribute("text", &format!("value {n:04}"))).collect();
    attributes[700].comment = Some("Odd ONE out".into());
    attributes[701].tags = vec![TagDraft { name: "odd:tag".into(), ..TagDraft::default() }];
    let objects = vec![object("netflow", &["part a", "part b"]), object("ixp-port", &["part c"])];
    let id = house.add(&house.admin(), EventDraft { attributes, objects, ..draft("Big", 1) });
    let mut browser = house.signed_in(ADMIN).await;
    let path = format!("/events/view/{id}");
    let first = browser.get(&path).await;
    assert!(first.has("1,203 attributes, 2 objects") && first.has("<b>1–500</b> of 1,203 attributes"));
    assert!(first.has(">value 0000<") && first.has(">value 0499<") && !first.has(">value 0500<"));
    assert!(!first.has("netflow"));
    let last = browser.get(&format!("{path}?page=3")).await;
    assert!(last.has("<b>1,001–1,203</b>") && last.has(">value 1199<"));
    assert!(last.has("netflow") && last.has("ixp-port") && last.has(">part c<"));
    assert!(last.body.find("netflow") < last.body.find(">part a<"));
    for (filter, total, shown) in [
        ("VALUE 07", 100, ">value 0700<"),
        ("odd", 2, ">value 0701<"),
        ("part", 3, ">part b<"),
        ("external analysis", 0, "None of the 1,203 attributes"),
        ("5%", 0, "None of the 1,203 attributes"),
    ] {
        let page = browser.get(&pisax_ui::links::with_query(&path, &[("filter", filter)])).await;
        assert!(page.has(shown), "{filter}");
        assert!(total == 0 || page.has(&format!("of {total} attributes")), "{filter}");
    }
    let by_kind = browser.get(&format!("{path}?filter=text&page=2")).await;
    assert!(by_kind.has("<b>501–1,000</b> of 1,203"));
    assert!(by_kind.has("filter=text&#38;page=3"));
}

#[tokio::test]
async fn related_events_and_correlations_are_counted_exactly_and_shown_in_part() {
    let house = House::new();
    let admin = house.admin();
    for number in 0..60 {
        let more = if number < 2 { vec![("domain", "b.example")] } else { vec![] };
        house.event(&admin, &format!("Other {number}"), 1, &[&[("ip-src", "192.0.2.7")], &more[..]].concat());
    }
    let id = house.event(&admin, "Centre", 1, &[("ip-dst", "192.0.2.7"), ("domain", "b.example")]);
    let page = house.signed_in(ADMIN).await.get(&format!("/events/view/{id}")).await;
    assert!(page.has("showing 50 of 60"));
    assert_eq!(page.count("2 shared values"), 2);
    assert!(page.body.find("2 shared values") < page.body.find("1 shared value<"), "most shared first");
    assert!(page.has("60 attributes of other events correlate with this one"));
    assert!(page.has(">+57</a>"));
    assert!(!page.has("2 attributes of other events"), "both of the domain's are linked");
}

#[tokio::test]
async fn the_facts_of_an_event_are_on_its_page() {
    let house = House::new();
    house.user("noc@ixp.test", "IXP", PUBLISHER);
    let member = house.actor(2);
    let base = house.event(&member, "Base", 1, &[]);
    let more = EventDraft {
        extends_uuid: Some(base.to_string()),
        disable_correlation: Some(true),
        threat_level_id: Some(1),
        analysis: Some(2),
        ..draft("More of it", 2)
    };
    let id = house.add(&member, more);
    event::publish(&house.service, &member, Ref::Id(id)).unwrap();
    house.wait(7_200);
    let page = house.signed_in(ADMIN).await.get(&format!("/events/view/{id}")).await;
    for text in [
        "2 hours ago",
        "Connected communities",
        "noc@ixp.test",
        "High",
        "Completed",
        "Switched off for this event",
        ">Base</a>",
        "Take publication back",
    ] {
        assert!(page.has(text), "{text}");
    }
    house.user("reader@cert.test", "CERT", READ_ONLY);
    let page = house.signed_in("reader@cert.test").await.get(&format!("/events/view/{id}")).await;
    assert!(page.has("More of it") && !page.has("noc@ixp.test"), "addresses are for who may know");
}

#[tokio::test]
async fn a_hostile_text_stays_a_text() {
    const HOSTILE: &str =
        "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
    let house = House::new();
    let tags =
        vec![TagDraft { name: HOSTILE.into(), colour: Some("\"><script>".into()), ..TagDraft::default() }];
    let attributes = vec![attribute("text", HOSTILE)];
    let id = house.add(&house.admin(), EventDraft { tags, attributes, ..draft(HOSTILE, 1) });
    let mut browser = house.signed_in(ADMIN).await;
    let view = format!("/events/view/{id}");
    let find = pisax_ui::links::search(HOSTILE);
    let filter = pisax_ui::links::with_query(&view, &[("filter", HOSTILE)]);
    for path in ["/events/index", &find, &view, &filter] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.has("&#60;img src=x") && !page.has("<img"), "{path}");
        assert_eq!(page.count("<script"), 1, "{path}");
    }
}
