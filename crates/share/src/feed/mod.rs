//! Feeds: what others publish, fetched, taken over or cached, every line accounted for.

mod account;
pub(crate) mod cache;
mod fetch;
mod lines;
mod list;
mod misp;
pub(crate) mod plan;
mod preview;
pub mod publish;

pub use lines::hash;
pub use preview::{Preview, Seen, WouldBe, event, index, lines, take};

use crate::Fault;
use crate::work::{End, Work};
use account::Tally;
use fetch::{Bounds, Fetched, LONG, PACKED, Place, UNPACKED, Version};
use pisax_access::{Actor, Permission};
use pisax_model::feed::{Feed, SourceFormat};
use pisax_model::feed_run::{FeedState, RunKind, RunOutcome};
use pisax_service::Service;
use pisax_store::feeds::FeedFilter;
use pisax_wire::FeedSettings;

/// The system, on behalf of the organisation whose member asked, or of the one that runs the instance.
fn fetcher(service: &Service, org_id: i64, user_id: i64) -> Actor {
    let org_id = if org_id > 0 { org_id } else { service.policy.host_org_id };
    Actor { org_id, user_id, host_org: true, ..Actor::system("fetch a feed") }
}

/// The same for events that others made: it changes only what came from elsewhere.
fn bringer(actor: Actor) -> Actor {
    Actor { permissions: actor.permissions.without(Permission::SiteAdmin), ..actor }
}

fn settings(feed: &Feed) -> Result<FeedSettings, Fault> {
    pisax_wire::read_feed_settings(&feed.settings)
        .map_err(|e| Fault::Setup(format!("the settings of the feed cannot be read: {e}")))
}

/// Everything of a definition that decides on what becomes of the feed's lines.
fn definition(feed: &Feed) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    let rest = (feed.distribution, feed.sharing_group_id, feed.tag_id, feed.tag_collection_id, feed.orgc_id);
    let flags = (feed.fixed_event, feed.delta_merge, feed.publish, feed.override_ids, feed.force_to_ids);
    let place = (&feed.url, &feed.rules, &feed.settings, feed.source_format.name(), feed.event_id);
    (rest, flags, place).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The job `fetch_feeds`: its input is `all` or the number of a feed, `whole` behind it where it does not matter
/// whether anything changed.
pub(crate) fn fetch(work: &Work) -> Result<End, Fault> {
    let service = &work.service;
    let actor = fetcher(service, work.job.org_id, work.job.user_id);
    let (id, whole) = work.job.job_input.split_once(' ').unwrap_or((&work.job.job_input, ""));
    if id == "all" {
        let count = pisax_service::feed::queue_all(service, &actor)?;
        return Ok(End::Done(format!("{count} feeds queued.")));
    }
    let id: i64 = id.parse().map_err(|_| Fault::Setup("the job names no feed".into()))?;
    let Some(feed) = service.read(&actor, |r| Ok(r.feed(id)?))? else {
        return Ok(End::Done("There is no such feed.".into()));
    };
    if !feed.enabled {
        return Ok(End::Done("Feed is currently not enabled. Make sure you enable it.".into()));
    }
    let now = service.now();
    service.change_feed_state(id, |state| state.asked = now)?;
    let run = (service.begin_feed_run(id, RunKind::Fetch)?, id, RunKind::Fetch, now);
    let mut tally = Tally::new();
    let ended = take_over(work, &actor, &feed, whole == "whole", &mut tally);
    tally.end(service, run, &ended)?;
    Ok(End::Done(match ended? {
        RunOutcome::Unchanged => "Nothing changed since the last time.".into(),
        _ => format!("Job complete. {}", tally.told()),
    }))
}

fn take_over(
    work: &Work,
    actor: &Actor,
    feed: &Feed,
    whole: bool,
    tally: &mut Tally,
) -> Result<RunOutcome, Fault> {
    let service = &work.service;
    let settings = settings(feed)?;
    let place = Place::of(service, feed)?;
    let state = service.feed_state(feed.id)?;
    let same = !whole && state.definition == definition(feed);
    let known = Version { etag: state.etag, last_modified: state.last_modified };
    let known = (same && known != Version::default()).then_some(&known);
    let misp = feed.source_format == SourceFormat::Misp;
    let name = misp.then_some("manifest.json");
    work.tell(1, "Fetching data.")?;
    let fetched = place.get(name, known, Bounds { time: LONG, bytes: PACKED })?;
    let Fetched::New(download, version) = fetched else { return Ok(RunOutcome::Unchanged) };
    let complete = if misp {
        misp::import(work, &bringer(actor.clone()), feed, &settings, &place, download, tally)?
    } else {
        list::import(work, actor, feed, &settings, download.unpacked(UNPACKED)?, tally)?;
        true
    };
    if complete {
        // The event that the lines went into is part of the definition from the first time on.
        let event_id = if feed.fixed_event && tally.event_id > 0 { tally.event_id } else { feed.event_id };
        let definition = definition(&Feed { event_id, ..feed.clone() });
        service.change_feed_state(feed.id, |state| {
            let Version { etag, last_modified } = version;
            *state = FeedState { etag, last_modified, definition, asked: state.asked };
        })?;
        if feed.delete_local_file {
            place.remove(name);
        }
    }
    Ok(RunOutcome::Done)
}

/// The job `cache_feeds`: its input is `all`, a format, or the number of a feed. One that cannot be cached does not
/// stand in the way of the others.
pub(crate) fn cache(work: &Work) -> Result<End, Fault> {
    let service = &work.service;
    let actor = fetcher(service, work.job.org_id, work.job.user_id);
    let scope = work.job.job_input.as_str();
    let feeds = service.read(&actor, |r| match scope.parse::<i64>() {
        Ok(id) => Ok(r.feed(id)?.into_iter().collect()),
        Err(_) => Ok(r.feeds(&FeedFilter {
            caching_enabled: Some(true),
            source_format: SourceFormat::parse(scope),
            ..FeedFilter::default()
        })?),
    })?;
    let feeds: Vec<Feed> = feeds.into_iter().filter(|feed| feed.caching_enabled).collect();
    let (mut done, mut failed) = (0, None);
    for feed in &feeds {
        work.tell(1, &format!("Feed {}: Fetching.", feed.id))?;
        let run = (service.begin_feed_run(feed.id, RunKind::Cache)?, feed.id, RunKind::Cache, service.now());
        let mut tally = Tally::new();
        let filled = settings(feed)
            .and_then(|settings| {
                let place = Place::of(service, feed)?;
                cache::fill(work, feed, &settings, &place, &mut tally)
            })
            .map(|_| RunOutcome::Done);
        tally.end(service, run, &filled)?;
        match filled {
            Ok(_) => done += 1,
            Err(fault @ (Fault::Stopped | Fault::Here(_))) => return Err(fault),
            Err(fault) => failed = Some(format!("feed {}: {fault}", feed.id)),
        }
    }
    match failed {
        None => Ok(End::Done(format!("Job done. {done} feeds cached."))),
        Some(why) => Err(Fault::Unusable(format!("{done} of {} feeds cached; {why}", feeds.len()))),
    }
}
