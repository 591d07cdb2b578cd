//! Addresses, names and locators of the network.

use super::{Halves, NOT_COMPOSITE, Refusal, WRONG_FORMAT, all_digits, cut, one_line};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const BAD_IP: &str = "IP address has an invalid format.";
const BAD_PORT: &str = "Port numbers have to be integers between 1 and 65535.";

/// An address or a network; host bits of a network stay, as in MISP.
pub(super) fn ip(text: &str) -> Result<String, Refusal> {
    let Some((address, len)) = text.split_once('/') else {
        return address(text).map(Cow::into_owned).ok_or_else(|| BAD_IP.into());
    };
    let bits = prefix_length(len)?;
    let (most, family) = if address.parse::<Ipv4Addr>().is_ok() { (32, "IPv4") } else { (128, "IPv6") };
    let address = self::address(address).ok_or(BAD_IP)?;
    if bits > most {
        return Err(format!(
            "Invalid CIDR notation value found, for {family} must be lower or equal {most}."
        )
        .into());
    }
    Ok(if bits == most { address.into_owned() } else { format!("{address}/{bits}") })
}

fn prefix_length(text: &str) -> Result<u32, Refusal> {
    let bits = if all_digits(text) { text.parse().ok() } else { None };
    bits.ok_or_else(|| "Invalid CIDR notation value found.".into())
}

/// One address; IPv6 in its shortest form (RFC 5952).
fn address(text: &str) -> Option<Cow<'_, str>> {
    if !text.as_bytes().contains(&b':') {
        // The parser takes dotted decimals without leading zeros only, so the text is canonical.
        return text.parse::<Ipv4Addr>().ok().map(|_| Cow::Borrowed(text));
    }
    text.parse::<Ipv6Addr>().ok().map(|address| Cow::Owned(address.to_string()))
}

pub(super) fn port(text: &str) -> Result<String, Refusal> {
    let number = if all_digits(text) { text.parse::<u16>().ok() } else { None };
    match number {
        Some(1..) => Ok(text.trim_start_matches('0').to_owned()),
        _ => Err(BAD_PORT.into()),
    }
}

/// An address and a port in any of the notations MISP knows.
pub(super) fn ip_port(text: &str) -> Result<Halves, Refusal> {
    let mut refusal: Refusal = NOT_COMPOSITE.into();
    for (address, number) in splits(text) {
        match (ip(address), port(number)) {
            // A whole network has no ports.
            (Ok(address), Ok(number)) if !address.contains('/') => return Ok((address, number)),
            (Ok(address), Err(wrong_port)) if !address.contains('/') => refusal = wrong_port,
            _ if refusal != BAD_PORT => refusal = BAD_IP.into(),
            _ => {}
        }
    }
    Err(refusal)
}

/// Where address and port may be told apart, most certain first.
fn splits(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let piped = text.contains('|');
    let v6 = text.bytes().filter(|b| *b == b':').nth(1).is_some();
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once("]:"));
    let separators: &[&str] = match (piped, v6) {
        (true, _) => &["|"],
        (false, true) => &[" port ", "#", "p", ".", ":"],
        (false, false) => &[":"],
    };
    bracketed.into_iter().chain(separators.iter().filter_map(|separator| text.rsplit_once(separator)))
}

pub(super) fn domain(text: &str) -> Result<String, Refusal> {
    let name = domain_name(text);
    if is_domain(&name) { Ok(name.into_owned()) } else { Err(bad_name("Domain")) }
}

pub(super) fn hostname(text: &str) -> Result<String, Refusal> {
    if is_domain(text) { Ok(text.to_ascii_lowercase()) } else { Err(bad_name("Hostname")) }
}

pub(super) fn domain_ip(text: &str) -> Result<Halves, Refusal> {
    let (name, number) = cut(text)?;
    let name = domain_name(name);
    if !is_domain(&name) {
        return Err("Domain has an invalid format.".into());
    }
    let number = ip(number).map_err(|_| BAD_IP)?;
    if number.contains('/') { Err(BAD_IP.into()) } else { Ok((name.into_owned(), number)) }
}

