//! Attributes as clients send them, alone, in lists, or as one value per line.

use crate::ReadError;
use crate::admin_in::whole_group;
use crate::analyst_in::analyst_member;
use crate::context_in::{GalaxyRecord, SightingRecord, TagRecord, add_cluster_tags};
use crate::record::{
    Record, Shape, Texts, bytes, clearable, flag, integer, list, read_list, reference, row, skip, text, uuid,
};
use pisax_model::attribute::AttributeDraft;
use pisax_model::content::Content;
use pisax_model::ids::Ref;
use pisax_model::tag::TagDraft;
use serde::de::MapAccess;

/// What was sent to `attributes/add`: the answer to a list differs from the answer to one.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributesIn {
    One(Box<AttributeDraft>),
    Many(Vec<AttributeDraft>),
}

/// Reads what `attributes/add` and `attributes/edit` are sent: one attribute, bare or wrapped, a list, a list
/// of values, or (`batch_import`) one value per line.
pub fn read_attributes(body: &[u8]) -> Result<AttributesIn, ReadError> {
    let (mut drafts, shape) = read_list::<AttributeRecord>(body)?;
    match (shape, drafts.pop()) {
        (Shape::List, None) => Ok(AttributesIn::Many(drafts)),
        (Shape::Nothing | Shape::One, None) => Ok(AttributesIn::One(Box::default())),
        (Shape::Nothing | Shape::One, Some(only)) if drafts.is_empty() => {
            Ok(AttributesIn::One(Box::new(only)))
        }
        (_, Some(last)) => {
            drafts.push(last);
            Ok(AttributesIn::Many(drafts))
        }
    }
}

/// One attribute, or the wrapper around some.
#[derive(Default)]
pub(crate) struct AttributeRecord {
    draft: AttributeDraft,
    clusters: Vec<TagDraft>,
    values: Vec<String>,
    batch: bool,
    wrapped: Vec<AttributeDraft>,
    wrapped_shape: Option<Shape>,
}

