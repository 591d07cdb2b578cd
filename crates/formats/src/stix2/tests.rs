use super::*;
use pisax_model::attribute::{AttributeDraft, AttributeView};
use pisax_model::event::EventDraft;
use pisax_model::{AttributeType, Category};
use serde_json::{Value, json};

const EVENT: Uuid = Uuid::from_u128(0x1111_0000_0000_4000_8000_0000_0000_0001);
const ORG: Uuid = Uuid::from_u128(0x2222_0000_0000_4000_8000_0000_0000_0001);

fn uuid(n: usize) -> Uuid {
    Uuid::from_u128(0x3333_0000_0000_4000_8000_0000_0000_0000 + n as u128)
}

fn view<'a>(n: usize, kind: &str, value: &'a str, to_ids: bool) -> AttributeView<'a> {
    let kind = AttributeType::parse(kind).expect("a known type");
    let (value1, value2) = match kind.is_composite() {
        true => value.split_once('|').expect("two halves"),
        false => (value, ""),
    };
    AttributeView {
        id: n as i64,
        uuid: uuid(n),
        event_id: 1,
        object_id: 0,
        object_relation: None,
        category: kind.default_category(),
        kind,
        value1,
        value2,
        to_ids,
        timestamp: 1_767_225_600,
        distribution: 5,
        sharing_group_id: 0,
        comment: "seen twice",
        deleted: false,
        disable_correlation: false,
        first_seen: None,
        last_seen: None,
    }
}

fn event(published: bool) -> pisax_model::event::Event {
    pisax_model::event::Event {
        id: 1,
        uuid: EVENT,
        org_id: 1,
        orgc_id: 1,
        user_id: 1,
        date: "2026-01-01".into(),
        info: "Round trip".into(),
        threat_level_id: 4,
        analysis: 0,
        published,
        publish_timestamp: 0,
        timestamp: 1_767_225_600,
        sighting_timestamp: 0,
        attribute_count: 0,
        distribution: 3,
        sharing_group_id: 0,
        locked: false,
        proposal_email_lock: false,
        disable_correlation: false,
        extends_uuid: None,
        protected: None,
    }
}

