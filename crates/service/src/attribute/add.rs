//! New attributes in an existing event.

use crate::analyst;
use crate::context::{Checked, Groups, Tags, check, chosen_uuids};
use crate::error::uuid_taken;
use crate::{Error, Result, Service};
use pisax_access::{Actor, edit};
use pisax_model::FieldError;
use pisax_model::attribute::{AttributeDraft, NewAttribute};
use pisax_model::event::Event;
use pisax_model::ids::{self, Ref};
use pisax_model::sighting::SightingKind;
use pisax_model::tag::TagDraft;
use pisax_store::Writer;
use pisax_store::sightings::NewSighting;
use rustc_hash::FxHashMap;

/// What came of a list of new attributes.
pub struct Added {
    pub event_id: i64,
    /// Row numbers in the order sent; `None` where it was refused.
    pub ids: Vec<Option<i64>>,
    /// Refusals by place in the list.
    pub errors: Vec<(usize, FieldError)>,
    /// Whether anything in the event is another than before.
    pub changed: bool,
}

/// MISP's words for an attribute that the event has already; [`is_twin`] knows it by them.
pub const TWIN: &str = "A similar attribute already exists for this event.";

/// Whether an attribute was refused because the event has it already.
pub fn is_twin(error: &FieldError) -> bool {
    error.field == "value" && error.message == TWIN
}

pub(crate) fn twin_refused() -> FieldError {
    FieldError::new("value", TWIN)
}

/// Names the refusal of a value that is on an enabled warninglist; it is no field of an attribute.
pub const WARNINGLIST: &str = "warninglist";
const TRIPPED: &str =
    "Attribute could not be saved as it trips over a warninglist and enforceWarninglist is enforced.";

/// What to do with an attribute that the event already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twins {
    /// It is an error (MISP's default).
    Refuse,
    /// The stored one counts as saved, unchanged.
    Keep,
    /// The stored one takes the new one's fields (`breakOnDuplicate:0`).
    Replace,
}

/// Adds attributes; each is accepted or refused by itself, the accepted ones in one transaction.
pub fn add(
    service: &Service,
    actor: &Actor,
    event: Ref,
    mut drafts: Vec<AttributeDraft>,
    twins: Twins,
) -> Result<Added> {
    let now_ms = service.clock.now_ms();
    let said = analyst::gather_attributes(&mut drafts, now_ms);
    let lists = service.warninglists.load();
    let checked: Vec<_> = drafts
        .into_iter()
        .map(|draft| {
            let enforced = draft.enforce_warninglist;
            let checked = check(draft, false, now_ms)?;
            let a = &checked.attribute;
            if enforced && lists.is_hit(a.kind, &a.value1, &a.value2) {
                return Err(FieldError::new(WARNINGLIST, TRIPPED));
            }
            Ok(checked)
        })
        .collect();
    service.write(actor, |w| {
        let event = w.event_for_edit(event, edit::may_edit)?;
        let added = insert(w, &event, checked, twins)?;
        if added.changed {
            let now = w.now();
            // The insertion kept the count: counting again would cost more with every attribute there is.
            w.renew_event(event.id, now)?;
        }
        analyst::capture_inside(w, said)?;
        Ok(added)
    })
}

pub(crate) fn insert(
    w: &mut Writer<'_>,
    event: &Event,
    checked: Vec<std::result::Result<Checked, FieldError>>,
    policy: Twins,
) -> Result<Added> {
    let good = || checked.iter().filter_map(|c| c.as_ref().ok()).map(|c| &c.attribute);
    let known = w.known_attributes(&chosen_uuids(checked.iter().filter_map(|c| c.as_ref().ok())))?;
    let twins: Vec<_> = good().map(|a| w.twin(a)).collect();
    let mut twins = w.existing_twins(event.id, &twins)?;
    let mut uuids: rustc_hash::FxHashSet<_> = known.into_keys().collect();
    let mut groups = Groups::default();
    let mut added =
        Added { event_id: event.id, ids: vec![None; checked.len()], errors: Vec::new(), changed: false };
    let mut rows = Vec::new();
    for (place, item) in checked.into_iter().enumerate() {
        match admit(w, &mut groups, &mut twins, &mut uuids, item) {
            Ok(Admitted::New(attribute)) => rows.push((place, attribute)),
            Ok(Admitted::Twin(id, new)) if policy != Twins::Refuse && id > 0 => {
                if policy == Twins::Replace {
                    replace(w, id, &new)?;
                    added.changed = true;
                }
                added.ids[place] = Some(id);
            }
            Ok(Admitted::Twin(..)) => {
                added.errors.push((place, twin_refused()));
            }
            Err(Error::Invalid(fields)) => added.errors.extend(fields.into_iter().map(|f| (place, f))),
            Err(e) => return Err(e),
        }
    }
    let borrowed: Vec<(i64, &NewAttribute)> = rows.iter().map(|(_, a)| (0, a)).collect();
    let ids = w.insert_attributes(event.id, &borrowed)?;
    w.add_to_count(event.id, borrowed.iter().filter(|(_, a)| !a.deleted).count() as i64)?;
    let saved: Vec<_> = borrowed.iter().zip(&ids).map(|((_, a), id)| (*id, *a)).collect();
    attach_all(w, event.id, &saved)?;
    w.note_added(event.id, event.uuid, &saved);
    added.changed |= !rows.is_empty();
    for ((place, _), id) in rows.iter().zip(ids) {
        added.ids[*place] = Some(id);
    }
    Ok(added)
}

