//! The published libraries: `pytaxonomies`, `pymispgalaxies`, `pymispwarninglists` and the object templates
//! in `pymisp`, as wheels, unpacked, or as checkouts of the misp-* repositories they are made from.
//!
//! What a file is follows from its place (`…/lists/<name>/list.json`), so one path may hold any of them. One
//! file is in memory at a time, and its items are handed over one by one.

pub mod builtin;
mod galaxy;
mod json;
mod source;
pub mod stored;
mod taxonomy;
mod template;
#[cfg(test)]
mod tests;
mod warninglist;

use json::Bad;
use pisax_model::knowledge::{Cluster, Galaxy, ObjectTemplate, RelationshipType, Taxonomy, Warninglist};
use source::Source;
use std::io;
use std::path::{Path, PathBuf};

/// The four libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Package {
    Taxonomies,
    Galaxies,
    ObjectTemplates,
    Warninglists,
}

impl Package {
    pub const ALL: [Self; 4] = [Self::Taxonomies, Self::Galaxies, Self::ObjectTemplates, Self::Warninglists];

    /// For readers: `taxonomies`, `galaxies`, …
    pub fn name(self) -> &'static str {
        match self {
            Self::Taxonomies => "taxonomies",
            Self::Galaxies => "galaxies",
            Self::ObjectTemplates => "object templates",
            Self::Warninglists => "warninglists",
        }
    }

    /// The package on PyPI that carries it.
    pub fn pypi(self) -> &'static str {
        match self {
            Self::Taxonomies => "pytaxonomies",
            Self::Galaxies => "pymispgalaxies",
            Self::ObjectTemplates => "pymisp",
            Self::Warninglists => "pymispwarninglists",
        }
    }
}

/// One thing found. A galaxy comes before its clusters.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Taxonomy(Taxonomy),
    Galaxy(Galaxy),
    Cluster(Cluster),
    ObjectTemplate(ObjectTemplate),
    RelationshipType(RelationshipType),
    Warninglist(Warninglist),
}

/// How many of each were handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub taxonomies: usize,
    pub galaxies: usize,
    pub clusters: usize,
    pub object_templates: usize,
    pub relationship_types: usize,
    pub warninglists: usize,
}

impl Counts {
    fn count(&mut self, item: &Item) {
        *match item {
            Item::Taxonomy(_) => &mut self.taxonomies,
            Item::Galaxy(_) => &mut self.galaxies,
            Item::Cluster(_) => &mut self.clusters,
            Item::ObjectTemplate(_) => &mut self.object_templates,
            Item::RelationshipType(_) => &mut self.relationship_types,
            Item::Warninglist(_) => &mut self.warninglists,
        } += 1;
    }
}

/// A wheel or folder that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    pub packages: Vec<Package>,
    /// From the wheel's own metadata or its file name: `pytaxonomies`, `2.1.2`.
    pub name: Option<String>,
    pub version: Option<String>,
}

/// Something that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// Where in the file: `values[3].uuid`; empty for the file as a whole.
    pub field: String,
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, field, message } = self;
        if field.is_empty() {
            write!(f, "{file}: {message}")
        } else {
            write!(f, "{file}: {field}: {message}")
        }
    }
}

/// What [`read`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub found: Vec<Found>,
    pub counts: Counts,
    /// The first [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
}

/// Problems kept: a hostile file has no right to fill the memory with its own.
pub const MAX_PROBLEMS: usize = 1_000;

#[derive(Debug, thiserror::Error)]
pub enum ReadError<E> {
    #[error("{path}: {source}", path = path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("{path}: neither taxonomies, galaxies, object templates nor warninglists in it", path = .0.display())]
    NothingFound(PathBuf),
    /// Whoever took the items stopped.
    #[error(transparent)]
    Sink(E),
}

