//! Why a use case did not happen, a variant per remedy. The edge turns it into MISP's status and words, a
//! page's words, or a log line.

use pisax_model::{FieldError, Uuid};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Missing or invisible; the two are never told apart. Names the noun.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// Seen, but not theirs to change.
    #[error("you do not have permission to do that")]
    Forbidden,
    /// Refused with a reason that the client shows.
    #[error("{0}")]
    Refused(String),
    /// Fields that must be corrected.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// The uuid is taken by an event; its row number is for those who see it.
    #[error("event {uuid} already exists")]
    EventExists { id: Option<i64>, uuid: Uuid },
    /// What was sent is not newer than what is stored.
    #[error("the {0} in the request is not newer than the local copy")]
    Stale(&'static str),
    /// The event was deleted here or refused for good.
    #[error("event blocked by event blocklist")]
    Blocklisted,
    /// A protected event that is not signed with one of its keys; says which of the two is wrong.
    #[error("{0}")]
    NotSigned(&'static str),
    #[error(transparent)]
    Store(pisax_store::Error),
}

impl From<pisax_store::Error> for Error {
    fn from(e: pisax_store::Error) -> Self {
        match e {
            pisax_store::Error::NotFound(noun) => Self::NotFound(noun),
            pisax_store::Error::Forbidden(_) => Self::Forbidden,
            pisax_store::Error::Conflict(field) => {
                Self::Invalid(vec![FieldError::new(field, format!("The {field} is already in use."))])
            }
            other => Self::Store(other),
        }
    }
}

impl Error {
    /// A uuid that somebody else stored a moment before is no fault of the database.
    pub(crate) fn or_taken(self) -> Self {
        match self {
            Self::Store(e) if e.is_unique_violation() => uuid_taken().into(),
            other => other,
        }
    }
}

/// The refusal of a uuid that stands for something else already.
pub(crate) fn uuid_taken() -> FieldError {
    FieldError::new("uuid", "The uuid is already in use.")
}

impl From<FieldError> for Error {
    fn from(e: FieldError) -> Self {
        Self::Invalid(vec![e])
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_constraint_is_a_field_to_correct() {
        let refused = Error::Store(pisax_store::Error::Conflict("x")).or_taken();
        assert!(matches!(refused, Error::Invalid(fields) if fields == [uuid_taken()]));
        let other = Error::Store(pisax_store::Error::Damaged("x")).or_taken();
        assert!(matches!(other, Error::Store(_)));
        assert!(matches!(Error::Forbidden.or_taken(), Error::Forbidden));
    }
}
