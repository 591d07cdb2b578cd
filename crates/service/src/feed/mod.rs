//! Feeds: where indicators can be fetched from. Site admins define them; `pisax-share` fetches.

mod defaults;
pub mod published;
mod run;

pub use run::target;

use crate::context::Groups;
use crate::{Error, Result, Service, job, rules};
use pisax_access::Actor;
use pisax_model::FieldError;
use pisax_model::feed::{Feed, FeedDraft, SourceFormat};
use pisax_model::ids::Ref;
use pisax_model::job::Task;
use pisax_store::Writer;
use pisax_store::feeds::FeedFilter;

/// Most feeds that one import brings.
pub const MAX_IMPORT: usize = 1000;

/// The feeds the actor sees.
pub fn list(service: &Service, actor: &Actor, filter: &FeedFilter) -> Result<Vec<Feed>> {
    service.read(actor, |r| Ok(r.feeds(filter)?))
}

/// Adds a feed. `fixed_event` and `freetext` are what MISP's API takes where nothing is said.
pub fn add(service: &Service, actor: &Actor, draft: FeedDraft) -> Result<Feed> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut feed = Feed::blank();
        change(w, &mut feed, draft)?;
        let id = w.add_feed(&feed)?;
        w.feed(id)?.ok_or(Error::NotFound("feed"))
    })
}

/// Changes what the draft names.
pub fn edit(service: &Service, actor: &Actor, id: i64, draft: FeedDraft) -> Result<Feed> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let old = w.feed(id)?.ok_or(Error::NotFound("feed"))?;
        let mut feed = old.clone();
        change(w, &mut feed, draft)?;
        w.edit_feed(&old, &feed)?;
        Ok(feed)
    })
}

fn change(w: &mut Writer<'_>, feed: &mut Feed, draft: FeedDraft) -> Result<()> {
    let group = draft.sharing_group;
    if let Some(code) = draft.distribution {
        if !(0..=5).contains(&code) {
            return Err(FieldError::new("distribution", "Options: 0, 1, 2, 3, 4, 5").into());
        }
        let kept = Ref::Id(feed.sharing_group_id);
        let same = feed.distribution == 4 && group.is_none_or(|group| group == kept);
        if code == 4 && !same {
            feed.sharing_group_id = Groups::default().usable(w, group)?;
        } else if code != 4 {
            feed.sharing_group_id = 0;
        }
        feed.distribution = code;
    }
    if let Some(id) = draft.tag_id {
        if id > 0 && w.tag(id)?.is_none() {
            return Err(FieldError::new("tag_id", "There is no such tag.").into());
        }
        feed.tag_id = id.max(0);
    }
    if let Some(id) = draft.orgc_id {
        if id > 0 && w.org(Ref::Id(id))?.is_none() {
            return Err(FieldError::new("orgc_id", "There is no such organisation.").into());
        }
        feed.orgc_id = id.max(0);
    }
    feed.apply(draft)?;
    // What a MISP feed brings says itself who made it.
    if feed.source_format == SourceFormat::Misp {
        feed.orgc_id = 0;
    }
    Ok(())
}

pub fn delete(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let feed = w.feed(id)?.ok_or(Error::NotFound("feed"))?;
        Ok(w.delete_feed(&feed)?)
    })
}

/// Switches several feeds on or off, for fetching or for caching; returns how many changed.
pub fn toggle(service: &Service, actor: &Actor, ids: &[i64], on: bool, caching: bool) -> Result<usize> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut changed = 0;
        for id in ids {
            let Some(old) = w.feed(*id)? else { continue };
            let mut feed = old.clone();
            *(if caching { &mut feed.caching_enabled } else { &mut feed.enabled }) = on;
            if feed != old {
                w.edit_feed(&old, &feed)?;
                changed += 1;
            }
        }
        Ok(changed)
    })
}

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    pub added: usize,
    /// Known already, or not right.
    pub refused: usize,
}

/// Adds feeds that others wrote down; one whose address is known in the same format stays as it is.
pub fn import(service: &Service, actor: &Actor, drafts: Vec<FeedDraft>) -> Result<Imported> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let mut known = w.feed_addresses()?;
        let mut done = Imported::default();
        for draft in drafts.into_iter().take(MAX_IMPORT) {
            let mut feed = Feed::blank();
            match change(w, &mut feed, draft) {
                Ok(()) if !known.contains(&(feed.url.clone(), feed.source_format)) => {
                    w.add_feed(&feed)?;
                    known.push((feed.url, feed.source_format));
                    done.added += 1;
                }
                Ok(()) | Err(Error::Invalid(_)) => done.refused += 1,
                Err(e) => return Err(e),
            }
        }
        Ok(done)
    })
}

/// Adds those of the well-known public feeds that are not there, all of them switched off.
pub fn load_defaults(service: &Service, actor: &Actor) -> Result<usize> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let known = w.feed_addresses()?;
        let new = defaults::feeds().filter(|f| !known.contains(&(f.url.clone(), f.source_format)));
        let mut added = 0;
        for feed in new {
            w.add_feed(&feed)?;
            added += 1;
        }
        Ok(added)
    })
}

/// Puts the caching of feeds (`all`, a format, or the number of one) into the queue. Returns the job's number.
pub fn queue_caching(service: &Service, actor: &Actor, scope: &str) -> Result<i64> {
    rules::site_admin(actor)?;
    match scope.parse::<i64>() {
        Ok(id) => {
            service.read(actor, |r| r.feed(id)?.ok_or(Error::NotFound("feed")))?;
        }
        Err(_) if ["all", "misp", "freetext", "csv"].contains(&scope) => {}
        Err(_) => return Err(Error::NotFound("feed")),
    }
    job::queue(service, actor, Task::CacheFeeds, scope, 0)
}

/// Puts the fetching of a feed into the queue; `whole`: whether or not it changed since the last time. `false`: it is
/// not enabled.
pub fn queue_fetching(service: &Service, actor: &Actor, id: i64, whole: bool) -> Result<bool> {
    rules::site_admin(actor)?;
    let feed = service.read(actor, |r| r.feed(id)?.ok_or(Error::NotFound("feed")))?;
    if feed.enabled {
        let input = if whole { format!("{id} whole") } else { id.to_string() };
        job::queue(service, actor, Task::FetchFeeds, &input, 0)?;
    }
    Ok(feed.enabled)
}

/// The same for every enabled feed; returns how many there are.
pub fn queue_all(service: &Service, actor: &Actor) -> Result<usize> {
    rules::site_admin(actor)?;
    let enabled = FeedFilter { enabled: Some(true), ..FeedFilter::default() };
    let feeds = list(service, actor, &enabled)?;
    for feed in &feeds {
        job::queue(service, actor, Task::FetchFeeds, &feed.id.to_string(), 0)?;
    }
    Ok(feeds.len())
}
