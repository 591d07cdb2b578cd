//! `/galaxy_clusters/…`

use crate::answer::{Answer, Sink, Stop};
use crate::cluster_out::Clusters;
use crate::failure::Failure;
use crate::galaxies::cluster_columns;
use crate::knowledge::write_elements;
use crate::reply::{document, number_member, saved, spaced};
use crate::request::{Request, flag, text};
use pisax_model::filter::{ClusterFilter, ClusterKey, ClusterOrder, Terms, Tri};
use pisax_model::ids::Ref;
use pisax_service::{Error, cluster as service};
use pisax_store::Reader;
use pisax_store::clusters::ClusterRow;
use pisax_wire::JsonWriter;
use std::sync::Arc;

const INVALID: &str = "Invalid galaxy cluster";
const NO_GALAXY: &str = "Invalid galaxy";
/// Clusters read and written at a time.
const BATCH: usize = 200;
/// Relations of libraries to one cluster that a view shows.
const INCOMING: i64 = 500;

/// Refusals in MISP's words: a foreign cluster is 405, what cannot be saved 403.
pub(crate) fn refused(action: &'static str) -> impl Fn(Error) -> Failure {
    move |error| match error {
        Error::NotFound("cluster") => Failure::NotFound(INVALID),
        Error::NotFound("galaxy") => Failure::NotFound(NO_GALAXY),
        Error::NotFound("forked cluster") => Failure::NotFound("Forked cluster not found."),
        Error::Forbidden => {
            Failure::NotAllowed("Only the creator organisation can modify the galaxy cluster".into())
        }
        Error::Refused(reason) => Failure::NotSaved { action, model: "GalaxyCluster", reason, id: None },
        Error::Invalid(errors) => Failure::Invalid { action, model: "GalaxyCluster", errors, id: None },
        other => other.into(),
    }
}

/// Clusters of libraries are read-only; that is said before anything else.
fn no_default(request: &Request, reference: Ref, verb: &str) -> Result<(), Failure> {
    let found = request.service.read(&request.actor, |r| Ok(r.cluster(reference)?))?;
    let row = found.ok_or(Failure::NotFound(INVALID))?;
    if row.owned.is_some() {
        return Ok(());
    }
    Err(Failure::NotAllowed(format!("Default galaxy cluster cannot be {verb}")))
}

/// GET|POST /galaxy_clusters/index/{galaxy} `{context, searchall}`
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let galaxy = request.reference(0, NO_GALAXY)?;
    let sent = request.unwrapped("GalaxyCluster")?;
    let said = |name: &str| {
        let named = request.path.named(name).map(spaced);
        named.or_else(|| text(&sent, name)).filter(|t| !t.trim().is_empty())
    };
    let org = Terms::one(request.actor.org_id.to_string());
    let mut filter = ClusterFilter {
        galaxy: Terms::one(galaxy.to_string()),
        search: said("searchall"),
        order: vec![
            ClusterOrder { key: ClusterKey::Version, descending: true },
            ClusterOrder { key: ClusterKey::Value, descending: false },
        ],
        ..ClusterFilter::new()
    };
    match said("context").as_deref() {
        Some("default") => filter.custom = Tri::Only(false),
        Some("custom") => filter.custom = Tri::Only(true),
        Some("org") => filter.org = org,
        Some("orgc") => filter.orgc = org,
        Some("deleted") => filter.deleted = Tri::Only(true),
        _ => {}
    }
    let (galaxy, ids) = request
        .service
        .read(&request.actor, |r| {
            let galaxy = r.galaxy(galaxy)?.ok_or(Error::NotFound("galaxy"))?;
            Ok((galaxy, r.find_clusters(&filter)?))
        })
        .map_err(refused("index"))?;
    let number = |name: &str| said(name).and_then(|n| n.parse::<i64>().ok()).filter(|n| *n > 0);
    let total = ids.len();
    let ids = page(ids, number("limit"), number("page").unwrap_or(1));
    let answer = streamed(request, ids, b"[", b"]", move |_, rows, out| {
        each(&rows, out, |w, row| {
            w.begin_object();
            w.key("GalaxyCluster");
            w.begin_object();
            cluster_columns(w, row, &galaxy.kind);
            w.end_object();
            write_elements(w, row, &mut 0);
            w.end_object();
        });
        Ok(())
    });
    Ok(answer.header("x-result-count", total))
}

/// GET /galaxy_clusters/view/{id|uuid}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    viewed(request, request.reference(0, INVALID)?)
}

fn viewed(request: &Request, reference: Ref) -> Result<Answer, Failure> {
    let found = request.service.read(&request.actor, |r| {
        let Some(row) = r.cluster(reference)? else { return Ok(None) };
        let tag = match r.tag_named(&row.tag_name)? {
            Some(tag) => r.counted_tag(tag.id)?,
            None => None,
        };
        let others = r.library_clusters_related_to(&row.uuid, INCOMING)?;
        Ok(Some((Clusters::load(r, vec![row])?, tag, others)))
    })?;
    let (clusters, tag, others) = found.ok_or(Failure::NotFound(INVALID))?;
    let row = &clusters.rows[0];
    let incoming = Clusters::towards(row, &others);
    Ok(document(|w| {
        clusters.write(w, row, &request.service.policy.base_url, &incoming, |w| {
            if let Some(tag) = &tag {
                w.key("tag_count");
                w.int(tag.events);
                number_member(w, "tag_id", tag.tag.id);
            }
        });
    }))
}

