//! Laws of the readers: nothing breaks them, and what the writers write they read.

use crate::*;
use pisax_model::analyst::AnalystKind;
use pisax_model::attribute::AttributeView;
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::tag::{Attached, Tag};
use pisax_model::{AttributeType, Category, Uuid};
use proptest::prelude::*;
use serde_json::Value;

/// Any JSON, with names that mean something more often than not.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        proptest::sample::select(vec!["0", "1", "", "all", "!a", "a&&!b", "5d", "2026-01-01", "%x%", "::1"])
            .prop_map(Value::from),
    ];
    let key = prop_oneof![
        proptest::sample::select(vec![
            "Event",
            "Attribute",
            "Object",
            "Tag",
            "EventTag",
            "AttributeTag",
            "Galaxy",
            "GalaxyCluster",
            "Sighting",
            "SharingGroup",
            "SharingGroupOrg",
            "Orgc",
            "Organisation",
            "ObjectReference",
            "response",
            "request",
            "uuid",
            "value",
            "type",
            "data",
            "to_ids",
            "timestamp",
            "first_seen",
            "name",
            "0",
            "1",
            "batch_import",
            "OR",
            "AND",
            "NOT",
            "distribution",
            "sharing_group_id",
            "restricted_to_domain",
            "expiration",
            "ShadowAttribute",
            "EventReport",
            "Note",
            "Opinion",
            "Relationship",
            "GalaxyElement",
            "GalaxyClusterRelation",
            "elements",
            "files",
            "object_uuid",
        ])
        .prop_map(str::to_owned),
        "[a-z]{0,4}",
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn read_everything(body: &[u8]) {
    let _ = read_event(body);
    let _ = read_events(body);
    let _ = read_attributes(body);
    let _ = read_object(body);
    let _ = read_reference(body);
    let _ = read_sighting(body);
    let _ = read_sightings(body);
    let _ = read_tag(body);
    let _ = read_tag_target(body);
    let _ = read_org(body);
    let _ = read_user(body);
    let _ = read_sharing_group(body);
    let _ = read_index(body, &[], 0);
    let _ = read_event_view(body, &[]);
    let _ = read_sighting_search(body, &[], 0);
    let _ = read_incoming_sightings(body);
    for kind in AnalystKind::ALL {
        let _ = read_analyst_data(kind, body);
    }
    let _ = read_pushed_analyst_data(body);
    let _ = read_cluster(body);
    let _ = read_clusters(body);
    let _ = read_relation(body);
    let _ = read_collection(body);
    let _ = read_collections(body);
    let _ = read_proposal(body);
    let _ = read_proposals(body);
    let _ = read_report(body);
    let _ = read_upload(body);
    let _ = read_cluster_search(body, &[]);
}

proptest! {
    #[test]
    fn no_bytes_break_a_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read_everything(&bytes);
    }

    #[test]
    fn no_json_breaks_a_reader(value in any_json()) {
        read_everything(value.to_string().as_bytes());
    }

    #[test]
    fn a_torn_body_breaks_no_reader(value in any_json(), cut in 0.0..1.0f64) {
        let body = value.to_string();
        read_everything(&body.as_bytes()[..(body.len() as f64 * cut) as usize]);
    }

    #[test]
    fn an_attribute_that_was_written_is_read_back(
        value in "\\PC{1,40}", comment in "(\\PC|\\n|\"){0,20}", to_ids: bool, timestamp in 1i64..4_000_000_000,
        seen in proptest::option::of(0i64..4_000_000_000_000_000), data in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..40)),
        tag in "[a-z:=\"é]{1,20}",
    ) {
        let tags = [attached(&tag)];
        let view = AttributeView {
            to_ids, timestamp, first_seen: seen, comment: &comment, value1: &value, ..attribute("text")
        };
        let context = attribute_out::AttributeContext { data: data.as_deref().map(attribute_out::Data::Bytes), tags: &tags, ..Default::default() };
        for write in [attribute_out::write_event_attribute, attribute_out::write_search_attribute,
            attribute_out::write_saved_attribute, attribute_out::write_viewed_attribute, attribute_out::write_object_attribute]
        {
            let mut out = Vec::new();
            write(&mut JsonWriter::new(&mut out), &view, &context);
            let AttributesIn::One(draft) = read_attributes(&out).unwrap() else { panic!("a list") };
            prop_assert_eq!(draft.value.as_deref(), Some(value.as_str()));
            prop_assert_eq!(draft.comment.as_deref(), Some(comment.as_str()));
            prop_assert_eq!((draft.to_ids, draft.timestamp, draft.uuid), (Some(to_ids), Some(timestamp), Some(view.uuid)));
            let read = draft.first_seen.clone().flatten().and_then(|text| pisax_model::time::parse_micros(&text));
            prop_assert_eq!(read, seen);
            prop_assert_eq!(draft.data.as_ref().and_then(|d| d.bytes()), data.as_deref());
            prop_assert_eq!(draft.tags[0].name.as_str(), tag.as_str());
        }
    }
}

