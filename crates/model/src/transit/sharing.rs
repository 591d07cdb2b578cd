//! Whether a sharing group reaches a server (semantics 7.5).

use crate::Uuid;
use crate::sharing::SharingGroupDraft;

/// Another server, as a link knows it.
#[derive(Debug, Clone, Copy)]
pub struct Remote<'a> {
    pub url: &'a str,
    /// Who runs it.
    pub org: Uuid,
    /// Run by the organisation that runs this one.
    pub internal: bool,
}

/// Whether what is shared with the group may go to that server. A group that does not roam has to list the server:
/// with all its organisations, or together with the one that runs it. An internal server gets everything.
pub fn admits(group: &SharingGroupDraft, remote: &Remote<'_>) -> bool {
    if remote.internal {
        return true;
    }
    if group.roaming != Some(true) {
        let servers = group.servers.as_deref().unwrap_or_default();
        let mut listed = servers.iter().filter(|s| is_server(s.url.as_deref(), remote.url)).peekable();
        if listed.peek().is_none() {
            return false;
        }
        if listed.any(|server| server.all_orgs) {
            return true;
        }
    }
    let members = group.orgs.as_deref().unwrap_or_default();
    members.iter().any(|member| member.org_ref.uuid == Some(remote.org))
}

/// Whether an address in a group is the server's: case, and slashes at the end, do not count.
pub fn is_server(listed: Option<&str>, url: &str) -> bool {
    let bare = |text: &str| text.trim().trim_end_matches('/').to_ascii_lowercase();
    listed.is_some_and(|listed| !bare(listed).is_empty() && bare(listed) == bare(url))
}
