//! Sharing groups: visible to their members, to their owner, and to everybody when open to all organisations.

use crate::changes::{Action, Change, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use pisax_model::sharing::{GroupServer, Member, SharingGroup};
use rustc_hash::FxHashMap;

const COLUMNS: [&str; 13] = [
    "id",
    "uuid",
    "name",
    "releasability",
    "description",
    "organisation_uuid",
    "org_id",
    "sync_user_id",
    "active",
    "local",
    "roaming",
    "created",
    "modified",
];

fn read(row: &Row<'_>) -> Result<SharingGroup> {
    Ok(SharingGroup {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        name: row.string(2)?,
        releasability: row.string(3)?,
        description: row.string(4)?,
        organisation_uuid: row.uuid(5)?,
        org_id: row.int(6)?,
        sync_user_id: row.int(7)?,
        active: row.flag(8)?,
        local: row.flag(9)?,
        roaming: row.flag(10)?,
        created: row.int(11)?,
        modified: row.int(12)?,
        members: Vec::new(),
        servers: Vec::new(),
    })
}

impl Reader<'_> {
    /// Whether the group in `alias` is visible. Owning a group shows it, but not the events shared with it:
    /// for those the organisation must be listed (`predicate.rs`).
    pub(crate) fn sees_group(&self, alias: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        format!("({alias}.org_id = {} or {alias}.id in {})", self.actor.org_id, self.groups())
    }

    /// The visible groups that meet a condition on `g`, complete, in three statements.
    fn groups_where(&mut self, condition: &str, args: &[Val<'_>]) -> Result<Vec<SharingGroup>> {
        let which = format!("{condition} and {}", self.sees_group("g"));
        self.groups_that(&which, args)
    }

    fn groups_that(&mut self, which: &str, args: &[Val<'_>]) -> Result<Vec<SharingGroup>> {
        let sql = format!(
            "select {} from sharing_groups g where {which} order by lower(g.name), g.id",
            list::columns("g", &COLUMNS)
        );
        let mut groups = self.conn.all(&sql, args, read)?;
        if groups.is_empty() {
            return Ok(groups);
        }
        let places: FxHashMap<i64, usize> = groups.iter().enumerate().map(|(i, g)| (g.id, i)).collect();
        let sql = format!(
            "select m.sharing_group_id, m.id, m.org_id, o.name, o.uuid, o.local, m.extend from sharing_group_orgs m \
             join sharing_groups g on g.id = m.sharing_group_id join orgs o on o.id = m.org_id where {which} order by m.id"
        );
        self.conn.each(&sql, args, |r| {
            if let Some(place) = places.get(&r.int(0)?) {
                groups[*place].members.push(Member {
                    id: r.int(1)?,
                    org_id: r.int(2)?,
                    org_name: r.string(3)?,
                    org_uuid: r.uuid(4)?,
                    org_local: r.flag(5)?,
                    extend: r.flag(6)?,
                });
            }
            Ok(())
        })?;
        let sql = format!(
            "select s.sharing_group_id, s.id, s.server_id, s.all_orgs from sharing_group_servers s \
             join sharing_groups g on g.id = s.sharing_group_id where {which} order by s.id"
        );
        self.conn.each(&sql, args, |r| {
            if let Some(place) = places.get(&r.int(0)?) {
                let server = GroupServer { id: r.int(1)?, server_id: r.int(2)?, all_orgs: r.flag(3)? };
                groups[*place].servers.push(server);
            }
            Ok(())
        })?;
        Ok(groups)
    }

    /// The group, if it exists and the actor sees it.
    pub fn sharing_group(&mut self, reference: Ref) -> Result<Option<SharingGroup>> {
        let (condition, value) = match &reference {
            Ref::Id(id) => ("g.id = $1", Val::Int(*id)),
            Ref::Uuid(uuid) => ("g.uuid = $1", uuid.into()),
        };
        Ok(self.groups_where(condition, &[value])?.pop())
    }

    pub fn sharing_group_named(&mut self, name: &str) -> Result<Option<SharingGroup>> {
        Ok(self.groups_where("g.name = $1", &[name.into()])?.pop())
    }

    /// All visible groups by name, active or not.
    pub fn sharing_groups(&mut self) -> Result<Vec<SharingGroup>> {
        self.groups_where("1 = 1", &[])
    }

    /// The visible ones of these groups: for lists of events.
    pub fn sharing_groups_by_ids(&mut self, ids: &[i64]) -> Result<FxHashMap<i64, SharingGroup>> {
        if ids.is_empty() {
            return Ok(FxHashMap::default());
        }
        let lite = self.conn.is_lite();
        let set = dialect::set_text(lite, ids.iter().copied());
        let groups = self.groups_where(&dialect::in_set(lite, "g.id", 1), &[Val::Text(&set)])?;
        Ok(groups.into_iter().map(|g| (g.id, g)).collect())
    }

    /// Whether the actor may distribute something to this group: whoever sees it may.
    pub fn may_use_group(&mut self, id: i64) -> Result<bool> {
        let sql = format!("select 1 from sharing_groups g where g.id = $1 and {}", self.sees_group("g"));
        Ok(self.conn.number(&sql, &[id.into()])? == 1)
    }

    /// Whether any group has this uuid, seen or unseen: only to refuse a second one. Gives its row number.
    pub fn sharing_group_uuid_taken(&mut self, uuid: &Uuid) -> Result<Option<i64>> {
        self.conn.first("select id from sharing_groups where uuid = $1", &[uuid.into()], |r| r.int(0))
    }
}

impl Writer<'_> {
    /// The group with this uuid, seen or unseen, behind a lock: for who takes over what another server says of it,
    /// and decides from it what the actor may do.
    pub fn sharing_group_to_capture(&mut self, uuid: &Uuid) -> Result<Option<SharingGroup>> {
        let Some(id) = self.sharing_group_uuid_taken(uuid)? else { return Ok(None) };
        self.lock_sharing_group(id)?;
        Ok(self.groups_that("g.id = $1", &[id.into()])?.pop())
    }

    /// Whether a group other than `but` has this name.
    pub fn sharing_group_name_taken(&mut self, name: &str, but: i64) -> Result<bool> {
        let sql = "select count(*) from sharing_groups where name = $1 and id <> $2";
        Ok(self.conn.number(sql, &[name.into(), but.into()])? > 0)
    }

    /// Says when a group changed where it comes from.
    pub fn date_sharing_group(&mut self, id: i64, modified: i64) -> Result<()> {
        let sql = "update sharing_groups set modified = $2 where id = $1";
        self.conn.execute(sql, &[id.into(), modified.into()])?;
        Ok(())
    }

    /// Keeps others from changing the group until the transaction ends; to be called before it is read.
    pub fn lock_sharing_group(&mut self, id: i64) -> Result<()> {
        let sql = format!(
            "select id from sharing_groups where id = $1{}",
            dialect::for_update(self.conn.is_lite())
        );
        self.conn.first(&sql, &[id.into()], |r| r.int(0)).map(drop)
    }

    /// Adds a group with its members and servers; numbers and times are given here.
    pub fn add_sharing_group(&mut self, group: &SharingGroup) -> Result<i64> {
        self.refuse_taken_group(group, 0)?;
        let id = dialect::allocate(&mut self.conn, "sharing_groups", 1)?[0];
        let now = self.now();
        let sql = format!(
            "insert into sharing_groups ({}) values {}",
            COLUMNS.join(", "),
            list::places(1, COLUMNS.len())
        );
        self.conn
            .execute(
                &sql,
                &[
                    id.into(),
                    (&group.uuid).into(),
                    (&group.name).into(),
                    (&group.releasability).into(),
                    (&group.description).into(),
                    (&group.organisation_uuid).into(),
                    group.org_id.into(),
                    group.sync_user_id.into(),
                    group.active.into(),
                    group.local.into(),
                    group.roaming.into(),
                    now.into(),
                    now.into(),
                ],
            )
            .map_err(|e| e.conflict_on("name"))?;
        for member in &group.members {
            self.put_member(id, member.org_id, member.extend)?;
        }
        for server in &group.servers {
            self.put_server(id, server.server_id, server.all_orgs)?;
        }
        let members: Vec<String> = group.members.iter().map(|m| m.org_id.to_string()).collect();
        self.changed(Noun::SharingGroup, Action::Add, group.uuid, 0)
            .of(id, &group.name)
            .field("releasability", "", &group.releasability)
            .field("org_id", "", group.org_id)
            .field("organisations", "", members.join(", "));
        Ok(id)
    }

    /// Writes the group's own fields; members and servers have functions of their own.
    pub fn edit_sharing_group(&mut self, group: &SharingGroup) -> Result<()> {
        self.refuse_taken_group(group, group.id)?;
        let which = "g.id = $1";
        let old = self.groups_where(which, &[group.id.into()])?.pop();
        let old = old.ok_or(Error::NotFound("sharing group"))?;
        let sql = "update sharing_groups set name = $2, releasability = $3, description = $4, organisation_uuid = $5, \
                   org_id = $6, active = $7, local = $8, roaming = $9 where id = $1";
        self.conn
            .execute(
                sql,
                &[
                    group.id.into(),
                    (&group.name).into(),
                    (&group.releasability).into(),
                    (&group.description).into(),
                    (&group.organisation_uuid).into(),
                    group.org_id.into(),
                    group.active.into(),
                    group.local.into(),
                    group.roaming.into(),
                ],
            )
            .map_err(|e| e.conflict_on("name"))?;
        self.touch_group(group.id)?
            .field("name", &old.name, &group.name)
            .field("releasability", &old.releasability, &group.releasability)
            .field("description", &old.description, &group.description)
            .field("org_id", old.org_id, group.org_id)
            .field("active", old.active, group.active)
            .field("local", old.local, group.local)
            .field("roaming", old.roaming, group.roaming);
        Ok(())
    }

    fn refuse_taken_group(&mut self, group: &SharingGroup, id: i64) -> Result<()> {
        for (field, value) in [("name", Val::from(&group.name)), ("uuid", (&group.uuid).into())] {
            let sql = format!("select count(*) from sharing_groups where {field} = $1 and id <> $2");
            if self.conn.number(&sql, &[value, id.into()])? > 0 {
                return Err(Error::Conflict(field));
            }
        }
        Ok(())
    }

    /// Notes a change of the group.
    fn touch_group(&mut self, id: i64) -> Result<&mut Change> {
        let now = self.now();
        let sql = "update sharing_groups set modified = $2 where id = $1 returning uuid, name";
        let found = self.conn.first(sql, &[id.into(), now.into()], |r| Ok((r.uuid(0)?, r.string(1)?)))?;
        let (uuid, name) = found.ok_or(Error::NotFound("sharing group"))?;
        Ok(self.changed(Noun::SharingGroup, Action::Edit, uuid, 0).of(id, &name))
    }

    /// Removes a group that nothing is distributed to.
    pub fn delete_sharing_group(&mut self, id: i64) -> Result<()> {
        let sql = format!(
            "select id from sharing_groups where id = $1{}",
            dialect::for_update(self.conn.is_lite())
        );
        self.conn.first(&sql, &[id.into()], |r| r.int(0))?;
        for table in [
            "events",
            "objects",
            "attributes",
            "event_reports",
            "analyst_data",
            "clusters",
            "cluster_relations",
            "feeds",
            "collections",
        ] {
            let sql =
                format!("select 1 from {table} where distribution = 4 and sharing_group_id = $1 limit 1");
            if self.conn.number(&sql, &[id.into()])? != 0 {
                return Err(Error::Conflict("sharing group"));
            }
        }
        self.touch_group(id)?.action = Action::Delete;
        for sql in [
            "delete from sharing_group_orgs where sharing_group_id = $1",
            "delete from sharing_group_servers where sharing_group_id = $1",
            "update blueprints set sharing_group_id = 0 where sharing_group_id = $1",
            "delete from sharing_groups where id = $1",
        ] {
            self.conn.execute(sql, &[id.into()])?;
        }
        Ok(())
    }

    fn put_member(&mut self, group: i64, org: i64, extend: bool) -> Result<()> {
        let id = dialect::allocate(&mut self.conn, "sharing_group_orgs", 1)?[0];
        let sql = "insert into sharing_group_orgs (id, sharing_group_id, org_id, extend) values ($1, $2, $3, $4) \
                   on conflict (sharing_group_id, org_id) do update set extend = excluded.extend";
        self.conn.execute(sql, &[id.into(), group.into(), org.into(), extend.into()])?;
        Ok(())
    }

    fn put_server(&mut self, group: i64, server: i64, all_orgs: bool) -> Result<()> {
        let id = dialect::allocate(&mut self.conn, "sharing_group_servers", 1)?[0];
        let sql = "insert into sharing_group_servers (id, sharing_group_id, server_id, all_orgs) values ($1, $2, $3, $4) \
                   on conflict (sharing_group_id, server_id) do update set all_orgs = excluded.all_orgs";
        self.conn.execute(sql, &[id.into(), group.into(), server.into(), all_orgs.into()])?;
        Ok(())
    }

    /// Adds an organisation, or changes whether it may extend the group.
    pub fn add_sharing_group_org(&mut self, id: i64, org_id: i64, extend: bool) -> Result<()> {
        self.put_member(id, org_id, extend)?;
        self.touch_group(id)?.field("organisation", "", org_id).field("extend", "", extend);
        Ok(())
    }

    /// Returns whether the organisation was a member.
    pub fn remove_sharing_group_org(&mut self, id: i64, org_id: i64) -> Result<bool> {
        let sql = "delete from sharing_group_orgs where sharing_group_id = $1 and org_id = $2";
        let removed = self.conn.execute(sql, &[id.into(), org_id.into()])? > 0;
        if removed {
            self.touch_group(id)?.field("organisation", org_id, "");
        }
        Ok(removed)
    }

    /// Adds a server (0: this one), or changes whether all its organisations belong to the group.
    pub fn add_sharing_group_server(&mut self, id: i64, server_id: i64, all_orgs: bool) -> Result<()> {
        self.put_server(id, server_id, all_orgs)?;
        self.touch_group(id)?.field("server", "", server_id).field("all_orgs", "", all_orgs);
        Ok(())
    }

    /// Returns whether the server was listed.
    pub fn remove_sharing_group_server(&mut self, id: i64, server_id: i64) -> Result<bool> {
        let sql = "delete from sharing_group_servers where sharing_group_id = $1 and server_id = $2";
        let removed = self.conn.execute(sql, &[id.into(), server_id.into()])? > 0;
        if removed {
            self.touch_group(id)?.field("server", server_id, "");
        }
        Ok(removed)
    }

    /// Makes these `(organisation, may extend)` the members; those that stay keep their row.
    pub fn set_sharing_group_orgs(&mut self, id: i64, members: &[(i64, bool)]) -> Result<()> {
        let old = self.listed("sharing_group_orgs", "org_id", id)?;
        self.keep_only("sharing_group_orgs", "org_id", id, members)?;
        for (org_id, extend) in members {
            self.put_member(id, *org_id, *extend)?;
        }
        let new = self.listed("sharing_group_orgs", "org_id", id)?;
        self.touch_group(id)?.field("organisations", old, new);
        Ok(())
    }

    /// Makes these `(server, all organisations)` the servers; those that stay keep their row.
    pub fn set_sharing_group_servers(&mut self, id: i64, servers: &[(i64, bool)]) -> Result<()> {
        let old = self.listed("sharing_group_servers", "server_id", id)?;
        self.keep_only("sharing_group_servers", "server_id", id, servers)?;
        for (server_id, all_orgs) in servers {
            self.put_server(id, *server_id, *all_orgs)?;
        }
        let new = self.listed("sharing_group_servers", "server_id", id)?;
        self.touch_group(id)?.field("servers", old, new);
        Ok(())
    }

    /// The row numbers a group lists, as the log shows them.
    fn listed(&mut self, table: &str, column: &str, id: i64) -> Result<String> {
        let sql = format!("select {column} from {table} where sharing_group_id = $1 order by {column}");
        let numbers = self.conn.all(&sql, &[id.into()], |r| Ok(r.int(0)?.to_string()))?;
        Ok(numbers.join(", "))
    }

    fn keep_only(&mut self, table: &str, column: &str, id: i64, kept: &[(i64, bool)]) -> Result<()> {
        let lite = self.conn.is_lite();
        let kept_set = dialect::in_set(lite, column, 2);
        let set = dialect::set_text(lite, kept.iter().map(|k| k.0));
        let sql = format!("delete from {table} where sharing_group_id = $1 and not ({kept_set})");
        self.conn.execute(&sql, &[id.into(), Val::Text(&set)])?;
        Ok(())
    }
}
