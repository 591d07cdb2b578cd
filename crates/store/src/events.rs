//! Events: rows, the locked look before a change, and removal with everything inside.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, differences};
use pisax_access::{Actor, edit::EventOwner};
use pisax_model::Uuid;
use pisax_model::event::Event;
use pisax_model::ids::Ref;

pub(crate) const COLUMNS: &str = "e.id, e.uuid, e.org_id, e.orgc_id, e.user_id, e.date, e.info, e.threat_level_id, \
 e.analysis, e.published, e.publish_timestamp, e.timestamp, e.sighting_timestamp, e.attribute_count, \
 e.distribution, e.sharing_group_id, e.locked, e.proposal_email_lock, e.disable_correlation, e.extends_uuid, \
 e.protected";

pub(crate) fn read(row: &Row<'_>) -> Result<Event> {
    Ok(Event {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        org_id: row.int(2)?,
        orgc_id: row.int(3)?,
        user_id: row.int(4)?,
        date: row.string(5)?,
        info: row.string(6)?,
        threat_level_id: row.int(7)?,
        analysis: row.int(8)?,
        published: row.flag(9)?,
        publish_timestamp: row.int(10)?,
        timestamp: row.int(11)?,
        sighting_timestamp: row.int(12)?,
        attribute_count: row.int(13)?,
        distribution: row.int(14)?,
        sharing_group_id: row.int(15)?,
        locked: row.flag(16)?,
        proposal_email_lock: row.flag(17)?,
        disable_correlation: row.flag(18)?,
        extends_uuid: row.opt_uuid(19)?,
        protected: row.opt_int(20)?.map(|v| v != 0),
    })
}

/// `e.id = $1` or `e.uuid = $1`, with the value.
pub(crate) fn by_ref<'a>(alias: &str, reference: &'a Ref) -> (String, Val<'a>) {
    match reference {
        Ref::Id(id) => (format!("{alias}.id = $1"), Val::Int(*id)),
        Ref::Uuid(uuid) => (format!("{alias}.uuid = $1"), uuid.into()),
    }
}

impl Reader<'_> {
    /// The event, if it exists and the actor sees it.
    pub fn event(&mut self, reference: Ref) -> Result<Option<Event>> {
        let (is, value) = by_ref("e", &reference);
        let sql = format!("select {COLUMNS} from events e where {is} and {}", self.sees_event("e"));
        self.conn.first(&sql, &[value], read)
    }

    /// The visible ones of these events, in the order asked for.
    pub fn events_by_ids(&mut self, ids: &[i64]) -> Result<Vec<Event>> {
        let lite = self.conn.is_lite();
        let sql = format!(
            "select {COLUMNS} from events e where {} and {}",
            dialect::in_set(lite, "e.id", 1),
            self.sees_event("e")
        );
        let set = dialect::set_text(lite, ids.iter().copied());
        let found = self.conn.all(&sql, &[Val::Text(&set)], read)?;
        let mut by_id: rustc_hash::FxHashMap<i64, Event> = found.into_iter().map(|e| (e.id, e)).collect();
        Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
    }

    /// The visible ones of these events.
    pub fn events_by_uuids(&mut self, uuids: &[Uuid]) -> Result<Vec<Event>> {
        let lite = self.conn.is_lite();
        let sql = format!(
            "select {COLUMNS} from events e where {} and {}",
            dialect::in_uuid_set(lite, "e.uuid", 1),
            self.sees_event("e")
        );
        let set = dialect::uuid_set_text(lite, uuids.iter());
        self.conn.all(&sql, &[Val::Text(&set)], read)
    }

    /// Timestamp and lock of those of these events that are here, seen or unseen: only to say which are not wanted.
    pub fn event_versions(&mut self, uuids: &[Uuid]) -> Result<rustc_hash::FxHashMap<Uuid, (i64, bool)>> {
        let lite = self.conn.is_lite();
        let set = dialect::uuid_set_text(lite, uuids.iter());
        let wanted = dialect::in_uuid_set(lite, "uuid", 1);
        let sql = format!("select uuid, timestamp, locked from events where {wanted}");
        let found = self.conn.all(&sql, &[Val::Text(&set)], |r| Ok((r.uuid(0)?, (r.int(1)?, r.flag(2)?))))?;
        Ok(found.into_iter().collect())
    }

    /// Published events that hold something, by row number: for pushes.
    pub fn published_events_after(&mut self, after: i64, limit: i64) -> Result<Vec<Event>> {
        let sql = format!(
            "select {COLUMNS} from events e where e.id > $1 and e.published = 1 and (e.attribute_count > 0 \
             or exists (select 1 from event_reports r where r.event_id = e.id)) and {} order by e.id limit {limit}",
            self.sees_event("e")
        );
        self.conn.all(&sql, &[after.into()], read)
    }

    /// Published events with something in them, the newest publication first.
    pub fn newest_published_events(&mut self, limit: i64) -> Result<Vec<Event>> {
        let sql = format!(
            "select {COLUMNS} from events e where e.published = 1 and (e.attribute_count > 0 \
             or exists (select 1 from event_reports r where r.event_id = e.id)) and {} \
             order by e.publish_timestamp desc, e.id desc limit {limit}",
            self.sees_event("e")
        );
        self.conn.all(&sql, &[], read)
    }

    /// Whether any event has this uuid, seen or unseen: only to refuse a second one. Gives its row number.
    pub fn event_uuid_taken(&mut self, uuid: &Uuid) -> Result<Option<i64>> {
        self.conn.first("select id from events where uuid = $1", &[uuid.into()], |r| r.int(0))
    }

    /// Visible events that extend this one.
    pub fn extending_events(&mut self, uuid: &Uuid) -> Result<Vec<Event>> {
        let sql = format!(
            "select {COLUMNS} from events e where e.extends_uuid = $1 and {} order by e.id",
            self.sees_event("e")
        );
        self.conn.all(&sql, &[uuid.into()], read)
    }

    /// E-mail of the user who made the event, for those who may know it.
    pub fn creator_email(&mut self, user_id: i64) -> Result<Option<String>> {
        self.conn.first("select email from users where id = $1", &[user_id.into()], |r| r.string(0))
    }
}

