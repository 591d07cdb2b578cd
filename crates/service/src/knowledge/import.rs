//! Libraries into the database, a few megabytes at a time.

use super::load_warninglists;
use crate::{Error, Result, Service};
use pisax_access::Actor;
use pisax_formats::knowledge::{self, Item, ReadError, Report, stored};
use pisax_model::Uuid;
use pisax_model::knowledge::{Cluster, Galaxy, ObjectTemplate, Taxonomy, Warninglist};
use pisax_store::Writer;
use pisax_store::knowledge::{ClusterRow, GalaxyRow, TemplateRow, WarninglistRow};
use std::path::Path;

/// What an import did.
#[derive(Debug)]
pub struct Imported {
    /// What was read, and what could not be.
    pub report: Report,
    /// How many items were new or newer than those here.
    pub changed: usize,
}

/// Text written by one transaction: enough for the commit not to count, little enough for others not to wait.
const BATCH_BYTES: usize = 4 << 20;

/// Takes in a wheel, a folder of them or a checkout; items that are here already in this version stay as they
/// are. `progress` hears how many items were read.
pub fn import(service: &Service, path: &Path, progress: &mut dyn FnMut(usize)) -> Result<Imported> {
    let mut importer = Importer {
        service,
        actor: Actor::system("import knowledge"),
        pending: Vec::new(),
        bytes: 0,
        changed: 0,
        warninglists: false,
    };
    let mut read = 0;
    let report = knowledge::read(path, &mut |item| {
        read += 1;
        progress(read);
        importer.take(item)
    })
    .map_err(|error| match error {
        ReadError::Sink(error) => error,
        other => Error::Refused(other.to_string()),
    })?;
    importer.flush()?;
    if importer.warninglists {
        load_warninglists(service)?;
    }
    Ok(Imported { report, changed: importer.changed })
}

/// What is waiting to be written.
enum Work {
    Taxonomy(Taxonomy),
    Galaxy(Galaxy),
    /// All clusters of one galaxy: a file has them together, and they are replaced together.
    Clusters(Vec<Cluster>),
    Template(ObjectTemplate),
    Warninglist(Warninglist),
}

struct Importer<'a> {
    service: &'a Service,
    actor: Actor,
    pending: Vec<Work>,
    bytes: usize,
    changed: usize,
    warninglists: bool,
}

impl Importer<'_> {
    fn take(&mut self, item: Item) -> Result<()> {
        if let Item::Cluster(cluster) = item {
            return self.take_cluster(cluster);
        }
        self.flush_full()?;
        let (bytes, work) = match item {
            Item::Taxonomy(t) => {
                (t.predicates.iter().map(|p| 200 * (1 + p.entries.len())).sum(), Work::Taxonomy(t))
            }
            Item::Galaxy(g) => (g.description.len(), Work::Galaxy(g)),
            Item::ObjectTemplate(t) => (t.raw.len(), Work::Template(t)),
            Item::Warninglist(l) => (l.list.iter().map(|e| e.len() + 1).sum(), Work::Warninglist(l)),
            // Words for arrows are free text; there is nothing to look them up for.
            Item::RelationshipType(_) | Item::Cluster(_) => return Ok(()),
        };
        self.bytes += bytes;
        self.pending.push(work);
        Ok(())
    }

    fn take_cluster(&mut self, cluster: Cluster) -> Result<()> {
        let meta: usize = cluster.meta.iter().flat_map(|(_, values)| values).map(String::len).sum();
        self.bytes += cluster.description.len() + meta + 200;
        match self.pending.last_mut() {
            Some(Work::Clusters(list)) if list.last().is_some_and(|last| last.kind == cluster.kind) => {
                list.push(cluster);
            }
            _ => {
                self.flush_full()?;
                self.pending.push(Work::Clusters(vec![cluster]));
            }
        }
        Ok(())
    }

    fn flush_full(&mut self) -> Result<()> {
        if self.bytes < BATCH_BYTES { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        self.bytes = 0;
        if pending.is_empty() {
            return Ok(());
        }
        let (changed, warninglists) = self.service.write(&self.actor, |w| {
            let (mut changed, mut warninglists) = (0, false);
            for work in &pending {
                let count = put(w, work)?;
                changed += count;
                warninglists |= count > 0 && matches!(work, Work::Warninglist(_));
            }
            Ok((changed, warninglists))
        })?;
        self.changed += changed;
        self.warninglists |= warninglists;
        Ok(())
    }
}

