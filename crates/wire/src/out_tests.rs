//! The writers against recorded answers of a MISP 2.5.1: same members, same order, same text.

use crate::JsonWriter;
use crate::admin_out::*;
use crate::attribute_out::*;
use crate::event_out::*;
use crate::object_out::*;
use crate::sharing_out::*;
use crate::tag_out::*;
use crate::tests::{attached, attribute, event, uuid};
use pisax_model::attribute::AttributeView;
use pisax_model::event::Event;
use pisax_model::object::{Object, Reference};
use pisax_model::org::Org;
use pisax_model::permission::{Permission, Permissions};
use pisax_model::sharing::{GroupServer, Member, SharingGroup};
use pisax_model::sighting::Sighting;
use pisax_model::tag::{Attached, Tag};
use pisax_model::user::{AuthKey, Role, User};
use pisax_model::{AttributeType, Category};

const ORG: &str = "db56452a-2b92-4e0b-aed9-bce4bf6fc692";

fn written(write: impl FnOnce(&mut JsonWriter<'_>)) -> String {
    let mut out = Vec::new();
    write(&mut JsonWriter::new(&mut out));
    let text = String::from_utf8(out).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    text
}

fn orgname() -> OrgSummary<'static> {
    OrgSummary { id: 1, name: "ORGNAME", uuid: uuid(ORG), local: true }
}

fn org() -> Org {
    Org {
        id: 1,
        uuid: uuid(ORG),
        name: "ORGNAME".into(),
        description: Some("Automatically generated admin organisation".into()),
        kind: "ADMIN".into(),
        nationality: String::new(),
        sector: String::new(),
        contacts: None,
        local: true,
        restricted_to_domain: Vec::new(),
        landingpage: None,
        created_by: 0,
        date_created: 1_795_322_119,
        date_modified: 1_795_322_119,
    }
}

fn sighting() -> Sighting {
    Sighting {
        id: 1,
        uuid: uuid("8891aab1-42af-4c2b-9da4-d59b16199cc6"),
        attribute_id: 13,
        attribute_uuid: uuid("22222222-0000-4000-8000-000000000050"),
        event_id: 2,
        org_id: 1,
        org_name: "ORGNAME".into(),
        org_uuid: uuid(ORG),
        date_sighting: 1_767_225_600,
        source: "golden".into(),
        kind: 0,
    }
}

fn tag(id: i64, name: &str, colour: &str) -> Attached {
    let golden = attached(name);
    Attached { tag: Tag { id, colour: colour.into(), ..golden.tag }, ..golden }
}

const SIGHTING: &str = r#"{"id":"1","attribute_id":"13","event_id":"2","org_id":"1","date_sighting":"1767225600","uuid":"8891aab1-42af-4c2b-9da4-d59b16199cc6","source":"golden","type":"0""#;

