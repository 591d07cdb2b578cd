//! How a JSON object becomes a draft: member by member, one-or-many where a list is expected.

use crate::ReadError;
use crate::loose::{Scalar, field_error};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A record read member by member. Unknown members must be passed over with [`skip`].
pub(crate) trait Record: Default {
    type Draft;

    /// Reads the value of the member `key`.
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;

    /// Adds what was read; a wrapper (`{"Event": …}`) adds what it wraps.
    fn finish(self, out: &mut Vec<Self::Draft>) -> Shape;

    /// A text where an object was expected (`"Tag": ["tlp:red"]`).
    fn scalar(_text: &str) -> Option<Self> {
        None
    }
}

/// What stood where one or many records were expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `null`, empty text, an empty object.
    Nothing,
    One,
    List,
}

/// Reads a whole body of one or many records.
pub(crate) fn read_list<R: Record>(body: &[u8]) -> Result<(Vec<R::Draft>, Shape), ReadError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut drafts = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    let shape = List::<R>(&mut drafts).deserialize(&mut json)?;
    json.end()?;
    Ok((drafts, shape))
}

/// Reads a body of one record. An empty object or list is a record with nothing in it.
pub(crate) fn read_one<R: Record>(name: &str, body: &[u8]) -> Result<R::Draft, ReadError> {
    let (mut drafts, _) = read_list::<R>(body)?;
    if drafts.is_empty() {
        R::default().finish(&mut drafts);
    }
    let draft = drafts.pop();
    match draft {
        Some(draft) if drafts.is_empty() => Ok(draft),
        _ => Err(ReadError::Field {
            field: name.to_owned(),
            message: "Expected one record, not a list.".to_owned(),
        }),
    }
}

/// Reads one or many records into a list: a list, one object, a PHP map with numbered keys, or nothing.
pub(crate) struct List<'v, R: Record>(pub(crate) &'v mut Vec<R::Draft>);

impl<'de, R: Record> DeserializeSeed<'de> for List<'_, R> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R: Record> Visitor<'de> for List<'_, R> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of objects")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Nothing)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Nothing)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Nothing)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Nothing)
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        Ok(match R::scalar(text) {
            Some(record) => record.finish(self.0),
            None => Shape::Nothing,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        while seq.next_element_seed(List::<R>(&mut *self.0))?.is_some() {}
        Ok(Shape::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut record = R::default();
        let mut shape = Shape::Nothing;
        let mut has_members = false;
        while let Some(Key(key)) = map.next_key()? {
            if !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit()) {
                map.next_value_seed(List::<R>(&mut *self.0))?;
                shape = Shape::List;
            } else {
                has_members = true;
                record.member(&key, &mut map)?;
            }
        }
        if has_members {
            let own = record.finish(self.0);
            return Ok(if shape == Shape::List { shape } else { own });
        }
        Ok(shape)
    }
}

/// A member name, borrowed from the body unless it holds an escape.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor<'de>(PhantomData<&'de ()>);
        impl<'de> Visitor<'de> for KeyVisitor<'de> {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor(PhantomData))
    }
}

// ---- Reading one member ---------------------------------------------------------------------------

/// Passes over a member nobody asked for.
pub(crate) fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(|_| ())
}

/// One or many records under a member.
pub(crate) fn list<'de, R: Record, A: MapAccess<'de>>(
    map: &mut A,
    into: &mut Vec<R::Draft>,
) -> Result<Shape, A::Error> {
    map.next_value_seed(List::<R>(into))
}

/// One record under a member; of several, the first.
pub(crate) fn one<'de, R: Record, A: MapAccess<'de>>(map: &mut A) -> Result<Option<R::Draft>, A::Error> {
    let mut drafts = Vec::new();
    list::<R, A>(map, &mut drafts)?;
    Ok(drafts.into_iter().next())
}

fn scalar<'de, A: MapAccess<'de>, T>(
    field: &str,
    map: &mut A,
    read: impl FnOnce(Scalar<'de>) -> Result<T, &'static str>,
) -> Result<T, A::Error> {
    read(map.next_value()?).map_err(|message| field_error(field, message))
}

/// Text without copying it.
pub(crate) fn borrowed<'de, A: MapAccess<'de>>(
    field: &str,
    map: &mut A,
) -> Result<Option<Cow<'de, str>>, A::Error> {
    scalar(field, map, Scalar::text)
}

/// Text; `null` leaves what was there.
pub(crate) fn text<'de, A: MapAccess<'de>>(
    field: &str,
    map: &mut A,
    into: &mut Option<String>,
) -> Result<(), A::Error> {
    if let Some(text) = borrowed(field, map)? {
        *into = Some(text.into_owned());
    }
    Ok(())
}

/// Text that is nothing when empty or a boolean (MISP writes `relationship_type: false`).
pub(crate) fn word<'de, A: MapAccess<'de>>(
    field: &str,
    map: &mut A,
    into: &mut Option<String>,
) -> Result<(), A::Error> {
    match map.next_value()? {
        Scalar::Bool(_) => Ok(()),
        other => {
            let text = other.text().map_err(|message| field_error(field, message))?;
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                *into = Some(text.into_owned());
            }
            Ok(())
        }
    }
}

/// A field that `null` or empty text clears (first_seen, last_seen, expiration).
pub(crate) fn clearable<'de, A: MapAccess<'de>>(
    field: &str,
    map: &mut A,
    into: &mut Option<Option<String>>,
) -> Result<(), A::Error> {
    let text = borrowed(field, map)?;
    *into = Some(text.filter(|text| !text.trim().is_empty()).map(Cow::into_owned));
    Ok(())
}