/// Writes it, unless what is here is as new; returns how many items changed.
fn put(w: &mut Writer<'_>, work: &Work) -> Result<usize> {
    let put = match work {
        Work::Taxonomy(t) => {
            let body = stored::taxonomy_text(t);
            w.put_taxonomy(&t.namespace, &t.description, t.version, t.exclusive, &body)?
        }
        Work::Galaxy(g) => w.put_galaxy(&galaxy_row(g))?,
        Work::Clusters(list) => return put_clusters(w, list),
        Work::Template(t) => w.put_template(&template_row(t))?,
        Work::Warninglist(l) => {
            let mut entries = String::with_capacity(l.list.iter().map(|e| e.len() + 1).sum());
            for entry in l.list.iter() {
                entries.push_str(entry);
                entries.push('\n');
            }
            w.put_warninglist(&warninglist_row(l), &entries)?
        }
    };
    Ok(usize::from(put.changed))
}

/// A galaxy and the file of its clusters have versions of their own.
fn put_clusters(w: &mut Writer<'_>, list: &[Cluster]) -> Result<usize> {
    let Some(first) = list.first() else { return Ok(0) };
    let Some(galaxy) = w.galaxies()?.into_iter().find(|g| g.kind == first.kind) else {
        tracing::warn!(
            kind = first.kind,
            clusters = list.len(),
            "clusters of a galaxy that is not known were left out"
        );
        return Ok(0);
    };
    let newest = w.library_version(galaxy.id)?;
    if newest.is_some_and(|version| version >= first.version) {
        return Ok(0);
    }
    let rows: Vec<ClusterRow> = list.iter().map(|c| cluster_row(galaxy.id, c)).collect();
    Ok(w.put_clusters(galaxy.id, &rows)?)
}

fn galaxy_row(galaxy: &Galaxy) -> GalaxyRow {
    GalaxyRow {
        id: 0,
        uuid: galaxy.uuid,
        name: galaxy.name.clone(),
        kind: galaxy.kind.clone(),
        description: galaxy.description.clone(),
        version: galaxy.version,
        icon: galaxy.icon.clone(),
        namespace: galaxy.namespace.clone(),
        enabled: true,
        local_only: false,
        kill_chain_order: stored::kill_chain_text(galaxy),
    }
}

fn cluster_row(galaxy_id: i64, cluster: &Cluster) -> ClusterRow {
    ClusterRow {
        id: 0,
        uuid: cluster.uuid,
        galaxy_id,
        collection_uuid: cluster.collection_uuid.unwrap_or(Uuid::nil()),
        tag_name: cluster.tag_name.clone(),
        value: cluster.value.clone(),
        description: cluster.description.clone(),
        source: cluster.source.clone(),
        authors: stored::texts_text(&cluster.authors),
        version: cluster.version,
        meta: stored::meta_text(cluster),
        related: stored::related_text(cluster),
        owned: None,
    }
}

fn template_row(template: &ObjectTemplate) -> TemplateRow {
    TemplateRow {
        id: 0,
        uuid: template.uuid,
        name: template.name.clone(),
        meta_category: template.meta_category.clone(),
        description: template.description.clone(),
        version: template.version,
        active: true,
        raw: template.raw.clone(),
    }
}

/// New lists are off, as in MISP: which hits are noise is for the operator to say.
fn warninglist_row(list: &Warninglist) -> WarninglistRow {
    WarninglistRow {
        id: 0,
        name: list.name.clone(),
        kind: list.kind.name().to_owned(),
        description: list.description.clone(),
        version: list.version,
        category: list.category.name().to_owned(),
        enabled: false,
        types: stored::texts_text(&list.matching_attributes),
        entry_count: list.list.len() as i64,
        default: true,
    }
}
