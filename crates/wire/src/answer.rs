//! The bodies of success and failure (semantics 6) and the sentences clients compare.

use crate::json::{JsonWriter, k};
use pisax_model::FieldError;

pub const INVALID_JSON: &str = "Invalid JSON input. Make sure that the JSON input is a correctly formatted JSON string. This request has been blocked to avoid an unfiltered request.";
pub const NO_FILTER: &str =
    "Either specify the search terms in the url, or POST a json with the filter parameters.";
pub const AUTHENTICATION_FAILED: &str = "Authentication failed. Please make sure you pass the API key of an API enabled user along in the Authorization header.";
pub const NO_PERMISSION: &str = "You do not have permission to use this functionality.";
pub const NO_PERMISSION_THAT: &str = "You do not have permission to do that.";
pub const NOT_AUTHORISED: &str = "You are not authorised to do that.";
pub const EVENT_EXISTS: &str =
    "Event already exists, if you would like to edit it, use the url in the location header.";
pub const EVENT_NOT_NEWER: &str =
    "Event could not be saved: Event in the request not newer than the local copy.";
pub const ATTRIBUTE_NOT_NEWER: &str =
    "Attribute could not be saved: Attribute in the request not newer than the local copy.";
pub const SIMILAR_ATTRIBUTE: &str = "A similar attribute already exists for this event.";
pub const BLOCKED_EVENT: &str = "Event blocked by event blocklist.";
pub const BLOCKED_ORGANISATION: &str = "Event blocked by organisation blocklist.";
pub const INVALID_EVENT: &str = "Invalid event";
pub const INVALID_ATTRIBUTE: &str = "Invalid attribute";
pub const INVALID_OBJECT: &str = "Invalid object";
pub const INVALID_TARGET: &str = "Invalid Target.";
pub const INVALID_FORMAT: &str = "Invalid output format.";

