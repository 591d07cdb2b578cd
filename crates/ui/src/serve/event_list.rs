//! GET /events/index: all events, or those a search finds, fifty a page.

use std::collections::HashMap;

use axum::response::Response;
use http::StatusCode;
use pisax_model::event::Event;
use pisax_store::{Reader, Result};

use super::failure::Failure;
use super::visit::Visit;
use super::{groups, reply, search};
use crate::{Area, Chrome, EventList, EventRow, Listing, Paging, Tag, links, words};

const PER_PAGE: u64 = 50;

/// GET /
pub(crate) fn home(_: &Visit<'_>) -> std::result::Result<Response, Failure> {
    Ok(reply::redirect(links::EVENTS))
}

pub(crate) fn list(visit: &Visit<'_>) -> std::result::Result<Response, Failure> {
    let query = visit.query.get("q").trim();
    let page = visit.query.page();
    let listing = visit.service().read(visit.actor(), |r| {
        let found = search::events(r, query)?;
        Ok(listing(r, &found, query, page)?)
    })?;
    let chrome = Chrome { query: query.to_owned(), ..visit.chrome(Area::Events) };
    reply::page(StatusCode::OK, &EventList { chrome, listing })
}

fn listing(r: &mut Reader<'_>, found: &[i64], query: &str, page: u64) -> Result<Listing> {
    if found.is_empty() {
        return Ok(Listing::Nothing);
    }
    let paging = paging(found.len() as u64, query, page);
    let rows = rows(r, paging.of(found))?;
    Ok(Listing::Rows { rows, paging })
}

fn paging(total: u64, query: &str, page: u64) -> Paging {
    let searched = (!query.is_empty()).then(|| ("q".to_owned(), query.to_owned()));
    let paging = Paging {
        page,
        per_page: PER_PAGE,
        total,
        noun: "events",
        path: links::EVENTS.to_owned(),
        query: searched.into_iter().collect(),
        anchor: "",
    };
    paging.within()
}

fn rows(r: &mut Reader<'_>, ids: &[i64]) -> Result<Vec<EventRow>> {
    let events = r.events_by_ids(ids)?;
    let creators: Vec<i64> = events.iter().map(|event| event.orgc_id).collect();
    let orgs = r.org_names(&creators)?;
    let mut tags = r.event_tags(ids)?;
    let groups = groups::names(r, events.iter().map(|event| event.sharing_group_id))?;
    let rows = events.into_iter().map(|event| {
        let attached = tags.remove(&event.id).unwrap_or_default();
        let tags = attached.into_iter().map(|a| Tag::new(a.tag.name, &a.tag.colour, a.local)).collect();
        let org = orgs.get(&event.orgc_id).map(|org| org.name.clone()).unwrap_or_default();
        row(event, org, tags, &groups)
    });
    Ok(rows.collect())
}

fn row(event: Event, org: String, tags: Vec<Tag>, groups: &HashMap<i64, String>) -> EventRow {
    let group = groups.get(&event.sharing_group_id).map(String::as_str);
    EventRow {
        id: event.id,
        visibility: words::visibility(event.distribution, group),
        attributes: event.attribute_count.max(0) as u64,
        related: None,
        info: event.info,
        date: event.date,
        published: event.published,
        org,
        tags,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_the_page_keeps_the_search() {
        assert_eq!(paging(120, "a b", 1).next().as_deref(), Some("/events/index?q=a+b&page=2"));
        assert_eq!(paging(120, "", 1).next().as_deref(), Some("/events/index?page=2"));
    }
}
