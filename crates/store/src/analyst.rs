//! Analyst data: notes, opinions and relationships, and the list of those that must not come back.

mod blocklist;

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::events::by_ref;
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::analyst::{AnalystData, AnalystKind, DEEPEST, TargetKind};
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use rustc_hash::FxHashMap;

const NAMES: [&str; 21] = [
    "id",
    "uuid",
    "kind",
    "object_uuid",
    "object_type",
    "event_id",
    "authors",
    "org_id",
    "orgc_id",
    "created",
    "modified",
    "distribution",
    "sharing_group_id",
    "locked",
    "words",
    "language",
    "opinion",
    "relationship_type",
    "related_uuid",
    "related_type",
    "root_uuid",
];

fn read(row: &Row<'_>) -> Result<AnalystData> {
    let target = |code: i64| TargetKind::from_code(code).ok_or(Error::Damaged("what analyst data is about"));
    Ok(AnalystData {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        kind: AnalystKind::from_code(row.int(2)?).ok_or(Error::Damaged("a kind of analyst data"))?,
        object_uuid: row.uuid(3)?,
        object_type: target(row.int(4)?)?,
        event_id: row.int(5)?,
        authors: row.string(6)?,
        org_id: row.int(7)?,
        orgc_id: row.int(8)?,
        created: row.int(9)?,
        modified: row.int(10)?,
        distribution: row.int(11)?,
        sharing_group_id: row.int(12)?,
        locked: row.flag(13)?,
        words: row.string(14)?,
        language: row.opt_string(15)?,
        opinion: row.opt_int(16)?,
        relationship_type: row.string(17)?,
        related_uuid: row.opt_uuid(18)?,
        related_type: row.opt_int(19)?.map(target).transpose()?,
    })
}

/// Which analyst data to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnalystQuery {
    pub kind: AnalystKind,
    /// These alone, when there are any.
    pub uuids: Vec<Uuid>,
    /// Those about this record alone.
    pub about: Option<Uuid>,
    /// All when there is none.
    pub limit: Option<i64>,
    /// 1-based; counts only with a limit.
    pub page: i64,
    /// Row numbers above this alone.
    pub after: i64,
}

/// A uuid that is taken by analyst data, seen or unseen: to decide about what came with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownAnalystData {
    pub id: i64,
    pub kind: AnalystKind,
    pub orgc_id: i64,
    pub modified: i64,
    pub locked: bool,
}

/// A record here that analyst data is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetHere {
    pub visible: bool,
    /// The event it is or is in; 0 when it is in none.
    pub event_id: i64,
    /// Whether it is analyst data itself.
    pub analyst_data: bool,
}

