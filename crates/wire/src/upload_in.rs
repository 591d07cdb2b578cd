//! Samples as `events/upload_sample` is sent them.

use crate::ReadError;
use crate::record::{Record, Shape, bytes, flag, integer, list, read_one, reference, skip, text};
use pisax_model::upload::{UploadDraft, UploadedFile};
use serde::de::MapAccess;

/// Reads what `events/upload_sample` is sent.
pub fn read_upload(body: &[u8]) -> Result<UploadDraft, ReadError> {
    read_one::<UploadRecord>("files", body)
}

#[derive(Default)]
struct UploadRecord {
    draft: UploadDraft,
    wrapped: Vec<UploadDraft>,
}

impl Record for UploadRecord {
    type Draft = UploadDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let draft = &mut self.draft;
        match key {
            "event_id" => reference("event_id", map, &mut draft.event),
            "files" => list::<FileRecord, A>(map, &mut draft.files).map(|_| ()),
            "info" => text("info", map, &mut draft.info),
            "threat_level_id" => integer("threat_level_id", map, &mut draft.threat_level_id),
            "analysis" => integer("analysis", map, &mut draft.analysis),
            "distribution" => integer("distribution", map, &mut draft.distribution),
            "category" => text("category", map, &mut draft.category),
            "comment" => text("comment", map, &mut draft.comment),
            "to_ids" => flag("to_ids", map, &mut draft.to_ids),
            "request" => list::<Self, A>(map, &mut self.wrapped).map(|_| ()),
            _ => skip(map),
        }
    }

    fn finish(mut self, out: &mut Vec<UploadDraft>) -> Shape {
        match self.wrapped.pop() {
            Some(wrapped) => out.push(wrapped),
            None => out.push(self.draft),
        }
        Shape::One
    }
}

#[derive(Default)]
struct FileRecord(UploadedFile);

impl Record for FileRecord {
    type Draft = UploadedFile;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "filename" => text("filename", map, &mut self.0.name),
            "data" => bytes("data", map, &mut self.0.bytes),
            _ => skip(map),
        }
    }

    fn finish(self, out: &mut Vec<UploadedFile>) -> Shape {
        out.push(self.0);
        Shape::One
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_bare_and_wrapped() {
        for json in [
            r#"{"files":[{"filename":"a.exe","data":"aGVsbG8="}],"event_id":"7","to_ids":0,"category":"Payload delivery"}"#,
            r#"{"request":{"event_id":7,"files":{"filename":"a.exe","data":"aGVsbG8"},"to_ids":"0","category":"Payload delivery"}}"#,
        ] {
            let draft = read_upload(json.as_bytes()).unwrap();
            assert_eq!(draft.event, Some(pisax_model::ids::Ref::Id(7)), "{json}");
            let file = UploadedFile { name: Some("a.exe".into()), bytes: Some(b"hello".to_vec()) };
            assert_eq!(draft.files, [file]);
            assert_eq!((draft.to_ids, draft.category.as_deref()), (Some(false), Some("Payload delivery")));
        }
    }

    #[test]
    fn bytes_that_are_none_are_named() {
        match read_upload(br#"{"files":[{"filename":"a","data":"?"}]}"#) {
            Err(ReadError::Field { field, .. }) => assert_eq!(field, "data"),
            other => panic!("{other:?}"),
        }
    }
}
