//! A request after the edge: who asks, what for, with which body.

use crate::failure::Failure;
use crate::path::Path;
use crate::quota::Quotas;
use bytes::Bytes;
use http::{HeaderMap, Method};
use pisax_access::Actor;
use pisax_model::ids::Ref;
use pisax_service::Service;
use pisax_store::keys::KeyOwner;
use std::sync::Arc;

pub struct Request {
    pub service: Arc<Service>,
    pub actor: Actor,
    pub owner: KeyOwner,
    pub method: Method,
    pub path: Path,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// What searches the user has left: a call inside a call counts as well.
    pub(crate) quotas: Arc<Quotas>,
}

impl Request {
    /// The record named by the n-th path argument.
    pub fn reference(&self, i: usize, missing: &'static str) -> Result<Ref, Failure> {
        self.path.arg(i).and_then(Ref::parse).ok_or(Failure::NotFound(missing))
    }

    pub fn now(&self) -> i64 {
        self.service.now()
    }

    /// A small body as a JSON value; empty is null. Not for events, attributes or objects.
    pub fn value(&self) -> Result<serde_json::Value, Failure> {
        if self.body.is_empty() {
            return Ok(serde_json::Value::Null);
        }
        serde_json::from_slice(&self.body).map_err(|_| Failure::BadJson)
    }

    /// The value without the envelopes MISP accepts: `{"request":…}` and the model's own name.
    pub fn unwrapped(&self, model: &str) -> Result<serde_json::Value, Failure> {
        let mut value = self.value()?;
        for envelope in ["request", model] {
            if let Some(inner) = value.get_mut(envelope)
                && inner.is_object()
            {
                value = inner.take();
            }
        }
        Ok(value)
    }

    /// How many correlations are shown with one event.
    pub fn shown_correlations(&self) -> usize {
        usize::try_from(self.service.settings().max_correlations_per_event).unwrap_or(0)
    }

    pub fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }

    pub fn is_read(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// A text member of a small JSON body; numbers count as text.
pub fn text(value: &serde_json::Value, name: &str) -> Option<String> {
    match value.get(name)? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(flag) => Some(i64::from(*flag).to_string()),
        _ => None,
    }
}

/// A yes-or-no member in any of MISP's spellings.
pub fn flag(value: &serde_json::Value, name: &str) -> Option<bool> {
    match value.get(name)? {
        serde_json::Value::Bool(flag) => Some(*flag),
        serde_json::Value::Number(number) => Some(number.as_i64() != Some(0)),
        serde_json::Value::String(text) => Some(!matches!(text.as_str(), "" | "0" | "false")),
        _ => None,
    }
}

/// A whole-number member.
pub fn number(value: &serde_json::Value, name: &str) -> Option<i64> {
    text(value, name)?.trim().parse().ok()
}

/// A list of texts: a list, one text, or several on lines of their own or between commas.
pub fn texts(value: &serde_json::Value, name: &str) -> Option<Vec<String>> {
    let member = value.get(name)?;
    let scalar = |item: &serde_json::Value| match item {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let list = match member {
        serde_json::Value::Array(items) => items.iter().filter_map(scalar).collect(),
        // PHP writes a list with gaps as an object.
        serde_json::Value::Object(items) => items.values().filter_map(scalar).collect(),
        serde_json::Value::Null => Vec::new(),
        other => scalar(other)?.split(['\n', ',']).map(|t| t.trim().to_owned()).collect(),
    };
    Some(list)
}
