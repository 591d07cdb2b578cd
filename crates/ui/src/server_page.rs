//! One connected server: how the exchange with it goes, and the ledger of what became of each record.

use askama::Template;
use pisax_model::peer::{Direction, Outcome, Subject};

use crate::{
    Choice, Chrome, Exchange, JobRow, OutcomeCount, Paging, PostAction, Time, filters, links, words,
};

/// The page of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "server_page.html")]
pub struct ServerPage {
    pub chrome: Chrome,
    pub id: i64,
    pub name: String,
    pub url: String,
    /// Who runs it.
    pub org: String,
    pub ways: String,
    /// Run by the same organisation.
    pub internal: bool,
    pub pulls: bool,
    pub pushes: bool,
    /// How its certificate is checked, and whether we show one.
    pub trust: String,
    /// What the guard holds back, in short.
    pub guard: String,
    pub exchange: Exchange,
    /// What is being done and waits for this server.
    pub jobs: Vec<JobRow>,
    pub counts: Vec<OutcomeCount>,
    pub ledger: LedgerView,
}

/// A part of a ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerView {
    /// What is asked for; empty: all.
    pub direction: String,
    pub outcome: String,
    pub kind: String,
    pub rows: Vec<LedgerRow>,
    pub paging: Paging,
}

/// The last word on a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerRow {
    pub at: Time,
    pub direction: &'static str,
    pub kind: &'static str,
    pub title: String,
    pub uuid: String,
    /// Where it is to be seen here, if it is.
    pub url: Option<String>,
    pub outcome: &'static str,
    pub class: &'static str,
    pub reason: String,
    pub attempts: u64,
    /// When it is tried again.
    pub retry: Option<Time>,
}

impl LedgerRow {
    fn called(&self) -> &str {
        if self.title.is_empty() { &self.uuid } else { &self.title }
    }
}

impl LedgerView {
    fn filtered(&self) -> bool {
        !(self.direction.is_empty() && self.outcome.is_empty() && self.kind.is_empty())
    }
}

impl ServerPage {
    fn test(&self) -> String {
        links::test_server(self.id)
    }

    fn pull(&self) -> String {
        links::pull_server(self.id)
    }

    fn push(&self) -> String {
        links::push_server(self.id)
    }

    fn edit(&self) -> String {
        links::edit_server(self.id)
    }

    fn guard_form(&self) -> String {
        links::guard(self.id)
    }

    fn dry_run(&self, direction: &str) -> String {
        links::dry_run(self.id, direction, "")
    }

    fn here(&self) -> String {
        links::server(self.id)
    }

    /// Whether something happens that is worth looking at again soon.
    fn moving(&self) -> bool {
        self.jobs.iter().any(JobRow::moving)
    }

    fn directions(&self) -> Vec<Choice> {
        let choice = |d: Direction| Choice::new(d.name(), words::direction(d));
        all("Both directions").chain(Direction::ALL.map(choice)).collect()
    }

    fn kinds(&self) -> Vec<Choice> {
        let choice = |s: Subject| Choice::new(s.name(), words::subject(s));
        all("Every kind").chain(Subject::ALL.map(choice)).collect()
    }

    fn outcomes(&self) -> Vec<Choice> {
        let choice = |o: Outcome| {
            let (push, pull) = (words::outcome(Direction::Push, o), words::outcome(Direction::Pull, o));
            let label =
                if push == pull { push.to_owned() } else { format!("{push} / {}", pull.to_lowercase()) };
            Choice::new(o.name(), label)
        };
        all("Every outcome").chain(Outcome::ALL.map(choice)).collect()
    }
}

fn all(label: &str) -> impl Iterator<Item = Choice> {
    std::iter::once(Choice::new("", label))
}

/// How a server is disconnected.
pub(crate) fn disconnecting(id: i64, name: &str) -> PostAction {
    PostAction {
        url: links::delete_server(id),
        label: "Disconnect this server".to_owned(),
        confirm: format!(
            "Disconnect {name}? Its key, rules, guard and ledger are deleted here. What came from it stays."
        ),
    }
}
