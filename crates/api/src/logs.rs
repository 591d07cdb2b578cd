//! `/admin/logs/…`, `/admin/audit_logs/…`, `/admin/access_logs/…`: the one change log in MISP's two shapes, and
//! the log of requests.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::log_words::{action, matching, model};
use crate::reply::{list, member, number_member};
use crate::request::{Request, text, texts};
use pisax_access::Via;
use pisax_model::{ids::Ref, time};
use pisax_service::audit as service;
use pisax_service::org;
use pisax_store::access_log::{AccessQuery, AccessRow};
use pisax_store::audit::{Entry, EntryQuery};
use pisax_store::orgs::OrgName;
use pisax_wire::JsonWriter;
use rustc_hash::FxHashMap;
use serde_json::Value;

/// Rows in one answer at most, and in one of a list that is paged.
const MOST: i64 = 20_000;
const PAGE: i64 = 60;

/// What was asked for: in the path or the body.
struct Asked<'r> {
    request: &'r Request,
    sent: Value,
}

impl<'r> Asked<'r> {
    fn of(request: &'r Request, model: &str) -> Result<Self, Failure> {
        Ok(Self { request, sent: request.unwrapped(model)? })
    }

    fn text(&self, name: &str) -> Option<String> {
        let named = || self.request.path.named(name).map(str::to_owned);
        text(&self.sent, name).or_else(named).filter(|text| !text.is_empty())
    }

    /// A part of a text; `%` around it is how MISP's clients say so.
    fn part(&self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        Some(text.trim_matches('%').to_owned()).filter(|part| !part.is_empty())
    }

    fn number(&self, name: &str) -> Option<i64> {
        // What is no number matches nothing.
        self.text(name).map(|text| text.trim().parse().unwrap_or(-1))
    }

    fn all(&self, name: &str) -> Vec<String> {
        let named = self.request.path.named.iter();
        let named = named.filter(|(n, _)| n.trim_end_matches("[]") == name).map(|(_, value)| value.clone());
        let mut found: Vec<String> = texts(&self.sent, name).unwrap_or_default();
        found.extend(named);
        found.retain(|text| !text.is_empty());
        found
    }

    /// From when, and until when where two moments are said.
    fn created(&self) -> Result<(Option<i64>, Option<i64>), Failure> {
        let now = self.request.now();
        let wrong = || Failure::BadRequest("created: expected a date, a moment or a span of time.".into());
        let moment = |text: &String| {
            let seconds = text.split('.').next().unwrap_or_default();
            time::parse_moment(text, now).or_else(|| time::parse_moment(seconds, now)).ok_or_else(wrong)
        };
        let moments: Vec<i64> = self.all("created").iter().map(moment).collect::<Result<_, _>>()?;
        match moments.as_slice() {
            [] => Ok((None, None)),
            [from] => Ok((Some(*from), None)),
            [one, other, ..] => Ok((Some(*one.min(other)), Some(*one.max(other)))),
        }
    }

    fn paging(&self, usual: i64) -> (i64, i64) {
        let limit = self.number("limit").filter(|n| *n > 0).unwrap_or(usual).min(MOST);
        let page = self.number("page").filter(|n| *n > 0).unwrap_or(1);
        (limit, (page - 1).saturating_mul(limit))
    }

    /// The user that is meant, by number or address; 0: the system.
    fn user(&self) -> Result<Option<i64>, Failure> {
        let Some(text) = self.text("user") else { return Ok(None) };
        if text.eq_ignore_ascii_case("system") {
            return Ok(Some(0));
        }
        if let Ok(id) = text.parse() {
            return Ok(Some(id));
        }
        let request = self.request;
        let user = request.service.read(&request.actor, |r| Ok(r.user_by_email(&text)?))?;
        Ok(Some(user.map_or(-1, |user| user.id)))
    }

    /// The organisation that is meant, by number, uuid or name.
    fn org(&self) -> Result<Option<i64>, Failure> {
        let Some(text) = self.text("org") else { return Ok(None) };
        let request = self.request;
        let found = request.service.read(&request.actor, |r| org::find(r, &text))?;
        Ok(Some(found.map_or(-1, |org| org.id)))
    }
}

/// The query with the nouns and actions of these models and actions; none, if there can be no such row.
fn narrowed(mut query: EntryQuery, models: &[String], actions: &[String]) -> Option<EntryQuery> {
    let found = matching(models, actions)?;
    (query.nouns, query.actions) = found;
    Some(query)
}

/// `email (a) => (b), role_id (3) => (4)`
fn change(entry: &Entry) -> String {
    let fields = entry.fields.iter().map(|f| format!("{} ({}) => ({})", f.name, f.old, f.new));
    fields.collect::<Vec<_>>().join(", ")
}

