//! `/feeds/…` as far as it is about what is in a feed: looked at before it is taken over, taken event by event, looked
//! up in what is cached, and the account of each run.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, flag_member, list, member, number, number_member, saved};
use crate::request::Request;
use pisax_access::Actor;
use pisax_model::Uuid;
use pisax_model::feed::{Feed, SourceFormat};
use pisax_model::feed_run::{Account, CacheHit, Cached, NotTaken, Source, SourceKind};
use pisax_model::server::Server;
use pisax_service::Service;
use pisax_share::{Fault, feed as share};
use pisax_store::feeds::FeedFilter;
use pisax_wire::JsonWriter;
use pisax_wire::feed_out::{shown_url, write_feed_run};
use rustc_hash::FxHashMap;
use serde_json::Value;

const INVALID: &str = "Invalid feed";
/// Values of a list in one answer, as in MISP; more may be asked for.
const PAGE: usize = 60;
const MOST: usize = 10_000;
/// Values that are looked up at once.
const LOOKED_UP: usize = 10_000;
/// Runs and reasons in one answer.
const RUNS: i64 = 20;
const REASONS: i64 = 1000;

/// The feed of the first argument: for those who run the instance.
fn feed(request: &Request) -> Result<Feed, Failure> {
    if !(request.actor.host_org || request.actor.sees_all()) {
        return Err(Failure::NoPermission);
    }
    let id = number(request, 0, INVALID)?;
    request.service.read(&request.actor, |r| Ok(r.feed(id)?))?.ok_or(Failure::NotFound(INVALID))
}

fn event_uuid(request: &Request) -> Result<Uuid, Failure> {
    let missing = || Failure::NotFound("Could not download the selected Event");
    request.path.arg(1).and_then(|text| Uuid::try_parse(text).ok()).ok_or_else(missing)
}

/// What a feed's failure is to who asked for it: the feed's, not this server's.
fn failed(fault: Fault) -> Failure {
    match fault {
        Fault::Here(error) => error.into(),
        Fault::Setup(why) => Failure::BadRequest(why),
        Fault::Status { status: 404, .. } => Failure::NotFound("Could not download the selected Event"),
        other => Failure::Gateway(format!("Could not fetch feed: {other}")),
    }
}

fn count(request: &Request, name: &str, otherwise: usize) -> usize {
    let named = request.path.named(name).and_then(|text| text.parse().ok());
    named.filter(|n| *n > 0).unwrap_or(otherwise)
}

/// GET|POST /feeds/previewIndex/{id}[/page:…/limit:…/searchall:…]: the events of a feed by uuid, or the values of a
/// list, each with what would become of it.
pub(crate) fn preview_index(request: &Request) -> Result<Answer, Failure> {
    let feed = feed(request)?;
    let page = count(request, "page", 1);
    let limit = count(request, "limit", PAGE).min(MOST);
    let skip = (page - 1).saturating_mul(limit);
    let (service, actor) = (&request.service, &request.actor);
    if feed.source_format != SourceFormat::Misp {
        let seen = share::lines(service, actor, &feed, skip, limit).map_err(failed)?;
        return Ok(list(&seen, write_value));
    }
    let wanted = request.path.named("searchall").map(|text| text.trim().to_lowercase());
    let index = share::index(service, actor, &feed).map_err(failed)?;
    let found = index.into_iter().filter(|(listed, _)| {
        let tags = listed.tags.iter().map(String::as_str);
        let mut texts = [&listed.name as &str, &listed.info, &listed.orgc_name].into_iter().chain(tags);
        wanted.as_ref().is_none_or(|wanted| texts.any(|text| text.to_lowercase().contains(wanted)))
    });
    let found: Vec<_> = found.skip(skip).take(limit).collect();
    Ok(document(|w| {
        w.begin_object();
        for (listed, would) in &found {
            w.key(&listed.name);
            let mut entry: Value = serde_json::from_str(&listed.json).unwrap_or_default();
            entry["pisax_would_be"] = would.name().into();
            w.raw(entry.to_string().as_bytes());
        }
        w.end_object();
    }))
}

fn write_value(w: &mut JsonWriter<'_>, seen: &share::Seen) {
    let (one, kind) = (&seen.candidate, seen.candidate.default_type);
    w.begin_object();
    member(w, "value", &one.value);
    member(w, "original_value", &one.original_value);
    member(w, "default_type", kind.name());
    w.key("types");
    w.begin_array();
    one.types.iter().for_each(|kind| w.str(kind.name()));
    w.end_array();
    member(w, "category", kind.default_category().name());
    flag_member(w, "to_ids", kind.default_to_ids());
    if !one.comment.is_empty() {
        member(w, "comment", &one.comment);
    }
    flag_member(w, "pisax_here", seen.here);
    w.end_object();
}

