//! The connection a push goes over: who is at the other end and what may go there.

use super::{DIRECTION, sender};
use crate::Fault;
use crate::peer::Peer;
use pisax_model::Uuid;
use pisax_model::event::Event;
use pisax_model::event::EventDraft;
use pisax_model::org::OrgRef;
use pisax_model::peer::{Entry, Outcome, Subject};
use pisax_model::server::Server;
use pisax_model::sharing::SharingGroupDraft;
use pisax_model::transit::{self, Guard, Outgoing, Passed, Refusal, Rules, sharing};
use pisax_service::Service;
use pisax_service::peer::state;
use pisax_store::Reader;
use std::sync::Arc;

pub(crate) struct Link {
    pub(crate) service: Arc<Service>,
    pub(crate) peer: Peer,
    rules: Rules,
    guard: Guard,
    /// Who runs the other server.
    org: Uuid,
}

impl Link {
    pub(crate) fn open(service: &Arc<Service>, server: Server) -> Result<Self, Fault> {
        let rules = pisax_wire::read_rules(&server.push_rules)
            .map_err(|e| Fault::Setup(format!("the push rules cannot be read: {e}")))?;
        let state = service.peer_state(server.id)?;
        let guard = state.get(state::GUARD).map_or("", String::as_str);
        // A guard that cannot be read lets nothing pass.
        let guard = pisax_wire::read_guard(guard)
            .map_err(|e| Fault::Setup(format!("the egress guard cannot be read: {e}")))?;
        let (rules, org) = service.read(&sender(), |r| {
            let orgs = r.orgs_of_servers(std::slice::from_ref(&server))?;
            let org = orgs.get(&server.remote_org_id).map_or(Uuid::nil(), |org| org.uuid);
            Ok((named(r, rules)?, org))
        })?;
        Ok(Self { service: Arc::clone(service), peer: Peer::new(service, server)?, rules, guard, org })
    }

    pub(crate) fn id(&self) -> i64 {
        self.peer.server.id
    }

    /// What the peer is sent of an event.
    pub(crate) fn outgoing(&self, draft: EventDraft) -> Result<Passed, Refusal> {
        self.through(|link| transit::outgoing(draft, link))
    }

    /// The level there of a record beside events, or why it stays here.
    pub(super) fn beside(&self, level: i64, group: Option<&SharingGroupDraft>) -> Result<i64, Refusal> {
        self.through(|link| transit::beside(level, group, link))
    }

    /// Whether the rules let through what this organisation made.
    pub(super) fn admit_creator(&self, orgc: Option<&OrgRef>) -> Result<(), Refusal> {
        self.rules.admit_creator(orgc)
    }

    fn through<T>(&self, pass: impl FnOnce(&Outgoing<'_>) -> T) -> T {
        let server = &self.peer.server;
        let remote = sharing::Remote { url: &server.url, org: self.org, internal: server.internal };
        pass(&Outgoing {
            internal: server.internal,
            rules: &self.rules,
            guard: &self.guard,
            admits: &|group| sharing::admits(group, &remote),
            with_reports: true,
            unpublish: false,
        })
    }

    /// The entry of a record that its rules, its distribution or the guard keep here.
    pub(super) fn kept(entry: Entry, refusal: &Refusal) -> Entry {
        let outcome = if refusal.by_guard() { Outcome::Guard } else { Outcome::Rule };
        Entry { outcome, ..entry }.because(refusal.to_string())
    }

    pub(crate) fn entry(&self, event: &Event, outcome: Outcome) -> Entry {
        Entry::new(self.id(), DIRECTION, Subject::Event, event.uuid, outcome)
            .about(&event.info, event.timestamp)
    }
}

/// Push rules name tags and organisations by their numbers here; what is no number is a name already. What is gone
/// stays as it is, and matches nothing.
fn named(r: &mut Reader<'_>, mut rules: Rules) -> pisax_service::Result<Rules> {
    for text in rules.tags.or.iter_mut().chain(&mut rules.tags.not) {
        if let Ok(id) = text.parse::<i64>()
            && let Some(tag) = r.tag(id)?
        {
            *text = tag.name;
        }
    }
    for text in rules.orgs.or.iter_mut().chain(&mut rules.orgs.not) {
        if let Ok(id) = text.parse::<i64>()
            && let Some(org) = r.org(pisax_model::ids::Ref::Id(id))?
        {
            *text = org.uuid.to_string();
        }
    }
    Ok(rules)
}
