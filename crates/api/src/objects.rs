//! `/objects/…` and `/objectReferences/…`

use crate::analyst_tree::AnalystTree;
use crate::answer::{Answer, Sink, Stop};
use crate::failure::{Failure, Saving};
use crate::references::References;
use crate::request::{Request, flag};
use pisax_model::ids::Ref;
use pisax_model::object::Object;
use pisax_service::Error;
use pisax_service::object as service;
use pisax_store::Reader;
use pisax_store::attributes::Wanted;
use pisax_wire::JsonWriter;
use pisax_wire::analyst_out::AnalystShape;
use pisax_wire::answer as body;
use pisax_wire::attribute_out::{AttributeContext, write_object_attribute, write_saved_attribute};
use pisax_wire::object_out::{write_object_event_member, write_object_head, write_reference};

/// Which of MISP's two shapes of a single object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Saved,
    Viewed,
}

/// GET|HEAD /objects/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_OBJECT)?;
    if request.is_head() {
        let found = request.service.read(&request.actor, |r| Ok(r.object(reference)?))?;
        return found.map(|_| Answer::exists()).ok_or(Failure::NotFound(body::INVALID_OBJECT));
    }
    answer(request, reference, Shape::Viewed)
}

fn answer(request: &Request, reference: Ref, shape: Shape) -> Result<Answer, Failure> {
    Answer::short(|sink| {
        request.service.store.read(&request.actor, |r| {
            let object = r.object(reference)?.ok_or(Failure::NotFound(body::INVALID_OBJECT))?;
            write(r, &object, shape, sink)
        })
    })
}

fn write(r: &mut Reader<'_>, object: &Object, shape: Shape, sink: &mut Sink) -> Result<(), Stop> {
    let event = r.event(Ref::Id(object.event_id))?.ok_or(Failure::NotFound(body::INVALID_EVENT))?;
    let wanted = Wanted { living: true, deleted: object.deleted };
    let batch = r.object_attributes(&event, wanted, &[object.id])?;
    let tags = r.attribute_tags(&batch.ids())?;
    let references = References::load(r, &[object.id], false)?;
    let mut uuids: Vec<_> = batch.iter().map(|a| a.uuid).collect();
    uuids.push(object.uuid);
    let tree = match shape {
        Shape::Viewed => AnalystTree::load(r, &uuids)?,
        Shape::Saved => AnalystTree::default(),
    };
    sink.buffer().extend_from_slice(b"{\"Object\":");
    write_object_head(&mut JsonWriter::new(sink.buffer()), object);
    if shape == Shape::Viewed && references.has(object.id) {
        sink.buffer().extend_from_slice(b",\"ObjectReference\":[");
        references.write(object.id, sink);
        sink.buffer().push(b']');
    }
    sink.buffer().extend_from_slice(b",\"Attribute\":[");
    for (n, attribute) in batch.iter().enumerate() {
        if n > 0 {
            sink.buffer().push(b',');
        }
        let tags = tags.get(&attribute.id).map_or(&[][..], Vec::as_slice);
        let said = tree.members(&attribute.uuid, AnalystShape::Whole);
        let context = AttributeContext { tags, more: &said, ..AttributeContext::default() };
        let mut w = JsonWriter::new(sink.buffer());
        match shape {
            Shape::Saved => write_saved_attribute(&mut w, &attribute, &context),
            Shape::Viewed => write_object_attribute(&mut w, &attribute, &context),
        }
    }
    sink.buffer().push(b']');
    if shape == Shape::Viewed {
        write_object_event_member(&mut JsonWriter::after_member(sink.buffer()), &event);
    }
    let said = tree.members(&object.uuid, AnalystShape::Whole);
    if !said.is_empty() {
        sink.buffer().push(b',');
        sink.buffer().extend_from_slice(&said);
    }
    sink.buffer().extend_from_slice(b"}}");
    Ok(())
}

/// POST /objects/add/{event}[/breakOnDuplicate:1]; an event's second argument may name a template, which
/// the object itself names too.
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let event = request.reference(0, body::INVALID_EVENT)?;
    let draft = pisax_wire::read_object(&request.body)?;
    let refuse =
        request.path.flag("breakOnDuplicate") || flag(&request.value()?, "breakOnDuplicate").unwrap_or(false);
    let duplicate = if refuse { service::Duplicate::Refuse } else { service::Duplicate::Accept };
    let id =
        service::add(&request.service, &request.actor, event, draft, duplicate).map_err(|e| match e {
            // One text, unlike everywhere else; PyMISP's break_on_duplicate is recognised in it.
            Error::Invalid(errors) => {
                let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
                let reason = format!("Object could not be saved.\n{}", lines.join("\n"));
                Failure::NotSaved { action: "add", model: "Object", reason, id: None }
            }
            other => other.into(),
        })?;
    answer(request, Ref::Id(id), Shape::Saved)
}

/// POST /objects/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_OBJECT)?;
    let draft = pisax_wire::read_object(&request.body)?;
    let id = service::edit(&request.service, &request.actor, reference, draft).map_err(|e| match e {
        Error::Stale(_) => Failure::NotAllowed(
            "Object could not be saved: Object in the request not newer than the local copy.".into(),
        ),
        Error::Invalid(errors) => Failure::Invalid { action: "edit", model: "Object", errors, id: None },
        other => other.into(),
    })?;
    answer(request, Ref::Id(id), Shape::Viewed)
}

/// POST /objects/delete/{id}[/1], `{"hard":…}`
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_OBJECT)?;
    let hard = hard(request)?;
    service::remove(&request.service, &request.actor, reference, hard)?;
    Ok(Answer::json(body::saved("Object deleted", &request.path.raw, None)))
}

fn hard(request: &Request) -> Result<bool, Failure> {
    Ok(request.path.arg(1).is_some_and(|a| a == "1" || a == "true")
        || flag(&request.unwrapped("Object")?, "hard").unwrap_or(false))
}

/// POST /objectReferences/add
pub(crate) fn add_reference(request: &Request) -> Result<Answer, Failure> {
    let mut draft = pisax_wire::read_reference(&request.body)?;
    if draft.source.is_none() {
        draft.source = request.path.arg(0).and_then(Ref::parse);
    }
    let id =
        service::add_reference(&request.service, &request.actor, draft).saving("add", "ObjectReference")?;
    let json = request.service.read(&request.actor, |r| {
        let reference = r.reference(Ref::Id(id))?.ok_or(Error::NotFound("reference"))?;
        let mut out = Vec::new();
        let mut w = JsonWriter::new(&mut out);
        w.begin_object();
        w.key("ObjectReference");
        write_reference(&mut w, &reference, None);
        w.end_object();
        Ok(out)
    })?;
    Ok(Answer::json(json))
}

/// POST /objectReferences/delete/{id}[/1]
pub(crate) fn delete_reference(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, "Invalid object reference.")?;
    service::remove_reference(&request.service, &request.actor, reference, hard(request)?)?;
    Ok(Answer::json(body::saved("ObjectReference deleted", &request.path.raw, None)))
}
