//! `/auth_keys/…`

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{document, list, member, number_member, saved, wrapped};
use crate::request::{Request, flag, text, texts};
use crate::users::named;
use pisax_model::{FieldError, Uuid};
use pisax_service::auth_key::{self as service, KeyDraft, Listed};
use pisax_wire::JsonWriter;
use pisax_wire::admin_out::write_auth_key;

const INVALID: &str = "Invalid auth key";

fn read(request: &Request) -> Result<KeyDraft, Failure> {
    let sent = request.unwrapped("AuthKey")?;
    let uuid = match text(&sent, "uuid") {
        None => None,
        Some(text) => Some(Uuid::try_parse(text.trim()).map_err(|_| Failure::Invalid {
            action: "add",
            model: "AuthKey",
            errors: vec![FieldError::new("uuid", "Please provide a valid RFC 4122 UUID")],
            id: None,
        })?),
    };
    Ok(KeyDraft {
        uuid,
        comment: text(&sent, "comment"),
        allowed_ips: texts(&sent, "allowed_ips"),
        expiration: text(&sent, "expiration"),
        read_only: flag(&sent, "read_only"),
    })
}

fn write(w: &mut JsonWriter<'_>, listed: &Listed) {
    w.begin_object();
    w.key("AuthKey");
    write_auth_key(w, &listed.key, None);
    w.key("User");
    w.begin_object();
    number_member(w, "id", listed.key.user_id);
    member(w, "email", &listed.email);
    w.end_object();
    w.end_object();
}

/// GET /auth_keys/index[/{user}]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let user = match request.path.arg(0) {
        None => None,
        Some(_) => Some(named(request, 0)?),
    };
    Ok(list(&service::list(&request.service, &request.actor, user)?, write))
}

/// GET /auth_keys/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let listed = service::view(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(document(|w| write(w, &listed)))
}

/// POST /auth_keys/add/{me|user}: the only answer that holds the key itself.
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let draft = read(request)?;
    let user = match request.path.arg(0) {
        Some(_) => named(request, 0)?,
        None => {
            crate::request::number(&request.unwrapped("AuthKey")?, "user_id").unwrap_or(request.actor.user_id)
        }
    };
    let added = service::add(&request.service, &request.actor, user, draft).saving("add", "AuthKey")?;
    Ok(wrapped("AuthKey", |w| write_auth_key(w, &added.key, Some(&added.raw))))
}

/// POST /auth_keys/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let key = service::edit(&request.service, &request.actor, reference, read(request)?)
        .saving("edit", "AuthKey")?;
    Ok(wrapped("AuthKey", |w| write_auth_key(w, &key, None)))
}

/// POST /auth_keys/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(saved(request, "AuthKey deleted."))
}

/// POST /auth_keys/pin/{id}/{address}: the key is good from this address alone.
pub(crate) fn pin(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    // In a path, an IPv6 address looks like a named parameter.
    let named = || request.path.named.first().map(|(name, rest)| format!("{name}:{rest}"));
    let address = request.path.arg(1).map(str::to_owned).or_else(named).unwrap_or_default();
    if address.is_empty() {
        return Err(Failure::BadRequest("No address to pin the key to.".into()));
    }
    let draft = KeyDraft { allowed_ips: Some(vec![address]), ..KeyDraft::default() };
    service::edit(&request.service, &request.actor, reference, draft).saving("pin", "AuthKey")?;
    Ok(saved(request, "IP address set as allowed source for the Key."))
}
