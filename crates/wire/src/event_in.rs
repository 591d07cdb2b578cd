//! Events as clients, servers and feeds send them.

use crate::ReadError;
use crate::admin_in::SharingGroupRecord;
use crate::analyst_in::analyst_member;
use crate::attribute_in::AttributeRecord;
use crate::context_in::{GalaxyRecord, KeyRecord, OrgRefRecord, TagRecord, add_cluster_tags};
use crate::object_in::ObjectRecord;
use crate::record::{
    Record, Shape, code, flag, integer, list, one, read_list, read_one, reference, row, skip, text, uuid,
};
use crate::report_in::ReportRecord;
use pisax_model::event::EventDraft;
use pisax_model::ids::Ref;
use pisax_model::org::OrgRef;
use pisax_model::tag::TagDraft;
use serde::de::MapAccess;

/// Reads one event, bare or wrapped in `Event`, `response` or `request`.
pub fn read_event(body: &[u8]) -> Result<EventDraft, ReadError> {
    read_one::<EventRecord>("Event", body)
}

/// Reads every event of a file: one event, a list, or the answer of a search (`{"response":[{"Event":…}]}`).
pub fn read_events(body: &[u8]) -> Result<Vec<EventDraft>, ReadError> {
    Ok(read_list::<EventRecord>(body)?.0)
}

/// One event, or the wrapper around some.
#[derive(Default)]
struct EventRecord {
    draft: EventDraft,
    orgc_id: Option<i64>,
    clusters: Vec<TagDraft>,
    is_wrapper: bool,
    wrapped: Vec<EventDraft>,
}

