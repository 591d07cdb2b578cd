//! Scalars as MISP's clients send them: a number may be text, a flag may be a number, `null` is nothing.
//!
//! [`Scalar`] takes whatever stands there without copying it; the functions below read it as the kind of
//! value a field wants, and name the field when it cannot be.

use crate::ReadError;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Marks the parts of a field error inside a serde message; no message of ours contains it.
const MARK: char = '\u{1}';

/// One JSON value where a scalar is expected.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar<'de> {
    /// `null`, `[]` or `{}` (PHP writes an empty map as a list).
    Nothing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'de, str>),
    /// A list or an object with something in it.
    Container,
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        // Beyond i64 only the digits are of use.
        Ok(i64::try_from(value).map_or_else(|_| Scalar::Text(value.to_string().into()), Scalar::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut empty = true;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            empty = false;
        }
        Ok(if empty { Scalar::Nothing } else { Scalar::Container })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut empty = true;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            empty = false;
        }
        Ok(if empty { Scalar::Nothing } else { Scalar::Container })
    }
}

impl<'de> Scalar<'de> {
    /// As text: numbers in digits, `true` and `false` as PHP stores them, `1` and `0`.
    pub(crate) fn text(self) -> Result<Option<Cow<'de, str>>, &'static str> {
        Ok(match self {
            Self::Nothing => None,
            Self::Bool(flag) => Some(Cow::Borrowed(if flag { "1" } else { "0" })),
            Self::Int(number) => Some(number.to_string().into()),
            Self::Float(number) => Some(number.to_string().into()),
            Self::Text(text) => Some(text),
            Self::Container => return Err("Expected text."),
        })
    }

    /// As a whole number; empty text is nothing. Text that is no number becomes -1, which no code and no
    /// time is, so that validation refuses the one record rather than reading the whole event.
    pub(crate) fn integer(self) -> Result<Option<i64>, &'static str> {
        Ok(match self {
            Self::Nothing => None,
            Self::Bool(flag) => Some(i64::from(flag)),
            Self::Int(number) => Some(number),
            Self::Float(number) => Some(number as i64),
            Self::Text(text) => match text.trim() {
                "" => None,
                digits => Some(number(digits).unwrap_or(-1)),
            },
            Self::Container => return Err("Expected a number."),
        })
    }

    /// As a yes or no: booleans, numbers, `"0"`, `"1"`, `"true"`, `"false"`, and `""` for no. A list with
    /// something in it is true to PHP, and a client sends `[true]`.
    pub(crate) fn flag(self) -> Result<Option<bool>, &'static str> {
        const WRONG: &str = "Expected a boolean.";
        Ok(match self {
            Self::Nothing => None,
            Self::Bool(flag) => Some(flag),
            Self::Int(number) => Some(number != 0),
            Self::Float(number) => Some(number != 0.0),
            Self::Text(text) => match text.trim() {
                "" | "0" => Some(false),
                "1" => Some(true),
                word if word.eq_ignore_ascii_case("true") => Some(true),
                word if word.eq_ignore_ascii_case("false") => Some(false),
                other => match number(other) {
                    Some(number) => Some(number != 0),
                    None => return Err(WRONG),
                },
            },
            Self::Container => Some(true),
        })
    }
}

/// A whole number in text, a fraction cut off (`"1700000000.25"` is what some clients send for a time).
fn number(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| text.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| n as i64))
}

/// The error that names a field; [`ReadError`] takes it apart again.
pub(crate) fn field_error<E: de::Error>(field: &str, message: &str) -> E {
    E::custom(format_args!("{MARK}{field}{MARK}{message}{MARK}"))
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let mut parts = text.split(MARK);
        if let (Some(""), Some(field), Some(message)) = (parts.next(), parts.next(), parts.next()) {
            return Self::Field { field: field.to_owned(), message: message.to_owned() };
        }
        Self::NotJson(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(json: &str) -> Scalar<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn text_is_read_from_every_scalar() {
        for (json, expected) in [
            (r#""a\u00e9""#, Some("aé")),
            ("12", Some("12")),
            ("-3", Some("-3")),
            ("1.5", Some("1.5")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("true", Some("1")),
            ("false", Some("0")),
            ("null", None),
            ("[]", None),
            ("{}", None),
        ] {
            assert_eq!(scalar(json).text().unwrap().as_deref(), expected, "{json}");
        }
        assert!(scalar("[1]").text().is_err());
    }

    #[test]
    fn numbers_are_read_from_text_and_flags() {
        for (json, expected) in [
            ("5", Some(5)),
            (r#"" 5 ""#, Some(5)),
            (r#""""#, None),
            ("true", Some(1)),
            ("1700000000.7", Some(1_700_000_000)),
            (r#""1700000000.7""#, Some(1_700_000_000)),
            (r#""five""#, Some(-1)),
            ("null", None),
        ] {
            assert_eq!(scalar(json).integer().unwrap(), expected, "{json}");
        }
        assert!(scalar(r#"{"a":1}"#).integer().is_err());
    }

    #[test]
    fn flags_are_read_from_every_form_clients_send() {
        for (json, expected) in [
            ("true", Some(true)),
            ("false", Some(false)),
            ("0", Some(false)),
            ("1", Some(true)),
            (r#""0""#, Some(false)),
            (r#""1""#, Some(true)),
            (r#""true""#, Some(true)),
            (r#""False""#, Some(false)),
            (r#""""#, Some(false)),
            ("[true]", Some(true)),
            ("null", None),
        ] {
            assert_eq!(scalar(json).flag().unwrap(), expected, "{json}");
        }
        assert!(scalar(r#""maybe""#).flag().is_err());
    }
}
