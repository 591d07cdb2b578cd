//! Feeds in MISP's shape (190).

use crate::json::{JsonWriter, k};
use crate::tag_out::tag_columns;
use pisax_model::feed::Feed;
use pisax_model::tag::Tag;

/// What of a feed is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedShape {
    /// Headers may hold credentials: for site admins.
    pub headers: bool,
    /// `cache_timestamp`, as in the index for site admins: false, nothing is cached.
    pub cache_timestamp: bool,
    /// What a view says of the cache.
    pub coverage: bool,
}

/// `{"Feed":{…}}`, with the tag it attaches if there is one.
pub fn write_feed(w: &mut JsonWriter<'_>, feed: &Feed, tag: Option<&Tag>, shape: FeedShape) {
    w.begin_object();
    w.name(k!("Feed"));
    w.begin_object();
    w.num(k!("id"), feed.id);
    w.text(k!("name"), &feed.name);
    w.text(k!("provider"), &feed.provider);
    w.text(k!("url"), &feed.url);
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
    if shape.headers {
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
