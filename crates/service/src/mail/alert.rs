//! "This was published": mails to those who asked for them, see the event, and whose filter lets it through.
//! Each holds what its reader sees of the event, and nothing else.

use super::{instance, reader, to};
use crate::event::carries_required_tags;
use crate::setting::Settings;
use crate::{Error, Result, Service};
use pisax_access::{Actor, edit};
use pisax_formats::rules::{self, Top};
use pisax_model::event::Event;
use pisax_model::ids::Ref;
use pisax_model::rule::{Rule, is_like};
use pisax_model::time;
use pisax_model::user::{Role, User};
use pisax_model::value::defang::defanged;
use pisax_store::attributes::{Batch, Wanted};
use pisax_store::changes::Action;
use pisax_store::mails::Mail;
use pisax_store::orgs::OrgName;
use pisax_store::user_settings::UserSettingQuery;
use pisax_store::{Reader, Writer};
use rustc_hash::FxHashMap;
use std::fmt::Write;

/// Attributes a mail lists; of more it says how many.
const LISTED: i64 = 1000;
/// Longest value a mail shows, in bytes: all mails about an event are written at once, one for each reader.
const LONGEST_VALUE: usize = 1024;
/// Objects whose attributes a mail lists.
const OBJECTS: i64 = 500;
/// What a filter may ask for.
const FILTERED: [&str; 6] =
    ["Tag.name", "EventTag.name", "AttributeTag.name", "Orgc.name", "Orgc.uuid", "ThreatLevel.name"];
/// Characters of a title in a subject.
const SUBJECT_INFO: usize = 58;
const DAY: i64 = 86_400;

/// Publishes an event and wants it told; returns its row number.
pub fn publish_and_alert(service: &Service, actor: &Actor, reference: Ref) -> Result<i64> {
    let settings = service.settings();
    let tells = service.sends_mail();
    crate::workflow::begin::before_publication(service, actor, reference)?;
    service.write(actor, |w| {
        let mut event = w.event_for_edit(reference, edit::may_publish)?;
        carries_required_tags(w, event.id)?;
        let before = event.publish_timestamp;
        event.published = true;
        event.publish_timestamp = w.now();
        w.update_event(&event, Action::Publish)?;
        if tells {
            want(w, &settings, &event, before)?;
        }
        Ok(event.id)
    })
}

/// The same for what came from another server, where it is published now.
pub(crate) fn alert_of_received(service: &Service, id: i64, before: i64) -> Result<()> {
    let settings = service.settings();
    if !service.sends_mail() {
        return Ok(());
    }
    service.write(&Actor::system("tell of what was received"), |w| match w.event(Ref::Id(id))? {
        Some(event) if event.published => want(w, &settings, &event, before),
        _ => Ok(()),
    })
}

/// Wants it told, unless it is old, carries the tag against it or was told not long ago. It was published `before`.
fn want(w: &mut Writer<'_>, settings: &Settings, event: &Event, before: i64) -> Result<()> {
    if settings.block_old_event_alert && is_old(settings, event, w.now()) {
        return Ok(());
    }
    if settings.block_event_alert {
        let unwanted = settings.block_event_alert_tag.to_lowercase();
        if tag_names(w, event.id)?.iter().any(|tag| tag.to_lowercase() == unwanted) {
            return Ok(());
        }
    }
    let (span, renewed) = (settings.republish_ban_minutes * 60, settings.republish_ban_renewed);
    if settings.republish_ban && w.alert_ban(event.id, span, renewed)? {
        return Ok(());
    }
    Ok(w.add_alert(event, before)?)
}

fn is_old(settings: &Settings, event: &Event, now: i64) -> bool {
    let (age, by_date) = (settings.block_old_event_alert_age, settings.block_old_event_alert_by_date);
    (age > 0 && event.timestamp < now - age * DAY)
        || (by_date > 0 && event.date < time::format_date(now - by_date * DAY))
}

/// Writes the mails about what was published. One event at a time: another process may be at it too.
pub fn tell_alerts(service: &Service) -> Result<()> {
    let system = Actor::system("tell of a publication");
    let events = service.read(&system, |r| Ok(r.alerts()?))?;
    if events.is_empty() {
        return Ok(());
    }
    let readers = service.read(&system, |r| {
        let setting = Some("publish_alert_filter".to_owned());
        let filters = r.user_settings(&UserSettingQuery { setting, ..UserSettingQuery::default() })?;
        let mut filters: FxHashMap<i64, String> = filters.into_iter().map(|s| (s.user_id, s.value)).collect();
        let readers = r.alert_readers(service.now())?.into_iter();
        let with_filter = |(user, role): (User, Role)| {
            // A filter that cannot be read lets everything through: better a mail too many.
            let filter = filters.remove(&user.id).and_then(|json| rules::read(&json, Top::And).ok());
            AlertReader { user, role, filter }
        };
        Ok(readers.map(with_filter).collect::<Vec<_>>())
    })?;
    for (event_id, since) in events {
        // One that cannot be told does not stand in the way of the others, nor of other mails.
        if let Err(error) = tell(service, &system, (event_id, since), &readers) {
            tracing::warn!(%error, event_id, "a publication could not be told");
        }
    }
    Ok(())
}

