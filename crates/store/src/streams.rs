//! What publishers of changes ask: how far each has come, and who may be told that a record is gone.

use crate::changes::{Action, Field, Logged, Noun, fields};
use crate::conn::{Row, Val};
use crate::{Reader, Result, Writer};
use pisax_access::{AttributeFacts, EventFacts, ObjectFacts, Visibility};
use pisax_model::Uuid;
use std::fmt;
use std::str::FromStr;

/// How far somebody has come: this part of the messages about this change. Written `120.1`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub seq: i64,
    pub part: i64,
}

/// A change has fewer messages than this.
const PARTS: i64 = 9;

impl Place {
    /// After everything about a change.
    pub fn after(seq: i64) -> Self {
        Self { seq, part: PARTS }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.seq, self.part)
    }
}

impl FromStr for Place {
    type Err = ();

    /// `120.1`, or `120` for all about change 120.
    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| text.parse::<i64>().ok().filter(|n| *n >= 0).ok_or(());
        match text.split_once('.') {
            None => Ok(Self::after(number(text)?)),
            Some((seq, part)) => Ok(Self { seq: number(seq)?, part: number(part)? }),
        }
    }
}

/// A number that a deletion notes.
fn noted(fields: &[Field], name: &str) -> Option<i64> {
    fields.iter().find(|f| f.name == name).and_then(|f| f.old.parse().ok())
}

fn event_facts(row: &Row<'_>, delegated_to: i64) -> Result<EventFacts> {
    Ok(EventFacts {
        org_id: row.int(0)?,
        distribution: row.int(1)?,
        sharing_group_id: row.int(2)?,
        published: row.flag(3)?,
        delegated_to,
    })
}

