//! What hangs on events, attributes and objects in MISP's JSON: tags, galaxies, organisations, sightings.

use crate::ReadError;
use crate::record::{
    Record, Shape, borrowed, flag, integer, list, one, parse_uuid, read_list, read_one, reference, row, skip,
    text, texts, uuid_or_nothing, word,
};
use pisax_model::Uuid;
use pisax_model::cryptographic_key::CryptographicKeyDraft;
use pisax_model::ids::Ref;
use pisax_model::org::OrgRef;
use pisax_model::sighting::SightingDraft;
use pisax_model::tag::TagDraft;
use serde::de::MapAccess;
use std::collections::HashSet;

/// A tag on something: `{"name": …}`, the bare name, or `{"Tag": {…}}` as in EventTag and AttributeTag.
#[derive(Default)]
pub(crate) struct TagRecord {
    tag: TagDraft,
    wrapped: Vec<TagDraft>,
}

impl Record for TagRecord {
    type Draft = TagDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let tag = &mut self.tag;
        match key {
            "name" => {
                if let Some(name) = borrowed("name", map)? {
                    tag.name = name.trim().to_owned();
                }
                Ok(())
            }
            "colour" => word("colour", map, &mut tag.colour),
            "exportable" => flag("exportable", map, &mut tag.exportable),
            "local" => flag("local", map, &mut tag.local),
            "relationship_type" => word("relationship_type", map, &mut tag.relationship_type),
            "deleted" => flag("deleted", map, &mut tag.deleted),
            "Tag" => list::<Self, A>(map, &mut self.wrapped).map(|_| ()),
            _ => skip(map),
        }
    }

    fn finish(mut self, out: &mut Vec<TagDraft>) -> Shape {
        // In EventTag the attachment holds what belongs to the attachment.
        for mut tag in std::mem::take(&mut self.wrapped) {
            tag.local = self.tag.local.or(tag.local);
            tag.relationship_type = self.tag.relationship_type.clone().or(tag.relationship_type);
            tag.deleted = self.tag.deleted.or(tag.deleted);
            out.push(tag);
        }
        if !self.tag.name.is_empty() {
            out.push(self.tag);
        }
        Shape::One
    }

    fn scalar(text: &str) -> Option<Self> {
        let tag = TagDraft { name: text.trim().to_owned(), ..TagDraft::default() };
        Some(Self { tag, wrapped: Vec::new() })
    }
}

/// A key that may sign a protected event.
#[derive(Default)]
pub(crate) struct KeyRecord {
    key: CryptographicKeyDraft,
    wrapped: Vec<CryptographicKeyDraft>,
}

impl Record for KeyRecord {
    type Draft = CryptographicKeyDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let key = &mut self.key;
        match name {
            "uuid" => uuid_or_nothing("uuid", map, &mut key.uuid),
            "type" => text("type", map, &mut key.kind),
            "key_data" => text("key_data", map, &mut key.key_data),
            "revoked" => {
                let mut revoked = None;
                flag("revoked", map, &mut revoked)?;
                key.revoked = revoked.unwrap_or(false);
                Ok(())
            }
            "CryptographicKey" => list::<Self, A>(map, &mut self.wrapped).map(|_| ()),
            _ => skip(map),
        }
    }

    fn finish(mut self, out: &mut Vec<CryptographicKeyDraft>) -> Shape {
        out.append(&mut self.wrapped);
        if self.key.key_data.is_some() {
            out.push(self.key);
        }
        Shape::One
    }
}

/// A galaxy or one of its clusters: only the tag that attaches the cluster is of interest.
#[derive(Default)]
pub(crate) struct GalaxyRecord {
    tag: TagDraft,
    clusters: Vec<TagDraft>,
}

impl Record for GalaxyRecord {
    type Draft = TagDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "tag_name" => {
                if let Some(name) = borrowed("tag_name", map)? {
                    self.tag.name = name.trim().to_owned();
                }
                Ok(())
            }
            "local" => flag("local", map, &mut self.tag.local),
            "relationship_type" => word("relationship_type", map, &mut self.tag.relationship_type),
            "GalaxyCluster" => list::<Self, A>(map, &mut self.clusters).map(|_| ()),
            _ => skip(map),
        }
    }

    fn finish(mut self, out: &mut Vec<TagDraft>) -> Shape {
        out.append(&mut self.clusters);
        if !self.tag.name.is_empty() {
            out.push(self.tag);
        }
        Shape::One
    }
}

/// Adds the tags of galaxy clusters that are not listed as tags already (MISP sends both).
pub(crate) fn add_cluster_tags(tags: &mut Vec<TagDraft>, clusters: Vec<TagDraft>) {
    if clusters.is_empty() {
        return;
    }
    let mut known: HashSet<String> = tags.iter().map(|tag| tag.name.clone()).collect();
    tags.extend(clusters.into_iter().filter(|tag| known.insert(tag.name.clone())));
}

