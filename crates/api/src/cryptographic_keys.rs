//! `/cryptographicKeys/…`, `/events/protect`, `/events/unprotect` and the instance's own key.

use crate::answer::{Answer, Body};
use crate::failure::{Failure, Saving};
use crate::reply::{list, saved, wrapped};
use crate::request::{Request, flag, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use pisax_model::Uuid;
use pisax_model::cryptographic_key::{CryptographicKeyDraft, Proof};
use pisax_service::Service;
use pisax_service::cryptographic_key as service;
use pisax_wire::answer as body;
use pisax_wire::cryptographic_key_out::write_cryptographic_key;

const INVALID: &str = "Invalid cryptographic key";
/// Where servers put the signature over a body (MISP semantics 7.7).
pub(crate) const SIGNATURE: &str = "x-pgp-signature";

/// GET /cryptographicKeys/index/{event}
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let keys = service::list(&request.service, &request.actor, event(request, 0)?)?;
    Ok(list(&keys, |w, key| {
        w.begin_object();
        w.key("CryptographicKey");
        write_cryptographic_key(w, key);
        w.end_object();
    }))
}

/// The event after `Event` in the path, or alone.
fn event(request: &Request, i: usize) -> Result<pisax_model::ids::Ref, Failure> {
    let i =
        if request.path.arg(i).is_some_and(|kind| kind.eq_ignore_ascii_case("event")) { i + 1 } else { i };
    request.reference(i, body::INVALID_EVENT)
}

/// GET /cryptographicKeys/view/{id|uuid}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let key = service::view(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(wrapped("CryptographicKey", |w| write_cryptographic_key(w, &key)))
}

/// POST /cryptographicKeys/add/Event/{event} `{type: "pgp", key_data}`
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    if !request.path.arg(0).is_some_and(|kind| kind.eq_ignore_ascii_case("event")) {
        return Err(Failure::NotAllowed("No type and/or parent_id supplied.".into()));
    }
    let sent = request.unwrapped("CryptographicKey")?;
    let draft = CryptographicKeyDraft {
        uuid: text(&sent, "uuid").and_then(|t| Uuid::try_parse(&t).ok()),
        kind: text(&sent, "type"),
        key_data: text(&sent, "key_data"),
        revoked: flag(&sent, "revoked").unwrap_or(false),
    };
    let key = service::add(&request.service, &request.actor, event(request, 0)?, &draft);
    let key = key.saving("add", "CryptographicKey")?;
    Ok(wrapped("CryptographicKey", |w| write_cryptographic_key(w, &key)))
}

/// POST /cryptographicKeys/delete/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(saved(request, "CryptographicKey deleted."))
}

/// POST /cryptographicKeys/revoke/{id|uuid}
pub(crate) fn revoke(request: &Request) -> Result<Answer, Failure> {
    service::revoke(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(saved(request, "CryptographicKey revoked."))
}

/// POST /cryptographicKeys/serverSign: the body, signed with the instance's key.
pub(crate) fn server_sign(request: &Request) -> Result<Answer, Failure> {
    if request.body.is_empty() {
        return Err(Failure::BadRequest("There is nothing to sign.".into()));
    }
    let signature = service::sign(&request.service, &request.body)?;
    Ok(wrapped("signature", |w| w.str(&STANDARD.encode(&signature))))
}

/// GET /users/getGpgPublicKey: the instance's key, as a file.
pub(crate) fn public_key(request: &Request) -> Result<Answer, Failure> {
    let (fingerprint, armour) = service::public(&request.service)?;
    let mut answer = Answer::status(StatusCode::OK, armour.into_bytes())
        .header("content-disposition", format!("attachment; filename=\"{fingerprint}.asc\""));
    answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=UTF-8"));
    Ok(answer)
}

fn switch(request: &Request, on: bool) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_EVENT)?;
    let id = pisax_service::event::protect(&request.service, &request.actor, reference, on)?;
    let mode = if on { "protected" } else { "unprotected" };
    Ok(Answer::json(body::saved(&format!("Event switched to {mode} mode."), &request.path.raw, Some(id))))
}

/// POST /events/protect/{id}
pub(crate) fn protect(request: &Request) -> Result<Answer, Failure> {
    switch(request, true)
}

/// POST /events/unprotect/{id}
pub(crate) fn unprotect(request: &Request) -> Result<Answer, Failure> {
    switch(request, false)
}

/// The signature a body came with. One that is no base64 proves nothing, so it is an empty one.
pub(crate) fn proof(request: &Request) -> Option<Proof> {
    let header = request.headers.get(SIGNATURE)?.to_str().ok().filter(|text| !text.is_empty())?;
    let signature = STANDARD.decode(header.trim()).unwrap_or_default();
    Some(Proof { text: request.body.to_vec(), signature })
}

/// Puts the instance's signature over the body beside it.
pub(crate) fn signed(service: &Service, answer: Answer) -> Result<Answer, Failure> {
    let Body::Whole(bytes) = &answer.body else { return Ok(answer) };
    let signature = STANDARD.encode(service::sign(service, bytes)?);
    Ok(answer.header(SIGNATURE, signature))
}
