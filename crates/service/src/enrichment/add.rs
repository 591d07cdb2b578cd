//! What a module found, added to the event it was asked about.

use crate::attribute::{Twins, insert, tolerate};
use crate::context::check;
use crate::files::Files;
use crate::object::{check_object, insert_one, refuse_twin};
use crate::{Result, Service};
use pisax_access::{Actor, edit};
use pisax_model::attribute::{AttributeDraft, AttributeView};
use pisax_model::ids::Ref;
use pisax_modules::{Findings, Format, Module};
use rustc_hash::FxHashSet;

/// Adds what is not there yet, in one transaction; gives how many attributes and objects.
pub(super) fn add(
    service: &Service,
    actor: &Actor,
    event_id: i64,
    module: &Module,
    about: &AttributeView<'_>,
    findings: Findings,
) -> Result<usize> {
    if findings.is_empty() {
        return Ok(0);
    }
    let now_ms = service.clock.now_ms();
    let mut files = Files::new(service);
    let mut checked: Vec<_> = findings
        .attributes
        .into_iter()
        // A module of the standard form sends back what it was asked about.
        .filter(|draft| draft.uuid != Some(about.uuid))
        .map(|draft| check(completed(draft, module, about), false, now_ms))
        .collect();
    for checked in checked.iter_mut().flatten() {
        files.keep(&mut checked.attribute.data)?;
    }
    let mut objects = Vec::new();
    for mut draft in findings.objects {
        draft.comment = draft.comment.filter(|c| !c.trim().is_empty()).or_else(|| Some(said(module, about)));
        match check_object(draft, now_ms) {
            Ok(mut object) => {
                for checked in &mut object.attributes {
                    files.keep(&mut checked.attribute.data)?;
                }
                objects.push(object);
            }
            Err(error) => tracing::info!(%error, module = module.name, "an object of a module is not right"),
        }
    }
    let added = service.write(actor, |w| {
        let event = w.event_for_edit(Ref::Id(event_id), edit::may_edit)?;
        let uuids: Vec<_> = checked.iter().flatten().map(|c| c.attribute.uuid).collect();
        let known: FxHashSet<_> = w.known_attributes(&uuids)?.into_keys().collect();
        let fresh =
            checked.into_iter().filter(|c| c.as_ref().is_ok_and(|c| !known.contains(&c.attribute.uuid)));
        let mut added = insert(w, &event, fresh.collect(), Twins::Keep)?.inserted;
        for object in objects {
            let one = || -> Result<()> {
                refuse_twin(w, &event, &object)?;
                insert_one(w, &event, object)?;
                added += 1;
                Ok(())
            };
            tolerate(one(), &mut Vec::new())?;
        }
        if added > 0 {
            let now = w.now();
            w.touch_event(event.id, now)?;
        }
        Ok(added)
    });
    files.after(added)
}

/// A simple answer says a type and a value; the rest it has from the attribute it is about.
fn completed(mut draft: AttributeDraft, module: &Module, about: &AttributeView<'_>) -> AttributeDraft {
    match module.format {
        Format::Simplified => {
            let origin = format!("Attribute #{} enriched by {}.", about.id, module.name);
            draft.comment = Some(match draft.comment.filter(|c| !c.trim().is_empty()) {
                Some(comment) => format!("{comment}\n{origin}"),
                None => origin,
            });
            draft.distribution = Some(about.distribution);
            draft.sharing_group = (about.sharing_group_id > 0).then_some(Ref::Id(about.sharing_group_id));
        }
        Format::Standard => {
            draft.comment =
                draft.comment.filter(|c| !c.trim().is_empty()).or_else(|| Some(said(module, about)));
        }
    }
    draft
}

fn said(module: &Module, about: &AttributeView<'_>) -> String {
    format!("{}: enriched via the {} module.", about.value(), module.name)
}
