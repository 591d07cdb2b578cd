//! `/users/statistics/…`: numbers about the instance. Events and attributes count as far as one sees them.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, member, number_member};
use crate::request::Request;
use pisax_access::Actor;
use pisax_model::{AttributeType, time};
use pisax_service::{Error, usage as service};
use pisax_store::statistics::{Contribution, Grown};
use pisax_wire::JsonWriter;
use rustc_hash::FxHashMap;
use std::fmt::Write;

const DAY: i64 = 86_400;

/// GET /users/statistics[/{data|orgs|users|tags|attributehistogram|sightings|galaxyMatrix}]
pub(crate) fn statistics(request: &Request) -> Result<Answer, Failure> {
    match request.path.arg(0).unwrap_or("data") {
        "data" => data(request),
        "orgs" => orgs(request),
        "users" => users(request),
        "tags" => tags(request),
        "attributehistogram" => histogram(request),
        "sightings" => sightings(request),
        "galaxyMatrix" => crate::matrix::statistics(request),
        _ => Err(Failure::NotFound("Invalid page")),
    }
}

/// The first second of this month and of this year.
fn month_and_year(now: i64) -> [i64; 2] {
    let today = time::format_date(now);
    let first = |text: String| time::parse_micros(&text).map_or(0, |micros| micros / 1_000_000);
    let (year, month) = (today.get(..4).unwrap_or("1970"), today.get(..7).unwrap_or("1970-01"));
    [first(format!("{month}-01")), first(format!("{year}-01-01"))]
}

fn data(request: &Request) -> Result<Answer, Failure> {
    let [month, _] = month_and_year(request.now());
    let usage = request.service.read(&request.actor, |r| Ok(r.usage(month)?))?;
    // All pairs there are: whoever does not see everything could add a value and hear how often it is hidden.
    let pairs = if request.actor.sees_all() { service::correlation_pairs(&request.service)? } else { 0 };
    let per = |part: i64, whole: i64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let tenth = (per(usage.users, usage.local_orgs) * 10.0).round() / 10.0;
    let whole = per(usage.attributes, usage.events).round() as i64;
    Ok(document(|w| {
        w.begin_object();
        w.key("stats");
        w.begin_object();
        for (name, number) in [
            ("event_count", usage.events),
            ("event_count_month", usage.events_since),
            ("attribute_count", usage.attributes),
            ("attribute_count_month", usage.attributes_since),
            ("attributes_per_event", whole),
            ("correlation_count", pairs),
            ("proposal_count", usage.proposals),
            ("user_count", usage.users),
            ("user_count_pgp", usage.users_with_key),
            ("org_count", usage.orgs),
            ("local_org_count", usage.local_orgs),
            ("contributing_org_count", usage.contributing_orgs),
        ] {
            number_member(w, name, number);
        }
        member(w, "average_user_per_org", &tenth.to_string());
        // There are no discussions here.
        for name in ["thread_count", "thread_count_month", "post_count", "post_count_month"] {
            number_member(w, name, 0);
        }
        w.end_object();
        w.end_object();
    }))
}

fn orgs(request: &Request) -> Result<Answer, Failure> {
    let local = match request.path.named("scope") {
        Some("all") => None,
        Some("external") => Some(false),
        _ => Some(true),
    };
    let now = request.now();
    let year_ago = now - 365 * DAY;
    let (orgs, users, made, activity) = request.service.read(&request.actor, |r| {
        Ok((r.orgs(local, None)?, r.org_user_counts()?, r.contributions(0)?, r.activity(year_ago)?))
    })?;
    let made: FxHashMap<i64, Contribution> = made.into_iter().collect();
    let mut days: FxHashMap<i64, Vec<(i64, i64)>> = FxHashMap::default();
    for (org, day, attributes) in activity {
        days.entry(org).or_default().push((day, attributes));
    }
    Ok(document(|w| {
        w.begin_object();
        for org in &orgs {
            w.key(&org.name);
            w.begin_object();
            number_member(w, "id", org.id);
            member(w, "name", &org.name);
            text_or_null(w, "description", org.description.as_deref());
            w.key("local");
            w.bool(org.local);
            text_or_null(w, "contacts", org.contacts.as_deref());
            member(w, "type", &org.kind);
            member(w, "sector", &org.sector);
            member(w, "nationality", &org.nationality);
            if let Some(count) = users.get(&org.id) {
                number_member(w, "userCount", *count);
            }
            if let Some(contribution) = made.get(&org.id) {
                number_member(w, "eventCount", contribution.events);
                number_member(w, "attributeCount", contribution.attributes);
                w.key("orgActivity");
                let none = Vec::new();
                write_activity(w, org.id, days.get(&org.id).unwrap_or(&none), year_ago, now);
            }
            w.end_object();
        }
        w.end_object();
    }))
}

