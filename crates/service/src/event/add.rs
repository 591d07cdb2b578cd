//! A new event with everything in it: one transaction, all or nothing.

use super::arrival::{Arrival, Placed};
use super::publish::{or_leave, publish_one};
use super::{
    Source, block_rule, check_analysis, check_date, check_distribution, check_info, check_threat_level,
    extended, protection,
};
use crate::analyst::{self, Said};
use crate::attribute::twin_refused;
use crate::context::{Checked, Groups, Tags, check, chosen_uuids};
use crate::error::uuid_taken;
use crate::event::protection::Proven;
use crate::files::Files;
use crate::object::{NewObject, check_object, insert_objects};
use crate::setting::Settings;
use crate::workflow::begin;
use crate::{Error, Result, Service, report};
use pisax_access::{Actor, Permission};
use pisax_model::cryptographic_key::CryptographicKey;
use pisax_model::event::{Event, EventDraft};
use pisax_model::ids::{self, Ref};
use pisax_model::object::ObjectDraft;
use pisax_model::report::ReportDraft;
use pisax_model::tag::TagDraft;
use pisax_model::{Distribution, FieldError, Uuid, time};
use pisax_store::{Reader, Writer};
use rustc_hash::FxHashSet;

/// What came of it.
pub struct Added {
    pub id: i64,
    /// Attributes that were refused and left out, by their place in the payload, with the reason.
    pub dropped: Vec<(usize, FieldError)>,
}

struct Prepared {
    event: Event,
    group: Option<Ref>,
    extends: Option<String>,
    orgc: Option<pisax_model::org::OrgRef>,
    attributes: Vec<Checked>,
    objects: Vec<NewObject>,
    tags: Vec<TagDraft>,
    reports: Vec<ReportDraft>,
    said: Vec<Said>,
    keys: Vec<CryptographicKey>,
    dropped: Vec<(usize, FieldError)>,
}

/// Adds an event. Invalid attributes are left out and reported, as MISP does; an invalid event is refused whole.
/// Who synchronises brings the sharing groups it names along.
pub fn add(service: &Service, actor: &Actor, draft: EventDraft) -> Result<Added> {
    add_from(service, actor, draft, Source::pushed(actor).as_ref())
}

/// The same for what comes from another server.
pub(super) fn add_from(
    service: &Service,
    actor: &Actor,
    mut draft: EventDraft,
    from: Option<&Source>,
) -> Result<Added> {
    begin::before_saving(service, actor, &draft, None)?;
    if draft.published == Some(true) && begin::guards_publication(service, actor) {
        draft.published = None;
        let added = add_unasked(service, actor, draft, from)?;
        or_leave(service, actor, Ref::Id(added.id))?;
        return Ok(added);
    }
    add_unasked(service, actor, draft, from)
}

/// Adds an event and does something more in the same transaction, with its row number. No workflow decides on it: it
/// is the platform's own.
pub(crate) fn add_and(
    service: &Service,
    actor: &Actor,
    draft: EventDraft,
    more: impl FnOnce(&mut Writer<'_>, i64) -> Result<()>,
) -> Result<Added> {
    let settings = service.settings();
    let prepared = prepare(service, actor, draft, None)?;
    service.write(actor, |w| {
        let added = insert(w, prepared, &settings, None)?;
        more(w, added.id)?;
        Ok(added)
    })
}

/// Adds several events in one transaction: all of them or none. For who brings many at once; when they are refused,
/// adding them one by one tells which one it was.
pub fn add_together(service: &Service, actor: &Actor, drafts: Vec<EventDraft>) -> Result<Vec<Added>> {
    let settings = service.settings();
    let from = Source::pushed(actor);
    let mut files = Files::new(service);
    let mut prepared = Vec::with_capacity(drafts.len());
    for mut draft in drafts {
        begin::before_saving(service, actor, &draft, None)?;
        if draft.published == Some(true) && begin::guards_publication(service, actor) {
            return Err(Error::Refused("A workflow decides on each event that is to be published.".into()));
        }
        let arrival = from.as_ref().map(|from| Arrival::new(service, from, &mut draft));
        let mut event = prepare(service, actor, draft, from.as_ref())?;
        keep_files(&mut event, &mut files)?;
        prepared.push((event, arrival));
    }
    files.after(service.write(actor, |w| {
        prepared.into_iter().map(|(event, arrival)| insert(w, event, &settings, arrival)).collect()
    }))
}

fn add_unasked(
    service: &Service,
    actor: &Actor,
    mut draft: EventDraft,
    from: Option<&Source>,
) -> Result<Added> {
    let settings = service.settings();
    let arrival = from.map(|from| Arrival::new(service, from, &mut draft));
    let mut prepared = prepare(service, actor, draft, from).map_err(|e| refused_first(service, actor, e))?;
    let mut files = Files::new(service);
    keep_files(&mut prepared, &mut files)?;
    let uuid = prepared.event.uuid;
    match files.after(service.write_bare(actor, |w| insert(w, prepared, &settings, arrival))) {
        // Somebody else stored the same event, or one of its attributes, a moment before.
        Err(Error::Store(e)) if e.is_unique_violation() => {
            Err(match service.read(actor, |r| Ok(r.event_uuid_taken(&uuid)?))? {
                Some(id) => service.read(actor, |r| exists(r, id, uuid))?,
                None => uuid_taken().into(),
            })
        }
        result => result,
    }
}

/// What is to become of the events of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Leave,
    Publish,
}