impl Reader<'_> {
    /// Analyst data the actor sees, of one kind or any.
    pub fn analyst_data(&mut self, kind: Option<AnalystKind>, reference: Ref) -> Result<Option<AnalystData>> {
        let (is, value) = by_ref("d", &reference);
        let kind = kind.map_or(String::new(), |kind| format!(" and d.kind = {}", kind as i64));
        let sql = format!(
            "select {} from analyst_data d where {is}{kind} and {}",
            list::columns("d", &NAMES),
            self.sees_analyst_data("d")
        );
        self.conn.first(&sql, &[value], read)
    }

    /// Visible analyst data of one kind by row number.
    pub fn find_analyst_data(&mut self, query: &AnalystQuery) -> Result<Vec<AnalystData>> {
        let lite = self.conn.is_lite();
        let mut terms =
            vec![self.sees_analyst_data("d"), format!("d.kind = {}", query.kind as i64), "d.id > $1".into()];
        let mut args: Vec<Val<'_>> = vec![query.after.into()];
        let set = dialect::uuid_set_text(lite, query.uuids.iter());
        if !query.uuids.is_empty() {
            args.push(Val::Text(&set));
            terms.push(dialect::in_uuid_set(lite, "d.uuid", args.len()));
        }
        if let Some(about) = &query.about {
            args.push(about.into());
            terms.push(format!("d.object_uuid = ${}", args.len()));
        }
        let mut tail = String::new();
        if let Some(limit) = query.limit {
            args.push(limit.into());
            args.push(Val::Int(limit.saturating_mul((query.page - 1).max(0))));
            tail = format!(" limit ${} offset ${}", args.len() - 1, args.len());
        }
        let sql = format!(
            "select {} from analyst_data d where {} order by d.id{tail}",
            list::columns("d", &NAMES),
            terms.join(" and ")
        );
        self.conn.all(&sql, &args, read)
    }

    /// Whether there is any analyst data at all: most instances have none, and an event can spare the look-ups.
    pub fn has_analyst_data(&mut self) -> Result<bool> {
        Ok(self.conn.number("select 1 from analyst_data limit 1", &[])? == 1)
    }

    /// Visible analyst data about these records, oldest first.
    pub fn analyst_data_about(&mut self, uuids: &[Uuid]) -> Result<Vec<AnalystData>> {
        let lite = self.conn.is_lite();
        let sql = format!(
            "select {} from analyst_data d where {} and {} order by d.id",
            list::columns("d", &NAMES),
            dialect::in_uuid_set(lite, "d.object_uuid", 1),
            self.sees_analyst_data("d")
        );
        let set = dialect::uuid_set_text(lite, uuids.iter());
        self.conn.all(&sql, &[Val::Text(&set)], read)
    }

    /// The visible ones of these records.
    pub fn analyst_data_by_uuids(&mut self, uuids: &[Uuid]) -> Result<Vec<AnalystData>> {
        let lite = self.conn.is_lite();
        let sql = format!(
            "select {} from analyst_data d where {} and {} order by d.id",
            list::columns("d", &NAMES),
            dialect::in_uuid_set(lite, "d.uuid", 1),
            self.sees_analyst_data("d")
        );
        let set = dialect::uuid_set_text(lite, uuids.iter());
        self.conn.all(&sql, &[Val::Text(&set)], read)
    }

    /// Events, from this row number on, about which or in which there is visible analyst data.
    pub fn events_with_analyst_data(&mut self, after: i64, limit: i64) -> Result<Vec<i64>> {
        let sql = format!(
            "select distinct d.event_id from analyst_data d where d.event_id > $1 and {} \
             order by d.event_id limit $2",
            self.sees_analyst_data("d")
        );
        self.conn.all(&sql, &[after.into(), limit.into()], |r| r.int(0))
    }

    /// Visible analyst data about records of these kinds that are in no event, from this row number on: its row
    /// number, and what it is about.
    pub fn analyst_data_outside(
        &mut self,
        kinds: &[TargetKind],
        after: i64,
        limit: i64,
    ) -> Result<Vec<(i64, Uuid)>> {
        let lite = self.conn.is_lite();
        let set = dialect::set_text(lite, kinds.iter().map(|kind| *kind as i64));
        let sql = format!(
            "select d.id, d.object_uuid from analyst_data d where {} and d.id > $2 and {} order by d.id limit $3",
            dialect::in_set(lite, "d.object_type", 1),
            self.sees_analyst_data("d")
        );
        let args = [Val::Text(&set), after.into(), limit.into()];
        self.conn.all(&sql, &args, |r| Ok((r.int(0)?, r.uuid(1)?)))
    }

    /// Uuid and time of the last change of all visible analyst data, kind by kind: by these organisations alone
    /// when there are any, and not by those.
    pub fn analyst_data_times(
        &mut self,
        by: &[i64],
        not_by: &[i64],
        mut f: impl FnMut(AnalystKind, Uuid, i64) -> Result<()>,
    ) -> Result<()> {
        let lite = self.conn.is_lite();
        let mut terms = vec![self.sees_analyst_data("d")];
        let sets: Vec<(bool, String)> = [(true, by), (false, not_by)]
            .into_iter()
            .filter(|(_, ids)| !ids.is_empty())
            .map(|(wanted, ids)| (wanted, dialect::set_text(lite, ids.iter().copied())))
            .collect();
        let mut args: Vec<Val<'_>> = Vec::new();
        for (wanted, set) in &sets {
            args.push(Val::Text(set));
            let among = dialect::in_set(lite, "d.orgc_id", args.len());
            terms.push(if *wanted { among } else { format!("not ({among})") });
        }
        let sql = format!(
            "select d.kind, d.uuid, d.modified from analyst_data d where {} order by d.kind, d.id",
            terms.join(" and ")
        );
        self.conn.each(&sql, &args, |row| {
            let kind = AnalystKind::from_code(row.int(0)?).ok_or(Error::Damaged("a kind of analyst data"))?;
            f(kind, row.uuid(1)?, row.int(2)?)
        })
    }

    /// Which of these uuids are analyst data already, seen or unseen.
    pub fn known_analyst_data(&mut self, uuids: &[Uuid]) -> Result<FxHashMap<Uuid, KnownAnalystData>> {
        let values: Vec<Val<'_>> = uuids.iter().map(Val::from).collect();
        let mut found = FxHashMap::default();
        for (places, args) in list::chunks(&values) {
            let sql = format!(
                "select uuid, id, kind, orgc_id, modified, locked from analyst_data where uuid in {places}"
            );
            self.conn.each(&sql, &args, |r| {
                let kind =
                    AnalystKind::from_code(r.int(2)?).ok_or(Error::Damaged("a kind of analyst data"))?;
                let known = KnownAnalystData {
                    id: r.int(1)?,
                    kind,
                    orgc_id: r.int(3)?,
                    modified: r.int(4)?,
                    locked: r.flag(5)?,
                };
                found.insert(r.uuid(0)?, known);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Which of these uuids are records here that can be hidden from somebody, and whether the actor sees them.
    pub fn analyst_targets(&mut self, uuids: &[Uuid]) -> Result<FxHashMap<Uuid, TargetHere>> {
        if uuids.is_empty() {
            return Ok(FxHashMap::default());
        }
        let (lite, visible) =
            (self.conn.is_lite(), |sees: &str| format!("case when {sees} then 1 else 0 end"));
        let both = |sees: String, buried: String| visible(&format!("({sees} and {buried})"));
        let queries = [
            ("events t", "t.id", visible(&self.sees_event("t"))),
            (
                "attributes t join events e on e.id = t.event_id \
                 left join objects o on o.id = t.object_id and t.object_id > 0",
                "t.event_id",
                both(self.sees_attribute("e", "o", "t"), self.sees_tombstone("e", "t")),
            ),
            (
                "objects t join events e on e.id = t.event_id",
                "t.event_id",
                both(self.sees_object("e", "t"), self.sees_tombstone("e", "t")),
            ),
            (
                "event_reports t join events e on e.id = t.event_id",
                "t.event_id",
                both(self.sees_report("e", "t"), self.sees_tombstone("e", "t")),
            ),
            ("sharing_groups t", "0", visible(&self.sees_group("t"))),
            ("clusters t", "0", visible(&self.sees_cluster("t"))),
            ("analyst_data t", "t.event_id", visible(&self.sees_analyst_data("t"))),
        ];
        let set = dialect::uuid_set_text(lite, uuids.iter());
        let mut found = FxHashMap::default();
        for (from, event_id, visible) in queries {
            let sql = format!(
                "select t.uuid, cast({event_id} as bigint), {visible} from {from} where {}",
                dialect::in_uuid_set(lite, "t.uuid", 1)
            );
            self.conn.each(&sql, &[Val::Text(&set)], |row| {
                let analyst_data = from == "analyst_data t";
                let here = TargetHere { event_id: row.int(1)?, visible: row.flag(2)?, analyst_data };
                found.insert(row.uuid(0)?, here);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// What kind of record here has this uuid, seen or unseen: for who names a record by its uuid alone. Whether
    /// he sees it is asked afterwards.
    pub fn analyst_target_kind(&mut self, uuid: &Uuid) -> Result<Option<TargetKind>> {
        let tables = [
            ("events", TargetKind::Event),
            ("attributes", TargetKind::Attribute),
            ("objects", TargetKind::Object),
            ("event_reports", TargetKind::EventReport),
            ("galaxies", TargetKind::Galaxy),
            ("clusters", TargetKind::GalaxyCluster),
            ("orgs", TargetKind::Organisation),
            ("sharing_groups", TargetKind::SharingGroup),
        ];
        let mut parts: Vec<String> = tables
            .iter()
            .map(|(table, kind)| format!("select {} as code from {table} where uuid = $1", *kind as i64))
            .collect();
        parts.push("select kind + 7 as code from analyst_data where uuid = $1".into());
        let sql = parts.join(" union all ");
        let code = self.conn.number(&sql, &[uuid.into()])?;
        Ok(TargetKind::from_code(code))
    }

    /// How deep data about this record would be nested: 1 on a record that is no analyst data.
    pub fn analyst_depth(&mut self, about: Uuid) -> Result<usize> {
        let mut at = about;
        for depth in 1..=DEEPEST {
            let sql = "select object_uuid from analyst_data where uuid = $1";
            match self.conn.first(sql, &[(&at).into()], |r| r.uuid(0))? {
                Some(above) => at = above,
                None => return Ok(depth),
            }
        }
        Ok(DEEPEST + 1)
    }
}

impl Writer<'_> {
    /// Adds analyst data (its `id` is ignored); returns the row number.
    pub fn insert_analyst_data(&mut self, data: &AnalystData) -> Result<i64> {
        if data.event_id > 0 {
            // Who deletes the event meanwhile waits for this, and then deletes it too.
            let lock = dialect::for_key_share(self.conn.is_lite());
            let sql = format!("select id from events where id = $1{lock}");
            if self.conn.number(&sql, &[data.event_id.into()])? == 0 {
                return Err(Error::NotFound("event"));
            }
        }
        let above = "select root_uuid from analyst_data where uuid = $1";
        let above = self.conn.first(above, &[(&data.object_uuid).into()], |r| r.uuid(0))?;
        let root = above.unwrap_or(data.object_uuid);
        let id = dialect::allocate(&mut self.conn, "analyst_data", 1)?[0];
        let sql = format!("insert into analyst_data ({}) values {}", NAMES.join(", "), list::places(1, 21));
        let args: [Val<'_>; 21] = [
            id.into(),
            (&data.uuid).into(),
            Val::Int(data.kind as i64),
            (&data.object_uuid).into(),
            Val::Int(data.object_type as i64),
            data.event_id.into(),
            (&data.authors).into(),
            data.org_id.into(),
            data.orgc_id.into(),
            data.created.into(),
            data.modified.into(),
            data.distribution.into(),
            data.sharing_group_id.into(),
            data.locked.into(),
            (&data.words).into(),
            data.language.as_ref().into(),
            data.opinion.into(),
            (&data.relationship_type).into(),
            data.related_uuid.as_ref().into(),
            data.related_type.map(|kind| kind as i64).into(),
            (&root).into(),
        ];
        self.conn.execute(&sql, &args)?;
        // What was said about this came before it.
        self.conn.execute(
            "update analyst_data set root_uuid = $2, event_id = $3 where root_uuid = $1 and uuid <> $1",
            &[(&data.uuid).into(), (&root).into(), data.event_id.into()],
        )?;
        self.changed(Noun::AnalystData, Action::Add, data.uuid, data.event_id).of(id, &data.title());
        Ok(id)
    }

    /// Writes the changeable columns of analyst data the actor may edit, and notes what is another.
    pub fn update_analyst_data(&mut self, old: &AnalystData, new: &AnalystData) -> Result<()> {
        let sql = "update analyst_data set authors = $2, modified = $3, distribution = $4, sharing_group_id = $5, \
                   words = $6, language = $7, opinion = $8, relationship_type = $9, related_uuid = $10, \
                   related_type = $11 where id = $1";
        let args = [
            old.id.into(),
            (&new.authors).into(),
            new.modified.into(),
            new.distribution.into(),
            new.sharing_group_id.into(),
            (&new.words).into(),
            new.language.as_ref().into(),
            new.opinion.into(),
            (&new.relationship_type).into(),
            new.related_uuid.as_ref().into(),
            new.related_type.map(|kind| kind as i64).into(),
        ];
        if self.conn.execute(sql, &args)? == 0 {
            return Err(Error::NotFound("analyst data"));
        }
        self.changed(Noun::AnalystData, Action::Edit, old.uuid, old.event_id)
            .of(old.id, &new.title())
            .field("text", old.title(), new.title())
            .field("authors", &old.authors, &new.authors)
            .field("distribution", old.distribution, new.distribution)
            .field("sharing_group_id", old.sharing_group_id, new.sharing_group_id);
        Ok(())
    }

    /// Removes analyst data for good. What was said about it stays where it is seen by whoever sees the record; what
    /// a narrower reach of this, or of what this is about, hid from some goes with it: nothing would hide it any more.
    pub fn remove_analyst_data(&mut self, data: &AnalystData) -> Result<()> {
        let is_open = |distribution: i64| matches!(distribution, 1..=3 | 5);
        let (mut at, mut open) = (data.object_uuid, is_open(data.distribution));
        for _ in 0..DEEPEST {
            let sql = "select object_uuid, distribution from analyst_data where uuid = $1";
            let above = self.conn.first(sql, &[(&at).into()], |r| Ok((r.uuid(0)?, r.int(1)?)))?;
            let Some((above, distribution)) = above else { break };
            open &= is_open(distribution);
            at = above;
        }
        if !open {
            self.drop_analyst_data_about(&data.uuid)?;
        }
        self.conn.execute("delete from analyst_data where id = $1", &[data.id.into()])?;
        self.changed(Noun::AnalystData, Action::Delete, data.uuid, data.event_id).of(data.id, &data.title());
        Ok(())
    }

    /// Removes what was said about a record that goes for good, and about that in turn: it would be shown to
    /// those who never saw the record.
    pub(crate) fn drop_analyst_data_about(&mut self, uuid: &Uuid) -> Result<()> {
        let first = "select uuid from analyst_data where object_uuid = $1 or root_uuid = $1";
        self.drop_analyst_data(first, &[uuid.into()])
    }

    /// The same for an event with everything in it.
    pub(crate) fn drop_analyst_data_of_event(&mut self, event: &Event) -> Result<()> {
        let first = "select uuid from analyst_data where event_id = $1 or root_uuid in \
                     (select uuid from events where id = $1 \
                      union all select uuid from attributes where event_id = $1 \
                      union all select uuid from objects where event_id = $1 \
                      union all select uuid from event_reports where event_id = $1)";
        if self.has_analyst_data()? { self.drop_analyst_data(first, &[event.id.into()]) } else { Ok(()) }
    }

    /// The same for clusters that meet a condition on one number; the library's may come again.
    pub(crate) fn drop_analyst_data_of_clusters(&mut self, condition: &str, number: i64) -> Result<()> {
        let clusters = format!("select uuid from clusters where {condition} and custom = 1");
        let first = format!("select uuid from analyst_data where root_uuid in ({clusters})");
        if self.has_analyst_data()? { self.drop_analyst_data(&first, &[number.into()]) } else { Ok(()) }
    }

    fn drop_analyst_data(&mut self, first: &str, args: &[Val<'_>]) -> Result<()> {
        let sql = format!(
            "with recursive said (uuid) as ({first} \
             union select d.uuid from analyst_data d join said s on d.object_uuid = s.uuid) \
             delete from analyst_data where uuid in (select uuid from said) returning uuid, event_id, id"
        );
        let gone = self.conn.all(&sql, args, |r| Ok((r.uuid(0)?, r.int(1)?, r.int(2)?)))?;
        for (uuid, event_id, id) in gone {
            self.changed(Noun::AnalystData, Action::Delete, uuid, event_id).of(id, "");
        }
        Ok(())
    }
}
