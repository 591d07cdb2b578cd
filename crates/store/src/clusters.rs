//! Clusters of galaxies: those of libraries, which everybody reads and nobody changes, and custom ones, which reach
//! as far as they are distributed. `meta`, `related` and `authors` come and go as text that the caller writes.

use crate::changes::{Action, Noun};
use crate::conn::{Kind, Row, Val};
use crate::tags::folded;
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use rustc_hash::{FxHashMap, FxHashSet};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterRow {
    pub id: i64,
    pub uuid: Uuid,
    pub galaxy_id: i64,
    pub collection_uuid: Uuid,
    pub tag_name: String,
    pub value: String,
    pub description: String,
    pub source: String,
    /// The caller's text, as `meta` and `related`.
    pub authors: String,
    pub version: i64,
    pub meta: String,
    pub related: String,
    /// Whose it is; `None` for one of a library.
    pub owned: Option<Owned>,
}

/// What a custom cluster has beside its contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owned {
    pub distribution: i64,
    pub sharing_group_id: i64,
    /// Owner on this instance, and creator.
    pub org_id: i64,
    pub orgc_id: i64,
    /// It came from elsewhere.
    pub locked: bool,
    /// The cluster it was forked from, in this version.
    pub extends_uuid: Option<Uuid>,
    pub extends_version: i64,
    pub published: bool,
    pub deleted: bool,
}

const CLUSTER: [&str; 22] = [
    "id",
    "uuid",
    "galaxy_id",
    "collection_uuid",
    "tag_name",
    "value",
    "description",
    "source",
    "authors",
    "version",
    "meta",
    "related",
    "custom",
    "distribution",
    "sharing_group_id",
    "org_id",
    "orgc_id",
    "locked",
    "extends_uuid",
    "extends_version",
    "published",
    "deleted",
];

fn cluster(row: &Row<'_>) -> Result<ClusterRow> {
    let owned = match row.flag(12)? {
        false => None,
        true => Some(Owned {
            distribution: row.int(13)?,
            sharing_group_id: row.int(14)?,
            org_id: row.int(15)?,
            orgc_id: row.int(16)?,
            locked: row.flag(17)?,
            extends_uuid: row.opt_uuid(18)?,
            extends_version: row.int(19)?,
            published: row.flag(20)?,
            deleted: row.flag(21)?,
        }),
    };
    Ok(ClusterRow {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        galaxy_id: row.int(2)?,
        collection_uuid: row.uuid(3)?,
        tag_name: row.string(4)?,
        value: row.string(5)?,
        description: row.string(6)?,
        source: row.string(7)?,
        authors: row.string(8)?,
        version: row.int(9)?,
        meta: row.string(10)?,
        related: row.string(11)?,
        owned,
    })
}

// ---- Reading ------------------------------------------------------------------------------------------

