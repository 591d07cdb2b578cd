//! What one word is: the first rule that fits decides, in MISP's order.

use super::Candidate;
use crate::AttributeType;
use crate::kind::known;
use crate::value::{self, Marks, is_address, is_domain, is_ssdeep, is_vulnerability, mend};
use std::borrow::Cow;

type Kinds = &'static [AttributeType];

const ADDRESS: Kinds = &[known("ip-dst"), known("ip-src")];
const ADDRESS_PORT: Kinds = &[known("ip-dst|port"), known("ip-src|port")];
const DOMAIN: Kinds = &[known("domain"), known("filename")];
const HOSTNAME: Kinds = &[known("hostname"), known("domain"), known("url"), known("filename")];
const ONION: Kinds = &[known("domain"), known("onion-address"), known("filename")];
const URL: Kinds = &[known("url")];
const LINK: Kinds = &[known("link")];
const PATH: Kinds = &[known("uri"), known("url"), known("filename")];
const FILENAME: Kinds = &[known("filename")];
const REGKEY: Kinds = &[known("regkey")];
const SSDEEP: Kinds = &[known("ssdeep")];
const NAMED_SSDEEP: Kinds = &[known("filename|ssdeep")];
/// MISP lists `email` first but suggests the second.
const EMAIL: Kinds = &[
    known("email-src"),
    known("email"),
    known("email-dst"),
    known("target-email"),
    known("whois-registrant-email"),
];
const VULNERABILITY: Kinds = &[known("vulnerability")];
const PHONE: Kinds = &[known("phone-number"), known("prtn"), known("whois-registrant-phone")];
const AS: Kinds = &[known("AS")];
const BTC: Kinds = &[known("btc")];

const DIGEST_16: Kinds =
    &[known("md5"), known("imphash"), known("x509-fingerprint-md5"), known("ja3-fingerprint-md5")];
const DIGEST_20: Kinds = &[known("sha1"), known("pehash"), known("x509-fingerprint-sha1"), known("cdhash")];
const DIGEST_28: Kinds = &[known("sha224"), known("sha512/224")];
const DIGEST_32: Kinds =
    &[known("sha256"), known("authentihash"), known("sha512/256"), known("x509-fingerprint-sha256")];
const DIGEST_48: Kinds = &[known("sha384")];
const DIGEST_64: Kinds = &[known("sha512")];
const NAMED_16: Kinds = &[known("filename|md5"), known("filename|imphash")];
const NAMED_20: Kinds = &[known("filename|sha1"), known("filename|pehash")];
const NAMED_28: Kinds = &[known("filename|sha224"), known("filename|sha512/224")];
const NAMED_32: Kinds =
    &[known("filename|sha256"), known("filename|authentihash"), known("filename|sha512/256")];
const NAMED_48: Kinds = &[known("filename|sha384")];
const NAMED_64: Kinds = &[known("filename|sha512")];

/// Reports on these sites are read, not blocked.
const SECURITY_VENDORS: [&str; 2] = ["virustotal.com", "hybrid-analysis.com"];

/// Endings of other roots (OpenNIC, Namecoin, EmerDNS), where botnets like to live. Not `lib`, which is
/// more often a library.
const OTHER_ROOTS: [&str; 21] = [
    "bazar", "bbs", "bit", "chan", "coin", "cyb", "dyn", "emc", "epic", "fur", "geek", "gopher", "indy",
    "libre", "neo", "null", "opennic", "oss", "oz", "parody", "pirate",
];

/// A word before and after refanging, and without a port at its end.
struct Word<'a> {
    raw: &'a str,
    refanged: &'a str,
    bare: &'a str,
    port: Option<&'a str>,
}

/// What the word is, if it is an indicator; never one that [`value::check`] would refuse.
pub(super) fn recognise(raw: &str) -> Option<Candidate> {
    if raw.is_empty() || raw.len() > value::MAX_BYTES {
        return None;
    }
    let (value, kinds, comment) = guess(raw)?;
    let default_type = *kinds.first()?;
    value::check(default_type, &value).ok()?;
    Some(Candidate {
        value: value.into_owned(),
        original_value: raw.to_owned(),
        default_type,
        types: kinds.to_vec(),
        comment,
    })
}

type Guess<'a> = (Cow<'a, str>, Kinds, String);

fn guess(raw: &str) -> Option<Guess<'_>> {
    if let Some(kinds) = plain(raw) {
        return Some((raw.into(), kinds, String::new()));
    }
    let refanged = mend(Marks::EVERY, raw);
    let refanged = refanged.trim_end_matches('.');
    let (bare, port) = without_port(refanged);
    let word = Word { raw, refanged, bare, port };
    let (value, kinds, comment) = email(&word)
        .or_else(|| address(&word))
        .or_else(|| path(&word))
        .or_else(|| name_or_locator(&word))
        .or_else(|| file_or_key(&word))
        .or_else(|| number(&word))?;
    Some((value.into_owned().into(), kinds, comment))
}

