//! Objects and the references between them.

use crate::attributes::{Known, Wanted};
use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Reader, Result, Writer, dialect, differences};
use pisax_model::Uuid;
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::object::{Object, Reference};
use rustc_hash::FxHashMap;

const COLUMNS: &str = "o.id, o.uuid, o.event_id, o.name, o.meta_category, o.description, o.template_uuid, \
 o.template_version, o.timestamp, o.distribution, o.sharing_group_id, o.comment, o.deleted, o.first_seen, o.last_seen";

pub(crate) const FROM: &str = "objects o join events e on e.id = o.event_id";

fn read(row: &Row<'_>) -> Result<Object> {
    Ok(Object {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        event_id: row.int(2)?,
        name: row.string(3)?,
        meta_category: row.string(4)?,
        description: row.string(5)?,
        template_uuid: row.string(6)?,
        template_version: row.string(7)?,
        timestamp: row.int(8)?,
        distribution: row.int(9)?,
        sharing_group_id: row.int(10)?,
        comment: row.string(11)?,
        deleted: row.flag(12)?,
        first_seen: row.opt_int(13)?,
        last_seen: row.opt_int(14)?,
    })
}

const REFERENCE: &str = "r.id, r.uuid, r.timestamp, r.object_id, r.event_id, r.source_uuid, r.referenced_uuid, \
 r.referenced_id, r.to_object, r.relationship_type, r.comment, r.deleted";

fn read_reference(row: &Row<'_>) -> Result<Reference> {
    Ok(Reference {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        timestamp: row.int(2)?,
        object_id: row.int(3)?,
        event_id: row.int(4)?,
        source_uuid: row.uuid(5)?,
        referenced_uuid: row.uuid(6)?,
        referenced_id: row.int(7)?,
        to_object: row.flag(8)?,
        relationship_type: row.string(9)?,
        comment: row.string(10)?,
        deleted: row.flag(11)?,
    })
}

impl Reader<'_> {
    pub fn object(&mut self, reference: Ref) -> Result<Option<Object>> {
        let (is, value) = crate::events::by_ref("o", &reference);
        let (sees, buried) = (self.sees_object("e", "o"), self.sees_tombstone("e", "o"));
        let sql = format!("select {COLUMNS} from {FROM} where {is} and {sees} and {buried}");
        self.conn.first(&sql, &[value], read)
    }

    /// Up to `limit` visible objects of a visible event, after a row number.
    pub fn event_objects(
        &mut self,
        event: &Event,
        wanted: Wanted,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Object>> {
        let which = self.wanted(event, wanted).replace("a.", "o.");
        let sql = format!(
            "select {COLUMNS} from {FROM} where o.event_id = $1 and o.id > $2 and {which} and {} order by o.id limit $3",
            self.sees_object("e", "o")
        );
        self.conn.all(&sql, &[event.id.into(), after.into(), limit.into()], read)
    }

    /// The visible ones of these objects, by ascending row number.
    pub fn objects_by_ids(&mut self, ids: &[i64]) -> Result<Vec<Object>> {
        let lite = self.conn.is_lite();
        let sql = format!(
            "select {COLUMNS} from {FROM} where {} and {} and {} order by o.id",
            dialect::in_set(lite, "o.id", 1),
            self.sees_object("e", "o"),
            self.sees_tombstone("e", "o")
        );
        let set = dialect::set_text(lite, ids.iter().copied());
        self.conn.all(&sql, &[Val::Text(&set)], read)
    }

    /// References of these objects, by object; tombstones among them for whom they are.
    pub fn references_of(
        &mut self,
        objects: &[i64],
        deleted: bool,
    ) -> Result<FxHashMap<i64, Vec<Reference>>> {
        let lite = self.conn.is_lite();
        let set = dialect::in_set(lite, "r.object_id", 1);
        let which = if deleted { "1 = 1" } else { "r.deleted = 0" };
        let sql = format!(
            "select {REFERENCE} from object_references r join objects o on o.id = r.object_id join events e on e.id = o.event_id \
             where {set} and {which} and {} and {} and {} order by r.id",
            self.sees_object("e", "o"),
            self.sees_tombstone("e", "o"),
            self.sees_tombstone("e", "r")
        );
        let set = dialect::set_text(lite, objects.iter().copied());
        let mut found: FxHashMap<i64, Vec<Reference>> = FxHashMap::default();
        self.conn.each(&sql, &[Val::Text(&set)], |row| {
            let reference = read_reference(row)?;
            found.entry(reference.object_id).or_default().push(reference);
            Ok(())
        })?;
        Ok(found)
    }

    pub fn reference(&mut self, reference: Ref) -> Result<Option<Reference>> {
        let (is, value) = crate::events::by_ref("r", &reference);
        let sql = format!(
            "select {REFERENCE} from object_references r join objects o on o.id = r.object_id join events e on e.id = o.event_id \
             where {is} and {} and {} and {}",
            self.sees_object("e", "o"),
            self.sees_tombstone("e", "o"),
            self.sees_tombstone("e", "r")
        );
        self.conn.first(&sql, &[value], read_reference)
    }

    /// Which of these object uuids exist already, anywhere.
    pub fn known_objects(&mut self, uuids: &[Uuid]) -> Result<FxHashMap<Uuid, Known>> {
        self.known("objects", "id", uuids)
    }
}

