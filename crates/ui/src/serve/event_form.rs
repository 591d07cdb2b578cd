//! The form of an event: /events/add and /events/edit/{id}.

use axum::response::Response;
use http::StatusCode;
use pisax_access::Permission;
use pisax_model::event::{Event, EventDraft};
use pisax_model::ids::Ref;
use pisax_model::{FieldError, time};
use pisax_service::{Error, event};

use super::failure::Failure;
use super::notice::Notice;
use super::visit::Visit;
use super::{groups, refusal, reply};
use crate::{Area, Choice, Errors, EventForm, PostAction, links, words};

type Answer = Result<Response, Failure>;

/// GET /events/add
pub(crate) fn new(visit: &Visit<'_>) -> Answer {
    let form = EventForm {
        private_until_published: private(visit),
        chrome: visit.chrome(Area::AddEvent),
        date: time::format_date(visit.service().now()),
        distribution: "1".to_owned(),
        threat_level_id: "4".to_owned(),
        analysis: "0".to_owned(),
        sharing_groups: choices(visit, 0)?,
        ..EventForm::default()
    };
    reply::page(StatusCode::OK, &form)
}

/// POST /events/add
pub(crate) fn add(visit: &Visit<'_>) -> Answer {
    let form = typed(visit, Area::AddEvent);
    let draft = match draft(&form) {
        Ok(draft) => draft,
        Err(wrong) => return again(visit, form, wrong, 0),
    };
    match event::add(visit.service(), visit.actor(), draft) {
        Ok(added) => Ok(Notice::EventAdded.on(reply::redirect(&links::event(added.id)), visit.pages)),
        Err(Error::Invalid(wrong)) => again(visit, form, wrong, 0),
        Err(other) => Err(other.into()),
    }
}

/// GET /events/edit/{id}
pub(crate) fn change(visit: &Visit<'_>) -> Answer {
    let event = visit.event_to_edit(visit.reference()?)?;
    visit.note_editing(&event);
    let delete = deleting(visit, &event);
    let form = EventForm {
        chrome: visit.chrome(Area::Events),
        id: Some(event.id),
        distribution: event.distribution.to_string(),
        sharing_group_id: event.sharing_group_id.to_string(),
        threat_level_id: event.threat_level_id.to_string(),
        analysis: event.analysis.to_string(),
        extends: event.extends_uuid.map(|uuid| uuid.to_string()).unwrap_or_default(),
        sharing_groups: choices(visit, event.sharing_group_id)?,
        errors: Errors::default(),
        private_until_published: private(visit),
        info: event.info,
        date: event.date,
        delete,
    };
    reply::page(StatusCode::OK, &form)
}

/// POST /events/edit/{id}
pub(crate) fn edit(visit: &Visit<'_>) -> Answer {
    let stored = visit.event_to_edit(visit.reference()?)?;
    visit.note_editing(&stored);
    let form =
        EventForm { id: Some(stored.id), delete: deleting(visit, &stored), ..typed(visit, Area::Events) };
    let present = stored.sharing_group_id;
    let draft = match draft(&form) {
        Ok(draft) => draft,
        Err(wrong) => return again(visit, form, wrong, present),
    };
    match event::edit(visit.service(), visit.actor(), Ref::Id(stored.id), draft) {
        Ok(id) => Ok(Notice::EventSaved.on(reply::redirect(&links::event(id)), visit.pages)),
        Err(Error::Invalid(wrong)) => again(visit, form, wrong, present),
        Err(other) => Err(other.into()),
    }
}

fn deleting(visit: &Visit<'_>, event: &Event) -> Option<PostAction> {
    let attributes = words::counted(event.attribute_count.max(0) as u64, "attribute", "attributes");
    visit.may(Permission::Modify).then(|| PostAction {
        url: links::delete_event(event.id),
        label: format!("Delete event with {attributes}"),
        confirm: format!(
            "Delete event {} with {attributes} for good? No peer can bring it back afterwards.",
            event.id
        ),
    })
}

fn choices(visit: &Visit<'_>, present: i64) -> Result<Vec<Choice>, Failure> {
    Ok(visit.service().read(visit.actor(), |r| Ok(groups::choices(r, present)?))?)
}

fn private(visit: &Visit<'_>) -> bool {
    visit.service().settings().unpublished_private
}

/// The form as it was filled in.
fn typed(visit: &Visit<'_>, area: Area) -> EventForm {
    let text = |name: &str| visit.form.get(name).to_owned();
    EventForm {
        chrome: visit.chrome(area),
        private_until_published: private(visit),
        info: text("info"),
        date: text("date"),
        distribution: text("distribution"),
        sharing_group_id: text("sharing_group_id"),
        threat_level_id: text("threat_level_id"),
        analysis: text("analysis"),
        extends: text("extends_uuid"),
        ..EventForm::default()
    }
}

/// What the form asks for; the service checks what the codes mean.
fn draft(form: &EventForm) -> Result<EventDraft, Vec<FieldError>> {
    let mut wrong = Vec::new();
    let mut code = |field, text: &str| refusal::code(field, text, &mut wrong);
    let draft = EventDraft {
        info: Some(form.info.clone()),
        date: Some(form.date.clone()),
        threat_level_id: code("threat_level_id", &form.threat_level_id),
        analysis: code("analysis", &form.analysis),
        distribution: code("distribution", &form.distribution),
        sharing_group: Ref::parse(&form.sharing_group_id),
        extends_uuid: Some(form.extends.clone()),
        ..EventDraft::default()
    };
    if wrong.is_empty() { Ok(draft) } else { Err(wrong) }
}

/// The form again, with all that was typed and what is wrong in it.
fn again(visit: &Visit<'_>, form: EventForm, wrong: Vec<FieldError>, present: i64) -> Answer {
    let sharing_groups = choices(visit, present)?;
    let errors = refusal::errors(wrong, &sharing_groups);
    reply::page(StatusCode::UNPROCESSABLE_ENTITY, &EventForm { sharing_groups, errors, ..form })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_a_draft() {
        let form = EventForm {
            info: "Route leak".to_owned(),
            date: "2026-08-14".to_owned(),
            distribution: "4".to_owned(),
            sharing_group_id: "7".to_owned(),
            threat_level_id: "1".to_owned(),
            ..EventForm::default()
        };
        let draft = draft(&form).unwrap();
        assert_eq!((draft.distribution, draft.threat_level_id, draft.analysis), (Some(4), Some(1), None));
        assert_eq!(draft.sharing_group, Some(Ref::Id(7)));
        assert_eq!(draft.extends_uuid.as_deref(), Some(""), "an empty field takes the link away");
    }

    #[test]
    fn a_code_that_is_none_is_told_at_its_field() {
        let form = EventForm { analysis: "done".to_owned(), ..EventForm::default() };
        assert_eq!(draft(&form).unwrap_err()[0].field, "analysis");
    }
}
