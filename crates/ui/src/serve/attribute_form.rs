//! The form of an attribute: /attributes/add/{event}, /attributes/edit/{id} and /attributes/delete/{id}.

use axum::response::Response;
use http::StatusCode;
use pisax_model::FieldError;
use pisax_model::attribute::AttributeDraft;
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::time::format_micros;
use pisax_service::{Error, attribute};
use pisax_store::attributes::Batch;

use super::failure::Failure;
use super::notice::Notice;
use super::visit::Visit;
use super::{groups, refusal, reply};
use crate::{Area, AttributeForm, Errors, EventLink, PostAction, links};

type Answer = Result<Response, Failure>;

/// GET /attributes/add/{event}
pub(crate) fn new(visit: &Visit<'_>) -> Answer {
    let event = visit.event_to_edit(visit.reference()?)?;
    visit.note_editing(&event);
    let form = AttributeForm { distribution: "5".to_owned(), ..empty(visit, &event) };
    again(visit, form, Vec::new(), 0, StatusCode::OK)
}

/// POST /attributes/add/{event}
pub(crate) fn add(visit: &Visit<'_>) -> Answer {
    let event = visit.event_to_edit(visit.reference()?)?;
    let form = typed(visit, empty(visit, &event));
    let draft = match draft(&form) {
        Ok(draft) => draft,
        Err(wrong) => return again(visit, form, wrong, 0, StatusCode::UNPROCESSABLE_ENTITY),
    };
    let added = attribute::add(
        visit.service(),
        visit.actor(),
        Ref::Id(event.id),
        vec![draft],
        attribute::Twins::Refuse,
    )?;
    if added.errors.is_empty() {
        return Ok(done(visit, event.id, Notice::AttributeAdded));
    }
    let wrong = added.errors.into_iter().map(|(_, error)| error).collect();
    again(visit, form, wrong, 0, StatusCode::UNPROCESSABLE_ENTITY)
}

/// GET /attributes/edit/{id}
pub(crate) fn change(visit: &Visit<'_>) -> Answer {
    let (stored, event) = find(visit)?;
    visit.note_editing(&event);
    let old = stored.get(0);
    let moment = |micros: Option<i64>| micros.map(format_micros).unwrap_or_default();
    let form = AttributeForm {
        id: Some(old.id),
        category: old.category.name().to_owned(),
        kind: old.kind.name().to_owned(),
        value: old.value().into_owned(),
        comment: old.comment.to_owned(),
        to_ids: old.to_ids,
        distribution: old.distribution.to_string(),
        sharing_group_id: old.sharing_group_id.to_string(),
        first_seen: moment(old.first_seen),
        last_seen: moment(old.last_seen),
        delete: Some(deleting(old.id)),
        ..empty(visit, &event)
    };
    again(visit, form, Vec::new(), old.sharing_group_id, StatusCode::OK)
}

/// POST /attributes/edit/{id}
pub(crate) fn edit(visit: &Visit<'_>) -> Answer {
    let (stored, event) = find(visit)?;
    let old = stored.get(0);
    let bare = AttributeForm { id: Some(old.id), delete: Some(deleting(old.id)), ..empty(visit, &event) };
    let form = typed(visit, bare);
    let present = old.sharing_group_id;
    let draft = match draft(&form) {
        Ok(draft) => draft,
        Err(wrong) => return again(visit, form, wrong, present, StatusCode::UNPROCESSABLE_ENTITY),
    };
    match attribute::edit(visit.service(), visit.actor(), Ref::Id(old.id), draft) {
        Ok(_) => Ok(done(visit, event.id, Notice::AttributeSaved)),
        Err(Error::Invalid(wrong)) => again(visit, form, wrong, present, StatusCode::UNPROCESSABLE_ENTITY),
        Err(other) => Err(other.into()),
    }
}

/// POST /attributes/delete/{id}: a tombstone, so that those who have it learn of it.
pub(crate) fn delete(visit: &Visit<'_>) -> Answer {
    let event_id = attribute::remove(visit.service(), visit.actor(), visit.reference()?, false)?;
    Ok(done(visit, event_id, Notice::AttributeDeleted))
}

