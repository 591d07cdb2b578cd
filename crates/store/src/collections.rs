//! Collections: events and clusters that belong together, shared as an event is.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::ids::Ref;

/// A stored collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collection {
    pub id: i64,
    pub uuid: Uuid,
    pub org_id: i64,
    pub orgc_id: i64,
    pub user_id: i64,
    /// Unix seconds.
    pub created: i64,
    pub modified: i64,
    pub distribution: i64,
    pub sharing_group_id: i64,
    pub name: String,
    /// MISP's `type`: campaign, intrusion_set, named_threat, other, research.
    pub kind: String,
    pub description: String,
    /// How many elements it has.
    pub count: i64,
    /// Of its user.
    pub email: String,
}

/// What is in a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    pub id: i64,
    pub uuid: Uuid,
    pub element_uuid: Uuid,
    /// `Event` or `GalaxyCluster`.
    pub element_type: String,
    pub collection_id: i64,
    pub description: String,
}

/// Which collections to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    All,
    Mine,
    Organisation,
}

const COLUMNS: &str = "c.id, c.uuid, c.org_id, c.orgc_id, c.user_id, c.created, c.modified, c.distribution, \
                       c.sharing_group_id, c.name, c.kind, c.description";
const ELEMENT: &str = "id, uuid, element_uuid, element_type, collection_id, description";

fn read(row: &Row<'_>) -> Result<Collection> {
    Ok(Collection {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        org_id: row.int(2)?,
        orgc_id: row.int(3)?,
        user_id: row.int(4)?,
        created: row.int(5)?,
        modified: row.int(6)?,
        distribution: row.int(7)?,
        sharing_group_id: row.int(8)?,
        name: row.string(9)?,
        kind: row.string(10)?,
        description: row.string(11)?,
        count: row.int(12)?,
        email: row.opt_string(13)?.unwrap_or_default(),
    })
}

fn read_element(row: &Row<'_>) -> Result<Element> {
    Ok(Element {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        element_uuid: row.uuid(2)?,
        element_type: row.string(3)?,
        collection_id: row.int(4)?,
        description: row.string(5)?,
    })
}

impl Reader<'_> {
    fn collections_where(&mut self, condition: &str, args: &[Val<'_>]) -> Result<Vec<Collection>> {
        let sql = format!(
            "select {COLUMNS}, (select count(*) from collection_elements x where x.collection_id = c.id), u.email \
             from collections c left join users u on u.id = c.user_id where {condition} and {} order by c.id",
            self.sees_collection("c")
        );
        self.conn.all(&sql, args, read)
    }

    /// The visible collections, whose name or description contains `search`.
    pub fn collections(&mut self, whose: Whose, search: Option<&str>) -> Result<Vec<Collection>> {
        let pattern = search.map(list::containing);
        let mut terms = vec![match whose {
            Whose::All => "1 = 1".to_owned(),
            Whose::Mine => format!("c.user_id = {}", self.actor.user_id),
            Whose::Organisation => format!("c.orgc_id = {}", self.actor.org_id),
        }];
        let mut args = Vec::new();
        if let Some(pattern) = &pattern {
            args.push(Val::from(pattern));
            terms.push(
                "(pisax_fold(c.name) like $1 escape '\\' or pisax_fold(c.description) like $1 escape '\\')"
                    .into(),
            );
        }
        self.collections_where(&terms.join(" and "), &args)
    }

    pub fn collection(&mut self, reference: Ref) -> Result<Option<Collection>> {
        let (condition, value) = match &reference {
            Ref::Id(id) => ("c.id = $1", Val::Int(*id)),
            Ref::Uuid(uuid) => ("c.uuid = $1", uuid.into()),
        };
        Ok(self.collections_where(condition, &[value])?.pop())
    }

    /// What is in a collection the caller has found visible.
    pub fn collection_elements(&mut self, collection_id: i64) -> Result<Vec<Element>> {
        let sql = format!("select {ELEMENT} from collection_elements where collection_id = $1 order by id");
        self.conn.all(&sql, &[collection_id.into()], read_element)
    }

    /// An element, if its collection is visible.
    pub fn collection_element(&mut self, reference: Ref) -> Result<Option<(Element, Collection)>> {
        let (column, value) = match &reference {
            Ref::Id(id) => ("id", Val::Int(*id)),
            Ref::Uuid(uuid) => ("uuid", uuid.into()),
        };
        let sql = format!("select {ELEMENT} from collection_elements where {column} = $1");
        let Some(element) = self.conn.first(&sql, &[value], read_element)? else { return Ok(None) };
        let collection = self.collection(Ref::Id(element.collection_id))?;
        Ok(collection.map(|collection| (element, collection)))
    }
}

