//! `/users/…` and `/admin/users/…`

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{document, list, member, number_member, saved, wrapped};
use crate::request::{Request, flag, text};
use pisax_model::time;
use pisax_service::{Service, audit, auth_key, user as service, user_setting};
use pisax_store::audit::EntryQuery;
use pisax_store::changes::{Action, Noun};
use pisax_store::keys::KeyOwner;
use pisax_wire::admin_out::{UserShape, write_user, write_user_row, write_user_view};
use std::sync::Arc;

const INVALID: &str = "Invalid user";

/// Notes that a key was used, at most once a minute and beside the request: no reader waits for a writer.
pub(crate) fn note_use(service: &Arc<Service>, owner: &KeyOwner) {
    if !auth_key::use_is_news(service, owner.key.id) {
        return;
    }
    let (service, key) = (Arc::clone(service), owner.key.clone());
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(move || auth_key::note_use(&service, &key))),
        Err(_) => auth_key::note_use(&service, &key),
    }
}

/// The user a path names: a number, or `me` (also when nothing is said).
pub(crate) fn named(request: &Request, i: usize) -> Result<i64, Failure> {
    match request.path.arg(i) {
        None | Some("me") => Ok(request.actor.user_id),
        Some(text) => text.parse().map_err(|_| Failure::NotFound(INVALID)),
    }
}

/// GET /admin/users/index[/value:…][/searchorg:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let search = ["value", "searchall", "searchemail"].iter().find_map(|name| request.path.named(name));
    let org = match request.path.named("searchorg") {
        None => None,
        Some(text) => {
            let found = request.service.read(&request.actor, |r| pisax_service::org::find(r, text))?;
            Some(found.map_or(0, |org| org.id))
        }
    };
    let users = service::list(&request.service, &request.actor, org, search)?;
    Ok(list(&users, |w, listed| write_user_row(w, &listed.user, &listed.role, &listed.org.name)))
}

/// GET /users/view/{me|id}, GET /admin/users/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let id = named(request, 0)?;
    let viewed = service::view(&request.service, &request.actor, id)?;
    let settings = user_setting::of_user(&request.service, &request.actor, id)?;
    let settings = crate::user_settings::beside_user(&settings);
    Ok(document(|w| write_user_view(w, &viewed.user, &viewed.role, &viewed.org, &settings)))
}

/// POST /admin/users/add
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let draft = pisax_wire::read_user(&request.body)?;
    let added = service::add(&request.service, &request.actor, draft).saving("add", "User")?;
    let shape = UserShape::Saved { authkey: Some(&added.key) };
    Ok(wrapped("User", |w| write_user(w, &added.user, shape)))
}

/// POST /admin/users/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let id = named(request, 0)?;
    let draft = pisax_wire::read_user(&request.body)?;
    let user = service::edit(&request.service, &request.actor, id, draft).saving("edit", "User")?;
    Ok(wrapped("User", |w| write_user(w, &user, UserShape::Saved { authkey: None })))
}

/// POST /users/edit[/{id}]: whatever the id says, everybody edits himself here (observed on MISP).
pub(crate) fn edit_self(request: &Request) -> Result<Answer, Failure> {
    let draft = pisax_wire::read_user(&request.body)?;
    let user = service::edit_self(&request.service, &request.actor, draft).saving("edit", "User")?;
    Ok(wrapped("User", |w| write_user(w, &user, UserShape::Saved { authkey: None })))
}

/// POST /admin/users/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, named(request, 0)?)?;
    Ok(saved(request, "User deleted."))
}

/// POST /users/change_pw
pub(crate) fn change_pw(request: &Request) -> Result<Answer, Failure> {
    let new = pisax_wire::read_user(&request.body)?.password.unwrap_or_default();
    let current = text(&request.unwrapped("User")?, "current_password");
    service::change_password(&request.service, &request.actor, current.as_deref(), &new)
        .saving("change_pw", "User")?;
    Ok(saved(request, "Password Changed."))
}

/// POST /users/resetauthkey/{me|id}
pub(crate) fn reset_key(request: &Request) -> Result<Answer, Failure> {
    let added = auth_key::reset(&request.service, &request.actor, named(request, 0)?)?;
    Ok(saved(request, &format!("Authkey updated: {}", added.raw)))
}

/// GET /users/heartbeat: a word that says somebody is there.
pub(crate) fn heartbeat(_: &Request) -> Result<Answer, Failure> {
    Ok(document(|w| w.str("PISAX is here.")))
}

/// POST /users/initiatePasswordReset/{id}[/{first time}]: a new password by mail.
pub(crate) fn reset_password(request: &Request) -> Result<Answer, Failure> {
    let id = named(request, 0)?;
    let sent = request.unwrapped("User")?;
    let first = flag(&sent, "firstTime").unwrap_or_else(|| matches!(request.path.arg(1), Some("1" | "true")));
    service::reset_password(&request.service, &request.actor, id, first)?;
    Ok(saved(request, "New credentials sent."))
}

/// Sign-ins shown.
const SIGN_INS: i64 = 100;

/// GET /users/view_login_history[/{id}]: how a user came in and was turned away, newest first.
pub(crate) fn login_history(request: &Request) -> Result<Answer, Failure> {
    let id = named(request, 0)?;
    service::view(&request.service, &request.actor, id)?;
    let query = EntryQuery {
        nouns: vec![Noun::Session as i64],
        actions: [Action::Login, Action::LoginFail, Action::AuthFail].map(|a| a as i64).to_vec(),
        record_id: Some(id),
        limit: SIGN_INS,
        ..EntryQuery::default()
    };
    let found = audit::sign_ins(&request.service, &request.actor, query)?;
    Ok(list(&found, |w, entry| {
        w.begin_object();
        w.key("Log");
        w.begin_object();
        number_member(w, "id", entry.seq);
        member(w, "action", crate::log_words::action(entry.noun, entry.action));
        member(w, "created", &time::format_datetime(entry.at));
        member(w, "ip", &entry.address);
        member(w, "change", &entry.title);
        w.end_object();
        w.end_object();
    }))
}