/// An organisation as events and sightings name it; a bare text is its name.
#[derive(Default)]
pub(crate) struct OrgRefRecord(OrgRef);

impl Record for OrgRefRecord {
    type Draft = OrgRef;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => row(map, &mut self.0.id),
            "uuid" => uuid_or_nothing("uuid", map, &mut self.0.uuid),
            "name" => word("name", map, &mut self.0.name),
            _ => skip(map),
        }
    }

    fn finish(self, out: &mut Vec<OrgRef>) -> Shape {
        out.push(self.0);
        Shape::One
    }

    fn scalar(text: &str) -> Option<Self> {
        let name = text.trim();
        if name.is_empty() {
            return None;
        }
        Some(Self(OrgRef { name: Some(name.to_owned()), ..OrgRef::default() }))
    }
}

/// A sighting inside an attribute: `id` and `uuid` are its own.
#[derive(Default)]
pub(crate) struct SightingRecord(SightingDraft);

impl Record for SightingRecord {
    type Draft = SightingDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let sighting = &mut self.0;
        match key {
            "uuid" => uuid_or_nothing("uuid", map, &mut sighting.uuid),
            "attribute_uuid" => reference("attribute_uuid", map, &mut sighting.attribute),
            "type" => integer("type", map, &mut sighting.kind),
            "source" => text("source", map, &mut sighting.source),
            "date_sighting" => integer("date_sighting", map, &mut sighting.date_sighting),
            "Organisation" => {
                sighting.organisation = one::<OrgRefRecord, A>(map)?.or(sighting.organisation.take());
                Ok(())
            }
            "org_id" => {
                // The number means nothing here; that there is one and no organisation means a secret.
                sighting.anonymous = true;
                skip(map)
            }
            _ => skip(map),
        }
    }

    fn finish(mut self, out: &mut Vec<SightingDraft>) -> Shape {
        self.0.anonymous &= self.0.organisation.is_none();
        out.push(self.0);
        Shape::One
    }
}

/// A sighting sent to `sightings/add`: `id` and `uuid` name the attribute that was seen.
#[derive(Default)]
struct SightingRequest {
    draft: SightingDraft,
    date: Option<String>,
    time: Option<String>,
    id: Option<Ref>,
    attribute: Option<Ref>,
    wrapped: Vec<SightingDraft>,
}

impl Record for SightingRequest {
    type Draft = SightingDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let draft = &mut self.draft;
        match key {
            "Sighting" | "request" => list::<Self, A>(map, &mut self.wrapped).map(|_| ()),
            "id" => reference("id", map, &mut self.id),
            "uuid" => reference("uuid", map, &mut draft.attribute),
            "attribute_uuid" | "attribute_id" => reference("attribute", map, &mut self.attribute),
            "value" | "values" => {
                draft.values.extend(texts(map)?.unwrap_or_default());
                Ok(())
            }
            "type" => integer("type", map, &mut draft.kind),
            "source" => text("source", map, &mut draft.source),
            "timestamp" | "date_sighting" => {
                if let Some(moment) = borrowed("timestamp", map)? {
                    draft.date_sighting = seconds(&moment).or(draft.date_sighting);
                }
                Ok(())
            }
            "date" => text("date", map, &mut self.date),
            "time" => text("time", map, &mut self.time),
            "Organisation" => {
                draft.organisation = one::<OrgRefRecord, A>(map)?.or(draft.organisation.take());
                Ok(())
            }
            _ => skip(map),
        }
    }

    fn finish(mut self, out: &mut Vec<SightingDraft>) -> Shape {
        if !self.wrapped.is_empty() {
            let shape = if self.wrapped.len() > 1 { Shape::List } else { Shape::One };
            out.append(&mut self.wrapped);
            return shape;
        }
        self.draft.attribute = self.draft.attribute.or(self.id).or(self.attribute);
        if self.draft.date_sighting.is_none()
            && let Some(date) = self.date
        {
            let moment = format!("{}T{}", date.trim(), self.time.as_deref().unwrap_or("00:00:00").trim());
            self.draft.date_sighting = seconds(&moment);
        }
        out.push(self.draft);
        Shape::One
    }
}

/// Unix seconds from digits or an ISO 8601 text.
pub(crate) fn seconds(moment: &str) -> Option<i64> {
    let moment = moment.trim();
    match moment.parse::<f64>() {
        Ok(number) if number.is_finite() => Some(number as i64),
        _ => pisax_model::time::parse_micros(moment).map(|micros| micros.div_euclid(1_000_000)),
    }
}

/// Reads one sighting sent to `sightings/add`.
pub fn read_sighting(body: &[u8]) -> Result<SightingDraft, ReadError> {
    read_one::<SightingRequest>("Sighting", body)
}

