//! Where pages are. The paths are MISP's own, so that bookmarks, mails and reports keep working.

/// The page on the API, and its description for programs.
pub(crate) const API: &str = "/api/openapi";
pub(crate) const API_DOCUMENT: &str = "/api/openapi.json";
/// The event list.
pub const EVENTS: &str = "/events/index";
/// The form for a new event.
pub const ADD_EVENT: &str = "/events/add";
/// Where the sign-in form is and where it posts.
pub const SIGN_IN: &str = "/users/login";
/// Where the sign-out button posts.
pub const SIGN_OUT: &str = "/users/logout";

/// An event's page.
pub fn event(id: i64) -> String {
    format!("/events/view/{id}")
}

/// The form to change an event.
pub fn edit_event(id: i64) -> String {
    format!("/events/edit/{id}")
}

/// Where publishing posts.
pub fn publish_event(id: i64) -> String {
    format!("/events/publish/{id}")
}

/// Where taking a publication back posts.
pub fn unpublish_event(id: i64) -> String {
    format!("/events/unpublish/{id}")
}

/// Where deleting an event posts.
pub fn delete_event(id: i64) -> String {
    format!("/events/delete/{id}")
}

/// The form for a new attribute of an event.
pub fn add_attribute(event_id: i64) -> String {
    format!("/attributes/add/{event_id}")
}

/// The form to change an attribute.
pub fn edit_attribute(id: i64) -> String {
    format!("/attributes/edit/{id}")
}

/// Where deleting an attribute posts.
pub fn delete_attribute(id: i64) -> String {
    format!("/attributes/delete/{id}")
}

/// Where text with indicators is pasted.
pub fn freetext(event_id: i64) -> String {
    format!("/events/freeTextImport/{event_id}")
}

/// The servers this one is connected with.
pub const SERVERS: &str = "/servers/index";
/// The form to connect a server.
pub const ADD_SERVER: &str = "/servers/add";
/// What is done later, is being done and was done.
pub const JOBS: &str = "/jobs/index";

/// A connected server's page, with its ledger.
pub fn server(id: i64) -> String {
    format!("/servers/view/{id}")
}

/// The form to change a connection.
pub fn edit_server(id: i64) -> String {
    format!("/servers/edit/{id}")
}

/// Where disconnecting posts.
pub fn delete_server(id: i64) -> String {
    format!("/servers/delete/{id}")
}

/// Where testing a connection posts.
pub fn test_server(id: i64) -> String {
    format!("/servers/testConnection/{id}")
}

/// Where asking for a pull posts.
pub fn pull_server(id: i64) -> String {
    format!("/servers/pull/{id}")
}

/// Where asking for a push posts.
pub fn push_server(id: i64) -> String {
    format!("/servers/push/{id}")
}

/// What never leaves to a server.
pub fn guard(id: i64) -> String {
    format!("/servers/guard/{id}")
}

/// What a push or pull would do.
pub fn dry_run(id: i64, direction: &str, event: &str) -> String {
    let path = format!("/servers/dryRun/{id}");
    if event.is_empty() {
        with_query(&path, &[("direction", direction)])
    } else {
        with_query(&path, &[("direction", direction), ("event", event)])
    }
}

/// Where cancelling a job posts.
pub fn cancel_job(id: i64) -> String {
    format!("/jobs/cancel/{id}")
}

/// The sign-in form, which leads on to this local path.
pub fn sign_in_and_go_to(path: &str) -> String {
    with_query(SIGN_IN, &[("next", path)])
}

/// The event list searched for a text: a value, a tag, words of a title.
pub fn search(text: &str) -> String {
    with_query(EVENTS, &[("q", text)])
}

/// A path with a query string.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut url = path.to_owned();
    for (at, (name, value)) in pairs.iter().enumerate() {
        url.push(if at == 0 { '?' } else { '&' });
        encode(name, &mut url);
        url.push('=');
        encode(value, &mut url);
    }
    url
}

/// `application/x-www-form-urlencoded` (WHATWG URL, section 5.2), which is what the search form sends too.
fn encode(text: &str, url: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => url.push(char::from(byte)),
            b' ' => url.push('+'),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_encoded() {
        assert_eq!(search("192.0.2.0/24 &x"), "/events/index?q=192.0.2.0%2F24+%26x");
        assert_eq!(with_query("/e", &[("q", "ä"), ("page", "2")]), "/e?q=%C3%A4&page=2");
        assert_eq!(with_query("/e", &[]), "/e");
    }
}
