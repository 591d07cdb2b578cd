//! Taking what another server has, as MISP pulls: its short list of events, then each one that is new or newer.
//!
//! What is stored is known by its uuid and timestamp, so a pull that was interrupted goes on where it was. A list
//! that has not changed since everything on it was dealt with is not sent again: an idle pull is one request.

pub(crate) mod analyst;
pub(crate) mod clusters;
pub(crate) mod events;
pub(crate) mod proposals;
mod select;
pub(crate) mod sightings;

pub use select::index_filter;
pub(crate) use select::{Verdict, verdicts};

use crate::Fault;
use crate::peer::{Index, Offered, Peer};
use crate::work::{End, Work};
use pisax_access::Actor;
use pisax_model::Uuid;
use pisax_model::peer::Direction;
use pisax_model::server::Server;
use pisax_model::transit::Rules;
use pisax_service::Service;
use pisax_service::peer::state;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a pull brought.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) events: AtomicUsize,
    pub(crate) failed: AtomicUsize,
    pub(crate) proposals: AtomicUsize,
    pub(crate) sightings: AtomicUsize,
    pub(crate) clusters: AtomicUsize,
    pub(crate) analyst_data: AtomicUsize,
}

impl Tally {
    /// The text that MISP's clients wait for.
    pub(crate) fn told(&self) -> String {
        let count = |n: &AtomicUsize| n.load(Ordering::Relaxed);
        format!(
            "Pull completed. {} events pulled, {} events could not be pulled, {} proposals pulled, \
             {} sightings pulled, {} clusters pulled, {} analyst data pulled.",
            count(&self.events),
            count(&self.failed),
            count(&self.proposals),
            count(&self.sightings),
            count(&self.clusters),
            count(&self.analyst_data)
        )
    }
}

/// What is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Technique {
    Full,
    /// What is here already.
    Update,
    RelevantClusters,
    One(Uuid),
}

impl Technique {
    fn parse(text: &str) -> Result<Self, Fault> {
        match text {
            "" | "full" => Ok(Self::Full),
            "update" => Ok(Self::Update),
            "pull_relevant_clusters" => Ok(Self::RelevantClusters),
            other => Uuid::try_parse(other)
                .map(Self::One)
                .map_err(|_| Fault::Setup(format!("there is no way to pull '{other}'"))),
        }
    }
}

/// A pull under way.
pub(crate) struct Pull<'w> {
    pub(crate) work: &'w Work,
    pub(crate) peer: Peer,
    pub(crate) rules: Rules,
    pub(crate) tally: Tally,
}

impl<'w> Pull<'w> {
    pub(crate) fn over(work: &'w Work, server: Server) -> Result<Self, Fault> {
        let rules = pisax_wire::read_rules(&server.pull_rules)
            .map_err(|e| Fault::Setup(format!("the pull rules cannot be read: {e}")))?;
        let peer = Peer::new(&work.service, server)?;
        Ok(Self { work, peer, rules, tally: Tally::default() })
    }

    pub(crate) fn service(&self) -> &Service {
        &self.work.service
    }

    pub(crate) fn server(&self) -> &Server {
        &self.peer.server
    }
}

/// Who writes down what another server sends: the system, on behalf of the organisation whose connection it is.
pub(crate) fn receiver(server: &Server) -> Actor {
    Actor { org_id: server.org_id, ..Actor::system("pull from another server") }
}

/// The job: its input is the server's number and the technique.
pub(crate) fn perform(work: &Work) -> Result<End, Fault> {
    let (id, technique) = work.job.job_input.split_once(' ').unwrap_or((&work.job.job_input, ""));
    let id: i64 = id.parse().map_err(|_| Fault::Setup("the job names no server".into()))?;
    let technique = Technique::parse(technique)?;
    let server = work.service.read(&receiver(&Server::blank(0)), |r| Ok(r.server(id)?))?;
    let Some(server) = server.filter(|server| server.pull) else {
        return Ok(End::Done("Pulling is not enabled for this server.".into()));
    };
    let done = run(work, server, technique);
    match &done {
        Ok(_) => work.service.exchanged(id, None)?,
        Err(Fault::Stopped) => {}
        Err(fault) => work.service.exchanged(id, Some(&fault.to_string()))?,
    }
    Ok(End::Done(done?))
}

