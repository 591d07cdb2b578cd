//! Looking at another server at once, while somebody waits: whether it answers, who we are there, what it offers.

use crate::Fault;
use crate::peer::{LARGE, Peer, SHORT, SMALL, Version};
use pisax_model::server::Server;
use pisax_outbound::Method;
use pisax_service::Service;
use pisax_wire::read_rules;
use serde_json::{Map, Value, json};

/// What a test of a connection found.
pub struct Tested {
    /// MISP's numbers: 1 all is well, 2 it does not answer, 3 it answers something else, 4 it refuses our key,
    /// 7 our key may not synchronise, 8 it may send sightings alone.
    pub status: i64,
    pub version: Version,
    /// Of the call that repeats what it is sent: 1 as it should be, else MISP's number of what is wrong.
    pub post: i64,
    /// The encoding that its answer came in.
    pub encoding: Option<String>,
    /// Why it is not all well, in words.
    pub why: String,
}

/// Asks a server for its version and whether it repeats what it is sent.
pub fn test(service: &Service, server: Server) -> Tested {
    let mut tested =
        Tested { status: 1, version: Version::default(), post: 1, encoding: None, why: String::new() };
    let peer = match Peer::new(service, server) {
        Ok(peer) => peer,
        Err(fault) => return Tested { status: 2, why: fault.to_string(), ..tested },
    };
    match peer.version() {
        Ok(version) => tested.version = version,
        Err(fault) => {
            let status = match &fault {
                Fault::Status { status: 401 | 403, .. } => 4,
                Fault::Status { .. } | Fault::Strange(_) | Fault::TooMuch(_) => 3,
                _ => 2,
            };
            return Tested { status, why: fault.to_string(), ..tested };
        }
    }
    tested.status = match (tested.version.perm_sync, tested.version.perm_sighting) {
        (true, _) => 1,
        (false, true) => 8,
        (false, false) => 7,
    };
    let said = json!({"testString": "PISAX repeats: äöü €"});
    match peer.ask((Method::Post, "servers/postTest", &[], said.to_string().as_bytes()), (SHORT, SMALL)) {
        Ok(answer) => {
            tested.encoding = answer.header("content-encoding").map(str::to_owned);
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            if answer.status != 200 || body.get("body").is_none() {
                tested.post = 8;
            } else if body["body"]["testString"] != said["testString"] {
                tested.post = 9;
            }
        }
        Err(fault) => {
            tested.post = 8;
            tested.why = fault.to_string();
        }
    }
    tested
}

/// Who we are there, as MISP tells it.
pub fn remote_user(service: &Service, server: Server) -> Result<Value, Fault> {
    let answer = Peer::new(service, server)?.get("users/view/me.json", (SHORT, SMALL))?;
    let user: Value = json_of(&answer.body)?;
    let email = user["User"]["email"].as_str().ok_or_else(|| Fault::Strange("it names no user".into()))?;
    let sync = match &user["Role"]["perm_sync"] {
        Value::Bool(on) => *on,
        Value::String(text) => text == "1",
        _ => false,
    };
    Ok(json!({
        "User": email,
        "Role name": user["Role"]["name"].as_str().unwrap_or("Unknown, outdated instance"),
        "Sync flag": if sync { "Yes" } else { "No" },
    }))
}

/// The server's list of events, as it is seen with our key and the pull rules.
pub fn preview_index(service: &Service, server: Server, sent: Map<String, Value>) -> Result<Vec<u8>, Fault> {
    let rules = read_rules(&server.pull_rules).map_err(|e| Fault::Setup(format!("the pull rules: {e}")))?;
    let mut filter = crate::pull::index_filter(&rules);
    if let Some(map) = filter.as_object_mut() {
        map.remove("minimal");
        map.remove("published");
        for (name, value) in [
            ("sort", json!("timestamp")),
            ("direction", json!("desc")),
            ("page", json!(1)),
            ("limit", json!(60)),
        ] {
            map.insert(name.into(), value);
        }
        map.extend(sent);
    }
    let peer = Peer::new(service, server)?;
    let answer = peer.post("events/index", filter.to_string().as_bytes(), (SHORT, LARGE))?;
    let events: Value = json_of(&answer.body)?;
    if events.is_array() { Ok(answer.body) } else { Err(Fault::Strange("its events are no list".into())) }
}

/// One event as the server shows it with our key; nothing is stored.
pub fn preview_event(service: &Service, server: Server, event: &str) -> Result<Vec<u8>, Fault> {
    let peer = Peer::new(service, server)?;
    let path = format!("events/view/{event}/deleted[]:0/deleted[]:1/excludeLocalTags:1");
    let answer = peer.get(&path, (SHORT, LARGE))?;
    let value: Value = json_of(&answer.body)?;
    if value.get("Event").is_some() {
        Ok(answer.body)
    } else {
        Err(Fault::Strange("it sent no event".into()))
    }
}

/// What the rules of a pull can be made of: `{"organisations":[…],"tags":[…]}`.
pub fn rules(service: &Service, server: Server) -> Result<Value, Fault> {
    let answer = Peer::new(service, server)?.get("servers/getAvailableSyncFilteringRules", (SHORT, LARGE))?;
    json_of(&answer.body)
}

/// The number of an event on the server, by its uuid; none where it has it not, or shows it not.
pub fn remote_id(service: &Service, server: Server, event: &str) -> Result<Option<(String, String)>, Fault> {
    let peer = Peer::new(service, server)?;
    let question = json!({"eventid": event, "limit": 1}).to_string();
    let answer = peer.post("events/index", question.as_bytes(), (SHORT, SMALL))?;
    let events: Value = json_of(&answer.body)?;
    let event = &events[0];
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Ok(text(&event["id"]).zip(text(&event["uuid"])))
}

fn json_of(body: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(body).map_err(|_| Fault::Strange("its answer is no JSON".into()))
}
