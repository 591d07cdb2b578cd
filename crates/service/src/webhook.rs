//! Webhooks: addresses that are called with what changes. Site admins keep all, organisation admins those of their
//! organisation. What is sent is what the webhook's user sees.

use crate::{Error, Result, Service, rules};
use pisax_access::{Actor, Origin, Permission};
use pisax_model::ids::{self, Ref};
use pisax_model::stream::{Kind, Kinds};
use pisax_model::{FieldError, Uuid};
use pisax_outbound::{Call, Method};
use pisax_store::Reader;
use pisax_store::streams::Place;
use pisax_store::webhooks::Webhook;
use std::time::Duration;

/// A webhook as a client sends it; what is absent stays or has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookDraft {
    pub name: Option<String>,
    pub url: Option<String>,
    pub secret: Option<String>,
    pub kinds: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
    pub orgs: Option<Vec<String>>,
    pub user_id: Option<i64>,
    pub enabled: Option<bool>,
}

/// Webhooks there may be, in all and of one organisation: each is called by a thread of its own.
const MOST: usize = 100;
const MOST_OF_ORG: usize = 20;
const LONGEST: usize = 2048;
/// Tags, and organisations, that one may be narrowed to.
const MOST_WORDS: usize = 200;
/// How long a call may take. Nothing of the answer matters but its status.
const CALL: Duration = Duration::from_secs(15);
const ANSWER: u64 = 1 << 20;
/// A shorter secret can be guessed.
const SECRET: usize = 16;

fn admin(actor: &Actor) -> Result<()> {
    rules::administers_users(actor)
}

pub fn list(service: &Service, actor: &Actor) -> Result<Vec<Webhook>> {
    admin(actor)?;
    service.read(actor, |r| Ok(r.webhooks()?))
}

pub fn view(service: &Service, actor: &Actor, reference: Ref) -> Result<Webhook> {
    admin(actor)?;
    service.read(actor, |r| r.webhook(reference)?.ok_or(Error::NotFound("webhook")))
}

/// Adds one; it is called with what changes from now on.
pub fn add(service: &Service, actor: &Actor, draft: WebhookDraft) -> Result<Webhook> {
    admin(actor)?;
    let uuid = ids::new_uuid(service.clock.now_ms());
    let mut webhook = Webhook { uuid, user_id: actor.user_id, enabled: true, ..Webhook::default() };
    webhook.secret = pisax_auth::key::generate();
    service.write(actor, |w| {
        apply(w, actor, &mut webhook, draft)?;
        let all = w.webhooks()?;
        let own = all.iter().filter(|one| one.org_id == webhook.org_id).count();
        if all.len() >= MOST || own >= MOST_OF_ORG {
            return Err(Error::Refused("There are too many webhooks: delete one first.".into()));
        }
        webhook.place = Place::after(w.newest_change()?);
        let id = w.add_webhook(&webhook)?;
        w.webhook(Ref::Id(id))?.ok_or(Error::NotFound("webhook"))
    })
}

/// Changes one. One that is enabled anew is tried at once, where it was.
pub fn edit(service: &Service, actor: &Actor, reference: Ref, draft: WebhookDraft) -> Result<Webhook> {
    admin(actor)?;
    service.write(actor, |w| {
        let old = w.webhook(reference)?.ok_or(Error::NotFound("webhook"))?;
        let mut new = old.clone();
        let tries = draft.enabled == Some(true) || draft.url.is_some();
        apply(w, actor, &mut new, draft)?;
        if tries {
            new.paused = String::new();
            (new.failures, new.retry_at) = (0, 0);
        }
        w.edit_webhook(&old, &new)?;
        w.webhook(Ref::Id(old.id))?.ok_or(Error::NotFound("webhook"))
    })
}

pub fn delete(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    admin(actor)?;
    service.write(actor, |w| {
        let webhook = w.webhook(reference)?.ok_or(Error::NotFound("webhook"))?;
        Ok(w.delete_webhook(&webhook)?)
    })
}

/// As whom a webhook's messages are read; the error says why as nobody.
pub fn owner(service: &Service, webhook: &Webhook) -> Result<Result<Actor, &'static str>> {
    let system = Actor::system("call a webhook");
    let found = service.read(&system, |r| Ok(r.user_and_role(webhook.user_id)?))?;
    let Some((user, role)) = found else { return Ok(Err("its user does not exist any more")) };
    let over = user.expiration.is_some_and(|t| t > 0 && t <= service.now());
    if user.disabled || over {
        return Ok(Err("its user is disabled"));
    }
    if role.permissions.has(Permission::SiteAdmin) && !webhook.sees_all {
        // Whoever chose the address was not to see everything.
        return Ok(Err("its user became a site admin: a site admin has to save it again"));
    }
    Ok(Ok(Actor {
        user_id: user.id,
        org_id: user.org_id,
        permissions: role.permissions,
        host_org: user.org_id == service.policy.host_org_id,
        reason: None,
        origin: Origin::default(),
    }))
}

