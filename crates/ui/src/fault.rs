//! The page for what went wrong.

use askama::Template;

use crate::Chrome;

/// An error as a page: what happened, what to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "fault.html")]
pub struct Fault {
    pub chrome: Chrome,
    pub status: u16,
    /// What happened, in four words.
    pub title: String,
    /// What to do, in a sentence or two.
    pub message: String,
    /// What to quote when asking for help (a request id); may be empty.
    pub reference: String,
}

impl Fault {
    /// 403.
    pub fn forbidden(chrome: Chrome) -> Self {
        Self {
            chrome,
            status: 403,
            title: "You may not do this".to_owned(),
            message: "Your role does not include it, or the record belongs to another organisation. \
                      The administrator of your organisation can tell which."
                .to_owned(),
            reference: String::new(),
        }
    }

    /// 403 with the reason.
    pub fn refused(chrome: Chrome, reason: impl Into<String>) -> Self {
        Self {
            chrome,
            status: 403,
            title: "This was not done".to_owned(),
            message: reason.into(),
            reference: String::new(),
        }
    }

    /// 413. `limit` is in MiB.
    pub fn too_large(chrome: Chrome, limit: usize) -> Self {
        Self {
            chrome,
            status: 413,
            title: "This is too much for a page".to_owned(),
            message: format!(
                "What you sent is larger than {limit} MiB, and nothing of it was saved. Send it in parts, or \
                 use the command line: “pisax import” takes files of any size."
            ),
            reference: String::new(),
        }
    }

    /// 503, while the instance is for site admins alone.
    pub fn closed(chrome: Chrome) -> Self {
        Self {
            chrome,
            status: 503,
            title: "PISAX is closed for a while".to_owned(),
            message: "The administrators are working on it, and only they can use it now. Come back later; \
                      nothing is lost."
                .to_owned(),
            reference: String::new(),
        }
    }

    /// 400.
    pub fn unreadable(chrome: Chrome) -> Self {
        Self {
            chrome,
            status: 400,
            title: "This form could not be read".to_owned(),
            message: "Nothing was changed: go back, reload the page and send it again.".to_owned(),
            reference: String::new(),
        }
    }

    /// 403 after a form that was open too long, or came from elsewhere.
    pub fn stale_form(chrome: Chrome) -> Self {
        Self {
            chrome,
            status: 403,
            title: "This form is out of date".to_owned(),
            message: "It was open too long, or while you signed in or out in another window. Nothing was changed: go \
                      back, reload the page and send it again."
                .to_owned(),
            reference: String::new(),
        }
    }

    /// 404. Says the same whether a record is missing or hidden.
    pub fn not_found(chrome: Chrome) -> Self {
        Self {
            chrome,
            status: 404,
            title: "Nothing here for you".to_owned(),
            message: "There is no such page or record, or it is not shared with you. Links in mails end \
                      here too once an event has been deleted."
                .to_owned(),
            reference: String::new(),
        }
    }

    /// 500; `reference` is what the log knows the request by.
    pub fn internal(chrome: Chrome, reference: impl Into<String>) -> Self {
        Self {
            chrome,
            status: 500,
            title: "PISAX failed".to_owned(),
            message: "The fault is ours, and nothing of what you sent was saved. Try again; if it happens \
                      again, tell your administrator the reference below."
                .to_owned(),
            reference: reference.into(),
        }
    }
}