/// A whole number.
pub(crate) fn integer<'de, A: MapAccess<'de>>(
    field: &str,
    map: &mut A,
    into: &mut Option<i64>,
) -> Result<(), A::Error> {
    if let Some(number) = scalar(field, map, Scalar::integer)? {
        *into = Some(number);
    }
    Ok(())
}

/// A row number; what is none is ignored.
pub(crate) fn row<'de, A: MapAccess<'de>>(map: &mut A, into: &mut Option<i64>) -> Result<(), A::Error> {
    if let Ok(Some(number)) = map.next_value::<Scalar<'de>>()?.integer()
        && number > 0
    {
        *into = Some(number);
    }
    Ok(())
}

/// A number that may also be given by name (`"analysis": "Completed"`); names count from `first`.
pub(crate) fn code<'de, A: MapAccess<'de>>(
    field: &str,
    map: &mut A,
    names: &[&str],
    first: i64,
    into: &mut Option<i64>,
) -> Result<(), A::Error> {
    let scalar: Scalar<'de> = map.next_value()?;
    if let Scalar::Text(text) = &scalar
        && let Some(position) = names.iter().position(|name| name.eq_ignore_ascii_case(text.trim()))
    {
        *into = Some(first + position as i64);
        return Ok(());
    }
    if let Some(number) = scalar.integer().map_err(|message| field_error(field, message))? {
        *into = Some(number);
    }
    Ok(())
}

/// A yes or no.
pub(crate) fn flag<'de, A: MapAccess<'de>>(
    field: &str,
    map: &mut A,
    into: &mut Option<bool>,
) -> Result<(), A::Error> {
    if let Some(flag) = scalar(field, map, Scalar::flag)? {
        *into = Some(flag);
    }
    Ok(())
}

/// A uuid in any case; text that is none raises `bad`, empty text is nothing.
pub(crate) fn uuid<'de, A: MapAccess<'de>>(
    field: &str,
    map: &mut A,
    into: &mut Option<Uuid>,
    bad: &mut bool,
) -> Result<(), A::Error> {
    if let Some(text) = borrowed(field, map)?
        && let text = text.trim()
        && !text.is_empty()
    {
        *into = parse_uuid(text);
        *bad = into.is_none();
    }
    Ok(())
}

/// A uuid that is nothing when it is wrong.
pub(crate) fn uuid_or_nothing<'de, A: MapAccess<'de>>(
    field: &str,
    map: &mut A,
    into: &mut Option<Uuid>,
) -> Result<(), A::Error> {
    if let Some(found) = borrowed(field, map)?.and_then(|text| parse_uuid(text.trim())) {
        *into = Some(found);
    }
    Ok(())
}

/// Only the hyphenated form: the parser also knows braces and `urn:uuid:`, MISP does not.
pub(crate) fn parse_uuid(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}

/// A row number or uuid; `0` and what is neither are nothing.
pub(crate) fn reference<'de, A: MapAccess<'de>>(
    field: &str,
    map: &mut A,
    into: &mut Option<Ref>,
) -> Result<(), A::Error> {
    if let Some(found) = borrowed(field, map)?.and_then(|text| Ref::parse(&text))
        && found != Ref::Id(0)
    {
        *into = Some(found);
    }
    Ok(())
}

/// One text or a list of texts; other items are ignored.
pub(crate) fn texts<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Vec<String>>, A::Error> {
    map.next_value::<Texts>().map(|texts| texts.0)
}

/// Texts under a member: `None` when there are none; a nested list or object counts as none.
pub(crate) struct Texts(pub(crate) Option<Vec<String>>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextsVisitor;
        impl TextsVisitor {
            fn one<E>(scalar: Scalar<'_>) -> Result<Texts, E> {
                Ok(Texts(scalar.text().ok().flatten().map(|text| vec![text.into_owned()])))
            }
        }
        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = Texts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_unit<E>(self) -> Result<Texts, E> {
                Ok(Texts(None))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Texts, E> {
                Self::one(Scalar::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Texts, E> {
                Self::one(Scalar::Int(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Texts, E> {
                Self::one(Scalar::Text(value.to_string().into()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Texts, E> {
                Self::one(Scalar::Float(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Texts, E> {
                Ok(Texts(Some(vec![value.to_owned()])))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(item) = seq.next_element::<Scalar<'de>>()? {
                    texts.extend(item.text().ok().flatten().map(Cow::into_owned));
                }
                Ok(Texts(Some(texts)))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                // A list in PHP's clothes has numbers for keys; any other object is no text.
                let mut texts = Vec::new();
                while let Some((Key(key), item)) = map.next_entry::<Key<'de>, Scalar<'de>>()? {
                    if key.bytes().all(|b| b.is_ascii_digit()) {
                        texts.extend(item.text().ok().flatten().map(Cow::into_owned));
                    }
                }
                Ok(Texts(if texts.is_empty() { None } else { Some(texts) }))
            }
        }
        deserializer.deserialize_any(TextsVisitor)
    }
}

/// Clients send base64 with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes in base64, line breaks allowed.
pub(crate) fn bytes<'de, A: MapAccess<'de>>(
    field: &str,
    map: &mut A,
    into: &mut Option<Vec<u8>>,
) -> Result<(), A::Error> {
    let Some(text) = borrowed(field, map)?.filter(|text| !text.is_empty()) else { return Ok(()) };
    let decoded = BASE64.decode(text.as_bytes()).or_else(|_| {
        let bare: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        BASE64.decode(bare)
    });
    *into = Some(decoded.map_err(|_| field_error::<A::Error>(field, "Invalid base64."))?);
    Ok(())
}

/// Bytes in base64, for those who have the text alone.
pub fn read_base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).ok()
}