fn title(entry: &Entry) -> String {
    if crate::log_words::is_told(entry.noun) {
        return entry.title.clone();
    }
    format!(
        "{} ({}) {}: {}",
        model(entry.noun),
        entry.record_id,
        action(entry.noun, entry.action),
        entry.title
    )
}

fn write_log(w: &mut JsonWriter<'_>, entry: &Entry) {
    w.begin_object();
    w.key("Log");
    w.begin_object();
    number_member(w, "id", entry.seq);
    member(w, "title", &title(entry));
    member(w, "created", &time::format_datetime(entry.at));
    member(w, "model", model(entry.noun));
    number_member(w, "model_id", entry.record_id);
    member(w, "action", action(entry.noun, entry.action));
    number_member(w, "user_id", entry.user_id);
    member(w, "change", &change(entry));
    member(w, "email", entry.email.as_deref().unwrap_or(if entry.user_id == 0 { "SYSTEM" } else { "" }));
    member(w, "org", entry.org_name.as_deref().unwrap_or(if entry.org_id == 0 { "SYSTEM" } else { "" }));
    member(w, "description", entry.reason.as_deref().unwrap_or_default());
    member(w, "ip", &entry.address);
    w.end_object();
    w.end_object();
}

/// POST|GET /admin/logs/index, /logs/index: oldest first, as MISP lists them.
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let asked = Asked::of(request, "Log")?;
    let (from, to) = asked.created()?;
    let (limit, offset) = asked.paging(MOST);
    let query = EntryQuery {
        seq: asked.number("id"),
        user_id: asked.number("user_id"),
        record_id: asked.number("model_id"),
        from,
        to,
        title: asked.part("title"),
        detail: asked.part("change"),
        email: asked.part("email"),
        org_name: asked.part("org"),
        address: asked.part("ip"),
        oldest_first: true,
        limit,
        offset,
        ..EntryQuery::default()
    };
    let found = match narrowed(query, &asked.all("model"), &asked.all("action")) {
        Some(query) => service::entries(&request.service, &request.actor, query)?,
        None => Vec::new(),
    };
    Ok(list(&found, write_log))
}

/// GET /logs/event_index/{event}
pub(crate) fn event_log(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, "Invalid event.")?;
    let query = EntryQuery { limit: MOST, ..EntryQuery::default() };
    let found = service::of_event(&request.service, &request.actor, reference, query)?;
    Ok(list(&found, write_log))
}

// ---- Audit logs ---------------------------------------------------------------------------------------

pub(crate) fn write_audit(
    w: &mut JsonWriter<'_>,
    entry: &Entry,
    orgs: &FxHashMap<i64, OrgName>,
    whole: bool,
) {
    w.begin_object();
    w.key("AuditLog");
    w.begin_object();
    number_member(w, "id", entry.seq);
    member(w, "created", &time::format_datetime(entry.at));
    number_member(w, "user_id", entry.user_id);
    number_member(w, "org_id", entry.org_id);
    member(w, "action", action(entry.noun, entry.action));
    member(w, "model", model(entry.noun));
    number_member(w, "model_id", entry.record_id);
    member(w, "model_title", &entry.title);
    number_member(w, "event_id", entry.event_id);
    w.key("change");
    w.begin_object();
    for field in &entry.fields {
        w.key(&field.name);
        w.begin_array();
        w.str(&field.old);
        w.str(&field.new);
        w.end_array();
    }
    w.end_object();
    if whole {
        w.key("ip");
        if entry.address.is_empty() {
            w.null()
        } else {
            w.str(&entry.address)
        }
        let kind = match entry.via {
            via if via == Via::Api as i64 => 1,
            via if via == Via::Page as i64 => 0,
            _ => 2,
        };
        number_member(w, "request_type", kind);
        number_member(w, "authkey_id", entry.key_id);
        w.key("request_id");
        w.null();
    }
    w.end_object();
    w.key("User");
    w.begin_object();
    if let Some(email) = &entry.email {
        number_member(w, "id", entry.user_id);
        member(w, "email", email);
        number_member(w, "org_id", entry.org_id);
    }
    w.end_object();
    w.key("Organisation");
    w.begin_object();
    if let Some(org) = orgs.get(&entry.org_id) {
        number_member(w, "id", org.id);
        member(w, "name", &org.name);
        w.key("uuid");
        w.uuid(org.uuid);
    }
    w.end_object();
    w.end_object();
}

fn audit_answer(request: &Request, found: &[Entry], whole: bool) -> Result<Answer, Failure> {
    let ids: Vec<i64> = found.iter().map(|entry| entry.org_id).collect();
    let orgs = request.service.read(&request.actor, |r| Ok(r.org_names(&ids)?))?;
    Ok(list(found, |w, entry| write_audit(w, entry, &orgs, whole)))
}

