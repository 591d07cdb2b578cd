//! Workflows that begin after something was saved: a reader of the change log, with a cursor in the database.
//!
//! A change is passed when its workflows have run, so one that a crash interrupts runs again. What workflows change
//! begins none: a workflow would begin itself.

use super::facts::{self, Part};
use super::run::{AFTER, BEFORE, run};
use crate::{Error, Result, Service, log_words};
use pisax_access::Actor;
use pisax_model::ids::Ref;
use pisax_model::time;
use pisax_model::workflow::{Data, module};
use pisax_store::Reader;
use pisax_store::changes::{Action, Logged, Noun};
use rustc_hash::FxHashSet;

/// Changes looked at in one go. An event that changed several times among them is told once.
const CHANGES: i64 = 100;

/// Runs what is to run after what changed; returns whether there may be more.
pub fn follow(service: &Service) -> Result<bool> {
    if !service.settings().follows_changes() {
        return Ok(false);
    }
    let system = Actor::system(AFTER);
    let (cursor, changes) = service.read(&system, |r| {
        let cursor = r.workflow_cursor()?;
        Ok((cursor, r.changes_after(cursor.unwrap_or(i64::MAX), CHANGES)?))
    })?;
    let Some(cursor) = cursor else {
        // Switched on where nobody noted it, by a file of settings for one.
        service.write(&system, |w| Ok(w.begin_workflow_cursor()?))?;
        return Ok(false);
    };
    let mut told = FxHashSet::default();
    let mut at = cursor;
    for (place, change) in changes.iter().enumerate() {
        let mut began = false;
        if !matches!(change.reason.as_deref(), Some(BEFORE | AFTER)) {
            for (trigger, part) in triggers(service, change) {
                if part == Some(Part::All) && !told.insert((trigger, change.event_id)) {
                    continue;
                }
                began = true;
                if let Err(error) = begin(service, &system, trigger, part, change) {
                    passed_over(service, &system, trigger, change, &error)?;
                }
            }
        }
        // What begins nothing is passed together with what comes behind it.
        if !(began || place + 1 == changes.len()) {
            continue;
        }
        if !service.write(&system, |w| Ok(w.move_workflow_cursor(at, change.seq)?))? {
            // Another process follows too; it has gone on.
            return Ok(false);
        }
        at = change.seq;
    }
    Ok(changes.len() as i64 == CHANGES)
}

/// A change whose workflows cannot begin holds up no others. Where even this cannot be noted, the database is away,
/// and the change is looked at again.
fn passed_over(
    service: &Service,
    system: &Actor,
    trigger: &str,
    change: &Logged,
    error: &Error,
) -> Result<()> {
    tracing::error!(%error, trigger, seq = change.seq, "the workflows of a change could not run");
    let (seq, error) = (change.seq.to_string(), error.to_string());
    service.write(system, |w| {
        let fields = [("outcome", "failure"), ("change", seq.as_str()), ("errors", &error)];
        w.note(Noun::Workflow, Action::Run, 0, trigger, &fields);
        Ok(())
    })
}

/// What a change begins, each with the part of its event that matters; none: it is about no event.
fn triggers(service: &Service, change: &Logged) -> Vec<(&'static str, Option<Part>)> {
    let settings = service.settings();
    let is = |noun: Noun| change.noun == noun as i64;
    let did = |action: Action| change.action == action as i64;
    let saved = did(Action::Add) || did(Action::Edit) || did(Action::SoftDelete) || did(Action::Restore);
    let in_event = is(Noun::Event) || is(Noun::Attribute) || is(Noun::Object);
    let mut begun = Vec::new();
    let mut begin = |when: bool, trigger: &'static str, part: Option<Part>| {
        if when && settings.begins_with(trigger) {
            begun.push((trigger, part));
        }
    };
    begin(is(Noun::Event) && did(Action::Add), module::EVENT_AFTER_SAVE_NEW, Some(Part::All));
    begin(in_event && saved, module::EVENT_AFTER_SAVE, Some(Part::All));
    let record = change.record_id;
    begin(is(Noun::Attribute) && saved, module::ATTRIBUTE_AFTER_SAVE, Some(Part::Attribute(record)));
    begin(is(Noun::Object) && saved, module::OBJECT_AFTER_SAVE, Some(Part::Object(record)));
    begin(is(Noun::Sighting) && did(Action::Add), module::SIGHTING_AFTER_SAVE, Some(Part::Head));
    begin(is(Noun::EventReport) && saved, module::REPORT_AFTER_SAVE, Some(Part::Head));
    begin(is(Noun::Proposal) && did(Action::Add), module::PROPOSAL_AFTER_SAVE, Some(Part::Head));
    // Those attached by the hundred are one change, which names none.
    let attached = (is(Noun::EventTag) || is(Noun::AttributeTag)) && did(Action::Add) && record > 0;
    begin(attached, module::TAG_ATTACHED_AFTER_SAVE, Some(Part::Head));
    begin(is(Noun::User) && (did(Action::Add) || did(Action::Edit)), module::USER_AFTER_SAVE, None);
    // That a mail was sent may be a workflow's doing: it would send one about each.
    begin(!is(Noun::Mail), module::LOG_AFTER_SAVE, None);
    begun
}

