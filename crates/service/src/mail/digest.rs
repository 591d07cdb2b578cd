//! Summaries of a day, a week or a month: what was published for their reader to see, once for each period.
//!
//! Periods are those of the calendar in UTC; weeks begin on Mondays. Who asks for summaries gets his first one when
//! the period is over in which he asked.

use super::alert::threat_level;
use super::{instance, reader, to};
use crate::{Result, Service};
use pisax_access::Actor;
use pisax_formats::summary::Wishes;
use pisax_model::filter::{Filter, Order, Range, Scope, SortKey, Terms, Tri};
use pisax_model::time;
use pisax_model::user::{Role, User};
use pisax_store::Reader;
use pisax_store::mails::Mail;
pub use pisax_store::mails::Period;
use rustc_hash::FxHashMap;
use std::fmt::Write;

/// Events that a summary lists; of more it says how many.
const LISTED: usize = 100;
/// Events whose tags are counted.
const COUNTED: usize = 5000;
/// Tags and techniques that a summary names.
const NAMED: usize = 15;
/// Events related to one that a summary names.
const RELATED: usize = 10;
const DAY: i64 = 86_400;
/// What was missed is told later, but not more than this.
const LONGEST: i64 = 31 * DAY;
const ATTACK: &str = "misp-galaxy:mitre-attack-pattern=";

/// The user setting that chooses what is summed up.
pub const SETTING: &str = "periodic_notification_filters";

fn name(period: Period) -> &'static str {
    match period {
        Period::Daily => "Daily",
        Period::Weekly => "Weekly",
        Period::Monthly => "Monthly",
    }
}

/// When the period began in which `now` is; Unix seconds.
pub fn begin(period: Period, now: i64) -> i64 {
    let day = now.div_euclid(DAY);
    let first = match period {
        Period::Daily => day,
        // The first day of Unix time was a Thursday.
        Period::Weekly => day - (day + 3).rem_euclid(7),
        Period::Monthly => {
            let date = time::format_date(now);
            let of_month: i64 = date.get(8..10).and_then(|d| d.parse().ok()).unwrap_or(1);
            day - (of_month - 1)
        }
    };
    first * DAY
}

/// What they choose among the events published from `from` to before `until`.
fn filter(wishes: &Wishes, from: i64, until: i64) -> Filter {
    let any = |texts: &[String]| Terms { or: texts.to_vec(), ..Terms::default() };
    let (not, or) = wishes.tags.iter().cloned().partition::<Vec<_>, _>(|tag| tag.starts_with('!'));
    let not = not.into_iter().map(|tag| tag[1..].to_owned()).collect();
    Filter {
        org: any(&wishes.orgs),
        sharing_group: any(&wishes.sharing_groups),
        distribution: wishes.distribution.map(|n| Terms::one(n.to_string())).unwrap_or_default(),
        eventinfo: match wishes.info.as_str() {
            "" => Terms::default(),
            text => Terms::one(format!("%{}%", text.trim_matches('%'))),
        },
        tags: Terms { or, not, ..Terms::default() },
        publish_timestamp: Some(Range { from: Some(from), to: Some(until - 1) }),
        published: Tri::Only(true),
        order: vec![Order { key: SortKey::PublishTimestamp, descending: true }],
        ..Filter::new()
    }
}

/// Writes the summaries that are due. Any number of processes may be at it: each period of each user is taken once.
pub fn send(service: &Service) -> Result<()> {
    if !service.sends_mail() || service.settings().disable_emailing {
        return Ok(());
    }
    let system = Actor::system("sum up what was published");
    let now = service.now();
    for period in Period::ALL {
        let until = begin(period, now);
        let (readers, had) =
            service.read(&system, |r| Ok((r.digest_readers(period, now)?, r.digests(period)?)))?;
        let had: FxHashMap<i64, i64> = had.into_iter().collect();
        for (user, role) in &readers {
            let from = had.get(&user.id).copied();
            if from.is_some_and(|from| from >= until) {
                continue;
            }
            // One that cannot be written does not stand in the way of the others.
            if let Err(error) = send_one(service, &system, period, (from, until), (user, role)) {
                tracing::warn!(%error, user = user.id, "a summary could not be written");
            }
        }
    }
    Ok(())
}

fn send_one(
    service: &Service,
    system: &Actor,
    period: Period,
    (from, until): (Option<i64>, i64),
    (user, role): (&User, &Role),
) -> Result<()> {
    let mail = match from {
        Some(from) => {
            let actor = reader(service, user, role);
            let from = from.max(until - LONGEST);
            service.read(&actor, |r| write(service, r, period, (from, until), user))?
        }
        // He has only just asked.
        None => None,
    };
    service.write(system, |w| {
        if w.take_digest(user.id, period, until)?
            && let Some(mail) = mail
        {
            w.add_mail(&mail)?;
        }
        Ok(())
    })
}

