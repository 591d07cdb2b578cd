//! GET /events/view/{id}: one event, its contents a page at a time.

use axum::response::Response;
use http::StatusCode;
use pisax_access::{Permission, edit};
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_service::{Error, Result};
use pisax_store::Reader;
use pisax_store::correlations;

use super::failure::Failure;
use super::visit::{Visit, owner};
use super::{contents, groups, reply, warnings};
use crate::{Area, EventLink, EventPage, PostAction, Related, RelatedEvent, Tag, Time, links, words};

/// Related events that are shown; their number is exact.
const RELATED: usize = 50;

pub(crate) fn view(visit: &Visit<'_>) -> std::result::Result<Response, Failure> {
    let reference = visit.reference()?;
    let page = visit.service().read(visit.actor(), |r| {
        let event = r.event(reference)?.ok_or(Error::NotFound("event"))?;
        draw(visit, r, event)
    })?;
    reply::page(StatusCode::OK, &page)
}

fn draw(visit: &Visit<'_>, r: &mut Reader<'_>, event: Event) -> Result<EventPage> {
    let now = visit.service().now();
    let may_edit = visit.may(Permission::Add) && edit::may_edit(visit.actor(), owner(&event));
    let filter = visit.query.get("filter").trim();
    let warnings = warnings::of(visit.service());
    let look = contents::Look { may_edit, warnings: &warnings };
    let contents = contents::load(r, &event, filter, visit.query.page(), &look)?;
    let group = groups::names(r, std::iter::once(event.sharing_group_id))?.remove(&event.sharing_group_id);
    let orgs = r.org_names(&[event.org_id, event.orgc_id])?;
    let name = |id: i64| orgs.get(&id).map(|org| org.name.clone()).unwrap_or_default();
    Ok(EventPage {
        chrome: visit.chrome(Area::Events),
        id: event.id,
        uuid: event.uuid.to_string(),
        published: event.published.then(|| Time::ago(event.publish_timestamp, now)),
        changed: Time::ago(event.timestamp, now),
        creator_org: name(event.orgc_id),
        owner_org: name(event.org_id),
        creator_user: creator(r, &event)?,
        threat_level: words::threat_level(event.threat_level_id).to_owned(),
        analysis: words::analysis(event.analysis).to_owned(),
        visibility: words::visibility_sentence(event.distribution, group.as_deref()),
        extends: extended(r, &event)?,
        no_correlation: event.disable_correlation,
        tags: tags(r, &event)?,
        attribute_count: contents.attribute_count,
        object_count: contents.object_count,
        filter: filter.to_owned(),
        paging: contents.paging,
        attributes: contents.attributes,
        objects: contents.objects,
        related: related(r, &event)?,
        may_edit,
        publish: publishing(visit, &event, group.as_deref()),
        info: event.info,
        date: event.date,
    })
}

/// The address of who made the event, for site admins and the auditors of the organisation (as in the API).
fn creator(r: &mut Reader<'_>, event: &Event) -> Result<Option<String>> {
    let actor = r.actor();
    let audits = actor.has(Permission::Audit) && actor.org_id == event.orgc_id;
    if !actor.sees_all() && !audits {
        return Ok(None);
    }
    Ok(r.creator_email(event.user_id)?)
}

fn extended(r: &mut Reader<'_>, event: &Event) -> Result<Option<EventLink>> {
    let Some(uuid) = event.extends_uuid else { return Ok(None) };
    let found = r.event(Ref::Uuid(uuid))?;
    Ok(found.map(|event| EventLink { id: event.id, info: event.info }))
}

fn tags(r: &mut Reader<'_>, event: &Event) -> Result<Vec<Tag>> {
    let attached = r.event_tags(&[event.id])?.remove(&event.id).unwrap_or_default();
    Ok(attached.into_iter().map(|a| Tag::new(a.tag.name, &a.tag.colour, a.local)).collect())
}

/// Those with the most shared values first, of as many the newest.
fn related(r: &mut Reader<'_>, event: &Event) -> Result<Related> {
    let mut all = r.related_events(event)?;
    let total = all.len() as u64;
    all.sort_unstable_by_key(|related| std::cmp::Reverse((related.count, related.event_id)));
    all.truncate(RELATED);
    let ids: Vec<i64> = all.iter().map(|related| related.event_id).collect();
    let events = r.events_by_ids(&ids)?;
    let creators: Vec<i64> = events.iter().map(|event| event.orgc_id).collect();
    let orgs = r.org_names(&creators)?;
    let shared = |id: i64| all.iter().find(|related| related.event_id == id).map_or(0, shared_values);
    let events = events.into_iter().map(|event| RelatedEvent {
        id: event.id,
        org: orgs.get(&event.orgc_id).map(|org| org.name.clone()).unwrap_or_default(),
        shared: shared(event.id),
        info: event.info,
        date: event.date,
    });
    Ok(Related { total, events: events.collect() })
}

fn shared_values(related: &correlations::Related) -> u64 {
    related.count.max(0) as u64
}

/// The button that publishes, or takes it back, for who may.
fn publishing(visit: &Visit<'_>, event: &Event, group: Option<&str>) -> Option<PostAction> {
    if !edit::may_publish(visit.actor(), owner(event)) {
        return None;
    }
    if event.published {
        return visit.may(Permission::Modify).then(|| PostAction {
            url: links::unpublish_event(event.id),
            label: "Take publication back".to_owned(),
            confirm: "Take the publication back? Who has fetched the event already keeps it.".to_owned(),
        });
    }
    let to = audience(event.distribution, group);
    visit.may(Permission::Publish).then(|| PostAction {
        url: links::publish_event(event.id),
        label: format!("Publish to {to}"),
        confirm: format!("Publish to {to}? What others have fetched cannot be called back."),
    })
}

fn audience(distribution: i64, group: Option<&str>) -> String {
    match distribution {
        0 => "your organisation".to_owned(),
        1 => "this community".to_owned(),
        2 => "connected communities".to_owned(),
        3 => "all communities".to_owned(),
        _ => group.unwrap_or("its sharing group").to_owned(),
    }
}
