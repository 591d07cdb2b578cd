//! What MISP's feeds are made of: the settings a feed is read with, the manifest, the list of hashes (semantics 7.10).

use crate::ReadError;
use pisax_model::Uuid;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::io::Read;

/// How a feed is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedSettings {
    /// Columns of a table that hold values, the first being 1; none: all of them.
    pub columns: Vec<usize>,
    pub delimiter: char,
    /// What is not wanted: a regular expression as MISP writes it, or empty.
    pub exclude: String,
    pub disable_correlation: bool,
    /// Events arrive unpublished.
    pub unpublish: bool,
}

impl Default for FeedSettings {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            delimiter: ',',
            exclude: String::new(),
            disable_correlation: false,
            unpublish: false,
        }
    }
}

/// Reads the settings of a feed: nothing, and PHP's empty list, are none.
pub fn read_feed_settings(text: &str) -> Result<FeedSettings, ReadError> {
    let mut settings = FeedSettings::default();
    if text.trim().is_empty() {
        return Ok(settings);
    }
    let value: Value = serde_json::from_str(text).map_err(|e| ReadError::NotJson(e.to_string()))?;
    let csv = |name: &str| value.get("csv").and_then(|csv| csv.get(name));
    if let Some(delimiter) = csv("delimiter").and_then(Value::as_str).filter(|d| !d.is_empty()) {
        settings.delimiter = match delimiter {
            "\\t" => '\t',
            other => one_character(other)?,
        };
    }
    let wanted = csv("value").filter(|wanted| !wanted.is_null());
    let texts: Vec<String> = match wanted {
        None => Vec::new(),
        Some(Value::Array(list)) => list.iter().map(plain).collect(),
        Some(one) => plain(one).split(',').map(str::to_owned).collect(),
    };
    for text in texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        match text.parse::<usize>() {
            Ok(column) if (1..=1000).contains(&column) => settings.columns.push(column),
            _ => return Err(field("settings.csv.value", "Expected numbers of columns, from 1.")),
        }
    }
    if let Some(exclude) = value.get("common").and_then(|common| common.get("excluderegex")) {
        settings.exclude = plain(exclude).trim().to_owned();
    }
    settings.disable_correlation = yes(value.get("disable_correlation"));
    settings.unpublish = yes(value.get("unpublish_event"));
    Ok(settings)
}

fn one_character(text: &str) -> Result<char, ReadError> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(c),
        _ => Err(field("settings.csv.delimiter", "Expected one character, or \\t.")),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn yes(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(on)) => *on,
        Some(Value::Number(number)) => number.as_i64() != Some(0),
        Some(Value::String(text)) => !matches!(text.as_str(), "" | "0" | "false"),
        _ => false,
    }
}

fn field(name: &str, message: &str) -> ReadError {
    ReadError::Field { field: name.to_owned(), message: message.to_owned() }
}

/// One event as the manifest of a feed lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// None: the name of the entry is no uuid.
    pub uuid: Option<Uuid>,
    /// As it stands there, shortened.
    pub name: String,
    pub info: String,
    pub orgc_name: String,
    pub orgc_uuid: Option<Uuid>,
    pub tags: Vec<String>,
    pub timestamp: i64,
    pub publish_timestamp: i64,
    /// The entry itself.
    pub json: String,
}

/// Longest name of an entry and longest entry that are kept, in bytes.
const MAX_NAME: usize = 200;
const MAX_ENTRY: usize = 1 << 20;

/// Reads a manifest entry by entry: an object with the uuids of events as names. PHP's empty list is one without.
pub fn read_manifest(
    text: impl Read,
    mut each: impl FnMut(Listed) -> Result<(), String>,
) -> Result<(), ManifestError> {
    let mut stopped = None;
    let mut json = serde_json::Deserializer::from_reader(std::io::BufReader::with_capacity(64 * 1024, text));
    let read = Manifest { each: &mut each, stopped: &mut stopped }.deserialize(&mut json);
    match (stopped, read.and_then(|()| json.end())) {
        (Some(why), _) => Err(ManifestError::Stopped(why)),
        (None, Ok(())) => Ok(()),
        (None, Err(e)) if e.is_io() => Err(ManifestError::Broken(e.into())),
        (None, Err(e)) => Err(ManifestError::NotOne(e.to_string())),
    }
}

/// Why a manifest was not read to its end.
#[derive(Debug)]
pub enum ManifestError {
    /// Whoever took the entries said so.
    Stopped(String),
    /// Where it came from failed.
    Broken(std::io::Error),
    /// It is none.
    NotOne(String),
}

struct Manifest<'m, F> {
    each: &'m mut F,
    stopped: &'m mut Option<String>,
}

