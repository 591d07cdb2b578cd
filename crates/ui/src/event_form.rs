//! The form for a new event, and for changing one.

use askama::Template;

use crate::form::{analyses, event_distributions, threat_levels};
use crate::{Choice, Chrome, Errors, PostAction, links};

/// The form. Its fields carry MISP's names: `info`, `date`, `distribution`, `sharing_group_id`,
/// `threat_level_id`, `analysis`, `extends_uuid`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "event_form.html")]
pub struct EventForm {
    pub chrome: Chrome,
    /// The event that is changed; `None`: a new one.
    pub id: Option<i64>,
    pub info: String,
    /// Nobody but the own organisation sees an event before it is published.
    pub private_until_published: bool,
    /// `YYYY-MM-DD`.
    pub date: String,
    /// MISP's code as text.
    pub distribution: String,
    pub sharing_group_id: String,
    pub threat_level_id: String,
    pub analysis: String,
    /// Uuid or number of the event this one extends.
    pub extends: String,
    /// The groups this user may share to.
    pub sharing_groups: Vec<Choice>,
    pub errors: Errors,
    /// Offered where the event may be deleted.
    pub delete: Option<PostAction>,
}

impl EventForm {
    fn title(&self) -> &'static str {
        if self.id.is_some() { "Edit event" } else { "Add event" }
    }

    fn action(&self) -> String {
        self.id.map_or_else(|| links::ADD_EVENT.to_owned(), links::edit_event)
    }

    fn back(&self) -> String {
        self.id.map_or_else(|| links::EVENTS.to_owned(), links::event)
    }

    fn submit(&self) -> &'static str {
        if self.id.is_some() { "Save changes" } else { "Add event" }
    }

    fn visible_when(&self) -> &'static str {
        if self.private_until_published { "Once published." } else { "" }
    }

    fn other_errors(&self) -> Vec<&str> {
        self.errors.beside(&[
            "info",
            "date",
            "distribution",
            "sharing_group_id",
            "threat_level_id",
            "analysis",
            "extends_uuid",
        ])
    }

    fn distributions(&self) -> Vec<Choice> {
        event_distributions(!self.sharing_groups.is_empty())
    }

    fn threat_levels(&self) -> Vec<Choice> {
        threat_levels()
    }

    fn analyses(&self) -> Vec<Choice> {
        analyses()
    }
}