impl Writer<'_> {
    pub fn insert_object(&mut self, object: &Object) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "objects", 1)?[0];
        let sql = "insert into objects (id, uuid, event_id, name, meta_category, description, template_uuid, \
                   template_version, timestamp, distribution, sharing_group_id, comment, deleted, first_seen, last_seen) \
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        self.conn.execute(
            sql,
            &[
                id.into(),
                (&object.uuid).into(),
                object.event_id.into(),
                (&object.name).into(),
                (&object.meta_category).into(),
                (&object.description).into(),
                (&object.template_uuid).into(),
                (&object.template_version).into(),
                object.timestamp.into(),
                object.distribution.into(),
                object.sharing_group_id.into(),
                (&object.comment).into(),
                object.deleted.into(),
                object.first_seen.into(),
                object.last_seen.into(),
            ],
        )?;
        Ok(id)
    }

    /// Notes an object as added (inside a new event it is part of the event's change).
    pub fn note_added_object(&mut self, object: &Object) {
        let change = self.changed(Noun::Object, Action::Add, object.uuid, object.event_id);
        differences::object(change, None, object);
    }

    /// Writes the changeable columns of an object whose event was got for edit.
    pub fn update_object(&mut self, object: &Object) -> Result<()> {
        let stored = format!("select {COLUMNS} from objects o where o.id = $1");
        let old = self.conn.first(&stored, &[object.id.into()], read)?;
        let sql = "update objects set name = $2, meta_category = $3, description = $4, template_uuid = $5, \
                   template_version = $6, timestamp = $7, distribution = $8, sharing_group_id = $9, comment = $10, \
                   deleted = $11, first_seen = $12, last_seen = $13 where id = $1";
        self.conn.execute(
            sql,
            &[
                object.id.into(),
                (&object.name).into(),
                (&object.meta_category).into(),
                (&object.description).into(),
                (&object.template_uuid).into(),
                (&object.template_version).into(),
                object.timestamp.into(),
                object.distribution.into(),
                object.sharing_group_id.into(),
                (&object.comment).into(),
                object.deleted.into(),
                object.first_seen.into(),
                object.last_seen.into(),
            ],
        )?;
        let buried = object.deleted && old.as_ref().is_some_and(|o| !o.deleted);
        let action = if buried { Action::SoftDelete } else { Action::Edit };
        let change = self.changed(Noun::Object, action, object.uuid, object.event_id);
        differences::object(change, old.as_ref(), object);
        Ok(())
    }

    /// Removes an object for good; its attributes are removed by the caller before.
    pub fn remove_object(&mut self, object: &Object) -> Result<()> {
        self.drop_analyst_data_about(&object.uuid)?;
        let id = [Val::Int(object.id)];
        self.conn.execute("delete from object_references where object_id = $1", &id)?;
        self.conn.execute("delete from object_references where referenced_id = $1 and to_object = 1", &id)?;
        self.conn.execute("delete from objects where id = $1", &id)?;
        self.changed(Noun::Object, Action::Delete, object.uuid, object.event_id)
            .of(object.id, &object.name)
            .field("name", &object.name, "")
            // Who saw it may be told that it is gone (`streams.rs`).
            .field("distribution", object.distribution, "")
            .field("sharing_group_id", object.sharing_group_id, "");
        Ok(())
    }

    /// Adds a reference (its `id` is ignored); returns the row number.
    pub fn insert_reference(&mut self, reference: &Reference) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "object_references", 1)?[0];
        let sql = "insert into object_references (id, uuid, timestamp, object_id, event_id, source_uuid, \
                   referenced_uuid, referenced_id, to_object, relationship_type, comment, deleted) \
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        self.conn.execute(
            sql,
            &[
                id.into(),
                (&reference.uuid).into(),
                reference.timestamp.into(),
                reference.object_id.into(),
                reference.event_id.into(),
                (&reference.source_uuid).into(),
                (&reference.referenced_uuid).into(),
                reference.referenced_id.into(),
                reference.to_object.into(),
                (&reference.relationship_type).into(),
                (&reference.comment).into(),
                reference.deleted.into(),
            ],
        )?;
        let change = self.changed(Noun::Reference, Action::Add, reference.uuid, reference.event_id);
        differences::reference(change, &Reference { id, ..reference.clone() });
        Ok(id)
    }

    /// Writes relationship, comment, time and tombstone of a reference.
    pub fn update_reference(&mut self, reference: &Reference) -> Result<()> {
        self.conn.execute(
            "update object_references set relationship_type = $2, comment = $3, timestamp = $4, deleted = $5 where id = $1",
            &[
                reference.id.into(),
                (&reference.relationship_type).into(),
                (&reference.comment).into(),
                reference.timestamp.into(),
                reference.deleted.into(),
            ],
        )?;
        let action = if reference.deleted { Action::SoftDelete } else { Action::Edit };
        let change = self.changed(Noun::Reference, action, reference.uuid, reference.event_id);
        differences::reference(change, reference);
        change.field("deleted", "", i64::from(reference.deleted)).field("comment", "", &reference.comment);
        Ok(())
    }

    /// Removes a reference for good.
    pub fn remove_reference(&mut self, reference: &Reference) -> Result<()> {
        self.conn.execute("delete from object_references where id = $1", &[reference.id.into()])?;
        let change = self.changed(Noun::Reference, Action::Delete, reference.uuid, reference.event_id);
        differences::reference(change, reference);
        change.field("object_id", reference.object_id, "");
        Ok(())
    }

    /// Living reference from this object to that record, if there is one.
    pub fn known_reference(&mut self, uuid: &Uuid) -> Result<Option<Reference>> {
        let sql = format!("select {REFERENCE} from object_references r where r.uuid = $1");
        self.conn.first(&sql, &[uuid.into()], read_reference)
    }
}
