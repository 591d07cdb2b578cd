//! Why an exchange with another server did not go on.

/// One variant for each remedy.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It does not answer, or not in time: it is tried again later.
    #[error("{0}")]
    Away(String),
    /// It answered with a status that is none of success; the text is what it said.
    #[error("it answered {status}: {message}")]
    Status { status: u16, message: String },
    /// What it sent is not what a MISP sends.
    #[error("it is no MISP, or speaks otherwise: {0}")]
    Strange(String),
    /// What was fetched is not what it should be.
    #[error("{0}")]
    Unusable(String),
    /// It sent more than is taken.
    #[error("{0}")]
    TooMuch(String),
    /// The connection is not set up as it has to be.
    #[error("{0}")]
    Setup(String),
    /// Cancelled, or the server stops.
    #[error("stopped")]
    Stopped,
    #[error(transparent)]
    Here(#[from] pisax_service::Error),
}

impl From<pisax_store::Error> for Fault {
    fn from(error: pisax_store::Error) -> Self {
        Self::Here(error.into())
    }
}

impl From<pisax_outbound::Error> for Fault {
    fn from(error: pisax_outbound::Error) -> Self {
        match error {
            pisax_outbound::Error::TooLarge(_) => Self::TooMuch(error.to_string()),
            pisax_outbound::Error::Link(why) => Self::Setup(why.to_owned()),
            pisax_outbound::Error::BadAddress | pisax_outbound::Error::NotPublic(_) => {
                Self::Setup(error.to_string())
            }
            other => Self::Away(other.to_string()),
        }
    }
}

impl Fault {
    /// Whether the same may go well later without anybody's doing.
    pub fn passes(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..),
            _ => false,
        }
    }
}