/// POST /galaxy_clusters/add/{galaxy}[/forkUuid:…]
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let galaxy = request.reference(0, NO_GALAXY)?;
    let named = |name: &str| request.path.named(name);
    // PyMISP spells it as MISP does not.
    let fork = match named("forkUuid").or_else(|| named("forkUUID")).or_else(|| named("fork_uuid")) {
        Some(text) => Some(Ref::parse(text).ok_or(Failure::NotFound("Forked cluster not found."))?),
        None => None,
    };
    let draft = pisax_wire::read_cluster(&request.body)?;
    let id = service::add(&request.service, &request.actor, galaxy, draft, fork).map_err(refused("add"))?;
    viewed(request, Ref::Id(id))
}

/// POST /galaxy_clusters/edit/{id|uuid}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    no_default(request, reference, "edited")?;
    let draft = pisax_wire::read_cluster(&request.body)?;
    let id = service::edit(&request.service, &request.actor, reference, draft).map_err(refused("edit"))?;
    viewed(request, Ref::Id(id))
}

/// POST /galaxy_clusters/publish/{id|uuid}
pub(crate) fn publish(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    no_default(request, reference, "published")?;
    service::publish(&request.service, &request.actor, reference).map_err(impossible)?;
    Ok(saved(request, "Galaxy cluster published"))
}

/// POST /galaxy_clusters/unpublish/{id|uuid}
pub(crate) fn unpublish(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    no_default(request, reference, "unpublished")?;
    service::unpublish(&request.service, &request.actor, reference).map_err(impossible)?;
    Ok(saved(request, "Galaxy cluster unpublished"))
}

/// Publishing what is published is 405.
fn impossible(error: Error) -> Failure {
    match error {
        Error::Refused(reason) => Failure::NotAllowed(reason),
        other => refused("publish")(other),
    }
}

/// POST /galaxy_clusters/delete/{id|uuid}[/1] `{hard}`
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    no_default(request, reference, "deleted")?;
    let sent = request.unwrapped("GalaxyCluster")?;
    let hard = flag(&sent, "hard").unwrap_or(false)
        || request.path.arg(1).is_some_and(|a| matches!(a, "1" | "true"));
    service::remove(&request.service, &request.actor, reference, hard).map_err(refused("delete"))?;
    let (how, more) = if hard { ("hard", " and added to the block list") } else { ("soft", "") };
    Ok(saved(request, &format!("Galaxy cluster successfuly {how} deleted{more}.")))
}

/// POST /galaxy_clusters/restore/{id|uuid}
pub(crate) fn restore(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    no_default(request, reference, "restored")?;
    service::restore(&request.service, &request.actor, reference).map_err(refused("restore"))?;
    Ok(saved(request, "GalaxyCluster restored"))
}

/// GET|POST /galaxy_clusters/restSearch
pub(crate) fn search(request: &Request) -> Result<Answer, Failure> {
    let search = pisax_wire::read_cluster_search(&request.body, &request.path.named)?;
    let ids = request.service.read(&request.actor, |r| Ok(r.find_clusters(&search.filter)?))?;
    let total = ids.len();
    if search.count {
        return Ok(document(|w| {
            w.begin_object();
            w.key("response");
            w.begin_array();
            w.int(total as i64);
            w.end_array();
            w.end_object();
        }));
    }
    let ids = page(ids, search.limit, search.page);
    let base_url = request.service.policy.base_url.clone();
    let answer = streamed(request, ids, b"{\"response\":[", b"]}", move |r, rows, out| {
        if search.minimal {
            each(&rows, out, |w, row| {
                w.begin_object();
                w.key("GalaxyCluster");
                w.begin_object();
                w.key("uuid");
                w.uuid(row.uuid);
                number_member(w, "version", row.version);
                w.end_object();
                w.end_object();
            });
            return Ok(());
        }
        let clusters = Clusters::load(r, rows)?;
        each(&clusters.rows, out, |w, row| clusters.write(w, row, &base_url, &[], |_| {}));
        Ok(())
    });
    Ok(answer.header("x-result-count", total))
}

/// The part of a result that was asked for.
pub(crate) fn page(ids: Vec<i64>, limit: Option<i64>, page: i64) -> Vec<i64> {
    let Some(limit) = limit.and_then(|l| usize::try_from(l).ok()) else { return ids };
    let skip = usize::try_from(page.max(1) - 1).unwrap_or(usize::MAX).saturating_mul(limit);
    ids.into_iter().skip(skip).take(limit).collect()
}

/// Rows as JSON, with commas between them.
pub(crate) fn each(rows: &[ClusterRow], out: &mut Vec<u8>, write: impl Fn(&mut JsonWriter<'_>, &ClusterRow)) {
    for (n, row) in rows.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        write(&mut JsonWriter::new(out), row);
    }
}

/// A long answer, batch by batch: `write` puts a batch into a buffer.
pub(crate) fn streamed(
    request: &Request,
    ids: Vec<i64>,
    open: &'static [u8],
    close: &'static [u8],
    write: impl Fn(&mut Reader<'_>, Vec<ClusterRow>, &mut Vec<u8>) -> Result<(), Error> + Send + 'static,
) -> Answer {
    let (service, actor) = (Arc::clone(&request.service), request.actor.clone());
    Answer::stream(move |sink: &mut Sink| {
        sink.buffer().extend_from_slice(open);
        let mut first = true;
        for chunk in ids.chunks(BATCH) {
            let mut out = Vec::new();
            service.read(&actor, |r| {
                let rows = r.clusters_by_ids(chunk)?;
                write(r, rows, &mut out)
            })?;
            if !out.is_empty() {
                if !std::mem::take(&mut first) {
                    sink.buffer().push(b',');
                }
                sink.buffer().extend_from_slice(&out);
            }
            sink.flush_full()?;
        }
        sink.buffer().extend_from_slice(close);
        Ok::<(), Stop>(())
    })
}
