//! `/galaxies/…` that change something: switches, import and export, and clusters attached to events, attributes
//! and tag collections.

use crate::answer::Answer;
use crate::cluster_out::Clusters;
use crate::clusters::{each, streamed};
use crate::failure::Failure;
use crate::galaxies::{cluster_columns, galaxy_columns};
use crate::reply::{document, flag_member, member, number_member, saved};
use crate::request::{Request, flag, text, texts};
use pisax_formats::knowledge::stored;
use pisax_model::filter::{ClusterFilter, Terms, Tri};
use pisax_model::ids::Ref;
use pisax_service::attribute::{self, Target};
use pisax_service::knowledge::{self as knowledge, Library};
use pisax_service::{Error, cluster, tag_collection};
use pisax_store::clusters::ClusterRow;
use pisax_store::knowledge::GalaxyRow;
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;
use rustc_hash::FxHashMap;
use serde_json::Value;

const NO_GALAXY: &str = "Invalid galaxy.";

fn galaxy(request: &Request) -> Result<GalaxyRow, Failure> {
    let reference = request.reference(0, NO_GALAXY)?;
    let found = request.service.read(&request.actor, |r| Ok(r.galaxy(reference)?))?;
    found.ok_or(Failure::NotFound(NO_GALAXY))
}

// ---- Switches -----------------------------------------------------------------------------------------

fn switch(request: &Request, on: Option<bool>) -> Result<Answer, Failure> {
    let galaxy = galaxy(request)?;
    let on = on.unwrap_or(!galaxy.enabled);
    knowledge::enable(&request.service, &request.actor, Library::Galaxies, galaxy.id, on)?;
    Ok(saved(request, if on { "Galaxy enabled" } else { "Galaxy disabled" }))
}

/// POST /galaxies/enable/{id|uuid}
pub(crate) fn enable(request: &Request) -> Result<Answer, Failure> {
    switch(request, Some(true))
}

/// POST /galaxies/disable/{id|uuid}
pub(crate) fn disable(request: &Request) -> Result<Answer, Failure> {
    switch(request, Some(false))
}

/// POST /galaxies/toggle/{id|uuid}
pub(crate) fn toggle(request: &Request) -> Result<Answer, Failure> {
    switch(request, None)
}

/// POST /galaxies/delete/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, NO_GALAXY)?;
    knowledge::delete_galaxy(&request.service, &request.actor, reference).map_err(|e| match e {
        Error::NotFound(_) => Failure::NotFound(NO_GALAXY),
        other => other.into(),
    })?;
    Ok(saved(request, "Galaxy deleted"))
}

// ---- Import and export --------------------------------------------------------------------------------

fn take_in(request: &Request, action: &'static str) -> Result<Answer, Failure> {
    let drafts = pisax_wire::read_clusters(&request.body)?;
    let outcome = cluster::import(&request.service, &request.actor, drafts)?;
    let told = format!(
        "{} imported, {} ignored, {} failed. {}",
        outcome.imported,
        outcome.ignored,
        outcome.failed,
        outcome.errors.join(", ")
    );
    if outcome.failed > 0 && outcome.imported == 0 {
        let reason = format!("Could not import galaxy clusters. {told}");
        return Err(Failure::NotSaved { action, model: "Galaxy", reason, id: None });
    }
    Ok(saved(request, &format!("Galaxy clusters imported. {told}")))
}

/// POST /galaxies/import: a list of clusters, each with its galaxy.
pub(crate) fn import(request: &Request) -> Result<Answer, Failure> {
    take_in(request, "import")
}

/// POST /galaxies/pushCluster: the same from a peer.
pub(crate) fn push(request: &Request) -> Result<Answer, Failure> {
    take_in(request, "pushCluster")
}

