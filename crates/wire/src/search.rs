//! restSearch: MISP's parameters to a [`Filter`] (semantics 5.6 to 5.8, corrected by observation).
//!
//! A parameter counts only in the scopes in which MISP honours it: a client that sends one elsewhere gets
//! everything from MISP, and must not get less here.

use crate::Include;
use crate::terms::{Params, each, lower_uuid, narrow, short_ipv6, truthy};
use pisax_model::filter::{Filter, Order, OrgFact, Range, Scope, SortKey, Terms, Tri};
use pisax_model::time::{format_date, parse_moment};
use serde_json::{Map, Value};

/// One search: what to look for and how to answer.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    pub scope: Scope,
    pub filter: Filter,
    /// `returnFormat`, lower case; `json` unless given.
    pub format: String,
    pub include: Include,
    /// Whether the client chose `published` and `to_ids` itself ([`SearchRequest::restrict`]).
    pub published_given: bool,
    pub to_ids_given: bool,
    /// Names of parameters that mean nothing here, as MISP ignores them.
    pub ignored: Vec<String>,
}

impl SearchRequest {
    /// Formats for machines that act on what they read carry only published events with to_ids, unless the
    /// client chose otherwise.
    pub fn restrict(&mut self) {
        if !self.published_given {
            self.filter.published = Tri::Only(true);
        }
        if !self.to_ids_given {
            self.filter.to_ids = Tri::Only(true);
        }
    }
}

/// Why a search could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchError {
    /// Neither a body nor parameters in the URL: 400.
    Empty,
    /// 405.
    NotJson(String),
}

impl SearchError {
    /// MISP's words.
    pub fn message(&self) -> &'static str {
        match self {
            Self::Empty => crate::answer::NO_FILTER,
            Self::NotJson(_) => crate::answer::INVALID_JSON,
        }
    }
}

impl std::fmt::Display for SearchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for SearchError {}

/// The members of a JSON body, unwrapped from `request`; an empty body has none.
pub(crate) fn body_members(body: &[u8]) -> Result<Map<String, Value>, SearchError> {
    if body.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    let value: Value =
        serde_json::from_slice(body).map_err(|error| SearchError::NotJson(error.to_string()))?;
    let Value::Object(mut map) = value else {
        return match value {
            Value::Array(list) if list.is_empty() => Ok(Map::new()),
            Value::Null => Ok(Map::new()),
            _ => Err(SearchError::NotJson("the parameters are not an object".to_owned())),
        };
    };
    match map.remove("request") {
        Some(Value::Object(inner)) => Ok(inner),
        _ => Ok(map),
    }
}

/// Reads a restSearch. `url_params` are the named (or, by the caller's naming, positional) parameters of the
/// path; they win over the body.
pub fn read_search(
    scope: Scope,
    body: &[u8],
    url_params: &[(String, String)],
    now_secs: i64,
) -> Result<SearchRequest, SearchError> {
    let params = Params::join(body_members(body)?, url_params);
    if params.is_empty() {
        return Err(SearchError::Empty);
    }
    let published = params.tri(&["published"], published);
    let to_ids = to_ids(&params);
    let ignore = params.on(&["ignore"]);
    let mut request = SearchRequest {
        scope,
        filter: Filter::new(),
        format: params.text(&["returnFormat"]).map_or_else(|| "json".to_owned(), |f| f.to_ascii_lowercase()),
        include: Include::read(&params),
        published_given: ignore || published.is_some(),
        to_ids_given: ignore || to_ids.is_some(),
        ignored: Vec::new(),
    };
    // MISP's searches of events tell what is related unless they are told not to.
    if scope == Scope::Events {
        request.include.include_event_correlations =
            params.switch(&["includeEventCorrelations"]).unwrap_or(true);
    }
    let filter = &mut request.filter;
    paging(filter, scope, &params);
    filter.deleted = deleted(&params).unwrap_or(filter.deleted);
    if scope == Scope::Events
        && let Some(pattern) = searchall(&params)
    {
        filter.searchall = Some(pattern);
        // It replaces every other selection, which is worth telling as well.
        request.ignored = params.ignored();
        return Ok(request);
    }
    if !ignore {
        filter.published = published.unwrap_or_default();
        filter.to_ids = to_ids.unwrap_or_default();
    }
    select(filter, scope, &params, now_secs);
    request.ignored = params.ignored();
    Ok(request)
}

