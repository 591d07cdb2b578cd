//! Sightings: who saw an indicator, and who may know: the event's owner, who saw it, and whoever the policy lets.

use crate::changes::{Action, Noun};
use crate::conn::{Kind, Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::event::Event;
use pisax_model::filter::Range;
use pisax_model::fold::fold;
use pisax_model::ids::Ref;
use pisax_model::sighting::{Sighting, SightingKind};
use pisax_model::{AttributeType, Uuid, attribute};
use rustc_hash::FxHashSet;

/// A sighting to keep, of an attribute the caller has found visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSighting {
    pub uuid: Uuid,
    pub attribute_id: i64,
    pub event_id: i64,
    pub org_id: i64,
    pub date_sighting: i64,
    pub source: String,
    pub kind: SightingKind,
}

/// What was sighted, by row numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighted {
    Attributes(Vec<i64>),
    Events(Vec<i64>),
}

/// Which sightings to look for; everything empty: all that are visible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SightingQuery {
    pub reference: Option<Ref>,
    pub sighted: Option<Sighted>,
    pub org_ids: Vec<i64>,
    pub not_org_ids: Vec<i64>,
    pub kinds: Vec<i64>,
    /// Exact sources.
    pub sources: Vec<String>,
    /// When it was seen, unix seconds.
    pub date: Range,
    /// Only those after this row number.
    pub after: i64,
    pub limit: Option<i64>,
}

fn read(row: &Row<'_>) -> Result<Sighting> {
    Ok(Sighting {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        attribute_id: row.int(2)?,
        attribute_uuid: row.uuid(3)?,
        event_id: row.int(4)?,
        org_id: row.int(5)?,
        org_name: row.opt_string(6)?.unwrap_or_default(),
        org_uuid: row.opt_uuid(7)?.unwrap_or_default(),
        date_sighting: row.int(8)?,
        source: row.string(9)?,
        kind: row.int(10)?,
    })
}

impl Reader<'_> {
    pub fn sighting(&mut self, reference: Ref) -> Result<Option<Sighting>> {
        Ok(self.search_sightings(&SightingQuery { reference: Some(reference), ..Default::default() })?.pop())
    }

    /// Visible sightings of these attributes or events, oldest first.
    pub fn sightings_of(&mut self, sighted: Sighted) -> Result<Vec<Sighting>> {
        self.search_sightings(&SightingQuery { sighted: Some(sighted), ..Default::default() })
    }

    pub fn search_sightings(&mut self, query: &SightingQuery) -> Result<Vec<Sighting>> {
        let lite = self.conn.is_lite();
        let sighter = self.shown_sighter("s");
        let mut terms = vec![self.sees_attribute("e", "o", "a"), self.sees_sighting("e", "s")];
        let mut sets = Vec::new();
        match &query.sighted {
            Some(Sighted::Attributes(ids)) => sets.push(("s.attribute_id", "", ids)),
            Some(Sighted::Events(ids)) => sets.push(("s.event_id", "", ids)),
            None => {}
        }
        for (column, not, ids) in [
            (sighter.as_str(), "", &query.org_ids),
            (sighter.as_str(), "not ", &query.not_org_ids),
            ("s.kind", "", &query.kinds),
        ] {
            if !ids.is_empty() {
                sets.push((column, not, ids));
            }
        }
        let texts: Vec<String> =
            sets.iter().map(|(_, _, ids)| dialect::set_text(lite, ids.iter().copied())).collect();
        let mut args: Vec<Val<'_>> = Vec::new();
        for ((column, not, _), text) in sets.iter().zip(&texts) {
            args.push(text.into());
            terms.push(format!("{not}{}", dialect::in_set(lite, column, args.len())));
        }
        if let Some(reference) = &query.reference {
            args.push(match reference {
                Ref::Id(id) => Val::Int(*id),
                Ref::Uuid(uuid) => uuid.into(),
            });
            let column = if matches!(reference, Ref::Id(_)) { "s.id" } else { "s.uuid" };
            terms.push(format!("{column} = ${}", args.len()));
        }
        let sources = dialect::text_set_text(query.sources.iter().map(String::as_str));
        if !query.sources.is_empty() {
            args.push((&sources).into());
            terms.push(dialect::in_text_set(lite, "s.source", args.len()));
        }
        for (bound, sign) in [(query.date.from, ">="), (query.date.to, "<=")] {
            if let Some(time) = bound {
                args.push(time.into());
                terms.push(format!("s.date_sighting {sign} ${}", args.len()));
            }
        }
        if query.after > 0 {
            args.push(query.after.into());
            terms.push(format!("s.id > ${}", args.len()));
        }
        // Few sightings are found by what they are of; in row order a whole table would be read for them.
        let mut tail = if query.sighted.is_some() { "s.id + 0" } else { "s.id" }.to_owned();
        if let Some(limit) = query.limit {
            args.push(limit.into());
            tail.push_str(&format!(" limit ${}", args.len()));
        }
        let sql = format!(
            "select s.id, s.uuid, s.attribute_id, a.uuid, s.event_id, {sighter}, g.name, g.uuid, s.date_sighting, \
             s.source, s.kind from sightings s join attributes a on a.id = s.attribute_id \
             join events e on e.id = a.event_id left join objects o on o.id = a.object_id and a.object_id > 0 \
             left join orgs g on g.id = {sighter} where {} order by {tail}",
            terms.join(" and ")
        );
        self.conn.all(&sql, &args, read)
    }

    /// Living visible attributes that hold this value, whole or as one half: `(attribute, event, uuid)`.
    pub fn attributes_with_value(&mut self, value: &str) -> Result<Vec<(i64, i64, Uuid)>> {
        let whole = fold(value.trim()).into_owned();
        let first_half = whole.split_once('|').map_or(whole.as_str(), |(first, _)| first);
        let (key, sees) = (self.key, self.sees_attribute("e", "o", "a"));
        let sql = format!(
            "select distinct a.id, a.event_id, a.uuid, a.kind, a.value1, a.value2 from postings p \
             join attributes a on a.id = p.attribute_id join events e on e.id = a.event_id \
             left join objects o on o.id = a.object_id and a.object_id > 0 \
             where p.hash in ($1, $2) and a.deleted = 0 and {sees} order by a.id"
        );
        let mut found = Vec::new();
        self.conn.each(&sql, &[key.of(&whole).into(), key.of(first_half).into()], |r| {
            let kind = AttributeType::from_code(r.int(3)?).ok_or(Error::Damaged("an attribute's type"))?;
            let (value1, value2) = (r.text(4)?, r.text(5)?);
            let is = |text: &str| !text.is_empty() && fold(text.trim()) == whole;
            if is(value1) || is(value2) || is(&attribute::joined(kind, value1, value2)) {
                found.push((r.int(0)?, r.int(1)?, r.uuid(2)?));
            }
            Ok(())
        })?;
        Ok(found)
    }
}

