//! Objects and references as clients send them.

use crate::ReadError;
use crate::admin_in::whole_group;
use crate::analyst_in::analyst_member;
use crate::attribute_in::AttributeRecord;
use crate::record::{
    Record, Shape, clearable, flag, integer, list, read_one, reference, row, skip, text, uuid,
    uuid_or_nothing,
};
use pisax_model::ids::Ref;
use pisax_model::object::{ObjectDraft, ReferenceDraft};
use serde::de::MapAccess;

/// Reads what `objects/add` and `objects/edit` are sent.
pub fn read_object(body: &[u8]) -> Result<ObjectDraft, ReadError> {
    read_one::<ObjectRecord>("Object", body)
}

/// Reads what `objectReferences/add` is sent.
pub fn read_reference(body: &[u8]) -> Result<ReferenceDraft, ReadError> {
    read_one::<ReferenceRecord>("ObjectReference", body)
}

/// One object, or the wrapper around some.
#[derive(Default)]
pub(crate) struct ObjectRecord {
    draft: ObjectDraft,
    wrapped: Vec<ObjectDraft>,
}

impl Record for ObjectRecord {
    type Draft = ObjectDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let draft = &mut self.draft;
        match key {
            "id" => row(map, &mut draft.id),
            "uuid" => uuid("uuid", map, &mut draft.uuid, &mut draft.bad_uuid),
            "name" => text("name", map, &mut draft.name),
            "meta-category" | "meta_category" => text("meta-category", map, &mut draft.meta_category),
            "description" => text("description", map, &mut draft.description),
            "template_uuid" => text("template_uuid", map, &mut draft.template_uuid),
            "template_version" => text("template_version", map, &mut draft.template_version),
            "timestamp" => integer("timestamp", map, &mut draft.timestamp),
            "distribution" => integer("distribution", map, &mut draft.distribution),
            "sharing_group_id" => reference("sharing_group_id", map, &mut draft.sharing_group),
            "comment" => text("comment", map, &mut draft.comment),
            "deleted" => flag("deleted", map, &mut draft.deleted),
            "first_seen" => clearable("first_seen", map, &mut draft.first_seen),
            "last_seen" => clearable("last_seen", map, &mut draft.last_seen),
            "Attribute" => {
                let before = draft.attributes.len();
                let shape = list::<AttributeRecord, A>(map, &mut draft.attributes)?;
                draft.has_attributes |= shape == Shape::List || draft.attributes.len() > before;
                Ok(())
            }
            "ObjectReference" => list::<ReferenceRecord, A>(map, &mut draft.references).map(|_| ()),
            "SharingGroup" => whole_group(map, &mut draft.sharing_group_draft),
            "Note" | "Opinion" | "Relationship" => analyst_member(key, map, &mut draft.analyst_data),
            "Object" | "request" | "response" => list::<Self, A>(map, &mut self.wrapped).map(|_| ()),
            _ => skip(map),
        }
    }

    fn finish(mut self, out: &mut Vec<ObjectDraft>) -> Shape {
        if let [only] = self.wrapped.as_mut_slice() {
            // {"Object": {…}, "Attribute": […]}
            only.attributes.append(&mut self.draft.attributes);
            only.references.append(&mut self.draft.references);
            only.has_attributes |= self.draft.has_attributes;
        }
        if !self.wrapped.is_empty() {
            let shape = if self.wrapped.len() > 1 { Shape::List } else { Shape::One };
            out.append(&mut self.wrapped);
            return shape;
        }
        if let Some(group) = self.draft.sharing_group_draft.as_ref().and_then(|group| group.uuid) {
            self.draft.sharing_group = Some(Ref::Uuid(group));
        }
        out.push(self.draft);
        Shape::One
    }
}

/// A reference, in an object or sent alone.
#[derive(Default)]
pub(crate) struct ReferenceRecord {
    draft: ReferenceDraft,
    /// Row numbers, which count only where no uuid is given.
    source_id: Option<Ref>,
    referenced_id: Option<Ref>,
    wrapped: Vec<ReferenceDraft>,
}

