//! Two installations: everything that one holds, taken over by another one that follows it; an event from its
//! publication there to its place here; a question for news when there are none.

use super::{Bench, Measured, send_all, series};
use crate::client::{ADDED, Client, LISTED, Request};
use crate::installation::{KEY, Server};
use crate::material::Series;
use crate::measure::Samples;
use crate::report::{Figure, Target, Unit};
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// Attributes of an event.
const SIZE: usize = 100;
/// Events whose way is timed, and questions.
const TIMED: u64 = 50;
/// How long the exchange may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is looked whether something has arrived.
const LOOK: Duration = Duration::from_millis(5);

pub fn measure(bench: &mut Bench<'_>) -> Result<Measured> {
    let count = bench.extent.exchanged;
    let events = Series::new(series::EXCHANGE, SIZE).events(0..count + TIMED)?;
    let attributes = (count as usize * SIZE) as f64;
    let mut bodies: Vec<Vec<u8>> = events.iter().map(|event| published(&event.json())).collect();
    let timed = bodies.split_off(count as usize);
    let hub = bench.ground.installation("exchange-hub", None)?;
    let hub_server = hub.serve()?;
    let requests: Vec<Request> = bodies.iter().map(|body| Request::post("/events/add", KEY, body)).collect();
    // The floor: the same events, sent by one client.
    let (local, _) = send_all(&hub_server, &requests, ADDED, 1)?;
    let node = bench.ground.installation("exchange-node", None)?;
    let node_server = node.serve()?;
    let begun = Instant::now();
    connect(&node_server, &hub_server)?;
    let arrived =
        |wanted: u64| Request::get(&format!("/events/index/limit:1/page:{wanted}/published:1"), KEY);
    wait(&node_server, &arrived(count), LISTED)?;
    let taken = begun.elapsed();
    let ways = timed_ways(&hub_server, &node_server, &timed, &events[count as usize..])?;
    let questions = questions(&hub_server)?;
    node_server.stop()?;
    hub_server.stop()?;
    bench.ground.clear(node.database());
    bench.ground.clear(hub.database());
    let (rate, floor) = (attributes / taken.as_secs_f64(), attributes / local.as_secs_f64());
    let name = format!("following: {count} events, {:.0} k attributes", attributes / 1e3);
    Ok(Measured {
        figures: vec![
            Figure::new(name, Unit::PerSecond, rate)
                .floor(floor)
                .target(Target::Ratio(0.4))
                .note("the floor is one client that sends the same events")
                .note("both ends on this machine"),
            Figure::new("from publication to a follower, p95", Unit::Time, ways.quantile(0.95))
                .target(Target::Under(0.5))
                .note(ways.spread()),
            Figure::new("question without news, p95", Unit::Time, questions.quantile(0.95))
                .target(Target::Under(0.02)),
        ],
        samples: serde_json::json!({
            "attributes": attributes, "local_seconds": local.as_secs_f64(), "taken_seconds": taken.as_secs_f64(),
            "way_seconds": ways.seconds(), "question_seconds": questions.seconds(),
        }),
    })
}

/// The event as one that is published to all.
fn published(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let text = text.replacen("\"distribution\":\"1\"", "\"published\":true,\"distribution\":\"3\"", 1);
    text.into_bytes()
}

fn connect(here: &Server, there: &Server) -> Result<()> {
    let server = format!(
        "{{\"name\":\"hub\",\"url\":\"http://{}\",\"authkey\":\"{KEY}\",\"remote_org_id\":\"1\",\"pull\":true}}",
        there.address
    );
    let request = Request::post("/servers/add", KEY, server.as_bytes());
    here.client()?.send(&request)?.ok("servers/add", "{\"Server\":{")?;
    Ok(())
}

/// Asks until the answer begins as it must.
fn wait(server: &Server, question: &Request, begins: &str) -> Result<()> {
    let mut client = server.client()?;
    let begun = Instant::now();
    while !holds(&mut client, question, begins)? {
        if begun.elapsed() > PATIENCE {
            bail!("nothing arrived in {PATIENCE:?}");
        }
        pause();
    }
    Ok(())
}

fn holds(client: &mut Client, question: &Request, begins: &str) -> Result<bool> {
    let answer = client.send(question)?;
    Ok(answer.status == 200 && answer.start.starts_with(begins.as_bytes()))
}

#[expect(clippy::disallowed_methods, reason = "it is looked again and again, and time is what is measured")]
fn pause() {
    std::thread::sleep(LOOK);
}

fn timed_ways(
    hub: &Server,
    node: &Server,
    bodies: &[Vec<u8>],
    events: &[crate::material::Event],
) -> Result<Samples> {
    let mut ways = Samples::default();
    let mut sender = hub.client()?;
    for (body, event) in bodies.iter().zip(events) {
        let begun = Instant::now();
        sender.send(&Request::post("/events/add", KEY, body))?.ok("an event", ADDED)?;
        wait(node, &Request::get(&format!("/events/view/{}", event.uuid), KEY), ADDED)?;
        ways.push(begun.elapsed());
    }
    Ok(ways)
}

fn questions(hub: &Server) -> Result<Samples> {
    let mut client = hub.client()?;
    let mut times = Samples::default();
    // A place behind everything there is.
    let question = Request::get("/sync/changes/after:4000000000", KEY);
    for _ in 0..TIMED {
        let answer = client.send(&question)?.ok("a question for news", "{\"Cursor\":")?;
        times.push(answer.took);
    }
    Ok(times)
}