/// The parameters that choose rows.
fn select(filter: &mut Filter, scope: Scope, params: &Params, now: i64) {
    let events = scope == Scope::Events;
    let attributes = scope == Scope::Attributes;
    let objects = scope == Scope::Objects;

    for (terms, name) in
        [(&mut filter.value, "value"), (&mut filter.value1, "value1"), (&mut filter.value2, "value2")]
    {
        *terms = params.terms(&[name]);
        each(terms, short_ipv6);
    }
    filter.kind = params.terms(&["type"]);
    for wanted in [&mut filter.kind.or, &mut filter.kind.and] {
        also_email(wanted);
    }
    filter.category = params.terms(&["category"]);
    filter.org = uuids(params.terms(&["org"]));
    filter.tags = params.terms(if attributes { &["tags"] } else { &["tags", "tag"] });
    filter.galaxy = galaxy(params);
    filter.org_facts = org_facts(params);
    filter.eventid = event_ids(params);
    filter.uuid = uuids(params.terms(&["uuid"]));
    filter.object_relation = params.terms(&["object_relation"]);
    filter.object_template_uuid = uuids(params.terms(&["object_template_uuid"]));
    filter.object_template_version = params.terms(&["object_template_version"]);
    filter.enforce_warninglist = params.on(&["enforceWarninglist"]);

    filter.date_from = params.text(&["from"]).map(|text| first_day(&text, now));
    filter.date_to = params.text(&["to"]).map(|text| last_day(&text, now));
    filter.publish_timestamp = params.moments(&["publish_timestamp"], now);
    narrow(&mut filter.publish_timestamp, params.moments(&["last"], now));
    filter.event_timestamp = params.moments(&["event_timestamp"], now);

    if events {
        filter.event_tags = params.terms(&["event_tags"]);
        filter.event_uuid = uuids(params.terms(&["event_uuid"]));
        filter.extends_uuid = uuids(params.terms(&["eventsExtendingUuid", "extends_uuid"]));
        filter.distribution = params.codes(&["distribution"]);
        filter.sharing_group = params.terms(&["sharing_group_id"]);
        filter.protected = params.tri(&["protected"], truthy).unwrap_or_default();
        date(filter, params, now);
    } else {
        filter.attribute_timestamp = params.moments(&["attribute_timestamp"], now);
        filter.first_seen = params.micros(&["first_seen"], now);
        filter.last_seen = params.micros(&["last_seen"], now).map(upper);
    }
    if objects {
        filter.object_name = params.terms(&["object_name"]);
        // In this scope MISP compares the event's own time.
        narrow(&mut filter.event_timestamp, params.moments(&["timestamp"], now));
    } else {
        filter.eventinfo = params.terms(&["eventinfo"]);
        filter.threat_level = params.terms(&["threat_level_id"]);
        filter.timestamp = params.moments(&["timestamp"], now);
        let group = uuids(params.terms(&["sharinggroup"]));
        if !group.is_empty() {
            filter.sharing_group = group;
        }
    }
}

/// Keys of galaxy clusters in one search; more are a mistake.
const GALAXY_KEYS: usize = 20;

/// `galaxy.synonyms`, `galaxy.cluster.value`, …: what clusters on the event or attribute have to say.
fn galaxy(params: &Params) -> Vec<(String, Terms)> {
    let mut asked = params.below("galaxy.", GALAXY_KEYS);
    for (key, _) in &mut asked {
        for noun in ["cluster.", "element."] {
            if let Some(rest) = key.strip_prefix(noun) {
                *key = rest.to_owned();
            }
        }
    }
    asked
}

/// `org.sector` and its like: what is known of the creator organisation.
fn org_facts(params: &Params) -> Vec<(OrgFact, Terms)> {
    let mut facts: Vec<(OrgFact, Terms)> = [
        (OrgFact::Sector, "org.sector"),
        (OrgFact::Nationality, "org.nationality"),
        (OrgFact::Kind, "org.type"),
    ]
    .into_iter()
    .map(|(fact, name)| (fact, params.terms(&[name])))
    .collect();
    if let Some(Tri::Only(local)) = params.tri(&["org.local"], truthy) {
        facts.push((OrgFact::Local, Terms::one(if local { "1" } else { "0" })));
    }
    facts.retain(|(_, terms)| !terms.is_empty());
    facts
}

/// `last_seen` alone is an upper bound.
fn upper(range: Range) -> Range {
    match range.to {
        None => Range { from: None, to: range.from },
        Some(_) => range,
    }
}

fn uuids(mut terms: Terms) -> Terms {
    each(&mut terms, |item| lower_uuid(item));
    terms
}

/// Who asks for one of the two directions of mail also gets addresses without direction.
fn also_email(types: &mut Vec<String>) {
    let directed = types.iter().any(|t| t == "email-src" || t == "email-dst");
    if directed && !types.iter().any(|t| t == "email") {
        types.push("email".to_owned());
    }
}

fn event_ids(params: &Params) -> Terms {
    let terms = uuids(params.terms(&["eventid"]));
    if terms.or.iter().any(|id| id.eq_ignore_ascii_case("all")) { Terms::default() } else { terms }
}

