//! Notes, opinions and relationships as clients send them: alone, in lists, or inside the record they are about.

use crate::ReadError;
use crate::context_in::OrgRefRecord;
use crate::record::{
    List, Record, Shape, borrowed, flag, integer, list, one, read_one, reference, skip, text, uuid,
    uuid_or_nothing, word,
};
use pisax_model::Uuid;
use pisax_model::analyst::{AnalystDraft, AnalystKind};
use pisax_model::ids::Ref;
use pisax_model::org::OrgRef;
use pisax_model::time;
use serde::de::MapAccess;

/// Reads what `analyst_data/add/{Type}` and `edit/{Type}` are sent.
pub fn read_analyst_data(kind: AnalystKind, body: &[u8]) -> Result<AnalystDraft, ReadError> {
    if body.is_empty() {
        return Ok(AnalystDraft { kind, ..AnalystDraft::default() });
    }
    let draft = match kind {
        AnalystKind::Note => read_one::<NoteRecord>("Note", body),
        AnalystKind::Opinion => read_one::<OpinionRecord>("Opinion", body),
        AnalystKind::Relationship => read_one::<RelationshipRecord>("Relationship", body),
    }?;
    Ok(AnalystDraft { kind, ..draft })
}

/// Reads what `analyst_data/pushAnalystData` is sent: `{"Note":{…}}`, `{"Note":[…],"Opinion":[…]}`, or one record
/// that names its kind (`note_type_name`).
pub fn read_pushed_analyst_data(body: &[u8]) -> Result<Vec<AnalystDraft>, ReadError> {
    Ok(crate::record::read_list::<PushRecord>(body)?.0)
}

/// The members `Note`, `Opinion` and `Relationship` of any record; says whether `key` was one of them.
pub(crate) fn analyst_member<'de, A: MapAccess<'de>>(
    key: &str,
    map: &mut A,
    into: &mut Vec<AnalystDraft>,
) -> Result<(), A::Error> {
    match key {
        "Note" => map.next_value_seed(List::<NoteRecord>(into)).map(|_| ()),
        "Opinion" => map.next_value_seed(List::<OpinionRecord>(into)).map(|_| ()),
        "Relationship" => map.next_value_seed(List::<RelationshipRecord>(into)).map(|_| ()),
        _ => skip(map),
    }
}

/// The members that the three kinds share.
#[derive(Default)]
struct Common {
    draft: AnalystDraft,
    orgc_uuid: Option<Uuid>,
    group_uuid: Option<Uuid>,
}

impl Common {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let draft = &mut self.draft;
        match key {
            "uuid" => uuid("uuid", map, &mut draft.uuid, &mut draft.bad_uuid),
            "object_uuid" => uuid_or_nothing("object_uuid", map, &mut draft.object_uuid),
            "object_type" => text("object_type", map, &mut draft.object_type),
            "authors" => text("authors", map, &mut draft.authors),
            "orgc_uuid" => uuid_or_nothing("orgc_uuid", map, &mut self.orgc_uuid),
            "Orgc" => {
                draft.orgc = one::<OrgRefRecord, A>(map)?.or(draft.orgc.take());
                Ok(())
            }
            "created" => moment("created", map, &mut draft.created),
            "modified" => moment("modified", map, &mut draft.modified),
            "distribution" => integer("distribution", map, &mut draft.distribution),
            "sharing_group_id" => reference("sharing_group_id", map, &mut draft.sharing_group),
            "SharingGroup" => {
                self.group_uuid = one::<GroupUuid, A>(map)?.or(self.group_uuid);
                Ok(())
            }
            "locked" => flag("locked", map, &mut draft.locked),
            "language" => text("language", map, &mut draft.language),
            "note" => text("note", map, &mut draft.words),
            "comment" => text("comment", map, &mut draft.words),
            "opinion" => integer("opinion", map, &mut draft.opinion),
            "relationship_type" => word("relationship_type", map, &mut draft.relationship_type),
            "related_object_uuid" => uuid_or_nothing("related_object_uuid", map, &mut draft.related_uuid),
            "related_object_type" => text("related_object_type", map, &mut draft.related_type),
            "note_type_name" => {
                if let Some(name) = borrowed("note_type_name", map)? {
                    draft.kind = AnalystKind::from_name(&name).unwrap_or(draft.kind);
                }
                Ok(())
            }
            "Note" | "Opinion" | "Relationship" => analyst_member(key, map, &mut draft.children),
            _ => skip(map),
        }
    }

    fn finish(self) -> AnalystDraft {
        let mut draft = self.draft;
        if draft.orgc.is_none()
            && let Some(uuid) = self.orgc_uuid
        {
            draft.orgc = Some(OrgRef { uuid: Some(uuid), ..OrgRef::default() });
        }
        if let Some(group) = self.group_uuid {
            draft.sharing_group = Some(Ref::Uuid(group));
        }
        draft
    }
}

/// A time as `2026-01-01 00:00:00`, ISO 8601 or Unix seconds; what is none is nothing.
fn moment<'de, A: MapAccess<'de>>(field: &str, map: &mut A, into: &mut Option<i64>) -> Result<(), A::Error> {
    if let Some(text) = borrowed(field, map)?.filter(|t| !t.trim().is_empty()) {
        let text = text.trim();
        *into = match text.bytes().all(|b| b.is_ascii_digit()) {
            true => text.parse().ok(),
            false => time::parse_micros(text).map(|micros| micros.div_euclid(1_000_000)),
        };
    }
    Ok(())
}

