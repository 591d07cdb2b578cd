//! `/servers/dryRun/…`: what a pull or push would do, with nothing stored on either side. MISP has no such call.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, member, number_member};
use crate::request::{Request, text};
use crate::sync::{failed, server};
use pisax_model::FieldError;
use pisax_model::ids::Ref;
use pisax_model::peer::{Direction, Outcome};
use pisax_service::Error;
use pisax_share::dry::{self, Coming, Leaving, MOST};
use pisax_wire::JsonWriter;

/// Events named unless the caller says how many.
const NAMED: usize = 50;

/// GET|POST /servers/dryRun/{id}[/{push|pull}[/{event}]]
pub(crate) fn dry_run(request: &Request) -> Result<Answer, Failure> {
    let server = server(request)?;
    let sent = request.unwrapped("Server")?;
    let asked = |name: &str| request.path.named(name).map(str::to_owned).or_else(|| text(&sent, name));
    let limit = match asked("limit") {
        Some(text) => text.parse::<usize>().ok().filter(|n| *n > 0).ok_or_else(|| {
            Error::from(FieldError::new("limit", format!("Expected a number from 1 to {MOST}.")))
        })?,
        None => NAMED,
    };
    let direction = request.path.arg(1).map(str::to_owned).or_else(|| asked("direction"));
    let direction = direction.unwrap_or_else(|| Direction::Push.name().to_owned());
    let event = request.path.arg(2).map(str::to_owned).or_else(|| asked("event"));
    if direction == Direction::Pull.name() {
        let told = dry::pull(&request.service, server, limit).map_err(failed)?;
        return Ok(document(|w| write_pull(w, &told)));
    }
    if direction != Direction::Push.name() {
        return Err(Error::from(FieldError::new("direction", "Options: pull, push")).into());
    }
    let Some(event) = event else {
        let told = dry::push(&request.service, server, limit).map_err(failed)?;
        return Ok(document(|w| write_push(w, &told, None)));
    };
    let missing = Failure::NotFound("Invalid event");
    let Some(reference) = Ref::parse(&event) else { return Err(missing) };
    match dry::push_one(&request.service, server, reference).map_err(failed)? {
        Some(one) => Ok(document(|w| write_push(w, &one.told, Some(one.sent.as_deref())))),
        None => Err(missing),
    }
}

/// `sent`: what the other side would get, where one event was asked for.
fn write_push(w: &mut JsonWriter<'_>, told: &dry::Push, sent: Option<Option<&[u8]>>) {
    w.begin_object();
    member(w, "direction", Direction::Push.name());
    w.key("unasked");
    match &told.unasked {
        Some(why) => w.str(why),
        None => w.null(),
    }
    w.key("Event");
    w.begin_array();
    told.events.iter().for_each(|event| write_leaving(w, event));
    w.end_array();
    if let Some(sent) = sent {
        w.key("sent");
        match sent {
            Some(body) => w.raw(body),
            None => w.null(),
        }
    }
    w.end_object();
}

fn write_leaving(w: &mut JsonWriter<'_>, event: &Leaving) {
    w.begin_object();
    number_member(w, "id", event.id);
    w.key("uuid");
    w.uuid(event.uuid);
    member(w, "info", &event.info);
    w.key("published");
    w.bool(event.published);
    w.key("goes");
    w.bool(event.outcome == Outcome::Done);
    member(w, "outcome", event.outcome.name());
    member(w, "reason", &event.reason);
    for (name, count) in
        [("attributes", event.attributes), ("reports", event.reports), ("left_out", event.left_out)]
    {
        number_member(w, name, count as i64);
    }
    w.key("left_out_because");
    w.begin_array();
    for (reason, count) in &event.reasons {
        w.begin_object();
        member(w, "reason", reason);
        number_member(w, "count", *count as i64);
        w.end_object();
    }
    w.end_array();
    w.end_object();
}

fn write_pull(w: &mut JsonWriter<'_>, told: &dry::Pull) {
    w.begin_object();
    member(w, "direction", Direction::Pull.name());
    for (name, count) in [
        ("offered", told.offered),
        ("new", told.new),
        ("newer", told.newer),
        ("same", told.same),
        ("skipped", told.skipped),
    ] {
        number_member(w, name, count as i64);
    }
    w.key("Event");
    w.begin_array();
    told.events.iter().for_each(|event| write_coming(w, event));
    w.end_array();
    w.end_object();
}

fn write_coming(w: &mut JsonWriter<'_>, event: &Coming) {
    w.begin_object();
    w.key("uuid");
    w.uuid(event.uuid);
    member(w, "info", &event.info);
    number_member(w, "timestamp", event.timestamp);
    member(w, "arrives", event.arrives.name());
    member(w, "reason", &event.reason);
    w.end_object();
}