/// `searchall`: the pattern itself, or a flag with the pattern in `value`.
fn searchall(params: &Params) -> Option<String> {
    let pattern = params.text(&["searchall"])?;
    match pattern.as_str() {
        "0" => None,
        "1" => params.text(&["value"]).or(Some(pattern)),
        _ => Some(pattern),
    }
}

/// MISP compares with whatever is sent, and every text but "0" is true to it, "false" too.
fn published(value: &Value) -> bool {
    match value {
        Value::String(text) => text.trim() != "0",
        other => truthy(other),
    }
}

fn to_ids(params: &Params) -> Option<Tri> {
    params.tri(&["to_ids"], |value| match value {
        Value::String(text) if text.trim().eq_ignore_ascii_case("exclude") => false,
        other => truthy(other),
    })
}

/// `deleted`: 0 the living, 1 or "only" the deleted, `[0, 1]` both.
pub(crate) fn deleted(params: &Params) -> Option<Tri> {
    params.tri(&["deleted"], truthy)
}

/// Later than every event and earlier than every event: what cannot be read selects nothing.
const NEVER_AFTER: &str = "9999-12-31";
const NEVER_BEFORE: &str = "0000-00-00";

fn day(text: &str, now: i64) -> Option<String> {
    parse_moment(text, now).map(format_date)
}

fn first_day(text: &str, now: i64) -> String {
    day(text, now).unwrap_or_else(|| NEVER_AFTER.to_owned())
}

fn last_day(text: &str, now: i64) -> String {
    day(text, now).unwrap_or_else(|| NEVER_BEFORE.to_owned())
}

/// `date`: a day to begin with, or a list of the first and the last.
fn date(filter: &mut Filter, params: &Params, now: i64) {
    let days = params.get(&["date"]).map(crate::terms::items).unwrap_or_default();
    let (from, to) = match days.as_slice() {
        [] => return,
        [first] => (first_day(first, now), None),
        [first, last, ..] => {
            let (first, last) = (first_day(first, now), last_day(last, now));
            if first <= last { (first, Some(last)) } else { (last, Some(first)) }
        }
    };
    filter.date_from = Some(filter.date_from.take().map_or(from.clone(), |old| old.max(from)));
    if let Some(to) = to {
        filter.date_to = Some(filter.date_to.take().map_or(to.clone(), |old| old.min(to)));
    }
}

/// `limit`, `page` (which counts only with a limit) and `order`.
fn paging(filter: &mut Filter, scope: Scope, params: &Params) {
    filter.limit = params.count(&["limit"]);
    if filter.limit.is_some() {
        filter.page = params.count(&["page"]).unwrap_or(1);
    }
    filter.order = params.list(&["order"]).iter().filter_map(|text| order(scope, text)).collect();
}

/// One `field [asc|desc]`; a field this scope cannot be ordered by is ignored.
fn order(scope: Scope, text: &str) -> Option<Order> {
    let mut words = text.split_whitespace();
    let field = words.next()?;
    let descending = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("asc") => false,
        Some(word) if word.eq_ignore_ascii_case("desc") => true,
        Some(_) => return None,
    };
    let (model, column) = field.split_once('.').unwrap_or(match scope {
        Scope::Events => ("Event", field),
        Scope::Attributes => ("Attribute", field),
        Scope::Objects => ("Object", field),
    });
    let key = match (scope, model, column) {
        (Scope::Events, "Event", column) => match column {
            "id" => SortKey::Id,
            "info" => SortKey::Info,
            "analysis" => SortKey::Analysis,
            "threat_level_id" => SortKey::ThreatLevel,
            "distribution" => SortKey::Distribution,
            "timestamp" => SortKey::Timestamp,
            "publish_timestamp" => SortKey::PublishTimestamp,
            "date" => SortKey::Date,
            _ => return None,
        },
        (Scope::Attributes, "Attribute", column) => match column {
            "id" => SortKey::Id,
            "event_id" => SortKey::EventId,
            "object_id" => SortKey::ObjectId,
            "type" => SortKey::Type,
            "category" => SortKey::Category,
            "value" | "value1" => SortKey::Value,
            "distribution" => SortKey::Distribution,
            "timestamp" => SortKey::Timestamp,
            "object_relation" => SortKey::ObjectRelation,
            _ => return None,
        },
        (Scope::Attributes, "Event", "publish_timestamp") => SortKey::PublishTimestamp,
        (Scope::Attributes, "Event", "id") => SortKey::EventId,
        (Scope::Objects, "Object", "id") => SortKey::Id,
        (Scope::Objects, "Object", "event_id") => SortKey::EventId,
        (Scope::Objects, "Object", "timestamp") => SortKey::Timestamp,
        _ => return None,
    };
    Some(Order { key, descending })
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
