//! Text with indicators in it: paste, review, save.

use std::collections::BTreeMap;

use askama::Template;

use crate::form::attribute_distributions;
use crate::{Choice, Chrome, EventLink, Indicator, links, words};

/// Where text is pasted; posts the field `text`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "freetext_paste.html")]
pub struct FreetextPaste {
    pub chrome: Chrome,
    pub event: EventLink,
    /// What was pasted before, where nothing was found in it.
    pub text: String,
    /// Why there is nothing to review, in a sentence.
    pub error: Option<String>,
}

/// What was found, to be ticked off; posts the fields of each row (see [`SubmittedRow`]) with
/// `distribution`, `sharing_group_id` and `save=1`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "freetext_review.html")]
pub struct FreetextReview {
    pub chrome: Chrome,
    pub event: EventLink,
    pub rows: Vec<ReviewRow>,
    /// MISP's code as text.
    pub distribution: String,
    pub sharing_group_id: String,
    pub sharing_groups: Vec<Choice>,
}

/// One value that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRow {
    pub keep: bool,
    pub value: Indicator,
    /// MISP's type names that fit, the likeliest first.
    pub types: Vec<String>,
    /// The one chosen.
    pub kind: String,
    pub to_ids: bool,
    pub comment: String,
    /// How many other events have it, exactly.
    pub related: u64,
    /// What to know before keeping it: "already in this event", "on list: …".
    pub notes: Vec<String>,
    /// Why it could not be saved.
    pub error: Option<String>,
}

/// One row as it came back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubmittedRow {
    pub keep: bool,
    pub value: String,
    pub kind: String,
    pub to_ids: bool,
    pub comment: String,
}

impl SubmittedRow {
    /// Reads the rows from the fields of the form (`value-0`, `type-0`, `keep-0`, `to_ids-0`, `comment-0`,
    /// …), in the order of the table; other fields are passed over.
    pub fn read<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Self> {
        let mut rows: BTreeMap<u32, Self> = BTreeMap::new();
        for (name, value) in fields {
            let Some((field, number)) = name.rsplit_once('-') else { continue };
            let Ok(number) = number.parse() else { continue };
            if !matches!(field, "value" | "type" | "keep" | "to_ids" | "comment") {
                continue;
            }
            let row = rows.entry(number).or_default();
            match field {
                "value" => value.clone_into(&mut row.value),
                "type" => value.clone_into(&mut row.kind),
                "comment" => value.clone_into(&mut row.comment),
                "keep" => row.keep = value == "1",
                _ => row.to_ids = value == "1",
            }
        }
        rows.into_values().filter(|row| !row.value.is_empty()).collect()
    }
}

impl FreetextPaste {
    fn action(&self) -> String {
        links::freetext(self.event.id)
    }

    fn event_path(&self) -> String {
        links::event(self.event.id)
    }
}

impl FreetextReview {
    fn action(&self) -> String {
        links::freetext(self.event.id)
    }

    fn event_path(&self) -> String {
        links::event(self.event.id)
    }

    fn title(&self) -> String {
        format!("Review {}", words::counted(self.rows.len() as u64, "indicator", "indicators"))
    }

    fn distributions(&self) -> Vec<Choice> {
        attribute_distributions(!self.sharing_groups.is_empty())
    }
}

impl ReviewRow {
    fn look_up(&self) -> String {
        links::search(&self.value.exact)
    }

    fn related_words(&self) -> String {
        format!("in {}", words::counted(self.related, "other event", "other events"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_the_order_of_the_table() {
        let rows = SubmittedRow::read([
            ("csrf", "x"),
            ("value-10", "b.example"),
            ("type-10", "domain"),
            ("value-2", "192.0.2.7"),
            ("type-2", "ip-dst"),
            ("keep-2", "1"),
            ("to_ids-2", "1"),
            ("comment-2", "seen at the route server"),
            ("value-x", "no"),
            ("other-2", "no"),
            ("keep-77", "1"),
        ]);
        assert_eq!(rows.len(), 2);
        assert_eq!(
            rows[0],
            SubmittedRow {
                keep: true,
                value: "192.0.2.7".to_owned(),
                kind: "ip-dst".to_owned(),
                to_ids: true,
                comment: "seen at the route server".to_owned(),
            }
        );
        assert!(!rows[1].keep);
    }
}