/// Adds the events of one document, and publishes them where that is asked, in one transaction: all or none. Of
/// several, those that are here already are left as they are. Where a workflow is to be asked before publication,
/// they are saved first, as it looks at what is stored, and one that it refuses stays unpublished.
pub fn add_document(
    service: &Service,
    actor: &Actor,
    drafts: Vec<EventDraft>,
    then: Then,
) -> Result<Vec<Added>> {
    let settings = service.settings();
    let guarded = begin::guards_publication(service, actor);
    let mut prepared = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let draft = EventDraft { published: None, ..draft };
        begin::before_saving(service, actor, &draft, None)?;
        prepared.push(prepare(service, actor, draft, None).map_err(|e| refused_first(service, actor, e))?);
    }
    let mut files = Files::new(service);
    prepared.iter_mut().try_for_each(|one| keep_files(one, &mut files))?;
    let several = prepared.len() > 1;
    let added = files.after(service.write(actor, |w| {
        let (mut added, mut known) = (Vec::with_capacity(prepared.len()), None);
        for one in prepared {
            // An event that is here already is noticed before anything of it is written.
            match insert(w, one, &settings, None) {
                Err(e @ Error::EventExists { .. }) if several => known = Some(e),
                result => added.push(result?),
            }
        }
        if then == Then::Publish && !guarded {
            added.iter().try_for_each(|one| publish_one(w, Ref::Id(one.id)).map(drop))?;
        }
        match known {
            Some(known) if added.is_empty() => Err(known),
            _ => Ok(added),
        }
    }))?;
    if then == Then::Publish && guarded {
        added.iter().try_for_each(|one| or_leave(service, actor, Ref::Id(one.id)))?;
    }
    Ok(added)
}

fn keep_files(prepared: &mut Prepared, files: &mut Files<'_>) -> Result<()> {
    let inside = prepared.objects.iter_mut().flat_map(|object| &mut object.attributes);
    let mut all = prepared.attributes.iter_mut().chain(inside);
    all.try_for_each(|checked| files.keep(&mut checked.attribute.data))
}

/// That there is such an event everybody hears, which one it is who sees it.
fn exists(r: &mut Reader<'_>, id: i64, uuid: Uuid) -> Result<Error> {
    Ok(Error::EventExists { id: r.event(Ref::Id(id))?.map(|event| event.id), uuid })
}

const BLOCKED_ORG: &str = "Event blocked by organisation blocklist.";

/// Whose events are not wanted hears that before he hears what is wrong with one.
fn refused_first(service: &Service, actor: &Actor, error: Error) -> Error {
    match service.read(actor, |r| Ok(r.is_blocked_org(actor.org_id)?)) {
        Ok(true) => Error::Refused(BLOCKED_ORG.into()),
        _ => error,
    }
}

