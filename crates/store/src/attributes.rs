//! Attributes: reading in batches that own their text once, writing in bulk with their postings.

use crate::changes::{Action, Noun};
use crate::conn::{Kind, Row, Val};
pub use crate::trim::Trim;
use crate::{Error, Reader, Result, Writer, dialect, differences};
use pisax_model::attribute::{AttributeView, NewAttribute};
use pisax_model::correlation::{HashKey, Net, net_of};
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::{AttributeType, Category, Uuid};
use rustc_hash::FxHashMap;
use std::ops::Range;

pub(crate) const COLUMNS: &str = "a.id, a.uuid, a.event_id, a.object_id, a.object_relation, a.category, a.kind, a.value1, \
 a.value2, a.to_ids, a.timestamp, a.distribution, a.sharing_group_id, a.comment, a.deleted, \
 a.disable_correlation, a.first_seen, a.last_seen";

/// Attributes with what decides about them: `a`, their event `e`, their object `o` (null when they have none).
pub(crate) const FROM: &str = "attributes a join events e on e.id = a.event_id left join objects o on o.id = a.object_id and a.object_id > 0";

/// Rows copied out of the database with all their text in one buffer.
#[derive(Default)]
pub struct Batch {
    text: String,
    rows: Vec<Fixed>,
}

struct Fixed {
    view: AttributeView<'static>,
    relation: Option<Range<usize>>,
    value1: Range<usize>,
    value2: Range<usize>,
    comment: Range<usize>,
}

impl Batch {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn get(&self, i: usize) -> AttributeView<'_> {
        let row = &self.rows[i];
        AttributeView {
            object_relation: row.relation.clone().map(|r| &self.text[r]),
            value1: &self.text[row.value1.clone()],
            value2: &self.text[row.value2.clone()],
            comment: &self.text[row.comment.clone()],
            ..row.view
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = AttributeView<'_>> {
        (0..self.rows.len()).map(|i| self.get(i))
    }

    pub fn ids(&self) -> Vec<i64> {
        self.rows.iter().map(|r| r.view.id).collect()
    }

    pub fn last_id(&self) -> Option<i64> {
        self.rows.last().map(|r| r.view.id)
    }

    /// The same rows in the order of `ids`.
    pub fn ordered(mut self, ids: &[i64]) -> Self {
        let places: FxHashMap<i64, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
        self.rows.sort_by_key(|row| places.get(&row.view.id).copied().unwrap_or(usize::MAX));
        self
    }

    fn keep(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }

    pub(crate) fn push(&mut self, row: &Row<'_>) -> Result<()> {
        let view = AttributeView {
            id: row.int(0)?,
            uuid: row.uuid(1)?,
            event_id: row.int(2)?,
            object_id: row.int(3)?,
            object_relation: None,
            category: Category::from_code(row.int(5)?).ok_or(Error::Damaged("an attribute's category"))?,
            kind: AttributeType::from_code(row.int(6)?).ok_or(Error::Damaged("an attribute's type"))?,
            value1: "",
            value2: "",
            to_ids: row.flag(9)?,
            timestamp: row.int(10)?,
            distribution: row.int(11)?,
            sharing_group_id: row.int(12)?,
            comment: "",
            deleted: row.flag(14)?,
            disable_correlation: row.flag(15)?,
            first_seen: row.opt_int(16)?,
            last_seen: row.opt_int(17)?,
        };
        let relation = row.opt_text(4)?.map(|t| self.keep(t));
        let value1 = self.keep(row.text(7)?);
        let value2 = self.keep(row.text(8)?);
        let comment = self.keep(row.text(13)?);
        self.rows.push(Fixed { view, relation, value1, value2, comment });
        Ok(())
    }
}

/// More attributes than this, added at once, are one change of their event: who reads the log then reads the
/// event, which costs less than that many single records.
const BULK: usize = 1000;

/// Which attributes of an event are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Living ones.
    pub living: bool,
    /// Tombstones; others than the owner and sync users get none.
    pub deleted: bool,
}

/// What identifies an attribute that is already there.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    pub id: i64,
    pub event_id: i64,
    pub object_id: i64,
    pub timestamp: i64,
    pub deleted: bool,
}

/// Identity inside an event (semantics 1.3): type, category and both halves as they compare.
pub type Twin = (i64, i64, i64, Option<i64>);

