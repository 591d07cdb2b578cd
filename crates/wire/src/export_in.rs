//! An export of MISP as `events/add_misp_export` is sent it: as it is, or as a text beside what to do with it.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::borrow::Cow;

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportIn<'b> {
    /// The file, JSON or XML.
    pub content: Cow<'b, [u8]>,
    /// Its events become those of whoever sends it.
    pub take_ownership: bool,
    pub publish: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Form<'b> {
    #[serde(borrow)]
    filecontent: Option<Cow<'b, str>>,
    takeownership: Option<Value>,
    publish: Option<Value>,
}

/// Nothing but whether there is a form in it.
#[derive(Deserialize)]
struct Outer {
    filecontent: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Inner<'b> {
    #[serde(borrow, rename = "Event")]
    event: Form<'b>,
}

/// Reads `{"filecontent", "takeownership", "publish"}`, bare or below `Event`; whatever is no such form is the file.
pub fn read_export(body: &[u8]) -> ExportIn<'_> {
    let bare = serde_json::from_slice::<Outer>(body).is_ok_and(|outer| outer.filecontent.is_some());
    let form = match bare {
        true => serde_json::from_slice::<Form<'_>>(body).ok(),
        false => serde_json::from_slice::<Inner<'_>>(body).ok().map(|inner| inner.event),
    };
    match form {
        Some(Form { filecontent: Some(text), takeownership, publish }) => ExportIn {
            content: match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
            take_ownership: takeownership.is_some_and(|said| means_yes(&said)),
            publish: publish.is_some_and(|said| means_yes(&said)),
        },
        _ => ExportIn { content: Cow::Borrowed(body), take_ownership: false, publish: false },
    }
}

fn means_yes(said: &Value) -> bool {
    match said {
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(text) => !matches!(text.as_str(), "" | "0" | "false"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_told_from_a_file() {
        let file = br#"{"response":[{"Event":{"info":"filecontent","publish":1}}]}"#;
        assert_eq!(read_export(file).content.as_ref(), file);
        for form in [
            r#"{"filecontent":"{\"info\":\"x\"}","publish":"1","takeownership":0}"#,
            r#"{"Event":{"filecontent":"{\"info\":\"x\"}","publish":true}}"#,
        ] {
            let read = read_export(form.as_bytes());
            assert_eq!(read.content.as_ref(), br#"{"info":"x"}"#, "{form}");
            assert!(read.publish && !read.take_ownership);
        }
        for other in [
            &b""[..],
            b"[]",
            b"<response/>",
            b"{\"filecontent\":3}",
            b"{\"Event\":[{\"filecontent\":\"x\"}]}",
        ] {
            assert_eq!(read_export(other).content.as_ref(), other);
        }
    }
}
