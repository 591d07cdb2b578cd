//! Another server, as its client: MISP's API with the key we have there, each call bounded in time and size.

use crate::fault::line;
use crate::packed::Encoding;
use crate::{Fault, stream};
use pisax_model::Uuid;
use pisax_model::server::Server;
use pisax_outbound::{Answer, Call, Client, Link, Method, Opened};
use pisax_service::{PeerBounds, Service};
use serde::Deserialize;
use serde_json::Value;
use std::io::Read;
use std::sync::OnceLock;
use std::time::Duration;

/// How long an answer may take that is a few lines, and one that may be an event with its files; less where the
/// installation says so.
pub(crate) const SHORT: Duration = Duration::from_secs(30);
pub(crate) const LONG: Duration = Duration::from_secs(600);
/// The largest answers, in bytes: a few lines; an event with its files, as large as the installation takes one; a
/// list that is read item by item, four times that.
pub(crate) const SMALL: u64 = 4 << 20;
pub(crate) const LARGE: u64 = 256 << 20;
pub(crate) const HUGE: u64 = 1 << 30;
/// Most events in a list: its rows are held, at less than a hundred bytes each. No MISP known has a tenth of it.
const MOST_EVENTS: usize = 5_000_000;

/// The header by which a PISAX tells, with its version, that changes can be followed.
pub const NATIVE: &str = "x-pisax-sync";
/// The version of the native path that is spoken here.
pub const NATIVE_VERSION: i64 = 1;

/// The other end of a connection.
pub struct Peer {
    pub server: Server,
    client: Client,
    /// MISP's version that we stand for: servers look at it in the name of the client.
    agent: String,
    bounds: PeerBounds,
    /// How it takes bodies, once it said so.
    encoding: OnceLock<Option<Encoding>>,
}

/// What a server says of itself and of us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    pub version: String,
    pub perm_sync: bool,
    pub perm_sighting: bool,
    pub perm_galaxy_editor: bool,
    pub perm_analyst_data: bool,
    pub uuid: Option<Uuid>,
    /// It is a PISAX, with the native path of this version.
    pub native: Option<i64>,
    /// The encodings it takes bodies in.
    pub request_encoding: Vec<String>,
}

/// One event in a server's short list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    pub uuid: Uuid,
    pub timestamp: i64,
    pub sighting_timestamp: i64,
    pub published: bool,
    pub orgc_uuid: Option<Uuid>,
}

/// The list, unless it is the one we know.
pub enum Index {
    Same,
    New { events: Vec<Offered>, etag: Option<String> },
}

impl Peer {
    /// Gets ready to call the server; nothing is sent.
    pub fn new(service: &Service, server: Server) -> Result<Self, Fault> {
        let files = service.server_files(server.id)?;
        let link = Link {
            any_certificate: server.self_signed && files.authority.is_none(),
            authority: files.authority,
            identity: files.identity,
            proxy: service.proxy().filter(|_| !server.skip_proxy),
        };
        let agent = format!("MISP {} - #PISAX", pisax_wire::MISP_VERSION);
        let bounds = service.policy.peers;
        Ok(Self { client: Client::over(&link)?, server, agent, bounds, encoding: OnceLock::new() })
    }

