//! Event reports.

use crate::attributes::Wanted;
use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::event::Event;
use pisax_model::filter::Tri;
use pisax_model::fold::fold;
use pisax_model::ids::Ref;
use pisax_model::report::EventReport;
use pisax_model::{AttributeType, Uuid, attribute};
use rustc_hash::{FxHashMap, FxHashSet};

const COLUMNS: &str = "r.id, r.uuid, r.event_id, r.name, r.content, r.distribution, r.sharing_group_id, \
 r.timestamp, r.deleted";
const FROM: &str = "event_reports r join events e on e.id = r.event_id";

fn read(row: &Row<'_>) -> Result<EventReport> {
    Ok(EventReport {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        event_id: row.int(2)?,
        name: row.string(3)?,
        content: row.string(4)?,
        distribution: row.int(5)?,
        sharing_group_id: row.int(6)?,
        timestamp: row.int(7)?,
        deleted: row.flag(8)?,
    })
}

/// Which reports to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportQuery {
    /// Row number of the event; all events when there is none.
    pub event_id: Option<i64>,
    pub deleted: Tri,
    /// Only those that hold this text in name or content, or whose uuid it is.
    pub text: Option<String>,
    pub limit: i64,
    /// 1-based.
    pub page: i64,
    /// Row numbers above this alone.
    pub after: i64,
}

/// A uuid that is taken: which report has it, where, and how old it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownReport {
    pub id: i64,
    pub event_id: i64,
    pub timestamp: i64,
}

