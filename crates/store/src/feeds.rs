//! Feeds as they are defined here. Those who run the instance see all of them; others see those that are
//! visible for look-ups.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list, tags};
use pisax_model::Uuid;
use pisax_model::feed::{Feed, Input, SourceFormat};
use pisax_model::tag::Tag;
use rustc_hash::FxHashMap;

const COLUMNS: [&str; 25] = [
    "id",
    "name",
    "provider",
    "url",
    "rules",
    "enabled",
    "distribution",
    "sharing_group_id",
    "tag_id",
    "default_feed",
    "source_format",
    "fixed_event",
    "delta_merge",
    "event_id",
    "publish",
    "override_ids",
    "settings",
    "input_source",
    "delete_local_file",
    "lookup_visible",
    "headers",
    "caching_enabled",
    "force_to_ids",
    "orgc_id",
    "tag_collection_id",
];

fn read(row: &Row<'_>) -> Result<Feed> {
    Ok(Feed {
        id: row.int(0)?,
        name: row.string(1)?,
        provider: row.string(2)?,
        url: row.string(3)?,
        rules: row.opt_string(4)?,
        enabled: row.flag(5)?,
        distribution: row.int(6)?,
        sharing_group_id: row.int(7)?,
        tag_id: row.int(8)?,
        default: row.flag(9)?,
        source_format: SourceFormat::parse(row.text(10)?).ok_or(Error::Damaged("the format of a feed"))?,
        fixed_event: row.flag(11)?,
        delta_merge: row.flag(12)?,
        event_id: row.int(13)?,
        publish: row.flag(14)?,
        override_ids: row.flag(15)?,
        settings: row.string(16)?,
        input_source: Input::parse(row.text(17)?),
        delete_local_file: row.flag(18)?,
        lookup_visible: row.flag(19)?,
        headers: row.opt_string(20)?,
        caching_enabled: row.flag(21)?,
        force_to_ids: row.flag(22)?,
        orgc_id: row.int(23)?,
        tag_collection_id: row.int(24)?,
    })
}

fn values(feed: &Feed, id: i64) -> [Val<'_>; 25] {
    [
        id.into(),
        (&feed.name).into(),
        (&feed.provider).into(),
        (&feed.url).into(),
        feed.rules.as_deref().into(),
        feed.enabled.into(),
        feed.distribution.into(),
        feed.sharing_group_id.into(),
        feed.tag_id.into(),
        feed.default.into(),
        feed.source_format.name().into(),
        feed.fixed_event.into(),
        feed.delta_merge.into(),
        feed.event_id.into(),
        feed.publish.into(),
        feed.override_ids.into(),
        (&feed.settings).into(),
        feed.input_source.name().into(),
        feed.delete_local_file.into(),
        feed.lookup_visible.into(),
        feed.headers.as_deref().into(),
        feed.caching_enabled.into(),
        feed.force_to_ids.into(),
        feed.orgc_id.into(),
        feed.tag_collection_id.into(),
    ]
}

/// Which feeds are listed; a `None` asks for nothing.
#[derive(Debug, Clone, Default)]
pub struct FeedFilter {
    pub enabled: Option<bool>,
    pub caching_enabled: Option<bool>,
    pub default: Option<bool>,
    pub source_format: Option<SourceFormat>,
    /// Fetched or cached.
    pub in_use: bool,
    /// Part of name, provider or address.
    pub search: Option<String>,
    pub limit: Option<i64>,
    pub offset: i64,
}