    fn call<T>(
        &self,
        (method, path, headers, body): (Method, &str, &[(&str, &str)], &[u8]),
        (timeout, limit): (Duration, u64),
        send: impl FnOnce(&Client, &Call<'_>) -> Result<T, pisax_outbound::Error>,
    ) -> Result<T, Fault> {
        let url = format!("{}/{path}", self.server.url);
        let mut all = vec![
            ("Authorization", self.server.authkey.as_str()),
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
            ("User-Agent", self.agent.as_str()),
        ];
        all.extend_from_slice(headers);
        let (body, encoding) = Encoding::pack(self.encoding.get().copied().flatten(), body);
        all.extend(encoding.map(|encoding| ("Content-Encoding", encoding.name())));
        let (timeout, limit) = bounded(self.bounds, timeout, limit);
        Ok(send(&self.client, &Call { method, url: &url, headers: &all, body: &body, timeout, limit })?)
    }

    /// An answer of any status.
    pub(crate) fn ask(
        &self,
        what: (Method, &str, &[(&str, &str)], &[u8]),
        bounds: (Duration, u64),
    ) -> Result<Answer, Fault> {
        self.call(what, bounds, Client::send)
    }

    pub(crate) fn get(&self, path: &str, bounds: (Duration, u64)) -> Result<Answer, Fault> {
        successful(self.ask((Method::Get, path, &[], b""), bounds)?)
    }

    pub(crate) fn post(&self, path: &str, body: &[u8], bounds: (Duration, u64)) -> Result<Answer, Fault> {
        successful(self.ask((Method::Post, path, &[], body), bounds)?)
    }

    /// The answer to a GET as it comes.
    pub(crate) fn open(&self, path: &str, timeout: Duration, limit: u64) -> Result<Opened, Fault> {
        opened(self.call((Method::Get, path, &[], b""), (timeout, limit), Client::open)?)
    }

    /// An answer that is read as it comes.
    pub(crate) fn stream(&self, path: &str, body: &[u8], limit: u64) -> Result<Opened, Fault> {
        opened(self.call((Method::Post, path, &[], body), (LONG, limit), Client::open)?)
    }

    /// GET servers/getVersion
    pub fn version(&self) -> Result<Version, Fault> {
        let answer = self.get("servers/getVersion", (SHORT, SMALL))?;
        let native = answer.header(NATIVE).and_then(|text| text.trim().parse().ok());
        let version = Version { native, ..read_version(&answer.body)? };
        self.encoding.get_or_init(|| Encoding::among(&version.request_encoding));
        Ok(version)
    }

    /// POST events/index with `minimal`: published events that meet the pull rules. With the tag of the list we
    /// know, an unchanged list is not sent again.
    pub fn index(&self, filter: &Value, etag: Option<&str>) -> Result<Index, Fault> {
        let body = filter.to_string();
        // A MISP makes a tag for those alone that compare one; who has none sends an empty one.
        let known = [("If-None-Match", etag.unwrap_or("\"\""))];
        let asked = (Method::Post, "events/index", known.as_slice(), body.as_bytes());
        let answer = self.call(asked, (LONG, HUGE), Client::open)?;
        if answer.status == 304 {
            return Ok(Index::Same);
        }
        let answer = opened(answer)?;
        let etag = answer.headers.get("etag").and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        Ok(Index::New { events: read_index(answer.body, MOST_EVENTS)?, etag })
    }

    /// The same for who waits for it.
    pub(crate) fn index_now(&self, filter: &Value) -> Result<Vec<Offered>, Fault> {
        let body = filter.to_string();
        let asked = (Method::Post, "events/index", &[][..], body.as_bytes());
        read_index(opened(self.call(asked, (SHORT, HUGE), Client::open)?)?.body, MOST_EVENTS)
    }
}

/// What a call is bounded by where the installation has its say.
fn bounded(bounds: PeerBounds, timeout: Duration, limit: u64) -> (Duration, u64) {
    let limit = match limit {
        HUGE => bounds.limit.saturating_mul(4),
        LARGE => bounds.limit,
        small => small.min(bounds.limit),
    };
    (timeout.min(bounds.timeout), limit)
}

/// An opened answer of success; of another one, what the server said.
fn opened(opened: Opened) -> Result<Opened, Fault> {
    if (200..300).contains(&opened.status) {
        return Ok(opened);
    }
    let mut body = Vec::new();
    // What cannot be read of it is not told.
    let _ = opened.body.take(SMALL).read_to_end(&mut body);
    Err(Fault::Status { status: opened.status, message: said(&body) })
}

/// An answer of success; another one tells what the server said.
fn successful(answer: Answer) -> Result<Answer, Fault> {
    match answer.status {
        200..300 => Ok(answer),
        status => Err(Fault::Status { status, message: said(&answer.body) }),
    }
}

/// What a server says in an error: MISP's `message` or `errors`, else the beginning of the text.
pub(crate) fn said(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let told =
        ["errors", "message", "name"].into_iter().filter_map(|name| value.get(name)).find_map(|told| {
            match told {
                Value::String(text) if !text.is_empty() => Some(text.clone()),
                Value::Array(_) | Value::Object(_) => Some(told.to_string()),
                _ => None,
            }
        });
    line(&told.unwrap_or_else(|| String::from_utf8_lossy(&body[..body.len().min(1200)]).into_owned()))
}

fn read_version(body: &[u8]) -> Result<Version, Fault> {
    let value: Value =
        serde_json::from_slice(body).map_err(|_| Fault::Strange("its version is no JSON".into()))?;
    let Some(version) = value.get("version").and_then(Value::as_str) else {
        return Err(Fault::Strange("it does not say its version".into()));
    };
    let on = |name: &str| match value.get(name) {
        Some(Value::Bool(on)) => *on,
        Some(Value::String(text)) => text == "1" || text == "true",
        Some(Value::Number(number)) => number.as_i64() == Some(1),
        _ => false,
    };
    let encodings = value.get("request_encoding").and_then(Value::as_array);
    Ok(Version {
        version: version.chars().filter(|c| !c.is_control()).take(40).collect(),
        perm_sync: on("perm_sync"),
        perm_sighting: on("perm_sighting"),
        perm_galaxy_editor: on("perm_galaxy_editor"),
        perm_analyst_data: on("perm_analyst_data"),
        uuid: value.get("uuid").and_then(Value::as_str).and_then(|t| Uuid::try_parse(t).ok()),
        native: None,
        request_encoding: encodings
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    })
}

/// MISP writes numbers as texts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Text(String),
    Flag(bool),
}

