//! Tags and where they are attached.

/// A tag as a client sent it with an event, attribute or object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TagDraft {
    pub name: String,
    pub colour: Option<String>,
    pub exportable: Option<bool>,
    pub local: Option<bool>,
    pub relationship_type: Option<String>,
    /// `true` in an edit detaches the tag.
    pub deleted: Option<bool>,
}

/// A stored tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    pub id: i64,
    pub name: String,
    /// `#rrggbb`.
    pub colour: String,
    pub exportable: bool,
    /// 0: anybody may attach it.
    pub org_id: i64,
    pub user_id: i64,
    pub hide_tag: bool,
    pub numerical_value: Option<i64>,
    pub is_galaxy: bool,
    pub is_custom_galaxy: bool,
    pub local_only: bool,
}

/// A tag on an event or attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Attached {
    /// Row number of the attachment.
    pub id: i64,
    pub tag: Tag,
    pub local: bool,
    pub relationship_type: Option<String>,
}

/// A stable colour made from the name, for tags that came without one.
pub fn colour_of(name: &str) -> String {
    use std::hash::Hasher;
    let mut hasher = siphasher::sip::SipHasher13::new();
    hasher.write(name.as_bytes());
    format!("#{:06x}", hasher.finish() & 0xff_ffff)
}
