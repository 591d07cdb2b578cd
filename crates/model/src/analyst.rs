//! Analyst data: notes, opinions and relationships that analysts attach to records, here or elsewhere.

use crate::FieldError;
use crate::Uuid;
use crate::ids::Ref;
use crate::org::OrgRef;

/// The three kinds. Codes are stored and are MISP's `note_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum AnalystKind {
    #[default]
    Note = 0,
    Opinion = 1,
    Relationship = 2,
}

impl AnalystKind {
    pub const ALL: [Self; 3] = [Self::Note, Self::Opinion, Self::Relationship];

    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "Note",
            Self::Opinion => "Opinion",
            Self::Relationship => "Relationship",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i64 == code)
    }
}

/// What analyst data can be about. Codes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TargetKind {
    Attribute = 1,
    Event = 2,
    EventReport = 3,
    GalaxyCluster = 4,
    Galaxy = 5,
    Object = 6,
    Note = 7,
    Opinion = 8,
    Relationship = 9,
    Organisation = 10,
    SharingGroup = 11,
}

impl TargetKind {
    pub const ALL: [Self; 11] = [
        Self::Attribute,
        Self::Event,
        Self::EventReport,
        Self::GalaxyCluster,
        Self::Galaxy,
        Self::Object,
        Self::Note,
        Self::Opinion,
        Self::Relationship,
        Self::Organisation,
        Self::SharingGroup,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Attribute => "Attribute",
            Self::Event => "Event",
            Self::EventReport => "EventReport",
            Self::GalaxyCluster => "GalaxyCluster",
            Self::Galaxy => "Galaxy",
            Self::Object => "Object",
            Self::Note => "Note",
            Self::Opinion => "Opinion",
            Self::Relationship => "Relationship",
            Self::Organisation => "Organisation",
            Self::SharingGroup => "SharingGroup",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i64 == code)
    }
}

impl From<AnalystKind> for TargetKind {
    fn from(kind: AnalystKind) -> Self {
        match kind {
            AnalystKind::Note => Self::Note,
            AnalystKind::Opinion => Self::Opinion,
            AnalystKind::Relationship => Self::Relationship,
        }
    }
}

/// How deep analyst data is nested at most: a note on a record is one deep, an opinion on that note two.
pub const DEEPEST: usize = 5;

/// Longest text of a note or comment, in bytes.
pub const MAX_WORDS_BYTES: usize = 1 << 20;

/// Analyst data as a client sent it; every field may be missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AnalystDraft {
    pub kind: AnalystKind,
    pub uuid: Option<Uuid>,
    pub bad_uuid: bool,
    pub object_uuid: Option<Uuid>,
    pub object_type: Option<String>,
    pub authors: Option<String>,
    /// Who is said to have written it; honoured for site admins and sync users only.
    pub orgc: Option<OrgRef>,
    /// Unix seconds.
    pub created: Option<i64>,
    pub modified: Option<i64>,
    pub distribution: Option<i64>,
    pub sharing_group: Option<Ref>,
    pub locked: Option<bool>,
    /// The text of a note, the comment of an opinion.
    pub words: Option<String>,
    pub language: Option<String>,
    pub opinion: Option<i64>,
    pub relationship_type: Option<String>,
    pub related_uuid: Option<Uuid>,
    pub related_type: Option<String>,
    /// What is said about this.
    pub children: Vec<AnalystDraft>,
}

/// Stored analyst data.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalystData {
    pub id: i64,
    pub uuid: Uuid,
    pub kind: AnalystKind,
    pub object_uuid: Uuid,
    pub object_type: TargetKind,
    /// The event that what it is about is in; 0 when none is known.
    pub event_id: i64,
    pub authors: String,
    pub org_id: i64,
    pub orgc_id: i64,
    /// Unix seconds.
    pub created: i64,
    pub modified: i64,
    pub distribution: i64,
    pub sharing_group_id: i64,
    /// Came from elsewhere.
    pub locked: bool,
    pub words: String,
    pub language: Option<String>,
    pub opinion: Option<i64>,
    pub relationship_type: String,
    pub related_uuid: Option<Uuid>,
    pub related_type: Option<TargetKind>,
}

impl AnalystData {
    /// What it says, in a line.
    pub fn title(&self) -> String {
        match self.kind {
            AnalystKind::Note => self.words.clone(),
            AnalystKind::Opinion => format!("{}/100 :: {}", self.opinion.unwrap_or_default(), self.words),
            AnalystKind::Relationship => format!(
                "-- {} --> {} :: {}",
                self.relationship_type,
                self.related_type.map_or("", TargetKind::name),
                self.related_uuid.unwrap_or_default()
            ),
        }
    }