#[test]
fn an_event_that_was_written_is_read_back() {
    let event = event();
    let org = attribute_out::OrgSummary { id: 1, name: "ORGNAME", uuid: event.uuid, local: true };
    let mut out = Vec::new();
    let mut w = JsonWriter::new(&mut out);
    w.begin_object();
    w.key("Event");
    event_out::write_event_head(&mut w, &event, org, org, None, None);
    w.key("Attribute");
    w.begin_array();
    attribute_out::write_event_attribute(&mut w, &attribute("domain"), &Default::default());
    w.end_array();
    event_out::write_tag_member(&mut w, &[attached("tlp:red")]);
    w.end_object();
    w.end_object();
    let draft = read_event(&out).unwrap();
    assert_eq!(draft.uuid, Some(event.uuid));
    assert_eq!(draft.info.as_deref(), Some(event.info.as_str()));
    assert_eq!((draft.threat_level_id, draft.analysis, draft.distribution), (Some(2), Some(1), Some(3)));
    assert_eq!((draft.published, draft.timestamp), (Some(true), Some(1_767_225_600)));
    assert_eq!(draft.orgc.unwrap().uuid, Some(event.uuid));
    assert_eq!(draft.attributes[0].kind.as_deref(), Some("domain"));
    assert_eq!(draft.tags[0].name, "tlp:red");
    assert_eq!(draft.sharing_group, None::<Ref>);
}

// ---- Samples, after the recorded answers ----------------------------------------------------------

pub(crate) fn uuid(text: &str) -> Uuid {
    Uuid::try_parse(text).unwrap()
}

pub(crate) fn event() -> Event {
    Event {
        id: 1,
        uuid: uuid("11111111-0000-4000-8000-000000000001"),
        org_id: 1,
        orgc_id: 1,
        user_id: 1,
        date: "2026-01-01".into(),
        info: "Golden event one".into(),
        threat_level_id: 2,
        analysis: 1,
        published: true,
        publish_timestamp: 1_795_325_589,
        timestamp: 1_767_225_600,
        sighting_timestamp: 0,
        attribute_count: 8,
        distribution: 3,
        sharing_group_id: 0,
        locked: false,
        proposal_email_lock: false,
        disable_correlation: false,
        extends_uuid: None,
        protected: None,
    }
}

pub(crate) fn attribute(kind: &str) -> AttributeView<'static> {
    AttributeView {
        id: 1,
        uuid: uuid("22222222-0000-4000-8000-000000000001"),
        event_id: 1,
        object_id: 0,
        object_relation: None,
        category: Category::parse("Network activity").unwrap(),
        kind: AttributeType::parse(kind).unwrap(),
        value1: "203.0.113.10",
        value2: "",
        to_ids: true,
        timestamp: 1_767_225_600,
        distribution: 5,
        sharing_group_id: 0,
        comment: "c2",
        deleted: false,
        disable_correlation: false,
        first_seen: None,
        last_seen: None,
    }
}

pub(crate) fn attached(name: &str) -> Attached {
    Attached {
        id: 3,
        tag: Tag {
            id: 10,
            name: name.into(),
            colour: "#980e9b".into(),
            exportable: true,
            org_id: 0,
            user_id: 0,
            hide_tag: false,
            numerical_value: None,
            is_galaxy: false,
            is_custom_galaxy: false,
            local_only: false,
        },
        local: false,
        relationship_type: None,
    }
}

/// How fast a big event is read and written; `cargo test --release -p pisax-wire -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn throughput() {
    let tags = [attached("golden:attr")];
    let context = attribute_out::AttributeContext { tags: &tags, ..Default::default() };
    let view = AttributeView { first_seen: Some(1_600_000_000_000_000), ..attribute("ip-dst") };
    let mut out = Vec::new();
    let write = |out: &mut Vec<u8>| {
        out.clear();
        let mut w = JsonWriter::new(out);
        w.begin_object();
        w.key("Attribute");
        w.begin_array();
        for _ in 0..200_000 {
            attribute_out::write_event_attribute(&mut w, &view, &context);
        }
        w.end_array();
        w.end_object();
    };
    write(&mut out);
    let start = std::time::Instant::now();
    write(&mut out);
    let megabytes = out.len() as f64 / 1e6;
    println!("written at {:.0} MB/s", megabytes / start.elapsed().as_secs_f64());
    let start = std::time::Instant::now();
    let draft = read_event(&out).unwrap();
    println!("read at {:.0} MB/s", megabytes / start.elapsed().as_secs_f64());
    assert_eq!(draft.attributes.len(), 200_000);
    drop(draft);
}