/// GET /feeds/preview/{id}: what would come with a feed, what of it is here, and what others have of it.
pub(crate) fn preview(request: &Request) -> Result<Answer, Failure> {
    let feed = feed(request)?;
    let preview = share::Preview::of(&request.service, &request.actor, &feed).map_err(failed)?;
    let names = Names::of(&request.service, &request.actor)?;
    Ok(document(|w| {
        w.begin_object();
        account(w, &preview.account);
        flag_member(w, "complete", preview.complete);
        reasons(w, &preview.reasons);
        w.key("overlap");
        w.begin_array();
        for (source, count) in &preview.overlap {
            w.begin_object();
            names.write(w, *source, false);
            number_member(w, "overlap_count", *count);
            w.end_object();
        }
        w.end_array();
        w.end_object();
    }))
}

fn account(w: &mut JsonWriter<'_>, account: &Account) {
    for (name, value) in account.columns() {
        number_member(w, if name == "total" { "values" } else { name }, value);
    }
}

fn reasons(w: &mut JsonWriter<'_>, reasons: &[NotTaken]) {
    w.key("not_taken");
    w.begin_array();
    for one in reasons {
        w.begin_object();
        number_member(w, "line", one.line);
        member(w, "value", &one.value);
        member(w, "reason", &one.reason);
        w.end_object();
    }
    w.end_array();
}

/// GET /feeds/previewEvent/{id}/{uuid}: an event as it would be stored.
pub(crate) fn preview_event(request: &Request) -> Result<Answer, Failure> {
    let (feed, uuid) = (feed(request)?, event_uuid(request)?);
    Ok(Answer::json(share::event(&request.service, &request.actor, &feed, uuid).map_err(failed)?))
}

/// GET|POST /feeds/getEvent/{id}/{uuid}: takes one event out of a feed.
pub(crate) fn get_event(request: &Request) -> Result<Answer, Failure> {
    let (feed, uuid) = (feed(request)?, event_uuid(request)?);
    if !feed.enabled {
        return Err(Failure::Refused("Feed is currently not enabled. Make sure you enable it.".into()));
    }
    let (would, why) = share::take(&request.service, &request.actor, &feed, uuid).map_err(failed)?;
    match would {
        share::WouldBe::Added => Ok(saved(request, "Event added.")),
        share::WouldBe::Updated => Ok(saved(request, "Event updated.")),
        share::WouldBe::Known => Ok(saved(request, "Event already up to date.")),
        share::WouldBe::Excluded | share::WouldBe::Refused => {
            Err(Failure::Refused(format!("Could not add event. {why}")))
        }
    }
}

/// GET /feeds/runs/{id}[/page:…]: what became of a feed each time, the newest first; with `run:…`, what was not taken
/// in one of them, and why.
pub(crate) fn runs(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let offset = (count(request, "page", 1) as i64 - 1).saturating_mul(RUNS);
    let run = request.path.named("run").map(|text| text.parse::<i64>().unwrap_or(0));
    let (runs, not_taken) = request.service.read(&request.actor, |r| {
        if r.feed(id)?.is_none() {
            return Ok((None, Vec::new()));
        }
        let Some(run) = run else { return Ok((Some(r.feed_runs(id, RUNS, offset)?), Vec::new())) };
        let found = r.feed_run(run)?.filter(|run| run.feed_id == id);
        Ok((found.map(|run| vec![run]), r.feed_refusals(run, REASONS, 0)?))
    })?;
    let runs = runs.ok_or(Failure::NotFound(INVALID))?;
    match (run, runs.first()) {
        (Some(_), Some(one)) => Ok(document(|w| {
            w.begin_object();
            w.key("Run");
            write_feed_run(w, one);
            reasons(w, &not_taken);
            w.end_object();
        })),
        _ => Ok(list(&runs, |w, run| {
            w.begin_object();
            w.key("Run");
            write_feed_run(w, run);
            w.end_object();
        })),
    }
}

// ---- What is cached -------------------------------------------------------------------------------------

/// Feeds and servers by number, as far as the actor sees them.
struct Names {
    feeds: FxHashMap<i64, Feed>,
    servers: FxHashMap<i64, Server>,
    credentials: bool,
}

