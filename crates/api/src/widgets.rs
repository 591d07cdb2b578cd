//! `/dashboards/renderWidget`: what the widgets of a dashboard show, as data.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, member, number_member};
use crate::request::{self, Request, text, texts};
use pisax_model::filter::{Filter, Order, Scope, SortKey};
use pisax_wire::JsonWriter;
use serde_json::Value;

const DAY: i64 = 86_400;
/// Rows of a list unless the widget says otherwise, and at most.
const USUAL: usize = 10;
const MOST: usize = 200;

/// POST /dashboards/renderWidget/{id} `{widget, config}`
pub(crate) fn render(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("data")?;
    let widget = text(&sent, "widget").ok_or_else(|| {
        Failure::NotAllowed("You need to specify the widget to use along with the configuration.".into())
    })?;
    let config = match sent.get("config") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(config) => config.clone(),
        None => Value::Null,
    };
    match widget.as_str() {
        "MispStatusWidget" => status(request),
        "TrendingTagsWidget" => trending_tags(request, &config),
        "OrgContributionToplistWidget" => contributions(request, &config),
        "EventStreamWidget" => event_stream(request, &config),
        "WhoamiWidget" => whoami(request),
        _ => Err(Failure::NotFound("Invalid widget.")),
    }
}

fn limit(config: &Value, name: &str, usual: usize) -> usize {
    let asked = request::number(config, name).and_then(|n| usize::try_from(n).ok());
    asked.filter(|n| *n > 0).unwrap_or(usual).min(MOST)
}

fn row(w: &mut JsonWriter<'_>, title: &str, value: &str) {
    w.begin_object();
    member(w, "title", title);
    member(w, "value", value);
    w.end_object();
}

/// What happened since one signed in last.
fn status(request: &Request) -> Result<Answer, Failure> {
    let since = request.owner.user.last_login;
    let (modified, published) = request.service.read(&request.actor, |r| Ok(r.events_since(since)?))?;
    Ok(document(|w| {
        w.begin_array();
        row(w, "Events modified", &modified.to_string());
        row(w, "Events published", &published.to_string());
        w.end_array();
    }))
}

/// The moment from which on a widget looks: `7d`, or seconds; -1: always.
fn since(request: &Request, config: &Value, name: &str, usual_days: i64) -> i64 {
    let asked = text(config, name).unwrap_or_default();
    let seconds = match asked.strip_suffix('d') {
        Some(days) => days.trim().parse::<i64>().ok().and_then(|days| days.checked_mul(DAY)),
        None => asked.trim().parse().ok(),
    };
    match seconds {
        Some(-1) => 0,
        Some(seconds) if seconds > 0 => request.now().saturating_sub(seconds),
        _ => request.now() - usual_days * DAY,
    }
}

fn trending_tags(request: &Request, config: &Value) -> Result<Answer, Failure> {
    let from = since(request, config, "time_window", 7);
    let mut tags = request.service.read(&request.actor, |r| Ok(r.trending_tags(from)?))?;
    let parts = |name: &str| texts(config, name).unwrap_or_default();
    let (include, exclude) = (parts("include"), parts("exclude"));
    let has = |name: &str, list: &[String]| list.iter().any(|part| name.contains(part.as_str()));
    tags.retain(|(name, _, _)| (include.is_empty() || has(name, &include)) && !has(name, &exclude));
    tags.truncate(limit(config, "threshold", USUAL));
    Ok(document(|w| {
        w.begin_object();
        w.key("data");
        w.begin_object();
        for (name, _, count) in &tags {
            w.key(name);
            w.int(*count);
        }
        w.end_object();
        w.key("colours");
        w.begin_object();
        tags.iter().for_each(|(name, colour, _)| member(w, name, colour));
        w.end_object();
        w.end_object();
    }))
}

fn contributions(request: &Request, config: &Value) -> Result<Answer, Failure> {
    let days = request::number(config, "days").filter(|days| (1..=36_500).contains(days));
    let from = days.map_or(0, |days| request.now() - days * DAY);
    let (made, names) = request.service.read(&request.actor, |r| {
        let made = r.contributions(from)?;
        let ids: Vec<i64> = made.iter().map(|(org, _)| *org).collect();
        Ok((made, r.org_names(&ids)?))
    })?;
    Ok(document(|w| {
        w.begin_object();
        w.key("data");
        w.begin_object();
        for (org, contribution) in made.iter().take(limit(config, "limit", USUAL)) {
            if let Some(name) = names.get(org) {
                w.key(&name.name);
                w.int(contribution.events);
            }
        }
        w.end_object();
        w.end_object();
    }))
}

/// The newest events one sees.
fn event_stream(request: &Request, config: &Value) -> Result<Answer, Failure> {
    let mut filter = Filter::new();
    filter.order = vec![Order { key: SortKey::Id, descending: true }];
    filter.limit = i64::try_from(limit(config, "limit", 5)).ok();
    let (events, names) = request.service.read(&request.actor, |r| {
        let ids = r.find(Scope::Events, &filter)?;
        let ids = crate::restsearch::page(&filter, ids);
        let mut events = r.events_by_ids(&ids)?;
        events.sort_by_key(|event| -event.id);
        let orgs: Vec<i64> = events.iter().map(|event| event.orgc_id).collect();
        Ok((events, r.org_names(&orgs)?))
    })?;
    Ok(document(|w| {
        w.begin_object();
        w.key("data");
        w.begin_array();
        for event in &events {
            w.begin_object();
            w.key("Event");
            w.begin_object();
            number_member(w, "id", event.id);
            w.key("uuid");
            w.uuid(event.uuid);
            member(w, "info", &event.info);
            member(w, "date", &event.date);
            number_member(w, "threat_level_id", event.threat_level_id);
            number_member(w, "analysis", event.analysis);
            w.end_object();
            w.key("Orgc");
            w.begin_object();
            number_member(w, "id", event.orgc_id);
            member(w, "name", names.get(&event.orgc_id).map_or("", |org| org.name.as_str()));
            w.end_object();
            w.end_object();
        }
        w.end_array();
        w.end_object();
    }))
}

fn whoami(request: &Request) -> Result<Answer, Failure> {
    let owner = &request.owner;
    Ok(document(|w| {
        w.begin_array();
        row(w, "Email", &owner.user.email);
        row(w, "Role", &owner.role.name);
        row(w, "Organisation", &owner.org.name);
        w.end_array();
    }))
}
