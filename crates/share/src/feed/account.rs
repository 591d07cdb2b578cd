//! The account of a run: what is counted, and the reasons that are kept.

use crate::Fault;
use pisax_model::feed_run::{Account, FeedRun, NotTaken, RunKind, RunOutcome};
use pisax_service::Service;

/// Reasons that are kept of a run; the counts go on.
const REASONS: usize = 1000;
/// What is kept of a value, in bytes, and of a reason.
const VALUE: usize = 200;
const REASON: usize = 500;

/// A run while it is under way.
pub(super) struct Tally {
    pub(super) account: Account,
    not_taken: Vec<NotTaken>,
    pub(super) event_id: i64,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { account: Account::default(), not_taken: Vec::new(), event_id: 0 }
    }

    /// Keeps a reason, if there is room; what is counted is for the caller.
    pub(super) fn because(&mut self, line: i64, value: &str, reason: &str) {
        if self.not_taken.len() < REASONS {
            let (value, reason) = (cut(value, VALUE), cut(reason, REASON));
            self.not_taken.push(NotTaken { line, value, reason });
        }
    }

    pub(super) fn reasons(&self) -> &[NotTaken] {
        &self.not_taken
    }

    /// Writes down how the run ended. A run that lost count is not one that went well.
    pub(super) fn end(
        &self,
        service: &Service,
        (run_id, feed_id, kind, started): (i64, i64, RunKind, i64),
        ended: &Result<RunOutcome, Fault>,
    ) -> Result<(), Fault> {
        let (outcome, error) = match ended {
            Ok(outcome) => (*outcome, String::new()),
            Err(Fault::Stopped) => (RunOutcome::Stopped, String::new()),
            Err(fault) => (RunOutcome::Failed, fault.to_string()),
        };
        let run = FeedRun {
            id: run_id,
            feed_id,
            kind,
            started,
            ended: service.now(),
            outcome,
            error: cut(&error, REASON),
            event_id: self.event_id,
            account: self.account,
        };
        Ok(service.end_feed_run(&run, &self.not_taken)?)
    }

    /// The account in a sentence.
    pub(super) fn told(&self) -> String {
        let a = &self.account;
        format!(
            "{} lines: {} taken, {} known, {} twice, {} excluded, {} refused, {} unrecognised, {} remarks.",
            a.lines, a.taken, a.known, a.duplicate, a.excluded, a.refused, a.unrecognised, a.remarks
        )
    }
}

/// The beginning of a text, without what a database or a reader could stumble over.
fn cut(text: &str, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].chars().filter(|c| !c.is_control()).collect()
}
