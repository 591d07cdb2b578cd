//! Sightings: somebody saw an indicator, found it harmless, or says that it has expired.

use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission};
use pisax_model::Uuid;
use pisax_model::filter::{Filter, Scope};
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::sighting::{Sighting, SightingDraft, SightingKind};
use pisax_store::sightings::{NewSighting, Sighted, SightingQuery};
use pisax_store::{Reader, Writer};
use rustc_hash::FxHashMap;

/// Adds sightings by one's own organisation; each draft names an attribute or values, which every visible
/// attribute that holds one of them has. Returns the last one.
pub fn add(service: &Service, actor: &Actor, drafts: &[SightingDraft]) -> Result<Sighting> {
    if !actor.has(Permission::Sighting) && !actor.sees_all() {
        return Err(Error::Forbidden);
    }
    let at_once = service.settings().publishes_sightings;
    service.write(actor, |w| {
        let mut new = Vec::new();
        for draft in drafts {
            let kind = kind(draft)?;
            for (attribute_id, event_id) in sighted(w, draft)? {
                new.push(of(w, draft, kind, attribute_id, event_id));
            }
        }
        keep(w, &new, at_once)
    })
}

/// Attributes that one search may sight: others wait with their writes meanwhile.
const MOST: usize = 100_000;

/// The same for every attribute that a search finds.
pub fn add_where(
    service: &Service,
    actor: &Actor,
    filter: &Filter,
    draft: &SightingDraft,
) -> Result<Sighting> {
    if !actor.has(Permission::Sighting) && !actor.sees_all() {
        return Err(Error::Forbidden);
    }
    let kind = kind(draft)?;
    let at_once = service.settings().publishes_sightings;
    service.write(actor, |w| {
        let ids = w.find(Scope::Attributes, filter)?;
        if ids.len() > MOST {
            return Err(Error::Refused(format!("More than {MOST} attributes match: name fewer.")));
        }
        let found = w.attributes_by_ids(&ids)?;
        let new: Vec<NewSighting> = found.iter().map(|a| of(w, draft, kind, a.id, a.event_id)).collect();
        keep(w, &new, at_once)
    })
}

fn of(
    w: &Writer<'_>,
    draft: &SightingDraft,
    kind: SightingKind,
    attribute_id: i64,
    event_id: i64,
) -> NewSighting {
    NewSighting {
        uuid: new_uuid(w.now_ms),
        attribute_id,
        event_id,
        org_id: w.actor().org_id,
        date_sighting: draft.date_sighting.filter(|t| *t > 0).unwrap_or_else(|| w.now()),
        source: draft.source.as_deref().unwrap_or_default().trim().to_owned(),
        kind,
    }
}

/// Keeps one's own sightings; gives the last one. `at_once`: they are for other instances from now on.
fn keep(w: &mut Writer<'_>, new: &[NewSighting], at_once: bool) -> Result<Sighting> {
    if new.is_empty() {
        return Err(Error::NotFound("attribute"));
    }
    let ids = w.add_sightings(new)?;
    let blocked = || Error::Refused("Sightings of this organisation are blocked.".into());
    let last = ids.last().copied().ok_or_else(blocked)?;
    if at_once {
        let mut events: Vec<i64> = new.iter().map(|s| s.event_id).collect();
        events.sort_unstable();
        events.dedup();
        for event in w.events_by_ids(&events)? {
            w.publish_sightings(&event)?;
        }
    }
    w.sighting(Ref::Id(last))?.ok_or(Error::NotFound("sighting"))
}

/// Keeps whole sightings that another instance or a sensor sends, of visible attributes named by uuid; returns
/// how many are new. Sync users speak for whoever made them, everybody else for his own organisation.
pub fn capture(service: &Service, actor: &Actor, event: Ref, drafts: Vec<SightingDraft>) -> Result<usize> {
    let speaks_for_others = actor.has(Permission::Sync) || actor.sees_all();
    if !speaks_for_others && !actor.has(Permission::Sighting) {
        return Err(Error::Forbidden);
    }
    service.write(actor, |w| {
        let event = w.event(event)?.ok_or(Error::NotFound("event"))?;
        let uuid = |draft: &SightingDraft| match draft.attribute {
            Some(Ref::Uuid(uuid)) => Some(uuid),
            _ => None,
        };
        let uuids: Vec<Uuid> = drafts.iter().filter_map(uuid).collect();
        let ids: Vec<i64> = w.known_attributes(&uuids)?.values().map(|known| known.id).collect();
        let visible = w.attributes_by_ids(&ids)?;
        let places: FxHashMap<Uuid, (i64, i64)> =
            visible.iter().map(|a| (a.uuid, (a.id, a.event_id))).collect();
        let mut orgs: FxHashMap<(Option<Uuid>, Option<String>), i64> = FxHashMap::default();
        let mut new = Vec::new();
        for draft in &drafts {
            let place = uuid(draft).and_then(|uuid| places.get(&uuid));
            let (Some((attribute_id, event_id)), Ok(kind)) = (place, kind(draft)) else { continue };
            let org_id = match &draft.organisation {
                _ if !speaks_for_others => actor.org_id,
                None if draft.anonymous => 0,
                None => actor.org_id,
                Some(org) => {
                    let name = (org.uuid, org.name.clone());
                    match orgs.get(&name) {
                        Some(id) => *id,
                        None => {
                            let id = w.capture_org(org)?.unwrap_or(actor.org_id);
                            orgs.insert(name, id);
                            id
                        }
                    }
                }
            };
            let sighting = of(w, draft, kind, *attribute_id, *event_id);
            new.push(NewSighting { uuid: draft.uuid.unwrap_or(sighting.uuid), org_id, ..sighting });
        }
        let added = w.add_sightings(&new)?.len();
        // What came from one instance goes on to the next.
        if added > 0 {
            w.publish_sightings(&event)?;
        }
        Ok(added)
    })
}

/// Lets other instances fetch the sightings of a visible event; returns its row number.
pub fn publish(service: &Service, actor: &Actor, event: Ref) -> Result<i64> {
    if !actor.has(Permission::Sighting) && !actor.sees_all() {
        return Err(Error::Forbidden);
    }
    service.write(actor, |w| {
        let event = w.event(event)?.ok_or(Error::NotFound("event"))?;
        w.publish_sightings(&event)?;
        Ok(event.id)
    })
}

/// Which of these sightings of an event are here already.
pub fn known(service: &Service, actor: &Actor, event: Ref, uuids: &[Uuid]) -> Result<Vec<Uuid>> {
    service.read(actor, |r| {
        let event = r.event(event)?.ok_or(Error::NotFound("event"))?;
        Ok(r.known_sightings(event.id, uuids)?)
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

/// What finds the visible sightings of an event or attribute, or all, by one organisation or any, oldest first.
pub fn query(r: &mut Reader<'_>, of: Option<Of>, org: Option<i64>) -> Result<SightingQuery> {
    let sighted = match of {
        None => None,
        Some(Of::Event(event)) => {
            Some(Sighted::Events(vec![r.event(event)?.ok_or(Error::NotFound("event"))?.id]))
        }
        Some(Of::Attribute(attribute)) => {
            Some(Sighted::Attributes(r.attribute(attribute)?.ok_or(Error::NotFound("attribute"))?.ids()))
        }
    };
    Ok(SightingQuery { sighted, org_ids: org.into_iter().collect(), ..SightingQuery::default() })
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