impl<'de, F: FnMut(Listed) -> Result<(), String>> DeserializeSeed<'de> for Manifest<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(Listed) -> Result<(), String>> Visitor<'de> for Manifest<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the manifest of a feed")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        match list.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(serde::de::Error::custom("expected an object with uuids as names, not a list")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let raw = map.next_value::<Box<serde_json::value::RawValue>>()?;
            if let Err(why) = (self.each)(listed(&name, raw.get())) {
                *self.stopped = Some(why);
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

fn listed(name: &str, json: &str) -> Listed {
    let value: Value =
        if json.len() <= MAX_ENTRY { serde_json::from_str(json).unwrap_or_default() } else { Value::Null };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |name: &str| match value.get(name) {
        Some(Value::String(text)) => text.trim().parse().unwrap_or(0),
        Some(Value::Number(number)) => number.as_i64().unwrap_or(0),
        _ => 0,
    };
    let orgc = value.get("Orgc").or_else(|| value.get("orgc"));
    let tags = value.get("Tag").and_then(Value::as_array);
    let tags = tags.into_iter().flatten().filter_map(|tag| tag.get("name")?.as_str().map(str::to_owned));
    let mut end = name.len().min(MAX_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    Listed {
        // Only as uuids are written with hyphens: the name becomes part of an address.
        uuid: Uuid::try_parse(name).ok().filter(|uuid| name.len() == 36 && !uuid.is_nil()),
        name: name[..end].to_owned(),
        info: text(value.get("info")),
        orgc_name: text(orgc.and_then(|orgc| orgc.get("name"))),
        orgc_uuid: orgc
            .and_then(|orgc| orgc.get("uuid")?.as_str())
            .and_then(|text| Uuid::try_parse(text).ok()),
        tags: tags.collect(),
        timestamp: number("timestamp"),
        publish_timestamp: number("publish_timestamp"),
        json: if value.is_object() { json.to_owned() } else { "{}".to_owned() },
    }
}

/// Reads a line of `hashes.csv`: the MD5 of a value and the event that holds it.
pub fn read_hash_line(line: &str) -> Option<([u8; 16], Uuid)> {
    let (hash, uuid) = line.trim().split_once(',')?;
    let hash = hash.trim().trim_matches('"');
    if hash.len() != 32 || !hash.is_ascii() {
        return None;
    }
    let mut bytes = [0; 16];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hash[2 * place..2 * place + 2], 16).ok()?;
    }
    Some((bytes, Uuid::try_parse(uuid.trim().trim_matches('"')).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_misp_writes_them() {
        for none in ["", "[]", "{}", r#"{"csv":{"value":"","delimiter":","},"common":{"excluderegex":""}}"#] {
            assert_eq!(read_feed_settings(none).unwrap(), FeedSettings::default());
        }
        let read = read_feed_settings(
            r#"{"csv":{"value":"2, 3","delimiter":"\\t"},"common":{"excluderegex":"/^x/i"},"disable_correlation":"1"}"#,
        );
        let read = read.unwrap();
        assert_eq!((read.columns.as_slice(), read.delimiter), (&[2, 3][..], '\t'));
        assert_eq!((read.exclude.as_str(), read.disable_correlation, read.unpublish), ("/^x/i", true, false));
        for bad in
            [r#"{"csv":{"value":"0"}}"#, r#"{"csv":{"value":"a"}}"#, r#"{"csv":{"delimiter":"ab"}}"#, "x"]
        {
            assert!(read_feed_settings(bad).is_err(), "{bad}");
        }
    }

    fn manifest(text: &str) -> Result<Vec<Listed>, ManifestError> {
        let mut found = Vec::new();
        read_manifest(text.as_bytes(), |listed| {
            found.push(listed);
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn a_manifest_is_read_entry_by_entry() {
        let found = manifest(
            r#"{"11111111-0000-4000-8000-000000000001":{"Orgc":{"name":"A","uuid":"22222222-0000-4000-8000-000000000001"},
               "Tag":[{"name":"tlp:clear"},{"colour":"x"}],"info":"i","timestamp":"17","publish_timestamp":18},
               "../../etc":{"orgc":{"name":"B"}},"111111110000400080000000000000ff":7}"#,
        )
        .unwrap();
        assert_eq!((found[0].timestamp, found[0].publish_timestamp, found[0].tags.len()), (17, 18, 1));
        assert_eq!((found[0].orgc_name.as_str(), found[0].orgc_uuid.is_some()), ("A", true));
        assert_eq!((found[1].uuid, found[1].orgc_name.as_str()), (None, "B"));
        assert_eq!((found[2].uuid, found[2].json.as_str()), (None, "{}"));
        assert!(manifest("[]").unwrap().is_empty());
        for bad in ["", "[1]", "7", "{\"a\":", "{} x", "<html>"] {
            assert!(matches!(manifest(bad), Err(ManifestError::NotOne(_))), "{bad}");
        }
    }

    #[test]
    fn a_hash_line_is_two_columns() {
        let line = "00ff00ff00ff00ff00ff00ff00ff00ff,11111111-0000-4000-8000-000000000001";
        assert_eq!(read_hash_line(line).unwrap().0[..2], [0, 255]);
        for bad in
            ["", "x,y", "00ff,11111111-0000-4000-8000-000000000001", "ééééééééééééééééé,é", &line[..40]]
        {
            assert!(read_hash_line(bad).is_none());
        }
    }
}
