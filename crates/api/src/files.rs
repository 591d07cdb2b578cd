//! Attached bytes as they are: `/attributes/downloadAttachment`, `/attributes/viewPicture`,
//! `/events/upload_sample`.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{self, member, number_member};
use crate::request::Request;
use http::StatusCode;
use pisax_formats::picture::thumbnail;
use pisax_model::AttributeType;
use pisax_model::content::is_picture;
use pisax_model::ids::Ref;
use pisax_service::{Error, sample};
use pisax_store::files::Attachment;
use pisax_wire::answer as body;

/// What is attached to an attribute.
struct Attached {
    kind: AttributeType,
    value1: String,
    bytes: Option<Vec<u8>>,
}

/// Answers with what is attached to the attribute in this path argument. It is fetched while no connection is
/// held.
fn attached(
    request: &Request,
    argument: Option<&str>,
    shown: impl FnOnce(Option<Attached>) -> Result<Answer, Failure> + Send + 'static,
) -> Result<Answer, Failure> {
    let reference = argument.and_then(Ref::parse).ok_or(Failure::NotFound(body::INVALID_ATTRIBUTE))?;
    let found = request.service.read(&request.actor, |r| {
        let Some(batch) = r.attribute(reference)? else { return Ok(None) };
        let attribute = batch.get(0);
        let file = if attribute.kind.holds_bytes() { r.attachment(attribute.id)? } else { None };
        Ok(Some((attribute.kind, attribute.value1.to_owned(), file)))
    })?;
    Ok(Answer::waiting(move || {
        let fetched = found.map(|(kind, value1, file)| {
            let bytes = file.map(Attachment::bytes).transpose().map_err(Error::from)?.flatten();
            Ok::<_, Failure>(Attached { kind, value1, bytes })
        });
        shown(fetched.transpose()?)
    }))
}

/// GET /attributes/downloadAttachment/{id}, /attributes/download/{id}: the bytes as they are kept, a sample
/// sealed.
pub(crate) fn download(request: &Request) -> Result<Answer, Failure> {
    // Before it, old clients put a word.
    let last = request.path.arg(1).or_else(|| request.path.arg(0));
    attached(request, last, |attached| {
        let missing = || Failure::NotFound(body::INVALID_ATTRIBUTE);
        let attached = attached.ok_or_else(missing)?;
        let bytes = attached.bytes.ok_or_else(missing)?;
        let base = attached.value1.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        let (name, content_type) = match attached.kind.name() {
            "malware-sample" => (format!("{base}.zip"), "application/zip"),
            _ => (base, "application/octet-stream"),
        };
        // Never shown in place: whoever attached it chose what is in it.
        Ok(Answer::status(StatusCode::OK, bytes)
            .header("content-type", content_type)
            .header("x-content-type-options", "nosniff")
            .header("content-disposition", disposition(&name)))
    })
}

/// RFC 6266: the name in plain letters, and as it is where that differs: clients expect nothing behind it.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
        .collect();
    if plain == name {
        return format!("attachment; filename=\"{plain}\"");
    }
    let exact = name.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    });
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

/// How large a small picture is unless the client says it otherwise, as in MISP, and at most.
const SMALL: u32 = 200;
const LARGE: u32 = 1000;

/// GET /attributes/viewPicture/{id}[/1[/width:…/height:…]]: a picture in base64, as MISP answers a client that is no
/// browser; a small one as a PNG.
pub(crate) fn picture(request: &Request) -> Result<Answer, Failure> {
    let small = !request.path.arg(1).is_none_or(|small| matches!(small, "" | "0" | "false"));
    let side = |name: &'static str| match request.path.named(name) {
        None => Ok(SMALL),
        Some(text) => {
            text.parse().ok().filter(|side| (1..=LARGE).contains(side)).ok_or_else(|| Failure::Unreadable {
                field: name.into(),
                message: format!("Expected a number from 1 to {LARGE}."),
            })
        }
    };
    let (width, height) = (side("width")?, side("height")?);
    attached(request, request.path.arg(0), move |attached| {
        let attached = attached.filter(|a| a.kind.name() == "attachment");
        let attached = attached.ok_or_else(|| Failure::NotAllowed(body::INVALID_ATTRIBUTE.into()))?;
        if !is_picture(&attached.value1) {
            return Err(Failure::NotFound("Attribute is not an image."));
        }
        let bytes = attached.bytes.ok_or(Failure::NotFound("Attribute is not an image."))?;
        if !small {
            return Ok(reply::document(|w| w.base64(&bytes)));
        }
        let small = thumbnail(&bytes, width, height)
            .map_err(|reason| Failure::BadRequest(format!("There is no small picture of it: {reason}")))?;
        Ok(Answer::status(StatusCode::OK, small)
            .header("content-type", "image/png")
            .header("x-content-type-options", "nosniff")
            .header("cache-control", "private, max-age=3600"))
    })
}

/// POST /events/upload_sample[/{event}]
pub(crate) fn upload(request: &Request) -> Result<Answer, Failure> {
    let mut draft = pisax_wire::read_upload(&request.body)?;
    if let Some(event) = request.path.arg(0) {
        draft.event = Some(Ref::parse(event).ok_or(Failure::NotFound(body::INVALID_EVENT))?);
    }
    if draft.event.is_none() && draft.distribution == Some(5) {
        return Err(Failure::BadRequest("A new event cannot inherit its distribution.".into()));
    }
    let done = sample::upload(&request.service, &request.actor, draft).map_err(|e| match e {
        Error::Invalid(fields) if fields.iter().any(|f| f.field == "files") => {
            Failure::BadRequest(fields[0].message.clone())
        }
        other => other.into(),
    })?;
    // MISP saves those it can.
    let (name, message) = match done.refused.is_empty() {
        true => ("Success", "Success, saved all attributes."),
        false => ("Failed", "Failed to save any of the supplied samples."),
    };
    Ok(reply::document(|w| {
        w.begin_object();
        member(w, "name", name);
        member(w, "message", message);
        if let Some(id) = done.event_id {
            member(w, "url", &format!("{}/events/view/{id}", request.service.policy.base_url));
            number_member(w, "id", id);
        }
        if !done.refused.is_empty() {
            w.key("errors");
            w.begin_array();
            done.refused.iter().for_each(|name| w.str(name));
            w.end_array();
        }
        w.end_object();
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_break_out_of_its_header() {
        assert_eq!(
            disposition("a\"; b\r\nä.exe"),
            "attachment; filename=\"a__ b___.exe\"; filename*=UTF-8''a%22%3B%20b%0D%0A%C3%A4.exe"
        );
    }

    #[test]
    fn a_plain_file_name_is_given_once() {
        assert_eq!(disposition("a note.txt"), "attachment; filename=\"a note.txt\"");
    }
}
