//! `/webhooks/…`

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{document, flag_member, list, member, number_member, saved};
use crate::request::{Request, flag, number, text, texts};
use pisax_service::webhook::{self as service, WebhookDraft};
use pisax_store::webhooks::Webhook;
use pisax_wire::JsonWriter;

const INVALID: &str = "Invalid Webhook.";

fn read(request: &Request) -> Result<WebhookDraft, Failure> {
    let sent = request.unwrapped("Webhook")?;
    Ok(WebhookDraft {
        name: text(&sent, "name"),
        url: text(&sent, "url"),
        secret: text(&sent, "secret"),
        kinds: texts(&sent, "kinds"),
        tags: texts(&sent, "tags"),
        orgs: texts(&sent, "orgs"),
        user_id: number(&sent, "user_id"),
        enabled: flag(&sent, "enabled"),
    })
}

fn words(w: &mut JsonWriter<'_>, key: &str, words: &[String]) {
    w.key(key);
    w.begin_array();
    words.iter().for_each(|word| w.str(word));
    w.end_array();
}

/// `secret`: once, to who made it.
fn write(w: &mut JsonWriter<'_>, webhook: &Webhook, secret: bool) {
    w.begin_object();
    w.key("Webhook");
    w.begin_object();
    number_member(w, "id", webhook.id);
    w.key("uuid");
    w.uuid(webhook.uuid);
    number_member(w, "org_id", webhook.org_id);
    number_member(w, "user_id", webhook.user_id);
    member(w, "name", &webhook.name);
    member(w, "url", &webhook.url);
    member(w, "secret", if secret { &webhook.secret } else { "*****" });
    words(w, "kinds", &webhook.kinds);
    words(w, "tags", &webhook.tags);
    words(w, "orgs", &webhook.orgs);
    flag_member(w, "enabled", webhook.enabled);
    member(w, "paused", &webhook.paused);
    member(w, "last", &webhook.place.to_string());
    number_member(w, "delivered", webhook.delivered);
    number_member(w, "delivered_at", webhook.delivered_at);
    number_member(w, "failures", webhook.failures);
    number_member(w, "retry_at", webhook.retry_at / 1000);
    member(w, "last_error", &webhook.last_error);
    w.end_object();
    w.end_object();
}

/// GET /webhooks/index
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let found = service::list(&request.service, &request.actor)?;
    Ok(list(&found, |w, webhook| write(w, webhook, false)))
}

/// GET /webhooks/view/{id|uuid}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let webhook = service::view(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(document(|w| write(w, &webhook, false)))
}

/// POST /webhooks/add
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let webhook = service::add(&request.service, &request.actor, read(request)?).saving("add", "Webhook")?;
    Ok(document(|w| write(w, &webhook, true)))
}

/// GET|POST /webhooks/edit/{id|uuid}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    if request.is_read() {
        return view(request);
    }
    let reference = request.reference(0, INVALID)?;
    let edited = service::edit(&request.service, &request.actor, reference, read(request)?);
    let webhook = edited.saving("edit", "Webhook")?;
    Ok(document(|w| write(w, &webhook, false)))
}

fn switch(request: &Request, on: bool) -> Result<Answer, Failure> {
    let draft = WebhookDraft { enabled: Some(on), ..WebhookDraft::default() };
    let reference = request.reference(0, INVALID)?;
    service::edit(&request.service, &request.actor, reference, draft)
        .saving(if on { "enable" } else { "disable" }, "Webhook")?;
    Ok(saved(request, if on { "Webhook enabled." } else { "Webhook disabled." }))
}

/// POST /webhooks/enable/{id|uuid}
pub(crate) fn enable(request: &Request) -> Result<Answer, Failure> {
    switch(request, true)
}

/// POST /webhooks/disable/{id|uuid}
pub(crate) fn disable(request: &Request) -> Result<Answer, Failure> {
    switch(request, false)
}

/// POST /webhooks/delete/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, request.reference(0, INVALID)?)?;
    Ok(saved(request, "Webhook deleted."))
}
