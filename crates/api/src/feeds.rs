//! `/feeds/…`: where indicators are fetched from. What is in a feed is for `feed_contents`.

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::feed_contents::coverage_of;
use crate::reply::{document, list, member, number, saved};
use crate::request::{Request, flag, number as number_of, text};
use pisax_model::FieldError;
use pisax_model::feed::{Feed, FeedDraft, SourceFormat};
use pisax_model::feed_run::SourceKind;
use pisax_model::ids::Ref;
use pisax_service::{Error, feed as service};
use pisax_store::feeds::FeedFilter;
use pisax_wire::feed_out::{FeedShape, write_feed};
use serde_json::Value;

const INVALID: &str = "Invalid feed";

/// A JSON document in a member: as a text, which is kept as it was sent, or as what it says.
pub(crate) fn json_text(sent: &Value, name: &'static str) -> Result<Option<String>, Error> {
    let refused = || FieldError::new(name, "Expected a JSON document.");
    match sent.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(Some(String::new())),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Object(_) | Value::Array(_)) => Ok(Some(text.trim().to_owned())),
            _ => Err(refused().into()),
        },
        Some(document @ (Value::Object(_) | Value::Array(_))) => Ok(Some(document.to_string())),
        Some(_) => Err(refused().into()),
    }
}

fn draft(sent: &Value) -> Result<FeedDraft, Error> {
    let rules = json_text(sent, "pull_rules")?.or(json_text(sent, "rules")?);
    // An empty text is what a form sends for no settings.
    let settings = json_text(sent, "settings")?.map(|s| if s.is_empty() { "[]".to_owned() } else { s });
    Ok(FeedDraft {
        name: text(sent, "name"),
        provider: text(sent, "provider"),
        url: text(sent, "url"),
        rules,
        enabled: flag(sent, "enabled"),
        distribution: number_of(sent, "distribution"),
        sharing_group: text(sent, "sharing_group_id").and_then(|t| Ref::parse(&t)),
        tag_id: number_of(sent, "tag_id"),
        source_format: text(sent, "source_format").filter(|t| !t.is_empty()),
        fixed_event: flag(sent, "fixed_event"),
        delta_merge: flag(sent, "delta_merge"),
        event_id: number_of(sent, "target_event").or_else(|| number_of(sent, "event_id")),
        publish: flag(sent, "publish"),
        override_ids: flag(sent, "override_ids"),
        settings,
        input_source: text(sent, "input_source").filter(|t| !t.is_empty()),
        delete_local_file: flag(sent, "delete_local_file"),
        lookup_visible: flag(sent, "lookup_visible"),
        headers: text(sent, "headers"),
        caching_enabled: flag(sent, "caching_enabled"),
        force_to_ids: flag(sent, "force_to_ids"),
        orgc_id: number_of(sent, "orgc_id"),
        tag_collection_id: number_of(sent, "tag_collection_id"),
    })
}

fn shape(request: &Request) -> FeedShape {
    FeedShape { credentials: request.actor.sees_all(), cache_timestamp: None, coverage: None }
}

