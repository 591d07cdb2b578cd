//! A dry run: what a push or pull would do, and what the other side would see.

use askama::Template;

use crate::{Chrome, ServerLink, Time, filters, links, words};

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "dry_run.html")]
pub struct DryRun {
    pub chrome: Chrome,
    pub server: ServerLink,
    /// A pull; else a push.
    pub pulling: bool,
    /// The direction is not switched on.
    pub off: bool,
    /// The one event that was asked for, as it was typed.
    pub event: String,
    /// Why nothing can be told.
    pub failure: Option<String>,
    pub leaves: Option<WhatLeaves>,
    pub comes: Option<WhatComes>,
}

/// What a push would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WhatLeaves {
    pub events: Vec<Leaving>,
    /// Why the other side could not be asked.
    pub unasked: Option<String>,
    /// What the other side would get of the one event.
    pub sent: Option<String>,
    /// The JSON is longer than is shown.
    pub cut: bool,
}

/// An event on its way out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leaving {
    pub id: i64,
    pub info: String,
    pub published: bool,
    pub outcome: &'static str,
    pub class: &'static str,
    pub reason: String,
    pub goes: bool,
    pub attributes: u64,
    pub reports: u64,
    pub left_out: u64,
    pub reasons: Vec<(String, u64)>,
}

/// What a pull would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WhatComes {
    pub offered: u64,
    pub new: u64,
    pub newer: u64,
    pub same: u64,
    pub skipped: u64,
    pub events: Vec<Coming>,
    /// What rules leave out of events on their way in.
    pub left_out: Vec<String>,
}

/// An event that is offered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coming {
    pub uuid: String,
    pub info: String,
    pub changed: Time,
    pub outcome: &'static str,
    pub class: &'static str,
    pub reason: String,
}

impl Coming {
    fn called(&self) -> &str {
        if self.info.is_empty() { &self.uuid } else { &self.info }
    }
}

impl DryRun {
    fn here(&self) -> String {
        format!("/servers/dryRun/{}", self.server.id)
    }

    fn of(&self, direction: &str) -> String {
        links::dry_run(self.server.id, direction, "")
    }

    fn one(&self, id: &i64) -> String {
        links::dry_run(self.server.id, "push", &id.to_string())
    }

    fn event_page(&self, id: &i64) -> String {
        links::event(*id)
    }

    fn goes(&self, events: &[Leaving]) -> String {
        let going = events.iter().filter(|event| event.goes).count() as u64;
        format!(
            "{} of {} would go",
            words::count(going),
            words::counted(events.len() as u64, "event", "events")
        )
    }
}