/// POST /galaxies/export/{id|uuid} `{default, custom, distribution, format}`: MISP's own form, or `misp-galaxy`, which
/// is that of the published libraries.
pub(crate) fn export(request: &Request) -> Result<Answer, Failure> {
    let galaxy = galaxy(request)?;
    let sent = request.unwrapped("Galaxy")?;
    let wanted = |name: &str| flag(&sent, name).unwrap_or(true);
    let filter = ClusterFilter {
        galaxy: Terms::one(galaxy.id.to_string()),
        distribution: Terms { or: texts(&sent, "distribution").unwrap_or_default(), ..Terms::default() },
        custom: match (wanted("default"), wanted("custom")) {
            (true, false) => Tri::Only(false),
            (false, true) => Tri::Only(true),
            _ => Tri::Any,
        },
        ..ClusterFilter::new()
    };
    let mut ids = request.service.read(&request.actor, |r| Ok(r.find_clusters(&filter)?))?;
    if !wanted("default") && !wanted("custom") {
        ids.clear();
    }
    let file = format!("attachment; filename=\"galaxy_{}_{}.json\"", galaxy.uuid, request.now());
    let answer = match text(&sent, "format").as_deref() {
        Some("misp-galaxy") => library(request, &galaxy, ids)?,
        _ => {
            let base_url = request.service.policy.base_url.clone();
            streamed(request, ids, b"[", b"]", move |r, rows, out| {
                let clusters = Clusters::load(r, rows)?;
                each(&clusters.rows, out, |w, row| clusters.write(w, row, &base_url, &[], |_| {}));
                Ok(())
            })
        }
    };
    Ok(answer.header("content-disposition", file))
}

/// A galaxy's clusters as a library file has them: what they share at the top, a value each below.
fn library(request: &Request, galaxy: &GalaxyRow, ids: Vec<i64>) -> Result<Answer, Failure> {
    let rows = request.service.read(&request.actor, |r| Ok(r.clusters_by_ids(&ids)?))?;
    let relations = request.service.read(&request.actor, |r| Ok(r.relations_around(&ids, &[])?))?;
    let mut authors: Vec<String> = rows.iter().flat_map(|row| stored::read_texts(&row.authors)).collect();
    authors.sort_unstable();
    authors.dedup();
    let last = rows.last();
    Ok(document(|w| {
        w.begin_object();
        member(w, "name", &galaxy.name);
        member(w, "type", &galaxy.kind);
        w.key("authors");
        w.begin_array();
        authors.iter().for_each(|author| w.str(author));
        w.end_array();
        w.key("version");
        w.int(rows.iter().map(|row| row.version).max().unwrap_or(0));
        w.key("uuid");
        w.uuid(last.map(|row| row.collection_uuid).filter(|u| !u.is_nil()).unwrap_or(galaxy.uuid));
        member(w, "source", last.map_or("", |row| &row.source));
        w.key("values");
        w.begin_array();
        rows.iter().for_each(|row| write_value(w, row, &relations));
        w.end_array();
        w.end_object();
    }))
}

fn write_value(
    w: &mut JsonWriter<'_>,
    row: &ClusterRow,
    relations: &[pisax_store::cluster_relations::RelationRow],
) {
    w.begin_object();
    member(w, "description", &row.description);
    w.key("uuid");
    w.uuid(row.uuid);
    member(w, "value", &row.value);
    w.key("meta");
    w.raw(if row.meta.is_empty() { b"{}" } else { row.meta.as_bytes() });
    w.key("related");
    w.begin_array();
    let mut write = |uuid, kind: &str, tags: &[String]| {
        w.begin_object();
        w.key("dest-uuid");
        w.uuid(uuid);
        member(w, "type", kind);
        w.key("tags");
        w.begin_array();
        tags.iter().for_each(|tag| w.str(tag));
        w.end_array();
        w.end_object();
    };
    for relation in stored::read_related(&row.related) {
        write(relation.dest_uuid, &relation.kind, &relation.tags);
    }
    for relation in relations.iter().filter(|x| x.cluster_id == row.id) {
        let tags: Vec<String> = relation.tags.iter().map(|tag| tag.name.clone()).collect();
        write(relation.referenced_uuid, &relation.kind, &tags);
    }
    w.end_array();
    w.end_object();
}

/// GET /galaxy_clusters/export_for_misp_galaxy/{id|uuid}
pub(crate) fn export_one(request: &Request) -> Result<Answer, Failure> {
    const INVALID: &str = "Invalid galaxy cluster";
    let reference = request.reference(0, INVALID)?;
    let found = request.service.read(&request.actor, |r| {
        let Some(row) = r.cluster(reference)? else { return Ok(None) };
        let relations = r.relations_around(&[row.id], &[])?;
        Ok(Some((row, relations)))
    })?;
    let (row, relations) = found.ok_or(Failure::NotFound(INVALID))?;
    Ok(document(|w| write_value(w, &row, &relations)))
}