#[test]
fn attributes_of_events_are_as_recorded() {
    let tags = [attached("golden:attr")];
    let context = AttributeContext { tags: &tags, ..AttributeContext::default() };
    assert_eq!(
        written(|w| write_event_attribute(w, &attribute("ip-dst"), &context)),
        r##"{"id":"1","type":"ip-dst","category":"Network activity","to_ids":true,"uuid":"22222222-0000-4000-8000-000000000001","event_id":"1","distribution":"5","timestamp":"1767225600","comment":"c2","sharing_group_id":"0","deleted":false,"disable_correlation":false,"object_id":"0","object_relation":null,"first_seen":null,"last_seen":null,"value":"203.0.113.10","Galaxy":[],"ShadowAttribute":[],"Tag":[{"id":"10","name":"golden:attr","colour":"#980e9b","exportable":true,"user_id":"0","hide_tag":false,"numerical_value":null,"is_galaxy":false,"is_custom_galaxy":false,"local_only":false,"local":false,"relationship_type":null}]}"##
    );
    let seen = [sighting()];
    let context = AttributeContext {
        sightings: &seen,
        data: Some(Data::Bytes(b"hello")),
        analyst_data: br#""Note":[]"#,
        more: br#""warnings":[]"#,
        ..AttributeContext::default()
    };
    let composite = AttributeView {
        kind: AttributeType::parse("filename|md5").unwrap(),
        category: Category::parse("Payload delivery").unwrap(),
        value1: "bad.exe",
        value2: "d41d8cd98f00b204e9800998ecf8427e",
        first_seen: Some(1_764_583_200_000_000),
        last_seen: Some(1_764_662_400_123_456),
        object_relation: Some("ip"),
        ..attribute("ip-dst")
    };
    let text = written(|w| write_event_attribute(w, &composite, &context));
    let expected = format!(
        r#""object_relation":"ip","first_seen":"2025-12-01T10:00:00.000000+00:00","last_seen":"2025-12-02T08:00:00.123456+00:00","value":"bad.exe|d41d8cd98f00b204e9800998ecf8427e","Galaxy":[],"data":"aGVsbG8=","Note":[],"ShadowAttribute":[],"Sighting":[{SIGHTING},"attribute_uuid":"22222222-0000-4000-8000-000000000050","Organisation":{{"id":"1","uuid":"{ORG}","name":"ORGNAME"}}}}],"warnings":[]}}"#
    );
    assert!(text.ends_with(&expected), "{text}");
}

const ROW: &str = r#"{"id":"1","event_id":"1","object_id":"0","object_relation":null,"category":"Network activity","type":"ip-dst","to_ids":true,"uuid":"22222222-0000-4000-8000-000000000001","timestamp":"1767225600","distribution":"5","sharing_group_id":"0","comment":"c2","deleted":false,"disable_correlation":false,"first_seen":null,"last_seen":null,"value":"203.0.113.10","#;

#[test]
fn rows_of_an_attribute_search_are_as_recorded() {
    let event = event();
    let tags = [attached("golden:attr")];
    let context = AttributeContext {
        tags: &tags,
        event: Some(EventSummary::from(&event)),
        object: Some(ObjectSummary { id: 1, distribution: 0, sharing_group_id: 0 }),
        ..AttributeContext::default()
    };
    assert_eq!(
        written(|w| write_search_attribute(w, &attribute("ip-dst"), &context)),
        format!(
            "{ROW}{}",
            r##""Event":{"org_id":"1","distribution":"3","publish_timestamp":"1795325589","id":"1","info":"Golden event one","orgc_id":"1","uuid":"11111111-0000-4000-8000-000000000001"},"Object":{"id":"1","distribution":"0","sharing_group_id":"0"},"Tag":[{"id":"10","name":"golden:attr","colour":"#980e9b","numerical_value":null,"is_galaxy":false,"local":false}]}"##
        )
    );
    let event = Event { timestamp: 1_795_325_587, ..event };
    let event_tags = [tag(8, "tlp:green", "#339900"), tag(9, "golden:event", "#2baa40")];
    let context = AttributeContext {
        tags: &tags,
        inherited_tags: &event_tags,
        event_context: Some(EventContext { event: &event, orgc: orgname(), tags: &event_tags }),
        ..AttributeContext::default()
    };
    assert_eq!(
        written(|w| write_search_attribute(w, &attribute("ip-dst"), &context)),
        format!(
            "{ROW}{}",
            r##""Event":{"id":"1","orgc_id":"1","org_id":"1","date":"2026-01-01","threat_level_id":"2","info":"Golden event one","published":true,"uuid":"11111111-0000-4000-8000-000000000001","analysis":"1","timestamp":"1795325587","distribution":"3","publish_timestamp":"1795325589","sharing_group_id":"0","extends_uuid":"","Tag":[{"local":false,"id":"8","name":"tlp:green","colour":"#339900","numerical_value":null},{"local":false,"id":"9","name":"golden:event","colour":"#2baa40","numerical_value":null}],"Orgc":{"id":"1","name":"ORGNAME","uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692","local":true}},"Tag":[{"id":"10","name":"golden:attr","colour":"#980e9b","numerical_value":null,"is_galaxy":false,"local":false},{"id":"8","name":"tlp:green","colour":"#339900","numerical_value":null,"inherited":1},{"id":"9","name":"golden:event","colour":"#2baa40","numerical_value":null,"inherited":1}]}"##
        )
    );
}

