//! Samples as they are uploaded: bare files, with what is said of all of them.

use crate::ids::Ref;

/// What `events/upload_sample` is sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UploadDraft {
    /// The event to add them to; without one, a new event is made.
    pub event: Option<Ref>,
    pub files: Vec<UploadedFile>,
    pub info: Option<String>,
    pub threat_level_id: Option<i64>,
    pub analysis: Option<i64>,
    pub distribution: Option<i64>,
    pub category: Option<String>,
    pub comment: Option<String>,
    pub to_ids: Option<bool>,
}

/// One of them; both parts may be missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UploadedFile {
    pub name: Option<String>,
    pub bytes: Option<Vec<u8>>,
}
