//! Feeds in MISP's shape (190).

use crate::json::{JsonWriter, k};
use crate::tag_out::tag_columns;
use pisax_model::event::EventDraft;
use pisax_model::feed::Feed;
use pisax_model::tag::Tag;
use std::borrow::Cow;

/// What of a feed is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedShape {
    /// Headers, and a url's user and password, are for site admins.
    pub credentials: bool,
    /// `cache_timestamp`, as in the index for site admins: false, nothing is cached.
    pub cache_timestamp: bool,
    /// What a view says of the cache.
    pub coverage: bool,
}

/// `https://user:password@host/` without what stands before the host, unless it may be shown.
fn shown_url(url: &str, shape: FeedShape) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://").filter(|_| !shape.credentials) else {
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
    w.text(k!("url"), &shown_url(&feed.url, shape));
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
    if shape.cache_timestamp {
        w.flag(k!("cache_timestamp"), false);
    }
    if shape.coverage {
        w.name(k!("cached_elements"));
        w.int(0);
        w.text(k!("coverage_by_other_feeds"), "0%");
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
        let shape = |credentials| FeedShape { credentials, cache_timestamp: false, coverage: false };
        let hidden = |url| shown_url(url, shape(false)).into_owned();
        assert_eq!(hidden("https://me:p@ss@feed.example:8443/a@b?c"), "https://feed.example:8443/a@b?c");
        assert_eq!(hidden("https://me@feed.example?c"), "https://feed.example?c");
        for whole in ["https://feed.example/a@b", "/var/feeds/a@b", ""] {
            assert_eq!(hidden(whole), whole);
        }
        assert_eq!(shown_url("https://me:x@feed.example", shape(true)), "https://me:x@feed.example");
    }
}