impl Names {
    fn of(service: &Service, actor: &Actor) -> Result<Self, Failure> {
        let (feeds, servers) = service.read(actor, |r| {
            let cached = FeedFilter { caching_enabled: Some(true), ..FeedFilter::default() };
            let servers = if actor.sees_all() { r.servers(None)? } else { Vec::new() };
            Ok((r.feeds(&cached)?, servers))
        })?;
        Ok(Self {
            feeds: feeds.into_iter().map(|feed| (feed.id, feed)).collect(),
            servers: servers.into_iter().map(|server| (server.id, server)).collect(),
            credentials: actor.sees_all(),
        })
    }

    /// The members by which a source is known.
    fn write(&self, w: &mut JsonWriter<'_>, (kind, id): Source, whole: bool) {
        number_member(w, "id", id);
        match (kind, self.feeds.get(&id), self.servers.get(&id)) {
            (SourceKind::Feed, Some(feed), _) => {
                member(w, "name", &feed.name);
                member(w, "url", &shown_url(&feed.url, self.credentials));
                member(w, "source_format", feed.source_format.name());
                if whole {
                    member(w, "provider", &feed.provider);
                    member(w, "input_source", feed.input_source.name());
                    flag_member(w, "default", feed.default);
                }
            }
            (SourceKind::Server, _, Some(server)) => {
                member(w, "name", &server.name);
                member(w, "url", &server.url);
                member(w, "source_format", "misp");
                if whole {
                    member(w, "provider", server.organization.as_deref().unwrap_or_default());
                    member(w, "input_source", "network");
                    flag_member(w, "default", false);
                    flag_member(w, "is_misp_server", true);
                }
            }
            _ => {}
        }
    }

    fn holds_events(&self, (kind, id): Source) -> bool {
        kind == SourceKind::Server
            || self.feeds.get(&id).is_some_and(|feed| feed.source_format == SourceFormat::Misp)
    }
}

/// GET|POST /feeds/searchCaches[/value:…]: in which feeds and servers a value is, as far as they are cached; several
/// values give a list for each.
pub(crate) fn search_caches(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Feed")?;
    let sent = match sent.get("value") {
        Some(value) => value.clone(),
        None => request.path.named("value").map_or(sent, |text| text.into()),
    };
    let (values, several): (Vec<String>, bool) = match sent {
        Value::String(text) => (vec![text], false),
        Value::Number(number) => (vec![number.to_string()], false),
        Value::Array(list) => (list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(), true),
        _ => (vec![String::new()], false),
    };
    if values.len() > LOOKED_UP {
        return Err(Failure::BadRequest(format!("At most {LOOKED_UP} values can be looked up at once.")));
    }
    let names = Names::of(&request.service, &request.actor)?;
    let values: Vec<&str> = values.iter().map(|text| text.trim()).collect();
    // MISP looks for the value in small letters; what a feed writes otherwise is found as well.
    let sums: Vec<_> =
        values.iter().map(|value| [share::hash(value), share::hash(&value.to_lowercase())]).collect();
    let wanted: Vec<_> = sums.iter().flatten().copied().collect();
    let (hits, all) = request.service.read(&request.actor, |r| {
        let all = if values.contains(&"") { r.cached_sources()? } else { Vec::new() };
        Ok((r.cached(&wanted)?, all))
    })?;
    let base = &request.service.policy.base_url;
    let write = |w: &mut JsonWriter<'_>, place: usize| {
        w.begin_array();
        if values[place].is_empty() {
            all.iter().for_each(|cached| write_hit(w, &names, base, cached.source, &[], false));
        } else {
            let own: Vec<&CacheHit> = hits.iter().filter(|hit| sums[place].contains(&hit.hash)).collect();
            for of_source in own.chunk_by(|one, other| one.source == other.source) {
                write_hit(w, &names, base, of_source[0].source, of_source, true);
            }
        }
        w.end_array();
    };
    Ok(document(|w| {
        if !several {
            return write(w, 0);
        }
        w.begin_object();
        for (place, value) in values.iter().enumerate() {
            if hits.iter().any(|hit| sums[place].contains(&hit.hash)) {
                w.key(&value.to_lowercase());
                write(w, place);
            }
        }
        w.end_object();
    }))
}