impl Reader<'_> {
    /// Which of these sightings the event has already; for who is about to send them.
    pub fn known_sightings(&mut self, event_id: i64, uuids: &[Uuid]) -> Result<Vec<Uuid>> {
        let values: Vec<Val<'_>> = uuids.iter().map(Val::from).collect();
        let mut known = FxHashSet::default();
        for (places, mut args) in list::chunks(&values) {
            args.push(event_id.into());
            let sql =
                format!("select uuid from sightings where uuid in {places} and event_id = ${}", args.len());
            self.conn.each(&sql, &args, |r| {
                known.insert(r.uuid(0)?);
                Ok(())
            })?;
        }
        Ok(uuids.iter().filter(|uuid| known.contains(uuid)).copied().collect())
    }
}

impl Writer<'_> {
    /// Keeps sightings, except those of blocked organisations and those whose uuid is known; an expiration replaces the organisation's older one of
    /// the same attribute. Returns the row numbers of the new ones.
    pub fn add_sightings(&mut self, sightings: &[NewSighting]) -> Result<Vec<i64>> {
        let uuids: Vec<Val<'_>> = sightings.iter().map(|s| Val::from(&s.uuid)).collect();
        let mut known = FxHashSet::default();
        let blocked = self.blocked_sighters()?;
        for (places, args) in list::chunks(&uuids) {
            self.conn.each(&format!("select uuid from sightings where uuid in {places}"), &args, |r| {
                known.insert(r.uuid(0)?);
                Ok(())
            })?;
        }
        // The last expiration of an organisation and attribute wins, so that batch is read from its end.
        let mut expired = FxHashSet::default();
        let mut new: Vec<&NewSighting> = sightings
            .iter()
            .rev()
            .filter(|s| !blocked.contains(&s.org_id))
            .filter(|s| s.kind != SightingKind::Expiration || expired.insert((s.attribute_id, s.org_id)))
            .filter(|s| known.insert(s.uuid))
            .collect();
        new.reverse();
        for sighting in new.iter().filter(|s| s.kind == SightingKind::Expiration) {
            self.conn.execute(
                "delete from sightings where attribute_id = $1 and org_id = $2 and kind = $3",
                &[
                    sighting.attribute_id.into(),
                    sighting.org_id.into(),
                    Val::Int(SightingKind::Expiration as i64),
                ],
            )?;
        }
        let ids = dialect::allocate(&mut self.conn, "sightings", new.len())?;
        let columns = [
            ("id", Kind::Int),
            ("uuid", Kind::Blob),
            ("attribute_id", Kind::Int),
            ("event_id", Kind::Int),
            ("org_id", Kind::Int),
            ("date_sighting", Kind::Int),
            ("source", Kind::Text),
            ("kind", Kind::Small),
        ];
        let rows = new.iter().zip(&ids).map(|(s, id)| {
            [
                Val::Int(*id),
                (&s.uuid).into(),
                s.attribute_id.into(),
                s.event_id.into(),
                s.org_id.into(),
                s.date_sighting.into(),
                (&s.source).into(),
                Val::Int(s.kind as i64),
            ]
        });
        if !new.is_empty() {
            self.conn.bulk("sightings", columns, rows)?;
        }
        for (sighting, id) in new.into_iter().zip(&ids) {
            self.changed(Noun::Sighting, Action::Add, sighting.uuid, sighting.event_id)
                .of(*id, "")
                .field("attribute_id", "", sighting.attribute_id)
                .field("type", "", sighting.kind as i64)
                .field("source", "", &sighting.source);
        }
        Ok(ids)
    }

    /// Notes that an event has sightings for other instances to fetch: they compare this time with what they know.
    pub fn publish_sightings(&mut self, event: &Event) -> Result<()> {
        let now = self.now();
        self.conn.execute(
            "update events set sighting_timestamp = $2 where id = $1",
            &[event.id.into(), now.into()],
        )?;
        self.changed(Noun::Sighting, Action::Publish, event.uuid, event.id).of(event.id, &event.info);
        Ok(())
    }

    /// Removes a sighting the actor sees.
    pub fn delete_sighting(&mut self, id: i64) -> Result<()> {
        let sighting = self.sighting(Ref::Id(id))?.ok_or(Error::NotFound("sighting"))?;
        self.conn.execute("delete from sightings where id = $1", &[id.into()])?;
        self.changed(Noun::Sighting, Action::Delete, sighting.uuid, sighting.event_id)
            .of(id, "")
            .field("attribute_id", sighting.attribute_id, "")
            .field("type", sighting.kind, "")
            .field("org_id", sighting.org_id, "");
        Ok(())
    }
}
