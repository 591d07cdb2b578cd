//! Roles: named sets of permissions.

use crate::changes::{Action, Change, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::permission::{Permission, Permissions};
use pisax_model::user::Role;

pub(crate) const COLUMNS: [&str; 12] = [
    "id",
    "name",
    "permissions",
    "permission",
    "default_role",
    "memory_limit",
    "max_execution_time",
    "restricted_to_site_admin",
    "enforce_rate_limit",
    "rate_limit_count",
    "created",
    "modified",
];

pub(crate) fn read(row: &Row<'_>, at: usize) -> Result<Role> {
    Ok(Role {
        id: row.int(at)?,
        name: row.string(at + 1)?,
        permissions: Permissions(row.int(at + 2)?),
        permission: row.int(at + 3)?,
        default_role: row.flag(at + 4)?,
        memory_limit: row.opt_string(at + 5)?,
        max_execution_time: row.opt_string(at + 6)?,
        restricted_to_site_admin: row.flag(at + 7)?,
        enforce_rate_limit: row.flag(at + 8)?,
        rate_limit_count: row.int(at + 9)?,
        created: row.int(at + 10)?,
        modified: row.int(at + 11)?,
    })
}

/// The roles MISP 2.5 is installed with (INSTALL/MYSQL.sql): name, data level, and what else they may.
fn stock() -> [(&'static str, i64, Vec<Permission>); 6] {
    use Permission::*;
    let user = [Audit, Auth, Tagger, Sighting, Decaying, GalaxyEditor, AnalystData];
    let publisher = [&user[..], &[PublishZmq, PublishKafka, Delegate]].concat();
    let sync = [&publisher[..], &[Sync, SharingGroup, TagEditor]].concat();
    let org_admin = [&publisher[..], &[Admin, Template, SharingGroup, TagEditor]].concat();
    let admin = Permission::ALL.iter().copied().filter(|p| *p != SkipOtp).collect();
    [
        ("admin", 3, admin),
        ("Org Admin", 3, org_admin),
        ("User", 2, user.to_vec()),
        ("Publisher", 3, publisher),
        ("Sync user", 3, sync),
        ("Read Only", 0, vec![Audit, Auth]),
    ]
}

/// The stock role new users get unless told otherwise.
const STOCK_DEFAULT: &str = "User";

impl Reader<'_> {
    pub fn role(&mut self, id: i64) -> Result<Option<Role>> {
        let sql = format!("select {} from roles where id = $1", COLUMNS.join(", "));
        self.conn.first(&sql, &[id.into()], |r| read(r, 0))
    }

    pub fn roles(&mut self) -> Result<Vec<Role>> {
        let sql = format!("select {} from roles order by id", COLUMNS.join(", "));
        self.conn.all(&sql, &[], |r| read(r, 0))
    }

    /// The role of users that are added without one.
    pub fn default_role_id(&mut self) -> Result<Option<i64>> {
        self.conn.first("select id from roles where default_role = 1 order by id", &[], |r| r.int(0))
    }
}

impl Writer<'_> {
    /// MISP's stock roles with the numbers clients know them by. Does nothing when there are roles already.
    pub fn seed_roles(&mut self) -> Result<()> {
        if self.conn.number("select count(*) from roles", &[])? > 0 {
            return Ok(());
        }
        for (name, level, others) in stock() {
            let role = Role {
                id: 0,
                name: name.to_owned(),
                permissions: Permissions::of(&others).with_level(level),
                permission: level,
                default_role: name == STOCK_DEFAULT,
                memory_limit: None,
                max_execution_time: None,
                restricted_to_site_admin: false,
                enforce_rate_limit: false,
                rate_limit_count: 0,
                created: 0,
                modified: 0,
            };
            self.add_role(&role)?;
        }
        Ok(())
    }

    /// Adds a role; its number and times are given here.
    pub fn add_role(&mut self, role: &Role) -> Result<i64> {
        self.refuse_taken_role(role, 0)?;
        let id = dialect::allocate(&mut self.conn, "roles", 1)?[0];
        let now = self.now();
        let sql =
            format!("insert into roles ({}) values {}", COLUMNS.join(", "), list::places(1, COLUMNS.len()));
        self.conn.execute(&sql, &values(role, id, now, now)).map_err(|e| e.conflict_on("name"))?;
        note_role(self.changed(Noun::Role, Action::Add, Uuid::nil(), 0).of(id, &role.name), None, role);
        if role.default_role {
            self.keep_one_default(id)?;
        }
        Ok(id)
    }

    /// Writes a role; sessions of its users notice by the users' time of change.
    pub fn edit_role(&mut self, role: &Role) -> Result<()> {
        self.refuse_taken_role(role, role.id)?;
        let old = self.role(role.id)?.ok_or(Error::NotFound("role"))?;
        let now = self.now();
        let sets: Vec<String> =
            COLUMNS.iter().enumerate().skip(1).map(|(i, column)| format!("{column} = ${}", i + 1)).collect();
        let sql = format!("update roles set {} where id = $1", sets.join(", "));
        self.conn
            .execute(&sql, &values(role, role.id, role.created, now))
            .map_err(|e| e.conflict_on("name"))?;
        self.conn.execute(
            "update users set date_modified = $2 where role_id = $1",
            &[role.id.into(), now.into()],
        )?;
        let change = self.changed(Noun::Role, Action::Edit, Uuid::nil(), 0).of(role.id, &role.name);
        note_role(change, Some(&old), role);
        if role.default_role {
            self.keep_one_default(role.id)?;
        }
        Ok(())
    }

    /// Lets one transaction at a time administer users and roles: who may administer the instance depends on
    /// all of them together.
    pub fn lock_roles(&mut self) -> Result<()> {
        let sql = format!("select id from roles order by id{}", dialect::for_update(self.conn.is_lite()));
        self.conn.all(&sql, &[], |r| r.int(0)).map(drop)
    }

    fn refuse_taken_role(&mut self, role: &Role, id: i64) -> Result<()> {
        let sql = "select count(*) from roles where name = $1 and id <> $2";
        match self.conn.number(sql, &[(&role.name).into(), id.into()])? {
            0 => Ok(()),
            _ => Err(Error::Conflict("name")),
        }
    }

    /// Removes a role that no user has.
    pub fn delete_role(&mut self, id: i64) -> Result<()> {
        if self.conn.number("select count(*) from users where role_id = $1", &[id.into()])? > 0 {
            return Err(Error::Conflict("role (users have it)"));
        }
        let sql = "delete from roles where id = $1 returning name";
        let name = self.conn.first(sql, &[id.into()], |r| r.string(0))?.ok_or(Error::NotFound("role"))?;
        self.changed(Noun::Role, Action::Delete, Uuid::nil(), 0).of(id, &name);
        Ok(())
    }

    pub fn set_default_role(&mut self, id: i64) -> Result<()> {
        let role = self.role(id)?.ok_or(Error::NotFound("role"))?;
        self.conn.execute("update roles set default_role = 1 where id = $1", &[id.into()])?;
        self.keep_one_default(id)?;
        self.changed(Noun::Role, Action::Edit, Uuid::nil(), 0).of(id, &role.name).field(
            "default_role",
            role.default_role,
            true,
        );
        Ok(())
    }

    fn keep_one_default(&mut self, id: i64) -> Result<()> {
        self.conn
            .execute("update roles set default_role = 0 where id <> $1 and default_role = 1", &[id.into()])?;
        Ok(())
    }
}

