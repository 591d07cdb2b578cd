//! Other servers as they are defined here, for site admins. Their keys are secrets and never part of a change.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list, orgs};
use pisax_model::Uuid;
use pisax_model::org::Org;
use pisax_model::server::Server;
use rustc_hash::FxHashMap;

const COLUMNS: [&str; 28] = [
    "id",
    "name",
    "url",
    "authkey",
    "org_id",
    "push",
    "pull",
    "push_sightings",
    "push_galaxy_clusters",
    "push_analyst_data",
    "pull_analyst_data",
    "pull_galaxy_clusters",
    "lastpulledid",
    "lastpushedid",
    "organization",
    "remote_org_id",
    "publish_without_email",
    "unpublish_event",
    "self_signed",
    "pull_rules",
    "push_rules",
    "cert_file",
    "client_cert_file",
    "internal",
    "skip_proxy",
    "remove_missing_tags",
    "caching_enabled",
    "priority",
];

fn read(row: &Row<'_>) -> Result<Server> {
    Ok(Server {
        id: row.int(0)?,
        name: row.string(1)?,
        url: row.string(2)?,
        authkey: row.string(3)?,
        org_id: row.int(4)?,
        push: row.flag(5)?,
        pull: row.flag(6)?,
        push_sightings: row.flag(7)?,
        push_galaxy_clusters: row.flag(8)?,
        push_analyst_data: row.flag(9)?,
        pull_analyst_data: row.flag(10)?,
        pull_galaxy_clusters: row.flag(11)?,
        lastpulledid: row.opt_int(12)?,
        lastpushedid: row.opt_int(13)?,
        organization: row.opt_string(14)?,
        remote_org_id: row.int(15)?,
        publish_without_email: row.flag(16)?,
        unpublish_event: row.flag(17)?,
        self_signed: row.flag(18)?,
        pull_rules: row.string(19)?,
        push_rules: row.string(20)?,
        cert_file: row.opt_string(21)?,
        client_cert_file: row.opt_string(22)?,
        internal: row.flag(23)?,
        skip_proxy: row.flag(24)?,
        remove_missing_tags: row.flag(25)?,
        caching_enabled: row.flag(26)?,
        priority: row.int(27)?,
    })
}

fn values(server: &Server, id: i64) -> [Val<'_>; 28] {
    [
        id.into(),
        (&server.name).into(),
        (&server.url).into(),
        (&server.authkey).into(),
        server.org_id.into(),
        server.push.into(),
        server.pull.into(),
        server.push_sightings.into(),
        server.push_galaxy_clusters.into(),
        server.push_analyst_data.into(),
        server.pull_analyst_data.into(),
        server.pull_galaxy_clusters.into(),
        server.lastpulledid.into(),
        server.lastpushedid.into(),
        server.organization.as_deref().into(),
        server.remote_org_id.into(),
        server.publish_without_email.into(),
        server.unpublish_event.into(),
        server.self_signed.into(),
        (&server.pull_rules).into(),
        (&server.push_rules).into(),
        server.cert_file.as_deref().into(),
        server.client_cert_file.as_deref().into(),
        server.internal.into(),
        server.skip_proxy.into(),
        server.remove_missing_tags.into(),
        server.caching_enabled.into(),
        server.priority.into(),
    ]
}

/// Where a server is; what sharing groups say of it, and no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    pub name: String,
    pub url: String,
}

