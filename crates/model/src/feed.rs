//! Feeds: where indicators can be fetched from, and what becomes of them.

use crate::FieldError;

/// A stored feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    pub id: i64,
    pub name: String,
    pub provider: String,
    /// An address, or for [`Input::Local`] the path of a file.
    pub url: String,
    /// What of it is wanted: a JSON document.
    pub rules: Option<String>,
    pub enabled: bool,
    pub distribution: i64,
    pub sharing_group_id: i64,
    /// Attached to what comes from it; 0: none.
    pub tag_id: i64,
    /// Whether it came from the list that PISAX brings.
    pub default: bool,
    pub source_format: SourceFormat,
    /// Everything goes into one event.
    pub fixed_event: bool,
    pub delta_merge: bool,
    pub event_id: i64,
    pub publish: bool,
    pub override_ids: bool,
    /// How it is read: a JSON document.
    pub settings: String,
    pub input_source: Input,
    pub delete_local_file: bool,
    /// Whether others than those who run the instance see it.
    pub lookup_visible: bool,
    /// Sent with each request for it. They may hold credentials: site admins alone see them.
    pub headers: Option<String>,
    pub caching_enabled: bool,
    pub force_to_ids: bool,
    /// Who is said to have made what comes from it; 0: whoever fetches.
    pub orgc_id: i64,
    pub tag_collection_id: i64,
}

/// In which form a feed is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFormat {
    Misp,
    Freetext,
    Csv,
}

impl SourceFormat {
    pub fn name(self) -> &'static str {
        match self {
            Self::Misp => "misp",
            Self::Freetext => "freetext",
            Self::Csv => "csv",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Misp, Self::Freetext, Self::Csv].into_iter().find(|f| f.name() == text)
    }
}

/// Where a feed lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    Network,
    Local,
}

impl Input {
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Local => "local",
        }
    }

    /// What is neither is the network's, as in MISP.
    pub fn parse(text: &str) -> Self {
        if text.eq_ignore_ascii_case("local") { Self::Local } else { Self::Network }
    }
}

/// What a client wants a feed to be; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedDraft {
    pub name: Option<String>,
    pub provider: Option<String>,
    pub url: Option<String>,
    pub rules: Option<String>,
    pub enabled: Option<bool>,
    pub distribution: Option<i64>,
    pub sharing_group: Option<crate::ids::Ref>,
    pub tag_id: Option<i64>,
    pub source_format: Option<String>,
    pub fixed_event: Option<bool>,
    pub delta_merge: Option<bool>,
    pub event_id: Option<i64>,
    pub publish: Option<bool>,
    pub override_ids: Option<bool>,
    pub settings: Option<String>,
    pub input_source: Option<String>,
    pub delete_local_file: Option<bool>,
    pub lookup_visible: Option<bool>,
    pub headers: Option<String>,
    pub caching_enabled: Option<bool>,
    pub force_to_ids: Option<bool>,
    pub orgc_id: Option<i64>,
    pub tag_collection_id: Option<i64>,
}

/// Longest text of a feed, in bytes; its rules, settings and headers may be [`MAX_DOCUMENT`].
const MAX_TEXT: usize = 1024;
const MAX_DOCUMENT: usize = 65_535;

impl Feed {
    /// A feed with nothing in it, as MISP's API begins one.
    pub fn blank() -> Self {
        Self {
            id: 0,
            name: String::new(),
            provider: String::new(),
            url: String::new(),
            rules: None,
            enabled: false,
            distribution: 0,
            sharing_group_id: 0,
            tag_id: 0,
            default: false,
            source_format: SourceFormat::Freetext,
            fixed_event: true,
            delta_merge: false,
            event_id: 0,
            publish: false,
            override_ids: false,
            settings: "[]".into(),
            input_source: Input::Network,
            delete_local_file: false,
            lookup_visible: false,
            headers: None,
            caching_enabled: false,
            force_to_ids: false,
            orgc_id: 0,
            tag_collection_id: 0,
        }
    }

