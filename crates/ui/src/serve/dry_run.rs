//! GET /servers/dryRun/{id}: what a push or pull would do.

use axum::response::Response;
use http::StatusCode;
use pisax_model::ids::Ref;
use pisax_model::peer::{Direction, Outcome};
use pisax_model::server::Server;
use pisax_share::{Fault, dry, terms};

use super::failure::Failure;
use super::reply;
use super::server_page::server;
use super::visit::Visit;
use crate::{Area, Coming, DryRun, Leaving, ServerLink, Time, WhatComes, WhatLeaves, words};

/// Events looked at.
const EVENTS: usize = 50;
/// The longest JSON that a page shows, in bytes.
const SHOWN: usize = 256 << 10;

pub(crate) fn show(visit: &Visit<'_>) -> Result<Response, Failure> {
    let server = server(visit)?;
    let event = visit.query.get("event").trim().to_owned();
    let pulling = visit.query.get("direction") == Direction::Pull.name();
    let mut page = DryRun {
        chrome: visit.chrome(Area::Servers),
        server: ServerLink { id: server.id, name: server.name.clone() },
        pulling,
        off: if pulling { !server.pull } else { !server.push },
        event,
        ..DryRun::default()
    };
    let told = if page.pulling {
        comes(visit, server).map(|comes| page.comes = Some(comes))
    } else if page.event.is_empty() {
        dry::push(&visit.pages.service, server, EVENTS).map(|told| page.leaves = Some(leaves(told, None)))
    } else {
        match one(visit, server, &page.event) {
            Ok(Some(leaves)) => {
                page.leaves = Some(leaves);
                Ok(())
            }
            Ok(None) => {
                page.failure = Some("There is no such event: give its number or its UUID.".to_owned());
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    };
    match told {
        Ok(()) => {}
        Err(Fault::Here(error)) => return Err(error.into()),
        Err(fault) => {
            let why = fault.to_string();
            page.failure = Some(format!("{} {}", words::sentence(&why), words::advice(&why)));
        }
    }
    reply::page(StatusCode::OK, &page)
}

fn one(visit: &Visit<'_>, server: Server, event: &str) -> Result<Option<WhatLeaves>, Fault> {
    let Some(reference) = Ref::parse(event) else { return Ok(None) };
    let told = dry::push_one(&visit.pages.service, server, reference)?;
    Ok(told.map(|one| leaves(one.told, one.sent)))
}

fn leaves(told: dry::Push, sent: Option<Vec<u8>>) -> WhatLeaves {
    let (sent, cut) = match sent {
        Some(body) => {
            let (text, cut) = pisax_share::dry::laid_out(&body, SHOWN);
            (Some(text), cut)
        }
        None => (None, false),
    };
    WhatLeaves {
        events: told.events.into_iter().map(leaving).collect(),
        unasked: told.unasked.map(|why| words::sentence(&why)),
        sent,
        cut,
    }
}

fn leaving(event: dry::Leaving) -> Leaving {
    let goes = event.outcome == Outcome::Done;
    Leaving {
        id: event.id,
        info: event.info,
        published: event.published,
        outcome: if goes { "Sent" } else { words::outcome(Direction::Push, event.outcome) },
        class: words::outcome_class(event.outcome),
        reason: words::sentence(&event.reason),
        goes,
        attributes: event.attributes as u64,
        reports: event.reports as u64,
        left_out: event.left_out as u64,
        reasons: event.reasons.into_iter().map(|(reason, count)| (reason, count as u64)).collect(),
    }
}

fn comes(visit: &Visit<'_>, server: Server) -> Result<WhatComes, Fault> {
    let now = visit.service().now();
    let rules = terms::pull_rules(&server)?;
    let types = rules.refused_types.iter().map(|kind| format!("attributes of type {kind}"));
    let templates = rules.refused_templates.iter().map(|uuid| format!("objects of template {uuid}"));
    let left_out = types.chain(templates).collect();
    let told = dry::pull(visit.service(), server, EVENTS)?;
    Ok(WhatComes {
        offered: told.offered as u64,
        new: told.new as u64,
        newer: told.newer as u64,
        same: told.same as u64,
        skipped: told.skipped as u64,
        events: told.events.into_iter().map(|event| coming(event, now)).collect(),
        left_out,
    })
}

fn coming(event: dry::Coming, now: i64) -> Coming {
    let (outcome, class) = match event.arrives {
        dry::Arrival::New => ("Added", "good"),
        dry::Arrival::Newer => ("Updated", "good"),
        dry::Arrival::Skipped => ("Skipped", "held"),
    };
    Coming {
        uuid: event.uuid.to_string(),
        info: event.info,
        changed: Time::ago(event.timestamp, now),
        outcome,
        class,
        reason: words::sentence(&event.reason),
    }
}
