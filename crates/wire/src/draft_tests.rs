//! What is written for another server is read there as it was. Records have uuids here, as stored ones do: an
//! object without any member is nothing to the reader.

use crate::draft_out::write_event_draft;
use crate::json::JsonWriter;
use crate::read_event;
use pisax_model::Uuid;
use pisax_model::attribute::AttributeDraft;
use pisax_model::content::Content;
use pisax_model::cryptographic_key::CryptographicKeyDraft;
use pisax_model::event::EventDraft;
use pisax_model::ids::Ref;
use pisax_model::object::{ObjectDraft, ReferenceDraft};
use pisax_model::org::OrgRef;
use pisax_model::report::ReportDraft;
use pisax_model::sharing::{MemberDraft, ServerDraft, SharingGroupDraft};
use pisax_model::tag::TagDraft;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

fn written(event: &EventDraft) -> Vec<u8> {
    let mut out = Vec::new();
    write_event_draft(&mut JsonWriter::new(&mut out), event);
    out
}

fn text() -> impl Strategy<Value = String> {
    "(\\PC|[\\x00-\\x7f]){0,20}"
}

/// What the reader takes for nothing when it is empty, and trims.
fn word() -> impl Strategy<Value = String> {
    "[a-z:=\"\u{e9}]{1,12}"
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn number() -> impl Strategy<Value = i64> {
    0..4_000_000_000_i64
}

fn org() -> impl Strategy<Value = OrgRef> {
    (uuid().prop_map(Some), of(word())).prop_map(|(uuid, name)| OrgRef { id: None, uuid, name })
}

prop_compose! {
    fn tag()(
        name in word(),
        colour in of(word()),
        exportable: Option<bool>,
        local: Option<bool>,
        relationship_type in of(word()),
        deleted: Option<bool>,
    ) -> TagDraft {
        TagDraft { name, colour, exportable, local, relationship_type, deleted }
    }
}

prop_compose! {
    /// With a uuid: a group without one is nothing to another server.
    fn group()(
        uuid in uuid(),
        texts in (of(text()), of(text()), of(text())),
        flags: (Option<bool>, Option<bool>),
        organisation_uuid in of(uuid()),
        organisation in of(org()),
        modified in of(number()),
        orgs in of(vec((org(), any::<bool>()), 0..3)),
        servers in of(vec((any::<bool>(), of(word()), of(word())), 0..3)),
    ) -> SharingGroupDraft {
        SharingGroupDraft {
            uuid: Some(uuid),
            bad_uuid: false,
            name: texts.0,
            releasability: texts.1,
            description: texts.2,
            active: flags.0,
            roaming: flags.1,
            organisation_uuid,
            organisation,
            modified,
            orgs: orgs.map(|list| {
                list.into_iter().map(|(org_ref, extend)| MemberDraft { org: None, org_ref, extend }).collect()
            }),
            servers: servers.map(|list| {
                let server = |(all_orgs, name, url)| ServerDraft { server_id: 0, all_orgs, name, url };
                list.into_iter().map(server).collect()
            }),
        }
    }
}

fn group_of(group: &Option<SharingGroupDraft>) -> Option<Ref> {
    group.as_ref().and_then(|group| group.uuid).map(Ref::Uuid)
}

prop_compose! {
    fn attribute()(
        uuid in uuid().prop_map(Some),
        texts in (of(text()), of(text()), of(text()), of(text()), of(text())),
        halves in (of(text()), of(text())),
        flags: (Option<bool>, Option<bool>, Option<bool>),
        numbers in (of(number()), of(0..6_i64)),
        group in of(group().boxed()),
        seen in (of(of(word())), of(of(word()))),
        data in of(vec(any::<u8>(), 1..20)),
        tags in vec(tag().boxed(), 0..3),
    ) -> AttributeDraft {
        AttributeDraft {
            uuid,
            kind: texts.0,
            category: texts.1,
            value: texts.2,
            comment: texts.3,
            object_relation: texts.4,
            value1: halves.0,
            value2: halves.1,
            to_ids: flags.0,
            deleted: flags.1,
            disable_correlation: flags.2,
            timestamp: numbers.0,
            distribution: numbers.1,
            sharing_group: group_of(&group),
            sharing_group_draft: group.map(Box::new),
            first_seen: seen.0,
            last_seen: seen.1,
            data: data.map(Content::Bytes),
            tags,
            ..AttributeDraft::default()
        }
    }
}

prop_compose! {
    fn reference()(
        uuids in (uuid().prop_map(Some), of(uuid()), of(uuid())),
        texts in (of(text()), of(text())),
        timestamp in of(number()),
        deleted: Option<bool>,
    ) -> ReferenceDraft {
        ReferenceDraft {
            uuid: uuids.0,
            source: uuids.1.map(Ref::Uuid),
            referenced: uuids.2.map(Ref::Uuid),
            relationship_type: texts.0,
            comment: texts.1,
            timestamp,
            deleted,
        }
    }
}

prop_compose! {
    fn object()(
        uuid in uuid().prop_map(Some),
        texts in (of(text()), of(text()), of(text()), of(text()), of(text()), of(text())),
        numbers in (of(number()), of(0..6_i64)),
        deleted: Option<bool>,
        group in of(group().boxed()),
        seen in (of(of(word())), of(of(word()))),
        attributes in of(vec(attribute().boxed(), 0..3)),
        references in vec(reference().boxed(), 0..3),
    ) -> ObjectDraft {
        ObjectDraft {
            uuid,
            name: texts.0,
            meta_category: texts.1,
            description: texts.2,
            template_uuid: texts.3,
            template_version: texts.4,
            comment: texts.5,
            timestamp: numbers.0,
            distribution: numbers.1,
            deleted,
            sharing_group: group_of(&group),
            sharing_group_draft: group.map(Box::new),
            first_seen: seen.0,
            last_seen: seen.1,
            has_attributes: attributes.is_some(),
            attributes: attributes.unwrap_or_default(),
            references,
            ..ObjectDraft::default()
        }
    }
}

prop_compose! {
    fn report()(
        uuid in uuid().prop_map(Some),
        texts in (of(text()), of(text())),
        numbers in (of(number()), of(0..6_i64)),
        deleted: Option<bool>,
        group in of(group().boxed()),
    ) -> ReportDraft {
        ReportDraft {
            uuid,
            name: texts.0,
            content: texts.1,
            timestamp: numbers.0,
            distribution: numbers.1,
            deleted,
            sharing_group: group_of(&group),
            sharing_group_draft: group.map(Box::new),
            ..ReportDraft::default()
        }
    }
}

prop_compose! {
    fn key()(
        uuid in of(uuid()),
        kind in of(text()),
        key_data in text(),
        revoked: bool,
    ) -> CryptographicKeyDraft {
        CryptographicKeyDraft { uuid, kind, key_data: Some(key_data), revoked }
    }
}

prop_compose! {
    fn event()(
        uuid in of(uuid()),
        texts in (of(text()), of(text()), of(text())),
        numbers in (of(number()), of(number()), of(0..5_i64), of(0..3_i64), of(1..5_i64)),
        flags: (Option<bool>, Option<bool>, Option<bool>, Option<bool>),
        orgc in of(org()),
        group in of(group().boxed()),
        attributes in vec(attribute().boxed(), 0..4),
        objects in vec(object().boxed(), 0..3),
        tags in vec(tag().boxed(), 0..3),
        reports in vec(report().boxed(), 0..3),
        keys in vec(key().boxed(), 0..3),
    ) -> EventDraft {
        EventDraft {
            uuid,
            info: texts.0,
            date: texts.1,
            extends_uuid: texts.2,
            timestamp: numbers.0,
            publish_timestamp: numbers.1,
            distribution: numbers.2,
            analysis: numbers.3,
            threat_level_id: numbers.4,
            published: flags.0,
            disable_correlation: flags.1,
            locked: flags.2,
            protected: flags.3,
            orgc,
            sharing_group: group_of(&group),
            sharing_group_draft: group,
            attributes,
            objects,
            tags,
            reports,
            keys,
            ..EventDraft::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_event_is_read_as_it_was_written(event in event()) {
        let json = written(&event);
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok());
        prop_assert_eq!(read_event(&json).unwrap(), event);
    }
}

#[test]
fn an_event_has_the_members_of_a_push_and_no_row_numbers() {
    let uuid = |n: u128| Some(Uuid::from_u128(n));
    let org = OrgRef { id: Some(7), uuid: uuid(1), name: Some("ORG".into()) };
    let group = SharingGroupDraft {
        uuid: uuid(2),
        name: Some("G".into()),
        modified: Some(1_767_225_600),
        organisation: Some(org.clone()),
        orgs: Some(vec![MemberDraft { org: Some(Ref::Id(7)), org_ref: org.clone(), extend: true }]),
        servers: Some(vec![ServerDraft {
            server_id: 9,
            all_orgs: false,
            name: Some("misp.example".into()),
            url: Some("https://misp.example".into()),
        }]),
        ..SharingGroupDraft::default()
    };
    let attribute = AttributeDraft {
        id: Some(7),
        uuid: uuid(3),
        kind: Some("ip-dst".into()),
        value: Some("203.0.113.10".into()),
        sharing_group: Some(Ref::Id(7)),
        first_seen: Some(None),
        ..AttributeDraft::default()
    };
    let event = EventDraft {
        uuid: uuid(4),
        info: Some("x".into()),
        distribution: Some(4),
        locked: Some(true),
        sharing_group: Some(Ref::Id(7)),
        sharing_group_draft: Some(group),
        orgc: Some(org),
        attributes: vec![attribute],
        ..EventDraft::default()
    };
    let expected = r#"{"Event":{"info":"x","uuid":"00000000-0000-0000-0000-000000000004","distribution":"4","locked":true,"Orgc":{"name":"ORG","uuid":"00000000-0000-0000-0000-000000000001"},"SharingGroup":{"name":"G","uuid":"00000000-0000-0000-0000-000000000002","modified":"2026-01-01 00:00:00","Organisation":{"name":"ORG","uuid":"00000000-0000-0000-0000-000000000001"},"SharingGroupOrg":[{"extend":true,"Organisation":{"name":"ORG","uuid":"00000000-0000-0000-0000-000000000001"}}],"SharingGroupServer":[{"all_orgs":false,"Server":{"url":"https://misp.example","name":"misp.example"}}]},"Attribute":[{"uuid":"00000000-0000-0000-0000-000000000003","type":"ip-dst","value":"203.0.113.10","first_seen":null}],"Object":[],"EventReport":[],"CryptographicKey":[],"Tag":[]}}"#;
    assert_eq!(String::from_utf8(written(&event)).unwrap(), expected);
}
