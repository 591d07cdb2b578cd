//! `/analyst_data/…`: notes, opinions and relationships.

use crate::analyst_tree::{AnalystTree, related};
use crate::answer::{Answer, Sink};
use crate::failure::Failure;
use crate::reply::{document, saved, wrapped};
use crate::request::{Request, number, text, texts};
use pisax_model::Uuid;
use pisax_model::analyst::{AnalystDraft, AnalystKind, TargetKind};
use pisax_model::ids::Ref;
use pisax_service::Error;
use pisax_service::analyst as service;
use pisax_store::analyst::AnalystQuery;
use pisax_wire::JsonWriter;
use pisax_wire::analyst_out::AnalystShape;
use pisax_wire::answer as body;
use std::sync::Arc;

/// Rows read at a time.
const BATCH: i64 = 500;

/// The kind named in the path; none for `all`.
fn kind(request: &Request) -> Result<Option<AnalystKind>, Failure> {
    match request.path.arg(0) {
        Some("all") => Ok(None),
        // MISP's default.
        None => Ok(Some(AnalystKind::Note)),
        Some(name) => match AnalystKind::from_name(name) {
            Some(kind) => Ok(Some(kind)),
            None => Err(Failure::NotAllowed("Invalid type.".into())),
        },
    }
}

fn one_kind(request: &Request) -> Result<AnalystKind, Failure> {
    kind(request)?.ok_or_else(|| Failure::NotAllowed("Invalid type.".into()))
}

/// What a missing one is called.
fn invalid(kind: Option<AnalystKind>) -> &'static str {
    match kind {
        None => "Invalid UUID",
        Some(AnalystKind::Note) => "Invalid Note.",
        Some(AnalystKind::Opinion) => "Invalid Opinion.",
        Some(AnalystKind::Relationship) => "Invalid Relationship.",
    }
}

fn failure(kind: Option<AnalystKind>, action: &'static str) -> impl Fn(Error) -> Failure {
    move |e| match e {
        Error::NotFound("analyst data") => Failure::NotFound(invalid(kind)),
        // 405 in MISP, unlike elsewhere.
        Error::Forbidden => Failure::NotAllowed(body::NOT_AUTHORISED.into()),
        Error::Invalid(errors) => {
            let model = kind.map_or("AnalystData", AnalystKind::name);
            Failure::Invalid { action, model, errors, id: None }
        }
        other => other.into(),
    }
}

/// `{"Note":{…}}` of one that is there.
fn answer(
    request: &Request,
    kind: Option<AnalystKind>,
    reference: Ref,
    shape: AnalystShape,
) -> Result<Answer, Failure> {
    let found = request.service.read(&request.actor, |r| match r.analyst_data(kind, reference)? {
        Some(data) => {
            let tree = AnalystTree::around(r, std::slice::from_ref(&data))?;
            Ok(Some((data, tree)))
        }
        None => Ok(None),
    })?;
    let (data, tree) = found.ok_or(Failure::NotFound(invalid(kind)))?;
    Ok(wrapped(data.kind.name(), |w| tree.write(w, &data, shape)))
}

/// GET /analyst_data/view/{Type|all}/{id|uuid}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let kind = kind(request)?;
    let reference = request.reference(1, invalid(kind))?;
    answer(request, kind, reference, AnalystShape::Viewed)
}

/// GET /analyst_data/getChildren/{Type}/{uuid}: one with what was said about it.
pub(crate) fn children(request: &Request) -> Result<Answer, Failure> {
    let kind = one_kind(request)?;
    let reference = request.reference(1, invalid(Some(kind)))?;
    let found = request.service.read(&request.actor, |r| match r.analyst_data(Some(kind), reference)? {
        Some(data) => {
            let tree = AnalystTree::around(r, std::slice::from_ref(&data))?;
            Ok(Some((data, tree)))
        }
        None => Ok(None),
    })?;
    Ok(match found {
        Some((data, tree)) => document(|w| tree.write(w, &data, AnalystShape::Short)),
        None => Answer::json(b"[]".to_vec()),
    })
}

/// GET /analyst_data/getRelatedElement/{Type}/{uuid}: what a relationship would point at.
pub(crate) fn related_element(request: &Request) -> Result<Answer, Failure> {
    let kind = request.path.arg(0).and_then(TargetKind::from_name);
    let kind = kind.ok_or_else(|| Failure::NotAllowed("Invalid type.".into()))?;
    let found = match request.path.arg(1).and_then(Ref::parse) {
        Some(Ref::Uuid(uuid)) => {
            request.service.read(&request.actor, |r| Ok(related(r, &[(kind, uuid)])?.remove(&uuid)))?
        }
        _ => None,
    };
    Ok(Answer::json(found.unwrap_or_else(|| b"[]".to_vec())))
}

