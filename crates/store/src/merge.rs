//! Merging organisations: everything that one had is the other's, in one transaction.

use crate::changes::{Action, Noun};
use crate::{Result, Writer, dialect};
use pisax_model::org::Org;

/// Every column that names an organisation by its row number and goes over to another one. A test compares them
/// with the schema.
pub const COLUMNS: &[(&str, &str)] = &[
    ("analyst_data", "org_id"),
    ("analyst_data", "orgc_id"),
    ("blueprints", "org_id"),
    ("bookmarks", "org_id"),
    ("clusters", "org_id"),
    ("clusters", "orgc_id"),
    ("collections", "org_id"),
    ("collections", "orgc_id"),
    ("dashboards", "restrict_to_org_id"),
    ("decaying_models", "org_id"),
    ("event_delegations", "org_id"),
    ("event_delegations", "requester_org_id"),
    ("event_graphs", "org_id"),
    ("events", "org_id"),
    ("events", "orgc_id"),
    ("feeds", "orgc_id"),
    ("jobs", "org_id"),
    ("proposals", "org_id"),
    ("rest_client_history", "org_id"),
    ("servers", "org_id"),
    ("servers", "remote_org_id"),
    ("sharing_groups", "org_id"),
    ("sightings", "org_id"),
    ("tag_collections", "org_id"),
    ("tags", "org_id"),
    ("users", "org_id"),
    ("webhooks", "org_id"),
];

/// Those that do not: logs say what was, and members of groups are merged by hand.
pub const KEPT: &[(&str, &str)] =
    &[("access_logs", "org_id"), ("changes", "org_id"), ("sharing_group_orgs", "org_id")];

impl Writer<'_> {
    /// Makes everything of `from` belong to `into` and removes `from`. Returns how many rows went over.
    pub fn merge_orgs(&mut self, from: &Org, into: &Org) -> Result<u64> {
        let lock = dialect::for_update(self.conn.is_lite());
        let both = [from.id.into(), into.id.into()];
        let turned = [into.id.into(), from.id.into()];
        let sql = format!("select id from orgs where id in ($1, $2) order by id{lock}");
        self.conn.all(&sql, &both, |r| r.int(0))?;
        let mut moved = 0;
        for (table, column) in COLUMNS {
            let sql = format!("update {table} set {column} = $1 where {column} = $2");
            moved += self.conn.execute(&sql, &turned)?;
        }
        self.drop_delegations_to_oneself()?;
        // Of a group that has both, the member that stays may do what either could.
        let sql = "update sharing_group_orgs set extend = 1 where org_id = $1 and sharing_group_id in \
                   (select sharing_group_id from sharing_group_orgs where org_id = $2 and extend = 1)";
        self.conn.execute(sql, &turned)?;
        let sql = "delete from sharing_group_orgs where org_id = $1 and sharing_group_id in \
                   (select sharing_group_id from sharing_group_orgs where org_id = $2)";
        self.conn.execute(sql, &both)?;
        moved += self.conn.execute("update sharing_group_orgs set org_id = $1 where org_id = $2", &turned)?;
        let sql = "update sharing_groups set organisation_uuid = $1 where organisation_uuid = $2";
        self.conn.execute(sql, &[(&into.uuid).into(), (&from.uuid).into()])?;
        // Whoever is signed in is of another organisation from his next request on.
        let now = self.now();
        self.conn.execute(
            "update users set date_modified = $1 where org_id = $2",
            &[now.into(), into.id.into()],
        )?;
        self.conn.execute("delete from orgs where id = $1", &[from.id.into()])?;
        self.changed(Noun::Org, Action::Delete, from.uuid, 0).of(from.id, &from.name).field(
            "merged into",
            "",
            &into.name,
        );
        self.changed(Noun::Org, Action::Edit, into.uuid, 0).of(into.id, &into.name).field(
            "merged with",
            "",
            &from.name,
        );
        Ok(moved)
    }

    /// What one of the two asked of the other is nobody's to decide any more.
    fn drop_delegations_to_oneself(&mut self) -> Result<()> {
        let sql = "select d.id, e.uuid, e.id, e.info from event_delegations d join events e on e.id = d.event_id \
                   where d.org_id = d.requester_org_id or d.org_id = e.orgc_id order by d.id";
        let pointless = self.conn.all(sql, &[], |r| Ok((r.int(0)?, r.uuid(1)?, r.int(2)?, r.string(3)?)))?;
        for (id, uuid, event_id, info) in pointless {
            self.conn.execute("delete from event_delegations where id = $1", &[id.into()])?;
            self.changed(Noun::Delegation, Action::Delete, uuid, event_id).of(id, &info);
        }
        Ok(())
    }
}