fn write_hit(
    w: &mut JsonWriter<'_>,
    names: &Names,
    base: &str,
    source: Source,
    hits: &[&CacheHit],
    linked: bool,
) {
    let mut uuids: Vec<Uuid> = hits.iter().filter_map(|hit| hit.event_uuid).collect();
    uuids.sort_unstable();
    uuids.dedup();
    let (controller, events) = match source.0 {
        SourceKind::Feed => ("feeds", names.holds_events(source)),
        SourceKind::Server => ("servers", true),
    };
    w.begin_object();
    w.key("Feed");
    w.begin_object();
    names.write(w, source, false);
    let kind = match (source.0, events) {
        (SourceKind::Server, _) => "MISP Server",
        (SourceKind::Feed, true) => "MISP Feed",
        (SourceKind::Feed, false) => "Feed",
    };
    member(w, "type", kind);
    if events {
        w.key("uuid");
        w.begin_array();
        uuids.iter().for_each(|uuid| w.uuid(*uuid));
        w.end_array();
    }
    let links: Vec<(String, String)> = match events {
        true => {
            let link = |uuid: &Uuid| {
                (format!("{base}/{controller}/previewEvent/{}/{uuid}", source.1), format!("Event {uuid}"))
            };
            uuids.iter().map(link).collect()
        }
        false if linked => {
            vec![(format!("{base}/feeds/previewIndex/{}", source.1), format!("Feed {}", source.1))]
        }
        false => Vec::new(),
    };
    if !links.is_empty() {
        w.key("direct_urls");
        w.begin_array();
        for (url, name) in &links {
            w.begin_object();
            member(w, "url", url);
            member(w, "name", name);
            w.end_object();
        }
        w.end_array();
    }
    w.end_object();
    w.end_object();
}

/// GET /feeds/compareFeeds: for each cached feed or server, how much of it each of the others has.
pub(crate) fn compare(request: &Request) -> Result<Answer, Failure> {
    let names = Names::of(&request.service, &request.actor)?;
    let (sources, overlaps) =
        request.service.read(&request.actor, |r| Ok((r.cached_sources()?, r.cache_overlaps()?)))?;
    let overlaps: FxHashMap<(Source, Source), i64> =
        overlaps.into_iter().map(|(one, other, count)| ((one, other), count)).collect();
    Ok(list(&sources, |w, one| {
        w.begin_object();
        w.key("Feed");
        w.begin_object();
        described(w, &names, one);
        w.key("ComparedFeed");
        w.begin_array();
        for other in sources.iter().filter(|other| other.source != one.source) {
            let count = overlaps.get(&(one.source, other.source)).copied().unwrap_or(0);
            w.begin_object();
            described(w, &names, other);
            w.key("overlap_count");
            w.int(count);
            w.key("overlap_percentage");
            w.int((count * 200 + one.elements) / (2 * one.elements).max(1));
            w.end_object();
        }
        w.end_array();
        w.end_object();
        w.end_object();
    }))
}

fn described(w: &mut JsonWriter<'_>, names: &Names, one: &Cached) {
    names.write(w, one.source, true);
    w.key("values");
    w.int(one.elements);
}

/// How many hundredths of a percent of a feed's cached values others have, and how many values there are.
pub(crate) fn coverage_of(request: &Request, id: i64, by: Option<&[Source]>) -> Result<(i64, i64), Failure> {
    let of = (SourceKind::Feed, id);
    let (elements, common) = request.service.read(&request.actor, |r| {
        let elements = r.cached_sources()?.iter().find(|c| c.source == of).map_or(0, |c| c.elements);
        Ok((elements, if elements > 0 { r.cache_coverage(of, by)? } else { 0 }))
    })?;
    Ok(((common * 20_000 + elements) / (2 * elements).max(1), elements))
}

/// GET|POST /feeds/feedCoverage/{id} `{"Feed":[…],"Server":[…]}`: how many percent of a feed others have, of all that
/// is cached or of those that are named.
pub(crate) fn coverage(request: &Request) -> Result<Answer, Failure> {
    let feed = feed(request)?;
    let sent = request.value()?;
    let ids = |name: &str, kind: SourceKind| -> Vec<Source> {
        let number = |item: &Value| item.as_i64().or_else(|| item.as_str()?.parse().ok());
        let listed = sent.get(name).and_then(Value::as_array);
        listed.into_iter().flatten().filter_map(number).map(|id| (kind, id)).collect()
    };
    let named = sent.get("Feed").is_some() || sent.get("Server").is_some();
    let by = named.then(|| [ids("Feed", SourceKind::Feed), ids("Server", SourceKind::Server)].concat());
    let (hundredths, _) = coverage_of(request, feed.id, by.as_deref())?;
    Ok(document(|w| {
        if hundredths % 100 == 0 {
            w.int(hundredths / 100);
        } else {
            w.float(hundredths as f64 / 100.0);
        }
    }))
}
