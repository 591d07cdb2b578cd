//! The list of events, all or searched.

use askama::Template;

use crate::{Chrome, Paging, Tag, filters, links, words};

/// The list page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "event_list.html")]
pub struct EventList {
    /// Its `query` is what was searched for; empty: all events.
    pub chrome: Chrome,
    pub listing: Listing,
}

/// What there is to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Listing {
    /// Nothing yet on this instance that this user may see (or, with a query, nothing that matches).
    #[default]
    Nothing,
    Rows {
        rows: Vec<EventRow>,
        paging: Paging,
    },
    /// The search could not be run; what to do, in a sentence.
    Failed(String),
}

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventRow {
    pub id: i64,
    pub info: String,
    /// `YYYY-MM-DD`.
    pub date: String,
    pub published: bool,
    /// The creator organisation.
    pub org: String,
    pub tags: Vec<Tag>,
    pub attributes: u64,
    /// How many other events share a value; `None` in all rows of a list for which it was not asked.
    pub related: Option<u64>,
    /// From [`words::visibility`].
    pub visibility: String,
}

impl EventRow {
    fn href(&self) -> String {
        links::event(self.id)
    }

    fn marks(&self) -> impl Iterator<Item = &Tag> {
        self.tags.iter().filter(|tag| tag.tlp.is_some())
    }

    fn other_tags(&self) -> impl Iterator<Item = &Tag> {
        self.tags.iter().filter(|tag| tag.tlp.is_none())
    }
}

impl EventList {
    fn title(&self) -> String {
        if self.chrome.query.is_empty() {
            "Events".to_owned()
        } else {
            format!("“{}”", self.chrome.query)
        }
    }

    fn found(&self, paging: &Paging) -> String {
        let matching = if self.chrome.query.is_empty() { "" } else { " found" };
        format!("{}{matching}", words::counted(paging.total, "event", "events"))
    }

    /// Whether the rows say how many other events share a value.
    fn counts_related(&self) -> bool {
        matches!(&self.listing, Listing::Rows { rows, .. } if rows.iter().any(|row| row.related.is_some()))
    }

    fn may_add(&self) -> bool {
        self.chrome.user.as_ref().is_some_and(|user| user.may_add)
    }
}