/// What a file holds, by its place. The order is the order of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Taxonomy,
    Galaxy,
    Clusters,
    ObjectTemplate,
    RelationshipTypes,
    Warninglist,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        let mut parts = name.rsplit('/');
        let (file, folder, above) = (parts.next()?, parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        Some(match (file, folder, above) {
            ("machinetag.json", ..) => Self::Taxonomy,
            ("definition.json", "relationships", _) => Self::RelationshipTypes,
            ("definition.json", _, "objects") => Self::ObjectTemplate,
            ("list.json", _, "lists") => Self::Warninglist,
            (file, "galaxies", _) if file.ends_with(".json") => Self::Galaxy,
            (file, "clusters", _) if file.ends_with(".json") => Self::Clusters,
            _ => return None,
        })
    }

    fn package(self) -> Package {
        match self {
            Self::Taxonomy => Package::Taxonomies,
            Self::Galaxy | Self::Clusters => Package::Galaxies,
            Self::ObjectTemplate | Self::RelationshipTypes => Package::ObjectTemplates,
            Self::Warninglist => Package::Warninglists,
        }
    }
}

/// Reads a wheel, a zip or a folder (unpacked package, checkout, or several wheels) and hands every item to
/// `sink`. A file that cannot be read is reported and the rest goes on; an error of `sink` ends it.
pub fn read<E>(path: &Path, sink: &mut dyn FnMut(Item) -> Result<(), E>) -> Result<Report, ReadError<E>> {
    let open_error = |source| ReadError::Open { path: path.to_owned(), source };
    let mut report = Report::default();
    for mut source in source::open(path).map_err(open_error)? {
        match &mut source {
            Ok(source) => read_source(source, &mut report, sink).map_err(ReadError::Sink)?,
            Err((file, error)) if file == path => {
                let source = io::Error::new(error.kind(), error.to_string());
                return Err(ReadError::Open { path: path.to_owned(), source });
            }
            Err((file, error)) => {
                report.problem(&file.display().to_string(), Bad::file(error.to_string()));
            }
        }
    }
    if report.found.is_empty() && report.problems.is_empty() {
        return Err(ReadError::NothingFound(path.to_owned()));
    }
    Ok(report)
}

fn read_source<E>(
    source: &mut Source,
    report: &mut Report,
    sink: &mut dyn FnMut(Item) -> Result<(), E>,
) -> Result<(), E> {
    let mut files: Vec<(Kind, String)> =
        source.names().filter_map(|name| Some((Kind::of(name)?, name.to_owned()))).collect();
    if files.is_empty() {
        return Ok(());
    }
    files.sort();
    let mut packages: Vec<Package> = files.iter().map(|(kind, _)| kind.package()).collect();
    packages.dedup();
    let (name, version) = source.name_and_version();
    report.found.push(Found { path: source.path().to_owned(), packages, name, version });
    for (kind, name) in files {
        match source.read(&name) {
            Ok(bytes) => read_file(kind, &name, &bytes, report, sink)?,
            Err(error) => report.problem(&name, Bad::file(error.to_string())),
        }
    }
    Ok(())
}

fn read_file<E>(
    kind: Kind,
    name: &str,
    bytes: &[u8],
    report: &mut Report,
    sink: &mut dyn FnMut(Item) -> Result<(), E>,
) -> Result<(), E> {
    let mut refused = None;
    // `false`: stop reading this file.
    let mut take = |outcome: Result<Item, Bad>| match outcome {
        Ok(item) => {
            report.counts.count(&item);
            refused = sink(item).err();
            refused.is_none()
        }
        Err(bad) => {
            report.problem(name, bad);
            true
        }
    };
    match kind {
        Kind::Taxonomy => {
            take(taxonomy::read(bytes).map(Item::Taxonomy));
        }
        Kind::Galaxy => {
            take(galaxy::read(bytes).map(Item::Galaxy));
        }
        Kind::ObjectTemplate => {
            take(template::read(bytes).map(Item::ObjectTemplate));
        }
        Kind::Warninglist => {
            take(warninglist::read(bytes).map(Item::Warninglist));
        }
        Kind::Clusters => galaxy::read_clusters(bytes, &mut |cluster| take(cluster.map(Item::Cluster))),
        Kind::RelationshipTypes => {
            template::read_relationships(bytes, &mut |word| take(word.map(Item::RelationshipType)));
        }
    }
    refused.map_or(Ok(()), Err)
}

impl Report {
    fn problem(&mut self, file: &str, bad: Bad) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { file: file.to_owned(), field: bad.field, message: bad.message });
        }
    }
}