impl Reader<'_> {
    /// Where a publisher goes on.
    pub fn stream_cursor(&mut self, name: &str) -> Result<Option<Place>> {
        let sql = "select seq, part from stream_cursors where name = $1";
        self.conn.first(sql, &[name.into()], |r| Ok(Place { seq: r.int(0)?, part: r.int(1)? }))
    }

    /// The actor's visibility as a value, for what no row is left of.
    pub fn visibility(&mut self) -> Result<Visibility> {
        let sql = format!("select sharing_group_id from {} g", self.groups());
        let groups = self.conn.all(&sql, &[], |r| r.int(0))?;
        Ok(Visibility {
            sees_all: self.actor.sees_all(),
            org_id: self.actor.org_id,
            groups: groups.into_iter().collect(),
            rules: self.rules,
        })
    }

    /// Whether the actor could see the record of a change, which is gone or a tombstone now: by what its deletion
    /// notes of it. Where that is not known, because it went with its event or an older program deleted it, nobody is
    /// told but who sees everything.
    pub fn could_see_deleted(&mut self, change: &Logged) -> Result<bool> {
        if self.actor.sees_all() {
            return Ok(true);
        }
        let visibility = self.visibility()?;
        let is = |noun: Noun| change.noun == noun as i64;
        let Some(event) = self.event_facts_then(change.event_id)? else { return Ok(false) };
        if is(Noun::Event) {
            return Ok(visibility.event(event));
        }
        let fields = match change.action == Action::Delete as i64 {
            true => change.fields.clone(),
            false => self.deletion(change.event_id, change.noun, Some(&change.uuid))?,
        };
        let noted = |name: &str| noted(&fields, name);
        let object_noted = |distribution: &str, group: &str| {
            let sharing_group_id = noted(group).unwrap_or(0);
            noted(distribution).map(|distribution| ObjectFacts { distribution, sharing_group_id })
        };
        if is(Noun::Attribute) {
            if let Some((attribute, object)) = self.attribute_facts(change.record_id)? {
                return Ok(visibility.attribute(event, object, attribute));
            }
            let Some(own) = object_noted("distribution", "sharing_group_id") else { return Ok(false) };
            let own =
                AttributeFacts { distribution: own.distribution, sharing_group_id: own.sharing_group_id };
            let object = object_noted("object_distribution", "object_sharing_group_id");
            return Ok(visibility.attribute(event, object, own));
        }
        if is(Noun::Object) {
            let facts = match self.object_facts(change.record_id)? {
                Some(facts) => Some(facts),
                None => object_noted("distribution", "sharing_group_id"),
            };
            return Ok(facts.is_some_and(|facts| visibility.object(event, facts)));
        }
        if is(Noun::Reference) {
            let sql = "select object_id from object_references where id = $1";
            let stored = self.conn.number(sql, &[change.record_id.into()])?;
            let facts = self.object_facts(noted("object_id").unwrap_or(stored))?;
            return Ok(facts.is_some_and(|facts| visibility.object(event, facts)));
        }
        if is(Noun::Sighting)
            && let (Some(attribute), Some(by)) = (noted("attribute_id"), noted("org_id"))
        {
            let facts = self.attribute_facts(attribute)?;
            let seen =
                facts.is_some_and(|(attribute, object)| visibility.attribute(event, object, attribute));
            return Ok(visibility.sighting(event, seen, by, false));
        }
        Ok(false)
    }

    /// What the deletion of a record notes; nothing, where it was not deleted by itself.
    fn deletion(&mut self, event_id: i64, noun: i64, uuid: Option<&Uuid>) -> Result<Vec<Field>> {
        let which = if uuid.is_some() { "uuid = $4" } else { "1 = 1" };
        let sql = format!(
            "select detail from changes where event_id = $1 and kind = $2 and action = $3 and {which} \
             order by seq desc limit 1"
        );
        let mut args = vec![event_id.into(), noun.into(), Val::Int(Action::Delete as i64)];
        args.extend(uuid.map(Val::from));
        Ok(self.conn.first(&sql, &args, |r| Ok(fields(r.text(0)?)))?.unwrap_or_default())
    }

    /// The facts of an event, which may be gone.
    pub fn event_facts_then(&mut self, id: i64) -> Result<Option<EventFacts>> {
        if let Some(facts) = self.event_facts(id)? {
            return Ok(Some(facts));
        }
        let fields = self.deletion(id, Noun::Event as i64, None)?;
        let noted = |name: &str| noted(&fields, name);
        // Requests to take it over went with it.
        Ok(noted("org_id").map(|org_id| EventFacts {
            org_id,
            distribution: noted("distribution").unwrap_or(0),
            sharing_group_id: noted("sharing_group_id").unwrap_or(0),
            published: noted("published") == Some(1),
            delegated_to: 0,
        }))
    }

    /// What decides whether an event can be read, whoever asks: for who is to judge it with a [`Visibility`].
    pub fn event_facts(&mut self, id: i64) -> Result<Option<EventFacts>> {
        let sql = "select count(*) from event_delegations where event_id = $1 and org_id = $2";
        let asked = self.conn.number(sql, &[id.into(), self.actor.org_id.into()])? > 0;
        let delegated_to = if asked { self.actor.org_id } else { 0 };
        let sql = "select org_id, distribution, sharing_group_id, published from events where id = $1";
        self.conn.first(sql, &[id.into()], |r| event_facts(r, delegated_to))
    }

    /// The same of an object.
    pub fn object_facts(&mut self, id: i64) -> Result<Option<ObjectFacts>> {
        let sql = "select distribution, sharing_group_id from objects where id = $1";
        self.conn.first(sql, &[id.into()], |r| {
            Ok(ObjectFacts { distribution: r.int(0)?, sharing_group_id: r.int(1)? })
        })
    }

    /// The same of an attribute, with its object's where it is in one.
    pub fn attribute_facts(&mut self, id: i64) -> Result<Option<(AttributeFacts, Option<ObjectFacts>)>> {
        let sql = "select distribution, sharing_group_id, object_id from attributes where id = $1";
        let found = self.conn.first(sql, &[id.into()], |r| {
            let facts = AttributeFacts { distribution: r.int(0)?, sharing_group_id: r.int(1)? };
            Ok((facts, r.int(2)?))
        })?;
        let Some((facts, object)) = found else { return Ok(None) };
        Ok(Some((facts, self.object_facts(object)?)))
    }
}

impl Writer<'_> {
    /// Notes how far a publisher has come.
    pub fn set_stream_cursor(&mut self, name: &str, place: Place) -> Result<()> {
        let sql = "insert into stream_cursors (name, seq, part) values ($1, $2, $3) \
                   on conflict (name) do update set seq = excluded.seq, part = excluded.part";
        self.conn.execute(sql, &[name.into(), place.seq.into(), place.part.into()])?;
        Ok(())
    }

    /// A publisher that was switched off begins anew.
    pub fn forget_stream_cursor(&mut self, name: &str) -> Result<()> {
        self.conn.execute("delete from stream_cursors where name = $1", &[name.into()])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = Place { seq: 120, part: 1 };
        assert_eq!(place.to_string().parse(), Ok(place));
        assert_eq!("120".parse(), Ok(Place::after(120)));
        assert!(place < Place::after(120) && Place::after(120) < Place { seq: 121, part: 0 });
        for bad in ["", "-1", "1.", "1.x", "1.-2", "one"] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
