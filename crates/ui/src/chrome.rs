//! What surrounds every page: who is signed in, where they are, what there is to tell them.

use crate::assets::{URLS, Urls};
use crate::links;

/// The frame of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chrome {
    /// Nobody on the sign-in page and on errors before it.
    pub user: Option<SignedIn>,
    /// The token of every form on the page.
    pub csrf: String,
    pub area: Area,
    /// What was searched for, to stand in the search box again.
    pub query: String,
    /// Messages from the request before this one.
    pub flashes: Vec<Flash>,
}

/// The person a page is drawn for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignedIn {
    pub email: String,
    pub org: String,
    /// Whether to offer what adds something.
    pub may_add: bool,
    /// Whether to offer what runs the instance.
    pub runs_it: bool,
}

/// The part of the product a page belongs to, marked in the navigation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Area {
    #[default]
    Elsewhere,
    Events,
    AddEvent,
    Servers,
    Jobs,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    pub kind: FlashKind,
    /// A sentence: what happened, or what to do.
    pub text: String,
}

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlashKind {
    Done,
    Waiting,
    Failed,
}

impl Flash {
    /// What was asked for has happened.
    pub fn done(text: impl Into<String>) -> Self {
        Self { kind: FlashKind::Done, text: text.into() }
    }

    /// It happens later, or somebody has to act first.
    pub fn waiting(text: impl Into<String>) -> Self {
        Self { kind: FlashKind::Waiting, text: text.into() }
    }

    /// It did not happen.
    pub fn failed(text: impl Into<String>) -> Self {
        Self { kind: FlashKind::Failed, text: text.into() }
    }

    pub(crate) fn class(&self) -> &'static str {
        match self.kind {
            FlashKind::Done => "done",
            FlashKind::Waiting => "waiting",
            FlashKind::Failed => "failed",
        }
    }

    /// A failure interrupts whoever listens to the page; the rest waits.
    pub(crate) fn role(&self) -> &'static str {
        if self.kind == FlashKind::Failed { "alert" } else { "status" }
    }

    pub(crate) fn word(&self) -> &'static str {
        match self.kind {
            FlashKind::Done => "Done",
            FlashKind::Waiting => "Waiting",
            FlashKind::Failed => "Failed",
        }
    }
}

impl Chrome {
    pub(crate) fn urls(&self) -> &'static Urls {
        &URLS
    }

    /// For the navigation: whether the page belongs to the area named so.
    pub(crate) fn in_events(&self) -> bool {
        self.area == Area::Events
    }

    pub(crate) fn in_add_event(&self) -> bool {
        self.area == Area::AddEvent
    }

    pub(crate) fn in_servers(&self) -> bool {
        self.area == Area::Servers
    }

    pub(crate) fn in_jobs(&self) -> bool {
        self.area == Area::Jobs
    }

    pub(crate) fn servers(&self) -> &'static str {
        links::SERVERS
    }

    pub(crate) fn jobs(&self) -> &'static str {
        links::JOBS
    }

    pub(crate) fn events(&self) -> &'static str {
        links::EVENTS
    }

    pub(crate) fn api(&self) -> &'static str {
        links::API
    }

    pub(crate) fn add_event(&self) -> &'static str {
        links::ADD_EVENT
    }

    pub(crate) fn sign_out(&self) -> &'static str {
        links::SIGN_OUT
    }
}