fn prepare(
    service: &Service,
    actor: &Actor,
    mut draft: EventDraft,
    from: Option<&Source>,
) -> Result<Prepared> {
    let now_ms = service.clock.now_ms();
    let now = now_ms / 1000;
    let uuid = draft.uuid.unwrap_or_else(|| ids::new_uuid(now_ms));
    let said = analyst::gather(&mut draft, uuid, now_ms);
    let settings = service.settings();
    if draft.bad_uuid {
        return Err(FieldError::new("uuid", "Please provide a valid RFC 4122 UUID").into());
    }
    let foreign = draft.orgc.as_ref().is_some_and(|o| o.uuid.is_some() || o.name.is_some() || o.id.is_some());
    let may_speak_for_others = actor.has(Permission::Sync) || actor.has(Permission::SiteAdmin);
    let org_id = from.map_or(actor.org_id, |from| from.org_id);
    let may_publish = actor.has(Permission::Publish) || actor.has(Permission::SiteAdmin);
    let published = draft.published.unwrap_or(false) && may_publish;
    let mut dropped = Vec::new();
    let attributes = check_all(draft.attributes, now_ms, &mut dropped);
    let event = Event {
        id: 0,
        uuid,
        org_id,
        orgc_id: from.map_or(org_id, Source::maker),
        user_id: actor.user_id,
        date: match draft.date.filter(|d| !d.trim().is_empty()) {
            Some(date) => check_date(&date)?,
            None => time::format_datetime(now)[..10].to_owned(),
        },
        info: check_info(draft.info)?,
        threat_level_id: check_threat_level(
            draft.threat_level_id.unwrap_or(settings.default_event_threat_level),
        )?,
        analysis: check_analysis(draft.analysis.unwrap_or(0))?,
        published,
        publish_timestamp: if published { now } else { 0 },
        timestamp: draft.timestamp.filter(|t| *t > 0).unwrap_or(now),
        sighting_timestamp: 0,
        attribute_count: 0,
        distribution: check_distribution(draft.distribution.unwrap_or(settings.default_event_distribution))?,
        sharing_group_id: 0,
        locked: draft.locked.unwrap_or(false) && may_speak_for_others,
        proposal_email_lock: false,
        disable_correlation: draft.disable_correlation.unwrap_or(false),
        extends_uuid: None,
        protected: draft.protected,
    };
    let keys = protection::read_keys(&draft.keys, now_ms)?;
    Proven::by(&keys, draft.proof.as_ref()).allow(actor, from, &event, &keys)?;
    Ok(Prepared {
        event,
        group: draft.sharing_group,
        extends: draft.extends_uuid,
        orgc: draft.orgc.filter(|_| foreign && may_speak_for_others),
        attributes,
        objects: check_objects(draft.objects, now_ms, &mut dropped),
        tags: draft.tags,
        reports: draft.reports,
        said,
        keys,
        dropped,
    })
}

/// Attributes of an object are refused one by one like the event's own; an object without a name is left out.
fn check_objects(
    drafts: Vec<ObjectDraft>,
    now_ms: i64,
    dropped: &mut Vec<(usize, FieldError)>,
) -> Vec<NewObject> {
    let mut objects = Vec::with_capacity(drafts.len());
    for (place, mut draft) in drafts.into_iter().enumerate() {
        let mut inside = Vec::new();
        for attribute in std::mem::take(&mut draft.attributes) {
            match check(attribute, true, now_ms) {
                Ok(checked) => inside.push(checked),
                Err(e) => dropped.push((place, e)),
            }
        }
        // MISP captures an object without distribution as its owner's alone (recorded answer 031).
        draft.distribution = draft.distribution.or(Some(Distribution::Organisation.code()));
        match check_object(draft, now_ms) {
            Ok(object) => objects.push(NewObject { attributes: inside, ..object }),
            Err(e) => dropped.push((place, e)),
        }
    }
    objects
}

fn check_all(
    drafts: Vec<pisax_model::attribute::AttributeDraft>,
    now_ms: i64,
    dropped: &mut Vec<(usize, FieldError)>,
) -> Vec<Checked> {
    let mut checked = Vec::with_capacity(drafts.len());
    for (place, draft) in drafts.into_iter().enumerate() {
        match check(draft, false, now_ms) {
            Ok(attribute) => checked.push(attribute),
            Err(e) => dropped.push((place, e)),
        }
    }
    checked
}

fn insert(
    w: &mut Writer<'_>,
    mut p: Prepared,
    settings: &Settings,
    arrival: Option<Arrival<'_>>,
) -> Result<Added> {
    if let Some(id) = w.event_uuid_taken(&p.event.uuid)? {
        return Err(exists(w, id, p.event.uuid)?);
    }
    if settings.event_blocklist && !w.blocked_among(&[p.event.uuid])?.is_empty() {
        return Err(Error::Blocklisted);
    }
    if let Some(orgc) = &p.orgc
        && let Some(id) = w.capture_org(orgc)?
    {
        p.event.orgc_id = id;
    }
    block_rule::check(w, &p.tags)?;
    if settings.org_blocklist && w.is_blocked_org(p.event.orgc_id)? {
        return Err(Error::Refused(BLOCKED_ORG.into()));
    }
    if let Some(arrival) = arrival {
        arrival.refuse_forged(w, p.event.orgc_id)?;
        place_groups(&arrival.capture_groups(w)?, &mut p);
    }
    let mut groups = Groups::default();
    if p.event.distribution == 4 {
        p.event.sharing_group_id = groups.usable(w, p.group)?;
    }
    p.event.extends_uuid = extended(w, p.extends.take())?;
    let refused = settle(w, &mut groups, &mut p)?;
    p.event.attribute_count = living(&p);
    let event_id = w.insert_event(&p.event)?;
    insert_children(w, event_id, &mut p)?;
    p.event.id = event_id;
    p.dropped.extend(report::merge(w, &p.event, p.reports)?.into_iter().map(|error| (0, error)));
    analyst::capture_inside(w, p.said)?;
    protection::keep_keys(w, event_id, std::mem::take(&mut p.keys))?;
    p.dropped.extend(refused);
    Ok(Added { id: event_id, dropped: p.dropped })
}

