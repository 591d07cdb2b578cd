//! Feeds that are published from here. Site admins define them; whoever fetches one is known by its token alone.

use crate::changes::{Action, Change, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::published_feed::PublishedFeed;

const COLUMNS: [&str; 16] = [
    "id",
    "name",
    "slug",
    "filter",
    "user_id",
    "any_tlp",
    "token",
    "signed",
    "enabled",
    "revision",
    "published_revision",
    "published_at",
    "whole_at",
    "events",
    "attributes",
    "error",
];

fn read(row: &Row<'_>) -> Result<PublishedFeed> {
    Ok(PublishedFeed {
        id: row.int(0)?,
        name: row.string(1)?,
        slug: row.string(2)?,
        filter: row.string(3)?,
        user_id: row.int(4)?,
        any_tlp: row.flag(5)?,
        token: row.opt_blob(6)?.map(<[u8]>::to_vec),
        signed: row.flag(7)?,
        enabled: row.flag(8)?,
        revision: row.int(9)?,
        published_revision: row.int(10)?,
        published_at: row.int(11)?,
        whole_at: row.int(12)?,
        events: row.int(13)?,
        attributes: row.int(14)?,
        error: row.string(15)?,
    })
}

fn values(feed: &PublishedFeed, id: i64) -> [Val<'_>; 16] {
    [
        id.into(),
        (&feed.name).into(),
        (&feed.slug).into(),
        (&feed.filter).into(),
        feed.user_id.into(),
        feed.any_tlp.into(),
        feed.token.as_deref().into(),
        feed.signed.into(),
        feed.enabled.into(),
        feed.revision.into(),
        feed.published_revision.into(),
        feed.published_at.into(),
        feed.whole_at.into(),
        feed.events.into(),
        feed.attributes.into(),
        (&feed.error).into(),
    ]
}

impl Reader<'_> {
    fn sees_published_feeds(&self) -> &'static str {
        if self.actor.sees_all() { "1 = 1" } else { "1 = 0" }
    }

    pub fn published_feeds(&mut self) -> Result<Vec<PublishedFeed>> {
        let sees = self.sees_published_feeds();
        let sql = format!("select {} from published_feeds where {sees} order by id", COLUMNS.join(", "));
        self.conn.all(&sql, &[], read)
    }

    pub fn published_feed(&mut self, id: i64) -> Result<Option<PublishedFeed>> {
        let sees = self.sees_published_feeds();
        let sql = format!("select {} from published_feeds where id = $1 and {sees}", COLUMNS.join(", "));
        self.conn.first(&sql, &[id.into()], read)
    }

    /// The feed behind an address: for whoever decides whether the token is right.
    pub fn published_feed_at(&mut self, slug: &str) -> Result<Option<PublishedFeed>> {
        let sees = self.sees_published_feeds();
        let sql = format!("select {} from published_feeds where slug = $1 and {sees}", COLUMNS.join(", "));
        self.conn.first(&sql, &[slug.into()], read)
    }
}

/// What the audit log tells; of the token, only whether there is one.
fn note(change: &mut Change, old: &PublishedFeed, new: &PublishedFeed) {
    change
        .of(new.id, &new.name)
        .field("published_name", &old.name, &new.name)
        .field("slug", &old.slug, &new.slug)
        .field("filter", &old.filter, &new.filter)
        .field("user_id", old.user_id, new.user_id)
        .field("any_tlp", old.any_tlp, new.any_tlp)
        .field("protected", old.token.is_some(), new.token.is_some())
        .field("signed", old.signed, new.signed)
        .field("enabled", old.enabled, new.enabled);
}

impl Writer<'_> {
    /// Adds a published feed; its number is given here.
    pub fn add_published_feed(&mut self, feed: &PublishedFeed) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "published_feeds", 1)?[0];
        let places = list::places(1, COLUMNS.len());
        let sql = format!("insert into published_feeds ({}) values {places}", COLUMNS.join(", "));
        self.conn.execute(&sql, &values(feed, id)).map_err(|e| e.conflict_on("slug"))?;
        let new = PublishedFeed { id, ..feed.clone() };
        note(self.changed(Noun::Feed, Action::Add, Uuid::nil(), 0), &PublishedFeed::blank(), &new);
        Ok(id)
    }

    /// Writes a definition over what was read of it.
    pub fn edit_published_feed(&mut self, old: &PublishedFeed, new: &PublishedFeed) -> Result<()> {
        self.write_published_feed(new)?;
        note(self.changed(Noun::Feed, Action::Edit, Uuid::nil(), 0), old, new);
        Ok(())
    }

    /// Writes down what was published: nothing that people did.
    pub fn note_published_feed(&mut self, feed: &PublishedFeed) -> Result<()> {
        let sql = "update published_feeds set published_revision = $2, published_at = $3, whole_at = $4, \
                   events = $5, attributes = $6, error = $7 where id = $1";
        let args = [
            feed.id.into(),
            feed.published_revision.into(),
            feed.published_at.into(),
            feed.whole_at.into(),
            feed.events.into(),
            feed.attributes.into(),
            (&feed.error).into(),
        ];
        self.conn.execute(sql, &args)?;
        Ok(())
    }

    fn write_published_feed(&mut self, feed: &PublishedFeed) -> Result<()> {
        let sets: Vec<String> =
            COLUMNS.iter().enumerate().skip(1).map(|(i, column)| format!("{column} = ${}", i + 1)).collect();
        let sql = format!("update published_feeds set {} where id = $1", sets.join(", "));
        let written = self.conn.execute(&sql, &values(feed, feed.id)).map_err(|e| e.conflict_on("slug"))?;
        if written == 0 { Err(Error::NotFound("feed")) } else { Ok(()) }
    }

    pub fn delete_published_feed(&mut self, feed: &PublishedFeed) -> Result<()> {
        if self.conn.execute("delete from published_feeds where id = $1", &[feed.id.into()])? == 0 {
            return Err(Error::NotFound("feed"));
        }
        self.changed(Noun::Feed, Action::Delete, Uuid::nil(), 0).of(feed.id, &feed.name);
        Ok(())
    }
}
