//! Reports that come inside an event. One that is refused does not stop the rest.

use super::{begin, share, take};
use crate::analyst;
use crate::context::Groups;
use crate::{Error, Result};
use pisax_model::FieldError;
use pisax_model::analyst::TargetKind;
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::report::ReportDraft;
use pisax_store::Writer;
use pisax_store::reports::KnownReport;
use rustc_hash::FxHashSet;

/// The reports of a new event or of an edit: known ones are changed when newer, unknown ones added, absent ones kept.
/// Gives what was refused.
pub(crate) fn merge(w: &mut Writer<'_>, event: &Event, drafts: Vec<ReportDraft>) -> Result<Vec<FieldError>> {
    let mut refused = Vec::new();
    if drafts.is_empty() {
        return Ok(refused);
    }
    let uuids: Vec<_> = drafts.iter().filter_map(|d| d.uuid).collect();
    let known = w.known_reports(&uuids)?;
    let mut met = FxHashSet::default();
    let mut groups = Groups::default();
    for mut draft in drafts {
        let said = std::mem::take(&mut draft.analyst_data);
        if draft.uuid.is_some_and(|uuid| !met.insert(uuid)) {
            continue;
        }
        let stored = draft.uuid.and_then(|uuid| known.get(&uuid)).copied();
        let uuid = match stored {
            Some(stored) if stored.event_id == event.id => change(w, &mut groups, stored, &draft),
            Some(_) => Ok(None), // in another event: not ours to touch
            None => insert(w, &mut groups, event, &draft).map(Some),
        };
        match uuid {
            Ok(Some(uuid)) => {
                analyst::capture_inside(w, analyst::said_of(said, uuid, TargetKind::EventReport))?;
            }
            Ok(None) => {}
            Err(Error::Invalid(fields)) => {
                tracing::info!(?fields, "a report of an event was refused");
                refused.extend(fields);
            }
            Err(e) => return Err(e),
        }
    }
    Ok(refused)
}

fn insert(
    w: &mut Writer<'_>,
    groups: &mut Groups,
    event: &Event,
    draft: &ReportDraft,
) -> Result<pisax_model::Uuid> {
    let mut report = begin(w, event, draft)?;
    share(w, groups, &mut report, None, draft.sharing_group)?;
    w.insert_report(&report)?;
    Ok(report.uuid)
}

fn change(
    w: &mut Writer<'_>,
    groups: &mut Groups,
    stored: KnownReport,
    draft: &ReportDraft,
) -> Result<Option<pisax_model::Uuid>> {
    let Some(old) = w.report(Ref::Id(stored.id))? else { return Ok(None) };
    let sent = draft.timestamp.filter(|t| *t > 0);
    if sent.is_some_and(|t| t <= old.timestamp) {
        // The report did not change, what is said about it may have.
        return Ok(Some(old.uuid));
    }
    let mut new = old.clone();
    take(&mut new, draft)?;
    share(w, groups, &mut new, Some(&old), draft.sharing_group)?;
    new.deleted = draft.deleted.unwrap_or(old.deleted);
    new.timestamp = sent.unwrap_or(w.now());
    w.update_report(&old, &new)?;
    Ok(Some(old.uuid))
}