/// Why a call was no delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reason: String,
    /// The address says that it is no more.
    pub gone: bool,
}

/// Sends one message, signed; `delivery` is the same whenever it is sent again.
pub fn send(
    service: &Service,
    webhook: &Webhook,
    kind: Kind,
    delivery: &str,
    body: &[u8],
) -> Result<(), Refusal> {
    let signature = pisax_auth::delivery::signature(&webhook.secret, service.now(), body);
    let headers = [
        ("Content-Type", "application/json"),
        ("X-Pisax-Event", kind.name()),
        ("X-Pisax-Delivery", delivery),
        ("X-Pisax-Signature", signature.as_str()),
    ];
    let (url, method) = (webhook.url.as_str(), Method::Post);
    let call = Call { method, url, headers: &headers, body, timeout: CALL, limit: ANSWER };
    let client = match service.settings().webhooks.private_addresses {
        true => service.http.clone(),
        false => service.http.public_only(),
    };
    match client.send(&call) {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
        Ok(answer) => Err(Refusal {
            reason: format!("it answered with status {}", answer.status),
            gone: answer.status == 410,
        }),
        Err(error) => Err(Refusal { reason: error.to_string(), gone: false }),
    }
}

fn one_line(field: &'static str, text: &str, least: usize) -> Result<(), FieldError> {
    if text.len() < least || text.len() > LONGEST || text.chars().any(char::is_control) {
        let least = if least > 1 { format!(" of at least {least} bytes") } else { String::new() };
        return Err(FieldError::new(field, format!("Expected one line{least}.")));
    }
    Ok(())
}

fn apply(r: &mut Reader<'_>, actor: &Actor, webhook: &mut Webhook, draft: WebhookDraft) -> Result<()> {
    if let Some(name) = draft.name {
        webhook.name = name.trim().to_owned();
    }
    if let Some(url) = draft.url {
        webhook.url = url.trim().to_owned();
    }
    if let Some(secret) = draft.secret {
        webhook.secret = secret;
    }
    one_line("name", &webhook.name, 1)?;
    one_line("url", &webhook.url, 1)?;
    one_line("secret", &webhook.secret, SECRET)?;
    let rest = ["https://", "http://"].iter().find_map(|scheme| webhook.url.strip_prefix(scheme));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    if host.is_empty() || host.contains('@') || webhook.url.contains(char::is_whitespace) {
        return Err(FieldError::new("url", "Expected an address of https or http, without a user.").into());
    }
    let clean = |words: Vec<String>| -> Vec<String> {
        words.iter().map(|w| w.trim().to_owned()).filter(|w| !w.is_empty()).collect()
    };
    if let Some(kinds) = draft.kinds {
        let kinds = clean(kinds);
        Kinds::read(kinds.iter().map(String::as_str))
            .map_err(|unknown| FieldError::new("kinds", unknown.to_string()))?;
        webhook.kinds = kinds;
    }
    if let Some(tags) = draft.tags {
        webhook.tags = clean(tags);
    }
    if let Some(orgs) = draft.orgs {
        webhook.orgs = clean(orgs);
    }
    for uuid in &webhook.orgs {
        Uuid::parse_str(uuid)
            .map_err(|_| FieldError::new("orgs", format!("'{uuid}' is no uuid of an organisation.")))?;
    }
    for (field, words) in [("tags", &webhook.tags), ("orgs", &webhook.orgs)] {
        if words.len() > MOST_WORDS || words.iter().any(|w| w.len() > LONGEST || w.contains('\n')) {
            return Err(FieldError::new(field, format!("There are at most {MOST_WORDS} of them.")).into());
        }
    }
    webhook.enabled = draft.enabled.unwrap_or(webhook.enabled);
    webhook.user_id = draft.user_id.unwrap_or(webhook.user_id);
    let user = r.user(webhook.user_id)?;
    let user = user.filter(|user| actor.sees_all() || user.org_id == actor.org_id);
    let Some(user) = user else {
        return Err(FieldError::new("user_id", "Expected a user of one's organisation.").into());
    };
    webhook.org_id = user.org_id;
    // Whoever changes where a view goes must not get at more than he sees himself.
    let role = r.user_and_role(user.id)?.map(|(_, role)| role);
    webhook.sees_all = role.is_some_and(|role| role.permissions.has(Permission::SiteAdmin));
    if webhook.sees_all && !actor.sees_all() {
        return Err(FieldError::new("user_id", "A site admin's view is for site admins to send.").into());
    }
    Ok(())
}
