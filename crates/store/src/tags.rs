//! Tags, and where they are attached. Names that differ in case alone are one tag.

use crate::changes::{Action, Change, Noun};
use crate::conn::{Kind, Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::tag::{Attached, Tag, TagDraft, colour_of};
use rustc_hash::{FxHashMap, FxHashSet};

pub(crate) const COLUMNS: [&str; 11] = [
    "id",
    "name",
    "colour",
    "exportable",
    "org_id",
    "user_id",
    "hide_tag",
    "numerical_value",
    "is_galaxy",
    "is_custom_galaxy",
    "local_only",
];

pub(crate) fn read(row: &Row<'_>, at: usize) -> Result<Tag> {
    Ok(Tag {
        id: row.int(at)?,
        name: row.string(at + 1)?,
        colour: row.string(at + 2)?,
        exportable: row.flag(at + 3)?,
        org_id: row.int(at + 4)?,
        user_id: row.int(at + 5)?,
        hide_tag: row.flag(at + 6)?,
        numerical_value: row.opt_int(at + 7)?,
        is_galaxy: row.flag(at + 8)?,
        is_custom_galaxy: row.flag(at + 9)?,
        local_only: row.flag(at + 10)?,
    })
}

/// What a tag is found by: its name in lower case.
pub fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// A tag with the number of visible events and living attributes it is attached to.
#[derive(Debug, Clone, PartialEq)]
pub struct CountedTag {
    pub tag: Tag,
    pub events: i64,
    pub attributes: i64,
}

/// A tag to attach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttachment {
    pub tag_id: i64,
    pub local: bool,
    pub relationship_type: Option<String>,
}

/// Attachments inserted at once by one statement; more go through the bulk path.
const FEW: usize = 64;

/// Number sets with at most this many absent numbers for each wanted one are read as one range.
const DENSE: i64 = 3;

/// Whether a name stands for a galaxy cluster, and whether for one made here (named by uuid).
fn galaxy_flags(name: &str) -> (bool, bool) {
    let Some(rest) = folded(name).strip_prefix("misp-galaxy:").map(str::to_owned) else {
        return (false, false);
    };
    let value = rest.split_once("=\"").map(|(_, value)| value.trim_end_matches('"'));
    (true, value.is_some_and(|v| v.len() == 36 && Uuid::try_parse(v).is_ok()))
}

/// The colour as `#rrggbb`, or one made from the name.
fn colour(given: Option<&str>, name: &str) -> String {
    let given = given.map(str::trim).unwrap_or_default();
    let digits = given.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        given.to_owned()
    } else {
        colour_of(name)
    }
}

