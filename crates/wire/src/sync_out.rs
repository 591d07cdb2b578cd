//! What one server tells another beside events, as MISP pushes it (semantics 7.3, 7.4).

use crate::draft_out::{org, sharing_group};
use crate::json::{JsonWriter, k};
use pisax_model::Uuid;
use pisax_model::analyst::{AnalystData, AnalystKind, TargetKind};
use pisax_model::org::OrgRef;
use pisax_model::sharing::SharingGroupDraft;
use pisax_model::sighting::Sighting;

/// An item of `sightings/bulkSaveSightings`; anonymous, it names nobody.
pub fn write_pushed_sighting(w: &mut JsonWriter<'_>, s: &Sighting, anonymous: bool) {
    let anonymous = anonymous || s.org_id == 0;
    w.begin_object();
    w.id(k!("uuid"), s.uuid);
    w.id(k!("attribute_uuid"), s.attribute_uuid);
    w.num(k!("date_sighting"), s.date_sighting);
    w.text(k!("source"), &s.source);
    w.num(k!("type"), s.kind);
    if anonymous {
        w.num(k!("org_id"), 0);
    } else {
        w.name(k!("Organisation"));
        w.begin_object();
        w.id(k!("uuid"), s.org_uuid);
        w.text(k!("name"), &s.org_name);
        w.end_object();
    }
    w.end_object();
}

/// The body of `events/filterEventIdsForPush`: uuids with their timestamps.
pub fn write_offered_events(w: &mut JsonWriter<'_>, offered: impl Iterator<Item = (Uuid, i64)>) {
    w.begin_array();
    for (uuid, timestamp) in offered {
        w.begin_object();
        w.name(k!("Event"));
        w.begin_object();
        w.id(k!("uuid"), uuid);
        w.num(k!("timestamp"), timestamp);
        w.end_object();
        w.end_object();
    }
    w.end_array();
}

/// The body of `analyst_data/filterAnalystDataForPush`: uuids by kind, with the time of their last change.
pub fn write_offered_analyst_data<'d>(
    w: &mut JsonWriter<'_>,
    offered: impl Iterator<Item = &'d AnalystData> + Clone,
) {
    w.begin_object();
    for kind in AnalystKind::ALL {
        let mut of_kind = offered.clone().filter(|data| data.kind == kind).peekable();
        if of_kind.peek().is_none() {
            continue;
        }
        w.key(kind.name());
        w.begin_object();
        for data in of_kind {
            w.key(&data.uuid.to_string());
            w.str(&pisax_model::time::format_datetime(data.modified));
        }
        w.end_object();
    }
    w.end_object();
}

/// The body of `analyst_data/pushAnalystData`: one record, which is what a MISP takes in one call.
pub fn write_pushed_analyst_data(
    w: &mut JsonWriter<'_>,
    data: &AnalystData,
    distribution: i64,
    orgc: Option<&OrgRef>,
    group: Option<&SharingGroupDraft>,
) {
    w.begin_object();
    w.key(data.kind.name());
    w.begin_object();
    w.id(k!("uuid"), data.uuid);
    w.id(k!("object_uuid"), data.object_uuid);
    w.text(k!("object_type"), data.object_type.name());
    w.text(k!("authors"), &data.authors);
    if let Some(uuid) = orgc.and_then(|org| org.uuid) {
        w.id(k!("orgc_uuid"), uuid);
    }
    w.datetime(k!("created"), data.created);
    w.datetime(k!("modified"), data.modified);
    w.num(k!("distribution"), distribution);
    w.flag(k!("locked"), true);
    match data.kind {
        AnalystKind::Note => {
            w.text(k!("note"), &data.words);
            w.text_or_null(k!("language"), data.language.as_deref());
        }
        AnalystKind::Opinion => {
            w.num(k!("opinion"), data.opinion.unwrap_or_default());
            w.text(k!("comment"), &data.words);
        }
        AnalystKind::Relationship => {
            w.text(k!("relationship_type"), &data.relationship_type);
            w.id(k!("related_object_uuid"), data.related_uuid.unwrap_or_default());
            w.text(k!("related_object_type"), data.related_type.map_or("", TargetKind::name));
        }
    }
    w.num(k!("note_type"), data.kind as i64);
    w.text(k!("note_type_name"), data.kind.name());
    if let Some(orgc) = orgc {
        w.name(k!("Orgc"));
        org(w, orgc);
    }
    if let Some(group) = group {
        w.name(k!("SharingGroup"));
        sharing_group(w, group);
    }
    w.end_object();
    w.end_object();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_pushed_analyst_data;
    use pisax_model::analyst::AnalystDraft;
    use pisax_model::ids::Ref;

    fn data(kind: AnalystKind) -> AnalystData {
        AnalystData {
            id: 7,
            uuid: Uuid::from_u128(1),
            kind,
            object_uuid: Uuid::from_u128(2),
            object_type: TargetKind::Attribute,
            event_id: 9,
            authors: "an analyst".into(),
            org_id: 3,
            orgc_id: 4,
            created: 1_795_325_611,
            modified: 1_795_325_612,
            distribution: 2,
            sharing_group_id: 0,
            locked: false,
            words: "what \"she\" says".into(),
            language: Some("en".into()),
            opinion: (kind == AnalystKind::Opinion).then_some(80),
            relationship_type: "follows".into(),
            related_uuid: Some(Uuid::from_u128(5)),
            related_type: Some(TargetKind::Event),
        }
    }

    #[test]
    fn what_is_said_is_read_there_as_it_was() {
        let orgc = OrgRef { id: None, uuid: Some(Uuid::from_u128(6)), name: Some("Org".into()) };
        let group = SharingGroupDraft { uuid: Some(Uuid::from_u128(8)), ..SharingGroupDraft::default() };
        for kind in AnalystKind::ALL {
            let data = data(kind);
            let mut out = Vec::new();
            write_pushed_analyst_data(&mut JsonWriter::new(&mut out), &data, 1, Some(&orgc), Some(&group));
            let read = read_pushed_analyst_data(&out).unwrap();
            let expected = AnalystDraft {
                kind,
                uuid: Some(data.uuid),
                object_uuid: Some(data.object_uuid),
                object_type: Some("Attribute".into()),
                authors: Some(data.authors),
                orgc: Some(orgc.clone()),
                created: Some(data.created),
                modified: Some(data.modified),
                distribution: Some(1),
                sharing_group: Some(Ref::Uuid(Uuid::from_u128(8))),
                locked: Some(true),
                ..AnalystDraft::default()
            };
            let expected = match kind {
                AnalystKind::Note => {
                    AnalystDraft { words: Some(data.words), language: data.language, ..expected }
                }
                AnalystKind::Opinion => {
                    AnalystDraft { words: Some(data.words), opinion: data.opinion, ..expected }
                }
                AnalystKind::Relationship => AnalystDraft {
                    relationship_type: Some(data.relationship_type),
                    related_uuid: data.related_uuid,
                    related_type: Some("Event".into()),
                    ..expected
                },
            };
            assert_eq!(read, [expected]);
        }
    }

    #[test]
    fn analyst_data_is_offered_by_kind() {
        let list = [data(AnalystKind::Opinion), data(AnalystKind::Note)];
        let mut out = Vec::new();
        write_offered_analyst_data(&mut JsonWriter::new(&mut out), list.iter());
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"Note":{"00000000-0000-0000-0000-000000000001":"2026-11-22 05:33:32"},"Opinion":{"00000000-0000-0000-0000-000000000001":"2026-11-22 05:33:32"}}"#
        );
    }
}
