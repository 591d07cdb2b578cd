//! Mails: written here into the outbox, in the transaction of what they tell of; sent by the program (see
//! [`outbox`]).

mod alert;
pub mod digest;
pub mod outbox;

pub(crate) use alert::{alert_of_received, read_filter};
pub use alert::{publish_and_alert, tell_alerts};

use crate::{Error, Result, Service};
use parking_lot::Mutex;
use pisax_access::Actor;
use pisax_model::ids::Ref;
use pisax_model::user::{Role, User};
use pisax_store::mails::Mail;
use pisax_store::{Reader, Writer};
use rustc_hash::FxHashMap;

/// Longest message to a reporter, in bytes.
const LONGEST: usize = 64 * 1024;
/// Mails to one organisation about one question.
const REPORTERS: usize = 100;

/// Who asked reporters how often in the hour since his first question.
#[derive(Debug, Default)]
pub(crate) struct Asked(Mutex<FxHashMap<i64, (i64, i64)>>);

const HOUR: i64 = 3600;

impl Asked {
    /// Counts a question; whether it is among the first `most` of its hour.
    fn allows(&self, user_id: i64, most: i64, now: i64) -> bool {
        let mut asked = self.0.lock();
        asked.retain(|_, (since, _)| now - *since < HOUR);
        let (_, count) = asked.entry(user_id).or_insert((now, 0));
        *count += 1;
        *count <= most
    }
}

/// What somebody asks reporters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Question<'a> {
    pub message: &'a str,
    /// Of the creator alone.
    pub creator_only: bool,
    /// Without saying who asks.
    pub anonymous: bool,
}

/// Asks those who reported an event for more: its creator alone, or all of his organisation who want to be asked.
/// The mail names who asks, and an answer goes to him, unless he asks without his name.
pub fn contact(
    service: &Service,
    actor: &Actor,
    reference: Ref,
    Question { message, creator_only, anonymous }: Question<'_>,
) -> Result<()> {
    if message.len() > LONGEST {
        return Err(Error::Refused("The message is too long.".into()));
    }
    if service.settings().disable_emailing {
        return Err(Error::Refused("Emailing is disabled on this instance.".into()));
    }
    let most = service.settings().contact_per_hour;
    if most > 0 && !service.asked.allows(actor.user_id, most, service.now()) {
        let why = format!("You have asked reporters {most} times within an hour: ask again later.");
        return Err(Error::Refused(why));
    }
    let failed = || Error::Refused("Sending of email failed.".into());
    service.write(actor, |w| {
        let event = w.event(reference)?.ok_or(Error::NotFound("event"))?;
        let asker = w.user(actor.user_id)?.ok_or_else(failed)?;
        let mark = alert::mark(&service.settings(), w, event.id)?;
        let subject = format!("[{} MISP] Need info about event {} - {mark}", instance(service, w)?, event.id);
        let now = w.now();
        let mut reporters = w.users(Some(event.orgc_id), None)?;
        reporters.retain(|user| {
            let creator = user.id == event.user_id;
            active(user, now) && (creator || (user.contactalert && !creator_only))
        });
        reporters.truncate(REPORTERS);
        if reporters.is_empty() {
            return Err(failed());
        }
        let who = match anonymous {
            true => "They do not say who they are: an answer does not reach them.".to_owned(),
            false => format!("You can reach them at {}", asker.email),
        };
        let body = format!(
            "Hello,\n\nSomeone wants to get in touch with you concerning a MISP event.\n\n\
             {who}\n\n\
             They wrote the following message:\n\n{message}\n\n\
             The event is this one:\n\nURL     {}/events/view/{}\nEvent   {}\nDate    {}\nInfo    {}\n",
            service.policy.base_url, event.id, event.id, event.date, event.info
        );
        let reply_to = if anonymous { String::new() } else { asker.email };
        let link = format!("{}/events/view/{}", service.policy.base_url, event.id);
        for user in &reporters {
            let (reply_to, link) = (reply_to.clone(), link.clone());
            w.add_mail(&Mail { reply_to, link, ..to(user, &subject, &body) })?;
        }
        Ok(())
    })
}

/// Tells those of an event's organisation who want to be asked that somebody proposes something: once, until they
/// have dealt with it.
pub(crate) fn proposed(service: &Service, w: &mut Writer<'_>, event_id: i64) -> Result<()> {
    if !w.set_proposal_mail_lock(event_id, true)?
        || !service.sends_mail()
        || service.settings().disable_emailing
    {
        return Ok(());
    }
    let event = w.event(Ref::Id(event_id))?.ok_or(Error::NotFound("event"))?;
    let (now, proposer) = (w.now(), w.actor().user_id);
    let mut owners = w.users(Some(event.orgc_id), None)?;
    owners.retain(|user| user.contactalert && active(user, now) && user.id != proposer);
    owners.truncate(REPORTERS);
    if owners.is_empty() {
        return Ok(());
    }
    let link = format!("{}/events/view/{event_id}", service.policy.base_url);
    let subject =
        format!("[{} MISP] Proposal to event #{event_id} (uuid: {})", instance(service, w)?, event.uuid);
    let body = format!(
        "Hello,\n\nSomebody proposes a change of an event that your organisation made. See it here:\n\n{link}\n\n\
         You are not told of further proposals to this event until these are accepted or discarded.\n"
    );
    for user in &owners {
        w.add_mail(&Mail { link: link.clone(), ..to(user, &subject, &body) })?;
    }
    Ok(())
}

/// Sends somebody a password that he changes at his first sign-in; does nothing where no mail goes out.
pub(crate) fn credentials(
    service: &Service,
    w: &mut Writer<'_>,
    user: &User,
    password: &str,
    first_time: bool,
) -> Result<()> {
    if !service.sends_mail() {
        return Ok(());
    }
    let name = instance(service, w)?;
    let (what, subject) = match first_time {
        true => ("An account was made for you", format!("[{name} MISP] New user registration")),
        false => ("Your password was reset", format!("[{name} MISP] Password reset")),
    };
    let body = format!(
        "Hello,\n\n{what} on {}.\n\nUser      {}\nPassword  {password}\n\n\
         You will be asked for a new password when you sign in.\n",
        service.policy.base_url, user.email
    );
    w.add_mail(&to(user, &subject, &body))?;
    Ok(())
}

/// The name of the organisation that runs this instance, which begins every subject.
fn instance(service: &Service, r: &mut Reader<'_>) -> Result<String> {
    let host = r.org(Ref::Id(service.policy.host_org_id))?;
    Ok(host.map_or_else(|| "PISAX".to_owned(), |org| org.name))
}

pub(crate) fn to(user: &User, subject: &str, body: &str) -> Mail {
    Mail {
        user_id: user.id,
        recipient: user.email.clone(),
        subject: subject.to_owned(),
        body: body.to_owned(),
        ..Mail::default()
    }
}

/// Whoever is written to, as a reader of what the mail is about.
fn reader(service: &Service, user: &User, role: &Role) -> Actor {
    Actor {
        user_id: user.id,
        org_id: user.org_id,
        permissions: role.permissions,
        host_org: user.org_id == service.policy.host_org_id,
        reason: Some("write a mail"),
        origin: Default::default(),
    }
}

pub(crate) fn active(user: &User, now: i64) -> bool {
    !user.disabled && user.expiration.is_none_or(|end| end == 0 || end > now)
}
