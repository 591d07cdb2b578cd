//! `galaxies/<kind>.json` and `clusters/<kind>.json`. A cluster file names its galaxy by `type` and carries
//! what all its clusters share (authors, source, version), partly after them: it is read twice.

use super::json::{Bad, Fields, elements, header, object, texts};
use pisax_model::Uuid;
use pisax_model::knowledge::{Cluster, ClusterRelation, Galaxy, cluster_tag};

pub(super) fn read(bytes: &[u8]) -> Result<Galaxy, Bad> {
    let map = object(bytes)?;
    let fields = Fields::new(&map, "");
    let mut kill_chain_order = Vec::new();
    for (tab, phases) in fields.members("kill_chain_order")? {
        let place = || format!("kill_chain_order.{tab}");
        let phases = texts(phases).ok_or_else(|| Bad::at(place(), "is no list of texts"))?;
        kill_chain_order.push((tab.to_owned(), phases));
    }
    Ok(Galaxy {
        uuid: fields.uuid("uuid")?,
        name: fields.required("name")?,
        kind: fields.required("type")?,
        description: fields.text("description")?,
        version: fields.number("version")?.unwrap_or(0),
        icon: fields.text("icon")?,
        namespace: fields.text("namespace")?,
        kill_chain_order,
    })
}

pub(super) fn read_clusters(bytes: &[u8], take: &mut dyn FnMut(Result<Cluster, Bad>) -> bool) {
    let shared = match header(bytes, "values").and_then(|map| Shared::read(Fields::new(&map, ""))) {
        Ok(shared) => shared,
        Err(bad) => {
            take(Err(bad));
            return;
        }
    };
    let each = &mut |index, value| {
        let place = format!("values[{index}]");
        let mut bad_relations = Vec::new();
        let cluster = Fields::of(&value, &place).and_then(|f| cluster(&shared, f, &mut bad_relations));
        bad_relations.into_iter().all(|bad| take(Err(bad))) && take(cluster)
    };
    if let Err(bad) = elements(bytes, "values", each) {
        take(Err(bad));
    }
}

/// What the clusters of a file have in common.
struct Shared {
    uuid: Option<Uuid>,
    kind: String,
    source: String,
    authors: Vec<String>,
    version: i64,
}

impl Shared {
    fn read(fields: Fields<'_>) -> Result<Self, Bad> {
        Ok(Self {
            uuid: fields.get("uuid").map(|_| fields.uuid("uuid")).transpose()?,
            kind: fields.required("type")?,
            source: fields.text("source")?,
            authors: fields.texts("authors")?,
            version: fields.number("version")?.unwrap_or(0),
        })
    }
}

/// A cluster without the relations that lead nowhere: the published library has one.
fn cluster(shared: &Shared, fields: Fields<'_>, bad_relations: &mut Vec<Bad>) -> Result<Cluster, Bad> {
    let value = fields.required("value")?;
    let mut meta = Vec::new();
    for (key, value) in fields.members("meta")? {
        // What is neither text nor list of texts is kept as the JSON it is.
        let values = texts(value).unwrap_or_else(|| vec![value.to_string()]);
        if !value.is_null() {
            meta.push((key.to_owned(), values));
        }
    }
    let mut related = Vec::new();
    for (place, value) in fields.list("related")? {
        match Fields::of(value, &place).and_then(relation) {
            Ok(relation) => related.push(relation),
            Err(bad) => bad_relations.push(bad),
        }
    }
    Ok(Cluster {
        uuid: fields.uuid("uuid")?,
        collection_uuid: shared.uuid,
        description: fields.text("description")?,
        source: shared.source.clone(),
        authors: shared.authors.clone(),
        version: shared.version,
        kind: shared.kind.clone(),
        meta,
        related,
        tag_name: cluster_tag(&shared.kind, &value),
        value,
    })
}

fn relation(fields: Fields<'_>) -> Result<ClusterRelation, Bad> {
    Ok(ClusterRelation {
        dest_uuid: fields.uuid("dest-uuid")?,
        kind: fields.text("type")?,
        tags: fields.texts("tags")?,
    })
}
