//! What must not come (back): events that were deleted or refused here, all events and all sightings of some
//! organisations.

use crate::changes::{Action, Change, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use rustc_hash::FxHashSet;

/// A blocked event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedEvent {
    pub id: i64,
    pub event_uuid: Uuid,
    /// Unix seconds.
    pub created: i64,
    pub event_info: String,
    pub event_orgc: String,
    pub comment: String,
}

/// What of an organisation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    Events,
    Sightings,
}

impl Refused {
    fn table(self) -> &'static str {
        match self {
            Self::Events => "org_blocklist",
            Self::Sightings => "sighting_blocklist",
        }
    }
}

/// An organisation whose events or sightings are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedOrg {
    pub id: i64,
    pub org_uuid: Uuid,
    /// Unix seconds.
    pub created: i64,
    pub org_name: String,
    pub comment: String,
}

const ORG_COLUMNS: &str = "id, org_uuid, created, org_name, comment";

fn read_org(row: &Row<'_>) -> Result<BlockedOrg> {
    Ok(BlockedOrg {
        id: row.int(0)?,
        org_uuid: row.uuid(1)?,
        created: row.int(2)?,
        org_name: row.string(3)?,
        comment: row.string(4)?,
    })
}

const COLUMNS: &str = "id, event_uuid, created, event_info, event_orgc, comment";

fn read(row: &Row<'_>) -> Result<BlockedEvent> {
    Ok(BlockedEvent {
        id: row.int(0)?,
        event_uuid: row.uuid(1)?,
        created: row.int(2)?,
        event_info: row.string(3)?,
        event_orgc: row.string(4)?,
        comment: row.string(5)?,
    })
}

impl Reader<'_> {
    /// All entries, newest first.
    pub fn event_blocklist(&mut self) -> Result<Vec<BlockedEvent>> {
        self.conn.all(&format!("select {COLUMNS} from event_blocklist order by id desc"), &[], read)
    }

    /// The entry by its own number or the event's uuid.
    pub fn blocked_event(&mut self, reference: Ref) -> Result<Option<BlockedEvent>> {
        let (column, value) = match &reference {
            Ref::Id(id) => ("id", Val::Int(*id)),
            Ref::Uuid(uuid) => ("event_uuid", uuid.into()),
        };
        self.conn.first(&format!("select {COLUMNS} from event_blocklist where {column} = $1"), &[value], read)
    }

    /// Which of these events are blocked.
    pub fn blocked_among(&mut self, uuids: &[Uuid]) -> Result<FxHashSet<Uuid>> {
        let values: Vec<Val<'_>> = uuids.iter().map(Val::from).collect();
        let mut blocked = FxHashSet::default();
        for (places, args) in list::chunks(&values) {
            let sql = format!("select event_uuid from event_blocklist where event_uuid in {places}");
            self.conn.each(&sql, &args, |r| {
                blocked.insert(r.uuid(0)?);
                Ok(())
            })?;
        }
        Ok(blocked)
    }

    /// Which of these organisations' events are refused, by uuid.
    pub fn blocked_orgs_among(&mut self, uuids: &[Uuid]) -> Result<FxHashSet<Uuid>> {
        let lite = self.conn.is_lite();
        let set = dialect::uuid_set_text(lite, uuids.iter());
        let sql =
            format!("select org_uuid from org_blocklist where {}", dialect::in_uuid_set(lite, "org_uuid", 1));
        Ok(self.conn.all(&sql, &[(&set).into()], |r| r.uuid(0))?.into_iter().collect())
    }

    /// All blocked organisations, newest first.
    pub fn org_blocklist(&mut self, what: Refused) -> Result<Vec<BlockedOrg>> {
        let sql = format!("select {ORG_COLUMNS} from {} order by id desc", what.table());
        self.conn.all(&sql, &[], read_org)
    }

    /// The entry by its own number or the organisation's uuid.
    pub fn blocked_org(&mut self, what: Refused, reference: Ref) -> Result<Option<BlockedOrg>> {
        let (column, value) = match &reference {
            Ref::Id(id) => ("id", Val::Int(*id)),
            Ref::Uuid(uuid) => ("org_uuid", uuid.into()),
        };
        let sql = format!("select {ORG_COLUMNS} from {} where {column} = $1", what.table());
        self.conn.first(&sql, &[value], read_org)
    }

    /// Whether events of this organisation, by its row number here, are refused.
    pub fn is_blocked_org(&mut self, org_id: i64) -> Result<bool> {
        let sql = "select count(*) from org_blocklist b join orgs o on o.uuid = b.org_uuid where o.id = $1";
        Ok(self.conn.number(sql, &[org_id.into()])? > 0)
    }

    /// Organisations here whose sightings are refused, by their row numbers.
    pub(crate) fn blocked_sighters(&mut self) -> Result<FxHashSet<i64>> {
        let sql = "select o.id from sighting_blocklist b join orgs o on o.uuid = b.org_uuid";
        Ok(self.conn.all(sql, &[], |r| r.int(0))?.into_iter().collect())
    }
}

