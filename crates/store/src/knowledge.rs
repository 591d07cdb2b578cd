//! Shared vocabulary: taxonomies, galaxies with clusters, object templates; warninglists have a file of their
//! own. What is structured inside one comes and goes as text that the caller writes and reads; everybody may
//! read all of it.

use crate::changes::{Action, Noun};
pub use crate::clusters::{ClusterRow, Owned};
use crate::conn::{Row, Val};
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use rustc_hash::FxHashMap;

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
    pub highlighted: bool,
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
    /// Its clusters are attached locally only.
    pub local_only: bool,
    /// The caller's text.
    pub kill_chain_order: String,
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

const GALAXY: &str =
    "id, uuid, name, kind, description, version, icon, namespace, enabled, kill_chain_order, local_only";
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
        highlighted: row.flag(7)?,
        body: row.string(8)?,
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
        local_only: row.flag(10)?,
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
        let sql = "select id, namespace, description, version, enabled, exclusive, required, highlighted, '' from taxonomies \
                   order by namespace";
        self.conn.all(sql, &[], taxonomy)
    }

    /// Hands each taxonomy to `f`, with its body, one at a time.
    pub fn each_taxonomy(&mut self, mut f: impl FnMut(TaxonomyRow) -> Result<()>) -> Result<()> {
        let sql = "select id, namespace, description, version, enabled, exclusive, required, highlighted, body from taxonomies \
                   order by namespace";
        self.conn.each(sql, &[], |r| f(taxonomy(r)?))
    }

    pub fn taxonomy(&mut self, id: i64) -> Result<Option<TaxonomyRow>> {
        let sql = "select id, namespace, description, version, enabled, exclusive, required, highlighted, body from taxonomies \
                   where id = $1";
        self.conn.first(sql, &[id.into()], taxonomy)
    }

    pub fn taxonomy_of(&mut self, namespace: &str) -> Result<Option<TaxonomyRow>> {
        let sql = "select id, namespace, description, version, enabled, exclusive, required, highlighted, body from taxonomies \
                   where namespace = $1";
        self.conn.first(sql, &[namespace.into()], taxonomy)
    }

    pub fn galaxies(&mut self) -> Result<Vec<GalaxyRow>> {
        self.conn.all(&format!("select {GALAXY} from galaxies order by lower(name), id"), &[], galaxy)
    }

    /// Galaxies whose name, namespace, description or uuid says it.
    pub fn galaxies_containing(&mut self, search: &str) -> Result<Vec<GalaxyRow>> {
        let uuid = Uuid::try_parse(search.trim()).unwrap_or(Uuid::nil());
        let sql = format!(
            "select {GALAXY} from galaxies where pisax_fold(name) like $1 escape '\\' \
             or pisax_fold(namespace) like $1 escape '\\' or pisax_fold(description) like $1 escape '\\' \
             or uuid = $2 order by lower(name), id"
        );
        let pattern = list::containing(search);
        self.conn.all(&sql, &[(&pattern).into(), (&uuid).into()], galaxy)
    }

    pub fn galaxy(&mut self, reference: Ref) -> Result<Option<GalaxyRow>> {
        let (column, value) = key(&reference);
        self.conn.first(&format!("select {GALAXY} from galaxies where {column} = $1"), &[value], galaxy)
    }

    /// These galaxies, by number.
    pub fn galaxies_by_ids(&mut self, ids: &[i64]) -> Result<FxHashMap<i64, GalaxyRow>> {
        let lite = self.conn.is_lite();
        let sql = format!("select {GALAXY} from galaxies where {}", dialect::in_set(lite, "id", 1));
        let set = dialect::set_text(lite, ids.iter().copied());
        Ok(self.conn.all(&sql, &[Val::Text(&set)], galaxy)?.into_iter().map(|g| (g.id, g)).collect())
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

    /// Says whether the taxonomy stands out where tags are picked; returns whether it exists.
    pub fn highlight_taxonomy(&mut self, id: i64, highlighted: bool) -> Result<bool> {
        let sql = "update taxonomies set highlighted = $2 where id = $1";
        let changed = self.conn.execute(sql, &[id.into(), highlighted.into()])? > 0;
        if changed {
            self.changed(Noun::Knowledge, Action::Edit, Uuid::nil(), 0).of(id, "taxonomy").field(
                "highlighted",
                !highlighted,
                highlighted,
            );
        }
        Ok(changed)
    }

    /// Removes a taxonomy; its tags stay. Returns whether it existed.
    pub fn delete_taxonomy(&mut self, id: i64) -> Result<bool> {
        let sql = "delete from taxonomies where id = $1 returning namespace";
        let gone = self.conn.first(sql, &[id.into()], |r| r.string(0))?;
        if let Some(namespace) = &gone {
            self.changed(Noun::Knowledge, Action::Delete, Uuid::nil(), 0).of(id, namespace);
        }
        Ok(gone.is_some())
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
                galaxy.local_only.into(),
            ];
            self.put_row("galaxies", &columns, &["enabled"], &args)?;
        }
        Ok(put)
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

    /// Removes a galaxy with its clusters; the tags that stand for them stay, as plain tags.
    pub fn delete_galaxy(&mut self, galaxy: &GalaxyRow) -> Result<()> {
        self.remove_clusters("galaxy_id = $1", galaxy.id)?;
        self.conn.execute("delete from galaxies where id = $1", &[galaxy.id.into()])?;
        self.changed(Noun::Knowledge, Action::Delete, galaxy.uuid, 0).of(galaxy.id, &galaxy.name);
        Ok(())
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