fn text_or_null(w: &mut JsonWriter<'_>, name: &str, text: Option<&str>) {
    w.key(name);
    match text {
        Some(text) => w.str(text),
        None => w.null(),
    }
}

/// A year of an organisation, a line a day. The line ends are the two characters that MISP writes.
fn write_activity(w: &mut JsonWriter<'_>, org: i64, days: &[(i64, i64)], from: i64, to: i64) {
    let mut csv = String::from("Date,Close\\n");
    let mut at = from;
    while at < to {
        let on = days.iter().find(|(day, _)| *day == at / DAY).map_or(0, |(_, attributes)| *attributes);
        let _ = write!(csv, "{},{on}\\n", time::format_date(at));
        at += DAY;
    }
    w.begin_object();
    member(w, "csv", &csv);
    w.key("data");
    if days.is_empty() {
        w.raw(b"[]");
    } else {
        w.begin_object();
        days.iter().for_each(|(day, n)| number_member(w, &time::format_date(day * DAY), *n));
        w.end_object();
    }
    number_member(w, "orgId", org);
    w.end_object();
}

fn users(request: &Request) -> Result<Answer, Failure> {
    let since = month_and_year(request.now());
    let scopes =
        [("user", Grown::Users), ("org_local", Grown::LocalOrgs), ("org_external", Grown::ExternalOrgs)];
    let growths = request.service.read(&request.actor, |r| {
        scopes.iter().map(|(name, of)| Ok((*name, r.growth(*of, since)?))).collect::<Result<Vec<_>, Error>>()
    })?;
    Ok(document(|w| {
        w.begin_object();
        for (name, growth) in &growths {
            w.key(name);
            w.begin_object();
            w.key("data");
            w.begin_object();
            // Counted by MISP's program, not its database: numbers.
            for (range, n) in [("total", growth.total), ("month", growth.since[0]), ("year", growth.since[1])]
            {
                w.key(range);
                w.int(n);
            }
            w.end_object();
            w.end_object();
        }
        w.end_object();
    }))
}

fn tags(request: &Request) -> Result<Answer, Failure> {
    let (tags, taxonomies) =
        request.service.read(&request.actor, |r| Ok((r.tags(None)?, r.taxonomies()?)))?;
    let mut groups: Vec<(String, Vec<(String, i64)>)> = Vec::new();
    for counted in tags.iter().filter(|counted| counted.events > 0) {
        let namespace = counted.tag.name.split_once(':').map_or("", |(namespace, _)| namespace);
        let known = taxonomies.iter().any(|t| t.enabled && t.namespace == namespace);
        let group = if known { namespace } else { "custom" };
        let row = (counted.tag.name.clone(), counted.events);
        match groups.iter_mut().find(|(name, _)| name == group) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((group.to_owned(), vec![row])),
        }
    }
    let write_row = |w: &mut JsonWriter<'_>, name: &str, size: i64| {
        w.begin_object();
        member(w, "name", name);
        number_member(w, "size", size);
        w.end_object();
    };
    Ok(document(|w| {
        w.begin_object();
        w.key("flatData");
        if groups.is_empty() {
            w.raw(b"[]");
        } else {
            w.begin_object();
            for (group, rows) in &groups {
                w.key(group);
                w.begin_object();
                for (name, size) in rows {
                    w.key(name);
                    write_row(w, name, *size);
                }
                w.end_object();
            }
            w.end_object();
        }
        w.key("treemap");
        w.begin_object();
        member(w, "name", "tags");
        w.key("children");
        w.begin_array();
        for (group, rows) in &groups {
            w.begin_object();
            member(w, "name", group);
            w.key("children");
            w.begin_array();
            rows.iter().for_each(|(name, size)| write_row(w, name, *size));
            w.end_array();
            w.end_object();
        }
        w.end_array();
        w.end_object();
        w.end_object();
    }))
}

/// How many attributes of each type an organisation has.
struct Histogram {
    name: String,
    total: i64,
    kinds: Vec<(i64, i64)>,
}