impl Writer<'_> {
    /// Blocks an event; blocking it again keeps the first entry. Returns whether it is new.
    pub fn block_event(&mut self, uuid: Uuid, info: &str, orgc: &str, comment: &str) -> Result<bool> {
        let id = dialect::allocate(&mut self.conn, "event_blocklist", 1)?[0];
        let now = self.now();
        let sql = format!(
            "insert into event_blocklist ({COLUMNS}) values {} on conflict (event_uuid) do nothing",
            list::places(1, 6)
        );
        let args = [id.into(), (&uuid).into(), now.into(), info.into(), orgc.into(), comment.into()];
        let new = self.conn.execute(&sql, &args)? > 0;
        if new {
            self.changed(Noun::Blocklist, Action::Add, uuid, 0)
                .of(id, info)
                .field("event_uuid", "", uuid)
                .field("comment", "", comment);
        }
        Ok(new)
    }

    /// Writes what is noted beside an entry.
    pub fn edit_blocked_event(&mut self, entry: &BlockedEvent) -> Result<()> {
        let old = self.blocked_event(Ref::Id(entry.id))?.ok_or(Error::NotFound("blocklist entry"))?;
        let sql = "update event_blocklist set event_info = $2, event_orgc = $3, comment = $4 where id = $1";
        let args = [
            entry.id.into(),
            (&entry.event_info).into(),
            (&entry.event_orgc).into(),
            (&entry.comment).into(),
        ];
        self.conn.execute(sql, &args)?;
        self.changed(Noun::Blocklist, Action::Edit, entry.event_uuid, 0)
            .of(entry.id, &entry.event_info)
            .field("event_info", &old.event_info, &entry.event_info)
            .field("event_orgc", &old.event_orgc, &entry.event_orgc)
            .field("comment", &old.comment, &entry.comment);
        Ok(())
    }

    /// Takes the event off the list; returns whether it was on it.
    pub fn unblock_event(&mut self, uuid: &Uuid) -> Result<bool> {
        let sql = "delete from event_blocklist where event_uuid = $1 returning id, event_info";
        let gone = self.conn.first(sql, &[uuid.into()], |r| Ok((r.int(0)?, r.string(1)?)))?;
        if let Some((id, info)) = &gone {
            self.changed(Noun::Blocklist, Action::Delete, *uuid, 0).of(*id, info).field(
                "event_uuid",
                uuid,
                "",
            );
        }
        Ok(gone.is_some())
    }

    /// Blocks an organisation; blocking it again keeps the first entry. Returns whether it is new.
    pub fn block_org(&mut self, what: Refused, uuid: Uuid, name: &str, comment: &str) -> Result<bool> {
        let table = what.table();
        let id = dialect::allocate(&mut self.conn, table, 1)?[0];
        let now = self.now();
        let sql = format!(
            "insert into {table} ({ORG_COLUMNS}) values {} on conflict (org_uuid) do nothing",
            list::places(1, 5)
        );
        let args = [id.into(), (&uuid).into(), now.into(), name.into(), comment.into()];
        let new = self.conn.execute(&sql, &args)? > 0;
        if new {
            self.note_blocked(what, Action::Add, uuid, id, name).field("comment", "", comment);
        }
        Ok(new)
    }

    /// Writes what is noted beside an entry.
    pub fn edit_blocked_org(&mut self, what: Refused, entry: &BlockedOrg) -> Result<()> {
        let old = self.blocked_org(what, Ref::Id(entry.id))?.ok_or(Error::NotFound("blocklist entry"))?;
        let sql = format!("update {} set org_name = $2, comment = $3 where id = $1", what.table());
        self.conn.execute(&sql, &[entry.id.into(), (&entry.org_name).into(), (&entry.comment).into()])?;
        self.note_blocked(what, Action::Edit, entry.org_uuid, entry.id, &entry.org_name)
            .field("org_name", &old.org_name, &entry.org_name)
            .field("comment", &old.comment, &entry.comment);
        Ok(())
    }

    /// Takes the organisation off the list.
    pub fn unblock_org(&mut self, what: Refused, entry: &BlockedOrg) -> Result<()> {
        let sql = format!("delete from {} where org_uuid = $1", what.table());
        self.conn.execute(&sql, &[(&entry.org_uuid).into()])?;
        self.note_blocked(what, Action::Delete, entry.org_uuid, entry.id, &entry.org_name);
        Ok(())
    }

    fn note_blocked(
        &mut self,
        what: Refused,
        action: Action,
        uuid: Uuid,
        id: i64,
        name: &str,
    ) -> &mut Change {
        self.changed(Noun::Blocklist, action, uuid, 0).of(id, name).field("refused", "", what.table())
    }
}

