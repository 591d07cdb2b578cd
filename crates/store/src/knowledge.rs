//! Shared vocabulary: taxonomies, galaxies with clusters, object templates; warninglists have a file of their
//! own. What is structured inside one comes and goes as text that the caller writes and reads; everybody may
//! read all of it.

use crate::changes::{Action, Noun};
use crate::conn::{Kind, Row, Val};
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use rustc_hash::{FxHashMap, FxHashSet};

pub use crate::warninglists::WarninglistRow;

/// What became of an item that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Put {
    pub id: i64,
    /// False: the stored one is as new, and stays.
    pub changed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxonomyRow {
    pub id: i64,
    pub namespace: String,
    pub description: String,
    pub version: i64,
    pub enabled: bool,
    pub exclusive: bool,
    pub required: bool,
    /// The caller's text; empty in lists.
    pub body: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GalaxyRow {
    pub id: i64,
    pub uuid: Uuid,
    pub name: String,
    pub kind: String,
    pub description: String,
    pub version: i64,
    pub icon: String,
    pub namespace: String,
    pub enabled: bool,
    /// The caller's text.
    pub kill_chain_order: String,
}

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
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRow {
    pub id: i64,
    pub uuid: Uuid,
    pub name: String,
    pub meta_category: String,
    pub description: String,
    pub version: i64,
    pub active: bool,
    /// The definition as published.
    pub raw: String,
}

/// How many of each kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KnowledgeCounts {
    pub taxonomies: i64,
    pub galaxies: i64,
    pub clusters: i64,
    pub object_templates: i64,
    pub warninglists: i64,
}

/// The kinds that are switched on and off as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    Taxonomies,
    Galaxies,
    ObjectTemplates,
    Warninglists,
}

const GALAXY: &str = "id, uuid, name, kind, description, version, icon, namespace, enabled, kill_chain_order";
const CLUSTER: [&str; 12] = [
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
];
const TEMPLATE: &str = "id, uuid, name, meta_category, description, version, active, raw";

fn taxonomy(row: &Row<'_>) -> Result<TaxonomyRow> {
    Ok(TaxonomyRow {
        id: row.int(0)?,
        namespace: row.string(1)?,
        description: row.string(2)?,
        version: row.int(3)?,
        enabled: row.flag(4)?,
        exclusive: row.flag(5)?,
        required: row.flag(6)?,
        body: row.string(7)?,
    })
}

fn galaxy(row: &Row<'_>) -> Result<GalaxyRow> {
    Ok(GalaxyRow {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        name: row.string(2)?,
        kind: row.string(3)?,
        description: row.string(4)?,
        version: row.int(5)?,
        icon: row.string(6)?,
        namespace: row.string(7)?,
        enabled: row.flag(8)?,
        kill_chain_order: row.string(9)?,
    })
}

fn cluster(row: &Row<'_>) -> Result<ClusterRow> {
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
    })
}

fn template(row: &Row<'_>) -> Result<TemplateRow> {
    Ok(TemplateRow {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        name: row.string(2)?,
        meta_category: row.string(3)?,
        description: row.string(4)?,
        version: row.int(5)?,
        active: row.flag(6)?,
        raw: row.string(7)?,
    })
}

fn key(reference: &Ref) -> (&'static str, Val<'_>) {
    match reference {
        Ref::Id(id) => ("id", Val::Int(*id)),
        Ref::Uuid(uuid) => ("uuid", uuid.into()),
    }
}

// ---- Reading ------------------------------------------------------------------------------------------