/// Reads one or several sightings sent to `sightings/add`.
pub fn read_sightings(body: &[u8]) -> Result<Vec<SightingDraft>, ReadError> {
    Ok(read_list::<SightingRequest>(body)?.0)
}

/// A list of sightings of another instance, bare or wrapped.
#[derive(Default)]
struct IncomingSighting {
    sighting: SightingRecord,
    wrapped: Option<Vec<SightingDraft>>,
}

impl Record for IncomingSighting {
    type Draft = SightingDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "Sighting" | "request" => list::<Self, A>(map, self.wrapped.get_or_insert_default()).map(|_| ()),
            _ => self.sighting.member(key, map),
        }
    }

    fn finish(self, out: &mut Vec<SightingDraft>) -> Shape {
        match self.wrapped {
            Some(mut many) => {
                out.append(&mut many);
                Shape::List
            }
            None => self.sighting.finish(out),
        }
    }
}

/// Reads what `sightings/bulkSaveSightings` is sent: whole sightings, each naming its attribute by uuid.
pub fn read_incoming_sightings(body: &[u8]) -> Result<Vec<SightingDraft>, ReadError> {
    Ok(read_list::<IncomingSighting>(body)?.0)
}

/// What `tags/attachTagToObject` and `tags/removeTagFromObject` are sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TagTarget {
    /// Event, attribute or object.
    pub uuid: Option<Uuid>,
    /// Names or row numbers.
    pub tags: Vec<String>,
    pub local: bool,
    pub relationship_type: Option<String>,
}

#[derive(Default)]
struct TagTargetRecord(TagTarget);

impl Record for TagTargetRecord {
    type Draft = TagTarget;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let target = &mut self.0;
        match key {
            "uuid" => {
                target.uuid = borrowed("uuid", map)?.and_then(|text| parse_uuid(text.trim()));
                Ok(())
            }
            "tag" | "tags" => {
                // A number is a row number: read it as text.
                target.tags.extend(texts(map)?.unwrap_or_default());
                Ok(())
            }
            "local" => {
                let mut local = None;
                flag("local", map, &mut local)?;
                target.local = local.unwrap_or(false);
                Ok(())
            }
            "relationship_type" => word("relationship_type", map, &mut target.relationship_type),
            _ => skip(map),
        }
    }

    fn finish(self, out: &mut Vec<TagTarget>) -> Shape {
        out.push(self.0);
        Shape::One
    }
}

/// Reads what `tags/attachTagToObject` is sent.
pub fn read_tag_target(body: &[u8]) -> Result<TagTarget, ReadError> {
    read_one::<TagTargetRecord>("Tag", body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sighting_request_names_the_attribute_or_its_values() {
        let one = read_sighting(br#"{"id":"12","type":"1","source":"x","timestamp":"1767225600"}"#).unwrap();
        assert_eq!(one.attribute, Some(Ref::Id(12)));
        assert_eq!((one.kind, one.date_sighting), (Some(1), Some(1_767_225_600)));
        let values = read_sighting(br#"{"values":["a",8],"value":"b"}"#).unwrap();
        assert_eq!(values.values, ["a", "8", "b"]);
        let dated = read_sighting(br#"{"value":"a","date":"2026-01-01","time":"00:00:05"}"#).unwrap();
        assert_eq!(dated.date_sighting, Some(1_767_225_605));
        assert_eq!(read_sightings(br#"[{"value":"a"},{"value":"b"}]"#).unwrap().len(), 2);
        assert!(read_sighting(br#"[{"value":"a"},{"value":"b"}]"#).is_err());
    }

    #[test]
    fn another_instance_tells_who_saw_it_or_that_it_will_not_tell() {
        let json = br#"{"Sighting":[{"uuid":"11111111-0000-4000-8000-000000000009","org_id":"7","type":"2",
            "attribute_uuid":"11111111-0000-4000-8000-000000000002","Organisation":{"name":"Far"}},{"org_id":"0"}]}"#;
        let sightings = read_incoming_sightings(json).unwrap();
        assert_eq!(sightings.len(), 2);
        assert!(matches!(sightings[0].attribute, Some(Ref::Uuid(_))) && sightings[0].uuid.is_some());
        assert!(!sightings[0].anonymous && sightings[1].anonymous);
        assert!(read_incoming_sightings(b"[]").unwrap().is_empty());
    }

    #[test]
    fn a_tag_target_takes_one_tag_or_several() {
        let uuid = "11111111-0000-4000-8000-000000000002";
        let body = format!(r#"{{"uuid":"{uuid}","tag":["tlp:amber",7],"local":1}}"#);
        let target = read_tag_target(body.as_bytes()).unwrap();
        assert_eq!(target.tags, ["tlp:amber", "7"]);
        assert!(target.local);
        assert_eq!(target.uuid, Uuid::try_parse(uuid).ok());
    }
}
