//! What can go wrong in the store, a variant per remedy.

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The record does not exist or the actor may not see it: the two are never told apart.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The actor sees the record but may not change it.
    #[error("not allowed to change this {0}")]
    Forbidden(&'static str),
    /// A unique field is taken; names the field.
    #[error("{0} is already in use")]
    Conflict(&'static str),
    /// The database address cannot be used; says why.
    #[error("{0}")]
    Address(String),
    /// The database was written by a newer PISAX.
    #[error("the database has schema version {found}, this program knows up to {known}: use a newer program")]
    TooNew { found: i64, known: i64 },
    /// The place for bytes outside the database cannot be used; says why.
    #[error("{0}")]
    Files(String),
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("database: {0}")]
    Postgres(#[from] postgres::Error),
    /// A stored row that this program cannot read.
    #[error("damaged row: {0}")]
    Damaged(&'static str),
    /// The transaction this write belonged to could not be committed.
    #[error("the write could not be committed: {0}")]
    Commit(String),
    /// The client asks for more than one statement can carry; says of what.
    #[error("{0}")]
    TooMuch(&'static str),
}

impl Error {
    /// A refusal by a unique constraint, as the conflict on `field` that it is.
    pub(crate) fn conflict_on(self, field: &'static str) -> Self {
        if self.is_unique_violation() { Self::Conflict(field) } else { self }
    }

    /// Whether a unique constraint refused the row (another writer was first).
    pub fn is_unique_violation(&self) -> bool {
        match self {
            Self::Conflict(_) => true,
            Self::Sqlite(rusqlite::Error::SqliteFailure(e, _)) => {
                e.code == rusqlite::ErrorCode::ConstraintViolation
            }
            Self::Postgres(e) => e.code() == Some(&postgres::error::SqlState::UNIQUE_VIOLATION),
            _ => false,
        }
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
