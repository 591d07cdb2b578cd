//! Feeds that are published from here: what is in them and who may fetch them.

use crate::FieldError;

/// A feed that is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFeed {
    pub id: i64,
    pub name: String,
    /// The folder of its address: `/feed/SLUG/manifest.json`.
    pub slug: String,
    /// Parameters of a search of events: a JSON object.
    pub filter: String,
    /// Whose eyes the events are seen with; 0: everybody's.
    pub user_id: i64,
    /// In a feed for everybody: events without `tlp:clear` as well.
    pub any_tlp: bool,
    /// SHA-256 of the token that is asked for; none: no token is.
    pub token: Option<Vec<u8>>,
    /// With a signature beside each event.
    pub signed: bool,
    pub enabled: bool,
    /// Counts changes of the definition.
    pub revision: i64,
    /// What was published last: of which revision, when (Unix seconds), and when anew from the first to the last event.
    pub published_revision: i64,
    pub published_at: i64,
    pub whole_at: i64,
    pub events: i64,
    pub attributes: i64,
    /// Why it could not be published the last time.
    pub error: String,
}

/// What a client wants a published feed to be; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishedFeedDraft {
    pub name: Option<String>,
    pub slug: Option<String>,
    pub filter: Option<String>,
    pub user_id: Option<i64>,
    pub any_tlp: Option<bool>,
    /// Whether a token is asked for.
    pub protected: Option<bool>,
    pub signed: Option<bool>,
    pub enabled: Option<bool>,
}

const MAX_NAME: usize = 255;
const MAX_SLUG: usize = 64;
const MAX_FILTER: usize = 65_535;

impl PublishedFeed {
    pub fn blank() -> Self {
        Self {
            id: 0,
            name: String::new(),
            slug: String::new(),
            filter: "{}".into(),
            user_id: 0,
            any_tlp: false,
            token: None,
            signed: false,
            enabled: true,
            revision: 1,
            published_revision: 0,
            published_at: 0,
            whole_at: 0,
            events: 0,
            attributes: 0,
            error: String::new(),
        }
    }

    /// Writes the draft's own members; the token and the user are for who can look them up.
    pub fn apply(&mut self, draft: PublishedFeedDraft) -> Result<(), FieldError> {
        use crate::feed::set;
        set(&mut self.name, draft.name.map(|t| t.trim().to_owned()));
        set(&mut self.slug, draft.slug.map(|t| t.trim().to_owned()));
        set(&mut self.filter, draft.filter);
        set(&mut self.user_id, draft.user_id.map(|id| id.max(0)));
        set(&mut self.any_tlp, draft.any_tlp);
        set(&mut self.signed, draft.signed);
        set(&mut self.enabled, draft.enabled);
        if self.name.is_empty() || self.name.len() > MAX_NAME || self.name.chars().any(char::is_control) {
            return Err(FieldError::new("name", "Expected one line of at most 255 bytes."));
        }
        if !is_slug(&self.slug) {
            let expected = "Expected up to 64 of a-z, 0-9 and -, beginning with a letter or digit.";
            return Err(FieldError::new("slug", expected));
        }
        if self.filter.len() > MAX_FILTER {
            return Err(FieldError::new("filter", "Longer than 65535 bytes."));
        }
        Ok(())
    }
}

/// Whether it can be a folder and part of an address as it is.
pub fn is_slug(text: &str) -> bool {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= MAX_SLUG
        && text.bytes().next().is_some_and(letters)
        && text.bytes().all(|b| letters(b) || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_plain_folder() {
        for good in ["a", "ixp-public", "2026"] {
            assert!(is_slug(good), "{good}");
        }
        for bad in ["", "-a", "..", "a/b", "A", "a.b", "ä", &"a".repeat(65)] {
            assert!(!is_slug(bad), "{bad}");
        }
    }

    #[test]
    fn a_published_feed_has_a_name_and_a_slug() {
        let draft = |name: &str, slug: &str| PublishedFeedDraft {
            name: Some(name.into()),
            slug: Some(slug.into()),
            ..PublishedFeedDraft::default()
        };
        let field = |draft| PublishedFeed::blank().apply(draft).unwrap_err().field;
        assert!(PublishedFeed::blank().apply(draft("a", "a")).is_ok());
        assert_eq!(field(draft(" ", "a")), "name");
        assert_eq!(field(draft("a", "../a")), "slug");
        let long = PublishedFeedDraft { filter: Some(" ".repeat(70_000)), ..draft("a", "a") };
        assert_eq!(field(long), "filter");
    }
}