/// GET|POST /admin/audit_logs/index
pub(crate) fn audit_index(request: &Request) -> Result<Answer, Failure> {
    let asked = Asked::of(request, "AuditLog")?;
    let (from, to) = asked.created()?;
    let (limit, offset) = asked.paging(PAGE);
    let mut models = asked.all("model");
    let mut record_id = asked.number("model_id");
    // `Event:12` is both in one.
    if let Some((name, id)) = models.first().and_then(|model| model.split_once(':')) {
        record_id = Some(id.trim().parse().unwrap_or(-1));
        models = vec![name.to_owned()];
    }
    let query = EntryQuery {
        seq: asked.number("id"),
        user_id: asked.user()?,
        org_id: asked.org()?,
        event_id: asked.number("event_id"),
        record_id,
        from,
        to,
        title: asked.part("model_title"),
        address: asked.part("ip"),
        limit,
        offset,
        ..EntryQuery::default()
    };
    let found = match narrowed(query, &models, &asked.all("action")) {
        Some(query) => service::entries(&request.service, &request.actor, query)?,
        None => Vec::new(),
    };
    audit_answer(request, &found, true)
}

/// GET /audit_logs/eventIndex/{event}[/{org}]
pub(crate) fn event_index(request: &Request) -> Result<Answer, Failure> {
    let asked = Asked::of(request, "AuditLog")?;
    let named = asked.text("eventId").as_deref().and_then(Ref::parse);
    let reference = match named {
        Some(reference) => reference,
        None => request.reference(0, "Invalid event.")?,
    };
    let (from, to) = asked.created()?;
    let (limit, offset) = asked.paging(PAGE);
    let org_id = match request.path.arg(1) {
        Some(text) => {
            let found = request.service.read(&request.actor, |r| org::find(r, text))?;
            Some(found.map_or(-1, |org| org.id))
        }
        None => asked.org()?,
    };
    let query = EntryQuery { org_id, from, to, limit, offset, ..EntryQuery::default() };
    let found = service::of_event(&request.service, &request.actor, reference, query)?;
    audit_answer(request, &found, false)
}

// ---- Access logs --------------------------------------------------------------------------------------

fn write_access(w: &mut JsonWriter<'_>, row: &AccessRow) {
    let access = &row.access;
    w.begin_object();
    w.key("AccessLog");
    w.begin_object();
    number_member(w, "id", access.id);
    let milliseconds = access.created.rem_euclid(1000);
    let created = time::format_datetime(access.created.div_euclid(1000));
    member(w, "created", &format!("{created}.{milliseconds:03}"));
    number_member(w, "user_id", access.user_id);
    number_member(w, "org_id", access.org_id);
    number_member(w, "authkey_id", access.key_id);
    member(w, "ip", &access.address);
    member(w, "request_method", &access.method);
    member(w, "user_agent", &access.user_agent);
    w.key("request_id");
    w.null();
    member(w, "controller", &access.controller);
    member(w, "action", &access.action);
    member(w, "url", &access.url);
    number_member(w, "response_code", access.code);
    number_member(w, "duration", access.duration);
    w.end_object();
    w.key("User");
    w.begin_object();
    if let (Some(email), Some(org)) = (&row.email, row.user_org_id) {
        number_member(w, "id", access.user_id);
        member(w, "email", email);
        number_member(w, "org_id", org);
    }
    w.end_object();
    w.key("Organisation");
    w.begin_object();
    if let Some((name, uuid)) = &row.org {
        number_member(w, "id", access.org_id);
        member(w, "name", name);
        w.key("uuid");
        w.uuid(*uuid);
    }
    w.end_object();
    w.end_object();
}

/// GET|POST /admin/access_logs/index
pub(crate) fn access_index(request: &Request) -> Result<Answer, Failure> {
    let asked = Asked::of(request, "AccessLog")?;
    let (from, to) = asked.created()?;
    let (limit, offset) = asked.paging(MOST);
    let query = AccessQuery {
        user_id: asked.user()?,
        org_id: asked.org()?,
        key_id: asked.number("authkey_id"),
        code: asked.number("response_code"),
        duration: asked.number("duration"),
        from: from.map(|seconds| seconds.saturating_mul(1000)),
        to: to.map(|seconds| seconds.saturating_mul(1000).saturating_add(999)),
        address: asked.text("ip"),
        method: asked.text("request_method").map(|method| method.to_uppercase()),
        controller: asked.text("controller").map(|name| name.replace('_', "").to_lowercase()),
        action: asked.text("action").map(|name| name.replace('_', "").to_lowercase()),
        url: asked.part("url"),
        user_agent: asked.part("user_agent"),
        limit,
        offset,
    };
    Ok(list(&service::accesses(&request.service, &request.actor, &query)?, write_access))
}
