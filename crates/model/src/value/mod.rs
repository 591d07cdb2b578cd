//! Values: how each type is cleaned, what it must look like and where it is cut in half (semantics 2.3 to 2.5).

pub mod defang;
mod hash;
mod identity;
pub(crate) mod json;
mod network;
mod refang;
mod vulnerability;

use crate::kind::Form;
use crate::{AttributeType, FieldError};
use std::borrow::Cow;

pub(crate) use hash::is_ssdeep;
pub(crate) use network::{is_address, is_domain};
pub(crate) use refang::{Marks, mend};
pub(crate) use vulnerability::is_vulnerability;

/// The longest value kept, in bytes (MISP: a TEXT column).
pub const MAX_BYTES: usize = 65_535;

const WRONG_FORMAT: &str =
    "Value not in the right type/format. Please double check the value or select type \"other\".";
const NOT_COMPOSITE: &str = "Composite type found but the value not in the composite (value1|value2) format.";
const NEW_LINE: &str = "Value must not contain new line character.";

/// Why a value is refused.
type Refusal = Cow<'static, str>;
/// Both halves of a right value.
type Halves = (String, String);

/// Trims, refangs and normalises a value and checks that it is one of its type; returns both halves, the
/// second empty unless the type is composite. What it returns, joined and checked again, stays the same.
pub fn check(kind: AttributeType, raw: &str) -> Result<(String, String), FieldError> {
    halves_of(kind, raw).map_err(|message| FieldError::new("value", message))
}

/// Undoes what makes an indicator harmless to click (`hxxp`, `[.]`, `[at]`) as far as the type is ever
/// written so (semantics 2.4).
pub fn refang(kind: AttributeType, text: &str) -> Cow<'_, str> {
    mend(Marks::of(kind.form()), text)
}

/// Cuts a joined value where the type has two halves.
pub fn halves(kind: AttributeType, text: &str) -> (&str, &str) {
    if kind.is_composite() { text.split_once('|').unwrap_or((text, "")) } else { (text, "") }
}

fn halves_of(kind: AttributeType, raw: &str) -> Result<Halves, Refusal> {
    let text = without_nul(trimmed(raw));
    let text = &*text;
    if text.is_empty() {
        return Err("Value cannot be empty.".into());
    }
    fits(text.len())?;
    if only_control(text) {
        return Err(
            "Value provided consists purely of control characters and is therefore considered to be empty."
                .into(),
        );
    }
    let text = refang(kind, text);
    let (value1, value2) = normalised(kind, &text)?;
    // Punycode may be longer than what it encodes.
    fits(value1.len() + value2.len() + usize::from(kind.is_composite()))?;
    Ok((value1, value2))
}

fn fits(bytes: usize) -> Result<(), Refusal> {
    if bytes > MAX_BYTES {
        return Err("Value is too long, maximum allowed value is 65535 bytes.".into());
    }
    Ok(())
}

/// PHP's trim and Unicode's white space.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\0')
}

/// PostgreSQL keeps NUL in no text: a value is the same on both engines.
fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

fn only_control(text: &str) -> bool {
    text.chars().all(char::is_control)
}

fn normalised(kind: AttributeType, text: &str) -> Result<Halves, Refusal> {
    match kind.form() {
        Form::IpPort => network::ip_port(text),
        Form::DomainIp => network::domain_ip(text),
        Form::HostnamePort => network::hostname_port(text),
        Form::NamedHash(form) => hash::named(form, text),
        Form::RegkeyValue => {
            let (key, value) = cut(text)?;
            Ok((one_line(key)?.to_owned(), one_line(value)?.to_owned()))
        }
        Form::Sample => {
            let (name, md5) = cut(text)?;
            if md5.is_empty() { Err(NOT_COMPOSITE.into()) } else { Ok((name.to_owned(), md5.to_owned())) }
        }
        _ => Ok((single(kind, text)?, String::new())),
    }
}