/// The summary, from what its reader sees; nothing where nothing was published for him.
fn write(
    service: &Service,
    r: &mut Reader<'_>,
    period: Period,
    (from, until): (i64, i64),
    user: &User,
) -> Result<Option<Mail>> {
    let stored = r.user_setting(user.id, SETTING)?;
    // One that cannot be read chooses nothing: better too much in a summary.
    let wishes = stored.and_then(|setting| Wishes::read(&setting.value).ok()).unwrap_or_default();
    let ids = r.find(Scope::Events, &filter(&wishes, from, until))?;
    if ids.is_empty() {
        return Ok(None);
    }
    let base = &service.policy.base_url;
    let (name, first, last) = (name(period), time::format_date(from), time::format_date(until - DAY));
    let days = if first == last { first } else { format!("{first} to {last}") };
    let mut text = format!("{name} summary, {days} (UTC)\n\nEvents published that you see: {}\n", ids.len());
    list(service, r, &wishes, &ids, &mut text)?;
    let before = r.find(Scope::Events, &filter(&wishes, from - (until - from), from))?;
    trends(r, &wishes, (&ids, &before), &mut text)?;
    let _ = write!(
        text,
        "\n--\nYou get this mail because your account asks for it (notification_{}). To unsubscribe, switch that \
         off:\n{base}/users/edit\n",
        name.to_lowercase()
    );
    let subject =
        format!("[{} MISP] {name} Notification - {}", instance(service, r)?, time::format_date(until));
    Ok(Some(Mail { link: format!("{base}/events/index"), ..to(user, &subject, &text) }))
}

fn list(
    service: &Service,
    r: &mut Reader<'_>,
    wishes: &Wishes,
    ids: &[i64],
    text: &mut String,
) -> Result<()> {
    let base = &service.policy.base_url;
    let shown = &ids[..ids.len().min(LISTED)];
    let events = r.events_by_ids(shown)?;
    let orgs = r.org_names(&events.iter().map(|event| event.orgc_id).collect::<Vec<_>>())?;
    let mut tags = r.event_tags(shown)?;
    for event in &events {
        let org = orgs.get(&event.orgc_id).map_or("", |org| org.name.as_str());
        let threat = threat_level(event.threat_level_id);
        let info: String = event.info.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let _ =
            writeln!(text, "\n{}  {org}  {threat}  {info}\n  {base}/events/view/{}", event.date, event.id);
        let names: Vec<String> = tags
            .remove(&event.id)
            .unwrap_or_default()
            .into_iter()
            .map(|attached| attached.tag.name)
            .collect();
        if !names.is_empty() {
            let _ = writeln!(text, "  Tags: {}", names.join(", "));
        }
        if wishes.correlations {
            let related = r.related_events(event)?;
            for other in related.iter().take(RELATED) {
                let _ = writeln!(text, "  Related: {base}/events/view/{} ({})", other.event_id, other.count);
            }
        }
    }
    if ids.len() > shown.len() {
        let _ = writeln!(text, "\n… and {} more.", ids.len() - shown.len());
    }
    Ok(())
}

/// Which tags and techniques these events have most, and how often the events of as long a time before had them.
fn trends(
    r: &mut Reader<'_>,
    wishes: &Wishes,
    (now, before): (&[i64], &[i64]),
    text: &mut String,
) -> Result<()> {
    let (now, before) = (counts(r, now)?, counts(r, before)?);
    let mut sorted: Vec<(&String, &usize)> = now.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let wanted =
        |tag: &str| wishes.trending.is_empty() || wishes.trending.iter().any(|t| tag.starts_with(t.as_str()));
    let (techniques, tags): (Vec<_>, Vec<_>) =
        sorted.into_iter().partition(|(tag, _)| tag.starts_with(ATTACK));
    let parts = [
        ("Tags", tags.into_iter().filter(|(tag, _)| wanted(tag)).collect::<Vec<_>>()),
        ("ATT&CK techniques", techniques),
    ];
    for (title, rows) in parts {
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{title}: events with them, and in as long a time before");
        for (tag, count) in rows.into_iter().take(NAMED) {
            let name = tag.strip_prefix(ATTACK).map_or(tag.as_str(), |name| name.trim_matches('"'));
            let _ = writeln!(text, "{count:>5} ({})  {name}", before.get(tag).copied().unwrap_or(0));
        }
    }
    Ok(())
}

fn counts(r: &mut Reader<'_>, ids: &[i64]) -> Result<FxHashMap<String, usize>> {
    let mut counts = FxHashMap::default();
    for some in ids[..ids.len().min(COUNTED)].chunks(500) {
        for attached in r.event_tags(some)?.into_values().flatten() {
            *counts.entry(attached.tag.name).or_default() += 1;
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(date: &str) -> i64 {
        time::parse_micros(date).map_or(0, |micros| micros / 1_000_000)
    }

    #[test]
    fn periods_begin_where_the_calendar_says() {
        // A Saturday.
        let now = at("2026-01-03") + 7200;
        assert_eq!(begin(Period::Daily, now), at("2026-01-03"));
        assert_eq!(begin(Period::Weekly, now), at("2025-12-29"));
        assert_eq!(begin(Period::Monthly, now), at("2026-01-01"));
        for period in Period::ALL {
            for hour in 0..24 * 800 {
                let now = at("2024-01-01") + hour * 3600;
                let start = begin(period, now);
                assert!(start <= now && now - start < LONGEST, "{period:?} {now}");
                assert_eq!(begin(period, start), start);
                assert!(begin(period, start - 1) < start);
            }
        }
    }

    #[test]
    fn wishes_choose_events() {
        let wishes =
            Wishes::read(r#"{"orgc_id":["2"],"event_info":"ddos","tags":["tlp:red","!x"]}"#).unwrap();
        let filter = filter(&wishes, 10, 20);
        assert_eq!((filter.tags.or, filter.tags.not), (vec!["tlp:red".to_owned()], vec!["x".to_owned()]));
        assert_eq!(filter.publish_timestamp, Some(Range { from: Some(10), to: Some(19) }));
        assert_eq!((filter.eventinfo, filter.org), (Terms::one("%ddos%"), Terms::one("2")));
    }
}