impl Reader<'_> {
    /// All taxonomies by namespace, without their bodies.
    pub fn taxonomies(&mut self) -> Result<Vec<TaxonomyRow>> {
        let sql = "select id, namespace, description, version, enabled, exclusive, required, '' from taxonomies \
                   order by namespace";
        self.conn.all(sql, &[], taxonomy)
    }

    /// Hands each taxonomy to `f`, with its body, one at a time.
    pub fn each_taxonomy(&mut self, mut f: impl FnMut(TaxonomyRow) -> Result<()>) -> Result<()> {
        let sql = "select id, namespace, description, version, enabled, exclusive, required, body from taxonomies \
                   order by namespace";
        self.conn.each(sql, &[], |r| f(taxonomy(r)?))
    }

    pub fn taxonomy(&mut self, id: i64) -> Result<Option<TaxonomyRow>> {
        let sql = "select id, namespace, description, version, enabled, exclusive, required, body from taxonomies \
                   where id = $1";
        self.conn.first(sql, &[id.into()], taxonomy)
    }

    pub fn taxonomy_of(&mut self, namespace: &str) -> Result<Option<TaxonomyRow>> {
        let sql = "select id, namespace, description, version, enabled, exclusive, required, body from taxonomies \
                   where namespace = $1";
        self.conn.first(sql, &[namespace.into()], taxonomy)
    }

    pub fn galaxies(&mut self) -> Result<Vec<GalaxyRow>> {
        self.conn.all(&format!("select {GALAXY} from galaxies order by lower(name), id"), &[], galaxy)
    }

    pub fn galaxy(&mut self, reference: Ref) -> Result<Option<GalaxyRow>> {
        let (column, value) = key(&reference);
        self.conn.first(&format!("select {GALAXY} from galaxies where {column} = $1"), &[value], galaxy)
    }

    /// The clusters of a galaxy by value.
    pub fn clusters(&mut self, galaxy_id: i64) -> Result<Vec<ClusterRow>> {
        let sql = format!(
            "select {} from clusters where galaxy_id = $1 order by lower(value), id",
            CLUSTER.join(", ")
        );
        self.conn.all(&sql, &[galaxy_id.into()], cluster)
    }

    pub fn cluster(&mut self, reference: Ref) -> Result<Option<ClusterRow>> {
        let (column, value) = key(&reference);
        let sql = format!("select {} from clusters where {column} = $1 order by id", CLUSTER.join(", "));
        self.conn.first(&sql, &[value], cluster)
    }

    /// The clusters that these tags stand for, by [folded](crate::tags::folded) tag name; those of galaxies that
    /// are switched off are left out.
    pub fn cluster_by_tag_names(&mut self, names: &[String]) -> Result<FxHashMap<String, ClusterRow>> {
        let folded: FxHashSet<String> = names.iter().map(|n| crate::tags::folded(n)).collect();
        let values: Vec<Val<'_>> = folded.iter().map(Val::from).collect();
        let mut found = FxHashMap::default();
        for (places, args) in list::chunks(&values) {
            let sql = format!(
                "select {}, c.folded from clusters c join galaxies g on g.id = c.galaxy_id \
                 where g.enabled = 1 and c.folded in {places}",
                list::columns("c", &CLUSTER)
            );
            self.conn.each(&sql, &args, |r| {
                found.insert(r.string(CLUSTER.len())?, cluster(r)?);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Tag names of clusters whose value, synonym or other text contains `search`.
    pub fn clusters_containing(&mut self, search: &str, limit: i64) -> Result<Vec<ClusterRow>> {
        let sql = format!(
            "select {} from clusters where pisax_fold(value) like $1 escape '\\' or pisax_fold(meta) like $1 escape '\\' \
             order by lower(value), id limit $2",
            CLUSTER.join(", ")
        );
        self.conn.all(&sql, &[(&list::containing(search)).into(), limit.into()], cluster)
    }

    /// The active object templates by name.
    pub fn templates(&mut self) -> Result<Vec<TemplateRow>> {
        self.conn.all(
            &format!("select {TEMPLATE} from object_templates where active = 1 order by name, id"),
            &[],
            template,
        )
    }

    pub fn template_by_id(&mut self, id: i64) -> Result<Option<TemplateRow>> {
        self.conn.first(
            &format!("select {TEMPLATE} from object_templates where id = $1"),
            &[id.into()],
            template,
        )
    }

    /// The template of this uuid: this version, or the newest.
    pub fn template(&mut self, uuid: &Uuid, version: Option<i64>) -> Result<Option<TemplateRow>> {
        let sql = format!(
            "select {TEMPLATE} from object_templates where uuid = $1 and (version = $2 or $2 < 0) order by version desc"
        );
        self.conn.first(&sql, &[uuid.into(), version.unwrap_or(-1).into()], template)
    }

    /// The newest template of this name.
    pub fn template_named(&mut self, name: &str) -> Result<Option<TemplateRow>> {
        let sql = format!(
            "select {TEMPLATE} from object_templates where name = $1 order by active desc, version desc, id"
        );
        self.conn.first(&sql, &[name.into()], template)
    }

    pub fn knowledge_counts(&mut self) -> Result<KnowledgeCounts> {
        let sql = "select (select count(*) from taxonomies), (select count(*) from galaxies), \
                   (select count(*) from clusters), (select count(*) from object_templates where active = 1), \
                   (select count(*) from warninglists)";
        let counts = self.conn.first(sql, &[], |r| {
            Ok(KnowledgeCounts {
                taxonomies: r.int(0)?,
                galaxies: r.int(1)?,
                clusters: r.int(2)?,
                object_templates: r.int(3)?,
                warninglists: r.int(4)?,
            })
        })?;
        Ok(counts.unwrap_or_default())
    }
}

// ---- Changing -----------------------------------------------------------------------------------------

impl Writer<'_> {
    /// The number of the stored row with this key, or a new one, and whether `version` is to be written there.
    pub(crate) fn stored(
        &mut self,
        table: &'static str,
        column: &str,
        value: Val<'_>,
        version: i64,
    ) -> Result<Put> {
        let sql = format!("select id, version from {table} where {column} = $1");
        match self.conn.first(&sql, &[value], |r| Ok((r.int(0)?, r.int(1)?)))? {
            Some((id, stored)) => Ok(Put { id, changed: version > stored }),
            None => Ok(Put { id: dialect::allocate(&mut self.conn, table, 1)?[0], changed: true }),
        }
    }

    pub(crate) fn put_row(
        &mut self,
        table: &str,
        columns: &[&str],
        kept: &[&str],
        args: &[Val<'_>],
    ) -> Result<()> {
        let sets: Vec<String> = columns
            .iter()
            .filter(|c| **c != "id" && !kept.contains(c))
            .map(|c| format!("{c} = excluded.{c}"))
            .collect();
        let sql = format!(
            "insert into {table} ({}) values {} on conflict (id) do update set {}",
            columns.join(", "),
            list::places(1, columns.len()),
            sets.join(", ")
        );
        self.conn.execute(&sql, args)?;
        self.changed(Noun::Knowledge, Action::Edit, Uuid::nil(), 0);
        Ok(())
    }

    /// Puts a taxonomy unless the stored one is as new. A new one is switched off; an update leaves the switch.
    pub fn put_taxonomy(
        &mut self,
        namespace: &str,
        description: &str,
        version: i64,
        exclusive: bool,
        body: &str,
    ) -> Result<Put> {
        let put = self.stored("taxonomies", "namespace", namespace.into(), version)?;
        if put.changed {
            let columns =
                ["id", "namespace", "description", "version", "exclusive", "body", "enabled", "required"];
            let args = [
                put.id.into(),
                namespace.into(),
                description.into(),
                version.into(),
                exclusive.into(),
                body.into(),
                false.into(),
                false.into(),
            ];
            self.put_row("taxonomies", &columns, &["enabled", "required"], &args)?;
        }
        Ok(put)
    }

    /// Says whether every published event must carry a tag of it; returns whether it exists.
    pub fn require_taxonomy(&mut self, id: i64, required: bool) -> Result<bool> {
        let sql = "update taxonomies set required = $2 where id = $1";
        let changed = self.conn.execute(sql, &[id.into(), required.into()])? > 0;
        if changed {
            self.changed(Noun::Knowledge, Action::Edit, Uuid::nil(), 0);
        }
        Ok(changed)
    }

    /// Puts a galaxy unless the stored one is as new. A new one has the switch given; an update leaves it.
    pub fn put_galaxy(&mut self, galaxy: &GalaxyRow) -> Result<Put> {
        let put = self.stored("galaxies", "uuid", (&galaxy.uuid).into(), galaxy.version)?;
        if put.changed {
            let columns: Vec<&str> = GALAXY.split(", ").collect();
            let args = [
                put.id.into(),
                (&galaxy.uuid).into(),
                (&galaxy.name).into(),
                (&galaxy.kind).into(),
                (&galaxy.description).into(),
                galaxy.version.into(),
                (&galaxy.icon).into(),
                (&galaxy.namespace).into(),
                galaxy.enabled.into(),
                (&galaxy.kill_chain_order).into(),
            ];
            self.put_row("galaxies", &columns, &["enabled"], &args)?;
        }
        Ok(put)
    }

    /// Makes these the clusters of the galaxy. Those whose tag was there before keep their number; of several with
    /// one tag the first counts, and a tag of another galaxy's cluster is left to it. Returns how many there are.
    pub fn put_clusters(&mut self, galaxy_id: i64, rows: &[ClusterRow]) -> Result<usize> {
        let sql = "select folded, id from clusters where galaxy_id = $1";
        let before: FxHashMap<String, i64> =
            self.conn.all(sql, &[galaxy_id.into()], |r| Ok((r.string(0)?, r.int(1)?)))?.into_iter().collect();
        self.conn.execute("delete from clusters where galaxy_id = $1", &[galaxy_id.into()])?;
        let keys: Vec<String> = rows.iter().map(|row| crate::tags::folded(&row.tag_name)).collect();
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

    /// Puts an object template unless this version is there; the newest version is the active one.
    pub fn put_template(&mut self, template: &TemplateRow) -> Result<Put> {
        let sql = "select id from object_templates where uuid = $1 and version = $2";
        let known =
            self.conn.first(sql, &[(&template.uuid).into(), template.version.into()], |r| r.int(0))?;
        if let Some(id) = known {
            return Ok(Put { id, changed: false });
        }
        let id = dialect::allocate(&mut self.conn, "object_templates", 1)?[0];
        let columns: Vec<&str> = TEMPLATE.split(", ").collect();
        let args = [
            id.into(),
            (&template.uuid).into(),
            (&template.name).into(),
            (&template.meta_category).into(),
            (&template.description).into(),
            template.version.into(),
            true.into(),
            (&template.raw).into(),
        ];
        self.put_row("object_templates", &columns, &[], &args)?;
        let sql = "update object_templates set active = 0 where uuid = $1 and active = 1 and version < \
                   (select max(version) from object_templates where uuid = $1)";
        self.conn.execute(sql, &[(&template.uuid).into()])?;
        Ok(Put { id, changed: true })
    }

    /// Switches an item on or off; returns whether it exists.
    pub fn enable_knowledge(&mut self, library: Library, id: i64, enabled: bool) -> Result<bool> {
        let (table, column) = match library {
            Library::Taxonomies => ("taxonomies", "enabled"),
            Library::Galaxies => ("galaxies", "enabled"),
            Library::ObjectTemplates => ("object_templates", "active"),
            Library::Warninglists => ("warninglists", "enabled"),
        };
        let sql = format!("update {table} set {column} = $2 where id = $1");
        let changed = self.conn.execute(&sql, &[id.into(), enabled.into()])? > 0;
        if changed {
            self.changed(Noun::Knowledge, Action::Edit, Uuid::nil(), 0);
        }
        Ok(changed)
    }
}
