//! Feeds that are published from here: site admins say what is in them and who may fetch them.

use crate::{Error, Result, Service, job, rules};
use pisax_access::{Actor, Permissions};
use pisax_auth::session::Secret;
use pisax_model::FieldError;
use pisax_model::job::Task;
use pisax_model::published_feed::{PublishedFeed, PublishedFeedDraft};
use pisax_store::{Error as StoreError, Reader, Writer};

fn system() -> Actor {
    Actor::system("publish a feed")
}

/// A definition that was written, with its token where one was made: it is not shown again.
pub struct Defined {
    pub feed: PublishedFeed,
    pub token: Option<String>,
}

pub fn list(service: &Service, actor: &Actor) -> Result<Vec<PublishedFeed>> {
    rules::site_admin(actor)?;
    service.read(actor, |r| Ok(r.published_feeds()?))
}

pub fn view(service: &Service, actor: &Actor, id: i64) -> Result<PublishedFeed> {
    rules::site_admin(actor)?;
    service.read(actor, |r| r.published_feed(id)?.ok_or(Error::NotFound("feed")))
}

/// Defines a feed and has it published. Without a word about a token, one is asked for.
pub fn add(service: &Service, actor: &Actor, draft: PublishedFeedDraft) -> Result<Defined> {
    rules::site_admin(actor)?;
    let draft = PublishedFeedDraft { protected: draft.protected.or(Some(true)), ..draft };
    let defined = service.write(actor, |w| {
        let mut feed = PublishedFeed::blank();
        let token = change(w, &mut feed, draft)?;
        let id = w.add_published_feed(&feed).map_err(taken)?;
        let feed = w.published_feed(id)?.ok_or(Error::NotFound("feed"))?;
        Ok(Defined { feed, token })
    })?;
    queue(service, actor, &defined.feed, false)?;
    Ok(defined)
}

/// Changes what the draft names and has the feed published anew. `protected` makes a new token.
pub fn edit(service: &Service, actor: &Actor, id: i64, draft: PublishedFeedDraft) -> Result<Defined> {
    rules::site_admin(actor)?;
    let defined = service.write(actor, |w| {
        let old = w.published_feed(id)?.ok_or(Error::NotFound("feed"))?;
        let mut feed = old.clone();
        let token = change(w, &mut feed, draft)?;
        let token_alone = |feed: &PublishedFeed| PublishedFeed { token: None, ..feed.clone() };
        if token_alone(&feed) != token_alone(&old) {
            feed.revision += 1;
        }
        w.edit_published_feed(&old, &feed).map_err(taken)?;
        Ok(Defined { feed, token })
    })?;
    queue(service, actor, &defined.feed, false)?;
    Ok(defined)
}

/// Forgets a feed; its files go with the next look at the folder.
pub fn delete(service: &Service, actor: &Actor, id: i64) -> Result<PublishedFeed> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let feed = w.published_feed(id)?.ok_or(Error::NotFound("feed"))?;
        w.delete_published_feed(&feed)?;
        Ok(feed)
    })
}

/// Has a feed published: what changed, or every event anew. Returns the job.
pub fn generate(service: &Service, actor: &Actor, id: i64, whole: bool) -> Result<i64> {
    let feed = view(service, actor, id)?;
    if !feed.enabled {
        return Err(Error::Refused("The feed is not enabled.".into()));
    }
    queue(service, actor, &feed, whole)
}

fn queue(service: &Service, actor: &Actor, feed: &PublishedFeed, whole: bool) -> Result<i64> {
    let input = if whole { format!("{} whole", feed.id) } else { feed.id.to_string() };
    job::queue(service, actor, Task::PublishFeed, &input, 0)
}

fn taken(error: StoreError) -> Error {
    match error {
        StoreError::Conflict(_) => FieldError::new("slug", "Another published feed is there.").into(),
        other => other.into(),
    }
}

fn change(w: &mut Writer<'_>, feed: &mut PublishedFeed, draft: PublishedFeedDraft) -> Result<Option<String>> {
    if let Some(id) = draft.user_id.filter(|id| *id > 0)
        && w.user(id)?.is_none()
    {
        return Err(FieldError::new("user_id", "There is no such user.").into());
    }
    let protected = draft.protected;
    feed.apply(draft)?;
    let token = protected.filter(|on| *on).map(|_| Secret::generate());
    match (&token, protected) {
        (Some(token), _) => feed.token = Some(token.hash().to_vec()),
        (None, Some(false)) => feed.token = None,
        (None, _) => {}
    }
    // What one user sees is not for everybody.
    if feed.user_id > 0 && feed.token.is_none() {
        return Err(FieldError::new("protected", "A feed of what a user sees needs a token.").into());
    }
    Ok(token.map(|token| token.to_hex()))
}

// ---- For those who publish and serve ------------------------------------------------------------------

/// The feed at an address, if it is there for whoever shows this token.
pub fn open(service: &Service, slug: &str, token: Option<&str>) -> Result<Opened> {
    let feed = service.read(&system(), |r| Ok(r.published_feed_at(slug)?))?;
    let Some(feed) = feed.filter(|feed| feed.enabled) else { return Ok(Opened::Nothing) };
    let may = feed
        .token
        .as_ref()
        .is_none_or(|hash| token.and_then(Secret::parse).is_some_and(|token| token.has_hash(hash)));
    Ok(if may { Opened::Feed(Box::new(feed)) } else { Opened::Closed })
}

/// What is behind an address.
pub enum Opened {
    Feed(Box<PublishedFeed>),
    /// It asks for another token.
    Closed,
    Nothing,
}

/// With whose eyes a feed is read: of its user as he is now, or of a stranger. None: the user is gone or disabled.
pub fn audience(service: &Service, feed: &PublishedFeed) -> Result<Option<Actor>> {
    if feed.user_id == 0 {
        return Ok(Some(Actor {
            user_id: 0,
            org_id: 0,
            permissions: Permissions::NONE,
            host_org: false,
            reason: Some("publish a feed"),
            origin: Default::default(),
        }));
    }
    service.read(&system(), |r| {
        let Some(user) = r.user(feed.user_id)?.filter(|user| !user.disabled) else { return Ok(None) };
        let Some(role) = r.role(user.role_id)? else { return Ok(None) };
        Ok(Some(Actor {
            user_id: user.id,
            org_id: user.org_id,
            permissions: role.permissions,
            host_org: user.org_id == service.policy.host_org_id,
            reason: Some("publish a feed"),
            origin: Default::default(),
        }))
    })
}

impl Service {
    /// Every enabled feed.
    pub fn published_feeds(&self) -> Result<Vec<PublishedFeed>> {
        self.read(&system(), |r: &mut Reader<'_>| Ok(r.published_feeds()?))
    }

    /// Writes down what was published.
    pub fn note_published_feed(&self, feed: &PublishedFeed) -> Result<()> {
        self.write(&system(), |w| Ok(w.note_published_feed(feed)?))
    }

    /// An armoured detached signature over a file as it is.
    pub fn sign_file(&self, bytes: &[u8]) -> Result<String> {
        crate::cryptographic_key::sign_file(self, bytes)
    }
}