/// POST /analyst_data/add/{Type}[/{object_uuid}[/{object_type}]]
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let kind = one_kind(request)?;
    let mut draft = pisax_wire::read_analyst_data(kind, &request.body)?;
    if let Some(named) = request.path.arg(1) {
        draft.object_uuid = match Ref::parse(named) {
            Some(Ref::Uuid(uuid)) => Some(uuid),
            _ => None,
        };
    }
    if let Some(named) = request.path.arg(2) {
        draft.object_type = Some(named.to_owned());
    }
    let id = service::add(&request.service, &request.actor, draft).map_err(|e| match e {
        Error::Forbidden => Failure::NoPermission,
        other => failure(Some(kind), "add")(other),
    })?;
    answer(request, Some(kind), Ref::Id(id), AnalystShape::Whole)
}

/// POST /analyst_data/edit/{Type|all}/{id|uuid}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let named = kind(request)?;
    let reference = request.reference(1, invalid(named))?;
    let found = request.service.read(&request.actor, |r| Ok(r.analyst_data(named, reference)?))?;
    let kind = found.ok_or(Failure::NotFound(invalid(named)))?.kind;
    let draft: AnalystDraft = pisax_wire::read_analyst_data(kind, &request.body)?;
    let id = service::edit(&request.service, &request.actor, Some(kind), reference, draft)
        .map_err(failure(Some(kind), "edit"))?;
    answer(request, Some(kind), Ref::Id(id), AnalystShape::Whole)
}

/// POST /analyst_data/delete/{Type|all}/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let kind = kind(request)?;
    let reference = request.reference(1, invalid(kind))?;
    let gone = service::remove(&request.service, &request.actor, kind, reference)
        .map_err(failure(kind, "delete"))?;
    Ok(saved(request, &format!("{} deleted.", gone.kind.name())))
}

/// GET|POST /analyst_data/index/{Type}[/uuid[]:…][/limit:…/page:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let kind = one_kind(request)?;
    let sent = request.unwrapped(kind.name())?;
    let mut wanted: Vec<String> = texts(&sent, "uuid").unwrap_or_default();
    wanted.extend(named_list(request, "uuid"));
    let uuids: Vec<Uuid> = wanted.iter().filter_map(|text| Uuid::try_parse(text.trim()).ok()).collect();
    if !wanted.is_empty() && uuids.is_empty() {
        return Ok(Answer::json(b"[]".to_vec()));
    }
    let about =
        request.path.named("target_object").map(str::to_owned).or_else(|| text(&sent, "target_object"));
    let about = about.and_then(|text| Uuid::try_parse(&text).ok());
    let paging = |name: &str| {
        let named = request.path.named(name).and_then(|v| v.parse().ok());
        named.or_else(|| number(&sent, name)).filter(|n: &i64| *n > 0)
    };
    let query = AnalystQuery {
        kind,
        uuids,
        about,
        limit: paging("limit").map(|limit| limit.min(10_000)),
        page: paging("page").unwrap_or(1),
        after: 0,
    };
    Ok(listed(request, query))
}

/// Values of `name[]:…` and `name:a|b` in the path and query.
fn named_list(request: &Request, name: &str) -> Vec<String> {
    let own = |key: &str| key == name || key.strip_suffix("[]") == Some(name);
    let of = |value: &String| value.split(['|', ',']).map(str::to_owned).collect::<Vec<_>>();
    request.path.named.iter().filter(|(key, _)| own(key)).flat_map(|(_, value)| of(value)).collect()
}

/// All of a query, batch by batch.
fn listed(request: &Request, mut query: AnalystQuery) -> Answer {
    let service = Arc::clone(&request.service);
    let actor = request.actor.clone();
    let paged = query.limit.is_some();
    Answer::stream(move |sink: &mut Sink| {
        sink.buffer().push(b'[');
        let mut first = true;
        let batch = query.limit.unwrap_or(BATCH);
        query.limit = Some(batch);
        loop {
            let (found, tree) = service.read(&actor, |r| {
                let found = r.find_analyst_data(&query)?;
                let tree = AnalystTree::around(r, &found)?;
                Ok((found, tree))
            })?;
            for data in &found {
                if !std::mem::take(&mut first) {
                    sink.buffer().push(b',');
                }
                let mut w = JsonWriter::new(sink.buffer());
                w.begin_object();
                w.key(data.kind.name());
                tree.write(&mut w, data, AnalystShape::Whole);
                w.end_object();
                sink.flush_full()?;
            }
            match found.last() {
                Some(last) if !paged && found.len() as i64 == batch => query.after = last.id,
                _ => break,
            }
        }
        sink.buffer().push(b']');
        Ok(())
    })
}
