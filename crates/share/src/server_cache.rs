//! What another server holds, without taking it over: the MD5 of each value with its event, page by page, to look
//! others' values up in it (semantics 7.9).

use crate::Fault;
use crate::feed::cache::Filling;
use crate::peer::{HUGE, Peer};
use crate::work::{End, Work};
use pisax_access::Actor;
use pisax_model::feed_run::SourceKind;
use pisax_model::server::Server;
use serde_json::json;
use std::io::{BufRead, BufReader, Read};

/// Attributes asked for at a time, as MISP does.
const PAGE: usize = 10_000;
/// A server that never sends an empty page is left after this many.
const PAGES: usize = 10_000;
/// The longest line, in bytes: a hash and a uuid have 69.
const LONGEST: u64 = 200;

/// The job `cache_servers`: its input is `all` or the number of a server. One that cannot be cached holds up no other.
pub(crate) fn perform(work: &Work) -> Result<End, Fault> {
    let input = work.job.job_input.as_str();
    let actor = Actor::system("cache what another server holds");
    let servers = work.service.read(&actor, |r| Ok(r.servers(None)?))?;
    let wanted = |server: &&Server| match input.parse::<i64>() {
        Ok(id) => server.id == id,
        Err(_) => server.caching_enabled,
    };
    let servers: Vec<&Server> = servers.iter().filter(wanted).collect();
    let mut failed = Vec::new();
    for server in &servers {
        match fill(work, server) {
            Ok(_) => {}
            Err(Fault::Stopped) => return Err(Fault::Stopped),
            Err(fault) => failed.push(format!("{}: {fault}", server.name)),
        }
    }
    if failed.is_empty() {
        return Ok(End::Done("Caching the servers has successfully completed.".into()));
    }
    Err(Fault::Unusable(format!(
        "{} of {} servers could not be cached. {}",
        failed.len(),
        servers.len(),
        failed.join("; ")
    )))
}

/// Caches a server anew; what was cached before stays until all of it has come.
fn fill(work: &Work, server: &Server) -> Result<i64, Fault> {
    let peer = Peer::new(&work.service, server.clone())?;
    let mut filling = Filling::begin(work, (SourceKind::Server, server.id))?;
    for page in 1..=PAGES {
        work.tell(1, &format!("{}: page {page}.", server.name))?;
        let question = json!({"returnFormat": "cache", "includeEventUuid": 1, "page": page, "limit": PAGE});
        let answer = peer.stream("attributes/restSearch.json", question.to_string().as_bytes(), HUGE)?;
        if page_of(answer.body, &mut filling)? == 0 {
            return filling.finish();
        }
    }
    Err(Fault::TooMuch(format!("more than {PAGES} pages")))
}

/// Takes the lines of a page; returns how many there were.
fn page_of(body: impl Read, filling: &mut Filling<'_>) -> Result<usize, Fault> {
    let mut lines = BufReader::with_capacity(64 * 1024, body);
    let mut count = 0;
    loop {
        let mut line = Vec::new();
        let read = (&mut lines).take(LONGEST).read_until(b'\n', &mut line);
        if read.map_err(|e| Fault::Away(e.to_string()))? == 0 {
            return Ok(count);
        }
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        let strange = || Fault::Strange("its cache holds a line that is no hash with an event".into());
        let (hash, event) = pisax_wire::read_hash_line(&text).ok_or_else(strange)?;
        filling.put(hash, Some(event))?;
        count += 1;
    }
}