// ---- Clusters -----------------------------------------------------------------------------------------

/// A blocked galaxy cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedCluster {
    pub id: i64,
    pub cluster_uuid: Uuid,
    /// Unix seconds.
    pub created: i64,
    pub cluster_info: String,
    pub cluster_orgc: String,
    pub comment: String,
}

const CLUSTER_COLUMNS: &str = "id, cluster_uuid, created, cluster_info, cluster_orgc, comment";

fn read_cluster(row: &Row<'_>) -> Result<BlockedCluster> {
    Ok(BlockedCluster {
        id: row.int(0)?,
        cluster_uuid: row.uuid(1)?,
        created: row.int(2)?,
        cluster_info: row.string(3)?,
        cluster_orgc: row.string(4)?,
        comment: row.string(5)?,
    })
}

impl Reader<'_> {
    /// All entries, newest first.
    pub fn cluster_blocklist(&mut self) -> Result<Vec<BlockedCluster>> {
        let sql = format!("select {CLUSTER_COLUMNS} from cluster_blocklist order by id desc");
        self.conn.all(&sql, &[], read_cluster)
    }

    /// The entry of this number, or of the cluster with this uuid.
    pub fn blocked_cluster(&mut self, reference: Ref) -> Result<Option<BlockedCluster>> {
        let (column, value) = match &reference {
            Ref::Id(id) => ("id", Val::Int(*id)),
            Ref::Uuid(uuid) => ("cluster_uuid", uuid.into()),
        };
        let sql = format!("select {CLUSTER_COLUMNS} from cluster_blocklist where {column} = $1");
        self.conn.first(&sql, &[value], read_cluster)
    }
}

impl Writer<'_> {
    /// Blocks a cluster; one that is blocked already stays as it is.
    pub fn block_cluster(&mut self, uuid: Uuid, info: &str, orgc: &str, comment: &str) -> Result<()> {
        let id = dialect::allocate(&mut self.conn, "cluster_blocklist", 1)?[0];
        let now = self.now();
        let sql = format!(
            "insert into cluster_blocklist ({CLUSTER_COLUMNS}) values {} on conflict (cluster_uuid) do nothing",
            list::places(1, 6)
        );
        let args = [id.into(), (&uuid).into(), now.into(), info.into(), orgc.into(), comment.into()];
        if self.conn.execute(&sql, &args)? > 0 {
            self.changed(Noun::Blocklist, Action::Add, uuid, 0).of(id, info).field("cluster", "", info);
        }
        Ok(())
    }

    /// Writes what is noted beside an entry.
    pub fn edit_blocked_cluster(&mut self, entry: &BlockedCluster) -> Result<()> {
        let sql =
            "update cluster_blocklist set cluster_info = $2, cluster_orgc = $3, comment = $4 where id = $1";
        let args = [
            entry.id.into(),
            (&entry.cluster_info).into(),
            (&entry.cluster_orgc).into(),
            (&entry.comment).into(),
        ];
        self.conn.execute(sql, &args)?;
        self.changed(Noun::Blocklist, Action::Edit, entry.cluster_uuid, 0)
            .of(entry.id, &entry.cluster_info)
            .field("comment", "", &entry.comment);
        Ok(())
    }

    /// Lets a cluster come again.
    pub fn unblock_cluster(&mut self, entry: &BlockedCluster) -> Result<()> {
        self.conn.execute("delete from cluster_blocklist where id = $1", &[entry.id.into()])?;
        self.changed(Noun::Blocklist, Action::Delete, entry.cluster_uuid, 0)
            .of(entry.id, &entry.cluster_info);
        Ok(())
    }
}