impl Writer<'_> {
    /// Keeps a collection; number and times are given here.
    pub fn add_collection(&mut self, collection: &Collection) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "collections", 1)?[0];
        let now = self.now();
        let sql =
            format!("insert into collections ({}) values {}", COLUMNS.replace("c.", ""), list::places(1, 12));
        let args = [
            id.into(),
            (&collection.uuid).into(),
            collection.org_id.into(),
            collection.orgc_id.into(),
            collection.user_id.into(),
            now.into(),
            now.into(),
            collection.distribution.into(),
            collection.sharing_group_id.into(),
            (&collection.name).into(),
            (&collection.kind).into(),
            (&collection.description).into(),
        ];
        self.conn.execute(&sql, &args).map_err(|e| e.conflict_on("uuid"))?;
        self.changed(Noun::Collection, Action::Add, collection.uuid, 0)
            .of(id, &collection.name)
            .field("distribution", "", collection.distribution)
            .field("type", "", &collection.kind);
        Ok(id)
    }

    pub fn edit_collection(&mut self, old: &Collection, new: &Collection) -> Result<()> {
        let now = self.now();
        let sql = "update collections set name = $2, kind = $3, description = $4, distribution = $5, \
                   sharing_group_id = $6, modified = $7 where id = $1";
        let args = [
            new.id.into(),
            (&new.name).into(),
            (&new.kind).into(),
            (&new.description).into(),
            new.distribution.into(),
            new.sharing_group_id.into(),
            now.into(),
        ];
        self.conn.execute(sql, &args)?;
        self.changed(Noun::Collection, Action::Edit, new.uuid, 0)
            .of(new.id, &new.name)
            .field("name", &old.name, &new.name)
            .field("type", &old.kind, &new.kind)
            .field("description", &old.description, &new.description)
            .field("distribution", old.distribution, new.distribution)
            .field("sharing_group_id", old.sharing_group_id, new.sharing_group_id);
        Ok(())
    }

    pub fn delete_collection(&mut self, collection: &Collection) -> Result<()> {
        let id = [Val::Int(collection.id)];
        self.conn.execute("delete from collection_elements where collection_id = $1", &id)?;
        self.conn.execute("delete from collections where id = $1", &id)?;
        self.changed(Noun::Collection, Action::Delete, collection.uuid, 0)
            .of(collection.id, &collection.name);
        Ok(())
    }

    /// Puts something into a collection; what is in it already is an error on `element_uuid`.
    pub fn add_collection_element(&mut self, element: &Element) -> Result<i64> {
        let sql = "select count(*) from collection_elements where collection_id = $1 and element_uuid = $2";
        if self.conn.number(sql, &[element.collection_id.into(), (&element.element_uuid).into()])? > 0 {
            return Err(Error::Conflict("element_uuid"));
        }
        let id = dialect::allocate(&mut self.conn, "collection_elements", 1)?[0];
        let sql = format!("insert into collection_elements ({ELEMENT}) values {}", list::places(1, 6));
        let args = [
            id.into(),
            (&element.uuid).into(),
            (&element.element_uuid).into(),
            (&element.element_type).into(),
            element.collection_id.into(),
            (&element.description).into(),
        ];
        self.conn.execute(&sql, &args).map_err(|e| e.conflict_on("element_uuid"))?;
        self.touch_collection(element.collection_id, "", &element.element_uuid.to_string())?;
        Ok(id)
    }

    pub fn delete_collection_element(&mut self, element: &Element) -> Result<()> {
        self.conn.execute("delete from collection_elements where id = $1", &[element.id.into()])?;
        self.touch_collection(element.collection_id, &element.element_uuid.to_string(), "")
    }

    fn touch_collection(&mut self, id: i64, old: &str, new: &str) -> Result<()> {
        let now = self.now();
        let sql = "update collections set modified = $2 where id = $1 returning uuid, name";
        let found = self.conn.first(sql, &[id.into(), now.into()], |r| Ok((r.uuid(0)?, r.string(1)?)))?;
        let (uuid, name) = found.ok_or(Error::NotFound("collection"))?;
        self.changed(Noun::Collection, Action::Edit, uuid, 0).of(id, &name).field("element", old, new);
        Ok(())
    }
}
