//! Arrows from custom clusters to others. What an arrow points to need not be known here, or not to the reader.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list, tags};
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use pisax_model::tag::Tag;
use rustc_hash::FxHashMap;

#[derive(Debug, Clone, PartialEq)]
pub struct RelationRow {
    pub id: i64,
    pub cluster_id: i64,
    pub cluster_uuid: Uuid,
    pub referenced_uuid: Uuid,
    /// 0 where the target is not known, or not to the reader.
    pub referenced_id: i64,
    /// MISP's `referenced_galaxy_cluster_type`: `similar`, `uses`, …
    pub kind: String,
    pub distribution: i64,
    pub sharing_group_id: i64,
    pub tags: Vec<Tag>,
}

/// A relation to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRelation {
    pub referenced_uuid: Uuid,
    pub kind: String,
    pub distribution: i64,
    pub sharing_group_id: i64,
    /// Row numbers; `None` leaves the tags of a stored relation as they are.
    pub tags: Option<Vec<i64>>,
}

fn read(row: &Row<'_>) -> Result<RelationRow> {
    Ok(RelationRow {
        id: row.int(0)?,
        cluster_id: row.int(1)?,
        cluster_uuid: row.uuid(2)?,
        referenced_uuid: row.uuid(3)?,
        kind: row.string(4)?,
        distribution: row.int(5)?,
        sharing_group_id: row.int(6)?,
        referenced_id: 0,
        tags: Vec::new(),
    })
}