    /// Takes over what a client may change; the sharing group is looked up by the caller.
    pub fn take(&mut self, draft: &AnalystDraft) -> Result<(), FieldError> {
        if let Some(authors) = draft.authors.as_ref().filter(|a| !a.trim().is_empty()) {
            self.authors.clone_from(authors);
        }
        if let Some(distribution) = draft.distribution {
            if !(0..=5).contains(&distribution) {
                return Err(FieldError::new(
                    "distribution",
                    "Options: 0, 1, 2, 3, 4, 5 (organisation only to inherit).",
                ));
            }
            self.distribution = distribution;
        }
        match self.kind {
            AnalystKind::Note => self.take_words(draft, "note")?,
            AnalystKind::Opinion => {
                self.take_words(draft, "comment")?;
                if let Some(opinion) = draft.opinion {
                    if !(0..=100).contains(&opinion) {
                        return Err(FieldError::new("opinion", "The opinion has to be between 0 and 100."));
                    }
                    self.opinion = Some(opinion);
                }
            }
            AnalystKind::Relationship => self.take_relationship(draft)?,
        }
        if let Some(language) = &draft.language {
            self.language = Some(language.clone()).filter(|l| !l.is_empty());
        }
        Ok(())
    }

    fn take_words(&mut self, draft: &AnalystDraft, field: &'static str) -> Result<(), FieldError> {
        if let Some(words) = &draft.words {
            if words.len() > MAX_WORDS_BYTES {
                return Err(FieldError::new(field, "The text is longer than 1 MiB."));
            }
            self.words.clone_from(words);
        }
        Ok(())
    }

    fn take_relationship(&mut self, draft: &AnalystDraft) -> Result<(), FieldError> {
        if let Some(relationship) = &draft.relationship_type {
            self.relationship_type.clone_from(relationship);
        }
        if let Some(uuid) = draft.related_uuid {
            self.related_uuid = Some(uuid);
        }
        if let Some(name) = &draft.related_type {
            self.related_type = Some(
                TargetKind::from_name(name)
                    .ok_or_else(|| FieldError::new("related_object_type", "Invalid object type."))?,
            );
        }
        if self.related_uuid == Some(self.object_uuid) {
            return Err(FieldError::new("related_object_uuid", "A record cannot be related to itself."));
        }
        Ok(())
    }

    /// Whether everything its kind needs is there.
    pub fn complete(&self) -> Result<(), FieldError> {
        let missing = |field| Err(FieldError::new(field, "This field cannot be left empty."));
        match self.kind {
            AnalystKind::Note if self.words.trim().is_empty() => missing("note"),
            AnalystKind::Opinion if self.opinion.is_none() => missing("opinion"),
            AnalystKind::Relationship if self.relationship_type.trim().is_empty() => {
                missing("relationship_type")
            }
            AnalystKind::Relationship if self.related_uuid.is_none() => missing("related_object_uuid"),
            AnalystKind::Relationship if self.related_type.is_none() => missing("related_object_type"),
            _ => Ok(()),
        }
    }
}

/// An entry of the list of analyst data that must not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedAnalystData {
    pub id: i64,
    pub uuid: Uuid,
    /// Unix seconds.
    pub created: i64,
    pub info: String,
    pub orgc: String,
    pub comment: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn blank(kind: AnalystKind) -> AnalystData {
        AnalystData {
            id: 0,
            uuid: Uuid::nil(),
            kind,
            object_uuid: Uuid::from_u128(1),
            object_type: TargetKind::Event,
            event_id: 0,
            authors: String::new(),
            org_id: 1,
            orgc_id: 1,
            created: 0,
            modified: 0,
            distribution: 1,
            sharing_group_id: 0,
            locked: false,
            words: String::new(),
            language: None,
            opinion: None,
            relationship_type: String::new(),
            related_uuid: None,
            related_type: None,
        }
    }

    #[test]
    fn names_and_codes_are_each_others_reverse() {
        for kind in TargetKind::ALL {
            assert_eq!(TargetKind::from_name(kind.name()), Some(kind));
            assert_eq!(TargetKind::from_code(kind as i64), Some(kind));
        }
        for kind in AnalystKind::ALL {
            assert_eq!(AnalystKind::from_name(kind.name()), Some(kind));
            assert_eq!(AnalystKind::from_code(kind as i64), Some(kind));
        }
        assert_eq!(TargetKind::from_name("Server"), None);
    }

    #[test]
    fn each_kind_needs_its_own_fields() {
        let draft = AnalystDraft { words: Some("w".into()), opinion: Some(7), ..AnalystDraft::default() };
        for (kind, missing) in [
            (AnalystKind::Note, None),
            (AnalystKind::Opinion, None),
            (AnalystKind::Relationship, Some("relationship_type")),
        ] {
            let mut data = blank(kind);
            data.take(&draft).unwrap();
            assert_eq!(data.complete().err().map(|e| e.field), missing);
            assert!(blank(kind).complete().is_err());
        }
    }

    #[test]
    fn an_opinion_is_a_percentage_and_nothing_is_related_to_itself() {
        let opinion = AnalystDraft { opinion: Some(101), ..AnalystDraft::default() };
        assert_eq!(blank(AnalystKind::Opinion).take(&opinion).unwrap_err().field, "opinion");
        let own = AnalystDraft { related_uuid: Some(Uuid::from_u128(1)), ..AnalystDraft::default() };
        assert_eq!(blank(AnalystKind::Relationship).take(&own).unwrap_err().field, "related_object_uuid");
        let wide = AnalystDraft { distribution: Some(6), ..AnalystDraft::default() };
        assert_eq!(blank(AnalystKind::Note).take(&wide).unwrap_err().field, "distribution");
    }
}