/// GET|POST /feeds/index[/scope:{all|enabled|custom|default}][/quickFilter:…][/limit:…/page:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Feed")?;
    let named = |name: &str| request.path.named(name).map(str::to_owned).or_else(|| text(&sent, name));
    let yes =
        |name: &str| named(name).filter(|t| !t.is_empty()).map(|t| !matches!(t.as_str(), "0" | "false"));
    let count = |name: &str| named(name).and_then(|t| t.parse::<i64>().ok()).filter(|n| *n > 0);
    let limit = count("limit").map(|limit| limit.min(9999));
    let page = count("page").unwrap_or(1).min(1_000_000);
    let scope = named("scope");
    let filter = FeedFilter {
        enabled: yes("enabled"),
        caching_enabled: yes("caching_enabled"),
        default: match scope.as_deref() {
            Some("custom") => Some(false),
            Some("default") => Some(true),
            _ => yes("default"),
        },
        source_format: named("source_format").and_then(|t| SourceFormat::parse(&t)),
        in_use: scope.as_deref() == Some("enabled"),
        search: ["quickFilter", "searchall", "name", "url", "provider"].iter().find_map(|name| named(name)),
        limit,
        offset: limit.unwrap_or(0) * (page - 1),
    };
    let (feeds, tags, cached) = request.service.read(&request.actor, |r| {
        let feeds = r.feeds(&filter)?;
        let tags = r.tags_of_feeds(&feeds)?;
        Ok((feeds, tags, r.cached_sources()?))
    })?;
    let cached_at = |id: i64| {
        let own = cached.iter().find(|cached| cached.source == (SourceKind::Feed, id));
        request.actor.sees_all().then(|| own.map(|cached| cached.at))
    };
    Ok(list(&feeds, |w, feed| {
        let shape = FeedShape { cache_timestamp: cached_at(feed.id), ..shape(request) };
        write_feed(w, feed, tags.get(&feed.tag_id), shape);
    }))
}

/// GET|HEAD /feeds/view/{id}: for those who run the instance.
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    if !(request.actor.host_org || request.actor.sees_all()) {
        return Err(Failure::NoPermission);
    }
    let id = number(request, 0, INVALID)?;
    let found = request.service.read(&request.actor, |r| {
        let Some(feed) = r.feed(id)? else { return Ok(None) };
        let tag = r.tags_of_feeds(std::slice::from_ref(&feed))?.remove(&feed.tag_id);
        Ok(Some((feed, tag)))
    })?;
    let (feed, tag) = found.ok_or(Failure::NotFound(INVALID))?;
    if request.is_head() {
        return Ok(Answer::exists());
    }
    let (hundredths, elements) = coverage_of(request, id, None)?;
    let shape = FeedShape { coverage: Some((elements, hundredths)), ..shape(request) };
    Ok(document(|w| write_feed(w, &feed, tag.as_ref(), shape)))
}

fn show(request: &Request, feed: &Feed) -> Answer {
    document(|w| write_feed(w, feed, None, shape(request)))
}

/// POST /feeds/add
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Feed")?;
    let added = draft(&sent).and_then(|draft| service::add(&request.service, &request.actor, draft));
    Ok(show(request, &added.saving("add", "Feed")?))
}

/// POST /feeds/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let sent = request.unwrapped("Feed")?;
    let edited = draft(&sent).and_then(|draft| service::edit(&request.service, &request.actor, id, draft));
    Ok(show(request, &edited.saving("edit", "Feed")?))
}

/// POST /feeds/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    Ok(saved(request, "Feed deleted."))
}

fn switch(request: &Request, on: bool) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let draft = FeedDraft { enabled: Some(on), ..FeedDraft::default() };
    service::edit(&request.service, &request.actor, id, draft)?;
    let message = if on { "Feed enabled." } else { "Feed disabled." };
    Ok(document(|w| {
        w.begin_object();
        member(w, "name", message);
        member(w, "message", message);
        member(w, "url", &request.path.raw);
        w.end_object();
    }))
}

/// POST /feeds/enable/{id}
pub(crate) fn enable(request: &Request) -> Result<Answer, Failure> {
    switch(request, true)
}

/// POST /feeds/disable/{id}
pub(crate) fn disable(request: &Request) -> Result<Answer, Failure> {
    switch(request, false)
}