/// Posting keys of an attribute's halves, and which of them correlate (bit 0, bit 1).
pub(crate) struct Keys {
    pub(crate) first: i64,
    pub(crate) second: Option<i64>,
    pub(crate) correlates: i64,
}

pub(crate) fn keys(key: HashKey, kind: AttributeType, v1: &str, v2: &str, disabled: bool) -> Keys {
    let second = kind.is_composite().then(|| key.of(v2));
    let correlates = match () {
        () if disabled || !kind.correlates() => 0,
        () if second.is_none() || kind.primary_only() || v2.is_empty() => 1,
        () => 3,
    };
    Keys { first: key.of(v1), second, correlates }
}

/// The postings of one attribute: two halves with one key are one posting.
pub(crate) fn postings(keys: &Keys) -> impl Iterator<Item = (i64, bool)> {
    let first = (keys.first, keys.correlates & 1 != 0);
    let second = keys.second.filter(|s| *s != keys.first).map(|s| (s, keys.correlates & 2 != 0));
    std::iter::once(first).chain(second)
}

impl Reader<'_> {
    pub fn attribute(&mut self, reference: Ref) -> Result<Option<Batch>> {
        let (is, value) = crate::events::by_ref("a", &reference);
        let (sees, buried) = (self.sees_attribute("e", "o", "a"), self.sees_tombstone("e", "a"));
        let sql = format!("select {COLUMNS} from {FROM} where {is} and {sees} and {buried}");
        let mut batch = Batch::default();
        self.conn.each(&sql, &[value], |row| batch.push(row))?;
        Ok(if batch.is_empty() { None } else { Some(batch) })
    }

    /// The visible ones of these attributes, by ascending row number.
    pub fn attributes_by_ids(&mut self, ids: &[i64]) -> Result<Batch> {
        let lite = self.conn.is_lite();
        let (sees, buried) = (self.sees_attribute("e", "o", "a"), self.sees_tombstone("e", "a"));
        let set = dialect::in_set(lite, "a.id", 1);
        let sql = format!("select {COLUMNS} from {FROM} where {set} and {sees} and {buried} order by a.id");
        let set = dialect::set_text(lite, ids.iter().copied());
        let mut batch = Batch::default();
        self.conn.each(&sql, &[Val::Text(&set)], |row| batch.push(row))?;
        Ok(batch)
    }

    /// Up to `limit` living visible attributes after a row number: the whole instance, in key ranges.
    pub fn attributes_after(&mut self, after: i64, limit: i64) -> Result<Batch> {
        let (from, sees) = if self.actor.sees_all() {
            ("attributes a", "1 = 1".to_owned())
        } else {
            (FROM, self.sees_attribute("e", "o", "a"))
        };
        let sql = format!(
            "select {COLUMNS} from {from} where a.id > $1 and a.deleted = 0 and {sees} order by a.id limit $2"
        );
        let mut batch = Batch::default();
        self.conn.each(&sql, &[after.into(), limit.into()], |row| batch.push(row))?;
        Ok(batch)
    }

    /// Up to `limit` visible attributes of a visible event that are in no object, after a row number.
    pub fn event_attributes(
        &mut self,
        event: &Event,
        wanted: Wanted,
        after: i64,
        limit: i64,
    ) -> Result<Batch> {
        self.trimmed_event_attributes(event, wanted, &Trim::default(), after, limit)
    }

    /// Visible attributes of these objects of a visible event, object by object.
    pub fn object_attributes(&mut self, event: &Event, wanted: Wanted, objects: &[i64]) -> Result<Batch> {
        self.trimmed_object_attributes(event, wanted, &Trim::default(), objects)
    }

    /// Tombstones are for the owner and for those who synchronise.
    pub(crate) fn wanted(&self, event: &Event, wanted: Wanted) -> &'static str {
        use pisax_access::Permission::{SiteAdmin, Sync};
        let may = event.org_id == self.actor.org_id || self.actor.has(Sync) || self.actor.has(SiteAdmin);
        match (wanted.living, wanted.deleted && may) {
            (true, true) => "1 = 1",
            (true, false) => "a.deleted = 0",
            (false, true) => "a.deleted = 1",
            (false, false) => "1 = 0",
        }
    }

    /// Which of these uuids exist already, anywhere.
    pub fn known_attributes(&mut self, uuids: &[Uuid]) -> Result<FxHashMap<Uuid, Known>> {
        self.known("attributes", "object_id", uuids)
    }

    pub(crate) fn known(
        &mut self,
        table: &str,
        object: &str,
        uuids: &[Uuid],
    ) -> Result<FxHashMap<Uuid, Known>> {
        /// One statement text for every full chunk, so that it stays prepared.
        const CHUNK: usize = 250;
        let mut found = FxHashMap::default();
        for chunk in uuids.chunks(CHUNK) {
            let marks: Vec<String> = (1..=chunk.len()).map(|i| format!("${i}")).collect();
            let sql = format!(
                "select uuid, id, event_id, {object}, timestamp, deleted from {table} where uuid in ({})",
                marks.join(",")
            );
            let args: Vec<Val<'_>> = chunk.iter().map(Val::from).collect();
            self.conn.each(&sql, &args, |r| {
                let known = Known {
                    id: r.int(1)?,
                    event_id: r.int(2)?,
                    object_id: r.int(3)?,
                    timestamp: r.int(4)?,
                    deleted: r.flag(5)?,
                };
                found.insert(r.uuid(0)?, known);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// How the attribute compares inside its event.
    pub fn twin(&self, attribute: &NewAttribute) -> Twin {
        let keys = keys(self.key, attribute.kind, &attribute.value1, &attribute.value2, false);
        (attribute.kind.code(), attribute.category.code(), keys.first, keys.second)
    }

    /// Living attributes outside objects of this event that equal one of `twins`, with their row numbers.
    pub fn existing_twins(&mut self, event_id: i64, twins: &[Twin]) -> Result<FxHashMap<Twin, i64>> {
        let lite = self.conn.is_lite();
        let set = dialect::in_set(lite, "p.hash", 2);
        let sql = format!(
            "select a.id, a.kind, a.category, a.hash1, a.hash2 from postings p join attributes a on a.id = p.attribute_id \
             where p.event_id = $1 and {set} and a.hash1 = p.hash and a.deleted = 0 and a.object_id = 0"
        );
        let set = dialect::set_text(lite, twins.iter().map(|t| t.2));
        let mut found = FxHashMap::default();
        self.conn.each(&sql, &[event_id.into(), Val::Text(&set)], |r| {
            found.insert((r.int(1)?, r.int(2)?, r.int(3)?, r.opt_int(4)?), r.int(0)?);
            Ok(())
        })?;
        Ok(found)
    }
}

impl Writer<'_> {
    /// Inserts attributes into an event got for edit, `(object id or 0, attribute)` each, with their postings;
    /// returns their row numbers in order. One bulk statement per table, whatever the number.
    pub fn insert_attributes(&mut self, event_id: i64, rows: &[(i64, &NewAttribute)]) -> Result<Vec<i64>> {
        let ids = dialect::allocate(&mut self.conn, "attributes", rows.len())?;
        let key = self.key;
        let all: Vec<Keys> = rows
            .iter()
            .map(|(_, a)| keys(key, a.kind, &a.value1, &a.value2, a.disable_correlation))
            .collect();
        let columns = [
            ("id", Kind::Int),
            ("uuid", Kind::Blob),
            ("event_id", Kind::Int),
            ("object_id", Kind::Int),
            ("object_relation", Kind::Text),
            ("category", Kind::Small),
            ("kind", Kind::Small),
            ("value1", Kind::Text),
            ("value2", Kind::Text),
            ("hash1", Kind::Int),
            ("hash2", Kind::Int),
            ("correlates", Kind::Small),
            ("to_ids", Kind::Small),
            ("timestamp", Kind::Int),
            ("distribution", Kind::Small),
            ("sharing_group_id", Kind::Int),
            ("comment", Kind::Text),
            ("deleted", Kind::Small),
            ("disable_correlation", Kind::Small),
            ("first_seen", Kind::Int),
            ("last_seen", Kind::Int),
        ];
        let values = rows.iter().zip(&ids).zip(&all).map(|(((object_id, a), id), k)| {
            [
                Val::Int(*id),
                (&a.uuid).into(),
                event_id.into(),
                (*object_id).into(),
                a.object_relation.as_deref().into(),
                a.category.code().into(),
                a.kind.code().into(),
                (&a.value1).into(),
                (&a.value2).into(),
                k.first.into(),
                k.second.into(),
                k.correlates.into(),
                a.to_ids.into(),
                a.timestamp.into(),
                a.distribution.code().into(),
                a.sharing_group_id.into(),
                (&a.comment).into(),
                a.deleted.into(),
                a.disable_correlation.into(),
                a.first_seen.into(),
                a.last_seen.into(),
            ]
        });
        self.conn.bulk("attributes", columns, values)?;
        self.post(event_id, ids.iter().zip(&all))?;
        let nets: Vec<(i64, Net)> = rows
            .iter()
            .zip(&ids)
            .filter_map(|((_, a), id)| Some((*id, net_of(a.kind, &a.value1, &a.value2)?)))
            .collect();
        self.post_nets(event_id, &nets)?;
        for ((_, a), id) in rows.iter().zip(&ids) {
            if let Some(data) = &a.data {
                self.put_attachment(*id, data)?;
            }
        }
        Ok(ids)
    }

    fn post<'k>(&mut self, event_id: i64, rows: impl Iterator<Item = (&'k i64, &'k Keys)>) -> Result<()> {
        let columns = [
            ("hash", Kind::Int),
            ("event_id", Kind::Int),
            ("attribute_id", Kind::Int),
            ("correlates", Kind::Small),
        ];
        let values = rows.flat_map(|(id, keys)| {
            postings(keys).map(move |(hash, correlates)| {
                [Val::Int(hash), event_id.into(), (*id).into(), correlates.into()]
            })
        });
        self.conn.bulk("postings", columns, values)
    }

    fn post_nets(&mut self, event_id: i64, nets: &[(i64, Net)]) -> Result<()> {
        for (table, only_networks) in [("addresses", false), ("networks", true)] {
            let columns = [
                ("first", Kind::Blob),
                ("len", Kind::Small),
                ("event_id", Kind::Int),
                ("attribute_id", Kind::Int),
            ];
            let mut rows = nets.iter().filter(|(_, net)| !only_networks || net.len < 128).peekable();
            if rows.peek().is_some() {
                let values = rows.map(|(id, net)| {
                    [Val::Blob(&net.first), i64::from(net.len).into(), event_id.into(), (*id).into()]
                });
                self.conn.bulk(table, columns, values)?;
            }
        }
        Ok(())
    }

    /// Takes an attribute's postings away, given its stored type and values.
    fn unpost(&mut self, event_id: i64, old: &AttributeView<'_>) -> Result<()> {
        let keys = keys(self.key, old.kind, old.value1, old.value2, false);
        for (hash, _) in postings(&keys) {
            self.conn.execute(
                "delete from postings where hash = $1 and event_id = $2 and attribute_id = $3",
                &[hash.into(), event_id.into(), old.id.into()],
            )?;
        }
        if let Some(net) = net_of(old.kind, old.value1, old.value2) {
            for table in ["addresses", "networks"] {
                let sql = format!(
                    "delete from {table} where first = $1 and len = $2 and event_id = $3 and attribute_id = $4"
                );
                let args = [Val::Blob(&net.first), i64::from(net.len).into(), event_id.into(), old.id.into()];
                self.conn.execute(&sql, &args)?;
            }
        }
        Ok(())
    }

    /// Takes the postings of all attributes of an event away.
    pub(crate) fn unpost_event(&mut self, event_id: i64) -> Result<()> {
        let mut after = 0;
        loop {
            let sql = format!(
                "select {COLUMNS} from attributes a where a.event_id = $1 and a.id > $2 order by a.id limit 1000"
            );
            let mut batch = Batch::default();
            self.conn.each(&sql, &[event_id.into(), after.into()], |row| batch.push(row))?;
            let Some(last) = batch.last_id() else { return Ok(()) };
            after = last;
            for attribute in batch.iter() {
                self.unpost(event_id, &attribute)?;
            }
        }
    }

    /// Replaces a stored attribute (`old`, of an event got for edit) by a checked one; uuid and object stay.
    pub fn update_attribute(
        &mut self,
        old: &AttributeView<'_>,
        new: &NewAttribute,
        action: Action,
    ) -> Result<()> {
        self.unpost(old.event_id, old)?;
        let keys = keys(self.key, new.kind, &new.value1, &new.value2, new.disable_correlation);
        let sql = "update attributes set category = $2, kind = $3, value1 = $4, value2 = $5, hash1 = $6, hash2 = $7, \
                   correlates = $8, to_ids = $9, timestamp = $10, distribution = $11, sharing_group_id = $12, \
                   comment = $13, deleted = $14, disable_correlation = $15, first_seen = $16, last_seen = $17, \
                   object_relation = $18 where id = $1";
        self.conn.execute(
            sql,
            &[
                old.id.into(),
                new.category.code().into(),
                new.kind.code().into(),
                (&new.value1).into(),
                (&new.value2).into(),
                keys.first.into(),
                keys.second.into(),
                keys.correlates.into(),
                new.to_ids.into(),
                new.timestamp.into(),
                new.distribution.code().into(),
                new.sharing_group_id.into(),
                (&new.comment).into(),
                new.deleted.into(),
                new.disable_correlation.into(),
                new.first_seen.into(),
                new.last_seen.into(),
                new.object_relation.as_deref().into(),
            ],
        )?;
        self.post(old.event_id, std::iter::once((&old.id, &keys)))?;
        if let Some(net) = net_of(new.kind, &new.value1, &new.value2) {
            self.post_nets(old.event_id, &[(old.id, net)])?;
        }
        if let Some(data) = &new.data {
            self.put_attachment(old.id, data)?;
        }
        if action == Action::SoftDelete {
            self.close_proposals_about(old.id)?;
        }
        differences::attribute(self.changed(Noun::Attribute, action, old.uuid, old.event_id), old, new);
        Ok(())
    }

    /// Notes attributes as added to an event: one by one, or, when there are many, as one change of the event.
    pub fn note_added(&mut self, event_id: i64, event_uuid: Uuid, added: &[(i64, &NewAttribute)]) {
        if added.len() > BULK {
            let many = added.len();
            self.changed(Noun::Event, Action::Edit, event_uuid, event_id).of(event_id, "").field(
                "attributes added",
                0,
                many,
            );
            return;
        }
        for (id, new) in added {
            let change = self.changed(Noun::Attribute, Action::Add, new.uuid, event_id);
            differences::added_attribute(change, *id, new);
        }
    }

    /// Flags an attribute deleted, or living again; what was proposed about a deleted one is closed.
    pub fn set_attribute_deleted(&mut self, old: &AttributeView<'_>, deleted: bool) -> Result<()> {
        let now = self.now();
        if deleted {
            self.close_proposals_about(old.id)?;
        }
        self.conn.execute(
            "update attributes set deleted = $2, timestamp = $3 where id = $1",
            &[old.id.into(), deleted.into(), now.into()],
        )?;
        let action = if deleted { Action::SoftDelete } else { Action::Restore };
        self.changed(Noun::Attribute, action, old.uuid, old.event_id)
            .of(old.id, &differences::attribute_title(old))
            .field("deleted", i64::from(old.deleted), i64::from(deleted));
        Ok(())
    }

    /// Removes an attribute for good, with its tags, sightings, references to it and bytes.
    pub fn remove_attribute(&mut self, old: &AttributeView<'_>) -> Result<()> {
        self.unpost(old.event_id, old)?;
        self.remove_proposals("attribute_id", old.id)?;
        self.drop_analyst_data_about(&old.uuid)?;
        self.drop_attachment(old.id)?;
        let object = self.object_facts(old.object_id)?;
        let id = [Val::Int(old.id)];
        for sql in [
            "delete from attribute_tags where attribute_id = $1",
            "delete from sightings where attribute_id = $1",
            "delete from object_references where referenced_id = $1 and to_object = 0",
            "delete from attributes where id = $1",
        ] {
            self.conn.execute(sql, &id)?;
        }
        differences::removed_attribute(
            self.changed(Noun::Attribute, Action::Delete, old.uuid, old.event_id),
            old,
            object,
        );
        Ok(())
    }

    /// Flags references that point at this record deleted.
    pub fn tombstone_references_to(&mut self, uuid: &Uuid) -> Result<()> {
        let now = self.now();
        self.conn.execute(
            "update object_references set deleted = 1, timestamp = $2 where referenced_uuid = $1 and deleted = 0",
            &[uuid.into(), now.into()],
        )?;
        Ok(())
    }

    /// Sets the time of last change.
    pub fn touch_attribute(&mut self, attribute_id: i64, timestamp: i64) -> Result<()> {
        let sql = "update attributes set timestamp = $2 where id = $1";
        self.conn.execute(sql, &[attribute_id.into(), timestamp.into()])?;
        Ok(())
    }
}
