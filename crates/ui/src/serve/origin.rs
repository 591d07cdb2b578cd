//! Whether a form was sent by one of our own pages: what the browser says of itself, beside the token.

use http::{HeaderMap, Uri, header};

/// False for what a browser marks as coming from elsewhere: `Sec-Fetch-Site` (W3C Fetch Metadata) or `Origin`
/// (RFC 6454). A client that sends neither is left to the token alone.
pub(crate) fn is_ours(headers: &HeaderMap, uri: &Uri, base_url: &str) -> bool {
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    // "none": the user's own doing, such as a reload; no other site can cause it.
    let site_is_ours = site.is_none_or(|site| matches!(site, b"same-origin" | b"none"));
    let Some(origin) = headers.get(header::ORIGIN) else { return site_is_ours };
    // Compared without the scheme: before a proxy that ends TLS it is another one there than here.
    let theirs = origin.to_str().ok().and_then(authority);
    let asked = uri.authority().map(|a| a.as_str());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let ours = [asked, host, authority(base_url)];
    let same = |ours: &str| theirs.is_some_and(|theirs| theirs.eq_ignore_ascii_case(ours));
    site_is_ours && ours.into_iter().flatten().any(same)
}

/// `misp.example:8443` of `https://misp.example:8443/path`; none of `null`.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next().filter(|authority| !authority.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    const BASE: &str = "https://share.ixp.example";

    fn ours(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        is_ours(&headers, &Uri::from_static("/events/add"), BASE)
    }

    #[test]
    fn a_form_from_our_own_page_is_ours() {
        for pairs in [
            &[][..],
            &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")],
            &[("host", "10.0.0.7:8080"), ("origin", "https://share.ixp.example")],
            &[("host", "Share.IXP.example"), ("origin", "https://share.ixp.example")],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("host", "a"), ("origin", "http://a"), ("sec-fetch-site", "same-origin")],
        ] {
            assert!(ours(pairs), "{pairs:?}");
        }
    }

    #[test]
    fn a_form_from_elsewhere_is_not() {
        for pairs in [
            &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8081")][..],
            &[("host", "share.ixp.example"), ("origin", "https://evil.example")],
            &[("host", "share.ixp.example"), ("origin", "https://share.ixp.example.evil.example")],
            &[("host", "share.ixp.example"), ("origin", "null")],
            &[("host", "share.ixp.example"), ("origin", "")],
            &[("origin", "https://evil.example")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "")],
            &[("host", "a"), ("origin", "http://a"), ("sec-fetch-site", "cross-site")],
            &[("host", "a"), ("origin", "http://b"), ("sec-fetch-site", "same-origin")],
        ] {
            assert!(!ours(pairs), "{pairs:?}");
        }
    }
}
