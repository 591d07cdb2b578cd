//! The servers this one is connected with, and how the exchange with each goes.

use askama::Template;

use crate::{Chrome, Time, filters, links, words};

/// The list page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "server_list.html")]
pub struct ServerList {
    pub chrome: Chrome,
    pub servers: Vec<ServerRow>,
}

/// A connected server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerRow {
    pub id: i64,
    pub name: String,
    pub url: String,
    /// Who runs it.
    pub org: String,
    /// `Pulls and pushes`.
    pub ways: String,
    pub exchange: Exchange,
    pub counts: Vec<OutcomeCount>,
}

/// A server in the line that leads back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerLink {
    pub id: i64,
    pub name: String,
}

/// How the exchange with a server goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    pub last_good: Option<Time>,
    pub last_bad: Option<Time>,
    /// Why the last one failed.
    pub fault: String,
    /// Failures in a row.
    pub failures: u64,
}

/// How many records had an outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutcomeCount {
    pub words: String,
    /// How it is marked: `good`, `held`, `bad` or nothing.
    pub class: &'static str,
    pub count: i64,
    /// Those lines of the ledger.
    pub url: String,
}

impl ServerLink {
    pub(crate) fn href(&self) -> String {
        links::server(self.id)
    }
}

impl ServerRow {
    pub(crate) fn href(&self) -> String {
        links::server(self.id)
    }
}

impl Exchange {
    pub(crate) fn failing(&self) -> bool {
        self.failures > 0
    }

    pub(crate) fn in_a_row(&self) -> String {
        if self.failures == 1 {
            "once".to_owned()
        } else {
            format!("{} times in a row", words::count(self.failures))
        }
    }

    /// The failure as a sentence, and what to do about it.
    pub(crate) fn reason(&self) -> String {
        words::sentence(&self.fault)
    }

    pub(crate) fn advice(&self) -> &'static str {
        words::advice(&self.fault)
    }
}

impl ServerList {
    pub(crate) fn add(&self) -> &'static str {
        links::ADD_SERVER
    }

    pub(crate) fn found(&self) -> String {
        words::counted(self.servers.len() as u64, "server", "servers")
    }
}
