//! `/attributes/…`

use crate::analyst_tree::AnalystTree;
use crate::answer::{Answer, Sink};
use crate::failure::{Failure, Saving};
use crate::request::{Request, flag};
use pisax_model::ids::Ref;
use pisax_service::Error;
use pisax_service::attribute as service;
use pisax_store::Reader;
use pisax_store::attributes::Batch;
use pisax_wire::AttributesIn;
use pisax_wire::JsonWriter;
use pisax_wire::analyst_out::AnalystShape;
use pisax_wire::answer as body;
use pisax_wire::attribute_out::{AttributeContext, write_saved_attribute, write_viewed_attribute};
use pisax_wire::tag_out::write_attribute_tag_member;

/// Attributes that a listing without a limit shows, as MISP does.
const PAGE: i64 = 60;

/// GET|HEAD /attributes/view/{id}: a missing one is 405, except for HEAD (semantics 6.2).
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let missing = || match request.is_head() {
        true => Failure::NotFound(body::INVALID_ATTRIBUTE),
        false => Failure::NotAllowed(body::INVALID_ATTRIBUTE.into()),
    };
    let reference = request.path.arg(0).and_then(Ref::parse).ok_or_else(missing)?;
    let found = request.service.read(&request.actor, |r| match r.attribute(reference)? {
        Some(batch) => Ok(Some(viewed(r, &batch)?)),
        None => Ok(None),
    })?;
    let json = found.ok_or_else(missing)?;
    Ok(if request.is_head() { Answer::exists() } else { Answer::json(json) })
}

fn viewed(r: &mut Reader<'_>, batch: &Batch) -> pisax_service::Result<Vec<u8>> {
    let attribute = batch.get(0);
    let event = r.event(Ref::Id(attribute.event_id))?;
    let tags = r.attribute_tags(&batch.ids())?.remove(&attribute.id).unwrap_or_default();
    let open = r.proposals_of_attributes(&batch.ids())?;
    let proposals = crate::proposals::Lists::write(r, &open, false)?;
    let said = AnalystTree::load(r, &[attribute.uuid])?.members(&attribute.uuid, AnalystShape::Whole);
    let context = AttributeContext {
        tags: &tags,
        event_uuid: event.map(|e| e.uuid),
        proposals: proposals.of(attribute.id),
        analyst_data: &said,
        ..AttributeContext::default()
    };
    let mut out = Vec::new();
    let mut w = JsonWriter::new(&mut out);
    w.begin_object();
    w.key("Attribute");
    write_viewed_attribute(&mut w, &attribute, &context);
    w.end_object();
    Ok(out)
}

fn view_id(request: &Request, id: i64) -> Result<Answer, Failure> {
    let json = request.service.read(&request.actor, |r| {
        let batch = r.attribute(Ref::Id(id))?.ok_or(Error::NotFound("attribute"))?;
        viewed(r, &batch)
    })?;
    Ok(Answer::json(json))
}

/// POST /attributes/add/{event}[/breakOnDuplicate:0]
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let event = request.reference(0, body::INVALID_EVENT)?;
    let twins = match request.path.named("breakOnDuplicate") {
        Some("0" | "false") => service::Twins::Replace,
        _ => service::Twins::Refuse,
    };
    match pisax_wire::read_attributes(&request.body)? {
        AttributesIn::One(draft) => add_one(request, event, *draft, twins),
        // A list of one is answered as one; PyMISP relies on it.
        AttributesIn::Many(mut drafts) if drafts.len() == 1 => {
            add_one(request, event, drafts.remove(0), twins)
        }
        AttributesIn::Many(drafts) => {
            let added = service::add(&request.service, &request.actor, event, drafts, twins)
                .saving("add", "Attribute")?;
            answer_many(request, added)
        }
    }
}

fn add_one(
    request: &Request,
    event: Ref,
    draft: pisax_model::attribute::AttributeDraft,
    twins: service::Twins,
) -> Result<Answer, Failure> {
    let mut added = service::add(&request.service, &request.actor, event, vec![draft], twins)
        .saving("add", "Attribute")?;
    let Some(id) = added.ids[0] else {
        let errors: Vec<_> = added.errors.drain(..).map(|(_, e)| e).collect();
        return Err(match &errors[..] {
            [one] if one.field == service::WARNINGLIST => {
                let reason = one.message.clone();
                Failure::NotSaved { action: "add", model: "Attribute", reason, id: None }
            }
            _ => Failure::Invalid { action: "add", model: "Attribute", errors, id: None },
        });
    };
    let json = request.service.read(&request.actor, |r| {
        let batch = r.attributes_by_ids(&[id])?;
        if batch.is_empty() {
            // The creator may add what only the owner sees: it is saved all the same.
            return Ok(body::saved("Attribute saved.", &request.path.raw, Some(id)));
        }
        let tags = r.attribute_tags(&[id])?.remove(&id).unwrap_or_default();
        let mut out = Vec::new();
        let mut w = JsonWriter::new(&mut out);
        w.begin_object();
        w.key("Attribute");
        // The tags stand beside it, not in it (065).
        write_saved_attribute(&mut w, &batch.get(0), &AttributeContext::default());
        write_attribute_tag_member(&mut w, id, added.event_id, &tags);
        w.end_object();
        Ok(out)
    })?;
    Ok(Answer::json(json))
}