pub(super) fn hostname_port(text: &str) -> Result<Halves, Refusal> {
    let (name, number) =
        if text.contains('|') { cut(text)? } else { text.split_once(':').ok_or(NOT_COMPOSITE)? };
    if !is_domain(name) {
        return Err("Hostname has an invalid format.".into());
    }
    Ok((name.to_ascii_lowercase(), port(number)?))
}

fn bad_name(what: &str) -> Refusal {
    format!("{what} has an invalid format. Please double check the value or select type \"other\".").into()
}

/// Lower case, without dots around it, in punycode.
fn domain_name(text: &str) -> Cow<'_, str> {
    let text = text.trim_matches('.');
    if text.is_ascii() {
        let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
        return if lower { text.into() } else { text.to_ascii_lowercase().into() };
    }
    match idna::domain_to_ascii(text) {
        Ok(name) => name.trim_matches('.').to_owned().into(),
        Err(_) => text.into(),
    }
}

/// MISP's idea of a name: letters, digits, hyphens, underscores, a dot, and an ending of two characters or
/// more without underscore.
pub(crate) fn is_domain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(dot) = bytes.iter().rposition(|b| *b == b'.') else { return false };
    let (labels, ending) = (&bytes[..dot], &bytes[dot + 1..]);
    !labels.is_empty()
        && ending.len() >= 2
        && ending.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
        && labels.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// A link is opened by people, so it must be one.
pub(super) fn link(text: &str) -> Result<String, Refusal> {
    one_line(text)?;
    let schemed = text.contains("://") || text.starts_with("mailto:");
    if schemed && !text.contains(char::is_whitespace) && url::Url::parse(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err(WRONG_FORMAT.into())
    }
}

pub(super) fn autonomous_system(text: &str) -> Result<String, Refusal> {
    let bare = match text.split_at_checked(2) {
        Some((start, rest)) if start.eq_ignore_ascii_case("as") => rest,
        _ => text,
    };
    let number = match bare.split_once('.') {
        // Asdot notation (RFC 5396).
        Some((high, low)) => {
            parts(high, low).and_then(|(high, low)| high.checked_mul(65_536)?.checked_add(low))
        }
        None if all_digits(bare) => bare.parse().ok(),
        None => None,
    };
    number
        .map(|number: u32| number.to_string())
        .ok_or_else(|| "AS number have to be integer between 1 and 4294967295".into())
}

fn parts(high: &str, low: &str) -> Option<(u32, u32)> {
    if all_digits(high) && all_digits(low) { Some((high.parse().ok()?, low.parse().ok()?)) } else { None }
}

/// A hardware address of `digits` hexadecimal digits, in pairs.
pub(super) fn mac(text: &str, digits: u8) -> Result<String, Refusal> {
    let mut out = String::with_capacity(usize::from(digits) * 3 / 2);
    let mut count = 0;
    for c in text.chars().filter(|c| !matches!(c, '.' | ':' | '-' | ' ')) {
        if !c.is_ascii_hexdigit() || count == digits {
            return Err(WRONG_FORMAT.into());
        }
        if count > 0 && count.is_multiple_of(2) {
            out.push(':');
        }
        out.push(c.to_ascii_lowercase());
        count += 1;
    }
    if count == digits { Ok(out) } else { Err(WRONG_FORMAT.into()) }
}

pub(super) fn onion(text: &str) -> Result<String, Refusal> {
    let text = text.to_ascii_lowercase();
    let right = text.strip_suffix(".onion").is_some_and(|key| {
        matches!(key.len(), 16 | 56) && key.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
    });
    if right { Ok(text) } else { Err("Onion address has an invalid format.".into()) }
}

/// Whether the text is one address.
pub(crate) fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}
