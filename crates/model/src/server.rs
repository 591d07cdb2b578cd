//! Other MISP servers that this one pulls from or pushes to.

use crate::FieldError;
use crate::feed::{is_web_address, set};
use crate::ids::Ref;

/// A stored server.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    pub id: i64,
    pub name: String,
    pub url: String,
    /// Our key on that server: a secret, never logged.
    pub authkey: String,
    /// Whose connection it is here.
    pub org_id: i64,
    pub push: bool,
    pub pull: bool,
    pub push_sightings: bool,
    pub push_galaxy_clusters: bool,
    pub push_analyst_data: bool,
    pub pull_analyst_data: bool,
    pub pull_galaxy_clusters: bool,
    pub lastpulledid: Option<i64>,
    pub lastpushedid: Option<i64>,
    pub organization: Option<String>,
    /// Who runs the server.
    pub remote_org_id: i64,
    pub publish_without_email: bool,
    pub unpublish_event: bool,
    pub self_signed: bool,
    /// JSON documents.
    pub pull_rules: String,
    pub push_rules: String,
    pub cert_file: Option<String>,
    pub client_cert_file: Option<String>,
    /// Run by the same organisation: content keeps its distribution.
    pub internal: bool,
    pub skip_proxy: bool,
    pub remove_missing_tags: bool,
    pub caching_enabled: bool,
    /// Lower numbers come first.
    pub priority: i64,
}

impl std::fmt::Debug for Server {
    /// Without its key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("id", &self.id).field("url", &self.url).finish_non_exhaustive()
    }
}

/// What a client wants a server to be; what is absent stays.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ServerDraft {
    pub name: Option<String>,
    pub url: Option<String>,
    pub authkey: Option<String>,
    pub remote_org: Option<Ref>,
    pub push: Option<bool>,
    pub pull: Option<bool>,
    pub push_sightings: Option<bool>,
    pub push_galaxy_clusters: Option<bool>,
    pub push_analyst_data: Option<bool>,
    pub pull_analyst_data: Option<bool>,
    pub pull_galaxy_clusters: Option<bool>,
    pub publish_without_email: Option<bool>,
    pub unpublish_event: Option<bool>,
    pub self_signed: Option<bool>,
    pub pull_rules: Option<String>,
    pub push_rules: Option<String>,
    pub internal: Option<bool>,
    pub skip_proxy: Option<bool>,
    pub remove_missing_tags: Option<bool>,
    pub caching_enabled: Option<bool>,
}

/// What the API stores where no rules are given (recorded answer 194).
const PULL_RULES: &str = r#"{"tags":{"OR":[],"NOT":[]},"orgs":{"OR":[],"NOT":[]},"type_attributes":{"NOT":[]},"type_objects":{"NOT":[]},"url_params":""}"#;
const PUSH_RULES: &str = r#"{"tags":{"OR":[],"NOT":[]},"orgs":{"OR":[],"NOT":[]}}"#;

/// MISP's keys have this length.
const KEY_LENGTH: usize = 40;
const MAX_DOCUMENT: usize = 65_535;

impl Server {
    /// A connection that does nothing yet.
    pub fn blank(org_id: i64) -> Self {
        Self {
            id: 0,
            name: String::new(),
            url: String::new(),
            authkey: String::new(),
            org_id,
            push: false,
            pull: false,
            push_sightings: false,
            push_galaxy_clusters: false,
            push_analyst_data: false,
            pull_analyst_data: false,
            pull_galaxy_clusters: false,
            lastpulledid: None,
            lastpushedid: None,
            organization: None,
            remote_org_id: 0,
            publish_without_email: false,
            unpublish_event: false,
            self_signed: false,
            pull_rules: PULL_RULES.into(),
            push_rules: PUSH_RULES.into(),
            cert_file: None,
            client_cert_file: None,
            internal: false,
            skip_proxy: false,
            remove_missing_tags: false,
            caching_enabled: false,
            priority: 0,
        }
    }

