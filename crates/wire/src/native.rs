//! What two PISAX tell each other: a line of JSON for each record, and for each place from which to go on.
//!
//! ```text
//! {"Event":{…},"Signature":"…"}      an event, as it is pulled; signed where it is protected
//! {"Sighting":[…],"event_uuid":"…"}   sightings of an event that was sent before
//! {"ShadowAttribute":[…]}             proposals
//! {"Changed":["GalaxyCluster",…]}     what has changed beside events and is fetched by MISP's calls
//! {"Cursor":"…","More":true}          everything before this line was sent
//! ```

use crate::ReadError;
use crate::json::JsonWriter;
use serde::Deserialize;
use serde_json::value::RawValue;

/// One line, as it was read.
#[derive(Debug)]
pub enum Line {
    /// The JSON document `{"Event":…}` as its signature is about it.
    Event {
        document: Vec<u8>,
        signature: Option<String>,
    },
    /// A list, and the event it is about.
    Sightings {
        event: String,
        list: Vec<u8>,
    },
    Proposals(Vec<u8>),
    Changed(Vec<String>),
    Cursor {
        cursor: String,
        more: bool,
    },
    /// Something of a later version: passed over.
    Unknown,
}

#[derive(Deserialize)]
struct Raw<'l> {
    #[serde(rename = "Event", borrow)]
    event: Option<&'l RawValue>,
    #[serde(rename = "Signature")]
    signature: Option<String>,
    #[serde(rename = "Sighting", borrow)]
    sightings: Option<&'l RawValue>,
    event_uuid: Option<String>,
    #[serde(rename = "ShadowAttribute", borrow)]
    proposals: Option<&'l RawValue>,
    #[serde(rename = "Changed")]
    changed: Option<Vec<String>>,
    #[serde(rename = "Cursor")]
    cursor: Option<String>,
    #[serde(rename = "More", default)]
    more: bool,
}

/// Longest cursor that is taken, in bytes: it is kept.
const MAX_CURSOR: usize = 200;

pub fn read_line(line: &[u8]) -> Result<Line, ReadError> {
    let raw: Raw<'_> = serde_json::from_slice(line).map_err(|e| ReadError::NotJson(e.to_string()))?;
    if let Some(event) = raw.event {
        let document = [b"{\"Event\":", event.get().as_bytes(), b"}"].concat();
        return Ok(Line::Event { document, signature: raw.signature });
    }
    if let (Some(list), Some(event)) = (raw.sightings, raw.event_uuid) {
        return Ok(Line::Sightings { event, list: list.get().as_bytes().to_vec() });
    }
    if let Some(list) = raw.proposals {
        return Ok(Line::Proposals(list.get().as_bytes().to_vec()));
    }
    if let Some(kinds) = raw.changed {
        return Ok(Line::Changed(kinds));
    }
    match raw.cursor {
        Some(cursor) if cursor.len() <= MAX_CURSOR => Ok(Line::Cursor { cursor, more: raw.more }),
        Some(_) => Err(ReadError::NotJson("a cursor is too long".into())),
        None => Ok(Line::Unknown),
    }
}

/// Ends the line of an event whose document `{"Event":…}` was written without its last brace.
pub fn end_event(out: &mut Vec<u8>, signature: Option<&str>) {
    if let Some(signature) = signature {
        out.extend_from_slice(b",\"Signature\":");
        JsonWriter::new(out).str(signature);
    }
    out.extend_from_slice(b"}\n");
}

pub fn write_cursor(out: &mut Vec<u8>, cursor: &str, more: bool) {
    let mut w = JsonWriter::new(out);
    w.begin_object();
    w.key("Cursor");
    w.str(cursor);
    w.key("More");
    w.bool(more);
    w.end_object();
    out.push(b'\n');
}

pub fn write_changed(out: &mut Vec<u8>, kinds: &[&str]) {
    let mut w = JsonWriter::new(out);
    w.begin_object();
    w.key("Changed");
    w.begin_array();
    kinds.iter().for_each(|kind| w.str(kind));
    w.end_array();
    w.end_object();
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        out.extend_from_slice(b"{\"Event\":{\"info\":\"a b\"}");
        end_event(&mut out, Some("c2ln"));
        write_changed(&mut out, &["Note"]);
        write_cursor(&mut out, "12", true);
        let lines: Vec<Line> =
            out.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| read_line(l).unwrap()).collect();
        assert!(
            matches!(&lines[0], Line::Event { document, signature: Some(s) } if document == b"{\"Event\":{\"info\":\"a b\"}}" && s == "c2ln")
        );
        assert!(matches!(&lines[1], Line::Changed(kinds) if kinds == &["Note"]));
        assert!(matches!(&lines[2], Line::Cursor { cursor, more: true } if cursor == "12"));
        assert!(matches!(read_line(b"{\"New\":1}"), Ok(Line::Unknown)));
        for bad in [&b"[]"[..], b"{", b"\xff", b"{\"Cursor\":7}"] {
            assert!(read_line(bad).is_err());
        }
        assert!(read_line(format!("{{\"Cursor\":\"{}\"}}", "x".repeat(300)).as_bytes()).is_err());
    }
}
