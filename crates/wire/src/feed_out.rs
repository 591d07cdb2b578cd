//! Feeds in MISP's shape (190).

use crate::json::{JsonWriter, k};
use crate::tag_out::tag_columns;
use pisax_model::event::EventDraft;
use pisax_model::feed::Feed;
use pisax_model::feed_run::FeedRun;
use pisax_model::published_feed::PublishedFeed;
use pisax_model::tag::Tag;
use std::borrow::Cow;

/// What of a feed is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedShape {
    /// Headers, and a url's user and password, are for site admins.
    pub credentials: bool,
    /// When it was cached (`Some(None)`: never), as in the index for site admins.
    pub cache_timestamp: Option<Option<i64>>,
    /// What a view says of the cache: how many values, and how many hundredths of a percent of them others have.
    pub coverage: Option<(i64, i64)>,
}

/// `https://user:password@host/` without what stands before the host, unless it may be shown.
pub fn shown_url(url: &str, credentials: bool) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://").filter(|_| !credentials) else {
        return url.into();
    };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match host.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}").into(),
        None => url.into(),
    }
}

/// `{"Feed":{…}}`, with the tag it attaches if there is one.
pub fn write_feed(w: &mut JsonWriter<'_>, feed: &Feed, tag: Option<&Tag>, shape: FeedShape) {
    w.begin_object();
    w.name(k!("Feed"));
    w.begin_object();
    w.num(k!("id"), feed.id);
    w.text(k!("name"), &feed.name);
    w.text(k!("provider"), &feed.provider);
    w.text(k!("url"), &shown_url(&feed.url, shape.credentials));
    w.text_or_null(k!("rules"), feed.rules.as_deref());
    w.flag(k!("enabled"), feed.enabled);
    w.num(k!("distribution"), feed.distribution);
    w.num(k!("sharing_group_id"), feed.sharing_group_id);
    w.num(k!("tag_id"), feed.tag_id);
    w.flag(k!("default"), feed.default);
    w.text(k!("source_format"), feed.source_format.name());
    w.flag(k!("fixed_event"), feed.fixed_event);
    w.flag(k!("delta_merge"), feed.delta_merge);
    w.num(k!("event_id"), feed.event_id);
    w.flag(k!("publish"), feed.publish);
    w.flag(k!("override_ids"), feed.override_ids);
    w.text(k!("settings"), &feed.settings);
    w.text(k!("input_source"), feed.input_source.name());
    w.flag(k!("delete_local_file"), feed.delete_local_file);
    w.flag(k!("lookup_visible"), feed.lookup_visible);
    if shape.credentials {
        w.text_or_null(k!("headers"), feed.headers.as_deref());
    }
    w.flag(k!("caching_enabled"), feed.caching_enabled);
    w.flag(k!("force_to_ids"), feed.force_to_ids);
    w.num(k!("orgc_id"), feed.orgc_id);
    w.num(k!("tag_collection_id"), feed.tag_collection_id);
    match shape.cache_timestamp {
        Some(Some(at)) => w.num(k!("cache_timestamp"), at),
        Some(None) => w.flag(k!("cache_timestamp"), false),
        None => {}
    }
    if let Some((elements, hundredths)) = shape.coverage {
        w.name(k!("cached_elements"));
        w.int(elements);
        let percent = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        let percent = percent.trim_end_matches('0').trim_end_matches('.');
        w.text(k!("coverage_by_other_feeds"), &format!("{percent}%"));
    }
    w.end_object();
    if let Some(tag) = tag {
        w.name(k!("Tag"));
        w.begin_object();
        tag_columns(w, tag);
        w.end_object();
    }
    w.end_object();
}

/// What became of a feed once. PISAX's own.
pub fn write_feed_run(w: &mut JsonWriter<'_>, run: &FeedRun) {
    w.begin_object();
    w.num(k!("id"), run.id);
    w.num(k!("feed_id"), run.feed_id);
    w.text(k!("kind"), run.kind.name());
    w.num(k!("started"), run.started);
    w.num_or_null(k!("ended"), Some(run.ended).filter(|at| *at > 0));
    w.text(k!("outcome"), run.outcome.name());
    w.text(k!("error"), &run.error);
    w.num(k!("event_id"), run.event_id);
    for (name, value) in run.account.columns() {
        w.key(if name == "total" { "values" } else { name });
        w.str_num(value);
    }
    w.end_object();
}

/// A feed that is published from here. PISAX's own; the token is there when it was just made.
pub fn write_published_feed(
    w: &mut JsonWriter<'_>,
    feed: &PublishedFeed,
    base_url: &str,
    token: Option<&str>,
) {
    w.begin_object();
    w.num(k!("id"), feed.id);
    w.text(k!("name"), &feed.name);
    w.text(k!("slug"), &feed.slug);
    w.text(k!("url"), &format!("{base_url}/feed/{}", feed.slug));
    w.text(k!("filter"), &feed.filter);
    w.num(k!("user_id"), feed.user_id);
    w.flag(k!("any_tlp"), feed.any_tlp);
    w.flag(k!("protected"), feed.token.is_some());
    w.flag(k!("signed"), feed.signed);
    w.flag(k!("enabled"), feed.enabled);
    w.num_or_null(k!("published_at"), Some(feed.published_at).filter(|at| *at > 0));
    w.num(k!("events"), feed.events);
    w.num(k!("hashes"), feed.attributes);
    w.text(k!("error"), &feed.error);
    if let Some(token) = token {
        w.text(k!("token"), token);
    }
    w.end_object();
}

/// One entry of the manifest of a feed that is published.
pub fn write_manifest_entry(w: &mut JsonWriter<'_>, event: &EventDraft) {
    crate::draft_out::manifest_entry(w, event);
}

/// The file of an event in a feed that is published: as it travels between servers.
pub fn write_feed_event(w: &mut JsonWriter<'_>, event: &EventDraft) {
    crate::draft_out::write_event_draft(w, event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signs_in_to_a_feed_is_not_shown_to_its_readers() {
        let hidden = |url| shown_url(url, false).into_owned();
        assert_eq!(hidden("https://me:p@ss@feed.example:8443/a@b?c"), "https://feed.example:8443/a@b?c");
        assert_eq!(hidden("https://me@feed.example?c"), "https://feed.example?c");
        for whole in ["https://feed.example/a@b", "/var/feeds/a@b", ""] {
            assert_eq!(hidden(whole), whole);
        }
        assert_eq!(shown_url("https://me:x@feed.example", true), "https://me:x@feed.example");
    }
}
