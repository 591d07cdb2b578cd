//! What belongs to people: mailboxes, telephones, accounts.

use super::{Refusal, WRONG_FORMAT};
use crate::AttributeType;
use crate::kind::EmailCare;

pub(super) fn email(text: &str, care: EmailCare) -> Result<String, Refusal> {
    if !is_email(text) {
        return Err(
            "Email address has an invalid format. Please double check the value or select type \"other\"."
                .into(),
        );
    }
    Ok(if care == EmailCare::AsSent { text.to_owned() } else { text.to_ascii_lowercase() })
}

/// MISP's lenient rule, meant for partial addresses: something without blanks, `@`, and a dot later on.
fn is_email(text: &str) -> bool {
    let mut chars = text.char_indices();
    chars.next();
    let Some((at, _)) = chars.find(|(_, c)| *c == '@' || c.is_whitespace()) else { return false };
    let (_, domain) = text.split_at(at);
    domain.starts_with('@') && domain.contains('.') && !text.contains('\n')
}

/// Digits with at most one plus before them; what people write between them is dropped.
pub(super) fn phone(kind: AttributeType, text: &str) -> Result<String, Refusal> {
    // The trunk zero of "+49 (0)89" is not dialled from abroad.
    let mut number: String = text.replace("(0)", "");
    number.retain(|c| c == '+' || c.is_ascii_digit());
    if let Some(rest) = number.strip_prefix("00") {
        number = format!("+{rest}");
    }
    let digits = number.strip_prefix('+').unwrap_or(&number);
    if super::all_digits(digits) { Ok(number) } else { Err(not_a_number(kind)) }
}

pub(super) fn digits(kind: AttributeType, text: &str) -> Result<String, Refusal> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { Err(not_a_number(kind)) } else { Ok(digits) }
}

pub(super) fn bank_code(text: &str) -> Result<String, Refusal> {
    let code: String =
        text.chars().map(|c| c.to_ascii_uppercase()).filter(char::is_ascii_alphanumeric).collect();
    if code.is_empty() { Err(WRONG_FORMAT.into()) } else { Ok(code) }
}

pub(super) fn alphanumeric(text: &str) -> Result<String, Refusal> {
    let right = text.bytes().all(|b| b.is_ascii_alphanumeric());
    if right { Ok(text.to_owned()) } else { Err(WRONG_FORMAT.into()) }
}

/// What PHP calls numeric: sign, digits, point, exponent; not `inf` and `nan`, which Rust reads too.
pub(super) fn numeric(kind: AttributeType, text: &str) -> Result<String, Refusal> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if plain && text.parse::<f64>().is_ok() { Ok(text.to_owned()) } else { Err(not_a_number(kind)) }
}

fn not_a_number(kind: AttributeType) -> Refusal {
    format!("The value has to be a valid {kind}").into()
}

pub(super) fn uuid(text: &str) -> Result<String, Refusal> {
    let right = text.len() == 36 && crate::Uuid::try_parse(text).is_ok();
    if right { Ok(text.to_owned()) } else { Err("The value has to be a valid UUID.".into()) }
}