fn answer_many(request: &Request, added: service::Added) -> Result<Answer, Failure> {
    let ids: Vec<i64> = added.ids.iter().flatten().copied().collect();
    if ids.is_empty() {
        let errors = added.errors.into_iter().map(|(_, e)| e).collect();
        return Err(Failure::Invalid { action: "add", model: "Attribute", errors, id: None });
    }
    let json = request.service.read(&request.actor, |r| {
        let batch = r.attributes_by_ids(&ids)?;
        let tags = r.attribute_tags(&ids)?;
        let mut out = Vec::new();
        let mut w = JsonWriter::new(&mut out);
        w.begin_object();
        w.key("Attribute");
        w.begin_array();
        for attribute in batch.iter() {
            let tags = tags.get(&attribute.id).map_or(&[][..], Vec::as_slice);
            write_saved_attribute(
                &mut w,
                &attribute,
                &AttributeContext { tags, ..AttributeContext::default() },
            );
        }
        w.end_array();
        body::write_list_errors_member(&mut w, &added.errors);
        w.end_object();
        Ok(out)
    })?;
    Ok(Answer::json(json))
}

/// POST /attributes/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_ATTRIBUTE)?;
    let draft = match pisax_wire::read_attributes(&request.body)? {
        AttributesIn::One(draft) => *draft,
        AttributesIn::Many(mut drafts) if drafts.len() == 1 => drafts.remove(0),
        AttributesIn::Many(_) => return Err(Failure::BadRequest("An edit takes one attribute.".into())),
    };
    let id = service::edit(&request.service, &request.actor, reference, draft).map_err(|e| match e {
        // 405 in MISP, unlike an event's 403.
        Error::Stale(_) => Failure::NotAllowed(body::ATTRIBUTE_NOT_NEWER.into()),
        Error::Invalid(errors) => Failure::Invalid { action: "edit", model: "Attribute", errors, id: None },
        other => other.into(),
    })?;
    view_id(request, id)
}

/// POST /attributes/delete/{id}[/1], `{"hard":…}`
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_ATTRIBUTE)?;
    let hard = request.path.arg(1).is_some_and(|a| a == "1" || a == "true")
        || flag(&request.unwrapped("Attribute")?, "hard").unwrap_or(false);
    service::remove(&request.service, &request.actor, reference, hard)?;
    Ok(Answer::json(body::message("Attribute deleted.")))
}

/// POST /attributes/restore/{id}
pub(crate) fn restore(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_ATTRIBUTE)?;
    let id = service::restore(&request.service, &request.actor, reference)?;
    view_id(request, id)
}

/// GET|POST /attributes/index
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Attribute")?;
    let named = |name: &str| {
        let number = request.path.named(name).and_then(|v| v.parse().ok());
        number.or_else(|| crate::request::number(&sent, name)).filter(|n: &i64| *n > 0)
    };
    let limit = named("limit").unwrap_or(PAGE);
    let page = named("page").unwrap_or(1);
    let filter =
        pisax_model::filter::Filter { limit: Some(limit), page, ..pisax_model::filter::Filter::new() };
    let service = std::sync::Arc::clone(&request.service);
    let scope = pisax_model::filter::Scope::Attributes;
    let ids = service.read(&request.actor, |r| Ok(r.find(scope, &filter)?))?;
    let total = ids.len();
    let page = crate::restsearch::page(&filter, ids);
    let actor = request.actor.clone();
    let produce = move |sink: &mut Sink| {
        sink.buffer().push(b'[');
        let mut first = true;
        for chunk in page.chunks(2000) {
            let batch = service.read(&actor, |r| Ok(r.attributes_by_ids(chunk)?))?;
            for attribute in batch.iter() {
                if !std::mem::take(&mut first) {
                    sink.buffer().push(b',');
                }
                let mut w = JsonWriter::new(sink.buffer());
                write_viewed_attribute(&mut w, &attribute, &AttributeContext::default());
                sink.flush_full()?;
            }
        }
        sink.buffer().push(b']');
        Ok(())
    };
    Ok(Answer::stream(produce).header("x-result-count", total))
}