impl Record for AttributeRecord {
    type Draft = AttributeDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let draft = &mut self.draft;
        match key {
            "id" => row(map, &mut draft.id),
            "type" => text("type", map, &mut draft.kind),
            "category" => text("category", map, &mut draft.category),
            "value" => {
                let mut found = map.next_value::<Texts>()?.0;
                match &mut found {
                    Some(values) if values.len() == 1 => draft.value = values.pop(),
                    Some(values) => self.values = std::mem::take(values),
                    None => {}
                }
                Ok(())
            }
            "uuid" => uuid("uuid", map, &mut draft.uuid, &mut draft.bad_uuid),
            "to_ids" => flag("to_ids", map, &mut draft.to_ids),
            "timestamp" => integer("timestamp", map, &mut draft.timestamp),
            "distribution" => integer("distribution", map, &mut draft.distribution),
            "comment" => text("comment", map, &mut draft.comment),
            "deleted" => flag("deleted", map, &mut draft.deleted),
            "disable_correlation" => flag("disable_correlation", map, &mut draft.disable_correlation),
            "enforceWarninglist" => {
                let mut enforced = None;
                flag("enforceWarninglist", map, &mut enforced)?;
                draft.enforce_warninglist = enforced.unwrap_or(false);
                Ok(())
            }
            "object_relation" => text("object_relation", map, &mut draft.object_relation),
            "first_seen" => clearable("first_seen", map, &mut draft.first_seen),
            "last_seen" => clearable("last_seen", map, &mut draft.last_seen),
            "sharing_group_id" => reference("sharing_group_id", map, &mut draft.sharing_group),
            "data" => {
                let mut sent = None;
                bytes("data", map, &mut sent)?;
                draft.data = sent.map(Content::Bytes);
                Ok(())
            }
            "encrypt" => {
                let mut encrypt = None;
                flag("encrypt", map, &mut encrypt)?;
                draft.encrypt = encrypt.unwrap_or(false);
                Ok(())
            }
            "value1" => text("value1", map, &mut draft.value1),
            "value2" => text("value2", map, &mut draft.value2),
            "Tag" | "AttributeTag" => list::<TagRecord, A>(map, &mut draft.tags).map(|_| ()),
            "Galaxy" => list::<GalaxyRecord, A>(map, &mut self.clusters).map(|_| ()),
            "Sighting" => list::<SightingRecord, A>(map, &mut draft.sightings).map(|_| ()),
            "Note" | "Opinion" | "Relationship" => analyst_member(key, map, &mut draft.analyst_data),
            "SharingGroup" => whole_group(map, &mut draft.sharing_group_draft),
            "batch_import" => {
                let mut batch = None;
                flag("batch_import", map, &mut batch)?;
                self.batch = batch.unwrap_or(false);
                Ok(())
            }
            "Attribute" | "request" | "response" => {
                let shape = list::<Self, A>(map, &mut self.wrapped)?;
                self.wrapped_shape = Some(self.wrapped_shape.map_or(shape, |_| Shape::List));
                Ok(())
            }
            _ => skip(map),
        }
    }

    fn finish(mut self, out: &mut Vec<AttributeDraft>) -> Shape {
        match self.wrapped_shape {
            None | Some(Shape::Nothing) => {}
            Some(shape) => {
                // batch_import may stand beside the attribute as well as in it.
                if self.batch && self.wrapped.len() == 1 {
                    let mut record = Self { batch: true, ..Self::default() };
                    record.draft = self.wrapped.remove(0);
                    return record.finish(out);
                }
                out.append(&mut self.wrapped);
                return shape;
            }
        }
        add_cluster_tags(&mut self.draft.tags, self.clusters);
        // A group's number means nothing on another instance, its uuid does.
        if let Some(group) = self.draft.sharing_group_draft.as_ref().and_then(|group| group.uuid) {
            self.draft.sharing_group = Some(Ref::Uuid(group));
        }
        if self.batch
            && let Some(value) = self.draft.value.take()
        {
            self.values.extend(value.lines().map(str::to_owned));
        }
        if self.values.is_empty() {
            out.push(self.draft);
            return Shape::One;
        }
        let values = self.values.iter().map(|value| value.trim()).filter(|value| !value.is_empty());
        // A uuid belongs to one attribute only.
        let uuid = self.draft.uuid.take();
        let before = out.len();
        out.extend(
            values.map(|value| AttributeDraft { value: Some(value.to_owned()), ..self.draft.clone() }),
        );
        if let [only] = &mut out[before..] {
            only.uuid = uuid;
        }
        Shape::List
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::Uuid;

    fn one_of(json: &str) -> AttributeDraft {
        match read_attributes(json.as_bytes()).unwrap() {
            AttributesIn::One(draft) => *draft,
            AttributesIn::Many(many) => panic!("a list of {}", many.len()),
        }
    }

    fn values(json: &str) -> Vec<String> {
        match read_attributes(json.as_bytes()).unwrap() {
            AttributesIn::Many(many) => many.into_iter().map(|d| d.value.unwrap_or_default()).collect(),
            AttributesIn::One(one) => panic!("one: {:?}", one.value),
        }
    }

    #[test]
    fn one_attribute_is_read_bare_or_wrapped() {
        for json in [
            r#"{"type":"ip-dst","value":"1.2.3.4"}"#,
            r#"{"Attribute":{"type":"ip-dst","value":"1.2.3.4"}}"#,
            r#"{"request":{"Attribute":{"type":"ip-dst","value":"1.2.3.4"}}}"#,
            r#"{"type":"ip-dst","value":["1.2.3.4"]}"#,
        ] {
            let draft = one_of(json);
            assert_eq!(
                (draft.kind.as_deref(), draft.value.as_deref()),
                (Some("ip-dst"), Some("1.2.3.4")),
                "{json}"
            );
        }
        assert_eq!(one_of("{}"), AttributeDraft::default());
    }

    #[test]
    fn several_attributes_are_read_in_every_form() {
        for json in [
            r#"[{"value":"a"},{"value":"b"}]"#,
            r#"[{"Attribute":{"value":"a"}},{"Attribute":{"value":"b"}}]"#,
            r#"{"Attribute":[{"value":"a"},{"value":"b"}]}"#,
            r#"{"0":{"value":"a"},"1":{"value":"b"}}"#,
            r#"{"type":"domain","value":["a"," b ",""]}"#,
            r#"{"value":"a\r\nb\n\n","batch_import":"1"}"#,
            r#"{"Attribute":{"value":"a\nb"},"batch_import":1}"#,
        ] {
            assert_eq!(values(json), ["a", "b"], "{json}");
        }
        assert_eq!(values(r#"[{"value":"a"}]"#), ["a"]);
        assert_eq!(values("[]"), Vec::<String>::new());
    }

    #[test]
    fn every_field_is_read_from_loose_forms() {
        let draft = one_of(
            r##"{"id":"7","uuid":"22222222-0000-4000-8000-00000000000A","type":"malware-sample","category":"Payload delivery",
            "value1":"a","value2":"b","to_ids":"0","distribution":"4","sharing_group_id":"3","comment":12,
            "timestamp":"1767225600","deleted":1,"disable_correlation":true,"first_seen":null,"last_seen":"2025-12-02",
            "object_relation":"x","Tag":{"name":"t1","local":1},"AttributeTag":[{"local":true,"Tag":{"name":"t2","colour":"#fff"}}],
            "Galaxy":[{"GalaxyCluster":[{"tag_name":"misp-galaxy:a=\"b\""},{"tag_name":"t1"}]}],
            "Sighting":[{"uuid":"22222222-0000-4000-8000-000000000001","date_sighting":"5","type":"1","Organisation":{"name":"O"}}],
            "data":"aGVsbG8=","encrypt":true,"unknown":{"deep":[1,2]},"Event":{"id":"1"}}"##,
        );
        assert_eq!(draft.id, Some(7));
        assert_eq!(
            draft.uuid.map(|u| u.to_string()).as_deref(),
            Some("22222222-0000-4000-8000-00000000000a")
        );
        assert_eq!((draft.value1.as_deref(), draft.value2.as_deref()), (Some("a"), Some("b")));
        assert_eq!(
            (draft.to_ids, draft.deleted, draft.disable_correlation),
            (Some(false), Some(true), Some(true))
        );
        assert_eq!((draft.distribution, draft.sharing_group), (Some(4), Some(Ref::Id(3))));
        assert_eq!(draft.comment.as_deref(), Some("12"));
        assert_eq!(draft.first_seen, Some(None));
        assert_eq!(draft.last_seen, Some(Some("2025-12-02".into())));
        let tags: Vec<_> = draft.tags.iter().map(|t| (t.name.as_str(), t.local)).collect();
        assert_eq!(tags, [("t1", Some(true)), ("t2", Some(true)), ("misp-galaxy:a=\"b\"", None)]);
        assert_eq!(draft.sightings[0].organisation.as_ref().unwrap().name.as_deref(), Some("O"));
        assert_eq!(draft.data, Some(Content::Bytes(b"hello".to_vec())));
        assert!(draft.encrypt);
    }

    #[test]
    fn a_sharing_group_sent_whole_is_known_by_its_uuid() {
        let uuid = "55555555-0000-4000-8000-000000000001";
        let draft =
            one_of(&format!(r#"{{"sharing_group_id":"9","SharingGroup":{{"id":"9","uuid":"{uuid}"}}}}"#));
        assert_eq!(draft.sharing_group, Some(Ref::Uuid(Uuid::try_parse(uuid).unwrap())));
    }

    #[test]
    fn what_cannot_be_read_names_its_field() {
        for (json, field) in [
            (r#"{"data":"!!"}"#, "data"),
            (r#"{"to_ids":"perhaps"}"#, "to_ids"),
            (r#"[{"comment":["x"]}]"#, "comment"),
        ] {
            match read_attributes(json.as_bytes()) {
                Err(ReadError::Field { field: found, .. }) => assert_eq!(found, field),
                other => panic!("{json}: {other:?}"),
            }
        }
        assert!(matches!(read_attributes(b"{\"value\":"), Err(ReadError::NotJson(_))));
        assert!(matches!(read_attributes(b""), Err(ReadError::NotJson(_))));
        assert!(one_of(r#"{"uuid":"not a uuid"}"#).bad_uuid);
    }
}
