//! Calls to others, where a setting lets site admins reach any address.

use super::told;
use crate::workflow::run::Run;
use pisax_formats::workflow::{read_data, write_data};
use pisax_model::workflow::{Data, Node};
use pisax_outbound::{Call, Method};
use std::time::Duration;

/// How long a call may take, and how much of its answer is read.
const CALL: Duration = Duration::from_secs(10);
const ANSWER: u64 = 64 * 1024;
/// What is sent at most, in bytes.
const MAX_PAYLOAD: usize = 64 * 1024 * 1024;
const MAX_LINES: usize = 16 * 1024;
const MAX_HEADERS: usize = 32;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// What is sent, and where.
struct Sent<'a> {
    method: Method,
    url: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    content_type: &'a str,
    body: &'a str,
}

impl Run<'_> {
    /// MISP's webhook: the data, or what a template makes of it.
    pub(super) fn call(&self, node: &Node) -> Result<(), String> {
        let url = self.rendered(node, "url", MAX_LINES)?;
        let payload = match node.text("payload").is_empty() {
            true => write_data(&self.data()),
            false => self.rendered(node, "payload", MAX_PAYLOAD)?,
        };
        let lines = self.rendered(node, "headers", MAX_LINES)?;
        let given = lines.lines().filter_map(|line| line.split_once(':'));
        let headers = given.map(|(name, value)| (name.trim(), value.trim())).take(MAX_HEADERS).collect();
        let content_type = if node.text("content_type") == "form" { FORM } else { JSON };
        let method = match node.text("request_method").as_str() {
            "get" => Method::Get,
            "put" => Method::Put,
            "delete" => Method::Delete,
            _ => Method::Post,
        };
        self.send(Sent { method, url: &url, headers, content_type, body: &payload })
    }

    /// A channel of MS Teams takes a text, in which the data is JSON.
    pub(super) fn tell_teams(&self, node: &Node) -> Result<(), String> {
        let text = self.picked(&node.text("data_extraction_path"));
        let body = write_data(&Data::map([("text", text.into())]));
        let url = node.text("url");
        self.send(Sent {
            method: Method::Post,
            url: &url,
            headers: Vec::new(),
            content_type: JSON,
            body: &body,
        })
    }

    /// Splunk's collector takes one or several events in a body, each with what kind of source it is from.
    pub(super) fn send_to_splunk(&self, node: &Node) -> Result<(), String> {
        let (url, token) = (node.text("url"), node.text("hec_token"));
        if token.is_empty() {
            return Err("`hec_token` is needed".into());
        }
        let data = self.data();
        let mut events = match node.param("event_per_attribute").is_filled() {
            true => {
                let mut event = data.member("Event").cloned().unwrap_or_default();
                for gone in ["Attribute", "_AttributeFlattened"] {
                    event.put(gone, Data::Null);
                }
                let one = |attribute: &Data| {
                    Data::map([("Attribute", attribute.clone()), ("Event", event.clone())])
                };
                data.pick("Event.Attribute.{n}").into_iter().map(one).collect()
            }
            false => vec![data.into_owned()],
        };
        let model = node.text("data_extraction_model");
        if !model.trim().is_empty() {
            let Some(Data::Map(fields)) = read_data(&model) else {
                return Err("`data_extraction_model` has to be paths by names: JSON".into());
            };
            for event in &mut events {
                *event =
                    Data::Map(fields.iter().map(|(name, path)| (name.clone(), field(event, path))).collect());
            }
        }
        let source = node.text("source_type");
        let mut body = String::new();
        for event in events {
            let mut told = Data::map([("event", event)]);
            if !source.is_empty() {
                told.put("sourcetype", source.clone().into());
            }
            body.push_str(&write_data(&told));
            body.push('\n');
            if body.len() > MAX_PAYLOAD {
                break;
            }
        }
        let authorization = format!("Splunk {token}");
        let headers = vec![("Authorization", authorization.as_str())];
        self.send(Sent { method: Method::Post, url: &url, headers, content_type: JSON, body: &body })
    }

    fn send(&self, sent: Sent<'_>) -> Result<(), String> {
        if !self.settings.arbitrary_urls {
            return Err("`Security.rest_client_enable_arbitrary_urls` is turned off".into());
        }
        let Sent { method, url, mut headers, content_type, body } = sent;
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            return Err("the URL has to begin with http:// or https://".into());
        }
        if body.len() > MAX_PAYLOAD {
            return Err("the data is too large to be sent".into());
        }
        headers.push(("Content-Type", content_type));
        headers.push(("Accept", JSON));
        let timeout = CALL.min(self.time_left());
        let call = Call { method, url, headers: &headers, body: body.as_bytes(), timeout, limit: ANSWER };
        match self.service.http.send(&call) {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
            Ok(answer) => Err(format!("it was answered with status {}", answer.status)),
            Err(error) => Err(told(error)),
        }
    }
}

/// What a path picks; the one thing by itself.
fn field(event: &Data, path: &Data) -> Data {
    let mut picked: Vec<Data> = event.pick(&path.text().unwrap_or_default()).into_iter().cloned().collect();
    if picked.len() == 1 { picked.remove(0) } else { Data::List(picked) }
}