impl Writer<'_> {
    /// The stored event, locked, if the actor sees it and `rule` lets it change. The only way to an event id
    /// that may be written to.
    pub fn event_for_edit(&mut self, reference: Ref, rule: fn(&Actor, EventOwner) -> bool) -> Result<Event> {
        let (is, value) = by_ref("e", &reference);
        let sql = format!(
            "select {COLUMNS} from events e where {is} and {}{}",
            self.sees_event("e"),
            dialect::for_update(self.conn.is_lite())
        );
        let event = self.conn.first(&sql, &[value], read)?.ok_or(Error::NotFound("event"))?;
        let owner = EventOwner { orgc_id: event.orgc_id, user_id: event.user_id, locked: event.locked };
        if rule(self.actor, owner) { Ok(event) } else { Err(Error::Forbidden("event")) }
    }

    /// Inserts the event row (its `id` is ignored); returns the new row number.
    pub fn insert_event(&mut self, event: &Event) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "events", 1)?[0];
        let sql = "insert into events (id, uuid, org_id, orgc_id, user_id, date, info, threat_level_id, analysis, \
                   published, publish_timestamp, timestamp, sighting_timestamp, attribute_count, distribution, \
                   sharing_group_id, locked, proposal_email_lock, disable_correlation, extends_uuid, protected) \
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)";
        self.conn.execute(
            sql,
            &[
                id.into(),
                (&event.uuid).into(),
                event.org_id.into(),
                event.orgc_id.into(),
                event.user_id.into(),
                (&event.date).into(),
                (&event.info).into(),
                event.threat_level_id.into(),
                event.analysis.into(),
                event.published.into(),
                event.publish_timestamp.into(),
                event.timestamp.into(),
                event.sighting_timestamp.into(),
                event.attribute_count.into(),
                event.distribution.into(),
                event.sharing_group_id.into(),
                event.locked.into(),
                event.proposal_email_lock.into(),
                event.disable_correlation.into(),
                event.extends_uuid.as_ref().into(),
                event.protected.into(),
            ],
        )?;
        let added = Event { id, ..event.clone() };
        differences::event(self.changed(Noun::Event, Action::Add, event.uuid, id), None, &added);
        Ok(id)
    }

    /// Writes the changeable columns of an event got by [`Writer::event_for_edit`].
    pub fn update_event(&mut self, event: &Event, action: Action) -> Result<()> {
        let stored = format!("select {COLUMNS} from events e where e.id = $1");
        let old = self.conn.first(&stored, &[event.id.into()], read)?;
        let sql = "update events set date = $2, info = $3, threat_level_id = $4, analysis = $5, published = $6, \
                   publish_timestamp = $7, timestamp = $8, distribution = $9, sharing_group_id = $10, locked = $11, \
                   disable_correlation = $12, extends_uuid = $13, protected = $14, orgc_id = $15 where id = $1";
        self.conn.execute(
            sql,
            &[
                event.id.into(),
                (&event.date).into(),
                (&event.info).into(),
                event.threat_level_id.into(),
                event.analysis.into(),
                event.published.into(),
                event.publish_timestamp.into(),
                event.timestamp.into(),
                event.distribution.into(),
                event.sharing_group_id.into(),
                event.locked.into(),
                event.disable_correlation.into(),
                event.extends_uuid.as_ref().into(),
                event.protected.into(),
                event.orgc_id.into(),
            ],
        )?;
        differences::event(self.changed(Noun::Event, action, event.uuid, event.id), old.as_ref(), event);
        Ok(())
    }

    /// Notes what happened to an event without changing it.
    pub fn note_event(&mut self, event: &Event, action: Action) {
        self.changed(Noun::Event, action, event.uuid, event.id).of(event.id, &event.info);
    }

    /// After any change inside: the event is newer, no longer published, and its count is right again.
    pub fn touch_event(&mut self, event_id: i64, timestamp: i64) -> Result<()> {
        self.renew_event(event_id, timestamp)?;
        self.recount_event(event_id)
    }

    /// The event is newer and no longer published; whoever calls this keeps the count.
    pub fn renew_event(&mut self, event_id: i64, timestamp: i64) -> Result<()> {
        self.conn.execute(
            "update events set timestamp = $2, published = 0 where id = $1",
            &[event_id.into(), timestamp.into()],
        )?;
        Ok(())
    }

    /// Adds to the kept number of living attributes.
    pub fn add_to_count(&mut self, event_id: i64, difference: i64) -> Result<()> {
        let sql = "update events set attribute_count = attribute_count + $2 where id = $1";
        self.conn.execute(sql, &[event_id.into(), difference.into()])?;
        Ok(())
    }

    /// Sets the kept number of living attributes from the rows.
    pub fn recount_event(&mut self, event_id: i64) -> Result<()> {
        let sql = "update events set attribute_count = \
                   (select count(*) from attributes where event_id = $1 and deleted = 0) where id = $1";
        self.conn.execute(sql, &[event_id.into()])?;
        Ok(())
    }

    /// Removes an event got by [`Writer::event_for_edit`] with everything in it.
    pub fn remove_event(&mut self, event: &Event) -> Result<()> {
        let id = [Val::Int(event.id)];
        self.drop_attachments_of_event(event.id)?;
        self.unpost_event(event.id)?;
        self.remove_proposals("event_id", event.id)?;
        self.drop_analyst_data_of_event(event)?;
        for table in [
            "alerts",
            "alert_bans",
            "event_locks",
            "event_delegations",
            "event_reports",
            "event_graphs",
            "attribute_tags",
            "event_tags",
            "sightings",
            "object_references",
            "attributes",
            "objects",
        ] {
            self.conn.execute(&format!("delete from {table} where event_id = $1"), &id)?;
        }
        self.conn.execute("delete from cryptographic_keys where event_id = $1", &id)?;
        self.conn.execute("delete from events where id = $1", &id)?;
        self.changed(Noun::Event, Action::Delete, event.uuid, event.id)
            .of(event.id, &event.info)
            .field("info", &event.info, "")
            .field("attribute_count", event.attribute_count, "")
            // Who saw it may be told that it is gone (`streams.rs`).
            .field("org_id", event.org_id, "")
            .field("orgc_id", event.orgc_id, "")
            .field("distribution", event.distribution, "")
            .field("sharing_group_id", event.sharing_group_id, "")
            .field("published", i64::from(event.published), "");
        Ok(())
    }
}