impl Reader<'_> {
    /// The addresses of all servers by row number: sharing groups name them to everybody who sees the group.
    pub fn server_addresses(&mut self) -> Result<FxHashMap<i64, ServerAddress>> {
        let address =
            |row: &Row<'_>| Ok((row.int(0)?, ServerAddress { name: row.string(1)?, url: row.string(2)? }));
        Ok(self
            .conn
            .all("select id, name, url from servers order by id", &[], address)?
            .into_iter()
            .collect())
    }

    /// By row number. Nobody but site admins sees any.
    pub fn servers(&mut self, search: Option<&str>) -> Result<Vec<Server>> {
        let sees = self.sees_servers();
        let select = format!("select {} from servers where {sees}", COLUMNS.join(", "));
        match search.map(list::containing) {
            Some(pattern) => {
                let sql = format!(
                    "{select} and (pisax_fold(name) like $1 escape '\\' or pisax_fold(url) like $1 escape '\\') \
                     order by id"
                );
                self.conn.all(&sql, &[(&pattern).into()], read)
            }
            None => self.conn.all(&format!("{select} order by id"), &[], read),
        }
    }

    pub fn server(&mut self, id: i64) -> Result<Option<Server>> {
        let sees = self.sees_servers();
        let sql = format!("select {} from servers where id = $1 and {sees}", COLUMNS.join(", "));
        self.conn.first(&sql, &[id.into()], read)
    }

    /// The organisations of these servers, here and there, by number.
    pub fn orgs_of_servers(&mut self, servers: &[Server]) -> Result<FxHashMap<i64, Org>> {
        let ids = servers.iter().flat_map(|s| [s.org_id, s.remote_org_id]);
        let set = dialect::set_text(self.conn.is_lite(), ids);
        let wanted = dialect::in_set(self.conn.is_lite(), "id", 1);
        let sql = format!("select {} from orgs where {wanted}", orgs::COLUMNS);
        let found = self.conn.all(&sql, &[(&set).into()], orgs::read)?;
        Ok(found.into_iter().map(|org| (org.id, org)).collect())
    }

    fn sees_servers(&self) -> &'static str {
        if self.actor.sees_all() { "1 = 1" } else { "1 = 0" }
    }
}

fn note(change: &mut crate::changes::Change, old: &Server, new: &Server) {
    change
        .of(new.id, &new.name)
        .field("name", &old.name, &new.name)
        .field("url", &old.url, &new.url)
        .field("remote_org_id", old.remote_org_id, new.remote_org_id)
        .field("push", old.push, new.push)
        .field("pull", old.pull, new.pull)
        .field("push_rules", &old.push_rules, &new.push_rules)
        .field("pull_rules", &old.pull_rules, &new.pull_rules)
        .field("internal", old.internal, new.internal)
        .field("self_signed", old.self_signed, new.self_signed)
        .field("caching_enabled", old.caching_enabled, new.caching_enabled);
}

impl Writer<'_> {
    /// Adds a server behind all others; its number and priority are given here.
    pub fn add_server(&mut self, server: &Server) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "servers", 1)?[0];
        let priority = self.conn.number("select max(priority) from servers", &[])? + 1;
        let new = Server { id, priority, ..server.clone() };
        let places = list::places(1, COLUMNS.len());
        let sql = format!("insert into servers ({}) values {places}", COLUMNS.join(", "));
        self.conn.execute(&sql, &values(&new, id))?;
        note(self.changed(Noun::Server, Action::Add, Uuid::nil(), 0), &Server::blank(0), &new);
        Ok(id)
    }

    /// Writes a server over what was read of it.
    pub fn edit_server(&mut self, old: &Server, new: &Server) -> Result<()> {
        let sets: Vec<String> =
            COLUMNS.iter().enumerate().skip(1).map(|(i, column)| format!("{column} = ${}", i + 1)).collect();
        let sql = format!("update servers set {} where id = $1", sets.join(", "));
        if self.conn.execute(&sql, &values(new, new.id))? == 0 {
            return Err(Error::NotFound("server"));
        }
        note(self.changed(Noun::Server, Action::Edit, Uuid::nil(), 0), old, new);
        Ok(())
    }

    /// How far a server has been pushed to; no change of its definition.
    pub fn set_server_pushed(&mut self, id: i64, event_id: i64) -> Result<()> {
        let sql = "update servers set lastpushedid = $2 where id = $1 and coalesce(lastpushedid, 0) < $2";
        self.conn.execute(sql, &[id.into(), event_id.into()])?;
        Ok(())
    }

    /// Notes that something of a server changed that is kept beside its definition.
    pub fn note_server(&mut self, server: &Server, what: &str) {
        let change = self.changed(Noun::Server, Action::Edit, Uuid::nil(), 0);
        change.of(server.id, &server.name).field(what, "", "changed");
    }

    /// Removes a server, from the sharing groups that list it as well.
    pub fn delete_server(&mut self, server: &Server) -> Result<()> {
        self.conn.execute("delete from sharing_group_servers where server_id = $1", &[server.id.into()])?;
        self.forget_peer(server.id)?;
        if self.conn.execute("delete from servers where id = $1", &[server.id.into()])? == 0 {
            return Err(Error::NotFound("server"));
        }
        self.changed(Noun::Server, Action::Delete, Uuid::nil(), 0).of(server.id, &server.name);
        Ok(())
    }
}