enum Admitted {
    New(NewAttribute),
    /// Already there under this row number (0: earlier in the same list).
    Twin(i64, NewAttribute),
}

fn admit(
    w: &mut Writer<'_>,
    groups: &mut Groups,
    twins: &mut FxHashMap<pisax_store::attributes::Twin, i64>,
    uuids: &mut rustc_hash::FxHashSet<pisax_model::Uuid>,
    item: std::result::Result<Checked, FieldError>,
) -> Result<Admitted> {
    let mut checked = item?;
    if !checked.attribute.deleted {
        let twin = w.twin(&checked.attribute);
        if let Some(id) = twins.get(&twin) {
            return Ok(Admitted::Twin(*id, checked.attribute));
        }
        twins.insert(twin, 0);
    }
    if !uuids.insert(checked.attribute.uuid) {
        return Err(uuid_taken().into());
    }
    groups.settle(w, &mut checked)?;
    Ok(Admitted::New(checked.attribute))
}

fn replace(w: &mut Writer<'_>, id: i64, new: &NewAttribute) -> Result<()> {
    let Some(batch) = w.attribute(Ref::Id(id))? else { return Ok(()) };
    let old = batch.get(0);
    w.update_attribute(&old, new, pisax_store::changes::Action::Edit)?;
    attach_all(w, old.event_id, &[(id, new)])
}

pub(crate) fn attach_tags<'a>(
    w: &mut Writer<'_>,
    event_id: i64,
    rows: impl Iterator<Item = (i64, &'a [TagDraft])>,
) -> Result<()> {
    let rows: Vec<_> = rows.filter(|(_, drafts)| !drafts.is_empty()).collect();
    let drafts: Vec<&TagDraft> = rows.iter().flat_map(|(_, drafts)| *drafts).collect();
    let tags = Tags::resolve(w, &drafts)?;
    let actor = w.actor().clone();
    let attached: Vec<_> = rows
        .iter()
        .flat_map(|(id, drafts)| tags.attachments(&actor, drafts).into_iter().map(|t| (*id, t)))
        .collect();
    w.attach_attribute_tags(event_id, &attached)?;
    Ok(())
}

/// Tags and sightings that came inside freshly inserted attributes.
pub(crate) fn attach_all(w: &mut Writer<'_>, event_id: i64, rows: &[(i64, &NewAttribute)]) -> Result<()> {
    attach_tags(w, event_id, rows.iter().map(|(id, a)| (*id, a.tags.as_slice())))?;
    add_sightings(w, event_id, rows.iter().copied())
}

/// Sightings that came inside attributes.
pub(crate) fn add_sightings<'a>(
    w: &mut Writer<'_>,
    event_id: i64,
    rows: impl Iterator<Item = (i64, &'a NewAttribute)>,
) -> Result<()> {
    let actor = w.actor().clone();
    if !actor.has(pisax_access::Permission::Sighting) {
        return Ok(());
    }
    let may_speak_for_others = actor.has(pisax_access::Permission::Sync) || actor.sees_all();
    let (now_ms, now) = (w.now_ms, w.now());
    let mut list = Vec::new();
    for (attribute_id, attribute) in rows {
        for draft in &attribute.sightings {
            let org_id = match &draft.organisation {
                Some(org) if may_speak_for_others => w.capture_org(org)?.unwrap_or(actor.org_id),
                _ => actor.org_id,
            };
            list.push(NewSighting {
                uuid: draft.uuid.unwrap_or_else(|| ids::new_uuid(now_ms)),
                attribute_id,
                event_id,
                org_id,
                date_sighting: draft.date_sighting.unwrap_or(now),
                source: draft.source.clone().unwrap_or_default(),
                kind: draft.kind.and_then(SightingKind::from_code).unwrap_or(SightingKind::Seen),
            });
        }
    }
    if list.is_empty() {
        return Ok(());
    }
    w.add_sightings(&list)?;
    Ok(())
}