/// What is shared with a group that cannot be used is its owner's alone.
fn place_groups(placed: &Placed, p: &mut Prepared) {
    placed.code(&mut p.event.distribution, &mut p.group);
    for object in &mut p.objects {
        placed.code(&mut object.object.distribution, &mut object.group);
    }
    let inside = p.objects.iter_mut().flat_map(|o| &mut o.attributes);
    for checked in p.attributes.iter_mut().chain(inside) {
        let mut code = checked.attribute.distribution.code();
        placed.code(&mut code, &mut checked.group);
        if code == Distribution::Organisation.code() {
            checked.attribute.distribution = Distribution::Organisation;
        }
    }
    for report in &mut p.reports {
        placed.draft(&mut report.distribution, &mut report.sharing_group);
    }
}

fn living(p: &Prepared) -> i64 {
    let own = p.attributes.iter().filter(|a| !a.attribute.deleted).count();
    let inside = p.objects.iter().flat_map(|o| &o.attributes).filter(|a| !a.attribute.deleted).count();
    (own + inside) as i64
}

/// Leaves out attributes whose uuid is taken, whose sharing group cannot be used, or that stand in the payload
/// twice.
fn settle(w: &mut Writer<'_>, groups: &mut Groups, p: &mut Prepared) -> Result<Vec<(usize, FieldError)>> {
    let inside = p.objects.iter().flat_map(|o| &o.attributes);
    let known = w.known_attributes(&chosen_uuids(p.attributes.iter().chain(inside)))?;
    let mut seen = FxHashSet::default();
    let mut twins = FxHashSet::default();
    let mut refused = Vec::new();
    let mut keep =
        |w: &mut Writer<'_>, place: usize, checked: &mut Checked, in_object: bool| -> Result<bool> {
            let uuid = checked.attribute.uuid;
            let problem = if known.contains_key(&uuid) || !seen.insert(uuid) {
                Some(uuid_taken())
            } else if !in_object && !checked.attribute.deleted && !twins.insert(w.twin(&checked.attribute)) {
                Some(twin_refused())
            } else {
                match groups.settle(w, checked) {
                    Ok(()) => None,
                    Err(Error::Invalid(mut fields)) => fields.pop(),
                    Err(e) => return Err(e),
                }
            };
            Ok(problem.map(|e| refused.push((place, e))).is_none())
        };
    let mut kept = Vec::with_capacity(p.attributes.len());
    for (place, mut checked) in std::mem::take(&mut p.attributes).into_iter().enumerate() {
        if keep(w, place, &mut checked, false)? {
            kept.push(checked);
        }
    }
    p.attributes = kept;
    for object in &mut p.objects {
        let mut kept = Vec::with_capacity(object.attributes.len());
        for mut checked in std::mem::take(&mut object.attributes) {
            if keep(w, 0, &mut checked, true)? {
                kept.push(checked);
            }
        }
        object.attributes = kept;
    }
    let uuids: Vec<_> = p.objects.iter().map(|o| o.object.uuid).collect();
    let known = w.known_objects(&uuids)?;
    let mut seen = FxHashSet::default();
    p.objects.retain(|o| !known.contains_key(&o.object.uuid) && seen.insert(o.object.uuid));
    for object in &mut p.objects {
        object.settle(w, groups)?;
    }
    Ok(refused)
}

fn insert_children(w: &mut Writer<'_>, event_id: i64, p: &mut Prepared) -> Result<()> {
    let placed = insert_objects(w, event_id, &mut p.objects)?;
    let own = p.attributes.iter().map(|c| (0, &c.attribute));
    let rows: Vec<_> = own.chain(placed).collect();
    let ids = w.insert_attributes(event_id, &rows)?;
    let drafts: Vec<&TagDraft> = p.tags.iter().chain(rows.iter().flat_map(|(_, a)| &a.tags)).collect();
    let tags = Tags::resolve(w, &drafts)?;
    let actor = w.actor().clone();
    w.attach_event_tags(event_id, &tags.attachments(&actor, &p.tags))?;
    let attached: Vec<_> = rows
        .iter()
        .zip(&ids)
        .filter(|((_, a), _)| !a.tags.is_empty())
        .flat_map(|((_, a), id)| tags.attachments(&actor, &a.tags).into_iter().map(|t| (*id, t)))
        .collect();
    w.attach_attribute_tags(event_id, &attached)?;
    crate::attribute::add_sightings(w, event_id, rows.iter().zip(&ids).map(|((_, a), id)| (*id, *a)))?;
    crate::object::insert_references(w, event_id, &p.objects)
}