// ---- Forks --------------------------------------------------------------------------------------------

/// How deep a tree of forks of forks is shown.
const DEPTH: usize = 64;

/// GET /galaxies/forkTree/{id|uuid}[/0]: which clusters were forked from which. Unless the second argument is 0, those
/// that have no forks and are none are left out.
pub(crate) fn fork_tree(request: &Request) -> Result<Answer, Failure> {
    let galaxy = galaxy(request)?;
    let prune = request.path.arg(1) != Some("0");
    let rows = request.service.read(&request.actor, |r| Ok(r.clusters(galaxy.id)?))?;
    let known: FxHashMap<_, usize> = rows.iter().enumerate().map(|(i, row)| (row.uuid, i)).collect();
    let mut forks: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
    let mut roots = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let parent = row.owned.as_ref().and_then(|o| o.extends_uuid).and_then(|uuid| known.get(&uuid));
        match parent {
            Some(parent) if *parent != i => forks.entry(*parent).or_default().push(i),
            _ => roots.push(i),
        }
    }
    roots.retain(|root| !prune || forks.contains_key(root));
    let tree = Tree { rows: &rows, forks: &forks, kind: &galaxy.kind };
    Ok(document(|w| {
        w.begin_array();
        w.begin_object();
        w.key("Galaxy");
        w.begin_object();
        galaxy_columns(w, &galaxy);
        w.end_object();
        w.key("children");
        w.begin_array();
        roots.iter().for_each(|root| tree.write(w, *root, DEPTH));
        w.end_array();
        w.end_object();
        w.end_array();
    }))
}

struct Tree<'t> {
    rows: &'t [ClusterRow],
    forks: &'t FxHashMap<usize, Vec<usize>>,
    kind: &'t str,
}

impl Tree<'_> {
    /// One cluster and its forks; those of another version than the present stand below a node that says so.
    fn write(&self, w: &mut JsonWriter<'_>, at: usize, depth: usize) {
        let row = &self.rows[at];
        w.begin_object();
        w.key("GalaxyCluster");
        w.begin_object();
        cluster_columns(w, row, self.kind);
        w.end_object();
        w.key("children");
        w.begin_array();
        let forks = self.forks.get(&at).map(Vec::as_slice).filter(|_| depth > 0).unwrap_or_default();
        for fork in forks {
            let version = self.rows[*fork].owned.as_ref().map_or(0, |o| o.extends_version);
            if version == row.version {
                self.write(w, *fork, depth - 1);
                continue;
            }
            w.begin_object();
            flag_member(w, "isVersion", true);
            flag_member(w, "isLast", false);
            number_member(w, "version", version);
            w.key("parentUuid");
            w.uuid(row.uuid);
            w.key("children");
            w.begin_array();
            self.write(w, *fork, depth - 1);
            w.end_array();
            w.end_object();
        }
        w.end_array();
        w.end_object();
    }
}

// ---- Attaching ----------------------------------------------------------------------------------------

/// What a cluster is put on.
#[derive(Clone, Copy)]
enum Holder {
    Record(Target),
    Collection(Ref),
}

fn holder(id: &str, kind: &str) -> Result<Holder, Failure> {
    let reference = |missing| Ref::parse(id).ok_or(Failure::NotFound(missing));
    Ok(match kind {
        "event" => Holder::Record(Target::Event(reference("Invalid event.")?)),
        "attribute" => Holder::Record(Target::Attribute(reference("Invalid attribute.")?)),
        "tag_collection" => Holder::Collection(reference("Invalid tag_collection.")?),
        _ => {
            return Err(Failure::BadRequest(
                "The target is an event, an attribute or a tag_collection.".into(),
            ));
        }
    })
}

fn not_attached(error: Error) -> Failure {
    match error {
        Error::NotFound("event") => Failure::NotFound("Invalid event."),
        Error::NotFound("attribute") => Failure::NotFound("Invalid attribute."),
        Error::NotFound("tag collection") => Failure::NotFound("Invalid tag_collection."),
        Error::NotFound("cluster") => Failure::NotFound("Invalid Galaxy cluster"),
        Error::Refused(reason) if reason == attribute::LOCAL_SCOPE => Failure::NotAllowed(reason),
        Error::Refused(_) | Error::Forbidden => {
            Failure::Refused("No permission to attach this cluster to given target.".into())
        }
        other => other.into(),
    }
}