/// POST /feeds/toggleSelected/{enable}/{cache}/{[ids]}
pub(crate) fn toggle_selected(request: &Request) -> Result<Answer, Failure> {
    let yes = |i: usize| request.path.arg(i).is_some_and(|a| !matches!(a, "" | "0" | "false"));
    let (on, caching) = (yes(0), yes(1));
    let sent = request.unwrapped("Feed")?;
    let ids = request.path.arg(2).and_then(|json| serde_json::from_str::<Value>(json).ok());
    let ids = ids.or_else(|| sent.get("ids").cloned());
    let number = |item: &Value| item.as_i64().or_else(|| item.as_str()?.parse().ok());
    let ids: Option<Vec<i64>> =
        ids.as_ref().and_then(Value::as_array).map(|l| l.iter().filter_map(number).collect());
    let ids = ids.ok_or_else(|| Failure::Refused("Invalid feed list received.".into()))?;
    let count = service::toggle(&request.service, &request.actor, &ids, on, caching)?;
    let word = if on { "enabled" } else { "disabled" };
    Ok(saved(
        request,
        &match count {
            0 => format!("All selected feeds are already {word}, nothing to update."),
            _ => format!("{count} feeds {word}."),
        },
    ))
}

/// POST /feeds/importFeeds `[{"Feed":{…}},…]`
pub(crate) fn import(request: &Request) -> Result<Answer, Failure> {
    let mut sent = request.value()?;
    if let Some(json) = sent.get("Feed").and_then(|f| f.get("json")).or_else(|| sent.get("json")) {
        let json = json.as_str().unwrap_or_default();
        sent = serde_json::from_str(json).map_err(|_| Failure::BadJson)?;
    }
    let items = match sent {
        Value::Array(items) => items,
        one @ Value::Object(_) => vec![one],
        _ => return Err(Failure::BadRequest("Expected a list of feeds.".into())),
    };
    if items.len() > service::MAX_IMPORT {
        let most = service::MAX_IMPORT;
        return Err(Failure::BadRequest(format!("At most {most} feeds can be imported at once.")));
    }
    // What cannot be read counts as refused, as what is not right does.
    let drafts: Vec<FeedDraft> =
        items.iter().filter_map(|item| draft(item.get("Feed").unwrap_or(item)).ok()).collect();
    let unreadable = items.len() - drafts.len();
    let done = service::import(&request.service, &request.actor, drafts)?;
    let mut message = match done.added {
        0 => "No new feeds to add.".to_owned(),
        n => format!("{n} new feeds added."),
    };
    let refused = done.refused + unreadable;
    if refused > 0 {
        message
            .push_str(&format!(" {refused} feeds could not be added (possibly because they already exist)"));
    }
    Ok(saved(request, &message))
}

/// POST /feeds/loadDefaultFeeds
pub(crate) fn load_defaults(request: &Request) -> Result<Answer, Failure> {
    service::load_defaults(&request.service, &request.actor)?;
    Ok(saved(request, "Default feed metadata loaded."))
}

/// POST /feeds/cacheFeeds/{all|misp|freetext|csv|id}: the job is queued.
pub(crate) fn cache(request: &Request) -> Result<Answer, Failure> {
    let scope = request.path.arg(0).unwrap_or("freetext");
    service::queue_caching(&request.service, &request.actor, scope)?;
    Ok(saved(request, "Feed caching job initiated."))
}

fn told(result: &str) -> Answer {
    document(|w| {
        w.begin_object();
        member(w, "result", result);
        w.end_object();
    })
}

const QUEUED: &str = "Pull queued for background execution.";

/// POST /feeds/fetchFromFeed/{id}[/whole]: the job is queued; `whole`: whether or not anything changed.
pub(crate) fn fetch(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let whole = request.path.arg(1) == Some("whole");
    Ok(told(match service::queue_fetching(&request.service, &request.actor, id, whole)? {
        true => QUEUED,
        false => "Feed is currently not enabled. Make sure you enable it.",
    }))
}

/// POST /feeds/fetchFromAllFeeds
pub(crate) fn fetch_all(request: &Request) -> Result<Answer, Failure> {
    Ok(told(match service::queue_all(&request.service, &request.actor)? {
        0 => "No feed enabled.",
        _ => QUEUED,
    }))
}
