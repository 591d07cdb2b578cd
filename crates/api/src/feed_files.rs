//! `/feed/SLUG/…`: the files of the feeds that are published from here, to whoever may fetch them. No key is asked
//! for: a feed is for everybody, or for those who have its token.

use crate::answer::{Answer, Sink, Stop};
use crate::failure::Failure;
use http::{HeaderMap, Method, StatusCode, header};
use pisax_model::Uuid;
use pisax_model::published_feed::is_slug;
use pisax_service::Service;
use pisax_service::feed::published::{Opened, open};
use pisax_wire::answer as body;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::PathBuf;

/// Where the feeds are.
pub const PREFIX: &str = "/feed/";
/// Larger files are sent in pieces.
const WHOLE: u64 = 4 << 20;
const PIECE: usize = 64 * 1024;

/// The file that a path names: its feed's slug, its name, and of which kind it is.
fn split(path: &str) -> Option<(&str, &str, &'static str)> {
    let (slug, name) = path.strip_prefix(PREFIX)?.split_once('/')?;
    let is_uuid = |stem: &str| stem.len() == 36 && Uuid::try_parse(stem).is_ok();
    let kind = match name.rsplit_once('.')? {
        ("manifest", "json") => "application/json; charset=UTF-8",
        ("hashes", "csv") => "text/csv; charset=UTF-8",
        (stem, "json") if is_uuid(stem) => "application/json; charset=UTF-8",
        (stem, "asc") if is_uuid(stem) => "application/pgp-signature",
        _ => return None,
    };
    is_slug(slug).then_some((slug, name, kind))
}

/// The token of a request: in the header `Authorization`, with or without `Bearer`, else in the address.
fn token(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    if let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) {
        let value = value.trim();
        let bearer = value.get(..7).filter(|word| word.eq_ignore_ascii_case("bearer "));
        return Some(bearer.map_or(value, |_| value[7..].trim()).to_owned());
    }
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, _)| *name == "token").map(|(_, value)| value.to_owned())
}

fn exception(status: StatusCode, message: &str, path: &str) -> Failure {
    Failure::Own(status, body::exception(message, path))
}

/// Answers a request below [`PREFIX`].
pub(crate) fn answer(
    service: &Service,
    method: &Method,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Answer, Failure> {
    let nothing = || exception(StatusCode::NOT_FOUND, "There is no such feed.", path);
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(exception(StatusCode::METHOD_NOT_ALLOWED, "A feed is read, nothing else.", path));
    }
    let (slug, name, kind) = split(path).ok_or_else(nothing)?;
    let feed = match open(service, slug, token(headers, query).as_deref())? {
        Opened::Feed(feed) => feed,
        Opened::Closed => {
            return Err(exception(StatusCode::FORBIDDEN, "This feed asks for another token.", path));
        }
        Opened::Nothing => return Err(nothing()),
    };
    let data = service.policy.data.as_ref().ok_or_else(nothing)?;
    let file = pisax_share::feed::publish::folder(data, feed.id).join(name);
    send(file, kind, headers, method).map_err(|_| nothing())
}

fn send(path: PathBuf, kind: &str, headers: &HeaderMap, method: &Method) -> std::io::Result<Answer> {
    let mut file = File::open(path)?;
    let seen = file.metadata()?;
    let changed = seen.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    // A file changes as a whole, and only if it is another one.
    let etag = format!("\"{:x}-{:x}\"", seen.len(), changed.as_nanos());
    let asked = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let known = asked.is_some_and(|asked| {
        // Who packs an answer on its way makes the tag a weak one, or adds to it.
        let same = |tag: &str| tag.trim().trim_start_matches("W/") == etag;
        asked.trim() == "*" || asked.split(',').any(same)
    });
    let head = |answer: Answer| {
        answer
            .header("etag", &etag)
            .header("content-type", kind)
            .header("cache-control", "no-cache")
            .header("x-content-type-options", "nosniff")
    };
    if known {
        return Ok(head(Answer::status(StatusCode::NOT_MODIFIED, Vec::new())));
    }
    if *method == Method::HEAD {
        return Ok(head(Answer::exists()));
    }
    if seen.len() <= WHOLE {
        let mut bytes = Vec::with_capacity(seen.len() as usize);
        file.read_to_end(&mut bytes)?;
        return Ok(head(Answer::json(bytes)));
    }
    file.rewind()?;
    Ok(head(Answer::stream(move |sink: &mut Sink| {
        let mut piece = vec![0; PIECE];
        loop {
            let failed = |e: std::io::Error| Stop::Broken(Failure::Internal(e.to_string()));
            let read = file.read(&mut piece).map_err(failed)?;
            if read == 0 {
                return Ok(());
            }
            sink.buffer().extend_from_slice(&piece[..read]);
            sink.flush_full()?;
        }
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_files_of_a_feed_are_named() {
        let uuid = "11111111-0000-4000-8000-000000000001";
        for name in ["manifest.json", "hashes.csv", &format!("{uuid}.json"), &format!("{uuid}.asc")] {
            assert!(split(&format!("/feed/a-b/{name}")).is_some(), "{name}");
        }
        for bad in [
            "/feed/a",
            "/feed//manifest.json",
            "/feed/../manifest.json",
            "/feed/a/../b/manifest.json",
            "/feed/a/manifest.json.tmp",
            "/feed/A/manifest.json",
            "/feed/a/..json",
            "/feed/a/%2e%2e.json",
            "/feeds/a/manifest.json",
        ] {
            assert!(split(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_token_is_in_the_header_or_in_the_address() {
        let headers = |value: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert("authorization", value.parse().unwrap());
            }
            headers
        };
        assert_eq!(token(&headers(Some("abc")), Some("token=x")).as_deref(), Some("abc"));
        assert_eq!(token(&headers(Some("Bearer abc")), None).as_deref(), Some("abc"));
        assert_eq!(token(&headers(None), Some("a=b&token=x")).as_deref(), Some("x"));
        assert_eq!(token(&headers(None), None), None);
    }
}
