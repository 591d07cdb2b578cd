//! Why an API call failed, in MISP's statuses and words.

use crate::answer::Answer;
use crate::compat;
use crate::quota::Quota;
use http::StatusCode;
use pisax_model::FieldError;
use pisax_service::Error;
use pisax_wire::answer as body;
use pisax_wire::{ReadError, SearchError};

#[derive(Debug)]
pub enum Failure {
    /// 403: no key, a wrong key, a disabled user.
    Unauthenticated,
    /// 403: the role does not allow this action at all.
    NoPermission,
    /// 403 with a reason.
    Refused(String),
    /// 404 with MISP's words, e.g. `Invalid event`.
    NotFound(&'static str),
    /// 405 with MISP's words: its refusal of the impossible.
    NotAllowed(String),
    /// 405: a body that is no JSON.
    BadJson,
    /// 413: a body over the limit.
    TooLarge(usize),
    /// 400.
    BadRequest(String),
    /// 429: the role allows no more searches for now.
    TooOften(Quota),
    /// 503: try again.
    Busy(String),
    /// 403 with the fields to correct: MISP's save failure.
    Invalid { action: &'static str, model: &'static str, errors: Vec<FieldError>, id: Option<i64> },
    /// 403: a field of the body cannot be what it is meant to be.
    Unreadable { field: String, message: String },
    /// The same for an event, whose fields stand below its name.
    InvalidEvent { action: &'static str, errors: Vec<FieldError>, id: Option<i64> },
    /// The same with one text instead of fields.
    NotSaved { action: &'static str, model: &'static str, reason: String, id: Option<i64> },
    /// 404, with a `Location` for who sees the event that has the uuid.
    EventExists(Option<i64>),
    /// A whole answer that is a failure (MISP has a few of its own).
    Own(StatusCode, Vec<u8>),
    /// 502: another server that was asked on the caller's behalf failed.
    Gateway(String),
    /// 500: logged in full, answered without detail.
    Internal(String),
}

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        match e {
            Error::NotFound(noun) => Self::NotFound(compat::invalid(noun)),
            Error::Forbidden => Self::Refused(body::NO_PERMISSION_THAT.into()),
            Error::Refused(reason) => Self::Refused(reason),
            Error::Invalid(errors) => Self::Invalid { action: "save", model: "record", errors, id: None },
            Error::EventExists { id, .. } => Self::EventExists(id),
            Error::Stale(_) => Self::Refused(e.to_string()),
            Error::NotSigned(reason) => Self::NotAllowed(reason.into()),
            Error::Blocklisted => Self::Refused(body::BLOCKED_EVENT.into()),
            Error::Store(inner @ pisax_store::Error::TooMuch(_)) => Self::BadRequest(inner.to_string()),
            Error::Store(inner) => Self::Internal(inner.to_string()),
        }
    }
}

impl From<pisax_store::Error> for Failure {
    fn from(e: pisax_store::Error) -> Self {
        Error::from(e).into()
    }
}

impl From<ReadError> for Failure {
    fn from(e: ReadError) -> Self {
        match e {
            ReadError::NotJson(_) => Self::BadJson,
            ReadError::Field { field, message } => Self::Unreadable { field, message },
        }
    }
}

impl From<SearchError> for Failure {
    fn from(e: SearchError) -> Self {
        match e {
            SearchError::Empty => Self::BadRequest(e.message().into()),
            _ => Self::BadJson,
        }
    }
}

/// Names the action and model of a validation failure, for MISP's `Could not add Attribute`.
pub trait Saving<T> {
    fn saving(self, action: &'static str, model: &'static str) -> Result<T, Failure>;
}

impl<T> Saving<T> for Result<T, Error> {
    fn saving(self, action: &'static str, model: &'static str) -> Result<T, Failure> {
        self.map_err(|e| match e {
            Error::Invalid(errors) => Failure::Invalid { action, model, errors, id: None },
            other => other.into(),
        })
    }
}

impl Failure {
    /// The HTTP answer; `url` is the path MISP echoes, `base` this instance's address.
    pub fn answer(self, url: &str, base: &str) -> Answer {
        let exception = |status, message: &str| Answer::status(status, body::exception(message, url));
        match self {
            Self::Unauthenticated => exception(StatusCode::FORBIDDEN, body::AUTHENTICATION_FAILED),
            Self::NoPermission => exception(StatusCode::FORBIDDEN, body::NO_PERMISSION),
            Self::Refused(reason) => exception(StatusCode::FORBIDDEN, &reason),
            Self::NotFound(message) => exception(StatusCode::NOT_FOUND, message),
            Self::NotAllowed(reason) => exception(StatusCode::METHOD_NOT_ALLOWED, &reason),
            Self::BadJson => exception(StatusCode::METHOD_NOT_ALLOWED, body::INVALID_JSON),
            Self::TooLarge(limit) => exception(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("The request body is larger than the {limit} bytes accepted here."),
            ),
            Self::BadRequest(reason) => exception(StatusCode::BAD_REQUEST, &reason),
            Self::TooOften(quota) => {
                quota.tell(exception(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded."))
            }
            Self::Busy(reason) => {
                exception(StatusCode::SERVICE_UNAVAILABLE, &reason).header("retry-after", 5)
            }
            Self::Invalid { action, model, errors, id } => {
                let body = body::save_failure(
                    action,
                    model,
                    &save_url(url, action),
                    body::Errors::Fields(&errors),
                    id,
                );
                Answer::status(StatusCode::FORBIDDEN, body)
            }
            Self::Unreadable { field, message } => {
                let errors = body::Errors::Named(&field, &message);
                Answer::status(StatusCode::FORBIDDEN, body::save_failure("save", "record", url, errors, None))
            }
            Self::InvalidEvent { action, errors, id } => {
                let errors = body::Errors::Model("Event", &errors);
                let body = body::save_failure(action, "Event", &save_url(url, action), errors, id);
                Answer::status(StatusCode::FORBIDDEN, body)
            }
            Self::NotSaved { action, model, reason, id } => {
                let body = body::save_failure(
                    action,
                    model,
                    &save_url(url, action),
                    body::Errors::Text(&reason),
                    id,
                );
                Answer::status(StatusCode::FORBIDDEN, body)
            }
            Self::EventExists(id) => {
                let answer = exception(StatusCode::NOT_FOUND, body::EVENT_EXISTS);
                match id {
                    Some(id) => answer.header("location", format!("{base}/events/{id}")),
                    None => answer,
                }
            }
            Self::Own(status, body) => Answer::status(status, body),
            Self::Gateway(reason) => exception(StatusCode::BAD_GATEWAY, &reason),
            Self::Internal(detail) => {
                tracing::error!(%detail, url, "an API call failed");
                exception(StatusCode::INTERNAL_SERVER_ERROR, "An Internal Error Has Occurred.")
            }
        }
    }
}

/// MISP echoes `/attributes/add` without the arguments after the action for additions, the whole path otherwise.
fn save_url(url: &str, action: &str) -> String {
    let bare = url.strip_suffix(".json").unwrap_or(url);
    match bare.find("/add") {
        Some(end) if action == "add" => bare[..end + 4].to_owned(),
        _ => bare.to_owned(),
    }
}