    /// Writes the draft's own members; references (sharing group, tag, organisation) are for who can look them
    /// up.
    pub fn apply(&mut self, draft: FeedDraft) -> Result<(), FieldError> {
        set(&mut self.name, draft.name.map(|t| t.trim().to_owned()));
        set(&mut self.provider, draft.provider.map(|t| t.trim().to_owned()));
        set(&mut self.url, draft.url.map(|t| t.trim().to_owned()));
        set(&mut self.enabled, draft.enabled);
        set(&mut self.caching_enabled, draft.caching_enabled);
        set(&mut self.fixed_event, draft.fixed_event);
        set(&mut self.delta_merge, draft.delta_merge);
        set(&mut self.publish, draft.publish);
        set(&mut self.override_ids, draft.override_ids);
        set(&mut self.force_to_ids, draft.force_to_ids);
        set(&mut self.delete_local_file, draft.delete_local_file);
        set(&mut self.lookup_visible, draft.lookup_visible);
        set(&mut self.event_id, draft.event_id.map(|id| id.max(0)));
        set(&mut self.tag_collection_id, draft.tag_collection_id.map(|id| id.max(0)));
        set(&mut self.settings, draft.settings);
        set(&mut self.input_source, draft.input_source.map(|t| Input::parse(&t)));
        if let Some(rules) = draft.rules {
            self.rules = Some(rules).filter(|r| !r.is_empty());
        }
        if let Some(headers) = draft.headers {
            self.headers = Some(headers).filter(|h| !h.trim().is_empty());
        }
        if let Some(text) = draft.source_format {
            let format = SourceFormat::parse(&text);
            self.source_format =
                format.ok_or_else(|| FieldError::new("source_format", "Options: misp, freetext, csv"))?;
        }
        self.check()
    }

    fn check(&self) -> Result<(), FieldError> {
        let (url, local) = (self.url.as_str(), self.input_source == Input::Local);
        for (field, text) in [("name", &self.name), ("provider", &self.provider)] {
            if text.is_empty() {
                return Err(FieldError::new(field, "Please fill this field"));
            }
        }
        for (field, text) in [("name", self.name.as_str()), ("provider", &self.provider), ("url", url)] {
            if text.len() > MAX_TEXT || text.chars().any(char::is_control) {
                return Err(FieldError::new(field, "Expected one line of at most 1024 bytes."));
            }
        }
        if !(if local { url.starts_with('/') } else { is_web_address(url) }) {
            return Err(FieldError::new("url", "URL not a valid path/URL."));
        }
        let documents = [
            ("rules", self.rules.as_deref().unwrap_or_default()),
            ("settings", &self.settings),
            ("headers", self.headers.as_deref().unwrap_or_default()),
        ];
        match documents.into_iter().find(|(_, text)| text.len() > MAX_DOCUMENT) {
            Some((field, _)) => Err(FieldError::new(field, "Longer than 65535 bytes.")),
            None => Ok(()),
        }
    }
}

pub(crate) fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// Whether it is `http://host…` or `https://host…` without spaces.
pub fn is_web_address(url: &str) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        url.get(..scheme.len()).filter(|s| s.eq_ignore_ascii_case(scheme)).map(|_| &url[scheme.len()..])
    });
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    !host.is_empty() && !url.contains(char::is_whitespace) && !url.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(url: &str) -> FeedDraft {
        FeedDraft {
            name: Some("n".into()),
            provider: Some("p".into()),
            url: Some(url.into()),
            ..FeedDraft::default()
        }
    }

    #[test]
    fn a_feed_has_a_name_a_provider_and_an_address() {
        assert!(Feed::blank().apply(draft("https://example.com/feed")).is_ok());
        for (bad, field) in [
            (FeedDraft { name: Some(" ".into()), ..draft("http://a") }, "name"),
            (FeedDraft { provider: Some(String::new()), ..draft("http://a") }, "provider"),
            (draft("ftp://a/b"), "url"),
            (draft("http://"), "url"),
            (draft("/etc/passwd"), "url"),
            (FeedDraft { source_format: Some("stix".into()), ..draft("http://a") }, "source_format"),
            (FeedDraft { settings: Some("x".repeat(70_000)), ..draft("http://a") }, "settings"),
        ] {
            assert_eq!(Feed::blank().apply(bad).unwrap_err().field, field);
        }
    }

    #[test]
    fn what_a_draft_does_not_name_stays_as_it_is() {
        let mut feed = Feed::blank();
        feed.apply(FeedDraft { settings: Some(r#"{"csv":{"value":"1"}}"#.into()), ..draft("http://a") })
            .unwrap();
        let before = feed.clone();
        feed.apply(FeedDraft { enabled: Some(true), ..FeedDraft::default() }).unwrap();
        assert_eq!(feed, Feed { enabled: true, ..before });
    }
}