fn begin(
    service: &Service,
    system: &Actor,
    trigger: &str,
    part: Option<Part>,
    change: &Logged,
) -> Result<()> {
    let workflows = service.read(system, |r| Ok(r.workflows_beginning_with(trigger)?))?;
    if workflows.is_empty() {
        return Ok(());
    }
    let Some(data) = data(service, system, trigger, part, change)? else { return Ok(()) };
    for workflow in workflows {
        run(service, &workflow, data.clone())?;
    }
    Ok(())
}

/// What is told of a change; nothing, when what it is about is gone.
fn data(
    service: &Service,
    system: &Actor,
    trigger: &str,
    part: Option<Part>,
    change: &Logged,
) -> Result<Option<Data>> {
    service.read(system, |r| {
        let mut data = match part {
            Some(_) if trigger == module::TAG_ATTACHED_AFTER_SAVE => match tagged(r, change)? {
                Some(data) => data,
                None => return Ok(None),
            },
            Some(_) if trigger == module::PROPOSAL_AFTER_SAVE => {
                let Some(p) = r.proposal(Ref::Id(change.record_id))?.filter(|p| !p.deleted) else {
                    return Ok(None);
                };
                let proposal = facts::proposal(&p);
                match facts::proposed(r, p.event_id, p.attribute_id, proposal)? {
                    Some(data) => data,
                    None => return Ok(None),
                }
            }
            Some(Part::Head) => {
                let sighting =
                    r.sighting(Ref::Uuid(change.uuid))?.filter(|_| trigger == module::SIGHTING_AFTER_SAVE);
                let part = sighting.as_ref().map_or(Part::Head, |s| Part::Attribute(s.attribute_id));
                let Some(mut data) = facts::event(r, change.event_id, part)? else { return Ok(None) };
                if let Some(sighting) = sighting {
                    data.put(
                        "Sighting",
                        Data::map([
                            ("id", sighting.id.into()),
                            ("uuid", sighting.uuid.to_string().into()),
                            ("attribute_id", sighting.attribute_id.into()),
                            ("event_id", sighting.event_id.into()),
                            ("org_id", sighting.org_id.into()),
                            ("date_sighting", sighting.date_sighting.into()),
                            ("source", sighting.source.into()),
                            ("type", sighting.kind.into()),
                        ]),
                    );
                } else if let Some(report) = r.report(Ref::Uuid(change.uuid))? {
                    data.put(
                        "EventReport",
                        Data::map([
                            ("id", report.id.into()),
                            ("uuid", report.uuid.to_string().into()),
                            ("event_id", report.event_id.into()),
                            ("name", report.name.into()),
                            ("content", report.content.into()),
                            ("distribution", report.distribution.into()),
                            ("sharing_group_id", report.sharing_group_id.into()),
                            ("timestamp", report.timestamp.into()),
                            ("deleted", report.deleted.into()),
                        ]),
                    );
                } else {
                    return Ok(None);
                }
                data
            }
            Some(part) => match facts::event(r, change.event_id, part)? {
                Some(data) => data,
                None => return Ok(None),
            },
            None if trigger == module::USER_AFTER_SAVE => match facts::user(r, change.record_id)? {
                Data::Null => return Ok(None),
                user => Data::map([("User", user)]),
            },
            None => Data::map([("Log", log(change))]),
        };
        data.put("user", facts::user(r, change.user_id)?);
        Ok(Some(data))
    })
}

/// The event with the tag that was attached to it, or to an attribute of it; nothing, when it is off again.
fn tagged(r: &mut Reader<'_>, change: &Logged) -> Result<Option<Data>> {
    let attribute = change.fields.iter().find(|f| f.name == "attribute_id").and_then(|f| f.new.parse().ok());
    let part = attribute.map_or(Part::Head, Part::Attribute);
    let Some(mut data) = facts::event(r, change.event_id, part)? else { return Ok(None) };
    let attached = match attribute {
        Some(id) => r.attribute_tags(&[id])?.remove(&id),
        None => r.event_tags(&[change.event_id])?.remove(&change.event_id),
    };
    let attached = attached.unwrap_or_default().into_iter().find(|a| a.tag.id == change.record_id);
    let Some(attached) = attached else { return Ok(None) };
    let mut tag = facts::tag(&attached);
    tag.put("event_id", change.event_id.into());
    if let Some(id) = attribute {
        tag.put("attribute_id", id.into());
    }
    data.put("Tag", tag);
    Ok(Some(data))
}

fn log(change: &Logged) -> Data {
    let field = |field: &pisax_store::changes::Field| {
        Data::map([
            ("field", field.name.clone().into()),
            ("old", field.old.clone().into()),
            ("new", field.new.clone().into()),
        ])
    };
    Data::map([
        ("id", change.seq.into()),
        ("created", time::format_datetime(change.at).into()),
        ("model", log_words::model(change.noun).into()),
        ("action", log_words::action(change.noun, change.action).into()),
        ("model_id", change.record_id.into()),
        ("event_id", change.event_id.into()),
        ("user_id", change.user_id.into()),
        ("org_id", change.org_id.into()),
        ("change", Data::List(change.fields.iter().map(field).collect())),
    ])
}