impl Reader<'_> {
    /// PISAX's own feeds first, then by row number, as MISP lists them.
    pub fn feeds(&mut self, filter: &FeedFilter) -> Result<Vec<Feed>> {
        let mut sql = format!("select {} from feeds f where {}", COLUMNS.join(", "), self.sees_feed("f"));
        let flags = [
            ("enabled", filter.enabled),
            ("caching_enabled", filter.caching_enabled),
            ("default_feed", filter.default),
        ];
        for (column, flag) in flags {
            if let Some(flag) = flag {
                sql.push_str(&format!(" and f.{column} = {}", i64::from(flag)));
            }
        }
        if filter.in_use {
            sql.push_str(" and (f.enabled = 1 or f.caching_enabled = 1)");
        }
        let mut args: Vec<Val<'_>> = Vec::new();
        if let Some(format) = filter.source_format {
            args.push(format.name().into());
            sql.push_str(&format!(" and f.source_format = ${}", args.len()));
        }
        let pattern = filter.search.as_deref().map(list::containing);
        if let Some(pattern) = &pattern {
            args.push(pattern.into());
            let folded = |column: &str| format!("pisax_fold(f.{column}) like ${} escape '\\'", args.len());
            // Whose the feeds are not could guess at a password in the url.
            let told: &[&str] =
                if self.actor.sees_all() { &["name", "provider", "url"] } else { &["name", "provider"] };
            let any: Vec<String> = told.iter().copied().map(folded).collect();
            sql.push_str(&format!(" and ({})", any.join(" or ")));
        }
        sql.push_str(" order by f.default_feed desc, f.id");
        if let Some(limit) = filter.limit {
            sql.push_str(&format!(" limit {limit} offset {}", filter.offset));
        }
        self.conn.all(&sql, &args, read)
    }

    pub fn feed(&mut self, id: i64) -> Result<Option<Feed>> {
        let sql =
            format!("select {} from feeds f where f.id = $1 and {}", COLUMNS.join(", "), self.sees_feed("f"));
        self.conn.first(&sql, &[id.into()], read)
    }

    /// The tags that these feeds attach, by number.
    pub fn tags_of_feeds(&mut self, feeds: &[Feed]) -> Result<FxHashMap<i64, Tag>> {
        let ids = feeds.iter().map(|f| f.tag_id).filter(|id| *id > 0);
        let set = dialect::set_text(self.conn.is_lite(), ids);
        let wanted = dialect::in_set(self.conn.is_lite(), "id", 1);
        let sql = format!("select {} from tags where {wanted}", tags::COLUMNS.join(", "));
        let found = self.conn.all(&sql, &[(&set).into()], |row| tags::read(row, 0))?;
        Ok(found.into_iter().map(|tag| (tag.id, tag)).collect())
    }

    /// Addresses and formats of all feeds there are: what an import compares with.
    pub fn feed_addresses(&mut self) -> Result<Vec<(String, SourceFormat)>> {
        let sql = "select url, source_format from feeds";
        self.conn.all(sql, &[], |row| {
            let format = SourceFormat::parse(row.text(1)?);
            Ok((row.string(0)?, format.ok_or(Error::Damaged("the format of a feed"))?))
        })
    }
}

/// What the audit log tells of a feed; its headers may hold credentials, so only that they changed.
fn note(change: &mut crate::changes::Change, old: &Feed, new: &Feed) {
    change
        .of(new.id, &new.name)
        .field("name", &old.name, &new.name)
        .field("provider", &old.provider, &new.provider)
        .field("url", &old.url, &new.url)
        .field("source_format", old.source_format.name(), new.source_format.name())
        .field("enabled", old.enabled, new.enabled)
        .field("caching_enabled", old.caching_enabled, new.caching_enabled)
        .field("lookup_visible", old.lookup_visible, new.lookup_visible)
        .field("distribution", old.distribution, new.distribution)
        .field("sharing_group_id", old.sharing_group_id, new.sharing_group_id)
        .field("publish", old.publish, new.publish)
        .field("rules", old.rules.as_deref().unwrap_or(""), new.rules.as_deref().unwrap_or(""))
        .field("settings", &old.settings, &new.settings);
}

impl Writer<'_> {
    /// Adds a feed; its number is given here.
    pub fn add_feed(&mut self, feed: &Feed) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "feeds", 1)?[0];
        let places = list::places(1, COLUMNS.len());
        let sql = format!("insert into feeds ({}) values {places}", COLUMNS.join(", "));
        self.conn.execute(&sql, &values(feed, id))?;
        let new = Feed { id, ..feed.clone() };
        note(self.changed(Noun::Feed, Action::Add, Uuid::nil(), 0), &Feed::blank(), &new);
        Ok(id)
    }

    /// Writes a feed over what was read of it.
    pub fn edit_feed(&mut self, old: &Feed, new: &Feed) -> Result<()> {
        let sets: Vec<String> =
            COLUMNS.iter().enumerate().skip(1).map(|(i, column)| format!("{column} = ${}", i + 1)).collect();
        let sql = format!("update feeds set {} where id = $1", sets.join(", "));
        if self.conn.execute(&sql, &values(new, new.id))? == 0 {
            return Err(Error::NotFound("feed"));
        }
        let action = match (old.enabled, new.enabled) {
            (false, true) => Action::Enable,
            (true, false) => Action::Disable,
            _ => Action::Edit,
        };
        note(self.changed(Noun::Feed, action, Uuid::nil(), 0), old, new);
        Ok(())
    }

    /// Makes an event the one that everything of the feed goes into.
    pub fn set_feed_event(&mut self, feed_id: i64, event_id: i64) -> Result<()> {
        self.conn
            .execute("update feeds set event_id = $2 where id = $1", &[feed_id.into(), event_id.into()])?;
        Ok(())
    }

    pub fn delete_feed(&mut self, feed: &Feed) -> Result<()> {
        if self.conn.execute("delete from feeds where id = $1", &[feed.id.into()])? == 0 {
            return Err(Error::NotFound("feed"));
        }
        self.forget_feed(feed.id)?;
        self.changed(Noun::Feed, Action::Delete, Uuid::nil(), 0).of(feed.id, &feed.name);
        Ok(())
    }
}
