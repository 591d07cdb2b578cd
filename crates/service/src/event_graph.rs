//! Drawings of an event that an organisation keeps.

use crate::{Error, Result, Service};
use pisax_access::{Actor, edit as rule};
use pisax_model::FieldError;
use pisax_model::event_graph::{EventGraph, MAX_NETWORK_BYTES, MAX_PREVIEW_BYTES, MOST_GRAPHS};
use pisax_model::ids::Ref;

/// A drawing as a client sent it; whether `network_json` is JSON the edge has seen to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawing {
    pub network_name: Option<String>,
    pub network_json: String,
    pub preview_img: Option<String>,
}

/// Keeps a drawing of an event that the actor may edit; returns its row number.
pub fn add(service: &Service, actor: &Actor, event: Ref, drawing: Drawing) -> Result<i64> {
    let limits = [
        ("network_json", drawing.network_json.len(), MAX_NETWORK_BYTES),
        ("preview_img", drawing.preview_img.as_ref().map_or(0, String::len), MAX_PREVIEW_BYTES),
        ("network_name", drawing.network_name.as_ref().map_or(0, String::len), 1024),
    ];
    for (field, length, limit) in limits {
        if length > limit {
            return Err(FieldError::new(field, format!("Longer than {limit} bytes.")).into());
        }
    }
    service.write(actor, |w| {
        let event = w.event_for_edit(event, rule::may_edit)?;
        if w.count_event_graphs(event.id, actor.org_id)? >= MOST_GRAPHS {
            let reason = format!("An event has at most {MOST_GRAPHS} graphs: delete one first.");
            return Err(Error::Refused(reason));
        }
        let graph = EventGraph {
            id: 0,
            event_id: event.id,
            user_id: actor.user_id,
            user_email: None,
            org_id: actor.org_id,
            timestamp: w.now(),
            network_name: drawing.network_name,
            network_json: drawing.network_json,
            preview_img: drawing.preview_img,
        };
        Ok(w.insert_event_graph(&graph)?)
    })
}

/// Removes a drawing that the actor made; site admins any.
pub fn remove(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    service.write(actor, |w| {
        let graph = w.event_graph(id)?.ok_or(Error::NotFound("event graph"))?;
        if graph.user_id != actor.user_id && !actor.sees_all() {
            return Err(Error::Forbidden);
        }
        Ok(w.remove_event_graph(&graph)?)
    })
}