fn attach_one(request: &Request, holder: Holder, cluster: &str) -> Result<&'static str, Failure> {
    let local = request.path.flag("local");
    let cluster = Ref::parse(cluster).ok_or(Failure::NotFound("Invalid Galaxy cluster"))?;
    let (service, actor) = (&request.service, &request.actor);
    let new = match holder {
        Holder::Record(target) => attribute::attach_cluster(service, actor, target, cluster, local),
        Holder::Collection(collection) => tag_collection::add_cluster(service, actor, collection, cluster),
    };
    Ok(if new.map_err(not_attached)? { "Cluster attached." } else { "Cluster already attached." })
}

fn kind(request: &Request) -> &str {
    request.path.arg(1).unwrap_or("event")
}

/// POST /galaxies/attachCluster/{target}/{event|attribute|tag_collection}[/local:1] `{"Galaxy":{"target_id":…}}`
pub(crate) fn attach(request: &Request) -> Result<Answer, Failure> {
    let holder = holder(request.path.arg(0).unwrap_or_default(), kind(request))?;
    let sent = request.unwrapped("Galaxy")?;
    let cluster = text(&sent, "target_id").unwrap_or_default();
    Ok(Answer::json(body::tagged(attach_one(request, holder, &cluster)?)))
}

/// Clusters or attributes in one call; more are a mistake.
const MANY: usize = 1000;

/// A list, or a text that holds one in JSON.
fn listed(sent: &Value, name: &str) -> Vec<String> {
    match sent.get(name) {
        Some(Value::String(one)) if one.trim_start().starts_with('[') => {
            let list: Value = serde_json::from_str(one).unwrap_or_default();
            texts(&serde_json::json!({ "list": list }), "list").unwrap_or_default()
        }
        Some(Value::String(one)) if !one.is_empty() => vec![one.clone()],
        _ => texts(sent, name).unwrap_or_default(),
    }
}

/// POST /galaxies/attachMultipleClusters/{target|selected}/{type}[/local:1] `{"Galaxy":{"target_ids":[…]}}`
pub(crate) fn attach_many(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Galaxy")?;
    let clusters = listed(&sent, "target_ids");
    if clusters.is_empty() {
        return Ok(Answer::json(body::not_tagged("No clusters picked.")));
    }
    let targets = match request.path.arg(0) {
        Some("selected") => listed(&sent, "attribute_ids"),
        one => one.map(str::to_owned).into_iter().collect(),
    };
    if clusters.len().saturating_mul(targets.len()) > MANY {
        return Err(Failure::BadRequest(format!("At most {MANY} clusters are attached in one call.")));
    }
    let mut told = "Cluster already attached.";
    for target in &targets {
        let holder = holder(target, kind(request))?;
        for cluster in &clusters {
            told = attach_one(request, holder, cluster)?;
        }
    }
    Ok(Answer::json(body::tagged(told)))
}

/// POST /galaxy_clusters/detach/{target}/{event|attribute|tag_collection}/{tag id}
pub(crate) fn detach(request: &Request) -> Result<Answer, Failure> {
    let holder = holder(request.path.arg(0).unwrap_or_default(), kind(request))?;
    let tag = request.path.arg(2).unwrap_or_default();
    let (service, actor) = (&request.service, &request.actor);
    let gone = match holder {
        Holder::Record(target) => attribute::untag(service, actor, target, &[tag.to_owned()]).map(|_| true),
        Holder::Collection(collection) => tag_collection::remove_tag(service, actor, collection, tag),
    };
    match gone {
        Ok(true) => Ok(Answer::json(body::tagged("Galaxy successfully detached."))),
        Ok(false) | Err(Error::NotFound("tag")) => Err(Failure::NotFound("Galaxy not attached.")),
        Err(Error::Refused(reason)) if reason.ends_with("is not attached.") => {
            Err(Failure::NotFound("Galaxy not attached."))
        }
        Err(other) => Err(not_attached(other)),
    }
}
