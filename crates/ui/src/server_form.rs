//! The form to connect a server, and to change a connection.

use askama::Template;

use crate::{Choice, Chrome, Errors, PostAction, links};

/// The form. Its fields carry MISP's names where it has them; rules have an item a line. The key is never shown
/// again: an empty field keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "server_form.html")]
pub struct ServerForm {
    pub chrome: Chrome,
    /// The connection that is changed; `None`: a new one.
    pub id: Option<i64>,
    pub name: String,
    pub url: String,
    /// The number of the organisation that runs it; empty: one that is not known here yet.
    pub remote_org_id: String,
    pub org_name: String,
    pub org_uuid: String,
    pub orgs: Vec<Choice>,
    pub pull: bool,
    pub pull_galaxy_clusters: bool,
    pub pull_analyst_data: bool,
    pub push: bool,
    pub push_sightings: bool,
    pub push_galaxy_clusters: bool,
    pub push_analyst_data: bool,
    pub internal: bool,
    pub unpublish_event: bool,
    pub publish_without_email: bool,
    pub self_signed: bool,
    pub skip_proxy: bool,
    pub pull_rules: RuleTexts,
    pub push_rules: RuleTexts,
    /// PEM.
    pub authority: String,
    /// Whether there is a client certificate, which is never shown.
    pub has_identity: bool,
    pub errors: Errors,
    /// Offered where there is something to delete.
    pub delete: Option<PostAction>,
}

/// Rules as they are typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleTexts {
    pub tags: String,
    pub not_tags: String,
    pub orgs: String,
    pub not_orgs: String,
    pub types: String,
    pub templates: String,
    pub url_params: String,
}

impl RuleTexts {
    fn any(&self) -> bool {
        [
            &self.tags,
            &self.not_tags,
            &self.orgs,
            &self.not_orgs,
            &self.types,
            &self.templates,
            &self.url_params,
        ]
        .iter()
        .any(|text| !text.is_empty())
    }
}

impl ServerForm {
    fn title(&self) -> &'static str {
        if self.id.is_some() { "Change the connection" } else { "Connect a server" }
    }

    fn submit(&self) -> &'static str {
        if self.id.is_some() { "Save changes" } else { "Connect" }
    }

    fn action(&self) -> String {
        self.id.map_or_else(|| links::ADD_SERVER.to_owned(), links::edit_server)
    }

    fn back(&self) -> String {
        self.id.map_or_else(|| links::SERVERS.to_owned(), links::server)
    }

    fn key_help(&self) -> &'static str {
        if self.id.is_some() {
            "Leave it empty to keep the key. It is never shown again."
        } else {
            "Of a user made for this over there, in a role that may synchronise: 40 letters and digits."
        }
    }

    /// A new organisation is only asked for where there is none yet.
    fn org_choices(&self) -> Vec<Choice> {
        let other = self.id.is_none().then(|| Choice::new("", "Another one, named below"));
        other.into_iter().chain(self.orgs.iter().cloned()).collect()
    }

    fn shows_rules(&self) -> bool {
        self.pull_rules.any() || self.push_rules.any() || self.has_error(&["pull_rules", "push_rules"])
    }

    fn shows_files(&self) -> bool {
        self.has_identity || !self.authority.is_empty() || self.has_error(&["cert", "client_cert"])
    }

    fn has_error(&self, fields: &[&str]) -> bool {
        fields.iter().any(|field| self.errors.of(field).is_some())
    }

    fn other_errors(&self) -> Vec<&str> {
        self.errors.beside(&[
            "name",
            "url",
            "authkey",
            "Organisation",
            "pull_rules",
            "push_rules",
            "cert",
            "client_cert",
        ])
    }
}
