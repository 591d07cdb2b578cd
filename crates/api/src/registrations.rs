//! `/users/register`, `/users/registrations/…`, `/inbox/…`

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, flag_member, list, member, number_member, saved};
use crate::request::{self, Request, text};
use http::header;
use pisax_model::ids::Ref;
use pisax_service::Error;
use pisax_service::registration::{self as service, Asked};
use pisax_store::inbox::{Message, REGISTRATION};
use pisax_wire::JsonWriter;
use serde_json::{Map, Value};

/// What of a request is kept.
const MEMBERS: [&str; 9] = [
    "email",
    "org_name",
    "org_uuid",
    "message",
    "pgp",
    "custom_perms",
    "perm_sync",
    "perm_publish",
    "perm_admin",
];

fn failed(action: &'static str, reason: String) -> Failure {
    Failure::NotSaved { action, model: "Users", reason, id: None }
}

/// POST /users/register, by anybody.
pub(crate) fn register(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("User")?;
    let mut kept = Map::new();
    for name in MEMBERS {
        if let Some(text) = text(&sent, name) {
            kept.insert(name.to_owned(), Value::String(text.trim().to_owned()));
        }
    }
    kept.entry("message").or_insert_with(|| Value::String(String::new()));
    let email = text(&sent, "email").unwrap_or_default();
    if request.service.settings().allow_self_registration && email.trim().is_empty() {
        return Err(Failure::BadRequest("We require at least the email field to be filled.".into()));
    }
    let agent = request.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let asked = Asked {
        email,
        message: text(&sent, "message").unwrap_or_default(),
        data: Value::Object(kept).to_string(),
        user_agent: agent.to_owned(),
    };
    match service::ask(&request.service, &request.actor, asked) {
        Ok(()) => {
            Ok(saved(request, "Request sent. The administrators of this community have been notified."))
        }
        Err(Error::Refused(reason)) => Err(Failure::NotAllowed(reason)),
        Err(Error::Invalid(errors)) => {
            let errors = errors.iter().map(|e| (e.field.to_owned(), Value::from(vec![e.message.clone()])));
            let errors = Value::Object(errors.collect());
            Err(failed("register", format!("Request could not be created.Errors: {errors}")))
        }
        Err(other) => Err(other.into()),
    }
}

fn write(w: &mut JsonWriter<'_>, message: &Message) {
    w.begin_object();
    w.key("Inbox");
    w.begin_object();
    number_member(w, "id", message.id);
    w.key("uuid");
    w.uuid(message.uuid);
    member(w, "title", &message.title);
    member(w, "type", &message.kind);
    member(w, "ip", &message.address);
    member(w, "user_agent", &message.user_agent);
    member(w, "comment", &message.comment);
    flag_member(w, "deleted", false);
    number_member(w, "timestamp", message.timestamp);
    w.key("data");
    w.raw(message.data.as_bytes());
    w.end_object();
    w.end_object();
}

/// GET /users/registrations[/index][/value:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let search = request.path.named("value");
    Ok(list(&service::list(&request.service, &request.actor, Some(REGISTRATION), search)?, write))
}

/// GET /inbox/index
pub(crate) fn inbox(request: &Request) -> Result<Answer, Failure> {
    let search = request.path.named("value").or_else(|| request.path.named("searchall"));
    Ok(list(&service::list(&request.service, &request.actor, None, search)?, write))
}

/// GET /inbox/view/{id|uuid}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, "Invalid inbox message")?;
    let message = service::view(&request.service, &request.actor, reference)?;
    Ok(document(|w| write(w, &message)))
}

/// The requests that are meant: in the path, or named `id` once or more.
fn meant(request: &Request) -> Vec<Ref> {
    let named = request.path.named.iter().filter(|(name, _)| matches!(name.as_str(), "id" | "id[]"));
    let named = named.map(|(_, value)| value.as_str());
    let args = request.path.args.iter().map(String::as_str);
    args.chain(named).filter_map(Ref::parse).take(1000).collect()
}

/// POST /users/acceptRegistrations/{id|uuid} `{"User":{org_id, role_id}}`
pub(crate) fn accept(request: &Request) -> Result<Answer, Failure> {
    const ACTION: &str = "acceptRegistrations";
    let sent = request.unwrapped("User")?;
    let no_org = || Failure::BadRequest("No organisation selected. Supply an Organisation ID".into());
    let org = text(&sent, "org_id").as_deref().and_then(Ref::parse).ok_or_else(no_org)?;
    let role = request::number(&sent, "role_id");
    let result = service::accept(&request.service, &request.actor, &meant(request), org, role)?;
    let mut words = Vec::new();
    if result.added > 0 {
        words.push(format!("Added {} user(s).", result.added));
    }
    if result.failed > 0 {
        let failed = result.failed;
        words.push(format!("Could not add {failed} user(s), reasons for the failure have been logged."));
    }
    if words.is_empty() {
        words.push("No new users added - there was nothing to add.".into());
    }
    let words = words.join(" ");
    if result.added > 0 && result.failed == 0 {
        Ok(saved(request, &words))
    } else {
        Err(failed(ACTION, words))
    }
}

/// POST /users/discardRegistrations/{id|uuid}
pub(crate) fn discard(request: &Request) -> Result<Answer, Failure> {
    let gone = service::discard(&request.service, &request.actor, &meant(request))?;
    Ok(saved(request, &format!("{gone} registration(s) discarded.")))
}

/// POST /inbox/delete/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    match service::discard(&request.service, &request.actor, &meant(request))? {
        0 => Err(Failure::NotFound("Invalid inbox message")),
        _ => Ok(saved(request, "Inbox deleted.")),
    }
}