impl Reader<'_> {
    fn clusters_where(&mut self, condition: &str, args: &[Val<'_>], order: &str) -> Result<Vec<ClusterRow>> {
        let sql = format!(
            "select {} from clusters c where {condition} and {} order by {order}",
            list::columns("c", &CLUSTER),
            self.sees_cluster("c")
        );
        self.conn.all(&sql, args, cluster)
    }

    /// The living clusters of a galaxy by value.
    pub fn clusters(&mut self, galaxy_id: i64) -> Result<Vec<ClusterRow>> {
        let condition = "c.galaxy_id = $1 and c.deleted = 0";
        self.clusters_where(condition, &[galaxy_id.into()], "lower(c.value), c.id")
    }

    /// The newest version of a galaxy's library, if any of it is here.
    pub fn library_version(&mut self, galaxy_id: i64) -> Result<Option<i64>> {
        let sql = "select max(version) from clusters where galaxy_id = $1 and custom = 0";
        Ok(self.conn.first(sql, &[galaxy_id.into()], |r| r.opt_int(0))?.flatten())
    }

    /// The cluster, deleted or not, if the actor sees it.
    pub fn cluster(&mut self, reference: Ref) -> Result<Option<ClusterRow>> {
        let (column, value) = match &reference {
            Ref::Id(id) => ("id", Val::Int(*id)),
            Ref::Uuid(uuid) => ("uuid", uuid.into()),
        };
        Ok(self.clusters_where(&format!("c.{column} = $1"), &[value], "c.id limit 1")?.pop())
    }

    /// The visible ones of these clusters, in the order of the numbers.
    pub fn clusters_by_ids(&mut self, ids: &[i64]) -> Result<Vec<ClusterRow>> {
        let lite = self.conn.is_lite();
        let set = dialect::set_text(lite, ids.iter().copied());
        let condition = dialect::in_set(lite, "c.id", 1);
        let found = self.clusters_where(&condition, &[Val::Text(&set)], "c.id")?;
        let mut found: FxHashMap<i64, ClusterRow> = found.into_iter().map(|c| (c.id, c)).collect();
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// The clusters that these tags stand for, by [folded] tag name; those of galaxies that are switched off, and
    /// deleted ones, are left out.
    pub fn cluster_by_tag_names(&mut self, names: &[String]) -> Result<FxHashMap<String, ClusterRow>> {
        let keys: FxHashSet<String> = names.iter().map(|n| folded(n)).collect();
        let values: Vec<Val<'_>> = keys.iter().map(Val::from).collect();
        let mut found = FxHashMap::default();
        let sees = self.sees_cluster("c");
        for (places, args) in list::chunks(&values) {
            let sql = format!(
                "select {}, c.folded from clusters c join galaxies g on g.id = c.galaxy_id \
                 where g.enabled = 1 and c.folded in {places} and c.deleted = 0 and {sees}",
                list::columns("c", &CLUSTER)
            );
            self.conn.each(&sql, &args, |r| {
                found.insert(r.string(CLUSTER.len())?, cluster(r)?);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// The living clusters whose value, synonym or other text contains `search`.
    pub fn clusters_containing(&mut self, search: &str, limit: i64) -> Result<Vec<ClusterRow>> {
        let condition = "(pisax_fold(c.value) like $1 escape '\\' or pisax_fold(c.meta) like $1 escape '\\') \
                         and c.deleted = 0";
        let pattern = list::containing(search);
        let args = [(&pattern).into(), limit.into()];
        self.clusters_where(condition, &args, "lower(c.value), c.id limit $2")
    }

    /// The library clusters that point to this one.
    pub fn library_clusters_related_to(&mut self, uuid: &Uuid, limit: i64) -> Result<Vec<ClusterRow>> {
        let pattern = format!("%{uuid}%");
        let args = [(&pattern).into(), limit.into()];
        self.clusters_where("c.custom = 0 and c.related like $1", &args, "c.id limit $2")
    }

    /// Row numbers of the visible clusters with these uuids.
    pub fn cluster_ids(&mut self, uuids: &[Uuid]) -> Result<FxHashMap<Uuid, i64>> {
        let lite = self.conn.is_lite();
        let sql = format!(
            "select c.uuid, c.id from clusters c where {} and {} order by c.id desc",
            dialect::in_uuid_set(lite, "c.uuid", 1),
            self.sees_cluster("c")
        );
        let set = dialect::uuid_set_text(lite, uuids.iter());
        Ok(self.conn.all(&sql, &[Val::Text(&set)], |r| Ok((r.uuid(0)?, r.int(1)?)))?.into_iter().collect())
    }

    /// The versions of the visible ones of these clusters.
    pub fn cluster_versions(&mut self, uuids: &[Uuid]) -> Result<FxHashMap<Uuid, i64>> {
        let lite = self.conn.is_lite();
        let set = dialect::uuid_set_text(lite, uuids.iter());
        let sql = format!(
            "select c.uuid, c.version from clusters c where {} and {}",
            dialect::in_uuid_set(lite, "c.uuid", 1),
            self.sees_cluster("c")
        );
        let found = self.conn.all(&sql, &[(&set).into()], |r| Ok((r.uuid(0)?, r.int(1)?)))?;
        Ok(found.into_iter().collect())
    }

    /// Cluster tags in use whose cluster is not here.
    pub fn cluster_tags_without_cluster(&mut self) -> Result<Vec<String>> {
        let sql = "select t.name from tags t where t.is_galaxy = 1 and not exists \
                   (select 1 from clusters c where c.tag_name = t.name) order by t.name";
        self.conn.all(sql, &[], |r| r.string(0))
    }

    /// Row number, uuid and version of custom clusters that are published, from this row number on.
    pub fn published_clusters(&mut self, after: i64, limit: i64) -> Result<Vec<(i64, Uuid, i64)>> {
        let sql = format!(
            "select c.id, c.uuid, c.version from clusters c where c.custom = 1 and c.published = 1 \
             and c.deleted = 0 and c.id > $1 and {} order by c.id limit $2",
            self.sees_cluster("c")
        );
        self.conn.all(&sql, &[after.into(), limit.into()], |r| Ok((r.int(0)?, r.uuid(1)?, r.int(2)?)))
    }

    /// Whether any cluster has this uuid, seen or unseen: only to refuse a second one.
    pub fn cluster_uuid_taken(&mut self, uuid: &Uuid) -> Result<bool> {
        Ok(self.conn.number("select 1 from clusters where uuid = $1 limit 1", &[uuid.into()])? == 1)
    }
}

// ---- Changing -----------------------------------------------------------------------------------------

impl Writer<'_> {
    /// The custom cluster for a change: locked until the transaction ends, if the actor sees it.
    pub fn cluster_for_edit(&mut self, reference: Ref) -> Result<(ClusterRow, Owned)> {
        let row = self.cluster(reference)?.ok_or(Error::NotFound("cluster"))?;
        let lock =
            format!("select id from clusters where id = $1{}", dialect::for_update(self.conn.is_lite()));
        self.conn.first(&lock, &[row.id.into()], |r| r.int(0))?;
        let mut row = self.cluster(Ref::Id(row.id))?.ok_or(Error::NotFound("cluster"))?;
        let owned = row.owned.take().ok_or(Error::Forbidden("cluster"))?;
        Ok((row, owned))
    }

    /// Adds a custom cluster; its number is given here.
    pub fn add_cluster(&mut self, row: &ClusterRow, owned: &Owned) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "clusters", 1)?[0];
        let key = folded(&row.tag_name);
        let sql = format!(
            "insert into clusters ({}, folded) values {}",
            CLUSTER.join(", "),
            list::places(1, CLUSTER.len() + 1)
        );
        let args = [
            id.into(),
            (&row.uuid).into(),
            row.galaxy_id.into(),
            (&row.collection_uuid).into(),
            (&row.tag_name).into(),
            (&row.value).into(),
            (&row.description).into(),
            (&row.source).into(),
            (&row.authors).into(),
            row.version.into(),
            (&row.meta).into(),
            (&row.related).into(),
            true.into(),
            owned.distribution.into(),
            owned.sharing_group_id.into(),
            owned.org_id.into(),
            owned.orgc_id.into(),
            owned.locked.into(),
            owned.extends_uuid.as_ref().into(),
            owned.extends_version.into(),
            owned.published.into(),
            owned.deleted.into(),
            (&key).into(),
        ];
        self.conn.execute(&sql, &args).map_err(|e| e.conflict_on("uuid"))?;
        self.changed(Noun::Cluster, Action::Add, row.uuid, 0)
            .of(id, &row.value)
            .field("value", "", &row.value)
            .field("distribution", "", owned.distribution);
        Ok(id)
    }

    /// Writes a custom cluster got by [`Writer::cluster_for_edit`]; `action` is what the log calls it.
    pub fn edit_cluster(&mut self, row: &ClusterRow, owned: &Owned, action: Action) -> Result<()> {
        let before = self.cluster(Ref::Id(row.id))?.ok_or(Error::NotFound("cluster"))?;
        let sql = "update clusters set value = $2, description = $3, source = $4, authors = $5, version = $6, \
                   meta = $7, distribution = $8, sharing_group_id = $9, orgc_id = $10, extends_uuid = $11, \
                   extends_version = $12, published = $13, deleted = $14, collection_uuid = $15 \
                   where id = $1 and custom = 1";
        let args = [
            row.id.into(),
            (&row.value).into(),
            (&row.description).into(),
            (&row.source).into(),
            (&row.authors).into(),
            row.version.into(),
            (&row.meta).into(),
            owned.distribution.into(),
            owned.sharing_group_id.into(),
            owned.orgc_id.into(),
            owned.extends_uuid.as_ref().into(),
            owned.extends_version.into(),
            owned.published.into(),
            owned.deleted.into(),
            (&row.collection_uuid).into(),
        ];
        self.conn.execute(sql, &args)?;
        let was = before.owned.unwrap_or_default();
        self.changed(Noun::Cluster, action, row.uuid, 0)
            .of(row.id, &row.value)
            .field("value", &before.value, &row.value)
            .field("description", &before.description, &row.description)
            .field("meta", &before.meta, &row.meta)
            .field("distribution", was.distribution, owned.distribution)
            .field("sharing_group_id", was.sharing_group_id, owned.sharing_group_id)
            .field("published", was.published, owned.published)
            .field("deleted", was.deleted, owned.deleted);
        Ok(())
    }

    /// Removes a custom cluster with its relations. Tags that stand for it stay, as plain tags.
    pub fn remove_cluster(&mut self, row: &ClusterRow) -> Result<()> {
        self.remove_clusters("id = $1", row.id)?;
        self.changed(Noun::Cluster, Action::Delete, row.uuid, 0).of(row.id, &row.value);
        Ok(())
    }

    /// Removes the clusters that meet a condition on one number, with their relations.
    pub(crate) fn remove_clusters(&mut self, condition: &str, number: i64) -> Result<()> {
        self.drop_analyst_data_of_clusters(condition, number)?;
        let relations = format!(
            "select id from cluster_relations where cluster_id in (select id from clusters where {condition})"
        );
        for sql in [
            format!("delete from cluster_relation_tags where relation_id in ({relations})"),
            format!("delete from cluster_relations where id in ({relations})"),
            format!("delete from clusters where {condition}"),
        ] {
            self.conn.execute(&sql, &[number.into()])?;
        }
        Ok(())
    }

    /// Makes these the library's clusters of the galaxy; custom ones stay. Those whose tag was there before keep their number; of several with
    /// one tag the first counts, and a tag of another galaxy's cluster is left to it. Returns how many there are.
    pub fn put_clusters(&mut self, galaxy_id: i64, rows: &[ClusterRow]) -> Result<usize> {
        let sql = "select folded, id from clusters where galaxy_id = $1 and custom = 0";
        let before: FxHashMap<String, i64> =
            self.conn.all(sql, &[galaxy_id.into()], |r| Ok((r.string(0)?, r.int(1)?)))?.into_iter().collect();
        self.conn.execute("delete from clusters where galaxy_id = $1 and custom = 0", &[galaxy_id.into()])?;
        let keys: Vec<String> = rows.iter().map(|row| folded(&row.tag_name)).collect();
        let values: Vec<Val<'_>> = keys.iter().map(Val::from).collect();
        let mut taken: FxHashSet<String> = FxHashSet::default();
        for (places, args) in list::chunks(&values) {
            self.conn.each(&format!("select folded from clusters where folded in {places}"), &args, |r| {
                taken.insert(r.string(0)?);
                Ok(())
            })?;
        }
        let kept: Vec<(&ClusterRow, &String)> =
            rows.iter().zip(&keys).filter(|(_, key)| taken.insert((*key).clone())).collect();
        let new = kept.iter().filter(|(_, key)| !before.contains_key(*key)).count();
        let mut fresh = dialect::allocate(&mut self.conn, "clusters", new)?.into_iter();
        let ids: Vec<i64> = kept
            .iter()
            .map(|(_, key)| before.get(*key).copied().or_else(|| fresh.next()).unwrap_or_default())
            .collect();
        let columns = [
            ("id", Kind::Int),
            ("uuid", Kind::Blob),
            ("galaxy_id", Kind::Int),
            ("collection_uuid", Kind::Blob),
            ("tag_name", Kind::Text),
            ("value", Kind::Text),
            ("description", Kind::Text),
            ("source", Kind::Text),
            ("authors", Kind::Text),
            ("version", Kind::Int),
            ("meta", Kind::Text),
            ("related", Kind::Text),
            ("folded", Kind::Text),
        ];
        let values = kept.iter().zip(&ids).map(|((row, key), id)| {
            [
                Val::Int(*id),
                (&row.uuid).into(),
                galaxy_id.into(),
                (&row.collection_uuid).into(),
                (&row.tag_name).into(),
                (&row.value).into(),
                (&row.description).into(),
                (&row.source).into(),
                (&row.authors).into(),
                row.version.into(),
                (&row.meta).into(),
                (&row.related).into(),
                (*key).into(),
            ]
        });
        if !kept.is_empty() {
            self.conn.bulk("clusters", columns, values)?;
        }
        self.changed(Noun::Knowledge, Action::Edit, Uuid::nil(), 0);
        Ok(kept.len())
    }
}
