//! People ask for an account without having one; site admins accept or discard.

use crate::{Error, Result, Service, mail, rules, user};
use pisax_access::Actor;
use pisax_model::FieldError;
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::org::OrgDraft;
use pisax_model::user::UserDraft;
use pisax_store::changes::Action;
use pisax_store::inbox::{Message, REGISTRATION};

/// What somebody sends who wants an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub email: String,
    pub message: String,
    /// All that was sent, as JSON.
    pub data: String,
    pub user_agent: String,
}

/// What came of accepting several requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepted {
    pub added: usize,
    pub failed: usize,
}

/// Requests that wait for an answer at a time: anybody can send one.
const MOST: i64 = 1000;
/// Longest request, in bytes.
const LONGEST: usize = 16 * 1024;
/// Longest name of a program that is kept.
const LONGEST_AGENT: usize = 255;

/// Keeps a request for an account. Whether there is one with this address already is not told.
pub fn ask(service: &Service, actor: &Actor, asked: Asked) -> Result<()> {
    if !service.settings().allow_self_registration {
        return Err(Error::Refused("Self registration is not enabled on this instance.".into()));
    }
    let email = user::check_email(&asked.email)?;
    if asked.data.len() > LONGEST {
        return Err(FieldError::new("message", "The request is too long.").into());
    }
    let mut user_agent = asked.user_agent;
    user_agent.truncate(user_agent.floor_char_boundary(LONGEST_AGENT));
    service.write(actor, |w| {
        if w.message_count()? >= MOST {
            return Err(Error::Refused("Too many requests wait for an answer: ask again later.".into()));
        }
        let message = Message {
            id: 0,
            uuid: new_uuid(w.now_ms),
            title: format!("User registration for {email}."),
            kind: REGISTRATION.into(),
            email,
            address: actor.origin.address.map(|a| a.to_string()).unwrap_or_default(),
            user_agent,
            comment: asked.message,
            timestamp: 0,
            data: asked.data,
        };
        w.add_message(&message)?;
        Ok(())
    })
}

/// The requests that wait, oldest first.
pub fn list(
    service: &Service,
    actor: &Actor,
    kind: Option<&str>,
    search: Option<&str>,
) -> Result<Vec<Message>> {
    rules::site_admin(actor)?;
    service.read(actor, |r| Ok(r.inbox(kind, search)?))
}

/// One request.
pub fn view(service: &Service, actor: &Actor, reference: Ref) -> Result<Message> {
    rules::site_admin(actor)?;
    service.read(actor, |r| r.message(reference)?.ok_or(Error::NotFound("inbox message")))
}

/// Makes users of those who asked, each with a password that is to be changed at the first sign-in and that is
/// sent where mail is set up. Those that cannot be made stay.
pub fn accept(
    service: &Service,
    actor: &Actor,
    requests: &[Ref],
    org: Ref,
    role_id: Option<i64>,
) -> Result<Accepted> {
    rules::site_admin(actor)?;
    let mut result = Accepted::default();
    for reference in requests {
        match accept_one(service, actor, *reference, org, role_id) {
            Ok(()) => result.added += 1,
            Err(Error::Store(error)) => return Err(error.into()),
            Err(error) => {
                tracing::info!(%error, %reference, "a registration could not be accepted");
                result.failed += 1;
            }
        }
    }
    Ok(result)
}

fn accept_one(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    org: Ref,
    role_id: Option<i64>,
) -> Result<()> {
    let email = view(service, actor, reference)?.email;
    let draft = UserDraft {
        email: Some(email),
        role_id,
        change_pw: Some(true),
        termsaccepted: Some(false),
        ..UserDraft::default()
    };
    let fresh = user::prepare(service, actor, &draft)?;
    service.write(actor, |w| {
        let message = w.message(reference)?.ok_or(Error::NotFound("inbox message"))?;
        let org = w.org(org)?.ok_or_else(|| FieldError::new("org_id", "There is no such organisation."))?;
        if !org.local {
            w.edit_org(org.id, &OrgDraft { local: Some(true), ..OrgDraft::default() })?;
        }
        let draft = UserDraft { org_id: Some(org.id), ..draft };
        let added = user::insert(w, service, fresh, &draft)?;
        if let Some(password) = &added.password {
            mail::credentials(service, w, &added.user, password, true)?;
        }
        Ok(w.remove_message(&message, Action::Accept)?)
    })
}

/// Takes requests away without answering them; returns how many there were.
pub fn discard(service: &Service, actor: &Actor, references: &[Ref]) -> Result<usize> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut gone = 0;
        for reference in references {
            if let Some(message) = w.message(*reference)? {
                w.remove_message(&message, Action::Discard)?;
                gone += 1;
            }
        }
        Ok(gone)
    })
}
