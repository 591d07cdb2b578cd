//! A module server, and one call to it.

use crate::description::Module;
use crate::question::Question;
use pisax_outbound::{Call, Client, Method};
use serde_json::Value;
use std::time::Duration;

/// For the list of modules: pages wait for it. MISP gives it one second, which a server that just started
/// and builds its list for the first time does not keep.
const LISTING: Duration = Duration::from_secs(5);
/// The largest answer taken.
const LARGEST: u64 = 64 << 20;

/// Where modules are asked.
#[derive(Clone)]
pub struct Server {
    http: Client,
    /// Without a final slash.
    url: String,
}

/// What a module said, as it said it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer(pub Value);

impl Answer {
    /// The text that a module made of a page or file; `None` where it made none.
    pub fn text(&self) -> Option<String> {
        let values = self.0.get("results")?.get(0)?.get("values")?;
        let text = match values {
            Value::Array(several) => several.iter().find_map(Value::as_str)?,
            one => one.as_str()?,
        };
        (!text.trim().is_empty()).then(|| text.to_owned())
    }
}

/// Why a module server gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the module server cannot be reached: {0}")]
    Unreachable(#[from] pisax_outbound::Error),
    #[error("the module server answers with status {0}")]
    Status(u16),
    #[error("the module server's answer is no JSON")]
    NotJson,
}

impl Server {
    pub fn new(http: Client, url: &str) -> Self {
        Self { http, url: url.trim_end_matches('/').to_owned() }
    }

    /// The modules it has.
    pub fn modules(&self) -> Result<Vec<Module>, Error> {
        Ok(Module::list(&self.call(Method::Get, "/modules", b"", LISTING)?))
    }

    /// Asks one module; its answer as it is.
    pub fn ask(&self, question: &Question, timeout: Duration) -> Result<Answer, Error> {
        self.call(Method::Post, "/query", &question.body, timeout).map(Answer)
    }

    fn call(&self, method: Method, path: &str, body: &[u8], timeout: Duration) -> Result<Value, Error> {
        let url = format!("{}{path}", self.url);
        let headers = [("content-type", "application/json"), ("accept", "application/json")];
        let call = Call { method, url: &url, headers: &headers, body, timeout, limit: LARGEST };
        let answer = self.http.send(&call)?;
        match answer.status {
            200..=299 => serde_json::from_slice(&answer.body).map_err(|_| Error::NotJson),
            status => Err(Error::Status(status)),
        }
    }
}
