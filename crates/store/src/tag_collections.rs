//! Tag collections: tags that go together, for one organisation or all; and each user's favourite tags.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list, tags};
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use pisax_model::tag::Tag;
use rustc_hash::{FxHashMap, FxHashSet};

#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    pub id: i64,
    pub uuid: Uuid,
    pub name: String,
    pub description: String,
    pub org_id: i64,
    pub user_id: i64,
    pub all_orgs: bool,
    /// Tags that the actor may attach, each with the number of its place here.
    pub tags: Vec<(i64, Tag)>,
}

const COLUMNS: [&str; 7] = ["id", "uuid", "name", "description", "org_id", "user_id", "all_orgs"];

fn read(row: &Row<'_>) -> Result<Collection> {
    Ok(Collection {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        name: row.string(2)?,
        description: row.string(3)?,
        org_id: row.int(4)?,
        user_id: row.int(5)?,
        all_orgs: row.flag(6)?,
        tags: Vec::new(),
    })
}

impl Reader<'_> {
    fn tag_collections_where(&mut self, condition: &str, args: &[Val<'_>]) -> Result<Vec<Collection>> {
        let which = format!("{condition} and {}", self.sees_tag_collection("c"));
        let sql = format!(
            "select {} from tag_collections c where {which} order by lower(c.name), c.id",
            list::columns("c", &COLUMNS)
        );
        let mut found = self.conn.all(&sql, args, read)?;
        let places: FxHashMap<i64, usize> = found.iter().enumerate().map(|(i, c)| (c.id, i)).collect();
        let sql = format!(
            "select {}, x.id, x.collection_id from tag_collection_tags x join tag_collections c on c.id = x.collection_id \
             join tags t on t.id = x.tag_id where {which} and {} order by x.id",
            list::columns("t", &tags::COLUMNS),
            self.may_attach("t")
        );
        self.conn.each(&sql, args, |r| {
            if let Some(place) = places.get(&r.int(tags::COLUMNS.len() + 1)?) {
                found[*place].tags.push((r.int(tags::COLUMNS.len())?, tags::read(r, 0)?));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Tags that are reserved for others, and hidden ones, are not in a collection for the actor.
    fn may_attach(&self, alias: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        format!(
            "({alias}.org_id in (0, {}) and {alias}.user_id in (0, {}) and {alias}.hide_tag = 0)",
            self.actor.org_id, self.actor.user_id
        )
    }

    /// The visible collections by name.
    pub fn tag_collections(&mut self) -> Result<Vec<Collection>> {
        self.tag_collections_where("1 = 1", &[])
    }

    pub fn tag_collection(&mut self, reference: Ref) -> Result<Option<Collection>> {
        let (condition, value) = match &reference {
            Ref::Id(id) => ("c.id = $1", Val::Int(*id)),
            Ref::Uuid(uuid) => ("c.uuid = $1", uuid.into()),
        };
        Ok(self.tag_collections_where(condition, &[value])?.pop())
    }

    /// Whether any collection has this uuid, seen or unseen.
    pub fn collection_uuid_taken(&mut self, uuid: &Uuid) -> Result<bool> {
        Ok(self.conn.number("select 1 from tag_collections where uuid = $1", &[uuid.into()])? == 1)
    }

    /// The actor's favourite tags by name.
    pub fn favourite_tags(&mut self) -> Result<Vec<Tag>> {
        let sql = format!(
            "select {} from favourite_tags f join tags t on t.id = f.tag_id where f.user_id = $1 order by t.folded",
            list::columns("t", &tags::COLUMNS)
        );
        let user = self.actor.user_id;
        self.conn.all(&sql, &[user.into()], |r| tags::read(r, 0))
    }

    /// Row numbers of them.
    pub fn favourite_ids(&mut self) -> Result<FxHashSet<i64>> {
        let user = self.actor.user_id;
        let sql = "select tag_id from favourite_tags where user_id = $1";
        Ok(self.conn.all(sql, &[user.into()], |r| r.int(0))?.into_iter().collect())
    }
}

impl Writer<'_> {
    /// Adds a collection, without tags; its number is given here.
    pub fn add_tag_collection(&mut self, collection: &Collection) -> Result<i64> {
        self.refuse_taken_collection(collection, 0)?;
        let id = dialect::allocate(&mut self.conn, "tag_collections", 1)?[0];
        let sql = format!(
            "insert into tag_collections ({}) values {}",
            COLUMNS.join(", "),
            list::places(1, COLUMNS.len())
        );
        let args = [
            id.into(),
            (&collection.uuid).into(),
            (&collection.name).into(),
            (&collection.description).into(),
            collection.org_id.into(),
            collection.user_id.into(),
            collection.all_orgs.into(),
        ];
        self.conn.execute(&sql, &args).map_err(|e| e.conflict_on("name"))?;
        self.changed(Noun::TagCollection, Action::Add, collection.uuid, 0).of(id, &collection.name).field(
            "name",
            "",
            &collection.name,
        );
        Ok(id)
    }

    pub fn edit_tag_collection(&mut self, before: &Collection, now: &Collection) -> Result<()> {
        self.refuse_taken_collection(now, now.id)?;
        let sql = "update tag_collections set name = $2, description = $3, all_orgs = $4 where id = $1";
        let args = [now.id.into(), (&now.name).into(), (&now.description).into(), now.all_orgs.into()];
        self.conn.execute(sql, &args).map_err(|e| e.conflict_on("name"))?;
        self.changed(Noun::TagCollection, Action::Edit, now.uuid, 0)
            .of(now.id, &now.name)
            .field("name", &before.name, &now.name)
            .field("description", &before.description, &now.description)
            .field("all_orgs", before.all_orgs, now.all_orgs);
        Ok(())
    }

    fn refuse_taken_collection(&mut self, collection: &Collection, id: i64) -> Result<()> {
        for (field, value) in [("name", Val::from(&collection.name)), ("uuid", (&collection.uuid).into())] {
            let sql = format!("select count(*) from tag_collections where {field} = $1 and id <> $2");
            if self.conn.number(&sql, &[value, id.into()])? > 0 {
                return Err(Error::Conflict(field));
            }
        }
        Ok(())
    }

    pub fn delete_tag_collection(&mut self, collection: &Collection) -> Result<()> {
        self.conn
            .execute("delete from tag_collection_tags where collection_id = $1", &[collection.id.into()])?;
        self.conn.execute("delete from tag_collections where id = $1", &[collection.id.into()])?;
        self.conn.execute(
            "update feeds set tag_collection_id = 0 where tag_collection_id = $1",
            &[collection.id.into()],
        )?;
        self.changed(Noun::TagCollection, Action::Delete, collection.uuid, 0)
            .of(collection.id, &collection.name);
        Ok(())
    }

    /// Puts tags into a collection; returns how many are new to it.
    pub fn add_to_collection(&mut self, collection: &Collection, wanted: &[i64]) -> Result<usize> {
        // Nobody takes the collection away meanwhile.
        let lock = format!(
            "select id from tag_collections where id = $1{}",
            dialect::for_update(self.conn.is_lite())
        );
        self.conn
            .first(&lock, &[collection.id.into()], |r| r.int(0))?
            .ok_or(Error::NotFound("collection"))?;
        let there: FxHashSet<i64> = collection.tags.iter().map(|(_, tag)| tag.id).collect();
        let living = self.hold_tags(wanted.iter().copied())?;
        let mut added = 0;
        for tag in wanted.iter().filter(|id| living.contains_key(id) && !there.contains(id)) {
            let id = dialect::allocate(&mut self.conn, "tag_collection_tags", 1)?[0];
            let sql = "insert into tag_collection_tags (id, collection_id, tag_id) values ($1, $2, $3) \
                       on conflict (collection_id, tag_id) do nothing";
            added += self.conn.execute(sql, &[id.into(), collection.id.into(), (*tag).into()])? as usize;
        }
        if added > 0 {
            self.changed(Noun::TagCollection, Action::Edit, collection.uuid, 0)
                .of(collection.id, &collection.name)
                .field("tags", collection.tags.len(), collection.tags.len() + added);
        }
        Ok(added)
    }

    /// Returns whether the tag was in it.
    pub fn remove_from_collection(&mut self, collection: &Collection, tag: &Tag) -> Result<bool> {
        let sql = "delete from tag_collection_tags where collection_id = $1 and tag_id = $2";
        let removed = self.conn.execute(sql, &[collection.id.into(), tag.id.into()])? > 0;
        if removed {
            self.changed(Noun::TagCollection, Action::Edit, collection.uuid, 0)
                .of(collection.id, &collection.name)
                .field("tags", &tag.name, "");
        }
        Ok(removed)
    }

    /// Makes a tag one of the actor's favourites, or no longer.
    pub fn set_favourite(&mut self, tag: &Tag, on: bool) -> Result<()> {
        let user = self.actor.user_id;
        if on {
            if self.hold_tags(std::iter::once(tag.id))?.is_empty() {
                return Err(Error::NotFound("tag"));
            }
            let sql = "insert into favourite_tags (user_id, tag_id) values ($1, $2) on conflict do nothing";
            self.conn.execute(sql, &[user.into(), tag.id.into()])?;
        } else {
            let sql = "delete from favourite_tags where user_id = $1 and tag_id = $2";
            self.conn.execute(sql, &[user.into(), tag.id.into()])?;
        }
        let action = if on { Action::Add } else { Action::Delete };
        self.note(Noun::UserSetting, action, user, "favourite tag", &[("tag", &tag.name)]);
        Ok(())
    }
}