/// Normalises a value of a type without halves.
fn single(kind: AttributeType, text: &str) -> Result<String, Refusal> {
    match kind.form() {
        Form::Ip => network::ip(text),
        Form::Domain => network::domain(text),
        Form::Hostname => network::hostname(text),
        Form::Url => one_line(text).map(str::to_owned),
        Form::Link => network::link(text),
        Form::Port => network::port(text),
        Form::As => network::autonomous_system(text),
        Form::Mac(digits) => network::mac(text, digits),
        Form::Onion => network::onion(text),
        Form::Hash(form) => hash::hash(form, text),
        Form::Email(care) => identity::email(text, care),
        Form::Phone => identity::phone(kind, text),
        Form::Digits => identity::digits(kind, text),
        Form::BankCode => identity::bank_code(text),
        Form::Alphanumeric => identity::alphanumeric(text),
        Form::Numeric => identity::numeric(kind, text),
        Form::Vulnerability => vulnerability::vulnerability(text),
        Form::Weakness => vulnerability::weakness(text),
        Form::SshFingerprint => hash::ssh_fingerprint(text),
        Form::Uuid => identity::uuid(text),
        form => plain(form, text),
    }
}

/// The forms that take a few lines each.
fn plain(form: Form, text: &str) -> Result<String, Refusal> {
    match form {
        Form::Line => one_line(text).map(str::to_owned),
        Form::Lowered => Ok(text.to_ascii_lowercase()),
        Form::HexText if hash::is_hex(text) => Ok(text.to_ascii_uppercase()),
        Form::HexText => Err(WRONG_FORMAT.into()),
        Form::HttpMethod => http_method(text),
        Form::DateTime => datetime(text),
        Form::Boolean => boolean(text),
        Form::Whole if all_digits(text) => Ok(text.to_owned()),
        Form::Whole => Err("The value has to be a whole number greater or equal 0.".into()),
        Form::Integer if all_digits(text.strip_prefix(['-', '+']).unwrap_or(text)) => Ok(text.to_owned()),
        Form::Integer => Err("The value has to be an integer value.".into()),
        Form::ServiceName if text.len() > 256 || text.contains(['/', '\\']) => Err(
            "Invalid format. Only values shorter than 256 characters that don't include any forward or backward \
             slashes are allowed."
                .into(),
        ),
        Form::Json if json::strings(text).is_none() => {
            Err("The Cortex analysis result has to be a valid JSON string.".into())
        }
        _ => Ok(text.to_owned()),
    }
}

/// Cuts a composite value at its only bar; the first half may not be empty, neither half only control
/// characters.
fn cut(text: &str) -> Result<(&str, &str), Refusal> {
    match text.split_once('|') {
        Some((first, second)) if !second.contains('|') && !only_control(first) => {
            if !second.is_empty() && only_control(second) {
                return Err(NOT_COMPOSITE.into());
            }
            Ok((first, second))
        }
        _ => Err(NOT_COMPOSITE.into()),
    }
}

fn one_line(text: &str) -> Result<&str, Refusal> {
    if text.contains('\n') { Err(NEW_LINE.into()) } else { Ok(text) }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// MISP looks for a known verb anywhere in the text, which lets `GET/POST` through; so must we.
fn http_method(text: &str) -> Result<String, Refusal> {
    const VERBS: [&str; 30] = [
        "OPTIONS",
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "TRACE",
        "CONNECT",
        "PROPFIND",
        "PROPPATCH",
        "MKCOL",
        "COPY",
        "MOVE",
        "LOCK",
        "UNLOCK",
        "VERSION-CONTROL",
        "REPORT",
        "CHECKOUT",
        "CHECKIN",
        "UNCHECKOUT",
        "MKWORKSPACE",
        "UPDATE",
        "LABEL",
        "MERGE",
        "BASELINE-CONTROL",
        "MKACTIVITY",
        "ORDERPATCH",
        "ACL",
        "PATCH",
        "SEARCH",
    ];
    let text = text.to_ascii_uppercase();
    if VERBS.iter().any(|verb| text.contains(verb)) { Ok(text) } else { Err("Unknown HTTP method.".into()) }
}

/// MISP's `Y-m-d\TH:i:s.uO`, in UTC.
fn datetime(text: &str) -> Result<String, Refusal> {
    let micros = crate::time::parse_micros(text).ok_or("Datetime has to be in the ISO 8601 format.")?;
    // The offset, always +00:00, has no colon in this notation.
    Ok(crate::time::format_micros(micros).replace("+00:00", "+0000"))
}

/// MISP takes every other text for true; a flag that says "maybe" is refused here, as PyMISP does.
fn boolean(text: &str) -> Result<String, Refusal> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok("1".to_owned()),
        "0" | "false" | "no" | "off" => Ok("0".to_owned()),
        _ => Err("The value has to be either true or false.".into()),
    }
}

#[cfg(test)]
mod tests;