fn document(write: impl FnOnce(&mut JsonWriter<'_>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut w = JsonWriter::new(&mut out);
    w.begin_object();
    write(&mut w);
    w.end_object();
    out
}

fn named(w: &mut JsonWriter<'_>, message: &str, url: &str) {
    w.text(k!("name"), message);
    w.text(k!("message"), message);
    w.text(k!("url"), url);
}

/// A refusal: `{"name":M,"message":M,"url":…}`. The status tells the kind.
pub fn exception(message: &str, url: &str) -> Vec<u8> {
    document(|w| named(w, message, url))
}

/// What was wrong with a record.
#[derive(Debug, Clone, Copy)]
pub enum Errors<'a> {
    Text(&'a str),
    List(&'a [String]),
    /// `{"value":["…"]}`.
    Fields(&'a [FieldError]),
    /// One field whose name came from the client.
    Named(&'a str, &'a str),
    /// `{"Event":{"info":["…"]}}`, which events do.
    Model(&'a str, &'a [FieldError]),
}

impl Errors<'_> {
    fn write(&self, w: &mut JsonWriter<'_>) {
        match self {
            Self::Text(text) => w.str(text),
            Self::List(list) => {
                w.begin_array();
                list.iter().for_each(|text| w.str(text));
                w.end_array();
            }
            Self::Fields(errors) => write_fields(w, errors),
            Self::Named(field, message) => {
                w.begin_object();
                w.key(field);
                w.begin_array();
                w.str(message);
                w.end_array();
                w.end_object();
            }
            Self::Model(model, errors) => {
                w.begin_object();
                w.key(model);
                write_fields(w, errors);
                w.end_object();
            }
        }
    }
}

/// Field by field, each with all its messages.
fn write_fields(w: &mut JsonWriter<'_>, errors: &[FieldError]) {
    w.begin_object();
    for (at, error) in errors.iter().enumerate() {
        if errors[..at].iter().any(|before| before.field == error.field) {
            continue;
        }
        w.key(error.field);
        w.begin_array();
        errors[at..].iter().filter(|other| other.field == error.field).for_each(|same| w.str(&same.message));
        w.end_array();
    }
    w.end_object();
}

/// A record that was not saved, status 403: `Could not <action> <Model>`.
pub fn save_failure(action: &str, model: &str, url: &str, errors: Errors<'_>, id: Option<i64>) -> Vec<u8> {
    document(|w| {
        w.flag(k!("saved"), false);
        named(w, &format!("Could not {action} {model}"), url);
        w.name(k!("errors"));
        errors.write(w);
        if let Some(id) = id {
            w.num(k!("id"), id);
        }
    })
}

/// Success of an action that has no record to show.
pub fn saved(message: &str, url: &str, id: Option<i64>) -> Vec<u8> {
    document(|w| {
        w.flag(k!("saved"), true);
        w.flag(k!("success"), true);
        named(w, message, url);
        if let Some(id) = id {
            w.num(k!("id"), id);
        }
    })
}

/// `{"message":M}`: deletions of attributes (077), failed sightings.
pub fn message(text: &str) -> Vec<u8> {
    document(|w| w.text(k!("message"), text))
}

/// `{"saved":true,"success":M,"check_publish":true}`: tags and galaxies attached or detached (053).
pub fn tagged(text: &str) -> Vec<u8> {
    document(|w| {
        w.flag(k!("saved"), true);
        w.text(k!("success"), text);
        w.flag(k!("check_publish"), true);
    })
}

/// `{"saved":false,"errors":M}`: the same, refused.
pub fn not_tagged(text: &str) -> Vec<u8> {
    document(|w| {
        w.flag(k!("saved"), false);
        w.text(k!("errors"), text);
    })
}

/// `"errors":{"attribute_1":{…}}` beside the attributes of a list that were saved (072), by place in the list.
pub fn write_list_errors_member(w: &mut JsonWriter<'_>, errors: &[(usize, FieldError)]) {
    if errors.is_empty() {
        return;
    }
    w.name(k!("errors"));
    w.begin_object();
    for (place, error) in errors {
        w.key(&format!("attribute_{place}"));
        write_fields(w, std::slice::from_ref(error));
    }
    w.end_object();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: Vec<u8>) -> String {
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn failures_are_worded_as_misp_words_them() {
        let invalid = [FieldError::new("value", "IP address has an invalid format.")];
        let title = [FieldError::new("info", "valueNotEmpty")];
        for (body, expected) in [
            (
                save_failure("add", "Attribute", "/attributes/add", Errors::Fields(&invalid), None),
                r#"{"saved":false,"name":"Could not add Attribute","message":"Could not add Attribute","url":"/attributes/add","errors":{"value":["IP address has an invalid format."]}}"#,
            ),
            (
                save_failure("add", "Event", "/events/add", Errors::Model("Event", &title), None),
                r#"{"saved":false,"name":"Could not add Event","message":"Could not add Event","url":"/events/add","errors":{"Event":{"info":["valueNotEmpty"]}}}"#,
            ),
            (
                save_failure("edit", "Event", "/events/edit/2", Errors::Text(EVENT_NOT_NEWER), Some(2)),
                r#"{"saved":false,"name":"Could not edit Event","message":"Could not edit Event","url":"/events/edit/2","errors":"Event could not be saved: Event in the request not newer than the local copy.","id":"2"}"#,
            ),
            (
                exception("Not Found", "/events/nosuchaction"),
                r#"{"name":"Not Found","message":"Not Found","url":"/events/nosuchaction"}"#,
            ),
        ] {
            assert_eq!(text(body), expected);
        }
    }

    #[test]
    fn successes_are_worded_as_misp_words_them() {
        let attached = "Global tag tlp:amber(12) successfully attached to Event(2).";
        assert_eq!(
            text(saved(attached, "/tags/attachTagToObject", None)),
            format!(
                r#"{{"saved":true,"success":true,"name":"{attached}","message":"{attached}","url":"/tags/attachTagToObject"}}"#
            )
        );
        assert_eq!(
            text(tagged("Tag removed.")),
            r#"{"saved":true,"success":"Tag removed.","check_publish":true}"#
        );
        assert_eq!(text(message("Attribute deleted.")), r#"{"message":"Attribute deleted."}"#);
    }

    #[test]
    fn messages_of_one_field_stand_together() {
        let errors = [FieldError::new("a", "1"), FieldError::new("b", "2"), FieldError::new("a", "3")];
        let body = text(save_failure("add", "X", "/x", Errors::Fields(&errors), None));
        assert!(body.ends_with(r#""errors":{"a":["1","3"],"b":["2"]}}"#), "{body}");
        let mut out = Vec::new();
        let mut w = JsonWriter::new(&mut out);
        w.begin_object();
        write_list_errors_member(&mut w, &[(1, FieldError::new("value", "no"))]);
        w.end_object();
        assert_eq!(text(out), r#"{"errors":{"attribute_1":{"value":["no"]}}}"#);
    }
}
