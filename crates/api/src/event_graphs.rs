//! `/eventGraph/…`: drawings of an event that an organisation keeps.

use crate::answer::{Answer, Sink};
use crate::events::find;
use crate::failure::{Failure, Saving};
use crate::reply::{document, member, number, number_member};
use crate::request::{Request, text};
use pisax_model::event_graph::{EventGraph, MAX_NETWORK_BYTES, MOST_GRAPHS};
use pisax_service::Error;
use pisax_service::event_graph::{self as service, Drawing};
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;
use std::sync::Arc;

/// Drawings read at a time: each can be some MiB.
const BATCH: i64 = 8;

/// POST /eventGraph/add/{event} `{network_json, network_name, preview_img}`
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let event = request.reference(0, body::INVALID_EVENT)?;
    let sent = request.unwrapped("EventGraph")?;
    let network_json = match sent.get("network_json") {
        None | Some(serde_json::Value::Null) => {
            return Err(Failure::NotAllowed("No network data set".into()));
        }
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    // One that is too long is refused for that below.
    let short = network_json.len() <= MAX_NETWORK_BYTES;
    if short && serde_json::from_str::<serde_json::Value>(&network_json).is_err() {
        return Err(Failure::NotAllowed("Network data is not valid JSON.".into()));
    }
    let drawing = Drawing {
        network_name: text(&sent, "network_name"),
        network_json,
        preview_img: text(&sent, "preview_img"),
    };
    service::add(&request.service, &request.actor, event, drawing).saving("add", "EventGraph")?;
    Ok(done("eventGraph saved."))
}

fn done(words: &str) -> Answer {
    document(|w| {
        w.begin_object();
        w.key("saved");
        w.bool(true);
        member(w, "success", words);
        w.end_object();
    })
}

/// GET /eventGraph/view/{event}[/{id}]: drawings by one's own organisation, newest first
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let event = find(request, request.reference(0, body::INVALID_EVENT)?)?;
    let only = match request.path.arg(1) {
        Some(_) => Some(number(request, 1, "Invalid EventGraph")?),
        None => None,
    };
    let service = Arc::clone(&request.service);
    let actor = request.actor.clone();
    Ok(Answer::stream(move |sink: &mut Sink| {
        sink.buffer().push(b'[');
        let mut skip = 0;
        while skip < MOST_GRAPHS {
            let found = service.read(&actor, |r| Ok(r.event_graphs(&event, only, skip, BATCH)?))?;
            for graph in &found {
                if skip > 0 {
                    sink.buffer().push(b',');
                }
                skip += 1;
                write(&mut JsonWriter::new(sink.buffer()), graph);
                sink.flush_full()?;
            }
            if (found.len() as i64) < BATCH {
                break;
            }
        }
        sink.buffer().push(b']');
        Ok(())
    }))
}

fn write(w: &mut JsonWriter<'_>, graph: &EventGraph) {
    let text_or_null = |w: &mut JsonWriter<'_>, key: &str, text: Option<&str>| {
        w.key(key);
        match text {
            Some(text) => w.str(text),
            None => w.null(),
        }
    };
    w.begin_object();
    w.key("EventGraph");
    w.begin_object();
    number_member(w, "id", graph.id);
    number_member(w, "event_id", graph.event_id);
    number_member(w, "user_id", graph.user_id);
    number_member(w, "org_id", graph.org_id);
    number_member(w, "timestamp", graph.timestamp);
    text_or_null(w, "network_name", graph.network_name.as_deref());
    member(w, "network_json", &graph.network_json);
    text_or_null(w, "preview_img", graph.preview_img.as_deref());
    w.end_object();
    w.key("User");
    w.begin_object();
    text_or_null(w, "email", graph.user_email.as_deref());
    w.end_object();
    w.end_object();
}

/// POST /eventGraph/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, "Invalid EventGraph")?;
    service::remove(&request.service, &request.actor, id).map_err(|e| match e {
        Error::Forbidden => Failure::NotAllowed("This eventGraph does not belong to you.".into()),
        other => other.into(),
    })?;
    Ok(done("EventGraph deleted."))
}
