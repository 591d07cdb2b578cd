//! `/published_feeds/…`: the feeds that are published from here. PISAX's own; site admins define them.

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::feeds::json_text;
use crate::reply::{document, list, member, number, saved};
use crate::request::{Request, flag, number as number_of, text};
use pisax_model::published_feed::{PublishedFeed, PublishedFeedDraft};
use pisax_service::Error;
use pisax_service::feed::published::{self as service, Defined};
use pisax_wire::JsonWriter;
use pisax_wire::feed_out::write_published_feed;
use serde_json::Value;

const INVALID: &str = "Invalid feed";

fn draft(sent: &Value) -> Result<PublishedFeedDraft, Error> {
    let filter = json_text(sent, "filter")?.map(|text| if text.is_empty() { "{}".to_owned() } else { text });
    if filter.as_ref().is_some_and(|text| !text.trim_start().starts_with('{')) {
        let expected = "Expected the parameters of a search as a JSON object.";
        return Err(pisax_model::FieldError::new("filter", expected).into());
    }
    Ok(PublishedFeedDraft {
        name: text(sent, "name"),
        slug: text(sent, "slug"),
        filter,
        user_id: number_of(sent, "user_id"),
        any_tlp: flag(sent, "any_tlp"),
        protected: flag(sent, "protected"),
        signed: flag(sent, "signed"),
        enabled: flag(sent, "enabled"),
    })
}

fn write(w: &mut JsonWriter<'_>, request: &Request, feed: &PublishedFeed, token: Option<&str>) {
    w.begin_object();
    w.key("PublishedFeed");
    write_published_feed(w, feed, &request.service.policy.base_url, token);
    w.end_object();
}

fn defined(request: &Request, defined: &Defined) -> Answer {
    document(|w| write(w, request, &defined.feed, defined.token.as_deref()))
}

/// GET /published_feeds/index
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let feeds = service::list(&request.service, &request.actor)?;
    Ok(list(&feeds, |w, feed| write(w, request, feed, None)))
}

/// GET /published_feeds/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let feed = service::view(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    Ok(document(|w| write(w, request, &feed, None)))
}

/// POST /published_feeds/add: the answer holds the token, which is not shown again.
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("PublishedFeed")?;
    let added = draft(&sent).and_then(|draft| service::add(&request.service, &request.actor, draft));
    Ok(defined(request, &added.saving("add", "PublishedFeed")?))
}

/// POST /published_feeds/edit/{id}: `protected` set anew makes another token.
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let sent = request.unwrapped("PublishedFeed")?;
    let edited = draft(&sent).and_then(|draft| service::edit(&request.service, &request.actor, id, draft));
    Ok(defined(request, &edited.saving("edit", "PublishedFeed")?))
}

/// POST /published_feeds/delete/{id}: its files go, too.
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let feed = service::delete(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    if let Some(data) = &request.service.policy.data {
        let folder = pisax_share::feed::publish::folder(data, feed.id);
        match std::fs::remove_dir_all(&folder) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, "the files of a feed could not be removed"),
        }
    }
    Ok(saved(request, "Feed deleted."))
}

/// POST /published_feeds/generate/{id}[/whole]: publishes what changed, or every event anew.
pub(crate) fn generate(request: &Request) -> Result<Answer, Failure> {
    let whole = request.path.arg(1) == Some("whole");
    let id = number(request, 0, INVALID)?;
    let job = service::generate(&request.service, &request.actor, id, whole)?;
    Ok(document(|w| {
        w.begin_object();
        member(w, "message", "Publishing queued for background execution.");
        crate::reply::number_member(w, "job_id", job);
        w.end_object();
    }))
}
