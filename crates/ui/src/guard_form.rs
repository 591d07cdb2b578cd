//! What never leaves to a server, whatever distribution allows.

use askama::Template;

use crate::{Choice, Chrome, Errors, ServerLink, Ticked, links};

/// The form. Lists have an item a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "guard_form.html")]
pub struct GuardForm {
    pub chrome: Chrome,
    pub server: ServerLink,
    /// Name of a TLP level; empty: none.
    pub ceiling: String,
    pub untagged: String,
    pub required_tags: String,
    pub blocked_tags: String,
    pub distributions: Vec<Ticked>,
    /// Whether of sharing groups only the allowed ones leave.
    pub some_groups: bool,
    pub allowed_groups: Vec<Ticked>,
    pub blocked_groups: Vec<Ticked>,
    pub blocked_types: String,
    pub categories: Vec<Ticked>,
    pub blocked_objects: String,
    pub taxonomies: String,
    pub compartments: String,
    pub levels: Vec<Choice>,
    pub errors: Errors,
}

impl GuardForm {
    fn action(&self) -> String {
        links::guard(self.server.id)
    }

    fn dry_run(&self) -> String {
        links::dry_run(self.server.id, "push", "")
    }

    fn other_errors(&self) -> Vec<&str> {
        self.errors.beside(&["blocked_types"])
    }

    fn ceilings(&self) -> Vec<Choice> {
        std::iter::once(Choice::new("", "No ceiling")).chain(self.levels.iter().cloned()).collect()
    }
}
