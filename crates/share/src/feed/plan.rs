//! Feeds that are looked at, cached and published by themselves.

use pisax_access::Actor;
use pisax_model::job::Task;
use pisax_service::{Result, Service, job};
use pisax_store::feeds::FeedFilter;
use rustc_hash::FxHashMap;

/// Puts what is due into the queue.
#[derive(Default)]
pub(crate) struct Looks {
    /// The newest change when a feed was last published by itself.
    published: FxHashMap<i64, i64>,
}

fn actor() -> Actor {
    Actor::system("look at feeds from time to time")
}

impl Looks {
    pub(crate) fn look(&mut self, service: &Service) -> Result<()> {
        let (settings, now) = (service.settings(), service.now());
        if settings.feed_minutes > 0 {
            fetch(service, now - settings.feed_minutes * 60)?;
        }
        if settings.publish_feed_minutes > 0 {
            self.publish(service, now - settings.publish_feed_minutes * 60)?;
        }
        Ok(())
    }

    /// Feeds that were not published for a while, where anything changed.
    fn publish(&mut self, service: &Service, before: i64) -> Result<()> {
        let feeds = service.published_feeds()?;
        if feeds.is_empty() {
            return Ok(());
        }
        let newest = service.read(&actor(), |r| Ok(r.newest_change()?))?;
        for feed in feeds.iter().filter(|feed| feed.enabled && feed.published_at <= before) {
            if self.published.insert(feed.id, newest) != Some(newest) {
                job::queue(service, &actor(), Task::PublishFeed, &feed.id.to_string(), 0)?;
            }
        }
        Ok(())
    }
}

/// Feeds that nobody looked at since then.
fn fetch(service: &Service, before: i64) -> Result<()> {
    let in_use = FeedFilter { in_use: true, ..FeedFilter::default() };
    for feed in service.read(&actor(), |r| Ok(r.feeds(&in_use)?))? {
        if !service.feed_is_due(feed.id, before)? {
            continue;
        }
        let id = feed.id.to_string();
        if feed.enabled {
            job::queue(service, &actor(), Task::FetchFeeds, &id, 0)?;
        }
        if feed.caching_enabled {
            job::queue(service, &actor(), Task::CacheFeeds, &id, 0)?;
        }
    }
    Ok(())
}
