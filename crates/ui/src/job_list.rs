//! What is done later, is being done and was done.

use askama::Template;

use crate::{Chrome, Paging, Time, filters, links};

/// The list page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "job_list.html")]
pub struct JobList {
    pub chrome: Chrome,
    pub under_way: Vec<JobRow>,
    /// How many are under way beyond those that are shown.
    pub more: u64,
    pub over: Vec<JobRow>,
    pub paging: Paging,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JobState {
    #[default]
    Waiting,
    /// Waits for a moment to come.
    Later,
    Running,
    Failed,
    Done,
}

/// One job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobRow {
    pub id: i64,
    /// `Pull from IXP North`.
    pub what: String,
    /// What it is about, where there is a page on that.
    pub url: Option<String>,
    pub state: JobState,
    pub percent: i64,
    pub message: String,
    pub asked: Time,
    pub changed: Time,
    /// When it is begun, if that is not now.
    pub next: Option<Time>,
}

impl JobRow {
    /// Whether it will be otherwise in a moment.
    pub(crate) fn moving(&self) -> bool {
        matches!(self.state, JobState::Waiting | JobState::Running)
    }

    pub(crate) fn running(&self) -> bool {
        self.state == JobState::Running
    }

    pub(crate) fn word(&self) -> &'static str {
        match self.state {
            JobState::Waiting => "Waiting",
            JobState::Later => "Later",
            JobState::Running => "Running",
            JobState::Failed => "Failed",
            JobState::Done => "Done",
        }
    }

    pub(crate) fn class(&self) -> &'static str {
        match self.state {
            JobState::Done => "good",
            JobState::Failed => "bad",
            _ => "",
        }
    }

    pub(crate) fn cancel(&self) -> String {
        links::cancel_job(self.id)
    }
}

impl JobList {
    /// How soon the page looks again, in seconds.
    fn every(&self) -> u32 {
        if self.under_way.iter().any(JobRow::moving) { 2 } else { 10 }
    }
}