#[test]
fn saved_and_viewed_attributes_are_as_recorded() {
    let md5 = AttributeView {
        id: 13,
        event_id: 2,
        uuid: uuid("22222222-0000-4000-8000-000000000050"),
        kind: AttributeType::parse("md5").unwrap(),
        category: Category::parse("Payload delivery").unwrap(),
        value1: "d41d8cd98f00b204e9800998ecf8427e",
        to_ids: false,
        comment: "added",
        ..attribute("ip-dst")
    };
    let tail = r#""to_ids":false,"uuid":"22222222-0000-4000-8000-000000000050","timestamp":"1767225600","distribution":"5","sharing_group_id":"0","comment":"added","deleted":false,"disable_correlation":false,"first_seen":null,"last_seen":null,"value":"d41d8cd98f00b204e9800998ecf8427e""#;
    let head = r#"{"id":"13","event_id":"2","object_id":"0","object_relation":null,"category":"Payload delivery","type":"md5","#;
    let halves = r#""value1":"d41d8cd98f00b204e9800998ecf8427e","value2":"","#;
    let none = AttributeContext::default();
    assert_eq!(written(|w| write_saved_attribute(w, &md5, &none)), format!("{head}{halves}{tail}}}"));
    assert_eq!(
        written(|w| write_object_attribute(w, &md5, &none)),
        format!(r#"{head}{halves}{tail},"AttributeTag":[]}}"#)
    );
    let context = AttributeContext {
        event_uuid: Some(uuid("11111111-0000-4000-8000-000000000002")),
        ..AttributeContext::default()
    };
    assert_eq!(
        written(|w| write_viewed_attribute(w, &md5, &context)),
        format!(r#"{head}{tail},"event_uuid":"11111111-0000-4000-8000-000000000002"}}"#)
    );
}

fn group() -> SharingGroup {
    SharingGroup {
        id: 1,
        uuid: uuid("55555555-0000-4000-8000-000000000001"),
        name: "Golden SG".into(),
        releasability: "golden edited".into(),
        description: "d".into(),
        organisation_uuid: uuid(ORG),
        org_id: 1,
        sync_user_id: 1,
        active: true,
        local: false,
        roaming: false,
        created: 1_795_325_576,
        modified: 1_795_325_577,
        members: vec![Member {
            id: 1,
            org_id: 2,
            org_name: "Golden Org".into(),
            org_uuid: uuid("44444444-0000-4000-8000-000000000001"),
            org_local: true,
            extend: true,
        }],
        servers: vec![GroupServer { id: 1, server_id: 0, all_orgs: false }],
    }
}

#[test]
fn an_event_begins_as_recorded() {
    let group = group();
    let event =
        Event { distribution: 4, sharing_group_id: 1, published: false, publish_timestamp: 0, ..event() };
    let context = EventGroup { group: &group, organisation: orgname(), base_url: "http://127.0.0.1:18080" };
    assert_eq!(
        written(|w| {
            write_event_head(w, &event, orgname(), orgname(), Some("admin@admin.test"), Some(&context));
            w.key("Attribute");
            w.raw(b"[]");
            write_tag_member(w, &[]);
            w.end_object();
        }),
        r#"{"id":"1","orgc_id":"1","org_id":"1","date":"2026-01-01","threat_level_id":"2","info":"Golden event one","published":false,"uuid":"11111111-0000-4000-8000-000000000001","attribute_count":"8","analysis":"1","timestamp":"1767225600","distribution":"4","proposal_email_lock":false,"locked":false,"publish_timestamp":"0","sharing_group_id":"1","disable_correlation":false,"extends_uuid":"","protected":null,"event_creator_email":"admin@admin.test","Org":{"id":"1","name":"ORGNAME","uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692","local":true},"Orgc":{"id":"1","name":"ORGNAME","uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692","local":true},"SharingGroup":{"id":"1","name":"Golden SG","releasability":"golden edited","description":"d","uuid":"55555555-0000-4000-8000-000000000001","organisation_uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692","org_id":"1","sync_user_id":"1","active":true,"created":"2026-11-22 05:32:56","modified":"2026-11-22 05:32:57","local":false,"roaming":false,"Organisation":{"id":"1","name":"ORGNAME","uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692"},"SharingGroupOrg":[{"id":"1","sharing_group_id":"1","org_id":"2","extend":true,"Organisation":{"id":"2","name":"Golden Org","uuid":"44444444-0000-4000-8000-000000000001"}}],"SharingGroupServer":[{"id":"1","sharing_group_id":"1","server_id":"0","all_orgs":false,"Server":{"id":"0","url":"http://127.0.0.1:18080","name":"http://127.0.0.1:18080"}}]},"Attribute":[]}"#
    );
    let extending = Event { extends_uuid: Some(event.uuid), protected: Some(true), ..event.clone() };
    let text = written(|w| {
        write_event_head(w, &extending, orgname(), orgname(), None, None);
        w.end_object();
    });
    assert!(
        text.contains(r#""extends_uuid":"11111111-0000-4000-8000-000000000001","protected":true,"Org":"#)
    );
}

#[test]
fn related_events_are_as_recorded() {
    let related = RelatedEvent {
        id: 2,
        date: "2025-06-01",
        threat_level_id: 4,
        info: "Golden event two (flat)",
        published: false,
        uuid: uuid("11111111-0000-4000-8000-000000000002"),
        analysis: 0,
        timestamp: 1_767_225_600,
        distribution: 1,
        org: orgname(),
        orgc: orgname(),
        relationship_inbound: Some(b""),
    };
    let bare = r#"{"Event":{"id":"2","date":"2025-06-01","threat_level_id":"4","info":"Golden event two (flat)","published":false,"uuid":"11111111-0000-4000-8000-000000000002","analysis":"0","timestamp":"1767225600","distribution":"1","org_id":"1","orgc_id":"1","Org":{"id":"1","name":"ORGNAME","uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692"},"Orgc":{"id":"1","name":"ORGNAME","uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692"}}"#;
    assert_eq!(
        written(|w| write_related_event(w, &related)),
        format!(r#"{bare},"RelationshipInbound":[]}}"#)
    );
    let edited = RelatedEvent { relationship_inbound: None, ..related };
    assert_eq!(written(|w| write_related_event(w, &edited)), format!("{bare}}}"));
}

#[test]
fn rows_of_the_index_are_as_recorded() {
    let event = Event { attribute_count: 9, timestamp: 1_795_325_587, ..event() };
    let tags = [Attached { id: 1, ..tag(8, "tlp:green", "#339900") }];
    let head = r#"{"id":"1","org_id":"1","date":"2026-01-01","info":"Golden event one","uuid":"11111111-0000-4000-8000-000000000001","published":true,"analysis":"1","attribute_count":"9","orgc_id":"1","timestamp":"1795325587","distribution":"3","sharing_group_id":"0","proposal_email_lock":false,"locked":false,"threat_level_id":"2","publish_timestamp":"1795325589","sighting_timestamp":"0","disable_correlation":false,"extends_uuid":"","protected":null,"Org":{"id":"1","name":"ORGNAME","uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692"},"Orgc":{"id":"1","name":"ORGNAME","uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692"},"#;
    assert_eq!(
        written(|w| write_index_row(w, &event, orgname(), orgname(), None, &tags, b"")),
        format!(
            "{head}{}",
            r##""EventTag":[{"id":"1","event_id":"1","tag_id":"8","local":false,"relationship_type":"","Tag":{"id":"8","name":"tlp:green","colour":"#339900","is_galaxy":false}}]}"##
        )
    );
    let golden = group();
    let summary = GroupSummary { id: 1, name: &golden.name, uuid: golden.uuid };
    assert_eq!(
        written(|w| write_index_row(w, &event, orgname(), orgname(), Some(summary), &[], b"\"x\":1")),
        format!(
            "{head}{}",
            r#""SharingGroup":{"id":"1","name":"Golden SG","uuid":"55555555-0000-4000-8000-000000000001"},"EventTag":[],"x":1}"#
        )
    );
    let minimal = MinimalEvent {
        id: 1,
        timestamp: 1_795_325_587,
        sighting_timestamp: 0,
        published: true,
        uuid: event.uuid,
        orgc_uuid: uuid(ORG),
    };
    assert_eq!(
        written(|w| write_minimal_row(w, &minimal)),
        r#"{"id":"1","timestamp":"1795325587","sighting_timestamp":"0","published":true,"uuid":"11111111-0000-4000-8000-000000000001","orgc_uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692"}"#
    );
}

#[test]
fn objects_and_references_are_as_recorded() {
    let object = Object {
        id: 2,
        uuid: uuid("33333333-0000-4000-8000-000000000002"),
        event_id: 2,
        name: "domain-ip".into(),
        meta_category: "network".into(),
        description: "A tuple".into(),
        template_uuid: "43b3b146-77eb-4931-b4cc-b66c60f28734".into(),
        template_version: "11".into(),
        timestamp: 1_767_225_600,
        distribution: 5,
        sharing_group_id: 0,
        comment: String::new(),
        deleted: false,
        first_seen: None,
        last_seen: None,
    };
    let viewed = Event { id: 2, info: "Golden event two".into(), ..event() };
    assert_eq!(
        written(|w| {
            write_object_head(w, &object);
            write_object_event_member(w, &viewed);
            w.end_object();
        }),
        r#"{"id":"2","name":"domain-ip","meta-category":"network","description":"A tuple","template_uuid":"43b3b146-77eb-4931-b4cc-b66c60f28734","template_version":"11","event_id":"2","uuid":"33333333-0000-4000-8000-000000000002","timestamp":"1767225600","distribution":"5","sharing_group_id":"0","comment":"","deleted":false,"first_seen":null,"last_seen":null,"Event":{"id":"2","info":"Golden event two","org_id":"1","orgc_id":"1"}}"#
    );
    let reference = Reference {
        id: 1,
        uuid: uuid("1d858be4-c8a1-4423-bc63-ef6d58d5160c"),
        timestamp: 1_795_325_585,
        object_id: 2,
        event_id: 2,
        source_uuid: object.uuid,
        referenced_uuid: uuid("22222222-0000-4000-8000-000000000031"),
        referenced_id: 10,
        to_object: false,
        relationship_type: "related-to".into(),
        comment: "ref".into(),
        deleted: false,
    };
    let bare = r#"{"id":"1","uuid":"1d858be4-c8a1-4423-bc63-ef6d58d5160c","timestamp":"1795325585","object_id":"2","event_id":"2","source_uuid":"33333333-0000-4000-8000-000000000002","referenced_uuid":"22222222-0000-4000-8000-000000000031","referenced_id":"10","referenced_type":"0","relationship_type":"related-to","comment":"ref","deleted":false,"object_uuid":"33333333-0000-4000-8000-000000000002""#;
    assert_eq!(written(|w| write_reference(w, &reference, None)), format!("{bare}}}"));
    let target = ReferenceTarget::Object {
        distribution: 5,
        sharing_group_id: 0,
        uuid: object.uuid,
        name: "domain-ip",
        meta_category: "network",
    };
    assert_eq!(
        written(|w| write_reference(w, &reference, Some(&target))),
        format!(
            r#"{bare},"Object":{{"distribution":"5","sharing_group_id":"0","uuid":"33333333-0000-4000-8000-000000000002","name":"domain-ip","meta-category":"network"}}}}"#
        )
    );
}

#[test]
fn sharing_groups_are_as_recorded() {
    let group = group();
    let columns = r#""releasability":"golden edited","description":"d","uuid":"55555555-0000-4000-8000-000000000001","organisation_uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692","org_id":"1","sync_user_id":"1","active":true,"created":"2026-11-22 05:32:56","modified":"2026-11-22 05:32:57","local":false,"roaming":false"#;
    let owner = r#"{"id":"1","name":"ORGNAME","uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692"}"#;
    let member = r#"{"id":"1","sharing_group_id":"1","org_id":"2","extend":true"#;
    let server = r#"{"id":"1","sharing_group_id":"1","server_id":"0","all_orgs":false"#;
    assert_eq!(
        written(|w| write_saved_sharing_group(w, &group, orgname())),
        format!(
            r#"{{"SharingGroup":{{"id":"1","name":"Golden SG",{columns}}},"SharingGroupOrg":[{member}}}],"SharingGroupServer":[{server}}}],"Organisation":{owner}}}"#
        )
    );
    assert_eq!(
        written(|w| write_viewed_sharing_group(w, &group, &org(), Some(orgname()), "http://127.0.0.1:18080")),
        format!(
            r#"{{"SharingGroup":{{"id":"1","name":"Golden SG",{columns},"sync_org_name":"ORGNAME","sync_org":{owner}}},"Organisation":{ORGANISATION},"SharingGroupOrg":[{member},"Organisation":{{"id":"2","name":"Golden Org","uuid":"44444444-0000-4000-8000-000000000001","local":true}}}}],"SharingGroupServer":[{server},"Server":{{"id":"0","name":"Local instance","url":"http://127.0.0.1:18080"}}}}]}}"#
        )
    );
    let rights = GroupRights { editable: true, deletable: true };
    assert_eq!(
        written(|w| write_listed_sharing_group(w, &group, orgname(), rights)),
        format!(
            r#"{{"SharingGroup":{{"id":"1","uuid":"55555555-0000-4000-8000-000000000001","name":"Golden SG","description":"d","releasability":"golden edited","local":false,"active":true,"roaming":false,"org_count":"1"}},"Organisation":{owner},"SharingGroupOrg":[{member},"Organisation":{{"name":"Golden Org","id":"2","uuid":"44444444-0000-4000-8000-000000000001"}}}}],"SharingGroupServer":[{{"all_orgs":false,"server_id":"0","sharing_group_id":"1","Server":[]}}],"editable":true,"deletable":true}}"#
        )
    );
}

const ORGANISATION: &str = r#"{"id":"1","name":"ORGNAME","date_created":"2026-11-22 04:35:19","date_modified":"2026-11-22 04:35:19","description":"Automatically generated admin organisation","type":"ADMIN","nationality":"","sector":"","created_by":"0","uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692","contacts":null,"local":true,"restricted_to_domain":null,"landingpage":null}"#;

#[test]
fn organisations_are_as_recorded() {
    let golden = Org {
        id: 2,
        uuid: uuid("44444444-0000-4000-8000-000000000001"),
        name: "Golden Org".into(),
        description: None,
        kind: String::new(),
        nationality: "Luxembourg".into(),
        sector: "CERT".into(),
        created_by: 1,
        date_created: 1_795_325_574,
        date_modified: 1_795_325_574,
        ..org()
    };
    let facts = OrgFacts { user_count: 0, created_by_email: Some("admin@admin.test") };
    assert_eq!(
        written(|w| write_viewed_org(w, &golden, facts)),
        r#"{"Organisation":{"id":"2","name":"Golden Org","date_created":"2026-11-22 05:32:54","date_modified":"2026-11-22 05:32:54","type":"","nationality":"Luxembourg","sector":"CERT","contacts":null,"description":null,"local":true,"uuid":"44444444-0000-4000-8000-000000000001","restricted_to_domain":null,"created_by":"1","user_count":"0","created_by_email":"admin@admin.test"}}"#
    );
    assert_eq!(written(|w| write_org(w, &org(), None)), format!(r#"{{"Organisation":{ORGANISATION}}}"#));
}

fn user() -> User {
    User {
        id: 1,
        org_id: 1,
        role_id: 1,
        email: "admin@admin.test".into(),
        autoalert: false,
        contactalert: false,
        disabled: false,
        change_pw: false,
        termsaccepted: true,
        gpgkey: None,
        certif_public: String::new(),
        nids_sid: 4_000_000,
        invited_by: 0,
        current_login: 0,
        last_login: 0,
        last_api_access: 1_795_322_425,
        date_created: 0,
        date_modified: 1_795_323_753,
        last_pw_change: None,
        expiration: None,
        notification_daily: false,
        notification_weekly: false,
        notification_monthly: false,
    }
}

#[test]
fn users_and_roles_are_as_recorded() {
    let role = Role {
        id: 1,
        name: "admin".into(),
        permissions: Permissions::all().without(Permission::SkipOtp),
        permission: 3,
        default_role: false,
        memory_limit: None,
        max_execution_time: None,
        restricted_to_site_admin: false,
        enforce_rate_limit: false,
        rate_limit_count: 0,
        created: 1_795_321_935,
        modified: 1_795_321_935,
    };
    assert_eq!(
        written(|w| write_user_view(w, &user(), &role, &org(), b"")),
        format!(
            "{}{ORGANISATION}}}",
            r#"{"User":{"id":"1","password":"*****","org_id":"1","email":"admin@admin.test","autoalert":false,"invited_by":"0","gpgkey":null,"certif_public":"","nids_sid":"4000000","termsaccepted":true,"newsread":"0","role_id":"1","change_pw":false,"contactalert":false,"disabled":false,"expiration":null,"current_login":"0","last_login":"0","force_logout":false,"date_created":null,"date_modified":"1795323753","sub":null,"external_auth_required":false,"external_auth_key":null,"last_api_access":"1795322425","notification_daily":false,"notification_weekly":false,"notification_monthly":false,"totp":"*****","hotp_counter":null,"last_pw_change":null,"totp_is_set":"0"},"Role":{"id":"1","name":"admin","created":"2026-11-22 04:32:15","modified":"2026-11-22 04:32:15","perm_add":true,"perm_modify":true,"perm_modify_org":true,"perm_publish":true,"perm_delegate":true,"perm_sync":true,"perm_admin":true,"perm_audit":true,"perm_auth":true,"perm_site_admin":true,"perm_regexp_access":true,"perm_tagger":true,"perm_template":true,"perm_sharing_group":true,"perm_tag_editor":true,"perm_sighting":true,"perm_object_template":true,"default_role":false,"memory_limit":null,"max_execution_time":null,"restricted_to_site_admin":false,"perm_publish_zmq":true,"perm_publish_kafka":true,"perm_decaying":true,"enforce_rate_limit":false,"rate_limit_count":"0","perm_galaxy_editor":true,"perm_warninglist":true,"perm_view_feed_correlations":true,"perm_analyst_data":true,"perm_skip_otp":false,"permission":"3","permission_description":"publish"},"UserSetting":[],"Organisation":"#
        )
    );
    let golden = User {
        id: 2,
        org_id: 2,
        role_id: 3,
        email: "golden@example.org".into(),
        invited_by: 1,
        nids_sid: 6_844_331,
        termsaccepted: false,
        change_pw: true,
        date_created: 1_795_325_574,
        date_modified: 1_795_325_575,
        last_api_access: 0,
        last_pw_change: Some(1_795_325_574),
        ..user()
    };
    assert_eq!(
        written(|w| write_user(w, &golden, UserShape::Saved { authkey: Some("zFd2") })),
        r#"{"id":"2","password":"******","org_id":"2","server_id":"0","email":"golden@example.org","autoalert":false,"authkey":"zFd2","invited_by":"1","gpgkey":"","certif_public":"","nids_sid":"6844331","termsaccepted":false,"newsread":"0","role_id":"3","change_pw":true,"contactalert":false,"disabled":false,"expiration":null,"current_login":"0","last_login":"0","force_logout":false,"date_created":"1795325574","date_modified":"1795325575","sub":null,"external_auth_required":false,"external_auth_key":"","last_api_access":"0","notification_daily":false,"notification_weekly":false,"notification_monthly":false,"totp":null,"hotp_counter":null,"last_pw_change":"1795325574","totp_is_set":"0"}"#
    );
    let row = written(|w| write_user_row(w, &user(), &role, "ORGNAME"));
    assert!(row.ends_with(
        r#""Role":{"id":"1","name":"admin","perm_auth":true,"perm_site_admin":true,"perm_admin":true},"Organisation":{"id":"1","name":"ORGNAME"}}"#
    ));
    assert!(!row.contains("password") && !row.contains("\"totp\""));
}

#[test]
fn keys_sightings_and_tags_are_as_recorded() {
    let key = AuthKey {
        id: 4,
        uuid: uuid("645e9f36-c64c-425d-a25a-bc22b886a643"),
        start: "y1qb".into(),
        end: "SyhC".into(),
        created: 1_795_325_575,
        expiration: 1_893_456_000,
        read_only: false,
        user_id: 2,
        comment: "golden key".into(),
        allowed_ips: vec!["127.0.0.1".into()],
        last_used: 0,
    };
    assert_eq!(
        written(|w| write_auth_key(w, &key, Some("y1qbSyhC"))),
        r#"{"id":"4","uuid":"645e9f36-c64c-425d-a25a-bc22b886a643","authkey_start":"y1qb","authkey_end":"SyhC","created":"1795325575","expiration":"1893456000","read_only":false,"user_id":"2","comment":"golden key","allowed_ips":["127.0.0.1"],"unique_ips":[],"authkey_raw":"y1qbSyhC"}"#
    );
    assert_eq!(written(|w| write_saved_sighting(w, &sighting())), format!(r#"{{"Sighting":{SIGHTING}}}}}"#));
    assert_eq!(
        written(|w| write_listed_sighting(w, &sighting())),
        format!(r#"{{"Sighting":{SIGHTING}}},"Organisation":{{"name":"ORGNAME"}}}}"#)
    );
    let used = TagUse { events: 2, attributes: 1, favourite: false };
    assert_eq!(
        written(|w| write_counted_tag(w, &attached("a").tag, used)),
        r##"{"id":"10","name":"a","colour":"#980e9b","exportable":true,"org_id":"0","user_id":"0","hide_tag":false,"numerical_value":null,"is_galaxy":false,"is_custom_galaxy":false,"local_only":false,"count":2,"attribute_count":1,"favourite":false}"##
    );
}

#[test]
fn every_type_is_described() {
    let described: serde_json::Value = serde_json::from_str(&written(write_describe_types)).unwrap();
    let result = &described["result"];
    let kinds = AttributeType::all().count();
    assert_eq!(result["types"].as_array().unwrap().len(), kinds);
    assert_eq!(result["sane_defaults"].as_object().unwrap().len(), kinds);
    assert_eq!(
        result["sane_defaults"]["md5"],
        serde_json::json!({"default_category":"Payload delivery","to_ids":1})
    );
    assert_eq!(result["categories"].as_array().unwrap().len(), Category::all().count());
    let network = result["category_type_mappings"]["Network activity"].as_array().unwrap();
    assert!(network.iter().any(|kind| kind == "ip-dst"));
}