impl Reader<'_> {
    /// The visible relations that meet a condition on `x` or their source `c`, with targets and tags: three
    /// statements.
    fn relations_where(&mut self, condition: &str, args: &[Val<'_>], tail: &str) -> Result<Vec<RelationRow>> {
        let sql = format!(
            "select x.id, x.cluster_id, c.uuid, x.referenced_uuid, x.kind, x.distribution, x.sharing_group_id \
             from cluster_relations x join clusters c on c.id = x.cluster_id where {condition} and {} \
             order by x.id{tail}",
            self.sees_cluster_relation("c", "x")
        );
        let mut relations = self.conn.all(&sql, args, read)?;
        if relations.is_empty() {
            return Ok(relations);
        }
        let targets: Vec<Uuid> = relations.iter().map(|r| r.referenced_uuid).collect();
        let known = self.cluster_ids(&targets)?;
        let ids: Vec<i64> = relations.iter().map(|r| r.id).collect();
        let mut tagged = self.relation_tags(&ids)?;
        for relation in &mut relations {
            relation.referenced_id = known.get(&relation.referenced_uuid).copied().unwrap_or(0);
            relation.tags = tagged.remove(&relation.id).unwrap_or_default();
        }
        Ok(relations)
    }

    fn relation_tags(&mut self, relations: &[i64]) -> Result<FxHashMap<i64, Vec<Tag>>> {
        let lite = self.conn.is_lite();
        let sql = format!(
            "select {}, x.relation_id from cluster_relation_tags x join tags t on t.id = x.tag_id \
             where {} order by t.folded",
            list::columns("t", &tags::COLUMNS),
            dialect::in_set(lite, "x.relation_id", 1)
        );
        let set = dialect::set_text(lite, relations.iter().copied());
        let mut found: FxHashMap<i64, Vec<Tag>> = FxHashMap::default();
        self.conn.each(&sql, &[Val::Text(&set)], |r| {
            found.entry(r.int(tags::COLUMNS.len())?).or_default().push(tags::read(r, 0)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// The relations that start at these clusters, and those that point to these uuids.
    pub fn relations_around(&mut self, clusters: &[i64], uuids: &[Uuid]) -> Result<Vec<RelationRow>> {
        let lite = self.conn.is_lite();
        let condition = format!(
            "({} or {})",
            dialect::in_set(lite, "x.cluster_id", 1),
            dialect::in_uuid_set(lite, "x.referenced_uuid", 2)
        );
        let ids = dialect::set_text(lite, clusters.iter().copied());
        let uuids = dialect::uuid_set_text(lite, uuids.iter());
        self.relations_where(&condition, &[Val::Text(&ids), Val::Text(&uuids)], "")
    }

    pub fn cluster_relation(&mut self, id: i64) -> Result<Option<RelationRow>> {
        Ok(self.relations_where("x.id = $1", &[id.into()], "")?.pop())
    }

    /// Relations whose kind or source contains `search`, a page of them.
    pub fn cluster_relations(
        &mut self,
        search: Option<&str>,
        limit: i64,
        skip: i64,
    ) -> Result<Vec<RelationRow>> {
        let pattern = search.map_or_else(|| "%".to_owned(), list::containing);
        let condition = "(pisax_fold(x.kind) like $1 escape '\\' or pisax_fold(c.value) like $1 escape '\\')";
        self.relations_where(
            condition,
            &[(&pattern).into(), limit.into(), skip.into()],
            " limit $2 offset $3",
        )
    }
}

impl Writer<'_> {
    /// Adds a relation of a cluster got for edit, or changes the one that leads to the same target in the same
    /// way. Returns its number.
    pub fn put_relation(&mut self, cluster_id: i64, cluster_uuid: Uuid, new: &NewRelation) -> Result<i64> {
        let known =
            "select id from cluster_relations where cluster_id = $1 and referenced_uuid = $2 and kind = $3";
        let key = [cluster_id.into(), (&new.referenced_uuid).into(), (&new.kind).into()];
        let known = self.conn.first(known, &key, |r| r.int(0))?;
        let id = match known {
            Some(id) => id,
            None => dialect::allocate(&mut self.conn, "cluster_relations", 1)?[0],
        };
        let sql = "insert into cluster_relations (id, cluster_id, referenced_uuid, kind, distribution, sharing_group_id) \
                   values ($1, $2, $3, $4, $5, $6) on conflict (id) do update set \
                   distribution = excluded.distribution, sharing_group_id = excluded.sharing_group_id";
        let args = [
            id.into(),
            cluster_id.into(),
            (&new.referenced_uuid).into(),
            (&new.kind).into(),
            new.distribution.into(),
            new.sharing_group_id.into(),
        ];
        self.conn.execute(sql, &args).map_err(|e| e.conflict_on("relation"))?;
        if let Some(tags) = &new.tags {
            self.set_relation_tags(id, tags)?;
        }
        let action = if known.is_some() { Action::Edit } else { Action::Add };
        self.note_relation(action, cluster_uuid, id, new);
        Ok(id)
    }

    /// Writes a relation anew, target and kind included.
    pub fn edit_relation(&mut self, relation: &RelationRow, new: &NewRelation) -> Result<()> {
        let sql = "update cluster_relations set referenced_uuid = $2, kind = $3, distribution = $4, \
                   sharing_group_id = $5 where id = $1";
        let args = [
            relation.id.into(),
            (&new.referenced_uuid).into(),
            (&new.kind).into(),
            new.distribution.into(),
            new.sharing_group_id.into(),
        ];
        self.conn.execute(sql, &args).map_err(|e| e.conflict_on("relation"))?;
        if let Some(tags) = &new.tags {
            self.set_relation_tags(relation.id, tags)?;
        }
        self.note_relation(Action::Edit, relation.cluster_uuid, relation.id, new);
        Ok(())
    }

    fn note_relation(&mut self, action: Action, cluster: Uuid, id: i64, new: &NewRelation) {
        self.changed(Noun::ClusterRelation, action, cluster, 0)
            .of(id, &format!("{} {}", new.kind, new.referenced_uuid))
            .field("distribution", "", new.distribution);
    }

    fn set_relation_tags(&mut self, relation: i64, wanted: &[i64]) -> Result<()> {
        self.conn.execute("delete from cluster_relation_tags where relation_id = $1", &[relation.into()])?;
        for tag in self.hold_tags(wanted.iter().copied())? {
            let sql = "insert into cluster_relation_tags (relation_id, tag_id) values ($1, $2)";
            self.conn.execute(sql, &[relation.into(), tag.into()])?;
        }
        Ok(())
    }

    pub fn delete_relation(&mut self, relation: &RelationRow) -> Result<()> {
        self.conn
            .execute("delete from cluster_relation_tags where relation_id = $1", &[relation.id.into()])?;
        if self.conn.execute("delete from cluster_relations where id = $1", &[relation.id.into()])? == 0 {
            return Err(Error::NotFound("relation"));
        }
        self.changed(Noun::ClusterRelation, Action::Delete, relation.cluster_uuid, 0)
            .of(relation.id, &format!("{} {}", relation.kind, relation.referenced_uuid));
        Ok(())
    }

    /// Removes every relation that starts at the cluster: a newer version from elsewhere brings its own.
    pub fn clear_relations(&mut self, cluster: Ref) -> Result<()> {
        let Some(row) = self.cluster(cluster)? else { return Ok(()) };
        for relation in self.relations_where("x.cluster_id = $1", &[row.id.into()], "")? {
            self.delete_relation(&relation)?;
        }
        Ok(())
    }
}
