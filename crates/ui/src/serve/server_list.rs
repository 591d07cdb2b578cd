//! GET /servers/index: the servers this one is connected with.

use axum::response::Response;
use http::StatusCode;
use pisax_model::peer::{Direction, Outcome};
use pisax_model::server::Server;
use pisax_service::peer::state;
use pisax_service::server as service;
use rustc_hash::FxHashMap;

use super::failure::Failure;
use super::reply;
use super::visit::Visit;
use crate::{Area, Exchange, OutcomeCount, ServerList, ServerRow, Time, links, words};

pub(crate) fn list(visit: &Visit<'_>) -> Result<Response, Failure> {
    let mut servers = service::list(visit.service(), visit.actor(), None)?;
    servers.sort_by_key(|server| (server.priority, server.id));
    let now = visit.service().now();
    let rows = visit.service().read(visit.actor(), |r| {
        let orgs = r.orgs_of_servers(&servers)?;
        let mut rows = Vec::with_capacity(servers.len());
        for server in &servers {
            rows.push(ServerRow {
                id: server.id,
                name: server.name.clone(),
                url: server.url.clone(),
                org: orgs.get(&server.remote_org_id).map(|org| org.name.clone()).unwrap_or_default(),
                ways: ways(server),
                exchange: exchange(&r.peer_state(server.id)?, now),
                counts: counts(server.id, r.ledger_counts(server.id)?),
            });
        }
        Ok(rows)
    })?;
    reply::page(StatusCode::OK, &ServerList { chrome: visit.chrome(Area::Servers), servers: rows })
}

/// What flows over a connection.
pub(crate) fn ways(server: &Server) -> String {
    let push =
        server.push || server.push_sightings || server.push_galaxy_clusters || server.push_analyst_data;
    match (server.pull, push) {
        (true, true) => "Pulls and pushes".to_owned(),
        (true, false) => "Pulls".to_owned(),
        (false, true) => "Pushes".to_owned(),
        (false, false) => "Switched off".to_owned(),
    }
}

/// How the exchange goes, by what is kept of a peer.
pub(crate) fn exchange(kept: &FxHashMap<String, String>, now: i64) -> Exchange {
    let number = |name: &str| kept.get(name).and_then(|text| text.parse::<i64>().ok());
    let moment = |name: &str| number(name).map(|at| Time::ago(at, now));
    Exchange {
        last_good: moment(state::LAST_GOOD),
        last_bad: moment(state::LAST_BAD),
        fault: kept.get(state::LAST_FAULT).cloned().unwrap_or_default(),
        failures: number(state::FAILURES).unwrap_or(0).max(0) as u64,
    }
}

/// The outcomes of a ledger, in both directions, each leading to its lines.
pub(crate) fn counts(id: i64, counts: Vec<(Direction, Outcome, i64)>) -> Vec<OutcomeCount> {
    let count = |(direction, outcome, count): (Direction, Outcome, i64)| OutcomeCount {
        words: match outcome {
            // These say by themselves which way.
            Outcome::Done | Outcome::Refused => words::outcome(direction, outcome).to_owned(),
            _ => {
                let way = words::direction(direction).to_lowercase();
                format!("{} ({way})", words::outcome(direction, outcome))
            }
        },
        class: words::outcome_class(outcome),
        count,
        url: links::with_query(
            &links::server(id),
            &[("direction", direction.name()), ("outcome", outcome.name())],
        ),
    };
    counts.into_iter().map(count).collect()
}
