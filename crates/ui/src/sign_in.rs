//! The sign-in page.

use askama::Template;

use crate::{Chrome, links};

/// The form with which a session begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "sign_in.html")]
pub struct SignIn {
    /// Without a user; its CSRF token comes from the cookie of this page.
    pub chrome: Chrome,
    /// As it was typed.
    pub email: String,
    /// Why the last attempt failed, in a sentence that does not tell whether the address is known.
    pub error: Option<String>,
    /// The local path to go on to, or empty.
    pub next: String,
}

impl SignIn {
    fn action(&self) -> &'static str {
        links::SIGN_IN
    }
}
