//! Sightings: somebody saw an indicator, found it harmless, or says that it has expired.

use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission};
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::sighting::{Sighting, SightingDraft, SightingKind};
use pisax_store::Writer;
use pisax_store::sightings::{NewSighting, Sighted, SightingQuery};

/// Adds sightings by one's own organisation; each draft names an attribute or values, which every visible
/// attribute that holds one of them has. Returns the last one.
pub fn add(service: &Service, actor: &Actor, drafts: &[SightingDraft]) -> Result<Sighting> {
    if !actor.has(Permission::Sighting) && !actor.sees_all() {
        return Err(Error::Forbidden);
    }
    service.write(actor, |w| {
        let mut new = Vec::new();
        for draft in drafts {
            let kind = kind(draft)?;
            for (attribute_id, event_id) in sighted(w, draft)? {
                new.push(NewSighting {
                    uuid: new_uuid(w.now_ms),
                    attribute_id,
                    event_id,
                    org_id: actor.org_id,
                    date_sighting: draft.date_sighting.filter(|t| *t > 0).unwrap_or_else(|| w.now()),
                    source: draft.source.as_deref().unwrap_or_default().trim().to_owned(),
                    kind,
                });
            }
        }
        if new.is_empty() {
            return Err(Error::NotFound("attribute"));
        }
        let ids = w.add_sightings(&new)?;
        let last = ids.last().copied().ok_or(Error::NotFound("sighting"))?;
        w.sighting(Ref::Id(last))?.ok_or(Error::NotFound("sighting"))
    })
}

/// Removes a sighting of one's own organisation; site admins any.
pub fn delete(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    service.write(actor, |w| {
        let sighting = w.sighting(reference)?.ok_or(Error::NotFound("sighting"))?;
        let own = sighting.org_id == actor.org_id;
        let may = own && actor.has(Permission::Sighting) && actor.has(Permission::ModifyOrg);
        if !may && !actor.sees_all() {
            return Err(Error::Forbidden);
        }
        Ok(w.delete_sighting(sighting.id)?)
    })
}

/// What sightings are listed of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Event(Ref),
    Attribute(Ref),
}

/// Visible sightings of an event or attribute, or all, by one organisation or any, oldest first.
pub fn list(service: &Service, actor: &Actor, of: Option<Of>, org: Option<i64>) -> Result<Vec<Sighting>> {
    service.read(actor, |r| {
        let sighted = match of {
            None => None,
            Some(Of::Event(event)) => {
                Some(Sighted::Events(vec![r.event(event)?.ok_or(Error::NotFound("event"))?.id]))
            }
            Some(Of::Attribute(attribute)) => {
                Some(Sighted::Attributes(r.attribute(attribute)?.ok_or(Error::NotFound("attribute"))?.ids()))
            }
        };
        let query = SightingQuery { sighted, org_ids: org.into_iter().collect(), ..SightingQuery::default() };
        Ok(r.search_sightings(&query)?)
    })
}

fn kind(draft: &SightingDraft) -> Result<SightingKind> {
    let refused = || {
        Error::Refused(
            "Invalid type. Valid options are: 0 (Sighting), 1 (False-positive), 2 (Expiration).".into(),
        )
    };
    SightingKind::from_code(draft.kind.unwrap_or(0)).ok_or_else(refused)
}

/// `(attribute, event)` of everything a draft names.
fn sighted(w: &mut Writer<'_>, draft: &SightingDraft) -> Result<Vec<(i64, i64)>> {
    if let Some(reference) = draft.attribute {
        let found = w.attribute(reference)?;
        return Ok(found.map(|batch| batch.iter().map(|a| (a.id, a.event_id)).collect()).unwrap_or_default());
    }
    let mut found = Vec::new();
    for value in &draft.values {
        found.extend(
            w.attributes_with_value(value)?.into_iter().map(|(attribute, event, _)| (attribute, event)),
        );
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