/// Reads the filter somebody sets for himself (`publish_alert_filter`); the error says what would be right.
pub(crate) fn read_filter(json: &str) -> Result<Rule, String> {
    let rule = rules::read(json, Top::And)?;
    match rule.fields().into_iter().find(|field| !FILTERED.contains(field)) {
        Some(other) => Err(format!("{other}: a filter asks for one of {}.", FILTERED.join(", "))),
        None => Ok(rule),
    }
}

/// Somebody who wants to hear of publications, of all or of those that his filter lets through.
struct AlertReader {
    user: User,
    role: Role,
    filter: Option<Rule>,
}

fn tell(
    service: &Service,
    system: &Actor,
    (event_id, since): (i64, i64),
    readers: &[AlertReader],
) -> Result<()> {
    let link = format!("{}/events/view/{event_id}", service.policy.base_url);
    // What readers of one organisation see of an event is the same, but for site admins and those who
    // synchronise.
    let mut views: FxHashMap<(i64, i64), Option<View>> = FxHashMap::default();
    let mut mails = Vec::new();
    for AlertReader { user, role, filter } in readers {
        let actor = reader(service, user, role);
        let key = (user.org_id, role.permissions.0);
        let view = match views.entry(key) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => {
                new.insert(service.read(&actor, |r| View::of(service, r, event_id, since))?)
            }
        };
        let Some(view) = view else { continue };
        if filter.as_ref().is_none_or(|rule| view.passes(rule)) {
            mails.push(Mail { link: link.clone(), ..to(user, &view.subject, &view.body) });
        }
    }
    service.write(system, |w| {
        if w.take_alert(event_id)? {
            for mail in &mails {
                w.add_mail(mail)?;
            }
        }
        Ok(())
    })
}

/// What one reader sees of an event, as a mail and as facts for his filter.
struct View {
    subject: String,
    body: String,
    event_tags: Vec<String>,
    attribute_tags: Vec<String>,
    orgc: Option<OrgName>,
    threat_level: &'static str,
}

impl View {
    fn of(service: &Service, r: &mut Reader<'_>, event_id: i64, since: i64) -> Result<Option<Self>> {
        let Some(event) = r.event(Ref::Id(event_id))? else { return Ok(None) };
        let names = r.org_names(&[event.org_id, event.orgc_id])?;
        let event_tags = tag_names(r, event.id)?;
        let attributes = attributes(r, &event)?;
        let attribute_tags = r.attribute_tags(&attributes.ids())?;
        let attribute_tags = attribute_tags.into_values().flatten().map(|t| t.tag.name).collect();
        let subject = subject(service, &instance(service, r)?, &event, &event_tags);
        let related = r.related_events(&event)?;
        let mut body = head(service, &event, &names, &event_tags);
        if !related.is_empty() {
            body.push_str("\nRelated events\n");
            for other in related.iter().take(100) {
                let _ = writeln!(body, "{}/events/view/{}", service.policy.base_url, other.event_id);
            }
        }
        if !service.settings().alert_without_content {
            contents(&mut body, &event, since, &attributes);
        }
        let _ = write!(
            body,
            "\n--\nYou get this mail because your account asks for it (autoalert). To unsubscribe, switch that off:\n\
             {}/users/edit\n",
            service.policy.base_url
        );
        let orgc = names.get(&event.orgc_id).cloned();
        let threat_level = threat_level(event.threat_level_id);
        Ok(Some(Self { subject, body, event_tags, attribute_tags, orgc, threat_level }))
    }

    fn passes(&self, rule: &Rule) -> bool {
        let any = |names: &[String], wanted: &str| names.iter().any(|name| is_like(name, wanted));
        rule.holds(&|field, wanted| match field {
            "Tag.name" => any(&self.event_tags, wanted) || any(&self.attribute_tags, wanted),
            "EventTag.name" => any(&self.event_tags, wanted),
            "AttributeTag.name" => any(&self.attribute_tags, wanted),
            "Orgc.name" => self.orgc.as_ref().is_some_and(|org| is_like(&org.name, wanted)),
            "Orgc.uuid" => self.orgc.as_ref().is_some_and(|org| is_like(&org.uuid.to_string(), wanted)),
            "ThreatLevel.name" => is_like(self.threat_level, wanted),
            _ => false,
        })
    }
}