fn histogram(request: &Request) -> Result<Answer, Failure> {
    let (counts, names) = request.service.read(&request.actor, |r| {
        let counts = r.attribute_counts_by_org()?;
        let orgs: Vec<i64> = counts.iter().map(|(org, _, _)| *org).collect();
        Ok((counts, r.org_names(&orgs)?))
    })?;
    let mut all: FxHashMap<i64, i64> = FxHashMap::default();
    let mut rows: Vec<(i64, Histogram)> = Vec::new();
    for (org, kind, n) in counts {
        *all.entry(kind).or_default() += n;
        if rows.last().is_none_or(|(last, _)| *last != org) {
            let name = names.get(&org).map(|org| org.name.clone()).unwrap_or_default();
            rows.push((org, Histogram { name, total: 0, kinds: Vec::new() }));
        }
        if let Some((_, row)) = rows.last_mut() {
            row.total += n;
            row.kinds.push((kind, n));
        }
    }
    let mut kinds: Vec<(i64, i64)> = all.into_iter().collect();
    kinds.sort_unstable();
    let total = kinds.iter().map(|(_, n)| n).sum();
    let mut rows: Vec<Histogram> = rows.into_iter().map(|(_, row)| row).collect();
    rows.push(Histogram { name: "All organisations".into(), total, kinds });
    rows.sort_by(|a, b| b.total.cmp(&a.total).then_with(|| a.name.cmp(&b.name)));
    Ok(crate::reply::list(&rows, |w, row| {
        w.begin_object();
        w.key("data");
        if row.kinds.is_empty() {
            w.raw(b"[]");
        } else {
            w.begin_object();
            for (kind, n) in &row.kinds {
                if let Some(kind) = AttributeType::from_code(*kind) {
                    number_member(w, kind.name(), *n);
                }
            }
            w.end_object();
        }
        member(w, "org_name", &row.name);
        w.key("total");
        w.int(row.total);
        w.end_object();
    }))
}

/// A source of sightings with how many came from it, and of which events by kind of sighting.
type Source = (String, i64, Vec<(i64, Vec<i64>)>);

/// One's own organisation's sightings by source, most first.
fn sightings(request: &Request) -> Result<Answer, Failure> {
    let since = request.path.named("timestamp").and_then(|text| text.parse().ok()).unwrap_or(0);
    let actor: &Actor = &request.actor;
    let rows = request.service.read(actor, |r| Ok(r.sighting_sources(since)?))?;
    let mut sources: Vec<Source> = Vec::new();
    let mut places: FxHashMap<String, usize> = FxHashMap::default();
    for (source, kind, event, n) in rows {
        let source = if source.is_empty() { "Undefined".to_owned() } else { source };
        let place = *places.entry(source).or_insert_with_key(|source| {
            sources.push((source.clone(), 0, Vec::new()));
            sources.len() - 1
        });
        let (_, count, kinds) = &mut sources[place];
        *count += n;
        match kinds.iter_mut().find(|(k, _)| *k == kind) {
            Some((_, events)) => events.push(event),
            None => kinds.push((kind, vec![event])),
        }
    }
    sources.sort_by_key(|(_, count, _)| -count);
    let kind_name = |kind: i64| match kind {
        1 => "false-positive",
        2 => "expiration",
        _ => "sighting",
    };
    Ok(document(|w| {
        w.begin_object();
        for part in ["toplist", "eventids"] {
            w.key(part);
            if sources.is_empty() {
                w.raw(b"[]");
                continue;
            }
            w.begin_object();
            for (source, count, kinds) in &sources {
                w.key(source);
                if part == "toplist" {
                    w.int(*count);
                    continue;
                }
                w.begin_object();
                for (kind, events) in kinds {
                    w.key(kind_name(*kind));
                    w.begin_array();
                    events.iter().for_each(|event| w.str_num(*event));
                    w.end_array();
                }
                w.end_object();
            }
            w.end_object();
        }
        w.end_object();
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_and_a_year_begin_at_their_first_second() {
        // 2026-01-15T12:00:00Z and 2026-11-27T11:00:00Z
        assert_eq!(month_and_year(1_768_478_400), [1_767_225_600, 1_767_225_600]);
        assert_eq!(month_and_year(1_795_777_200), [1_793_491_200, 1_767_225_600]);
    }
}