impl Number {
    fn value(&self) -> i64 {
        match self {
            Self::Whole(number) => *number,
            Self::Text(text) => text.trim().parse().unwrap_or(0),
            Self::Flag(flag) => i64::from(*flag),
        }
    }
}

#[derive(Deserialize)]
struct Row {
    uuid: String,
    timestamp: Option<Number>,
    sighting_timestamp: Option<Number>,
    published: Option<Number>,
    orgc_uuid: Option<String>,
}

/// Rows whose uuid is none are left out: nothing can be asked for by them.
fn read_index(body: impl Read, most: usize) -> Result<Vec<Offered>, Fault> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Listed {
        Bare(Row),
        Wrapped {
            #[serde(rename = "Event")]
            event: Row,
        },
    }
    let number = |number: Option<Number>| number.map_or(0, |n| n.value());
    let offered = |row: Row| {
        Some(Offered {
            uuid: Uuid::try_parse(&row.uuid).ok()?,
            timestamp: number(row.timestamp),
            sighting_timestamp: number(row.sighting_timestamp),
            published: row.published.is_none_or(|p| p.value() == 1),
            orgc_uuid: row.orgc_uuid.and_then(|text| Uuid::try_parse(&text).ok()),
        })
    };
    let mut events = Vec::new();
    let found = stream::items(body, |item| {
        let listed: Listed = serde_json::from_str(item.get())
            .map_err(|e| Fault::Strange(format!("its list of events: {e}")))?;
        let (Listed::Bare(row) | Listed::Wrapped { event: row }) = listed;
        events.extend(offered(row));
        if events.len() > most {
            return Err(Fault::TooMuch(format!("it lists more than {most} events")));
        }
        Ok(())
    })?;
    if found { Ok(events) } else { Err(Fault::Strange("its list of events is none".into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_misps_write_it() {
        let list = br#"[{"id":"1","uuid":"11111111-0000-4000-8000-000000000001","timestamp":"17","sighting_timestamp":0,
            "published":true,"orgc_uuid":"22222222-0000-4000-8000-000000000001"},{"uuid":"no"},
            {"Event":{"uuid":"11111111-0000-4000-8000-000000000002","timestamp":18,"published":"0"}}]"#;
        let read = read_index(&list[..], 2).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].timestamp, read[0].published, read[0].orgc_uuid.is_some()), (17, true, true));
        assert_eq!((read[1].timestamp, read[1].published), (18, false));
        assert!(matches!(read_index(&list[..], 1), Err(Fault::TooMuch(_))));
        for bad in [
            &b"{}"[..],
            b"{\"message\":[]}",
            b"[1]",
            b"<html>",
            b"[{\"uuid\":7}]",
            b"\xff",
            b"[{\"uuid\":\"\xff\"}]",
        ] {
            assert!(matches!(read_index(bad, 9), Err(Fault::Strange(_))));
        }
    }

    #[test]
    fn a_version_says_what_may_be_sent() {
        let version = br#"{"version":"2.5.1","perm_sync":true,"perm_sighting":"1","perm_galaxy_editor":false,
            "request_encoding":["gzip","br"],"filter_sightings":true}"#;
        let read = read_version(version).unwrap();
        assert_eq!((read.version.as_str(), read.perm_sync, read.perm_sighting), ("2.5.1", true, true));
        assert!(!read.perm_galaxy_editor && !read.perm_analyst_data && read.native.is_none());
        assert_eq!(read.request_encoding, ["gzip", "br"]);
        assert!(read_version(b"{}").is_err());
        assert!(read_version(b"hello").is_err());
    }

    #[test]
    fn what_went_wrong_is_quoted_in_short() {
        assert_eq!(said(br#"{"saved":false,"name":"x","message":"Could not","errors":"Older\n"}"#), "Older");
        assert_eq!(said(br#"{"errors":{"Event":{"info":["empty"]}}}"#), r#"{"Event":{"info":["empty"]}}"#);
        assert_eq!(said("é".repeat(5000).as_bytes()).chars().count(), 300);
    }

    #[test]
    fn the_installation_has_its_say_on_time_and_size() {
        let bounds = PeerBounds { timeout: Duration::from_secs(5), limit: 1 << 20, ..PeerBounds::default() };
        assert_eq!(bounded(bounds, LONG, HUGE), (bounds.timeout, 4 << 20));
        assert_eq!(bounded(bounds, SHORT, SMALL), (bounds.timeout, 1 << 20));
        let bounds = PeerBounds::default();
        assert_eq!(bounded(bounds, LONG, LARGE), (LONG, LARGE));
        assert_eq!(bounded(bounds, SHORT, SMALL), (SHORT, SMALL));
    }
}