/// Addresses and checksums: common in lists, and nobody defangs checksums.
fn plain(raw: &str) -> Option<Kinds> {
    if is_address(raw) {
        return Some(ADDRESS);
    }
    if let Some((name, sum)) = raw.split_once('|') {
        return if is_file(name) { named_digest(sum) } else { None };
    }
    digest(raw)
}

fn digest(text: &str) -> Option<Kinds> {
    if is_ssdeep_digest(text) {
        return Some(SSDEEP);
    }
    by_length(text, [DIGEST_16, DIGEST_20, DIGEST_28, DIGEST_32, DIGEST_48, DIGEST_64])
}

fn named_digest(text: &str) -> Option<Kinds> {
    if is_ssdeep_digest(text) {
        return Some(NAMED_SSDEEP);
    }
    by_length(text, [NAMED_16, NAMED_20, NAMED_28, NAMED_32, NAMED_48, NAMED_64])
}

fn by_length(text: &str, kinds: [Kinds; 6]) -> Option<Kinds> {
    let at = [32, 40, 56, 64, 96, 128].iter().position(|len| *len == text.len())?;
    text.bytes().all(|b| b.is_ascii_hexdigit()).then_some(kinds[at])
}

/// Not a time of day, and not an address with a port.
fn is_ssdeep_digest(text: &str) -> bool {
    let time = text.split(':').all(|part| part.len() <= 2);
    !time && is_ssdeep(text) && text.split(':').all(|part| !part.is_empty())
}

/// Splits a port of two to five digits off, as MISP does.
fn without_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((bare, port)) if (2..=5).contains(&port.len()) && digits(port) && !port.starts_with('0') => {
            (bare, Some(port))
        }
        _ => (text, None),
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn on_port(word: &Word<'_>) -> String {
    word.port.map(|port| format!("On port {port}")).unwrap_or_default()
}

fn email<'a>(word: &Word<'a>) -> Option<Guess<'a>> {
    let (local, domain) = word.refanged.rsplit_once('@')?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let right = (1..=64).contains(&local.len())
        && local.chars().all(allowed)
        && !local.starts_with(['.', '/'])
        && !local.ends_with('.')
        && is_domain(domain)
        && !domain.contains("..")
        && !domain.starts_with(['.', '-']);
    right.then(|| (word.refanged.into(), EMAIL, String::new()))
}

fn address<'a>(word: &Word<'a>) -> Option<Guess<'a>> {
    // Tried before the port is split off: the last group of an IPv6 address looks like one.
    if is_address(word.refanged) {
        return Some((word.refanged.into(), ADDRESS, String::new()));
    }
    if let Some(port) = word.port {
        let inner = word.bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(word.bare);
        if is_address(inner) {
            return Some((format!("{inner}|{port}").into(), ADDRESS_PORT, on_port(word)));
        }
    }
    // One digit of port is MISP's blind spot; a dotted address leaves no doubt.
    if let Some((address, port)) = word.refanged.split_once(':')
        && is_address(address)
        && port.len() == 1
    {
        return Some((format!("{address}|{port}").into(), ADDRESS_PORT, format!("On port {port}")));
    }
    let (first, len) = word.bare.split_once('/')?;
    (is_address(first) && digits(len)).then(|| (word.bare.into(), ADDRESS, on_port(word)))
}

/// `/gate.php`: lists name what a server is asked for, whatever its name is this week.
fn path<'a>(word: &Word<'a>) -> Option<Guess<'a>> {
    let rest = word.raw.strip_prefix('/')?;
    let right = rest.chars().any(char::is_alphanumeric) && !rest.starts_with('/');
    right.then(|| (word.raw.into(), PATH, String::new()))
}

fn name_or_locator<'a>(word: &Word<'a>) -> Option<Guess<'a>> {
    let schemed = scheme_and_rest(word.refanged).is_some();
    // A port is part of a locator; MISP cuts it off there too and loses it.
    if schemed || word.bare.contains('/') {
        let host = host_of(word.refanged)?;
        if !schemed && !is_server(host) {
            return None;
        }
        let kinds = if is_report(word.refanged, host) { LINK } else { URL };
        return Some((word.refanged.into(), kinds, String::new()));
    }
    let name = ascii_name(word.bare)?;
    let labels = name.split('.').count();
    let kinds = match labels {
        ..=1 => return None,
        _ if name.ends_with(".onion") && labels == 2 => ONION,
        2 => DOMAIN,
        _ => HOSTNAME,
    };
    Some((name, kinds, on_port(word)))
}

/// A name under a known top-level domain, in punycode.
fn ascii_name(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('.') || text.len() > 253 * 4 {
        return None;
    }
    let name: Cow<'_, str> =
        if text.is_ascii() { text.into() } else { idna::domain_to_ascii(text).ok()?.into() };
    let right = is_domain(&name) && name.split('.').all(is_label) && has_known_ending(&name);
    right.then_some(name)
}