macro_rules! records {
    ($($record:ident = $kind:ident, $name:literal;)+) => {$(
        #[derive(Default)]
        struct $record {
            own: Common,
            has_fields: bool,
            wrapped: Vec<AnalystDraft>,
        }

        impl Record for $record {
            type Draft = AnalystDraft;

            fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
                match key {
                    // `{"Note":{…}}` around a note, unless the note itself has begun: then they are about it.
                    $name if !self.has_fields => list::<Self, A>(map, &mut self.wrapped).map(|_| ()),
                    "request" | "response" => list::<Self, A>(map, &mut self.wrapped).map(|_| ()),
                    _ => {
                        self.has_fields = true;
                        self.own.member(key, map)
                    }
                }
            }

            fn finish(mut self, out: &mut Vec<AnalystDraft>) -> Shape {
                if !self.wrapped.is_empty() && !self.has_fields {
                    let shape = if self.wrapped.len() > 1 { Shape::List } else { Shape::One };
                    out.append(&mut self.wrapped);
                    return shape;
                }
                let mut draft = self.own.finish();
                draft.kind = AnalystKind::$kind;
                draft.children.append(&mut self.wrapped);
                out.push(draft);
                Shape::One
            }
        }
    )+};
}

records! {
    NoteRecord = Note, "Note";
    OpinionRecord = Opinion, "Opinion";
    RelationshipRecord = Relationship, "Relationship";
}

/// What another server pushes.
#[derive(Default)]
struct PushRecord {
    own: Common,
    has_fields: bool,
    wrapped: Vec<AnalystDraft>,
}

impl Record for PushRecord {
    type Draft = AnalystDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "Note" | "Opinion" | "Relationship" if !self.has_fields => {
                analyst_member(key, map, &mut self.wrapped)
            }
            "request" => list::<Self, A>(map, &mut self.wrapped).map(|_| ()),
            _ => {
                self.has_fields = true;
                self.own.member(key, map)
            }
        }
    }

    fn finish(mut self, out: &mut Vec<AnalystDraft>) -> Shape {
        if !self.has_fields {
            out.append(&mut self.wrapped);
            return Shape::List;
        }
        let mut draft = self.own.finish();
        draft.children.append(&mut self.wrapped);
        out.push(draft);
        Shape::One
    }
}

/// The uuid of a sharing group that came along whole.
#[derive(Default)]
struct GroupUuid(Option<Uuid>);

impl Record for GroupUuid {
    type Draft = Uuid;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "uuid" => uuid_or_nothing("uuid", map, &mut self.0),
            _ => skip(map),
        }
    }

    fn finish(self, out: &mut Vec<Uuid>) -> Shape {
        out.extend(self.0);
        Shape::One
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str = r#"{"id":"1","uuid":"88888888-0000-4000-8000-000000000001",
        "object_uuid":"22222222-0000-4000-8000-000000000031","object_type":"Attribute","authors":"golden",
        "orgc_uuid":"db56452a-2b92-4e0b-aed9-bce4bf6fc692","created":"2026-11-22 05:33:31",
        "modified":"2026-11-22T05:33:32+00:00","distribution":"1","sharing_group_id":null,"locked":false,
        "note":"golden note","language":"en","note_type":0,"note_type_name":"Note","_canEdit":true,
        "Opinion":[{"opinion":"80","comment":"agree","Note":[{"note":"inner"}]}],"Note":{"note":"child"}}"#;

    #[test]
    fn a_note_is_read_in_every_wrapping_with_what_is_said_about_it() {
        for json in
            [NOTE.to_owned(), format!(r#"{{"Note":{NOTE}}}"#), format!(r#"{{"request":{{"Note":{NOTE}}}}}"#)]
        {
            let note = read_analyst_data(AnalystKind::Note, json.as_bytes()).unwrap();
            assert_eq!(note.words.as_deref(), Some("golden note"));
            assert_eq!((note.created, note.modified), (Some(1_795_325_611), Some(1_795_325_612)));
            assert_eq!(note.distribution, Some(1));
            assert!(note.orgc.is_some_and(|org| org.uuid.is_some()));
            let kinds: Vec<_> = note.children.iter().map(|child| child.kind).collect();
            assert_eq!(kinds, [AnalystKind::Opinion, AnalystKind::Note]);
            assert_eq!(note.children[0].opinion, Some(80));
            assert_eq!(note.children[0].children[0].words.as_deref(), Some("inner"));
        }
    }

    #[test]
    fn a_push_brings_one_or_many_of_any_kind() {
        for (json, count) in [
            (format!(r#"{{"Note":{NOTE}}}"#), 1),
            (format!(r#"{{"Note":[{NOTE},{NOTE}],"Opinion":[{{"opinion":1}}]}}"#), 3),
            (NOTE.to_owned(), 1),
            ("[]".to_owned(), 0),
        ] {
            let pushed = read_pushed_analyst_data(json.as_bytes()).unwrap();
            assert_eq!(pushed.len(), count, "{json}");
        }
        assert!(read_pushed_analyst_data(b"nonsense").is_err());
        let deep = r#"{"Note":"#.repeat(10_000);
        assert!(read_pushed_analyst_data(deep.as_bytes()).is_err());
    }
}
