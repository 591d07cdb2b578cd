//! Use cases on event reports.

mod capture;
mod extract;
mod page;

pub(crate) use capture::merge;
pub use extract::{Extraction, extract};
pub use page::import_from_url;

use crate::analyst;
use crate::context::Groups;
use crate::error::uuid_taken;
use crate::{Error, Result, Service};
use pisax_access::{Actor, edit as rule};
use pisax_model::analyst::TargetKind;
use pisax_model::event::Event;
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::report::{EventReport, MAX_NAME_BYTES, ReportDraft};
use pisax_model::{Distribution, FieldError};
use pisax_store::Writer;

/// Adds a report to an event, which is newer and no longer published by it; returns the row number.
pub fn add(service: &Service, actor: &Actor, event: Ref, mut draft: ReportDraft) -> Result<i64> {
    let said = std::mem::take(&mut draft.analyst_data);
    service.write(actor, |w| {
        let event = w.event_for_edit(event, rule::may_edit)?;
        let mut report = begin(w, &event, &draft)?;
        if !w.known_reports(&[report.uuid])?.is_empty() {
            return Err(uuid_taken().into());
        }
        share(w, &mut Groups::default(), &mut report, None, draft.sharing_group)?;
        let id = w.insert_report(&report)?;
        analyst::capture(w, analyst::said_of(said, report.uuid, TargetKind::EventReport))?;
        renew(w, &event)?;
        Ok(id)
    })
}

/// Changes name, content and distribution of a report; returns its row number.
pub fn edit(service: &Service, actor: &Actor, reference: Ref, draft: ReportDraft) -> Result<i64> {
    service.write(actor, |w| {
        let (event, old) = for_edit(w, reference)?;
        let mut new = old.clone();
        take(&mut new, &draft)?;
        share(w, &mut Groups::default(), &mut new, Some(&old), draft.sharing_group)?;
        new.timestamp = w.now();
        w.update_report(&old, &new)?;
        analyst::capture(w, analyst::said_of(draft.analyst_data, old.uuid, TargetKind::EventReport))?;
        renew(w, &event)?;
        Ok(old.id)
    })
}

/// Tombstones a report, or removes it for good.
pub fn remove(service: &Service, actor: &Actor, reference: Ref, how: Removal) -> Result<()> {
    service.write(actor, |w| {
        let (event, old) = for_edit(w, reference)?;
        match how {
            Removal::Hard => w.remove_report(&old)?,
            Removal::Soft => flag(w, &old, true)?,
        }
        renew(w, &event)
    })
}

/// Takes a tombstone away.
pub fn restore(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    service.write(actor, |w| {
        let (event, old) = for_edit(w, reference)?;
        flag(w, &old, false)?;
        renew(w, &event)
    })
}

/// How a report goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Kept as a tombstone, which travels.
    Soft,
    Hard,
}

fn flag(w: &mut Writer<'_>, old: &EventReport, deleted: bool) -> Result<()> {
    // Newer than before, so that the tombstone wins where the report has been.
    let new = EventReport { deleted, timestamp: w.now(), ..old.clone() };
    Ok(w.update_report(old, &new)?)
}

fn renew(w: &mut Writer<'_>, event: &Event) -> Result<()> {
    let now = w.now();
    Ok(w.renew_event(event.id, now)?)
}

/// The event of a report, locked, and the report as it is behind that lock.
fn for_edit(w: &mut Writer<'_>, reference: Ref) -> Result<(Event, EventReport)> {
    let missing = || Error::NotFound("report");
    let seen = w.report(reference)?.ok_or_else(missing)?.event_id;
    let event = w.event_for_edit(Ref::Id(seen), rule::may_report)?;
    Ok((event, w.report(reference)?.ok_or_else(missing)?))
}

/// A new report of an event got for edit, with what the client said of it.
fn begin(w: &Writer<'_>, event: &Event, draft: &ReportDraft) -> Result<EventReport, FieldError> {
    if draft.bad_uuid {
        return Err(FieldError::new("uuid", "Please provide a valid RFC 4122 UUID"));
    }
    let mut report = EventReport {
        id: 0,
        uuid: draft.uuid.unwrap_or_else(|| new_uuid(w.now_ms)),
        event_id: event.id,
        name: String::new(),
        content: String::new(),
        // MISP.default_attribute_distribution: "event", that is, inherit.
        distribution: Distribution::Inherit.code(),
        sharing_group_id: 0,
        timestamp: draft.timestamp.filter(|t| *t > 0).unwrap_or(w.now()),
        deleted: draft.deleted.unwrap_or(false),
    };
    take(&mut report, draft)?;
    Ok(report)
}

/// Writes what a client may change into a report; it has to have a name afterwards.
fn take(report: &mut EventReport, draft: &ReportDraft) -> Result<(), FieldError> {
    if let Some(name) = &draft.name {
        name.trim().clone_into(&mut report.name);
    }
    if report.name.is_empty() {
        return Err(FieldError::new("name", "This field cannot be left blank"));
    }
    if report.name.len() > MAX_NAME_BYTES {
        return Err(FieldError::new("name", "The name is longer than 65535 bytes."));
    }
    if let Some(content) = &draft.content {
        report.content.clone_from(content);
    }
    if let Some(distribution) = draft.distribution {
        Distribution::from_code(distribution).ok_or_else(|| {
            FieldError::new(
                "distribution",
                "Options: Your organisation only, This community only, Connected communities, All communities, Sharing group, Inherit event",
            )
        })?;
        report.distribution = distribution;
    }
    Ok(())
}

/// Puts the sharing group's row number in; who repeats the group that is there needs no new right to it.
fn share(
    w: &mut Writer<'_>,
    groups: &mut Groups,
    report: &mut EventReport,
    old: Option<&EventReport>,
    group: Option<Ref>,
) -> Result<()> {
    let same =
        old.filter(|old| old.distribution == 4 && group.is_none_or(|g| g == Ref::Id(old.sharing_group_id)));
    report.sharing_group_id = match (report.distribution, same) {
        (4, Some(old)) => old.sharing_group_id,
        (4, None) => groups.usable(w, group)?,
        _ => 0,
    };
    Ok(())
}