impl Record for EventRecord {
    type Draft = EventDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let draft = &mut self.draft;
        match key {
            "Event" | "response" | "request" => {
                self.is_wrapper = true;
                list::<Self, A>(map, &mut self.wrapped).map(|_| ())
            }
            "uuid" => uuid("uuid", map, &mut draft.uuid, &mut draft.bad_uuid),
            "info" => text("info", map, &mut draft.info),
            "date" => text("date", map, &mut draft.date),
            "threat_level_id" => {
                const NAMES: &[&str] = &["High", "Medium", "Low", "Undefined"];
                code("threat_level_id", map, NAMES, 1, &mut draft.threat_level_id)
            }
            "analysis" => {
                const NAMES: &[&str] = &["Initial", "Ongoing", "Completed"];
                code("analysis", map, NAMES, 0, &mut draft.analysis)
            }
            "distribution" => integer("distribution", map, &mut draft.distribution),
            "sharing_group_id" => reference("sharing_group_id", map, &mut draft.sharing_group),
            "SharingGroup" => {
                draft.sharing_group_draft = one::<SharingGroupRecord, A>(map)?;
                Ok(())
            }
            "published" => flag("published", map, &mut draft.published),
            "timestamp" => integer("timestamp", map, &mut draft.timestamp),
            "publish_timestamp" => integer("publish_timestamp", map, &mut draft.publish_timestamp),
            "disable_correlation" => flag("disable_correlation", map, &mut draft.disable_correlation),
            "extends_uuid" => text("extends_uuid", map, &mut draft.extends_uuid),
            "locked" => flag("locked", map, &mut draft.locked),
            "protected" => flag("protected", map, &mut draft.protected),
            "orgc_id" => row(map, &mut self.orgc_id),
            "Orgc" => {
                draft.orgc = one::<OrgRefRecord, A>(map)?.or(draft.orgc.take());
                Ok(())
            }
            "Attribute" => list::<AttributeRecord, A>(map, &mut draft.attributes).map(|_| ()),
            "Object" => list::<ObjectRecord, A>(map, &mut draft.objects).map(|_| ()),
            "Tag" | "EventTag" => list::<TagRecord, A>(map, &mut draft.tags).map(|_| ()),
            "CryptographicKey" => list::<KeyRecord, A>(map, &mut draft.keys).map(|_| ()),
            "Galaxy" => list::<GalaxyRecord, A>(map, &mut self.clusters).map(|_| ()),
            "EventReport" => list::<ReportRecord, A>(map, &mut draft.reports).map(|_| ()),
            "Note" | "Opinion" | "Relationship" => analyst_member(key, map, &mut draft.analyst_data),
            _ => skip(map),
        }
    }

    fn finish(mut self, out: &mut Vec<EventDraft>) -> Shape {
        add_cluster_tags(&mut self.draft.tags, self.clusters);
        if let [only] = self.wrapped.as_mut_slice() {
            // Very old exports: {"Event": {…}, "Attribute": […]}.
            only.attributes.append(&mut self.draft.attributes);
            only.objects.append(&mut self.draft.objects);
            only.tags.append(&mut self.draft.tags);
            only.reports.append(&mut self.draft.reports);
            only.analyst_data.append(&mut self.draft.analyst_data);
            only.keys.append(&mut self.draft.keys);
            only.orgc = only.orgc.take().or(self.draft.orgc.take());
        }
        if self.is_wrapper {
            let shape = if self.wrapped.len() > 1 { Shape::List } else { Shape::One };
            out.append(&mut self.wrapped);
            return shape;
        }
        let draft = &mut self.draft;
        if draft.orgc.is_none()
            && let Some(id) = self.orgc_id
        {
            draft.orgc = Some(OrgRef { id: Some(id), ..OrgRef::default() });
        }
        if let Some(group) = draft.sharing_group_draft.as_ref().and_then(|group| group.uuid) {
            draft.sharing_group = Some(Ref::Uuid(group));
        }
        out.push(self.draft);
        Shape::One
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r##"{"id":"5","uuid":"11111111-0000-4000-8000-000000000001","info":"Golden \"event\" one","date":"2026-01-01",
        "distribution":"4","sharing_group_id":"1","threat_level_id":"Medium","analysis":1,"timestamp":"1767225600",
        "published":"1","publish_timestamp":"0","extends_uuid":"","protected":null,"locked":false,"orgc_id":"9",
        "Orgc":{"id":"9","name":"ORGNAME","uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692","local":true},
        "SharingGroup":{"uuid":"55555555-0000-4000-8000-000000000001","name":"Golden SG","SharingGroupOrg":[{"org_id":"2","extend":true,
            "Organisation":{"name":"Golden Org","uuid":"44444444-0000-4000-8000-000000000001"}}],
            "SharingGroupServer":[{"server_id":"0","all_orgs":false}]},
        "Tag":[{"name":"tlp:green","colour":"#339900"}],"EventTag":[{"local":1,"Tag":{"name":"golden:event"}}],
        "Galaxy":[{"GalaxyCluster":[{"tag_name":"misp-galaxy:x=\"y\"","local":false,"relationship_type":false}]}],
        "Attribute":{"0":{"type":"ip-dst","value":"203.0.113.10"},"1":{"type":"domain","value":"evil.example.com"}},
        "Object":{"name":"domain-ip","Attribute":[{"type":"ip-dst","value":"203.0.113.10"}]},
        "RelatedEvent":[{"Event":{"info":"other"}}]}"##;

    #[test]
    fn an_event_is_read_in_every_wrapping() {
        for json in [
            EVENT.to_owned(),
            format!(r#"{{"Event":{EVENT}}}"#),
            format!(r#"{{"response":{{"Event":{EVENT}}}}}"#),
            format!(r#"{{"response":[{{"Event":{EVENT}}}]}}"#),
            format!(r#"{{"request":{EVENT}}}"#),
        ] {
            let event = read_event(json.as_bytes()).unwrap();
            assert_eq!(event.info.as_deref(), Some("Golden \"event\" one"));
            assert_eq!(
                (event.threat_level_id, event.analysis, event.distribution),
                (Some(2), Some(1), Some(4))
            );
            assert_eq!((event.published, event.protected, event.locked), (Some(true), None, Some(false)));
            assert_eq!(event.orgc.as_ref().unwrap().name.as_deref(), Some("ORGNAME"));
            let group = event.sharing_group_draft.as_ref().unwrap();
            assert_eq!(group.orgs.as_ref().unwrap()[0].org_ref.name.as_deref(), Some("Golden Org"));
            assert!(matches!(event.sharing_group, Some(Ref::Uuid(_))));
            let tags: Vec<_> = event.tags.iter().map(|t| t.name.as_str()).collect();
            assert_eq!(tags, ["tlp:green", "golden:event", "misp-galaxy:x=\"y\""]);
            assert_eq!(event.tags[1].local, Some(true));
            assert_eq!(event.attributes.len(), 2);
            assert_eq!(event.objects[0].attributes.len(), 1);
        }
    }

    #[test]
    fn files_of_events_are_read_whole() {
        for (json, count) in [
            (EVENT.to_owned(), 1),
            (format!("[{EVENT},{{\"Event\":{EVENT}}}]"), 2),
            (format!(r#"{{"response":[{{"Event":{EVENT}}},{{"Event":{EVENT}}}]}}"#), 2),
            (format!(r#"{{"Event":[{EVENT},{EVENT}]}}"#), 2),
            ("[]".to_owned(), 0),
            (r#"{"response":[]}"#.to_owned(), 0),
        ] {
            let events = read_events(json.as_bytes()).unwrap();
            assert_eq!(events.len(), count);
        }
        assert!(read_event(format!("[{EVENT},{EVENT}]").as_bytes()).is_err());
    }

    #[test]
    fn a_partial_event_leaves_everything_else_absent() {
        let event = read_event(br#"{"extends_uuid":"","Attribute":[],"Tag":[]}"#).unwrap();
        assert_eq!(event, EventDraft { extends_uuid: Some(String::new()), ..EventDraft::default() });
        assert_eq!(read_event(b"[]").unwrap(), EventDraft::default());
        let own = read_event(br#"{"info":"x","orgc_id":3}"#).unwrap();
        assert_eq!(own.orgc.unwrap().id, Some(3));
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for bad in [&b"{\"Event\": {\"info\": "[..], b"", b"nonsense", b"{} x", b"{\"info\":\"\xff\"}"] {
            assert!(matches!(read_event(bad), Err(ReadError::NotJson(_))));
        }
        let deep = "[".repeat(100_000);
        assert!(matches!(read_event(deep.as_bytes()), Err(ReadError::NotJson(_))));
        let deep = r#"{"Event":"#.repeat(10_000);
        assert!(matches!(read_event(deep.as_bytes()), Err(ReadError::NotJson(_))));
    }
}
