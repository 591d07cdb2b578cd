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
