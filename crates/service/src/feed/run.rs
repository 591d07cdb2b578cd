//! What a run of a feed reads and writes here, on behalf of the system: its state, its account, where lines go, what
//! is cached. Called by `pisax-share`.

use crate::{Error, Result, Service, event};
use pisax_access::Actor;
use pisax_model::Uuid;
use pisax_model::event::EventDraft;
use pisax_model::feed::Feed;
use pisax_model::feed_run::{FeedRun, FeedState, NotTaken, RunKind, Source, ValueHash};
use pisax_model::ids::Ref;
use pisax_model::org::OrgRef;
use pisax_model::tag::TagDraft;
use pisax_store::Writer;

fn system() -> Actor {
    Actor::system("keep account of a feed")
}

impl Service {
    pub fn feed_state(&self, feed_id: i64) -> Result<FeedState> {
        self.read(&system(), |r| Ok(r.feed_state(feed_id)?))
    }

    /// Changes what is known of a feed's source.
    pub fn change_feed_state(&self, feed_id: i64, change: impl FnOnce(&mut FeedState)) -> Result<()> {
        self.write(&system(), |w| {
            let mut state = w.feed_state(feed_id)?;
            change(&mut state);
            Ok(w.set_feed_state(feed_id, &state)?)
        })
    }

    /// Whether a feed was last asked for before `before` (Unix seconds); if so, it counts as asked now. A new one is
    /// first asked for by hand, or when its time has come.
    pub fn feed_is_due(&self, feed_id: i64, before: i64) -> Result<bool> {
        let asked = self.feed_state(feed_id)?.asked;
        if asked >= before {
            return Ok(false);
        }
        let now = self.now();
        self.change_feed_state(feed_id, |state| state.asked = now)?;
        Ok(asked > 0)
    }

    pub fn begin_feed_run(&self, feed_id: i64, kind: RunKind) -> Result<i64> {
        self.write(&system(), |w| Ok(w.begin_feed_run(feed_id, kind)?))
    }

    pub fn end_feed_run(&self, run: &FeedRun, not_taken: &[NotTaken]) -> Result<()> {
        self.write(&system(), |w| Ok(w.end_feed_run(run, not_taken)?))
    }

    /// The tags that a feed gives to what it brings: those of its collection, else its own.
    pub fn feed_tags(&self, feed: &Feed) -> Result<Vec<TagDraft>> {
        let names = self.read(&system(), |r| {
            if feed.tag_collection_id > 0 {
                let collection = r.tag_collection(Ref::Id(feed.tag_collection_id))?;
                return Ok(collection.map_or_else(Vec::new, |found| {
                    found.tags.into_iter().map(|(_, tag)| tag.name).collect()
                }));
            }
            Ok(r.tags_of_feeds(std::slice::from_ref(feed))?.into_values().map(|tag| tag.name).collect())
        })?;
        Ok(names.into_iter().map(|name| TagDraft { name, ..TagDraft::default() }).collect())
    }

    /// Begins the next generation of what is cached of a source; returns its number.
    pub fn begin_cache(&self, source: Source) -> Result<i64> {
        self.write(&system(), |w| Ok(w.begin_cache(source)?))
    }

    pub fn cache(&self, source: Source, generation: i64, rows: &[(ValueHash, Option<Uuid>)]) -> Result<()> {
        self.write(&system(), |w| Ok(w.cache(source, generation, rows)?))
    }

    /// From now on the new generation is read. Returns how many different values there are.
    pub fn finish_cache(&self, source: Source, generation: i64) -> Result<i64> {
        self.write(&system(), |w| Ok(w.finish_cache(source, generation)?))
    }
}

/// The event that the lines of a feed go into: the one that was chosen, or a new one, which a feed with a fixed event
/// keeps. Whoever fetches has to be allowed to change it.
pub fn target(
    service: &Service,
    actor: &Actor,
    feed: &Feed,
    tags: Vec<TagDraft>,
    disable_correlation: bool,
) -> Result<i64> {
    if feed.fixed_event && feed.event_id > 0 {
        let found = service.read(actor, |r| Ok(r.event(Ref::Id(feed.event_id))?))?;
        return found.map(|event| event.id).ok_or_else(|| {
            Error::Refused(format!(
                "The target event is no longer valid. Make sure that the target event {} exists.",
                feed.event_id
            ))
        });
    }
    // "As the feed says" has no meaning for lines: they stay here.
    let distribution = if feed.distribution == 5 { 0 } else { feed.distribution };
    let draft = EventDraft {
        info: Some(format!("{} feed", feed.name)),
        // As MISP makes it: complete, of undefined threat level.
        analysis: Some(2),
        threat_level_id: Some(4),
        distribution: Some(distribution),
        sharing_group: (distribution == 4).then_some(Ref::Id(feed.sharing_group_id)),
        disable_correlation: Some(disable_correlation),
        orgc: (feed.orgc_id > 0).then(|| OrgRef { id: Some(feed.orgc_id), ..OrgRef::default() }),
        tags,
        ..EventDraft::default()
    };
    let (feed_id, fixed) = (feed.id, feed.fixed_event);
    let keep = |w: &mut Writer<'_>, event_id: i64| {
        if fixed {
            w.set_feed_event(feed_id, event_id)?;
        }
        Ok(())
    };
    Ok(event::add_and(service, actor, draft, keep)?.id)
}