/// The living attribute the path names, with its event, for who may change it.
fn find(visit: &Visit<'_>) -> Result<(Batch, Event), Failure> {
    let reference = visit.reference()?;
    let stored = visit.service().read(visit.actor(), |r| Ok(r.attribute(reference)?))?;
    let stored = stored.filter(|batch| !batch.get(0).deleted).ok_or(Failure::NotFound)?;
    let event = visit.event_to_edit(Ref::Id(stored.get(0).event_id))?;
    Ok((stored, event))
}

fn deleting(id: i64) -> PostAction {
    PostAction {
        url: links::delete_attribute(id),
        label: "Delete attribute".to_owned(),
        confirm: "Delete this attribute? Those the event was shared with are told that it is gone."
            .to_owned(),
    }
}

fn done(visit: &Visit<'_>, event_id: i64, notice: Notice) -> Response {
    notice.on(reply::redirect(&links::event(event_id)), visit.pages)
}

fn empty(visit: &Visit<'_>, event: &Event) -> AttributeForm {
    AttributeForm {
        chrome: visit.chrome(Area::Events),
        event: EventLink { id: event.id, info: event.info.clone() },
        ..AttributeForm::default()
    }
}

/// The form as it was filled in.
fn typed(visit: &Visit<'_>, form: AttributeForm) -> AttributeForm {
    let text = |name: &str| visit.form.get(name).to_owned();
    AttributeForm {
        category: text("category"),
        kind: text("type"),
        value: visit.form.lines("value"),
        comment: text("comment"),
        to_ids: visit.form.ticked("to_ids"),
        distribution: text("distribution"),
        sharing_group_id: text("sharing_group_id"),
        first_seen: text("first_seen"),
        last_seen: text("last_seen"),
        ..form
    }
}

/// What the form asks for. Each of its fields is said, so that an emptied one is emptied; the model checks
/// them.
fn draft(form: &AttributeForm) -> Result<AttributeDraft, Vec<FieldError>> {
    let moment = |text: &str| Some(Some(text.trim().to_owned()).filter(|text| !text.is_empty()));
    let mut wrong = Vec::new();
    let distribution = refusal::code("distribution", &form.distribution, &mut wrong);
    // To the service an attribute without a value is one whose value stays.
    if form.value.trim().is_empty() {
        wrong.push(FieldError::new("value", "Type the value."));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(AttributeDraft {
        category: Some(form.category.clone()),
        kind: Some(form.kind.clone()),
        value: Some(form.value.clone()),
        comment: Some(form.comment.clone()),
        to_ids: Some(form.to_ids),
        distribution,
        sharing_group: Ref::parse(&form.sharing_group_id),
        first_seen: moment(&form.first_seen),
        last_seen: moment(&form.last_seen),
        ..AttributeDraft::default()
    })
}

/// The form with what is wrong in it, if anything is.
fn again(
    visit: &Visit<'_>,
    form: AttributeForm,
    wrong: Vec<FieldError>,
    present: i64,
    status: StatusCode,
) -> Answer {
    let sharing_groups = visit.service().read(visit.actor(), |r| Ok(groups::choices(r, present)?))?;
    let errors: Errors = refusal::errors(wrong, &sharing_groups);
    reply::page(status, &AttributeForm { sharing_groups, errors, ..form })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_a_draft_that_says_every_field() {
        let form = AttributeForm {
            kind: "ip-dst".to_owned(),
            value: "192.0.2.7".to_owned(),
            distribution: "5".to_owned(),
            first_seen: " 2026-08-14 ".to_owned(),
            ..AttributeForm::default()
        };
        let draft = draft(&form).unwrap();
        assert_eq!(draft.category.as_deref(), Some(""), "the type's usual one");
        assert_eq!(draft.to_ids, Some(false), "an empty box is a no");
        assert_eq!(draft.first_seen, Some(Some("2026-08-14".to_owned())));
        assert_eq!(draft.last_seen, Some(None), "an emptied moment is taken away");
    }

    #[test]
    fn no_value_and_no_number_are_told() {
        let form = AttributeForm { distribution: "x".to_owned(), ..AttributeForm::default() };
        let fields: Vec<_> = draft(&form).unwrap_err().iter().map(|e| e.field).collect();
        assert_eq!(fields, ["distribution", "value"]);
    }
}