/// Letters, digits, hyphens; underscores too, which generated names use and MISP's rule forgets.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

fn has_known_ending(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let listed = |name: &str| psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known());
    // The list holds endings in their own script.
    listed(&name)
        || name.rsplit('.').next().is_some_and(|ending| OTHER_ROOTS.contains(&ending))
        || name.contains("xn--") && listed(&idna::domain_to_unicode(&name).0)
}

fn scheme_and_rest(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let right = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    right.then_some((scheme, rest))
}

/// The host of a locator, whose scheme may be missing.
fn host_of(text: &str) -> Option<&str> {
    let rest = scheme_and_rest(text).map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => host.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

/// An address, or a name whose ending is not a number.
fn is_server(host: &str) -> bool {
    let ending = host.rsplit('.').next().unwrap_or_default();
    let named = host.contains('.')
        && ending.chars().count() >= 2
        && ending.chars().all(|c| c.is_alphabetic() || c == '-' || c.is_ascii_digit())
        && ending.starts_with(char::is_alphabetic)
        && host.split('.').all(|label| !label.is_empty())
        && host.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    named || is_address(host)
}

fn is_report(locator: &str, host: &str) -> bool {
    let secure = locator.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    secure && {
        let host = host.to_ascii_lowercase();
        SECURITY_VENDORS
            .iter()
            .any(|vendor| host.strip_suffix(vendor).is_some_and(|sub| sub.is_empty() || sub.ends_with('.')))
    }
}

fn file_or_key<'a>(word: &Word<'a>) -> Option<Guess<'a>> {
    let raw = word.raw;
    let Some((folder, last)) = raw.rsplit_once('\\') else {
        return is_file(raw).then(|| (raw.into(), FILENAME, String::new()));
    };
    let on_drive = folder.as_bytes().get(1) == Some(&b':');
    if last.contains('.') || on_drive {
        return is_file(last).then(|| (raw.into(), FILENAME, String::new()));
    }
    is_registry(raw).then(|| (raw.into(), REGKEY, String::new()))
}

/// Begins with a hive. MISP takes any backslash, and so `DOMAIN\user`, for a registry key.
fn is_registry(text: &str) -> bool {
    const HIVES: [&str; 5] = ["hk", "software\\", "system\\", "sam\\", "security\\"];
    HIVES.iter().any(|hive| text.get(..hive.len()).is_some_and(|start| start.eq_ignore_ascii_case(hive)))
}

/// A stem and an extension that is not a number; `i.e` and the like are prose.
fn is_file(text: &str) -> bool {
    let Some((stem, extension)) = text.rsplit_once('.') else { return false };
    let stem_is_name = !stem.is_empty() && (stem.len() > 1 || extension.len() > 1);
    stem_is_name
        && !extension.is_empty()
        && extension.bytes().all(|b| b.is_ascii_alphanumeric())
        && !digits(extension)
        && !text.contains(['|', '"', '<', '>', '?', '*'])
        && !text.contains("://")
}

fn number<'a>(word: &Word<'a>) -> Option<Guess<'a>> {
    let raw = word.raw;
    if is_catalogued(raw) {
        return Some((raw.to_ascii_uppercase().into(), VULNERABILITY, String::new()));
    }
    if is_phone(raw) {
        return Some((raw.into(), PHONE, String::new()));
    }
    if raw.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("as")) && digits(&raw[2..]) {
        return Some((raw.to_ascii_uppercase().into(), AS, String::new()));
    }
    is_btc(raw).then(|| (raw.into(), BTC, String::new()))
}

fn is_catalogued(text: &str) -> bool {
    let cve = ["cve-", "gcve-"]
        .iter()
        .any(|start| text.get(..start.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(start)));
    cve && is_vulnerability(text)
}

/// Seven digits or more with a plus before or dashes between them, and not a date.
fn is_phone(text: &str) -> bool {
    let international = text.starts_with('+');
    let dashed = text.find('-').is_some_and(|at| at > 0);
    let bare = text.strip_prefix('+').unwrap_or(text).replace("(0)", "");
    let date = bare.len() == 10 && bare.split('-').map(str::len).eq([4, 2, 2]);
    (international || dashed)
        && !date
        && bare.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'/'))
        && bare.ends_with(|c: char| c.is_ascii_digit())
        && (7..=15).contains(&bare.bytes().filter(u8::is_ascii_digit).count())
}

/// The shapes of Bitcoin addresses: base58 and bech32. The checksum is not looked at.
fn is_btc(text: &str) -> bool {
    let base58 = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() && !b"0OIl".contains(&b));
    if text.starts_with(['1', '3']) {
        return (26..=35).contains(&text.len()) && base58(text);
    }
    let lower = text.to_ascii_lowercase();
    ["bc1", "tb1"].iter().filter_map(|start| lower.strip_prefix(start)).any(|rest| {
        (11..=71).contains(&rest.len())
            && rest.bytes().all(|b| b"023456789acdefghjklmnpqrstuvwxyz".contains(&b))
    })
}
