//! Placeholder until the transit branch is merged.
use crate::{Result, Service};
use pisax_access::Actor;
use pisax_model::event::EventDraft;
use pisax_model::server::Server;

pub struct Source;
impl Source {
    pub fn of_server(_: &Server) -> Self {
        Self
    }
}
pub enum Received {
    Added { id: i64 },
    Updated { id: i64 },
    Older,
    Refused(String),
}
pub fn receive(service: &Service, actor: &Actor, draft: EventDraft, _: &Source) -> Result<Received> {
    let added = super::add(service, actor, draft)?;
    Ok(Received::Added { id: added.id })
}