/// What a role allows from now on, and what else of it changed.
fn note_role(change: &mut Change, old: Option<&Role>, new: &Role) {
    type Of = fn(&Role) -> String;
    let fields: [(&str, Of); 7] = [
        ("name", |r| r.name.clone()),
        ("default_role", |r| r.default_role.to_string()),
        ("memory_limit", |r| r.memory_limit.clone().unwrap_or_default()),
        ("max_execution_time", |r| r.max_execution_time.clone().unwrap_or_default()),
        ("restricted_to_site_admin", |r| r.restricted_to_site_admin.to_string()),
        ("enforce_rate_limit", |r| r.enforce_rate_limit.to_string()),
        ("rate_limit_count", |r| r.rate_limit_count.to_string()),
    ];
    for (name, of) in fields {
        change.field(name, old.map(of).unwrap_or_default(), of(new));
    }
    for permission in Permission::ALL {
        let had = old.is_some_and(|role| role.permissions.has(*permission));
        change.field(permission.name(), had, new.permissions.has(*permission));
    }
}

fn values(role: &Role, id: i64, created: i64, modified: i64) -> [Val<'_>; 12] {
    [
        id.into(),
        (&role.name).into(),
        role.permissions.0.into(),
        role.permission.into(),
        role.default_role.into(),
        role.memory_limit.as_deref().into(),
        role.max_execution_time.as_deref().into(),
        role.restricted_to_site_admin.into(),
        role.enforce_rate_limit.into(),
        role.rate_limit_count.into(),
        created.into(),
        modified.into(),
    ]
}
