//! Why a request did not get its page, and the page it gets instead.

use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use pisax_model::FieldError;
use pisax_service::Error;
use uuid::Uuid;

use super::LONGEST_FORM_MIB;
use crate::{Chrome, Fault, Template};

/// A variant per page.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no such record, or not for them.
    NotFound,
    /// Their role or the record's owner does not allow it.
    Forbidden,
    /// Not done, for this reason.
    Refused(String),
    /// Fields to correct; handlers of forms show them at the fields.
    Invalid(Vec<FieldError>),
    /// A form without the right token, or from another site.
    StaleForm,
    /// A form longer than is read.
    TooLarge,
    /// A body that is no form.
    Unreadable,
    /// MISP.live is off, and this is no site admin.
    Closed,
    /// Our fault; the detail is for the log alone.
    Internal(String),
}

impl Failure {
    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::Internal(detail.into())
    }

    /// The page that says so. `path` is for the log, which does not get its query: people search for secrets.
    pub(crate) fn page(self, chrome: Chrome, path: &str) -> Response {
        let path = path.split('?').next().unwrap_or_default();
        let fault = match self {
            Self::NotFound => Fault::not_found(chrome),
            Self::Forbidden => Fault::forbidden(chrome),
            Self::Refused(reason) => Fault::refused(chrome, reason),
            Self::Invalid(fields) => Fault::refused(chrome, messages(&fields)),
            Self::StaleForm => Fault::stale_form(chrome),
            Self::TooLarge => Fault::too_large(chrome, LONGEST_FORM_MIB),
            Self::Closed => Fault::closed(chrome),
            Self::Unreadable => Fault::unreadable(chrome),
            Self::Internal(detail) => {
                let reference = reference(Uuid::new_v4());
                tracing::error!(%reference, %detail, path, "a page failed");
                Fault::internal(chrome, reference)
            }
        };
        let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match fault.render() {
            Ok(html) => (status, Html(html)).into_response(),
            Err(error) => {
                tracing::error!(%error, path, "the page of a failure failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "PISAX failed.").into_response()
            }
        }
    }
}

fn messages(fields: &[FieldError]) -> String {
    fields.iter().map(|field| field.message.as_str()).collect::<Vec<_>>().join(" ")
}

/// Twelve digits, which can be read out over the telephone: `3f9a-77c1-02de`.
fn reference(random: Uuid) -> String {
    let digits = random.simple().to_string();
    format!("{}-{}-{}", &digits[..4], &digits[4..8], &digits[8..12])
}

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        match e {
            Error::NotFound(_) => Self::NotFound,
            Error::Forbidden => Self::Forbidden,
            Error::Refused(reason) => Self::Refused(reason),
            Error::NotSigned(reason) => Self::Refused(reason.into()),
            Error::Invalid(fields) => Self::Invalid(fields),
            Error::EventExists { .. } => Self::Refused("There is an event with this UUID already.".into()),
            Error::Stale(_) => Self::Refused(
                "Somebody else changed it in the meantime. Open it again, and make your change once more."
                    .into(),
            ),
            Error::Blocklisted => {
                Self::Refused("An event with this UUID was deleted here and is not to come back.".into())
            }
            Error::Store(pisax_store::Error::TooMuch(what)) => {
                Self::Refused(format!("Search for less at a time: {what}."))
            }
            Error::Store(inner) => Self::Internal(inner.to_string()),
        }
    }
}

impl From<pisax_store::Error> for Failure {
    fn from(e: pisax_store::Error) -> Self {
        Error::from(e).into()
    }
}

impl From<askama::Error> for Failure {
    fn from(e: askama::Error) -> Self {
        Self::Internal(format!("a template failed: {e}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_a_fault_shows_a_reference_and_no_detail() {
        let response = Failure::internal("database: disk full").page(Chrome::default(), "/events/index");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(reference(Uuid::nil()), "0000-0000-0000");
        let fault = Fault::internal(Chrome::default(), "3f9a-77c1-02de").render().unwrap();
        assert!(fault.contains("3f9a-77c1-02de"));
    }

    #[test]
    fn what_the_store_hides_and_what_is_missing_are_one_page() {
        let store = |e: pisax_store::Error| Failure::from(e);
        assert!(matches!(store(pisax_store::Error::NotFound("event")), Failure::NotFound));
        assert!(matches!(store(pisax_store::Error::Forbidden("event")), Failure::Forbidden));
        assert!(matches!(store(pisax_store::Error::Damaged("x")), Failure::Internal(_)));
    }
}