impl Record for ReferenceRecord {
    type Draft = ReferenceDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let draft = &mut self.draft;
        match key {
            "uuid" => uuid_or_nothing("uuid", map, &mut draft.uuid),
            "object_uuid" | "source_uuid" => reference("object_uuid", map, &mut draft.source),
            "object_id" => reference("object_id", map, &mut self.source_id),
            "referenced_uuid" => reference("referenced_uuid", map, &mut draft.referenced),
            "referenced_id" => reference("referenced_id", map, &mut self.referenced_id),
            "relationship_type" => text("relationship_type", map, &mut draft.relationship_type),
            "comment" => text("comment", map, &mut draft.comment),
            "timestamp" => integer("timestamp", map, &mut draft.timestamp),
            "deleted" => flag("deleted", map, &mut draft.deleted),
            "ObjectReference" | "request" => list::<Self, A>(map, &mut self.wrapped).map(|_| ()),
            _ => skip(map),
        }
    }

    fn finish(mut self, out: &mut Vec<ReferenceDraft>) -> Shape {
        if !self.wrapped.is_empty() {
            out.append(&mut self.wrapped);
            return Shape::One;
        }
        self.draft.source = self.draft.source.or(self.source_id);
        self.draft.referenced = self.draft.referenced.or(self.referenced_id);
        out.push(self.draft);
        Shape::One
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_with_its_attributes_and_references() {
        let bare = r#"{"uuid":"33333333-0000-4000-8000-000000000002","name":"domain-ip","meta-category":"network",
            "template_version":11,"distribution":"5","Attribute":[{"object_relation":"ip","type":"ip-dst","value":"198.51.100.20"}],
            "ObjectReference":[{"referenced_uuid":"22222222-0000-4000-8000-000000000031","relationship_type":"related-to","referenced_id":"4"}]}"#;
        for json in [
            bare.to_owned(),
            format!(r#"{{"Object":{bare}}}"#),
            format!(r#"{{"request":{{"Object":{bare}}}}}"#),
        ] {
            let object = read_object(json.as_bytes()).unwrap();
            assert_eq!(object.meta_category.as_deref(), Some("network"));
            assert_eq!(object.template_version.as_deref(), Some("11"));
            assert_eq!(object.attributes[0].object_relation.as_deref(), Some("ip"));
            assert!(matches!(object.references[0].referenced, Some(Ref::Uuid(_))));
            assert!(object.has_attributes);
        }
    }

    #[test]
    fn an_object_without_attributes_leaves_them_alone() {
        assert!(!read_object(br#"{"Object":{"comment":"x"}}"#).unwrap().has_attributes);
        assert!(!read_object(br#"{"comment":"x","Attribute":null}"#).unwrap().has_attributes);
        assert!(read_object(br#"{"comment":"x","Attribute":[]}"#).unwrap().has_attributes);
        let beside = read_object(br#"{"Object":{"name":"file"},"Attribute":[{"value":"a"}]}"#).unwrap();
        assert_eq!((beside.name.as_deref(), beside.attributes.len()), (Some("file"), 1));
    }

    #[test]
    fn a_reference_is_named_by_uuid_or_row() {
        let sent = read_reference(
            br#"{"ObjectReference":{"object_id":"3","object_uuid":"33333333-0000-4000-8000-000000000002",
            "referenced_uuid":"17","relationship_type":"uses","comment":"c"}}"#,
        )
        .unwrap();
        assert!(matches!(sent.source, Some(Ref::Uuid(_))));
        assert_eq!(sent.referenced, Some(Ref::Id(17)));
        assert_eq!(sent.relationship_type.as_deref(), Some("uses"));
        assert_eq!(read_reference(br#"{"object_id":3}"#).unwrap().source, Some(Ref::Id(3)));
    }
}
