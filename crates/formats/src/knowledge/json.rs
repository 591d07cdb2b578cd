//! Reading library JSON: fields with their place in the file for the message, and long arrays element by
//! element. Libraries are written by hand, so a number may be text and a list a single text.

use pisax_model::Uuid;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Why something cannot be used, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bad {
    pub field: String,
    pub message: String,
}

impl Bad {
    pub(super) fn file(message: impl Into<String>) -> Self {
        Self { field: String::new(), message: message.into() }
    }

    pub(super) fn at(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// A JSON object and where it is: `values[3].meta`, or nothing for the whole file.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    place: &'a str,
}

impl<'a> Fields<'a> {
    pub(super) fn new(map: &'a Map<String, Value>, place: &'a str) -> Self {
        Self { map, place }
    }

    pub(super) fn of(value: &'a Value, place: &'a str) -> Result<Self, Bad> {
        let map = value.as_object().ok_or_else(|| Bad::at(place, "is no object"))?;
        Ok(Self { map, place })
    }

    /// Where a field of this object is.
    pub(super) fn place(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    fn bad(&self, key: &str, message: &str) -> Bad {
        Bad::at(self.place(key), message)
    }

    /// The value, unless it is absent or null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Text that must be there and say something.
    pub(super) fn required(&self, key: &str) -> Result<String, Bad> {
        match self.text(key)? {
            text if text.is_empty() => Err(self.bad(key, "is missing")),
            text => Ok(text),
        }
    }

    /// Text, empty when absent.
    pub(super) fn text(&self, key: &str) -> Result<String, Bad> {
        self.optional(key).map(Option::unwrap_or_default)
    }

    pub(super) fn optional(&self, key: &str) -> Result<Option<String>, Bad> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => scalar(value).map(Some).ok_or_else(|| self.bad(key, "is no text")),
        }
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<i64>, Bad> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Number(n)) => n.as_i64().map(Some).ok_or_else(|| self.bad(key, "is no whole number")),
            Some(Value::String(text)) => {
                text.trim().parse().map(Some).map_err(|_| self.bad(key, "is no whole number"))
            }
            Some(_) => Err(self.bad(key, "is no whole number")),
        }
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, Bad> {
        Ok(Some(match self.get(key) {
            None => return Ok(None),
            Some(Value::Bool(flag)) => *flag,
            Some(Value::Number(n)) => n.as_i64() != Some(0),
            Some(Value::String(text)) => match text.as_str() {
                "1" | "true" => true,
                "" | "0" | "false" => false,
                _ => return Err(self.bad(key, "is neither true nor false")),
            },
            Some(_) => return Err(self.bad(key, "is neither true nor false")),
        }))
    }

    pub(super) fn uuid(&self, key: &str) -> Result<Uuid, Bad> {
        Uuid::try_parse(self.required(key)?.trim()).map_err(|_| self.bad(key, "is no uuid"))
    }

    /// A list of texts; one text alone counts as a list of one.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, Bad> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        texts(value).ok_or_else(|| self.bad(key, "is no list of texts"))
    }

    /// The objects of a list, each with its place; empty when absent.
    pub(super) fn list(&self, key: &str) -> Result<Vec<(String, &'a Value)>, Bad> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let list = value.as_array().ok_or_else(|| self.bad(key, "is no list"))?;
        let place = self.place(key);
        Ok(list.iter().enumerate().map(|(i, value)| (format!("{place}[{i}]"), value)).collect())
    }

    /// The members of an object, in the file's order; empty when absent.
    pub(super) fn members(&self, key: &str) -> Result<Vec<(&'a str, &'a Value)>, Bad> {
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Object(map)) => Ok(map.iter().map(|(k, v)| (k.as_str(), v)).collect()),
            // PHP writes an empty object as an empty list.
            Some(Value::Array(list)) if list.is_empty() => Ok(Vec::new()),
            Some(_) => Err(self.bad(key, "is no object")),
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(list) => list.iter().map(scalar).collect(),
        single => scalar(single).map(|text| vec![text]),
    }
}

/// A whole file as one object.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Bad> {
    serde_json::from_slice(bytes).map_err(|error| Bad::file(error.to_string()))
}

/// The file's object without its array `array`.
pub(super) fn header(bytes: &[u8], array: &str) -> Result<Map<String, Value>, Bad> {
    walk(bytes, array, None)
}

/// Hands over the elements of the file's array `array` one by one until `each` answers `false`.
pub(super) fn elements(
    bytes: &[u8],
    array: &str,
    each: &mut dyn FnMut(usize, Value) -> bool,
) -> Result<(), Bad> {
    let mut stopped = false;
    let outcome = walk(
        bytes,
        array,
        Some(&mut |index, value| {
            stopped = !each(index, value);
            !stopped
        }),
    );
    if stopped { Ok(()) } else { outcome.map(|_| ()) }
}

type Each<'e> = Option<&'e mut dyn FnMut(usize, Value) -> bool>;

fn walk<'e>(bytes: &[u8], array: &'e str, each: Each<'e>) -> Result<Map<String, Value>, Bad> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    File { array, each }
        .deserialize(&mut reader)
        .and_then(|map| reader.end().map(|()| map))
        .map_err(|error| Bad::file(error.to_string()))
}

struct File<'e> {
    array: &'e str,
    each: Each<'e>,
}

impl<'de> DeserializeSeed<'de> for File<'_> {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for File<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut header = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if key != self.array {
                header.insert(key, access.next_value()?);
            } else if let Some(each) = self.each.as_deref_mut() {
                access.next_value_seed(Elements(each))?;
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(header)
    }
}

struct Elements<'e>(&'e mut dyn FnMut(usize, Value) -> bool);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(value) = access.next_element()? {
            if !(self.0)(index, value) {
                return Err(A::Error::custom("stopped"));
            }
            index += 1;
        }
        Ok(())
    }
}