fn run(work: &Work, server: Server, technique: Technique) -> Result<String, Fault> {
    let pull = Pull::over(work, server)?;
    if let Technique::One(uuid) = technique {
        events::one(&pull, uuid)?;
        return Ok(pull.tally.told());
    }
    let mut parts = Parts::default();
    if pull.server().pull_galaxy_clusters {
        parts.end("galaxy clusters", clusters::pull(&pull, technique == Technique::RelevantClusters))?;
    }
    if technique != Technique::RelevantClusters {
        the_rest(&pull, technique, &mut parts)?;
    }
    parts.told(pull.tally.told())
}

fn the_rest(pull: &Pull<'_>, technique: Technique, parts: &mut Parts) -> Result<(), Fault> {
    let work = pull.work;
    let listed = list(pull, technique)?;
    if let Some(listed) = &listed {
        work.tell(1, "Looking at what is new.")?;
        let chosen = select::choose(pull, &listed.events, technique == Technique::Update)?;
        let all_dealt_with = events::pull(pull, &chosen.wanted)?;
        sightings::pull(pull, &chosen.sighted)?;
        if technique == Technique::Full && all_dealt_with {
            let tag = listed.etag.as_ref().map_or(String::new(), |etag| format!("{} {etag}", depends(pull)));
            work.service.set_peer_state(pull.server().id, &[(state::PULL_ETAG, &tag)])?;
        }
    } else {
        // Nothing new over there; what failed here may go well now.
        events::again(pull)?;
    }
    parts.end("proposals", proposals::pull(pull, listed.is_some()))?;
    if pull.server().pull_analyst_data && (listed.is_some() || technique == Technique::Update) {
        parts.end("analyst data", analyst::pull(pull))?;
    }
    Ok(())
}

/// What went wrong in parts that hold up no other part: somebody's broken clusters are no reason to miss his events.
#[derive(Default)]
struct Parts {
    first: Option<(&'static str, Fault)>,
}

impl Parts {
    fn end(&mut self, what: &'static str, result: Result<(), Fault>) -> Result<(), Fault> {
        match result {
            Ok(()) => Ok(()),
            Err(fault @ (Fault::Stopped | Fault::Setup(_) | Fault::Here(_))) => Err(fault),
            Err(fault) => {
                self.first.get_or_insert((what, fault));
                Ok(())
            }
        }
    }

    /// How the whole ended, with what was brought all the same.
    fn told(self, brought: String) -> Result<String, Fault> {
        match self.first {
            None => Ok(brought),
            Some((what, fault)) => Err(Fault::Part { what, fault: Box::new(fault), brought }),
        }
    }
}

struct Listed {
    events: Vec<Offered>,
    etag: Option<String>,
}

/// The server's list; `None`: it is the one that all was taken from.
fn list(pull: &Pull<'_>, technique: Technique) -> Result<Option<Listed>, Fault> {
    let known = pull.service().peer_state(pull.server().id)?.remove(state::PULL_ETAG).unwrap_or_default();
    let known = known.split_once(' ').filter(|(on, _)| *on == depends(pull)).map(|(_, etag)| etag);
    let known = known.filter(|_| technique == Technique::Full);
    match pull.peer.index(&index_filter(&pull.rules), known)? {
        Index::Same => Ok(None),
        Index::New { events, etag } => Ok(Some(Listed { events, etag })),
    }
}

/// What decides on what of a list is taken, beside the list: when it changes, the list is looked at anew.
fn depends(pull: &Pull<'_>) -> String {
    use std::hash::Hasher;
    let mut hash = rustc_hash::FxHasher::default();
    for text in [&pull.server().url, &pull.server().pull_rules] {
        hash.write(text.as_bytes());
        hash.write_u8(0);
    }
    format!("{:x}", hash.finish())
}

/// What pulls enter into the ledger.
pub(crate) const DIRECTION: Direction = Direction::Pull;