/// The bundle of one event with these contents, twice walked as its writer is meant to be used.
fn bundle(
    version: Version,
    views: &[AttributeView<'_>],
    object: Option<(&str, &[AttributeView<'_>])>,
) -> Value {
    let event = event(false);
    let head = Event {
        event: &event,
        org: Org { uuid: ORG, name: "An Exchange" },
        tags: &["tlp:amber", "golden:event"],
        clusters: &[],
    };
    let tags: &[&str] = &["golden:attribute", "tlp:green"];
    let (mut bundle, mut out) = (Bundle::new(version), Vec::new());
    bundle.begin("a test", &mut out);
    let walk = |bundle: &mut Bundle, out: &mut Vec<u8>| {
        for view in views {
            let attribute = Attribute { view: *view, tags, clusters: &[], sightings: &[], data: None };
            bundle.attribute(&attribute, out);
        }
        if let Some((name, views)) = object {
            let attributes: Vec<Attribute<'_>> = views
                .iter()
                .map(|view| Attribute { view: *view, tags: &[], clusters: &[], sightings: &[], data: None })
                .collect();
            let object = pisax_model::object::Object {
                id: 1,
                uuid: uuid(900),
                event_id: 1,
                name: name.into(),
                meta_category: "network".into(),
                description: String::new(),
                template_uuid: String::new(),
                template_version: String::new(),
                timestamp: 1_767_225_600,
                distribution: 5,
                sharing_group_id: 0,
                comment: String::new(),
                deleted: false,
                first_seen: None,
                last_seen: None,
            };
            bundle.object(&Object { object: &object, attributes: &attributes }, out);
        }
    };
    bundle.begin_event(&head, &mut out);
    walk(&mut bundle, &mut out);
    bundle.begin_objects(&head, &mut out);
    walk(&mut bundle, &mut out);
    bundle.end(&mut out);
    serde_json::from_slice(&out).expect("a bundle is JSON")
}

const VALUES: &[(&str, &str)] = &[
    ("AS", "AS64500"),
    ("ip-src", "192.0.2.1"),
    ("ip-dst", "2001:db8::1"),
    ("ip-dst", "198.51.100.0/24"),
    ("ip-src|port", "192.0.2.1|1234"),
    ("ip-dst|port", "2001:db8::1|443"),
    ("domain", "evil.example"),
    ("hostname", "www.evil.example"),
    ("domain|ip", "evil.example|192.0.2.1"),
    ("hostname|port", "www.evil.example|8443"),
    ("url", "https://evil.example/it's?a=\\b"),
    ("email-src", "a@evil.example"),
    ("email-dst", "b@evil.example"),
    ("email-subject", "Invoice"),
    ("md5", "b2a5abfeef9e36964281a31e17b57c97"),
    ("sha256", "7fa8ca57d92d4f8e5d5b3a5e0e0c0b9f3c9d5d2c6f0c7a8b9e0d1c2b3a495867"),
    ("filename", "evil.exe"),
    ("filename|sha1", "evil.exe|6e5797f4c2fbc4f9e0e0b3f8c6b2d6a1c4a1a2b3"),
    ("mac-address", "12:34:56:78:90:ab"),
    ("regkey", "HKLM\\Software\\Evil"),
    ("regkey|value", "HKLM\\Software\\Evil|run"),
    ("mutex", "evil"),
    ("user-agent", "Evil/1.0"),
    ("port", "8080"),
    ("x509-fingerprint-sha1", "6e5797f4c2fbc4f9e0e0b3f8c6b2d6a1c4a1a2b3"),
    ("vulnerability", "CVE-2026-0001"),
    ("yara", "rule evil { condition: true }"),
    ("text", "said ; \" [x = 'y']"),
    ("ja3-fingerprint-md5", "b2a5abfeef9e36964281a31e17b57c97"),
];

/// Uuid, type, value, comment.
type Said<'a> = (Option<Uuid>, Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn said(attribute: &AttributeDraft) -> Said<'_> {
    let kind = attribute.kind.as_deref();
    (attribute.uuid, kind, attribute.value.as_deref(), attribute.comment.as_deref())
}

fn tags(tags: &[pisax_model::tag::TagDraft]) -> Vec<&str> {
    let mut names: Vec<&str> = tags.iter().map(|t| t.name.as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn an_event_comes_back_as_it_was() {
    for version in [Version::V20, Version::V21] {
        let views: Vec<AttributeView<'_>> = VALUES
            .iter()
            .enumerate()
            .flat_map(|(n, (kind, value))| {
                [view(2 * n, kind, value, false), view(2 * n + 1, kind, value, true)]
            })
            .collect();
        let events = read_bundle(&bundle(version, &views, None)).unwrap();
        let [event] = &events[..] else { panic!("{} events", events.len()) };
        assert_eq!((event.uuid, event.info.as_deref()), (Some(EVENT), Some("Round trip")));
        assert_eq!((event.date.as_deref(), event.timestamp), (Some("2026-01-01"), Some(1_767_225_600)));
        assert_eq!(event.orgc.as_ref().unwrap().name.as_deref(), Some("An Exchange"));
        assert_eq!(tags(&event.tags), ["golden:event", "tlp:amber"]);
        assert_eq!(event.attributes.len(), views.len(), "{version:?}");
        for (view, back) in views.iter().zip(&event.attributes) {
            let value = view.value();
            let kind = Some(view.kind.name());
            assert_eq!(said(back), (Some(view.uuid), kind, Some(value.as_ref()), Some("seen twice")));
            assert_eq!(back.to_ids, Some(view.to_ids), "{version:?} {kind:?}");
            assert_eq!(back.category.as_deref(), Some(view.category.name()));
            assert_eq!(tags(&back.tags), ["golden:attribute", "tlp:green"]);
        }
    }
}

#[test]
fn an_object_comes_back_with_all_of_its_attributes() {
    let mut views = [
        view(1, "domain", "evil.example", true),
        view(2, "ip-dst", "192.0.2.1", true),
        view(3, "ip-dst", "192.0.2.2", true),
        view(4, "text", "registered yesterday", false),
    ];
    for (view, relation) in views.iter_mut().zip(["domain", "ip", "ip", "text"]) {
        view.object_relation = Some(relation);
        view.category = Category::parse("Network activity").unwrap();
    }
    for (version, name) in
        [(Version::V20, "domain-ip"), (Version::V21, "domain-ip"), (Version::V21, "no-such")]
    {
        let bundle = bundle(version, &[], Some((name, &views)));
        let event = read_bundle(&bundle).unwrap().remove(0);
        let [object] = &event.objects[..] else { panic!("{} objects", event.objects.len()) };
        assert_eq!((object.uuid, object.name.as_deref()), (Some(uuid(900)), Some(name)));
        let back: Vec<_> = object
            .attributes
            .iter()
            .map(|a| (a.uuid, a.object_relation.as_deref(), a.value.as_deref(), a.to_ids))
            .collect();
        let sent: Vec<_> =
            views.iter().map(|v| (Some(v.uuid), v.object_relation, Some(v.value1), Some(v.to_ids))).collect();
        assert_eq!(back, sent);
        let pattern = bundle["objects"].as_array().unwrap().iter().find_map(|o| o["pattern"].as_str());
        let expected = "[domain-name:value = 'evil.example' AND (domain-name:resolves_to_refs[*].value = '192.0.2.1' \
                        OR domain-name:resolves_to_refs[*].value = '192.0.2.2')]";
        assert_eq!(pattern, (name == "domain-ip").then_some(expected));
    }
}

#[test]
fn a_report_names_all_that_comes_with_it_and_nothing_else() {
    let views = [view(1, "ip-src", "192.0.2.1", true), view(2, "text", "x", false)];
    let bundle = bundle(Version::V21, &views, None);
    let objects = bundle["objects"].as_array().unwrap();
    let report = objects.iter().find(|o| o["type"] == "grouping").unwrap();
    let named: Vec<&str> =
        report["object_refs"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let there: Vec<&str> = objects
        .iter()
        .filter(|o| !matches!(o["type"].as_str(), Some("identity" | "grouping" | "marking-definition")))
        .filter_map(|o| o["id"].as_str())
        .collect();
    assert_eq!(named, there);
    assert_eq!(
        objects.iter().find_map(|o| o["pattern"].as_str()),
        Some("[network-traffic:src_ref.type = 'ipv4-addr' AND network-traffic:src_ref.value = '192.0.2.1']")
    );
}

/// A bundle of these objects as somebody else writes them.
fn foreign(objects: Value) -> Result<EventDraft, Problem> {
    let bundle = json!({"type": "bundle", "id": format!("bundle--{EVENT}"), "objects": objects});
    Ok(read_bundle(&bundle)?.remove(0))
}

fn indicator(pattern: &str) -> Value {
    json!({
        "type": "indicator", "spec_version": "2.1", "id": format!("indicator--{}", uuid(1)), "name": "Bad",
        "created": "2026-01-01T00:00:00Z", "modified": "2026-01-02T00:00:00Z", "pattern": pattern,
        "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z", "indicator_types": ["malicious-activity"],
    })
}

#[test]
fn patterns_of_others_become_what_misp_calls_them() {
    for (pattern, expected) in [
        ("[ipv4-addr:value = '192.0.2.1']", &[("ip-dst", "192.0.2.1")][..]),
        (
            "[domain-name:value = 'a.example'] OR [url:value = 'http://b.example/']",
            &[("domain", "a.example"), ("url", "http://b.example/")],
        ),
        ("[file:hashes.MD5 = 'aa' OR file:hashes.'SHA-256' = 'bb']", &[("md5", "aa"), ("sha256", "bb")]),
        ("[file:name = 'a.exe' AND file:hashes.'SHA-1' = 'cc']", &[("filename|sha1", "a.exe|cc")]),
        (
            "[domain-name:value = 'a.example' AND domain-name:resolves_to_refs[*].value = '192.0.2.1']",
            &[("domain|ip", "a.example|192.0.2.1")],
        ),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443]",
            &[("ip-dst|port", "192.0.2.1|443")],
        ),
        ("[email-message:from_ref.value = 'a@b.example']", &[("email-src", "a@b.example")]),
        // What MISP cannot say is kept whole.
        ("[file:name MATCHES '^a']", &[("stix2-pattern", "[file:name MATCHES '^a']")]),
        ("[file:size > 5 AND file:name = 'x']", &[("stix2-pattern", "[file:size > 5 AND file:name = 'x']")]),
        (
            "[url:value = 'x' AND file:name = 'y']",
            &[("stix2-pattern", "[url:value = 'x' AND file:name = 'y']")],
        ),
    ] {
        let event = foreign(json!([indicator(pattern)])).unwrap();
        let found: Vec<(&str, &str)> = event
            .attributes
            .iter()
            .map(|a| (a.kind.as_deref().unwrap(), a.value.as_deref().unwrap()))
            .collect();
        assert_eq!(found, expected, "{pattern}");
        assert!(
            event.attributes.iter().all(|a| a.to_ids == Some(true) && a.comment.as_deref() == Some("Bad"))
        );
        assert_eq!(event.attributes[0].uuid, Some(uuid(1)));
    }
    let several =
        "[file:name = 'a' AND file:size = 5 AND file:hashes.MD5 = 'aa' AND file:hashes.'SHA-1' = 'bb']";
    let event = foreign(json!([indicator(several)])).unwrap();
    let relations: Vec<_> =
        event.objects[0].attributes.iter().map(|a| a.object_relation.as_deref().unwrap()).collect();
    assert_eq!(
        (event.objects[0].name.as_deref(), relations),
        (Some("file"), vec!["filename", "size-in-bytes", "md5", "sha1"])
    );
}

#[test]
fn what_stands_around_an_indicator_comes_along() {
    let malware = format!("malware--{}", uuid(2));
    let technique = format!("attack-pattern--{}", uuid(3));
    let event = foreign(json!([
        indicator("[ipv4-addr:value = '192.0.2.1']"),
        {"type": "identity", "id": format!("identity--{ORG}"), "name": "A vendor"},
        {"type": "malware", "id": malware, "name": "Evil", "is_family": true},
        {"type": "attack-pattern", "id": technique, "name": "Phishing",
         "external_references": [{"source_name": "mitre-attack", "external_id": "T1566"}]},
        {"type": "relationship", "id": format!("relationship--{}", uuid(4)), "relationship_type": "indicates",
         "source_ref": format!("indicator--{}", uuid(1)), "target_ref": malware},
        {"type": "report", "id": format!("report--{EVENT}"), "name": "Report", "created": "2026-01-05T10:00:00Z",
         "modified": "2026-01-05T10:00:00Z", "published": "2026-01-05T10:00:00Z", "description": "What happened",
         "object_refs": [format!("indicator--{}", uuid(1)), malware, technique], "labels": ["threat-report"],
         "created_by_ref": format!("identity--{ORG}"),
         "object_marking_refs": ["marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"]},
        {"type": "sighting", "id": format!("sighting--{}", uuid(5)), "sighting_of_ref": format!("indicator--{}", uuid(1)),
         "last_seen": "2026-01-06T00:00:00Z"},
    ]))
    .unwrap();
    assert_eq!((event.uuid, event.date.as_deref()), (Some(EVENT), Some("2026-01-05")));
    assert_eq!(event.orgc, None, "a vendor's report is the event of who uploads it");
    assert_eq!(
        tags(&event.tags),
        ["misp-galaxy:mitre-attack-pattern=\"Phishing - T1566\"", "threat-report", "tlp:white"]
    );
    let ip = event.attributes.iter().find(|a| a.kind.as_deref() == Some("ip-dst")).unwrap();
    assert_eq!(tags(&ip.tags), ["misp-galaxy:stix-2.1-malware=\"Evil\""]);
    assert_eq!(ip.sightings[0].date_sighting, Some(1_767_657_600));
    assert!(event.attributes.iter().any(|a| a.value.as_deref() == Some("What happened")));
}

#[test]
fn observables_of_others_are_not_for_detection() {
    let ip = format!("ipv4-addr--{}", uuid(2));
    let event = foreign(json!([
        {"type": "observed-data", "id": format!("observed-data--{}", uuid(1)), "object_refs": [ip],
         "first_observed": "2026-01-01T00:00:00Z", "last_observed": "2026-01-02T00:00:00Z", "number_observed": 1},
        {"type": "ipv4-addr", "id": ip, "value": "192.0.2.1"},
        {"type": "domain-name", "id": format!("domain-name--{}", uuid(3)), "value": "alone.example"},
    ]))
    .unwrap();
    let found: Vec<_> = event
        .attributes
        .iter()
        .map(|a| (a.kind.as_deref().unwrap(), a.value.as_deref().unwrap(), a.to_ids))
        .collect();
    assert_eq!(found, [("ip-dst", "192.0.2.1", Some(false)), ("domain", "alone.example", Some(false))]);
}

#[test]
fn what_is_wrong_is_named() {
    let id = format!("indicator--{}", uuid(1));
    let report = format!("report--{}", uuid(1));
    for (bundle, path) in [
        (json!([]), "bundle"),
        (json!({"type": "indicator"}), "type"),
        (json!({"type": "bundle", "objects": {}}), "objects"),
        (json!({"type": "bundle", "objects": []}), "objects"),
        (json!({"type": "bundle", "objects": [7]}), "objects[0]"),
        (json!({"type": "bundle", "objects": [{"id": id}]}), "objects[0].type"),
        (json!({"type": "bundle", "objects": [{"type": "indicator"}]}), "objects[0].id"),
        (
            json!({"type": "bundle", "objects": [{"type": "indicator", "id": "indicator--7"}]}),
            "objects[0].id",
        ),
        (json!({"type": "bundle", "objects": [{"type": "report", "id": id}]}), "objects[0].id"),
        (json!({"type": "bundle", "objects": [{"type": "indicator", "id": id}]}), "objects[0].pattern"),
        (json!({"type": "bundle", "objects": [{"type": "report", "id": report}]}), "objects[0].name"),
        (
            json!({"type": "bundle", "objects": [{"type": "report", "id": report, "name": "x", "object_refs": "y"}]}),
            "objects[0].object_refs",
        ),
        (
            json!({"type": "bundle", "objects": [{"type": "indicator", "id": id, "pattern": "x", "created": "soon"}]}),
            "objects[0].created",
        ),
    ] {
        assert_eq!(read_bundle(&bundle).unwrap_err().path, path, "{bundle}");
    }
}

#[test]
fn references_that_multiply_are_refused() {
    // Ten layers of a hundred references each would be 10^20 values.
    let mut objects =
        vec![json!({"type": "ipv4-addr", "id": format!("ipv4-addr--{}", uuid(0)), "value": "192.0.2.1"})];
    let mut below = format!("ipv4-addr--{}", uuid(0));
    for n in 1..10 {
        let id = format!("domain-name--{}", uuid(n));
        let many: Vec<&str> = std::iter::repeat_n(below.as_str(), 100).collect();
        objects
            .push(json!({"type": "domain-name", "id": id, "value": "x.example", "resolves_to_refs": many}));
        below = id;
    }
    let observed = format!("observed-data--{}", uuid(99));
    objects.insert(0, json!({"type": "observed-data", "id": observed, "object_refs": [below]}));
    let problem = foreign(Value::Array(objects)).unwrap_err();
    assert_eq!(problem.path, "objects[0]");
}