impl Reader<'_> {
    pub fn tag(&mut self, id: i64) -> Result<Option<Tag>> {
        let sql = format!("select {} from tags where id = $1", COLUMNS.join(", "));
        self.conn.first(&sql, &[id.into()], |r| read(r, 0))
    }

    /// The tag of this name, in any case.
    pub fn tag_named(&mut self, name: &str) -> Result<Option<Tag>> {
        let sql = format!("select {} from tags where folded = $1", COLUMNS.join(", "));
        self.conn.first(&sql, &[(&folded(name)).into()], |r| read(r, 0))
    }

    /// Tags by name whose name contains `search`, with how often they are attached to what the actor sees.
    pub fn tags(&mut self, search: Option<&str>) -> Result<Vec<CountedTag>> {
        let pattern = search.map(|text| list::containing(&folded(text)));
        match &pattern {
            Some(pattern) => self.counted("pisax_fold(t.name) like $1 escape '\\'", &[pattern.into()]),
            None => self.counted("1 = 1", &[]),
        }
    }

    pub fn counted_tag(&mut self, id: i64) -> Result<Option<CountedTag>> {
        Ok(self.counted("t.id = $1", &[id.into()])?.pop())
    }

    fn counted(&mut self, condition: &str, args: &[Val<'_>]) -> Result<Vec<CountedTag>> {
        let wanted = format!("(select t.id from tags t where {condition})");
        let sees_event = self.sees_event("e");
        let sees_attribute = self.sees_attribute("e", "o", "a");
        let sql = format!(
            "select {}, coalesce(te.n, 0), coalesce(ta.n, 0) from tags t \
             left join (select x.tag_id, count(*) as n from event_tags x join events e on e.id = x.event_id \
             where x.tag_id in {wanted} and {sees_event} group by x.tag_id) te on te.tag_id = t.id \
             left join (select x.tag_id, count(*) as n from attribute_tags x \
             join attributes a on a.id = x.attribute_id join events e on e.id = a.event_id \
             left join objects o on o.id = a.object_id and a.object_id > 0 \
             where x.tag_id in {wanted} and a.deleted = 0 and {sees_attribute} group by x.tag_id) ta on ta.tag_id = t.id \
             where {condition} order by t.folded",
            list::columns("t", &COLUMNS)
        );
        self.conn.all(&sql, args, |r| {
            let next = COLUMNS.len();
            Ok(CountedTag { tag: read(r, 0)?, events: r.int(next)?, attributes: r.int(next + 1)? })
        })
    }

    /// Tags whose name matches a LIKE pattern (`%` and `_` are the caller's), in any case.
    pub fn search_tags(&mut self, pattern: &str) -> Result<Vec<Tag>> {
        let pattern = folded(pattern).replace('\\', "\\\\");
        let sql = format!(
            "select {} from tags where folded like $1 escape '\\' order by folded",
            COLUMNS.join(", ")
        );
        self.conn.all(&sql, &[(&pattern).into()], |r| read(r, 0))
    }

    /// The tags with these names, by folded name.
    pub fn tags_named<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> Result<FxHashMap<String, Tag>> {
        let names: FxHashSet<String> = names.map(folded).collect();
        let values: Vec<Val<'_>> = names.iter().map(Val::from).collect();
        let mut found = FxHashMap::default();
        for (places, args) in list::chunks(&values) {
            let sql = format!("select {}, folded from tags where folded in {places}", COLUMNS.join(", "));
            self.conn.each(&sql, &args, |r| {
                found.insert(r.string(COLUMNS.len())?, read(r, 0)?);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// What is attached to these events, which the caller has found visible.
    pub fn event_tags(&mut self, event_ids: &[i64]) -> Result<FxHashMap<i64, Vec<Attached>>> {
        if event_ids.is_empty() {
            return Ok(FxHashMap::default());
        }
        let lite = self.conn.is_lite();
        let condition = dialect::in_set(lite, "x.event_id", 1);
        let set = dialect::set_text(lite, event_ids.iter().copied());
        self.attached("event_tags", "event_id", &condition, &[Val::Text(&set)], |_| true)
    }

    /// What is attached to these attributes, which the caller has found visible.
    pub fn attribute_tags(&mut self, attribute_ids: &[i64]) -> Result<FxHashMap<i64, Vec<Attached>>> {
        let (Some(first), Some(last)) = (attribute_ids.iter().min(), attribute_ids.iter().max()) else {
            return Ok(FxHashMap::default());
        };
        let count = attribute_ids.len() as i64;
        if last - first < count * (DENSE + 1) {
            let wanted: FxHashSet<i64> = attribute_ids.iter().copied().collect();
            let args = [Val::Int(*first), Val::Int(*last)];
            let condition = "x.attribute_id between $1 and $2";
            return self
                .attached("attribute_tags", "attribute_id", condition, &args, |id| wanted.contains(&id));
        }
        let lite = self.conn.is_lite();
        let condition = dialect::in_set(lite, "x.attribute_id", 1);
        let set = dialect::set_text(lite, attribute_ids.iter().copied());
        self.attached("attribute_tags", "attribute_id", &condition, &[Val::Text(&set)], |_| true)
    }

    /// What is attached to attributes of this event, by attribute. The caller leaves out attributes it must not
    /// show.
    pub fn attribute_tags_of_event(&mut self, event_id: i64) -> Result<FxHashMap<i64, Vec<Attached>>> {
        self.attached("attribute_tags", "attribute_id", "x.event_id = $1", &[event_id.into()], |_| true)
    }

    fn attached(
        &mut self,
        table: &str,
        owner: &str,
        condition: &str,
        args: &[Val<'_>],
        wanted: impl Fn(i64) -> bool,
    ) -> Result<FxHashMap<i64, Vec<Attached>>> {
        let sql = format!(
            "select {}, x.{owner}, x.id, x.local, x.relationship_type from {table} x join tags t on t.id = x.tag_id \
             where {condition} order by x.{owner}, x.id",
            list::columns("t", &COLUMNS)
        );
        let next = COLUMNS.len();
        let mut found: FxHashMap<i64, Vec<Attached>> = FxHashMap::default();
        self.conn.each(&sql, args, |r| {
            let owner = r.int(next)?;
            if wanted(owner) {
                found.entry(owner).or_default().push(Attached {
                    id: r.int(next + 1)?,
                    tag: read(r, 0)?,
                    local: r.flag(next + 2)?,
                    relationship_type: r.opt_string(next + 3)?,
                });
            }
            Ok(())
        })?;
        Ok(found)
    }
}

impl Writer<'_> {
    /// The tags that drafts name, by folded name. Names that are not known are added when the actor may, else
    /// left out. Two transactions that add the same name get the same tag.
    pub fn resolve_tags(&mut self, drafts: &[&TagDraft], may_create: bool) -> Result<FxHashMap<String, Tag>> {
        let mut found = self.tags_named(drafts.iter().map(|d| d.name.as_str()))?;
        if !may_create {
            return Ok(found);
        }
        let mut missing: Vec<(String, &TagDraft)> = drafts.iter().map(|d| (folded(&d.name), *d)).collect();
        missing.retain(|(key, _)| !key.is_empty() && !found.contains_key(key));
        // In one order for everybody, so that two transactions never wait for each other.
        missing.sort_by(|a, b| a.0.cmp(&b.0));
        missing.dedup_by(|a, b| a.0 == b.0);
        if missing.is_empty() {
            return Ok(found);
        }
        let tags: Vec<Tag> = missing
            .iter()
            .map(|(_, draft)| {
                let name = draft.name.trim();
                let (is_galaxy, is_custom_galaxy) = galaxy_flags(name);
                Tag {
                    id: 0,
                    name: name.to_owned(),
                    colour: colour(draft.colour.as_deref(), name),
                    exportable: draft.exportable.unwrap_or(true),
                    org_id: 0,
                    user_id: 0,
                    hide_tag: false,
                    numerical_value: None,
                    is_galaxy,
                    is_custom_galaxy,
                    local_only: false,
                }
            })
            .collect();
        self.insert_tags(&tags)?;
        found.extend(self.tags_named(missing.iter().map(|(key, _)| key.as_str()))?);
        Ok(found)
    }

    /// Inserts tags, leaving alone those whose name is taken; returns how many are new.
    fn insert_tags(&mut self, tags: &[Tag]) -> Result<u64> {
        let mut added = 0;
        for chunk in tags.chunks(FEW) {
            let ids = dialect::allocate(&mut self.conn, "tags", chunk.len())?;
            let keys: Vec<String> = chunk.iter().map(|t| folded(&t.name)).collect();
            let mut args = Vec::with_capacity(chunk.len() * (COLUMNS.len() + 1));
            for ((tag, id), key) in chunk.iter().zip(&ids).zip(&keys) {
                args.extend([
                    Val::Int(*id),
                    (&tag.name).into(),
                    (&tag.colour).into(),
                    tag.exportable.into(),
                    tag.org_id.into(),
                    tag.user_id.into(),
                    tag.hide_tag.into(),
                    tag.numerical_value.into(),
                    tag.is_galaxy.into(),
                    tag.is_custom_galaxy.into(),
                    tag.local_only.into(),
                    key.into(),
                ]);
            }
            let sql = format!(
                "insert into tags ({}, folded) values {} on conflict (folded) do nothing",
                COLUMNS.join(", "),
                list::places(chunk.len(), COLUMNS.len() + 1)
            );
            added += self.conn.execute(&sql, &args)?;
        }
        if added > 0 {
            let names: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
            self.changed(Noun::Tag, Action::Add, Uuid::nil(), 0).of(0, &names.join(", "));
        }
        Ok(added)
    }

    /// Adds a tag; its number, and what its name says of galaxies, are given here.
    pub fn add_tag(&mut self, tag: &Tag) -> Result<i64> {
        let (is_galaxy, is_custom_galaxy) = galaxy_flags(&tag.name);
        let tag = Tag {
            name: tag.name.trim().to_owned(),
            colour: colour(Some(&tag.colour), &tag.name),
            is_galaxy,
            is_custom_galaxy,
            ..tag.clone()
        };
        if self.insert_tags(std::slice::from_ref(&tag))? == 0 {
            return Err(Error::Conflict("name"));
        }
        Ok(self.tag_named(&tag.name)?.ok_or(Error::NotFound("tag"))?.id)
    }

    pub fn edit_tag(&mut self, tag: &Tag) -> Result<()> {
        let key = folded(&tag.name);
        let taken = "select count(*) from tags where folded = $1 and id <> $2";
        if self.conn.number(taken, &[(&key).into(), tag.id.into()])? > 0 {
            return Err(Error::Conflict("name"));
        }
        let old = self.tag(tag.id)?;
        let (is_galaxy, is_custom_galaxy) = galaxy_flags(&tag.name);
        let sql = "update tags set name = $2, folded = $3, colour = $4, exportable = $5, org_id = $6, user_id = $7, \
                   hide_tag = $8, numerical_value = $9, is_galaxy = $10, is_custom_galaxy = $11, local_only = $12 \
                   where id = $1";
        let changed = self
            .conn
            .execute(
                sql,
                &[
                    tag.id.into(),
                    tag.name.trim().into(),
                    (&key).into(),
                    (&colour(Some(&tag.colour), &tag.name)).into(),
                    tag.exportable.into(),
                    tag.org_id.into(),
                    tag.user_id.into(),
                    tag.hide_tag.into(),
                    tag.numerical_value.into(),
                    is_galaxy.into(),
                    is_custom_galaxy.into(),
                    tag.local_only.into(),
                ],
            )
            .map_err(|e| e.conflict_on("name"))?;
        if changed == 0 {
            return Err(Error::NotFound("tag"));
        }
        let change = self.changed(Noun::Tag, Action::Edit, Uuid::nil(), 0).of(tag.id, &tag.name);
        if let Some(old) = old {
            change
                .field("name", &old.name, tag.name.trim())
                .field("colour", &old.colour, &tag.colour)
                .field("exportable", old.exportable, tag.exportable)
                .field("org_id", old.org_id, tag.org_id)
                .field("user_id", old.user_id, tag.user_id)
                .field("hide_tag", old.hide_tag, tag.hide_tag)
                .field("local_only", old.local_only, tag.local_only);
        }
        Ok(())
    }

    /// Removes a tag from everything and for good.
    pub fn delete_tag(&mut self, id: i64) -> Result<()> {
        // Before what is attached is looked at: nobody attaches it from here on.
        let sql = format!("select id from tags where id = $1{}", dialect::for_update(self.conn.is_lite()));
        self.conn.first(&sql, &[id.into()], |r| r.int(0))?.ok_or(Error::NotFound("tag"))?;
        let name = self.tag_name(id)?;
        for table in
            ["event_tags", "attribute_tags", "cluster_relation_tags", "tag_collection_tags", "favourite_tags"]
        {
            self.conn.execute(&format!("delete from {table} where tag_id = $1"), &[id.into()])?;
        }
        self.conn.execute("delete from tags where id = $1", &[id.into()])?;
        self.changed(Noun::Tag, Action::Delete, Uuid::nil(), 0).of(id, &name).field("name", &name, "");
        Ok(())
    }

    /// Those of these tags that exist, and stay until the transaction ends. One deleted since the caller looked
    /// is left out, as if it had been attached before.
    pub(crate) fn hold_tags(&mut self, ids: impl Iterator<Item = i64>) -> Result<FxHashMap<i64, String>> {
        let lite = self.conn.is_lite();
        let ids: FxHashSet<i64> = ids.collect();
        if ids.is_empty() {
            return Ok(FxHashMap::default());
        }
        let sql = format!(
            "select id, name from tags where {} order by id{}",
            dialect::in_set(lite, "id", 1),
            dialect::for_key_share(lite)
        );
        let set = dialect::set_text(lite, ids.into_iter());
        Ok(self.conn.all(&sql, &[Val::Text(&set)], |r| Ok((r.int(0)?, r.string(1)?)))?.into_iter().collect())
    }

    fn tag_name(&mut self, id: i64) -> Result<String> {
        let found = self.conn.first("select name from tags where id = $1", &[id.into()], |r| r.string(0))?;
        Ok(found.unwrap_or_default())
    }

    /// Attaches tags to an event got for edit. One that is attached stays as it is: the first attachment decides
    /// whether it is local. Returns the tags that are new to the event; they are one change.
    pub fn attach_event_tags(&mut self, event_id: i64, rows: &[NewAttachment]) -> Result<Vec<i64>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let sql = "select tag_id from event_tags where event_id = $1";
        let mut there: FxHashSet<i64> =
            self.conn.all(sql, &[event_id.into()], |r| r.int(0))?.into_iter().collect();
        let mut new: Vec<&NewAttachment> = rows.iter().filter(|row| there.insert(row.tag_id)).collect();
        let living = self.hold_tags(new.iter().map(|row| row.tag_id))?;
        new.retain(|row| living.contains_key(&row.tag_id));
        for chunk in new.chunks(FEW) {
            let ids = dialect::allocate(&mut self.conn, "event_tags", chunk.len())?;
            let mut args = Vec::with_capacity(chunk.len() * 5);
            for (row, id) in chunk.iter().zip(&ids) {
                args.extend([
                    Val::Int(*id),
                    event_id.into(),
                    row.tag_id.into(),
                    row.local.into(),
                    row.relationship_type.as_deref().into(),
                ]);
            }
            let sql = format!(
                "insert into event_tags (id, event_id, tag_id, local, relationship_type) values {} \
                 on conflict (event_id, tag_id) do nothing",
                list::places(chunk.len(), 5)
            );
            self.conn.execute(&sql, &args)?;
        }
        if !new.is_empty() {
            let change = self.changed(Noun::EventTag, Action::Add, Uuid::nil(), event_id).of(event_id, "");
            new.iter().for_each(|row| note_tag(change, &living, row));
        }
        Ok(new.iter().map(|row| row.tag_id).collect())
    }

    /// Attaches tags to attributes of an event got for edit, `(attribute, tag)` each, as
    /// [`attach_event_tags`](Self::attach_event_tags) does. Returns the `(attribute, tag)` pairs that are new;
    /// they are one change.
    pub fn attach_attribute_tags(
        &mut self,
        event_id: i64,
        rows: &[(i64, NewAttachment)],
    ) -> Result<Vec<(i64, i64)>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut there: FxHashSet<(i64, i64)> = FxHashSet::default();
        let sql = "select attribute_id, tag_id from attribute_tags where event_id = $1";
        self.conn.each(sql, &[event_id.into()], |r| {
            there.insert((r.int(0)?, r.int(1)?));
            Ok(())
        })?;
        let mut new: Vec<&(i64, NewAttachment)> =
            rows.iter().filter(|(attribute, row)| there.insert((*attribute, row.tag_id))).collect();
        let living = self.hold_tags(new.iter().map(|(_, row)| row.tag_id))?;
        new.retain(|(_, row)| living.contains_key(&row.tag_id));
        let ids = dialect::allocate(&mut self.conn, "attribute_tags", new.len())?;
        let values = new.iter().zip(&ids).map(|((attribute, row), id)| {
            [
                Val::Int(*id),
                (*attribute).into(),
                event_id.into(),
                row.tag_id.into(),
                row.local.into(),
                row.relationship_type.as_deref().into(),
            ]
        });
        if new.len() > FEW {
            let columns = [
                ("id", Kind::Int),
                ("attribute_id", Kind::Int),
                ("event_id", Kind::Int),
                ("tag_id", Kind::Int),
                ("local", Kind::Small),
                ("relationship_type", Kind::Text),
            ];
            self.conn.bulk("attribute_tags", columns, values)?;
        } else if !new.is_empty() {
            let args: Vec<Val<'_>> = values.flatten().collect();
            let sql = format!(
                "insert into attribute_tags (id, attribute_id, event_id, tag_id, local, relationship_type) values {} \
                 on conflict (attribute_id, tag_id) do nothing",
                list::places(new.len(), 6)
            );
            self.conn.execute(&sql, &args)?;
        }
        if !new.is_empty() {
            let one = if let [(attribute, _)] = new[..] { *attribute } else { 0 };
            let change = self.changed(Noun::AttributeTag, Action::Add, Uuid::nil(), event_id).of(one, "");
            new.iter().take(NOTED).for_each(|(_, row)| note_tag(change, &living, row));
        }
        Ok(new.iter().map(|(attribute, row)| (*attribute, row.tag_id)).collect())
    }

    /// Returns whether the tag was attached.
    pub fn detach_event_tag(&mut self, event_id: i64, tag_id: i64) -> Result<bool> {
        let sql = "delete from event_tags where event_id = $1 and tag_id = $2";
        let detached = self.conn.execute(sql, &[event_id.into(), tag_id.into()])? > 0;
        if detached {
            let name = self.tag_name(tag_id)?;
            self.changed(Noun::EventTag, Action::Delete, Uuid::nil(), event_id)
                .of(event_id, "")
                .field("tag", name, "");
        }
        Ok(detached)
    }

    /// Returns whether the tag was attached.
    pub fn detach_attribute_tag(&mut self, attribute_id: i64, tag_id: i64) -> Result<bool> {
        let sql = "delete from attribute_tags where attribute_id = $1 and tag_id = $2 returning event_id";
        let event_id = self.conn.first(sql, &[attribute_id.into(), tag_id.into()], |r| r.int(0))?;
        if let Some(event_id) = event_id {
            let name = self.tag_name(tag_id)?;
            self.changed(Noun::AttributeTag, Action::Delete, Uuid::nil(), event_id)
                .of(attribute_id, "")
                .field("tag", name, "");
        }
        Ok(event_id.is_some())
    }
}

/// Attachments that one row of the log names: a list of thousands helps nobody.
const NOTED: usize = 100;

fn note_tag(change: &mut Change, names: &FxHashMap<i64, String>, row: &NewAttachment) {
    let name = names.get(&row.tag_id).map_or("", String::as_str);
    change.field(if row.local { "local tag" } else { "tag" }, "", name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_galaxy_tag_is_known_by_its_name() {
        assert_eq!(galaxy_flags("tlp:red"), (false, false));
        assert_eq!(galaxy_flags("misp-galaxy:threat-actor=\"APT 28\""), (true, false));
        assert_eq!(galaxy_flags("MISP-galaxy:tool=\"5f9a2b1c-0000-4000-8000-000000000001\""), (true, true));
    }

    #[test]
    fn a_colour_that_is_none_is_made_from_the_name() {
        assert_eq!(colour(Some("#Ff0001"), "x"), "#Ff0001");
        for bad in [None, Some("red"), Some("#fff"), Some("#ffffffff"), Some("")] {
            assert_eq!(colour(bad, "x"), colour_of("x"));
        }
    }
}
