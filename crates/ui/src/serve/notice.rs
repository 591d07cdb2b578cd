//! What happened in the request before: a word in a cookie, read once.

use axum::response::Response;

use super::Pages;
use super::cookies::{self, Life, NOTICE};
use crate::{Flash, words};

/// The seconds in which the next page must be asked for.
const LIFE_SECS: i64 = 60;

/// What there is to tell on the next page. The cookie holds a word of ours and a number, never a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    EventAdded,
    EventSaved,
    EventDeleted,
    EventPublished,
    EventUnpublished,
    AttributeAdded,
    AttributeSaved,
    AttributeDeleted,
    ServerAdded,
    ServerSaved,
    ServerDeleted,
    GuardSaved,
    PullQueued,
    PushQueued,
    JobCancelled,
    /// So many pasted indicators are in the event now.
    Pasted(u64),
}

/// Notices with the word each is kept as.
const WORDS: [(Notice, &str); 15] = [
    (Notice::EventAdded, "event-added"),
    (Notice::EventSaved, "event-saved"),
    (Notice::EventDeleted, "event-deleted"),
    (Notice::EventPublished, "event-published"),
    (Notice::EventUnpublished, "event-unpublished"),
    (Notice::AttributeAdded, "attribute-added"),
    (Notice::AttributeSaved, "attribute-saved"),
    (Notice::AttributeDeleted, "attribute-deleted"),
    (Notice::ServerAdded, "server-added"),
    (Notice::ServerSaved, "server-saved"),
    (Notice::ServerDeleted, "server-deleted"),
    (Notice::GuardSaved, "guard-saved"),
    (Notice::PullQueued, "pull-queued"),
    (Notice::PushQueued, "push-queued"),
    (Notice::JobCancelled, "job-cancelled"),
];
const PASTED: &str = "pasted-";

impl Notice {
    /// The notice a cookie's value stands for.
    pub(crate) fn read(value: &str) -> Option<Self> {
        match value.strip_prefix(PASTED) {
            Some(number) => number.parse().ok().map(Self::Pasted),
            None => WORDS.iter().find(|(_, word)| *word == value).map(|(notice, _)| *notice),
        }
    }

    fn word(self) -> String {
        match self {
            Self::Pasted(number) => format!("{PASTED}{number}"),
            _ => WORDS.iter().find(|(notice, _)| *notice == self).map_or("", |(_, word)| word).to_owned(),
        }
    }

    /// The message.
    pub(crate) fn flash(self) -> Flash {
        let text = match self {
            Self::EventAdded => "The event was added. What it consists of comes next.".to_owned(),
            Self::EventSaved => "The event was changed. It is not published until you publish it.".to_owned(),
            Self::EventDeleted => "The event was deleted with everything in it.".to_owned(),
            Self::EventPublished => "The event is published.".to_owned(),
            Self::EventUnpublished => "The event is no longer published.".to_owned(),
            Self::AttributeAdded => "The attribute was added. Publish the event when it is ready.".to_owned(),
            Self::AttributeSaved => {
                "The attribute was changed. Publish the event when it is ready.".to_owned()
            }
            Self::AttributeDeleted => "The attribute was deleted.".to_owned(),
            Self::ServerAdded => {
                "The server is connected. Test the connection, then look at a dry run before the first push."
                    .to_owned()
            }
            Self::ServerSaved => "The connection was changed.".to_owned(),
            Self::ServerDeleted => {
                "The server is disconnected, and its ledger is gone. What came from it stays.".to_owned()
            }
            Self::GuardSaved => "The guard was changed. It counts from the next push.".to_owned(),
            Self::PullQueued => "The pull is under way; what it does appears below.".to_owned(),
            Self::PushQueued => "The push is under way; what it does appears below.".to_owned(),
            Self::JobCancelled => "The job is cancelled: it stops at its next step.".to_owned(),
            Self::Pasted(1) => "The indicator is in the event. Publish it when it is ready.".to_owned(),
            Self::Pasted(number) => {
                let indicators = words::counted(number, "indicator", "indicators");
                format!("The {indicators} are in the event. Publish it when it is ready.")
            }
        };
        match self {
            Self::PullQueued | Self::PushQueued => Flash::waiting(text),
            _ => Flash::done(text),
        }
    }

    /// Has the next page tell it.
    pub(crate) fn on(self, mut response: Response, pages: &Pages) -> Response {
        let life = Life::Seconds(LIFE_SECS);
        cookies::add(&mut response, &cookies::line(NOTICE, &self.word(), life, pages.secure_cookies));
        response
    }
}

/// Takes the cookie back, on the page that tells it.
pub(crate) fn told(response: &mut Response, pages: &Pages) {
    cookies::add(response, &cookies::line(NOTICE, "", Life::Ended, pages.secure_cookies));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_survives_the_cookie() {
        for notice in WORDS.iter().map(|(notice, _)| *notice).chain([Notice::Pasted(1), Notice::Pasted(412)])
        {
            assert_eq!(Notice::read(&notice.word()), Some(notice));
            assert!(!notice.flash().text.is_empty());
        }
    }

    #[test]
    fn a_cookie_that_is_none_of_ours_says_nothing() {
        for value in ["", "pasted-", "pasted-x", "Your password has expired", "event-added "] {
            assert_eq!(Notice::read(value), None, "{value}");
        }
    }
}