fn attributes(r: &mut Reader<'_>, event: &Event) -> Result<Batch> {
    let living = Wanted { living: true, deleted: false };
    let mut ids = r.event_attributes(event, living, 0, LISTED)?.ids();
    let objects: Vec<i64> = r.event_objects(event, living, 0, OBJECTS)?.iter().map(|o| o.id).collect();
    if !objects.is_empty() {
        ids.extend(r.object_attributes(event, living, &objects)?.ids());
    }
    ids.truncate(LISTED as usize);
    Ok(r.attributes_by_ids(&ids)?)
}

fn tag_names(r: &mut Reader<'_>, event_id: i64) -> Result<Vec<String>> {
    let tags = r.event_tags(&[event_id])?.remove(&event_id).unwrap_or_default();
    Ok(tags.into_iter().map(|attached| attached.tag.name).collect())
}

/// The traffic light of an event in capitals, for a subject.
pub(super) fn mark(settings: &Settings, w: &mut Writer<'_>, event_id: i64) -> Result<String, Error> {
    Ok(marked(settings, &tag_names(w, event_id)?))
}

fn marked(settings: &Settings, tags: &[String]) -> String {
    let wanted = &settings.subject_tag;
    let value = |tag: &str| {
        let (name, rest) = tag.split_at_checked(wanted.len())?;
        let value = rest.strip_prefix([':', '='])?;
        name.eq_ignore_ascii_case(wanted).then(|| value.trim_matches('"').to_owned())
    };
    let found = tags.iter().find_map(|tag| Some((tag, value(tag)?)));
    let mark = match found {
        Some((tag, _)) if settings.subject_tag_named => tag.clone(),
        Some((_, value)) => value,
        None => settings.subject_without_tag.clone(),
    };
    mark.to_uppercase()
}

pub(super) fn threat_level(code: i64) -> &'static str {
    match code {
        1 => "High",
        2 => "Medium",
        3 => "Low",
        _ => "Undefined",
    }
}

fn subject(service: &Service, name: &str, event: &Event, tags: &[String]) -> String {
    let settings = service.settings();
    let mut subject = format!("[{name} MISP] Event {} - ", event.id);
    if settings.extended_alert_subject {
        let info: String = event.info.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        subject.extend(info.chars().take(SUBJECT_INFO));
        subject.push_str(if info.chars().count() > SUBJECT_INFO { "... - " } else { " - " });
    }
    if settings.threat_level_in_subject {
        subject.push_str(threat_level(event.threat_level_id));
        subject.push_str(" - ");
    }
    subject + &marked(&settings, tags)
}

fn head(service: &Service, event: &Event, names: &FxHashMap<i64, OrgName>, tags: &[String]) -> String {
    let name = |id: i64| names.get(&id).map_or("", |org| org.name.as_str());
    let distribution = match event.distribution {
        0 => "Your organisation only",
        1 => "This community only",
        2 => "Connected communities",
        3 => "All communities",
        _ => "Sharing group",
    };
    let analysis = ["Initial", "Ongoing", "Completed"];
    let analysis = usize::try_from(event.analysis).ok().and_then(|i| analysis.get(i)).unwrap_or(&"");
    let lines = [
        ("URL", format!("{}/events/view/{}", service.policy.base_url, event.id)),
        ("Event ID", event.id.to_string()),
        ("Date", event.date.clone()),
        ("Reported by", name(event.orgc_id).to_owned()),
        ("Local owner of the event", name(event.org_id).to_owned()),
        ("Distribution", distribution.to_owned()),
        ("Tags", tags.join(", ")),
        ("Threat Level", threat_level(event.threat_level_id).to_owned()),
        ("Analysis", (*analysis).to_owned()),
        ("Description", event.info.clone()),
    ];
    let mut text = String::new();
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "{name:<25} {value}");
    }
    text
}

fn contents(text: &mut String, event: &Event, since: i64, attributes: &Batch) {
    if attributes.is_empty() {
        return;
    }
    // All is new in what was never published: stars would say nothing.
    text.push_str(match since {
        0 => "\nAttributes\n",
        _ => "\nAttributes (* indicates a new or changed attribute)\n",
    });
    for attribute in attributes.iter() {
        let star = if since > 0 && attribute.timestamp > since { "*" } else { " " };
        let whole = attribute.value();
        let value = &whole[..whole.floor_char_boundary(LONGEST_VALUE)];
        let cut = if value.len() < whole.len() { "…" } else { "" };
        let kind = attribute.kind.name();
        let ids = if attribute.to_ids { " (IDS)" } else { "" };
        let _ = writeln!(text, "{star} {kind:<22} {}{cut}{ids}", defanged(attribute.kind, value));
    }
    // How many there are is not told: the event counts those that this reader does not see.
    if attributes.len() as i64 == LISTED && event.attribute_count > LISTED {
        text.push_str("… and more.\n");
    }
}