    /// Writes the draft's own members; the organisation is for who can look it up.
    pub fn apply(&mut self, draft: ServerDraft) -> Result<(), FieldError> {
        set(&mut self.name, draft.name.map(|t| t.trim().to_owned()));
        set(&mut self.url, draft.url.map(|t| t.trim().trim_end_matches('/').to_owned()));
        // An edit that sends an empty key, as forms do, keeps the one there is.
        set(&mut self.authkey, draft.authkey.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()));
        set(&mut self.push, draft.push);
        set(&mut self.pull, draft.pull);
        set(&mut self.push_sightings, draft.push_sightings);
        set(&mut self.push_galaxy_clusters, draft.push_galaxy_clusters);
        set(&mut self.push_analyst_data, draft.push_analyst_data);
        set(&mut self.pull_analyst_data, draft.pull_analyst_data);
        set(&mut self.pull_galaxy_clusters, draft.pull_galaxy_clusters);
        set(&mut self.publish_without_email, draft.publish_without_email);
        set(&mut self.unpublish_event, draft.unpublish_event);
        set(&mut self.self_signed, draft.self_signed);
        set(&mut self.internal, draft.internal);
        set(&mut self.skip_proxy, draft.skip_proxy);
        set(&mut self.remove_missing_tags, draft.remove_missing_tags);
        set(&mut self.caching_enabled, draft.caching_enabled);
        set(&mut self.pull_rules, draft.pull_rules.filter(|r| !r.is_empty()));
        set(&mut self.push_rules, draft.push_rules.filter(|r| !r.is_empty()));
        self.check()
    }

    fn check(&self) -> Result<(), FieldError> {
        if self.name.len() > 255 || self.name.chars().any(char::is_control) {
            return Err(FieldError::new("name", "Expected one line of at most 255 bytes."));
        }
        if self.url.len() > 255 || !is_web_address(&self.url) {
            return Err(FieldError::new("url", "Please enter a valid base-url."));
        }
        let alphanumeric = self.authkey.bytes().all(|b| b.is_ascii_alphanumeric());
        if self.authkey.len() != KEY_LENGTH || !alphanumeric {
            return Err(FieldError::new(
                "authkey",
                "The authkey should be 40 chars long, with only alphanumerical characters.",
            ));
        }
        let rules = [("pull_rules", &self.pull_rules), ("push_rules", &self.push_rules)];
        match rules.into_iter().find(|(_, text)| text.len() > MAX_DOCUMENT) {
            Some((field, _)) => Err(FieldError::new(field, "Longer than 65535 bytes.")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> ServerDraft {
        ServerDraft {
            url: Some("https://misp.example/".into()),
            authkey: Some("k".repeat(40)),
            ..ServerDraft::default()
        }
    }

    #[test]
    fn a_server_has_an_address_and_a_key() {
        let mut server = Server::blank(1);
        server.apply(draft()).unwrap();
        assert_eq!(server.url, "https://misp.example");
        for (bad, field) in [
            (ServerDraft { url: Some("misp.example".into()), ..draft() }, "url"),
            (ServerDraft { authkey: Some("short".into()), ..draft() }, "authkey"),
            (ServerDraft { authkey: Some("-".repeat(40)), ..draft() }, "authkey"),
        ] {
            assert_eq!(Server::blank(1).apply(bad).unwrap_err().field, field);
        }
    }

    #[test]
    fn an_empty_key_keeps_the_one_there_is_and_no_key_is_printed() {
        let mut server = Server::blank(1);
        server.apply(draft()).unwrap();
        server.apply(ServerDraft { authkey: Some(String::new()), ..ServerDraft::default() }).unwrap();
        assert_eq!(server.authkey, "k".repeat(40));
        assert!(!format!("{server:?}").contains("kkkk"));
    }
}
