//! Attributes of an event without what a search trims: a negated tag and `to_ids` are about what is shown of the
//! events found as well.

use crate::attributes::{Batch, COLUMNS, FROM, Wanted};
use crate::conn::Val;
use crate::{Reader, Result, dialect};
use pisax_model::event::Event;
use pisax_model::filter::Tri;

/// What a search leaves out of the events it finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trim {
    /// Attributes that carry one of these tags are left out.
    pub without_tags: Vec<i64>,
    pub to_ids: Tri,
}

impl Reader<'_> {
    /// [`event_attributes`](Self::event_attributes) without what is trimmed.
    pub fn trimmed_event_attributes(
        &mut self,
        event: &Event,
        wanted: Wanted,
        trim: &Trim,
        after: i64,
        limit: i64,
    ) -> Result<Batch> {
        let sees = self.sees_attribute("e", "o", "a");
        let which = self.wanted(event, wanted);
        let (kept, set) = self.kept(trim, 4);
        let sql = format!(
            "select {COLUMNS} from {FROM} where a.event_id = $1 and a.object_id = 0 and a.id > $2 and {which} and {sees}{kept} \
             order by a.id limit $3"
        );
        let mut args = vec![event.id.into(), after.into(), limit.into()];
        args.extend(set.as_ref().map(Val::from));
        let mut batch = Batch::default();
        self.conn.each(&sql, &args, |row| batch.push(row))?;
        Ok(batch)
    }

    /// [`object_attributes`](Self::object_attributes) without what is trimmed.
    pub fn trimmed_object_attributes(
        &mut self,
        event: &Event,
        wanted: Wanted,
        trim: &Trim,
        objects: &[i64],
    ) -> Result<Batch> {
        let lite = self.conn.is_lite();
        let sees = self.sees_attribute("e", "o", "a");
        let which = self.wanted(event, wanted);
        let (kept, tags) = self.kept(trim, 3);
        let set = dialect::in_set(lite, "a.object_id", 2);
        let sql = format!(
            "select {COLUMNS} from {FROM} where a.event_id = $1 and {set} and a.object_id > 0 and {which} and {sees}{kept} \
             order by a.object_id, a.id"
        );
        let set = dialect::set_text(lite, objects.iter().copied());
        let mut args = vec![event.id.into(), Val::Text(&set)];
        args.extend(tags.as_ref().map(Val::from));
        let mut batch = Batch::default();
        self.conn.each(&sql, &args, |row| batch.push(row))?;
        Ok(batch)
    }

    /// The condition that leaves out what is trimmed, and the value that its place `position` stands for.
    fn kept(&self, trim: &Trim, position: usize) -> (String, Option<String>) {
        let mut kept = String::new();
        if let Tri::Only(flag) = trim.to_ids {
            kept += &format!(" and a.to_ids = {}", i64::from(flag));
        }
        if trim.without_tags.is_empty() {
            return (kept, None);
        }
        let lite = self.conn.is_lite();
        kept += &format!(
            " and a.id not in (select attribute_id from attribute_tags where event_id = $1 and {})",
            dialect::in_set(lite, "tag_id", position)
        );
        (kept, Some(dialect::set_text(lite, trim.without_tags.iter().copied())))
    }
}