impl Reader<'_> {
    /// The report, if it exists and the actor sees it; a tombstone is for whom it is.
    pub fn report(&mut self, reference: Ref) -> Result<Option<EventReport>> {
        let (is, value) = crate::events::by_ref("r", &reference);
        let (sees, buried) = (self.sees_report("e", "r"), self.sees_tombstone("e", "r"));
        let sql = format!("select {COLUMNS} from {FROM} where {is} and {sees} and {buried}");
        self.conn.first(&sql, &[value], read)
    }

    /// Up to `limit` visible reports of a visible event, after a row number.
    pub fn event_reports(
        &mut self,
        event: &Event,
        wanted: Wanted,
        after: i64,
        limit: i64,
    ) -> Result<Vec<EventReport>> {
        let which = self.wanted(event, wanted).replace("a.", "r.");
        let sql = format!(
            "select {COLUMNS} from {FROM} where r.event_id = $1 and r.id > $2 and {which} and {} \
             order by r.id limit $3",
            self.sees_report("e", "r")
        );
        self.conn.all(&sql, &[event.id.into(), after.into(), limit.into()], read)
    }

    /// Visible reports by row number: one page.
    pub fn find_reports(&mut self, query: &ReportQuery) -> Result<Vec<EventReport>> {
        self.find_reports_from(query, query.limit.saturating_mul((query.page - 1).max(0)))
    }

    /// The same after so many of them, whatever the page.
    pub fn find_reports_from(&mut self, query: &ReportQuery, skip: i64) -> Result<Vec<EventReport>> {
        let mut terms = vec![self.sees_report("e", "r"), self.sees_tombstone("e", "r"), "r.id > $1".into()];
        let mut args: Vec<Val<'_>> = vec![query.after.into()];
        if let Some(id) = query.event_id {
            args.push(id.into());
            terms.push(format!("r.event_id = ${}", args.len()));
        }
        if let Tri::Only(deleted) = query.deleted {
            terms.push(format!("r.deleted = {}", i64::from(deleted)));
        }
        let pattern = query.text.as_deref().map(list::containing);
        let uuid = query.text.as_deref().and_then(|text| Uuid::try_parse(text.trim()).ok());
        if let Some(pattern) = &pattern {
            args.push(pattern.into());
            let place = args.len();
            let mut any = vec![
                format!("pisax_fold(r.name) like ${place} escape '\\'"),
                format!("pisax_fold(r.content) like ${place} escape '\\'"),
            ];
            if let Some(uuid) = &uuid {
                args.push(uuid.into());
                any.push(format!("r.uuid = ${}", args.len()));
            }
            terms.push(format!("({})", any.join(" or ")));
        }
        args.push(query.limit.into());
        args.push(skip.into());
        let sql = format!(
            "select {COLUMNS} from {FROM} where {} order by r.id limit ${} offset ${}",
            terms.join(" and "),
            args.len() - 1,
            args.len()
        );
        self.conn.all(&sql, &args, read)
    }

    /// Living visible attributes of a visible event by what they hold: of these values, folded, those that the
    /// event has, each with the oldest attribute that holds it whole.
    pub fn values_of_event(&mut self, event: &Event, values: &[String]) -> Result<FxHashMap<String, Uuid>> {
        let wanted: FxHashSet<String> = values.iter().map(|v| fold(v.trim()).into_owned()).collect();
        let first_half =
            |whole: &String| whole.split_once('|').map_or(whole.clone(), |(first, _)| first.into());
        let key = self.key;
        let hashes = wanted.iter().map(|whole| key.of(&first_half(whole)));
        let lite = self.conn.is_lite();
        let set = dialect::set_text(lite, hashes);
        let sql = format!(
            "select a.uuid, a.kind, a.value1, a.value2 from postings p join attributes a on a.id = p.attribute_id \
             join events e on e.id = a.event_id left join objects o on o.id = a.object_id and a.object_id > 0 \
             where {} and p.event_id = $2 and a.deleted = 0 and {} order by a.id desc",
            dialect::in_set(lite, "p.hash", 1),
            self.sees_attribute("e", "o", "a")
        );
        let mut found = FxHashMap::default();
        self.conn.each(&sql, &[Val::Text(&set), event.id.into()], |r| {
            let kind = AttributeType::from_code(r.int(1)?).ok_or(Error::Damaged("an attribute's type"))?;
            let whole = fold(attribute::joined(kind, r.text(2)?, r.text(3)?).trim()).into_owned();
            if wanted.contains(&whole) {
                found.insert(whole, r.uuid(0)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Which of these report uuids exist already, anywhere.
    pub fn known_reports(&mut self, uuids: &[Uuid]) -> Result<FxHashMap<Uuid, KnownReport>> {
        let values: Vec<Val<'_>> = uuids.iter().map(Val::from).collect();
        let mut found = FxHashMap::default();
        for (places, args) in list::chunks(&values) {
            let sql =
                format!("select uuid, id, event_id, timestamp from event_reports where uuid in {places}");
            self.conn.each(&sql, &args, |r| {
                let known = KnownReport { id: r.int(1)?, event_id: r.int(2)?, timestamp: r.int(3)? };
                found.insert(r.uuid(0)?, known);
                Ok(())
            })?;
        }
        Ok(found)
    }
}

impl Writer<'_> {
    /// Adds a report to an event got for edit (its `id` is ignored); returns the row number.
    pub fn insert_report(&mut self, report: &EventReport) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "event_reports", 1)?[0];
        let sql = format!(
            "insert into event_reports (id, uuid, event_id, name, content, distribution, sharing_group_id, \
             timestamp, deleted) values {}",
            list::places(1, 9)
        );
        let args = [
            id.into(),
            (&report.uuid).into(),
            report.event_id.into(),
            (&report.name).into(),
            (&report.content).into(),
            report.distribution.into(),
            report.sharing_group_id.into(),
            report.timestamp.into(),
            report.deleted.into(),
        ];
        self.conn.execute(&sql, &args)?;
        self.changed(Noun::EventReport, Action::Add, report.uuid, report.event_id).of(id, &report.name);
        Ok(id)
    }

    /// Writes the changeable columns of a report whose event was got for edit, and notes what is another.
    pub fn update_report(&mut self, old: &EventReport, new: &EventReport) -> Result<()> {
        let sql = "update event_reports set name = $2, content = $3, distribution = $4, sharing_group_id = $5, \
                   timestamp = $6, deleted = $7 where id = $1";
        let args = [
            old.id.into(),
            (&new.name).into(),
            (&new.content).into(),
            new.distribution.into(),
            new.sharing_group_id.into(),
            new.timestamp.into(),
            new.deleted.into(),
        ];
        if self.conn.execute(sql, &args)? == 0 {
            return Err(Error::NotFound("report"));
        }
        let action = match (old.deleted, new.deleted) {
            (false, true) => Action::SoftDelete,
            (true, false) => Action::Restore,
            _ => Action::Edit,
        };
        self.changed(Noun::EventReport, action, old.uuid, old.event_id)
            .of(old.id, &new.name)
            .field("name", &old.name, &new.name)
            .field("content", &old.content, &new.content)
            .field("distribution", old.distribution, new.distribution)
            .field("sharing_group_id", old.sharing_group_id, new.sharing_group_id);
        Ok(())
    }

    /// Removes a report for good, with what analysts said about it.
    pub fn remove_report(&mut self, report: &EventReport) -> Result<()> {
        self.drop_analyst_data_about(&report.uuid)?;
        self.conn.execute("delete from event_reports where id = $1", &[report.id.into()])?;
        self.changed(Noun::EventReport, Action::Delete, report.uuid, report.event_id)
            .of(report.id, &report.name);
        Ok(())
    }
}
