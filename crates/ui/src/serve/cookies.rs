//! Cookies (RFC 6265): the session's secret, and the message from the request before.

use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};

/// Holds the secret of this browser ([`pisax_auth::session::Secret`]).
pub(crate) const SESSION: &str = "pisax_session";
/// Holds a [`super::notice::Notice`].
pub(crate) const NOTICE: &str = "pisax_notice";

/// How long a cookie is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// Until the browser ends.
    Browser,
    Seconds(i64),
    /// Taken away now.
    Ended,
}

/// The value of a cookie; the first, should there be several of the name.
pub(crate) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then(|| value.trim_matches('"')))
}

/// A `Set-Cookie` line: never for scripts, and sent from other sites only by following a link here.
pub(crate) fn line(name: &str, value: &str, life: Life, secure: bool) -> String {
    let mut line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax");
    if secure {
        line.push_str("; Secure");
    }
    match life {
        Life::Browser => {}
        Life::Seconds(seconds) => line.push_str(&format!("; Max-Age={seconds}")),
        Life::Ended => line.push_str("; Max-Age=0"),
    }
    line
}

/// Adds a `Set-Cookie` line to a response.
pub(crate) fn add(response: &mut Response, line: &str) {
    // Names and values are ours: hex digits, letters, hyphens.
    if let Ok(value) = HeaderValue::from_str(line) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let sent = headers(&["theme=dark; pisax_session=abc;a=b", "pisax_notice=\"event-added\""]);
        assert_eq!(find(&sent, SESSION), Some("abc"));
        assert_eq!(find(&sent, NOTICE), Some("event-added"));
        assert_eq!(find(&sent, "a"), Some("b"));
        assert_eq!(find(&sent, "pisax"), None);
        assert_eq!(find(&sent, "session"), None);
    }

    #[test]
    fn the_first_of_two_counts_and_nonsense_is_passed_over() {
        assert_eq!(find(&headers(&["pisax_session=one; pisax_session=two"]), SESSION), Some("one"));
        assert_eq!(find(&headers(&["pisax_session; ; =; pisax_session=x=y"]), SESSION), Some("x=y"));
        assert_eq!(find(&headers(&["pisax_session="]), SESSION), Some(""));
        assert_eq!(find(&headers(&[]), SESSION), None);
        let mut bytes = HeaderMap::new();
        bytes.insert(header::COOKIE, HeaderValue::from_bytes(b"pisax_session=\xff").unwrap());
        assert_eq!(find(&bytes, SESSION), None);
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_and_other_sites() {
        assert_eq!(
            line(SESSION, "ab", Life::Seconds(60), true),
            "pisax_session=ab; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60"
        );
        assert_eq!(
            line(SESSION, "ab", Life::Browser, false),
            "pisax_session=ab; Path=/; HttpOnly; SameSite=Lax"
        );
        assert!(line(NOTICE, "", Life::Ended, false).ends_with("; Max-Age=0"));
    }
}
